"""What the verbs are tried on: one firm after a morning's work, played once and copied for each test."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from mailflow.adapters.store import tables
from mailflow.adapters.store.database import DatabaseStore, connect
from mailflow.cli.main import app
from mailflow.demo import story
from mailflow.engine.brake import Brake
from tests.house import JOHN, NOC, PROBLEM, ZABBIX, house, until, write_mail, zabbix_mail

# What an attacker writes: rename the window, clear the screen, colours, an 8-bit control, and the markup of our tables.
HOSTILE = "Fax =?utf-8?q?=1b]0;pwned=07=1b[2J_=c2=9b31m?= [red]dead[/red]"
HOSTILE_TEXT = "It is \x1b[31mred\x1b[0m, \x9b31m and \x7f dead. [bold]Help[/bold]\n"

Verb = Callable[..., Result]


def _run(*words: str | Path, input: str | None = None) -> Result:
    try:
        return CliRunner().invoke(app, [str(word) for word in words], input=input, catch_exceptions=False)
    finally:
        # A verb leaves its connection to the end of its process; here the process goes on.
        if tables.PROXY.obj is not None and not tables.PROXY.is_closed():
            tables.PROXY.close()


@pytest.fixture
def verb(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Verb:
    """Runs a verb as the command line would, in a folder without any configuration."""
    monkeypatch.delenv("MAILFLOW_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    return _run


@dataclass(frozen=True, kw_only=True)
class Office:
    """A firm's folder: its configuration and its records. Nothing runs on it."""

    config: Path
    data: Path

    def verb(self, *words: str | Path, input: str | None = None) -> Result:
        """Run a verb on this firm."""
        return _run(*words, "--config", self.config, input=input)

    def store(self) -> DatabaseStore:
        """Its records; the caller disconnects."""
        return connect(f"sqlite:///{self.data / 'mailflow.db'}")


@pytest.fixture(scope="session")
def morning(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """INC-1 debriefed, INC-2 open, INC-3 of a hostile mail waits for SEND, INC-4's letter is held by a pause."""
    folder = tmp_path_factory.mktemp("morning")
    with house(folder) as on:
        story.play(on, lambda *_: None)
        raw = write_mail(f"John Harper <{JOHN}>", NOC, "SUBJECT", "TEXT", on.now)
        on.send(JOHN, raw.replace(b"SUBJECT", HOSTILE.encode()).replace(b"TEXT", b"The fax is dead."))
        on.settle()
        with on.app.store.transaction():
            Brake(on.app.store).pause("dana", on.now)
        body = PROBLEM.replace("NW-FS01", "CO-ACC01")
        on.send(ZABBIX, zabbix_mail("Problem: CO-ACC01 has been restarted", body, on.now))
        on.settle()
        on.move_to(on.now + timedelta(minutes=30))
        until(lambda: Brake(on.app.store).held())
    return folder


@pytest.fixture
def office(morning: Path, verb: Verb, tmp_path: Path) -> Office:
    """A copy of it, to do with as one likes."""
    folder = tmp_path / "office"
    shutil.copytree(morning, folder)
    config = folder / "config.toml"
    config.write_text(config.read_text().replace(str(morning), str(folder)))
    return Office(config=config, data=folder / "data")
