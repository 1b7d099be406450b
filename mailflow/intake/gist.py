"""What a client's new words amount to: thanks, a request for something else, or trouble.

Promises: only words that the client wrote now are looked at, never a quote, a signature or its small print. Precision
comes first: thanks is a mail of nothing but listed phrases, a request is a sentence that both asks and names something
that has nothing to do with trouble. What is in doubt is neither, and a person reads it.
The words come from a language's words.toml, as RE2 patterns, so that time is linear in the text whatever they hold.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import re2

from mailflow.domain.mail import Gist, Reading
from mailflow.intake.quoting import INVISIBLE
from mailflow.intake.recipe import Match, Pattern

MAX_TEXT = 20_000  # characters of new words that are looked at; a client writes a tenth of it
MAX_LINES = 400
MAX_THANKS = 600  # characters; who writes more than that has more to say than thanks
MAX_SENTENCE = 600  # characters; a longer one is a log or a contract
MAX_REQUEST = 2_000  # characters of all requests together: the helpdesk gets the whole mail with it
MAX_NAME = 60  # characters of the line under a closing
MAX_NAME_WORDS = 4
LONG_LINE = 50  # characters; a shorter line was ended by its writer, a longer one by his mail program

_NAME = r"(?-i:\p{Lu}[\p{L}'.-]*(?:[ ,&]+(?:(?:and|en|und|et|van|de|der|von) )?\p{Lu}[\p{L}'.-]*){0,2})"
_LISTS = (
    *("thanks", "pleasantries", "answers", "asking", "request", "aside", "no_request"),
    *("trouble", "no_trouble", "over", "small_print"),
)
_NOTHING = r"[^\s\S]"  # what an empty list finds
_BETWEEN = r"[\s,.!;:()\"'*~_+&/-]+"
_SIGN = r"[,.!;:()*_ -]*"  # what may stand around a closing
# Letters that no decomposition takes apart, curly quotes, dashes, skin tones, joiners and whatever is never seen.
_PLAIN: dict[int, str] = {
    **dict.fromkeys([*INVISIBLE, 0x200D, *range(0x1F3FB, 0x1F400)], ""),
    **{ord(a): b for a, b in zip("ßøØæœłŁđ", ("ss", "o", "O", "ae", "oe", "l", "L", "d"), strict=True)},
    **{ord(a): b for a, b in zip("’‘`´“”„«»–—‐‑", '\'\'\'\'"""""----', strict=True)},
}
_NO_APOSTROPHE = re.compile(r"\b(ca|do|does|did|is|are|was|were|wo|could|would|have|has|had|should)nt\b", re.IGNORECASE)
_BULLET = re.compile(r"\s*(?:[-*•·–]|\d{1,2}[.)])\s+")
_END = re.compile(r"[.!?…]{1,9}[\"'”)\]]*(?=\s)")
_ABBREVIATION = re.compile(r"\b(?:e\.g|i\.e|mr|mrs|ms|dr|no|nr|approx|etc|z\.b|bzw|ca|bijv|evt|incl|inkl|st)\.$", re.I)
_DIVIDER = re.compile(r"\s*[-_=*~–—]{2,}\s*$")
_POSTSCRIPT = re.compile(r"\s*p\.?\s?s\.?(?:[:,.\s-]|$)", re.IGNORECASE)
# A subject that echoes another: "Re: …", "[EXTERNAL] AW: …", in any language.
_ECHO = re.compile(r"\s*(?:\[[^\]]{1,40}\]\s*){0,4}[^\W\d_]{1,12}(?:\[\d{1,3}\])?\s?:")
_PARTICLES = frozenset(
    {"van", "de", "der", "den", "von", "zu", "la", "le", "di", "el", "al", "and", "en", "und", "et", "y"}
)


@dataclass(frozen=True, kw_only=True)
class ClientWords:
    """One language's words for what clients write, compiled."""

    only_thanks: Pattern  # a whole mail of nothing but thanks and pleasantries
    thanks: Pattern
    answers: Pattern  # how a mail begins that answers a question
    asking: Pattern
    request: Pattern
    aside: Pattern
    no_request: Pattern
    trouble: Pattern
    no_trouble: Pattern
    over: Pattern
    small_print: Pattern
    closing: Pattern  # a line that begins a signature


