"""Reads the words of one moment in whatever order they come: "Tue 9:05", "9 this morning", "5 pm yesterday"."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from mailflow.domain.time_words import Doubt, DoubtError, named
from mailflow.domain.written_times import WORD, Clock, Day, TimeReader

HALF_DAY, WHOLE_DAY = 12 * 60, 24 * 60  # minutes
NIGHT_ENDS = 7 * 60  # until then "tonight" is the night that one is in
SHORT = 3  # letters from which on a word before other words can be a weekday: "We wait" is no Wednesday


class Part(StrEnum):
    """A part of the day, as people speak of it."""

    MORNING = "morning"
    AFTERNOON = "afternoon"
    EVENING = "evening"
    NIGHT = "night"


# From when to when a time can be meant that is said with it, in minutes; a night goes on into the next day.
SPANS = {
    Part.MORNING: (0, 12 * 60),
    Part.AFTERNOON: (12 * 60, 19 * 60),
    Part.EVENING: (16 * 60, 24 * 60),
    Part.NIGHT: (18 * 60, 31 * 60),
}


@dataclass(frozen=True, kw_only=True)
class Written:
    """A moment, as far as it is written."""

    day: Day | None = None
    part: Part | None = None
    clock: Clock | None = None
    midnight: bool = False  # the clock says so, and not whether it is the one before or after the day


class MomentReader(TimeReader, ABC):
    """Reads a moment's words, in the order in which they come."""

    def _written(self) -> Written:
        """All of it that stands here. "10.11" is a date where a time follows, else a time."""
        at = self._at
        read = self._words()
        if read.clock is None and read.day and read.day.month and read.part is None:
            end = self._at
            self._at, self._with_dots = at, False
            try:
                other = self._words()
            except DoubtError:  # 24.12 is no time
                other = read
            self._with_dots = True
            if other.clock and not other.clock.bare:
                return self._either(read, other, end)
            self._at = end
        return read

    @abstractmethod
    def _either(self, date_: Written, time_: Written, date_ends: int) -> Written:
        """What is meant where it can be a date, or a time."""

    def _words(self) -> Written:
        day: Day | None = None
        part: Part | None = None
        clock: Clock | None = None
        midnight = False
        phrases = self._phrases
        while True:
            before = self._at
            self._comma()
            at_a_time = self._said(phrases.before_a_time)
            at_a_time = self._said(phrases.before_a_part) or at_a_time
            start = self._space()
            if day is None and self._said(phrases.last_night):
                day, part = Day(ahead=-1), Part.NIGHT
            elif day is None and part is None and self._said(phrases.this):
                if part := self._part():
                    day = Day(ahead=0)
                elif (day := self._plain_day()) is None:
                    self._at = start
            elif part is None and (part := self._part()):
                pass
            elif day is None and (day := self._plain_day()):
                part = Part.NIGHT if day.night else part
            elif clock is None and self._said(phrases.noon):
                clock = Clock(minutes=HALF_DAY, certain=True, bare=False)
            elif clock is None and self._said(phrases.midnight):
                clock, midnight = Clock(minutes=0, certain=True, bare=False), True
            elif clock is None:
                clock = self._time(at_a_time or day is not None or part is not None)
            if self._at == start:
                self._at = before
                return Written(day=day, part=part, clock=clock, midnight=midnight)

    def _plain_day(self) -> Day | None:
        """A day; but two letters before more words are no weekday ("We wait"), and the next Friday is one of two."""
        at = self._at
        if self._said(self._phrases.other_week):
            if self._day() is None:
                self._at = at
                return None
            raise DoubtError(Doubt.TWO_DATES, self._text[at : self._at])
        word = WORD.match(self._text, self._space())
        if word and len(word[0]) < SHORT and named(word[0], self._names.days) is not None:
            follows = self._text[word.end() :].lstrip()[:1]
            if follows.isalpha():
                self._at = at
                return None
        day = self._day()
        if day is None:
            self._at = at
        return day

    def _part(self) -> Part | None:
        at = self._at
        for part in Part:
            if self._said(getattr(self._phrases, part)):
                return part
        self._at = at
        return None

    def _time(self, with_more: bool) -> Clock | None:
        """A time; an hour alone only where nothing else can be meant: at the end, before a comma, or "9 this …"."""
        at = self._at
        clock = self._clock()
        if clock is None or not clock.bare:
            return clock
        end = self._at
        follows = self._text[end:].lstrip()[:1]
        if (follows and follows not in ",;.:!" and not self._belongs()) or (clock.minutes > HALF_DAY and not with_more):
            self._at = at
            return None
        self._at = end
        return clock

    def _belongs(self) -> bool:
        """Whether a part of the day or a day's name goes on here: "9 in the morning", "5 yesterday"."""
        if not self._said(self._phrases.this):
            self._said(self._phrases.before_a_part)
        return self._part() is not None or self._said((*self._phrases.yesterday, *self._phrases.tonight))

    def _minutes(self, written: Written, said: str) -> int | None:
        """Minutes after the midnight before its day, more than a day's in a night; None where no time is written."""
        clock, part = written.clock, written.part
        if clock is None:
            return None
        if part is None or written.midnight:
            if clock.bare and not clock.certain:
                raise DoubtError(Doubt.AM_OR_PM, said)
            return clock.minutes
        begins, ends = SPANS[part]
        meant = {clock.minutes}
        if not clock.certain:
            meant = {clock.minutes % HALF_DAY, clock.minutes % HALF_DAY + HALF_DAY}
        fitting = [m + d for m in sorted(meant) for d in (0, WHOLE_DAY) if begins <= m + d < ends]
        if not fitting:
            raise DoubtError(Doubt.NO_SUCH_TIME, said)
        if len(fitting) > 1:
            raise DoubtError(Doubt.AM_OR_PM, said)
        return fitting[0]

    def _showings(self, wall: datetime, said: str) -> list[datetime]:
        """When a clock on the wall shows this: once, or twice; never in the hour that it skips."""
        first, second = (wall.replace(tzinfo=self._zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        if first > second:
            raise DoubtError(Doubt.NO_SUCH_TIME, said)
        return [first] if first == second else [first, second]

    def _night(self, day: Day, minutes: int, begins: date) -> date:
        """The day on which a night begins: before the morning, the small hours of "tonight" are those of now."""
        now_in_it = self._local.hour * 60 + self._local.minute < NIGHT_ENDS
        return begins - timedelta(days=int(day.night and minutes >= WHOLE_DAY and now_in_it))
