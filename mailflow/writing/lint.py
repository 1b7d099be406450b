"""The writing gate (N.7): what stands in a letter that should not leave to a client, with a reason and a better way.

Promises: pure; each rule is said once a sentence, in the order of the text; hostile text costs linear time (RE2, at
most MAX_TEXT characters, at most MAX_HITS of each rule). Nothing is changed: who calls it decides what is held.

Phrases and blame are data, `lint/<language>.toml` beside the letters; the head of the English one says how they are
written. An MSP's file of that name stands instead of the shipped one; its `lint/<language>.<any>.toml` adds to it, and
a rule there replaces the one of the same id. What leaks is the same in every language, and nobody may switch it off:
its patterns are code, and only the words for it stand in the files.
"""

import re
import unicodedata
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate, islice
from typing import Any

MAX_TEXT = 20_000  # characters: ten pages, far more than a client reads
MAX_HITS = 20  # sentences in which one rule is said: whoever gets twenty rewrites the letter
MAX_SENTENCE = 200  # characters of a sentence that are shown
MAX_BEFORE = 20  # earlier letters: about what one client gets in a bad month
LONG_SENTENCE = 8  # words; shorter ones ("I don't know why yet.") may well be the same twice
MAX_GREETING = 6  # words: "Good morning John and Shirley,"
NEARLY_SAME = 0.8  # of both letters' words stand in sentences that they share
MIN_COMPARED = 12  # words that a letter must have of its own before it can be the same as another
SHORT_NAME = 4  # letters; "IBS" is somebody's name, "ibs" a part of anything
FALLBACK = "en"  # the language whose words stand in for those that another one lacks
# What stands behind a company's name, and is left out when people speak of it.
LEGAL_FORM = re.compile(r"[ ,]+(?:ltd|inc|llc|llp|plc|corp|co|b\.?v|n\.?v|v\.?o\.?f|gmbh|s\.?a|ag)\.?$", re.IGNORECASE)
# Characters that are not seen (soft hyphen, zero widths, BOM) and quotes that word processors bend.
UNSEEN = dict.fromkeys([0xAD, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF]) | {0x2018: "'", 0x2019: "'", 0x2BC: "'"}
ITEM = re.compile(r"\s*(?:[-*•]|\d{1,2}[.)])\s")  # a line of a list is a sentence of its own
RULER = re.compile(r"\s*[-=_*]{3,}\s*")
# What goes on in small letters or figures ("nr. 12", "e.g. a disk") was no end.
SENTENCE_END = re.compile(r"""(?:(?<=[.!?])|(?<=[.!?]["')”»])) (?=[^a-z0-9])""")
WORD = re.compile(r"[^\W_]+")

# What leaks in any language: what a monitor, a template or a liaison's form leaves behind.
_KEY = "(?:password|passwd|passphrase|pwd|pin|api[ _-]?key|secret|access token|wachtwoord|pincode|api-sleutel)"
LEAKS = {
    "private-address": (
        r"\b(?:10\.\d{1,3}|127\.\d{1,3}|169\.254|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.\d{1,3}\.(?:\d{1,3}|x)\b",
        r"\b(?:fe80|f[cd][0-9a-f]{2}):[0-9a-f:]*:[0-9a-f:]*",
    ),
    "internal-name": (
        r"\b[a-z0-9_-]+\.(?:local|localdomain|lan|internal|intranet|corp|home\.arpa)(?:\.?[^\w.-]|\.?$)",
        r"(?:^|[^\w\\])\\\\[a-z0-9][\w.$-]*(?:\\|\b)",
    ),
    "file-path": (
        r"\b[a-z]:\\+[\w$%{~.]",
        r"(?:^|[^\w/.])/(?:var|etc|usr|opt|root|srv|home|mnt|proc|tmp|dev|bin|sbin|Users|Volumes)/[\w.-]",
        r"(?:^|\W)~/[\w.]",
        r"\bHK(?:LM|CU|EY_\w+)\b|%(?:appdata|programfiles|systemroot|temp|userprofile)%",
    ),
    "traceback": (
        r"\btraceback \(most recent|\bstack ?trace\b",
        r"\bat [\w$.<>]+\([\w$]+\.(?:java|kt|scala|cs|js|ts|py|go):\d+\)",
        r'\bfile "[^"]+", line \d+',
        r"(?-i:\b\w+(?:Exception|Error)\b:?)(?:[^\w]|$)",
        r"\bcore dumped\b|\bsegmentation fault\b|\b0x[0-9a-f]{6,}\b",
    ),
    "placeholder": (
        r"\{\{|\}\}|\{%|%\}|\$\{|\{[a-z_][\w.]*\}|%\(\w+\)[sd]",
        r"(?:^|[\s(\"])%[sd](?:\W|$)",
        r"(?-i:\[[A-Z][A-Z _-]+\])|<[a-z][a-z _-]*>",
        r"\[(?:insert|your|name|client|date|time|company|first name|naam|klant|datum|tijd|voornaam)\b[^\]]*\]",
        r"(?-i:\b(?:TODO|TBD|TBC|FIXME|XXX+)\b)|\blorem ipsum\b",
        r"\b(?:hello|hi|dear|at|by|on|since|from|until|for|beste|hallo|om|op|sinds|van|tot) (?-i:(?:None|null)\b)",
        r"(?-i:\b(?:NULL|NaN|NoneType|undefined)\b)",
    ),
    "credentials": (
        rf"\b{_KEY}\b ?[:=] ?\S|\b{_KEY} (?:is|was|wordt)(?: now| set to| nu)? [\"'“]?\w*\d",
        r"\bBEGIN [A-Z ]*(?:PRIVATE KEY|CERTIFICATE)\b",
        r"(?-i:\b(?:AKIA[0-9A-Z]{16}\b|gh[pousr]_\w{20}|github_pat_\w|xox[abprs]-\w|sk-[\w-]{20}|eyJ[\w-]{16}))",
        r"[?&](?:token|key|sig|access_token|password|secret)=\w|://[^/\s:@]+:[^/\s@]+@",
        # A word nobody could say, on its own: within a link it is mostly the name of a meeting or a document.
        r"(?:^|[\s\"'(\[=:])(?:[0-9a-f]{32,}|\w{40,}|[a-z0-9+/]{40,}=*)(?:$|[\s\"')\].,;])",
    ),
    "form": (
        r"(?:^|\s)\[\d{1,2}\](?:\W|$)",
        r"-{3,} ?(?:end of form|einde)\b|\bword for word ?-{3,}",
        r"\b[a-z2-7]{10}-(?:[a-z2-7]{26}|cut\b)|<mf\.",
        r"\bINC-\d+/\d+\b",
    ),
    "command": (
        r"^(?-i:SEND|STOP|STOP IT|SEND IT|RESEND|SENT|PAUSE|RESUME|CANCEL|HELP)[.!]?$",
        r"(?-i:\b(?:NO DEBRIEF\b|LATER (?:[A-Z]+DAY|TOMORROW|\d)|MERGE INC\b|ASK [A-Z]{2}|RESOLVED \d|OPEN client:))",
        r"^(?-i:NOTE|CALL|OPEN|SPLIT):? |(?-i:\b[Rr]eply SEND\b)",
    ),
}
FOREIGN, TOO_LONG, REPEATED, SAME_LETTER = "foreign-client", "too-long", "repeated-sentence", "same-letter"


