"""Trying a mailbox for real: login, folders, sending, the copy's way back, whose word is on it, Sent, clock."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from mailflow.domain.people import Address
from mailflow.engine.clock import Clock
from mailflow.engine.courier import Courier, Outcome
from mailflow.engine.figures import said as in_words
from mailflow.engine.inbox import Fetched, Inbox, InboxTrouble
from mailflow.engine.setup import MailboxSetup
from mailflow.intake.read import read
from mailflow.intake.recipes import Recipes
from mailflow.writing.compose import Envelope, compose
from mailflow.writing.page import counted
from mailflow.writing.render import Rendered

CLOCKS_AGREE = timedelta(minutes=2)
ARRIVES_WITHIN = timedelta(minutes=1)  # greylisting apart, a mail to oneself is there in seconds
LOOK_EVERY = 1.0


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing tried: ok, warn (works, but …) or fail."""

    mailbox: str
    what: str
    verdict: str
    said: str


def examine(
    mailbox: MailboxSetup, connect: Callable[[], Inbox], courier: Courier, administrator: Address, clock: Clock
) -> list[Finding]:
    """Everything that can be tried on one mailbox; one mail goes to the administrator, with a copy to ourselves."""
    findings: list[Finding] = []

    def found(what: str, verdict: str, said: str) -> None:
        findings.append(Finding(mailbox=mailbox.address, what=what, verdict=verdict, said=said))

    try:
        inbox = connect()
    except InboxTrouble as trouble:
        found("login", "fail", str(trouble))
        return findings
    try:
        found("login", "ok", "reading works")
        state = inbox.select(mailbox.folder)
        found(
            "folder",
            "ok",
            f"{mailbox.folder} holds {counted(len(inbox.uids()), 'mail')} (uidvalidity {state.uidvalidity})",
        )
        sent = inbox.sent_folder()
        before = max(inbox.uids(), default=0)
        now = clock.now()
        message_id = f"<mailflow-doctor-{now.timestamp():.6f}@{mailbox.domain}>"
        local, _, domain = mailbox.address.partition("@")
        copy = f"{local}+copy@{domain}" if mailbox.plus_addressing else mailbox.address
        mail = _letter(mailbox, administrator, message_id, now)
        delivery = courier.send(mailbox.address, [administrator.address, copy], mail, lambda: None)
        if delivery.outcome is not Outcome.SENT:
            found("sending", "fail", delivery.said)
            return findings
        found("sending", "ok", f"a mail went to {administrator.address}")
        arrived = _wait_for(inbox, before, message_id, clock)
        what = "plus addressing" if mailbox.plus_addressing else "copy to ourselves"
        if arrived is None:
            advice = "set plus_addressing = false" if mailbox.plus_addressing else "look at the provider's rules"
            found(what, "fail", f"the copy to {copy} did not come within a minute: {advice}")
        else:
            found(what, "ok", f"the copy to {copy} came; it stays in {mailbox.folder}, so delete it")
            apart = abs(arrived.internal_date - clock.now())
            verdict = "ok" if apart < CLOCKS_AGREE else "warn"
            found("clock", verdict, f"the server's clock and ours are {in_words(apart)} apart")
            _vouched(mailbox, arrived, found)
        _sent_copy(mailbox, inbox, sent, message_id, found)
    except InboxTrouble as trouble:
        found(trouble.what, "fail", str(trouble))
    finally:
        inbox.close()
    return findings


def _vouched(mailbox: MailboxSetup, copy: Fetched, found: Callable[[str, str, str], None]) -> None:
    """Whether the server's word about senders begins with the name that is believed: else nobody would be proven."""
    if mailbox.auth != "generic":
        return
    names = dict.fromkeys(name for name, _ in read(copy.raw, Recipes()).authentication.results if name)
    begin = f"your server's Authentication-Results begin with {', '.join(names)}"
    if mailbox.authserv_id.casefold() in {name.casefold() for name in names}:
        found("auth", "ok", begin)
    elif names:
        found("auth", "fail", f"{begin}; authserv_id says {mailbox.authserv_id}")
    else:
        why = "the copy has no Authentication-Results; look whether a mail from outside has"
        found("auth", "warn", f"{why} {mailbox.authserv_id}'s")


def _sent_copy(
    mailbox: MailboxSetup, inbox: Inbox, sent: str | None, message_id: str, found: Callable[[str, str, str], None]
) -> None:
    """Whether the provider files a copy in Sent by itself, against what `proof` relies on."""
    filed = bool(sent) and inbox.find_message_id(str(sent), message_id)
    if mailbox.proof == "sent":
        said = f"the provider files a copy in {sent}" if filed else 'no copy lies in Sent: set proof = "copy"'
        found("Sent copy", "ok" if filed else "fail", said)
    elif filed:
        found("Sent copy", "warn", f'the provider files a copy in {sent}: proof = "sent" would do, without copies here')
    else:
        found("Sent copy", "ok", 'none, and proof = "copy" needs none')


def _wait_for(inbox: Inbox, above: int, message_id: str, clock: Clock) -> Fetched | None:
    """Our mail as the server received it; None where it does not come."""
    ends = clock.now() + ARRIVES_WITHIN
    while clock.now() < ends:
        for uid in inbox.uids(above):
            mail = inbox.fetch_head(uid, 16_384)
            if mail and message_id.encode() in mail.raw:
                return mail
        inbox.wait(LOOK_EVERY)
    return None


def _letter(mailbox: MailboxSetup, administrator: Address, message_id: str, now: datetime) -> bytes:
    text = (
        f"mailflow doctor tried whether {mailbox.address} can send, and this is the mail.\n"
        "Nothing needs to be done. Does the sender's name above read “mailflow doctor”?\n"
    )
    words = Rendered(subject="mailflow doctor: a test", text=text, html=f"<!DOCTYPE html><p>{text}</p>")
    sender = Address(name="mailflow doctor", address=mailbox.address)
    envelope = Envelope(sender=sender, recipient=administrator, reply_to=sender, message_id=message_id, date=now)
    return compose(envelope, words)
