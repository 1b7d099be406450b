"""What clients are promised is due in their own working time, and what need not wake anybody waits for it."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from mailflow.domain.incident import PromiseKind
from mailflow.domain.letters import LetterKind
from tests.engine.test_correlation import trouble
from tests.house import JOHN, MORNING, VALERY, ByHand, by_hand

pytestmark = pytest.mark.soak

ACK = LetterKind.ACKNOWLEDGEMENT
OFFICE = '"Mon-Thu 08:00-17:00, Fri 08:00-15:00"'
THANKSGIVING = '{ country = "US", remove = ["2026-11-11"] }'  # Thursday the 26th, two days after the story's morning


def nov(day: int, hour: int, minute: int = 0) -> datetime:
    """A time in the story's month, in the house's zone."""
    return MORNING.replace(day=day, hour=hour, minute=minute)


def due(on: ByHand, incident: int = 1) -> str:
    """When an incident's debrief is due."""
    (found,) = [p.due_at for p in on.app.store.promises.of(incident) if p.kind is PromiseKind.DEBRIEF]
    return f"{found.astimezone(on.now.tzinfo):%a %d %H:%M}"


def test_a_debrief_is_due_on_a_working_day_of_the_clients(tmp_path: Path) -> None:
    """N.4, S4.7: "1d" over a holiday is the day after it, and ends when the client goes home; the letter says so."""
    with by_hand(tmp_path, hours=OFFICE, holidays=THANKSGIVING) as on:
        on.at(nov(25, 10))
        on.alert()
        assert due(on) == "Fri 27 15:00"
        on.later(minutes=4)
        (told,) = on.got(JOHN, ACK)
        assert "Friday" in told.text
        assert "Thursday" not in told.text


def test_without_holidays_the_day_is_a_working_day(tmp_path: Path) -> None:
    """A client of whom nothing is said works from Monday to Friday, and nothing is due on a weekend."""
    with by_hand(tmp_path) as on:
        on.at(nov(25, 10))
        on.alert()
        assert due(on) == "Thu 26 17:00"
        on.later(minutes=4)
        on.at(nov(28, 10))
        on.alert(trouble("NW-MX01", 7))
        assert due(on, 2) == "Tue 01 17:00"  # P2: two days
        on.later(minutes=14)
        assert len(on.got(JOHN, ACK)) == 2  # on a Saturday too: nobody has said that it would be of no use


def test_hours_are_hours_in_which_the_client_works(tmp_path: Path) -> None:
    """N.4: of "4h", an hour before the client goes home, three are left for the next morning."""
    with by_hand(tmp_path, hours=OFFICE, holidays=THANKSGIVING, P1='"4h"', form_before_due='"1h"') as on:
        on.at(nov(25, 16))
        on.alert()
        assert due(on) == "Fri 27 11:00"


def test_a_higher_priority_is_due_as_if_it_had_always_been(tmp_path: Path) -> None:
    """N.4: PRIORITY counts anew from the start, in the same working time."""
    with by_hand(tmp_path, hours=OFFICE, holidays=THANKSGIVING, P1='"3d"', P2='"2d"') as on:
        on.at(nov(25, 10))
        on.alert()
        assert due(on) == "Tue 01 17:00"
        on.later(hours=1)
        on.replies(on.last(LetterKind.OPENED), "PRIORITY P2", VALERY)
        assert due(on) == "Mon 30 17:00"


def test_an_acknowledgement_waits_over_a_holiday(tmp_path: Path) -> None:
    """S4.7: on a holiday the client is not there to be told, but for what it cannot do without."""
    with by_hand(tmp_path, hours=OFFICE, holidays=THANKSGIVING) as on:
        on.at(nov(26, 10))
        on.alert(trouble("NW-MX01", 7))
        on.later(hours=12)
        assert on.got(JOHN, ACK) == []
        on.alert()
        on.later(minutes=4)
        assert len(on.got(JOHN, ACK)) == 1  # the file server is critical
        on.at(nov(27, 7, 59))
        assert len(on.got(JOHN, ACK)) == 1
        on.at(nov(27, 8))
        assert len(on.got(JOHN, ACK)) == 2


def test_a_client_that_is_no_longer_configured_has_plain_weekdays(tmp_path: Path) -> None:
    """An incident outlives its client's entry: what is still promised is due from Monday to Friday in its zone."""
    with by_hand(tmp_path, hours=OFFICE, holidays=THANKSGIVING) as on:
        on.alert()
        (affected,) = on.app.store.records.affected_of(1)
        thursday = nov(26, 10)
        assert not on.app.setup.calendar(affected).is_open(thursday)
        gone = on.app.setup.calendar(replace(affected, client_key="gone", timezone="Asia/Tokyo"))
        assert gone.is_open(thursday)
        assert not gone.is_open(nov(27, 10))  # Saturday there
