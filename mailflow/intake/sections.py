"""One part of a reply cut at the form's labels: what stands under each, and what stands under none.

A section ends at the next label, the end marker, an attribution or header block, a signature, and for a label above
the quote at the quote. Nothing is judged here but where text belongs.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from mailflow.domain.form import Place
from mailflow.domain.mail import Line, Mark
from mailflow.intake.labels import Label, Labels, words
from mailflow.intake.quoting import is_device_line

_STARTS = frozenset({Mark.ATTRIBUTION, Mark.HEADER})


@dataclass(kw_only=True)
class Section:
    """A label of the form in a reply, and the lines up to whatever ends it; the first is the rest of its own line."""

    number: int
    place: Place
    depth: int
    generation: int  # how many unmarked quotes it lies in beyond the first
    bold: bool
    lines: list[Line] = field(default_factory=list)


@dataclass(kw_only=True)
class Part:
    """A text or HTML body, cut."""

    top: list[Line] = field(default_factory=list)  # above the quote and the first label
    sections: list[Section] = field(default_factory=list)
    strays: list[list[Line]] = field(default_factory=list)  # runs of other text that can be the author's


def cut(lines: Sequence[Line], labels: Labels | None, *, plain: bool) -> Part:
    """Cut a body at the labels of a form; without a form there is only the top, and text between quoted lines."""
    lines = _with_typed_dashes(lines, labels)
    return _Cutter(lines=_single_spaced(lines, labels) if plain else lines, labels=labels).cut()


@dataclass(kw_only=True)
class _Cutter:
    lines: Sequence[Line]
    labels: Labels | None
    part: Part = field(default_factory=Part)
    section: Section | None = None
    ended: bool = False  # the form's end marker was passed
    generation: int = -1  # of unmarked quotes; the newest is 0
    met: bool = False  # something of the form was seen in this quote
    style: str = ""  # how the present section's label is written: the sign behind a bare number
    seen: set[int] = field(default_factory=set)  # the numbers of all sections so far
    refused: tuple[str, int] = ("", 0)  # the last bare number that went on a list instead

    def cut(self) -> Part:
        lines, n = self.lines, 0
        marked = any(line.below and line.depth for line in lines)
        fresh = True  # whether a stray line begins a new run
        while n < len(lines):
            line = lines[n]
            label = self._label(n)
            if label:
                self._open(line, label)
                n += label.lines
                fresh = True
                continue
            if self.labels and self.labels.ends(line.text):
                self.section, self.ended, self.met, fresh = None, True, True, True
            elif line.mark in _STARTS:
                self.section, fresh = None, True
                if line.mark is Mark.HEADER and line.depth == 0 and (n == 0 or lines[n - 1].mark is not Mark.HEADER):
                    self.generation, self.ended, self.met = self.generation + 1, False, False
            elif line.mark is Mark.TEXT:
                fresh = self._place(line, marked=marked, fresh=fresh)
            elif line.mark is Mark.SIGNATURE and not is_device_line(line.text):
                # The author's text ends here; on a phone "Sent from my …" may stand in its middle.
                self.section = None if self.section and self.section.depth == line.depth else self.section
            n += 1
        return self.part

    def _label(self, n: int) -> Label | None:
        line = self.lines[n]
        if self.labels is None or not line.text or line.mark in _STARTS:
            return None
        if label := self.labels.at(self.lines, n):
            return label
        if line.below or line.depth:
            return None
        label = self.labels.bare(line.text)
        if label is None:
            return None
        if label.style == self.style == "]" and label.number not in self.seen:
            return label if label.number in self.labels.numbers else None  # nobody numbers a list so
        # "1." or "2." under "[2]" begins or goes on a list within the answer; a field's number only ever grows.
        here = self.section.number if self.section else 0
        listed = self.refused == (label.style, label.number - 1) or label.number <= here
        # Under a label written otherwise, "3." is more likely a list's.
        if listed or (label.style == "." and self.section is not None and self.style != "."):
            self.refused = (label.style, label.number)
            return None
        return label if label.number in self.labels.numbers else None

    def _open(self, line: Line, label: Label) -> None:
        place = Place.TOP if not line.below and not line.depth else Place.BELOW if self.ended else Place.INLINE
        if self.ended and line.depth:  # another copy of the form
            place = Place.INLINE
        self.section = Section(
            number=label.number,
            place=place,
            depth=line.depth,
            generation=max(self.generation, 0),
            bold=label.bold,
            lines=[replace(line, text=label.rest)],
        )
        self.style, self.refused, self.met = label.style, ("", 0), self.met or line.below
        self.seen.add(label.number)
        self.part.sections.append(self.section)

    def _place(self, line: Line, *, marked: bool, fresh: bool) -> bool:
        if self.section and self.section.place is Place.TOP and line.below:
            self.section = None
        if self.section:
            self.section.lines.append(line)
        elif not line.below:
            self.part.top.append(line)
        elif line.depth == 0 and (marked or self.met):
            if fresh:
                self.part.strays.append([])
            self.part.strays[-1].append(line)
            return False
        elif line.depth == 0 and self.labels and words(line.text) in self.labels.own.head:
            self.met = True
        return True


def _with_typed_dashes(lines: Sequence[Line], labels: Labels | None) -> list[Line]:
    """The lines, where a signature that holds labels is none: its "-- " was typed, or the answers into it."""
    result = list(lines)
    if labels is None:
        return result
    last = None  # the last label in the present run of signature lines
    for n in range(len(lines) - 1, -1, -1):
        line = lines[n]
        if line.mark is not Mark.SIGNATURE:
            last = None
            continue
        if last is None and labels.at(lines, n):
            last = n
        if last is not None and not is_device_line(line.text):
            result[n] = replace(line, mark=Mark.TEXT)
    return result


def _single_spaced(lines: list[Line], labels: Labels | None) -> list[Line]:
    """The lines without the blank one that Outlook's text part puts behind every paragraph.

    Known by the form itself: where lines that it has directly under each other come back apart, every blank line of
    this body counts half.
    """
    if labels is None:
        return lines
    said: tuple[str, ...] = ()
    apart = together = blanks = 0
    for line in lines:
        now = words(line.text[:300])
        if not line.text.strip():
            blanks += 1
            continue
        if line.depth == 0 and (said, now) in labels.own.spaced:
            apart += blanks > 0
            together += blanks == 0
        said, blanks = now, 0
    if apart <= together:
        return lines
    result: list[Line] = []
    run: list[Line] = []
    for line in lines:
        if line.text.strip():
            result += run[: len(run) // 2]
            result.append(line)
            run = []
        else:
            run.append(line)
    return result
