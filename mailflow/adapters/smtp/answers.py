"""What a server's answer, or its silence, means for a letter that has not been handed over.

Promises: faults of the login, the account or the certificate never count against a letter; 4xx and lost connections are
safe to repeat; only a 5xx that speaks of the letter or its recipient is final.
"""

import re
import ssl

from aiosmtplib.response import SMTPResponse

from mailflow.adapters.account import NoSecret, one_line
from mailflow.engine.courier import Delivery, Outcome

ACCOUNT_CODES = frozenset({530, 534, 535, 538})  # RFC 4954 6: about the login, wherever they come

# Enhanced status codes (RFC 3463) that providers give for the account: bad credentials, app password wanted, log in by
# a browser first, basic authentication off (5.7.30, 5.7.139), not logged in (5.7.57); then blocked for what it sent.
ACCOUNT_STATUS = re.compile(r"\b5\.7\.(?:8|9|14|30|57|139)\b|\b5\.1\.8\b|\b5\.7\.(?:50[0-9]|70[0-9])\b")

SIZE = re.compile(r"552|\b5\.3\.4\b")  # this one letter is too large (RFC 1870 6.1, RFC 3463 3.4)


class Refused(Exception):  # noqa: N818 - nobody's error: the way out of a connection that cannot be opened
    """No letter can be handed over on this connection; `delivery` says why."""

    def __init__(self, outcome: Outcome, said: str) -> None:
        super().__init__(said)
        self.delivery = Delivery(outcome=outcome, said=said)


def is_fine(answer: SMTPResponse) -> bool:
    """Whether the server agrees: any 2xx."""
    return 200 <= answer.code < 300


def judged(answer: SMTPResponse) -> Delivery:
    """What a refusal means for the letter at hand."""
    said = words(answer)
    if answer.code in ACCOUNT_CODES or (500 <= answer.code < 600 and ACCOUNT_STATUS.search(said)):
        return Delivery(outcome=Outcome.ACCOUNT, said=said)
    return Delivery(outcome=Outcome.FAILED if 500 <= answer.code < 600 else Outcome.RETRY, said=said)


def judged_sender(answer: SMTPResponse, sender: str) -> Delivery:
    """A no to MAIL is about our own address, so that no letter would leave; unless it is this one's size."""
    delivery = judged(answer)
    if delivery.outcome is Outcome.FAILED and sender and not SIZE.search(delivery.said):
        return Delivery(outcome=Outcome.ACCOUNT, said=f"the sender {sender} is refused: {delivery.said}")
    return delivery


def judged_fault(fault: BaseException, where: str) -> Delivery:
    """What a fault without an answer means, as long as the dot has not been written."""
    cause: BaseException | None = fault
    while cause is not None:
        if isinstance(cause, NoSecret):
            return Delivery(outcome=Outcome.ACCOUNT if cause.permanent else Outcome.RETRY, said=str(cause))
        if isinstance(cause, ssl.SSLCertVerificationError):
            said = (
                f"{where}: the certificate is not trusted ({cause.verify_message}); correct the host name, or name "
                "the authority that issued it as ca_file"
            )
            return Delivery(outcome=Outcome.ACCOUNT, said=said)
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError):
            said = f"{where}: no TLS could be agreed on ({cause.reason}); is this the port that speaks TLS at once?"
            return Delivery(outcome=Outcome.ACCOUNT, said=said)
        cause = cause.__cause__
    return Delivery(outcome=Outcome.RETRY, said=f"{where}: {fault_words(fault)}")


def words(answer: SMTPResponse, *, without: str = "") -> str:
    """Code and text of an answer on one line, less the secret that a server may have echoed."""
    return one_line(f"{answer.code} {answer.message}", without=without)


def fault_words(fault: BaseException) -> str:
    """A fault in a few words."""
    return one_line(str(fault)) or type(fault).__name__
