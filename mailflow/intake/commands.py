"""Commands at the top of a reply: one language's words for them, and what a reply's first lines say in these words.

Promises: SEND is understood only where the first line is, as a whole, one of the listed words for it. A line that
comes close is handed back as a near miss, to be asked about. An answer to the form that begins with a command's word
("Update KB5046617 restarted it", "Workaround: we moved it to the other host") stays an answer: in small letters only
what is written as that command needs it is one.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from mailflow.domain.form import Command, Verb
from mailflow.domain.mail import Line, Mark

WHOLE_LINE = frozenset({Verb.SEND, Verb.STOP, Verb.SENT, Verb.RESEND, Verb.PAUSE, Verb.RESUME, Verb.STATUS, Verb.HELP})
# What follows on further lines belongs to them. A text is ended by a command in capitals only; a question or a reason,
# by any command.
TEXTS = frozenset({Verb.NOTE, Verb.OPEN, Verb.CALL, Verb.UPDATE})
PASSAGES = TEXTS | {Verb.ASK, Verb.ASSIGN, Verb.LATER, Verb.CLOSE, Verb.REOPEN, Verb.WAITING}
# What must follow where only a colon tells a command from prose: "Fixed: 9:40" is one, "Fixed: a new disk" an answer.
A_TIME = r"(?:\w+ ){0,2}(?:\d[\w/.]*,? ){0,2}(?:\w+ )?\d{1,2}(?:[:.]\d\d| ?[ap]m)\b(?: \w+){0,2}\W*"
A_COLON = r"[^:：]+[:：].*"
BEHIND_COLON = {
    Verb.RESOLVED: A_TIME,
    Verb.WORKAROUND: A_TIME,
    Verb.FAILOVER: A_TIME,
    Verb.OPEN: A_COLON,
    Verb.CALL: A_COLON,
    Verb.ACTION: A_COLON,
    Verb.PRIORITY: r"P\d\b.*",
    # "Report: the disk was full" is an answer; only capitals make a command of these.
    Verb.REPORT: r"(?!)",
    Verb.WAITING: r"(?!)",
}
TIMED = frozenset({Verb.RESOLVED, Verb.WORKAROUND, Verb.FAILOVER})
MAX_COMMAND = 200  # characters of a line that is looked at for commands; an argument may be longer
MAX_STOP_LINES = 3  # of a reply in which a wish to stop is looked for
MAX_NEAR_WORDS = 8  # of a first line that could have been meant as SEND
MIN_UNKNOWN = 3  # letters of a word that could be a misspelt command
MAX_UNKNOWN_WORDS = 12  # of a line that could be one
LIKE = 0.75  # how alike two words are, by difflib: "UPDTE" and "update", not "drive" and "resolve"
MAX_CLOSING_LINES = 25  # from "Kind regards" to a disclaimer's end
MAX_NAME = 60  # characters of the line under a closing: a name, or a name and a title


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """One language's words for commands, in any case.

    An entry that begins with ^ is a regular expression for the whole line, which needs neither capitals nor a colon;
    its first group is the argument. It must not fit prose: "later friday", but not "Later that day it failed again".
    """

    words: Mapping[Verb, tuple[str, ...]]
    near_miss: tuple[str, ...] = ()  # regular expressions for a line that could have been meant as SEND
    near_stop: tuple[str, ...] = ()  # regular expressions for a line that could have been meant as STOP
    closings: tuple[str, ...] = ()  # "kind regards", "thanks": a whole line that begins an unmarked signature
    asides: tuple[str, ...] = ()  # regular expressions for a whole line that says nothing beside answers: a greeting
    nothing: tuple[str, ...] = ("-", "–", "—", "n/a")  # answers that mean "none"
    names: tuple[str, ...] = ()  # the author's own, in full and for short: how an unmarked signature may begin


@dataclass(frozen=True, kw_only=True)
class Commands:
    """The commands of a reply, the line that came close to SEND, and the lines that belong to neither."""

    commands: tuple[Command, ...] = ()
    near_miss: str = ""
    unknown: str = ""
    nearest: tuple[str, ...] = ()
    rest: tuple[Line, ...] = ()


def parse_commands(lines: Sequence[Line], vocabulary: Vocabulary) -> Commands:
    """The commands among the first lines that are neither blank, quoted nor a server's banner."""
    found: list[Command] = []
    passage: list[str] | None = None  # of the last command, while it may go on
    near_miss = unknown = ""
    nearest: tuple[str, ...] = ()
    n = 0
    while n < len(lines):
        line = lines[n]
        if line.below or _signs(line) or (line.depth and line.text.strip() and passage is None):
            break
        if line.mark is Mark.BANNER or (not line.text.strip() and passage is None):
            n += 1
            continue
        loud = passage is not None and found[-1].verb in TEXTS
        command = _command(line.text, vocabulary, loud=loud) if not line.depth else None
        if command and (command.verb is not Verb.SEND or not found):
            passage = [command.argument] if command.verb in PASSAGES else None
            found.append(command)
        elif passage is not None and not is_closing(lines, n, vocabulary):
            passage.append("> " * line.depth + line.text)
            found[-1] = Command(verb=found[-1].verb, argument="\n".join(passage).strip())
        else:
            if not found and _is_near(line.text, vocabulary):
                near_miss = line.text.strip()
                n += 1
            elif nearest := _nearest(line.text, vocabulary):
                unknown = line.text.strip()[:MAX_COMMAND]  # it stays in the rest: it may be the answer after all,
                n += _shouted(line.text) and not _goes_on(lines, n + 1, vocabulary)  # but not "STAUS" and no more
            break
        n += 1
    rest = tuple(lines[n:])
    return Commands(commands=tuple(found), near_miss=near_miss, unknown=unknown, nearest=nearest, rest=rest)


