"""A form's labels, and where they stand in a reply; and the form's own words, which are nobody's answer.

A label is known by a number and by its wording: case, bold marks, blanks, fullwidth signs, quote marks and a list's
new numbers notwithstanding, at the start of a line, also where a client broke it over two. A bare number ("2: text")
is a label only above the quote, and there not where it goes on a list that an answer holds.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mailflow.domain.form import Form
from mailflow.domain.mail import Line
from mailflow.intake.quoting import plain_lines

MAX_LABEL_LINES = 3  # a long question, quoted twice
MAX_LABEL = 300  # characters in which a label must end
MIN_HEAD = 3  # words by which a line above the first label is known
TERSE = 2  # labels of so few words must end in a colon, question mark or line's end: "5. Started it again" is prose
_NUMBERED = re.compile(
    r"[\s>*_•·-]*(?:\d{1,2}[.)]\s*)?[*_]{0,2}[\[(（［【]?\s*(\d{1,2})\s*([\])）］】.:：])[\])）］】.:：]?[\s*_]*(?=\w|[¿¡])"
)
_BARE = re.compile(
    r"\s*\*{0,2}(?:\[\s*(\d{1,2})\s*(\])[:.]?|(\d{1,2})\s?([:：.)])(?=\s|$|(?<=:)[^\W\d]))\*{0,2}\s*(.*)$", re.S
)
_ENDS = re.compile(r"[*_]{0,2}\s?[?:：？]{0,2}[*_]{0,2}")  # of a label behind an opened bold mark
_PLAIN_END = re.compile(r"\s?[?:：？]{0,2}")
_WORD = re.compile(r"[^\W_]+")
Words = tuple[str, ...]


def words(text: str) -> Words:
    """The words of a text, as they are compared: case, signs and blanks do not count."""
    return tuple(_WORD.findall(text.casefold()))


@dataclass(frozen=True, kw_only=True)
class Label:
    """A label found in a reply."""

    number: int
    rest: str  # what stands behind it on its line
    lines: int = 1  # over how many lines it was broken
    bold: bool = False  # a bold mark was opened before it and not closed behind it
    style: str = ""  # of a bare number: the sign behind it; empty for a label known by its wording too


@dataclass(frozen=True, kw_only=True)
class OwnWords:
    """The form's own lines, as words, by the label that they stand under: what a quote of it holds by itself."""

    head: tuple[Words, ...]
    under: dict[int, tuple[Words, ...]]  # first the prefilled value, "" where there is none
    tail: tuple[Words, ...]  # behind the end marker
    spaced: frozenset[tuple[Words, Words]]  # pairs of lines that the form has directly under each other


class Labels:
    """The labels of one form."""

    def __init__(self, form: Form) -> None:
        self.numbers = frozenset(f.number for f in form.fields)
        self._patterns = []
        self._wordings = []
        for field in form.fields:
            wording = words(field.label)
            if wording:
                spelt = r"[\W_]{1,9}".join(map(re.escape, wording))
                self._patterns.append((field.number, re.compile(rf"[¿¡]?{spelt}(?![^\W_])", re.IGNORECASE), wording))
                self._wordings.append(wording)
        self._end = words(form.end_marker)
        self.own = self._own_words(form)

    def at(self, lines: Sequence[Line], n: int) -> Label | None:
        """The label with number and wording that begins at line `n`."""
        text = lines[n].text[:MAX_LABEL]
        numbered = _NUMBERED.match(text)
        if not numbered:
            return None
        if label := self._worded(lines[n].text, numbered):
            return label
        begun = words(text[numbered.end() :])
        if not any(w[: len(begun)] == begun for w in self._wordings):
            return None
        joined = lines[n].text
        for m in range(n + 1, min(n + MAX_LABEL_LINES, len(lines))):
            if not lines[m].text.strip() or len(joined) > MAX_LABEL:
                return None
            joined = f"{joined} {lines[m].text.strip()}"
            if label := self._worded(joined, numbered):
                return Label(number=label.number, rest=label.rest, lines=m - n + 1, bold=label.bold)
        return None

    def bare(self, text: str) -> Label | None:
        """The bare number of one of this form's fields at the start of a line."""
        found = _BARE.match(text)
        if not found:
            return None
        number = int(found[1] or found[3])
        return Label(number=number, rest=found[5], style=found[2] or found[4].replace("：", ":"))

    def ends(self, text: str) -> bool:
        """Whether a line is the end marker, of this version or another."""
        if len(text) > MAX_LABEL:
            return False
        said = words(text)
        return bool(said) and len(said) == len(self._end) and said[:-1] == self._end[:-1] and said[-1].isdecimal()

    def begins(self, lines: Sequence[Line], n: int) -> bool:
        """Whether the form begins at line `n`: its first label, or words above it, however they are wrapped."""
        said = words(lines[n].text[:MAX_LABEL])
        if len(said) >= MIN_HEAD and any(
            said[: len(own)] == own[: len(said)] for own in self.own.head if len(own) >= MIN_HEAD
        ):
            return True
        label = self.at(lines, n)
        return label is not None and label.number == next(iter(self.own.under))

    def _worded(self, text: str, numbered: re.Match[str]) -> Label | None:
        found = [
            (number, match)
            for number, pattern, wording in self._patterns
            if (match := pattern.match(text[:MAX_LABEL], numbered.end())) and _closed(text, match.end(), wording)
        ]
        if not found:
            return None
        # The longest wording; where two fields are worded alike, the number tells.
        longest = max(match.end() for _, match in found)
        alike = [(number, match) for number, match in found if match.end() == longest]
        written = int(numbered[1])
        number, match = next((f for f in alike if f[0] == written), alike[0])
        if number != written and numbered[2] not in {".", ")", "）"} and written in self.numbers:
            return None  # a list that a client numbered anew has points: these are another's words as an answer
        opened = "*" in numbered[0]
        end = (_ENDS if opened else _PLAIN_END).match(text, match.end())
        assert end is not None  # both match nothing at all
        return Label(number=number, rest=text[end.end() :].strip(), bold=opened and "*" not in end[0])

    def _own_words(self, form: Form) -> OwnWords:
        lines = plain_lines(form.text)
        head: list[Words] = []
        tail: list[Words] = []
        under: dict[int, list[Words]] = {}
        spaced = set()
        place = head
        n = 0
        before: Words = ()
        while n < len(lines):
            said = words(lines[n].text)
            if before and said:
                spaced.add((before, said))
            before = said
            label = self.at(lines, n)
            if label:
                place = under.setdefault(label.number, [])
                place.append(words(label.rest))
            elif self.ends(lines[n].text):
                place = tail
            elif said:
                place.append(said)
            n += label.lines if label else 1
        for field in form.fields:  # a label that the text does not show still has its prefilled value
            under.setdefault(field.number, [words(field.prefilled)])
        return OwnWords(
            head=tuple(head), under={n: tuple(o) for n, o in under.items()}, tail=tuple(tail), spaced=frozenset(spaced)
        )


def _closed(text: str, end: int, wording: Words) -> bool:
    """Whether a label may end here: a short one needs a sign behind it."""
    behind = text[end:].lstrip(" *_\t\xa0")[:1]
    return len(wording) > TERSE or behind in {"", ":", "：", "?", "？"}
