"""rehearse and explain: what would happen, and why something did."""

import json
import mailbox
import re
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
import typer
from typer.testing import CliRunner, Result

from mailflow.adapters.store import tables
from mailflow.cli.rehearse import explain, rehearse
from mailflow.demo.servers import EmbeddedMail
from mailflow.demo.story import PASSWORD
from tests.cli.conftest import HOSTILE, HOSTILE_TEXT, Office
from tests.house import JOHN, MORNING, NOC, PEOPLE, PROBLEM, RECOVERY, write_config, write_mail, zabbix_mail

pytestmark = pytest.mark.soak

KEYS = {
    "configured_live", "arrival_told_by", "live", "mails", "first", "last", "verdicts", "clients", "unplaced",
    "left_alone", "quarantined", "letters", "too_much", "judged",
}  # fmt: skip
EXPLAINED = {
    "id", "message_id", "received_at", "mailbox", "state", "kind", "reason", "why", "tries", "author", "subject",
    "places", "filed_at", "reading", "forgotten", "taken_for", "decisions", "incidents", "letters", "also",
}  # fmt: skip
MINUTE = timedelta(minutes=1)
Run = Callable[..., Result]

app = typer.Typer()
app.command()(rehearse)
app.command()(explain)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs one of the two verbs in a folder with the shipped configuration."""
    monkeypatch.delenv("MAILFLOW_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    write_config(tmp_path, imap_port=9, smtp_port=9)

    def ran(*words: str | Path) -> Result:
        try:
            return CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
        finally:
            # A verb leaves its connection to the end of its process; here the process goes on.
            if tables.PROXY.obj is not None and not tables.PROXY.is_closed():
                tables.PROXY.close()

    return ran


@pytest.fixture
def november(tmp_path: Path) -> Path:
    """Past mail: an outage with its end, a hostile one of a client's, and one that nobody can place."""
    folder = tmp_path / "november"
    folder.mkdir()
    hostile = write_mail(f"John Harper <{JOHN}>", NOC, "SUBJECT", "TEXT", MORNING + timedelta(days=1))
    hostile = hostile.replace(b"SUBJECT", HOSTILE.encode()).replace(b"TEXT", HOSTILE_TEXT.encode("latin-1"))
    for name, raw in {
        "1": zabbix_mail("Problem: NW-FS01 has been restarted", PROBLEM, MORNING),
        "2": zabbix_mail("Resolved in 9m 4s: NW-FS01 has been restarted", RECOVERY, MORNING + 9 * MINUTE),
        "3": hostile,
        "4": write_mail("s@else.example", NOC, "Cheap toner", "Buy!", MORNING + timedelta(days=2)),
    }.items():
        (folder / f"{name}.eml").write_bytes(raw)
    return folder