def stop_like(top: Sequence[Line], elsewhere: Sequence[Line], vocabulary: Vocabulary) -> str:
    """A line that could have been meant as STOP: among the first ones, or STOP alone anywhere outside the quote."""
    mine = [line.text.strip() for line in top if line.text.strip() and not line.depth and line.mark is Mark.TEXT]
    for text in mine[:MAX_STOP_LINES]:
        if any(re.search(p, text[:MAX_COMMAND], re.IGNORECASE) for p in vocabulary.near_stop):
            return text[:MAX_COMMAND]
    words = {w.casefold() for w in vocabulary.words.get(Verb.STOP, ())}
    return next((line.text.strip() for line in elsewhere if not line.depth and _plain(line.text) in words), "")


def is_send(text: str, vocabulary: Vocabulary) -> bool:
    """Whether a line is, as a whole, one of the words for SEND."""
    return _plain(text) in {w.casefold() for w in vocabulary.words.get(Verb.SEND, ())}


def is_closing(lines: Sequence[Line], n: int, vocabulary: Vocabulary) -> bool:
    """Whether an unmarked signature begins at `n`: "Kind regards" or the author's name, at most a line of who that is
    under it, and no essay. The name for short is one only as the last line of all."""
    text = lines[n].text.strip()
    if len(text) > MAX_NAME:
        return False
    named = _plain(text.lstrip("-–—").rstrip(" ,")) in [name.casefold() for name in vocabulary.names]
    if not named and _plain(text.rstrip(" ,")) not in {c.casefold() for c in vocabulary.closings}:
        return False
    under = [line.text.strip() for line in lines[n + 1 : n + 2 + MAX_CLOSING_LINES]]
    first = next((text for text in under if text), "")
    if named and ((n and lines[n - 1].text.strip()) or (first and len(text.split()) == 1)):
        return False  # "Who was there?\nValery Stufano", "Valery\nand Paul"
    return len(under) <= MAX_CLOSING_LINES and len(first) <= MAX_NAME and not first.endswith((".", ":", "?"))


def is_aside(text: str, vocabulary: Vocabulary) -> bool:
    """Whether all lines of a text say nothing beside answers: "Hi Ann", "See my answers below"."""
    lines = [_plain(line) for line in text.splitlines() if line.strip()]
    return all(any(re.fullmatch(p, line, re.IGNORECASE) for p in vocabulary.asides) for line in lines)


def _signs(line: Line) -> bool:
    """Whether a signature begins here: "-- ", or the "--" that is left of it where a program cuts blanks."""
    return line.mark is Mark.SIGNATURE or line.text.strip() == "--"


def subject_command(subject: str, body: str, vocabulary: Vocabulary) -> Command | None:
    """The command that a new mail's subject is; an echoed one ("Re: OPEN …") and SEND are none."""
    command = _command(subject, vocabulary, loud=False)
    if command is None or command.verb is Verb.SEND:
        return None
    if command.verb in PASSAGES and body:
        return Command(verb=command.verb, argument=f"{command.argument}\n{body}".strip())
    return command


def _plain(text: str) -> str:
    """A line as it is compared: no bold marks, one blank between words, no full stop or exclamation mark at its end."""
    return " ".join(text[:MAX_COMMAND].replace("*", "").split()).rstrip(".!").rstrip().casefold()


