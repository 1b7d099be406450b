"""The verbs rehearse and explain."""

import json
import re
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from mailflow.adapters.store import tables
from mailflow.cli.rehearse import explain, rehearse
from tests.cli.conftest import Office
from tests.house import MORNING, NOC, PROBLEM, write_config, write_mail, zabbix_mail

app = typer.Typer()
app.command()(rehearse)
app.command()(explain)


def run(*words: str | Path) -> Result:
    """Run a verb as the command line would."""
    try:
        return CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    finally:
        if tables.PROXY.obj is not None and not tables.PROXY.is_closed():
            tables.PROXY.close()


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The shipped configuration, with data where nothing is yet."""
    return write_config(tmp_path, imap_port=1, smtp_port=1)


@pytest.fixture
def mails(tmp_path: Path) -> Path:
    """A folder with an alert and a stranger's mail."""
    folder = tmp_path / "mails"
    folder.mkdir()
    (folder / "alert.eml").write_bytes(zabbix_mail("Problem: NW-FS01 has been restarted", PROBLEM, MORNING))
    buy = write_mail("Nobody <nobody@elsewhere.example>", NOC, "Buy <b>now</b>", "It is cheap.", MORNING)
    (folder / "buy.eml").write_bytes(buy)
    return folder


def test_a_folder_is_rehearsed_as_auto(config: Path, mails: Path) -> None:
    """N.8: incidents, letters and what nobody could place, with what was rehearsed; the records are not made."""
    result = run("rehearse", mails, "--config", config, "--letters")
    assert result.exit_code == 0
    assert 'rehearsed with live = "auto"' in result.stdout
    assert "Northwind: 1 incident, 1 of 1 letter to the client sent" in result.stdout
    assert "Hello John," in result.stdout
    assert "What nobody could place" in result.stdout
    assert not (config.parent / "data").exists()


def test_the_same_for_programs(config: Path, mails: Path) -> None:
    """N.8: --json has the whole rehearsal under stable keys."""
    told = json.loads(run("rehearse", mails, "--config", config, "--json", "--live", "off").stdout)
    assert (told["live"], told["mails"]) == ("off", 2)
    assert told["verdicts"] == {"OpenFromAlert": 1, "Show": 1}
    (client,) = told["clients"]
    assert client["letters"][0].keys() >= {"kind", "address", "at", "state", "reason", "why", "subject", "text"}


def test_the_page_needs_nothing_else(config: Path, mails: Path, tmp_path: Path) -> None:
    """N.8: one page with each letter folded, no scripts, nothing fetched, and no markup of a mail's."""
    result = run("rehearse", mails, "--config", config, "--html", tmp_path / "page.html")
    assert result.exit_code == 0
    page = (tmp_path / "page.html").read_text()
    assert 'href="#client-northwind"' in page
    assert "<details" in page
    assert "Buy &lt;b&gt;now&lt;/b&gt;" in page
    assert not re.search(r"<script|<link|<img|@import|url\(|https?://(?!zabbix)", page)


def test_against_shows_only_what_differs(config: Path, mails: Path, tmp_path: Path) -> None:
    """N.8: changed rules over the same mails; the exit code is 0 whatever differs."""
    other = tmp_path / "other.toml"
    other.write_text(config.read_text().replace("NW-", "XX-"))
    assert run("rehearse", mails, "--config", config, "--against", config).stdout.startswith("2 mails; 0 decisions")
    result = run("rehearse", mails, "--config", config, "--against", other, "--json")
    assert result.exit_code == 0
    (row,) = json.loads(result.stdout)["different"]
    assert "NW-FS01" in row["subject"]
    assert row.keys() >= {"source", "arrival", "before", "now", "why"}


def test_a_source_that_is_not_there(config: Path, tmp_path: Path) -> None:
    """N.8: a mistyped or empty source is one line and exit code 1."""
    missing = run("rehearse", tmp_path / "no.mbox", "--config", config)
    assert (missing.exit_code, "No such file" in missing.stderr) == (1, True)
    (tmp_path / "empty").mkdir()
    empty = run("rehearse", tmp_path / "empty", "--config", config)
    assert (empty.exit_code, "there is no mail in" in empty.stderr) == (1, True)


def test_stored_mail_is_rehearsed_and_not_touched(office: Office) -> None:
    """N.8: the kept mails are played again, and the records stay as they were."""
    before = office.store()
    counts = before.mailroom.counts()
    before.disconnect()
    told = json.loads(run("rehearse", "stored", "--config", office.config, "--json").stdout)
    after = office.store()
    assert after.mailroom.counts() == counts
    after.disconnect()
    assert told["verdicts"]["OpenFromAlert"] >= 1


def test_a_decision_is_explained_whole(office: Office) -> None:
    """N.11: how a kept mail was read, who it was taken for, what was decided and why, and the letters it caused."""
    result = run("explain", "1", "--config", office.config)
    assert result.exit_code == 0
    for words in ("Came in", "Event: problem", "by recipe zabbix", "opened an incident", "INC-1", "acknowledgement"):
        assert words in result.stdout
    told = json.loads(run("explain", "1", "--config", office.config, "--json").stdout)
    assert told["decisions"][0]["reason"] == "new-key"
    by_name = json.loads(run("explain", told["message_id"].strip("<>"), "--config", office.config, "--json").stdout)
    assert by_name["id"] == 1


def test_forgotten_bytes_are_said(office: Office) -> None:
    """N.11: what cannot be known any more is said, and the decision is shown all the same."""
    store = office.store()
    inbound = store.mailroom.inbound(1)
    assert inbound
    with store.transaction():
        store.mailroom.drop_content(inbound.hash)
    store.disconnect()
    result = run("explain", "1", "--config", office.config)
    assert "cannot be told any more" in result.stdout
    assert "opened an incident" in result.stdout


def test_an_unknown_mail_is_one_line(office: Office) -> None:
    """N.11: a number or Message-ID that nobody knows is told."""
    result = run("explain", "999999", "--config", office.config)
    assert (result.exit_code, "no kept mail is 999999" in result.stderr) == (1, True)
