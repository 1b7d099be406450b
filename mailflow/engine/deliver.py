"""The outbox's way out: lease, gate, freeze, send, record.

`data_started` is committed before DATA, with the frozen bytes: whatever kills the process later, the letter is known
to be sent, known not to be, or known to be unknown; it is never sent twice by guessing.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from mailflow.domain import tokens
from mailflow.domain.letters import Gate, Letter, LetterKind, LetterState, passage
from mailflow.domain.lifecycle import Dispatch, dispatch
from mailflow.domain.people import Address
from mailflow.domain.vocabulary import Live
from mailflow.engine.aftermath import Aftermath
from mailflow.engine.brake import HELD_BY_PAUSE, Brake
from mailflow.engine.caps import tripped
from mailflow.engine.clock import Clock
from mailflow.engine.courier import Courier, Delivery, Outcome
from mailflow.engine.freeze import Freezer, Ready
from mailflow.engine.post import Post, address_of
from mailflow.engine.setup import Setup
from mailflow.engine.store import Store
from mailflow.writing.compose import HeaderError
from mailflow.writing.render import TemplateError

log = structlog.get_logger()

BATCH = 10  # letters leased at once: a crash strands no more than these
LEASE = timedelta(minutes=15)  # longer than the longest SMTP conversation: ten minutes for the final dot
# After each failed try; then every hour (RFC 5321 4.5.4.1 asks for 30 minutes at least, but only of servers).
RETRY_MINUTES = (1, 5, 15, 30, 60)
TOLD_AT_TRY = 3  # when 15 minutes are to be waited, the liaison hears of it
GIVE_UP = timedelta(days=4)  # RFC 5321 4.5.4.1: four to five days
CAPPED_WAIT = timedelta(hours=1)  # of a letter to one of ours that would be one too many this hour
JITTER = 0.1  # of the wait, so that letters which failed together do not come back together


class AccountError(Exception):
    """The mailbox's account cannot send now: pause it, keep the letters."""


class LostLeaseError(Exception):
    """A batch behind a slow server outlived its lease: whoever holds the letter now sends it."""


