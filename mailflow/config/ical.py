"""A calendar file (iCalendar, RFC 5545) as maintenance windows: its events, with all that repeats written out.

Promises: a file that is no calendar raises ValueError in plain words; an event that is not understood is told as a
fault and left out, so that alerts are rather told than hidden. Whatever stands in the file, the work is bounded: an
event repeats on days at most, and is written out for 400 days. Zones are the machine's own or Windows' names for
them; a zone that the file defines itself is not believed.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from icalendar.parser import Contentline, Contentlines
from icalendar.prop import vDuration
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from mailflow.config.notation import shown, zones
from mailflow.config.recurrence import Rule, Work, read_rule
from mailflow.domain.hours import first_showing, last_showing
from mailflow.domain.maintenance import Window

HORIZON = timedelta(days=400)  # so far ahead events are written out: a year, and time to read the file again
PAST = timedelta(days=32)  # and so far back, for the ends that are told after a standstill
LONGEST = timedelta(days=366)  # of an event; beyond, a year is mistyped
MAX_CHARACTERS = 1_000_000  # some four thousand events as programs write them
MAX_BYTES = 4 * MAX_CHARACTERS  # what they can take in UTF-8
MAX_EVENTS = 5_000
MAX_DEPTH = 10  # a calendar holds events, and these hold alarms
MAX_WINDOWS = 1_000  # of a calendar; those that begin first are kept
MAX_FAULTS = 20  # that are told; more help nobody
MAX_WHY = 200  # characters of a summary

PROPERTIES = frozenset(
    {"DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID", "STATUS", "SUMMARY", "UID"}
    | {"SEQUENCE", "EXRULE"}
)
NAME = re.compile(r"[A-Za-z0-9-]+")
MOMENT = re.compile(r"([0-9]{8})(?:T([0-9]{6})(Z?))?")


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """What a calendar file says, and what of it was not understood."""

    windows: tuple[Window, ...]  # in order of their beginning
    faults: tuple[str, ...]


def read_ical_file(
    file: Path, name: str, timezone: str, client: str, things: tuple[str, ...], now: datetime
) -> Calendar:
    """The windows of a calendar file; see read_ical."""
    try:
        with file.open("rb") as calendar:
            raw = calendar.read(MAX_BYTES + 1)
        text = raw.decode("utf-8-sig")
    except OSError as error:
        raise ValueError(f"cannot be read ({error.strerror}); see that it is there and may be read") from error
    except UnicodeDecodeError as error:
        raise ValueError("not in UTF-8; export it again") from error
    return read_ical(text, name, timezone, client, things, now)


def read_ical(text: str, name: str, timezone: str, client: str, things: tuple[str, ...], now: datetime) -> Calendar:
    """The windows of a calendar around `now`. Events without a zone are in `timezone`; `name` is told as their source.

    ValueError where it is no calendar at all.
    """
    zone = ZoneInfo(timezone)
    work = Work()
    faults: list[str] = []
    events: dict[tuple[str, object], _Event] = {}
    for number, raw in enumerate(_events(text), 1):
        try:
            event = _event(raw, zone, number)
        except ValueError as error:
            faults.append(f"event {number}{_title(raw)}: {error}")
            continue
        key = event.uid, event.replaces
        if key not in events or events[key].sequence <= event.sequence:
            events[key] = event
    cancelled = {uid for (uid, replaces), event in events.items() if replaces is None and event.cancelled}
    replaced = {(uid, replaces) for uid, replaces in events if replaces is not None}
    windows: list[Window] = []
    for event in events.values():
        if event.cancelled or event.uid in cancelled:
            continue
        try:
            for wall in event.walls(now, work):
                begins, ends = event.span(wall)
                if event.replaces is None and {(event.uid, begins), (event.uid, wall.date())} & replaced:
                    continue
                if begins < ends and ends > now - PAST and begins <= now + HORIZON:
                    windows.append(
                        Window(client=client, things=things, begins=begins, ends=ends, why=event.why, source=name)
                    )
        except ValueError as error:
            faults.append(f"event {event.number}{_quoted(event.why)}: {error}")
    windows.sort(key=lambda window: (window.begins, window.ends))
    if len(windows) > MAX_WINDOWS:
        faults.insert(0, f"more than {MAX_WINDOWS} windows ahead, the later ones are left out; split the calendar")
    if len(faults) > MAX_FAULTS:
        faults[MAX_FAULTS:] = [f"and {len(faults) - MAX_FAULTS} more"]
    return Calendar(windows=tuple(windows[:MAX_WINDOWS]), faults=tuple(faults))


Raw = dict[str, list[Contentline]]


@dataclass(frozen=True, kw_only=True)
class _Event:
    """An event, as far as it is about a time."""

    number: int  # in the file
    uid: str
    sequence: int = 0
    replaces: datetime | date | None = None  # the occurrence of a series in whose place it stands
    cancelled: bool = False
    why: str = ""
    begins: datetime  # on the wall
    zone: ZoneInfo
    lasts: timedelta  # on the wall
    exactly: timedelta = field(default_factory=timedelta)  # and so long more, whatever the clocks do
    rule: Rule | None = None
    more: tuple[datetime, ...] = ()  # on the wall
    without: frozenset[date | datetime] = frozenset()  # days, or moments

    def span(self, wall: datetime) -> tuple[datetime, datetime]:
        """From when to when it is, where it begins at this time on the wall."""
        begins = first_showing(wall, self.zone)
        if self.exactly:
            return begins, first_showing(wall + self.lasts, self.zone) + self.exactly
        return begins, last_showing(wall + self.lasts, self.zone)

    def walls(self, now: datetime, work: Work) -> Iterator[datetime]:
        """When it begins on the wall, each time, as far as it is near."""
        start = self.begins.date()
        found = {*self.more}
        if self.rule is None:
            found.add(self.begins)
        else:
            seen = (now - PAST - self.lasts).date() - timedelta(days=7)
            for count, day in enumerate(self.rule.days(start, seen, (now + HORIZON).date(), work)):
                wall = datetime.combine(day, self.begins.time())
                if (self.rule.count is not None and count >= self.rule.count) or self._is_after_the_last(wall):
                    break
                if day >= seen:
                    found.add(wall)
        for wall in sorted(found):
            if not {wall.date(), first_showing(wall, self.zone)} & self.without:
                yield wall

    def _is_after_the_last(self, wall: datetime) -> bool:
        until = self.rule.until if self.rule else None
        if isinstance(until, datetime):
            return first_showing(wall, self.zone) > until if until.tzinfo else wall > until
        return until is not None and wall.date() > until


def _events(text: str) -> list[Raw]:
    """The events of all calendars in a text, each with its own lines."""
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"longer than {MAX_CHARACTERS:,} characters; split the calendar")
    found: list[Raw] = []
    inside: list[str] = []
    for line in Contentlines.from_ical(text.lstrip("\ufeff")):  # type: ignore[no-untyped-call]
        word = NAME.match(line)
        name = word[0].upper() if word else ""
        if name == "BEGIN":
            inside.append(line.partition(":")[2].strip().upper())
            if inside[0] != "VCALENDAR":
                break
            if len(inside) > MAX_DEPTH:
                raise ValueError("parts within parts, too deep for a calendar; export it again")
            if inside == ["VCALENDAR", "VEVENT"]:
                found.append({})
                if len(found) > MAX_EVENTS:
                    raise ValueError(f"more than {MAX_EVENTS:,} events; split the calendar")
        elif name == "END":
            if not inside or inside.pop() != line.partition(":")[2].strip().upper():
                raise ValueError("broken, an end stands where nothing was begun; export it again")
        elif name in PROPERTIES and inside == ["VCALENDAR", "VEVENT"]:
            found[-1].setdefault(name, []).append(line)
        elif not inside and line.strip():
            break
    else:
        if inside:
            raise ValueError("broken off in the middle; export it again")
        if text.strip():
            return found
    raise ValueError("no calendar; save it in the format iCalendar (.ics)")


def _event(raw: Raw, zone: ZoneInfo, number: int) -> _Event:
    """An event from its lines; ValueError where it is not understood."""
    values = {name: [_parts(line) for line in lines] for name, lines in raw.items()}
    for name in sorted(values.keys() - {"RDATE", "EXDATE"}):
        if len(values[name]) > 1:
            raise ValueError(f"has several {name}; keep one")
    if "EXRULE" in values:
        raise ValueError("has an EXRULE, which is not understood; use EXDATE")
    texts = {name: parts[0][1].strip() for name, parts in values.items()}
    if "DTSTART" not in values:
        raise ValueError("has no DTSTART; give it a beginning")
    begins, zone, all_day = _moment(*values["DTSTART"][0], zone)
    replaces: datetime | date | None = None
    if "RECURRENCE-ID" in values:
        params, value = values["RECURRENCE-ID"][0]
        if params.get("RANGE"):
            raise ValueError("changes all later ones of a series (RANGE), which is not understood; split the series")
        replaces = _instants([(params, value)], zone)[0]
    sequence = texts.get("SEQUENCE", "0")
    cancelled = texts.get("STATUS", "").upper() == "CANCELLED"
    lasts, exactly = _length(values, begins, zone, all_day=all_day, cancelled=cancelled)
    return _Event(
        number=number,
        uid=texts.get("UID") or f"({number})",
        sequence=int(sequence) if re.fullmatch(r"[0-9]{1,9}", sequence) else 0,
        replaces=replaces,
        cancelled=cancelled,
        why=_one_line(texts.get("SUMMARY", "")),
        begins=begins,
        zone=zone,
        lasts=lasts,
        exactly=exactly,
        rule=read_rule(texts["RRULE"], begins) if "RRULE" in texts else None,
        more=tuple(_wall(*_moment(params, one, zone), zone) for params, one in _listed(values.get("RDATE", []))),
        without=frozenset(_instants(_listed(values.get("EXDATE", [])), zone)),
    )


Parts = tuple[dict[str, Any], str]


def _parts(line: Contentline) -> Parts:
    try:
        _, params, value = line.parts()
    except (ValueError, IndexError) as error:
        raise ValueError(f"{shown(str(line))} cannot be read; export the calendar again") from error
    return params, value


def _listed(parts: list[Parts]) -> list[Parts]:
    """The dates of lines that may hold several."""
    if any(params.get("VALUE") == "PERIOD" for params, _ in parts):
        raise ValueError("has periods in its RDATE, which are not understood; make them events")
    return [(params, one.strip()) for params, value in parts for one in value.split(",") if one.strip()]


def _moment(params: dict[str, Any], value: str, zone: ZoneInfo) -> tuple[datetime, ZoneInfo, bool]:
    """A time on the wall, the zone of that wall, and whether it is a whole day."""
    found = MOMENT.fullmatch(value.strip())
    tzid = params.get("TZID")
    if found and found[3]:
        zone = ZoneInfo("UTC")
    elif found and found[2] and tzid is not None:
        zone = _zone(str(tzid))
    try:
        wall = datetime.fromisoformat(f"{found[1]}T{found[2] or '000000'}") if found else None
    except ValueError:
        wall = None
    if wall is None or wall.year not in range(1970, 2200):  # with which every zone can calculate
        raise ValueError(f"{shown(value)} is no date that can be used; correct it")
    return wall, zone, not (found and found[2])


def _zone(tzid: str) -> ZoneInfo:
    """The zone of this name: the machine's own, Windows', or one behind a program's prefix ("/example.org/…")."""
    name = tzid.strip().strip("/")
    parts = name.split("/") if tzid.strip().startswith("/") else []
    for candidate in (name, WINDOWS_TO_OLSON.get(name), *("/".join(parts[n:]) for n in range(1, min(len(parts), 9)))):
        if candidate in zones():
            return ZoneInfo(candidate)
    raise ValueError(f"unknown time zone {shown(tzid)}; use one like `America/Chicago`")


