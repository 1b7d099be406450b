"""Servers for the mail adapters: the embedded ones, and scripted ones that misbehave on purpose."""

import contextlib
import shutil
import socket
import ssl
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import pytest

from mailflow.adapters.account import Account, Security, Timeouts
from mailflow.demo.servers import EmbeddedMail

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
USER, PASSWORD = "noc@example.net", 'pa ss"w\\ord'  # pymap compares ASCII only


class Deliver(Protocol):
    def __call__(self, raw: bytes, folder: str = "INBOX") -> None: ...


@dataclass(frozen=True, kw_only=True)
class InboxServer:
    """A real IMAP server with one empty mailbox: what the contract of Inbox needs to know of it."""

    host: str
    port: int
    user: str
    password: str
    deliver: Deliver

    def account(self, **changes: object) -> Account:
        values: dict[str, object] = {
            "host": self.host,
            "port": self.port,
            "security": Security.PLAIN,
            "username": self.user,
            "secret": lambda: self.password,
            "timeouts": Timeouts(connect=5, answer=5),
        }
        return Account(**(values | changes))  # type: ignore[arg-type]


@pytest.fixture
def inbox_server() -> Iterator[InboxServer]:
    """The embedded server; another conftest may give Dovecot under the same name to the same contract."""
    with EmbeddedMail({USER: PASSWORD}, now=lambda: NOON) as mail:
        yield InboxServer(
            host="127.0.0.1",
            port=mail.imap_port,
            user=USER,
            password=PASSWORD,
            deliver=lambda raw, folder="INBOX": mail.deliver(USER, raw, folder),
        )


