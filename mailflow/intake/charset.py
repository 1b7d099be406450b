"""Bytes to text in whatever charset a mail claims, and text to what a database, a header or a terminal can hold.

Nothing here raises: an unknown or lying charset costs a defect, never the text.
"""

import re

# What a sender writes -> what it means by it. The superset decodes all that the named charset can, and also the
# characters that mailers put there all the same (a euro sign in "iso-8859-1", a curly quote in "us-ascii").
SUPERSETS = {
    "us-ascii": "utf-8",
    "ascii": "utf-8",
    "ansi_x3.4-1968": "utf-8",
    "iso-8859-1": "cp1252",
    "iso8859-1": "cp1252",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "euc-kr": "cp949",
    "ks_c_5601-1987": "cp949",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "iso-8859-8-i": "iso-8859-8",
    "utf8": "utf-8",
    "utf8mb4": "utf-8",
}
# Python codecs that decode text but are no mail charset; the first two take quadratic time on hostile input.
FORBIDDEN = frozenset({"idna", "punycode", "unicode_escape", "unicode-escape", "raw_unicode_escape", "undefined"})
# A charset's name as RFC 2978 2.3 allows it, and no longer than any that is registered.
CHARSET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9!#$%&'+^_.:`{}~-]{0,39}")
# C0 and C1 controls and the two Unicode line ends: each could end a line of a header or steer a terminal.
CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
SURROGATES = re.compile("[\ud800-\udfff]")


def decode_text(data: bytes, declared: str, defects: list[str]) -> str:
    """Decode as declared (or its superset), else as UTF-8, else as cp1252, which fits anything."""
    if data.isascii() and declared.casefold() in {"", "utf-8", "us-ascii", "iso-8859-1", "windows-1252"}:
        return data.decode("ascii")
    name = declared.strip().strip("\"'").casefold()
    codec = SUPERSETS.get(name, name) or "utf-8"
    if not CHARSET_NAME.fullmatch(codec) or codec in FORBIDDEN:
        defects.append(f"unknown charset {declared[:40]!r}")
        codec = "utf-8"
    if codec in {"cp1252", "windows-1252"} and (text := _strictly(data, "utf-8")) is not None:
        # Text that is valid UTF-8 beyond ASCII is UTF-8, whatever the label says.
        if not data.isascii():
            defects.append(f"declared as {name}, but is UTF-8")
        return text
    try:
        return _storable(data.decode(codec))
    except LookupError:
        defects.append(f"unknown charset {declared[:40]!r}")
    except ValueError:  # UnicodeError is one
        defects.append(f"not valid {codec}")
    if (text := _strictly(data, "utf-8")) is not None:
        return text
    lenient = data.decode("utf-8", "replace")
    lost = lenient.count("\N{REPLACEMENT CHARACTER}")
    whole = sum(1 for c in lenient if c > "\x7f") - lost
    if codec == "utf-8" and whole >= max(lost, 1):
        return lenient  # UTF-8 with a cut character in it (monitors cut by bytes), not another charset
    return data.decode("cp1252", "replace")


def printable(text: str, defects: list[str], where: str) -> str:
    """`text` on one line: control characters become blanks, so that it can stand in a header or a log."""
    clean = CONTROLS.sub(" ", text)
    if clean != text and clean.replace("\t", " ") != text.replace("\t", " "):
        defects.append(f"control characters in {where}")
    return " ".join(clean.split()) if "  " in clean else clean.strip()


def _strictly(data: bytes, codec: str) -> str | None:
    try:
        return data.decode(codec)
    except ValueError:
        return None


def _storable(text: str) -> str:
    """Without lone surrogates, which UTF-7 and its like can smuggle in and no database takes."""
    return SURROGATES.sub("\N{REPLACEMENT CHARACTER}", text)
