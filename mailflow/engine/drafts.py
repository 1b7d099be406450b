"""The draft: rendered once for each recipient, shown word for word, and released by a SEND to exactly that text."""

import hashlib
from collections.abc import Sequence, Set
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from mailflow.domain.decisions import RefuseSend, Release
from mailflow.domain.form import CATALOGUE, end_marker
from mailflow.domain.incident import Entry
from mailflow.domain.letters import JSON, LetterKind, LetterState, NewLetter
from mailflow.domain.lifecycle import Dispatch, dispatch
from mailflow.domain.people import Staff
from mailflow.domain.vocabulary import Live
from mailflow.engine.brake import Brake
from mailflow.engine.case import Case, open_case
from mailflow.engine.post import Post
from mailflow.engine.setup import Setup
from mailflow.engine.store import Draft, Store
from mailflow.writing.render import Rendered, TemplateError

log = structlog.get_logger()

# Of a letter in one of these it may be said that it was sent: it is on its way, or there.
LEFT = {LetterState.WAITING, LetterState.LEASED, LetterState.STARTED, LetterState.UNKNOWN, LetterState.SENT}


class Drafts:
    """Offering, releasing and refusing (N.6)."""

    def __init__(self, store: Store, setup: Setup, post: Post) -> None:
        self._store, self._setup, self._post = store, setup, post

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
        settle: timedelta = timedelta(),
    ) -> None:
        """Render the letters, hold them, and show them to the liaison; an older draft is superseded."""
        affected_id = case.affected.id
        try:
            rendered = [self._render(letter, now) for letter in letters]
        except TemplateError as error:
            self._unwritten(case, str(error), cause, now)
            return
        self._withdraw(affected_id, letters[0].kind if letters else LetterKind.DEBRIEF, now)
        version = self._store.desk.next_version(affected_id)
        for letter, words in zip(letters, rendered, strict=True):
            kept = self._store.mailroom.put_content(words.to_bytes(), now)
            keyed = replace(letter, idempotency_key=f"{letter.idempotency_key}:{version}")
            self._post.hold(keyed, "waits-for-send", now, version=version, rendered=kept)
        draft = Draft(
            affected_id=affected_id,
            version=version,
            kind=letters[0].kind if letters else LetterKind.DEBRIEF,
            hash=self._hash(affected_id, version),
            state="current",
        )
        self._store.desk.add_draft(draft, now)
        self._preview(case, draft, remarks, problem, notes, cause, now, settle=settle)

    def release(self, decision: Release, inbound_id: int, now: datetime) -> None:
        """SEND: the held letters of exactly this draft rest a moment, and go."""
        case = self._case(decision.affected_id)
        draft = self._store.desk.draft(decision.affected_id)
        unchanged = draft is not None and draft.hash == self._hash(decision.affected_id, decision.version)
        waits = draft is not None and self._any(draft, {LetterState.HELD})
        if not (unchanged and waits and self._store.desk.release(decision.affected_id, decision.version, now)):
            refused = RefuseSend(reason="superseded", affected_id=decision.affected_id, staff=decision.staff)
            self.refuse(refused, inbound_id, now)
            return
        for letter in self._store.outbox.of_draft(decision.affected_id, decision.version):
            if letter.state is LetterState.HELD:
                self._store.outbox.move(
                    letter.id,
                    dispatch(letter.state, Dispatch.RELEASE),
                    reason=f"approved-by-{decision.staff.address}",
                    due_at=now + self._setup.policy.rest,
                    now=now,
                    approved=True,
                )
        if Brake(self._store).paused():
            self._say(case, ["approved_paused", {}], inbound_id, now)
        self._entry(case, "approved", decision.staff, f"{decision.kind}, draft {decision.version}", inbound_id, now)

    def refuse(self, decision: RefuseSend, inbound_id: int, now: datetime) -> None:
        """A SEND that publishes nothing is answered with what stands now."""
        case = self._case(decision.affected_id)
        draft = self._store.desk.draft(decision.affected_id)
        self._entry(case, "send refused", decision.staff, decision.reason, inbound_id, now)
        if draft is None or draft.state != "current" or not self._any(draft, {LetterState.HELD}):
            self.already_settled(case, inbound_id, now)
            return
        problem: JSON = [decision.reason.replace("-", "_"), {}]
        self._preview(case, draft, [], problem, decision.said, inbound_id, now)

    def already_settled(self, case: Case, inbound_id: int, now: datetime) -> None:
        """Nothing is open that could be sent: say when it was, if it was."""
        draft = self._store.desk.draft(case.affected.id)
        line: JSON = ["no_draft", {}]
        if draft and draft.released_at and draft.kind is LetterKind.DEBRIEF and self._any(draft, LEFT):
            moment = draft.released_at.isoformat()
            line = ["already_sent", {"sent_day": moment, "sent_at": moment}]
        elif case.affected.settled_why:
            line = ["settled", {"why": case.affected.settled_why}]
        self._say(case, line, inbound_id, now)

    def _say(self, case: Case, line: JSON, inbound_id: int, now: datetime) -> None:
        self._post.notice(
            ["not_done", {}],
            [line],
            case.affected.liaison,
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

    def _preview(
        self,
        case: Case,
        draft: Draft,
        remarks: list[JSON],
        problem: JSON,
        notes: str,
        cause: int,
        now: datetime,
        *,
        settle: timedelta = timedelta(),
    ) -> None:
        """The exact text, the recipients by name, and what SEND will do."""
        live = self._setup.live(case.affected)
        rest = self._setup.policy.rest
        letters = self._store.outbox.of_draft(draft.affected_id, draft.version)
        shown: list[JSON] = []
        for letter in letters:
            words = Rendered.from_bytes(self._store.mailroom.content(letter.rendered))
            first_name = letter.facts["first_name"]
            text = words.text.strip()
            shown.append({"first_name": first_name, "subject": words.subject, "text": text, "html": words.body})
        ready = "ready_many" if len(letters) > 1 else "ready_one" if rest else "ready_now"
        if live is Live.OFF:
            ready = "ready_off"
        if not letters:
            ready = "ready_nobody"
        minutes = case.words.phrase("line.rest_minutes", minutes=int(rest / timedelta(minutes=1)))
        self._post.to_staff(
            LetterKind.PREVIEW,
            case.affected.liaison,
            {
                "releases": draft.kind,
                "change": ["change_debrief" if draft.kind is LetterKind.DEBRIEF else "change_fixed", {}],
                "names": ", ".join(str(letter.facts["first_name"]) for letter in letters) or case.affected.client_name,
                "ready": [ready, {"names": ", ".join(letter.recipient.name for letter in letters), "rest": minutes}],
                "remarks": remarks,
                "problem": problem,
                "notes": notes,
                "letters": shown,
                "fields": case.asked([f.number for f in CATALOGUE], {}),
                "end_marker": end_marker(case.incident.reference, draft.version),
            },
            key=f"{draft.affected_id}:{draft.version}:{cause}",
            now=now,
            incident=case.incident,
            affected=case.affected,
            version=draft.version,
            due_at=now + settle,
            unless_over=settle > timedelta(),
        )

    def _render(self, letter: NewLetter, now: datetime) -> Rendered:
        """The words of a letter, under the subject of the thread that it will hang in."""
        words = self._setup.writer.render(letter.kind, letter.language, letter.facts, now)
        thread = self._store.outbox.thread(letter.incident_id, letter.recipient.address)
        return replace(words, subject=f"Re: {thread.subject}") if thread.subject else words

    def _case(self, affected_id: int) -> Case:
        affected = self._store.records.affected(affected_id)
        return open_case(self._store, self._setup, self._store.records.incident(affected.incident_id), affected)

    def _withdraw(self, affected_id: int, kind: LetterKind, now: datetime) -> None:
        """What an older draft holds back can never be released any more; what still rests must not go beside the new.

        Else the client would have both, the second as a correction of the first.
        """
        draft = self._store.desk.draft(affected_id)
        for letter in self._store.outbox.of_draft(affected_id, draft.version) if draft else ():
            if letter.state is LetterState.HELD or (letter.state is LetterState.WAITING and letter.kind is kind):
                self._store.outbox.move(letter.id, dispatch(letter.state, Dispatch.DROP), reason="superseded", now=now)

    def _any(self, draft: Draft, states: Set[LetterState]) -> bool:
        """Whether any letter of a draft is in one of these states."""
        return any(x.state in states for x in self._store.outbox.of_draft(draft.affected_id, draft.version))

    def _hash(self, affected_id: int, version: int) -> str:
        """What SEND approves: who gets which words."""
        letters = self._store.outbox.of_draft(affected_id, version)
        said = "\n".join(f"{letter.recipient.address} {letter.rendered}" for letter in letters)
        return hashlib.sha256(said.encode()).hexdigest()

    def _entry(self, case: Case, what: str, staff: Staff, text: str, inbound_id: int, now: datetime) -> None:
        entry = Entry(at=now, what=what, author=staff.name, text=text, inbound_id=inbound_id)
        self._store.records.note(case.incident.id, entry)