def _wall(wall: datetime, own: ZoneInfo, _: bool, zone: ZoneInfo) -> datetime:
    """A time on the wall of one zone, on that of another."""
    return wall if own == zone else first_showing(wall, own).astimezone(zone).replace(tzinfo=None)


def _instants(parts: list[Parts], zone: ZoneInfo) -> list[date | datetime]:
    """What names an occurrence: its moment, or its day."""
    moments = (_moment(params, value, zone) for params, value in parts)
    return [wall.date() if whole else first_showing(wall, own) for wall, own, whole in moments]


def _length(
    values: dict[str, list[Parts]], begins: datetime, zone: ZoneInfo, *, all_day: bool, cancelled: bool
) -> tuple[timedelta, timedelta]:
    """How long an event lasts: on the wall, and exactly on top of it."""
    exactly = timedelta()
    if "DTEND" in values:
        lasts = _wall(*_moment(*values["DTEND"][0], zone), zone) - begins
    elif "DURATION" in values:
        try:
            length: timedelta = vDuration.from_ical(values["DURATION"][0][1].strip())  # type: ignore[no-untyped-call]
        except ValueError as error:
            raise ValueError(f"{shown(values['DURATION'][0][1])} is no DURATION; correct it") from error
        lasts = timedelta(days=length.days)
        exactly = length - lasts
    elif all_day or cancelled:
        lasts = timedelta(days=1)
    else:
        raise ValueError("has no end; give it a DTEND")
    if lasts + exactly <= timedelta():
        raise ValueError("does not end after it begins; correct its end")
    if lasts + exactly > LONGEST:
        raise ValueError("lasts more than a year; correct its end")
    return lasts, exactly


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:MAX_WHY]


def _title(raw: Raw) -> str:
    """How an event is called, for somebody who looks for it."""
    try:
        return _quoted(_one_line(_parts(raw["SUMMARY"][0])[1]))
    except (LookupError, ValueError):
        return ""


def _quoted(why: str) -> str:
    return f" ({shown(why)})" if why else ""
