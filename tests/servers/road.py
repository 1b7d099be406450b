"""The road of tests/house.py on a real Dovecot and Postfix: the daemon in-process, people with real mailboxes.

Dovecot stamps a mail with the world's time, so the story's clock begins at the present and is moved on from there.
"""

import select
import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from structlog.testing import capture_logs

from mailflow.app import App
from mailflow.config.load import load
from mailflow.demo.clients import gmail_on_top, outlook_inline
from mailflow.demo.clock import MovableClock
from mailflow.runners import MailboxRunner
from tests.house import NOC, PEOPLE, PROBLEM, RECOVERY, ZABBIX, Received, received, until, write_config, write_mail
from tests.servers.certificates import Certificates
from tests.servers.daemon import HOST
from tests.servers.postfix import Postfix

VALERY, JOHN, SHIRLEY, DANA = (
    "valery@msp.example",
    "john@northwind.example",
    "shirley@northwind.example",
    "dana@msp.example",
)
CLIENTS = (JOHN, SHIRLEY, "ann@contoso.example")
CHICAGO = ZoneInfo("America/Chicago")
PATIENCE = 30.0  # seconds; a machine that others use too needs three
DONE = "Mailflow/Done"


class Road:
    """A daemon between Dovecot and Postfix, its clock, and the mail programs of everybody in the story."""

    def __init__(self, folder: Path, postfix: Postfix, log: list[Any], **changes: str) -> None:
        """`changes` as in write_config; `imap` and `smtp` are TLS with the password unless given."""
        self.folder, self.postfix, self.dovecot, self.log = folder, postfix, postfix.dovecot, log
        self.forget()
        (folder / "password").write_text(self.dovecot.password + "\n")
        self.clock = MovableClock(datetime.now(UTC))
        self._log_began = postfix.log.stat().st_size
        self._seen = dict.fromkeys(PEOPLE, 0)
        self.configure(**changes)
        self.app = self.built()

    def forget(self) -> None:
        """Nobody has any mail, before us and after us."""
        for person in PEOPLE:
            self.dovecot.forget(person)

    def configure(self, **changes: str) -> None:
        """Write the configuration."""
        self.config = write_config(
            self.folder, imap_port=1, smtp_port=1, **{"imap": self.imap(), "smtp": self.smtp(), **changes}
        )

    def imap(self, security: str = "tls", secret: str = 'password_file = "password"', *, ca: bool = True) -> str:
        """The `imap` table."""
        port = self.dovecot.imaps_port if security == "tls" else self.dovecot.imap_port
        return self._server(port, security, secret, ca=ca)

    def smtp(self, security: str = "starttls", port: int = 0, *, ca: bool = True) -> str:
        """The `smtp` table; what imap logs in with is used here too."""
        usual = self.postfix.submissions_port if security == "tls" else self.postfix.submission_port
        return self._server(port or usual, security, "", ca=ca)

    def _server(self, port: int, security: str, secret: str, *, ca: bool) -> str:
        trusted = f'ca_file = "{self.dovecot.ca_file}"' if ca else ""
        settings = ('host = "localhost"', f"port = {port}", f'security = "{security}"', trusted, secret)
        return "{ " + ", ".join(filter(None, settings)) + " }"

    # --- the daemon ---

    def built(self) -> App:
        """A new daemon of the present configuration, not yet started."""
        return App(load(self.config, {}), environ={}, clock=self.clock)

    def start(self, *, ready: bool = True) -> "Road":
        """Start the daemon; `ready`: and wait until it waits for mail."""
        self.app.lock()
        self.app.start()
        if ready:
            self.ready()
        return self

    def ready(self) -> None:
        """Wait until the daemon waits for mail: what lies there before is before its time."""
        for runner in self.app.runners:
            if isinstance(runner, MailboxRunner):
                assert runner.waiting.wait(PATIENCE), f"{runner.name} did not get ready"

    def restart(self, **changes: str) -> "Road":
        """The same data, a new daemon."""
        self.app.stop()
        self.configure(**changes)
        self.app = self.built()
        return self.start()

    def move_on(self, **span: float) -> None:
        """Move the clock forward by a timedelta, and let everybody look."""
        self.clock.move_to(self.clock.now() + timedelta(**span))
        self.app.hasten()

    @property
    def now(self) -> datetime:
        """The story's time, in John's zone."""
        return self.clock.now().astimezone(CHICAGO)

    # --- the people ---

    def send(self, login: str, raw: bytes) -> None:
        """Somebody hands a mail in as their own program would: STARTTLS, AUTH, one recipient."""
        recipient = str(received(raw).message["To"]).rpartition("<")[2].rstrip(">")
        with smtplib.SMTP("localhost", self.postfix.submission_port, timeout=PATIENCE) as smtp:
            smtp.starttls(context=self.postfix.context())
            smtp.login(login, self.dovecot.password)
            smtp.sendmail(login, [recipient], raw)

    def write(self, sender: str, subject: str, text: str) -> None:
        """Somebody writes a new mail to the shared inbox."""
        name = sender.partition("@")[0].title()
        self.send(sender, write_mail(f"{name} <{sender}>", NOC, subject, text, self.now))

    def alert(self, body: str = PROBLEM, subject: str = "Problem: NW-FS01 has been restarted") -> None:
        """Zabbix mails, as its default media type writes it."""
        text = body.format(time=f"{self.now:%H:%M:%S}", day=f"{self.now:%Y.%m.%d}")
        self.write(ZABBIX, subject, text)

    def answer(self, mail: Received, text: str, sender: str = VALERY) -> None:
        """Somebody answers from Gmail, on top."""
        self.send(sender, gmail_on_top(mail, f"Valery Stufano <{sender}>", text, self.now))

    def mailbox(self, person: str, folder: str = "INBOX") -> list[Received]:
        """What lies in a person's mailbox, oldest first."""
        return [received(raw) for raw in self.dovecot.inbox(person, folder)]

    def expect(self, person: str, words: str) -> Received:
        """Wait for a new mail to a person that contains the words."""
        ends = time.monotonic() + PATIENCE
        there: list[Received] = []
        while time.monotonic() < ends:
            there = self.mailbox(person)
            for place, mail in enumerate(there[self._seen[person] :], self._seen[person]):
                if words in mail.text + mail.subject:
                    self._seen[person] = place + 1
                    return mail
            time.sleep(0.05)
        subjects = [mail.subject for mail in there]
        lines = "\n".join(" ".join(f"{k}={v}" for k, v in entry.items()) for entry in self.log[-12:])
        raise AssertionError(f"no mail with “{words}” came to {person}; there are {subjects}; the log ends:\n{lines}")

    def delivered(self) -> None:
        """Wait until Postfix has delivered everything."""
        until(lambda: not self._queue(), within=PATIENCE)

    def settle(self) -> None:
        """Wait until Postfix has delivered everything and the daemon has decided over all that came."""
        until(lambda: not self._queue() and not self._undecided(), within=PATIENCE)

    def _undecided(self) -> bool:
        """Whether a mail lies in the inbox that the daemon has not looked at, or one is kept without a decision."""
        with self.dovecot.login(NOC) as client:
            uidvalidity = client.select_folder("INBOX", readonly=True)[b"UIDVALIDITY"]
            there = client.search()
        mailroom = self.app.store.mailroom
        folder = mailroom.find_folder(NOC, "INBOX", uidvalidity)
        if folder is None:
            return True
        known = mailroom.known_uids(folder.id, folder.before_uid)
        return any(uid > folder.before_uid and uid not in known for uid in there) or "kept" in mailroom.counts()

    def _queue(self) -> list[Path]:
        """Mails that Postfix has taken and not yet delivered; on the road to Dovecot they last milliseconds."""
        queue = self.postfix.log.parent / "queue"
        return [
            f
            for part in ("maildrop", "incoming", "active", "deferred")
            for f in (queue / part).rglob("*")
            if f.is_file()
        ]

    @property
    def handed_over(self) -> list[str]:
        """Every address to which Postfix has delivered since this road began, plus-tags cut off."""
        addresses = []
        for address in self.postfix.taken(self._log_began):
            local, _, domain = address.partition("@")
            addresses.append(f"{local.partition('+')[0]}@{domain}")
        return addresses

    def said(self, event: str) -> list[str]:
        """What the daemon's log says of an event."""
        return [str(entry.get("said") or entry.get("why") or "") for entry in list(self.log) if entry["event"] == event]

    def complaints(self) -> list[Any]:
        """Every line of the log that is worse than information."""
        return [entry for entry in list(self.log) if entry["log_level"] != "info"]


