"""When a wall clock comes to show a time, whatever the clocks do."""

from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from mailflow.domain.hours import first_showing, last_showing
from tests.domain.wall import CHANGES, MINUTE


@cache
def shown(zone: str, change: datetime) -> list[tuple[datetime, datetime]]:
    """Each minute of some days, and what the wall shows at it."""
    minutes = (change + n * MINUTE for n in range(-4_000, 4_000))
    return [(minute, minute.astimezone(ZoneInfo(zone)).replace(tzinfo=None)) for minute in minutes]


@settings(deadline=None, max_examples=100)
@given(st.sampled_from(CHANGES), st.integers(-2_000, 2_000))
def test_when_the_wall_shows_a_time(change: tuple[str, datetime], minutes: int) -> None:
    """From the first showing on the wall shows that time or later; from the last on it never shows an earlier one."""
    zone, changed = change
    wall = changed.astimezone(ZoneInfo(zone)).replace(tzinfo=None) + minutes * MINUTE
    assert first_showing(wall, ZoneInfo(zone)) == next(m for m, s in shown(zone, changed) if s >= wall)
    assert last_showing(wall, ZoneInfo(zone)) == MINUTE + max(m for m, s in shown(zone, changed) if s < wall)
