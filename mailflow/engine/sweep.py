"""What time alone brings: forms that are due, letters nobody can vouch for, digests, and things that may be forgotten.

Everything due is a row; the sweep only looks. A missed tick, or a week without any, changes nothing but the hour.
"""

from datetime import datetime, timedelta

import structlog

from mailflow.domain.clocks import AGAIN
from mailflow.domain.correlation import UNTOLD
from mailflow.domain.expected import due
from mailflow.domain.incident import Affected, Incident
from mailflow.domain.letters import LetterKind, LetterState
from mailflow.engine.aftermath import Aftermath
from mailflow.engine.asking import Asking
from mailflow.engine.case import open_case
from mailflow.engine.clock import Clock
from mailflow.engine.digests import Digests
from mailflow.engine.drafts import Drafts
from mailflow.engine.mailroom import LostMailboxError
from mailflow.engine.monthly import Monthly
from mailflow.engine.post import Post
from mailflow.engine.presence import Presence
from mailflow.engine.record import Recorder
from mailflow.engine.reminders import Reminders
from mailflow.engine.setup import Setup
from mailflow.engine.store import Store, StoreError

log = structlog.get_logger()

PROOF_WITHIN = timedelta(minutes=15)  # after that somebody has to look into the Sent folder
WEEK = timedelta(days=7)
# A recovery may overtake its problem by a night in a mail queue; after that nothing of it is to come.
ORPHANS_KEPT = timedelta(days=2)
MANY = 1_000


