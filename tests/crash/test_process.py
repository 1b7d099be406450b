"""The daemon as a process: signals, systemd's socket, its lock, `--once`, and what the world can do to a mailbox."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mailflow.config.load import ConfigurationError, load
from mailflow.domain.letters import LetterKind, LetterState
from tests.crash.firm import ANN, DANA, DONE, EVENTS, JOHN, LINE, PATIENCE, PROGRAM, SECRET, VALERY, firm, now
from tests.house import NOC, RECOVERY, until, zabbix_mail

pytestmark = pytest.mark.soak

WRONG = "mistyped-secret-40"


class Supervisor:
    """What systemd hears on NOTIFY_SOCKET."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self._heard: list[str] = []
        self._line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._line.bind(self.path)
        self._line.setblocking(False)

    @property
    def heard(self) -> list[str]:
        """Every state so far, in order."""
        while True:
            try:
                self._heard.append(self._line.recv(4096).decode())
            except BlockingIOError:
                return self._heard

    def hears(self, state: str, times: int = 1) -> None:
        """Wait until a state was sent so many times in all."""
        until(lambda: self.heard.count(state) >= times, within=PATIENCE)

    def close(self) -> None:
        """Hear no more."""
        self._line.close()


@contextmanager
def supervised(folder: Path) -> Iterator[Supervisor]:
    """A listening NOTIFY_SOCKET."""
    supervisor = Supervisor(folder / "notify")
    try:
        yield supervisor
    finally:
        supervisor.close()


def test_sigterm_lets_the_letter_on_the_wire_arrive(tmp_path: Path) -> None:
    """DESIGN 2: the command itself; SIGTERM while the server owes its answer: exit 0, the letter sent, and once."""
    with firm(tmp_path) as on, supervised(tmp_path) as systemd, (tmp_path / "log").open("w+") as log:
        on.mail.slow_for = JOHN
        on.alerts("NW-FS01")
        command = [*PROGRAM, "run", "--config", str(on.config)]
        with subprocess.Popen(command, stderr=log, env=os.environ | {"NOTIFY_SOCKET": systemd.path}) as process:
            assert on.mail.taken.wait(PATIENCE)
            assert "STOPPING=1" not in systemd.heard
            process.send_signal(signal.SIGTERM)
            systemd.hears("STOPPING=1")
            assert [a.state for a in on.letters(LetterKind.ACKNOWLEDGEMENT)] == [LetterState.STARTED]
            on.mail.answer.set()
            assert process.wait(PATIENCE) == 0
        assert on.acknowledgement.state is LetterState.SENT
        said = (tmp_path / "log").read_text()
        assert all(LINE.match(line) for line in said.splitlines())
        assert "INC-1 letter sent kind=acknowledgement" in said
        again = on.start()
        on.come_to_rest(1)
        assert again.stop() == 0
        assert len(on.sent_to(JOHN)) == 1


def test_sigterm_starts_no_further_letter(tmp_path: Path) -> None:
    """DESIGN 2: of a batch of leased letters only the one on the wire is finished; the others wait for the next run."""
    with firm(tmp_path) as on, supervised(tmp_path) as systemd:
        on.mail.slow_for = VALERY
        on.alerts("NW-FS01", "CO-ACC01")
        daemon = on.start(notify=systemd.path)
        assert on.mail.taken.wait(PATIENCE)
        daemon.tell(signal.SIGTERM)
        systemd.hears("STOPPING=1")
        on.mail.answer.set()
        assert daemon.ended() == 0
        assert len(on.mail.sent) == 1
        states = sorted(letter.state for letter in on.store.outbox.letters(limit=9))
        assert states == [LetterState.SENT, *[LetterState.WAITING] * 3]
        again = on.start()
        on.come_to_rest(2)
        assert again.stop() == 0
        assert [len(on.sent_to(who)) for who in (JOHN, ANN, VALERY)] == [1, 1, 2]


