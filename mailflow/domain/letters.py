"""Letters as facts, not words: what each kind of letter knows. The writing room turns facts into words.

A letter to a client about an incident is built by `acknowledgement`, `debrief` or `written`, from a `ClientView`: a
value made of that client's own row and of facts that were approved for it. Nothing of another client's can reach it.
Facts are plain JSON (strings, numbers, lists, maps; times as ISO 8601 in UTC), since they are stored with the letter.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from mailflow.domain.form import CATALOGUE, Fill
from mailflow.domain.incident import Affected, Incident
from mailflow.domain.people import Address, Contact
from mailflow.domain.vocabulary import Live

JSON: TypeAlias = "str | int | float | bool | Sequence[JSON] | Mapping[str, JSON] | None"
Facts: TypeAlias = Mapping[str, JSON]


class LetterKind(StrEnum):
    """Every letter there is; a kind is also the name of its templates and the action its tag is bound to."""

    ACKNOWLEDGEMENT = "acknowledgement"
    DEBRIEF = "debrief"
    UPDATE = "update"  # what is known by now, in the liaison's own words
    ANSWER = "answer"  # the liaison's answer to one client mail
    REPORT = "report"  # how the month was
    OPENED = "opened"
    FORM = "form"
    ASK = "ask"  # the open questions, to a colleague who may know
    MISSING = "missing"  # just the fields of a form that are still needed
    PREVIEW = "preview"
    FORWARD = "forward"  # a client's mail, shown to the liaison
    SHOWN = "shown"  # a mail that nobody could place, shown to the liaison
    NOTICE = "notice"  # a short answer or warning to one of ours
    CONFIRM = "confirm"  # "was this you?", to the listed address
    DIGEST = "digest"  # what is overdue, to managers
    WEEKLY = "weekly"  # how the week was, to managers
    MORNING = "morning"  # what is due today, to each liaison

    @property
    def to_client(self) -> bool:
        """Whether it leaves the house."""
        return self in TO_CLIENTS

    @property
    def numbers_rows(self) -> bool:
        """Whether a reply to it may act on its rows by their numbers."""
        return self in {LetterKind.DIGEST, LetterKind.WEEKLY, LetterKind.MORNING}

    @property
    def shows_form(self) -> bool:
        """Whether a reply to it may fill in fields."""
        return self in {LetterKind.FORM, LetterKind.ASK, LetterKind.MISSING, LetterKind.PREVIEW}


TO_CLIENTS = (
    LetterKind.ACKNOWLEDGEMENT,
    LetterKind.DEBRIEF,
    LetterKind.UPDATE,
    LetterKind.ANSWER,
    LetterKind.REPORT,
)


class LetterState(StrEnum):
    """Where a letter stands; domain.lifecycle says how it moves."""

    WAITING = "waiting"
    HELD = "held"
    LEASED = "leased"
    STARTED = "data_started"
    SENT = "sent"
    UNKNOWN = "unknown"
    FAILED = "failed"
    DROPPED = "dropped"


# A letter in one of these may still reach somebody.
UNSETTLED = frozenset(
    {LetterState.WAITING, LetterState.HELD, LetterState.LEASED, LetterState.STARTED, LetterState.UNKNOWN}
)


@dataclass(frozen=True, kw_only=True)
class NewLetter:
    """A letter to be put into the outbox. The idempotency key says what it is: the same letter is never put twice."""

    idempotency_key: str
    kind: LetterKind
    recipient: Address
    mailbox: str  # address of the mailbox that sends it
    facts: Facts
    due_at: datetime
    not_after: datetime | None = None  # held instead of sent once this has passed
    expires: datetime  # of its tag
    sender_name: str  # "Valery Stufano": the name in From
    language: str
    incident_id: int | None = None
    affected_id: int | None = None
    client_key: str = ""
    version: int = 0  # of the form or draft that it is about
    draft_id: int = 0  # the draft that it belongs to, or shows
    state: LetterState = LetterState.WAITING
    reason: str = ""
    unless_over: bool = False  # dropped if the outage is over before it left and nobody was told
    rendered: str = ""  # content hash of the approved words, for a letter rendered at preview
    approved: bool = False


@dataclass(frozen=True, kw_only=True)
class Letter(NewLetter):
    """A letter as it stands in the outbox."""

    id: int
    tag_id: str
    created_at: datetime
    tries: int = 0
    frozen: str = ""  # content hash of the exact bytes
    message_id: str = ""
    subject: str = ""
    sent_at: datetime | None = None
    started_at: datetime | None = None
    said: str = ""  # the server's last words


class DraftState(StrEnum):
    """Whether SEND may release a draft."""

    CURRENT = "current"
    SUPERSEDED = "superseded"
    RELEASED = "released"


@dataclass(frozen=True, kw_only=True)
class Draft:
    """Letters that wait for SEND: exactly these words, to exactly these people (N.6)."""

    id: int = 0
    affected_id: int | None  # whose preview shows it, with others of the same liaison's; none: a report, of no incident
    version: int
    kind: LetterKind
    hash: str = ""  # of what was shown; none before it is held
    state: DraftState = DraftState.CURRENT
    about: int = 0  # the inbound mail that an answer answers
    objection: str = ""  # why it may not leave as it stands
    approved_by: str = ""  # address of the first of two who approve
    released_at: datetime | None = None

    def replaces(self, older: "Draft") -> bool:
        """Whether an older draft is void now: another one of the same letter, or a first letter after the last."""
        same = (self.kind, self.about) == (older.kind, older.about)
        return same or (self.kind is LetterKind.DEBRIEF and older.kind is LetterKind.ACKNOWLEDGEMENT)


@dataclass(frozen=True, kw_only=True)
class ClientView:
    """All that a letter to one client may know."""

    reference: str
    plain: str
    symptom: str
    started: datetime
    ended: datetime | None
    reporter: str
    reported: str
    reported_at: datetime | None
    timezone: str
    liaison: str
    title: str
    phone: str
    footer: str
    promised: datetime | None

    def facts(self, contact: Contact) -> dict[str, JSON]:
        """What every letter to `contact` says alike."""
        return {
            "reference": self.reference,
            "first_name": contact.first_name,
            "name": contact.name,
            "plain": self.plain,
            "symptom": self.symptom,
            "started": self.started.isoformat(),
            "ended": self.ended.isoformat() if self.ended else None,
            "reporter": self.reporter if self.reporter != contact.first_name else "you",
            "reported": self.reported,
            "reported_at": self.reported_at.isoformat() if self.reported_at else None,
            "timezone": self.timezone,
            "liaison": self.liaison,
            "title": self.title,
            "phone": self.phone,
            "footer": self.footer,
            "promised": self.promised.isoformat() if self.promised else None,
        }


def client_view(
    incident: Incident,
    affected: Affected,
    footer: str,
    promised: datetime | None,
    *,
    started: datetime | None = None,
    ended: datetime | None = None,
) -> ClientView:
    """What this client's letters may know: its own row, and the neutral facts of the incident; `started` and `ended`
    where the liaison corrected them."""
    return ClientView(
        reference=incident.reference,
        plain=affected.plain,
        symptom=affected.symptom or incident.symptom,
        started=started or affected.started_at or incident.started_at,
        ended=ended or affected.ended_at or incident.ended_at,
        reporter=affected.reporter,
        reported=affected.reported,
        reported_at=affected.reported_at,
        timezone=affected.timezone,
        liaison=affected.liaison.name,
        title=affected.liaison_title,
        phone=affected.liaison_phone,
        footer=footer,
        promised=promised,
    )


def acknowledgement(view: ClientView, contact: Contact, variant: int) -> Facts:
    """ "We saw it, and by when I write." `variant` picks the phrasing: nobody gets the same sentences twice (S1.2)."""
    return view.facts(contact) | {"variant": variant}


def debrief(view: ClientView, contact: Contact, fills: Mapping[int, Fill]) -> Facts:
    """Problem identified and steps taken, in the liaison's own words (S0.8, S1.4)."""
    said = {n: "" if is_none(fill.value) else fill.value for n, fill in fills.items()}
    answers: dict[str, JSON] = {field.name: said.get(field.number, "") for field in CATALOGUE}
    return view.facts(contact) | {"answers": answers}


