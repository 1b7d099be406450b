"""The ports to what time brings: who is away, and which reminder is due (see engine.store)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

MOVED = "moved"  # the step of a promise whose time was changed: its reminders are planned anew
SAID, OUT_OF_OFFICE = "said", "out-of-office"  # how an absence is known


@dataclass(frozen=True, kw_only=True)
class Absence:
    """When one of ours is not there."""

    id: int = 0
    address: str
    begins: datetime
    ends: datetime | None = None  # none: until they write
    deputy: str = ""  # address of who stands in; empty: as the configuration says
    why: str = SAID


@dataclass(frozen=True, kw_only=True)
class Step:
    """One reminder of one promise."""

    id: int
    promise_id: int
    name: str  # of the policy's step
    due_at: datetime


class Absences(Protocol):
    """Who is away."""

    def put(self, absence: Absence, inbound_id: int) -> None:
        """Keep an absence; one mail announces one."""

    def current(self, now: datetime) -> list[Absence]:
        """Who is away now, the newest word first."""

    def begun(self, now: datetime) -> list[Absence]:
        """Those that have begun, and whose promises have not moved yet."""

    def moved(self, absence_id: int, now: datetime) -> None:
        """Its promises have moved."""

    def end(self, address: str, now: datetime, why: str = "") -> int:
        """Somebody is back; how many absences end, or only those of one kind."""


class Steps(Protocol):
    """Reminders and escalations: each fires once, ever."""

    def unplanned(self) -> list[int]:
        """Open promises to clients without a step."""

    def plan(self, promise_id: int, steps: Iterable[tuple[str, datetime]]) -> None:
        """The steps of a promise, fixed from here on; those that are not done give way to these."""

    def due(self, now: datetime) -> list[Step]:
        """What is due, by promise and time; nothing of a promise that waits for somebody."""

    def done(self, step_id: int, outcome: str, now: datetime) -> bool:
        """Compare and set: of two daemons one does it."""
