"""Holidays as they are configured: by country and region, with days of one's own."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from mailflow.config.load import Loaded, load
from mailflow.domain.calendar import NO_HOLIDAYS, Holidays
from tests.config.test_whose_alerts import OURS, client

NOW = datetime(2026, 11, 23, tzinfo=UTC)
SERVICE = 'timezone = "America/Chicago"\n'
CHRISTMAS, CHRISTMAS_EVE, COLUMBUS = date(2026, 12, 25), date(2026, 12, 24), date(2026, 10, 12)
KINGS_DAY, THANKSGIVING, BLACK_FRIDAY = date(2026, 4, 27), date(2026, 11, 26), date(2026, 11, 27)


def loaded(folder: Path, service: str, *clients: str) -> Loaded:
    """A configuration with these lines in [service], and a client for each of the others."""
    text = OURS.replace(SERVICE, f"{SERVICE}{service}\n")
    for number, lines in enumerate(clients):
        text += client(f"client{number}", lines)
    file = folder / "config.toml"
    file.write_text(text, "utf-8")
    return load(file, {}, NOW)


def holidays(folder: Path, service: str, own: str) -> Holidays:
    """The holidays that one client comes to have."""
    return loaded(folder, service, own).directory.clients[0].holidays


@pytest.mark.parametrize(
    ("service", "own", "kept", "worked"),
    [
        pytest.param("", "", {}, {CHRISTMAS}, id="none-are-named"),
        pytest.param('holidays = "US-NY"', "", {CHRISTMAS, THANKSGIVING, COLUMBUS}, {BLACK_FRIDAY}, id="the-service's"),
        pytest.param('holidays = "US-NY"', 'holidays = "NL"', {CHRISTMAS, KINGS_DAY}, {THANKSGIVING}, id="its-own"),
        pytest.param('holidays = "US-NY"', 'holidays = "none"', {}, {CHRISTMAS}, id="none"),
        pytest.param('holidays = "US-NY"', 'hours = "always"', {}, {CHRISTMAS}, id="who-always-works"),
        pytest.param("", 'hours = "always"\nholidays = "NL"', {CHRISTMAS}, {THANKSGIVING}, id="but-for-its-own"),
        pytest.param("", 'holidays = { country = "US", region = "NY" }', {COLUMBUS}, {BLACK_FRIDAY}, id="a-table"),
        pytest.param("", 'holidays = "US-TX"', {BLACK_FRIDAY}, {date(2026, 2, 12)}, id="another-region"),
        pytest.param("", 'holidays = { add = ["2026-11-27"] }', {BLACK_FRIDAY}, {CHRISTMAS}, id="only-of-its-own"),
        pytest.param(
            'holidays = "US-NY"',
            'holidays = { add = ["2026-11-27"], remove = [2026-10-12] }',
            {CHRISTMAS, BLACK_FRIDAY},
            {COLUMBUS},
            id="the-service's-changed",
        ),
        pytest.param(
            'holidays = { country = "US", add = ["2026-11-27"] }',
            'holidays = { remove = ["2026-11-27"] }',
            {CHRISTMAS},
            {BLACK_FRIDAY},
            id="an-addition-taken-out",
        ),
        pytest.param(
            'holidays = { country = "US", add = ["2026-11-27"] }',
            'holidays = { country = "NL" }',
            {CHRISTMAS},
            {BLACK_FRIDAY},
            id="a-country-of-its-own-has-nothing-of-the-service's",
        ),
    ],
)
def test_on_which_days_a_client_does_not_work(
    tmp_path: Path, service: str, own: str, kept: set[date], worked: set[date]
) -> None:
    """N.4: a client's holidays are the service's or those of its own country, with its own days in and out."""
    found = loaded(tmp_path, service, own)
    days = found.directory.clients[0].holidays.days
    assert days >= set(kept)
    assert not days & worked
    assert found.warnings == ()


@pytest.mark.parametrize("service", ["", 'holidays = "US"'])
@pytest.mark.parametrize("written", ['"2026-12-24 12:30"', "2026-12-24T12:30:00", "2026-12-24 12:30:00"])
def test_a_half_day(tmp_path: Path, service: str, written: str) -> None:
    """N.4: a day with a time ends then, whether it is written as text or as TOML writes times."""
    assert holidays(tmp_path, service, f"holidays = {{ add = [{written}] }}").half_days == {CHRISTMAS_EVE: 12 * 60 + 30}


def test_a_half_day_and_a_holiday_take_each_others_place(tmp_path: Path) -> None:
    """What a client says of a day counts: half of a holiday is worked, and a half day can become a whole one."""
    half = holidays(tmp_path, 'holidays = "US"', 'holidays = { add = ["2026-12-25 12:00"] }')
    assert CHRISTMAS not in half.days
    assert half.half_days == {CHRISTMAS: 12 * 60}
    eve = 'holidays = { country = "US", add = ["2026-12-24 12:00"] }'
    whole = holidays(tmp_path, eve, 'holidays = { add = ["2026-12-24"] }')
    assert CHRISTMAS_EVE in whole.days
    assert whole.half_days == {}
    assert holidays(tmp_path, eve, 'holidays = { remove = ["2026-12-24"] }').half_days == {}
    assert holidays(tmp_path, eve, 'holidays = "none"') == NO_HOLIDAYS


def test_holidays_are_known_for_years(tmp_path: Path) -> None:
    """A service that is not started anew for years, and a rehearsal of last year's mail, know them too."""
    days = holidays(tmp_path, 'holidays = "US"', "").days
    assert {date(year, 12, 25) for year in range(2025, 2034)} <= days


def test_a_day_taken_out_that_is_none_is_a_warning(tmp_path: Path) -> None:
    """Whoever mistypes the day on which a client does work after all learns it from `check`."""
    found = loaded(
        tmp_path, 'holidays = { country = "US", remove = ["2026-12-26"] }', 'holidays = { remove = ["2026-10-13"] }'
    )
    said = "is no holiday there; correct it, or leave it out"
    assert [warning.partition(": ")[2] for warning in found.warnings] == [
        f"service.holidays.remove: `2026-12-26` {said}",
        f"client[client0].holidays.remove: `2026-10-13` {said}",
    ]


def test_every_client_of_a_country_has_the_same_days(tmp_path: Path) -> None:
    """Two clients with the same words have the same holidays, equal and hashed alike."""
    one, two = loaded(tmp_path, "", 'holidays = "NL"', 'holidays = { country = "NL" }').directory.clients
    assert one.holidays == two.holidays
    assert len({one.holidays, two.holidays}) == 1