class Line:
    """The server's end of one connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._reader = connection.makefile("rb")

    def say(self, words: bytes) -> None:
        self._connection.sendall(words)

    def hear(self) -> bytes:
        return self._reader.readline()

    def read(self, size: int) -> bytes:
        return self._reader.read(size)

    def start_tls(self, context: ssl.SSLContext) -> None:
        self._connection = context.wrap_socket(self._connection, server_side=True)
        self._reader = self._connection.makefile("rb")

    def hang_up(self) -> None:
        """A clean end of the connection."""
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def reset(self) -> None:
        """RST: as when a router or a process dies."""
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._reader.close()
        self._connection.close()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._reader.close()
            self._connection.close()


Script = Callable[[Line], None]
Scripted = Callable[..., int]


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    """Starts a server on loopback that plays a script to each connection; with `tls` from the first byte on."""
    listeners: list[socket.socket] = []
    lines: list[Line] = []
    threads: list[threading.Thread] = []

    def talk(script: Script, connection: socket.socket, tls: ssl.SSLContext | None) -> None:
        with contextlib.suppress(OSError, ValueError):
            line = Line(connection)
            lines.append(line)
            if tls is not None:
                line.start_tls(tls)
            try:
                script(line)
            finally:
                line.close()
        connection.close()

    def accept(listener: socket.socket, script: Script, tls: ssl.SSLContext | None) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                thread = threading.Thread(target=talk, args=(script, connection, tls), daemon=True)
                threads.append(thread)
                thread.start()

    def start(script: Script, tls: ssl.SSLContext | None = None) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)
        thread = threading.Thread(target=accept, args=(listener, script, tls), daemon=True)
        threads.append(thread)
        thread.start()
        return int(listener.getsockname()[1])

    yield start
    for listener in listeners:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
    for line in lines:
        line.hang_up()
    for thread in threads:
        thread.join(5)


@dataclass
class ImapScript:
    """An IMAP server that does as little as possible, `on` commands as it is told; keeps what it heard."""

    capabilities: bytes = b"IMAP4rev1 IDLE UIDPLUS MOVE"
    greeting: bytes | None = None
    on: dict[bytes, Callable[[Line, bytes, bytes], None]] = field(default_factory=dict)
    heard: list[bytes] = field(default_factory=list)

    def __call__(self, line: Line) -> None:
        line.say(self.greeting or b"* OK [CAPABILITY " + self.capabilities + b"] ready\r\n")
        while heard := line.hear():
            self.heard.append(heard.rstrip())
            tag, _, rest = heard.rstrip().partition(b" ")
            words = rest.upper().split(b" ")
            command = b" ".join(words[:2]) if words[0] == b"UID" else words[0]
            if command in self.on:
                self.on[command](line, tag, rest)
                continue
            if command == b"CAPABILITY":
                line.say(b"* CAPABILITY " + self.capabilities + b"\r\n")
            elif command == b"SELECT":
                line.say(b"* 1 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 2] ok\r\n")
            elif command == b"LOGOUT":
                line.say(b"* BYE\r\n" + tag + b" OK bye\r\n")
                return
            line.say(tag + b" OK fine\r\n")


@dataclass
class SmtpScript:
    """A submission server; `says` replaces its answers, by the first word of the command, one after the other.

    An answer may be bytes, or a function of the line. "." is the dot. The last answer is used again.
    """

    extensions: tuple[bytes, ...] = (b"AUTH PLAIN LOGIN", b"SIZE 1000000", b"8BITMIME")
    greeting: bytes = b"220 scripted\r\n"
    says: dict[bytes, list[bytes | Callable[[Line], None]]] = field(default_factory=dict)
    heard: list[bytes] = field(default_factory=list)
    texts: list[bytes] = field(default_factory=list)
    connections: int = 0

    def __call__(self, line: Line) -> None:
        self.connections += 1
        line.say(self.greeting)
        while heard := line.hear():
            self.heard.append(heard.rstrip())
            word = heard.upper().split()[0] if heard.split() else b""
            if word == b"DATA" and word not in self.says:
                line.say(b"354 go\r\n")
                text = b""
                while not text.endswith(b"\r\n.\r\n"):
                    part = line.hear()
                    if not part:
                        return
                    text += part
                self.texts.append(text)
                word = b"."
            if not self._answer(line, word):
                return

    def _answer(self, line: Line, word: bytes) -> bool:
        answers = self.says.get(word)
        if answers:
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
            if callable(answer):
                answer(line)
                return False
            line.say(answer)
        elif word == b"EHLO":
            names = (b"scripted", *self.extensions)
            line.say(b"".join(b"250%s%s\r\n" % (b" " if n == len(names) - 1 else b"-", x) for n, x in enumerate(names)))
        elif word == b"AUTH":
            line.say(b"235 welcome\r\n")
        elif word == b"QUIT":
            line.say(b"221 bye\r\n")
            return False
        else:
            line.say(b"250 ok\r\n")
        return True


@pytest.fixture
def imap_script() -> type[ImapScript]:
    """The scripted IMAP server, to be made with its misbehaviour and given to `scripted`."""
    return ImapScript


@pytest.fixture
def smtp_script() -> type[SmtpScript]:
    """The scripted submission server, to be made with its misbehaviour and given to `scripted`."""
    return SmtpScript


@pytest.fixture
def account_at() -> Callable[..., Account]:
    """Makes an account at a port of this machine."""

    def make(port: int, **changes: object) -> Account:
        values: dict[str, object] = {
            "host": "127.0.0.1",
            "port": port,
            "security": Security.PLAIN,
            "username": "noc@example.net",
            "secret": lambda: "s3cret",
            "timeouts": Timeouts(connect=2, answer=0.5),
        }
        return Account(**(values | changes))  # type: ignore[arg-type]

    return make


@dataclass(frozen=True, kw_only=True)
class Certificates:
    """A throw-away authority, and a server context with a certificate of its for localhost and 127.0.0.1."""

    ca_file: Path
    server: ssl.SSLContext


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Made by openssl once a session."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("the openssl command is missing: TLS is not tested")
    folder = tmp_path_factory.mktemp("certificates")
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]

    def run(*words: str) -> None:
        subprocess.run([openssl, *words], cwd=folder, check=True, capture_output=True)

    run(
        "req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=test authority",
        "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign",
    )  # fmt: skip
    run("req", *key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost")
    (folder / "ext").write_text(
        "subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n"
        "authorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n"
    )
    run(
        "x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
        "-out", "server.pem", "-extfile", "ext",
    )  # fmt: skip
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    return Certificates(ca_file=folder / "ca.pem", server=context)
