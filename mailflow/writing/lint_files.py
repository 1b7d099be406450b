"""The writing gate's rule files read: `lint/<language>.toml`, and what an MSP adds; every fault is told at once."""

import tomllib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import re2

from mailflow.writing.lint import FALLBACK, LEAKS, SAID, Level, Pattern, Rule, Rules, finds


class RulesError(Exception):
    """Rule files that cannot be used; the message names every fault, a line each: file, rule, reason."""


def load_rules(sources: Mapping[str, str]) -> dict[str, Rules]:
    """The rules of every language, from paths such as "lint/en.toml" to their text (other paths are passed over)."""
    faults: list[str] = []
    files: dict[str, list[_File]] = defaultdict(list)
    # "en.toml" comes before "en.house.toml", which adds to it.
    for path in sorted(sources, key=lambda p: (p.count("."), p)):
        if path.startswith("lint/") and path.endswith(".toml"):
            file = _File(path=path, faults=faults)
            file.read(sources[path])
            files[path.removeprefix("lint/").partition(".")[0]].append(file)
    ordinary = frozenset(w.casefold() for own in files.values() for file in own for w in file.words["ordinary"])
    borrowed = {id_: rule for file in files[FALLBACK] for id_, rule in file.said.items()}
    faults += [f"lint/{FALLBACK}.toml: said.{name}: missing" for name in SAID if name not in borrowed]
    if faults:
        raise RulesError("\n".join(faults))
    found: dict[str, Rules] = {}
    for language, own in files.items():
        said = {**borrowed, **{id_: rule for file in own for id_, rule in file.said.items()}}
        rules = {id_: rule for file in own for id_, rule in file.rules.items()}
        found[language] = Rules(
            searching=(*(said[id_] for id_ in LEAKS), *(rule for rule in rules.values() if rule)),
            decided={id_: rule for id_, rule in said.items() if id_ not in LEAKS},
            greetings=tuple(f"{w.casefold()} " for file in own for w in file.words["greetings"]),
            closings=tuple(w.casefold() for file in own for w in file.words["closings"]),
            standing=tuple(compiled(w) for file in own for w in file.words["standing"]),
            ordinary=ordinary,
        )
    return found


def compiled(pattern: str) -> Pattern:
    """A pattern in any case, each sentence a line; re2.error where it is none."""
    options = re2.Options()
    options.log_errors = False
    return re2.compile(f"(?im){pattern}", options)


LEAK_PATTERNS = {id_: tuple(map(compiled, patterns)) for id_, patterns in LEAKS.items()}
Row = Mapping[str, Any]
LISTS = ("greetings", "closings", "standing", "ordinary")


@dataclass(frozen=True, kw_only=True)
class _File:
    """What one file holds; each fault is noted, and reading goes on, so that all are told at once."""

    path: str
    faults: list[str]
    words: dict[str, list[str]] = field(default_factory=lambda: {key: [] for key in LISTS})
    said: dict[str, Rule] = field(default_factory=dict)
    rules: dict[str, Rule | None] = field(default_factory=dict)  # None for one that is taken away

    def read(self, text: str) -> None:
        try:
            table = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            self.fault("not TOML", str(error))
            return
        self.keys("", table, {*LISTS, "said", "rule"})
        self.words.update({key: self.texts(key, table) for key in LISTS})
        for pattern in self.words["standing"]:
            self.pattern("standing", pattern)
        said, rules = table.get("said", {}), table.get("rule", [])
        if not isinstance(said, dict) or not isinstance(rules, list):
            self.fault("said, rule", "must be written [said.NAME] and [[rule]]")
            return
        self.keys("said", said, set(SAID))
        for id_, row in said.items():
            self.said[id_] = self.rule(id_, f"said.{id_}", row, SAID.get(id_, Level.LEAK), LEAK_PATTERNS.get(id_, ()))
        for n, row in enumerate(rules):
            id_ = self.text("id", row, f"rule[{n + 1}]")
            if id_ in self.rules:
                self.fault(f"rule {id_}", "stands twice")
            self.rules[id_] = self.searching(id_, f"rule {id_}", row)

    def searching(self, id_: str, place: str, row: Row) -> Rule | None:
        level = self.text("level", row, place)
        if level == "off":
            return None
        if level not in (Level.ERROR, Level.WARNING):
            self.fault(place, f"level {level!r} is none of error, warning, off")
            return None
        self.keys(place, row, {"id", "level", "pattern", "why", "better", "finds", "leaves"})
        rule = self.rule(id_, place, row, Level(level), (self.pattern(place, self.text("pattern", row, place)),))
        for key, wanted in (("finds", True), ("leaves", False)):
            for text in self.texts(key, row, place):
                if finds(rule, text) is not wanted:
                    self.fault(place, f"{key} {text!r}, as it says, but the pattern does otherwise")
        return rule

    def rule(self, id_: str, place: str, row: Row, level: Level, patterns: tuple[Pattern, ...]) -> Rule:
        why, better = self.text("why", row, place), self.text("better", row, place)
        return Rule(id=id_, level=level, patterns=patterns, why=why, better=better)

    def fault(self, place: str, reason: str) -> None:
        self.faults.append(f"{self.path}: {place}: {reason}")

    def keys(self, place: str, row: Row, known: set[str]) -> None:
        for key in row.keys() - known:
            self.fault(f"{place}.{key}".lstrip("."), f"unknown key (known here: {', '.join(sorted(known))})")

    def texts(self, key: str, row: Row, place: str = "") -> list[str]:
        words = row.get(key, [])
        if isinstance(words, list) and all(isinstance(w, str) and w for w in words):
            return words
        self.fault(f"{place}.{key}".lstrip("."), "not a list of texts")
        return []

    def text(self, key: str, row: Row, place: str) -> str:
        if isinstance(row, dict) and isinstance(word := row.get(key), str) and word.strip():
            return word
        self.fault(place, f"{key} is missing, or not a text")
        return ""

    def pattern(self, place: str, text: str) -> Pattern:
        try:
            if text and compiled(text).search(""):
                self.fault(place, "the pattern finds every text")
            return compiled(text)
        except re2.error as error:
            reason = error.args[0].decode("utf-8", "replace") if isinstance(error.args[0], bytes) else error
            self.fault(place, f"not an RE2 pattern: {reason}")
            return compiled("")
