"""maintenance: planned work, from the configuration and by mail."""

import json
from datetime import UTC, datetime, timedelta

from mailflow.domain.maintenance import Window
from tests.cli.conftest import Office

DAILY = '\n[[maintenance]]\nclient = "contoso"\nevery = "daily 02:00-03:00"\nwhy = "updates"\n'


def announce(office: Office, ahead: timedelta, **changes: object) -> Window:
    """Work that a liaison announced."""
    begins = datetime.now(UTC) + ahead
    values: dict[str, object] = {"client": "northwind", "things": ("file server",), "why": "[b]firmware"}
    window = Window(begins=begins, ends=begins + timedelta(hours=2), **(values | changes))  # type: ignore[arg-type]
    store = office.store()
    with store.transaction():
        store.windows.put(window, "valery@msp.example", int(ahead / timedelta(days=1)) + 1, begins)
    store.disconnect()
    return window


def test_where_nothing_is_planned(office: Office) -> None:
    """S4.13: an empty list is a sentence, and JSON's empty list."""
    assert office.verb("maintenance").stdout == "No work is planned for the next 14 days.\n"
    assert json.loads(office.verb("maintenance", "--json").stdout) == []


def test_what_goes_on_and_what_is_to_come(office: Office) -> None:
    """S4.13: a line each, the earliest first, with whose, what, why and where it was said."""
    announce(office, timedelta(days=3))
    announce(office, timedelta(0), client="", things=(), why="")
    announce(office, timedelta(days=20))
    result = office.verb("maintenance")
    assert result.exit_code == 0
    head, first, second = result.stdout.splitlines()
    assert head.split() == ["begins", "ends", "client", "things", "why", "from"]
    assert "every client" in first
    assert "everything" in first
    assert "northwind" in second
    assert "[b]firmware" in second
    assert "valery@msp.example, mail 4" in second
    assert len(office.verb("maintenance", "--days", "30").stdout.splitlines()) == 4


def test_the_configurations_days_are_listed_one_by_one(office: Office) -> None:
    """S4.13: for a program: what repeats is written out, with times that it can read."""
    office.config.write_text(office.config.read_text() + DAILY)
    listed = json.loads(office.verb("maintenance", "--json", "--days", "7").stdout)
    assert len(listed) in {7, 8}
    assert {(w["client"], w["why"]) for w in listed} == {("contoso", "updates")}
    begins = [datetime.fromisoformat(w["begins"]) for w in listed]
    assert begins == sorted(begins)
    assert set(listed[0]) == {"client", "things", "begins", "ends", "why", "source"}
