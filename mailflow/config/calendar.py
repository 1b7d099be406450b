"""What an MSP plans by the calendar: a client's working hours, maintenance windows, mails that must come.

`[[client.maintenance]]` and `[[maintenance]]` are planned work, `[[client.expected]]` a success that is counted on.
Each is checked by itself here, and given to the domain in its own values. Calendars of vendors are files, read by
config.ical; nothing is ever fetched.
"""

import contextlib
import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, PlainValidator, model_validator

from mailflow.config.notation import ClockTime, Key, MaybeLine, OneLine, nearest, path, positive_duration, shown
from mailflow.config.table import Faults, Table
from mailflow.domain.expected import Expected
from mailflow.domain.hours import ALWAYS, DAY, Hours, Stretch, first_showing, last_showing
from mailflow.domain.maintenance import LAST, WEEK, Recurring, Window
from mailflow.domain.vocabulary import Severity

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
LONG_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
EVERY_DAY = ("daily", "every day")
WEEKS = {"first": 1, "1st": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4, "4th": 4, "last": LAST}
SPAN = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])\s*[-–]\s*([01][0-9]|2[0-4]):([0-5][0-9])")
MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2})?")
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")  # two letters at least: C: is a drive
LONGEST = timedelta(days=366)  # of a window; beyond, a year is mistyped, and trouble would be hidden for long
MOST_GRACE = timedelta(hours=6)  # beyond, a success could be taken for the one of the day before
HOURS = 'write them like "Mon-Fri 08:00-17:00", "Mon-Thu 08:00-12:00 13:00-17:00, Fri 08:00-15:00", or "always"'
DAYS = 'write them like "Mon-Fri", "Sat, Sun" or "daily"'
EVERY = 'write it like "Sun 02:00-04:00", "first Sun 02:00-04:00" or "daily 22:00-02:00"'
ONE_OF = "write `begins` and `ends`, or `every`, or `ical`"


@dataclass(frozen=True, kw_only=True)
class Every:
    """When recurring work is: on which days, of which weeks of the month (none: each), from when to when."""

    days: tuple[int, ...]
    weeks: tuple[int, ...]
    begins: str
    ends: str


def weekdays(value: object) -> tuple[int, ...]:
    """Days of the week, Monday is 0, in order: "Mon-Fri", "Sat, Sun", "daily"."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{shown(value)} are no days; {DAYS}")
    if value.strip().casefold() in EVERY_DAY:
        return tuple(range(WEEK))
    found: set[int] = set()
    for part in re.split(r"\s*(?:,|\band\b)\s*|\s+(?![-–])(?<![-–]\s)", value.strip()):
        first, dash, last = (side.strip() for side in re.sub("–", "-", part).partition("-"))
        begin = _weekday(first)
        end = _weekday(last) if dash else begin
        found.update((begin + n) % WEEK for n in range((end - begin) % WEEK + 1))
    return tuple(sorted(found))


def _weekday(word: str) -> int:
    for names in (WEEKDAYS, LONG_WEEKDAYS):
        for number, name in enumerate(names):
            if word.casefold() == name.casefold():
                return number
    near = nearest(word, (*WEEKDAYS, *LONG_WEEKDAYS))
    raise ValueError(f"{shown(word)} is no day; " + (f"did you mean `{near}`?" if near else DAYS))


def working_hours(value: object) -> Hours:
    """A client's working hours. A stretch that ends no later than it begins goes on into the next day."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{shown(value)} are no working hours; {HOURS}")
    if value.strip().casefold() == "always":
        return ALWAYS
    week: list[list[Stretch]] = [[] for _ in range(WEEK)]
    seen: set[int] = set()
    days: set[int] = set()
    for part in value.split(","):
        spans = list(SPAN.finditer(part))
        words = part[: spans[0].start()] if spans else part
        if any(c.isdigit() for c in SPAN.sub("", part)) or (spans and SPAN.sub("", part[len(words) :]).strip()):
            raise ValueError(f"{shown(part.strip())} are no working hours; {HOURS}")
        days.update(weekdays(words.strip()))
        if not spans:  # "Mon, Wed 08:00-12:00": the times come with a later day
            continue
        if twice := sorted(days & seen):
            raise ValueError(f"`{WEEKDAYS[twice[0]]}` is listed twice; write all its times in one place")
        for span in spans:
            begins, ends = _minutes(span[1], span[2]), _minutes(span[3], span[4])
            for day in days:
                week[day].append(Stretch(begins=begins, ends=ends if begins < ends else DAY))
                if ends <= begins and ends:
                    week[(day + 1) % WEEK].append(Stretch(begins=0, ends=ends))
        seen |= days
        days = set()
    if days:
        raise ValueError(f"{shown(value)} names a day without times; {HOURS}")
    return Hours(week=tuple(_in_order(stretches, WEEKDAYS[day]) for day, stretches in enumerate(week)))