def files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class TestRehearse:
    def test_in_words(self, run: Run, november: Path) -> None:
        """N.8: what became of the mails, what each client would have been sent, what nobody could place, and why."""
        result = run("rehearse", november)
        assert result.exit_code == 0, result.output
        said = result.stdout
        assert "4 mails from" in said
        assert 'rehearsed with live = "auto".' in said
        assert "its Date header (4)" in said
        assert re.search(r"INC-1 +24 Nov 09:12 +file server +rebooted +restored +24 Nov 09:21", said)
        assert re.search(r"24 Nov 09:15 +acknowledgement +John Harper +INC-1 +sent", said)
        assert re.search(r"s@else\.example +Cheap toner +No recipe knows such a mail", said)
        assert "I just wanted to let you know" not in said
        assert "I just wanted to let you know" in run("rehearse", november, "--letters").stdout

    def test_for_a_program(self, run: Run, november: Path) -> None:
        """N.8: stable keys, times that a program can read, every letter whole."""
        told = json.loads(run("rehearse", november, "--json").stdout)
        assert set(told) == KEYS
        assert (told["mails"], told["live"], told["configured_live"]) == (4, "auto", "auto")
        assert told["arrival_told_by"] == {"its Date header": 4}
        (northwind,) = told["clients"]
        assert northwind["incidents"][0]["ended_at"] == "2026-11-24T15:21:00+00:00"
        letter = next(x for x in northwind["letters"] if x["to_client"])
        assert (letter["kind"], letter["address"], letter["sent"]) == ("acknowledgement", JOHN, True)
        assert "your file server" in letter["text"]
        assert [m["verdict"] for m in told["judged"]][:2] == ["OpenFromAlert", "Recover"]

    def test_an_mbox_says_the_same(self, run: Run, november: Path, tmp_path: Path) -> None:
        """N.8: the same mails from an mbox are the same rehearsal."""
        box = mailbox.mbox(tmp_path / "november.mbox")
        for path in sorted(november.iterdir()):
            box.add(path.read_bytes())
        box.close()
        told = [json.loads(run("rehearse", s, "--json").stdout) for s in (november, tmp_path / "november.mbox")]
        assert told[0]["verdicts"] == told[1]["verdicts"]
        assert told[0]["clients"] == told[1]["clients"]

    def test_nothing_is_touched(
        self, run: Run, november: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """N.8: no record, no key, no source is made or changed, no port is opened, and the scratch folder is gone."""
        scratch = tmp_path / "scratch"
        scratch.mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(scratch))
        before = files(tmp_path)
        assert run("rehearse", november).exit_code == 0
        assert files(tmp_path) == before
        assert list(scratch.iterdir()) == []

    def test_the_road_s_log_stays_out_of_it(self, run: Run, november: Path) -> None:
        """N.8: what a program reads is JSON alone; logging is afterwards as it was."""
        before = structlog.get_config()
        result = run("rehearse", november, "--json")
        assert result.stdout.lstrip().startswith("{")
        assert result.stderr == ""
        assert structlog.get_config() == before

    def test_nothing_of_a_mail_reaches_the_terminal_as_a_command(self, run: Run, november: Path) -> None:
        """DESIGN 4: control characters and markup of a mail are only characters."""
        for words in ((), ("--letters",), ("--json",), ("--against", "config.toml")):
            result = run("rehearse", november, *words)
            assert not [c for c in result.stdout if not c.isprintable() and c != "\n"], ascii(result.stdout)
        assert "[red]dead[/red]" in run("rehearse", november).stdout

    def test_the_page_needs_nothing_else(self, run: Run, november: Path, tmp_path: Path) -> None:
        """N.8: one file without scripts and without anything from elsewhere; what came by mail is only words in it."""
        result = run("rehearse", november, "--html", "page.html")
        assert result.stdout.endswith("The page is page.html.\n")
        written = (tmp_path / "page.html").read_text()
        assert "<script" not in written
        assert not re.search(r"(?:src|href|url)\s*[=(]\s*[\"']?(?![\"'#])", written)
        assert {"client-northwind", "unplaced", "too-much", "how"} <= set(re.findall(r'<section id="([^"]+)"', written))
        assert set(re.findall(r'href="#([^"]+)"', written)) <= set(re.findall(r'id="([^"]+)"', written))
        letters = re.findall(r"<details class=\"letter.*?</details>", written, re.DOTALL)
        assert any("your file server" in letter for letter in letters)
        assert "[red]dead[/red]" in written

    @pytest.mark.parametrize(("live", "to"), [("auto", JOHN), ("off", "valery@msp.example")])
    def test_live_is_rehearsed_as_asked(self, run: Run, november: Path, tmp_path: Path, live: str, to: str) -> None:
        """N.7, N.8: a service that is off is rehearsed as if it were auto, unless asked otherwise; both are told."""
        write_config(tmp_path, imap_port=9, smtp_port=9, live='"off"')
        words = () if live == "auto" else ("--live", live)
        told = json.loads(run("rehearse", november, "--json", *words).stdout)
        assert (told["live"], told["configured_live"]) == (live, "off")
        assert next(x["address"] for x in told["clients"][0]["letters"] if x["kind"] == "acknowledgement") == to

    def test_a_client_s_own_word_stays(self, run: Run, november: Path, tmp_path: Path) -> None:
        """N.7: a client who is stricter than the service is so in a rehearsal too."""
        config = tmp_path / "config.toml"
        config.write_text(config.read_text().replace('# live = "review"                   #', 'live = "review" #', 1))
        told = json.loads(run("rehearse", november, "--json").stdout)
        (acknowledgement, *_) = [x for x in told["clients"][0]["letters"] if x["kind"] == "acknowledgement"]
        assert (acknowledgement["sent"], told["live"]) == (False, "auto")

    def test_since_and_after(self, run: Run, november: Path) -> None:
        """N.8: only mail since a day, by the service's own midnight; the clock goes on for as long as is asked."""
        told = json.loads(run("rehearse", november, "--json", "--since", "2026-11-25").stdout)
        assert [m["source"] for m in told["judged"]] == ["3.eml", "4.eml"]
        alone = november / "1.eml"
        for after, sent in (("2m", False), ("4m", True)):
            told = json.loads(run("rehearse", alone, "--json", "--after", after).stdout)
            assert [x["sent"] for x in told["clients"][0]["letters"] if x["to_client"]] == [sent]

    @pytest.mark.parametrize(
        ("words", "code", "said"),
        [
            (("missing.mbox",), 1, "missing.mbox: No such file"),
            (("empty",), 1, "there is no mail in empty"),
            (("inbox",), 2, "--since"),
            (("inbox", "--since", "2026-11-01", "--mailbox", "x@y.example"), 2, "no such mailbox"),
            (("inbox", "--since", "2026-11-01"), 1, "127.0.0.1"),
            (("stored",), 1, "no records yet"),
            (("empty", "--after", "soon"), 2, "--after"),
            (("empty", "--against", "missing.toml"), 2, "missing.toml"),
        ],
    )
    def test_a_mistake_is_one_clear_line(
        self, run: Run, tmp_path: Path, words: tuple[str, ...], code: int, said: str
    ) -> None:
        """DESIGN 3: what is wrong is said with its name, without a traceback."""
        (tmp_path / "empty").mkdir()
        result = run("rehearse", *words)
        assert result.exit_code == code, result.output
        assert said in result.stderr
        assert "Traceback" not in result.output

    def test_the_live_mailbox_is_only_looked_at(self, run: Run, november: Path, tmp_path: Path) -> None:
        """N.8: what lies in the inbox is rehearsed; nothing is sent, and nothing is moved."""
        with EmbeddedMail(dict.fromkeys(PEOPLE, PASSWORD), now=lambda: MORNING) as mail:
            write_config(tmp_path, imap_port=mail.imap_port, smtp_port=mail.smtp_port)
            for path in sorted(november.iterdir()):
                mail.deliver(NOC, path.read_bytes())
            told = json.loads(run("rehearse", "inbox", "--since", "2026-11-01", "--json").stdout)
            again = json.loads(run("rehearse", "inbox", "--since", "2026-11-01", "--json").stdout)
            assert mail.sent == []
        assert told["mails"] == 4
        assert told["arrival_told_by"] == {"the server's own word": 4}
        assert [m["source"] for m in again["judged"]] == [m["source"] for m in told["judged"]]


