"""A mail's bytes as headers and a flat row of parts: an own MIME reader, since mail comes from anybody.

It never recurses and never raises. Every bound is a number below, and one that is hit is a defect in words; what lies
beyond it was not read. Bodies are decoded only when asked for.
"""

import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from mailflow.intake.charset import decode_text
from mailflow.intake.encoded_word import decode_base64, parameters

MAX_MAIL = 36 * 1024 * 1024  # what large providers let through (25 MB) in base64, and some; above it, headers only
MAX_HEADER_BLOCK = 512 * 1024  # real ones stay below 64 KB
MAX_HEADER = 64 * 1024  # one To line with some thousand recipients
MAX_HEADERS = 1000
MAX_PART_HEADERS = 100
MAX_DEPTH = 20  # real mail nests five deep
MAX_PARTS = 200  # a newsletter's images, and then some
MAX_BOUNDARIES = 10_000  # lines that only look like a delimiter
MAX_TEXT = 1024 * 1024  # of one text part; a thread of years stays below

_HEADER_NAME = re.compile(rb"[!-9;-~]+[ \t]*")  # RFC 5322 2.2, and 4.5: blanks before the colon in old mail
_FROM_LINE = re.compile(rb">?From [^\r\n]*\r?\n")  # put before the headers by mbox writers