@contextmanager
def road(folder: Path, postfix: Postfix, **changes: str) -> Iterator[Road]:
    """A running road, its log captured; `changes` as in write_config."""
    with capture_logs() as log:
        built = Road(folder, postfix, log, **changes)
        try:
            built.start()
            yield built
        finally:
            built.app.stop()
            built.forget()


# --- the story, for every daemon and every setting ---


def reboot(on: Road) -> tuple[Received, Received]:
    """An alert comes; Valery's and John's first mails."""
    on.alert()
    opened = on.expect(VALERY, "restarted")
    on.move_on(minutes=4)
    return opened, on.expect(JOHN, "your file server")


def back(on: Road, incidents: int = 1) -> None:
    """The same alert again, then its recovery: no incident more."""
    on.alert()
    on.settle()
    on.alert(RECOVERY, "Resolved in 9m 4s: NW-FS01 has been restarted")
    on.settle()
    assert len(on.app.store.records.incidents(running_only=False, limit=9)) == incidents


def shirley_writes(on: Road) -> Received:
    """A colleague of John's writes; Valery sees it."""
    on.write(SHIRLEY, "I can't open the Data drive", "Hi,\n\nI can't open the Data drive since today.\n\nShirley\n")
    return on.expect(VALERY, "Data drive")


