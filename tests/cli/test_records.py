"""incidents and show: the records, for a person and for a program."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Office, Verb
from tests.house import ROOT, write_config

KEYS = {"ref", "state", "priority", "clients", "timeline", "promises", "letters", "form"}


def clean(text: str) -> bool:
    return not [c for c in text if not c.isprintable() and c != "\n"]


def test_incidents_lists_what_is_open(office: Office) -> None:
    """DESIGN 4: newest first; those that are closed only when asked for; one incident, one line."""
    result = office.verb("incidents")
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["incident", "INC-4", "INC-3", "INC-2"]
    everything = office.verb("incidents", "--all").stdout.splitlines()
    assert everything[-1].split()[:4] == ["INC-1", "closed", "P1", "Northwind"]
    assert "24 Nov 09:12" in everything[-1]
    assert "24 Nov 09:21" in everything[-1]


@pytest.mark.parametrize(
    "words",
    [["report", "--month", "2026-11"], ["outbox", "list", "--all"], ["incidents", "--all"], ["show", "INC-1"]],
)
def test_a_narrow_terminal_breaks_no_word(office: Office, words: list[str]) -> None:
    """DESIGN 4: in 80 columns a row that is too wide flows over lines; names, addresses and figures stay whole."""
    narrow = {"TTY_COMPATIBLE": "1", "NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "80"}
    command = [sys.executable, "-m", "mailflow.cli.main", *words, "--config", str(office.config)]
    env = {**os.environ, **narrow, "PYTHONPATH": str(ROOT)}
    said = subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout
    assert max(map(len, said.splitlines())) <= 80
    assert set(said.split()) <= {
        part for word in office.verb(*words).stdout.split() for part in (word, f"{word};", f"{word}:")
    } | {"month"}


def test_incidents_for_a_program(office: Office) -> None:
    """DESIGN 4: the same, with times that a program can read."""
    listed = json.loads(office.verb("incidents", "--json", "--all").stdout)
    assert [i["ref"] for i in listed] == ["INC-4", "INC-3", "INC-2", "INC-1"]
    assert (listed[-1]["state"], listed[-1]["priority"]) == ("closed", "P1")
    assert listed[-1]["started_at"].endswith("+00:00")
    assert [c["key"] for c in listed[-1]["clients"]] == ["northwind"]


def test_show_tells_an_incident_whole(office: Office) -> None:
    """S4.6: what happened and when, what was promised, which letters went to whom, what the form says."""
    result = office.verb("show", "inc-1")
    assert result.exit_code == 0
    said = result.stdout
    assert said.startswith("INC-1  Northwind: file server  [closed, P1, outage]")
    for words in (
        "began 24 Nov 09:12, ended 24 Nov 09:21",
        "Problem: NW-FS01 has been restarted",
        "John Harper <john@northwind.example>",
        "kept",
        "A Windows update had finished in the night",
    ):
        assert words in said
    assert "is still needed" not in said
    assert "is still needed" in office.verb("show", "INC-2").stdout


def test_show_for_a_program(office: Office) -> None:
    """DESIGN 4: the keys of `show REF --json`, and the form's fields by their names."""
    shown = json.loads(office.verb("show", "INC-1", "--json").stdout)
    assert set(shown) >= KEYS
    assert (shown["ref"], shown["state"], shown["priority"]) == ("INC-1", "closed", "P1")
    assert [c["key"] for c in shown["clients"]] == ["northwind"]
    assert [(p["kind"], p["state"]) for p in shown["promises"]] == [("debrief", "kept")]
    assert set(shown["form"]) == {"version", "fields", "asks", "notes"}
    assert {"problem", "steps", "recurrence", "impact", "started", "ended"} == set(shown["form"]["fields"])
    assert shown["form"]["asks"] == []
    to_john = [(x["kind"], x["state"]) for x in shown["letters"] if x["to"] == "john@northwind.example"]
    assert to_john == [("acknowledgement", "sent"), ("debrief", "sent")]
    assert shown["timeline"][0]["what"] == "opened"
    assert all(entry["at"].endswith("+00:00") for entry in shown["timeline"])
    assert json.loads(office.verb("show", "INC-2", "--json").stdout)["form"]["asks"] == ["problem", "steps"]


def test_an_incident_is_known_by_its_number_too(office: Office) -> None:
    """DESIGN 4: whoever types 1 means INC-1."""
    assert office.verb("show", "1").stdout == office.verb("show", "INC-1").stdout


def test_nothing_is_said_as_what_it_is(verb: Verb, tmp_path: Path) -> None:
    """DESIGN 4: no incident at all is another thing than none that is open."""
    config = write_config(tmp_path, imap_port=1, smtp_port=1)
    verb("migrate", "-c", config)
    assert verb("incidents", "-c", config).stdout == "No incident is open.\n"
    assert verb("incidents", "--all", "-c", config).stdout == "There is no incident.\n"


def test_show_of_nothing(office: Office) -> None:
    """DESIGN 3: one line, exit 1, and where to look."""
    result = office.verb("show", "INC-99")
    assert result.exit_code == 1
    assert result.stderr == "no incident is called INC-99; `mailflow incidents --all` lists them\n"
    assert result.stdout == ""


@pytest.mark.parametrize("words", [["incidents"], ["show", "INC-3"], ["show", "INC-3", "--json"]])
def test_a_hostile_subject_is_only_words(office: Office, words: list[str]) -> None:
    """DESIGN 4: what came in by mail is neither a terminal's command nor markup, wherever it is shown."""
    result = office.verb(*words)
    assert result.exit_code == 0
    assert clean(result.stdout), ascii(result.stdout)
    assert "[red]dead[/red]" in result.stdout


def test_what_a_record_holds_is_made_harmless_when_it_is_shown(office: Office) -> None:
    """DESIGN 4: not only reading cleans: whatever stands in the database cannot command a terminal."""
    store = office.store()
    with store.transaction():
        store.mailroom.quarantine(1, "\x1b[2J\x9b31m\x07 failed", store.records.incident(1).opened_at)
        store.records.set_reporter(3, "\x1b]0;x\x07", "\x9b", store.records.incident(1).opened_at)
    store.disconnect()
    for words in (["quarantine", "list"], ["quarantine", "list", "--json"], ["show", "INC-3", "--json"]):
        result = office.verb(*words)
        assert result.exit_code == 0
        assert clean(result.stdout), ascii(result.stdout)
