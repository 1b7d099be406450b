"""The liaison's desk: the form goes out, answers come in, and either what is missing or the draft goes back."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from mailflow.domain.decisions import Fill as Filled
from mailflow.domain.decisions import RefuseSend
from mailflow.domain.form import Answers, Doubt, Fill, end_marker
from mailflow.domain.incident import Affected, Entry, Incident
from mailflow.domain.letters import JSON, Letter, LetterKind, LetterState, NewLetter, debrief, is_none
from mailflow.domain.people import Contact
from mailflow.engine.case import ENDED, IMPACT, STARTED, Case, open_case
from mailflow.engine.drafts import Drafts
from mailflow.engine.post import Post
from mailflow.engine.setup import Setup
from mailflow.engine.store import Store


class Desk:
    """The use cases between an outage's end and the draft of its debrief."""

    def __init__(self, store: Store, setup: Setup, post: Post, drafts: Drafts) -> None:
        self._store, self._setup, self._post, self._drafts = store, setup, post, drafts

    def ask(self, incident: Incident, affected: Affected, now: datetime) -> Letter | None:
        """Send the form, prefilled with what the record knows; once for a client, and for all clients of a storm
        whom the same liaison answers for."""
        case = open_case(self._store, self._setup, incident, affected)
        if any(mate.id < affected.id for mate in case.mates):
            return None
        version = self._store.desk.next_version(affected.id)
        groups = self._groups(case, now)
        readers: JSON = ["form_readers_nobody", {}]
        if case.contacts:
            readers = ["form_readers_many", {}] if case.mates else ["form_readers", {"names": case.first_names}]
        return self._post.to_staff(
            LetterKind.FORM,
            affected.liaison,
            {
                "lines": case.so_far(),
                "readers": readers,
                "groups": groups,
                "fields": case.asked(case.questions.asked, case.known(now)),
                "end_marker": end_marker(incident.reference, version),
            },
            key=f"{affected.id}",
            now=now,
            incident=incident,
            affected=affected,
            version=version,
        )

    def answered(self, decision: Filled, letter: Letter | None, inbound_id: int, now: datetime) -> None:
        """Keep the answers, then ask for what is left or show what would be sent."""
        affected = self._store.records.affected(decision.affected_id)
        incident = self._store.records.incident(affected.incident_id)
        answers, author = decision.answers, decision.staff
        if letter is None or not letter.kind.shows_form:
            # Words below an "opened" or a forwarded mail are for the record, never for the client.
            written = [answers.loose, *(a.value for a in answers.values.values()), *answers.notes]
            text = "\n\n".join(filter(None, [*written, answers.near_miss]))
            self._note(incident, "note", author.name, text, inbound_id, now)
            # Only once: answering the answer to an answer is how robots talk for ever.
            if text and decision.reason == "answers" and letter and letter.kind is not LetterKind.NOTICE:
                self._say_noted(incident, affected, text, inbound_id, now)
            return
        case = open_case(self._store, self._setup, incident, affected)
        if decision.reason == "with-stop":
            # The command is answered; a new draft in the same breath would ask for SEND again.
            self._note(incident, "note", author.name, answers.loose, inbound_id, now)
            return
        if letter.facts.get("releases") == LetterKind.ACKNOWLEDGEMENT:
            self._keep_wish(case, answers, author.name, inbound_id, now)
            return
        if affected.settled_at:
            written = [answers.loose, *(a.value for a in answers.values.values()), *answers.notes]
            self._note(incident, "late answer", author.name, "\n\n".join(filter(None, written)), inbound_id, now)
            self._drafts.already_settled(case, inbound_id, now)
            return
        fills, problems = self._accepted(case, answers, author.address, now)
        for one in (affected, *case.mates):
            self._store.desk.fill(one.id, fills)
        unplaced = [answers.loose] if answers.loose and not any(f.loose for f in fills) else []
        notes = "\n\n".join([*unplaced, *answers.notes])
        self._note(incident, "note", author.name, notes, inbound_id, now)
        self._note(incident, "answered", author.name, ", ".join(f"[{f.number}]" for f in fills), inbound_id, now)
        if answers.near_miss:
            self._note(incident, "note", author.name, answers.near_miss, inbound_id, now)
        near_miss: JSON = ["near_miss", {"said": answers.near_miss}] if answers.near_miss else None
        problems += [_doubt(case, doubt) for doubt in answers.doubts]
        known = self._store.desk.fills(affected.id)
        missing = [n for n in case.questions.required if n not in known]
        unclear = [d.number for d in answers.doubts if d.number not in missing]
        if missing or problems:
            said: list[JSON] = [near_miss, *problems] if near_miss else problems
            self._ask_again(case, sorted({*missing, *unclear}), known, said, notes, inbound_id, now)
            return
        remarks: list[JSON] = [["loose", {"label": case.label(f.number)}] for f in fills if f.loose]
        blank = [n for n in case.questions.asked if n not in known and n not in case.known(now)]
        if blank:
            remarks.append(["blank", {"fields": ", ".join(case.short(n) for n in blank)}])
        self._drafts.offer(
            case,
            self._debriefs(case, now),
            now,
            remarks=remarks,
            problem=["send_with_changes", {}] if decision.reason == "with-send" else near_miss,
            notes=notes,
            cause=inbound_id,
        )

    def refuse(self, decision: RefuseSend, inbound_id: int, now: datetime) -> None:
        """A SEND that publishes nothing; what a STOP held back is shown again, to be sent after all."""
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

    def _say_noted(self, incident: Incident, affected: Affected, text: str, inbound_id: int, now: datetime) -> None:
        self._post.notice(
            ["noted", {}],
            [["noted_words", {}]],
            affected.liaison,
            key=f"noted:{inbound_id}",
            now=now,
            incident=incident,
            affected=affected,
            text=text,
        )

    def _keep_wish(self, case: Case, answers: Answers, author: str, inbound_id: int, now: datetime) -> None:
        """Words below the preview of an acknowledgement are no answers to a form: kept, and said so."""
        said = "\n\n".join(filter(None, [answers.loose, *(a.value for a in answers.values.values()), *answers.notes]))
        self._note(case.incident, "note", author, said, inbound_id, now)
        lines: list[JSON] = [["near_miss", {"said": answers.near_miss}]] if answers.near_miss else []
        self._post.notice(
            ["not_done", {}],
            lines or [["fixed_words", {}]],
            case.affected.liaison,
            key=f"wish:{inbound_id}",
            now=now,
            incident=case.incident,
            affected=case.affected,
            text=said,
        )

    def _groups(self, case: Case, now: datetime) -> list[dict[str, JSON]]:
        """The questions, what may stay blank, and what is to be corrected if it is wrong."""
        numbers, required = case.questions.asked, case.questions.required
        from_record = {STARTED, ENDED, IMPACT} - set(required)
        groups: list[dict[str, JSON]] = []
        for heading, chosen in (
            ("", [n for n in numbers if n in required]),
            ("optional", [n for n in numbers if n not in required and n not in from_record]),
            ("facts", [n for n in numbers if n in from_record]),
        ):
            if chosen:
                fields = case.asked(chosen, case.known(now))
                groups.append({"heading": heading, "compact": heading == "facts", "fields": fields})
        return groups

    def _accepted(self, case: Case, answers: Answers, by: str, now: datetime) -> tuple[list[Fill], list[JSON]]:
        """The answers that can be kept, and what is wrong with the others."""
        fills: list[Fill] = []
        problems: list[JSON] = []
        for number, answer in answers.values.items():
            if number in {STARTED, ENDED} and not is_none(answer.value) and case.time(answer.value) is None:
                problems.append(["bad_time", {"value": answer.value}])
            else:
                fills.append(Fill(number=number, value=answer.value, by=by, at=now))
        taken = {f.number for f in fills} | set(self._store.desk.fills(case.affected.id))
        free = [n for n in case.questions.required if n not in taken]
        if answers.loose and free:
            fills.append(Fill(number=free[0], value=answers.loose, by=by, at=now, loose=True))
        return fills, problems

    def _ask_again(
        self,
        case: Case,
        numbers: Sequence[int],
        known: Mapping[int, Fill],
        problems: list[JSON],
        notes: str,
        inbound_id: int,
        now: datetime,
    ) -> None:
        """Just the fields that are missing or unclear; what was accepted is shown as taken (N.5)."""
        version = self._store.desk.next_version(case.affected.id)
        unread = [n for n in (STARTED, ENDED) if n not in known and n in case.questions.asked]
        times = unread if any(isinstance(p, list) and p[0] == "bad_time" for p in problems) else []
        fields = [*numbers, *(n for n in times if n not in numbers)]
        self._post.to_staff(
            LetterKind.MISSING,
            case.affected.liaison,
            {
                "problems": problems or [["missing_one" if len(fields) == 1 else "missing_many", {}]],
                "fields": case.asked(fields, {}),
                "taken": [{"label": case.label(n), "value": f.value} for n, f in sorted(known.items())],
                "notes": notes,
                "end_marker": end_marker(case.incident.reference, version),
            },
            key=f"{case.affected.id}:{version}:{inbound_id}",
            now=now,
            incident=case.incident,
            affected=case.affected,
            version=version,
        )

    def _debriefs(self, case: Case, now: datetime) -> list[NewLetter]:
        """One letter for each contact who is to have it; of each client of a storm, from that client's own record."""
        cases = [case, *(open_case(self._store, self._setup, case.incident, mate) for mate in case.mates)]
        return [letter for one in cases for letter in self._debriefs_of(one, now)]

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
                key=f"{case.incident.reference}:{contact.address}",
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


def _doubt(case: Case, doubt: Doubt) -> JSON:
    """The question about a field that was answered in two ways."""
    first, second = (*doubt.candidates, "", "")[:2]
    return [doubt.reason, {"label": case.label(doubt.number), "first": first, "second": second}]
