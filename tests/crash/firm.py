"""A firm whose daemon is a process of its own: it can be killed, and started again on the same data.

The mail servers live in the test's process, the clock is the machine's. Children are forked by a server process that
has imported everything once, since an interpreter and its imports cost a second each time.
"""

import asyncio
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mailflow.adapters.account import Account, Security
from mailflow.adapters.imap.session import connect as connect_imap
from mailflow.adapters.store.database import connect as connect_store
from mailflow.demo.clients import Received, received
from mailflow.demo.servers import EmbeddedMail
from mailflow.domain.letters import Letter, LetterKind, LetterState
from mailflow.engine.inbox import InboxTrouble
from tests.crash.main import Order, main
from tests.house import NOC, PEOPLE, PROBLEM, until, write_config, zabbix_mail

JOHN, ANN, VALERY, DANA = "john@northwind.example", "ann@contoso.example", "valery@msp.example", "dana@msp.example"
SECRET = "quite-secret-39"  # long enough to be known again in a log
DONE = "Mailflow/Done"
EVENTS = {"NW-FS01": "184461", "NW-MX01": "184462", "CO-ACC01": "184463"}  # as Zabbix numbers them
PROGRAM = [sys.executable, "-m", "mailflow.cli.main"]
PATIENCE = 30.0  # seconds; it takes less than one
LINE = re.compile(r"\d\d:\d\d:\d\d (INC-\d+|-) \S")
MOVING = {LetterState.WAITING, LetterState.LEASED, LetterState.STARTED}

FORK = multiprocessing.get_context("forkserver")
FORK.set_forkserver_preload(["tests.crash.main"])


def now() -> datetime:
    """The machine's time, as the servers stamp it."""
    return datetime.now(UTC)


