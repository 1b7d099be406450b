"""When planned work is, as a person writes it: "Sat 22:00 to Sun 02:00", "28/11 22:00-23:30", "now for 2 hours".

Promises: what can be read in two ways (5/6) is told as unclear with its reason, never guessed, and so is what lies in
the past. Where no day or no year is written, the next one is meant whose end has not come yet.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from mailflow.domain.hours import first_showing, last_showing

LONGEST = timedelta(days=31)  # longer is a slip of the pen, and would hide a month of trouble
FARTHEST = timedelta(days=400)  # a year ahead and a little
NEXT_YEAR = timedelta(days=300)  # a date without a year that is farther off is one that has just gone by
YEARS = range(1970, 2200)  # with which every zone can calculate
SHOWN = 60  # characters of the words that were unclear
EVENING, MORNING = 17 * 60, 7 * 60  # "tonight" is from one to the other
NOON = 12 * 60
DASHES = "-–—"

TIME = re.compile(r"(\d{1,2})(?:[:.h](\d{2}))?(?:\s*([ap])\.?m\b\.?)?(?!\d|[:/.]\d)", re.IGNORECASE)
ISO = re.compile(r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})(?:t|,|\b)", re.IGNORECASE)
NUMBERS = re.compile(r"(\d{1,2})([/.-])(\d{1,2})(?:\2(\d{4}|\d{2})?)?(?![\d:h])")
DAY_MONTH = re.compile(r"(?P<day>\d{1,2})(?:st|nd|rd|th|\.)?\s+(?P<word>[^\W\d_]{3,})\.?,?(?:\s+(?P<year>\d{4})\b)?")
MONTH_DAY = re.compile(
    r"(?P<word>[^\W\d_]{3,})\.?\s+(?P<day>\d{1,2})(?:st|nd|rd|th)?\b(?![:.]\d),?(?:\s+(?P<year>\d{4})\b)?"
)
WORD = re.compile(r"[^\W\d_]{2,}\b\.?")
LENGTH = re.compile(r"(\d{1,3}|[^\W\d_]+)(?:[.,](\d))?\s*([^\W\d_]+)(?![^\W\d_])\.?")
# A time in a zone of its own would be taken for one in ours: 22:00 UTC, 22:00+01:00.
ZONE = re.compile(r"\+\d|\(?(?:UTC|GMT|Z|BST|IST|JST|SAST|HST|AK[SD]T|NZ[SD]T|A[ECW][SD]T|[ACEMP][SD]?T|[CEW]ES?T)\b")


class Doubt(StrEnum):
    """Why times were not understood."""

    NO_TIMES = "no_times"  # no beginning and end, nor a length, in words that are known
    TWO_DATES = "two_dates"  # 5/6 is a day in May or in June
    NO_SUCH_DATE = "no_such_date"  # the 31st of November, or a Monday that is a Tuesday
    NO_SUCH_TIME = "no_such_time"  # 25:00, or "tonight" at noon
    OTHER_ZONE = "other_zone"  # 22:00 UTC
    ENDS_FIRST = "ends_first"
    PAST = "past"
    TOO_FAR = "too_far"
    TOO_LONG = "too_long"


@dataclass(frozen=True, kw_only=True)
class Unclear:
    """Times that must be asked about."""

    reason: Doubt
    text: str  # the words in question


@dataclass(frozen=True, kw_only=True)
class Phrases:
    """A language's words around times, in any case. The defaults are English."""

    everyone: tuple[str, ...] = ("all", "everyone", "everybody")
    listing: tuple[str, ...] = ("and",)  # between things
    today: tuple[str, ...] = ("today",)
    tonight: tuple[str, ...] = ("tonight",)
    tomorrow: tuple[str, ...] = ("tomorrow",)
    now: tuple[str, ...] = ("now",)
    before_a_time: tuple[str, ...] = ("from", "on", "at", "between")
    after_a_time: tuple[str, ...] = ("hrs", "hours", "o'clock")
    until: tuple[str, ...] = ("to", "till", "until", "and", *DASHES)
    lasting: tuple[str, ...] = ("for the next", "for")
    hours: tuple[str, ...] = ("h", "hr", "hrs", "hour", "hours")
    minutes: tuple[str, ...] = ("m", "min", "mins", "minute", "minutes")
    one: tuple[str, ...] = ("a", "an", "one")


ENGLISH = Phrases()


class DoubtError(Exception):
    """Times that must be asked about."""

    def __init__(self, reason: Doubt, text: str) -> None:
        super().__init__(reason)
        self.unclear = Unclear(reason=reason, text=text.strip()[:SHOWN])


