"""An unmarked signature, learned: the lines with which two replies of one person end alike.

Promises: it begins with a closing, or with the author's own name, title, telephone or address; a sentence, a command
or a numbered answer is no part of it, and no mail is all signature: what is said twice is not how somebody signs.
"""

import re
from collections.abc import Sequence

MAX_LINES = 10  # of a reply's end that are compared: name, title, phone, and the firm's small print
MAX_LINE = 200  # characters
MIN_LINES = 2  # one line alone may well be an answer that was given twice
ANSWER = re.compile(r"\s*[\[(]?\d{1,2}\s*[\])]?\s*[:.)\]]")


def ending(text: str) -> tuple[str, ...]:
    """A reply's last lines that are not blank, the first line of all left out."""
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    return tuple(line[:MAX_LINE] for line in lines[1:][-MAX_LINES:])


def learned(endings: Sequence[Sequence[str]], begins: Sequence[str], commands: frozenset[str]) -> tuple[str, ...]:
    """What the last two replies have in common at their end; empty where that is too little.

    `begins` are the words with which a signature may begin, `commands` those that are said alone on a line, both in
    small letters.
    """
    if len(endings) < MIN_LINES:
        return ()
    same: list[str] = []
    for one, other in zip(reversed(endings[-1]), reversed(endings[-2]), strict=False):
        said = one.casefold()
        if one != other or ANSWER.match(one) or said.endswith((".", "!", "?")) or said in commands:
            break
        same.insert(0, one)
    start = next((n for n, line in enumerate(same) if _begins(line.casefold(), begins)), len(same))
    return tuple(same[start:]) if len(same) - start >= MIN_LINES else ()


def _begins(line: str, begins: Sequence[str]) -> bool:
    """Whether a signature may begin with this line: such words, and at most a sign and more behind them."""
    return any(line.startswith(b) and not line[len(b) :].lstrip()[:1].isalnum() for b in begins)
