"""Planned work: the windows in which trouble of a thing is expected, once or again and again.

Whatever is asked is answered with a concrete window, with its own beginning and end. A window covers [begins, ends);
a recurring one is what the wall shows in its zone, so in the hour that the clocks show twice it goes on to the second.
What a liaison announces in a mail is read in domain.announcement.
"""

import fnmatch
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from mailflow.domain.hours import first_showing, last_showing
from mailflow.domain.worktime import clock_time

WEEK = 7
LAST = -1  # among the weeks of a month
AROUND = 3  # days before a moment in which a window that covers it may have begun: one long, and any clock's leap
LOOK_BACK = timedelta(days=400)  # no end is told longer afterwards, however long the service stood still


@dataclass(frozen=True, kw_only=True)
class Window:
    """Work that is planned once."""

    client: str = ""  # key; empty: every client
    things: tuple[str, ...] = ()  # names and hosts, with * and ?, compared without case; empty: everything
    begins: datetime  # aware
    ends: datetime  # aware, not part of it
    why: str = ""
    source: str = ""  # where it is written, for a person to find it


@dataclass(frozen=True, kw_only=True)
class Recurring:
    """Work that is planned for certain days again and again."""

    client: str = ""
    things: tuple[str, ...] = ()
    days: tuple[int, ...]  # weekdays on which it begins, Monday is 0
    weeks: tuple[int, ...] = ()  # which of these days in the month: 1 the first, -1 the last; empty: each
    begins: str  # local, "22:00"
    ends: str  # local, on the next day where it is no later than `begins`
    timezone: str
    first: date | None = None  # the first day on which it may begin
    last: date | None = None  # and the last one
    why: str = ""
    source: str = ""

    def begins_on(self, day: date) -> bool:
        """Whether it begins on this local day."""
        if (self.first and day < self.first) or (self.last and day > self.last) or day.weekday() not in self.days:
            return False
        is_last = (day + timedelta(days=WEEK)).month != day.month
        return not self.weeks or (day.day - 1) // WEEK + 1 in self.weeks or (is_last and LAST in self.weeks)

    def window(self, day: date) -> Window | None:
        """The window that begins on this local day; None where it is no such day, or the clocks skip all of it."""
        if not self.begins_on(day):
            return None
        begins, ends = clock_time(self.begins), clock_time(self.ends)
        until = day if begins < ends else day + timedelta(days=1)
        zone = ZoneInfo(self.timezone)
        window = Window(
            client=self.client,
            things=self.things,
            begins=first_showing(datetime.combine(day, begins), zone),
            ends=last_showing(datetime.combine(until, ends), zone),
            why=self.why,
            source=self.source,
        )
        return window if window.begins < window.ends else None


def covering(
    windows: Iterable[Window | Recurring], client: str, hosts: Sequence[str], moment: datetime
) -> Window | None:
    """The window in which a thing of a client is at this moment; of several, the one that ends last.

    `hosts` is every way in which the thing may be spelt: hosts, and names of its component.
    """
    found = [
        window
        for planned in windows
        if planned.client in ("", client) and (not planned.things or spelt_like(planned.things, hosts))
        for window in _between(planned, moment, moment)
        if window.begins <= moment < window.ends
    ]
    return max(found, key=lambda window: window.ends, default=None)


def ending_between(windows: Iterable[Window | Recurring], after: datetime, until: datetime) -> tuple[Window, ...]:
    """The windows that ended in (after, until], oldest first, and at most 400 days back."""
    after = max(after, until - LOOK_BACK)
    found = (window for planned in windows for window in _between(planned, after, until))
    return tuple(sorted((w for w in found if after < w.ends <= until), key=lambda window: window.ends))


def spelt_like(patterns: Iterable[str], spellings: Iterable[str]) -> bool:
    """Whether any spelling fits any pattern; * is any text, ? any character, and nothing else is special."""
    folded = [spelling.casefold() for spelling in spellings if spelling]
    exact = (pattern.casefold().replace("[", "[[]") for pattern in patterns)
    return any(fnmatch.fnmatchcase(spelling, pattern) for pattern in exact for spelling in folded)


def _between(planned: Window | Recurring, after: datetime, until: datetime) -> Iterator[Window]:
    """Its concrete windows: at least those that are open at any moment of [after, until]."""
    if isinstance(planned, Window):
        yield planned
        return
    zone = ZoneInfo(planned.timezone)
    day = after.astimezone(zone).date() - timedelta(days=AROUND)
    while day <= until.astimezone(zone).date():
        if window := planned.window(day):
            yield window
        day += timedelta(days=1)
