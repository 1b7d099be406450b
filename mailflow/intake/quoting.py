"""The lines of a text/plain body: what is quoted and how deep, what introduces a quote, what is a signature.

Promises: every line comes back in order, nothing is judged away, since clients put answers into, under and over
quotes; `mark` and `below` only say what a line looks like. Work is linear in the text, whatever it holds.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from mailflow.domain.mail import Line, Mark
from mailflow.intake.header_names import HEADER_KIND

MAX_CHARACTERS = 1_000_000  # as much as intake.parse keeps of a body; a person's reply has a thousandth of it
MAX_LINES = 50_000  # more lines than any reply, few enough for every pass over them to take well under a second
MAX_ATTRIBUTION_LINES = 4  # Gmail wraps at about 76: date, name and a long address fill three
MAX_ATTRIBUTION = 400  # characters of a whole attribution
MAX_HEADER_LINES = 14  # From, Sent, To, Cc, Subject with folded recipients, blank lines between them
MIN_SIGNATURE = 2  # lines by which a signature without a mark is known
MIN_TERSE_QUOTE = 3  # quoted lines behind a bare "Ann wrote:"; fewer are more likely a typed quotation

# Byte order marks (iOS writes one into its quote), soft hyphens and zero-width characters: never typed, never shown.
INVISIBLE = dict.fromkeys(map(ord, "\ufeff\u200b\u200c\u200e\u200f\u2060\xad"))
_QUOTE_MARKS = re.compile(r"(?:[ \t]?>)+")
_WROTE = re.compile(
    r"\b(?:wrote|writes|schreef|(?:ge)?schreven|schrieb|geschrieben|a écrit|escribió|ha scritto|escreveu|skrev"
    r"|kirjoitti|napisał\(?a?\)?|napsal\(?a?\)?|написала?|пишет|yazdı|zitat von|quoting|citeren|citerar)\b",
    re.IGNORECASE,
)
_STARTS_ATTRIBUTION = re.compile(r"\s*(?:on|op|am|le|el|il|em|den|dne|w dniu|вт|пн|ср|чт|пт|сб|вс)\b", re.IGNORECASE)
_OPENS_ATTRIBUTION = re.compile(rf"{_STARTS_ATTRIBUTION.pattern}|.{{0,80}}\d{{4}}|.{{0,120}}[<@]", re.IGNORECASE)
_ADDRESS = re.compile(r"[^\s<>@]{1,80}@[^\s<>@]{1,200}")
_DATED = re.compile(r"\b\d{4}\b|\b\d{1,2}[:.]\d{2}\b")
# One line of the block that Outlook and its like put above a quote.
_HEADER_LINE = re.compile(r"[\s*]*([^\W\d_]{1,16})\*{0,2}[ \xa0]?[:：]\*{0,2}(?:\s|$)")
_ORIGINAL = re.compile(
    r"[\s>]*-{4,}\s*(?:original (?:message|appointment)|(?:oorspronkelijke?|origineel) bericht|ursprüngliche nachricht"
    r"|original-?nachricht|weitergeleitete nachricht|doorgestuurd bericht|forwarded message|message d'origine"
    r"|mensaje original|messaggio originale|mensagem original|originalmeddelande)\s*-{4,}\s*$|begin forwarded message:",
    re.IGNORECASE,
)
_RULE = re.compile(r"\s*_{10,}\s*$")
_DEVICE = re.compile(
    r"\s*(?:sent from (?:my|outlook|yahoo|mail|the all-new|samsung|proton)|get outlook for|get bluemail"
    r"|sent (?:with|via) \[?(?:proton|blackberry|spark|superhuman|android)|yahoo mail: search|virus-free\b"
    r"|(?:verzonden|verstuurd) (?:vanaf|met|via|vanuit) (?:mijn|outlook|mail|yahoo|samsung|\[?proton)|outlook voor "
    r"|download outlook|(?:diese nachricht wurde )?von (?:meinem .{1,50}|unterwegs) gesendet|holen sie sich outlook"
    r"|gesendet (?:von|mit|aus) (?:meinem|outlook|mail|der|yahoo|\[?proton)"
    r"|outlook für |envoyé (?:de|depuis) mon|inviato da|enviado desde mi)",
    re.IGNORECASE,
)
MAX_DEVICE_LINE = 90  # "Sent from my …" with a phone's full name; a longer line is prose
# Of this mail or its sender, since "Warning: the external disk is full" is a person's or a monitor's sentence.
_BANNER = re.compile(
    r"[\s*\[(⚠️!]*(?:(?:caution|warning|external|attention|notice|let op|achtung|vorsicht|extern)\b\W{0,6})?(?:"
    r"(?:this|deze|dit|diese) (?:e-?mail|mail|message|bericht|nachricht)\W{1,3}"
    r"(?:originate[ds]|came|comes|was|is|has|komt|kwam|kommt|kam|stammt|wurde)\b.{0,80}\b(?:outside|external|extern\w{0,2}|buiten|außerhalb)\b"
    r"|(?<=\W)external (?:e-?mail|mail|message|sender)\s*(?:[\])*:!.-]|$))"
    r"|\s*(?:some people who received this message |you )don.t often get email from\b"
    r"|\s*\S.{0,60} reacted (?:via gmail|to your (?:e-?mail|message))\b.{0,60}$"
    r"|\s*(?:[*\[(]+\s*external|(?-i:EXTERNAL))(?: e-?mail| sender| mail| message)?"
    r"(?:[\])*\s:!.-]*$|\s*[:!.-]\s*do not\b)",
    re.IGNORECASE,
)
MAX_BANNER_LINES = 4  # a warning wrapped by a text part


def plain_lines(text: str, *, flowed: bool = False, delsp: bool = False) -> tuple[Line, ...]:
    """The lines of a text/plain body, marked. `flowed` and `delsp` are its format parameters (RFC 3676)."""
    raw = text[:MAX_CHARACTERS].translate(INVISIBLE).replace("\r\n", "\n").replace("\r", "\n").split("\n")[:MAX_LINES]
    while raw and not raw[-1].strip():
        raw.pop()
    return marked(_unflow(raw, delsp=delsp) if flowed else _fixed(raw))


def new_and_quoted(lines: Sequence[Line]) -> tuple[str, str]:
    """What the author wrote and what was quoted, as two texts; signatures, banners and attributions are in neither.

    Text at depth 0 between or under marked quotes is new; under an unmarked quote's header block it is the quote.
    """
    new: list[str] = []
    quoted: list[str] = []
    unmarked = False
    for n, line in enumerate(lines):
        if line.mark is Mark.HEADER:
            unmarked = unmarked or line.depth == 0
        elif line.mark is Mark.ATTRIBUTION and line.depth == 0:
            following = next((f for f in lines[n + 1 : n + 4] if f.text.strip() and f.mark is not line.mark), None)
            unmarked = unmarked or bool(following and following.depth == 0)
        elif line.mark is Mark.TEXT:
            if not line.below:
                new.append("> " * line.depth + line.text)
            elif line.depth or unmarked:
                quoted.append(line.text)
            else:
                new.append(line.text)
    return _tidy(new), _tidy(quoted)


def is_device_line(text: str) -> bool:
    """Whether a line is the one that a phone signs with ("Sent from my iPhone"), which may stand in mid-message."""
    return len(text) < MAX_DEVICE_LINE and bool(_DEVICE.match(text))


def signed(lines: Sequence[Line], signature: Sequence[str]) -> Sequence[Line]:
    """The lines with a signature that is known by its words marked where its author's text ends, blank lines aside.

    One line alone is none: "Paul" may be an answer.
    """
    known = [text for line in signature if (text := " ".join(line.split()))]
    if len(known) < MIN_SIGNATURE:
        return lines
    said = [(n, " ".join(line.text.split())) for n, line in enumerate(lines) if line.text.strip() and not line.depth]
    result = list(lines)
    for i in range(len(said) - len(known) + 1):
        if all(said[i + k][1] == text for k, text in enumerate(known)) and _ends(lines, said[i + len(known) - 1][0]):
            for n in range(said[i][0], said[i + len(known) - 1][0] + 1):
                result[n] = replace(lines[n], mark=Mark.SIGNATURE)
    return result


def _ends(lines: Sequence[Line], n: int) -> bool:
    """Whether an author's text ends with line `n`: the mail does, a quote begins or goes on, or a mark follows."""
    following = next((lines[m] for m in range(n + 1, len(lines)) if lines[m].text.strip()), None)
    return following is None or (following.depth, following.below, following.mark) != (0, lines[n].below, Mark.TEXT)