class TestAgainst:
    def test_only_what_differs(self, run: Run, november: Path, tmp_path: Path) -> None:
        """N.8: another configuration over the same mails: which decision would be another, and why."""
        text = (tmp_path / "config.toml").read_text()
        (tmp_path / "other.toml").write_text(
            text.replace('domains = ["contoso.example"]', 'domains = ["contoso.example", "else.example"]')
        )
        result = run("rehearse", november, "--against", "other.toml")
        assert result.exit_code == 0, result.output
        assert "4 mails; 1 decision would be another." in result.stdout
        assert re.search(
            r"Cheap toner +shown to a liaison.*opened an incident for a client.*\(Contoso\)", result.stdout
        )
        told = json.loads(run("rehearse", november, "--against", "other.toml", "--json").stdout)
        assert set(told) == {"live", "mails", "different"}
        (one,) = told["different"]
        assert set(one) == {"source", "mailbox", "arrival", "author", "subject", "before", "now", "why_before", "why"}
        assert one["source"] == "4.eml"

    def test_the_same_configuration_differs_in_nothing(self, run: Run, november: Path) -> None:
        """N.8: a rehearsal is the same each time."""
        told = json.loads(run("rehearse", november, "--against", "config.toml", "--json").stdout)
        assert told["different"] == []
        assert "0 decisions" in run("rehearse", november, "--against", "config.toml").stdout