def test_systemd_is_told_how_we_are(tmp_path: Path) -> None:
    """DESIGN 3: READY=1 when it runs, WATCHDOG=1 while all runners live, STOPPING=1 at the end."""
    with firm(tmp_path) as on, supervised(tmp_path) as systemd:
        daemon = on.start(notify=systemd.path)
        systemd.hears("WATCHDOG=1", times=2)
        assert daemon.stop() == 0
        assert systemd.heard[0] == "READY=1"
        assert systemd.heard[-1] == "STOPPING=1"
        assert set(systemd.heard) == {"READY=1", "WATCHDOG=1", "STOPPING=1"}


def test_sighup_takes_a_good_configuration_and_refuses_a_bad_one(tmp_path: Path) -> None:
    """DESIGN 4, S0.12: checked whole first; where anything is wrong, all of it is said and the old one stays."""
    with firm(tmp_path) as on, supervised(tmp_path) as systemd:
        daemon = on.start(notify=systemd.path)
        daemon.says("running")
        on.configure(footer='"Mill Lane 12, Springfield"')
        daemon.tell(signal.SIGHUP)
        daemon.says("reloaded")
        on.alerts("NW-FS01")
        until(lambda: on.sent_to(JOHN), within=PATIENCE)

        on.configure(footer='"Nobody may read this"', live='"loud"', file='"burn"')
        with pytest.raises(ConfigurationError) as wrong:
            load(on.config, {})
        daemon.tell(signal.SIGHUP)
        systemd.hears("READY=1", times=3)
        refused = [line for line in daemon.lines if "not reloaded" in line]
        assert len(refused) == len(wrong.value.problems) == 2
        assert "loud" in refused[0]
        assert "burn" in refused[1]
        on.alerts("NW-MX01")
        until(lambda: len(on.sent_to(JOHN)) == 2, within=PATIENCE)
        assert daemon.stop() == 0
        assert all("Mill Lane 12, Springfield" in letter.text for letter in on.sent_to(JOHN))
        reloading = [n for n, state in enumerate(systemd.heard) if state.startswith("RELOADING=1\nMONOTONIC_USEC=")]
        assert len(reloading) == 2
        assert all("READY=1" in systemd.heard[n:] for n in reloading)


@pytest.mark.parametrize("verb", [("run",), ("run", "--once")], ids=" ".join)
def test_a_second_run_on_the_same_data_ends_at_once(tmp_path: Path, verb: tuple[str, ...]) -> None:
    """DESIGN 3: one `run` for each data folder; the second one says so in one line and ends with 2."""
    with firm(tmp_path) as on:
        daemon = on.start()
        daemon.says("running")
        second = on.command(*verb)
        assert second.returncode == 2
        (line,) = second.stderr.splitlines()
        assert "another mailflow runs on" in line
        assert second.stdout == ""
        on.alerts("NW-FS01")
        on.come_to_rest(1)  # the first one minds nothing
        assert daemon.stop() == 0


def test_once_drains_sweeps_flushes_and_ends(tmp_path: Path) -> None:
    """DESIGN 4: `run --once` takes all mail in, fires what is due, sends what is due, and ends with 0."""
    with firm(tmp_path, form_after='"0s"') as on:
        on.alerts("NW-FS01")
        first = on.command("run", "--once")
        assert first.returncode == 0
        assert on.acknowledgement.state is LetterState.SENT
        assert len(on.sent_to(JOHN)) == 1
        assert on.count(DONE) == 1
        assert on.count("INBOX") == 0
        over = RECOVERY.replace("184467", EVENTS["NW-FS01"])
        on.mail.deliver(NOC, zabbix_mail("Resolved in 9m 4s: NW-FS01 has been restarted", over, now()))
        second = on.start(verb=("run", "--once"))
        assert second.ended() == 0
        (form,) = on.letters(LetterKind.FORM)  # put by the sweep, after the drain
        assert form.state is LetterState.SENT
        assert "What was the problem?" in on.sent_to(VALERY)[-1].text
        assert len(on.sent_to(JOHN)) == 1
        assert all(LINE.match(line) for line in first.stderr.splitlines())