def to_the_preview(on: Road) -> Received:
    """The form comes, is answered in part from Outlook and then from Gmail; the preview."""
    on.move_on(minutes=20)
    form = on.expect(VALERY, "[1] What was the problem?")
    problem = "A Windows update had finished in the night and the server restarted to install it."
    inline = {1: problem, 3: "Not from this cause: updates now wait for Sunday night."}
    on.send(VALERY, outlook_inline(form, f"Valery Stufano <{VALERY}>", inline, on.now))
    missing = on.expect(VALERY, "[2] What did we do about it?")
    assert "[4]" not in missing.text
    on.answer(
        missing, "2: - Set the file server to install updates on Sunday night only\n- Checked your other two servers"
    )
    return on.expect(VALERY, "word for word")


def send(on: Road, preview: Received) -> None:
    """Valery says SEND, and the letter has rested."""
    on.answer(preview, "SEND")
    on.settle()
    on.move_on(minutes=4)


# --- a server that loses its last word ---


class LostAnswer:
    """Stands in front of Postfix's submissions port and, once armed, keeps the answer to the next dot to itself."""

    def __init__(self, certificates: Certificates, postfix: Postfix) -> None:
        self._postfix = postfix
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificates.server_file, certificates.key_file)
        self._listener = socket.create_server((HOST, 0))
        self.port: int = self._listener.getsockname()[1]
        self.armed = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """Listen no more."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._guarded, args=(connection,), daemon=True).start()

    def _guarded(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            self._relay(connection)

    def _relay(self, connection: socket.socket) -> None:
        client = self._context.wrap_socket(connection, server_side=True)
        behind = socket.create_connection((HOST, self._postfix.submissions_port))
        with client, self._postfix.context().wrap_socket(behind, server_hostname="localhost") as server:
            tail = b""
            while True:
                ready: list[Any] = [s for s in (client, server) if s.pending()]
                if not ready:
                    ready, _, _ = select.select([client, server], [], [])
                for side in ready:
                    data = side.recv(65536)
                    if not data:
                        return
                    if side is client:
                        tail = (tail + data)[-5:]
                        server.sendall(data)
                    elif tail == b"\r\n.\r\n" and self.armed.is_set():
                        self.armed.clear()
                        return  # accepted, and nobody was told
                    else:
                        client.sendall(data)


def wait_for_line(on: Road, event: str, what: Callable[[Any], bool] = lambda entry: True) -> Any:
    """The first line of the log of this event that fits."""
    return until(
        lambda: next((entry for entry in list(on.log) if entry["event"] == event and what(entry)), None),
        within=PATIENCE,
    )
