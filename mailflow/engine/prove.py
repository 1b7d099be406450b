"""Looking for proof that a letter whose fate is unknown was taken: a copy in the provider's Sent folder."""

import structlog

from mailflow.domain.lifecycle import Dispatch, dispatch
from mailflow.engine.aftermath import Aftermath
from mailflow.engine.clock import Clock
from mailflow.engine.inbox import Inbox
from mailflow.engine.post import Post
from mailflow.engine.setup import MailboxSetup, Setup
from mailflow.engine.store import Store

log = structlog.get_logger()


def prove(store: Store, setup: Setup, inbox: Inbox, mailbox: MailboxSetup, clock: Clock) -> None:
    """Settle unknown letters by the Sent folder. With proof = "copy" the copy's arrival settles them instead."""
    if mailbox.proof != "sent":
        return
    unknown = store.outbox.unknown(mailbox.address)
    folder = inbox.sent_folder() if unknown else None
    for letter in unknown if folder else ():
        assert folder is not None
        if not inbox.find_message_id(folder, letter.message_id):
            continue
        now = clock.now()
        with store.transaction():
            state = dispatch(letter.state, Dispatch.ACCEPT)
            if not store.outbox.move(letter.id, state, was=letter.state, reason="found-in-sent", now=now):
                continue  # while we searched, its copy came, or somebody said what became of it
            Aftermath(store, setup, Post(store, setup)).sent(letter, now)
        log.info("letter proved", ref=letter.facts.get("reference") or "-", kind=letter.kind, found=folder)