@dataclass(frozen=True, kw_only=True)
class Headers:
    """Header fields in order, names in lower case, values unfolded but otherwise as sent."""

    fields: tuple[tuple[str, str], ...] = ()
    _by_name: Mapping[str, list[str]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index the fields: a mail is asked for about forty names."""
        by_name: dict[str, list[str]] = {}
        for name, value in self.fields:
            by_name.setdefault(name, []).append(value)
        object.__setattr__(self, "_by_name", by_name)

    def get(self, name: str) -> str:
        """The first header of that name, empty where there is none."""
        return self._by_name.get(name, [""])[0]

    def all(self, name: str) -> Sequence[str]:
        """Every header of that name, topmost first."""
        return self._by_name.get(name, ())

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)


@dataclass(frozen=True, kw_only=True)
class Part:
    """One leaf of the MIME tree. A message/rfc822 part is a leaf too: what it holds is not this mail's text."""

    headers: Headers
    type: str  # "text/plain"
    parameters: Mapping[str, str]
    disposition: str  # "attachment", "inline" or empty
    filename: str
    containers: tuple[str, ...]  # types of the multiparts around it, outermost first
    raw: bytes = field(repr=False)  # the whole mail
    start: int
    end: int

    def content(self, limit: int) -> bytes:
        """The first `limit` bytes or so, with the transfer encoding undone (RFC 2045 6)."""
        encoding = self.headers.get("content-transfer-encoding").strip().casefold()
        match encoding:
            case "base64":
                # Four letters for three bytes and line ends between; more slack for short lines.
                return decode_base64(self.raw[self.start : min(self.end, self.start + 2 * limit)])[:limit]
            case "quoted-printable":
                return binascii.a2b_qp(self.raw[self.start : min(self.end, self.start + 3 * limit)])[:limit]
            case _:
                return self.raw[self.start : min(self.end, self.start + limit)]

    def text(self, defects: list[str]) -> str:
        """The content as text with plain line ends, NULs taken out."""
        data = self.content(MAX_TEXT + 1)
        if len(data) > MAX_TEXT:
            defects.append(f"{self.type} part longer than {MAX_TEXT // 1024} KB: the rest was not read")
            # At a line end, so that no character is cut in two.
            data = data[: data.rfind(b"\n", 0, MAX_TEXT) + 1 or MAX_TEXT]
        text = decode_text(data, self.parameters.get("charset", ""), defects)
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        if "\0" in text:
            defects.append("NUL characters in the text")
            text = text.replace("\0", "")
        return text.removeprefix("\N{BYTE ORDER MARK}")


@dataclass(frozen=True, kw_only=True)
class Message:
    """A mail taken apart."""

    headers: Headers
    type: str  # of the whole: "multipart/report"
    parameters: Mapping[str, str]
    parts: tuple[Part, ...]


@dataclass(frozen=True, kw_only=True)
class _Span:
    """A stretch of the mail that is still to be taken apart."""

    start: int
    end: int
    containers: tuple[str, ...]
    default_type: str


def parse(raw: bytes, defects: list[str]) -> Message:
    """Take a mail apart, within the bounds above."""
    if raw.count(b"\n", 0, MAX_HEADER) == 0 and b"\r" in raw[:MAX_HEADER]:
        defects.append("lines end in a bare CR")
        raw = raw[:MAX_MAIL].replace(b"\r", b"\n")
    start = m.end() if (m := _FROM_LINE.match(raw)) else 0
    parts: list[Part] = []
    top: tuple[Headers, str, Mapping[str, str]] | None = None
    todo = [_Span(start=start, end=len(raw), containers=(), default_type="text/plain")]
    scanned = 0  # each level of nesting looks at its bytes once more
    while todo:
        span = todo.pop()
        headers, body = read_headers(
            raw, span.start, span.end, MAX_HEADERS if top is None else MAX_PART_HEADERS, defects
        )
        kind, values = _content_type(headers, span.default_type, defects)
        if top is None:
            top = headers, kind, values
            if len(raw) > MAX_MAIL:
                defects.append(f"larger than {MAX_MAIL // 2**20} MB: only its headers were read")
                break
        if kind.startswith("multipart/"):
            scanned += span.end - body
            if len(span.containers) >= MAX_DEPTH:
                defects.append(f"MIME parts nested deeper than {MAX_DEPTH}: the inner ones were not read")
                continue
            if scanned > 4 * MAX_MAIL:
                defects.append("MIME structure too large: the inner parts were not read")
                continue
            room = MAX_PARTS - len(parts) - len(todo)
            if room <= 0:
                defects.append(f"more than {MAX_PARTS} MIME parts: the rest was not read")
                continue
            if pieces := _pieces(raw, body, span.end, values.get("boundary", ""), room, defects):
                default = "message/rfc822" if kind == "multipart/digest" else "text/plain"
                inside = (*span.containers, kind)
                todo.extend(_Span(start=a, end=b, containers=inside, default_type=default) for a, b in reversed(pieces))
                continue
            defects.append("multipart without parts: read as plain text")
            kind = "text/plain"
        disposition, more = _disposition(headers, defects)
        parts.append(
            Part(
                headers=headers,
                type=kind,
                parameters=values,
                disposition=disposition,
                filename=more.get("filename") or values.get("name", ""),
                containers=span.containers,
                raw=raw,
                start=body,
                end=span.end,
            )
        )
    assert top is not None
    return Message(headers=top[0], type=top[1], parameters=top[2], parts=tuple(parts))


def read_headers(raw: bytes, start: int, end: int, most: int, defects: list[str]) -> tuple[Headers, int]:
    """The header fields from `start` on, and where the body begins."""
    stop, body = _end_of_headers(raw, start, end)
    if stop - start > MAX_HEADER_BLOCK:
        defects.append(f"header block longer than {MAX_HEADER_BLOCK // 1024} KB: the rest was not read")
        stop = start + MAX_HEADER_BLOCK
    fields: list[tuple[str, list[bytes]]] = []
    position = start
    for line in raw[start:stop].split(b"\n"):
        if line[:1] in {b" ", b"\t"}:
            if fields:
                fields[-1][1].append(line.rstrip(b"\r"))
        elif line.rstrip(b"\r"):
            name, colon, value = line.partition(b":")
            if not colon or not _HEADER_NAME.fullmatch(name):
                defects.append("a line that is no header among the headers: the text begins there")
                body = position
                break
            if len(fields) == most:
                defects.append(f"more than {most} headers: the rest was not read")
                break
            fields.append((name.rstrip().decode("ascii").casefold(), [value.rstrip(b"\r")]))
        position += len(line) + 1
    return Headers(fields=tuple((name, _value(name, pieces, defects)) for name, pieces in fields)), body


def _value(name: str, pieces: list[bytes], defects: list[str]) -> str:
    data = (b"".join(pieces) if len(pieces) > 1 else pieces[0]).strip()
    if len(data) > MAX_HEADER:
        defects.append(f"{name} header longer than {MAX_HEADER // 1024} KB: the rest was not read")
        data = data[:MAX_HEADER]
    # 8-bit headers are UTF-8 by RFC 6532, and cp1252 by old habit.
    return data.decode("ascii") if data.isascii() else decode_text(data, "utf-8", [])


def _end_of_headers(raw: bytes, start: int, end: int) -> tuple[int, int]:
    """Where the header lines stop and where the body begins: at the first empty line, however lines end."""
    for empty in (b"\r\n", b"\n"):
        if raw.startswith(empty, start, end):
            return start, start + len(empty)
    crlf = raw.find(b"\n\r\n", start, end)
    plain = raw.find(b"\n\n", start, end if crlf < 0 else crlf)
    if plain >= 0:
        return plain + 1, plain + 2
    return (crlf + 1, crlf + 3) if crlf >= 0 else (end, end)


def _pieces(raw: bytes, start: int, end: int, boundary: str, room: int, defects: list[str]) -> list[tuple[int, int]]:
    """The spans between a multipart's delimiter lines (RFC 2046 5.1.1), at most `room`; the last may lack its end."""
    mark = b"--" + boundary.encode("utf-8", "replace")
    spans: list[tuple[int, int]] = []
    if not boundary or len(boundary) > 200:  # RFC 2046 allows 70
        return spans
    opened: int | None = None
    at = start if raw.startswith(mark, start, end) else _after_newline(raw, mark, start, end)
    for _ in range(MAX_BOUNDARIES):
        if at < 0:
            break
        line_end = raw.find(b"\n", at, end)
        line_end = end if line_end < 0 else line_end
        rest = raw[at + len(mark) : min(line_end, at + len(mark) + 80)].strip(b" \t\r")
        if rest in {b"", b"--"}:
            if opened is not None:
                if len(spans) >= room:
                    defects.append(f"more than {MAX_PARTS} MIME parts: the rest was not read")
                    return spans
                # The line end before a delimiter belongs to the delimiter.
                stop = at - 1 if raw[at - 1 : at] == b"\n" else at
                spans.append((opened, max(opened, stop - 1 if raw[stop - 1 : stop] == b"\r" else stop)))
            opened = None if rest else min(line_end + 1, end)
            if rest:
                return spans
        at = _after_newline(raw, mark, line_end, end)
    if opened is not None and len(spans) < room:
        spans.append((opened, end))
    return spans


def _after_newline(raw: bytes, mark: bytes, start: int, end: int) -> int:
    found = raw.find(b"\n" + mark, start, end)
    return found + 1 if found >= 0 else -1


def _content_type(headers: Headers, default: str, defects: list[str]) -> tuple[str, Mapping[str, str]]:
    """The part's type; one that is missing or no type at all reads as plain text (RFC 2045 5.2)."""
    value = headers.get("content-type")
    if not value:
        return default, {}
    kind, values = parameters(value, defects)
    kind = "".join(kind.split())
    if kind.count("/") != 1 or kind.startswith("/") or kind.endswith("/"):
        defects.append("Content-Type is no type: read as plain text")
        return "text/plain", values
    return kind, values


def _disposition(headers: Headers, defects: list[str]) -> tuple[str, Mapping[str, str]]:
    value = headers.get("content-disposition")
    return parameters(value, defects) if value else ("", {})
