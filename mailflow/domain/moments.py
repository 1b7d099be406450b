"""The one moment that a person names: when something was over ("yesterday 5pm"), or until when to wait ("by Friday").

Promises: what can be read in two ways is told as unclear with its reason, never guessed. What is over lies in the past,
and what is waited for in the time to come.
"""

import re
from datetime import date, datetime, time, timedelta

from mailflow.domain.moment_reader import HALF_DAY, WHOLE_DAY, MomentReader, Part, Written
from mailflow.domain.time_words import DASHES, Doubt, DoubtError, Names, Unclear
from mailflow.domain.written_times import FARTHEST, NEXT_YEAR, Day

LONGEST_TEXT = 500  # characters that are looked at
AHEAD = timedelta(minutes=5)  # by which a clock on the wall may be before ours
FRIDAY, WEEK = 4, 7
COUNT = re.compile(r"\d{1,3}|[^\W\d_]+")

# By when it is over for somebody who waits, where no time is said with it.
ENDS = {Part.MORNING: 12 * 60, Part.AFTERNOON: 17 * 60, Part.EVENING: 21 * 60, Part.NIGHT: 22 * 60}


def past_moment(
    text: str, near: datetime, now: datetime, timezone: str, names: Names, order: str
) -> datetime | Unclear | None:
    """The moment in the past that `text` names; None where it is no time.

    Without a day it is on that of `near`, or on the day before where that is still to come; a weekday is the one
    closest to `near`, and a date without a year the last one. `order` is that of the figures in a date, "dmy" or "mdy";
    "" means that 5/6 is asked about.
    """
    reader = _PastReader(_plain(text), now, timezone, names, order)
    try:
        return reader.moment(near)
    except DoubtError as doubt:
        return doubt.unclear


def coming_moment(
    text: str, now: datetime, timezone: str, names: Names, order: str, day_ends: str
) -> tuple[datetime, str] | Unclear | None:
    """The moment to come that `text` begins with, and what follows it: "Friday, waiting for the vendor".

    None where it begins with no time. A day without a time is meant until `day_ends` ("17:00").
    """
    hour, _, minute = day_ends.partition(":")
    reader = _ComingReader(_plain(text), now, timezone, names, order)
    try:
        return reader.moment(int(hour) * 60 + int(minute))
    except DoubtError as doubt:
        return doubt.unclear


