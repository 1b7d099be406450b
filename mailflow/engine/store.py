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
from mailflow.domain.letters import Draft, Letter, LetterKind, LetterState, NewLetter, Thread
from mailflow.domain.people import Address, Client, Staff
from mailflow.domain.vocabulary import Class, Detection, Priority, Severity
from mailflow.engine.control import Control
from mailflow.engine.history import History
from mailflow.engine.mailroom import Mailroom
from mailflow.engine.signals import Lessons, Signals, Waiting, Windows
from mailflow.engine.times import Absences, Steps


class StoreError(Exception):
    """The store cannot be used: one clear line. `configuration` ends the process with exit code 2."""

    def __init__(self, message: str, *, configuration: bool = True) -> None:
        super().__init__(message)
        self.configuration = configuration


@dataclass(frozen=True, kw_only=True)
class NewIncident:
    """An incident to be opened, with the one client that it is first known to affect."""

    client: Client
    mailbox: str
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
class Owed:
    """A promise, with what it is about."""

    promise: Promise
    incident: Incident
    affected: Affected


class Records(Protocol):
    """Incidents, affected clients, promises, the timeline, and who was told."""

    def open(self, new: NewIncident) -> tuple[Incident, Affected]:
        """Open an incident; unique among open ones by (scope, key)."""

    def affect(
        self,
        incident_id: int,
        client: Client,
        *,
        mailbox: str,
        liaison: Address,
        title: str,
        phone: str,
        plain: str,
        symptom: str,
        started_at: datetime,
    ) -> Affected:
        """One more client of an incident."""

    def merge(self, child_id: int, root_id: int, now: datetime) -> None:
        """An incident lives on in another: audience, promises and clients too; a client of both becomes one."""

    def split(self, affected_id: int, now: datetime) -> Incident:
        """A client of an incident gets its own: with its promises, its audience and what it is still to be sent."""

    def storm(self, incident_id: int, scope: str, key: str) -> None:
        """The incident is a storm's from now on."""

    def set_ticket(self, affected_id: int, ticket: str) -> None:
        """The token of the client's own helpdesk."""

    def count_me_too(self, affected_id: int) -> None:
        """One more of the client's people wrote about it."""

    def set_trouble(self, affected_id: int, ended_at: datetime | None) -> None:
        """A client's own trouble is over, or back."""

    def incident(self, incident_id: int) -> Incident:
        """One incident, or the one that it was merged into; KeyError where there is none."""

    def by_reference(self, reference: str) -> Incident | None:
        """The incident that people call so."""

    def running_of(self, client_key: str) -> list[tuple[Incident, Affected]]:
        """The client's running incidents, newest first."""

    def affected(self, affected_id: int) -> Affected:
        """One affected client; KeyError where there is none."""

    def silent(self, since: datetime) -> list[tuple[Incident, Affected, datetime]]:
        """Open outages whose client was told of them, and last heard of us before a time: when that was."""

    def untold_outages(self, before: datetime) -> list[tuple[Incident, Affected]]:
        """Open outages that began before a time, of which nobody of the client's was told."""

    def alike(self, affected: Affected, symptom: str, limit: int) -> list[Affected]:
        """The client's earlier trouble of the same thing and symptom that was debriefed, newest first."""

    def affected_of(self, incident_id: int) -> list[Affected]:
        """The incident's affected clients."""

    def incidents(self, *, running_only: bool, limit: int) -> list[tuple[Incident, list[Affected]]]:
        """Incidents, newest first."""

    def set_state(
        self, incident_id: int, state: IncidentState, *, ended_at: datetime | None, closed_at: datetime | None, why: str
    ) -> None:
        """Write a state that domain.lifecycle has allowed."""

    def reclassify(self, incident_id: int, class_: Class, severity: Severity, priority: Priority, symptom: str) -> None:
        """It is worse than it was thought to be."""

    def set_reporter(self, affected_id: int, reporter: str, reported: str, at: datetime) -> None:
        """Who of the client's told us first."""

    def settle(self, affected_id: int, why: str, now: datetime) -> None:
        """The client has its debrief, or is owed none."""

    def note(self, incident_id: int, entry: Entry) -> None:
        """A line on the timeline."""

    def timeline(self, incident_id: int) -> list[Entry]:
        """The incident's timeline in order."""

    def assign(self, affected_id: int, staff: Staff) -> None:
        """Another liaison answers for a client of an incident, and for what is promised to it."""

    def set_audience(self, affected_id: int, addresses: Sequence[str]) -> None:
        """Who of the client's has this incident's letters; nobody named: as the configuration says."""

    def told(self, told: Told) -> None:
        """Remember who was told what."""

    def untold(self, affected_id: int, address: str, kind: str) -> None:
        """What was sent came back: this person was not told."""

    def unsettle(self, affected_id: int, kind: PromiseKind, since: datetime | None = None) -> None:
        """The client has nothing after all: what was promised is owed again; anew `since` where it came back."""

    def audience(self, incident_id: int, affected_id: int | None = None) -> list[Told]:
        """Who was told what about an incident, oldest first; of one client, where one is named."""

    def awaiting_form(self, ended_before: datetime, due_before: datetime) -> list[tuple[Incident, Affected]]:
        """Unsettled clients whose form is to be sent: service back since `ended_before`, or debrief due soon."""

    def never_told(self) -> list[Incident]:
        """Restored incidents that no client told us of or was told of, with no client letter on its way any more."""

    def settled_without(self, since: datetime) -> list[Affected]:
        """The clients whose debriefs were decided not to be owed since a time, newest first."""

    def opened_since(self, since: datetime) -> list[datetime]:
        """When each incident since a time was opened."""


