"""What decide is asked and what it answers: the situation of a mail, and the decisions there are, one value each."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from mailflow.domain.form import Answers, Command
from mailflow.domain.incident import Affected, Incident, Signal
from mailflow.domain.letters import Draft, Letter
from mailflow.domain.mail import Event, Gist
from mailflow.domain.maintenance import Window
from mailflow.domain.ownership import Owner
from mailflow.domain.people import Client, Staff, Who
from mailflow.domain.vocabulary import Kind


@dataclass(frozen=True, kw_only=True)
class Answered:
    """Our letter that a mail answers, found by a tag; `genuine` says that the tag is really ours and not expired."""

    letter: Letter
    genuine: bool


@dataclass(frozen=True, kw_only=True)
class Known:
    """Trouble that is known by its key or thing, and the incident it belongs to: none for a recovery that waits."""

    signal: Signal
    incident: Incident | None = None

    @property
    def on(self) -> bool:
        """Whether the trouble is on."""
        return self.incident is not None and self.signal.ended_at is None


@dataclass(frozen=True, kw_only=True)
class Situation:
    """All that decide needs to know of the world."""

    mailbox: str  # address of the mailbox that the mail came in by
    own: frozenset[str]  # the addresses of all our mailboxes
    received_at: datetime | None = None  # by our own server
    who: Who
    authenticated: bool | None = None  # by the mailbox's own provider; None: this mailbox cannot tell
    disproven: bool = False  # the provider says that the author is somebody else
    confirmed: bool = False  # it answers our "was this you?", which went to the listed address
    own_letter: Letter | None = None  # the mail itself is this letter of ours: its Message-ID carries our tag
    answered: Answered | None = None
    bounced: Answered | None = None  # the letter of ours that a bounce is about
    duplicate_of: int | None = None  # the same mail came by another alias
    owner: Owner = field(default_factory=Owner)  # of the alert's event
    same: Known | None = None  # the newest trouble with the event's key, in its scope
    again: Known | None = None  # the newest trouble of the event's thing, in its scope
    storm: Incident | None = None  # the open storm that the event's family has lately gone into
    alike: tuple[Incident, ...] = ()  # open incidents that the family's trouble of the last hour made, oldest first
    alike_count: int = 0  # how many things of the family fell ill within the hour and still are
    window: Window | None = None  # the maintenance window that covers the thing now
    running: tuple[tuple[Incident, Affected], ...] = ()  # the sender's client's running incidents, newest first
    tagged: tuple[Incident, Affected] | None = None  # named in the subject by one who takes part in it
    gist: Gist = field(default_factory=lambda: Gist(thanks=False, request="", trouble=False))  # of a client's words
    named: Client | None = None  # the client that a liaison's first line names, in a reply to "not placed"
    draft: Draft | None = None  # that the answered preview shows

    @property
    def proven(self) -> bool:
        """Whether a mail of one of ours is really theirs: its mailbox's provider says so; where none can, it answers a
        letter that went to them, since everybody else's letters are known to others who could write their name."""
        if self.answered and not self.answered.genuine:
            return False
        theirs = self.answered and self.who.staff and self.answered.letter.recipient.address == self.who.staff.address
        return self.confirmed or self.authenticated is True or (self.authenticated is None and bool(theirs))


@dataclass(frozen=True, kw_only=True)
class Ignore:
    """Nothing to do; `kind` is what the mail turned out to be."""

    reason: str
    kind: Kind


@dataclass(frozen=True, kw_only=True)
class OpenFromAlert:
    """A new incident from a monitor's event, for every client whose it is."""

    reason: str
    event: Event
    over_at: datetime | None = None  # when it was over already, by a recovery that came first


@dataclass(frozen=True, kw_only=True)
class Gather:
    """One more of a family in so short a time: its incidents become one."""

    reason: str
    event: Event
    into: int  # incident
    others: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Wait:
    """A recovery before its problem: it is remembered, and opens nothing."""

    reason: str
    event: Event


@dataclass(frozen=True, kw_only=True)
class Mute:
    """Trouble inside a maintenance window: it is recorded and mails nobody; what is on at its end counts as new."""

    reason: str
    event: Event
    until: datetime


@dataclass(frozen=True, kw_only=True)
class OpenFromClient:
    """A new incident from a client's own words."""

    reason: str
    client: Client
    vouched: bool = True  # where nobody vouches for the author, nothing goes out that nobody has seen


@dataclass(frozen=True, kw_only=True)
class OpenFromStaff:
    """A new incident that a liaison opens by mail, no alert behind it (S0.1)."""

    reason: str
    client_word: str  # key or name of the client, as written
    title: str
    note: str = ""  # what else was written
    staff: Staff


