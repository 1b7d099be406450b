"""One logged-in IMAP connection that keeps the port engine.inbox.Inbox (RFC 3501, 6851, 4315, 2177, 2342, 6154).

Promises: every fault of the world leaves as InboxTrouble, with the connection closed; nothing is ever marked seen
(BODY.PEEK only); nobody else's mail is ever expunged.
"""

import contextlib
import imaplib
import socket
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from imapclient import DELETED
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError, IMAPClientReadOnlyError

from mailflow.adapters.account import Account
from mailflow.adapters.imap.folders import Folders
from mailflow.adapters.imap.idle import announced, forget, idle
from mailflow.adapters.imap.login import hang_up, log_in
from mailflow.adapters.imap.trouble import PASSING, said, troubles
from mailflow.engine.inbox import Fetched, FolderState, InboxTrouble

# UIDs go out one by one, up to 11 bytes each: 5,000 of them stay below the 64 KiB that Dovecot reads as one line.
UIDS_A_COMMAND = 5_000

POLL_EVERY = 30.0  # seconds between two looks where the server has no IDLE

# SEARCH answers with all UIDs in one line, and imaplib gives up after a million bytes, which is a folder of 130,000.
imaplib._MAXLINE = 32_000_000  # type: ignore[attr-defined]


def connect(account: Account) -> "ImapInbox":
    """A connection that is logged in, nothing selected yet. Raises InboxTrouble."""
    return ImapInbox(log_in(account), account)


