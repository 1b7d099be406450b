"""A mail's bytes as a Reading: the one door of this room.

Pure, and it never raises: every kind of bad mail is handled where it is read and becomes a defect; should that fail, a
guard at this edge turns the fault itself into a Reading of kind UNKNOWN, so that a mail can be quarantined, not lost.
"""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from hashlib import sha256

from mailflow.domain.mail import Bounce, Event, Line, Reading
from mailflow.domain.people import Address
from mailflow.domain.vocabulary import Kind
from mailflow.intake.authentication import results_on_top
from mailflow.intake.automatic import auto_reply, automatic
from mailflow.intake.body import Body, body
from mailflow.intake.bounce import bounce
from mailflow.intake.encoded_word import decode_words
from mailflow.intake.html import html_lines, readable
from mailflow.intake.matching import AlertText, AlertView, find_alert
from mailflow.intake.parse import MAX_MAIL, Headers, Message, parse
from mailflow.intake.quoting import new_and_quoted, plain_lines
from mailflow.intake.recipes import Recipes
from mailflow.intake.sender import author, recipients
from mailflow.intake.tokens import token_tags

UNREADABLE = "unreadable"  # the rule of a mail that a bug of ours kept from being read
MAX_SUBJECT = 1000  # characters; RFC 5322 2.1.1 allows 998 in a line
MAX_REFERENCES = 100  # the newest; clients cut theirs at about twenty
MAX_DEFECTS = 50

_MESSAGE_ID = re.compile(r"<[^<>\s\x00-\x1f\x7f]{1,500}>")
# Where our plus-tag may stand: what the author addressed, and what the server says it delivered to.
_ADDRESSED = ("to", "delivered-to", "x-original-to")


def read(raw: bytes, recipes: Recipes) -> Reading:
    """All that a mail says by itself."""
    try:
        return _read(raw, recipes)
    except Exception as error:  # the edge: a bug of ours costs one mail's reading, not the mail
        return Reading(
            message_id=None,
            author=None,
            kind=Kind.UNKNOWN,
            rule=UNREADABLE,
            identity=sha256(raw).hexdigest(),
            defects=(f"could not be read: {type(error).__name__}",),
        )


def _read(raw: bytes, recipes: Recipes) -> Reading:
    defects: list[str] = []
    message = parse(raw, defects)
    headers = message.headers
    sender = author(headers, defects)
    subject = _subject(headers, defects)
    message_id = _message_id(headers, defects)
    content = body(message, defects) if message.parts else Body()
    plain = plain_lines(content.plain, flowed=content.flowed, delsp=content.delsp) if content.plain.strip() else ()
    html = html_lines(content.html) if content.html.strip() else ()
    new_text, quoted_text = new_and_quoted(plain or html)
    replied = _message_ids(headers.all("in-reply-to"))
    references = _message_ids(headers.all("references"))[-MAX_REFERENCES:]
    addressed = recipients(headers, _ADDRESSED, [])
    kind, rule, events, bounced = _kind(message, sender, subject, content, (plain, html), recipes, defects)
    return Reading(
        message_id=message_id,
        author=sender,
        to=recipients(headers, ("to",), defects),
        addressed=addressed,
        subject=subject,
        date=_date(headers, defects),
        in_reply_to=replied[0] if replied else None,
        references=tuple(references),
        kind=kind,
        rule=rule,
        events=events,
        bounce=bounced,
        automatic=automatic(message, subject, sender.address if sender else ""),
        plain=plain,
        html=html,
        new_text=new_text,
        quoted_text=quoted_text,
        attachments=content.attachments,
        token_tags=token_tags(addressed, replied[0] if replied else None, references, _texts(plain, html)),
        authentication=results_on_top(headers.fields),
        identity=_identity(headers, content, raw),
        defects=tuple(dict.fromkeys(defects))[:MAX_DEFECTS],
    )


def _kind(
    message: Message,
    sender: Address | None,
    subject: str,
    content: Body,
    lines: tuple[tuple[Line, ...], tuple[Line, ...]],
    recipes: Recipes,
    defects: list[str],
) -> tuple[Kind, str, tuple[Event, ...], Bounce | None]:
    """What the mail is, as far as it tells without knowing people, and the rule that says so. The order matters."""

    @cache
    def html_text() -> str:
        return readable(content.html)

    # A bounce holds our whole letter, an answering machine quotes alerts: they are told apart from alerts first.
    text = content.plain if content.plain.strip() else html_text() if content.html.strip() else ""
    if bounced := bounce(message, sender, subject, text):
        return Kind.BOUNCE, bounced[1], (), bounced[0]
    if rule := auto_reply(message, subject):
        return Kind.AUTO_REPLY, rule, (), None
    view = _view(message, sender, subject, content, lines, html_text)
    before = len(defects)
    if found := find_alert(view, recipes, defects):
        return Kind.ALERT, f"recipe-{found.recipe.id}", found.events, None
    return Kind.UNKNOWN, "recipe-without-key" if len(defects) > before else "no-recipe", (), None


