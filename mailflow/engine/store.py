"""The port to the records: everything that must survive a crash. adapters/store keeps it on SQLite and PostgreSQL.

Every write happens inside `Store.transaction()`; nothing outside it is promised to be atomic. Rows never leave the
store: methods take and give values of the domain.
"""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from mailflow.domain.form import Fill, Form
from mailflow.domain.incident import Affected, Entry, Incident, IncidentState, Promise, PromiseKind, PromiseState, Told
from mailflow.domain.letters import JSON, Letter, LetterKind, LetterState, NewLetter, Thread
from mailflow.domain.people import Address, Client
from mailflow.domain.vocabulary import Class, Detection, Kind, Priority, Severity


class StoreError(Exception):
    """The store cannot be used: one clear line. `configuration` ends the process with exit code 2."""

    def __init__(self, message: str, *, configuration: bool = True) -> None:
        super().__init__(message)
        self.configuration = configuration


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
    since: datetime  # when the mailbox's folder was first seen, whatever its uidvalidity was then
    fresh: bool  # made by this very call
    known_before: bool  # the folder was known under another uidvalidity


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
class NewIncident:
    """An incident to be opened, with the one client that it is first known to affect."""

    client: Client
    liaison: Address
    liaison_title: str
    liaison_phone: str
    scope: str
    key: str
    class_: Class
    severity: Severity
    priority: Priority
    symptom: str
    title: str
    plain: str
    detected_by: Detection
    noticed_by: str
    first_shown: str
    reporter: str
    reported: str
    started_at: datetime
    opened_at: datetime


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What SEND would release: the held letters of one version, with the hash over all their words."""

    affected_id: int
    version: int
    kind: LetterKind
    hash: str
    state: str  # current | superseded | released
    released_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Overdue:
    """A promise past its time, with what a digest says about it."""

    promise: Promise
    incident: Incident
    affected: Affected


class Mailroom(Protocol):
    """Folders, places, kept bytes and what became of them."""

    def folder(self, mailbox: str, name: str, uidvalidity: int, highest: int, now: datetime) -> Folder:
        """The folder, made at first sight with everything up to UID `highest` before our time."""

    def known_uids(self, folder_id: int, above: int) -> set[int]:
        """The UIDs above `above` that need no second look."""

    def highest_uid(self, folder_id: int) -> int:
        """The highest UID that we know in the folder."""

    def before_our_time(self, folder_id: int, uids: Iterable[int], before_uid: int) -> None:
        """Note mails as before our time: not fetched, not filed, not decided."""

    def keep(self, folder_id: int, arrivals: Sequence[Arrival], now: datetime, epoch: int) -> list[int]:
        """Keep the bytes; a delivery already known by its hash gets only the place. The ids of new inbound mails."""

    def pending(self, mailbox: str) -> list[Inbound]:
        """Kept mails without a decision, oldest first."""

    def count_try(self, inbound_ids: Sequence[int]) -> None:
        """Count the try that is about to be made."""

    def content(self, hash_: str) -> bytes:
        """Kept bytes; KeyError where they are not (any more)."""

    def put_content(self, raw: bytes, now: datetime) -> str:
        """Keep bytes under their hash, which is returned."""

    def replace_content(self, hash_: str, raw: bytes, now: datetime) -> str:
        """Keep `raw` instead of `hash_`; the new hash."""

    def same_mail(self, identity: str, not_id: int) -> int | None:
        """An earlier mail with this identity that was decided, None where there is none."""

    def conclude(self, inbound_id: int, verdict: Verdict, now: datetime) -> None:
        """Write what became of a mail."""

    def quarantine(self, inbound_id: int, reason: str, now: datetime) -> None:
        """Set a mail aside with its bytes."""

    def unfiled(self, folder_id: int) -> list[tuple[int, Kind, str]]:
        """(uid, kind, state) of decided mails of the folder that are not filed yet."""

    def filed(self, folder_id: int, uids: Sequence[int], now: datetime) -> None:
        """Note that these need no filing any more."""

    def inbound(self, inbound_id: int) -> Inbound | None:
        """One kept mail."""

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


class Records(Protocol):
    """Incidents, affected clients, promises, the timeline, and who was told."""

    def open(self, new: NewIncident) -> tuple[Incident, Affected]:
        """Open an incident; unique among open ones by (scope, key)."""

    def incident(self, incident_id: int) -> Incident:
        """One incident; KeyError where there is none."""

    def by_reference(self, reference: str) -> Incident | None:
        """The incident that people call so."""

    def newest_by_key(self, scope: str, key: str) -> Incident | None:
        """The newest incident with this key in this scope."""

    def running_of(self, client_key: str) -> list[tuple[Incident, Affected]]:
        """The client's running incidents, newest first."""

    def affected(self, affected_id: int) -> Affected:
        """One affected client; KeyError where there is none."""

    def affected_of(self, incident_id: int) -> list[Affected]:
        """The incident's affected clients."""

    def incidents(self, *, running_only: bool, limit: int) -> list[tuple[Incident, list[Affected]]]:
        """Incidents, newest first."""

    def set_state(
        self, incident_id: int, state: IncidentState, *, ended_at: datetime | None, closed_at: datetime | None, why: str
    ) -> None:
        """Write a state that domain.lifecycle has allowed."""

    def set_reporter(self, affected_id: int, reporter: str, reported: str) -> None:
        """Who of the client's told us first."""

    def settle(self, affected_id: int, why: str, now: datetime) -> None:
        """The client has its debrief, or is owed none."""

    def note(self, incident_id: int, entry: Entry) -> None:
        """A line on the timeline."""

    def timeline(self, incident_id: int) -> list[Entry]:
        """The incident's timeline in order."""

    def promise(self, affected: Affected, kind: PromiseKind, due_at: datetime, now: datetime) -> None:
        """Promise something; the same promise is made once."""

    def promises(self, incident_id: int) -> list[Promise]:
        """The incident's promises."""

    def set_promise(self, affected_id: int, kind: PromiseKind, state: PromiseState, now: datetime) -> None:
        """Keep or release a promise."""

    def overdue(self, now: datetime) -> list[Overdue]:
        """Promises past their time, oldest first."""

    def told(self, told: Told) -> None:
        """Remember who was told what."""

    def audience(self, incident_id: int) -> list[Told]:
        """Who was told what about an incident, oldest first."""

    def awaiting_form(
        self, now: datetime, ended_before: datetime, due_before: datetime
    ) -> list[tuple[Incident, Affected]]:
        """Unsettled clients whose form is to be sent: service back since `ended_before`, or debrief due soon."""

    def never_told(self, now: datetime) -> list[Incident]:
        """Restored incidents of which nobody was told and no client letter is on its way any more."""


