"""When things are due: promises are counted in working time, from what happened, on the client's calendar.

`due_at` computes from the whole log each time, so that a change of priority, policy or calendar needs no repair. A
promise in days ends with a working day, one in hours after so many of the client's hours. Paused time does not count.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from mailflow.domain.calendar import NO_TIME, Calendar
from mailflow.domain.vocabulary import Priority


@dataclass(frozen=True, kw_only=True)
class Within:
    """How soon something is due: in working days ("2d") or in working time ("4h"), one of the two."""

    days: int = 0
    working: timedelta = NO_TIME

    def __post_init__(self) -> None:
        if (self.days > 0) == (self.working > NO_TIME) or self.days < 0 or self.working < NO_TIME:
            raise ValueError("either days or working time, and more than none")

    @property
    def length(self) -> timedelta:
        """As it is written; what it comes to is the calendar's to say."""
        return self.working or timedelta(days=self.days)


@dataclass(frozen=True, kw_only=True)
class Deadlines:
    """What is promised, by priority, and when a day's promise ends ("17:00")."""

    within: Mapping[Priority, Within]
    day_ends: str


@dataclass(frozen=True, kw_only=True)
class Started:
    """The clock starts; a later one starts it anew."""

    at: datetime
    priority: Priority


@dataclass(frozen=True, kw_only=True)
class PriorityChanged:
    """From the start on it counts as if it had always had this priority."""

    at: datetime
    priority: Priority


@dataclass(frozen=True, kw_only=True)
class Paused:
    """We wait for somebody: the client, a vendor. The clock runs again when nobody is waited for."""

    at: datetime
    why: str


@dataclass(frozen=True, kw_only=True)
class Resumed:
    """What was waited for has come; without `why` all of it."""

    at: datetime
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Extended:
    """Somebody promised another time. It stands as said; only pauses after it move it."""

    at: datetime
    to: datetime


Clocked = Started | PriorityChanged | Paused | Resumed | Extended
_Pause = tuple[datetime, datetime | None]  # from when until when; None: it still is


def due_at(log: Sequence[Clocked], policy: Deadlines, calendar: Calendar) -> datetime | None:
    """When it is due, aware UTC; None while a pause keeps it from ever coming.

    The log is in order and begins with Started. A priority that changes after an extension may bring the due time
    forward, never back: that has been promised.
    """
    began = max(n for n, event in enumerate(log) if isinstance(event, Started))
    log = log[began:]
    pauses = tuple(_pauses(log))
    extended = [(n, event) for n, event in enumerate(log) if isinstance(event, Extended)][-1:]
    changed, priority = max((n, e.priority) for n, e in enumerate(log) if isinstance(e, Started | PriorityChanged))
    found = [_moved(e.to.astimezone(UTC), pauses, e.at.astimezone(UTC), calendar) for _, e in extended]
    if all(changed > n for n, _ in extended):
        within = policy.within[priority]
        found.append(_by_policy(log[0].at.astimezone(UTC), within, policy.day_ends, pauses, calendar))
    return min((due for due in found if due), default=None)


def after_pause(
    due: datetime, begins: datetime, ends: datetime, within: Within, day_ends: str, calendar: Calendar
) -> datetime:
    """A due time, later by the client's working time in between; what was promised by days ends with its day."""
    return _paused(due.astimezone(UTC), begins, within, day_ends, [(begins, ends)], calendar) or due


def due_within(start: datetime, within: Within, day_ends: str, calendar: Calendar) -> datetime:
    """When something is due that was promised at `start` and that nothing pauses; aware UTC."""
    if within.working:
        return calendar.add(start.astimezone(UTC), within.working)
    days = calendar.until(_minutes(day_ends))
    return days.end_of_day(days.working_day_after(start, within.days))


def _by_policy(
    start: datetime, within: Within, day_ends: str, pauses: Sequence[_Pause], calendar: Calendar
) -> datetime | None:
    return _paused(due_within(start, within, day_ends, calendar), start, within, day_ends, pauses, calendar)


def _paused(
    due: datetime, since: datetime, within: Within, day_ends: str, pauses: Sequence[_Pause], calendar: Calendar
) -> datetime | None:
    """A due time, later by what was paused of it."""
    if within.working:
        return _moved(due, pauses, since, calendar)
    days = calendar.until(_minutes(day_ends))
    moved = _moved(due, pauses, since, days)
    if moved is None or moved == due:
        return moved
    return days.end_of_day(days.day_of(moved))  # "by Friday" is Friday's end


def _moved(due: datetime, pauses: Sequence[_Pause], since: datetime, calendar: Calendar) -> datetime | None:
    """A due time, later by the working time that was paused before it; None where it waits for the pause's end."""
    for begins, ends in pauses:
        begins = max(begins, since)
        if begins >= due:
            break
        if ends is None:
            return None
        due = calendar.add(due, calendar.working_between(begins, ends))
    return due


def _pauses(log: Sequence[Clocked]) -> Iterator[_Pause]:
    """When nothing could be done, in order: from the first one waited for until nobody is."""
    waited_for: set[str] = set()
    begins: datetime | None = None
    for event in log:
        if isinstance(event, Paused):
            begins = begins or event.at.astimezone(UTC)
            waited_for.add(event.why)
        elif isinstance(event, Resumed) and begins:
            waited_for = waited_for - {event.why} if event.why else set()
            if not waited_for:
                yield begins, event.at.astimezone(UTC)
                begins = None
    if begins:
        yield begins, None


def next_local(now: datetime, timezone: str, at: str) -> datetime:
    """The moment of today's local `at` ("08:00") in `timezone`, past or future; aware UTC."""
    local = now.astimezone(ZoneInfo(timezone))
    return datetime.combine(local.date(), clock_time(at), ZoneInfo(timezone)).astimezone(now.tzinfo)


def clock_time(text: str) -> time:
    """ "17:00" as a time; ValueError where it is none."""
    hour, _, minute = text.partition(":")
    return time(int(hour), int(minute))


def _minutes(text: str) -> int:
    """ "17:00" in minutes after midnight."""
    at = clock_time(text)
    return at.hour * 60 + at.minute


def after_quiet(now: datetime, quiet: tuple[str, str], timezone: str) -> datetime:
    """`now`, or the end of the quiet hours that it lies in; `quiet` is local, and may go over midnight."""
    begins, ends = map(clock_time, quiet)
    local = now.astimezone(ZoneInfo(timezone))
    at = local.time().replace(tzinfo=None)
    inside = begins <= at < ends if begins <= ends else at >= begins or at < ends
    if not inside:
        return now
    day = local.date() + timedelta(days=1) if at >= ends else local.date()
    return datetime.combine(day, ends, ZoneInfo(timezone)).astimezone(now.tzinfo)
