"""Somebody who looks at a client's wall minute by minute and keeps a tally: slow, and obviously right."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from mailflow.domain.calendar import Calendar

CHICAGO = "America/Chicago"
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
Pauses = list[tuple[datetime, datetime]]
# When clocks change: an hour at two in the night, half an hour, at midnight in both directions, and a whole day.
CHANGES = [
    (CHICAGO, datetime(2026, 3, 8, 8, tzinfo=UTC)),
    (CHICAGO, datetime(2026, 11, 1, 7, tzinfo=UTC)),
    ("Europe/London", datetime(2026, 3, 29, 1, tzinfo=UTC)),
    ("Europe/London", datetime(2026, 10, 25, 1, tzinfo=UTC)),
    ("Pacific/Auckland", datetime(2026, 4, 4, 14, tzinfo=UTC)),
    ("Pacific/Auckland", datetime(2026, 9, 26, 14, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 15, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 10, 3, 15, 30, tzinfo=UTC)),
    ("Africa/Cairo", datetime(2026, 4, 23, 22, tzinfo=UTC)),
    ("Africa/Cairo", datetime(2026, 10, 29, 21, tzinfo=UTC)),
    ("America/Havana", datetime(2026, 3, 8, 5, tzinfo=UTC)),
    ("America/Havana", datetime(2026, 11, 1, 5, tzinfo=UTC)),
    ("Pacific/Apia", datetime(2011, 12, 30, 10, tzinfo=UTC)),
    ("Asia/Kolkata", datetime(2026, 3, 8, 8, tzinfo=UTC)),  # where they never do
]
# A minute after midnight, so that a day comes back that was over.
MINUTE_AFTER = [
    ("America/St_Johns", datetime(2010, 3, 14, 3, 31, tzinfo=UTC)),
    ("America/St_Johns", datetime(2010, 11, 7, 2, 31, tzinfo=UTC)),
]


def at(text: str, zone: str = CHICAGO) -> datetime:
    """A moment as it is written on a wall."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@cache
def shown(zone: str, begins: datetime) -> list[tuple[datetime, date, int]]:
    """Each minute of 24 hours, with the day and the minute of the day that the wall shows."""
    walls = ((minute, minute.astimezone(ZoneInfo(zone))) for minute in (begins + n * MINUTE for n in range(1440)))
    return [(minute, wall.date(), wall.hour * 60 + wall.minute) for minute, wall in walls]


def minutes(zone: str, start: datetime, days: int) -> Iterator[tuple[datetime, date, int]]:
    """Each minute from a moment on."""
    midnight = start.replace(hour=0, minute=0)
    for n in range(days + 1):
        yield from (one for one in shown(zone, midnight + n * DAY) if one[0] >= start)


def works(client: Calendar, day: date, day_ends: int | None) -> set[int]:
    """The minutes of a day in which the client works; `day_ends` where no later work counts."""
    stretches = client.hours.week[day.weekday()]
    if day in client.holidays.days:
        return set()
    ends = client.holidays.half_days.get(day, 1440)
    if day_ends is not None and any(s.begins < day_ends for s in stretches):
        ends = min(ends, day_ends)
    return {minute for s in stretches for minute in range(s.begins, s.ends) if minute < ends}


def tally(client: Calendar, start: datetime, days: int, day_ends: int | None = None) -> list[tuple[datetime, date]]:
    """Every minute of work from a moment on, with its day."""
    found: list[tuple[datetime, date]] = []
    known: dict[date, set[int]] = {}
    for minute, day, at in minutes(client.timezone, start, days):
        if day not in known:
            known[day] = works(client, day, day_ends)
        if at in known[day]:
            found.append((minute, day))
    return found


def outside(worked: list[tuple[datetime, date]], pauses: Pauses) -> list[tuple[datetime, date]]:
    """What of it was not paused."""
    return [(m, day) for m, day in worked if not any(begins <= m < ends for begins, ends in pauses)]


def due_after(client: Calendar, start: datetime, working: timedelta, pauses: Pauses, days: int) -> datetime | None:
    """When so many minutes of work have passed outside the pauses, if within these days."""
    left = outside(tally(client, start, days), pauses)
    count = working // MINUTE
    return left[count - 1][0] + MINUTE if len(left) >= count else None


def due_by(
    client: Calendar, start: datetime, working_days: int, day_ends: int, pauses: Pauses, days: int
) -> datetime | None:
    """The end of the day on which as much work has passed outside the pauses as lies in so many working days."""
    worked = tally(client, start, days, day_ends)
    today = start.astimezone(ZoneInfo(client.timezone)).date()
    coming = sorted({day for _, day in worked if day > today})
    if len(coming) <= working_days:  # one more, so that the last one is there to its end
        return None
    until = max(n for n, (_, day) in enumerate(worked) if day == coming[working_days - 1])
    left = outside(worked, pauses)
    if len(left) <= until + 1:
        return None
    (_, last) = left[until]
    if last >= coming[-1]:
        return None
    return max(m for m, day in worked if day == last) + MINUTE
