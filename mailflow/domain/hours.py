"""A week's working hours, and when a wall clock comes to show a time, also where clocks skip it or show it twice."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

DAY = 24 * 60  # minutes that a wall clock shows in a day


@dataclass(frozen=True, kw_only=True, order=True)
class Stretch:
    """From one local time to another on the same day, in minutes after midnight; `ends` is not part of it."""

    begins: int
    ends: int  # 1440 is the end of the day


@dataclass(frozen=True, kw_only=True)
class Hours:
    """When somebody works, week after week; domain.calendar knows the holidays."""

    week: tuple[tuple[Stretch, ...], ...]  # Monday first, seven days, each in order of the day

    def on(self, day: date) -> tuple[Stretch, ...]:
        """When it is open on such a day, in order; empty where it is not."""
        return self.week[day.weekday()]


_ALL_DAY = (Stretch(begins=0, ends=DAY),)
ALWAYS = Hours(week=(_ALL_DAY,) * 7)
WEEKDAYS = Hours(week=(*(_ALL_DAY,) * 5, (), ()))  # what is counted on where nobody has said when they work


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