def client_words(table: Mapping[str, Sequence[str]], closings: Sequence[str]) -> ClientWords:
    """The words out of words.toml: its table [client], and the closings of its commands.

    A missing list has no words. ValueError, naming the list, where an entry is no RE2 pattern.
    """

    closing = "|".join(re.escape(_folded(c)) for c in closings) or _NOTHING
    lists = {name: "|".join(_folded(entry) for entry in table.get(name, ())) or _NOTHING for name in _LISTS}
    each = {name: _compiled(name, f"(?:{entries})") for name, entries in lists.items()}
    phrase = rf"(?:{lists['thanks']}|{lists['pleasantries']}|{closing})(?:[ ,]+{_NAME})?"
    return ClientWords(
        only_thanks=_compiled("thanks", rf"\A(?:{_BETWEEN})?(?:{_NAME} ?[,!-] ?)?(?:{phrase}(?:{_BETWEEN}|\z))+\z"),
        thanks=_compiled("thanks", rf"(?:\A|{_BETWEEN})(?:{lists['thanks']})(?:{_BETWEEN}|\z)"),
        answers=_compiled("answers", rf"\A{_SIGN}(?:{lists['answers']})"),
        asking=each["asking"],
        request=each["request"],
        aside=each["aside"],
        no_request=each["no_request"],
        trouble=each["trouble"],
        no_trouble=each["no_trouble"],
        over=each["over"],
        small_print=each["small_print"],
        closing=_compiled("closings", rf"\A{_SIGN}(?:{closing}){_SIGN}(?P<name>{_NAME})?{_SIGN}\z"),
    )


def gist(reading: Reading, words: ClientWords) -> Gist:
    """What the client's new words amount to; of a new mail's subject too, since nothing but the client wrote it."""
    written, under = _written(reading, words)
    subject = "" if reading.in_reply_to or reading.references or _ECHO.match(reading.subject) else reading.subject
    sentences = [(s, _plain(s)) for s in _sentences(written)]
    requests = [said for said, plain in sentences if _asks(plain, words)]
    trouble = any(_troubled(plain, words) for plain in (_plain(subject), *(plain for _, plain in sentences)))
    request = "\n".join(requests)
    return Gist(
        thanks=not (request or trouble) and _only_thanks(subject, written, under, words),
        request=request if len(request) <= MAX_REQUEST else "",
        trouble=trouble,
    )


def _only_thanks(subject: str, written: Sequence[str], under: Sequence[str], words: ClientWords) -> bool:
    # A short line (a greeting, a name) was ended on purpose, which a comma says in its place.
    text = "".join(line.strip() + (", " if len(line) < LONG_LINE else " ") for line in written if line.strip())
    if subject.strip():
        text = f"{subject.strip()}, {text}"
    if len(text) > MAX_THANKS or "?" in text:
        return False
    plain = _plain(text).strip()
    if not words.only_thanks.search(plain) or not words.thanks.search(plain) or words.answers.search(plain):
        return False
    # Whoever goes on below his name has more to say; a signature asks for nothing and knows no trouble.
    below = [_plain(line) for line in under]
    return not any("?" in line or _troubled(line, words) or words.request.search(line) for line in below)


def _asks(sentence: str, words: ClientWords) -> bool:
    """Whether a sentence asks for something that has nothing to do with the trouble."""
    if not words.asking.search(sentence) or words.no_request.search(sentence) or words.trouble.search(sentence):
        return False
    return bool(words.request.search(sentence) or words.aside.search(sentence))


def _troubled(sentence: str, words: ClientWords) -> bool:
    """Whether a sentence speaks of trouble that is not denied in the same words, nor over by its end."""
    found = _spans(words.trouble, sentence)
    if not found:
        return False
    denied, over = _spans(words.no_trouble, sentence), _spans(words.over, sentence)
    return any(
        not any(first < end and start < last for first, last in denied) and not any(first >= end for first, _ in over)
        for start, end in found
    )


def _spans(pattern: Pattern, text: str) -> list[tuple[int, int]]:
    return [(found.start(), found.end()) for found in cast("Iterator[Match]", pattern.finditer(text))]


def _written(reading: Reading, words: ClientWords) -> tuple[list[str], list[str]]:
    """The lines that the client wrote to us, and those of an unmarked signature under them, small print left out."""
    lines = [line for line in reading.new_text[:MAX_TEXT].split("\n")[:MAX_LINES] if not line.startswith(">")]
    print_at = next((n for n, line in enumerate(lines) if n and words.small_print.search(_plain(line))), len(lines))
    lines = lines[:print_at]
    own = _own_names(reading)
    for n, line in enumerate(lines):
        if begins := _signature(lines, n, own, words):
            under = lines[n + begins :]
            after = next((m for m, below in enumerate(under) if _POSTSCRIPT.match(below)), len(under))
            # The name itself is no word to us; the closing is one, since it may be "thanks".
            kept = lines[: n + begins] if words.closing.search(_plain(line)) else lines[:n]
            return [*kept, "", *under[after:]], under[:after]
    return lines, []


