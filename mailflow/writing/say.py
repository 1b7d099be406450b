"""The sentences that templates ask for: chosen by what happened, so that a letter reads like a person wrote it."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from mailflow.domain.letters import Facts
from mailflow.writing.words import Times, Words

# A short answer to "who felt it" is a phrase and wants a sentence around it; a long one is a sentence already.
PHRASE_WORDS = 8


class Say:
    """The sentences of one letter. Templates call it `say`."""

    def __init__(self, words: Words, facts: Facts, now: datetime) -> None:
        self._words, self._facts = words, facts
        self.times = Times(words=words, zone=ZoneInfo(str(facts.get("timezone", "UTC"))), now=now)
        # How a value is spoken of, by the end of its name.
        self._ways: dict[str, Callable[[datetime], str]] = {
            "at": self.times.stamp,
            "when": self.times.exact,
            "full": self.times.full,
            "date": self.times.day,
            "day": self.times.of,
        }
        # What was said already: both parts of a letter say the same, and a digest has hundreds of lines. The values
        # are kept with it, so that no others can have their place in memory.
        self._said: dict[tuple[str, int], tuple[Any, str]] = {}

    # --- to clients ---

    def subject(self) -> str:
        """ "Your file server this morning"; in the client's own words where a person told us."""
        if not self._is_of_a_thing():
            return self._words.phrase("acknowledgement.subject_reported", reported=self._facts["reported"])
        part = self.times.part(self._time("started"))
        return self._words.phrase("acknowledgement.subject", Plain=self._capital(), part=part)

    def seen(self) -> str:
        """What was seen."""
        by_you = self._facts["symptom"] == "reported" and self._facts["reporter"] == "you"
        path = "acknowledgement.reported_by_you" if by_you else f"acknowledgement.seen.{self._symptom()}"
        return self._one_of(path)

    def noticed_too(self) -> str:
        """That a person of theirs told us as well, with a blank before it; empty where nobody did."""
        reporter = self._facts["reporter"]
        if not reporter or reporter == "you" or self._facts["symptom"] == "reported":
            return ""
        return " " + self._one_of("acknowledgement.noticed_too")

    def back(self) -> str:
        """That it is back, with a blank before it; empty while it is not."""
        return " " + self._one_of("acknowledgement.back") if self._facts["ended"] else ""

    def promise(self) -> str:
        """By when I write; what is promised here is the deadline."""
        return self._one_of("acknowledgement.promise")

    def call(self) -> str:
        """How to reach me."""
        how = "call" if self._facts["phone"] else "reply"
        return self._one_of(f"acknowledgement.{how}_back" if self._facts["ended"] else f"acknowledgement.{how}")

    def opening(self) -> str:
        """How a debrief begins."""
        promised = "opening" if self._facts["promised"] else "opening_fresh"
        about = "" if self._is_of_a_thing() else "_reported"
        return self._one_of(f"debrief.{promised}{about}", debrief=True)

    def story(self) -> str:
        """What happened, in order, from the record (S0.7)."""
        facts = self._facts
        sentences = []
        told = ""
        if facts["reporter"] and facts["reported_at"]:
            at = self._time("reported_at")
            later = "" if self.times.day(at) == self.times.day(self._time("started")) else "_later"
            # A thing that a monitor watches: what their person said of it belongs to what happened.
            words = "_words" if facts["reported"] and facts["symptom"] != "reported" else ""
            which = f"told_you{later}" if facts["reporter"] == "you" else f"told{words}{later}"
            time, day = self.times.clock(at), self.times.day(at)
            said = {"reporter": facts["reporter"], "reported": facts["reported"], "time": time, "day": day}
            told = self._words.phrase(f"debrief.story.{which}", **said)
        if facts["symptom"] != "reported":
            symptom = str(facts["symptom"])
            which = symptom if symptom in self._words.at("debrief.story") else "other"
            began = self._words.phrase(f"debrief.story.{which}", start=self.times.clock(self._time("started")))
            sentences.append(began + self._end_of_story())
        if told:
            first = facts["reported_at"] < facts["started"]  # type: ignore[operator]  # ISO 8601 in UTC sorts
            sentences.insert(0 if first else len(sentences), told)
        return " ".join(sentences)

    def denies(self, answer: str) -> bool:
        """Whether "was it our own fault?" was answered with no more than a no."""
        return answer.strip(" .!").casefold().replace(",", "") in self._words.at("debrief.denials")

    def greets(self, text: str) -> bool:
        """Whether a letter needs our greeting: what was typed has none of its own."""
        first = text.strip().casefold()
        name = re.escape(str(self._facts["first_name"]).casefold())
        greetings = "|".join(map(re.escape, self._words.at("update.greetings")))
        return not re.match(rf"(?:{greetings})\b|{name} *[,:!]", first)

    def next_word(self) -> str:
        """By when I write again; what is promised here is the deadline."""
        variant = self._facts.get("variant", 0)
        said = self._words.choose("update.next_word", variant if isinstance(variant, int) else 0)
        return said.format(next_by=self.times.by(self._time("next_by")))

    def _end_of_story(self) -> str:
        """ " and was back at 9:21.", with the day where it was another one."""
        if not self._facts["ended"]:
            return str(self._words.at("debrief.story.open"))
        began, ended = self._time("started"), self._time("ended")
        which = "ended" if self.times.day(began) == self.times.day(ended) else "ended_later"
        day = self.times.day(ended)
        return self._words.phrase(f"debrief.story.{which}", end=self.times.clock(ended), day=day)

    # --- to our own people ---

    def symptom(self) -> str:
        """ "restarted"."""
        return self._words.phrase(f"symptom.{self._symptom()}")

    def line(self, line: Any) -> str:
        """A sentence given as [name, values]; times among the values are named …_at, due_by, …_when and …_day."""
        name, values = line
        said = self._said.get((name, id(values)))
        if said is None:
            said = values, self._words.phrase(f"line.{name}", **self._spoken(values))
            self._said[name, id(values)] = said
        return said[1]

    def lines(self, lines: Any) -> str:
        """Several such sentences in a row."""
        return " ".join(map(self.line, lines))

    def heading(self, name: str) -> str:
        """What stands above a group of the form's fields."""
        return self._words.phrase(f"form.heading.{name}")

    def stamp(self, moment: str) -> str:
        """ "9:21", "Tue 9:21"."""
        return self.times.stamp(_moment(moment))

    def moment(self, moment: str) -> str:
        """ "at 9:12"."""
        return self.times.exact(_moment(moment))

    def late(self, hours: float) -> str:
        """ "3 days", "1 hour"."""
        days = round(hours / 24) if hours >= 24 else 0  # Friday evening to Monday morning is three days to anybody
        if days:
            return self._words.phrase("line.late_days" if days > 1 else "line.late_day", count=days)
        if hours >= 1:
            return self._words.phrase("line.late_hours" if hours >= 2 else "line.late_hour", count=int(hours))
        return self._words.phrase("line.late_now")

    def span(self, minutes: float) -> str:
        """ "9 minutes", "3 hours", "2 days": how long something was."""
        for limit, of, unit in ((90, 1, "minute"), (36 * 60, 60, "hour")):
            if minutes < limit:
                count = round(minutes / of)
                return self._words.phrase(f"span.{unit}" if count == 1 else f"span.{unit}s", count=max(count, 0))
        return self._words.phrase("span.days", count=round(minutes / (24 * 60)))

    def headline(self, line: Any) -> str:
        """A subject given as [name, values]."""
        name, values = line
        return self._words.phrase(f"headline.{name}", **self._spoken(values))

    def _spoken(self, values: Mapping[str, Any]) -> dict[str, Any]:
        spoken = {name: self._value(name, value) for name, value in values.items()}
        if client := str(spoken.get("client", "")):
            spoken["clients"] = self._words.at("possessive")[client.endswith("s")].format(name=client)
        return spoken

    def _value(self, name: str, value: Any) -> Any:
        """A time, a span or a delay as it is spoken of, by its name's end; all else as it is."""
        if isinstance(value, list):
            return self._words.phrase(".".join(value))  # a word of words.toml itself: ["symptom", "rebooted"]
        _, mark, end = name.rpartition("_")
        if name == "late":
            return self.late(value)
        if mark and end == "span":
            return self.span(value)
        if mark and value and end in self._ways:
            return self._ways[end](_moment(value))
        return self.times.by(_moment(value)) if value and name.endswith("due_by") else value

    def _symptom(self) -> str:
        symptom = str(self._facts["symptom"])
        return symptom if symptom in self._words.at("symptom") else "other"

    def _is_of_a_thing(self) -> bool:
        """Whether the letter is about a thing that a monitor watches, and not about what somebody wrote to us."""
        return bool(self._facts["plain"]) or self._facts["symptom"] != "reported"

    def _plain(self) -> str:
        return str(self._facts["plain"]) or self._words.phrase("acknowledgement.unnamed")

    def _capital(self) -> str:
        plain = self._plain()
        return plain[:1].upper() + plain[1:]

    def _time(self, name: str) -> datetime:
        return _moment(self._facts[name])

    def _one_of(self, path: str, *, debrief: bool = False) -> str:
        variant = self._facts.get("variant", 0)
        started = self._time("started")
        facts = self._facts
        return self._words.choose(path, variant if isinstance(variant, int) else 0).format(
            plain=self._plain(),
            Plain=self._capital(),
            when=self.times.on(started) if debrief else self.times.when(started),
            when_of=self.times.part(started),
            reporter=facts["reporter"],
            reported=facts["reported"],
            time=self.times.clock(self._time("ended")) if facts["ended"] else "",
            by=self.times.by(self._time("promised")) if facts["promised"] else "",
            phone=facts["phone"],
        )


def impact(text: str, frame: str) -> str:
    """ "It touched everyone using the Data drive." from a phrase; a whole sentence stays as it was written (S1.4)."""
    text = text.strip()
    if "\n" in text or text.endswith((".", "!", "?")) or len(text.split()) > PHRASE_WORDS:
        return text
    return frame.format(impact=text)


def _moment(value: object) -> datetime:
    return datetime.fromisoformat(str(value))
