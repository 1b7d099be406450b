"""A house to test in: the shipped configuration on embedded mail servers, with a clock that can be moved."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from mailflow.app import App
from mailflow.config.load import load
from mailflow.demo.clients import Received, received, write_mail
from mailflow.demo.clock import MovableClock
from mailflow.demo.servers import EmbeddedMail
from mailflow.demo.story import MORNING, NOC, PASSWORD, PEOPLE, PROBLEM, RECOVERY, ZABBIX, Stage, zabbix_mail

ROOT = Path(__file__).parent.parent
T = TypeVar("T")

__all__ = [
    "MORNING",
    "NOC",
    "PEOPLE",
    "PROBLEM",
    "RECOVERY",
    "ZABBIX",
    "House",
    "Received",
    "house",
    "received",
    "until",
    "write_config",
    "write_mail",
    "zabbix_mail",
]


def write_config(folder: Path, *, imap_port: int, smtp_port: int, **changes: str) -> Path:
    """The shipped configuration with other ports; `changes` replaces the first `key = …` line of each key, raw TOML."""
    text = (ROOT / "config.toml").read_text()
    text = text.replace("port = 10143", f"port = {imap_port}").replace("port = 10025", f"port = {smtp_port}")
    for key, value in {"data_dir": f'"{folder / "data"}"', **changes}.items():
        text, done = re.subn(rf"(?m)^(# )?{key} = .*$", f"{key} = {value}".replace("\\", r"\\"), text, count=1)
        assert done, f"{key} is not in config.toml"
    path = folder / "config.toml"
    path.write_text(text)
    return path


class House(Stage):
    """A stage whose daemon can be stopped and started again on the same data."""

    def __init__(self, folder: Path, mail: EmbeddedMail, clock: MovableClock, **changes: str) -> None:
        self.folder = folder
        config = write_config(folder, imap_port=mail.imap_port, smtp_port=mail.smtp_port, **changes)
        self.config = config
        super().__init__(self._built(config, clock), mail, clock)

    def _built(self, config: Path, clock: MovableClock) -> App:
        return App(load(config, {}), environ={}, clock=clock)

    def start(self) -> "House":
        """Start the daemon and wait until it waits for mail."""
        self.app.lock()
        self.app.start()
        self.ready()
        return self

    def stop(self) -> None:
        """Stop the daemon."""
        self.app.stop()

    def restart(self, **changes: str) -> "House":
        """The same data, a new daemon."""
        self.stop()
        if changes:
            write_config(self.folder, imap_port=self.mail.imap_port, smtp_port=self.mail.smtp_port, **changes)
        self.app = self._built(self.config, self.clock)
        return self.start()

    def alert(self, body: str = PROBLEM, subject: str = "Problem: NW-FS01 has been restarted") -> None:
        """A Zabbix alert arrives by SMTP."""
        self.send(ZABBIX, zabbix_mail(subject, body, self.now))

    def sent_to(self, recipient: str) -> list[Received]:
        """Everything that was sent to an address so far, in order."""
        return [received(m.raw) for m in self.mail.sent if m.recipients[0] == recipient]


@contextmanager
def house(folder: Path, **changes: str) -> Iterator[House]:
    """A running house; `changes` as in write_config."""
    clock = MovableClock(MORNING)
    with EmbeddedMail(dict.fromkeys(PEOPLE, PASSWORD), now=clock.now) as mail:
        built = House(folder, mail, clock, **changes)
        built.start()
        try:
            yield built
        finally:
            built.stop()


def until(what: Callable[[], T], *, within: float = 15.0) -> T:
    """Wait for something to become true, and give it; an AssertionError when it does not in time."""
    ends = time.monotonic() + within
    while time.monotonic() < ends:
        if got := what():
            return got
        time.sleep(0.02)
    raise AssertionError(f"not true within {within} seconds")
