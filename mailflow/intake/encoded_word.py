"""Words of headers that are not ASCII: encoded words (RFC 2047) and parameters (RFC 2231), as they are really written.

Takes broken ones too: without blanks between them, with blanks inside, with a character or a base64 quantum split over
two, in a quoted string. Linear in the header's length; what cannot be decoded is left as it stands.
"""

import binascii
import re
from collections.abc import Mapping
from urllib.parse import unquote_to_bytes

from mailflow.intake.charset import decode_text, printable

# A 998-octet subject holds about a dozen; a To line of 60 names has 60. The rest of a longer row is left raw.
MAX_ENCODED_WORDS = 120
# Content-Type and Content-Disposition: a long file name in RFC 2231 pieces needs about 1,000 octets.
MAX_PARAMETER_TEXT = 4096
MAX_PARAMETERS = 50

# =?charset*language?encoding?text?=  The text may hold blanks, which RFC 2047 forbids and some mailers write.
_WORD = re.compile(r"=\?([^?\s*]{1,40})(?:\*[^?\s]{0,40})?\?([bBqQ])\?([^?]*)\?=")
_PARAMETER = re.compile(r';\s*([^\s=;"*]+)(\*\d{1,3})?(\*)?\s*=\s*("(?:[^"\\]|\\.)*"|[^;]*)')


def decode_words(value: str, defects: list[str], where: str) -> str:
    """The header text that `value` stands for, on one line and without control characters."""
    if "=?" not in value:
        return printable(value, defects, where)
    pieces: list[str] = []
    pending: list[bytes] = []  # neighbouring words of one charset: a character may be split between them
    charset = ""
    end = 0

    def flush() -> None:
        if pending:
            pieces.append(decode_text(b"".join(pending), charset, defects))
            pending.clear()

    for count, word in enumerate(_WORD.finditer(value)):
        if count == MAX_ENCODED_WORDS:
            defects.append(f"more than {MAX_ENCODED_WORDS} encoded words in {where}: the rest is left as it stands")
            break
        between = value[end : word.start()]
        # Blanks between two encoded words are no part of the text (RFC 2047 6.2).
        adjacent = bool(end) and not between.strip()
        if not adjacent:
            flush()
            pieces.append(between)
        elif word[1].casefold() != charset.casefold():
            flush()
        charset = word[1]
        pending.append(_word_bytes(word[2], word[3]))
        end = word.end()
    flush()
    pieces.append(value[end:])
    return printable("".join(pieces), defects, where)


def parameters(value: str, defects: list[str]) -> tuple[str, Mapping[str, str]]:
    """A Content-Type or Content-Disposition: its value in lower case, and its parameters with names in lower case.

    RFC 2231 continuations (`name*0*=`) are joined, encoded words in a quoted string decoded (not allowed, but usual).
    """
    if len(value) > MAX_PARAMETER_TEXT:
        defects.append("overlong MIME parameters")
        value = value[:MAX_PARAMETER_TEXT]
    head, _, _ = value.partition(";")
    found: dict[str, str] = {}
    split: dict[str, list[tuple[int, bool, str]]] = {}
    for count, match in enumerate(_PARAMETER.finditer(value, len(head))):
        if count == MAX_PARAMETERS:
            defects.append(f"more than {MAX_PARAMETERS} MIME parameters")
            break
        name, piece, extended, text = match[1].casefold(), match[2], match[3], match[4].strip()
        if text.startswith('"'):
            text = re.sub(r"\\(.)", r"\1", text[1:-1] if len(text) > 1 and text.endswith('"') else text[1:])
        if piece or extended:
            split.setdefault(name, []).append((int(piece[1:]) if piece else 0, bool(extended), text))
        elif name not in found:
            found[name] = decode_words(text, defects, "a MIME parameter") if "=?" in text else text
    for name, parts in split.items():
        found[name] = printable(_joined(sorted(parts), defects), defects, "a MIME parameter")
    return head.strip().casefold(), found


def _joined(parts: list[tuple[int, bool, str]], defects: list[str]) -> str:
    """RFC 2231 pieces as one text; the first encoded piece says the charset: utf-8'en'text."""
    charset, data = "", b""
    for number, extended, text in parts:
        if not extended:
            data += text.encode("utf-8", "replace")
            continue
        if number == 0 and text.count("'") >= 2:
            charset, _, text = text.split("'", 2)
        data += unquote_to_bytes(text)
    return decode_text(data, charset, defects)


def _word_bytes(encoding: str, text: str) -> bytes:
    if encoding in "qQ":
        return binascii.a2b_qp(text.encode("utf-8", "replace").replace(b" ", b"_"), header=True)
    return decode_base64(text.encode("utf-8", "replace"))


def decode_base64(data: bytes) -> bytes:
    """As much as `data` holds: foreign characters are skipped (RFC 2045 6.8), missing padding is supplied."""
    try:
        return binascii.a2b_base64(data)
    except binascii.Error:
        letters = re.sub(rb"[^A-Za-z0-9+/]", b"", data)
        letters = letters[:-1] if len(letters) % 4 == 1 else letters
        return binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))
