"""When planned work is, as a person writes it: "Sat 22:00 to Sun 02:00", "28/11 22:00-23:30", "now for 2 hours".

Promises: what can be read in two ways (5/6) is told as unclear with its reason, never guessed, and so is what lies in
the past. Where no day or no year is written, the next one is meant whose end has not come yet.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from mailflow.domain.hours import first_showing, last_showing
from mailflow.domain.time_words import DASHES, Doubt, DoubtError
from mailflow.domain.written_times import FARTHEST, NEXT_YEAR, WORD, Day, TimeReader

LONGEST = timedelta(days=31)  # longer is a slip of the pen, and would hide a month of trouble
EVENING, MORNING = 17 * 60, 7 * 60  # "tonight" is from one to the other


@dataclass(frozen=True, kw_only=True)
class _Moment:
    day: Day
    minutes: int  # after midnight, at most 1440
    written: str

    def on(self, day: date) -> datetime:
        """As it stands on the wall on this day."""
        return datetime.combine(day, time()) + timedelta(minutes=self.minutes)


class SpanReader(TimeReader):
    """Reads the times of an announcement from the left; what is left over is the reason."""

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
            begins, ends = self._placed(begin, self._lasts())
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
        days = _candidates(begin.day, today, today, 1)
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
        days = _candidates(end.day, wall.date(), self._local.date(), 0)
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
        day = day or Day()
        if day.two:
            raise DoubtError(Doubt.TWO_DATES, written)
        if day.night and minutes < EVENING:
            if minutes >= MORNING:
                raise DoubtError(Doubt.NO_SUCH_TIME, written)
            # The small hours of tonight: those that lie ahead.
            day = Day(ahead=int(self._local.hour * 60 + self._local.minute >= MORNING))
        return _Moment(day=day, minutes=minutes, written=written)

    def _lasts(self) -> timedelta:
        length = self._length()
        if length is None:
            raise self._doubt(Doubt.NO_TIMES)
        return length

    def _time(self) -> int | None:
        """Minutes after midnight; a bare hour is none."""
        at = self._at
        clock = self._clock()
        if clock is None or clock.bare:
            self._at = at
            return None
        return clock.minutes


def _candidates(day: Day, seen: date, today: date, slack: int) -> list[date]:
    """The days that can be meant by somebody who thinks of `seen`, or of `slack` days before it."""
    if day.ahead is not None:
        return [today + timedelta(days=day.ahead)]
    if day.month:
        return day.in_years([seen.year, seen.year + 1])
    if day.weekday is not None:
        first = seen - timedelta(days=slack)
        first += timedelta(days=(day.weekday - first.weekday()) % 7)
        return [first + timedelta(days=7 * n) for n in range(slack + 1)]
    return [seen, seen + timedelta(days=1)]
