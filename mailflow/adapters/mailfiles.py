"""Past mail, for a rehearsal: from an mbox, a Maildir, a folder of .eml files, one .eml file, or a live mailbox.

Nothing is ever changed where it comes from: files are opened for reading alone, and a mailbox is looked at with
EXAMINE and BODY.PEEK. A mail is known by where its bytes lie, and read when its turn comes, so that a source may be
larger than memory.

When a mail came in is told, in this order, by its topmost Received header (our own server's), its Date header, the
"From " line above it in an mbox, and the time of its file.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from pathlib import Path

from mailflow.adapters.account import Account
from mailflow.adapters.imap.login import log_in
from mailflow.adapters.imap.session import ImapInbox
from mailflow.engine.inbox import FolderState
from mailflow.engine.receive import BATCH, HEAD, LARGEST, portions

LONGEST_LINE = 65_536  # bytes read at once: a file without line ends is no mbox, and must not fill the memory
A_DAY = timedelta(days=1)
# Before the first, there was no Internet mail; after the second, a clock was wrong.
FIRST_YEAR, LAST_YEAR = 1982, 2100
MBOX = b"From "

_RECEIVED = re.compile(rb"^received[ \t]*:((?:[^\n]*\n[ \t])*[^\n]*)", re.IGNORECASE | re.MULTILINE)
_DATE = re.compile(rb"^date[ \t]*:((?:[^\n]*\n[ \t])*[^\n]*)", re.IGNORECASE | re.MULTILINE)
_FIELD = re.compile(rb"^(?:received|from|to|subject|date|message-id|return-path)[ \t]*:", re.IGNORECASE | re.MULTILINE)
# "From john@x.example Tue Nov 24 09:12:00 2026", with a zone before the year where Google wrote it; some mail programs
# write nothing behind "From ".
_FROM_LINE = re.compile(
    rb"From (?:.*?([A-Z][a-z]{2}) +([0-9]{1,2}) ([0-9]{2}:[0-9]{2}(?::[0-9]{2})?)(?: ([+-][0-9]{4}|[A-Z]{3,4}))? "
    rb"([0-9]{4})[ \t]*)?\r?\n?$"
)


class SourceError(Exception):
    """A source that cannot be read; one clear line."""


class Clue(StrEnum):
    """What told when a mail came in."""

    SERVER = "the server's own word"  # INTERNALDATE, or our own records
    RECEIVED = "its Received header"
    DATE = "its Date header"
    FROM_LINE = "the From line above it"
    FILE = "the time of its file"


@dataclass(frozen=True, kw_only=True, slots=True)
class MailFile:
    """A mail whose bytes lie in a file."""

    name: str  # as a person finds it: "2026/alert.eml", "inbox.mbox, mail 12"
    path: Path
    start: int
    size: int
    arrival: datetime
    clue: Clue
    mailbox: str = ""  # where it came in, where that is known
    whole: int = 0  # its own size, where only its beginning lies here

    @property
    def large(self) -> int:
        """How large the mail itself is."""
        return max(self.size, self.whole)

    def read(self) -> bytes:
        """Its bytes; of a mail that is larger than we read, the beginning."""
        with self.path.open("rb") as file:
            file.seek(self.start)
            return file.read(self.size if self.size <= LARGEST else HEAD)


class MailFiles:
    """The mails of a source, in the order of their arrival."""

    def __init__(self, mails: Iterator[MailFile]) -> None:
        """SourceError where the source cannot be read."""
        self.mails = sorted(mails, key=lambda mail: mail.arrival)
        self.clues = Counter(mail.clue for mail in self.mails)

    def __len__(self) -> int:
        return len(self.mails)

    def __iter__(self) -> Iterator[MailFile]:
        return iter(self.mails)


def look(source: Path) -> Iterator[MailFile]:
    """Every mail below a path, whatever it is; SourceError."""
    try:
        if source.is_dir():
            if (source / "cur").is_dir() or (source / "new").is_dir():
                yield from _maildir(source)
            else:
                yield from _folder(source)
        elif (head := _head(source)).startswith(MBOX):
            yield from _mbox(source)
        elif is_mail(head):
            yield _alone(source, source.name)
        else:
            raise SourceError(f"{source} is {'neither a mail nor an mbox' if head else 'empty'}")
    except OSError as error:
        raise SourceError(f"{error.filename or source}: {error.strerror}") from error


def is_mail(raw: bytes) -> bool:
    """Whether bytes begin as a mail does: anything can be read as one, and then says nothing."""
    return bool(_FIELD.search(_headers(raw.lstrip(b"\r\n"))))


def _headers(head: bytes) -> bytes:
    return re.split(rb"\r?\n\r?\n", head, maxsplit=1)[0]


def _folder(folder: Path) -> Iterator[MailFile]:
    """All .eml files below a folder; what else lies there is no mail."""
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() == ".eml" and path.is_file():
            yield _alone(path, path.relative_to(folder).as_posix())


def _maildir(folder: Path) -> Iterator[MailFile]:
    """A Maildir's mail, new and seen."""
    for part in ("new", "cur"):
        for path in sorted((folder / part).glob("*")):
            if not path.name.startswith(".") and path.is_file():
                yield _alone(path, path.relative_to(folder).as_posix())


