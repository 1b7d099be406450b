"""Deciding once more over a mail that was kept: after a liaison said whose it is, or when a window has ended."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from mailflow.domain.decide import decide
from mailflow.domain.decisions import Decision, Situation
from mailflow.domain.form import Answers
from mailflow.domain.mail import Reading
from mailflow.domain.people import Client
from mailflow.domain.vocabulary import Kind
from mailflow.engine.mailroom import Inbound, Verdict
from mailflow.engine.setup import Setup
from mailflow.engine.signals import Pending
from mailflow.engine.situation import fetch_situation
from mailflow.engine.spoken import read_kept
from mailflow.engine.store import Store

# Carries a decision out: what the mail turned out to be, and its incident (engine.record).
Record = Callable[[Decision, Inbound, Reading, Situation, datetime], tuple[Kind, int | None]]


class Replay:
    """The use case; called in the transaction of whatever ended the wait."""

    def __init__(self, store: Store, setup: Setup, record: Record) -> None:
        self._store, self._setup, self._record = store, setup, record

    def reading(self, inbound_id: int, now: datetime) -> Reading | None:
        """What a kept mail says; None where its bytes are forgotten."""
        inbound = self._store.mailroom.inbound(inbound_id)
        try:
            return read_kept(self._store, self._setup, inbound.hash, now) if inbound else None
        except KeyError:
            return None

    def decide_again(self, pending: Pending, now: datetime, placed: Client | None = None) -> int | None:
        """Decide over what waits as if it came now, and wait no more; the incident it went into."""
        inbound = self._store.mailroom.inbound(pending.inbound_id)
        whole = self.reading(pending.inbound_id, now)
        if inbound is None or whole is None:
            self._store.waiting.done(pending.id, "bytes forgotten", now)
            return None
        # First, since what is decided may be to wait once more: another window may have begun.
        self._store.waiting.done(pending.id, "decided again", now)
        incident_id: int | None = None
        made: list[tuple[str, str, int | None]] = []
        kind = whole.kind
        events = [event for event in whole.events if event.key == pending.event_key]
        for reading in [replace(whole, events=(event,)) for event in events] or [replace(whole, events=())]:
            mailbox = self._setup.mailbox(inbound.mailbox)
            fetched = fetch_situation(self._store, self._setup, mailbox, inbound, reading, now, placed)
            # A stranger placed by hand is known, not vouched for: nothing goes to that address that nobody has seen.
            vouched = False if placed and not reading.events else fetched.authenticated
            situation = replace(fetched, duplicate_of=None, authenticated=vouched)
            for decision in decide(reading, Answers(values={}), situation, now, self._setup.policy):
                kind, about = self._record(decision, inbound, reading, situation, now)
                incident_id = incident_id or about
                made.append((type(decision).__name__, decision.reason, about))
        self._store.waiting.done(pending.id, made[0][1] if made else "nothing", now)
        self._store.mailroom.conclude(
            inbound.id,
            Verdict(
                state="processed",
                kind=kind,
                reason=made[0][1] if made else "nothing",
                identity=whole.identity,
                message_id=whole.message_id or "",
                author=inbound.author,
                subject=whole.subject,
                incident_id=incident_id,
                decisions=tuple(made),
            ),
            now,
        )
        return incident_id
