"""One language's words, and how it speaks of times: "at about ten past nine this morning", "by Thursday"."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

THIS_WEEK = 6  # days after which a weekday alone could be mistaken


class WordsError(Exception):
    """A words.toml that cannot be used: names the file, the key, and what to do."""


@dataclass(frozen=True, kw_only=True)
class Words:
    """A words.toml."""

    language: str
    table: Mapping[str, Any]

    def at(self, path: str) -> Any:
        """The entry at a dotted path; WordsError where it is missing."""
        here: Any = self.table
        for key in path.split("."):
            if not isinstance(here, Mapping) or key not in here:
                raise WordsError(f"letters/{self.language}/words.toml: {path} is missing")
            here = here[key]
        return here

    def phrase(self, path: str, **values: object) -> str:
        """The sentence at `path` with its values; WordsError where it wants one that is not there."""
        try:
            return str(self.at(path)).format(**values)
        except (KeyError, IndexError) as error:
            raise WordsError(f"letters/{self.language}/words.toml: {path} wants {error}, which is not known") from None

    def with_symptoms(self, phrases: Mapping[str, Mapping[str, str]]) -> "Words":
        """The same, with symptoms that recipes brought along (name -> language -> "lost its internet line")."""
        if not phrases:
            return self
        said = {
            n: (words.get(self.language) or words["en"]).replace("{", "{{").replace("}", "}}")
            for n, words in phrases.items()
        }
        seen = {n: [frame.format(phrase=p) for frame in self.at("own.seen")] for n, p in said.items()}
        story = {n: str(self.at("own.story")).format(phrase=p) for n, p in said.items()}
        acknowledgement, debrief = self.at("acknowledgement"), self.at("debrief")
        return Words(
            language=self.language,
            table={
                **self.table,
                "symptom": {**said, **self.at("symptom")},
                "acknowledgement": {**acknowledgement, "seen": {**seen, **acknowledgement["seen"]}},
                "debrief": {**debrief, "story": {**story, **debrief["story"]}},
            },
        )

    def choose(self, path: str, variant: int) -> str:
        """One of the ways to say something; WordsError where it is not a list of them."""
        ways: Sequence[str] = self.at(path)
        if isinstance(ways, str) or not ways:
            raise WordsError(f"letters/{self.language}/words.toml: {path} must be a list of sentences, in [brackets]")
        return ways[variant % len(ways)]


def parse_words(language: str, text: str) -> Words:
    """The words of one language; WordsError with line and column where the TOML is broken."""
    try:
        return Words(language=language, table=tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise WordsError(f"letters/{language}/words.toml: {error}") from None


@dataclass(frozen=True, kw_only=True)
class Times:
    """How a moment is spoken of, in one zone, seen from `now`."""

    words: Words
    zone: ZoneInfo
    now: datetime

    @staticmethod
    def in_zone(words: Words, timezone: str, now: datetime) -> "Times":
        """The same, with the zone by its name."""
        return Times(words=words, zone=ZoneInfo(timezone), now=now)

    def when(self, at: datetime) -> str:
        """ "at about ten past nine this morning"; "on Tuesday morning" when it is longer ago."""
        if not 0 <= self._days_ago(at) <= 1:  # or tomorrow, where a server's clock is ahead of ours
            return self.on(at)
        local = at.astimezone(self.zone)
        if local.hour % 12 == 0 and self._step(at) == 0:
            return str(self.words.at("time.at_turn")[self._days_ago(at)]).format(rough=self.rough(at))
        return self.words.phrase("time.at", rough=self.rough(at), part=self.part(at))

    def exact(self, at: datetime) -> str:
        """ "at 9:12", "at 9:12 on Tuesday", "at 9:12 on 17 November": for our own people."""
        local = at.astimezone(self.zone)
        ago = self._days_ago(at)
        way = 0 if ago == 0 else 1 if 0 < ago <= THIS_WEEK else 2
        ways: Sequence[str] = self.words.at("time.exact")
        return ways[way].format(time=f"{local.hour}:{local:%M}", **self._date(at))

    def rough(self, at: datetime) -> str:
        """ "about ten past nine": rounded down, so that it is never still to come and every letter says the same."""
        hour = at.astimezone(self.zone).hour
        hours: Sequence[str] = self.words.at("time.hours")
        ways: Sequence[str] = self.words.at("time.rough")
        return ways[self._step(at)].format(hour=hours[hour], next=hours[(hour + 1) % 24])

    def _step(self, at: datetime) -> int:
        """Which of a language's ways to name a part of the hour: twelve of them are five minutes each."""
        return at.astimezone(self.zone).minute * len(self.words.at("time.rough")) // 60

    def part(self, at: datetime) -> str:
        """ "this morning", "yesterday evening", "on Tuesday morning"."""
        part = self._part(at)
        match self._days_ago(at):
            case 0 if part == "night" and at.astimezone(self.zone).hour > 12:
                return str(self.words.at("time.late_today.night"))
            case 0:
                return str(self.words.at(f"time.today.{part}"))
            case 1:
                return str(self.words.at(f"time.yesterday.{part}"))
            case _:
                return self.on(at)

    def of(self, at: datetime) -> str:
        """ "this morning"; "on Tuesday morning" from the next day on, for letters that are read again later."""
        return self.part(at) if self._days_ago(at) == 0 else self.on(at)

    def on(self, at: datetime) -> str:
        """ "on Tuesday morning", "on Tuesday 17 November": never relative."""
        if self._days_ago(at) > THIS_WEEK:
            return self.words.phrase("time.long_ago", **self._date(at))
        return self.words.phrase("time.earlier", part=self._part(at), **self._date(at))

    def clock(self, at: datetime) -> str:
        """ "9:21", "3:40 pm"."""
        local = at.astimezone(self.zone)
        if local.hour in range(1, 13) and local.hour < 12:
            return f"{local.hour}:{local:%M}"
        return f"{local.hour % 12 or 12}:{local:%M} {'am' if local.hour < 12 else 'pm'}"

    def day(self, at: datetime) -> str:
        """ "Tuesday 24 November"."""
        return self.words.phrase("time.date", **self._date(at))

    def full(self, at: datetime) -> str:
        """ "Thursday 24 December at 17:00", and the year where it is another one: what was understood, said back."""
        local = at.astimezone(self.zone)
        year = f" {local.year}" if local.year != self.now.astimezone(self.zone).year else ""
        return self.words.phrase("time.full", date=f"{self.day(at)}{year}", time=f"{local.hour}:{local:%M}")

    def stamp(self, at: datetime) -> str:
        """ "9:21" today, else "Tue 9:21": for our own people."""
        local = at.astimezone(self.zone)
        time = f"{local.hour}:{local:%M}"
        return time if self._days_ago(at) == 0 else f"{self.words.at('time.short_days')[local.weekday()]} {time}"

    def day_stamp(self, at: datetime) -> str:
        """ "Tue 9:00": what a form prefills, so that a correction can name the day."""
        local = at.astimezone(self.zone)
        return f"{self.words.at('time.short_days')[local.weekday()]} {local.hour}:{local:%M}"

    def by(self, due: datetime) -> str:
        """ "Thursday": the day by which something is promised."""
        ahead = -self._days_ago(due)
        if ahead == 0:
            return str(self.words.at("time.end_of_today"))
        if ahead == 1:
            return str(self.words.at("time.tomorrow"))
        which = "weekday" if 0 < ahead <= THIS_WEEK or 0 > ahead >= -THIS_WEEK else "date"
        return self.words.phrase(f"time.{which}", **self._date(due))

    def _days_ago(self, at: datetime) -> int:
        return (self._today - at.astimezone(self.zone).date()).days

    @cached_property
    def _today(self) -> date:
        return self.now.astimezone(self.zone).date()

    def _part(self, at: datetime) -> str:
        hour = at.astimezone(self.zone).hour
        parts: Sequence[tuple[int, str]] = self.words.at("time.parts")
        return [name for begins, name in parts if begins <= hour][-1]

    def _date(self, at: datetime) -> dict[str, object]:
        local = at.astimezone(self.zone)
        return {
            "day": self.words.at("time.days")[local.weekday()],
            "date": local.day,
            "month": self.words.at("time.months")[local.month - 1],
        }
