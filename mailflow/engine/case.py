"""One client of one incident as the desk sees it: whom to write to, what is known, and how its fields are called."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from mailflow.domain.form import BY_NAME, BY_NUMBER, CATALOGUE, Fill, is_unknown
from mailflow.domain.incident import Affected, Incident, PromiseKind
from mailflow.domain.letters import JSON, ClientView, client_view
from mailflow.domain.moments import past_moment
from mailflow.domain.people import Client, Contact, Wants
from mailflow.domain.policy import Questions
from mailflow.domain.time_words import Names, Phrases, Unclear
from mailflow.engine.setup import Setup
from mailflow.engine.store import Store
from mailflow.writing.words import Times, Words

STARTED, ENDED, IMPACT = (BY_NAME[name].number for name in ("started", "ended", "impact"))


@dataclass(frozen=True, kw_only=True)
class Case:
    """Everything the desk needs about one affected client, fetched once a use case."""

    incident: Incident
    affected: Affected
    contacts: tuple[Contact, ...]  # who the debrief goes to
    promised: datetime | None  # by when the debrief was promised to them; None where nobody of theirs was told
    due: datetime | None  # by when it is due, promised or not
    words: Words  # the liaison's language
    timezone: str  # the liaison's: times of day in her mails are hers
    date_order: str  # the liaison's too: "dmy", "mdy", or "" where it is not known
    footer: str
    told_names: str  # first names of those who were told of it
    questions: Questions
    mates: tuple[Affected, ...] = ()  # the other clients of a storm whom the same liaison answers for: one form for all

    @property
    def first_names(self) -> str:
        """ "John, Ann"."""
        return ", ".join(c.first_name for c in self.contacts)

    def label(self, number: int) -> str:
        """ "[1] What was the problem?"."""
        return f"[{number}] {self._bare_label(number)}"

    def short(self, number: int) -> str:
        """ "recommendations": the field in the middle of a sentence."""
        return self.words.phrase(f"form.short.{BY_NUMBER[number].name}")

    def asked(self, numbers: Sequence[int], prefilled: Mapping[int, str]) -> list[JSON]:
        """Fields as a form shows them."""
        return [{"number": n, "label": self._bare_label(n), "prefilled": prefilled.get(n, "")} for n in numbers]

    def others(self, numbers: Sequence[int]) -> list[JSON]:
        """The rest of the catalogue: what a mail does not ask for can still be answered and corrected by its number."""
        return self.asked([f.number for f in CATALOGUE if f.number not in numbers], {})

    def known(self, now: datetime) -> dict[int, str]:
        """What the record can already say to a field."""
        times = Times.in_zone(self.words, self.timezone, now)
        known = {STARTED: times.day_stamp(self.incident.started_at)}
        if self.incident.ended_at:
            known[ENDED] = times.day_stamp(self.incident.ended_at)
        if self.affected.reporter:
            known[IMPACT] = self.affected.reporter
        return known

    def time(self, number: int, value: str, now: datetime) -> datetime | Unclear | None:
        """A time as the liaison wrote it at `now`, near the one that the record has; None where it is none."""
        near = self.incident.started_at if number == STARTED else self.incident.ended_at or self.incident.started_at
        return past_moment(value, near, now, self.timezone, names_of(self.words), self.date_order)

    def is_unknown(self, value: str) -> bool:
        """Whether an answer says that it is not known yet (S1.14)."""
        return is_unknown(value, self.words.at("form.unknown"))

    def view(self, fills: Mapping[int, Fill]) -> ClientView:
        """What this client's debrief may know, with the liaison's corrections of start and end."""
        started, ended = self.corrected(fills, STARTED), self.corrected(fills, ENDED)
        return client_view(self.incident, self.affected, self.footer, self.promised, started=started, ended=ended)

    def so_far(self) -> list[JSON]:
        """The two or three sentences above the questions."""
        values: dict[str, JSON] = {
            "client": self.affected.client_name,
            "title": self.incident.title,
            "symptom": ["symptom", self.incident.symptom],
            "started_when": self.incident.started_at.isoformat(),
            "ended_at": self.incident.ended_at.isoformat() if self.incident.ended_at else None,
        }
        which = "form_restored" if self.incident.ended_at else "form_open"
        lines: list[JSON] = [[which, values]]
        if self.incident.symptom == "reported":
            opened = "form_reported" if self.affected.reporter else "form_staff"
            lines = [[opened, values | {"reporter": self.affected.reporter}]]
        elif self.affected.reporter and self.affected.reported_at:
            at = self.affected.reported_at.isoformat()
            after = self.incident.ended_at is not None and self.affected.reported_at > self.incident.ended_at
            which = "form_reporter_after" if after else "form_reporter"
            lines.append([which, {"reporter": self.affected.reporter, "reported_at": at}])
        if self.promised:
            names = self.told_names or self.first_names
            which = "form_promise_several" if "," in names else "form_promise"
            lines.append([which, {"names": names, "due_by": self.promised.isoformat()}])
        elif self.due:
            lines.append(["form_due", {"due_by": self.due.isoformat()}])
        if self.mates:
            names = ", ".join(mate.client_name for mate in self.mates)
            lines.append(
                ["form_mates", {"count": len(self.mates) + 1, "names": names, "key": self.mates[0].client_key}]
            )
        return lines

    def _bare_label(self, number: int) -> str:
        return self.words.phrase(f"form.label.{BY_NUMBER[number].name}")

    def corrected(self, fills: Mapping[int, Fill], number: int) -> datetime | None:
        """The time of the start or the end, where she wrote another than the record has."""
        fill = fills.get(number)
        found = self.time(number, fill.value, fill.at) if fill else None
        return None if isinstance(found, Unclear) else found


def open_case(store: Store, setup: Setup, incident: Incident, affected: Affected) -> Case:
    """The case of an affected client."""
    audience = store.records.audience(incident.id, affected.id)
    debrief = store.promises.find(affected.id, PromiseKind.DEBRIEF)
    due = debrief.due_at if debrief else None
    client = setup.directory.client(affected.client_key)
    contacts = {c.address: c for c in client.contacts if c.wants is not Wants.NOTHING} if client else {}
    for told in audience:  # whoever was told of the outage is told of its end (N.3)
        if told.address not in contacts:
            first = told.name.split()[0] if told.name else told.address
            contacts[told.address] = Contact(name=told.name, first_name=first, address=told.address)
    if affected.audience:
        told_too = {told.address for told in audience}
        contacts = {a: c for a, c in _listed(client, contacts).items() if a in affected.audience or a in told_too}
    staff = setup.directory.staff_at(affected.liaison.address)
    return Case(
        incident=incident,
        affected=affected,
        contacts=tuple(contacts.values()),
        promised=due if audience else None,
        due=due,
        words=setup.writer.words(staff.language if staff else affected.language),
        timezone=staff.timezone if staff else affected.timezone,
        date_order=staff.date_order if staff else "",
        footer=setup.policy.footer,
        told_names=", ".join(c.first_name for c in contacts.values() if c.address in {t.address for t in audience}),
        questions=setup.policy.questions(incident.priority),
        mates=tuple(a for a in group(store, affected) if a.id != affected.id),
    )


def names_of(words: Words) -> Names:
    """How a language speaks of days and times; English where it brings no words around them."""
    table = words.table.get("announcement", {})
    phrases = Phrases(**{f.name: tuple(table[f.name]) for f in fields(Phrases) if f.name in table})
    return Names(days=words.at("time.days"), months=words.at("time.months"), phrases=phrases)


def not_understood(value: str, doubt: Unclear | None, otherwise: str = "bad_time") -> JSON:
    """The sentence about a time that was not understood; `otherwise` where there is not even a doubt."""
    return [f"unclear_{doubt.reason}", {"said": doubt.text}] if doubt else [otherwise, {"value": value}]


def _listed(client: Client | None, contacts: Mapping[str, Contact]) -> dict[str, Contact]:
    """Every contact of the client's, whatever letters it wants: a liaison may name any of them."""
    return {**({c.address: c for c in client.contacts} if client else {}), **contacts}


def group(store: Store, affected: Affected) -> list[Affected]:
    """The clients of one incident whom one liaison owes a debrief: they share its form, which the first one's shows."""
    return [
        other
        for other in store.records.affected_of(affected.incident_id)
        if other.id == affected.id or (other.liaison.address == affected.liaison.address and other.settled_at is None)
    ]