class Dispatcher:
    """Sends one mailbox's due letters. One for each reading of the configuration."""

    def __init__(self, store: Store, setup: Setup, clock: Clock, owner: str) -> None:
        self._store, self._setup, self._clock, self._owner = store, setup, clock, owner
        self._aftermath = Aftermath(store, setup, Post(store, setup))
        self._brake = Brake(store)
        self._freezer = Freezer(store, setup)

    def recover(self, *, all_owners: bool) -> None:
        """Settle what was left behind: leased letters wait again, started ones are unknown.

        Between two flushes our own are such letters too: the store failed while they were on their way.
        """
        now = self._clock.now()
        with self._store.transaction():
            for letter in self._store.outbox.stranded(now, self._owner, all_owners=all_owners):
                step = Dispatch.LOSE if letter.state is LetterState.STARTED else Dispatch.DEFER
                self._move(letter, step, "left-behind", now)
            if adopted := self._store.outbox.adopt([m.address for m in self._setup.mailboxes]):
                log.warning("letters of a mailbox that is gone leave by another", letters=adopted)

    def flush(self, courier: Courier, mailbox: str, going_on: Callable[[], bool] = lambda: True) -> int:
        """Send what is due; how many letters left. AccountError where the account cannot send.

        `going_on` is asked before each letter; once it says no, the others are given back.
        """
        sent = 0
        while going_on():
            now = self._clock.now()
            with self._store.transaction():
                leased = self._store.outbox.lease(mailbox, now, BATCH, self._owner, now + LEASE)
            if not leased:
                break
            for place, letter in enumerate(leased):
                if not going_on():
                    self._give_back(leased[place:], "stopped")
                    break
                try:
                    sent += self._deliver(letter, courier)
                except AccountError:
                    self._give_back(leased[place + 1 :], "account")
                    raise
        return sent

    def _deliver(self, letter: Letter, courier: Courier) -> int:
        """One letter; 1 where it left."""
        now = self._clock.now()
        with self._store.transaction():
            ready = self._prepare(letter, now)
        if ready is None:
            return 0
        mailbox = self._setup.mailbox(letter.mailbox)
        local, _, domain = mailbox.address.partition("@")
        recipients = [ready.recipient.address]
        if mailbox.proof == "copy":
            recipients.append(f"{local}+copy@{domain}" if mailbox.plus_addressing else mailbox.address)
        tag = tokens.tag_of(ready.message_id)
        sender = f"{local}+{tag}@{domain}" if mailbox.plus_addressing else mailbox.address
        try:
            delivery = courier.send(sender, recipients, ready.raw, lambda: self._started(ready))
        except LostLeaseError as lost:
            log.warning("letter left to another sender", kind=letter.kind, said=str(lost))
            return 0
        self._finish(ready, delivery)
        log.info(
            f"letter {delivery.outcome}",
            ref=letter.facts.get("reference") or "-",
            kind=letter.kind,
            to=ready.recipient.address,
            said=delivery.said,
        )
        if delivery.outcome is Outcome.ACCOUNT:
            raise AccountError(delivery.said)
        return int(delivery.outcome is Outcome.SENT)

    # --- before ---

    def _prepare(self, letter: Letter, now: datetime) -> Ready | None:
        """The letter's exact bytes; None where it is held or dropped instead."""
        if letter.unless_over and self._over(letter):
            self._drop(letter, "over-before-it-left", now)
            return None
        word = passage(letter, self._live(letter), paused=letter.kind.to_client and self._brake.paused())
        if word.gate is Gate.HOLD:
            self._hold(letter, HELD_BY_PAUSE if word.reason == "paused" else word.reason, now)
            if word.reason == "live-review":
                self._aftermath.warn("held_review", letter, word.reason, now)
            return None
        if letter.not_after and now > letter.not_after and not letter.approved:
            self._hold(letter, "stale", now)
            self._aftermath.warn("stale", letter, "stale", now)
            return None
        if cap := tripped(self._store, self._setup.policy.caps, letter, now):
            self._cap(letter, cap, now)
            return None
        withheld = self._liaison(letter) if word.gate is Gate.TO_LIAISON else None
        try:
            return self._freezer.freeze(letter, withheld, now)
        except (TemplateError, HeaderError) as error:
            log.error("letter cannot be written", kind=letter.kind, said=str(error))
            self._hold(letter, "template", now)
            self._aftermath.warn("template", letter, str(error), now)
            return None

    def _live(self, letter: Letter) -> Live:
        """How far the letters of its client may go; none of a client that is gone leaves without an incident."""
        if letter.affected_id:
            return self._setup.live(self._store.records.affected(letter.affected_id))
        client = self._setup.directory.client(letter.client_key)
        return self._setup.live_of(client) if client else Live.OFF

    def _liaison(self, letter: Letter) -> Address:
        """Who has a client letter in the client's place."""
        if letter.affected_id:
            affected = self._store.records.affected(letter.affected_id)
            return self._setup.present(affected.liaison, affected.client_key)
        client = self._setup.directory.client(letter.client_key)
        return address_of(self._setup.liaison_of(client) if client else self._setup.on_duty)

    def _over(self, letter: Letter) -> bool:
        """Whether the outage is over and nobody was told: then there is nothing to tell."""
        if letter.incident_id is None:
            return False
        incident = self._store.records.incident(letter.incident_id)
        return incident.ended_at is not None and not self._store.records.audience(letter.incident_id)

    # --- after ---

    def _started(self, ready: Ready) -> None:
        """Committed before DATA: from here on the letter's fate may be unknown, never forgotten."""
        now = self._clock.now()
        letter = ready.letter
        with self._store.transaction():
            if not self._store.outbox.leased_by(letter.id, self._owner):
                raise LostLeaseError(f"letter {letter.id} was taken over by another sender")
            frozen = self._store.mailroom.put_content(ready.raw, now)
            self._store.outbox.freeze(
                letter.id,
                frozen=frozen,
                message_id=ready.message_id,
                subject=ready.subject,
                recipient=ready.recipient,
            )
            if ready.form and letter.affected_id:
                self._store.desk.add_form(letter.affected_id, ready.form, letter.id, now)
            self._move(letter, Dispatch.START, "", now)

    def _finish(self, ready: Ready, delivery: Delivery) -> None:
        """Write what became of the try."""
        now = self._clock.now()
        with self._store.transaction():
            letter = self._store.outbox.letter(ready.letter.id)
            if letter.state in {LetterState.SENT, LetterState.FAILED}:
                return  # its copy, perhaps its bounce too, came back before the answer did
            if letter.state not in {LetterState.LEASED, LetterState.STARTED} and delivery.outcome is not Outcome.SENT:
                return  # our lease ran out meanwhile, and the letter is another's or a person's to settle
            match delivery.outcome:
                case Outcome.SENT:
                    state = dispatch(letter.state, Dispatch.ACCEPT)
                    if self._store.outbox.move(letter.id, state, was=letter.state, said=delivery.said, now=now):
                        self._aftermath.sent(letter, now)
                case Outcome.UNKNOWN:
                    self._move(letter, Dispatch.LOSE, "no-answer-after-the-dot", now, said=delivery.said)
                case Outcome.FAILED:
                    self._fail(letter, delivery.said, now)
                case Outcome.ACCOUNT:
                    self._move(letter, Dispatch.DEFER, "account", now, said=delivery.said)
                case Outcome.RETRY if now - letter.created_at > GIVE_UP:
                    self._fail(letter, delivery.said, now)
                case Outcome.RETRY:
                    due = now + retry_after(letter.tries, letter.id)
                    self._move(letter, Dispatch.DEFER, "retry", now, said=delivery.said, due_at=due, tried=True)
                    if letter.tries + 1 == TOLD_AT_TRY and letter.kind.to_client:
                        self._aftermath.warn("slow", letter, delivery.said, now)

    def _fail(self, letter: Letter, said: str, now: datetime) -> None:
        self._move(letter, Dispatch.REJECT, "refused", now, said=said)
        self._aftermath.failed(letter, said, now)

    def _give_back(self, letters: list[Letter], reason: str) -> None:
        now = self._clock.now()
        with self._store.transaction():
            for letter in letters:
                self._move(letter, Dispatch.DEFER, reason, now)

    def _drop(self, letter: Letter, reason: str, now: datetime) -> None:
        """A preview that is dropped takes with it what it would have shown."""
        self._move(letter, Dispatch.DROP, reason, now)
        if letter.kind is LetterKind.PREVIEW:
            for held in self._store.outbox.of_draft(letter.draft_id):
                if held.state is LetterState.HELD:
                    self._move(held, Dispatch.DROP, reason, now)

    def _cap(self, letter: Letter, cap: str, now: datetime) -> None:
        """A client letter is held until somebody looks; a letter to one of ours only comes later."""
        if letter.kind.to_client:
            self._hold(letter, cap, now)
            self._aftermath.warn("capped", letter, cap, now)
        else:
            self._move(letter, Dispatch.DEFER, cap, now, due_at=now + CAPPED_WAIT)
            self._aftermath.page_capped(letter, cap, now)

    def _hold(self, letter: Letter, reason: str, now: datetime) -> None:
        self._move(letter, Dispatch.HOLD, reason, now)
        log.info("letter held", ref=letter.facts.get("reference") or "-", kind=letter.kind, why=reason)

    def _move(
        self,
        letter: Letter,
        step: Dispatch,
        reason: str,
        now: datetime,
        *,
        said: str = "",
        due_at: datetime | None = None,
        tried: bool = False,
    ) -> None:
        state = dispatch(letter.state, step)
        self._store.outbox.move(letter.id, state, reason=reason, said=said, due_at=due_at, now=now, tried=tried)


def retry_after(tries: int, letter_id: int) -> timedelta:
    """How long to wait after `tries` failed tries before this one; the jitter is the letter's own, not chance's."""
    minutes = RETRY_MINUTES[min(tries, len(RETRY_MINUTES) - 1)]
    share = (letter_id * 7919 % 1000) / 1000  # spread evenly over [0, 1)
    return timedelta(minutes=minutes * (1 + JITTER * (2 * share - 1)))
