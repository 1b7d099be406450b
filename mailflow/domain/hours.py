"""A client's working hours, and when a wall clock comes to show a time, also where clocks skip it or show it twice.

Open is what the client's wall says. Whatever the clocks do, an answer here is the same as that of somebody who looks
at the wall minute by minute. Moments are aware; an answer is in the zone of the moment that was asked about.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAY = 24 * 60  # minutes that a wall clock shows in a day
LOOK_AHEAD = 400  # days in which the next opening is looked for: a year and its longest holidays


@dataclass(frozen=True, kw_only=True, order=True)
class Stretch:
    """From one local time to another on the same day, in minutes after midnight; `ends` is not part of it."""

    begins: int
    ends: int  # 1440 is the end of the day


@dataclass(frozen=True, kw_only=True)
class Hours:
    """When a client works. A week, for now; whoever asks about a day asks `on`, where holidays can come in."""

    week: tuple[tuple[Stretch, ...], ...]  # Monday first, seven days, each in order of the day

    def on(self, day: date) -> tuple[Stretch, ...]:
        """When it is open on this day, in order; empty where it is not."""
        return self.week[day.weekday()]


ALWAYS = Hours(week=((Stretch(begins=0, ends=DAY),),) * 7)


def is_open(hours: Hours, moment: datetime, timezone: str) -> bool:
    """Whether the client works at this moment."""
    local = moment.astimezone(ZoneInfo(timezone))
    minute = local.hour * 60 + local.minute
    return any(stretch.begins <= minute < stretch.ends for stretch in hours.on(local.date()))


def next_opening(hours: Hours, moment: datetime, timezone: str) -> datetime:
    """The first moment from this one on at which the client works; this one too where it never does."""
    zone = ZoneInfo(timezone)
    at = moment.astimezone(UTC)
    while not is_open(hours, at, timezone):
        wall = at.astimezone(zone).replace(tzinfo=None)
        begins = _next_begin(hours, wall)
        if begins is None:
            return moment
        opening = at + (begins - wall)
        change = clocks_change(at, opening, zone)
        if change is None:
            return opening.astimezone(moment.tzinfo)
        at = change  # the wall shows something else from here on: look again
    return at.astimezone(moment.tzinfo)


def first_showing(wall: datetime, zone: ZoneInfo) -> datetime:
    """When a wall clock first shows this naive local time or, where the clocks skip it, what comes after; aware UTC."""
    first, second = _both(wall, zone)
    return first if first <= second else clocks_change(second, first, zone) or first


def last_showing(wall: datetime, zone: ZoneInfo) -> datetime:
    """The moment before which a wall clock showed an earlier time for the last time; aware UTC.

    An end that the clocks show twice is the second one, so that all that is before it on the wall is before it.
    """
    first, second = _both(wall, zone)
    if first > second:
        return clocks_change(second, first, zone) or first
    before = (second - timedelta(minutes=1)).astimezone(zone).replace(tzinfo=None)
    return second if before < wall else first


def clocks_change(after: datetime, until: datetime, zone: ZoneInfo) -> datetime | None:
    """The moment in (after, until] from which on the clocks of this zone stand otherwise than at `after`, if any."""
    offset = after.astimezone(zone).utcoffset()
    if until.astimezone(zone).utcoffset() == offset:
        return None
    same, other = int(after.timestamp()), int(until.timestamp())
    while other - same > 1:
        middle = (same + other) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == offset:
            same = middle
        else:
            other = middle
    return datetime.fromtimestamp(other, UTC)


def _both(wall: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """What a local time can mean: the same moment twice, or the earlier first if shown twice, the later if skipped."""
    return (
        wall.replace(tzinfo=zone, fold=0).astimezone(UTC),
        wall.replace(tzinfo=zone, fold=1).astimezone(UTC),
    )


def _next_begin(hours: Hours, wall: datetime) -> datetime | None:
    """The next time on the wall, after this one, at which a stretch begins."""
    for ahead in range(LOOK_AHEAD):
        day = datetime.combine(wall.date() + timedelta(days=ahead), time())
        for stretch in hours.on(day.date()):
            begins = day + timedelta(minutes=stretch.begins)
            if begins > wall:
                return begins
    return None
