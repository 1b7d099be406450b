"""Mail servers inside this process: pymap speaks IMAP, aiosmtpd speaks SMTP submission, one thread runs both.

For the demo and for the tests; nothing here guards real mail. Promises: ports are open when the context is entered;
mail keeps its exact bytes behind the trace headers that a real server adds; received times are those of the clock that
was given; every mail taken by SMTP is recorded; on leaving, every socket is closed and the thread has ended.
"""

import asyncio
import email.utils
import logging
import re
import ssl
import threading
from argparse import Namespace
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from types import TracebackType
from typing import Any, TypeVar
from uuid import uuid4

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from proxyprotocol.sock import SocketInfoLocal
from pymap.backend.dict import DictBackend, Identity
from pymap.backend.dict.mailbox import MailboxData
from pymap.concurrent import Subsystem
from pymap.frozen import frozendict
from pymap.imap import IMAPServer
from pymap.parsing.message import AppendMessage
from pymap.parsing.specials.flag import Recent, Wildcard, get_system_flags
from pymap.user import Passwords, UserMetadata
from pysasl.hashing import Cleartext

T = TypeVar("T")

HOST = "127.0.0.1"
HOSTNAME = "mx.msp.example"  # in the greeting, in Received and as authserv-id
FOLDERS = ("Sent", "Drafts", "Trash", "Junk")  # what a mailbox has besides INBOX
OWN_WRITING = frozenset({"Sent", "Drafts"})  # mail there never arrived, so that it has no trace
MAX_MAIL = 35_000_000  # bytes, as Microsoft 365 takes them
START_PATIENCE = 20.0  # seconds; it takes 10 ms
ADMIN = frozenset({"admin"})  # the role that pymap wants for setting up users

# What a fault may order besides a reply such as "451 4.3.0 later".
DROP = "drop"  # the connection dies after the dot, and the mail is not taken
TAKE_AND_DROP = "take and drop"  # the mail is taken, but nobody hears of it

Fault = Callable[[str, Sequence[str]], str | None]


@dataclass(frozen=True, kw_only=True)
class SentMail:
    """One mail that was taken by SMTP, as it came."""

    sender: str  # "" is the null sender
    recipients: tuple[str, ...]
    raw: bytes