def marked(lines: Sequence[Line]) -> tuple[Line, ...]:
    """The same lines with marks from their wording added, and `below` from the first sign of a quote on.

    A line that came with a mark (from an element of an HTML body) keeps it.
    """
    marks = _marks(lines)
    starts = [n for n, m in enumerate(marks) if m in {Mark.ATTRIBUTION, Mark.HEADER}]
    starts += [n for n, line in enumerate(lines) if line.below][:1]
    # Without any introduction the first quoted line begins the quote; with one, a ">" above it was typed.
    starts = starts or [n for n, line in enumerate(lines) if line.depth][:1]
    start = min(starts, default=len(lines))
    return tuple(
        line if line.mark is marks[n] and line.below is (n >= start) else replace(line, mark=marks[n], below=n >= start)
        for n, line in enumerate(lines)
    )


def _tidy(lines: list[str]) -> str:
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in lines)).strip("\n")


def _fixed(raw: list[str]) -> list[Line]:
    lines = []
    for n, line in enumerate(raw):
        if line.startswith(">From ") and not any(
            r.startswith(">") for r in raw[max(0, n - 1) : n] + raw[n + 1 : n + 2]
        ):
            lines.append(Line(text=line[1:].rstrip()))  # an mbox on the way escaped it
            continue
        found = _QUOTE_MARKS.match(line)
        depth = found[0].count(">") if found else 0
        rest = line[found.end() :].removeprefix(" ") if found else line
        lines.append(Line(text=_right(rest), depth=depth))
    return lines