@dataclass(frozen=True, kw_only=True)
class _Day:
    """A day, as far as it is written."""

    year: int | None = None
    month: int = 0  # 0: none is written
    day: int = 0
    weekday: int | None = None
    ahead: int | None = None  # days from today: 0 today, 1 tomorrow
    night: bool = False  # "tonight"
    two: bool = False  # it could be another date as well

    def candidates(self, seen: date, today: date, slack: int) -> list[date]:
        """The days that can be meant by somebody who thinks of `seen`, or of `slack` days before it."""
        if self.ahead is not None:
            return [today + timedelta(days=self.ahead)]
        if self.month:
            years = [self.year] if self.year else [seen.year, seen.year + 1]
            dates = [_date(year, self.month, self.day) for year in years]
            return [d for d in dates if d and self.weekday in (None, d.weekday())]
        if self.weekday is not None:
            first = seen - timedelta(days=slack)
            first += timedelta(days=(self.weekday - first.weekday()) % 7)
            return [first + timedelta(days=7 * n) for n in range(slack + 1)]
        return [seen, seen + timedelta(days=1)]


@dataclass(frozen=True, kw_only=True)
class _Moment:
    day: _Day
    minutes: int  # after midnight, at most 1440
    written: str

    def on(self, day: date) -> datetime:
        """As it stands on the wall on this day."""
        return datetime.combine(day, time()) + timedelta(minutes=self.minutes)


