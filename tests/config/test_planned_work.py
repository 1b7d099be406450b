"""Planned work and expected mails, from the configuration file and its calendar files to the domain's values."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from mailflow.config.load import Loaded, load
from mailflow.config.report import ConfigurationError
from mailflow.domain.expected import Expected
from mailflow.domain.maintenance import Recurring, Window
from mailflow.domain.vocabulary import Severity

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
OURS = """
[service]
name = "Example MSP"
timezone = "America/Chicago"
[[mailbox]]
name = "NOC"
address = "noc@msp.example"
imap = { host = "127.0.0.1", security = "plain", password = "demo" }
smtp = { host = "127.0.0.1", security = "plain" }
proof = "copy"
[[liaison]]
name = "Valery Stufano"
title = "Client Liaison"
address = "valery@msp.example"
[[client]]
key = "northwind"
name = "Northwind"
domains = ["northwind.example"]
liaison = "valery@msp.example"
timezone = "America/New_York"
[[client.contact]]
name = "John Harper"
first_name = "John"
address = "john@northwind.example"
wants = "all"
"""
EVENT = """BEGIN:VEVENT
UID:{uid}
DTSTART:{start}
DTEND:20261201T070000Z
SUMMARY:{summary}
END:VEVENT
"""


def loaded(folder: Path, more: str) -> Loaded:
    """A configuration that plans this too."""
    folder.mkdir(exist_ok=True)
    file = folder / "config.toml"
    file.write_text(OURS + more, "utf-8")
    return load(file, {}, NOW)


def calendar(folder: Path, *events: str) -> None:
    """A vendor's calendar beside the configuration file."""
    (folder / "vendor.ics").write_text("BEGIN:VCALENDAR\nVERSION:2.0\n" + "".join(events) + "END:VCALENDAR\n")


def event(start: str = "20261201T060000Z", summary: str = "Line moves", uid: str = "1") -> str:
    """Something that ends at 07:00 UTC on 1 December 2026."""
    return EVENT.format(start=start, summary=summary, uid=uid)


def test_work_at_one_client_is_in_that_clients_time(tmp_path: Path) -> None:
    """A client's planned work is that client's alone, in its own time, and names where it is written."""
    found = loaded(
        tmp_path,
        """
[[client.maintenance]]
begins = "2026-12-05 20:00"
ends = "2026-12-06 06:00"
why = "the data centre moves"
[[client.maintenance]]
every = "first Sun 02:00-04:00"
first = "2026-12-01"
things = ["NW-HV*"]
""",
    )
    file = tmp_path / "config.toml"
    assert found.windows == (
        Window(
            client="northwind",
            begins=datetime(2026, 12, 6, 1, tzinfo=UTC),
            ends=datetime(2026, 12, 6, 11, tzinfo=UTC),
            why="the data centre moves",
            source=f"{file}: client[northwind].maintenance[1]",
        ),
        Recurring(
            client="northwind",
            things=("NW-HV*",),
            days=(6,),
            weeks=(1,),
            begins="02:00",
            ends="04:00",
            timezone="America/New_York",
            first=date(2026, 12, 1),
            source=f"{file}: client[northwind].maintenance[2]",
        ),
    )


def test_work_at_every_client_is_in_the_services_time(tmp_path: Path) -> None:
    """[[maintenance]] is at every client in the service's time, or at the one that it names in that one's."""
    found = loaded(
        tmp_path,
        """
[[maintenance]]
every = "Sat 22:00-02:00"
[[maintenance]]
every = "Sat 22:00-02:00"
client = "northwind"
""",
    )
    assert [(w.client, w.timezone) for w in found.windows if isinstance(w, Recurring)] == [
        ("", "America/Chicago"),
        ("northwind", "America/New_York"),
    ]
    assert [w.source for w in found.windows] == [f"{tmp_path / 'config.toml'}: maintenance[{n}]" for n in (1, 2)]


