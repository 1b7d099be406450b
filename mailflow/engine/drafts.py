"""The draft: rendered once for each recipient, shown word for word, and released by a SEND to exactly that text."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from mailflow.domain.decisions import RefuseSend, Release
from mailflow.domain.incident import Entry
from mailflow.domain.letters import JSON, Draft, DraftState, Letter, LetterKind, LetterState, NewLetter, written
from mailflow.domain.lifecycle import Dispatch, dispatch
from mailflow.domain.people import Contact, Role, Staff
from mailflow.domain.worktime import due_within
from mailflow.engine.brake import Brake
from mailflow.engine.case import Case, open_case
from mailflow.engine.gate import objections
from mailflow.engine.post import Post, drop, withdraw
from mailflow.engine.previews import Previews
from mailflow.engine.setup import Setup
from mailflow.engine.store import Store
from mailflow.writing.lint import Objection
from mailflow.writing.render import Rendered, TemplateError

log = structlog.get_logger()

# Of a letter in one of these it may be said that it was sent: it is on its way, or there.
LEFT = {LetterState.WAITING, LetterState.LEASED, LetterState.STARTED, LetterState.UNKNOWN, LetterState.SENT}


class Drafts:
    """Offering, releasing and refusing (N.6)."""

    def __init__(self, store: Store, setup: Setup, post: Post) -> None:
        self._store, self._setup, self._post = store, setup, post
        self.previews = Previews(store, setup, post)

    def offer(
        self,
        case: Case,
        letters: Sequence[NewLetter],
        now: datetime,
        *,
        remarks: list[JSON],
        problem: JSON = None,
        notes: str = "",
        cause: int = 0,
        about: int = 0,
        settle: timedelta = timedelta(),
        by: Staff | None = None,
    ) -> None:
        """Render the letters, hold them, and show them to the liaison, or to the manager `by` whose word it came;
        an older draft is superseded."""
        affected_id = case.affected.id
        try:
            rendered = [self.render(letter, now) for letter in letters]
        except TemplateError as error:
            self._unwritten(case, str(error), cause, now)
            return
        draft = Draft(
            affected_id=affected_id,
            version=self._store.desk.next_version(affected_id),
            kind=letters[0].kind if letters else LetterKind.DEBRIEF,
            about=about,
        )
        self._withdraw(draft, {affected_id, *(x.affected_id for x in letters if x.affected_id)}, now)
        draft, advised, blocked = self.hold(draft, letters, rendered, now)
        reader = by.mail_address if by and by.role is Role.MANAGER else None
        self.previews.show(
            case, draft, [*remarks, *advised], problem, notes, cause, now, settle=settle, blocked=blocked, reader=reader
        )

    def hold(
        self, draft: Draft, letters: Sequence[NewLetter], rendered: Sequence[Rendered], now: datetime
    ) -> tuple[Draft, list[JSON], JSON]:
        """Keep these words until a SEND to exactly them: the draft as it is known from now on, what the gate advises,
        and what it holds them for."""
        held, advised = objections(self._store, self._setup, letters, rendered)
        kept = [self._store.mailroom.put_content(words.to_bytes(), now) for words in rendered]
        shown = zip([letter.recipient.address for letter in letters], kept, strict=True)
        draft = replace(draft, hash=_hash_of(shown), objection=held[0].level if held else "")
        draft = self._store.desk.add_draft(draft, now)
        for letter, content in zip(letters, kept, strict=True):
            keyed = replace(letter, idempotency_key=f"{letter.idempotency_key}:{draft.version}")
            self._post.hold(keyed, draft, now, rendered=content)
        return draft, [_said_of("objection", x) for x in advised], [_said_of("objected", x) for x in held]

    def release(self, decision: Release, inbound_id: int, now: datetime) -> None:
        """SEND: the held letters of exactly this draft rest a moment, and go; where two approve, the second SEND."""
        draft = decision.draft
        assert draft.affected_id is not None
        case = self._case(draft.affected_id)
        late = draft.kind is LetterKind.UPDATE and case.affected.settled_at is not None  # the debrief has gone
        if late:
            withdraw(self._store, draft.id, {LetterState.HELD}, "debriefed", now)
            self.already_settled(case, inbound_id, now, to=decision.staff)
            return
        if self._speaks_of_another_day(draft, case, now):
            later = self._by_a_later_day(case, now)
            problem: JSON = ["a_day_later", {}]
            held = self._to_release(draft)
            self._show_anew(draft, held, now, later, problem=problem, cause=inbound_id, by=decision.staff)
            return
        if not self._to_release(draft):
            self.refuse(RefuseSend(reason="superseded", draft=draft, **_of(decision)), inbound_id, now)
            return
        if self._setup.policy.two_approve(case.incident.priority) and draft.approved_by in {
            "",
            decision.staff.address,
        }:
            self._approve_first(case, draft, decision.staff, inbound_id, now)
            return
        if not self.let_go(draft, decision.staff, now):
            self.refuse(RefuseSend(reason="superseded", draft=draft, **_of(decision)), inbound_id, now)
            return
        if Brake(self._store).paused():
            self._say(case, ["approved_paused", {}], inbound_id, now, headline="send_waits")
        self._entry(case, "approved", decision.staff, f"{draft.kind}, draft {draft.version}", inbound_id, now)

    def sign(self, affected_ids: Set[int], staff: Staff, now: datetime, cause: int = 0) -> bool:
        """Another liaison answers for these clients: what waits for SEND to them is hers to see, and bears her name;
        what waited together with it for others' clients is shown again without. Whether there was anything."""
        signs: dict[str, JSON] = {"liaison": staff.name, "title": staff.title, "phone": staff.phone}
        found = self._held_to(affected_ids)
        for draft, mine, others in found:
            self._show_anew(draft, others, now, problem=["shared_no_more", {}], cause=cause)
            self._show_anew(draft, mine, now, lambda _: signs, problem=["signed_by_you", {}], cause=cause)
        return bool(found)

    def take_out(self, affected_id: int, now: datetime, cause: int) -> None:
        """A client's trouble is another one now: what waits for SEND together with its letters is shown without."""
        for draft, mine, others in self._held_to({affected_id}):
            drop(self._store, mine, "split", now)
            self._show_anew(draft, others, now, problem=["shared_no_more", {}], cause=cause)

    def _held_to(self, affected_ids: Set[int]) -> list[tuple[Draft, list[Letter], list[Letter]]]:
        """The drafts that hold letters to these clients: with those letters, and with the others that they hold."""
        incidents = {self._store.records.affected(one).incident_id for one in affected_ids}
        letters = [x for one in incidents for x in self._store.outbox.undelivered(one, to_clients=True)]
        ids = {x.draft_id for x in letters if x.affected_id in affected_ids and x.state is LetterState.HELD}
        found = []
        for draft in [d for id_ in sorted(ids) if (d := self._store.desk.draft(id_))]:
            held = [x for x in self._store.outbox.of_draft(draft.id) if x.state is LetterState.HELD]
            mine = [x for x in held if x.affected_id in affected_ids]
            if draft.state is DraftState.CURRENT:
                found.append((draft, mine, [x for x in held if x not in mine]))
        return found

    def _show_anew(
        self,
        draft: Draft,
        letters: Sequence[Letter],
        now: datetime,
        change: Callable[[Letter], Mapping[str, JSON]] = lambda _: {},
        *,
        problem: JSON,
        cause: int,
        by: Staff | None = None,
    ) -> None:
        """These letters of a draft, with other facts; the old ones can never be released any more."""
        withdraw(self._store, draft.id, {LetterState.HELD}, "superseded", now)
        if letters and letters[0].affected_id is not None:
            case = self._case(letters[0].affected_id)
            again = [_renewed(x, change(x), now) for x in letters]
            self.offer(case, again, now, remarks=[], problem=problem, cause=cause, about=draft.about, by=by)

    def _speaks_of_another_day(self, draft: Draft, case: Case, now: datetime) -> bool:
        """Whether its "by the end of tomorrow" was written on another day."""
        zone = ZoneInfo(case.affected.timezone)
        return any(
            x.facts.get("next_by") and x.created_at.astimezone(zone).date() != now.astimezone(zone).date()
            for x in self._to_release(draft)
        )

    def _by_a_later_day(self, case: Case, now: datetime) -> Callable[[Letter], Mapping[str, JSON]]:
        """The day that a letter names for the next word, where that has gone by."""
        policy = self._setup.policy
        fresh = due_within(now, policy.update_within, policy.day_ends, self._setup.calendar(case.affected))

        def next_by(letter: Letter) -> Mapping[str, JSON]:
            named = datetime.fromisoformat(str(letter.facts["next_by"])) if letter.facts.get("next_by") else None
            return {"next_by": fresh.isoformat()} if named and named <= now else {}

        return next_by

    def let_go(self, draft: Draft, staff: Staff, now: datetime) -> bool:
        """Exactly these words rest a moment, and go; False where they are not all as they were shown, or gone."""
        letters = self._to_release(draft)
        if not letters or not self._store.desk.release(draft.id, now):
            return False
        for letter in letters:
            self._store.outbox.move(
                letter.id,
                dispatch(letter.state, Dispatch.RELEASE),
                reason=f"approved-by-{staff.address}",
                due_at=now + self._setup.policy.rest,
                now=now,
                approved=True,
            )
        return True

    def _to_release(self, draft: Draft) -> list[Letter]:
        """What SEND lets go: the held letters of a draft whose words and readers are those that were shown."""
        shown = self._store.outbox.of_draft(draft.id)
        unchanged = draft.hash == _hash_of((x.recipient.address, x.rendered) for x in shown)
        return [x for x in shown if x.state is LetterState.HELD] if unchanged else []

    def _approve_first(self, case: Case, draft: Draft, staff: Staff, inbound_id: int, now: datetime) -> None:
        """One of two has said SEND: another who may, the liaison before a manager, is shown the very same words."""
        liaison = self._setup.directory.staff_at(case.affected.liaison.address)
        others = [s for s in (liaison, *self._setup.directory.managers) if s and s.address != staff.address]
        second = others[0] if others else None
        if draft.approved_by == staff.address or second is None:
            line = "second_approval" if second else "second_nobody"
            self._say(case, [line, {"name": second.name if second else ""}], inbound_id, now, to=staff)
            return
        self._store.desk.approve(draft.id, staff.address)
        self._entry(case, "approved by one", staff, f"{draft.kind}, draft {draft.version}", inbound_id, now)
        asked: JSON = ["asked_second", {"name": staff.name}]
        self.previews.show(case, draft, [], asked, "", inbound_id, now, reader=second.mail_address)
        self._say(case, ["waits_second", {"name": second.name}], inbound_id, now, to=staff, headline="noted")

    def refuse(self, decision: RefuseSend, inbound_id: int, now: datetime) -> None:
        """A SEND that publishes nothing is answered with what stands now."""
        assert decision.affected_id is not None
        case = self._case(decision.affected_id)
        draft = self.standing(decision)
        self._entry(case, "send refused", decision.staff, decision.reason, inbound_id, now)
        if draft is None:
            self.already_settled(case, inbound_id, now, to=decision.staff)
            return
        problem: JSON = [decision.reason.replace("-", "_"), {}]
        changed: list[JSON] = []
        if decision.draft and decision.draft.id != draft.id:
            changed = [*self.previews.difference(decision.draft, draft)]
        # A manager who said SEND is shown it herself; another liaison's SEND is the owner's to know of.
        reader = decision.staff.mail_address if decision.staff.role is Role.MANAGER else None
        self.previews.show(case, draft, [], problem, decision.said, inbound_id, now, changed=changed, reader=reader)

    def standing(self, decision: RefuseSend) -> Draft | None:
        """The draft that a SEND could release now: of the same letter where it is known which, else the newest."""
        asked = decision.draft
        assert decision.affected_id is not None
        for draft in self._store.desk.drafts(decision.affected_id):
            same = asked is None or (draft.kind, draft.about) == (asked.kind, asked.about)
            if same and draft.state is DraftState.CURRENT and self._any(draft, {LetterState.HELD}):
                return draft
        return None

    def already_settled(self, case: Case, inbound_id: int, now: datetime, *, to: Staff | None = None) -> None:
        """Nothing is open that could be sent: say when it was, if it was."""
        line: JSON = ["no_draft", {}]
        drafts = self._store.desk.drafts(case.affected.id)
        sent = next((d for d in drafts if d.released_at and d.kind is LetterKind.DEBRIEF and self._any(d, LEFT)), None)
        if sent and sent.released_at:
            moment = sent.released_at.isoformat()
            line = ["already_sent", {"sent_day": moment, "sent_at": moment}]
        elif case.affected.settled_why:
            line = ["settled", {"why": case.affected.settled_why}]
        self._say(case, line, inbound_id, now, to=to)

    def _say(
        self,
        case: Case,
        line: JSON,
        inbound_id: int,
        now: datetime,
        *,
        to: Staff | None = None,
        headline: str = "not_sent",
    ) -> None:
        self._post.notice(
            [headline, {}],
            [line],
            to.mail_address if to else case.affected.liaison,
            key=f"settled:{inbound_id}",
            now=now,
            incident=case.incident,
            affected=case.affected,
        )

    def _unwritten(self, case: Case, said: str, cause: int, now: datetime) -> None:
        """A broken template loses no answer: they are kept, and the liaison hears why there is no preview."""
        log.error("draft cannot be written", ref=case.incident.reference, said=said)
        self._post.notice(
            ["draft", {}],
            [["draft", {"said": said}]],
            case.affected.liaison,
            key=f"draft:{case.affected.id}:{cause}",
            now=now,
            incident=case.incident,
            affected=case.affected,
        )

    def letter(
        self,
        kind: LetterKind,
        case: Case,
        contact: Contact,
        text: str,
        *,
        key: str,
        now: datetime,
        next_by: datetime | None = None,
        variant: int = 0,
        waits_for: str = "",
    ) -> NewLetter:
        """A letter whose words somebody typed, not yet put; `waits_for` says who, where it tells that we wait."""
        facts = {**written(case.view({}), contact, text, next_by=next_by, variant=variant), "waits_for": waits_for}
        once = f"{key}:{contact.address}"
        return self._post.client_letter(
            kind, case.incident, case.affected, contact, facts, key=once, now=now, due_at=now
        )

    def render(self, letter: NewLetter, now: datetime) -> Rendered:
        """The words of a letter, under the subject of the thread that it will hang in."""
        words = self._setup.writer.render(letter.kind, letter.language, letter.facts, now)
        thread = self._store.outbox.thread(letter.incident_id, letter.recipient.address)
        return replace(words, subject=f"Re: {thread.subject}") if thread.subject else words

    def _case(self, affected_id: int) -> Case:
        affected = self._store.records.affected(affected_id)
        return open_case(self._store, self._setup, self._store.records.incident(affected.incident_id), affected)

    def _withdraw(self, new: Draft, whose: Set[int], now: datetime) -> None:
        """What an older draft holds back can never be released any more; what still rests must not go beside the new.

        Else the client would have both, the second as a correction of the first.
        """
        for older in [draft for affected_id in sorted(whose) for draft in self._store.desk.drafts(affected_id)]:
            if new.replaces(older):
                resting = {LetterState.WAITING} if older.kind is new.kind else set()
                withdraw(self._store, older.id, {LetterState.HELD} | resting, "superseded", now)

    def for_readers(self, case: Case, now: datetime) -> bool:
        """Take back a debrief that waits for SEND and is for others than these: it must not go to those alone."""
        readers = {contact.address for contact in case.contacts}
        for draft in self._store.desk.drafts(case.affected.id):
            shown = self._store.outbox.of_draft(draft.id)
            theirs = {x.recipient.address for x in shown if x.affected_id == case.affected.id}
            if draft.state is DraftState.CURRENT and draft.kind is LetterKind.DEBRIEF and theirs != readers:
                withdraw(self._store, draft.id, {LetterState.HELD}, "audience-changed", now)
                return True
        return False

    def _any(self, draft: Draft, states: Set[LetterState]) -> bool:
        """Whether any letter of a draft is in one of these states."""
        return any(x.state in states for x in self._store.outbox.of_draft(draft.id))

    def _entry(self, case: Case, what: str, staff: Staff, text: str, inbound_id: int, now: datetime) -> None:
        entry = Entry(at=now, what=what, author=staff.name, text=text, inbound_id=inbound_id)
        self._store.records.note(case.incident.id, entry)


def _renewed(letter: Letter, facts: Mapping[str, JSON], now: datetime) -> NewLetter:
    """A letter that was held, as a new one with other facts; signed by who they say."""
    values = {f.name: getattr(letter, f.name) for f in fields(NewLetter)}
    return NewLetter(
        **values
        | {
            "idempotency_key": letter.idempotency_key.removesuffix(f":{letter.version}"),
            "facts": {**letter.facts, **facts},
            "sender_name": str(facts.get("liaison", letter.sender_name)),
            "due_at": now,
            "rendered": "",
        }
    )


def _hash_of(letters: Iterable[tuple[str, str]]) -> str:
    """What SEND approves: who gets which words."""
    return hashlib.sha256("\n".join(f"{address} {rendered}" for address, rendered in letters).encode()).hexdigest()


def _said_of(name: str, objection: Objection) -> JSON:
    """The sentence about what the gate found."""
    return [name, {"said": objection.sentence, "why": objection.why, "better": objection.better}]


def _of(decision: Release) -> dict[str, Any]:
    return {"affected_id": decision.draft.affected_id, "staff": decision.staff}
