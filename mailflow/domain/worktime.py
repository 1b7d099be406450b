"""When things are due, in plain hours and days: the client's working calendar will take this module's place."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

SATURDAY = 5


def due_by_day(now: datetime, within: timedelta, timezone: str, day_ends: str) -> datetime:
    """The end of the local day on which `within` has passed, moved from a weekend to Monday; aware UTC.

    A letter says "by Thursday", so Thursday's end is when it is due, not the minute of the alert.
    """
    zone = ZoneInfo(timezone)
    day = (now + within).astimezone(zone).date()
    while day.weekday() >= SATURDAY:
        day += timedelta(days=1)
    return datetime.combine(day, clock_time(day_ends), zone).astimezone(now.tzinfo)


def next_local(now: datetime, timezone: str, at: str) -> datetime:
    """The moment of today's local `at` ("08:00") in `timezone`, past or future; aware UTC."""
    local = now.astimezone(ZoneInfo(timezone))
    return datetime.combine(local.date(), clock_time(at), ZoneInfo(timezone)).astimezone(now.tzinfo)


def clock_time(text: str) -> time:
    """ "17:00" as a time; ValueError where it is none."""
    hour, _, minute = text.partition(":")
    return time(int(hour), int(minute))