def written(view: ClientView, contact: Contact, text: str, *, next_by: datetime | None, variant: int) -> Facts:
    """A letter in the liaison's own words, kept as they were typed (S1.4); `next_by` is when she writes again."""
    return view.facts(contact) | {
        "text": text,
        "next_by": next_by.isoformat() if next_by else None,
        "variant": variant,
    }


def is_none(value: str) -> bool:
    """Whether an answer says "nothing to say here"."""
    return value.strip().casefold() in {"", "-", "–", "n/a", "none", "nil"}


class Gate(StrEnum):
    """What the brake says to a client letter that is about to leave."""

    GO = "go"
    TO_LIAISON = "to_liaison"  # live = off: marked "would have gone to John"
    HOLD = "hold"


@dataclass(frozen=True, kw_only=True)
class Passage:
    """The gate's word and its named reason."""

    gate: Gate
    reason: str = ""


def passage(letter: NewLetter, live: Live, *, paused: bool) -> Passage:
    """Whether a letter may leave now: asked at the last moment, so that a brake pulled late still holds."""
    if not letter.kind.to_client:
        return Passage(gate=Gate.GO, reason="staff")
    if paused:
        return Passage(gate=Gate.HOLD, reason="paused")
    if live is Live.OFF:
        return Passage(gate=Gate.TO_LIAISON, reason="live-off")
    if letter.approved:
        return Passage(gate=Gate.GO, reason="approved")
    if live is Live.REVIEW:
        return Passage(gate=Gate.HOLD, reason="live-review")
    return Passage(gate=Gate.GO, reason="live-auto")


@dataclass(frozen=True, kw_only=True)
class Thread:
    """What a letter of ours hangs below: the Message-IDs before it, oldest first, and the thread's subject."""

    references: tuple[str, ...] = field(default=())
    subject: str = ""
