"""What became of the incidents of a period: a line for each, with a share for each client that it struck.

Promises: lines are made one at a time, in the order in which incidents were opened, so that a year takes no more room
than a month; a promise that is not due yet is neither kept nor broken.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from mailflow.domain.clocks import Clock, Reading, Stage, clocks, stages
from mailflow.domain.form import Fill, is_unknown
from mailflow.domain.incident import Affected, Incident, PromiseKind, PromiseState
from mailflow.domain.vocabulary import Detection
from mailflow.engine.history import Chapter, Ledgered
from mailflow.engine.setup import Setup
from mailflow.engine.store import Store

RECURS_WITHIN = timedelta(days=30)  # the same thing with the same symptom at the same client: a pattern, not a chance
ON_TIME = timedelta()


class Noticed(StrEnum):
    """Who noticed first (N.2)."""

    PERSON = "person"
    MACHINE = "machine"
    VENDOR = "vendor"  # whoever it was, it was neither our monitor nor one of ours or the client's


NOTICED = {
    Detection.CUSTOMER_CALL: Noticed.PERSON,
    Detection.CUSTOMER_MAIL: Noticed.PERSON,
    Detection.STAFF: Noticed.PERSON,
    Detection.INTERNAL_MONITOR: Noticed.MACHINE,
    Detection.EXTERNAL_MONITOR: Noticed.MACHINE,
    Detection.VENDOR: Noticed.VENDOR,
}


@dataclass(frozen=True, kw_only=True)
class Share:
    """One client's part of an incident: for how long it was struck, and how it was answered."""

    affected: Affected
    started_at: datetime
    ended_at: datetime | None
    clocks: Mapping[Clock, Reading]
    kept: int  # promises kept in time
    late: tuple[timedelta, ...]  # how late the others were kept, or are by now
    debrief_late: timedelta | None  # nothing where it was in time; none where it is not due, or not owed
    recurred: bool

    @property
    def client_key(self) -> str:
        """Whose it is."""
        return self.affected.client_key

    @property
    def client_name(self) -> str:
        """What that client was called then."""
        return self.affected.client_name

    @property
    def outage(self) -> timedelta | None:
        """From the start of its trouble to the end; none while it is on."""
        return self.ended_at - self.started_at if self.ended_at else None


@dataclass(frozen=True, kw_only=True)
class Line:
    """One incident."""

    incident: Incident
    shares: tuple[Share, ...]
    clocks: Mapping[Clock, Reading]
    stages: Mapping[Stage, Reading]

    @property
    def noticed(self) -> Noticed:
        """Who noticed first."""
        return NOTICED[self.incident.detected_by]

    @property
    def outage(self) -> timedelta | None:
        """From the start to the end; none while it is on."""
        return self.incident.ended_at - self.incident.started_at if self.incident.ended_at else None

    @property
    def recurred(self) -> bool:
        """Whether any of its clients had the same trouble shortly before."""
        return any(share.recurred for share in self.shares)


class Reporting:
    """The use case."""

    def __init__(self, store: Store, setup: Setup) -> None:
        self._store, self._setup = store, setup

    def lines(self, since: datetime, until: datetime, now: datetime, client_key: str = "") -> Iterator[Line]:
        """The incidents that were opened in a period; of one client, with that client's part alone."""
        seen: dict[tuple[str, str, str], datetime] = {}
        for incident, affected in self._store.history.heads(since - RECURS_WITHIN, since, client_key):
            for one in affected:
                seen[_trouble(incident, one)] = incident.opened_at
        for chapter in self._store.history.chapters(since, until, client_key):
            yield self._line(chapter, now, client_key, seen)

    def course(self, chapter: Chapter) -> tuple[dict[Clock, Reading], dict[Stage, Reading]]:
        """An incident's clocks and stages."""
        read = self._clocks(chapter, chapter.incident, chapter.affected)
        return read, stages(chapter.incident, chapter.timeline, read, chapter.received)

    def _line(
        self, chapter: Chapter, now: datetime, client_key: str, seen: dict[tuple[str, str, str], datetime]
    ) -> Line:
        incident, alone = chapter.incident, len(chapter.affected) == 1
        shares: list[Share] = []
        for one in chapter.affected:
            if client_key in {"", one.client_key}:
                trouble = _trouble(incident, one)
                before = seen.get(trouble)
                recurred = before is not None and incident.opened_at - before <= RECURS_WITHIN
                seen[trouble] = incident.opened_at
                shares.append(self._share(chapter, one, now, alone=alone, recurred=recurred))
        if len(shares) == 1:  # of a storm, that client's own part
            own = shares[0]
            incident = replace(incident, started_at=own.started_at, ended_at=own.ended_at)
            read = own.clocks
        else:
            read = self._clocks(chapter, incident, chapter.affected)
        return Line(
            incident=incident,
            shares=tuple(shares),
            clocks=read,
            stages=stages(incident, chapter.timeline, read, chapter.received),
        )

    def _share(self, chapter: Chapter, one: Affected, now: datetime, *, alone: bool, recurred: bool) -> Share:
        incident = chapter.incident
        started, ended = incident.started_at, incident.ended_at
        if not alone:  # alone, the incident's times count: people correct those
            started, ended = one.started_at or started, one.ended_at or ended
            ended = max(ended, started) if ended else None
        promises = [p for p in chapter.promises if p.affected_id == one.id and p.kind.to_client]
        judged = [(p, late) for p in promises if (late := _lateness(p, now)) is not None]
        debriefs = [late for p, late in judged if p.kind is PromiseKind.DEBRIEF]
        return Share(
            affected=one,
            started_at=started,
            ended_at=ended,
            clocks=self._clocks(chapter, replace(incident, started_at=started, ended_at=ended), (one,)),
            kept=sum(1 for _, late in judged if late == ON_TIME),
            late=tuple(late for _, late in judged if late > ON_TIME),
            debrief_late=max(debriefs, default=None),
            recurred=recurred,
        )

    def _clocks(self, chapter: Chapter, incident: Incident, affected: tuple[Affected, ...]) -> dict[Clock, Reading]:
        said = {
            one.id: known[0]
            for one in affected
            if (known := [f for f in chapter.impacts.get(one.id, ()) if not self._is_unknown(f, one.language)])
        }
        return clocks(incident, affected, chapter.timeline, chapter.told, said, chapter.received)

    def _is_unknown(self, fill: Fill, language: str) -> bool:
        """Whether an answer says that it is not known yet: that is when it is not known (S1.14)."""
        staff = self._setup.directory.staff_at(fill.by)
        return is_unknown(
            fill.value, self._setup.writer.words(staff.language if staff else language).at("form.unknown")
        )


def _lateness(promise: Ledgered, now: datetime) -> timedelta | None:
    """How late it was kept, or is by now; none where it is not due, or no longer owed."""
    if promise.state is PromiseState.KEPT:
        return max((promise.settled_at or promise.due_at) - promise.due_at, ON_TIME)
    return now - promise.due_at if promise.state is PromiseState.OPEN and promise.due_at < now else None


def _trouble(incident: Incident, one: Affected) -> tuple[str, str, str]:
    """What makes trouble the same again: client, thing and symptom."""
    return one.client_key, (one.plain or incident.title).casefold(), one.symptom or incident.symptom
