"""Replies to a list: "1 PAUL", "2 FRIDAY", "3 CLOSE and why": a number, and a command, a name or a time."""

import re
from collections.abc import Sequence

from mailflow.domain.form import Command, Numbered, Verb
from mailflow.domain.mail import Line, Mark
from mailflow.intake.commands import Vocabulary, parse_commands

MANY = 200  # lines: as many as a list has rows
ROW = re.compile(r"\s*[\[(]?(?P<number>\d{1,3})[\])]?\s*[.:)-]?\s+(?P<text>\S.{0,300})$")


def numbered(lines: Sequence[Line], vocabulary: Vocabulary) -> tuple[Numbered, ...]:
    """The rows that the first lines of a reply name, until the first line that names none."""
    found: list[Numbered] = []
    for line in lines:
        if not line.text.strip() or line.mark is Mark.BANNER:
            continue
        row = ROW.match(" ".join(line.text.replace("*", "").split()))
        if line.depth or line.below or line.mark is not Mark.TEXT or row is None or len(found) == MANY:
            break
        said = parse_commands([Line(text=row["text"])], vocabulary).commands
        command = said[0] if said else Command(verb=Verb.ROW, argument=row["text"].strip())
        found.append(Numbered(number=int(row["number"]), command=command))
    return tuple(found)
