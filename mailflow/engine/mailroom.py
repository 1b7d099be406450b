"""The port to kept mail: where it lies on the server, its bytes, and what became of it (see engine.store)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from mailflow.domain.vocabulary import Kind


class LostMailboxError(Exception):
    """Another process owns this mailbox now; nothing that was to be written has been."""


@dataclass(frozen=True, kw_only=True)
class Folder:
    """A folder of a mailbox as we know it. UIDs up to `before_uid` were there before our time."""

    id: int
    mailbox: str
    name: str
    uidvalidity: int
    before_uid: int
    first_new: int  # UIDs from here on came after we first saw it
    since: datetime  # when it was first seen, whatever its uidvalidity was then
    resumed: bool  # it was known under another uidvalidity before


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """A mail to be kept: where it lies, its bytes and when the server got it."""

    uid: int
    raw: bytes
    hash: str  # SHA-256 of raw
    received_at: datetime
    set_aside: str = ""  # why it is quarantined at once: it is larger than we read


@dataclass(frozen=True, kw_only=True)
class Inbound:
    """A kept mail on its way to a decision."""

    id: int
    hash: str
    mailbox: str
    received_at: datetime
    tries: int
    state: str  # kept | processed | ignored | quarantined
    kind: Kind | None
    reason: str
    message_id: str
    author: str
    subject: str
    incident_id: int | None


@dataclass(frozen=True, kw_only=True)
class Unfiled:
    """A decided mail that lies where it came in."""

    uid: int
    kind: Kind
    state: str
    shown: bool  # nobody could place it: it stays in sight


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What became of an inbound mail."""

    state: str
    kind: Kind
    reason: str
    identity: str
    message_id: str
    author: str
    subject: str
    incident_id: int | None
    decisions: tuple[tuple[str, str, int | None], ...]  # (action, reason, incident id) for each event


@dataclass(frozen=True, kw_only=True)
class Decided:
    """One decision over a mail, as it is kept."""

    inbound_id: int
    action: str
    reason: str
    incident_id: int | None
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a mail came in, and when it needed no filing any more."""

    mailbox: str
    folder: str
    uid: int
    filed_at: datetime | None


class Mailroom(Protocol):
    """Folders, places, kept bytes and what became of them."""

    def find_folder(self, mailbox: str, name: str, uidvalidity: int) -> Folder | None:
        """The folder, None where it was never seen under this uidvalidity."""

    def first_seen(self, mailbox: str, name: str) -> datetime | None:
        """When a folder of this name was first seen, under whatever uidvalidity."""

    def add_folder(
        self, mailbox: str, name: str, uidvalidity: int, *, before_uid: int, first_new: int, now: datetime
    ) -> Folder:
        """A folder at first sight; everything up to UID `before_uid` is before our time."""

    def known_uids(self, folder_id: int, above: int) -> set[int]:
        """The UIDs above `above` that need no second look."""

    def highest_uid(self, folder_id: int) -> int:
        """The highest UID that we know in the folder."""

    def before_our_time(self, folder_id: int, uids: Iterable[int]) -> None:
        """Note mails as before our time: not fetched, not filed, not decided."""

    def keep(self, folder_id: int, arrivals: Sequence[Arrival], now: datetime, epoch: int) -> list[int]:
        """Keep the bytes; a delivery already known by its hash gets only the place. The ids of new inbound mails."""

    def pending(self, mailbox: str) -> list[Inbound]:
        """Kept mails without a decision, oldest first."""

    def count_try(self, inbound_ids: Sequence[int], *, by: int = 1) -> None:
        """Count the try that is about to be made; by -1, take one back."""

    def content(self, hash_: str) -> bytes:
        """Kept bytes; KeyError where they are not (any more)."""

    def put_content(self, raw: bytes, now: datetime) -> str:
        """Keep bytes under their hash, which is returned."""

    def drop_content(self, hash_: str) -> None:
        """Empty kept bytes: a copy of our own letter, which is kept as a letter."""

    def replace_content(self, hash_: str, raw: bytes, now: datetime) -> str:
        """Keep `raw` instead of `hash_`; the new hash."""

    def same_mail(self, identity: str, not_id: int) -> int | None:
        """An earlier mail with this identity that was decided, None where there is none."""

    def belongs(self, inbound_id: int, incident_id: int, message_id: str, author: str, subject: str) -> None:
        """Note at once which incident a mail opened: letters of the same moment hang below it."""

    def conclude(self, inbound_id: int, verdict: Verdict, now: datetime) -> None:
        """Write what became of a mail."""

    def quarantine(self, inbound_id: int, reason: str, now: datetime) -> None:
        """Set a mail aside with its bytes."""

    def unfiled(self, folder_id: int) -> list[Unfiled]:
        """Decided mails of the folder that are not filed yet."""

    def filed(self, folder_id: int, uids: Sequence[int], now: datetime) -> None:
        """Note that these need no filing any more."""

    def inbound(self, inbound_id: int) -> Inbound | None:
        """One kept mail."""

    def after(self, inbound_id: int, limit: int) -> list[Inbound]:
        """The kept mails whose number is above this one, in the order of their numbers."""

    def named(self, message_id: str) -> list[Inbound]:
        """The decided mails with this Message-ID, oldest first."""

    def decisions_of(self, inbound_ids: Sequence[int]) -> list[Decided]:
        """What was decided over these mails, in the order in which it was."""

    def places_of(self, inbound_id: int) -> list[Place]:
        """Every place where this delivery was seen."""

    def quarantined(self) -> list[Inbound]:
        """The mails set aside, oldest first."""

    def retry(self, inbound_id: int) -> bool:
        """Give a quarantined mail a fresh start; False where it is not quarantined."""

    def discard(self, inbound_id: int, now: datetime) -> bool:
        """Mark a quarantined mail as ignored; False where it is not quarantined."""

    def counts(self) -> dict[str, int]:
        """How many inbound mails are in each state."""

    def forget_content(self, before: datetime) -> int:
        """Empty contents kept before `before`, except those of running incidents; how many."""
