"""A house to test in: the shipped configuration on embedded mail servers, with a clock that can be moved."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from mailflow.adapters.imap.session import connect
from mailflow.adapters.smtp.courier import SmtpCourier
from mailflow.adapters.store.tables import DecisionRow, IncidentRow, LetterRow
from mailflow.app import App
from mailflow.config.load import load
from mailflow.demo.clients import Received, gmail_on_top, received, write_mail
from mailflow.demo.clock import MovableClock
from mailflow.demo.servers import EmbeddedMail
from mailflow.demo.story import (
    DANA,
    JOHN,
    MORNING,
    NOC,
    PASSWORD,
    PEOPLE,
    PROBLEM,
    RECOVERY,
    SHIRLEY,
    VALERY,
    ZABBIX,
    Stage,
    zabbix_mail,
)
from mailflow.domain import tokens
from mailflow.domain.incident import Incident
from mailflow.domain.letters import Letter, LetterKind, LetterState
from mailflow.engine.inbox import Inbox

ROOT = Path(__file__).parent.parent
T = TypeVar("T")

__all__ = [
    "DANA",
    "JOHN",
    "MORNING",
    "NOC",
    "PEOPLE",
    "PROBLEM",
    "RECOVERY",
    "ROBIN",
    "SECOND_LIAISON",
    "SHIRLEY",
    "VALERY",
    "ZABBIX",
    "ByHand",
    "House",
    "Received",
    "by_hand",
    "gmail_on_top",
    "house",
    "received",
    "until",
    "write_config",
    "write_mail",
    "zabbix_mail",
]
ROBIN = "robin@msp.example"
SECOND_LIAISON = f'[[liaison]]\nname = "Robin Day"\ntitle = "Liaison"\naddress = "{ROBIN}"\n'


def write_config(folder: Path, /, *, imap_port: int, smtp_port: int, **changes: str) -> Path:
    """The shipped configuration with other ports, which asks after no silent outage; `changes` replaces the first
    `key = …` line of each key, raw TOML."""
    text = (ROOT / "config.toml").read_text()
    text = text.replace("port = 10143", f"port = {imap_port}").replace("port = 10025", f"port = {smtp_port}")
    quiet = {"status_after": '"0m"', "untold_after": '"0m"'}
    for key, value in {"data_dir": f'"{folder / "data"}"', **quiet, **changes}.items():
        text, done = re.subn(rf"(?m)^(# )?{key} = .*$", f"{key} = {value}".replace("\\", r"\\"), text, count=1)
        assert done, f"{key} is not in config.toml"
    path = folder / "config.toml"
    path.write_text(text)
    return path


class House(Stage):
    """A stage whose daemon can be stopped and started again on the same data."""

    def __init__(self, folder: Path, mail: EmbeddedMail, clock: MovableClock, /, **changes: str) -> None:
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
def house(folder: Path, /, **changes: str) -> Iterator[House]:
    """A running house; `changes` as in write_config."""
    clock = MovableClock(MORNING)
    with EmbeddedMail(dict.fromkeys((*PEOPLE, ROBIN), PASSWORD), now=clock.now) as mail:
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


class ByHand(House):
    """A house whose daemon is turned by hand, in this thread: after each turn nothing is left to be done.

    The same use cases, sockets and database as the daemon's, without its runners: what did not happen by the end of a
    turn does not happen. `extra` is TOML that is put at the end of the configuration.
    """

    def __init__(self, folder: Path, mail: EmbeddedMail, clock: MovableClock, extra: str, /, **changes: str) -> None:
        self.extra, self.changes = extra, changes
        super().__init__(folder, mail, clock, **changes)

    def _built(self, config: Path, clock: MovableClock) -> App:
        config.write_text(config.read_text() + self.extra)
        return super()._built(config, clock)

    def start(self) -> "ByHand":
        """Log in, settle what a dead daemon left, and do what is due."""
        self.inbox: Inbox = connect(self.app.accounts[NOC].imap)
        self.courier = SmtpCourier(self.app.accounts[NOC].smtp)
        self.app.dispatcher.recover(all_owners=True)
        self.turn()
        return self

    def stop(self) -> None:
        """Hang up."""
        self.inbox.close()
        self.courier.close()
        self.app.store.disconnect()

    def restart(self, **changes: str) -> "ByHand":
        """The same data, a new daemon; changes add to the earlier ones."""
        self.stop()
        self.changes = {**self.changes, **changes}
        write_config(self.folder, imap_port=self.mail.imap_port, smtp_port=self.mail.smtp_port, **self.changes)
        self.app = self._built(self.config, self.clock)
        return self.start()

    # --- the world's doings, each with the turn that it causes ---

    def turn(self) -> None:
        """Take in, sweep and send until nothing moves any more; an AssertionError when it never comes to rest."""
        for _ in range(30):
            before = self._standing()
            reception = self.app.receptions[NOC]
            taken = reception.look(self.inbox, self.app.store.control.own_mailbox(NOC) or 0, full=True)
            self.app.sweep.tick()
            self.app.dispatcher.flush(self.courier, NOC)
            if not taken and self._standing() == before:
                return
        raise AssertionError("it does not come to rest")

    def _standing(self) -> list[object]:
        letters = LetterRow.select(LetterRow.id, LetterRow.state).tuples()
        return [*letters, *IncidentRow.select(IncidentRow.id, IncidentRow.state).tuples()]

    def later(self, *, days: float = 0, hours: float = 0, minutes: float = 0) -> None:
        """Time passes."""
        self.at(self.now + timedelta(days=days, hours=hours, minutes=minutes))

    def at(self, moment: datetime) -> None:
        """It becomes a certain time."""
        self.clock.move_to(moment)
        self.turn()

    def alert(self, body: str = PROBLEM, subject: str = "Problem: NW-FS01 has been restarted") -> None:
        """A Zabbix alert arrives."""
        super().alert(body, subject)
        self.turn()

    def recovery(self, body: str = RECOVERY) -> None:
        """Zabbix says that it is over."""
        self.alert(body, "Resolved in 9m 4s: NW-FS01 has been restarted")

    def arrives(self, raw: bytes) -> None:
        """A mail from outside: nobody vouches for its sender."""
        self.mail.deliver(NOC, raw)
        self.turn()

    def writes(self, who: str, text: str, subject: str = "Hello") -> bytes:
        """Somebody with a login writes a new mail; its bytes."""
        raw = write_mail(f"{NAMES.get(who, '')} <{who}>".strip(), NOC, subject, text, self.now)
        self.send(who, raw)
        self.turn()
        return raw

    def replies(self, mail: Received, text: str, who: str = VALERY) -> bytes:
        """Somebody with a login answers on top of a mail, as Gmail does it; the answer's bytes."""
        raw = gmail_on_top(mail, f"{NAMES.get(who, '')} <{who}>".strip(), text, self.now)
        self.send(who, raw)
        self.turn()
        return raw

    # --- what came of it ---

    def kind_of(self, mail: Received) -> LetterKind | None:
        """Which letter of ours a mail is."""
        tag = tokens.tag_of(str(mail.message["Message-ID"]))
        letter = self.app.store.outbox.by_tag_id(tag.partition("-")[0]) if tag else None
        return letter.kind if letter else None

    def got(self, recipient: str, kind: LetterKind | None = None) -> list[Received]:
        """What somebody was sent by us, in order; of one kind, if told."""
        return [m for m in self.sent_to(recipient) if (made := self.kind_of(m)) and made == (kind or made)]

    def last(self, kind: LetterKind, recipient: str = VALERY) -> Received:
        """The newest letter of a kind."""
        mails = self.got(recipient, kind)
        assert mails, f"{recipient} has no {kind}"
        return mails[-1]

    def letters(self, *kinds: LetterKind, states: tuple[LetterState, ...] = ()) -> list[Letter]:
        """The outbox, oldest first."""
        found = self.app.store.outbox.letters(states=states, limit=10_000)
        return [letter for letter in reversed(found) if not kinds or letter.kind in kinds]

    def incidents(self) -> list[Incident]:
        """All incidents, oldest first."""
        return [incident for incident, _ in reversed(self.app.store.records.incidents(running_only=False, limit=999))]

    def decisions(self) -> list[tuple[str, str]]:
        """Every decision so far with its reason, in order; our own copies aside."""
        rows = DecisionRow.select().order_by(DecisionRow.id)
        return [(row.action, row.reason) for row in rows if row.reason not in {"own-copy", "from-our-own-address"}]


NAMES = {VALERY: "Valery Stufano", JOHN: "John Harper", SHIRLEY: "Shirley Lane", DANA: "Dana Reyes", ROBIN: "Robin Day"}


@contextmanager
def by_hand(folder: Path, extra: str = "", /, **changes: str) -> Iterator[ByHand]:
    """A house that is turned by hand; `changes` as in write_config."""
    clock = MovableClock(MORNING)
    with EmbeddedMail(dict.fromkeys((*PEOPLE, ROBIN), PASSWORD), now=clock.now) as mail:
        built = ByHand(folder, mail, clock, extra, **changes)
        built.start()
        try:
            yield built
        finally:
            built.stop()
