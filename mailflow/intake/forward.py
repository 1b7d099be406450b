"""The original mail inside a forward by a colleague or a client: who is said to have written what, and when.

Promises: only a mail that is itself a forward has a claim. A reply's quote has none, nor has an answer to a forward.
Everything in a claim was typed, or could have been, by whoever forwarded: the identity is a claim, never a fact.
Of several forwards inside each other it is the outermost. A mail forwarded as an attachment (message/rfc822) is not
looked into. Work is linear in the lines, and no more than MAX_TEXT characters come back.
"""

import re
from collections.abc import Sequence

from mailflow.domain.mail import Claim, Line, Mark, Reading
from mailflow.intake.header_names import HEADER_KIND
from mailflow.intake.sender import valid_address

MAX_TEXT = 20_000  # characters of what was forwarded; a person's mail with its history has a tenth of it
MAX_LINES = 2_000  # of a body in which a forward's beginning is looked for
MAX_COMMENT = 1_000  # characters above a forward whose subject does not say that it is one
MIN_HEADERS = 3  # that make a block, From among them
MAX_BLOCK = 20  # lines of a header block, folded recipients and blank lines included
MAX_VALUE = 500  # characters of one header's line that are looked at
MAX_NAME = 200
MAX_SUBJECT = 1000

# What gateways put before a subject: "[EXTERNAL] FW: …".
_TAGS = re.compile(r"(?:\s*(?:[\[(*][^\[\]()*]{1,40}[\])*]:?|external:)){1,4}\s*", re.IGNORECASE)
# "VS:" is in neither list: a Dane forwards with it, a Finn answers.
_FORWARDED = re.compile(
    r"\s*(?:fw|fwd|wg|tr|rv|enc|i|vb|videresendt|weitergel|doorst|doorgest|doorgestuurd|pd|továbbítás|転送|转发)"
    r"(?:\[\d{1,3}\])?\s?[:：]",
    re.IGNORECASE,
)
_ANSWERED = re.compile(
    r"\s*(?:re|r|aw|antw|antwort|antwoord|sv|ref|rif|res|odp|回复|返信)(?:\[\d{1,3}\])?\s?[:：]", re.IGNORECASE
)
_PREFIXES = 8  # a subject's tags and prefixes that are taken off, one after the other
# What a mail client writes above a forwarded mail, and above nothing else.
_MARKER = re.compile(
    r"\s*-{3,20}\s*(?:forwarded (?:message|mail|by\b.{0,120})|weitergeleitete (?:nachricht|e-?mail|mail)"
    r"|doorgestuurd (?:bericht|e-?mail)|(?:doorgestuurde|doorgezonden) (?:bericht|e-?mail)"
    r"|message (?:transféré|transmis|transfere)|courriel transféré|mensaje reenviado|messaggio inoltrato"
    r"|mensagem (?:encaminhada|reencaminhada)|vidarebefordrat (?:meddelande|mail)|videresendt (?:besked|melding)"
    r"|przekazana wiadomość)\s*-{3,20}\s*$"
    r"|\s*(?:begin forwarded message|anfang der weitergeleiteten (?:nachricht|e-?mail)|begin doorgestuurd bericht"
    r"|début du message (?:transféré|réexpédié)|inicio del mensaje reenviado|inizio messaggio inoltrato)\s?:\s*$",
    re.IGNORECASE,
)
# What may stand above a forward's header block and above a reply's quote alike.
_RULE = re.compile(r"\s*(?:_{5,}|-{3,}.{0,60}-{3,}|-{5,})\s*$")
# One line of a header block. Unlike intake.quoting, which must only know that a quote begins, any order will do
# (Thunderbird begins with the subject) and the values count.
_KIND = {name: "other" if kind in {"to", "cc"} else kind for name, kind in HEADER_KIND.items()}
_HEADER = re.compile(r"[\s*]{0,10}([^\W\d_]{1,16}(?:-[^\W\d_]{1,12})?)\*{0,2}[ \xa0]?[:：]\*{0,2}(?:\s+(.*)|)$", re.S)
_ADDRESS = re.compile(r"[^\s<>()\[\]\",:;@\\]{1,64}@[^\s<>()\[\]\",:;@\\]{1,189}")
_NOT_A_NAME = re.compile(r"[<\[(]|\S{1,64}@|\bmailto:", re.IGNORECASE)


def claim(reading: Reading) -> Claim | None:
    """The mail that this one forwards; None where this is no forward."""
    said = says_forward(reading.subject)
    if said is False:
        return None
    return _claim(reading.plain, reading.subject, said=bool(said)) or _claim(
        reading.html, reading.subject, said=bool(said)
    )


def says_forward(subject: str) -> bool | None:
    """What a subject's newest prefix says: a forward, an answer (False), or neither."""
    subject = _untagged(subject[:MAX_SUBJECT])
    return True if _FORWARDED.match(subject) else False if _ANSWERED.match(subject) else None


def _untagged(subject: str) -> str:
    tags = _TAGS.match(subject)
    return subject[tags.end() :] if tags else subject