def _unflow(raw: list[str], *, delsp: bool) -> list[Line]:
    """Join flowed lines of one depth into paragraphs (RFC 3676 4.1 to 4.5)."""
    lines: list[Line] = []
    parts: list[str] = []  # of the paragraph being joined
    open_depth = 0
    for line in raw:
        depth = len(line) - len(line.lstrip(">"))
        rest = line[depth:].removeprefix(" ")  # space-stuffing
        if parts and (depth != open_depth or rest == "-- "):  # a paragraph broken by its writer ends here
            lines.append(Line(text="".join(parts).rstrip(), depth=open_depth))
            parts = []
        open_depth = depth
        if rest.endswith(" ") and rest != "-- ":
            parts.append(rest[:-1] if delsp else rest)
        else:
            lines.append(Line(text=_right("".join((*parts, rest))), depth=depth))
            parts = []
    if parts:
        lines.append(Line(text="".join(parts).rstrip(), depth=open_depth))
    return lines


def _right(text: str) -> str:
    """Without blanks at the end, except in the signature's mark."""
    return text if text == "-- " else text.rstrip()


def _marks(lines: Sequence[Line]) -> list[Mark]:
    marks = [line.mark for line in lines]
    n = 0
    while n < len(lines):
        line, length = lines[n], 1
        if not line.text.strip() or marks[n] not in {Mark.TEXT, Mark.SIGNATURE}:
            pass
        elif length := _quote_start(lines, n):
            mark = Mark.ATTRIBUTION if _is_attribution(lines, n) else Mark.HEADER
            marks[n : n + length] = [mark] * length
        elif _BANNER.match(line.text[:300]):
            length = _banner_length(lines, n)
            marks[n : n + length] = [Mark.BANNER] * length
        elif line.text in {"-- ", "--\xa0"}:
            length = _signature_length(lines, n)
            marks[n : n + length] = [Mark.SIGNATURE] * length
        elif is_device_line(line.text):
            marks[n] = Mark.SIGNATURE
        n += max(length, 1)
    return marks


def _quote_start(lines: Sequence[Line], n: int) -> int:
    """How many lines from `n` on introduce a quote; 0 where none does."""
    text = lines[n].text
    if attribution := _attribution_length(lines, n):
        return attribution
    if header := _header_length(lines, n):
        return header
    if _ORIGINAL.match(text[:120]):
        return 1 + _header_length(lines, _next_text(lines, n))
    if _RULE.match(text[:400]):  # only where From follows: a pasted log may hold rules of its own
        following = _next_text(lines, n)
        header = _header_length(lines, following)
        return header + following - n if header else 0
    return 0