def _signature(lines: Sequence[str], n: int, own: frozenset[str], words: ClientWords) -> int:
    """Where from this line on a signature begins, counted in lines; 0 where it does not.

    It begins under a closing with a name, with the author's own name, or at a divider. "Thanks" alone is a closing
    only above the author's name: what else stands under it is said to us.
    """
    plain = _plain(lines[n]).strip()
    if not plain:
        return 0
    if _DIVIDER.match(lines[n]):
        return 1
    if closing := words.closing.search(plain):
        name = closing.group("name") or ""
        thanks = bool(words.thanks.search(plain))
        if name:
            return 1 if not thanks or _is_own(name, own) else 0
        following = next((line for line in lines[n + 1 :] if line.strip()), "")
        is_name = _is_own(following, own) or (not thanks and _is_name(following, words))
        return 1 if not following or is_name else 0
    return 1 if n and _is_own(lines[n], own) else 0


def _is_own(line: str, own: frozenset[str]) -> bool:
    """Whether a line is the author's name, or a part of it: "Ann", "Ann L.", "A. Lee"."""
    parts = re.findall(r"[^\W\d_]+", _plain(line[: MAX_NAME + 1]).casefold())
    if not parts or len(line.strip()) > MAX_NAME or len(parts) > MAX_NAME_WORDS:
        return False
    initials = {name[0] for name in own}
    return all(part in own or (len(part) == 1 and part in initials) for part in parts)


def _is_name(line: str, words: ClientWords) -> bool:
    """Whether a line under a closing looks like somebody's name, or a name and what he is."""
    text = line.strip()
    parts = text.split()
    if not parts or len(text) > MAX_NAME or text.endswith((".", ":", "?", "!")) or _troubled(_plain(text), words):
        return False
    named = all(part[0].isupper() or not part[0].isalpha() or part.casefold() in _PARTICLES for part in parts)
    return named or len(parts) == 1


def _own_names(reading: Reading) -> frozenset[str]:
    """The words of the author's name and of the first half of the address, as they are compared."""
    if not reading.author:
        return frozenset()
    told = f"{reading.author.name} {reading.author.address.partition('@')[0]}"
    return frozenset(re.findall(r"[^\W\d_]+", _plain(told).casefold()))


def _sentences(lines: Sequence[str]) -> list[str]:
    """The sentences of these lines, as written; too long ones are left out."""
    passages: list[str] = []
    for n, line in enumerate(lines):
        before = lines[n - 1] if n else ""
        text = line.strip()
        if not text:
            continue
        wrapped = bool(before.strip()) and not _BULLET.match(line)
        if wrapped and (text[0].islower() or len(before) >= LONG_LINE) and passages:
            passages[-1] += "\n" + text
        else:
            passages.append(_BULLET.sub("", text, count=1))
    return [s for passage in passages for s in _split(passage) if 0 < len(s) <= MAX_SENTENCE]


def _split(passage: str) -> list[str]:
    found: list[str] = []
    start = 0
    for end in _END.finditer(passage):
        if end[0].startswith(".") and _ABBREVIATION.search(passage[max(start, end.end() - 12) : end.end()]):
            continue
        found.append(passage[start : end.end()].strip())
        start = end.end()
    return [*found, passage[start:].strip()]


def _plain(text: str) -> str:
    """A text as patterns see it: folded, emojis words of their own, single blanks, apostrophes where they belong."""
    text = "".join(f" {char} " if unicodedata.category(char) == "So" else char for char in _folded(text[:MAX_TEXT]))
    return _NO_APOSTROPHE.sub(r"\1n't", " ".join(text.split()))


def _folded(text: str) -> str:
    """A text, or a pattern, without accents, invisible characters and typographic signs."""
    text = unicodedata.normalize("NFKD", text.translate(_PLAIN))
    return "".join(char for char in text if unicodedata.category(char) != "Mn").translate(_PLAIN)


def _compiled(name: str, pattern: str) -> Pattern:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 64 << 20  # bytes: a long list of phrases, each in any case, is a large automaton
    try:
        return cast("Pattern", re2.compile(f"(?i){pattern}", options))
    except re2.error as error:
        reason = error.args[0].decode("utf-8", "replace") if error.args and isinstance(error.args[0], bytes) else error
        raise ValueError(f"client.{name}: not an RE2 pattern: {reason}") from None