def test_once_with_the_server_down_says_so_in_one_line(tmp_path: Path) -> None:
    """DESIGN 3: exit 1 from `run --once` where the world is in the way; one line, no traceback."""
    with firm(tmp_path) as on:
        on.mail.down()
        done = on.command("run", "--once")
        assert done.returncode == 1
        (line,) = done.stderr.splitlines()
        assert LINE.match(line)
        assert f"127.0.0.1:{on.mail.imap_port}" in line
        assert "Traceback" not in done.stderr


def test_a_refused_login_pauses_and_a_corrected_one_works_after_sighup(tmp_path: Path) -> None:
    """DESIGN 3: one attempt, one line, one page, no loop of logins; SIGHUP after the correction tries at once."""
    with firm(tmp_path, password=WRONG) as on, supervised(tmp_path) as systemd:
        daemon = on.start(notify=systemd.path)
        line = daemon.says("inbox trouble")
        assert "what=login" in line
        daemon.says("sending paused")  # the page cannot leave either
        systemd.hears("WATCHDOG=1", times=2)
        assert on.mail.connections == 1
        assert len([line for line in daemon.lines if "WARNING" in line]) == 2
        assert daemon.lives
        on.configure()
        on.alerts("NW-FS01")
        daemon.tell(signal.SIGHUP)
        until(lambda: on.sent_to(JOHN), within=PATIENCE)
        until(lambda: on.sent_to(DANA), within=PATIENCE)
        on.come_to_rest(1)
        assert daemon.stop() == 0
        assert len(on.sent_to(JOHN)) == len(on.sent_to(DANA)) == 1
        assert on.mail.connections == 2
        assert WRONG not in "\n".join(daemon.lines)


def test_a_server_that_is_down_at_the_start_is_waited_for(tmp_path: Path) -> None:
    """DESIGN 3: a lost connection is tried again within seconds; nobody is paged for it."""
    with firm(tmp_path) as on:
        on.mail.down()
        daemon = on.start()
        daemon.says("what=connection")
        on.mail.up()
        on.alerts("NW-FS01")
        on.come_to_rest(1)
        assert daemon.stop() == 0
        assert len(on.sent_to(JOHN)) == 1
        assert on.sent_to(DANA) == []


def test_a_missing_folder_is_said_once_and_paged(tmp_path: Path) -> None:
    """DESIGN 3: a missing folder pauses that mailbox alone, with one line that names it and one page."""
    with firm(tmp_path, reads="Alerts") as on, supervised(tmp_path) as systemd:
        daemon = on.start(notify=systemd.path)
        line = daemon.says("inbox trouble")
        assert "no folder Alerts" in line
        assert "what=folder" in line
        until(lambda: on.sent_to(DANA), within=PATIENCE)
        systemd.hears("WATCHDOG=1", times=2)
        assert on.mail.connections == 1
        assert len([line for line in daemon.lines if "WARNING" in line]) == 1
        assert daemon.stop() == 0
        assert "Alerts" in on.sent_to(DANA)[0].text


def test_the_log_is_one_line_an_event_with_the_incident_first(tmp_path: Path) -> None:
    """DESIGN 1.4: `HH:MM:SS INC-1 …` for what belongs to an incident, `-` for the rest; mail cannot forge a line."""
    with firm(tmp_path) as on:
        on.alerts("NW-FS01")
        on.mail.deliver(
            NOC, b"From: x@y.example\r\nSubject: =?utf-8?q?a=0A00=3A00=3A00_INC-9_forged?=\r\n\r\nHello\r\n"
        )
        daemon = on.start()
        on.come_to_rest(2)
        assert daemon.stop() == 0
        about = [line for line in daemon.lines if line[9:].startswith("INC-1 ")]
        assert any("OpenFromAlert" in line for line in about)
        assert any("letter sent kind=acknowledgement" in line for line in about)
        assert not any(line[9:].startswith("INC-9") for line in daemon.lines)
        assert SECRET not in "\n".join(daemon.lines)
