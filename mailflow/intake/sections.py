"""One part of a reply cut at the form's labels: what stands under each, and what stands under none.

A section ends at the next label, the end marker, an attribution or header block that was not pasted, a signature, and
for a label above the quote at the quote. Where the author alone can tell where it ends, it is unsure. Nothing is judged
here but where text belongs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from mailflow.domain.form import Place
from mailflow.domain.mail import Line, Mark
from mailflow.intake.labels import Label, Labels, words
from mailflow.intake.quoting import is_device_line

_STARTS = frozenset({Mark.ATTRIBUTION, Mark.HEADER})
_STYLES = {"": 3, "]": 2, ":": 1, ".": 0, ")": 0}  # how surely a number so written is a field's; "" has its wording too
MAX_ITEM = 50  # lines of a list's item
MAX_UNSURE = 500  # lines that are shown as another reading of an answer


@dataclass(kw_only=True)
class Section:
    """A label of the form in a reply, and the lines up to whatever ends it; the first is the rest of its own line."""

    number: int
    place: Place
    depth: int
    generation: int  # how many unmarked quotes it lies in beyond the first
    bold: bool
    lines: list[Line] = field(default_factory=list)
    raw: list[Line] = field(default_factory=list)  # the same, the label's own line whole
    unsure: bool = False  # whether it is an answer of its own, and ends where it ends, is for the author to say
    more: list[Line] = field(default_factory=list)  # what else belongs to it, if it does not


@dataclass(kw_only=True)
class Part:
    """A text or HTML body, cut."""

    top: list[Line] = field(default_factory=list)  # above the quote and the first label
    sections: list[Section] = field(default_factory=list)
    strays: list[list[Line]] = field(default_factory=list)  # runs of other text that can be the author's


def cut(lines: Sequence[Line], labels: Labels | None, *, plain: bool) -> Part:
    """Cut a body at the labels of a form; without a form there is only the top, and text between quoted lines."""
    if labels is None:
        return _Cutter(lines=lines, labels=None).cut()
    lines, doubtful = without_pasted(_with_typed_dashes(lines, labels), labels)
    if plain and not doubtful:
        lines = _single_spaced(lines, labels)
    return _Cutter(lines=lines, labels=labels, doubtful=doubtful, best=_best_styles(lines, labels)).cut()


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
    used: set[str] = field(default_factory=set)  # the styles of all labels so far
    seen: dict[int, int] = field(default_factory=dict)  # the first section of each number so far
    doubted: tuple[int, int] = (0, 0)  # the sections that were doubted last: first, and the one behind
    refused: tuple[str, int] = ("", 0)  # the last bare number that went on a list instead
    doubtful: Mapping[int, int] = field(default_factory=dict)  # where what seems a quote may be pasted: start, end
    best: dict[int, int] = field(default_factory=dict)  # how well each number is labelled above the quote

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
                if n in self.doubtful and self.section:
                    self.section.unsure = True
                    more = lines[n : self.doubtful[n]]
                    self.section.more = [x for x in more if x.mark is not Mark.SIGNATURE]
                self.section, fresh = None, True
                if line.mark is Mark.HEADER and line.depth == 0 and (n == 0 or lines[n - 1].mark is not Mark.HEADER):
                    self.generation, self.ended, self.met = self.generation + 1, False, False
            elif line.mark is Mark.TEXT:
                fresh = self._place(line, marked=marked, fresh=fresh)
            elif line.mark is Mark.SIGNATURE and not is_device_line(line.text):
                # The author's text ends here; on a phone "Sent from my …" may stand in its middle.
                self.section = None if self.section and self.section.depth == line.depth else self.section
            n += 1
        following: list[Line] = []
        for section in reversed(self.part.sections):
            if section.unsure:
                section.more = [*section.more, *following]
                following = [*section.raw, *following][:MAX_UNSURE]
            else:
                following = []
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
        return label if label and self._counts(n, label) else None

    def _counts(self, n: int, label: Label) -> bool:
        """Whether a bare number is a field's, and not on a list that an answer holds, or another's label in passing."""
        assert self.labels is not None
        number, style = label.number, label.style
        known = number in self.labels.numbers
        goes_on = self.refused == (style, number - 1)
        if style == self.style == "]" and number not in self.seen and not goes_on:
            return known  # hardly anybody numbers a list so
        here = self.section.number if self.section else 0
        again = known and number in self.seen
        listed = style in {".", ")"}
        if _STYLES[style] < self.best.get(number, 0) or (listed and style != self.style and self.section is not None):
            if known and not listed and style in self.used:
                self._doubt(max(0, len(self.part.sections) - 2))  # this author labels so: which one is the label?
            self.refused = (style, number)  # labelled better elsewhere; under another's label "3." is a list's
            return False
        if goes_on or (listed and number <= here and (again or self._list_goes_on(n, label))):
            if known and number > here and style == self.style:
                self._doubt(len(self.part.sections) - 1)
            self.refused = (style, number)
            return False
        if again:
            # "1: Broken were\n2: two disks\n2: We replaced them": one of the two is no label.
            self._doubt(max(0, self.seen[number] - 1))
            self.refused = (style, number)
            return False
        return known

    def _list_goes_on(self, n: int, label: Label) -> bool:
        """Whether the next bare number of this kind is the next one."""
        assert self.labels is not None
        for line in self.lines[n + 1 : n + MAX_ITEM]:
            if line.below or line.depth:
                break
            if (following := self.labels.bare(line.text)) and following.style == label.style:
                return following.number == label.number + 1
        return False

    def _doubt(self, first: int) -> None:
        """All sections from this one on can be cut in the wrong places."""
        begun, done = self.doubted
        for section in self.part.sections[done if begun <= first < done else first :]:
            section.unsure = True
        self.doubted = min(begun, first) if begun <= first < done else first, len(self.part.sections)

    def _open(self, line: Line, label: Label) -> None:
        place = Place.TOP if not line.below and not line.depth else Place.BELOW if self.ended else Place.INLINE
        if self.ended and line.depth:  # another copy of the form
            place = Place.INLINE
        # "2: text" right under "[1] What was the problem?" may be a label, or what was broken.
        above = self.section.raw[-1].text.strip() if self.section else ""
        odd = label.style == ":" != self.style and bool(above)
        if odd and self.section:
            self.section.unsure = True
        self.section = Section(
            number=label.number,
            place=place,
            depth=line.depth,
            generation=max(self.generation, 0),
            bold=label.bold,
            lines=[replace(line, text=label.rest)],
            raw=[line],
            unsure=odd,
        )
        self.used.add(label.style)
        self.style, self.refused, self.met = label.style, ("", 0), self.met or line.below
        self.seen.setdefault(label.number, len(self.part.sections))
        self.part.sections.append(self.section)

    def _place(self, line: Line, *, marked: bool, fresh: bool) -> bool:
        if self.section and self.section.place is Place.TOP and line.below:
            self.section = None
        if self.section:
            self.section.lines.append(line)
            self.section.raw.append(line)
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


def _best_styles(lines: Sequence[Line], labels: Labels) -> dict[int, int]:
    """How well each number is labelled above the quote: by its wording, in brackets, with a colon, or not at all."""
    best: dict[int, int] = {}
    for n, line in enumerate(lines):
        if line.below:
            break
        if line.depth == 0 and line.text and (label := labels.at(lines, n) or labels.bare(line.text)):
            best[label.number] = max(best.get(label.number, 0), _STYLES[label.style])
    return best


def _with_typed_dashes(lines: Sequence[Line], labels: Labels) -> list[Line]:
    """The lines, where a signature is none: its "-- " was typed in an answer, or the answers into it.

    Known by labels in it, or, in the middle of the quote, by more of the form behind it.
    """
    result = list(lines)
    follows = False  # more of the form, in this quote
    n = len(lines) - 1
    while n >= 0:
        last = lines[n]
        if last.mark in _STARTS or (not last.below and n + 1 < len(lines) and lines[n + 1].below):
            follows = False
        if last.mark is not Mark.SIGNATURE:
            follows = follows or labels.at(lines, n) is not None or labels.ends(last.text)
            n -= 1
            continue
        first = n
        while first and (lines[first - 1].mark, lines[first - 1].below) == (last.mark, last.below):
            first -= 1
        inside = [m for m in range(first, n + 1) if _label_like(lines, m, labels) or labels.ends(lines[m].text)]
        if inside or (follows and last.below and lines[first].text.rstrip() == "--"):
            second = [m for m in range(inside[-1] if inside else n, n + 1) if lines[m].text == "-- "]
            for m in range(first, n + 1 if follows or not second else second[0]):
                if not is_device_line(lines[m].text):
                    result[m] = replace(lines[m], mark=Mark.TEXT)
        follows = follows or bool(inside)
        n = first - 1
    return result


def _label_like(lines: Sequence[Line], n: int, labels: Labels, *, above: bool = False) -> bool:
    """Whether a label stands here, also a bare one `above` the quote."""
    if labels.at(lines, n):
        return True
    bare = labels.bare(lines[n].text) if (above or not lines[n].below) and not lines[n].depth else None
    return bool(bare and bare.style != "." and bare.number in labels.numbers)


def starts_of(lines: Sequence[Line]) -> list[tuple[int, int]]:
    """Where attributions and header blocks stand: first line, and the one behind the last."""
    found: list[tuple[int, int]] = []
    for n, line in enumerate(lines):
        if line.mark in _STARTS:
            if found and found[-1][1] == n:
                found[-1] = (found[-1][0], n + 1)
            else:
                found.append((n, n + 1))
    return found


def _goes_on(lines: Sequence[Line], region: tuple[int, int, int], labels: Labels) -> bool:
    """Whether answers go on behind what looks like a quote's start above the quote, or it is one's label itself."""
    a, b, end = region
    return any(_label_like(lines, n, labels, above=True) for n in (a, *range(b, end)))


def without_pasted(lines: Sequence[Line], labels: Labels) -> tuple[list[Line], dict[int, int]]:
    """The lines, where a header block that was pasted into an answer is text; and where that cannot be told.

    Behind what starts a quote of the form stands the form's beginning. Behind what does not, while the form goes on or
    further labels follow, the answer goes on; where nothing tells, the author is asked.
    """
    starts = starts_of(lines)
    below = next((n for n, line in enumerate(lines) if line.below), len(lines))
    if below not in {a for a, _ in starts}:
        starts = sorted([*starts, (below, below)])
    result = list(lines)
    regions = [(a, b, end) for (a, b), (end, _) in zip(starts, [*starts[1:], (len(lines), 0)], strict=True)]
    begins = [any(labels.begins(lines, n) for n in range(b, end)) for _, b, end in regions]
    if True not in begins:
        return result, {}
    place = Place.TOP
    doubtful = {}
    for (a, b, end), begun in zip(regions, begins, strict=True):
        if begun:
            place = Place.INLINE
        elif a < b and (place is Place.INLINE or _goes_on(lines, (a, b, end), labels)):
            for n in range(a, b if place is not Place.TOP else end):
                mark = Mark.TEXT if n < b else lines[n].mark
                result[n] = replace(lines[n], mark=mark, below=lines[n].below and place is not Place.TOP)
        elif a < b:
            doubtful[a] = end
        if place is Place.INLINE and any(labels.ends(lines[n].text) for n in range(b, end)):
            place = Place.BELOW
    return result, doubtful


def _single_spaced(lines: list[Line], labels: Labels) -> list[Line]:
    """The lines without the blank one that Outlook's text part puts behind every paragraph.

    Known by the form itself: where lines that it has directly under each other come back apart, every blank line of
    this body counts half.
    """
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
