"""Reports on mail that could not be delivered: RFC 3464's where there is one, else what old servers write.

Believed by the engine only for a letter that we sent; a report of delay is not a failure.
"""

import re
from collections.abc import Iterator

from mailflow.domain.mail import Action, Bounce, BouncedRecipient
from mailflow.domain.people import Address
from mailflow.intake.automatic import null_return_path
from mailflow.intake.charset import decode_text
from mailflow.intake.parse import Headers, Message, Part, read_headers
from mailflow.intake.sender import valid_address

MAX_RECIPIENTS = 100
MAX_REPORT = 64 * 1024  # of a delivery-status part: a hundred recipients with long diagnostics

_STATUS_PARTS = frozenset({"message/delivery-status", "message/global-delivery-status"})  # RFC 3464, RFC 6533
_ORIGINAL_PARTS = frozenset(
    {"message/rfc822", "text/rfc822-headers", "message/rfc822-headers", "message/global", "message/global-headers"}
)
_DAEMON = re.compile(
    r"mailer-daemon|mail-daemon|mailerdaemon|postmaster|mail delivery (?:sub)?system|mail delivery service|"
    r"^mdaemon|^bounces?@|microsoftexchange[0-9a-f]+@",
    re.IGNORECASE,
)
# Subjects of bounces, at the start and never behind FW: or RE:, since people forward their bounces.
_SUBJECT = re.compile(
    r"^(?:undeliverable|undelivered mail|undeliver(?:able|ed) message|delivery status notification|"
    r"mail delivery (?:failed|failure|problem|status|system)|"
    r"delivery (?:failure|failed|has failed|problem|delayed|report)|"
    r"failure notice|failure delivery|returned mail|mail (?:system )?error|message (?:undeliverable|not delivered)|"
    r"message (?:delivery|could not be delivered)|could not deliver|delivery notification|nondeliverable|non-?delivery|"
    r"warning: (?:could not send|message .{1,60} delayed)|\*+\s*message you sent blocked|rejected:|"
    r"unzustellbar|nicht zustellbar|zustellung fehlgeschlagen|non remis|non distribuable|échec de (?:la )?remise|"
    r"onbestelbaar|niet bezorgd|no se puede entregar|no entregado|non recapitabile|mancato recapito|"
    r"não foi possível entregar|niedostarczalne|kan ikke leveres|kan inte levereras|olevererbart|"
    r"не доставлено|недоставлен|配信不能|配信できません|邮件退信|系统退信|退信)",
    re.IGNORECASE,
)
_DELAY = re.compile(
    r"\bdelay(?:ed)?\b|could not send message for past|still being retried|verzögert|vertraagd", re.IGNORECASE
)
_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_LINE_ADDRESS = re.compile(r"^[ \t]*<?([^\s<>()\",:;]+@[^\s<>()\",:;]+?)>?[ \t]*:?[ \t]*(?:\(.*)?$", re.MULTILINE)
_COPY = re.compile(
    r"^-{2,}.{0,20}(?:copy of the message|original message|returned message|message header|undelivered message)",
    re.IGNORECASE | re.MULTILINE,
)
_MESSAGE_ID = re.compile(r"^[> \t]{0,20}message-id:[ \t]*(<[^<>\s]+>)", re.IGNORECASE | re.MULTILINE)


def bounce(message: Message, author: Address | None, subject: str, text: str) -> tuple[Bounce, str] | None:
    """The bounce that this mail is, with the named rule that found it; None where it is none."""
    text = text[:MAX_REPORT]
    reports = [p for p in message.parts if p.type in _STATUS_PARTS]
    if recipients := _deduplicated(r for part in reports for r in _status_recipients(part)):
        return Bounce(recipients=recipients, original_message_id=_original_id(message, text)), "delivery-status"
    delayed = bool(_DELAY.search(subject) or _DELAY.search(text[:2000]))
    action = Action.DELAYED if delayed else Action.FAILED
    status = m[1] if (m := _STATUS.search(text)) else ""
    if status.startswith("4") and not delayed:
        status = ""  # a number that the text mentions, not the fate of this letter
    failed = [a for v in message.headers.all("x-failed-recipients") for x in v.split(",") if (a := valid_address(x))]
    if failed:
        rule = "x-failed-recipients"
    elif reports:
        rule, failed = "delivery-status", _addresses_in(text, author)
    else:
        signs = (
            null_return_path(message),
            bool(author and _DAEMON.search(f"{author.address} {author.name}")),
            bool(_SUBJECT.match(subject)),
        )
        if sum(signs) < 2:
            return None
        rule, failed = "two-bounce-signs", _addresses_in(text, author)
    # A letter of ours has one recipient: a bounce that names nobody is still about that one.
    found = (BouncedRecipient(address=a, action=action, status=status) for a in failed or [""])
    return Bounce(recipients=_deduplicated(found), original_message_id=_original_id(message, text)), rule


def _deduplicated(found: Iterator[BouncedRecipient]) -> tuple[BouncedRecipient, ...]:
    by_address: dict[str, BouncedRecipient] = {}
    for recipient in found:
        by_address.setdefault(recipient.address, recipient)
        if len(by_address) == MAX_RECIPIENTS:
            break
    return tuple(by_address.values())


def _status_recipients(part: Part) -> Iterator[BouncedRecipient]:
    """The per-recipient blocks of a delivery-status part (RFC 3464 2.3); the first block is about the message."""
    data = part.content(MAX_REPORT).replace(b"\r\n", b"\n")
    for block in re.split(rb"\n[ \t]*\n", data)[: MAX_RECIPIENTS + 1]:
        fields, _ = read_headers(block.strip(b"\n") + b"\n\n", 0, len(block) + 2, 50, [])
        address = _typed_address(fields.get("final-recipient")) or _typed_address(fields.get("original-recipient"))
        if not address:
            continue
        status = m[1] if (m := _STATUS.search(fields.get("status"))) else ""
        yield BouncedRecipient(address=address, action=_action(fields, status), status=status)


def _action(fields: Headers, status: str) -> Action:
    """The Action as told, else what the status' class means (RFC 3463 2)."""
    word = fields.get("action").partition(";")[0].partition("(")[0].strip().casefold()
    if word in set(Action):
        return Action(word)
    return {"2": Action.DELIVERED, "4": Action.DELAYED}.get(status[:1], Action.FAILED)


def _typed_address(value: str) -> str | None:
    """The address behind "rfc822;"."""
    return valid_address(value.rpartition(";")[2].strip().strip("<>"))


def _original_id(message: Message, text: str) -> str | None:
    """The Message-ID of the letter that came back: from its enclosed headers, else from the copy in the text."""
    for part in message.parts:
        if part.type in _ORIGINAL_PARTS:
            data = part.content(MAX_REPORT)
            fields, _ = read_headers(data, 0, len(data), 500, [])
            if m := re.search(r"<[^<>\s]+>", fields.get("message-id")):
                return m[0]
            if found := _MESSAGE_ID.search(decode_text(data, "utf-8", [])):
                return found[1]
    return m[1] if (m := _MESSAGE_ID.search(text)) else None


def _addresses_in(text: str, author: Address | None) -> list[str]:
    """Addresses that stand alone on a line above the copy of the letter: how qmail, Exim and their like name them."""
    head = text[: m.start()] if (m := _COPY.search(text)) else text
    found = (valid_address(m[1]) for m in _LINE_ADDRESS.finditer(head[:4000]))
    return [a for a in dict.fromkeys(found) if a and not (author and a == author.address)][:5]