class EmbeddedMail:
    """An IMAP and a submission server for `users` (address -> password), running while the context is entered.

    A plus-tag leads to its mailbox. Mail to anyone else is taken and only recorded, unless `accept` says no to the
    address (550). With `tls` both servers offer STARTTLS. Each of `faults` sees sender and recipients before a mail is
    taken; the first that returns a reply, DROP or TAKE_AND_DROP has its way.
    """

    def __init__(
        self,
        users: Mapping[str, str],
        *,
        now: Callable[[], datetime],
        imap_port: int = 0,
        smtp_port: int = 0,
        tls: ssl.SSLContext | None = None,
        accept: Callable[[str], bool] | None = None,
    ) -> None:
        self.sent: list[SentMail] = []
        self.faults: list[Fault] = []
        self._users = {address.casefold(): password for address, password in users.items()}
        self._now, self._tls, self._accept = now, tls, accept
        self._imap_port, self._smtp_port = imap_port, smtp_port
        self._loop: asyncio.AbstractEventLoop | None = None
        self._leave = asyncio.Event()
        self._thread: threading.Thread | None = None
        self._lines: set[asyncio.BaseTransport] = set()  # every open connection
        self._backend: Any = None
        self._config: Any = None

    @property
    def imap_port(self) -> int:
        """Where IMAP listens."""
        return self._imap_port

    @property
    def smtp_port(self) -> int:
        """Where submission listens."""
        return self._smtp_port

    def __enter__(self) -> "EmbeddedMail":
        ready = threading.Event()
        faults: list[BaseException] = []

        def serve() -> None:
            try:
                asyncio.run(self._serve(ready))
            except BaseException as fault:  # handed to the thread that waits
                faults.append(fault)
            finally:
                ready.set()

        self._thread = threading.Thread(target=serve, name="embedded-mail", daemon=True)
        self._thread.start()
        ready.wait(START_PATIENCE)
        if faults:
            raise faults[0]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._loop is not None and self._thread is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._leave.set)
            self._thread.join(START_PATIENCE)

    def deliver(self, user: str, raw: bytes, folder: str = "INBOX") -> None:
        """Put a mail into a folder of `user`, received now, with the trace headers of its arrival."""
        when = self._now()
        mailbox = self._mailbox_of(user)
        if mailbox is None:
            raise KeyError(f"no mailbox {user}")
        if folder not in OWN_WRITING:
            sender = email.utils.parseaddr(str(message_from_bytes(raw[:65536]).get("From", "")))[1]
            raw = _trace(sender, user, when) + raw
        self._call(self._append(mailbox, raw, folder, when))

    def resolve(self, address: str) -> str | None:
        """The user whose mailbox an address leads to, its plus-tag aside."""
        return self._mailbox_of(address)

    # -- taking mail --------------------------------------------------------------------------------------------------

    def accepts(self, address: str) -> bool:
        """Whether mail to this address is taken."""
        return self._mailbox_of(address) is not None or self._accept is None or self._accept(address)

    def fault(self, sender: str, recipients: Sequence[str]) -> str | None:
        """The first fault that has something against this mail."""
        return next((reply for fault in self.faults if (reply := fault(sender, recipients))), None)

    async def take(self, sender: str, recipients: Sequence[str], raw: bytes, login: str | None) -> None:
        """Record a mail and put it into the mailboxes here that it is for."""
        self.sent.append(SentMail(sender=sender, recipients=tuple(recipients), raw=raw))
        when = self._now()
        for address in recipients:
            mailbox = self._mailbox_of(address)
            if mailbox is not None:
                await self._append(mailbox, _trace(sender, address, when, login=login) + raw, "INBOX", when)

    def knows(self, user: str, password: str) -> bool:
        """Whether this is a user's password."""
        return self._users.get(user.casefold()) == password

    def _mailbox_of(self, address: str) -> str | None:
        local, at, domain = address.casefold().rpartition("@")
        plain = local.partition("+")[0] + at + domain
        return next((name for name in (address.casefold(), plain) if name in self._users), None)

    async def _append(self, user: str, raw: bytes, folder: str, when: datetime) -> None:
        async with self._identity(user).new_session() as session:
            # pymap appends into existing folders only.
            await session.append_messages(folder, [AppendMessage(raw, when, frozenset())])

    # -- the thread ---------------------------------------------------------------------------------------------------

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        assert self._loop is not None, "enter the context first"
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(START_PATIENCE)

    async def _serve(self, ready: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._leave = asyncio.Event()
        self._backend, self._config = await DictBackend.init(
            Namespace(
                host=[HOST], port=0, debug=False, cert=None, key=None, tls=self._tls is not None, passlib_cfg=None,
                proxy_protocol=None, inherited_sockets=None, demo_data=False, demo_user="nobody", demo_password="",
            ),
            ssl_context=self._tls,
            hash_context=Cleartext(),  # a real hash costs 0.3 s a login
            cpu_subsystem=Subsystem.for_asyncio(),  # else each server leaves threads and their loops behind
            invalid_user_sleep=0,
        )  # fmt: skip
        self._config.apply_context()
        async with AsyncExitStack() as stack:
            await self._backend.start(stack)
            for address, password in self._users.items():
                await self._add_user(address, password)
            imap = await asyncio.start_server(self._serve_imap, HOST, self._imap_port)
            smtp = await self._loop.create_server(lambda: _Submission(self, self._tls), HOST, self._smtp_port)
            self._imap_port = imap.sockets[0].getsockname()[1]
            self._smtp_port = smtp.sockets[0].getsockname()[1]
            ready.set()
            await self._leave.wait()
            imap.close()
            smtp.close()
            await self._hang_up()

    async def _hang_up(self) -> None:
        """End every conversation, then let the loop close the sockets: none may be left to the garbage collector."""
        for line in list(self._lines):
            if isinstance(line, asyncio.WriteTransport):
                line.abort()
        talks = asyncio.all_tasks() - {asyncio.current_task()}
        for talk in talks:
            talk.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
        for _ in range(5):
            await asyncio.sleep(0)

    async def _serve_imap(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Not ProxyProtocolReader.get_callback(), as pymap does it: the task that it starts is referenced by nobody, and
        # Python 3.13 collects it with the connection.
        line = writer.transport
        self._lines.add(line)
        try:
            await IMAPServer(self._backend.login, self._config)(
                reader, writer, SocketInfoLocal(writer, unique_id=uuid4().bytes)
            )
        except (ConnectionError, EOFError, asyncio.CancelledError):
            pass  # the other side hung up, or we are leaving
        finally:
            writer.transport.abort()  # after STARTTLS another than `line`
            line.abort()
            self._lines.discard(line)

    def opened(self, line: asyncio.BaseTransport) -> None:
        """A submission connection begins."""
        self._lines.add(line)

    def closed(self, line: asyncio.BaseTransport) -> None:
        """A submission connection has ended."""
        self._lines.discard(line)

    def _identity(self, user: str) -> Identity:
        return Identity(user, self._backend.login, None, ADMIN)

    async def _add_user(self, address: str, password: str) -> None:
        hashed = await Passwords(self._config).hash_password(password)
        identity = self._identity(address)
        await identity.set(UserMetadata(self._config, address, password=hashed, params=frozendict({})))
        async with identity.new_session() as session:
            for folder in FOLDERS:
                await session.create_mailbox(folder)


class _Submission(SMTP):
    """One submission connection: aiosmtpd's protocol with our users, and known to the servers while it lives."""

    def __init__(self, mail: EmbeddedMail, tls: ssl.SSLContext | None) -> None:
        super().__init__(
            _Handler(mail),
            hostname=HOSTNAME,
            ident="ESMTP",
            enable_SMTPUTF8=True,
            decode_data=False,
            data_size_limit=MAX_MAIL,
            authenticator=_Authenticator(mail),
            auth_require_tls=False,
            tls_context=tls,
            loop=asyncio.get_running_loop(),
        )
        # Not by the constructor, which warns of logins without TLS at every connection, from this thread: a filter set
        # elsewhere would not hold, and where warnings are errors the connection dies.
        self._auth_required = True
        self._mail = mail
        self._line: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self._line is None:
            self._line = transport
            self._mail.opened(transport)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self._line is not None:
            self._mail.closed(self._line)
        super().connection_lost(error)

    def hang_up(self) -> None:
        """Die without a word."""
        if isinstance(self.transport, asyncio.WriteTransport):
            self.transport.abort()


class _Handler:
    """aiosmtpd's hooks."""

    def __init__(self, mail: EmbeddedMail) -> None:
        self._mail = mail

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if not self._mail.accepts(address):
            return "550 5.1.1 no such user here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        sender = (envelope.mail_from or "").strip("<>")
        recipients = [str(address) for address in envelope.rcpt_tos]
        order = self._mail.fault(sender, recipients)
        if order is None or order == TAKE_AND_DROP:
            login = session.auth_data if isinstance(session.auth_data, str) else None
            await self._mail.take(sender, recipients, envelope.original_content or b"", login)
        if order in (DROP, TAKE_AND_DROP) and isinstance(server, _Submission):
            server.hang_up()
        return order or "250 2.0.0 taken"


class _Authenticator:
    """aiosmtpd's question whether a login is good."""

    def __init__(self, mail: EmbeddedMail) -> None:
        self._mail = mail

    def __call__(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: LoginPassword | Any
    ) -> AuthResult:
        if isinstance(data, LoginPassword):
            user = data.login.decode("utf-8", "replace")
            if self._mail.knows(user, data.password.decode("utf-8", "replace")):
                return AuthResult(success=True, auth_data=user)
        return AuthResult(success=False, handled=False)


def _trace(sender: str, recipient: str, when: datetime, *, login: str | None = None) -> bytes:
    """What a receiving server writes on top (RFC 5321 4.4), with the login where there was one (RFC 8601 2.7.4)."""
    lines = [f"Return-Path: <{sender}>", f"Delivered-To: {recipient}"]
    if login is not None:
        lines.append(f"Authentication-Results: {HOSTNAME}; auth=pass smtp.auth={login} smtp.mailfrom={sender}")
    lines.append(f"Received: from client.example by {HOSTNAME} with ESMTP; {email.utils.format_datetime(when)}")
    return "".join(re.sub(r"[\r\n]+", " ", line) + "\r\n" for line in lines).encode("utf-8", "replace")


# -- pymap and aiosmtpd, put right ------------------------------------------------------------------------------------


def _all_flags(_: MailboxData) -> frozenset[Any]:
    r"""pymap's memory backend stores system flags only; \* lets clients keep keywords of their own ($Forwarded)."""
    return frozenset((get_system_flags() - {Recent}) | {Wildcard})


_update_selected = MailboxData.update_selected


async def _update_selected_without_loss(self: MailboxData, selected: Any, *, wait_on: Any = None) -> Any:
    """pymap's IDLE waits for an edge: what changed between two waits would be announced with the next change only."""
    if selected.mod_sequence is not None and self._mod_sequences.highest > selected.mod_sequence:
        wait_on = None
    return await _update_selected(self, selected, wait_on=wait_on)


MailboxData.permanent_flags = property(_all_flags)  # type: ignore[assignment]
MailboxData.update_selected = _update_selected_without_loss  # type: ignore[method-assign]
logging.getLogger("mail.log").setLevel(logging.ERROR)  # aiosmtpd warns of its own insides at every login