def _minutes(hour: str, minute: str) -> int:
    if (at := int(hour) * 60 + int(minute)) > DAY:
        raise ValueError(f"`{hour}:{minute}` is no time of day; the day ends at 24:00")
    return at


def _in_order(stretches: Sequence[Stretch], day: str) -> tuple[Stretch, ...]:
    ordered = tuple(sorted(stretches))
    for before, after in itertools.pairwise(ordered):
        if after.begins < before.ends:
            raise ValueError(f"the times of `{day}` overlap; correct one of them")
    return ordered


def every(value: object) -> Every:
    """When recurring work is: "Sun 02:00-04:00", "first Sun 02:00-04:00", "Sat 22:00-02:00", "daily 01:00-02:00"."""
    span = SPAN.search(value) if isinstance(value, str) else None
    if not isinstance(value, str) or not span or value[span.end() :].strip():
        raise ValueError(f"{shown(value)} says no days and times; {EVERY}")
    begins, ends = _minutes(span[1], span[2]), _minutes(span[3], span[4]) % DAY
    if begins == ends:
        raise ValueError(f"{shown(value)} ends when it begins; {EVERY}")
    words = re.split(r"[\s,]+", value[: span.start()].strip())
    weeks: list[int] = []
    while words and (words[0].casefold() in WEEKS or (weeks and words[0].casefold() == "and")):
        word = words.pop(0).casefold()
        weeks += [WEEKS[word]] if word in WEEKS else []
    days = weekdays(" ".join(words))
    if weeks and len(days) == WEEK:
        raise ValueError(f"{shown(value)} names a week of the month, but no day of it; {EVERY}")
    return Every(
        days=days,
        weeks=tuple(dict.fromkeys(weeks)),
        begins=f"{begins // 60:02}:{begins % 60:02}",
        ends=f"{ends // 60:02}:{ends % 60:02}",
    )


def moment(value: object) -> datetime:
    """A local date and time; with an offset, a moment in any zone."""
    if isinstance(value, str) and MOMENT.fullmatch(value):
        with contextlib.suppress(ValueError):  # the 30th of February
            value = datetime.fromisoformat(value)
    if isinstance(value, datetime) and value.year in range(1970, 2200):  # with which every zone can calculate
        return value
    raise ValueError(f'{shown(value)} is no date and time; write it like "2026-12-05 20:00"')


