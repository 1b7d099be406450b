"""Addresses in headers (RFC 5322 3.4), and the one question that matters about From: who, alone, wrote this.

One pass from left to right, no recursion, so that 100 KB of parentheses cost what 100 KB of letters cost.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mailflow.domain.people import Address, lowered
from mailflow.intake.charset import CONTROLS
from mailflow.intake.encoded_word import decode_words
from mailflow.intake.parse import Headers

MAX_ADDRESSES = 100  # of one header; nobody reads further
MAX_NAME = 200  # characters of a display name
# RFC 5321 4.5.3.1: 64 octets before the @, 254 in all. Quoted local parts and address literals are refused: no
# mailbox of a client looks so, and they exist to confuse readers.
_ADDRESS = re.compile(r"[^\s<>()\[\]\",:;@\\]{1,64}@[^\s<>()\[\]\",:;@\\]{1,189}")
# What nearly every header looks like; only tried on short ones, the rest takes the long road.
_SIMPLE = re.compile(r'(?:"([^"\\<>]*)"|([^"\\<>()@,;:\[\]]*))<([^\s<>()\[\]\",:;@\\]+@[^\s<>()\[\]\",:;@\\]+)>')
# One word of a name, in which commas and colons should be encoded too, but often are not.
_ENCODED_WORD = re.compile(r"=\?[^?\s]{1,80}\?[bBqQ]\?[^?\s]{0,400}\?=")


@dataclass(frozen=True, kw_only=True)
class AddressList:
    """What one header names: its addresses, and whether it was odd."""

    addresses: tuple[Address, ...] = ()
    grouped: bool = False  # "Undisclosed recipients:;"
    broken: bool = False  # something in it was no address


def author(headers: Headers, defects: list[str]) -> Address | None:
    """The single author. None where From is missing, stands twice, or names nobody, a group or more than one.

    Sender, Reply-To and Return-Path are never asked: they are not who wrote.
    """
    lines = headers.all("from")
    if not lines:
        defects.append("no From")
        return None
    if len(lines) > 1:
        defects.append("two From headers: no author")
        return None
    found = parse_addresses(lines[0], defects, "From")
    if found.grouped:
        defects.append("a group in From: no author")
        return None
    if len(found.addresses) > 1:
        defects.append("two addresses in From: no author")
        return None
    if not found.addresses or found.broken:
        defects.append("no address in From" if not found.addresses else "a broken address in From: no author")
        return None
    return found.addresses[0]


def recipients(headers: Headers, names: Sequence[str], defects: list[str]) -> tuple[Address, ...]:
    """The addresses in these headers, in order."""
    return tuple(
        address
        for name in names
        for line in headers.all(name)[:10]
        for address in parse_addresses(line, defects, name.title()).addresses
    )


def valid_address(text: str) -> str | None:
    """`text` as a plain address in lower case, None where it is none."""
    text = lowered(text.strip().rstrip("."))
    return text if len(text) <= 254 and _ADDRESS.fullmatch(text) and not CONTROLS.search(text) else None


def parse_addresses(value: str, defects: list[str], where: str) -> AddressList:
    """The mailboxes of one header, at most MAX_ADDRESSES of them."""
    if len(value) <= 400 and (simple := _SIMPLE.fullmatch(value.strip())) and (address := valid_address(simple[3])):
        name = _name(simple[1] if simple[1] is not None else simple[2], defects, where)
        return AddressList(addresses=(Address(name=name, address=address),))
    found: list[Address] = []
    grouped = broken = False
    words: list[str] = []  # the display name, or a bare address
    comment: list[str] = []  # its text: "john@example.com (John)" is an old way to give the name
    angle: str | None = None

    def finish() -> None:
        nonlocal broken
        text = "".join(words).strip()
        if angle is None and not text:
            return
        # A route before the address (RFC 5322 4.4) is not part of it.
        spec = text if angle is None else angle.rpartition(":")[2] if angle.lstrip().startswith("@") else angle
        if address := valid_address(spec):
            name = "".join(comment) if angle is None else text
            found.append(Address(name=_name(name, defects, where), address=address))
        else:
            broken = True
            defects.append(f"not an address in {where}: {decode_words(spec[:60], [], where)!r}")

    ends_group = ";" in value  # without it, a colon is part of somebody's name: "Ops: night shift"
    i, length = 0, len(value)
    while i < length and len(found) < MAX_ADDRESSES:
        char = value[i]
        i += 1
        if char == '"':
            start = i
            while i < length and value[i] != '"':
                i += 2 if value[i] == "\\" else 1
            words.append(re.sub(r"\\(.)", r"\1", value[start:i]))
            i += 1
        elif char == "=" and (word := _ENCODED_WORD.match(value, i - 1)):
            words.append(word[0])
            i = word.end()
        elif char == "(":
            i, text = _comment(value, i)
            comment.append(text)
        elif char == "<":
            close = value.find(">", i)
            close = length if close < 0 else close
            broken = broken or angle is not None
            angle = value[i:close].strip()
            i = close + 1
        elif char in ",;":
            finish()
            words, comment, angle = [], [], None
        elif char == ":" and ends_group:
            grouped = True
            words, comment, angle = [], [], None
        else:
            words.append(char)
    finish()
    if len(found) >= MAX_ADDRESSES:
        defects.append(f"more than {MAX_ADDRESSES} addresses in {where}: the rest was not read")
    return AddressList(addresses=tuple(found[:MAX_ADDRESSES]), grouped=grouped, broken=broken)


def _comment(value: str, start: int) -> tuple[int, str]:
    """Where the comment that opened before `start` closes, and its words; comments nest (RFC 5322 3.2.2)."""
    depth, i = 1, start
    while i < len(value) and depth:
        match value[i]:
            case "\\":
                i += 1
            case "(":
                depth += 1
            case ")":
                depth -= 1
        i += 1
    return i, value[start : i - 1]


def _name(raw: str, defects: list[str], where: str) -> str:
    """A display name for people to see: decoded, on one line, no longer than a name."""
    return decode_words(raw.strip(), defects, where).strip("\"' ")[:MAX_NAME]
