"""What a section of a reply answers: its lines less the form's own words, as the author would read them back."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from mailflow.domain.form import Form, Place
from mailflow.domain.mail import Line
from mailflow.intake.commands import Vocabulary, is_closing
from mailflow.intake.labels import Labels, Words, words
from mailflow.intake.sections import Section


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One answer that a reply holds for a field; `rank` tells its age, 0 is this reply's own."""

    number: int
    value: str
    place: Place
    rank: int
    instead: str = ""  # another way to read it


def candidates(
    sections: Sequence[Section], labels: Labels, form: Form, vocabulary: Vocabulary, *, plain: bool
) -> list[Candidate]:
    """The answers of a body, in order; blank ones and prefilled values left alone are none."""
    copied = {place: _form_was_copied(sections, labels, place) for place in (Place.TOP, Place.BELOW)}
    # Whether this client marks what it quotes and the author writes unmarked between: then a ">" there was typed.
    between = any(s.depth and any(i.text.strip() and i.depth < s.depth for i in s.lines) for s in sections)
    prefilled = {number: words(value) for number, value in form.prefilled.items()}

    def answer(section: Section) -> Candidate | None:
        own = labels.own.under.get(section.number, ())
        own = own if copied.get(section.place, True) else own[:1]

        def read(lines: list[Line]) -> tuple[str, int]:
            rest = less_own(lines, own, section.depth, prefilled=True)
            newest, rank = _newest(rest, section, plain=plain, between=between)
            value = _text(newest, section, vocabulary)
            return "-" if value.casefold() in vocabulary.nothing else value, rank

        value, rank = read(section.lines)
        if not value or (value != "-" and words(value) == prefilled.get(section.number) and words(value)):
            return None
        instead = ""
        if section.unsure:
            instead = read([*section.lines, *section.more])[0] if section.more else "-"
        return Candidate(number=section.number, value=value, place=section.place, rank=rank, instead=instead)

    found = [answer(section) for section in sections]
    quoted = {c.number: c.value for c in found if c and c.place is not Place.TOP}
    for n, (above, section) in enumerate(pairwise(sections)):
        # "1: port 2: link down" and a line "2: …" on top, [2] answered in the quote: the line may go on the first.
        typed, also = found[n + 1], quoted.get(section.number)
        asked = above.unsure or above.number in quoted  # in any case
        if above.place is section.place is Place.TOP and typed and also not in {None, typed.value} and not asked:
            above.unsure, above.more = True, section.raw
            found[n] = answer(above)
    return [candidate for candidate in found if candidate]


def less_own(lines: Sequence[Line], own: Sequence[Words], depth: int, *, prefilled: bool = False) -> list[Line]:
    """The lines without those that are the form's own, in its order, however they were wrapped.

    Under a label that a client marked as quoted, an unmarked line is never the form's, even where it says the same.
    `prefilled` says that `own` begins with a label's prefilled value.
    """
    kept: list[Line] = []
    n = following = 0
    while n < len(lines):
        near = following < len(own) and lines[n].depth >= depth and lines[n].text.strip()
        for o in range(following, len(own)) if near else ():
            if prefilled and (o == 0) != (n == 0):
                continue  # right behind its label stands the prefilled value, and nothing else of the form
            length, owned = _spells(lines, n, own, o)
            if length:
                following = o + owned
                n += length
                break
        else:
            kept.append(lines[n])
            n += 1
    return kept


def without_closing(lines: Sequence[Line], vocabulary: Vocabulary) -> list[Line]:
    """The lines up to an unmarked signature."""
    end = next((n for n in range(len(lines)) if is_closing(lines, n, vocabulary)), len(lines))
    return list(lines[:end])


def text_of(lines: Sequence[Line], shallowest: int = 0) -> str:
    """Lines as a text: at most one blank line between paragraphs, and a typed ">" where one was."""
    texts = ["> " * (line.depth - shallowest) + line.text for line in lines]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(t.rstrip() for t in texts)).strip("\n").strip()


def _spells(lines: Sequence[Line], n: int, own: Sequence[Words], o: int) -> tuple[int, int]:
    """How many lines from `n` on say exactly how many of the form's from `o` on; none where they do not."""
    said, meant = words(lines[n].text), own[o]
    length = owned = 1
    while said and meant and said != meant:
        if said == meant[: len(said)] and n + length < len(lines):
            said += words(lines[n + length].text)
            length += 1
        elif meant == said[: len(meant)] and o + owned < len(own):
            meant += own[o + owned]
            owned += 1
        else:
            return 0, 0
    return (length, owned) if said and meant else (0, 0)


def _newest(lines: list[Line], section: Section, *, plain: bool, between: bool) -> tuple[list[Line], int]:
    """The lines that were written last, at their author's depth, and how old they are."""
    depths = {line.depth for line in lines if line.text.strip()}
    if not depths:
        return [], 0
    least = min(depths)
    if section.depth == 0:
        return lines, section.generation
    quoted = section.depth
    rest = section.lines[0]
    kept = []
    for line in lines:
        if line is rest or (line.depth == quoted and not plain):
            kept.append(Line(text=line.text, depth=least))  # typed into the quoted line, or right behind it
        elif line.depth == least < quoted or not line.text.strip():
            kept.append(Line(text=line.text, depth=least))
        elif line.depth >= quoted and plain:
            # Under an answer, or where the author answers between quoted lines, the ">" is the author's own.
            typed = line.depth - quoted + 1 if between else line.depth - quoted
            kept.append(Line(text=line.text, depth=least + typed))
    return [Line(text=k.text, depth=k.depth - least) for k in kept], least if least < quoted else max(0, quoted - 1)


def _text(lines: Sequence[Line], section: Section, vocabulary: Vocabulary) -> str:
    own_name = replace(vocabulary, names=())  # alone it answers "who was there?"
    value = text_of(without_closing(lines, vocabulary)) or text_of(without_closing(lines, own_name))
    if section.bold and value.count("*") % 2:  # Gmail's text part: typed text inherits the label's bold
        before, _, behind = value.rpartition("*")
        value = (before + behind).strip()
    return value


def _form_was_copied(sections: Sequence[Section], labels: Labels, place: Place) -> bool:
    """Whether labels outside the quote came there with the form's instruction lines: one alone may be an answer."""
    expected = met = 0
    mine = [section for section in sections if section.place is place]
    for number in {section.number for section in mine}:
        own = labels.own.under.get(number, ())[1:]
        said = {words(line.text) for section in mine if section.number == number for line in section.lines}
        expected += len(own)
        met += sum(o in said for o in own)
    return expected > 1 and met == expected