class ImapInbox:
    """Keeps engine.inbox.Inbox on imapclient."""

    def __init__(self, client: Any, account: Account) -> None:
        self._client = client
        self._account = account
        self._folder: str | None = None  # as the server spells it
        self._uidvalidity = 0
        self._open = True
        self._idles = True  # until the server refuses to, though it says that it can
        self._folders = Folders(client, account.where)
        self._wake_in, self._wake_out = socket.socketpair()
        self._wake_in.setblocking(False)
        self._wake_out.setblocking(False)

    def select(self, folder: str) -> FolderState:
        """Select `folder` read-write; InboxTrouble("folder", permanent) where it is missing."""
        with self._talking(f"selecting {folder}"):
            for name in self._folders.spellings(folder):
                try:
                    return self._select(name)
                except IMAPClientReadOnlyError as fault:
                    raise self._fault(
                        "folder", f"folder {folder} is read-only for this user", permanent=True
                    ) from fault
                except IMAPClientAbortError:
                    raise
                except IMAPClientError as fault:
                    words = said(fault)
            if PASSING.search(words) or " BAD " in words:
                raise self._fault("protocol", f"selecting {folder}: {words}", permanent=False)
            raise self._fault("folder", f"no folder {folder}; create it or correct its name: {words}", permanent=True)

    def uids(self, above: int = 0) -> list[int]:
        """The UIDs now in the selected folder that are greater than `above`, ascending."""
        with self._talking("listing"):
            self._look_up()
            found = self._client.search(f"UID {above + 1}:*" if above else "ALL")
        # "n:*" always names the last mail too, even where its UID is below n (RFC 3501 6.4.8).
        return sorted({uid for uid in found if uid > above})

    def uids_since(self, day: datetime) -> list[int]:
        """The UIDs received on or after `day` (IMAP compares whole days)."""
        with self._talking("listing"):
            self._look_up()
            return sorted(set(self._client.search(["SINCE", day])))

    def sizes(self, uids: Sequence[int]) -> dict[int, int]:
        """RFC822.SIZE of each; a message that is gone is absent."""
        sizes: dict[int, int] = {}
        for some in _chunks(uids):
            for uid, parts in self._fetch(some, "RFC822.SIZE").items():
                if isinstance(parts.get(b"RFC822.SIZE"), int):
                    sizes[uid] = parts[b"RFC822.SIZE"]
        return sizes

    def fetch(self, uids: Sequence[int]) -> list[Fetched]:
        """BODY.PEEK[] and INTERNALDATE of each, ascending; a message that is gone is absent."""
        found: list[Fetched] = []
        for some in _chunks(uids):
            for uid, parts in self._fetch(some, "INTERNALDATE", "BODY.PEEK[]").items():
                # A change of flags by somebody else comes as a FETCH too, without what was asked for.
                if isinstance(raw := parts.get(b"BODY[]"), bytes):
                    found.append(Fetched(uid=uid, raw=raw, internal_date=_received(parts)))
        return sorted(found, key=lambda mail: mail.uid)

    def fetch_head(self, uid: int, limit: int) -> Fetched | None:
        """The first `limit` bytes of a message too large to be fetched whole."""
        parts = self._fetch([uid], "INTERNALDATE", f"BODY.PEEK[]<0.{limit}>").get(uid, {})
        raw = parts.get(b"BODY[]<0>")
        return Fetched(uid=uid, raw=raw[:limit], internal_date=_received(parts)) if isinstance(raw, bytes) else None

    def move(self, uids: Sequence[int], folder: str) -> None:
        """Move to `folder` (created where missing): MOVE, else COPY + UID EXPUNGE; gone messages are no error."""
        if not uids:
            return
        with self._talking(f"moving to {folder}"):
            if not self._client.has_capability("MOVE") and not self._client.has_capability("UIDPLUS"):
                raise self._fault(
                    "protocol",
                    "this server has neither MOVE nor UIDPLUS, so that moving would delete what other people marked "
                    'as deleted; set file = "leave" for this mailbox',
                    permanent=True,
                )
            for some in _chunks(uids):
                self._move_some(some, folder)

    def find_message_id(self, folder: str, message_id: str) -> bool:
        """Whether `folder` holds a message with this Message-ID header; the selected folder is selected again."""
        if not message_id.isascii() or not message_id.isprintable():
            raise ValueError(f"not a Message-ID: {message_id!r}")
        quoted = message_id.replace("\\", "\\\\").replace('"', '\\"')
        before, validity = self._folder, self._uidvalidity
        with self._talking(f"searching {folder}"):
            found = False
            for name in self._folders.spellings(folder):
                try:
                    self._client.select_folder(name, readonly=True)
                except IMAPClientAbortError:
                    raise
                except IMAPClientError:
                    continue  # a missing Sent folder holds no mail
                found = bool(self._client.search(f'HEADER Message-ID "{quoted}"'))
                break
            if before is not None and self._select(before).uidvalidity != validity:
                raise self._fault("connection", f"folder {before} was replaced meanwhile", permanent=False)
        # EXISTS of this SELECT is left standing on purpose: mail that came while we were away was never announced, so
        # that the next wait() must return at once.
        return found

    def sent_folder(self) -> str | None:
        r"""The folder with the \Sent attribute (RFC 6154), else one named Sent or Sent Items, else None."""
        with self._talking("listing folders"):
            return self._folders.sent()

    def wait(self, seconds: float) -> str:
        """Wait until the server reports something, `wake()` is called, or `seconds` pass: "server", "wake", "timeout".

        Never longer than IDLE_CAP, after which the server had to answer: a connection that died in silence shows.
        A server without IDLE is asked every POLL_EVERY seconds.
        """
        with self._talking("waiting"):
            heard: str = "refused"
            if self._idles and self._client.has_capability("IDLE"):
                heard = idle(self._client, seconds, self._wake_in)
                self._idles = heard != "refused"
            if heard == "refused":
                heard = self._wait_without_idle(min(seconds, POLL_EVERY))
        if heard == "wake":
            with contextlib.suppress(BlockingIOError):
                while self._wake_in.recv(4096):
                    pass
        elif heard == "server":
            forget(self._client)
        return heard

    def wake(self) -> None:
        """End a `wait` from another thread (the only method that another thread may call)."""
        with contextlib.suppress(OSError):  # full: it is awake already; closed: nobody waits
            self._wake_out.send(b"w")

    def close(self) -> None:
        """Log out if possible; never raises."""
        if self._open:
            self._shut(goodbye=True)

    # -- below: the connection ----------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _talking(self, doing: str) -> Iterator[None]:
        """Around everything that reads or writes: a fault closes the connection for good."""
        if not self._open:
            raise self._fault("connection", f"{doing}: this connection is closed", permanent=False)
        try:
            with troubles(self._account, doing):
                yield
        except BaseException:
            self._shut(goodbye=False)  # also after Ctrl-C: half an answer may still be on its way
            raise

    def _fault(self, what: str, message: str, *, permanent: bool) -> InboxTrouble:
        return InboxTrouble(what, f"{self._account.where}: {message}", permanent=permanent)

    def _shut(self, *, goodbye: bool) -> None:
        self._open = False
        hang_up(self._client, goodbye=goodbye)
        self._wake_in.close()
        self._wake_out.close()

    def _look_up(self) -> None:
        """Some servers search only what they have announced, and NOOP is when they announce (RFC 3501 6.1.2)."""
        self._client._command_and_check("noop")
        forget(self._client)  # whatever is announced from here on may be missing from the answer

    def _select(self, name: str) -> FolderState:
        self._folder = None
        answer = self._client.select_folder(name)
        self._folder, self._uidvalidity = name, int(answer.get(b"UIDVALIDITY", 0))
        return FolderState(uidvalidity=self._uidvalidity)

    def _fetch(self, uids: Sequence[int], *items: str) -> dict[int, dict[bytes, Any]]:
        with self._talking("fetching"):
            # Flags changed by other people pile up under sequence numbers, which must not be taken for UIDs.
            self._client._imap.untagged_responses.pop("FETCH", None)
            return dict(self._client.fetch(list(uids), list(items)))

    def _wait_without_idle(self, seconds: float) -> str:
        """A plain wait; NOOP makes the server speak up, and shows whether it is still there (RFC 3501 6.1.2)."""
        if announced(self._client):
            return "server"
        self._wake_in.settimeout(max(seconds, 0.001))  # 0 would mean not to wait at all
        try:
            woken = bool(self._wake_in.recv(1, socket.MSG_PEEK))
        except TimeoutError:
            woken = False
        finally:
            self._wake_in.setblocking(False)
        if woken:
            return "wake"
        self._client._command_and_check("noop")
        return "server" if announced(self._client) else "timeout"

    def _move_some(self, uids: Sequence[int], folder: str) -> None:
        try:
            self._move_once(uids, self._folders.made(folder))
        except IMAPClientAbortError:
            raise
        except IMAPClientError:
            # Either the folder went away (RFC 3501 6.3.11, TRYCREATE), or some server minds that mail is gone.
            left = self._present(uids)
            if left:
                self._move_once(left, self._folders.made(folder, afresh=True))

    def _move_once(self, uids: Sequence[int], name: str) -> None:
        if self._client.has_capability("MOVE"):
            self._client.move(uids, name)
            return
        # Cut off in between, the mail stands in both folders: twice is better than not at all.
        self._client.copy(uids, name)
        self._client.add_flags(uids, [DELETED], silent=True)
        self._client.uid_expunge(uids)

    def _present(self, uids: Sequence[int]) -> list[int]:
        wanted = set(uids)
        return sorted(wanted & set(self._client.search(f"UID {','.join(map(str, uids))}")))


def _received(parts: dict[bytes, Any]) -> datetime:
    """INTERNALDATE in UTC; a server that cannot say when is taken to have received it now."""
    when = parts.get(b"INTERNALDATE")
    with contextlib.suppress(ValueError, OverflowError):  # offsets of more than a day, the year 1
        if isinstance(when, datetime) and when.tzinfo is not None:
            return when.astimezone(UTC)
    return datetime.now(UTC)


def _chunks(uids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(uids), UIDS_A_COMMAND):
        yield uids[start : start + UIDS_A_COMMAND]
