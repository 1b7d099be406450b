"""From a configuration to what the engine works with."""

from datetime import UTC, datetime
from pathlib import Path

from mailflow.build import build_setup
from mailflow.config.load import load
from mailflow.config.shipped import shipped

PLANNED = """
[[client.maintenance]]
begins = "2026-12-05 20:00"
ends = "2026-12-06 06:00"

[[client.maintenance]]
ical = "vendor.ics"

[[client.expected]]
name = "nightly backup"
recipe = "veeam"
by = "08:00"
"""
CALENDAR = """BEGIN:VCALENDAR
BEGIN:VEVENT
UID:1
DTSTART:20261201T060000Z
DTEND:20261201T070000Z
END:VEVENT
END:VCALENDAR
"""


def test_planned_work_and_expected_mails_reach_the_engine(tmp_path: Path) -> None:
    """N.12: the setup holds every window, of the file and of its calendars, and every expected mail."""
    (tmp_path / "vendor.ics").write_text(CALENDAR)
    file = tmp_path / "config.toml"
    file.write_text(shipped("config.toml").read_text("utf-8") + PLANNED, "utf-8")
    loaded = load(file, {}, datetime(2026, 11, 23, tzinfo=UTC))
    setup = build_setup(loaded, bytes(32))
    assert [(w.client, w.source) for w in setup.windows] == [
        ("contoso", f"{file}: client[contoso].maintenance[1]"),
        ("contoso", "vendor.ics"),
    ]
    assert [one.name for one in setup.expected] == ["nightly backup"]
    assert setup.directory is loaded.directory
    assert setup.policy is loaded.policy


def test_the_shipped_configurations_setup_plans_and_expects_nothing() -> None:
    """The demo's story is not changed by work or mails that nobody tells of."""
    setup = build_setup(load(shipped("config.toml"), {}), bytes(32))
    assert (setup.windows, setup.expected) == ((), ())
