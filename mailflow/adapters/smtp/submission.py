"""A connection to a submission server: opened, encrypted, logged in, kept, and torn down for certain (RFC 6409, 4954).

Promises: TLS as configured or nothing; one login attempt a connection, with one mechanism; whatever goes wrong while
opening leaves as Refused; after `drop` no socket stays open.
"""

import asyncio
import base64
import contextlib
import re
import socket
import ssl
import time

from aiosmtplib import SMTP, SMTPException, SMTPResponseException
from aiosmtplib.protocol import SMTPProtocol
from aiosmtplib.response import SMTPResponse

from mailflow.adapters.account import Account, Mechanism, NoSecret, Security, one_line, tls_context, token_answers
from mailflow.adapters.smtp.answers import Refused, is_fine, judged_fault, words
from mailflow.engine.courier import Outcome

QUIT_TIMEOUT = 3.0  # seconds: goodbye is a courtesy

# RFC 5321 4.1.4 wants a full name or an address literal; submission servers mind neither.
FULL_NAME = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+")


class Submission:
    """One connection at a time to the account's server. All its methods run on the caller's event loop."""

    def __init__(self, account: Account, *, timeout: float, idle_limit: float) -> None:
        self._account = account
        self._timeout, self._idle_limit = timeout, idle_limit
        self._smtp: SMTP | None = None
        self._transport: asyncio.BaseTransport | None = None  # kept so that it can be torn down for certain
        self._used = 0.0  # monotonic time of the last answer

    @property
    def protocol(self) -> SMTPProtocol:
        """The line to the server; ConnectionError where it is gone."""
        if self._smtp is None or self._smtp.protocol is None:
            raise ConnectionResetError("the connection is closed")
        return self._smtp.protocol

    def offers(self, extension: str) -> bool:
        """Whether the server announced this extension."""
        return self._smtp is not None and self._smtp.supports_extension(extension)

    def unwritten(self) -> int:
        """Bytes that still wait to leave."""
        return self._transport.get_write_buffer_size() if isinstance(self._transport, asyncio.WriteTransport) else 0

    async def ask(self, *command: bytes) -> SMTPResponse:
        """One command and its answer, whatever its code. Raises SMTPException or OSError where there is none."""
        if self._smtp is None:
            raise ConnectionResetError("the connection is closed")
        answer = await self._smtp.execute_command(*command)
        self._used = time.monotonic()
        return answer

    async def still_open(self) -> bool:
        """Whether there is a kept connection worth trying; one that ended or idled too long is let go in silence."""
        for _ in range(3):  # the loop stood still since the last letter: let it hear what came meanwhile
            await asyncio.sleep(0)
        if self._smtp is None or not self._smtp.is_connected:
            await self.drop()
            return False
        if time.monotonic() - self._used > self._idle_limit:
            await self.quit()
            return False
        return True

    async def open(self) -> None:
        """Connect, encrypt, log in; Refused where that cannot be."""
        try:
            await self._open()
        except SMTPResponseException as fault:
            await self.drop()
            said = words(SMTPResponse(fault.code, fault.message))
            if fault.code < 0:  # no answer's code
                said = f"this server does not speak SMTP; check host and port ({one_line(fault.message)})"
            # A server that wants to talk to nobody, or not to us, does not speak of the letter.
            raise Refused(
                Outcome.ACCOUNT if fault.code >= 500 else Outcome.RETRY, f"{self._account.where}: {said}"
            ) from None
        except (SMTPException, OSError, ValueError, NoSecret) as fault:
            await self.drop()
            delivery = judged_fault(fault, self._account.where)
            raise Refused(delivery.outcome, delivery.said) from None
        except BaseException:
            await self.drop()
            raise

    async def reset(self) -> None:
        """RSET, so that the connection can carry the next letter; where that fails the next one opens another."""
        with contextlib.suppress(SMTPException, OSError):
            if self._smtp is not None and self._smtp.is_connected and is_fine(await self.ask(b"RSET")):
                return
        await self.drop()

    async def quit(self) -> None:
        """QUIT if that is possible, then drop."""
        with contextlib.suppress(SMTPException, OSError):
            if self._smtp is not None and self._smtp.is_connected:
                await self._smtp.quit(timeout=QUIT_TIMEOUT)
        await self.drop()

    async def drop(self) -> None:
        """Tear the connection down at once, and let the loop close its socket."""
        smtp, transport = self._smtp, self._transport
        self._smtp = self._transport = None
        if isinstance(transport, asyncio.WriteTransport):
            with contextlib.suppress(Exception):  # asyncio's TLS transport minds being torn down twice
                transport.abort()
        if smtp is not None:
            smtp.close()
        for _ in range(4):  # abort, connection_lost, socket closed: each one turn of the loop
            await asyncio.sleep(0)

    async def _open(self) -> None:
        account = self._account
        context = None if account.security is Security.PLAIN else self._context()
        smtp = self._smtp = SMTP(
            hostname=account.host,
            port=account.port,
            timeout=self._timeout,
            use_tls=account.security is Security.TLS,
            start_tls=False,  # never by chance: done below, or not at all
            tls_context=context,
            local_hostname=_own_name(),
        )
        await smtp.connect(timeout=account.timeouts.connect)
        self._transport = smtp.transport
        await smtp.ehlo()
        if account.security is Security.STARTTLS:
            if not smtp.supports_extension("starttls"):
                raise Refused(
                    Outcome.ACCOUNT,
                    f"{account.where}: the server does not offer STARTTLS, and nothing is said in clear; "
                    'use security = "tls" with its TLS port (465)',
                )
            await smtp.starttls()
            self._transport = smtp.transport
            await smtp.ehlo()  # RFC 3207 4.2: what was said before does not count
        if account.username:
            await self._log_in(smtp)
        self._used = time.monotonic()

    def _context(self) -> ssl.SSLContext:
        try:
            return tls_context(self._account)
        except (OSError, ValueError) as fault:
            where, file = self._account.where, self._account.ca_file
            raise Refused(Outcome.ACCOUNT, f"{where}: ca_file {file} cannot be used: {fault}") from fault

    async def _log_in(self, smtp: SMTP) -> None:
        account = self._account
        secret = account.ask_secret()
        if account.mechanism is Mechanism.PASSWORD:
            answer = await self._present_password(smtp, secret)
        else:
            answer = await self._present_token(smtp, secret)
        if is_fine(answer):
            return
        said = words(answer, without=secret)
        if 400 <= answer.code < 500:
            raise Refused(Outcome.RETRY, f"{account.where}: {said}")
        raise Refused(
            Outcome.ACCOUNT,
            f"{account.where}: login of {account.username} refused: {said}; check its password or token",
        )

    async def _present_password(self, smtp: SMTP, password: str) -> SMTPResponse:
        """One attempt only: the library tries every mechanism in turn, which locks accounts."""
        name, secret = self._account.username.encode(), password.encode()
        if "plain" in smtp.server_auth_methods:
            return await smtp.execute_command(b"AUTH", b"PLAIN", base64.b64encode(b"\0" + name + b"\0" + secret))
        if "login" not in smtp.server_auth_methods:
            raise Refused(
                Outcome.ACCOUNT,
                f"{self._account.where}: the server takes no password (neither AUTH PLAIN nor LOGIN); "
                "many providers want OAuth now",
            )
        answer = await smtp.execute_command(b"AUTH", b"LOGIN", base64.b64encode(name))
        return await smtp.execute_command(base64.b64encode(secret)) if answer.code == 334 else answer

    async def _present_token(self, smtp: SMTP, token: str) -> SMTPResponse:
        mechanism = self._account.mechanism.name
        if mechanism.lower() not in smtp.server_auth_methods:
            raise Refused(
                Outcome.ACCOUNT,
                f"{self._account.where}: the server does not offer {mechanism}; it may want a password",
            )
        first, second = (base64.b64encode(part) for part in token_answers(self._account, token))
        answer = await smtp.execute_command(b"AUTH", mechanism.encode(), first)
        # 334 is no: it carries the reason, and the final answer comes only after ours (RFC 7628 3.2.3).
        return await smtp.execute_command(second) if answer.code == 334 else answer


def _own_name() -> str:
    """What we call ourselves in EHLO; no DNS is asked for it."""
    name = socket.gethostname()
    return name if FULL_NAME.fullmatch(name) else "[127.0.0.1]"