def _view(
    message: Message,
    sender: Address | None,
    subject: str,
    content: Body,
    lines: tuple[tuple[Line, ...], tuple[Line, ...]],
    html_text: Callable[[], str],
) -> AlertView:
    texts = []
    if content.plain.strip():
        texts.append(AlertText(make=lambda: content.plain, lines=lines[0]))
    if content.html.strip():
        texts.append(AlertText(make=html_text, lines=lines[1]))
    return AlertView(author=sender, subject=subject, headers=message.headers, texts=tuple(texts))


def alert_view(raw: bytes) -> AlertView:
    """A mail as recipes see it: for whoever writes one."""
    defects: list[str] = []
    message = parse(raw, defects)
    content = body(message, defects) if message.parts else Body()
    plain, html = plain_lines(content.plain), html_lines(content.html) if content.html.strip() else ()
    sender, subject = author(message.headers, defects), _subject(message.headers, defects)
    return _view(message, sender, subject, content, (plain, html), lambda: readable(content.html))


def _subject(headers: Headers, defects: list[str]) -> str:
    subject = decode_words(headers.get("subject"), defects, "Subject")
    if len(subject) > MAX_SUBJECT:
        defects.append(f"Subject longer than {MAX_SUBJECT} characters")
    return subject[:MAX_SUBJECT]


def _message_ids(lines: Iterable[str]) -> list[str]:
    """The message identifiers in these headers, angle brackets included, without repetition."""
    return list(dict.fromkeys(found for line in lines for found in _MESSAGE_ID.findall(line)))


def _message_id(headers: Headers, defects: list[str]) -> str | None:
    """The mail's own identifier (RFC 5322 3.6.4), brackets included; None where it is missing or none."""
    lines = headers.all("message-id")
    if len(lines) > 1:
        defects.append("two Message-ID headers")
    for line in lines[:1]:
        # Folded inside, or without its brackets: as some gateways write it.
        if found := _MESSAGE_ID.search(line) or _MESSAGE_ID.fullmatch("".join(line.split())):
            return found[0]
        if "@" in line and (bare := _MESSAGE_ID.fullmatch(f"<{line.strip()}>")):
            defects.append("Message-ID without angle brackets")
            return bare[0]
    defects.append("Message-ID is none" if lines else "no Message-ID")
    return None


def _date(headers: Headers, defects: list[str]) -> datetime | None:
    """The Date header in UTC. It is what the sender claims; when a mail came is the server's to say."""
    value = headers.get("date")[:100]
    try:
        date = parsedate_to_datetime(value)
        # "-0000" is UTC by somebody who does not tell his zone (RFC 5322 3.3).
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError, AttributeError):
        defects.append("Date is none" if value else "no Date")
        return None


def _texts(plain: tuple[Line, ...], html: tuple[Line, ...]) -> list[str]:
    return ["\n".join(line.text for line in lines) for lines in (plain, html) if lines]


def _identity(headers: Headers, content: Body, raw: bytes) -> str:
    """The same for the same mail through two aliases. Without any text, the bytes are what tells mails apart.

    The subject counts: monitors that send no Message-ID and always the same text name the host there alone.
    """
    text = " ".join((content.plain or content.html).split())
    digest = sha256()
    for piece in (*(headers.get(name) for name in ("message-id", "from", "date", "subject")), text):
        digest.update(piece.encode("utf-8", "replace") + b"\0")
    if not text:
        digest.update(_after_headers(raw))
    elif not (headers.get("message-id") or headers.get("date")):
        digest.update(raw)  # the same words again on another day: only the trace of its arrival tells them apart
    return digest.hexdigest()


def _after_headers(raw: bytes) -> bytes:
    """The encoded body, within bounds: headers differ between two deliveries, the body does not."""
    _, _, rest = raw[: MAX_MAIL + 1].replace(b"\r\n", b"\n").partition(b"\n\n")
    return rest