class TestKeptMail:
    def test_stored_mail_is_rehearsed(self, run: Run, office: Office) -> None:
        """N.8: the mails that the records keep decide again as they did, and the records stay as they are."""
        before = files(office.data)
        result = run("rehearse", "stored", "--config", office.config, "--json")
        assert result.exit_code == 0, result.output
        told = json.loads(result.stdout)
        assert [m["verdict"] for m in told["judged"]][:3] == ["OpenFromAlert", "Join", "Recover"]
        assert told["verdicts"]["AnswersLife"] == 3  # what Valery answered to letters that no rehearsal has sent
        assert "Refuse" not in told["verdicts"]
        assert told["unplaced"] == []
        assert {c["key"] for c in told["clients"]} == {"northwind", "contoso"}
        after = files(office.data)
        assert {name for name in after if name.endswith("mailflow.db")} == {
            n for n in before if n.endswith("mailflow.db")
        }
        assert all(after[name] == raw for name, raw in before.items() if name.endswith((".db", ".key")))

    def test_a_mail_is_explained_whole(self, run: Run, office: Office) -> None:
        """N.11: where it came in, how it reads and by which recipe, each decision with its reason, what it caused."""
        result = run("explain", "1", "--config", office.config)
        assert result.exit_code == 0, result.output
        said = result.stdout
        assert re.search(r"Came in 24 Nov 09:12 by noc@msp\.example, INBOX, UID \d+, filed 24 Nov 09:12", said)
        assert "Kind: alert (recipe-zabbix). The recipe zabbix knows it." in said
        assert "  host: NW-FS01" in said
        assert re.search(r"opened an incident +INC-1 +Trouble that is not known yet\. +new-key", said)
        assert re.search(r"opened +Valery Stufano <valery@msp\.example> +sent", said)
        assert re.search(r"acknowledgement +John Harper <john@northwind\.example> +sent", said)

    def test_for_a_program_by_its_message_id(self, run: Run, office: Office) -> None:
        """N.11: the same by Message-ID, brackets or not, with stable keys."""
        by_number = json.loads(run("explain", "1", "--json", "--config", office.config).stdout)
        assert set(by_number) == EXPLAINED
        named = by_number["message_id"]
        assert re.fullmatch(r"<[^<>]+@[^<>]+>", named)
        for spelling in (named, named.strip("<>")):
            assert json.loads(run("explain", spelling, "--json", "--config", office.config).stdout) == by_number
        (event,) = by_number["reading"]["events"]
        assert (event["recipe"], event["fields"]["host"]) == ("zabbix", "NW-FS01")
        assert {x["kind"] for x in by_number["letters"]} == {"opened", "acknowledgement"}

    def test_a_person_s_mail_says_who_vouched(self, run: Run, office: Office) -> None:
        """N.11: whom the sender was taken for, and on whose word."""
        told = [explained_of(run, office, number) for number in range(1, numbers(office) + 1)]
        client = next(x for x in told if x["kind"] == "client")
        assert client["taken_for"]["role"] == "client"
        assert client["taken_for"]["clients"] == ["Northwind"]
        liaison = next(x for x in told if x["kind"] == "liaison")
        assert (liaison["taken_for"]["role"], liaison["taken_for"]["authenticated"]) == ("liaison", True)
        assert "mx.msp.example vouches" in liaison["taken_for"]["by"]
        assert (
            "taken for the liaison Valery Stufano. "
            in run("explain", str(liaison["id"]), "--config", office.config).stdout
        )
        own = next(x for x in told if x["kind"] == "own")
        assert own["taken_for"]["role"] == "ourselves"
        assert own["reading"] is None
        assert "kept as that letter" in own["forgotten"]

    def test_what_cannot_be_known_any_more_is_said(self, run: Run, office: Office) -> None:
        """N.11: without its bytes the decision stands as recorded, and how the mail read is gone, which is said."""
        store = office.store()
        (first, *_) = store.mailroom.after(0, 1)
        with store.transaction():
            store.mailroom.drop_content(first.hash)
        store.disconnect()
        said = run("explain", "1", "--config", office.config).stdout
        assert (
            "How it reads cannot be told any more. Its bytes are not kept any more (store.keep_raw_days = 400)." in said
        )
        assert "new-key" in said

    @pytest.mark.parametrize("named", ["999", "<none@x.example>", "9" * 40])
    def test_a_mail_that_is_not_there(self, run: Run, office: Office, named: str) -> None:
        """N.11: one clear line, exit 1."""
        result = run("explain", named, "--config", office.config)
        assert (result.exit_code, result.stdout) == (1, "")
        assert f"there is no mail {named}; " in result.stderr

    def test_every_mail_can_be_explained_and_none_is_a_command(self, run: Run, office: Office) -> None:
        """N.11, DESIGN 4: whatever a mail holds, explaining it works and sends no control character to the terminal."""
        for number in range(1, numbers(office) + 1):
            result = run("explain", str(number), "--config", office.config)
            assert result.exit_code == 0, result.output
            assert not [c for c in result.stdout if not c.isprintable() and c != "\n"], ascii(result.stdout)


def numbers(office: Office) -> int:
    store = office.store()
    try:
        return len(store.mailroom.after(0, 1_000))
    finally:
        store.disconnect()


def explained_of(run: Run, office: Office, number: int) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(run("explain", str(number), "--json", "--config", office.config).stdout)
    return told
