"""The ports to what correlation remembers: signals, mails that wait, lessons, planned work (see engine.store)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from mailflow.domain.incident import Signal
from mailflow.domain.maintenance import Window
from mailflow.domain.ownership import Lesson, Sign

TRIAGE, MAINTENANCE = "triage", "maintenance"  # why a mail waits: for a person's word, or for a window's end


@dataclass(frozen=True, kw_only=True)
class NewSignal:
    """A signal to be kept; one that is on is unique by scope and key."""

    incident_id: int | None
    affected_id: int | None
    scope: str
    key: str
    thing: str
    family: str
    plain: str
    began_at: datetime
    said_at: datetime
    ended_at: datetime | None = None


class Signals(Protocol):
    """One thing's trouble each."""

    def put(self, new: NewSignal) -> Signal:
        """Keep a signal."""

    def newest(self, scope: str, key: str) -> Signal | None:
        """The newest signal with this key in this scope."""

    def newest_of(self, scope: str, thing: str) -> Signal | None:
        """The newest signal of this thing in this scope."""

    def of(self, incident_id: int, affected_id: int | None = None) -> list[Signal]:
        """The signals of an incident, or of one of its clients, oldest first."""

    def any_on(self, incident_id: int, affected_id: int | None = None) -> bool:
        """Whether any trouble of an incident, or of one of its clients, is on; a storm has thousands."""

    def relapses(self, incident_id: int) -> int:
        """How often an incident's things came back, together."""

    def alike(self, family: str, since: datetime) -> list[Signal]:
        """Signals of a family that began since a time and are on, oldest first."""

    def heard(self, signal_id: int, said_at: datetime) -> None:
        """The monitor said it once more."""

    def end(self, signal_id: int, ended_at: datetime, said_at: datetime) -> None:
        """The trouble is over."""

    def end_all(self, incident_id: int, ended_at: datetime) -> None:
        """A person said that all of it is over."""

    def reopen(self, signal_id: int, said_at: datetime) -> Signal:
        """The trouble is back."""

    def count_relapses(self, signal_id: int, relapses: int) -> None:
        """How often the thing has come back, all its numbers together."""

    def rehome(self, affected_id: int | None, from_incident: int, incident_id: int, into_affected: int | None) -> None:
        """Give signals of an incident (of one of its clients, or those of none) to another."""

    def expect(self, name: str, now: datetime) -> tuple[datetime, datetime | None]:
        """Since when a mail is expected (from its first mention on), and when it last came."""

    def came(self, name: str, at: datetime) -> None:
        """An expected mail came."""

    def forget_waiting(self, before: datetime) -> int:
        """Drop recoveries that waited since before a time; how many."""


@dataclass(frozen=True, kw_only=True)
class Pending:
    """An event of a kept mail that waits."""

    id: int
    inbound_id: int
    why: str
    topic: str
    event_key: str
    due_at: datetime | None


class Waiting(Protocol):
    """Events of kept mails that wait for a person's word or for a window's end."""

    def put(
        self, inbound_id: int, why: str, topic: str, event_key: str, due_at: datetime | None, now: datetime
    ) -> bool:
        """Let an event wait; whether nothing with this topic waited yet."""

    def about(self, inbound_id: int) -> Pending | None:
        """What waits of this mail."""

    def with_topic(self, why: str, topic: str) -> list[Pending]:
        """All that waits for the same, oldest first."""

    def due(self, now: datetime) -> list[Pending]:
        """What has waited long enough, oldest first."""

    def hasten(self, why: str, due_at: datetime, now: datetime) -> None:
        """What waits for this moment waits no longer than until now."""

    def done(self, pending_id: int, outcome: str, now: datetime) -> None:
        """It waits no more."""


@dataclass(frozen=True, kw_only=True)
class Taught:
    """A lesson as it is kept."""

    id: int
    lesson: Lesson
    by: str
    at: datetime
    revoked_at: datetime | None


class Lessons(Protocol):
    """What liaisons taught by answering triage."""

    def teach(self, lesson: Lesson, by: str, inbound_id: int, now: datetime) -> None:
        """Keep a lesson; a newer one about the same replaces the older."""

    def about(self, keys: Sequence[tuple[Sign, str]]) -> Mapping[tuple[Sign, str], str]:
        """What is known of these signs: the client's key."""

    def all(self) -> list[Taught]:
        """Every lesson, newest first."""

    def revoke(self, lesson_id: int, now: datetime) -> bool:
        """A lesson counts no more; False where there is none that counts."""


class Windows(Protocol):
    """Planned work that liaisons announced by mail."""

    def put(self, window: Window, by: str, inbound_id: int, now: datetime) -> int:
        """Keep what a mail announced, and give its number; a mail announces once, and its first word counts."""

    def current(self, now: datetime) -> list[Window]:
        """What goes on or is to come, the earliest first; what was called off is neither."""

    def cancel(self, window_id: int, now: datetime) -> Window | None:
        """Call it off; None where there is none that goes on or is to come."""
