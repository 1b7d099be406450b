"""Mails that must come: their absence is trouble, told once."""

from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailflow.domain.expected import Expected, Missed, due, matches
from mailflow.domain.mail import Event
from mailflow.domain.vocabulary import Class, Severity, State
from tests.domain.wall import CHANGES, CHICAGO, MINUTE, at

WEEKDAYS, EVERY_DAY = tuple(range(5)), tuple(range(7))
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def nightly(
    *, by: str = "08:00", days: tuple[int, ...] = EVERY_DAY, timezone: str = CHICAGO, recipe: str = "veeam"
) -> Expected:
    """A nightly backup, half an hour of grace."""
    return Expected(
        name="nightly backup",
        client="northwind",
        recipe=recipe,
        matches=("Nightly*",),
        by=by,
        days=days,
        timezone=timezone,
        grace=timedelta(minutes=30),
        severity=Severity.HIGH,
    )


def event(state: State = State.RECOVERY, recipe: str = "veeam", **fields: str) -> Event:
    """One thing that an alert mail reports."""
    return Event(
        recipe=recipe,
        state=state,
        severity=Severity.INFO,
        class_=Class.BACKUP,
        symptom="backup_failed",
        key="x",
        names=("NW-BK01",),
        fields=fields,
    )


@pytest.mark.parametrize(
    ("one", "is_it"),
    [
        pytest.param(event(service="NIGHTLY files"), True, id="by-service"),
        pytest.param(event(host="nightly.northwind.example"), True, id="by-host"),
        pytest.param(event(State.INFO, service="Nightly files"), True, id="good-news"),
        pytest.param(event(State.PROBLEM, service="Nightly files"), False, id="a-failure"),
        pytest.param(event(State.UPDATE, service="Nightly files"), False, id="an-update"),
        pytest.param(event(State.TEST, service="Nightly files"), False, id="a-test"),
        pytest.param(event(service="Weekly files"), False, id="another-job"),
        pytest.param(event(detail="Nightly files"), False, id="not-in-the-detail"),
        pytest.param(event(recipe="acronis", service="Nightly files"), False, id="another-tool"),
    ],
)
def test_which_mail_is_the_success(one: Event, is_it: bool) -> None:
    """N.12: only a success of that very job keeps the alert away."""
    assert matches(nightly(), one) is is_it


def test_a_job_known_by_the_recipes_names_or_of_any_tool() -> None:
    """N.12: what a recipe takes for a client's name serves too, and without a recipe any tool's success does."""
    by_name = Expected(
        name="backup",
        client="northwind",
        matches=("nw-bk??",),
        by="08:00",
        days=EVERY_DAY,
        timezone=CHICAGO,
        grace=timedelta(minutes=30),
        severity=Severity.HIGH,
    )
    assert matches(by_name, event(recipe="acronis"))
    assert matches(by_name, event(recipe="veeam"))


@pytest.mark.parametrize(
    ("success", "now", "missed"),
    [
        pytest.param("2026-11-24 03:00", "2026-11-24 09:00", None, id="came"),
        pytest.param("2026-11-23 03:00", "2026-11-24 08:29:59", None, id="within-the-grace"),
        pytest.param("2026-11-23 03:00", "2026-11-24 08:30", "2026-11-24 08:00", id="missed"),
        pytest.param(None, "2026-11-24 08:30", "2026-11-24 08:00", id="never-came"),
        pytest.param("2026-11-24 12:00", "2026-11-24 12:01", None, id="came-late"),
        pytest.param("2026-11-23 08:20", "2026-11-24 09:00", "2026-11-24 08:00", id="late-for-the-day-before"),
        pytest.param("2026-11-23 22:00", "2026-11-24 09:00", None, id="the-evening-before"),
        pytest.param("2026-11-10 03:00", "2026-11-24 09:00", "2026-11-24 08:00", id="after-two-weeks-one-alert"),
        pytest.param("2026-11-10 03:00", "2026-11-24 07:00", "2026-11-23 08:00", id="the-newest-that-passed"),
    ],
)
def test_what_is_missed(success: str | None, now: str, missed: str | None) -> None:
    """N.12: told when its time and the grace have passed without it, by the newest deadline alone."""
    found = due(nightly(), at(success) if success else None, at(now), LONG_AGO)
    expected = missed and Missed(expected=nightly(), deadline=at(missed), last_success=at(success) if success else None)
    assert found == (expected or None)


def test_only_on_its_days() -> None:
    """N.12: a backup of working days is not missed on a Sunday, and Friday night's serves Monday morning."""
    job = nightly(days=WEEKDAYS)
    assert due(job, at("2026-11-27 03:00"), at("2026-11-29 12:00"), LONG_AGO) is None
    assert due(job, at("2026-11-27 23:00"), at("2026-11-30 12:00"), LONG_AGO) is None
    monday = due(job, at("2026-11-27 03:00"), at("2026-11-30 12:00"), LONG_AGO)
    assert monday
    assert monday.deadline == at("2026-11-30 08:00")


def test_not_before_anybody_expected_it() -> None:
    """N.12: a new expectation finds no fault with the morning before it was written."""
    assert due(nightly(), None, at("2026-11-24 12:00"), since=at("2026-11-24 10:00")) is None
    assert due(nightly(), None, at("2026-11-25 08:29"), since=at("2026-11-24 10:00")) is None
    assert due(nightly(), None, at("2026-11-25 08:30"), since=at("2026-11-24 10:00")) is not None


def test_without_days_nothing_is_due() -> None:
    """An expectation for no day at all expects nothing."""
    assert due(nightly(days=()), None, at("2026-11-24 12:00"), LONG_AGO) is None


@cache
def deadlines(zone: str, change: datetime, by: int) -> list[tuple[int, datetime]]:
    """When each local day's wall first shows `by` or later, with its weekday, looked at every ten minutes."""
    found: dict[date, datetime] = {}
    for moment in (change + n * 10 * MINUTE for n in range(-2_600, 320)):
        wall = moment.astimezone(ZoneInfo(zone))
        if wall.hour * 60 + wall.minute >= by:
            found.setdefault(wall.date(), moment)
    return [(day.weekday(), moment) for day, moment in found.items()]


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from([change for change in CHANGES if change[0] != "Pacific/Apia"]),
    st.sampled_from([0, 30, 90, 120, 150, 480, 1410]),
    st.sets(st.integers(0, 6), min_size=1),
    st.integers(-3_000, 3_000),
    st.integers(0, 20_000) | st.none(),
)
def test_as_somebody_who_looks_at_the_wall(
    change: tuple[str, datetime], by: int, days: set[int], minutes: int, ago: int | None
) -> None:
    """N.12: a deadline is when the wall first shows its time, and a success counts from the one before, grace over."""
    zone, changed = change
    now = changed + minutes * MINUTE
    success = None if ago is None else now - ago * MINUTE
    job = nightly(by=f"{by // 60:02}:{by % 60:02}", days=tuple(days), timezone=zone)
    passed = sorted(m for weekday, m in deadlines(zone, changed, by) if weekday in days and m + job.grace <= now)
    found = due(job, success, now, datetime(2000, 1, 1, tzinfo=UTC))
    if success is not None and success > passed[-2] + job.grace:
        assert found is None
    else:
        assert found == Missed(expected=job, deadline=passed[-1], last_success=success)
