"""A client's working calendar: hours by weekday, holidays and half days, in the client's own zone.

Open is what the client's wall says. Whatever the clocks do, each answer is that of somebody who looks at the wall
minute by minute: an hour that is skipped is no working time, one that comes twice is worked twice. Moments are aware;
an answer is in the zone of the moment that was asked about. Whoever never works is not waited for.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from mailflow.domain.hours import DAY, Hours, Stretch, clocks_change, first_showing, last_showing

LOOK_AHEAD = 400  # closed days in a row after which nobody is believed to come back: a year and its longest holidays
A_DAY, NO_TIME = timedelta(days=1), timedelta()
MIDNIGHT = time()


@dataclass(frozen=True, kw_only=True)
class Holidays:
    """Days on which nobody works, and half days: when work ends on them, in minutes after midnight."""

    days: frozenset[date] = frozenset()
    half_days: Mapping[date, int] = field(default_factory=dict, hash=False)

    def cut(self, day: date, stretches: tuple[Stretch, ...]) -> tuple[Stretch, ...]:
        """What is left of a day's work."""
        if day in self.days:
            return ()
        ends = self.half_days.get(day)
        return stretches if ends is None else before(stretches, ends)


NO_HOLIDAYS = Holidays()


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """When somebody works."""

    timezone: str
    hours: Hours
    holidays: Holidays = NO_HOLIDAYS

    def on(self, day: date) -> tuple[Stretch, ...]:
        """When it is open on this day, in order; empty where it is not."""
        return self.holidays.cut(day, self.hours.on(day))

    def until(self, day_ends: int) -> "Calendar":
        """The same with each day's work ending then at the latest, in minutes after midnight.

        A weekday on which all work is later, a night shift's, keeps its hours: it has no other end.
        """
        return replace(self, hours=_until(self.hours, day_ends))

    def is_open(self, moment: datetime) -> bool:
        """Whether it is open at this moment."""
        local = moment.astimezone(ZoneInfo(self.timezone))
        minute = local.hour * 60 + local.minute
        return any(stretch.begins <= minute < stretch.ends for stretch in self.on(local.date()))

    def next_opening(self, moment: datetime) -> datetime:
        """The first moment from this one on at which it is open; this one too where it never is."""
        begins, _ = next(self._open_from(moment), (moment, moment))
        return begins.astimezone(moment.tzinfo)

    def add(self, start: datetime, working: timedelta) -> datetime:
        """The moment at which so much working time has passed since `start`; a day's last moment is its closing."""
        if working <= NO_TIME:
            return start
        for begins, ends in self._open_from(start):
            if ends - begins >= working:
                return (begins + working).astimezone(start.tzinfo)
            working -= ends - begins
        return (start.astimezone(UTC) + working).astimezone(start.tzinfo)

    def working_between(self, begins: datetime, ends: datetime) -> timedelta:
        """How much working time lies between two moments; none where the second is not after the first."""
        passed, ends = NO_TIME, ends.astimezone(UTC)  # two of one zone are compared by the wall, which may lie
        if ends > begins.astimezone(UTC):
            for opened, closed in self._open_from(begins):
                if opened >= ends:
                    break
                passed += min(closed, ends) - opened
        return passed

    def working_day_after(self, moment: datetime, days: int) -> date:
        """The day that is so many working days after the day of `moment`, which itself does not count."""
        day = moment.astimezone(ZoneInfo(self.timezone)).date()
        for _ in range(days):
            ahead = (day + n * A_DAY for n in range(1, LOOK_AHEAD))
            day = next((later for later in ahead if self._worked(later)), day + A_DAY)
        return day

    def end_of_day(self, day: date) -> datetime:
        """The closing of a day, aware UTC; its midnight where it is closed."""
        zone = ZoneInfo(self.timezone)
        stretches = self.on(day)
        wall = datetime.combine(day, MIDNIGHT) + timedelta(minutes=stretches[-1].ends if stretches else DAY)
        closing = last_showing(wall, zone)
        if stretches and not self.is_open(closing - timedelta(microseconds=1)):
            # The clocks skip the last hours: the day ended with what was worked before.
            worked = [ends for _, ends in self._open_on(day)]
            return worked[-1] if worked else closing
        return closing

    def day_of(self, closing: datetime) -> date:
        """The day on which work that ended at this moment was done: midnight is still the day before."""
        return (closing.astimezone(UTC) - timedelta(microseconds=1)).astimezone(ZoneInfo(self.timezone)).date()

    def _worked(self, day: date) -> bool:
        """Whether there is work on this day; none where the clocks skip it, a whole day too."""
        stretches = self.on(day)
        if not stretches:
            return False
        begins = datetime.combine(day, MIDNIGHT) + timedelta(minutes=stretches[0].begins)
        return self._shows(begins) or any(True for _ in self._open_on(day))

    def _shows(self, wall: datetime) -> bool:
        """Whether the wall clock ever shows this local time."""
        there = wall.replace(tzinfo=ZoneInfo(self.timezone)).astimezone(UTC)
        return there.astimezone(ZoneInfo(self.timezone)).replace(tzinfo=None) == wall

    def _open_on(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        """The open stretches of one day, in order, wherever the clocks put it."""
        zone, midnight = ZoneInfo(self.timezone), datetime.combine(day, MIDNIGHT)
        ends = last_showing(midnight + A_DAY, zone)
        for shown, opened, closed in self._walk(first_showing(midnight, zone)):
            if opened >= ends:
                return
            if shown == day and closed > opened:
                yield opened, closed

    def _open_from(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The open stretches from a moment on, in order, the first one cut to it; aware UTC."""
        last = self.day_of(start)
        for shown, opened, closed in self._walk(start):
            if closed > opened:
                last = shown
                yield opened, closed
            elif (shown - last).days > LOOK_AHEAD:
                return

    def _walk(self, start: datetime) -> Iterator[tuple[date, datetime, datetime]]:
        """Each open stretch from a moment on with the day that the wall shows; an empty one for a closed day.

        It goes from midnight to midnight, and halts wherever the clocks change: in between, a wall clock runs true.
        """
        zone = ZoneInfo(self.timezone)
        at = start.astimezone(UTC)
        while True:
            wall = at.astimezone(zone).replace(tzinfo=None)
            day = wall.date()
            midnight = datetime.combine(day, MIDNIGHT)
            ends = at + (midnight + A_DAY - wall)
            ends = clocks_change(at, ends, zone) or ends
            began = at - (wall - midnight)  # when this day began, had the clocks not changed
            nothing = True
            for stretch in self.on(day):
                opened = max(began + timedelta(minutes=stretch.begins), at)
                closed = min(began + timedelta(minutes=stretch.ends), ends)
                if opened < closed:
                    nothing = False
                    yield day, opened, closed
            if nothing:
                yield day, at, at
            at = ends


def before(stretches: tuple[Stretch, ...], ends: int) -> tuple[Stretch, ...]:
    """What of a day's stretches is before a time, in minutes after midnight."""
    return tuple(Stretch(begins=s.begins, ends=min(s.ends, ends)) for s in stretches if s.begins < ends)


@lru_cache(maxsize=256)  # a firm has some dozens of different hours
def _until(hours: Hours, day_ends: int) -> Hours:
    return Hours(week=tuple(before(stretches, day_ends) or stretches for stretches in hours.week))
