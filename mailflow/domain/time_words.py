"""What it takes to read a time that a person wrote: the words of a language, and the kinds of doubt about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

SHOWN = 60  # characters of the words that were unclear
DASHES = "-–—"


class Doubt(StrEnum):
    """Why a time was not understood."""

    NO_TIMES = "no_times"  # no beginning and end, nor a length, in words that are known
    TWO_DATES = "two_dates"  # 5/6 is a day in May or in June
    DATE_OR_TIME = "date_or_time"  # 9.05 is a time, or a day in May
    AM_OR_PM = "am_or_pm"  # "9" is in the morning or in the evening
    MIDNIGHT = "midnight"  # Tuesday's is the one before it or the one after
    TWICE = "twice"  # the hour that the clocks show again at the end of daylight-saving
    NO_SUCH_DATE = "no_such_date"  # the 31st of November, or a Monday that is a Tuesday
    NO_SUCH_TIME = "no_such_time"  # 25:00, "tonight" at noon, or in the hour that the clocks skip
    OTHER_ZONE = "other_zone"  # 22:00 UTC
    ENDS_FIRST = "ends_first"
    PAST = "past"
    AHEAD = "ahead"  # still to come, where something is over
    TOO_FAR = "too_far"
    TOO_LONG = "too_long"


@dataclass(frozen=True, kw_only=True)
class Unclear:
    """Times that must be asked about."""

    reason: Doubt
    text: str  # the words in question


class DoubtError(Exception):
    """Times that must be asked about."""

    def __init__(self, reason: Doubt, text: str) -> None:
        super().__init__(reason)
        self.unclear = Unclear(reason=reason, text=text.strip()[:SHOWN])


@dataclass(frozen=True, kw_only=True)
class Phrases:
    """A language's words around times, in any case. The defaults are English."""

    everyone: tuple[str, ...] = ("all", "everyone", "everybody")
    listing: tuple[str, ...] = ("and",)  # between things
    today: tuple[str, ...] = ("today",)
    tonight: tuple[str, ...] = ("tonight",)
    tomorrow: tuple[str, ...] = ("tomorrow",)
    yesterday: tuple[str, ...] = ("yesterday",)
    last_night: tuple[str, ...] = ("last night",)
    this: tuple[str, ...] = ("this",)  # before a part of the day or a weekday
    morning: tuple[str, ...] = ("morning",)
    afternoon: tuple[str, ...] = ("afternoon",)
    evening: tuple[str, ...] = ("evening",)
    night: tuple[str, ...] = ("night",)
    noon: tuple[str, ...] = ("noon", "midday")
    midnight: tuple[str, ...] = ("midnight",)
    now: tuple[str, ...] = ("now",)
    just_now: tuple[str, ...] = ("just now", "right now", "now", "a moment ago")
    ago: tuple[str, ...] = ("ago",)  # behind a length
    before_ago: tuple[str, ...] = ()  # or before it, where a language says so
    within: tuple[str, ...] = ("in", "within")  # before a length that is still to pass
    before_a_time: tuple[str, ...] = ("from", "on", "at", "between")
    before_a_part: tuple[str, ...] = ("in the", "at", "on", "the", "of")  # what else may stand between day and time
    after_a_time: tuple[str, ...] = ("hrs", "hours", "o'clock")
    until: tuple[str, ...] = ("to", "till", "until", "and", *DASHES)
    by: tuple[str, ...] = ("by", "until", "till", "before", "on", "at", "for")  # before a day that is waited for
    either: tuple[str, ...] = ("or", "/")
    lasting: tuple[str, ...] = ("for the next", "for")
    hours: tuple[str, ...] = ("h", "hr", "hrs", "hour", "hours")
    minutes: tuple[str, ...] = ("m", "min", "mins", "minute", "minutes")
    days: tuple[str, ...] = ("d", "day", "days")
    weeks: tuple[str, ...] = ("w", "wk", "week", "weeks")
    one: tuple[str, ...] = ("a", "an", "one")
    numbers: tuple[str, ...] = (
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
    )
    half: tuple[str, ...] = ("half an", "half a")
    and_a_half: tuple[str, ...] = ("and a half",)  # behind "an hour"
    next_week: tuple[str, ...] = ("next week", "end of next week", "the end of next week")
    end_of_week: tuple[str, ...] = ("this week", "end of the week", "the end of the week", "end of this week")
    end_of_day: tuple[str, ...] = ("end of day", "end of the day", "the end of the day", "end of today", "eod")
    other_week: tuple[str, ...] = ("next", "last")  # before a weekday: people don't agree which one it is
    first: tuple[str, ...] = ("first", "the first", "the first time")  # of an hour that came twice
    second: tuple[str, ...] = ("second", "the second", "the second time")


ENGLISH = Phrases()


@dataclass(frozen=True, kw_only=True)
class Names:
    """What a language calls days, months and all that stands around a time."""

    days: Sequence[str]  # Monday first
    months: Sequence[str]  # January first
    phrases: Phrases = ENGLISH


def named(word: str, names: Sequence[str]) -> int | None:
    """Which of the names begins with this word, where only one does."""
    word = word.rstrip(".").casefold()
    hits = [i for i, name in enumerate(names) if name.casefold().startswith(word)]
    return hits[0] if len(hits) == 1 else None