class Servers(EmbeddedMail):
    """The embedded servers, which count connections and can take a mail and keep their answer back."""

    def __init__(self, password: str = SECRET, *, imap_port: int = 0, smtp_port: int = 0) -> None:
        super().__init__(dict.fromkeys(PEOPLE, password), now=now, imap_port=imap_port, smtp_port=smtp_port)
        self.connections = 0  # to IMAP: the daemon logs in once on each
        self.slow_for = ""  # the recipient whose mail is taken and answered later
        self.taken, self.answer = threading.Event(), threading.Event()

    def down(self) -> None:
        """Stop listening; what lay in the mailboxes is gone."""
        self.__exit__(None, None, None)

    def up(self) -> "Servers":
        """Listen again on the same ports."""
        self.__enter__()
        return self

    async def take(self, sender: str, recipients: Sequence[str], raw: bytes, login: str | None) -> None:
        """Take a mail; the answer may have to wait."""
        await super().take(sender, recipients, raw, login)
        if self.slow_for and self.slow_for in recipients:
            self.taken.set()
            while not self.answer.is_set():
                await asyncio.sleep(0.01)

    async def _serve_imap(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        await super()._serve_imap(reader, writer)


class Daemon:
    """One child process and all that it says."""

    def __init__(self, order: Order) -> None:
        self.log = order.log
        self._process = FORK.Process(target=main, args=(order,))
        self._process.start()

    def says(self, words: str) -> str:
        """Wait until a line with `words` is logged, and give it."""
        return until(lambda: next((line for line in self.lines if words in line), ""), within=PATIENCE)

    @property
    def lines(self) -> list[str]:
        """What it said so far."""
        return self.log.read_text().splitlines() if self.log.exists() else []

    @property
    def lives(self) -> bool:
        """Whether it runs."""
        return self._process.is_alive()

    def tell(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self._process.pid is not None
        os.kill(self._process.pid, number)

    def ended(self) -> int:
        """Wait for its end: the exit code, negative for the signal that ended it."""
        self._process.join(PATIENCE)
        code = self._process.exitcode
        assert code is not None, "it did not end; its log:\n" + "\n".join(self.lines)
        return code

    def stop(self) -> int:
        """Ask it to end once it runs, as a service manager does."""
        self.says("running")
        self.tell(signal.SIGTERM)
        return self.ended()

    def clear(self) -> None:
        """Nothing of it stays."""
        if self.lives:
            self._process.kill()
        self._process.join()
        self._process.close()


class Firm:
    """The servers, the configuration and the daemons that ran on it."""

    def __init__(self, folder: Path, mail: Servers, **changes: str) -> None:
        self.folder, self.mail = folder, mail
        self._daemons: list[Daemon] = []
        self.configure(**changes)
        (folder / "data").mkdir(mode=0o700)
        self.store = connect_store(f"sqlite:///{folder / 'data' / 'mailflow.db'}")

    def configure(self, *, password: str = SECRET, reads: str = "INBOX", **changes: str) -> None:
        """Write the configuration: nothing settles or rests, and mail that lies there counts."""
        imap, smtp = self.mail.imap_port, self.mail.smtp_port
        yesterday = now() - timedelta(days=1)
        common = {
            "imap": f'{{ host = "127.0.0.1", port = {imap}, security = "plain", password = "{password}" }}',
            "start": f'"{yesterday:%Y-%m-%d}"',
            "settle": '"0s"',
            "rest": '"0s"',
            "proof": '"sent"',
            "storm_count": "1",  # each alert is an incident of its own here
            "digest_time": '"23:59"',  # the clock is the real one: no list of the day comes between
            "P1": '"5d"',
        }
        self.config = write_config(self.folder, imap_port=imap, smtp_port=smtp, **common | changes)
        self.config.write_text(self.config.read_text().replace('folder = "INBOX"', f'folder = "{reads}"', 1))

    def alerts(self, *hosts: str) -> None:
        """An alert about each of these hosts lies in the inbox."""
        for host in hosts:
            body = PROBLEM.replace("NW-FS01", host).replace("184467", EVENTS[host])
            self.mail.deliver(NOC, zabbix_mail(f"Problem: {host} has been restarted", body, now()))

    def start(
        self,
        dies: str = "",
        *,
        verb: tuple[str, ...] = ("run",),
        mails: int = 1,
        ahead: timedelta = timedelta(),
        notify: str = "",
    ) -> Daemon:
        """The program in a process of its own."""
        log = self.folder / f"daemon-{len(self._daemons) + 1}.log"
        daemon = Daemon(
            Order(config=self.config, log=log, verb=verb, dies=dies, mails=mails, ahead=ahead, notify=notify)
        )
        self._daemons.append(daemon)
        return daemon

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a verb in an interpreter of its own, to its end."""
        command = [*PROGRAM, *arguments, "--config", str(self.config)]
        return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)

    def clear(self) -> None:
        """End every daemon."""
        self.mail.answer.set()
        for daemon in self._daemons:
            daemon.clear()
        self.store.disconnect()

    def speaks_clearly(self) -> None:
        """Every line that was logged has the log's form; no secret, no traceback."""
        for daemon in self._daemons:
            for line in daemon.lines:
                assert SECRET not in line, line
                assert "Traceback" not in line, line
                assert LINE.match(line), line

    # --- what became of it all ---

    def sent_to(self, recipient: str) -> list[Received]:
        """What the server took for an address."""
        return [received(m.raw) for m in self.mail.sent if m.recipients[0] == recipient]

    def letters(self, kind: LetterKind) -> list[Letter]:
        """The letters of a kind, oldest first."""
        return [letter for letter in reversed(self.store.outbox.letters(limit=99)) if letter.kind is kind]

    @property
    def acknowledgement(self) -> Letter:
        """The only acknowledgement there is."""
        (letter,) = self.letters(LetterKind.ACKNOWLEDGEMENT)
        return letter

    def rests(self, mails: int) -> bool:
        """Whether `mails` were received, all are decided, and no letter is on its way."""
        counts = self.store.mailroom.counts()
        moving = any(letter.state in MOVING for letter in self.store.outbox.letters(limit=99))
        return sum(counts.values()) == mails and not counts.get("kept") and not moving

    def come_to_rest(self, mails: int) -> None:
        """Wait until it rests."""
        until(lambda: self.rests(mails), within=PATIENCE)

    def count(self, folder: str) -> int:
        """How many mails lie in a folder of the shared mailbox; none in one that the daemon has not made yet."""
        account = Account(
            host="127.0.0.1",
            port=self.mail.imap_port,
            security=Security.PLAIN,
            username=NOC,
            secret=lambda: SECRET,
        )
        inbox = connect_imap(account)
        try:
            inbox.select(folder)
            return len(inbox.uids())
        except InboxTrouble as trouble:
            if trouble.what == "folder":
                return 0
            raise
        finally:
            inbox.close()


@contextmanager
def firm(folder: Path, **changes: str) -> Iterator[Firm]:
    """A firm with running servers; `changes` as in tests.house.write_config."""
    mail = Servers().up()
    try:
        built = Firm(folder, mail, **changes)
        try:
            yield built
        finally:
            built.clear()
        built.speaks_clearly()
    finally:
        mail.down()