class SpanReader:
    """Reads the times of an announcement from the left; what is left over is the reason."""

    def __init__(
        self, text: str, now: datetime, timezone: str, names: tuple[Sequence[str], Sequence[str]], phrases: Phrases
    ) -> None:
        self._text, self._at = text, 0
        self._now, self._zone = now, ZoneInfo(timezone)
        self._local = now.astimezone(self._zone).replace(tzinfo=None)
        self._days, self._months = names
        self._phrases = phrases

    def is_about_times(self) -> bool:
        """Whether there is a figure, or "now for"."""
        found = self._said(self._phrases.now) and self._said(self._phrases.lasting)
        self._at = 0
        return found or any(c.isdigit() for c in self._text)

    def span(self) -> tuple[datetime, datetime]:
        """Beginning and end."""
        at_once = self._said(self._phrases.now)
        lasting = self._said(self._phrases.lasting)
        begin = None if at_once or lasting else self._moment()
        if lasting or self._said(self._phrases.lasting):
            begins, ends = self._placed(begin, self._length())
        elif self._said(self._phrases.until):
            begins, ends = self._placed(begin, self._moment())
        else:
            raise self._doubt(Doubt.NO_TIMES)
        if begins - self._now > FARTHEST:
            raise DoubtError(Doubt.TOO_FAR, self._text)
        if ends - begins > LONGEST:
            raise DoubtError(Doubt.TOO_LONG, self._text)
        return begins.astimezone(self._now.tzinfo), ends.astimezone(self._now.tzinfo)

    def rest(self) -> str:
        """The reason. One more day or time that follows without a comma is none."""
        at = self._at
        reason = self._text[at:].strip(f" ,;.:(){DASHES}")
        if self._text[at:].lstrip()[:1].isalnum():
            self._said(self._phrases.before_a_time)
            word = WORD.match(self._text, self._space())
            plain_word = word and len(word[0]) < 3 and self._text[word.end() :].lstrip()[:1].isalnum()  # "we replace …"
            if self._time() is not None or (self._day() and not plain_word):
                raise DoubtError(Doubt.NO_TIMES, self._text[at:])
        return reason

    def _placed(self, begin: _Moment | None, end: _Moment | timedelta) -> tuple[datetime, datetime]:
        """The first time that it can be, and that has not gone by."""
        if begin is None:
            return self._now, self._ends(self._now, self._local, end)
        today = self._local.date()
        days = begin.day.candidates(today, today, 1)
        if not days:
            raise DoubtError(Doubt.NO_SUCH_DATE, begin.written)
        for day in days:
            begins = first_showing(begin.on(day), self._zone)
            ends = self._ends(begins, begin.on(day), end)
            if not begin.day.year and begins - self._now > NEXT_YEAR:
                break
            if ends > self._now:
                return begins, ends
        raise DoubtError(Doubt.PAST, begin.written)

    def _ends(self, begins: datetime, wall: datetime, end: _Moment | timedelta) -> datetime:
        if isinstance(end, timedelta):
            return begins + end
        days = end.day.candidates(wall.date(), self._local.date(), 0)
        if not days:
            raise DoubtError(Doubt.NO_SUCH_DATE, end.written)
        later = [end.on(day) for day in days if end.on(day) > wall]
        if not later:
            raise DoubtError(Doubt.ENDS_FIRST, self._text)
        ends = last_showing(min(later), self._zone)
        if ends <= begins:  # all of it lies in the hour that the clocks skip
            raise DoubtError(Doubt.NO_SUCH_TIME, self._text)
        return ends

    def _moment(self) -> _Moment:
        self._said(self._phrases.before_a_time)
        at = self._at
        day = self._day()
        self._comma()
        self._said(self._phrases.before_a_time)
        minutes = self._time()
        if minutes is None:  # what looked like the date 10.11 was a time
            self._at, day = at, None
            minutes = self._time()
        written = self._text[at : self._at]
        if minutes is None:
            raise self._doubt(Doubt.NO_TIMES)
        day = day or _Day()
        if day.two:
            raise DoubtError(Doubt.TWO_DATES, written)
        if day.night and minutes < EVENING:
            if minutes >= MORNING:
                raise DoubtError(Doubt.NO_SUCH_TIME, written)
            # The small hours of tonight: those that lie ahead.
            day = _Day(ahead=int(self._local.hour * 60 + self._local.minute >= MORNING))
        return _Moment(day=day, minutes=minutes, written=written)

    def _day(self) -> _Day | None:
        phrases = self._phrases
        for words, day in (
            (phrases.today, _Day(ahead=0)),
            (phrases.tonight, _Day(ahead=0, night=True)),
            (phrases.tomorrow, _Day(ahead=1)),
        ):
            if self._said(words):
                return day
        weekday = None
        word = WORD.match(self._text, self._space())
        if word and (weekday := _named(word[0], self._days)) is not None:
            self._at = word.end()
            self._comma()
        written = self._date(weekday)
        return written or (None if weekday is None else _Day(weekday=weekday))

    def _date(self, weekday: int | None) -> _Day | None:
        """A date in one of its forms."""
        at = self._space()
        for form in (ISO, DAY_MONTH, MONTH_DAY):
            if found := form.match(self._text, at):
                named = None if form is ISO else _named(found["word"], self._months)
                month = int(found["month"]) if form is ISO else 0 if named is None else named + 1
                if month:
                    self._at = found.end()
                    year = int(found["year"]) if found["year"] else None
                    return _Day(year=year, month=month, day=int(found["day"]), weekday=weekday)
        if found := NUMBERS.match(self._text, at):
            first, second, year_text = int(found[1]), int(found[3]), found[4] or ""
            day, month = (first, second) if second <= 12 else (second, first)
            if month > 12:
                return None
            self._at = found.end()
            two = (first <= 12 and second <= 12 and first != second) or len(year_text) == 2
            return _Day(year=int(year_text or 0) or None, month=month, day=day, weekday=weekday, two=two)
        return None

    def _time(self) -> int | None:
        """Minutes after midnight."""
        found = TIME.match(self._text, self._space())
        if not found or not (found[2] or found[3]):
            return None
        self._at = found.end()
        hour, minute = int(found[1]), int(found[2] or 0)
        if found[3]:
            wrong = not 1 <= hour <= 12
            hour = hour % 12 + (12 if found[3] in "pP" else 0)
        else:
            wrong = hour * 60 + minute > 24 * 60
        if wrong or minute > 59:
            raise DoubtError(Doubt.NO_SUCH_TIME, found[0])
        if zone := ZONE.match(self._text, self._space()):
            raise DoubtError(Doubt.OTHER_ZONE, self._text[found.start() : zone.end()])
        self._said(self._phrases.after_a_time)
        return hour * 60 + minute

    def _length(self) -> timedelta:
        """ "2 hours", "90 min", "1.5 h", "1 hour 30 minutes"."""
        total = timedelta()
        while found := LENGTH.match(self._text, self._space()):
            number, tenth, unit = found[1].casefold(), int(found[2] or 0), found[3].casefold()
            count = int(number) if number.isdecimal() else int(number in self._phrases.one)
            if unit in self._phrases.hours and count + tenth and not total:
                total += timedelta(hours=count, minutes=6 * tenth)
            elif unit in self._phrases.minutes and count:
                total += timedelta(minutes=count)
            else:
                break
            self._at = found.end()
        if not total:
            raise self._doubt(Doubt.NO_TIMES)
        return total

    def _said(self, words: Sequence[str]) -> bool:
        """Whether one of these words stands here; it is then read."""
        for word in sorted(words, key=len, reverse=True):
            pattern = re.escape(word) + (r"(?![^\W_])" if word[-1:].isalnum() else "")
            if found := re.compile(pattern, re.IGNORECASE).match(self._text, self._space()):
                self._at = found.end()
                return True
        return False

    def _space(self) -> int:
        """Where the next word begins."""
        self._at += self._text[self._at : self._at + 1] == " "  # there is never more than one
        return self._at

    def _comma(self) -> None:
        """ "Saturday, 28 November, 22:00"."""
        self._at += self._text[self._at : self._at + 1] == ","

    def _doubt(self, reason: Doubt) -> DoubtError:
        return DoubtError(reason, self._text[self._at :] or self._text)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day) if year in YEARS else None
    except ValueError:
        return None


def _named(word: str, names: Sequence[str]) -> int | None:
    """Which of the names begins with this word, where only one does."""
    word = word.rstrip(".").casefold()
    hits = [i for i, name in enumerate(names) if name.casefold().startswith(word)]
    return hits[0] if len(hits) == 1 else None