def day(value: object) -> date:
    """A local day."""
    if isinstance(value, str):
        with contextlib.suppress(ValueError):
            value = date.fromisoformat(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    raise ValueError(f"{shown(value)} is no day; write it like 2026-11-01")


def calendar_file(text: str) -> str:
    """A calendar's file; relative ones are relative to the configuration file's folder. Never an address."""
    if SCHEME.match(text.strip()):
        # It is not repeated: the addresses of shared calendars hold a secret.
        raise ValueError("an address on the net, and nothing is fetched from there; save the calendar as a file")
    return path(text)


def grace(value: object) -> timedelta:
    """How long after its time a mail is not yet missed."""
    length = positive_duration(value)
    if length > MOST_GRACE:
        raise ValueError("longer than \"6h\", so that one day's mail could be taken for another's; make it shorter")
    return length


Weekdays = Annotated[tuple[int, ...], PlainValidator(weekdays)]
WorkingHours = Annotated[Hours, PlainValidator(working_hours)]
Repetition = Annotated[Every, PlainValidator(every)]
Moment = Annotated[datetime, PlainValidator(moment)]
Day = Annotated[date, PlainValidator(day)]
CalendarFile = Annotated[str, AfterValidator(calendar_file)]
Grace = Annotated[timedelta, PlainValidator(grace)]


class ClientMaintenanceEntry(Table):
    """`[[client.maintenance]]`: planned work at a client, once, again and again, or as a calendar file says."""

    begins: Moment | None = None
    ends: Moment | None = None
    every: Repetition | None = None
    first: Day | None = None
    last: Day | None = None
    ical: CalendarFile | None = None
    things: tuple[OneLine, ...] = ()
    why: MaybeLine = ""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        """One way of saying when, and an end behind its beginning."""
        faults = []
        ways = {"begins": self.begins or self.ends, "every": self.every, "ical": self.ical}
        said = [key for key, value in ways.items() if value is not None]
        if not said:
            faults.append(("", f"does not say when; {ONE_OF}"))
        elif len(said) > 1:
            faults.append((said[1], f"says when beside `{said[0]}`; {ONE_OF}"))
        elif said == ["begins"]:
            faults += self._wrong_times()
        for key in ("first", "last"):
            if getattr(self, key) and not self.every:
                faults.append((key, "only used with `every`; leave it out"))
        if self.first and self.last and self.last < self.first:
            faults.append(("last", "before `first`; correct one of them"))
        if faults:
            raise Faults(*faults)
        return self

    def _wrong_times(self) -> list[tuple[str, str]]:
        if not self.begins or not self.ends:
            return [("ends" if self.begins else "begins", 'missing; write it like "2026-12-05 20:00"')]
        if (self.begins.tzinfo is None) != (self.ends.tzinfo is None):
            return [("ends", "one of the two has an offset and the other has none; write both alike")]
        if self.ends <= self.begins:
            return [("ends", "not after `begins`; correct one of them")]
        if self.ends - self.begins > LONGEST:
            return [("ends", "more than a year after `begins`; correct the year")]
        return []


class MaintenanceEntry(ClientMaintenanceEntry):
    """`[[maintenance]]`: the same for one client, or for all of them where none is named."""

    client: Key | None = None


class ExpectedEntry(Table):
    """`[[client.expected]]`: a mail that must come (N.12)."""

    name: OneLine = Field(description="what is expected, like `nightly backup`")
    recipe: MaybeLine = ""
    match: tuple[OneLine, ...] = ()
    by: ClockTime = Field(description='the local time by which it has come, like "08:00"')
    days: Weekdays = tuple(range(WEEK))
    grace: Grace = timedelta(minutes=30)
    severity: Severity = Severity.MEDIUM

    @model_validator(mode="after")
    def _something(self) -> Self:
        """Without either, every good news of any tool would do."""
        if not self.recipe and not self.match:
            raise Faults(("match", 'missing, and no `recipe` is named; write the hosts or jobs, like ["Nightly*"]'))
        return self


def planned(entry: ClientMaintenanceEntry, client: str, timezone: str, source: str) -> Window | Recurring | None:
    """The planned work that an entry says by itself; None where a calendar file says it. `client` "" is every one."""
    if entry.every:
        return Recurring(
            client=client,
            things=entry.things,
            days=entry.every.days,
            weeks=entry.every.weeks,
            begins=entry.every.begins,
            ends=entry.every.ends,
            timezone=timezone,
            first=entry.first,
            last=entry.last,
            why=entry.why,
            source=source,
        )
    if not entry.begins or not entry.ends:
        return None
    zone = ZoneInfo(timezone)
    return Window(
        client=client,
        things=entry.things,
        begins=entry.begins.astimezone(UTC) if entry.begins.tzinfo else first_showing(entry.begins, zone),
        ends=entry.ends.astimezone(UTC) if entry.ends.tzinfo else last_showing(entry.ends, zone),
        why=entry.why,
        source=source,
    )


def expected(entry: ExpectedEntry, client: str, timezone: str) -> Expected:
    """What an entry expects."""
    return Expected(
        name=entry.name,
        client=client,
        recipe=entry.recipe,
        matches=entry.match,
        by=entry.by,
        days=entry.days,
        timezone=timezone,
        grace=entry.grace,
        severity=entry.severity,
    )
