"""Due times: each from a log of its own, for a client with a break, half days, holidays and clocks that change."""

import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from mailflow.domain.calendar import Calendar, Holidays
from mailflow.domain.hours import Hours, Stretch
from mailflow.domain.vocabulary import Priority
from mailflow.domain.worktime import Clocked, Deadlines, Paused, PriorityChanged, Resumed, Started, Within, due_at

TIMES = 20_000
YEAR = datetime(2026, 1, 1, tzinfo=UTC)
APART = timedelta(minutes=26)  # so many of them are a year
OFFICE = (Stretch(begins=480, ends=720), Stretch(begins=780, ends=1020))
CLIENT = Calendar(
    timezone="America/Chicago",
    hours=Hours(week=(*(OFFICE,) * 5, (), ())),
    holidays=Holidays(
        days=frozenset({date(2026, 7, 3), date(2026, 9, 7), date(2026, 11, 26), date(2026, 12, 25)}),
        half_days={date(2026, 12, 24): 720},
    ),
)
POLICY = Deadlines(
    within={Priority.P1: Within(working=timedelta(hours=4)), Priority.P2: Within(days=2)}, day_ends="17:00"
)


@dataclass(frozen=True, kw_only=True)
class Due:
    """How many a second of processor time."""

    plain: float  # of a log that only began
    paused: float  # paused and of another priority since


def due_times(_: Path) -> Due:
    """A year of starts, in hours and in days by turns."""
    starts = [YEAR + n * APART for n in range(TIMES)]
    priorities = [Priority.P1 if n % 2 else Priority.P2 for n in range(TIMES)]
    plain: list[list[Clocked]] = [[Started(at=a, priority=p)] for a, p in zip(starts, priorities, strict=True)]
    paused: list[list[Clocked]] = [
        [
            Started(at=at, priority=Priority.P2),
            Paused(at=at + timedelta(hours=1), why="client"),
            PriorityChanged(at=at + timedelta(hours=2), priority=priority),
            Resumed(at=at + timedelta(hours=9), why="client"),
        ]
        for at, priority in zip(starts, priorities, strict=True)
    ]
    return Due(plain=_per_second(plain), paused=_per_second(paused))


def _per_second(logs: list[list[Clocked]]) -> float:
    began = time.process_time()
    for log in logs:
        assert due_at(log, POLICY, CLIENT)
    return len(logs) / (time.process_time() - began)