class Level(StrEnum):
    """How bad it is: a LEAK may never leave, an ERROR not without being rewritten, a WARNING is a thought."""

    LEAK = "leak"
    ERROR = "error"
    WARNING = "warning"


# What code finds, and the files have words for.
SAID = {**dict.fromkeys((*LEAKS, FOREIGN), Level.LEAK), REPEATED: Level.WARNING}
SAID |= {TOO_LONG: Level.ERROR, SAME_LETTER: Level.ERROR}


@dataclass(frozen=True, kw_only=True)
class Objection:
    """One thing that speaks against a text, said to its author; `sentence` is the one in which it stands."""

    rule: str
    level: Level
    sentence: str
    why: str
    better: str


Pattern = Any  # compiled by RE2, which tells no types


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One thing to look for, and what to say of it."""

    id: str
    level: Level
    patterns: tuple[Pattern, ...]
    why: str
    better: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Rules:
    """One language's rules: those that search (what leaks among them), and those that code decides, by name."""

    searching: tuple[Rule, ...]
    decided: Mapping[str, Rule]
    greetings: tuple[str, ...] = ()
    closings: tuple[str, ...] = ()
    standing: tuple[Pattern, ...] = ()
    ordinary: frozenset[str] = frozenset()


def lint(
    text: str, rules: Rules, *, foreign: Iterable[tuple[str, ...]] = (), before: Sequence[str] = ()
) -> tuple[Objection, ...]:
    """What speaks against sending this text to a client.

    `foreign` are the names of the other clients, a tuple for each; `before` what this client got earlier, newest first.
    """
    page = _Page(text)
    found = [(0, rules.decided[TOO_LONG])] if page.too_long else []
    found += [(at, rule) for rule in rules.searching for at in page.hits(rule.patterns)]
    found += [(at, rules.decided[FOREIGN]) for at in _foreign(page, foreign, rules.ordinary)]
    found += [(at, rules.decided[name]) for at, name in _repeated(page, rules, before)]
    return tuple(page.objection(rule, at) for at, rule in sorted(found, key=lambda f: f[0]))


def finds(rule: Rule, text: str) -> bool:
    """Whether a rule is said of a text."""
    return bool(_Page(text).hits(rule.patterns))


