"""Reads days, times and lengths as a person writes them, from the left: "Sat", "28/11", "22:00", "2 hours".

Promises: a date that can be two dates is known as such, and none is guessed. What a time means (the next one, the last
one, a beginning, an end) is for those who use the reader: announced_times and moments.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from mailflow.domain.time_words import Doubt, DoubtError, Names, named

FARTHEST = timedelta(days=400)  # a year ahead and a little
NEXT_YEAR = timedelta(days=300)  # a date without a year that is farther off is meant on the other side of today
YEARS = range(1970, 2200)  # with which every zone can calculate
CENTURY = 2000  # of a year of two figures
DAY_FIRST, MONTH_FIRST = "dmy", "mdy"  # the order of figures in a date; "" where it is not known
ORDERS = ("", DAY_FIRST, MONTH_FIRST)

TIME = re.compile(r"(\d{1,2})(?:[:.h](\d{2})(?::(\d{2}))?)?(?:\s*([ap])\.?m\b\.?)?(?!\d|[:/.]\d)", re.IGNORECASE)
ISO = re.compile(r"(?P<year>\d{4})([-/.])(?P<month>\d{1,2})\2(?P<day>\d{1,2})(?:t|,|\b)", re.IGNORECASE)
NUMBERS = re.compile(r"(\d{1,2})([/.-])(\d{1,2})(?:\2(\d{4}|\d{2})?)?(?!\d|:\d|h)")
DAY_MONTH = re.compile(
    r"(?P<day>\d{1,2})(?:st|nd|rd|th|\.)?(?:\s+|-)(?P<word>[^\W\d_]{3,})\.?,?(?:(?:\s+|-)(?P<year>\d{4})\b)?"
)
MONTH_DAY = re.compile(
    r"(?P<word>[^\W\d_]{3,})\.?\s+(?P<day>\d{1,2})(?:st|nd|rd|th)?\b(?![:.]\d),?(?:\s+(?P<year>\d{4})\b)?"
)
WORD = re.compile(r"[^\W\d_]{2,}\b\.?")
LENGTH = re.compile(r"(\d{1,3}|[^\W\d_]+)(?:[.,](\d))?\s*([^\W\d_]+)(?![^\W\d_])\.?")
# A time in a zone of its own would be taken for one in ours: 22:00 UTC, 22:00+01:00.
ZONE = re.compile(r"\+\d|\(?(?:UTC|GMT|Z|BST|IST|JST|SAST|HST|AK[SD]T|NZ[SD]T|A[ECW][SD]T|[ACEMP][SD]?T|[CEW]ES?T)\b")


@dataclass(frozen=True, kw_only=True)
class Day:
    """A day, as far as it is written."""

    year: int | None = None
    month: int = 0  # 0: none is written
    day: int = 0
    weekday: int | None = None
    ahead: int | None = None  # days from today: 0 today, 1 tomorrow
    night: bool = False  # "tonight"
    two: bool = False  # it could be another date as well

    def in_years(self, years: Sequence[int]) -> list[date]:
        """The dates that this day and month are, in its own year where one is written; only on its weekday."""
        dates = [_date(year, self.month, self.day) for year in ([self.year] if self.year else years)]
        return [d for d in dates if d and self.weekday in (None, d.weekday())]


@dataclass(frozen=True, kw_only=True)
class Clock:
    """A time of day in figures."""

    minutes: int  # after midnight, at most 1440
    seconds: int = 0
    certain: bool  # am, pm, or beyond noon: it is in the half of the day that it says
    bare: bool  # an hour alone, "9"


class TimeReader:
    """Reads from the left; what it does not know, it leaves where it stands."""

    def __init__(self, text: str, now: datetime, timezone: str, names: Names, order: str) -> None:
        self._text, self._at = text, 0
        self._now, self._zone = now, ZoneInfo(timezone)
        self._local = now.astimezone(self._zone).replace(tzinfo=None)
        self._names, self._phrases, self._order = names, names.phrases, order
        self._with_dots = True  # whether 9.05 may be a date

    def _day(self) -> Day | None:
        """A day by name, by date or by its distance from today."""
        phrases = self._phrases
        for words, day in (
            (phrases.today, Day(ahead=0)),
            (phrases.tonight, Day(ahead=0, night=True)),
            (phrases.tomorrow, Day(ahead=1)),
            (phrases.yesterday, Day(ahead=-1)),
        ):
            if self._said(words):
                return day
        weekday = None
        word = WORD.match(self._text, self._space())
        if word and (weekday := named(word[0], self._names.days)) is not None:
            self._at = word.end()
            self._comma()
        written = self._date(weekday)
        return written or (None if weekday is None else Day(weekday=weekday))

    def _date(self, weekday: int | None) -> Day | None:
        """A date in one of its forms."""
        at = self._space()
        for form in (ISO, DAY_MONTH, MONTH_DAY):
            if found := form.match(self._text, at):
                month_name = None if form is ISO else named(found["word"], self._names.months)
                month = int(found["month"]) if form is ISO else 0 if month_name is None else month_name + 1
                if month:
                    self._at = found.end()
                    year = int(found["year"]) if found["year"] else None
                    return Day(year=year, month=month, day=int(found["day"]), weekday=weekday)
        found = NUMBERS.match(self._text, at)
        if not found or (found[2] == "." and not self._with_dots):
            return None
        first, second, year_text = int(found[1]), int(found[3]), found[4] or ""
        day, month = (second, first) if self._order == MONTH_FIRST else (first, second)
        if month > 12:  # as it can only be meant
            day, month = month, day
        if month > 12 or not (day and month):
            return None
        self._at = found.end()
        two = not self._order and ((first <= 12 and second <= 12 and first != second) or len(year_text) == 2)
        year = int(year_text) + (CENTURY if len(year_text) == 2 else 0) if year_text else None
        return Day(year=year, month=month, day=day, weekday=weekday, two=two)

    def _clock(self) -> Clock | None:
        """A time of day in figures; a bare hour too."""
        found = TIME.match(self._text, self._space())
        if not found:
            return None
        hour, minute, second = int(found[1]), int(found[2] or 0), int(found[3] or 0)
        if found[4]:
            wrong = not 1 <= hour <= 12
            hour = hour % 12 + (12 if found[4] in "pP" else 0)
        else:
            wrong = hour * 60 + minute + second / 60 > 24 * 60
        bare = not (found[2] or found[4])
        if bare and (wrong or self._text[found.end() : found.end() + 1].isalpha()):
            return None  # 28 is no hour at all, nor is 2h
        self._at = found.end()
        if wrong or minute > 59 or second > 59:
            raise DoubtError(Doubt.NO_SUCH_TIME, found[0])
        if not bare and (zone := ZONE.match(self._text, self._space())):
            raise DoubtError(Doubt.OTHER_ZONE, self._text[found.start() : zone.end()])
        after = self._at
        if self._said(self._phrases.after_a_time) and bare:
            word = self._text[after : self._at].strip().casefold()
            if word in self._phrases.hours:  # "2 hours" is a length
                self._at = found.start()
                return None
        # "0:30" and "12:30" are in their half already: nobody writes noon as 0:00.
        certain = bool(found[4]) or hour > 12 or hour == 0
        return Clock(minutes=hour * 60 + minute, seconds=second, certain=certain, bare=bare)

    def _length(self) -> timedelta | None:
        """ "2 hours", "90 min", "1.5 h", "1 hour 30 minutes", "half an hour"; hours and minutes alone."""
        total = timedelta()
        at = self._at
        if self._said(self._phrases.half):
            unit = WORD.match(self._text, self._space())
            if unit and unit[0].casefold() in self._phrases.hours:
                self._at = unit.end()
                return timedelta(minutes=30)
            self._at = at
        while found := LENGTH.match(self._text, self._space()):
            count, tenth, unit_word = self._count(found[1]), int(found[2] or 0), found[3].casefold()
            if unit_word in self._phrases.hours and count + tenth and not total:
                total += timedelta(hours=count, minutes=6 * tenth)
                self._at = found.end()
                if self._said(self._phrases.and_a_half):
                    return total + timedelta(minutes=30)
            elif unit_word in self._phrases.minutes and count:
                total += timedelta(minutes=count)
            else:
                break
            self._at = found.end()
        return total or None

    def _count(self, word: str) -> int:
        """A number in figures or in words; 0 where it is none."""
        word = word.casefold()
        if word.isdecimal():
            return int(word)
        if word in self._phrases.one:
            return 1
        return self._phrases.numbers.index(word) + 2 if word in self._phrases.numbers else 0

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
