"""The port to a mailbox that mail is read from. adapters/imap keeps it on real servers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class InboxTrouble(Exception):  # noqa: N818 - said as it is logged: "inbox trouble: login refused"
    """The mailbox cannot be used now. `permanent` trouble pauses it with backoff and pages; other trouble reconnects.

    `what` is one of "connection", "login", "certificate", "folder", "protocol"; the message is one clear line that
    names host, port and what to do, and never holds a secret.
    """

    def __init__(self, what: str, message: str, *, permanent: bool) -> None:
        super().__init__(message)
        self.what, self.permanent = what, permanent


@dataclass(frozen=True, kw_only=True)
class FolderState:
    """A selected folder: UIDs are meaningful only together with `uidvalidity` (RFC 3501 2.3.1.1)."""

    uidvalidity: int


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """One message as fetched: exact bytes, and when the server received it (aware UTC)."""

    uid: int
    raw: bytes
    internal_date: datetime


class Inbox(Protocol):
    """One logged-in connection to one mailbox. Not thread-safe; after any InboxTrouble it is closed, never reused."""

    def select(self, folder: str) -> FolderState:
        """Select `folder` read-write; InboxTrouble("folder", permanent) where it is missing."""

    def uids(self, above: int = 0) -> list[int]:
        """The UIDs now in the selected folder that are greater than `above`, ascending."""

    def uids_since(self, day: datetime) -> list[int]:
        """The UIDs received on or after `day` (IMAP compares whole days)."""

    def sizes(self, uids: Sequence[int]) -> dict[int, int]:
        """RFC822.SIZE of each; a message that is gone is absent."""

    def fetch(self, uids: Sequence[int]) -> list[Fetched]:
        """BODY.PEEK[] and INTERNALDATE of each, ascending; a message that is gone is absent."""

    def fetch_head(self, uid: int, limit: int) -> Fetched | None:
        """The first `limit` bytes of a message too large to be fetched whole."""

    def move(self, uids: Sequence[int], folder: str) -> None:
        """Move to `folder` (created where missing): MOVE, else COPY + UID EXPUNGE; gone messages are no error."""

    def find_message_id(self, folder: str, message_id: str) -> bool:
        """Whether `folder` holds a message with this Message-ID header; the selected folder is selected again."""

    def sent_folder(self) -> str | None:
        r"""The folder with the \Sent attribute (RFC 6154), else one named Sent or Sent Items, else None."""

    def wait(self, seconds: float) -> str:
        """Wait until the server reports something, `wake()` is called, or `seconds` pass: "server", "wake", "timeout".

        IDLE (RFC 2177) where the server has it; else a plain wait, since the caller looks anyway.
        """

    def wake(self) -> None:
        """End a `wait` from another thread (the only method that another thread may call)."""

    def close(self) -> None:
        """Log out if possible; never raises."""
