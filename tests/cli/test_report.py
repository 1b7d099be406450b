"""report, and the clocks of show: for a person, for a program, for a spreadsheet."""

import csv
import io
import json
from datetime import timedelta
from pathlib import Path

import pytest

from mailflow.adapters.store.tables import IncidentRow
from mailflow.domain.clocks import Clock
from mailflow.engine.figures import said as worded
from tests.cli.conftest import Office

NOVEMBER = ("--month", "2026-11")


def test_the_month_for_a_person(office: Office) -> None:
    """S4.36, S4.37, S3.8: months side by side, clients, incidents: how we answered, and for how long it was."""
    result = office.verb("report", *NOVEMBER)
    assert result.exit_code == 0
    said = result.stdout.splitlines()
    assert said[0] == "01 Nov 2026 to 30 Nov 2026: 4 incidents"
    rows = {line.split()[0]: line for line in said if line}
    assert "1 of 1, 100%" in rows["2026-11"]
    assert "1 of 1, 100%" in rows["Northwind"]
    assert "%" not in rows["Contoso"]  # nothing was due yet
    assert "2 of 4" in rows["2026-11"]  # noticed by a person
    assert "file server" in rows["INC-1"]
    assert "9m" in rows["INC-1"]
    assert "machine" in rows["INC-1"]
    assert "still on" in rows["INC-2"]


def test_the_month_for_a_program(office: Office) -> None:
    """S4.38: the same with times and minutes; what is not known is null or not there."""
    told = json.loads(office.verb("report", *NOVEMBER, "--json").stdout)
    assert (told["since"], told["until"]) == ("2026-11-01T05:00:00+00:00", "2026-12-01T06:00:00+00:00")
    assert told["whole"]["promises"] == {
        "kept": 1,
        "share_kept": 1.0,
        "late": {"count": 0, "median_minutes": None, "p90_minutes": None, "total_minutes": 0.0},
    }
    assert told["whole"]["noticed"] == {"person": 2, "machine": 2, "vendor": 0}
    assert list(told["months"]) == ["2026-11"]
    assert told["clients"]["northwind"]["name"] == "Northwind"
    first = told["incidents"][0]
    assert first["ref"] == "INC-1"
    assert {"detected", "clients_informed", "resolved", "clients_told"} <= set(first["clocks"])
    assert first["clocks"]["clients_told"]["letter_id"]
    assert first["clients"][0]["key"] == "northwind"


def test_one_row_an_incident_for_a_spreadsheet(office: Office, tmp_path: Path) -> None:
    """S4.38: ISO times, durations in minutes, and nothing that a spreadsheet would run or a terminal obey."""
    store = office.store()
    with store.transaction():
        IncidentRow.update(title="=HYPERLINK(1)").where(IncidentRow.id == 2).execute()
    store.disconnect()
    path = tmp_path / "november.csv"
    result = office.verb("report", *NOVEMBER, "--csv", path)
    assert (result.exit_code, result.stdout) == (0, f"4 incidents are in {path}.\n")
    rows = list(csv.DictReader(io.StringIO(path.read_text("utf-8"))))
    assert [row["ref"] for row in rows] == ["INC-1", "INC-2", "INC-3", "INC-4"]
    assert set(Clock) <= set(rows[0])
    assert rows[0]["started_at"].endswith("+00:00")
    assert 8 < float(rows[0]["outage_minutes"]) < 10
    assert rows[1]["title"] == "'=HYPERLINK(1)"
    assert rows[1]["outage_minutes"] == ""
    assert not [c for c in path.read_text("utf-8") if not c.isprintable() and c != "\n"]
    printed = office.verb("report", *NOVEMBER, "--csv", "-").stdout
    assert [row["ref"] for row in csv.DictReader(io.StringIO(printed))] == [row["ref"] for row in rows]


def test_one_client_alone(office: Office) -> None:
    """S3.8: of one client, nothing of another's is told."""
    said = office.verb("report", *NOVEMBER, "--client", "contoso").stdout
    assert "Contoso" in said
    assert "Northwind" not in said
    assert "INC-1" not in said


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--month", "2026-11", "--since", "2026-11-03"], 2, "--month is a period of its own"),
        (["--since", "2026-11-03", "--until", "2026-11-02"], 2, "--until 2026-11-02 is before --since 2026-11-03"),
        (["--month", "2026-11", "--client", "nobody"], 1, "no client is called nobody"),
        (["--month", "2026-11", "--csv", "/nowhere/x.csv"], 1, "cannot write /nowhere/x.csv: No such file"),
        (["--json", "--csv", "x.csv"], 2, "choose one of them"),
        (["--month", "2026-13"], 2, "`2026-13` is none; write it like 2026-11"),
    ],
)
def test_a_mistake_is_one_clear_line(office: Office, words: list[str], code: int, said: str) -> None:
    """DESIGN 3: what is wrong, and nothing half done."""
    result = office.verb("report", *words)
    assert result.exit_code == code
    assert said in result.stderr
    assert result.stdout == ""


def test_a_period_without_incidents(office: Office) -> None:
    """DESIGN 4: nothing is no mistake; a day counts to its end in the service's zone."""
    result = office.verb("report", "--since", "2026-11-25", "--until", "2026-11-25")
    assert (result.exit_code, result.stdout) == (0, "25 Nov 2026 to 25 Nov 2026: 0 incidents\n")
    assert ": 2 incidents" in office.verb("report", "--since", "2026-11-24", "--until", "2026-11-24").stdout


def test_show_says_where_each_clock_comes_from(office: Office) -> None:
    """S4.1, S4.2: each clock with its mail or letter, for a person and for a program."""
    shown = office.verb("show", "INC-1")
    assert shown.exit_code == 0
    detected = next(line for line in shown.stdout.splitlines() if line.startswith("detected"))
    assert "24 Nov 09:12" in detected
    assert detected.rstrip().endswith("mail 1")
    informed = next(line for line in shown.stdout.splitlines() if line.startswith("clients informed"))
    told = json.loads(office.verb("show", "INC-1", "--json").stdout)
    assert informed.rstrip().endswith(f"letter {told['clocks']['clients_informed']['letter_id']}")
    assert told["clocks"]["detected"]["inbound_id"] == 1
    assert {"detect", "record", "classify", "notify", "investigate", "restore"} <= set(told["stages"])


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0s"), (59, "59s"), (60, "1m"), (539, "9m"), (3_599, "1h 00m"), (7_500, "2h 05m"), (183_600, "2d 3h")],
)
def test_durations_are_said_to_the_nearest_minute(seconds: int, words: str) -> None:
    """S4.36: a second's slip between two clocks does not make nine minutes eight."""
    assert worded(timedelta(seconds=seconds)) == words
