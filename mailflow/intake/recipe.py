"""One monitoring tool's recipe as a value: by what its mails are known, and where in them everything stands.

Made by `recipes`, used by `matching`; what each part means is told in the docstring of `recipes`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from mailflow.domain.mail import Rules
from mailflow.domain.vocabulary import State


class Match(Protocol):
    """What re2 (which ships no types) answers; only what is used here."""

    def group(self, key: int | str = 0) -> str | None: ...  # noqa: D102
    def groupdict(self) -> dict[str, str | None]: ...  # noqa: D102
    def start(self) -> int: ...  # noqa: D102
    def end(self) -> int: ...  # noqa: D102


class Pattern(Protocol):
    """A compiled RE2 pattern."""

    groups: int

    def search(self, text: str) -> Match | None: ...  # noqa: D102
    def finditer(self, text: str) -> Any: ...  # noqa: D102


@dataclass(frozen=True, kw_only=True)
class Matcher:
    """By what a tool's mail is known."""

    sender: tuple[Pattern, ...] = ()
    name: tuple[Pattern, ...] = ()
    subject: tuple[Pattern, ...] = ()
    start: tuple[Pattern, ...] = ()
    body: tuple[Pattern, ...] = ()
    headers: tuple[tuple[str, Pattern], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where one field may stand. `kind` is subject, body, mail, sender, label, header, field or value."""

    kind: str
    argument: str = ""  # header or field name, or the fixed value
    patterns: tuple[Pattern, ...] = ()  # tried in turn on the text; for a label: its line, then the line after it
    refine: Pattern | None = None  # tried on what was found


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A word, if every pattern hits: the first choice of a row that does gives the answer."""

    word: str
    when: tuple[tuple[str, Pattern], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """A part of a mail that holds several events."""

    at: Pattern | None = None
    each: Pattern | None = None
    from_: Pattern | None = None
    until: Pattern | None = None
    state: State | None = None


@dataclass(frozen=True, kw_only=True)
class Template:
    """A key's pattern: literal text before each field, and what stands behind the last."""

    pieces: tuple[tuple[str, str, str], ...]  # (literal before, field, function or "")
    tail: str


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One tool's mails."""

    id: str
    tool: str
    match: Matcher
    split: tuple[Stretch, ...] = ()
    extract: tuple[tuple[str, tuple[Source, ...]], ...]
    defaults: Mapping[str, str] = field(default_factory=dict)
    state: tuple[Choice, ...]
    severity: tuple[Choice, ...]
    class_: tuple[Choice, ...]
    symptom: tuple[Choice, ...]
    key: tuple[Template, ...]
    same: tuple[Template, ...] = ()
    storm: tuple[Template, ...] | None = None  # None: by the symptom
    vendor: tuple[Template, ...] = ()
    phrases: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # symptom of its own -> language -> words
    rules: Rules = field(default_factory=Rules)
    delay_minutes: int = 0
    external: bool = False
    unconfirmed: bool = False
    client_from: tuple[str, ...] = ()
    host_from: tuple[str, ...] = ()