def _alone(path: Path, name: str) -> MailFile:
    """A mail in a file of its own."""
    status = path.stat()
    arrival, clue = arrived(_head(path), None, datetime.fromtimestamp(status.st_mtime, UTC))
    return MailFile(name=name, path=path, start=0, size=status.st_size, arrival=arrival, clue=clue)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD)


def _mbox(path: Path) -> Iterator[MailFile]:
    """The mails of an mbox: each begins below a "From " line that stands first, or below an empty line (RFC 4155)."""
    written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    number = 0

    def mail(start: int, end: int, head: bytes, line: bytes) -> MailFile:
        arrival, clue = arrived(head, line, written)
        name = f"{path.name}, mail {number}"
        return MailFile(name=name, path=path, start=start, size=end - start, arrival=arrival, clue=clue)

    from_line, head, in_head = b"", b"", True
    start = at = 0
    empty = 0  # length of the empty line just read: it belongs to the From line that follows
    fresh = True  # at the beginning of a line
    with path.open("rb") as file:
        while line := file.readline(LONGEST_LINE):
            if fresh and (empty or at == 0) and line.startswith(MBOX) and _FROM_LINE.match(line):
                if number:
                    yield mail(start, at - empty, head, from_line)
                number += 1
                from_line, head, in_head, start = line, b"", True, at + len(line)
            elif in_head and len(head) < HEAD:
                head += line
            at += len(line)
            empty = len(line) if fresh and not line.strip(b"\r\n") else 0
            in_head = in_head and not (empty and head)
            fresh = line.endswith(b"\n")
    if number:
        yield mail(start, at, head, from_line)


def arrived(head: bytes, from_line: bytes | None, written: datetime) -> tuple[datetime, Clue]:
    """When a mail came in, and what told; `head` holds its headers, `written` is the time of its file."""
    headers = _headers(head)
    for pattern, clue in ((_RECEIVED, Clue.RECEIVED), (_DATE, Clue.DATE)):
        if (found := pattern.search(headers)) and (moment := _moment(found[1].rpartition(b";")[2])):
            return moment, clue
    if from_line and (parts := _FROM_LINE.match(from_line)) and parts[1]:
        month, day, time, zone, year = parts.groups()
        if moment := _moment(b" ".join([day, month, year, time, zone or b"+0000"])):
            return moment, Clue.FROM_LINE
    return written, Clue.FILE


def _moment(text: bytes) -> datetime | None:
    """A date of a header in UTC, None where it is none, or none that can be."""
    try:
        moment = parsedate_to_datetime(" ".join(text.decode("ascii", "replace").split())[:100])
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError, AttributeError):
        return None
    return moment if FIRST_YEAR <= moment.year <= LAST_YEAR else None


class Spool:
    """Mail that lies elsewhere, laid into a folder of our own until its turn comes."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._count = folder, 0

    def keep(self, raw: bytes, *, name: str, mailbox: str, arrival: datetime, whole: int = 0) -> MailFile:
        """Lay one mail down."""
        self._count += 1
        path = self._folder / f"{self._count}.eml"
        path.write_bytes(raw)
        return MailFile(
            name=name,
            path=path,
            start=0,
            size=len(raw),
            arrival=arrival,
            clue=Clue.SERVER,
            mailbox=mailbox,
            whole=whole,
        )


class ExaminedInbox(ImapInbox):
    """A mailbox that is only looked at: EXAMINE, so that the server itself refuses every change (RFC 3501 6.3.2)."""

    def move(self, uids: Sequence[int], folder: str) -> None:
        """Never: some servers move out of an examined folder all the same."""
        raise self._fault("protocol", f"moving to {folder}: this mailbox is only looked at", permanent=True)

    def _select(self, name: str) -> FolderState:
        self._folder = None
        answer = self._client.select_folder(name, readonly=True)
        self._folder, self._uidvalidity = name, int(answer.get(b"UIDVALIDITY", 0))
        return FolderState(uidvalidity=self._uidvalidity)


def examine(account: Account, mailbox: str, folder: str, since: datetime, spool: Spool) -> Iterator[MailFile]:
    """The mails that came into a live mailbox since a time; InboxTrouble. Nothing is marked, moved or sent."""
    inbox = ExaminedInbox(log_in(account), account)
    try:
        inbox.select(folder)
        # IMAP compares whole days of the server's own zone: a day more is asked for, the rest told apart by time.
        uids = inbox.uids_since(since - A_DAY)
        for start in range(0, len(uids), BATCH):
            batch = uids[start : start + BATCH]
            sizes = inbox.sizes(batch)
            for some in portions(batch, sizes):
                mails = inbox.fetch([uid for uid in some if 0 <= sizes.get(uid, -1) <= LARGEST])
                large = [inbox.fetch_head(uid, HEAD) for uid in some if sizes.get(uid, 0) > LARGEST]
                for mail in (*mails, *filter(None, large)):
                    if mail.internal_date >= since:
                        yield spool.keep(
                            mail.raw,
                            name=f"{folder}, UID {mail.uid}",
                            mailbox=mailbox,
                            arrival=mail.internal_date,
                            whole=sizes[mail.uid],
                        )
    finally:
        inbox.close()
