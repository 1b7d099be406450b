"""The port through which letters leave. adapters/smtp keeps it on real servers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Outcome(StrEnum):
    """What became of one attempt. UNKNOWN: nobody answered after the final dot, so it may have been taken."""

    SENT = "sent"
    RETRY = "retry"  # 4xx, or the connection broke before the dot: safe to send again
    FAILED = "failed"  # 5xx for the recipient: the duty to inform reopens
    UNKNOWN = "unknown"
    ACCOUNT = "account"  # login refused, account blocked, certificate untrusted: pause the mailbox, keep the letter


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """An outcome with the server's own words, or ours where it had none; never a secret."""

    outcome: Outcome
    said: str


class Courier(Protocol):
    """A kept connection to one mailbox's submission server. Not thread-safe."""

    def send(self, sender: str, recipients: Sequence[str], message: bytes, started: Callable[[], None]) -> Delivery:
        """Hand over one message (bytes with CRLF lines) from envelope sender `sender` ("" is the null sender).

        The first recipient is the letter's; further ones are proof copies, whose refusal does not fail the letter.
        `started()` is called after RCPT was accepted and before DATA is written: it commits `data_started`.
        Never raises for the world's faults; an exception from `started` passes through, and nothing is sent then.
        """

    def close(self) -> None:
        """QUIT if possible; never raises."""
