"""run, check, doctor, migrate, and the mistakes that every verb tells alike."""

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailflow.adapters.store import tables
from mailflow.adapters.store.database import connect
from mailflow.demo.servers import EmbeddedMail
from mailflow.demo.story import PASSWORD
from tests.cli.conftest import Office, Verb
from tests.house import NOC, PEOPLE, PROBLEM, ROOT, until, write_config, zabbix_mail

BAD = ROOT / "tests" / "config" / "bad"
DOCTORED = ["login", "folder", "sending", "plus addressing", "clock", "auth", "Sent copy"]


def changed(config: Path, *pairs: tuple[str, str]) -> Path:
    """The configuration with some words replaced."""
    text = config.read_text()
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new, 1)
    config.write_text(text)
    return config


def mailflow(*words: str | Path) -> subprocess.Popen[str]:
    """mailflow in a process of its own."""
    command = [sys.executable, "-m", "mailflow.cli.main", *map(str, words)]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


class TestCheck:
    def test_the_shipped_configuration_is_in_order(self, verb: Verb) -> None:
        """DESIGN 4: exit 0, and what was looked at."""
        result = verb("check", "--config", ROOT / "config.toml")
        assert result.exit_code == 0, result.output
        assert "2 clients" in result.stdout
        assert result.stdout.endswith("Everything is in order.\n")

    def test_warnings_are_not_called_order(self, verb: Verb, tmp_path: Path) -> None:
        """DESIGN 4: below a warning nobody is told that all is well; it is no error either."""
        config = changed(write_config(tmp_path, imap_port=1, smtp_port=1), ('plain = "your mail"', 'plain = ""'))
        result = verb("check", "-c", config)
        assert (result.exit_code, result.stderr.count("warning: ")) == (0, 1)
        assert result.stdout.endswith("\nIt can be used; 1 warning above.\n")

    def test_it_connects_to_nothing_and_writes_nothing(self, verb: Verb, tmp_path: Path) -> None:
        """DESIGN 4: check needs no server, and makes no data folder."""
        config = write_config(tmp_path, imap_port=1, smtp_port=1)
        assert verb("check", "-c", config).exit_code == 0
        assert os.listdir(tmp_path) == ["config.toml"]

    def test_for_a_program(self, verb: Verb) -> None:
        """DESIGN 4: --json wherever a program may want it."""
        found = json.loads(verb("check", "--json", "-c", ROOT / "config.toml").stdout)
        assert (found["problems"], found["clients"]) == ([], 2)
        assert found["files"] == [str(ROOT / "config.toml")]

    @pytest.mark.parametrize("name", ["many_at_once", "not_utf8", "double_brackets"])
    def test_every_problem_is_told_at_once(self, verb: Verb, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        """S4.19: exit 2 with all problems, a line each, and no traceback."""
        monkeypatch.chdir(BAD)
        result = verb("check", "--config", f"{name}.toml")
        assert result.exit_code == 2
        expected = (BAD / f"{name}.txt").read_text("utf-8").replace("{here}", str(BAD))
        assert result.stderr.splitlines() == expected.splitlines()
        assert result.stdout == ""

    @pytest.mark.parametrize(
        ("words", "code", "where"),
        [
            ("Dear {{ first_name", 2, "letters/en/acknowledgement.txt, line 3: "),
            ("Dear {{ first_nmae }}", 1, "letters/en/acknowledgement: 'first_nmae' "),
        ],
    )
    def test_a_template_of_one_s_own_that_is_broken(
        self, verb: Verb, tmp_path: Path, words: str, code: int, where: str
    ) -> None:
        """S4.19: a hole in a letter is found before any incident, and said where it is."""
        config = changed(write_config(tmp_path, imap_port=1, smtp_port=1), ('# templates = "', 'templates = "'))
        own = tmp_path / "templates" / "letters" / "en"
        own.mkdir(parents=True)
        (own / "acknowledgement.txt").write_text(f"Hello\n\n{words}\n")
        result = verb("check", "-c", config)
        assert result.exit_code == code
        assert where in result.stderr
        assert "Everything is in order" not in result.stdout
        assert "Traceback" not in result.output


class TestMistakes:
    @pytest.mark.parametrize("words", [["run"], ["incidents"], ["check"], ["doctor"], ["migrate"], ["outbox", "list"]])
    def test_no_configuration(self, verb: Verb, words: list[str]) -> None:
        """DESIGN 3: exit 2, with where it was looked for."""
        if Path("/etc/mailflow/config.toml").exists():
            pytest.skip("this machine has a configuration")
        result = verb(*words)
        assert result.exit_code == 2
        (line,) = result.stderr.splitlines()
        assert "no configuration found" in line
        assert "--config" in line

    def test_a_configuration_that_is_not_there(self, verb: Verb, monkeypatch: pytest.MonkeyPatch) -> None:
        """DESIGN 4: a file that was named must be there; nothing takes its place."""
        result = verb("check", "--config", "/nowhere/config.toml")
        assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
        assert "/nowhere/config.toml" in result.stderr
        assert "it is a folder; name the file in it" in verb("check", "--config", BAD).stderr
        monkeypatch.setenv("MAILFLOW_CONFIG", "/elsewhere.toml")
        result = verb("incidents")
        assert result.exit_code == 2
        assert "$MAILFLOW_CONFIG" in result.stderr

    @pytest.mark.parametrize("words", [["run"], ["incidents"], ["migrate"]])
    def test_a_data_folder_that_cannot_be_made(self, verb: Verb, tmp_path: Path, words: list[str]) -> None:
        """DESIGN 3: exit 2 where the data folder is not writable, in one line that names key and folder."""
        (tmp_path / "data").write_text("a file, where a folder should be")
        config = write_config(tmp_path, imap_port=1, smtp_port=1)
        result = verb(*words, "--config", config)
        assert result.exit_code == 2
        (line,) = result.stderr.splitlines()
        assert "service.data_dir: " in line
        assert "name another place" in line

    def test_a_data_folder_on_a_read_only_system(self, verb: Verb, tmp_path: Path) -> None:
        """DESIGN 3: where the system refuses, even to root, its own word for it is told; exit 2, one line."""
        config = write_config(tmp_path, imap_port=1, smtp_port=1, data_dir='"/proc/mailflow"')
        result = verb("run", "--config", config)
        assert result.exit_code == 2
        (line,) = result.stderr.splitlines()
        assert "service.data_dir: " in line
        assert "/proc/mailflow" in line

    @pytest.mark.parametrize("words", [["run"], ["incidents"], ["migrate"]])
    def test_a_database_that_is_none(self, verb: Verb, tmp_path: Path, words: list[str]) -> None:
        """DESIGN 3: exit 2, one line, no traceback."""
        config = write_config(tmp_path, imap_port=1, smtp_port=1)
        (tmp_path / "data").mkdir()
        (tmp_path / "data" / "mailflow.db").write_text("Dear diary, " * 500)
        result = verb(*words, "--config", config)
        assert result.exit_code == 2
        (line,) = result.stderr.splitlines()
        assert "not a database" in line

    @pytest.mark.parametrize("words", [["run", "--once"], ["incidents"], ["check"], ["doctor"], ["migrate"]])
    def test_postgresql_without_its_driver(
        self, verb: Verb, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: list[str]
    ) -> None:
        """DESIGN 3: what is not installed is said by every verb, exit 2, with the command that installs it."""
        monkeypatch.setitem(sys.modules, "psycopg", None)  # what Python does where it is not installed
        config = write_config(tmp_path, imap_port=1, smtp_port=1, url='"postgresql://x@127.0.0.1:1/db"')
        result = verb(*words, "--config", config)
        said = "store.url: PostgreSQL needs its driver: pip install 'mailflow[postgres]'\n"
        assert (result.exit_code, result.stderr, result.stdout) == (2, said, "")

    def test_letters_without_the_key_that_signed_them(self, office: Office) -> None:
        """DESIGN 3: a restored database without its key would refuse every answer; that is told, with what to do."""
        key = office.data / "token.key"
        signed = key.read_bytes()
        key.unlink()
        for words in (["run", "--once"], ["incidents"]):
            result = office.verb(*words)
            assert result.exit_code == 2
            (line,) = result.stderr.splitlines()
            assert line.startswith(f"{key} is missing, and the letters in the records were signed with it: put it back")
            assert not key.exists()
        subprocess.run(["sh", "-c", line.rpartition(": ")[2]], check=True)
        assert office.verb("incidents").exit_code == 0
        assert key.read_bytes() != signed

    @pytest.mark.parametrize("words", [["doctor"], ["incidents"], ["report"], ["whose", "x"], ["explain", "1"]])
    def test_a_program_reads_mistakes_as_json_too(self, verb: Verb, tmp_path: Path, words: list[str]) -> None:
        """DESIGN 4: whoever asked for JSON is given JSON, whatever is wrong."""
        config = write_config(tmp_path, imap_port=1, smtp_port=1, timezone='"Nowhere"')
        result = verb(*words, "--json", "--config", config)
        assert (result.exit_code, result.stderr) == (2, "")
        (problem,) = json.loads(result.stdout)["problems"]
        assert "unknown time zone `Nowhere`" in problem


class TestMigrate:
    def test_tables_are_made_once(self, verb: Verb, tmp_path: Path) -> None:
        """DESIGN 4: migrate says what it did, and the second time that there was nothing to do."""
        config = write_config(tmp_path, imap_port=1, smtp_port=1)
        first, second = verb("migrate", "-c", config), verb("migrate", "-c", config)
        assert (first.exit_code, first.stdout) == (
            0,
            "Applied: 0001_first_tables, 0002_signals, 0003_desk, 0004_time, 0005_month\n",
        )
        assert (second.exit_code, second.stdout) == (0, "Everything is up to date.\n")

    def test_a_newer_schema_ends_every_verb(self, verb: Verb, tmp_path: Path) -> None:
        """DESIGN 3: exit 2 for a newer schema, with what to do."""
        config = write_config(tmp_path, imap_port=1, smtp_port=1)
        verb("migrate", "-c", config)
        store = connect(f"sqlite:///{tmp_path / 'data' / 'mailflow.db'}")
        tables.PROXY.execute_sql("INSERT INTO schema_migration (name, applied) VALUES ('9999_x', '2030-01-01')")
        store.disconnect()
        for words in (["migrate"], ["incidents"]):
            result = verb(*words, "-c", config)
            assert result.exit_code == 2
            assert "newer mailflow" in result.stderr


@pytest.mark.soak
class TestRun:
    def test_two_daemons_on_one_folder(self, office: Office) -> None:
        """DESIGN 2: a second `run` is refused in one line, exit 2; the other verbs work beside the first."""
        with (office.data / "mailflow.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            process = mailflow("run", "-c", office.config)
            out, err = process.communicate(timeout=60)
            assert process.returncode == 2
            assert out == ""
            (line,) = err.splitlines()
            assert line.startswith(f"another mailflow runs on {office.data} already; ")
            assert office.verb("incidents").exit_code == 0

    def test_until_it_is_stopped(self, tmp_path: Path) -> None:
        """DESIGN 3: SIGTERM ends `run` with 0."""
        with EmbeddedMail(dict.fromkeys(PEOPLE, PASSWORD), now=lambda: datetime.now(UTC)) as mail:
            config = write_config(tmp_path, imap_port=mail.imap_port, smtp_port=mail.smtp_port)
            log = tmp_path / "log"
            with log.open("w") as output:
                command = [sys.executable, "-m", "mailflow.cli.main", "run", "-c", str(config)]
                env = {**os.environ, "PYTHONPATH": str(ROOT)}
                daemon = subprocess.Popen(command, env=env, stderr=output)
            try:
                until(lambda: "running" in log.read_text(), within=60)
                daemon.terminate()
                assert daemon.wait(60) == 0
            finally:
                daemon.kill()
                daemon.wait()

    def test_once_counts_its_own_pass(self, tmp_path: Path) -> None:
        """DESIGN 3: a pass that found nothing new says nothing of all that came before it."""
        with EmbeddedMail(dict.fromkeys(PEOPLE, PASSWORD), now=lambda: datetime.now(UTC)) as mail:
            config = write_config(tmp_path, imap_port=mail.imap_port, smtp_port=mail.smtp_port)
            ends = []
            for number in range(4):  # the first sees the folder, the second the alert, the third the letter's copy
                if number == 1:
                    subject = "Problem: NW-FS01 has been restarted"
                    mail.deliver(NOC, zabbix_mail(subject, PROBLEM, datetime.now(UTC)))
                _, err = mailflow("run", "--once", "-c", config).communicate(timeout=60)
                ends.append(err.splitlines()[-1].partition(" - ")[2])
        assert (ends[0], ends[3]) == ("done", "done")
        assert ends[1].startswith("done processed=")

    def test_once_tells_trouble_by_its_exit_code(self, tmp_path: Path) -> None:
        """DESIGN 3: `run --once` is 1 where a mailbox could not be read, and says which in a line."""
        config = write_config(tmp_path, imap_port=1, smtp_port=1)
        process = mailflow("run", "--once", "-c", config)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 1
        assert "noc@msp.example" in err
        assert "Traceback" not in err


class TestDoctor:
    @pytest.fixture
    def mail(self) -> Iterator[EmbeddedMail]:
        with EmbeddedMail(dict.fromkeys(PEOPLE, PASSWORD), now=lambda: datetime.now(UTC)) as mail:
            yield mail

    @pytest.fixture
    def config(self, mail: EmbeddedMail, tmp_path: Path) -> Path:
        return write_config(tmp_path, imap_port=mail.imap_port, smtp_port=mail.smtp_port)

    def found(self, verb: Verb, config: Path, code: int) -> dict[str, tuple[str, str]]:
        result = verb("doctor", "--json", "-c", config)
        assert result.exit_code == code, result.output
        return {f["what"]: (f["verdict"], f["said"]) for f in json.loads(result.stdout)}

    def test_all_is_well(self, verb: Verb, mail: EmbeddedMail, config: Path) -> None:
        """DESIGN 4: login, folder, sending, plus addressing, clock and Sent copy are tried for real."""
        result = verb("doctor", "-c", config)
        assert result.exit_code == 0, result.output
        for what in DOCTORED:
            assert what in result.stdout
        assert "fail" not in result.stdout
        assert [m.recipients for m in mail.sent] == [("dana@msp.example", "noc+copy@msp.example")]

    def test_for_a_program_and_without_plus_addressing(self, verb: Verb, mail: EmbeddedMail, config: Path) -> None:
        """DESIGN 4: where plus addressing is off, the copy goes to the plain address, and comes."""
        changed(config, ("plus_addressing = true", "plus_addressing = false"))
        found = self.found(verb, config, 0)
        assert {verdict for verdict, _ in found.values()} == {"ok"}
        assert found["copy to ourselves"][0] == "ok"
        assert mail.sent[0].recipients[1] == "noc@msp.example"

    def test_no_copy_lies_in_sent(self, verb: Verb, config: Path) -> None:
        """DESIGN 1.8: a proof that the provider does not give is found out before it is needed, with advice."""
        changed(config, ('proof = "copy"', 'proof = "sent"'))
        assert self.found(verb, config, 1)["Sent copy"] == ("fail", 'no copy lies in Sent: set proof = "copy"')

    def test_another_server_s_name_is_believed(self, verb: Verb, config: Path) -> None:
        """DESIGN 4: with a wrong authserv_id no sender is ever proven; the server's own copy shows the right one."""
        begin = "your server's Authentication-Results begin with mx.msp.example"
        assert self.found(verb, config, 0)["auth"] == ("ok", begin)
        changed(config, ('authserv_id = "mx.msp.example"', 'authserv_id = "mx.harbor.example"'))
        assert self.found(verb, config, 1)["auth"] == ("fail", f"{begin}; authserv_id says mx.harbor.example")
        changed(config, ('auth = "generic"\nauthserv_id = "mx.harbor.example"', 'auth = "none"'))
        assert "auth" not in self.found(verb, config, 0)

    def test_a_wrong_password(self, verb: Verb, mail: EmbeddedMail, config: Path) -> None:
        """DESIGN 3: one line, without the password, and nothing is sent."""
        changed(config, ('password = "demo"', 'password = "hunter22"'))
        result = verb("doctor", "-c", config)
        assert result.exit_code == 1
        lines = [line for line in result.stdout.splitlines() if "noc@msp.example" in line]
        assert len(lines) == 1
        assert "fail" in lines[0]
        assert "login" in lines[0]
        assert "hunter22" not in result.output
        assert mail.sent == []

    def test_a_server_that_is_not_there(self, verb: Verb, tmp_path: Path) -> None:
        """DESIGN 3: one line that names host and port."""
        result = verb("doctor", "-c", write_config(tmp_path, imap_port=1, smtp_port=1))
        assert result.exit_code == 1
        assert "127.0.0.1:1" in result.stdout
        assert "Traceback" not in result.output