def _command(text: str, vocabulary: Vocabulary, *, loud: bool) -> Command | None:
    """The command that a line is; a `loud` one, inside another's passage, must be in capitals to be one."""
    line = " ".join(text.replace("*", "").split())
    if not line:
        return None
    plain = _plain(text) if len(line) <= MAX_COMMAND else ""
    named = plain.rstrip(" :：")  # "NOTE:", the text on the lines below
    best: Command | None = None
    length = 0
    for verb, words in vocabulary.words.items():
        for word in words:
            if word.startswith("^") or len(word) <= length:
                continue  # "no debrief" before "no"
            said = named if verb in PASSAGES else plain
            if loud and not line.startswith(word.split()[0].upper()):
                continue
            if verb is Verb.MAINTENANCE:
                if (work := _planned_work(text, line, word)) is not None:
                    best, length = Command(verb=verb, argument=work), len(word)
            elif said == word.casefold():
                best, length = Command(verb=verb), len(word)
            elif verb not in WHOLE_LINE and (
                argument := _argument(line, word, BEHIND_COLON.get(verb, ".*")) or _plain_argument(verb, line, word)
            ):
                best, length = Command(verb=verb, argument=argument), len(word)
    return best or (None if loud else _fitting(line, vocabulary))


def _fitting(line: str, vocabulary: Vocabulary) -> Command | None:
    """The command whose regular expression a whole line fits: "later friday", "ask paul, which disk?"."""
    for verb, words in vocabulary.words.items():
        for pattern in words if len(line) <= MAX_COMMAND else ():
            if pattern.startswith("^") and (fits := re.fullmatch(pattern, line, re.IGNORECASE)):
                return Command(verb=verb, argument=fits[1].strip(" ,.;:"))
    return None


def _argument(line: str, word: str, behind_colon: str = ".*") -> str:
    """What stands behind a command's word: in capitals ("NOTE called Ann"), or with a colon ("note: called Ann")."""
    if line[: len(word)].casefold() != word.casefold():
        return ""
    rest = line[len(word) :]
    first = word.split(maxsplit=1)[0].upper()  # "ASSIGN to Robin" is written in capitals too
    capitals = first != first.lower() and line.startswith(first)
    argument = rest.lstrip(" ,.;:：-–—")
    colon = rest.lstrip()[:1] in {":", "："} and (
        capitals or re.fullmatch(behind_colon, argument, re.IGNORECASE) is not None
    )
    if colon or (capitals and rest[:1] in set(" ,.;-–—(")):
        return argument[1:-1] if argument.startswith("(") and argument.endswith(")") else argument
    return ""


def _plain_argument(verb: Verb, line: str, word: str) -> str:
    """What stands behind a word that prose does not begin with: "resolved at 8:05", "no debrief, it was a test"."""
    if line[: len(word)].casefold() != word.casefold():
        return ""
    rest = line[len(word) :]
    if verb is Verb.NO_DEBRIEF and rest[:1] in set(",.;:-–—("):
        return rest.strip(" ,.;:-–—()")
    if verb in TIMED and rest[:1] == " " and re.fullmatch(A_TIME, rest[1:], re.IGNORECASE):
        return rest[1:]
    return ""


def _planned_work(text: str, line: str, word: str) -> str | None:
    """What stands behind MAINTENANCE; None where it is prose: "Planned maintenance" is what many a form is answered.

    A * in it stands for any letters, and is no bold mark.
    """
    argument = _argument(" ".join(text.split()), word) or _argument(line, word)
    announced = line.startswith(word.upper()) and (argument or len(line) == len(word))
    return argument if announced or ": " in argument else None


def _nearest(text: str, vocabulary: Vocabulary) -> tuple[str, ...]:
    """The commands that a line may have been meant as: it is a word or two, or begins with a word in capitals."""
    said = _plain(text).split()
    if not said or not said[0].isalpha() or len(said[0]) < MIN_UNKNOWN:
        return ()
    if not ((_shouted(text) and len(said) <= MAX_UNKNOWN_WORDS) or len(said) <= 2):
        return ()
    words = {w.casefold(): verb for verb, some in vocabulary.words.items() for w in some if not w.startswith("^")}
    if said[0].rstrip(":,") in words:
        return ()  # "STOP this one, please": misspelt it is not
    close = get_close_matches(said[0].rstrip(":,"), words, n=9, cutoff=LIKE)
    return tuple(dict.fromkeys(words[word].value.replace("_", " ").upper() for word in close))[:3]


def _shouted(text: str) -> bool:
    """Whether a line begins with a word in capitals."""
    first = text.replace("*", "").split()[0].rstrip(":,.")
    return first == first.upper() != first.lower()


def _goes_on(lines: Sequence[Line], n: int, vocabulary: Vocabulary) -> bool:
    """Whether its author says more from `n` on, a signature aside."""
    for m in range(n, len(lines)):
        if lines[m].below or _signs(lines[m]) or is_closing(lines, m, vocabulary):
            return False
        if lines[m].text.strip():
            return True
    return False


def _is_near(text: str, vocabulary: Vocabulary) -> bool:
    line = " ".join(text.split())
    if len(line) > MAX_COMMAND or len(line.split()) > MAX_NEAR_WORDS:
        return False  # "Send all staff a reminder that …" is an answer
    return any(re.search(p, line, re.IGNORECASE) for p in vocabulary.near_miss)
