"""Mails that must come (N.12): a nightly backup's success is expected by a time of day, and its absence is trouble.

All that was missed while nobody looked is told once, by the newest deadline that has passed.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from mailflow.domain.hours import first_showing
from mailflow.domain.mail import Event
from mailflow.domain.maintenance import spelt_like
from mailflow.domain.vocabulary import Severity, State
from mailflow.domain.worktime import clock_time

WEEK = 7
SUCCESS = frozenset({State.RECOVERY, State.INFO})  # what a tool writes when all went well


@dataclass(frozen=True, kw_only=True)
class Expected:
    """A success that somebody counts on."""

    name: str  # "nightly backup"
    client: str  # key
    recipe: str = ""  # id of the recipe that reads it; empty: any
    matches: tuple[str, ...] = ()  # hosts, services and names, with * and ?, without case; empty: all of the recipe's
    by: str  # local, "08:00"
    days: tuple[int, ...]  # weekdays on which it is due, Monday is 0
    timezone: str
    grace: timedelta  # so long after `by` nothing is said; far shorter than the time between two deadlines
    severity: Severity

    @property
    def scope(self) -> str:
        """Where its trouble's key is unique (N.1)."""
        return f"client:{self.client}"

    @property
    def key(self) -> str:
        """The correlation key of its absence."""
        return f"expected:{self.name.casefold()}"


@dataclass(frozen=True, kw_only=True)
class Missed:
    """A success that did not come."""

    expected: Expected
    deadline: datetime
    last_success: datetime | None


def matches(expected: Expected, event: Event) -> bool:
    """Whether this event is the success that is expected. Whose it is, the event cannot know: compare the client."""
    if event.state not in SUCCESS or (expected.recipe and event.recipe != expected.recipe):
        return False
    fields = (event.fields.get("host", ""), event.fields.get("service", ""))
    return not expected.matches or spelt_like(expected.matches, (*fields, *event.names, *event.hosts))


def due(expected: Expected, last_success: datetime | None, now: datetime, since: datetime) -> Missed | None:
    """The newest deadline that has passed, grace included, without a success; None where all is well.

    A deadline before `since`, when the expectation was first known, is nobody's. A success within the grace of the
    deadline before was late for that one, and says nothing about this one.
    """
    passed = _deadline_before(expected, now - expected.grace, inclusive=True)
    if passed is None or passed < since:
        return None
    before = _deadline_before(expected, passed)
    if last_success and before and last_success > before + expected.grace:
        return None
    return Missed(expected=expected, deadline=passed.astimezone(now.tzinfo), last_success=last_success)


def makes_up(expected: Expected, came: datetime) -> bool:
    """Whether a success that ends a miss only makes up for it: it came nearer to the deadline missed than to the next.

    Counted for the next one as well, Wednesday afternoon's repair would hide that Wednesday night's run failed.
    """
    missed = _deadline_before(expected, came, inclusive=True)
    coming = missed and _deadline_before(expected, missed + timedelta(days=WEEK, hours=1), inclusive=True)
    while missed and coming and (earlier := _deadline_before(expected, coming)) and earlier > missed:
        coming = earlier
    return bool(missed and coming and came - missed < coming - came)


def _deadline_before(expected: Expected, moment: datetime, *, inclusive: bool = False) -> datetime | None:
    """The newest deadline before a moment, or at it; None where there are no days."""
    zone = ZoneInfo(expected.timezone)
    today = moment.astimezone(zone).date()
    for back in range(-1, WEEK + 2):  # a day more on either side, for zones that leave one out
        day = today - timedelta(days=back)
        deadline = first_showing(datetime.combine(day, clock_time(expected.by)), zone)
        if day.weekday() in expected.days and (deadline < moment or (inclusive and deadline == moment)):
            return deadline
    return None
