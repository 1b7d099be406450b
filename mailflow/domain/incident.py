"""The incident and what hangs on it: affected clients, timeline, promises, and who was told.

The incident carries what is ours (cause, timeline, actions); a row (incident, client) carries all that is that
client's. A letter to client A is built from A's row alone (see domain.letters), so nothing of B's can reach it.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from mailflow.domain.people import Address
from mailflow.domain.vocabulary import Class, Detection, Live, Priority, Severity


class IncidentState(StrEnum):
    """Where an incident stands; domain.lifecycle says how it moves."""

    OPEN = "open"  # the trouble is on
    RESTORED = "restored"  # service is back, the debrief is owed
    CLOSED = "closed"
    MERGED = "merged"  # lives on in another incident


@dataclass(frozen=True, kw_only=True)
class Incident:
    """One record of trouble (S4.5)."""

    id: int
    reference: str  # "INC-2041"
    state: IncidentState
    scope: str  # "client:northwind": the same key in another scope is another incident (N.1)
    key: str  # correlation key of the recipe; "mail:<inbound id>" where a person opened it
    class_: Class
    severity: Severity
    priority: Priority
    symptom: str
    title: str  # for our own people: "file server", "upgrade was not announced"
    detected_by: Detection
    noticed_by: str  # the person or monitor who noticed first (N.2)
    first_shown: str  # the first subject, as it came
    started_at: datetime
    ended_at: datetime | None = None
    opened_at: datetime
    closed_at: datetime | None = None
    why_closed: str = ""
    merged_into: int | None = None

    @property
    def running(self) -> bool:
        """Whether it still concerns anybody: the trouble is on, or its debrief is owed."""
        return self.state in {IncidentState.OPEN, IncidentState.RESTORED}


@dataclass(frozen=True, kw_only=True)
class Affected:
    """One client of an incident, with copies of the names and addresses that were used."""

    id: int
    incident_id: int
    client_key: str
    client_name: str
    timezone: str
    language: str
    mailbox: str  # address of the mailbox that its letters are sent from
    live: Live  # the client's own word; the service's may be stricter
    liaison: Address
    liaison_title: str = ""
    liaison_phone: str = ""
    plain: str = ""  # "your file server"; empty where no component is known
    reporter: str = ""  # first name of the person of theirs who told us first
    reported: str = ""  # the subject under which they told us
    reported_at: datetime | None = None
    settled_at: datetime | None = None  # debriefed, or decided that none is owed
    settled_why: str = ""
    symptom: str = ""  # empty: the incident's own
    started_at: datetime | None = None  # none: when the incident began
    ended_at: datetime | None = None  # its own trouble's end; none while it is on, or where no monitor tells
    me_too: int = 0  # further mails of its people while it was on (S4.21)
    ticket: str = ""  # the token of the client's own helpdesk, kept in the subjects of our letters
    audience: tuple[str, ...] = ()  # addresses of the contacts who have its letters; empty: as the configuration says


@dataclass(frozen=True, kw_only=True)
class Signal:
    """One thing's trouble as one monitor tells it, from its first alert to its recovery; an incident has some."""

    id: int
    incident_id: int | None  # none: a recovery that waits for its problem
    affected_id: int | None  # none: a vendor's, which concerns all of the incident's clients
    scope: str
    key: str
    thing: str
    family: str
    plain: str  # "your file server"; empty where no component is known
    began_at: datetime
    began_said: datetime  # the same by the monitor's own clock
    said_at: datetime  # of its last word, by the monitor's own clock
    ended_at: datetime | None = None
    relapses: int = 0


class PromiseKind(StrEnum):
    """What was promised."""

    ACKNOWLEDGEMENT = "acknowledgement"  # the first word, where it waits for a person
    DEBRIEF = "debrief"
    UPDATE = "update"  # the next word to the client
    ACTION = "action"  # something that one of ours does
    CALL = "call"  # a client of this tier is called (S4.15)
    REVIEW = "review"  # what is to be learnt of it is talked over (S4.42)

    @property
    def to_client(self) -> bool:
        """Whether a client waits for it: only such promises escalate step by step, and count as ours to them."""
        return self in {PromiseKind.ACKNOWLEDGEMENT, PromiseKind.DEBRIEF, PromiseKind.UPDATE}


class PromiseState(StrEnum):
    """How a promise stands."""

    OPEN = "open"
    KEPT = "kept"
    RELEASED = "released"  # no longer owed, with a reason on the timeline


@dataclass(frozen=True, kw_only=True)
class Promise:
    """Something that somebody owes a client by a time: one entry of the promise ledger (N.4)."""

    id: int
    incident_id: int
    affected_id: int
    kind: PromiseKind
    owner: str  # address of whoever of ours is to keep it
    due_at: datetime
    state: PromiseState = PromiseState.OPEN
    what: str = ""  # what one of ours is to do
    waits_since: datetime | None = None  # somebody else is waited for: its clock stands still
    waits_for: str = ""  # "client", or as the liaison named them


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of the timeline: what happened, when, by whom (S4.6). `what` is a word of the field, `text` is ours."""

    at: datetime
    what: str
    author: str
    text: str
    inbound_id: int | None = None
    letter_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class Told:
    """Audience memory (N.3): who was told what about an incident."""

    affected_id: int
    address: str
    name: str
    kind: str
    at: datetime
