"""Who is there: only a present liaison signs, and what an absent one promised moves to who stands in."""

import re
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import structlog

from mailflow.domain.decisions import Obey
from mailflow.domain.incident import Entry
from mailflow.domain.letters import JSON
from mailflow.domain.moments import coming_moment
from mailflow.domain.people import Client, Role, Staff
from mailflow.domain.time_words import Unclear
from mailflow.engine.case import names_of, not_understood
from mailflow.engine.mailroom import Inbound
from mailflow.engine.post import Post, address_of
from mailflow.engine.setup import Setup
from mailflow.engine.store import Store
from mailflow.engine.times import OUT_OF_OFFICE, Absence

log = structlog.get_logger()

FAR = timedelta(days=3650)
FIGURES, MONTHS = re.compile(r"(\d{1,2})[/.-](\d{1,2})\b"), 12
# Between two days, and before a single one that is the last.
BETWEEN = re.compile(r"\s+(?:until|till|to)\s+|\s*[-–—]\s*", re.IGNORECASE)
UNTIL = re.compile(r"(?:until|till|to)\s+", re.IGNORECASE)


class Presence:
    """Knows who is there, and hands over where somebody is not."""

    def __init__(self, store: Store, setup: Setup, post: Post) -> None:
        self._store, self._setup, self._post = store, setup, post

    def liaison_of(self, client: Client, now: datetime) -> Staff:
        """Who signs for a client now."""
        return self.stand_in(self._setup.liaison_of(client), now)

    def stand_in(self, staff: Staff, now: datetime) -> Staff:
        """`staff`, if there; else who stands in, if there; else `staff` all the same: somebody has to sign."""
        away = {absence.address: absence for absence in reversed(self._store.absences.current(now))}
        if staff.address not in away:
            return staff
        tried = {staff.address}
        one = staff
        while absence := away.get(one.address):
            after = self._setup.directory.staff_at(absence.deputy or one.deputy)
            if after is None or after.address in tried:
                return self._anybody(away) or staff
            tried.add(after.address)
            one = after
        return one

    def _anybody(self, away: dict[str, Absence]) -> Staff | None:
        there = [s for s in self._setup.directory.staff if s.role is Role.LIAISON and s.address not in away]
        return there[0] if there else None

    def away(self, obey: Obey, inbound: Inbound) -> JSON:
        """AWAY 24/12-2/1 Paul: from when to when, and who stands in."""
        staff, said = obey.staff, obey.command.argument.strip()
        read = self._days(staff, said, inbound.received_at)
        if not isinstance(read, tuple) or read[0] >= read[1]:
            read = None if isinstance(read, tuple) else read
            return not_understood(said, read, "bad_day") if said else ["away_when", {}]
        begins, ends, rest = read
        deputy = self._setup.directory.staff_called(rest)
        if rest and (deputy is None or deputy.role is Role.COLLEAGUE or deputy.address == staff.address):
            known = ", ".join(s.name for s in self._setup.directory.staff if s.role is not Role.COLLEAGUE)
            return ["who_of_ours", {"word": rest[:60], "known": known}]
        absence = Absence(address=staff.address, begins=begins, ends=ends, deputy=deputy.address if deputy else "")
        self._store.absences.put(absence, inbound.id)
        stands = deputy or self._setup.directory.staff_at(staff.deputy)
        last = ends - timedelta(minutes=1)
        values: dict[str, JSON] = {"begins_date": begins.isoformat(), "last_date": last.isoformat()}
        return ["away", {**values, "name": stands.name}] if stands else ["away_nobody", values]

    def _days(self, staff: Staff, said: str, wrote: datetime) -> tuple[datetime, datetime, str] | Unclear | None:
        """Two days, or one, and what follows; the whole days of their own zone."""
        words, zone = self._setup.writer.words(staff.language), ZoneInfo(staff.timezone)

        def day(text: str, after: datetime, order: str) -> tuple[datetime, str] | Unclear | None:
            return coming_moment(text, after, staff.timezone, names_of(words), order, "23:59")

        only_end = UNTIL.match(said)
        halves = [UNTIL.sub("", said)] if only_end else BETWEEN.split(said, maxsplit=1)
        order = staff.date_order or next(filter(None, map(_order, halves)), "")  # 24/12 tells how 2/1 is meant
        first = day(halves[0], wrote, order)
        if not isinstance(first, tuple):
            return first
        begins, rest = first
        second = day(halves[1], begins, order) if len(halves) > 1 else None
        if isinstance(second, Unclear):
            return second
        last, rest = second if second else (begins, rest)
        midnight = datetime.combine(last.astimezone(zone).date() + timedelta(days=1), time(), zone)
        start = datetime.combine(begins.astimezone(zone).date(), time(), zone)
        begins = wrote if only_end else max(wrote, start.astimezone(wrote.tzinfo))
        return begins, midnight.astimezone(wrote.tzinfo), rest.strip(" ,;:.")

    def back(self, staff: Staff, now: datetime) -> JSON:
        """BACK: somebody is there again; what has moved stays where it is."""
        return ["back" if self._store.absences.end(staff.address, now) else "back_already", {}]

    def writes(self, staff: Staff, now: datetime) -> None:
        """Who writes is there, whatever their answering machine said."""
        self._store.absences.end(staff.address, now, OUT_OF_OFFICE)

    def out_of_office(self, staff: Staff, inbound: Inbound, now: datetime) -> None:
        """Their answering machine answered one of our letters: they are away until they write."""
        if any(absence.address == staff.address for absence in self._store.absences.current(now)):
            return
        self._store.absences.put(Absence(address=staff.address, begins=now, why=OUT_OF_OFFICE), inbound.id)

    def tick(self, now: datetime) -> dict[int, Staff]:
        """What somebody who is away has promised goes to who stands in, and they are told: the affected clients that
        moved, and to whom."""
        moved: dict[int, Staff] = {}
        for absence in self._store.absences.begun(now):
            self._store.absences.moved(absence.id, now)
            staff = self._setup.directory.staff_at(absence.address)
            if staff is None or staff.role is Role.COLLEAGUE:
                continue
            stands = self.stand_in(staff, now)
            if stands.address == staff.address:
                self._say_nobody(staff, absence, now)
                continue
            moved |= dict.fromkeys(self._hand_over(staff, stands, absence, now), stands)
            log.info("away", who=staff.address, stands_in=stands.address)
        return moved

    def _hand_over(self, staff: Staff, stands: Staff, absence: Absence, now: datetime) -> set[int]:
        """Her clients with all that they are owed, and single promises that she keeps for somebody else's client."""
        lines: list[JSON] = [["stands_in", {"name": staff.name}]]
        moved: set[int] = set()
        open_ = [*self._store.promises.open(now + FAR), *self._store.promises.waiting()]
        for owed in [x for x in open_ if x.promise.owner == staff.address]:
            incident, affected = owed.incident, owed.affected
            hers = affected.liaison.address == staff.address
            if not hers:
                self._store.promises.hand_over(owed.promise.id, stands)
            elif affected.id in moved:
                continue
            else:
                moved.add(affected.id)
                self._store.records.assign(affected.id, stands)
            what = "" if hers else owed.promise.what
            text = f"{staff.name} (away) to {stands.name}{what and ': '}{what}"
            self._store.records.note(incident.id, Entry(at=now, what="assigned", author="mailflow", text=text))
            values: dict[str, JSON] = {"client": affected.client_name, "title": incident.title}
            due = owed.promise.due_at.isoformat()
            line = "stands_in_action" if what else "stands_in_for"
            lines.append([line, {**values, "what": what, "reference": incident.reference, "due_by": due}])
        if len(lines) == 1:
            lines = [["stands_in_none", {"name": staff.name}]]
        key, recipient = f"stands-in:{absence.id}", address_of(stands)
        self._post.notice(["stands_in", {"name": staff.name}], lines, recipient, key=key, now=now)
        return moved

    def _say_nobody(self, staff: Staff, absence: Absence, now: datetime) -> None:
        values: dict[str, JSON] = {"name": staff.name}
        key, recipient = f"nobody-stands-in:{absence.id}", self._setup.administrator
        self._post.notice(["nobody_stands_in", values], [["nobody_stands_in", values]], recipient, key=key, now=now)


def _order(text: str) -> str:
    """The order of a date's figures, where they tell it: 24/12 has the day first."""
    figures = FIGURES.match(text.strip())
    if figures is None:
        return ""
    return "dmy" if int(figures[1]) > MONTHS else "mdy" if int(figures[2]) > MONTHS else ""