class Promises(Protocol):
    """What somebody owes by a time (N.4)."""

    def get(self, promise_id: int) -> Owed:
        """One promise, with what it is about."""

    def open(self, before: datetime) -> list[Owed]:
        """Open promises that are due before a time, oldest first; none that waits for somebody."""

    def kept_late(self, since: datetime) -> list[datetime]:
        """When what was kept after its time was due."""

    def unknown(self, before: datetime, words: Sequence[str]) -> list[Owed]:
        """Open promises that are due before a time, to clients of whom an answer is one of these words."""

    def make(
        self,
        affected: Affected,
        kind: PromiseKind,
        due_at: datetime,
        now: datetime,
        *,
        owner: Staff | None = None,
        what: str = "",
    ) -> None:
        """Promise something; the same promise is made once. Its owner is the liaison, where nobody else is named."""

    def of(self, incident_id: int) -> list[Promise]:
        """The incident's promises."""

    def find(self, affected_id: int, kind: PromiseKind) -> Promise | None:
        """A client's promise of a kind, in whatever state, the newest where there are several; None for none."""

    def settle(self, affected_id: int, kind: PromiseKind, state: PromiseState, now: datetime) -> None:
        """Keep or release a promise."""

    def postpone(self, affected_id: int, kind: PromiseKind, due_at: datetime) -> None:
        """An open promise is due at another time."""

    def keep(self, promise_id: int, now: datetime) -> None:
        """An action was done."""

    def wait(self, promise_id: int, whom: str, since: datetime) -> None:
        """Somebody else is waited for: until it is put off or goes on, it is never due."""

    def waiting(self) -> list[Owed]:
        """Open promises whose clock stands still, the longest waiting first."""

    def release(self, promise_id: int, now: datetime) -> None:
        """One promise is no longer owed."""

    def put_off(self, promise_id: int, due_at: datetime) -> None:
        """One promise is due at another time."""

    def hand_over(self, promise_id: int, staff: Staff) -> None:
        """Somebody else is to keep it."""

    def overdue(self, now: datetime) -> list[Owed]:
        """Promises past their time, oldest first."""


class Desk(Protocol):
    """Forms as sent, what was answered, and the draft that waits for SEND."""

    def add_form(self, affected_id: int, form: Form, letter_id: int, now: datetime) -> None:
        """Keep a form as it was sent."""

    def form(self, letter_id: int) -> Form | None:
        """The form that this letter showed, word for word."""

    def next_version(self, affected_id: int | None) -> int:
        """The version that the next form or draft of this client gets, or of a report; versions never repeat."""

    def fills(self, affected_id: int) -> dict[int, Fill]:
        """What was answered so far."""

    def fill(self, affected_id: int, fills: Iterable[Fill]) -> None:
        """Answers; the newest to a field stands."""

    def draft(self, draft_id: int) -> Draft | None:
        """One draft."""

    def drafts(self, affected_id: int) -> list[Draft]:
        """A client's drafts, newest first."""

    def add_draft(self, draft: Draft, now: datetime) -> Draft:
        """Keep a draft, with its id."""

    def supersede(self, draft_id: int) -> None:
        """Another draft stands in this one's place."""

    def approve(self, draft_id: int, by: str) -> None:
        """The first of two has approved it."""

    def release(self, draft_id: int, now: datetime) -> bool:
        """Mark the draft as released; False where it is not current (any more)."""


