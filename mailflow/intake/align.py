"""A reply aligned with the form that it answers: never a quote stripped, since answers stand in it too.

HTML is read first, because a typed ">" is clear there; the text part is compared with it. What disagrees, or is
answered twice and differently, is a doubt to be asked about; nothing is chosen. SEND counts only where both parts
begin with it, lost line ends aside.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mailflow.domain.form import Answer, Answers, Command, Doubt, Form, Place, Verb
from mailflow.domain.mail import Line, Mark, Reading
from mailflow.intake.commands import Vocabulary, is_aside, is_send, parse_commands, stop_like, subject_command
from mailflow.intake.labels import Labels, words
from mailflow.intake.numbered import numbered
from mailflow.intake.quoting import signed
from mailflow.intake.sections import Part, cut
from mailflow.intake.unmarked import with_quote
from mailflow.intake.values import Candidate, candidates, less_own, text_of, without_closing

LIKE_EACH_OTHER = 4  # a text part with less than a quarter of the HTML's letters is a stub ("see the HTML version")
_LINK = re.compile(r"<?https?://[^\s<>\"]{1,2000}>?|<mailto:[^\s<>]{1,300}>", re.IGNORECASE)
_PICTURE = re.compile(r"\[(?:cid|image|inline image)[: ][^\]\n]{0,200}\]", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class _Read:
    """One part of the reply, read by itself."""

    commands: tuple[Command, ...]
    near_miss: str
    stop_like: str
    unknown: str
    nearest: tuple[str, ...]
    values: dict[int, Answer]
    doubts: dict[int, Doubt]
    loose: str
    notes: tuple[str, ...]
    letters: str  # all its words run together
    unsure: bool = False  # whether the two parts differ in what was typed without a label

    @property
    def sends(self) -> bool:
        """Whether it says SEND."""
        return any(c.verb is Verb.SEND for c in self.commands)


def align(reading: Reading, form: Form | None, language: Vocabulary, signature: Sequence[str] = ()) -> Answers:
    """What a reply says to `form`; without one, a mail's commands and its text.

    `signature` are the lines with which this author's earlier replies ended, where they are known.
    """
    labels = Labels(form) if form else None
    html_part, plain_part = (signed(lines, signature) for lines in (reading.html, reading.plain))
    if labels:
        html_part, plain_part = with_quote(html_part, labels), with_quote(plain_part, labels)
    html = any(line.text.strip() for line in html_part)
    read = _read(html_part if html else plain_part, labels, form, language, plain=not html)
    if html and any(line.text.strip() for line in plain_part):
        read = _compared(read, _read(plain_part, labels, form, language, plain=True), form)
    commands, loose = read.commands, read.loose
    if form is None and not commands and (command := subject_command(reading.subject, loose, language)):
        commands = (command,)
        loose = "" if loose and command.argument.endswith(loose) else loose
    if (read.values or read.doubts) and is_aside(loose, language):
        loose = ""
    return Answers(
        commands=commands,
        near_miss=read.near_miss,
        stop_like=read.stop_like,
        unknown=read.unknown,
        nearest=read.nearest,
        unsure=read.unsure or bool(read.notes),
        values=dict(sorted(read.values.items())),
        loose=loose,
        doubts=tuple(doubt for _, doubt in sorted(read.doubts.items())),
        notes=read.notes,
        numbered=numbered(html_part if html else plain_part, language) if form is None else (),
    )


def _read(
    lines: Sequence[Line], labels: Labels | None, form: Form | None, language: Vocabulary, *, plain: bool
) -> _Read:
    part = cut(lines, labels, plain=plain)
    commands = parse_commands(part.top, language)
    near_miss = commands.near_miss or _late_send(part, language)
    stop = ""
    if not any(c.verb is Verb.STOP for c in commands.commands):
        stop = stop_like(part.top, [line for run in part.strays for line in run], language)
    # The signature first: the form quotes letters that are signed alike, and would take half of it away.
    rest = without_closing(commands.rest, language)
    values: dict[int, Answer] = {}
    doubts: dict[int, Doubt] = {}
    if labels and form:
        own = (*labels.own.head, *labels.own.tail)
        rest = less_own(rest, own, 0)
        part.strays = [less_own(run, own, 0) for run in part.strays]
        values, doubts = _chosen(candidates(part.sections, labels, form, language, plain=plain))
    loose = text_of(without_closing(rest, language))
    notes = [text_of(without_closing(run, language)) for run in part.strays]
    return _Read(
        commands=commands.commands,
        near_miss=near_miss,
        stop_like=stop,
        unknown=commands.unknown,
        nearest=commands.nearest,
        values=values,
        doubts=doubts,
        # A thumb held up is no answer, and a row of dashes under a heading of ours comes back alone: both want words.
        loose=loose if any(map(str.isalnum, loose)) else "",
        notes=tuple(note for note in notes if any(map(str.isalnum, note))),
        letters=_letters(" ".join(line.text for line in lines if line.mark is not Mark.BANNER)),
    )


def _late_send(part: Part, language: Vocabulary) -> str:
    """SEND as the last line above the quote, behind an answer: taken out of it, never obeyed."""
    above = [s for s in part.sections if s.place is Place.TOP]
    lines = above[-1].lines if above else []
    last = next((n for n in range(len(lines) - 1, 0, -1) if lines[n].text.strip()), 0)
    return lines.pop(last).text.strip() if last and is_send(lines[last].text, language) else ""


def _chosen(found: Sequence[Candidate]) -> tuple[dict[int, Answer], dict[int, Doubt]]:
    """The newest answer to each field; two different ones of one age are a doubt."""
    values: dict[int, Answer] = {}
    doubts: dict[int, Doubt] = {}
    for number in {c.number for c in found}:
        mine = [c for c in found if c.number == number]
        rank = min(c.rank for c in mine)
        newest = [c for c in mine if c.rank == rank]
        read = [c.value for c in newest] + [c.instead for c in newest if c.instead]
        if len({_letters(text) or text for text in read}) == 1:
            values[number] = Answer(number=number, value=newest[0].value, place=newest[0].place)
        else:
            said = tuple(dict.fromkeys(read))
            doubts[number] = Doubt(number=number, reason="two_answers", candidates=said)
    return values, doubts


def _compared(html: _Read, plain: _Read, form: Form | None) -> _Read:
    """The HTML's reading, with a doubt for each field to which the text part says something else."""
    commands, near_miss = html.commands, html.near_miss
    stub = LIKE_EACH_OTHER * len(plain.letters) < len(html.letters)
    if html.sends and not plain.sends and html.letters != plain.letters:
        # Whoever reads the other part would not have seen it: asked about, not obeyed. A lost line end hides nothing.
        commands, near_miss = tuple(c for c in commands if c.verb is not Verb.SEND), "SEND"
    values, doubts = dict(html.values), dict(html.doubts)
    if not stub and html.letters != plain.letters:
        prefilled = form.prefilled if form else {}
        for number in sorted((html.values.keys() | plain.values.keys()) - doubts.keys() - plain.doubts.keys()):
            h, p = (r.values[number].value if number in r.values else "" for r in (html, plain))
            if not _agree(h, p, html, plain, prefilled.get(number, "")):
                values.pop(number, None)
                both = tuple(filter(None, (h, p)))
                doubts[number] = Doubt(number=number, reason="parts_disagree", candidates=both)
    unsure = not stub and _letters(html.loose) != _letters(plain.loose)
    return replace(html, commands=commands, near_miss=near_miss, values=values, doubts=doubts, unsure=unsure)


def _agree(h: str, p: str, html: _Read, plain: _Read, prefilled: str) -> bool:
    """Whether the parts say the same to one field, line ends, signs, links' targets and lost line ends aside."""
    said, also = _letters(h), _letters(p)
    if said == also:
        return bool(said) or h == p
    if not also:
        return said in plain.letters  # the text part ran it into its neighbour
    if not said:
        return bool(h) is False and also in html.letters
    if also == _letters(prefilled) + said:
        return True  # the prefilled value was struck through, which a text part cannot show
    return also.startswith(said) and also in html.letters  # "Switch down2: Rebooted it": a line end was lost


def _letters(text: str) -> str:
    return "".join(words(_PICTURE.sub(" ", _LINK.sub(" ", text))))