def test_a_calendar_file_lies_beside_the_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A vendor's calendar is read from the configuration file's folder, wherever the service is started."""
    calendar(tmp_path, event(), event(uid="2", summary=""))
    monkeypatch.chdir("/")
    found = loaded(tmp_path, '[[client.maintenance]]\nical = "vendor.ics"\nthings = ["line"]\nwhy = "as agreed"\n')
    assert found.warnings == ()
    begins, ends = datetime(2026, 12, 1, 6, tzinfo=UTC), datetime(2026, 12, 1, 7, tzinfo=UTC)
    assert found.windows == tuple(
        Window(client="northwind", things=("line",), begins=begins, ends=ends, why=why, source="vendor.ics")
        for why in ("Line moves", "as agreed")
    )


def test_a_calendar_is_written_out_around_the_present(tmp_path: Path) -> None:
    """What is far ahead of the moment given is left for a later reading; left out, it is the present moment."""
    present = datetime.now(UTC)
    tomorrow = f"{present + timedelta(days=1):%Y%m%d}"
    near = event(start=f"{tomorrow}T060000Z").replace("20261201T07", f"{tomorrow}T07")
    calendar(tmp_path, near)
    loaded(tmp_path, '[[client.maintenance]]\nical = "vendor.ics"\n')
    assert len(load(tmp_path / "config.toml", {}).windows) == 1
    assert load(tmp_path / "config.toml", {}, present - timedelta(days=500)).windows == ()


def test_an_event_that_is_not_understood_is_a_warning(tmp_path: Path) -> None:
    """One odd event costs no other one, and is told at the key that names the file."""
    calendar(tmp_path, event(), event(start="soon", summary="Power", uid="2"))
    found = loaded(tmp_path, '[[client.maintenance]]\nical = "vendor.ics"\n')
    assert [window.why for window in found.windows] == ["Line moves"]
    assert found.warnings == (
        f"{tmp_path / 'config.toml'}: client[northwind].maintenance[1].ical: `vendor.ics`: event 2 (`Power`): "
        "`soon` is no date that can be used; correct it",
    )


def test_an_element_that_is_wrong_moves_no_other_ones_place(tmp_path: Path) -> None:
    """Where one entry is wrong, no message names another one by a number that is not its own."""
    with pytest.raises(ConfigurationError) as refused:
        loaded(tmp_path, '[[client.maintenance]]\nevery = "Sun"\n[[client.maintenance]]\nical = "none.ics"\n')
    (said,) = refused.value.problems
    assert "maintenance[1].every" in said


def test_what_a_client_expects_is_in_that_clients_time(tmp_path: Path) -> None:
    """N.12: each expected mail reaches the domain with its client and the client's time."""
    found = loaded(
        tmp_path,
        """
[[client.expected]]
name = "nightly backup"
recipe = "veeam"
match = ["Nightly*"]
by = "08:00"
days = "Mon-Fri"
grace = "1h"
severity = "high"
[[client.expected]]
name = "offsite copy"
match = ["Copy"]
by = "12:00"
""",
    )
    backup, copy = found.expected
    assert backup == Expected(
        name="nightly backup",
        client="northwind",
        recipe="veeam",
        matches=("Nightly*",),
        by="08:00",
        days=(0, 1, 2, 3, 4),
        timezone="America/New_York",
        grace=timedelta(hours=1),
        severity=Severity.HIGH,
    )
    assert (copy.name, copy.recipe, copy.days) == ("offsite copy", "", tuple(range(7)))


def test_a_recipe_of_the_msps_own_may_be_expected(tmp_path: Path) -> None:
    """N.12: what the MSP's own recipe reads can be expected as well."""
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "abacus.toml").write_text("")
    more = '[[client.expected]]\nname = "books"\nrecipe = "abacus"\nby = "08:00"\n'
    file = tmp_path / "config.toml"
    file.write_text(OURS.replace("[[mailbox]]", 'recipes = "recipes"\n[[mailbox]]') + more)
    assert [one.recipe for one in load(file, {}, NOW).expected] == ["abacus"]


def test_the_same_expectation_at_two_clients_is_two(tmp_path: Path) -> None:
    """N.1: two clients may each have a "nightly backup"."""
    one = '[[client.expected]]\nname = "nightly backup"\nrecipe = "veeam"\nby = "08:00"\n'
    second = OURS[OURS.index("[[client]]") :].replace("northwind", "contoso").replace("Northwind", "Contoso")
    found = loaded(tmp_path, one + second + one)
    assert [(e.client, e.name) for e in found.expected] == [
        ("northwind", "nightly backup"),
        ("contoso", "nightly backup"),
    ]
