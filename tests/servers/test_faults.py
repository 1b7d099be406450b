"""What goes wrong between the daemon and its servers, on the real ones: nothing is lost, and nothing is told twice."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from mailflow.engine.inbox import Fetched
from tests.house import NOC, PROBLEM, ROOT, until
from tests.servers.daemon import HOST
from tests.servers.postfix import Postfix
from tests.servers.postgres import Postgres
from tests.servers.road import JOHN, PATIENCE, VALERY, Road, back, reboot, road, wait_for_line

pytestmark = pytest.mark.servers

MAIL_SERVER = PROBLEM.replace("NW-FS01", "NW-MX01").replace("184467", "184468")


def references(on: Road) -> list[str]:
    """Every incident there is."""
    return [incident.reference for incident, _ in on.app.store.records.incidents(running_only=False, limit=99)]


def opened_mails(on: Road) -> int:
    """How often Valery was told that an incident was opened."""
    return sum(" restarted (INC-" in mail.subject for mail in on.mailbox(VALERY))


def logins(on: Road) -> int:
    """How often somebody logged in to the shared inbox."""
    return (on.dovecot.folder / "log").read_text("utf-8", "replace").count(f"Login: user=<{NOC}>")


# --- TLS ---


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_an_untrusted_certificate_is_refused(tmp_path: Path, postfix: Postfix, security: str) -> None:
    """DESIGN 3: without ca_file nobody is logged in anywhere; one line names the certificate and what to do."""
    with road(tmp_path, postfix) as on:
        on.app.stop()
        on.log.clear()
        before = logins(on)
        on.configure(imap=on.imap(security, ca=False), smtp=on.smtp(security, ca=False))
        on.app = on.built()
        on.start(ready=False)
        wait_for_line(on, "inbox trouble", lambda entry: entry["what"] == "certificate")
        wait_for_line(on, "sending paused")
        for said in (*on.said("inbox trouble"), *on.said("sending paused")):
            assert "certificate is not trusted" in said
            assert "ca_file" in said
        assert len(on.said("inbox trouble")) == 1
        assert logins(on) == before


class Bare:
    """A server that speaks `greeting` and `answers`, offers no STARTTLS, and writes down what it hears."""

    def __init__(self, greeting: bytes, answers: dict[bytes, bytes]) -> None:
        self.heard = b""
        self._greeting, self._answers = greeting, answers
        self._listener = socket.create_server((HOST, 0))
        self.port: int = self._listener.getsockname()[1]
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
                with suppress(OSError), connection:
                    self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        connection.settimeout(PATIENCE)
        connection.sendall(self._greeting)
        for line in connection.makefile("rb"):
            self.heard += line
            tag, _, rest = line.partition(b" ")
            words = [word.upper() for word in (tag.strip(), rest.split(b" ")[0].strip())]
            answer = next((self._answers[word] for word in words if word in self._answers), b"%s BAD what\r\n" % tag)
            connection.sendall(answer.replace(b"TAG", tag))


@pytest.fixture
def bare_servers() -> Iterator[tuple[Bare, Bare]]:
    """IMAP and SMTP without STARTTLS, both of which would take a password."""
    capabilities = b"* CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=LOGIN\r\n"
    imap = Bare(
        b"* OK hello\r\n",
        {
            b"CAPABILITY": capabilities + b"TAG OK done\r\n",
            b"LOGOUT": b"* BYE bye\r\nTAG OK done\r\n",
            b"LOGIN": b"TAG OK in it\r\n",
        },
    )
    smtp = Bare(
        b"220 hello\r\n",
        {
            b"EHLO": b"250-hello\r\n250 AUTH PLAIN LOGIN\r\n",
            b"AUTH": b"235 in\r\n",
            b"QUIT": b"221 bye\r\n",
            b"MAIL": b"250 ok\r\n",
            b"RCPT": b"250 ok\r\n",
            b"DATA": b"354 go\r\n",
        },
    )
    yield imap, smtp
    imap.close()
    smtp.close()


def test_without_starttls_nothing_is_said_in_clear(
    tmp_path: Path, postfix: Postfix, bare_servers: tuple[Bare, Bare]
) -> None:
    """DESIGN 3: TLS never falls back. Somebody in between strips STARTTLS: no name, no password, no letter is sent."""
    imap, smtp = bare_servers
    with road(tmp_path, postfix) as on:
        on.app.stop()
        on.log.clear()
        table = '{{ host = "localhost", port = {}, security = "starttls", {} }}'
        on.configure(
            imap=table.format(imap.port, 'password_file = "password"'), smtp=table.format(smtp.port, 'username = "noc"')
        )
        on.app = on.built()
        on.start(ready=False)
        assert "does not offer STARTTLS" in wait_for_line(on, "inbox trouble")["said"]
        assert "does not offer STARTTLS" in wait_for_line(on, "sending paused")["said"]
    for server in bare_servers:
        assert server.heard
        for word in (b"AUTH", b"LOGIN ", b"MAIL", on.dovecot.password.encode(), b"noc"):
            assert word.upper() not in server.heard.upper()


# --- servers that go and come back ---


def test_dovecot_away_in_mid_run(tmp_path: Path, postfix: Postfix) -> None:
    """DESIGN 3: the daemon reconnects by itself and takes what came while nobody read."""
    with road(tmp_path, postfix, settle='"0s"') as on:
        reboot(on)
        on.dovecot.daemon.stop()
        try:
            wait_for_line(on, "inbox trouble", lambda entry: entry["what"] == "connection")
        finally:
            on.dovecot.daemon.start()
            # Postfix keeps lines to Dovecot's login service, and would answer 454 once for each that broke.
            on.postfix.daemon.stop()
            on.postfix.daemon.start()
        on.alert(MAIL_SERVER, "Problem: NW-MX01 has been restarted")
        on.expect(VALERY, "Northwind: mail restarted")
        on.settle()
        assert len(references(on)) == 2
        assert opened_mails(on) == 2


def test_postfix_away_while_letters_are_due(tmp_path: Path, postfix: Postfix) -> None:
    """DESIGN 1.8: letters wait while nobody takes them, and leave once, later."""
    with road(tmp_path, postfix) as on:
        on.alert()
        on.expect(VALERY, "restarted")
        on.settle()
        on.postfix.daemon.stop()
        try:
            on.move_on(minutes=4)
            wait_for_line(on, "letter retry", lambda entry: entry["to"] == JOHN)
        finally:
            on.postfix.daemon.start()
        assert not on.mailbox(JOHN)
        on.move_on(minutes=2)
        on.expect(JOHN, "your file server")
        on.move_on(minutes=30)
        on.settle()
        assert on.handed_over.count(JOHN) == 1


def test_postgresql_restarted_in_mid_run(
    tmp_path: Path, postfix: Postfix, postgres: Postgres, fresh_postgres_database: str
) -> None:
    """MAIL-WORLD 7: every thread loses its connection, says so, and goes on when the database is back."""
    with road(tmp_path, postfix, url=f'"{fresh_postgres_database}"', settle='"0s"') as on:
        reboot(on)
        postgres.daemon.stop()
        try:
            for _ in range(3):
                on.app.hasten()
                time.sleep(0.1)
            on.alert(MAIL_SERVER, "Problem: NW-MX01 has been restarted")
            wait_for_line(on, "store trouble")
        finally:
            postgres.daemon.start()
        on.app.store.disconnect()  # this thread's own connection, of which nobody took care
        on.expect(VALERY, "Northwind: mail restarted")
        on.settle()
        back(on, incidents=2)
        assert opened_mails(on) == 2
        assert not on.said("a bug stopped this runner, and so the daemon")


# --- the folder and other people ---


def test_a_folder_made_anew_is_no_reason_to_answer_again(tmp_path: Path, postfix: Postfix) -> None:
    """DESIGN 1.2: after a change of UIDVALIDITY the same bytes are decided over once, and old mail stays old."""
    old = b"From: Zabbix <zabbix@msp.example>\r\nTo: noc@msp.example\r\nSubject: Problem: NW-MX01\r\n\r\n"
    with road(tmp_path, postfix, file='"leave"') as on:
        on.app.stop()
        on.delivered()  # on a Monday its week is on its way, and shall not come among what follows
        on.dovecot.forget(NOC)
        (tmp_path / "data" / "mailflow.db").unlink()
        on.dovecot.deliver(NOC, old + MAIL_SERVER.format(time="09:00:00", day="2026.11.24").encode())
        time.sleep(1.1)  # INTERNALDATE counts whole seconds, and this one shall lie before our first sight
        on.app = on.built()
        on.start()
        assert not references(on)
        time.sleep(1.1)  # and what comes now, after it
        reboot(on)
        on.settle()
        before, kept_before = len(on.mailbox(VALERY)), on.app.store.mailroom.counts()
        on.app.stop()
        with on.dovecot.login(NOC) as client:
            client.select_folder("INBOX", readonly=True)
            kept = client.fetch(client.search(), ["BODY.PEEK[]", "INTERNALDATE"])
        on.dovecot.forget(NOC)
        with on.dovecot.login(NOC) as client:  # as after a move to another server
            for uid in sorted(kept):
                client.append("INBOX", kept[uid][b"BODY[]"], msg_time=kept[uid][b"INTERNALDATE"])
        on.log.clear()
        on.app = on.built()
        on.start()
        wait_for_line(on, "folder first seen")
        on.settle()
        assert references(on) == ["INC-1"]
        assert on.app.store.mailroom.counts() == kept_before
        assert len(on.mailbox(VALERY)) == before
        assert on.handed_over.count(JOHN) == 1
        assert not on.said("OpenFromAlert")
        assert not on.said("Join")
        on.alert()  # and what is new is still seen
        wait_for_line(on, "Join")


@pytest.mark.parametrize("deed", ["moves", "deletes"])
def test_a_colleague_is_quicker(tmp_path: Path, postfix: Postfix, monkeypatch: pytest.MonkeyPatch, deed: str) -> None:
    """MAIL-WORLD 7: a mail that somebody takes away between listing and fetching is theirs; the others are decided."""
    with road(tmp_path, postfix) as on:
        from mailflow.adapters.imap.session import ImapInbox  # noqa: PLC0415

        whole = ImapInbox.fetch
        busy = threading.Event()

        def fetch(inbox: ImapInbox, uids: list[int]) -> list[Fetched]:
            """The colleague, at the worst moment."""
            with on.dovecot.login(NOC) as colleague:
                colleague.select_folder("INBOX")
                # Its own mails lie there as well: on a Monday a copy of the week's figures.
                listed = [uid for uid in colleague.search(["SUBJECT", "NW-MX01"]) if uid in uids]
                if listed and not busy.is_set():
                    busy.set()
                    if deed == "moves":
                        colleague.create_folder("Paul")
                        colleague.move(listed, "Paul")
                    else:
                        colleague.delete_messages(listed)
                        colleague.expunge(listed)
            return whole(inbox, uids)

        monkeypatch.setattr(ImapInbox, "fetch", fetch)
        on.alert(MAIL_SERVER, "Problem: NW-MX01 has been restarted")
        until(busy.is_set, within=PATIENCE)
        on.alert()
        on.expect(VALERY, "Northwind: file server restarted")
        on.settle()
        # What was expunged a moment ago Dovecot may still hand out: then it is decided like any other.
        assert references(on) == ["INC-1"] or (deed == "deletes" and sorted(references(on)) == ["INC-1", "INC-2"])
        assert not on.complaints()


# --- two daemons ---


@contextmanager
def process(config: Path, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`mailflow run` as a process of its own."""
    with log.open("wb") as output:
        running = subprocess.Popen(
            [sys.executable, "-m", "mailflow.cli.main", "run", "--config", str(config)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        yield running
    finally:
        running.kill()
        running.wait()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_two_daemons_share_a_mailbox(
    tmp_path: Path, postfix: Postfix, fresh_postgres_database: str, how: signal.Signals
) -> None:
    """DESIGN 3: one reader at a time by advisory lock; when it stops or dies the other takes over, nothing is twice."""
    url = f'"{fresh_postgres_database}"'
    with road(tmp_path, postfix, url=url, rest='"0s"', settle='"0s"') as on:
        on.app.stop()  # it has made the tables and the key, and looks on
        second = tmp_path / "second"
        second.mkdir()
        configs = on.config, second / "config.toml"
        shutil.copytree(tmp_path / "data", second / "data")
        text = on.config.read_text().replace(f'"{tmp_path / "data"}"', f'"{second / "data"}"')
        configs[1].write_text(text.replace('"password"', f'"{tmp_path / "password"}"'))
        said = tmp_path / "one.log", tmp_path / "two.log"

        def readers() -> list[int]:
            return [n for n, log in enumerate(said) if "OpenFromAlert" in log.read_text()]

        before = logins(on)
        with process(configs[0], said[0]) as one, process(configs[1], said[1]) as two:
            until(lambda: all("running" in log.read_text() for log in said), within=PATIENCE)
            on.alert()
            on.expect(VALERY, "Northwind: file server restarted")
            on.expect(JOHN, "your file server")
            (reader,) = readers()
            assert logins(on) == before + 1
            running = (one, two)[reader]
            running.send_signal(how)
            assert running.wait(PATIENCE) == (0 if how is signal.SIGTERM else -signal.SIGKILL)
            on.alert(MAIL_SERVER, "Problem: NW-MX01 has been restarted")
            on.expect(VALERY, "Northwind: mail restarted")
            on.settle()
            assert sorted(readers()) == [0, 1]
        assert sorted(references(on)) == ["INC-1", "INC-2"]
        assert opened_mails(on) == 2
        decided = "".join(log.read_text() for log in said)
        assert decided.count("OpenFromAlert") == 2
        assert on.handed_over.count(VALERY) == len(on.mailbox(VALERY))
        assert sum("your file server" in m.text for m in on.mailbox(JOHN)) == 1