class _PastReader(MomentReader):
    """Reads when something was."""

    def moment(self, near: datetime) -> datetime | None:
        """The moment, where the whole text is one."""
        phrases = self._phrases
        if self._said(phrases.just_now) and self._ended():
            return self._now
        self._at = 0
        before = self._said(phrases.before_ago)
        length = self._length()
        if length and (self._said(phrases.ago) or before) and self._ended():
            return self._now - length
        self._at = 0
        written = self._written()
        showing = 0 if self._said(phrases.first) else 1 if self._said(phrases.second) else None
        minutes = self._minutes(written, self._text)
        if minutes is None or written.clock is None or not self._ended():
            return None
        days = self._days(written, minutes, near)
        if not days:
            raise DoubtError(Doubt.NO_SUCH_DATE, self._text)
        latest = self._now + AHEAD
        for day in days:
            wall = datetime.combine(day, time()) + timedelta(minutes=minutes, seconds=written.clock.seconds)
            moments = [m for m in self._showings(wall, self._text) if m <= latest]
            if moments:
                return self._chosen(moments, showing, wall, near).astimezone(self._now.tzinfo)
        raise DoubtError(Doubt.AHEAD, self._text)

    def _days(self, written: Written, minutes: int, near: datetime) -> list[date]:
        """The days that can be meant, the likeliest first."""
        day, today = written.day, self._local.date()
        around = near.astimezone(self._zone).date()
        if day and day.two:
            raise DoubtError(Doubt.TWO_DATES, self._text)
        if written.midnight:
            if day:
                raise DoubtError(Doubt.MIDNIGHT, self._text)
            # Of the one before and the one after, the closer.
            afternoon = near.astimezone(self._zone).hour * 60 >= HALF_DAY
            return [around + timedelta(days=1), around] if afternoon else [around, around + timedelta(days=1)]
        if day is None:
            # In the small hours, "at night" is the night that near is in.
            around -= timedelta(days=minutes // WHOLE_DAY)
            return [around, around - timedelta(days=1)]
        if day.ahead is not None:
            return [self._night(day, minutes, today + timedelta(days=day.ahead))]
        if written.part is Part.NIGHT and minutes > WHOLE_DAY:  # "Monday night at 2": of which night?
            raise DoubtError(Doubt.TWO_DATES, self._text)
        if day.month:
            dates = day.in_years([around.year - 1, around.year, around.year + 1])
            dates = sorted(dates, key=lambda d: abs(d - around))
            return [d for d in dates if day.year or today - d <= NEXT_YEAR]
        week = [around + timedelta(days=n) for n in range(-WEEK + 1, WEEK)]
        return sorted((d for d in week if d.weekday() == day.weekday), key=lambda d: abs(d - around))

    def _chosen(self, moments: list[datetime], showing: int | None, wall: datetime, near: datetime) -> datetime:
        """Of an hour that came twice the one that is said, or that the record has already; else it is asked about."""
        if len(moments) == 1:
            return moments[0]
        if showing is not None:
            return moments[showing]
        recorded = [m for m in moments if timedelta() <= near - m < timedelta(minutes=1)]
        if not recorded:
            raise DoubtError(Doubt.TWICE, f"{wall:%H:%M}".removeprefix("0"))
        return recorded[0]

    def _either(self, date_: Written, time_: Written, date_ends: int) -> Written:
        return time_  # a date alone is no moment

    def _ended(self) -> bool:
        return not self._text[self._at :].strip(" .,;!")


class _ComingReader(MomentReader):
    """Reads until when to wait; what is left over is the reason."""

    def moment(self, day_ends: int) -> tuple[datetime, str] | None:
        """The moment, and the reason behind it."""
        found = self._after() or self._on_a_day(day_ends)
        if found is None:
            return None
        said = self._text[: self._at]
        rest = self._rest()
        if rest is None:
            return None
        if found <= self._now:
            raise DoubtError(Doubt.PAST, said)
        if found - self._now > FARTHEST:
            raise DoubtError(Doubt.TOO_FAR, said)
        return found.astimezone(self._now.tzinfo), rest

    def _after(self) -> datetime | None:
        """ "in two hours"."""
        length = self._length() if self._said(self._phrases.within) else None
        if length is None:
            self._at = 0
            return None
        return self._now + length

    def _on_a_day(self, day_ends: int) -> datetime | None:
        self._said(self._phrases.by)
        start = self._at
        written = self._far() or self._written()
        minutes = self._minutes(written, self._text[: self._at])
        if minutes is None:
            if written.day is None and written.part is None:
                return None
            minutes = ENDS[written.part] if written.part else day_ends
        said = self._text[start : self._at]
        if written.midnight:
            if written.day:
                raise DoubtError(Doubt.MIDNIGHT, said)
            minutes = WHOLE_DAY
        return self._first(written, minutes, said)

    def _far(self) -> Written | None:
        """ "end of the week", "next week Tuesday", "in 3 days at noon"."""
        phrases, today = self._phrases, self._local.date()
        at = self._at
        if self._said(phrases.end_of_day):
            return Written(day=self._words().day or Day(ahead=0))
        if self._said(phrases.end_of_week):
            return Written(day=Day(ahead=FRIDAY - today.weekday()))
        if self._said(phrases.next_week):
            return self._in_week(WEEK - today.weekday(), self._words())
        if self._said(phrases.within):
            count = COUNT.match(self._text, self._space())
            number = self._count(count[0]) if count else 0
            if count and number:
                self._at = count.end()
                days = number if self._said(phrases.days) else WEEK * number if self._said(phrases.weeks) else 0
                if days:
                    more = self._words()
                    return Written(day=Day(ahead=days), part=more.part, clock=more.clock, midnight=more.midnight)
        self._at = at
        if (day := self._plain_day()) and day.weekday is not None and not day.month:
            self._said(phrases.before_a_part)  # "Tuesday of next week"
            if self._said(phrases.next_week):
                return self._in_week(WEEK - today.weekday(), Written(day=day))
        self._at = at
        return None

    def _in_week(self, monday: int, more: Written) -> Written:
        """A day of the week that begins so many days from now; its Friday where none is named."""
        weekday = FRIDAY if more.day is None or more.day.weekday is None else more.day.weekday
        return Written(day=Day(ahead=monday + weekday), part=more.part, clock=more.clock, midnight=more.midnight)

    def _first(self, written: Written, minutes: int, said: str) -> datetime:
        """The first time that it can be, and that has not gone by."""
        days = self._days(written, minutes, said)
        if not days:
            raise DoubtError(Doubt.NO_SUCH_DATE, said)
        for day in days:
            moment = self._showings(datetime.combine(day, time()) + timedelta(minutes=minutes), said)[0]
            if moment > self._now:
                if written.day and written.day.month and not written.day.year and moment - self._now > NEXT_YEAR:
                    break
                return moment
        raise DoubtError(Doubt.PAST, said)

    def _days(self, written: Written, minutes: int, said: str) -> list[date]:
        day, today = written.day, self._local.date()
        if day is None:
            return [today, today + timedelta(days=1)]
        if day.two:
            raise DoubtError(Doubt.TWO_DATES, said)
        if day.ahead is not None:
            return [self._night(day, minutes, today + timedelta(days=day.ahead))]
        if written.part is Part.NIGHT and minutes > WHOLE_DAY:  # "Monday night at 2": of which night?
            raise DoubtError(Doubt.TWO_DATES, said)
        if day.month:
            return day.in_years([today.year, today.year + 1])
        first = today + timedelta(days=((day.weekday or 0) - today.weekday()) % WEEK)
        return [first, first + timedelta(days=WEEK)]

    def _either(self, date_: Written, time_: Written, date_ends: int) -> Written:
        if self._text[date_ends - 1] == ".":  # "9.5." is a date
            self._at = date_ends
            return date_
        raise DoubtError(Doubt.DATE_OR_TIME, self._text[: max(date_ends, self._at)])

    def _rest(self) -> str | None:
        """The reason; None where the time goes on in words that are not known ("Fri-Mon")."""
        at = self._at
        if self._said(self._phrases.either) or self._said(self._phrases.until):
            other = self._words()
            if other.day or other.clock:
                raise DoubtError(Doubt.TWO_DATES, self._text[: self._at])
        rest = self._text[at:]
        if rest and not (self._text[at - 1] == " " or rest[0] in " ,;.:("):
            return None
        return rest.strip(f" ,;.:(){DASHES}")


def _plain(text: str) -> str:
    """With single blanks, and no longer than anybody writes a time."""
    return " ".join(text.split())[:LONGEST_TEXT]