class Sweep:
    """One look at everything that may be due. One for each reading of the configuration."""

    def __init__(self, store: Store, setup: Setup, clock: Clock) -> None:
        self._store, self._setup, self._clock = store, setup, clock
        post = Post(store, setup)
        self._post = post
        self._asking = Asking(store, setup, post)
        self._presence = Presence(store, setup, post)
        self._reminders = Reminders(store, setup, post, self._presence)
        self._digests = Digests(store, setup, post)
        self._drafts = Drafts(store, setup, post)
        self._monthly = Monthly(store, setup, post, self._drafts)
        self._aftermath = Aftermath(store, setup, post)
        self._recorder = Recorder(store, setup)

    def tick(self) -> None:
        """Each in a transaction of its own, so that one fault does not stop the others' clocks."""
        now = self._clock.now()
        for look in (
            self._waited,
            self._expected,
            self._never_told,
            self._forms,
            self._known_now,
            self._unproven,
            self._absences,
            self._reminders.tick,
            self._reminders.silent,
            self._digests.tick,
            self._monthly.tick,
            self._forget,
        ):
            try:
                with self._store.transaction():
                    self._store.control.take_turn("sweep")  # else two would find, and tell of, the same due row
                    look(now)
            except (StoreError, LostMailboxError):
                raise
            except Exception as error:
                log.exception("look failed", look=look.__name__)
                with self._store.transaction():
                    self._recorder.page_look(look.__qualname__, f"{type(error).__name__}: {error}", now)

    def _waited(self, now: datetime) -> None:
        """What was muted and is still on when its window ends counts as new; recoveries of nothing are forgotten."""
        for pending in self._store.waiting.due(now):
            try:
                with self._store.transaction():
                    self._recorder.replay.decide_again(pending, now)
            except (StoreError, LostMailboxError):
                raise
            except Exception:
                # Its savepoint is undone. The mail is set aside with its bytes, and the others' windows end.
                log.exception("muted mail failed", mail=pending.inbound_id)
                inbound = self._store.mailroom.inbound(pending.inbound_id)
                self._store.waiting.done(pending.id, "failed", now)
                self._store.mailroom.quarantine(pending.inbound_id, "failed when its window ended", now)
                if inbound:
                    self._recorder.page_quarantined(inbound.id, "failed when its window ended", inbound.mailbox, now)
        self._store.signals.forget_waiting(now - ORPHANS_KEPT)

    def _expected(self, now: datetime) -> None:
        """A success that was expected and did not come is trouble (N.12)."""
        for expected in self._setup.expected:
            since, last = self._store.signals.expect(f"{expected.client}/{expected.name}", now)
            if missed := due(expected, last, now, since):
                self._recorder.alerts.missing(missed, self._setup.mailboxes[0].address, now)

    def _forms(self, now: datetime) -> None:
        """The form goes out when service is back for a while, or the debrief comes near."""
        policy = self._setup.policy
        ended_before, due_before = now - policy.form_after, now + policy.form_before_due
        for incident, affected in self._store.records.awaiting_form(ended_before, due_before):
            if self._asking.ask(incident, affected, now, again=self._came_back(incident, affected)):
                log.info("form asked", ref=incident.reference, of=affected.liaison.address)

    def _came_back(self, incident: Incident, affected: Affected) -> str:
        """How often the trouble came back, where a form was sent before: the next one is another letter."""
        if not self._store.outbox.asked(affected.id):
            return ""
        return str(sum(1 for entry in self._store.records.timeline(incident.id) if entry.what in AGAIN))

    def _known_now(self, now: datetime) -> None:
        """A client was told "not known yet": before the next word is due, the liaison is asked once more (S1.14)."""
        writer = self._setup.writer
        words = [word for code in writer.languages for word in writer.words(code).at("form.unknown")]
        for owed in self._store.promises.unknown(now + self._setup.policy.form_before_due, words):
            case = open_case(self._store, self._setup, owed.incident, owed.affected)
            self._asking.ask_what_was_unknown(case, owed.promise, now)

    def _never_told(self, now: datetime) -> None:
        """A blip of which nobody was told closes by itself: there is nobody to debrief (S3.1)."""
        for incident in self._store.records.never_told():
            for affected in self._store.records.affected_of(incident.id):
                self._store.records.settle(affected.id, UNTOLD, now)
                self._say_untold(incident, affected, now)
            self._aftermath.release_promises(incident, now)
            self._aftermath.close(incident, UNTOLD, now)
            log.info("incident closed", ref=incident.reference, why="over before anybody was told")

    def _say_untold(self, incident: Incident, affected: Affected, now: datetime) -> None:
        """The liaison who was told that a letter would go hears that none did."""
        letters = self._store.outbox.letters(incident_id=incident.id, states=[LetterState.SENT], limit=MANY)
        if not any(letter.kind is LetterKind.OPENED for letter in letters) or incident.ended_at is None:
            return
        if not any(p.affected_id == affected.id for p in self._store.promises.of(incident.id)):
            return  # nothing was going to be sent
        self._post.notice(
            ["over_untold", {}],
            [["over_untold", {"ended_at": incident.ended_at.isoformat()}]],
            affected.liaison,
            key=f"untold:{affected.id}",
            now=now,
            incident=incident,
            affected=affected,
        )

    def _unproven(self, now: datetime) -> None:
        """Letters that nobody can vouch for: a person is asked, SENT or RESEND."""
        for mailbox in self._setup.mailboxes:
            for letter in self._store.outbox.unknown(mailbox.address):
                if letter.kind is LetterKind.NOTICE and letter.recipient.address == self._setup.administrator.address:
                    continue  # a warning about a lost warning is lost the same way, and so on for ever
                if letter.started_at and now - letter.started_at >= PROOF_WITHIN:
                    self._aftermath.warn("unproven", letter, letter.said, now)

    def _absences(self, now: datetime) -> None:
        """Who stands in has what waited for the SEND of who is away."""
        moved = self._presence.tick(now)
        for staff in set(moved.values()):
            self._drafts.sign({affected_id for affected_id, stands in moved.items() if stands == staff}, staff, now)

    def _forget(self, now: datetime) -> None:
        """Bytes older than the configured days, once a day; never those of a running incident."""
        today = now.date().isoformat()
        if self._store.control.get("forgot_on") == today:
            return
        forgotten = self._store.mailroom.forget_content(now - timedelta(days=self._setup.keep_raw_days))
        self._store.control.set("forgot_on", today)
        if forgotten:
            log.info("old mail forgotten", contents=forgotten)