@dataclass(frozen=True, kw_only=True)
class Announce:
    """Planned work that a liaison announces; a line each."""

    reason: str
    text: str  # as written behind the command, "northwind file server: Sat 22:00 to Sun 02:00, firmware"
    staff: Staff


@dataclass(frozen=True, kw_only=True)
class CallOff:
    """Planned work that a liaison announced will not be done."""

    reason: str
    window_id: int | None  # of the answered letter; None where it confirmed no planned work
    staff: Staff


@dataclass(frozen=True, kw_only=True)
class Join:
    """One more word about a running incident."""

    reason: str
    incident_id: int
    event: Event


@dataclass(frozen=True, kw_only=True)
class Relapse:
    """The same trouble again, soon after its end."""

    reason: str
    incident_id: int
    event: Event


@dataclass(frozen=True, kw_only=True)
class Recover:
    """The trouble is over."""

    reason: str
    incident_id: int
    event: Event


@dataclass(frozen=True, kw_only=True)
class ClientSaid:
    """A client's mail about a running incident: kept on it and shown to the liaison."""

    reason: str
    incident_id: int
    affected_id: int


@dataclass(frozen=True, kw_only=True)
class Place:
    """A liaison says whose a mail is that nobody could place."""

    reason: str
    client: Client
    about: int  # the inbound mail
    teaches: bool  # whether later mail like it is that client's too
    staff: Staff


@dataclass(frozen=True, kw_only=True)
class Noted:
    """A line on an incident's timeline, and nothing else."""

    reason: str
    kind: Kind
    incident_id: int
    what: str
    author: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Absent:
    """The answering machine of one of ours answered a letter of ours."""

    reason: str
    staff: Staff


@dataclass(frozen=True, kw_only=True)
class Fill:
    """A liaison's answers to a form."""

    reason: str
    affected_id: int
    answers: Answers
    staff: Staff


@dataclass(frozen=True, kw_only=True)
class Release:
    """A liaison's SEND to the current draft."""

    reason: str
    draft: Draft
    staff: Staff


@dataclass(frozen=True, kw_only=True)
class RefuseSend:
    """A SEND that publishes nothing: superseded, or nothing to send; the liaison is told and shown what stands."""

    reason: str
    affected_id: int | None  # none: of a report
    staff: Staff
    said: str = ""  # what stood there besides SEND
    draft: Draft | None = None  # that was to be sent, where there is one


@dataclass(frozen=True, kw_only=True)
class Reword:
    """A liaison's words below the preview of a report: they stand in the place of ours."""

    reason: str
    draft: Draft
    text: str
    near_miss: str  # a line that could have been meant as SEND
    staff: Staff


@dataclass(frozen=True, kw_only=True)
class Obey:
    """A liaison's other command about an incident."""

    reason: str
    command: Command
    incident_id: int | None
    affected_id: int | None
    letter: Letter | None  # the letter that was answered
    staff: Staff
    promise_id: int | None = None  # that a digest's row is about
    nearest: tuple[str, ...] = ()  # what a command that nobody knows may have been meant as


@dataclass(frozen=True, kw_only=True)
class Relay:
    """A liaison's answer to a client's mail: her words, as typed, to that one person."""

    reason: str
    text: str
    letter: Letter  # that showed her the client's mail
    staff: Staff
    unsure: bool  # shown to her once more before it goes


@dataclass(frozen=True, kw_only=True)
class Confirm:
    """One of ours, but not proven: a mail to the listed address asks; nothing is done."""

    reason: str
    staff: Staff


@dataclass(frozen=True, kw_only=True)
class Refuse:
    """Something that looks forged: logged, and the manager is told; so is `writer`, where it is really theirs."""

    reason: str
    kind: Kind
    writer: Staff | None = None


@dataclass(frozen=True, kw_only=True)
class Show:
    """Nobody could place it: it stays in sight and is shown to the liaison."""

    reason: str
    kind: Kind


@dataclass(frozen=True, kw_only=True)
class Bounced:
    """A letter of ours came back for good (N.9)."""

    reason: str
    letter: Letter
    said: str


@dataclass(frozen=True, kw_only=True)
class Proved:
    """A copy of our letter arrived: it was accepted."""

    reason: str
    letter: Letter


Decision: TypeAlias = (
    Ignore
    | OpenFromAlert
    | OpenFromClient
    | OpenFromStaff
    | Announce
    | CallOff
    | Gather
    | Wait
    | Mute
    | Join
    | Relapse
    | Recover
    | ClientSaid
    | Place
    | Noted
    | Absent
    | Fill
    | Release
    | RefuseSend
    | Reword
    | Obey
    | Relay
    | Confirm
    | Refuse
    | Show
    | Bounced
    | Proved
)