class Desk(Protocol):
    """Forms as sent, what was answered, and the draft that waits for SEND."""

    def add_form(self, affected_id: int, form: Form, letter_id: int, now: datetime) -> None:
        """Keep a form as it was sent."""

    def form(self, affected_id: int, version: int) -> Form | None:
        """The form of this version."""

    def next_version(self, affected_id: int) -> int:
        """The version that the next form or draft of this client gets; versions never repeat."""

    def fills(self, affected_id: int) -> dict[int, Fill]:
        """What was answered so far."""

    def fill(self, affected_id: int, fills: Iterable[Fill]) -> None:
        """Answers; the newest to a field stands."""

    def draft(self, affected_id: int) -> Draft | None:
        """The newest draft."""

    def add_draft(self, draft: Draft, now: datetime) -> None:
        """A new current draft; an older current one is superseded."""

    def release(self, affected_id: int, version: int, now: datetime) -> bool:
        """Mark the current draft of this version as released; False where it is not current (any more)."""


class Outbox(Protocol):
    """Letters and where they stand."""

    def put(self, letter: NewLetter, now: datetime) -> Letter | None:
        """Put a letter in; None where one with its idempotency key is there already."""

    def letter(self, letter_id: int) -> Letter:
        """One letter; KeyError where there is none."""

    def by_tag_id(self, tag_id: str) -> Letter | None:
        """The letter that a tag names."""

    def thread(self, incident_id: int | None, recipient: str, before: int) -> Thread:
        """What letter `before` hangs below: earlier letters to the same person about the same incident."""

    def lease(self, mailbox: str, now: datetime, limit: int, owner: str, until: datetime) -> list[Letter]:
        """Take due letters, in order for each person and incident; no two senders get the same one."""

    def freeze(self, letter_id: int, *, frozen: str, message_id: str, subject: str, recipient: Address) -> None:
        """Bind the letter to its exact bytes."""

    def move(
        self,
        letter_id: int,
        state: LetterState,
        *,
        reason: str = "",
        said: str = "",
        due_at: datetime | None = None,
        now: datetime,
        approved: bool | None = None,
        tried: bool = False,
    ) -> None:
        """Write a state that domain.lifecycle has allowed."""

    def undelivered(self, incident_id: int, *, to_clients: bool) -> list[Letter]:
        """The incident's letters that wait or are held."""

    def of_draft(self, affected_id: int, version: int) -> list[Letter]:
        """The letters of a draft."""

    def count_unapproved(self, *, since: datetime, address: str = "", domain: str = "", incident_id: int = 0) -> int:
        """Client letters that nobody approved, sent or on their way since a time: what caps count."""

    def count_staff(self, address: str, since: datetime) -> int:
        """Letters to one of ours since a time."""

    def count_kind(self, kind: LetterKind, address: str) -> int:
        """How many letters of a kind a person was ever sent: picks the phrasing of the next."""

    def unknown(self, mailbox: str) -> list[Letter]:
        """Letters whose fate is unknown."""

    def stranded(self, now: datetime, owner: str, *, all_owners: bool) -> list[Letter]:
        """Letters that a dead sender left behind, leased or started."""

    def letters(
        self, *, incident_id: int | None = None, states: Sequence[LetterState] = (), limit: int
    ) -> list[Letter]:
        """Letters, newest first."""

    def next_due(self, mailbox: str) -> datetime | None:
        """When the next waiting letter is due."""


class Control(Protocol):
    """The few switches that outlive a process."""

    def get(self, key: str) -> JSON:
        """A switch, None where it was never set."""

    def set(self, key: str, value: JSON) -> None:
        """Set a switch."""

    def own_mailbox(self, mailbox: str) -> int | None:
        """Become the only reader of a mailbox: the fencing epoch, None where another process reads it."""


class Store(Protocol):
    """All records. One connection a thread, made at its first use."""

    mailroom: Mailroom
    records: Records
    desk: Desk
    outbox: Outbox
    control: Control

    def transaction(self) -> AbstractContextManager[None]:
        """One transaction; inside another one, a savepoint."""

    def disconnect(self) -> None:
        """Close this thread's connection; the next use opens a new one."""
