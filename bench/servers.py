"""The embedded mail servers in a process of their own, so that their cost is not taken for mailflow's."""

import multiprocessing
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection

from pymap.mime import MessageContent

from bench.world import ALERTS, NOC, PASSWORD, alert
from mailflow.app import SystemClock
from mailflow.demo.servers import HOST, EmbeddedMail

START = 30.0  # seconds


@dataclass(frozen=True, kw_only=True)
class Servers:
    """The servers, from the other process's side."""

    imap_port: int
    smtp_port: int
    line: Connection

    def fill(self, first: int, number: int = ALERTS) -> None:
        """Put alerts with these numbers into the inbox."""
        self.line.send((first, number))
        self.line.recv()


@contextmanager
def servers() -> Iterator[Servers]:
    """Running, with an empty inbox."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    if not ours.poll(START):
        raise TimeoutError("the mail servers did not start")
    imap_port, smtp_port = ours.recv()
    try:
        yield Servers(imap_port=imap_port, smtp_port=smtp_port, line=ours)
    finally:
        ours.send(None)
        process.join(START)


def _serve(line: Connection) -> None:
    # pymap reads every mail that it keeps, which costs more than all that is measured here: let it keep bytes.
    MessageContent._split_lines = classmethod(lambda _, __, lines: ([], lines))  # type: ignore[assignment, method-assign]
    with EmbeddedMail({NOC: PASSWORD}, now=SystemClock().now) as mail:
        line.send((mail.imap_port, mail.smtp_port))
        while order := line.recv():
            first, number = order
            for n in range(first, first + number):
                mail.deliver(NOC, alert(n))
            line.send(True)


class Wire:
    """Stands between mailflow and the IMAP server, and hears what is asked."""

    def __init__(self, imap_port: int) -> None:
        self.idling = threading.Event()
        self.fetches = 0
        self._imap_port = imap_port
        self._listener = socket.create_server((HOST, 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection((HOST, self._imap_port))
            for one, other, hear in ((client, server, True), (server, client, False)):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._relay, args=(one, other, hear), daemon=True).start()

    def _relay(self, one: socket.socket, other: socket.socket, hear: bool) -> None:
        try:
            while data := one.recv(65536):
                if hear:
                    self.fetches += data.count(b" FETCH ")
                    if b" IDLE\r\n" in data:
                        self.idling.set()
                other.sendall(data)
        except OSError:
            pass
        finally:
            for end in (one, other):
                end.close()
