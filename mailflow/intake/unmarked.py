"""A quote of the form that nothing introduces: its header was deleted, or is in a language that nobody listed.

Known by the form's own beginning, word for word however it is wrapped. What was typed stands above it, and what a mail
program wrote between the two is no word of the author's.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from mailflow.domain.mail import Line, Mark
from mailflow.intake.labels import MIN_HEAD, Labels, words

MIN_BEGUN = 12  # words of the form's beginning by which it is known without its first label
MIN_NAMED = 3  # lines "Name: text" that are a header block, whatever the names
MAX_ABOVE = 8  # lines above a quote that can introduce it
_NAMED = re.compile(r"\s*[^\W\d_][^:\n]{0,24}:\s*\S")
_RULE = re.compile(r"\s*[-_=]{3,}\s*$")
_ADDRESS = re.compile(r"[^\s<>@]{1,80}@[^\s<>@]{1,200}")


def with_quote(lines: Sequence[Line], labels: Labels) -> Sequence[Line]:
    """The lines, `below` from the form's own beginning on, and what introduces it marked as such."""
    quote = next((n for n, line in enumerate(lines) if line.below), len(lines))
    start = _start(lines[:quote], labels)
    if start is None:
        if quote == len(lines) or lines[quote].mark is not Mark.TEXT or not _begins(lines, quote, labels):
            return lines
        start = quote
    result = [replace(line, below=True) if n >= start else line for n, line in enumerate(lines)]
    for n in _introduction(lines, start):
        result[n] = replace(lines[n], below=True, mark=Mark.HEADER)
    return result


def _begins(lines: Sequence[Line], n: int, labels: Labels) -> bool:
    """Whether the first words from `n` on are the form's."""
    first = next((m for m in range(n, len(lines)) if lines[m].text.strip()), None)
    return first is not None and labels.begins(lines, first)


def _start(lines: Sequence[Line], labels: Labels) -> int | None:
    """Where the form begins among unquoted lines: with all of its words up to its first label, or many of its first."""
    head = [word for line in labels.own.head for word in line]
    for n, line in enumerate(lines):
        if line.depth or not line.text.strip():
            continue
        if (label := labels.at(lines, n)) and label.number == next(iter(labels.own.under)):
            start, left = n, head
            for m in range(n - 1, -1, -1):
                said = list(words(lines[m].text))
                if said and left[-len(said) :] != said:
                    break
                start, left = (m, left[: -len(said)]) if said else (start, left)
            if len(head) - len(left) >= MIN_HEAD:
                return start
        elif len(said := list(words(line.text[:1000]))) >= MIN_HEAD and head[: len(said)] == said:
            begun = _length(lines, n, head)
            if begun >= MIN_BEGUN:
                return n
    return None


def _length(lines: Sequence[Line], n: int, head: Sequence[str]) -> int:
    """How many words of the form's beginning stand from `n` on."""
    length = 0
    for line in lines[n : n + MIN_BEGUN]:
        said = list(words(line.text[:1000]))
        if said != list(head[length : length + len(said)]):
            break
        length += len(said)
    return length


def _introduction(lines: Sequence[Line], start: int) -> range:
    """What a mail program wrote right above a quote: a block of names and values, or a line that ends in a colon, with
    an address in it."""
    end = start
    while end and not lines[end - 1].text.strip():
        end -= 1
    first = end
    while first and end - first < MAX_ABOVE and _NAMED.match(lines[first - 1].text[:200]):
        first -= 1
    last = lines[end - 1].text[:400].rstrip() if end else ""
    if end - first < MIN_NAMED or not any(_ADDRESS.search(lines[n].text[:400]) for n in range(first, end)):
        first = end - 1 if last.endswith(":") and _ADDRESS.search(last) else end
    if first and _RULE.match(lines[first - 1].text[:400]):
        first -= 1
    return range(first, end)
