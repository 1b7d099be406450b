"""read: what a mail says, before anybody decides."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import HOSTILE, HOSTILE_TEXT, Verb
from tests.house import ROOT

ALERT = ROOT / "tests" / "fixtures" / "mails" / "zabbix-restarted.eml"
KEYS = [
    "message_id", "from", "subject", "kind", "rule", "events", "new_text", "quoted_text", "bounce", "automatic",
    "defects",
]  # fmt: skip
BOUNCE = b"""From: MAILER-DAEMON@mx.example.com
To: noc@msp.example
Subject: Undelivered Mail Returned to Sender
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b

I'm sorry to say ...
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.com

Final-Recipient: rfc822; john@northwind.example
Action: failed
Status: 5.1.1
--b
Content-Type: message/rfc822

Message-ID: <mf.x@msp.example>

--b--
"""
CLIENT = b"""From: Shirley Lane <shirley@northwind.example>
To: noc@msp.example
Subject: Re: Data drive
Message-ID: <7@northwind.example>

It is gone again.

On Tue, Nov 24, 2026 at 9:30 AM Valery wrote:
> It has answered again.
"""


@pytest.fixture
def written(tmp_path: Path) -> Path:
    return tmp_path / "mail.eml"


def as_json(verb: Verb, file: Path) -> dict[str, object]:
    result = verb("read", file, "--json")
    assert result.exit_code == 0
    read: dict[str, object] = json.loads(result.stdout)
    assert list(read) == KEYS
    return read


def test_an_alert_in_words(verb: Verb) -> None:
    """DESIGN 4: what kind it is and by which rule, and what each event says."""
    result = verb("read", ALERT)
    assert result.exit_code == 0
    assert "Kind: alert (" in result.stdout
    assert "Event: problem low rebooted, key " in result.stdout
    assert "host: " in result.stdout


def test_an_alert_for_a_program(verb: Verb) -> None:
    """DESIGN 4: the keys of `read --json`, for each event too."""
    read = as_json(verb, ALERT)
    assert read["kind"] == "alert"
    events: Any = read["events"]
    (event,) = events
    assert {"recipe", "state", "severity", "key", "fields"} <= set(event)
    assert (event["recipe"], event["state"], event["severity"]) == ("zabbix", "problem", "low")
    assert event["fields"]["host"]


def test_a_bounce_for_a_program(verb: Verb, written: Path) -> None:
    """N.9: who was not reached, and with which status."""
    written.write_bytes(BOUNCE)
    read = as_json(verb, written)
    assert read["kind"] == "bounce"
    assert read["bounce"] == {
        "recipients": [{"address": "john@northwind.example", "action": "failed", "status": "5.1.1"}]
    }


def test_a_client_s_mail_for_a_program(verb: Verb, written: Path) -> None:
    """DESIGN 4: new words and quoted ones apart; no bounce, no event, not automatic."""
    written.write_bytes(CLIENT)
    read = as_json(verb, written)
    assert read["message_id"] == "<7@northwind.example>"
    assert read["from"] == "Shirley Lane <shirley@northwind.example>"
    assert (read["subject"], read["kind"], read["events"], read["bounce"]) == ("Re: Data drive", "unknown", [], None)
    assert read["automatic"] is None
    assert str(read["new_text"]).strip() == "It is gone again."
    assert "It has answered again." in str(read["quoted_text"])


def test_any_mail_is_read(verb: Verb, written: Path) -> None:
    """DESIGN 1.3: reading never fails: a mail of which nothing is understood is unknown."""
    written.write_bytes(b"\r\nSubject: \xff\r\n\r\n" + bytes(range(256)) * 8)
    assert as_json(verb, written)["kind"] == "unknown"
    assert verb("read", written).exit_code == 0


@pytest.mark.parametrize("words", [["read"], ["recipe", "test"], ["rehearse", "-c", ROOT / "config.toml"]])
@pytest.mark.parametrize("raw", [b"", bytes(range(256)) * 8, (ROOT / "config.toml").read_bytes()])
def test_what_is_no_mail_is_told(verb: Verb, written: Path, words: list[str], raw: bytes) -> None:
    """DESIGN 3: the wrong file is one clear line, exit 1; nobody is shown a mail that is none."""
    written.write_bytes(raw)
    result = verb(*words, written)
    assert (result.exit_code, result.stdout) == (1, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"{written} is ")
    assert line.endswith(("no mail", "neither a mail nor an mbox") if raw else "is empty")


@pytest.mark.parametrize("words", [["read", ALERT], ["recipe", "test", ALERT], ["recipe", "list"]])
def test_a_folder_of_recipes_that_is_not_there(verb: Verb, words: list[str | Path]) -> None:
    """DESIGN 3: a misspelt folder is told, exit 2; the shipped recipes do not take its place in silence."""
    result = verb(*words, "--recipes", "/nope")
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", "--recipes: there is no folder /nope\n")


@pytest.mark.parametrize("name", ["missing.eml", "."])
def test_a_file_that_cannot_be_read(verb: Verb, tmp_path: Path, name: str) -> None:
    """DESIGN 3: one line that names the file and says why; exit 1."""
    result = verb("read", tmp_path / name)
    assert result.exit_code == 1
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"{tmp_path / name}: ".replace("/.: ", ": "))


def test_reading_needs_nothing_and_leaves_nothing(verb: Verb, tmp_path: Path) -> None:
    """DESIGN 4: read needs no configuration and touches no store."""
    before = set(os.listdir(tmp_path))
    assert verb("read", ALERT).exit_code == 0
    assert set(os.listdir(tmp_path)) == before


def test_nothing_of_a_mail_reaches_the_terminal_as_a_command(verb: Verb, written: Path) -> None:
    """DESIGN 4: control characters of a mail could move the cursor or rename the window: none gets through."""
    written.write_bytes(
        b"From: =?utf-8?q?J=1b[31mohn?= <john@x.example>\r\nSubject: " + HOSTILE.encode() + b"\r\n"
        b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + HOSTILE_TEXT.encode()
    )
    for words in (["read", written], ["read", written, "--json"]):
        result = verb(*words)
        assert result.exit_code == 0
        assert not [c for c in result.stdout if not c.isprintable() and c != "\n"], ascii(result.stdout)
        assert "[red]dead[/red]" in result.stdout
        assert "[bold]Help[/bold]" in result.stdout
    text = json.loads(verb("read", written, "--json").stdout)["new_text"]
    assert "\x1b" not in text or text.startswith("It is \x1b[31mred")


def test_a_recipe_of_one_s_own_that_is_wrong(verb: Verb, tmp_path: Path) -> None:
    """DESIGN 3: a mistake in a recipe is told with its file, exit 2, and no traceback."""
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "mine.toml").write_text("this is = not [ toml")
    result = verb("read", ALERT, "--recipes", tmp_path / "own")
    assert result.exit_code == 2
    assert "mine" in result.stderr
    assert "Traceback" not in result.output
