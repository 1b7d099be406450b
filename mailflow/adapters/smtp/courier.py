"""One kept connection to a submission server that keeps the port engine.courier.Courier (RFC 5321).

Promises: SENT only after the server's 2xx to the final dot; UNKNOWN only where the dot was written and nobody answered;
whatever fails before the dot has certainly not been sent. To know that, MAIL, RCPT, DATA, the text and the dot are five
steps here: the library's own sendmail() raises the same error for a connection lost before the text and after the dot.
"""

import asyncio
import contextlib
import re
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from aiosmtplib import SMTPException, SMTPResponseException
from aiosmtplib.response import SMTPResponse

from mailflow.adapters.account import Account
from mailflow.adapters.smtp.answers import (
    Refused,
    fault_words,
    is_fine,
    judged,
    judged_fault,
    judged_sender,
    words,
)
from mailflow.adapters.smtp.submission import Submission
from mailflow.engine.courier import Delivery, Outcome

T = TypeVar("T")

ANSWER_TIMEOUT = 60.0  # seconds for every answer but the last
DOT_TIMEOUT = 600.0  # for the answer to the dot, RFC 5321 4.5.3.2.6: giving up early makes a letter UNKNOWN
IDLE_LIMIT = 60.0  # seconds unused until we close the connection ourselves; providers do after one to five minutes
FLUSH_PAUSE = 0.01  # seconds between looks at whether a text larger than the socket's buffer has left

LINE_END = re.compile(rb"\r\n|\r|\n")
LEADING_DOT = re.compile(rb"(?m)^\.")
ADDRESS = re.compile(
    r"[^\s<>@\x00-\x1f\x7f]+@[^\s<>@\x00-\x1f\x7f]+"
)  # quoted local parts are left out: nobody has one


