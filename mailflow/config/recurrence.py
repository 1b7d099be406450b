"""How an event of a calendar file repeats (RRULE, RFC 5545 3.3.10), as days.

Promises: what is not understood raises ValueError in plain words; however a rule is made, working it out is bounded.
Rules are worked out here, since libraries go on to the year 9999 for a rule that no day fits.
"""

import calendar
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from icalendar.prop import vRecur

from mailflow.config.notation import shown
from mailflow.domain.maintenance import WEEK

MAX_DAYS = 100_000  # that all rules of a calendar together may look at: about a second
MAX_INTERVAL = 1_000
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
UNDERSTOOD = frozenset({"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS"})
CLOCK = (("BYHOUR", "hour"), ("BYMINUTE", "minute"), ("BYSECOND", "second"))  # understood where it repeats DTSTART


@dataclass(kw_only=True)
class Work:
    """How much may still be done for a calendar."""

    days: int = MAX_DAYS

    def take(self, days: int) -> None:
        """Look at so many days; ValueError where that is too much."""
        self.days -= days
        if self.days < 0:
            raise ValueError("repeats for too long to be worked out; let it begin later")


@dataclass(frozen=True, kw_only=True)
class Rule:
    """How an event repeats."""

    often: str
    interval: int = 1
    count: int | None = None
    until: date | datetime | None = None
    week_begins: int = 0
    weekdays: tuple[tuple[int, int], ...] = ()  # (which, weekday): (0, 0) each Monday, (-1, 4) the last Friday
    monthdays: tuple[int, ...] = ()
    months: tuple[int, ...] = ()
    positions: tuple[int, ...] = ()

    def days(self, start: date, seen: date, last: date, work: Work) -> Iterator[date]:
        """The days up to `last`, in order; those long before `seen` may be missing where nobody counts."""
        for period in self._periods(start, seen if self.count is None else start, last):
            work.take(len(period))
            days = [day for day in period if self._fits(day, start)]
            if self.positions:
                places = {p - 1 if p > 0 else len(days) + p for p in self.positions}
                days = [day for place, day in enumerate(days) if place in places]
            yield from (day for day in days if start <= day <= last)

    def _periods(self, start: date, seen: date, last: date) -> Iterator[Sequence[date]]:
        if self.often in ("DAILY", "WEEKLY"):
            length = 1 if self.often == "DAILY" else WEEK
            begin = start - timedelta(days=(start.weekday() - self.week_begins) % length)
            step = length * self.interval
            begin += timedelta(days=max(0, (seen - begin).days // step) * step)
            while begin <= last:
                yield [begin + timedelta(days=n) for n in range(length)]
                begin += timedelta(days=step)
        else:
            length = 1 if self.often == "MONTHLY" else 12
            month = start.year * 12 + (start.month - 1 if length == 1 else 0)
            step = length * self.interval
            month += max(0, (seen.year * 12 + seen.month - 1 - month) // step) * step
            while month <= last.year * 12 + last.month - 1:
                yield [day for n in range(month, month + length) for day in _month(n)]
                month += step

    def _fits(self, day: date, start: date) -> bool:
        free = not (self.weekdays or self.monthdays)
        months = self.months or ((start.month,) if free and self.often == "YEARLY" else ())
        monthdays = self.monthdays or ((start.day,) if free and self.often in ("MONTHLY", "YEARLY") else ())
        weekdays = self.weekdays or (((0, start.weekday()),) if free and self.often == "WEEKLY" else ())
        length = calendar.monthrange(day.year, day.month)[1]
        if (months and day.month not in months) or (monthdays and not {day.day, day.day - length - 1} & {*monthdays}):
            return False
        if not weekdays:
            return True
        place = day.day
        if self.often == "YEARLY" and not self.months:
            place, length = day.timetuple().tm_yday, 365 + calendar.isleap(day.year)
        which = {0, (place - 1) // WEEK + 1, -((length - place) // WEEK + 1)}
        return any(weekday == day.weekday() and n in which for n, weekday in weekdays)


def read_rule(text: str, begins: datetime) -> Rule:
    """How an event repeats; ValueError for what is not understood."""
    try:
        said = {key.upper(): values for key, values in vRecur.from_ical(text).items()}
    except ValueError as error:
        raise ValueError(f"{shown(text)} is no RRULE; correct it") from error
    try:
        often = str(said["FREQ"][0])
        if often not in ("DAILY", "WEEKLY", "MONTHLY", "YEARLY"):
            raise ValueError(f"repeats {often.lower()}, more often than once a day; make it days, weeks or months")
        odd = said.keys() - UNDERSTOOD - {key for key, unit in CLOCK if said.get(key) == [getattr(begins, unit)]}
        weekdays = tuple((int(day[:-2] or 0), WEEKDAYS.index(day[-2:].upper())) for day in said.get("BYDAY", []))
        if often in ("DAILY", "WEEKLY") and any(which for which, _ in weekdays):
            odd.add("BYDAY")
        if odd:
            raise ValueError(f"repeats by {', '.join(sorted(odd))}, which is not understood; repeat it otherwise")
        interval, count = (said.get(key, [None])[0] for key in ("INTERVAL", "COUNT"))
        until = said.get("UNTIL", [None])[0]
        if not (interval is None or 1 <= interval <= MAX_INTERVAL) or not (count is None or count >= 1):
            raise KeyError
        if not isinstance(until, date | None):
            raise KeyError
        return Rule(
            often=often,
            interval=interval or 1,
            count=count,
            until=until,
            week_begins=WEEKDAYS.index(str(said.get("WKST", ["MO"])[0])),
            weekdays=weekdays,
            monthdays=tuple(int(n) for n in said.get("BYMONTHDAY", [])),
            months=tuple(int(n) for n in said.get("BYMONTH", [])),
            positions=tuple(int(n) for n in said.get("BYSETPOS", [])),
        )
    except (LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"{shown(text)} is no RRULE; correct it") from error


def _month(number: int) -> list[date]:
    """The days of a month that is counted from year 0."""
    year, month = divmod(number, 12)
    return [date(year, month + 1, day) for day in range(1, calendar.monthrange(year, month + 1)[1] + 1)]