def _claim(lines: Sequence[Line], subject: str, *, said: bool) -> Claim | None:
    """The claim in these lines. Without a subject that says so, a forward needs its client's marker above it."""
    found = _start(lines)
    if found is None:
        return None
    start, has_marker = found
    comment = sum(len(line.text) for line in lines[:start] if line.mark is Mark.TEXT)
    if not (said or (has_marker and comment <= MAX_COMMENT)):
        return None
    headers, end = _block(lines, start)
    name, address = _identity(headers["from"])
    return Claim(
        name=name,
        address=address,
        subject=_one_line(headers.get("subject", _bare(subject)))[:MAX_SUBJECT],
        sent=_one_line(headers.get("date", ""))[:MAX_VALUE],
        text=_forwarded(lines, end, lines[start].depth),
    )


def _start(lines: Sequence[Line]) -> tuple[int, bool] | None:
    """Where the header block begins that is the first sign of older mail, and whether a forward's marker is above."""
    has_marker = False
    for n, line in enumerate(lines[:MAX_LINES]):
        if not line.text.strip() or (_RULE.match(line.text[:200]) and not _MARKER.match(line.text[:200])):
            continue
        # Apple's HTML has its marker inside the quote, as the first line.
        if _MARKER.match(line.text[:200]) and not has_marker and line.depth <= 1:
            has_marker = True
        elif "from" in _block(lines, n)[0]:
            return n, has_marker
        elif has_marker or line.below or line.depth or line.mark in {Mark.ATTRIBUTION, Mark.HEADER}:
            return None  # something else of older mail comes first: a reply's quote
    return None


def _block(lines: Sequence[Line], start: int) -> tuple[dict[str, str], int]:
    """The header block that begins at a line, and where it ends; empty unless it tells From, and two headers more."""
    headers: dict[str, str] = {}
    seen: set[str] = set()
    end = start
    for n in range(start, min(start + MAX_BLOCK, len(lines))):
        line = lines[n]
        if line.depth != lines[start].depth:
            break
        kind, name, value = _header(line.text)
        if kind and name not in seen and not (kind in headers and kind != "other"):
            seen.add(name)
            headers[kind] = value
            end = n + 1
        elif kind or n == start or not _goes_on(lines, n):
            break
    if "from" not in headers or len(seen) < MIN_HEADERS:
        return {}, start
    return headers, end


def begins_forward(lines: Sequence[str]) -> bool:
    """Whether non-blank lines begin with a header block: From with an address, or two other headers beside it.

    A gateway's banner may begin with a rule, or with "From: an external sender".
    """
    headers = [_header(line) for line in lines[:MIN_HEADERS]]
    names = {name for kind, name, _ in headers if kind}
    told = [value for kind, _, value in headers if kind == "from"]
    return (bool(headers and headers[0][0] == "from") and "@" in told[0]) or (bool(told) and len(names) == MIN_HEADERS)


def _header(text: str) -> tuple[str, str, str]:
    """The kind, name and value of a header's line, three empty texts for any other."""
    found = _HEADER.match(text[:MAX_VALUE])
    name = found[1].casefold() if found else ""
    return (_KIND[name], name, found[2] or "") if found and name in _KIND else ("", "", "")


def _goes_on(lines: Sequence[Line], n: int) -> bool:
    """Whether a header block goes on behind this line: one blank line between headers, or folded recipients."""
    for line in lines[n + 1 : n + 4]:
        if line.depth == lines[n].depth and _header(line.text)[0]:
            return True
        if not line.text.strip() or not lines[n].text.strip():
            return False
    return False


def _identity(value: str) -> tuple[str, str]:
    """Name and address out of a From line: "Ann Lee <ann@…>", "Ann Lee [mailto:ann@…]", "Ann Lee", "ann@…"."""
    value = value.replace("*", "")
    address = next(filter(None, (valid_address(a.removeprefix("mailto:")) for a in _ADDRESS.findall(value))), "")
    cut = _NOT_A_NAME.search(value)
    return _one_line(value[: cut.start()] if cut else value).strip("\"'“”„ ")[:MAX_NAME], address


def _forwarded(lines: Sequence[Line], start: int, depth: int) -> str:
    """The text behind a header block: deeper quotes keep their marks, what comes back out of the quote is not it."""
    texts: list[str] = []
    length = 0
    for line in lines[start:]:
        if length > MAX_TEXT or (line.depth < depth and line.text.strip()):
            break
        if line.mark is not Mark.BANNER:
            texts.append("> " * (line.depth - depth) + line.text)
            length += len(texts[-1]) + 1
    return "\n".join(texts).strip("\n")[:MAX_TEXT].rstrip()


def _bare(subject: str) -> str:
    """A subject without the tags and prefixes before it."""
    for _ in range(_PREFIXES):
        subject = _untagged(subject)
        prefix = _FORWARDED.match(subject) or _ANSWERED.match(subject)
        if not prefix:
            break
        subject = subject[prefix.end() :]
    return subject


def _one_line(text: str) -> str:
    return " ".join(text.split())