class Outbox(Protocol):
    """Letters and where they stand."""

    def put(self, letter: NewLetter, now: datetime) -> Letter | None:
        """Put a letter in; None where one with its idempotency key is there already."""

    def letter(self, letter_id: int) -> Letter:
        """One letter; KeyError where there is none."""

    def by_tag_id(self, tag_id: str) -> Letter | None:
        """The letter that a tag names."""

    def thread(self, incident_id: int | None, recipient: str) -> Thread:
        """What a letter hangs below: the letters that left to the same person about the same incident."""

    def lease(self, mailbox: str, now: datetime, limit: int, owner: str, until: datetime) -> list[Letter]:
        """Take due letters, in order for each person and incident; no two senders get the same one."""

    def adopt(self, mailboxes: Sequence[str]) -> int:
        """Give the unsent letters of mailboxes that are none of these to the first of these; how many."""

    def leased_by(self, letter_id: int, owner: str) -> bool:
        """Whether this sender still holds the letter."""

    def freeze(self, letter_id: int, *, frozen: str, message_id: str, subject: str, recipient: Address) -> None:
        """Bind the letter to its exact bytes."""

    def move(
        self,
        letter_id: int,
        state: LetterState,
        *,
        was: LetterState | None = None,
        reason: str = "",
        said: str = "",
        due_at: datetime | None = None,
        now: datetime,
        approved: bool | None = None,
        tried: bool = False,
    ) -> bool:
        """Write a state that domain.lifecycle has allowed, with `was` only from that state; whether it was written."""

    def undelivered(self, incident_id: int, *, to_clients: bool) -> list[Letter]:
        """The incident's letters that wait or are held."""

    def of_draft(self, draft_id: int) -> list[Letter]:
        """The client letters of a draft; none for no draft."""

    def approved_words(self, client_key: str, *, besides: int, limit: int) -> list[str]:
        """The words that a client was sent by SEND about other incidents, as content hashes, newest first."""

    def count_unapproved(self, *, since: datetime, address: str = "", domain: str = "", incident_id: int = 0) -> int:
        """Client letters that nobody approved, sent or on their way since a time: what caps count."""

    def count_staff(self, address: str, since: datetime) -> int:
        """Letters to one of ours since a time."""

    def count_incidents(self, kind: LetterKind, address: str, *, besides: int) -> int:
        """About how many incidents besides this one a person has such a letter: picks the phrasing of the next."""

    def count_sent(self, kind: LetterKind, incident_id: int) -> int:
        """How many letters of a kind have left about an incident."""

    def asked(self, affected_id: int) -> bool:
        """Whether the liaison was sent the form."""

    def unknown(self, mailbox: str) -> list[Letter]:
        """Letters whose fate is unknown."""

    def stranded(self, now: datetime, owner: str, *, all_owners: bool) -> list[Letter]:
        """Letters that were left behind, leased or started: `owner`'s, others' whose lease is over, or everybody's."""

    def letters(
        self,
        *,
        incident_id: int | None = None,
        affected_id: int | None = None,
        states: Sequence[LetterState] = (),
        limit: int,
    ) -> list[Letter]:
        """Letters, newest first."""


class Store(Protocol):
    """All records. One connection a thread, made at its first use."""

    mailroom: Mailroom
    records: Records
    promises: Promises
    desk: Desk
    outbox: Outbox
    control: Control
    signals: Signals
    waiting: Waiting
    lessons: Lessons
    windows: Windows
    absences: Absences
    steps: Steps
    history: History

    def transaction(self) -> AbstractContextManager[None]:
        """One transaction; inside another one, a savepoint."""

    def disconnect(self) -> None:
        """Close this thread's connection; the next use opens a new one."""