class SmtpCourier:
    """Keeps engine.courier.Courier on aiosmtplib, whose asynchronous calls run to their end on a loop of our own."""

    def __init__(
        self,
        account: Account,
        *,
        timeout: float = ANSWER_TIMEOUT,
        dot_timeout: float = DOT_TIMEOUT,
        idle_limit: float = IDLE_LIMIT,
    ) -> None:
        self._where = account.where
        self._dot_timeout = dot_timeout
        self._line = Submission(account, timeout=timeout, idle_limit=idle_limit)
        self._loop: asyncio.AbstractEventLoop | None = None

    def send(self, sender: str, recipients: Sequence[str], message: bytes, started: Callable[[], None]) -> Delivery:
        """Hand over one message; the port says what each outcome means.

        The first recipient is the letter's; further ones are proof copies, whose refusal does not fail the letter.
        Never raises for the world's faults; an exception from `started` passes through, and nothing is sent then.
        """
        if not recipients or not recipients[0]:
            return Delivery(outcome=Outcome.FAILED, said="no recipient")
        for address in (sender, *recipients):
            if address and not (ADDRESS.fullmatch(address) and address.isprintable()):
                return Delivery(outcome=Outcome.FAILED, said=f"not an address that can be written to: {address!r}")
        return self._run(self._send(sender, recipients, message, started))

    def close(self) -> None:
        """QUIT if possible; never raises."""
        if self._loop is None:
            return
        with contextlib.suppress(Exception):  # an edge: whatever a dying connection throws, it is being let go
            self._run(self._line.quit())
        with contextlib.suppress(Exception):
            self._loop.run_until_complete(self._loop.shutdown_default_executor())  # the threads that asked DNS
        self._loop.close()
        self._loop = None

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
        task = self._loop.create_task(work)
        try:
            return self._loop.run_until_complete(task)
        except BaseException:
            if not task.done():  # Ctrl-C: let this conversation end here, not in the middle of the next letter
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    self._loop.run_until_complete(task)
            raise

    async def _send(
        self, sender: str, recipients: Sequence[str], message: bytes, started: Callable[[], None]
    ) -> Delivery:
        addressed = await self._met(self._address(sender, recipients, message))
        if isinstance(addressed, Delivery):
            return addressed
        try:
            started()
        except BaseException:
            await self._line.drop()  # the half-told letter ends with the connection
            raise
        delivery = await self._met(self._hand_over(message))
        if delivery.outcome is Outcome.SENT and addressed:
            return Delivery(outcome=Outcome.SENT, said="; ".join([delivery.said, *addressed]))
        return delivery

    async def _met(self, work: Coroutine[Any, Any, T]) -> T | Delivery:
        """`work`, with whatever the world does to it as a Delivery: it stands for all that comes before the dot."""
        try:
            return await work
        except Refused as refused:
            return refused.delivery
        except SMTPResponseException as fault:
            await self._line.drop()
            return judged(SMTPResponse(fault.code, fault.message))
        except (SMTPException, OSError) as fault:
            await self._line.drop()
            return judged_fault(fault, self._where)
        except BaseException:
            await self._line.drop()
            raise

    async def _address(self, sender: str, recipients: Sequence[str], message: bytes) -> Delivery | list[str]:
        """MAIL and RCPT, on the kept connection or another; a Delivery where it ends here, else remarks."""
        answer: SMTPResponse | None = None
        if await self._line.still_open():
            with contextlib.suppress(SMTPException, OSError):
                answer = await self._mail(sender, recipients[0], message)
            # A kept connection may have ended, expired with its token or carried all the letters that it may: the
            # server says so only now. Whatever it has against us, it says again on a fresh one.
            if answer is None or not is_fine(answer):
                await self._line.drop()
                answer = None
        if answer is None:
            await self._line.open()
            answer = await self._mail(sender, recipients[0], message)
        if not is_fine(answer):
            await self._line.reset()
            return judged_sender(answer, sender)
        answer = await self._line.ask(b"RCPT", b"TO:<" + recipients[0].encode() + b">")
        if not is_fine(answer):
            await self._line.reset()
            return judged(answer)
        return await self._add_proofs(recipients[1:])

    async def _hand_over(self, message: bytes) -> Delivery:
        answer = await self._line.ask(b"DATA")
        if answer.code == 354:
            return await self._write_text(message)
        await self._line.reset()
        return judged(answer)  # before 354 the server has seen nothing of the text

    async def _mail(self, sender: str, recipient: str, message: bytes) -> SMTPResponse:
        """MAIL with the extensions that this letter needs and the server has."""
        options: list[bytes] = []
        if self._line.offers("size"):
            options.append(b"SIZE=%d" % len(message))  # RFC 1870: too large is said before the text is written
        if not message.isascii() and self._line.offers("8bitmime"):
            options.append(b"BODY=8BITMIME")  # RFC 6152
        head = message.partition(b"\r\n\r\n")[0]
        if not (head.isascii() and sender.isascii() and recipient.isascii()):
            if not self._line.offers("smtputf8"):  # RFC 6531
                raise Refused(Outcome.FAILED, "addresses or headers beyond ASCII, and the server has no SMTPUTF8")
            options.append(b"SMTPUTF8")
        return await self._line.ask(b"MAIL", b"FROM:<" + sender.encode() + b">", *options)

    async def _add_proofs(self, proofs: Sequence[str]) -> list[str]:
        """RCPT for each further recipient; a remark for each that was refused."""
        remarks: list[str] = []
        for address in proofs:
            answer = await self._line.ask(b"RCPT", b"TO:<" + address.encode() + b">")
            if answer.code == 421:  # RFC 5321 3.8: the server is closing, with the letter untold
                raise SMTPResponseException(answer.code, answer.message)
            if not is_fine(answer):
                remarks.append(f"proof copy refused: {words(answer)}")
        return remarks

    async def _write_text(self, message: bytes) -> Delivery:
        """The text, and the dot only once the text has left: a connection lost in between cannot have been obeyed."""
        protocol = self._line.protocol
        # One kind of line end everywhere: a server that takes a bare one for a line end would see dots that we do not.
        text = LINE_END.sub(b"\r\n", message)
        if not text.endswith(b"\r\n"):
            text += b"\r\n"
        # Listening begins before writing: the answer to a letter cut short must not be missed.
        answering = asyncio.ensure_future(protocol.read_response(timeout=self._dot_timeout))
        await asyncio.sleep(0)
        dotted = False
        try:
            protocol.write(LEADING_DOT.sub(b"..", text))  # RFC 5321 4.5.2
            while not answering.done() and self._line.unwritten():
                await asyncio.sleep(FLUSH_PAUSE)
            if not answering.done():
                dotted = True
                protocol.write(b".\r\n")
            answer = await answering
        except (SMTPException, OSError) as fault:
            if not dotted:
                raise
            await self._line.drop()
            return Delivery(outcome=Outcome.UNKNOWN, said=f"no answer after the final dot: {fault_words(fault)}")
        finally:
            answering.cancel()
            with contextlib.suppress(asyncio.CancelledError, SMTPException, OSError):
                await answering
        if is_fine(answer) and dotted:
            return Delivery(outcome=Outcome.SENT, said=words(answer))
        # In the middle of a text, or after nonsense, there is no way back to commands.
        await (self._line.reset() if dotted and answer.code >= 400 else self._line.drop())
        if 400 <= answer.code < 600:
            return judged(answer)
        return Delivery(outcome=Outcome.UNKNOWN, said=f"the answer to the text makes no sense: {words(answer)}")
