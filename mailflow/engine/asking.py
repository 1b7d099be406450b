"""Asking: the form to the liaison, what is left of it, and the questions to a colleague who knows more."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from mailflow.domain.form import Fill, end_marker
from mailflow.domain.incident import Affected, Incident, Promise
from mailflow.domain.letters import JSON, Letter, LetterKind
from mailflow.domain.people import Role, Staff
from mailflow.domain.time_words import Doubt as TimeDoubt
from mailflow.engine.case import ENDED, IMPACT, STARTED, Case, open_case
from mailflow.engine.post import Post, address_of
from mailflow.engine.setup import Setup
from mailflow.engine.store import Store

# The sentences about a time that was not understood.
TIMES_UNREAD = {"bad_time", "ends_before", *(f"unclear_{doubt}" for doubt in TimeDoubt)}


class Asking:
    """The mails that a reply fills in."""

    def __init__(self, store: Store, setup: Setup, post: Post) -> None:
        self._store, self._setup, self._post = store, setup, post

    def ask(self, incident: Incident, affected: Affected, now: datetime, *, again: str = "") -> Letter | None:
        """Send the form, prefilled with what the record knows; once for a client, and for all clients of a storm
        whom the same liaison answers for. `again` tells another form from the first: whose it is
        now, or how often the trouble came back."""
        case = open_case(self._store, self._setup, incident, affected)
        if any(mate.id < affected.id for mate in case.mates):
            return None
        version = self._store.desk.next_version(affected.id)
        groups = self._groups(case, now)
        readers: JSON = ["form_readers_nobody", {}]
        if case.contacts:
            several = "form_readers_several" if len(case.contacts) > 1 else "form_readers"
            readers = ["form_readers_many", {}] if case.mates else [several, {"names": case.first_names}]
        return self._post.to_staff(
            LetterKind.FORM,
            affected.liaison,
            {
                "lines": case.so_far(),
                "readers": readers,
                "groups": groups,
                "helper": self._helper(affected),
                "fields": case.asked(case.questions.asked, case.known(now)),
                "end_marker": end_marker(incident.reference, version),
            },
            key=f"{affected.id}{again and ':'}{again}",
            now=now,
            incident=incident,
            affected=affected,
            version=version,
        )

    def _helper(self, affected: Affected) -> str:
        """Who may be asked for help, to show how it is written; a colleague, if there is one."""
        others = [s for s in self._setup.directory.staff if s.address != affected.liaison.address]
        return max(others, key=lambda s: s.role is Role.COLLEAGUE).first_name.upper() if others else ""

    def ask_again(
        self,
        case: Case,
        numbers: Sequence[int],
        known: Mapping[int, Fill],
        problems: list[JSON],
        notes: str,
        cause: int | str,
        now: datetime,
    ) -> Letter | None:
        """Just the fields that are missing or unclear; what was accepted is shown as taken (N.5)."""
        version = self._store.desk.next_version(case.affected.id)
        unread = [n for n in (STARTED, ENDED) if n not in known and n in case.questions.asked]
        times = unread if any(isinstance(p, list) and p[0] in TIMES_UNREAD for p in problems) else []
        fields = [*numbers, *(n for n in times if n not in numbers)]
        return self._post.to_staff(
            LetterKind.MISSING,
            case.affected.liaison,
            {
                "problems": problems or [["missing_one" if len(fields) == 1 else "missing_many", {}]],
                "fields": case.asked(fields, {}),
                "others": case.others(fields),
                "taken": [{"label": case.label(n), "value": f.value} for n, f in sorted(known.items())],
                "notes": notes,
                "end_marker": end_marker(case.incident.reference, version),
            },
            key=f"{case.affected.id}:{cause}",
            now=now,
            incident=case.incident,
            affected=case.affected,
            version=version,
        )

    def ask_colleague(
        self, case: Case, staff: Staff, question: str, asked_by: Staff, inbound_id: int, now: datetime
    ) -> Letter | None:
        """The questions that are still open, to somebody who may know; None where none is."""
        known = self._store.desk.fills(case.affected.id)
        numbers = [n for n in case.questions.asked if n not in known and n not in {STARTED, ENDED}]
        if not numbers:
            return None
        version = self._store.desk.next_version(case.affected.id)
        return self._post.to_staff(
            LetterKind.ASK,
            address_of(staff),
            {
                "lines": [["asked_by", {"name": asked_by.name}], *case.so_far()],
                "question": question,
                "fields": case.asked(numbers, {}),
                "others": case.others(numbers),
                "end_marker": end_marker(case.incident.reference, version),
            },
            key=f"{case.affected.id}:{staff.address}:{inbound_id}",
            now=now,
            incident=case.incident,
            affected=case.affected,
            version=version,
        )

    def ask_what_was_unknown(self, case: Case, promise: Promise, now: datetime) -> Letter | None:
        """Before the next word to the client is due: is it known now?"""
        known = self._store.desk.fills(case.affected.id)
        unknown = [n for n in case.questions.required if n in known and case.is_unknown(known[n].value)]
        audience = self._store.records.audience(case.incident.id, case.affected.id)
        told = any(t.kind == LetterKind.UPDATE for t in audience)
        if not (unknown and told) or case.affected.settled_at is not None:
            return None
        problems: list[JSON] = [["known_now", {"due_by": promise.due_at.isoformat()}]]
        sure = {n: fill for n, fill in known.items() if n not in unknown}
        once = f"promise:{promise.id}:{promise.due_at.isoformat()}"
        return self.ask_again(case, unknown, sure, problems, "", once, now)

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
