"""What follows when a letter has left, or cannot: who was told, which promise is kept, who must know."""

from datetime import datetime

from mailflow.domain import tokens
from mailflow.domain.incident import Affected, Entry, Incident, PromiseKind, PromiseState, Told
from mailflow.domain.letters import JSON, UNSETTLED, Letter, LetterKind, LetterState
from mailflow.domain.lifecycle import Happening, advance
from mailflow.domain.people import Address, Wants
from mailflow.engine.case import open_case
from mailflow.engine.drafts import Drafts
from mailflow.engine.post import Post
from mailflow.engine.setup import Setup
from mailflow.engine.store import Store
from mailflow.engine.tasks import Tasks


class Aftermath:
    """The consequences of a letter's fate. Called in the transaction that writes the fate."""

    def __init__(self, store: Store, setup: Setup, post: Post) -> None:
        self._store, self._setup, self._post = store, setup, post
        self._tasks = Tasks(store, setup, post)
        self._drafts = Drafts(store, setup, post)

    def sent(self, letter: Letter, now: datetime) -> None:
        """The letter is with its recipient's server."""
        self._cut_tag(letter, now)
        if letter.incident_id is None:
            return
        person = letter.recipient.name or letter.recipient.address
        self._entry(letter, f"{letter.kind} sent", person, letter.subject, now)
        if not letter.kind.to_client or letter.affected_id is None:
            return
        if not self._withheld(letter):
            self._store.records.told(
                Told(
                    affected_id=letter.affected_id,
                    address=letter.recipient.address,
                    name=letter.recipient.name,
                    kind=letter.kind,
                    at=now,
                )
            )
        affected = self._store.records.affected(letter.affected_id)
        self._store.promises.settle(affected.id, PromiseKind.ACKNOWLEDGEMENT, PromiseState.KEPT, now)
        if letter.kind is LetterKind.UPDATE:
            self._updated(letter, now)
        if letter.kind is LetterKind.DEBRIEF:
            self._debriefed(letter, now)

    def failed(self, letter: Letter, said: str, now: datetime) -> None:
        """The letter cannot be delivered: the duty to inform reopens (N.9)."""
        self._entry(letter, f"{letter.kind} failed", letter.recipient.address, said, now)
        if letter.kind.to_client or letter.recipient.address != self._setup.administrator.address:
            self.warn("failed", letter, said, now)
        if letter.affected_id is not None:
            self._store.records.untold(letter.affected_id, letter.recipient.address, letter.kind)
        if letter.kind is LetterKind.ACKNOWLEDGEMENT and letter.affected_id is not None:
            self._next_contact(letter, now)
        if letter.kind is LetterKind.DEBRIEF and letter.affected_id is not None:
            letters = self._of_same_client(letter)
            arrived = next((other for other in letters if other.state is LetterState.SENT), None)
            if arrived:  # somebody of theirs has it, and the liaison knows who has not
                self._debriefed(arrived, now)
            elif letter.state is LetterState.SENT:  # it had left, and came back
                self._store.records.unsettle(letter.affected_id, PromiseKind.DEBRIEF)

    def _next_contact(self, letter: Letter, now: datetime) -> None:
        """Nobody of the client's was told: the next of its contacts who has letters at all is, by itself only where
        the first one was (N.9)."""
        assert letter.affected_id is not None
        affected = self._store.records.affected(letter.affected_id)
        incident = self._store.records.incident(affected.incident_id)
        client = self._setup.directory.client(affected.client_key)
        theirs = [
            x
            for x in self._store.outbox.letters(incident_id=incident.id, limit=1_000)
            if x.kind is LetterKind.ACKNOWLEDGEMENT and x.client_key == affected.client_key
        ]
        if any(x.state in UNSETTLED | {LetterState.SENT} for x in theirs if x.id != letter.id):
            return  # another of theirs has it, or is about to
        tried = {x.recipient.address for x in theirs}
        left = [c for c in client.contacts if c.wants is not Wants.NOTHING and c.address not in tried] if client else []
        if not left or incident.ended_at is not None:
            return
        contact = left[0]
        facts = {**letter.facts, "first_name": contact.first_name, "name": contact.name}
        again = self._post.client_letter(
            LetterKind.ACKNOWLEDGEMENT,
            incident,
            affected,
            contact,
            facts,
            key=f"{incident.reference}:{contact.address}",
            now=now,
            due_at=now + self._setup.policy.rest,
        )
        if letter.approved:
            came_back: JSON = ["next_ready", {"names": letter.recipient.name or letter.recipient.address}]
            case = open_case(self._store, self._setup, incident, affected)
            self._drafts.offer(case, [again], now, remarks=[came_back])
        elif put := self._post.put_automatic(again, incident.started_at, now):
            names = letter.recipient.name or letter.recipient.address
            values: dict[str, JSON] = {"names": names, "next_name": contact.name, "due_at": put.due_at.isoformat()}
            self._post.notice(
                ["failed", values],
                [["next_contact", values]],
                affected.liaison,
                key=f"next:{letter.id}",
                now=now,
                incident=incident,
                affected=affected,
            )

    def warn(self, what: str, letter: Letter, said: str, now: datetime) -> None:
        """Tell the liaison (the administrator, for a letter to one of ours) what became of a letter."""
        names = letter.recipient.name or letter.recipient.address
        values: dict[str, JSON] = {
            "names": names,
            "said": said,
            "letter": letter.id,
            "due_at": letter.due_at.isoformat(),
        }
        affected = self._store.records.affected(letter.affected_id) if letter.affected_id else None
        incident = self._store.records.incident(letter.incident_id) if letter.incident_id else None
        recipient: Address = affected.liaison if affected and letter.kind.to_client else self._setup.administrator
        once = f"{letter.id}:{(letter.started_at or letter.due_at).isoformat()}"
        if what == "capped":  # a storm holds hundreds of letters: one warning an hour is enough
            once = f"{recipient.address}:{now:%Y-%m-%dT%H}"
        self._post.notice(
            [what, values],
            [[what, values]],
            recipient,
            key=f"{what}:{once}",
            now=now,
            incident=incident,
            affected=affected,
            mailbox=letter.mailbox,
            about=letter.id,
        )

    def page_capped(self, letter: Letter, cap: str, now: datetime) -> None:
        """One page an hour: our own people get so much mail that the rest waits."""
        values: dict[str, JSON] = {"names": letter.recipient.name or letter.recipient.address, "said": cap}
        self._post.notice(
            ["capped_staff", values],
            [["capped_staff", values]],
            self._setup.administrator,
            key=f"capped:{letter.recipient.address}:{now:%Y-%m-%dT%H}",
            now=now,
            mailbox=letter.mailbox,
        )

    def settle(self, affected: Affected, why: str, promise: PromiseState, now: datetime) -> None:
        """A client has its debrief, or is owed none; the incident closes with its last client."""
        self._store.records.settle(affected.id, why, now)
        self._store.promises.settle(affected.id, PromiseKind.DEBRIEF, promise, now)
        self._store.promises.settle(affected.id, PromiseKind.UPDATE, promise, now)
        for kind in (PromiseKind.ACKNOWLEDGEMENT, PromiseKind.CALL):
            self._store.promises.settle(affected.id, kind, PromiseState.RELEASED, now)
        if promise is PromiseState.KEPT:
            self._tasks.review(affected, now)
        if all(a.settled_at for a in self._store.records.affected_of(affected.incident_id)):
            self.close(self._store.records.incident(affected.incident_id), why, now)

    def close(self, incident: Incident, why: str, now: datetime) -> None:
        """The incident is closed, and the timeline says why."""
        if not incident.running:
            return
        state = advance(incident.state, Happening.SETTLED)
        self._store.records.set_state(incident.id, state, ended_at=incident.ended_at, closed_at=now, why=why)
        self._store.signals.end_all(incident.id, incident.ended_at or now)
        self._store.records.note(incident.id, Entry(at=now, what="closed", author="mailflow", text=why))

    def _updated(self, letter: Letter, now: datetime) -> None:
        """The word in between has left: what it promises next is owed, and no debrief is due before it (N.4).

        The first letter of a draft does it, for all contacts of the client. Where it says that somebody is waited for,
        the debrief's time stands still from here on.
        """
        affected = self._store.records.affected(letter.affected_id or 0)
        what = f"draft {letter.draft_id}"
        made = self._store.promises.of(affected.incident_id)
        if any((p.affected_id, p.kind, p.what) == (affected.id, PromiseKind.UPDATE, what) for p in made):
            return
        self._store.promises.settle(affected.id, PromiseKind.UPDATE, PromiseState.KEPT, now)
        promise = self._store.promises.find(affected.id, PromiseKind.DEBRIEF)
        debrief = promise if promise and promise.state is PromiseState.OPEN else None
        whom = str(letter.facts.get("waits_for") or "")
        if debrief and whom:
            self._store.promises.wait(debrief.id, whom, debrief.waits_since or now)
        if debrief is None or not letter.facts.get("next_by"):
            return
        next_by = datetime.fromisoformat(str(letter.facts["next_by"]))
        waits = bool(whom or debrief.waits_since)
        if not waits and debrief.due_at < next_by:
            self._store.promises.postpone(affected.id, PromiseKind.DEBRIEF, next_by)
        elif waits or debrief.due_at > next_by:
            self._store.promises.make(affected, PromiseKind.UPDATE, next_by, now, what=what)

    def _debriefed(self, letter: Letter, now: datetime) -> None:
        """When the last letter of the draft has left, the promise is kept and the liaison is told once."""
        assert letter.affected_id is not None
        letters = self._of_same_client(letter)
        if any(other.state in UNSETTLED for other in letters if other.id != letter.id):
            return
        affected = self._store.records.affected(letter.affected_id)
        incident = self._store.records.incident(affected.incident_id)
        withheld = self._withheld(letter)
        if affected.settled_at is None:
            self.settle(affected, "debrief sent", PromiseState.KEPT, now)
        everybody = self._store.outbox.of_draft(letter.draft_id)
        if any(other.state in UNSETTLED for other in everybody if other.id != letter.id):
            return
        first = [str(other.facts.get("first_name", "")) for other in everybody if other.state is LetterState.SENT]
        said: dict[str, JSON] = {"names": " and ".join(first), "sent_at": now.isoformat()}
        if not withheld:  # a withheld letter is itself in the liaison's mailbox
            self._post.notice(
                ["sent", said],
                [["sent", said], *self._tasks.reviews(incident)],
                affected.liaison,
                key=f"sent:{letter.draft_id}",
                now=now,
                incident=incident,
                affected=affected,
            )

    def _of_same_client(self, letter: Letter) -> list[Letter]:
        """The letters of the same draft to the same client; a storm's draft is of many."""
        return [x for x in self._store.outbox.of_draft(letter.draft_id) if x.affected_id == letter.affected_id]

    def release_promises(self, incident: Incident, now: datetime) -> None:
        """What was never promised to anybody is not owed."""
        for affected in self._store.records.affected_of(incident.id):
            for kind in (PromiseKind.ACKNOWLEDGEMENT, PromiseKind.DEBRIEF, PromiseKind.CALL):
                self._store.promises.settle(affected.id, kind, PromiseState.RELEASED, now)

    def _cut_tag(self, letter: Letter, now: datetime) -> None:
        """The kept copy must not be able to speak for its recipient."""
        if not letter.frozen:
            return
        raw = self._store.mailroom.content(letter.frozen)
        cut = self._store.mailroom.replace_content(letter.frozen, tokens.redact(raw), now)
        self._store.outbox.freeze(
            letter.id,
            frozen=cut,
            message_id=letter.message_id,
            subject=letter.subject,
            recipient=letter.recipient,
        )

    def _withheld(self, letter: Letter) -> bool:
        """Whether a client letter went to one of ours instead (live = off)."""
        return self._setup.directory.staff_at(letter.recipient.address) is not None

    def _entry(self, letter: Letter, what: str, author: str, text: str, now: datetime) -> None:
        if letter.incident_id is not None:
            entry = Entry(at=now, what=what, author=author, text=text, letter_id=letter.id)
            self._store.records.note(letter.incident_id, entry)
