"""The port to what was: whole incidents of a period, fetched many at a time, for the report and its clocks."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from mailflow.domain.form import Fill
from mailflow.domain.incident import Affected, Entry, Incident, PromiseKind, PromiseState, Told


@dataclass(frozen=True, kw_only=True)
class Ledgered:
    """A promise as the ledger has it, with when it was settled."""

    affected_id: int
    kind: PromiseKind
    due_at: datetime
    state: PromiseState
    settled_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Chapter:
    """One incident with all that its clocks are read from; what was merged into it is part of it."""

    incident: Incident
    affected: tuple[Affected, ...]
    timeline: tuple[Entry, ...]
    told: tuple[Told, ...]
    promises: tuple[Ledgered, ...]
    impacts: Mapping[int, tuple[Fill, ...]]  # by affected client: the answers to what was impacted, oldest first
    received: Mapping[int, datetime]  # when the inbound mails of the timeline came in


class History(Protocol):
    """Read only; incidents that live on in another are told with that one, never alone."""

    def chapter(self, incident_id: int) -> Chapter:
        """One incident; KeyError where there is none."""

    def chapters(self, since: datetime, until: datetime, client_key: str = "") -> Iterator[Chapter]:
        """The incidents opened since a time and before another, in the order of their numbers, a batch at a time."""

    def heads(
        self, since: datetime, until: datetime, client_key: str = ""
    ) -> Iterator[tuple[Incident, tuple[Affected, ...]]]:
        """The same without what happened to them."""