def _next_text(lines: Sequence[Line], n: int) -> int:
    """The index of the next line with words, at most two blank lines on; len(lines) where there is none."""
    for m in range(n + 1, min(n + 4, len(lines))):
        if lines[m].text.strip():
            return m
    return len(lines)


def _is_attribution(lines: Sequence[Line], n: int) -> bool:
    return bool(_attribution_length(lines, n))


def _attribution_length(lines: Sequence[Line], n: int) -> int:
    first = lines[n]
    if len(first.text) > MAX_ATTRIBUTION or not (
        _OPENS_ATTRIBUTION.match(first.text) or first.text.rstrip().endswith(":")
    ):
        return 0
    joined = ""
    for m in range(n, min(n + MAX_ATTRIBUTION_LINES, len(lines))):
        line = lines[m]
        if line.depth != first.depth or not line.text.strip() or len(joined) + len(line.text) > MAX_ATTRIBUTION:
            return 0
        joined = f"{joined} {line.text.strip()}"
        if joined.endswith((":", "：")):
            # A line that ends an answer may stand right above: what introduces a quote by itself begins by itself.
            shorter = any(_STARTS_ATTRIBUTION.match(lines[k].text) and _tells(lines, k, m) for k in range(n + 1, m + 1))
            return m - n + 1 if not shorter and _introduces(joined, lines, n, m) else 0
    return 0


def _tells(lines: Sequence[Line], first: int, last: int) -> bool:
    return _introduces(" ".join(line.text.strip() for line in lines[first : last + 1]), lines, first, last)


def _introduces(joined: str, lines: Sequence[Line], n: int, last: int) -> bool:
    """Whether this text, lines `n` to `last`, introduces a quote rather than tells that "On Monday we wrote:"."""
    following = _next_text(lines, last)
    deeper = following < len(lines) and lines[following].depth > lines[n].depth
    wrote, addressed, dated = bool(_WROTE.search(joined)), bool(_ADDRESS.search(joined)), bool(_DATED.search(joined))
    if addressed:
        return (wrote and dated) or (deeper and (wrote or dated))
    if not wrote:
        return False
    if dated:  # Apple and Yahoo put the attribution inside the quote, as its first line
        return deeper or (lines[n].depth > 0 and (n == 0 or lines[n - 1].depth < lines[n].depth))
    run = lines[following : following + 2 * MIN_TERSE_QUOTE]
    return deeper and sum(1 for line in run if line.text.strip() and line.depth > lines[n].depth) >= MIN_TERSE_QUOTE


def _header_length(lines: Sequence[Line], n: int) -> int:
    """The length of a From/Sent/To/Subject block at `n`; From alone, as in a pasted log, is none."""
    if n >= len(lines) or _header_kind(lines[n].text) != "from":
        return 0
    kinds = {"from"}
    last = n
    for m in range(n + 1, min(n + MAX_HEADER_LINES, len(lines))):
        if lines[m].depth != lines[n].depth:
            break
        kind = _header_kind(lines[m].text)
        if kind and kind not in kinds:
            kinds.add(kind)
            last = m
        elif kind == "from" or (not lines[m].text.strip() and not lines[m - 1].text.strip()):
            break
    return last - n + 1 if kinds & {"date", "subject"} and len(kinds) > 2 else 0  # From and two more


def _header_kind(text: str) -> str:
    found = _HEADER_LINE.match(text[:60])
    kind = HEADER_KIND.get(found[1].casefold(), "") if found else ""
    return kind if kind != "other" else ""


def _banner_length(lines: Sequence[Line], n: int) -> int:
    length = 1
    if lines[n].text.rstrip().endswith((".", "!", "]")):
        return length
    for line in lines[n + 1 : n + MAX_BANNER_LINES]:
        if not line.text.strip() or line.text.lstrip().startswith("["):
            break
        length += 1
        if line.text.rstrip().endswith("."):
            break
    return length


def _signature_length(lines: Sequence[Line], n: int) -> int:
    """Everything from "-- " (RFC 3676 4.3) to the end of that author's text: a quote's start, or another depth."""
    m = n + 1
    here = lines[n]
    while m < len(lines) and (lines[m].depth, lines[m].below, lines[m].mark) == (here.depth, here.below, Mark.TEXT):
        if _quote_start(lines, m):
            break
        m += 1
    return m - n