class _Page:
    """A text as it is searched: a sentence a line, with single spaces and straight apostrophes."""

    def __init__(self, text: str) -> None:
        # Characters that no mail can carry would stop RE2; a compatible form is what a reader takes a character for.
        readable = text[: MAX_TEXT + 1].encode("utf-8", "replace").decode()
        plain = unicodedata.normalize("NFKC", readable).translate(UNSEEN)
        self.too_long = len(plain) > MAX_TEXT or len(text) > MAX_TEXT
        self.lines = plain[:MAX_TEXT].splitlines()
        self.sentences = _sentences(self.lines)
        self.flat = "\n".join(self.sentences)
        self.starts = list(accumulate((len(s) + 1 for s in self.sentences[:-1]), initial=0))

    def hits(self, patterns: Iterable[Pattern]) -> list[int]:
        """Where any of the patterns is found, the first place in each sentence."""
        places = sorted(at for pattern in patterns for at in islice(self._hits(pattern), MAX_HITS))
        return sorted({self.nth(at): at for at in reversed(places)}.values())[:MAX_HITS]

    def _hits(self, pattern: Pattern) -> Iterator[int]:
        """One pattern's; after a hit the search goes on in the next sentence, so that none is read twice."""
        found = pattern.search(self.flat)
        while found:
            yield found.start()
            following = self.nth(found.start()) + 1
            found = pattern.search(self.flat, self.starts[following]) if following < len(self.starts) else None

    def nth(self, at: int) -> int:
        """Which sentence a place is in."""
        return bisect_right(self.starts, at) - 1

    def objection(self, rule: Rule, at: int) -> Objection:
        """What a rule has to say of the sentence at a place; of a very long one, the part around it is shown."""
        sentence = self.sentences[self.nth(at)] if self.sentences else ""
        place = at - self.starts[self.nth(at)]
        shown = sentence[max(0, min(place - 60, len(sentence) - MAX_SENTENCE)) :][:MAX_SENTENCE]
        return Objection(rule=rule.id, level=rule.level, sentence=shown, why=rule.why, better=rule.better)


def _sentences(lines: Iterable[str]) -> list[str]:
    """The sentences of a text, white space made single: wrapped lines are joined, lists and headings are not."""
    blocks: list[list[str]] = [[]]
    for line in lines:
        if not line.strip() or RULER.fullmatch(line):
            blocks.append([])
        elif ITEM.match(line):
            blocks.append([line])
        else:
            blocks[-1].append(line)
    flat = (" ".join(" ".join(block).split()) for block in blocks if block)
    return [sentence for block in flat for sentence in SENTENCE_END.split(block) if sentence]


def _foreign(page: _Page, foreign: Iterable[tuple[str, ...]], ordinary: frozenset[str]) -> Iterator[int]:
    """Where another client is named, once a sentence and client, at most MAX_HITS times."""
    by_first: dict[str, list[tuple[int, list[str], bool]]] = defaultdict(list)
    for client, names in enumerate(foreign):
        for name in names:
            words = WORD.findall(LEGAL_FORM.sub("", unicodedata.normalize("NFKC", name)))
            letters = sum(map(len, words))
            exact = letters < SHORT_NAME or all(word.casefold() in ordinary for word in words)
            if letters > 1:  # one letter begins too many sentences
                by_first[words[0].casefold()].append((client, words, exact))
    found: dict[tuple[int, int], int] = {}
    for n, sentence in enumerate(page.sentences if by_first else ()):
        said = list(WORD.finditer(sentence))
        for i, word in enumerate(said):
            for client, words, exact in by_first.get(word[0].casefold(), ()):
                here = [w[0] for w in said[i : i + len(words)]]
                if here == words or (not exact and [w.casefold() for w in here] == [w.casefold() for w in words]):
                    found.setdefault((n, client), page.starts[n] + word.start())
    return islice(found.values(), MAX_HITS)


def _repeated(page: _Page, rules: Rules, before: Sequence[str]) -> list[tuple[int, str]]:
    """Sentences that this client has read before, or one objection where nearly the whole letter is an old one."""
    mine = _compared(page, rules) if before else []
    if not mine:
        return []
    length = sum(len(key) for _, key in mine)
    read: set[tuple[str, ...]] = set()
    for text in before[:MAX_BEFORE]:
        theirs = {key for _, key in _compared(_Page(text), rules)}
        read |= theirs
        shared = sum(len(key) for _, key in mine if key in theirs)
        # Of both letters' words, so that an old letter inside a longer new one is not the same letter.
        both = length + sum(map(len, theirs))
        if length >= MIN_COMPARED and 2 * shared >= NEARLY_SAME * both:
            return [(mine[0][0], SAME_LETTER)]
    return [(at, REPEATED) for at, key in mine if len(key) >= LONG_SENTENCE and key in read][:MAX_HITS]


def _compared(page: _Page, rules: Rules) -> list[tuple[int, tuple[str, ...]]]:
    """What of a letter is its own: each sentence's place and words, without greeting, signature and standing ones."""
    plain = [line.strip(" ,.!\t").casefold() for line in page.lines]
    signature = max((n for n, line in enumerate(plain) if line in rules.closings), default=len(plain))
    body = page.sentences[: len(_sentences(page.lines[:signature]))]
    standing = {page.nth(at) for at in page.hits(rules.standing)}
    own = []
    for n, sentence in enumerate(body):
        words = tuple(word.casefold() for word in WORD.findall(sentence))
        greets = len(words) <= MAX_GREETING and " ".join((*words, "")).startswith(rules.greetings)
        if words and not greets and n not in standing:
            own.append((page.starts[n], words))
    return own


# --- reading the files ---
