"""The liaison's desk: the form goes out, answers come in, and either what is missing or the draft goes back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from mailflow.domain.decisions import Fill as Filled
from mailflow.domain.decisions import RefuseSend
from mailflow.domain.form import BY_NAME, Answers, Doubt, Fill
from mailflow.domain.incident import Affected, Entry, Incident
from mailflow.domain.letters import JSON, Letter, LetterKind, LetterState, NewLetter, debrief, is_none
from mailflow.domain.people import Contact, Staff
from mailflow.domain.time_words import Unclear
from mailflow.domain.worktime import due_within
from mailflow.engine.asking import Asking
from mailflow.engine.case import ENDED, STARTED, Case, not_understood, open_case
from mailflow.engine.drafts import Drafts
from mailflow.engine.post import Post, address_of
from mailflow.engine.setup import Setup
from mailflow.engine.store import Store

PROBLEM, STEPS = (BY_NAME[name].number for name in ("problem", "steps"))

# What is said to words below the preview of a letter that they cannot change.
WISHES = {
    LetterKind.ACKNOWLEDGEMENT: "fixed_words",
    LetterKind.UPDATE: "wish_update",
    LetterKind.ANSWER: "wish_answer",
}


@dataclass(frozen=True, kw_only=True)
class _Accepted:
    """What of a reply was kept, and what was not."""

    fills: tuple[Fill, ...]
    problems: tuple[JSON, ...]
    unclear: tuple[int, ...]  # fields to be asked about again


class Desk:
    """The use cases between an outage's end and the draft of its debrief."""

    def __init__(self, store: Store, setup: Setup, post: Post, drafts: Drafts) -> None:
        self._store, self._setup, self._post, self._drafts = store, setup, post, drafts
        self._asking = Asking(store, setup, post)

    def answered(self, decision: Filled, letter: Letter | None, inbound_id: int, now: datetime) -> None:
        """Keep the answers, then ask for what is left or show what would be sent."""
        affected = self._store.records.affected(decision.affected_id)
        incident = self._store.records.incident(affected.incident_id)
        answers, author = decision.answers, decision.staff
        if letter is None or not letter.kind.shows_form:
            self._keep_as_note(decision, letter, incident, affected, inbound_id, now)
            return
        case = open_case(self._store, self._setup, incident, affected)
        if decision.reason == "with-stop":
            # The command is answered; a new draft in the same breath would ask for SEND again.
            self._note(incident, "note", author.name, answers.loose, inbound_id, now)
            return
        released = letter.facts.get("releases", LetterKind.DEBRIEF)
        if released != LetterKind.DEBRIEF and not (answers.values and released != LetterKind.ACKNOWLEDGEMENT):
            self._keep_wish(case, answers, WISHES[LetterKind(str(released))], author, inbound_id, now)
            return
        if affected.settled_at:
            self._note(incident, "late answer", author.name, answers.words, inbound_id, now)
            self._drafts.already_settled(case, inbound_id, now)
            return
        accepted = self._accepted(case, answers, letter, author.address, now)
        for one in (affected, *case.mates):
            self._store.desk.fill(one.id, accepted.fills)
        unplaced = [answers.loose] if answers.loose and not any(f.loose for f in accepted.fills) else []
        notes = "\n\n".join([*unplaced, *answers.notes])
        numbers = ", ".join(f"[{f.number}]" for f in accepted.fills)
        self._note(incident, "note", author.name, notes, inbound_id, now)
        self._note(incident, "answered", author.name, numbers, inbound_id, now)
        self._note(incident, "note", author.name, answers.near_miss, inbound_id, now)
        if decision.reason == "colleague-answers":
            self._thank(case, author, numbers, inbound_id, now)
        self._go_on(case, decision, accepted, notes, inbound_id, now)

    def _go_on(
        self, case: Case, decision: Filled, accepted: _Accepted, notes: str, inbound_id: int, now: datetime
    ) -> None:
        """What is missing or unclear is asked for; else the draft is shown."""
        answers = decision.answers
        near_miss: JSON = ["near_miss", {"said": answers.near_miss}] if answers.near_miss else None
        problems = [*accepted.problems, *(_doubt(case, doubt) for doubt in answers.doubts)]
        known = self._store.desk.fills(case.affected.id)
        missing = [n for n in case.questions.required if any(_lacks(fills, n) for fills in self._all_fills(case))]
        unclear = [n for n in (*(d.number for d in answers.doubts), *accepted.unclear) if n not in missing]
        if missing or problems:
            said: list[JSON] = [near_miss, *problems] if near_miss else problems
            self._asking.ask_again(case, sorted({*missing, *unclear}), known, said, notes, inbound_id, now)
            return
        problem: JSON = ["send_with_changes", {}] if decision.reason == "with-send" else near_miss
        remarks = self._remarks(case, answers, accepted.fills, known, now)
        letters = self._not_known_yet(case, inbound_id, now) or self._debriefs(case, now)
        self._drafts.offer(case, letters, now, remarks=remarks, problem=problem, notes=notes, cause=inbound_id)

    def _all_fills(self, case: Case) -> list[Mapping[int, Fill]]:
        """What is known of each client whom the form is about: one that was merged in may lack what the first has."""
        return [self._store.desk.fills(one.id) for one in (case.affected, *case.mates)]

    def _remarks(
        self, case: Case, answers: Answers, fills: Sequence[Fill], known: Mapping[int, Fill], now: datetime
    ) -> list[JSON]:
        """The transcript: what was taken for what, whose words they are, and what is blank (S1.13)."""
        remarks: list[JSON] = [["loose", {"label": case.label(f.number)}] for f in fills if f.loose]
        if answers.unknown:
            nearest = ", ".join(answers.nearest)
            remarks.append(["unknown_remark", {"said": answers.unknown, "nearest": nearest}])
        for address in dict.fromkeys(f.by for f in known.values() if f.by != case.affected.liaison.address):
            staff = self._setup.directory.staff_at(address)
            theirs = " ".join(f"[{n}]" for n, f in sorted(known.items()) if f.by == address)
            remarks.append(["words_of", {"fields": theirs, "name": staff.name if staff else address}])
        blank = [n for n in case.questions.asked if n not in known and n not in case.known(now)]
        if blank:
            remarks.append(["blank", {"fields": ", ".join(case.short(n) for n in blank)}])
        return remarks

    def _not_known_yet(self, case: Case, inbound_id: int, now: datetime) -> list[NewLetter]:
        """ "We don't know yet" is a good answer: the client is told so, and by when there is more (S1.14).

        Each of a storm's clients from its own answers; nothing where everything that is asked is known.
        """
        letters: list[NewLetter] = []
        for one in self._cases(case):
            known = self._store.desk.fills(one.affected.id)
            if not any(one.is_unknown(known[n].value) for n in one.questions.required):
                continue
            policy = self._setup.policy
            next_by = due_within(now, policy.update_within, policy.day_ends, self._setup.calendar(one.affected))
            text, key = self._not_known_words(one, known), f"{inbound_id}:{one.affected.id}"
            letters += [
                self._drafts.letter(LetterKind.UPDATE, one, contact, text, key=key, now=now, next_by=next_by)
                for contact in one.contacts
            ]
        return letters

    def _not_known_words(self, case: Case, known: Mapping[int, Fill]) -> str:
        words = self._setup.writer.words(case.affected.language)
        problem, steps = known.get(PROBLEM), known.get(STEPS)
        which = "not_known" if problem and case.is_unknown(problem.value) else "not_known_steps"
        text = words.phrase(f"update.{which}", plain=case.affected.plain or words.phrase("acknowledgement.unnamed"))
        if steps and not case.is_unknown(steps.value) and not is_none(steps.value):
            return f"{text}\n\n{steps.value}"
        return text

    def _cases(self, case: Case) -> list[Case]:
        """Each client whom the form is about."""
        return [case, *(open_case(self._store, self._setup, case.incident, mate) for mate in case.mates)]

    def _thank(self, case: Case, author: Staff, numbers: str, inbound_id: int, now: datetime) -> None:
        """A colleague hears that what he wrote has arrived, and where."""
        values: dict[str, JSON] = {"fields": numbers or "-", "name": case.affected.liaison.name}
        self._post.notice(
            ["colleague_thanks", values],
            [["colleague_thanks", values]],
            address_of(author),
            key=f"thanks:{inbound_id}",
            now=now,
            incident=case.incident,
            affected=case.affected,
        )

    def _keep_as_note(
        self,
        decision: Filled,
        letter: Letter | None,
        incident: Incident,
        affected: Affected,
        inbound_id: int,
        now: datetime,
    ) -> None:
        """Words below an "opened" mail, or one that shows no form, are for the record, never for the client."""
        answers = decision.answers
        text = "\n\n".join(filter(None, [answers.words, answers.near_miss]))
        self._note(incident, "note", decision.staff.name, text, inbound_id, now)
        # Only once: answering the answer to an answer is how robots talk for ever.
        headline = letter.facts.get("headline") if letter and letter.kind is LetterKind.NOTICE else None
        answers_noted = isinstance(headline, list) and headline[0] == "noted"
        if text and decision.reason == "answers" and letter and not answers_noted:
            goes = isinstance(headline, list) and headline[0] == "answer_goes"
            line = "answer_still_goes" if goes else "noted_words"
            self._say_noted(incident, affected, line, decision.staff, text, inbound_id, now)

    def refuse(self, decision: RefuseSend, inbound_id: int, now: datetime) -> None:
        """A SEND that publishes nothing; what a STOP held back is shown again, to be sent after all."""
        assert decision.affected_id is not None
        affected = self._store.records.affected(decision.affected_id)
        drafts = [d for d in self._store.desk.drafts(affected.id) if d.kind is LetterKind.DEBRIEF]
        letters = self._store.outbox.of_draft(drafts[0].id) if drafts else []
        gone = {LetterState.DROPPED, LetterState.FAILED}
        stopped = bool(letters) and all(letter.state in gone for letter in letters)
        if not (stopped and affected.settled_at is None) or self._drafts.standing(decision):
            self._drafts.refuse(decision, inbound_id, now)
            return
        case = open_case(self._store, self._setup, self._store.records.incident(affected.incident_id), affected)
        self._drafts.offer(
            case, self._debriefs(case, now), now, remarks=[], problem=["stopped_before", {}], cause=inbound_id
        )

    def _say_noted(
        self, incident: Incident, affected: Affected, line: str, to: Staff, text: str, inbound_id: int, now: datetime
    ) -> None:
        self._post.notice(
            ["noted", {}],
            [[line, {}]],
            address_of(to),
            key=f"noted:{inbound_id}",
            now=now,
            incident=incident,
            affected=affected,
            text=text,
        )

    def _keep_wish(
        self, case: Case, answers: Answers, line: str, author: Staff, inbound_id: int, now: datetime
    ) -> None:
        """Words below the preview of another letter are no answers to the form: kept, and said so."""
        said = answers.words
        self._note(case.incident, "note", author.name, said, inbound_id, now)
        lines: list[JSON] = [["near_miss", {"said": answers.near_miss}]] if answers.near_miss else []
        self._post.notice(
            ["not_sent", {}],
            lines or [[line, {}]],
            address_of(author),
            key=f"wish:{inbound_id}",
            now=now,
            incident=case.incident,
            affected=case.affected,
            text=said,
        )

    def _accepted(self, case: Case, answers: Answers, letter: Letter, by: str, now: datetime) -> _Accepted:
        """The answers that can be kept, and what is wrong with the others."""
        known = self._store.desk.fills(case.affected.id)
        shown_at = letter.sent_at or letter.created_at
        fills: list[Fill] = []
        problems: list[JSON] = []
        unclear: list[int] = []
        for number, answer in answers.values.items():
            is_time = number in {STARTED, ENDED} and not is_none(answer.value)
            read = case.time(number, answer.value, now) if is_time else now
            newer = known.get(number)
            if newer and newer.at > shown_at and newer.value != answer.value:
                # She answers an older mail, and somebody has written this field since: which one is it?
                label = case.label(number)
                problems.append(["edited_since", {"label": label, "first": newer.value, "second": answer.value}])
                unclear.append(number)
            elif read is None or isinstance(read, Unclear):
                problems.append(not_understood(answer.value, read))
            else:
                fills.append(Fill(number=number, value=answer.value, by=by, at=now))
        fills, impossible = self._possible(case, known, fills)
        problems += impossible
        taken = {f.number for f in fills} | set(known)
        free = [n for n in case.questions.required if n not in taken]
        if answers.loose and free:
            fills.append(Fill(number=free[0], value=answers.loose, by=by, at=now, loose=True))
        return _Accepted(fills=tuple(fills), problems=tuple(problems), unclear=tuple(unclear))

    def _possible(self, case: Case, known: Mapping[int, Fill], new: list[Fill]) -> tuple[list[Fill], list[JSON]]:
        """What of the new answers can be, and what is said of the others: nothing is over before it began."""
        fills = {**known, **{fill.number: fill for fill in new}}
        began = case.corrected(fills, STARTED) or case.affected.started_at or case.incident.started_at
        ended = case.corrected(fills, ENDED) or case.affected.ended_at or case.incident.ended_at
        times = [fill for fill in new if fill.number in {STARTED, ENDED}]
        if not times or ended is None or began.replace(second=0, microsecond=0) <= ended:
            return new, []
        values: dict[str, JSON] = {"began_full": began.isoformat(), "ended_full": ended.isoformat()}
        said = ", ".join(f"[{fill.number}] {fill.value}" for fill in times)
        return [fill for fill in new if fill not in times], [["ends_before", {**values, "value": said}]]

    def _debriefs(self, case: Case, now: datetime) -> list[NewLetter]:
        """One letter for each contact who is to have it; of each client of a storm, from that client's own record."""
        return [letter for one in self._cases(case) for letter in self._debriefs_of(one, now)]

    def _debriefs_of(self, case: Case, now: datetime) -> list[NewLetter]:
        fills = self._store.desk.fills(case.affected.id)
        view = case.view(fills)
        return [
            self._post.client_letter(
                LetterKind.DEBRIEF,
                case.incident,
                case.affected,
                contact,
                {**debrief(view, contact, fills), "variant": self._variant(case, contact)},
                key=f"{case.incident.reference}:{case.affected.id}:{contact.address}",
                now=now,
                due_at=now,
            )
            for contact in case.contacts
        ]

    def _variant(self, case: Case, contact: Contact) -> int:
        return self._store.outbox.count_incidents(LetterKind.DEBRIEF, contact.address, besides=case.incident.id)

    def _note(self, incident: Incident, what: str, author: str, text: str, inbound_id: int, now: datetime) -> None:
        if text:
            entry = Entry(at=now, what=what, author=author, text=text, inbound_id=inbound_id)
            self._store.records.note(incident.id, entry)


def _lacks(fills: Mapping[int, Fill], number: int) -> bool:
    """Whether a required answer is missing: a dash is none, where a letter is made of it."""
    return number not in fills or is_none(fills[number].value)


def _doubt(case: Case, doubt: Doubt) -> JSON:
    """The question about a field that was answered in two ways."""
    first, second = (*doubt.candidates, "", "")[:2]
    return [doubt.reason, {"label": case.label(doubt.number), "first": first, "second": second}]
