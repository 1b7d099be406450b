"""The figures of a report: for the whole, each client and each month.

Promises: only durations are kept, never lines; what is not known is in no median. They are about how we answered, not
about uptime (S3.8).
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from zoneinfo import ZoneInfo

from mailflow.domain.clocks import Clock, Reading
from mailflow.domain.vocabulary import Class, Priority
from mailflow.engine.report import Line, Noticed, Share


@dataclass(frozen=True, kw_only=True)
class Spread:
    """The middle of some durations, and what nine of ten do not exceed; none where there are none."""

    count: int
    median: timedelta | None
    p90: timedelta | None
    total: timedelta


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What there is to say of some incidents."""

    incidents: int
    by_class: Mapping[Class, int]
    by_priority: Mapping[Priority, int]
    noticed: Mapping[Noticed, int]
    informed: Spread  # from detected to clients informed
    told: Spread  # from clients informed to clients told of resolution and cause
    outage: Spread
    kept: int
    late: Spread
    recurred: int

    @property
    def share_kept(self) -> float | None:
        """The share of promises kept in time, of those that were due; none where nothing was."""
        judged = self.kept + self.late.count
        return self.kept / judged if judged else None


class Summary:
    """The figures of lines as they go by."""

    def __init__(self, timezone: str) -> None:
        """A month is one of this zone's."""
        self._zone = ZoneInfo(timezone)
        self._whole = _Tally()
        self._months: dict[str, _Tally] = {}
        self._clients: dict[str, _Tally] = {}
        self.names: dict[str, str] = {}  # of the clients, by key

    def add(self, line: Line) -> None:
        """Count a line in."""
        month = f"{line.incident.opened_at.astimezone(self._zone):%Y-%m}"
        for tally in (self._whole, self._months.setdefault(month, _Tally())):
            tally.count(line)
            tally.measure(line.clocks, line.outage, line.recurred)
            for share in line.shares:
                tally.promised(share)
        for share in line.shares:
            self.names[share.client_key] = share.client_name
            tally = self._clients.setdefault(share.client_key, _Tally())
            tally.count(line)
            tally.measure(share.clocks, share.outage, share.recurred)
            tally.promised(share)

    @property
    def count(self) -> int:
        """How many lines were counted in."""
        return self._whole.incidents

    @property
    def whole(self) -> Figures:
        """Everything together."""
        return self._whole.figures()

    @property
    def months(self) -> dict[str, Figures]:
        """By month ("2026-11"), in order: side by side they are the trend (S4.37)."""
        return {month: self._months[month].figures() for month in sorted(self._months)}

    @property
    def clients(self) -> dict[str, Figures]:
        """By client's key, those with the most incidents first."""
        order = sorted(self._clients, key=lambda key: (-self._clients[key].incidents, key))
        return {key: self._clients[key].figures() for key in order}


@dataclass(kw_only=True)
class _Tally:
    """Figures in the making."""

    incidents: int = 0
    by_class: Counter[Class] = field(default_factory=Counter)
    by_priority: Counter[Priority] = field(default_factory=Counter)
    noticed: Counter[Noticed] = field(default_factory=Counter)
    informed: list[timedelta] = field(default_factory=list)
    told: list[timedelta] = field(default_factory=list)
    outage: list[timedelta] = field(default_factory=list)
    kept: int = 0
    late: list[timedelta] = field(default_factory=list)
    recurred: int = 0

    def count(self, line: Line) -> None:
        self.incidents += 1
        self.by_class[line.incident.class_] += 1
        self.by_priority[line.incident.priority] += 1
        self.noticed[line.noticed] += 1

    def measure(self, read: Mapping[Clock, Reading], outage: timedelta | None, recurred: bool) -> None:
        if (between := elapsed(read, Clock.DETECTED, Clock.INFORMED)) is not None:
            self.informed.append(between)
        if (between := elapsed(read, Clock.INFORMED, Clock.TOLD)) is not None:
            self.told.append(between)
        if outage is not None:
            self.outage.append(outage)
        self.recurred += recurred

    def promised(self, share: Share) -> None:
        self.kept += share.kept
        self.late += share.late

    def figures(self) -> Figures:
        return Figures(
            incidents=self.incidents,
            by_class={one: self.by_class[one] for one in Class if self.by_class[one]},
            by_priority={one: self.by_priority[one] for one in Priority if self.by_priority[one]},
            noticed={one: self.noticed[one] for one in Noticed},
            informed=spread(self.informed),
            told=spread(self.told),
            outage=spread(self.outage),
            kept=self.kept,
            late=spread(self.late),
            recurred=self.recurred,
        )


def elapsed(read: Mapping[Clock, Reading], first: Clock, second: Clock) -> timedelta | None:
    """Between two clocks; none where either is not known."""
    return read[second].at - read[first].at if first in read and second in read else None


def spread(durations: Iterable[timedelta]) -> Spread:
    """The median, and the 90th percentile by nearest rank: a duration that did occur."""
    ordered = sorted(durations)
    if not ordered:
        return Spread(count=0, median=None, p90=None, total=timedelta())
    middle = (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
    rank = -(-9 * len(ordered) // 10)  # nine tenths, rounded up
    return Spread(count=len(ordered), median=middle, p90=ordered[rank - 1], total=sum(ordered, timedelta()))


def said(duration: timedelta | None) -> str:
    """ "2d 3h", "4h 05m", "12m", "40s": two figures are enough for a person."""
    if duration is None:
        return ""
    seconds = round(duration.total_seconds())
    if seconds < 60:
        return f"{seconds}s"
    minutes = round(seconds / 60)
    days, hours = minutes // 1_440, minutes // 60 % 24
    if days:
        return f"{days}d {hours}h"
    return f"{hours}h {minutes % 60:02}m" if hours else f"{minutes}m"
