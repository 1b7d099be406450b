"""A client's entry as TOML text: written new, or changed in place within a file that somebody has written by hand.

What is written is read again before it is given back, and must mean exactly what was meant. A change in place leaves
every other line as it stands, comments and order too; where that cannot be done, it is refused rather than guessed.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time

HELD = "# Held: "  # begins the line that says why a contact's letters are held
CLIENT = re.compile(r"\s*\[\[\s*client\s*\]\]\s*(?:#.*)?")
CONTACT = re.compile(r"\s*\[\[\s*client\s*\.\s*contact\s*\]\]\s*(?:#.*)?")
HEADER = re.compile(r"\s*\[.*\]\s*(?:#.*)?")
PART = re.compile(r"\s*\[\[?\s*client\s*\..*")  # a table within a client
# A key with a value on one line, and what stands before and after the value.
SIMPLE = r"(\s*{key}\s*=\s*)(?:\"(?:[^\"\\]|\\.)*\"|'[^']*'|\[[^\[\]]*\]|[\w.+:-]+)(\s*(?:#.*)?)"
ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}
BARE = re.compile(r"[A-Za-z0-9_-]+")

Entry = Mapping[str, object]


class EntryTextError(Exception):
    """A change that cannot be made in place without harm."""


def composed(entry: Entry, comments: Mapping[str, str]) -> str:
    """A new file's text with one client. `comments` stand within the contacts of these addresses."""
    text = "".join(f"{line}\n" for line in _table("client", entry, comments))
    if tomllib.loads(text) != {"client": [entry]}:
        raise EntryTextError("it cannot be written as TOML")
    return text


def changed(text: str, index: int, entry: Entry, origins: Sequence[int | None], comments: Mapping[str, str]) -> str:
    """A file's text with its client number `index` changed to `entry`, whose contacts stood at `origins` before."""
    before = tomllib.loads(text)
    wanted = {**before, "client": [entry if i == index else one for i, one in enumerate(before["client"])]}
    new = _Edit(text, index).apply(before["client"][index], entry, origins, comments)
    try:
        same = tomllib.loads(new) == wanted
    except tomllib.TOMLDecodeError:
        same = False
    if not same:
        raise EntryTextError("it is written in a way that cannot be changed line by line")
    return new


class _Edit:
    """One client's lines within a file."""

    def __init__(self, text: str, index: int) -> None:
        self._end = "\r\n" if "\r\n" in text else "\n"
        self._lines = text.replace("\r\n", "\n").split("\n")
        starts = [at for at, line in enumerate(self._lines) if CLIENT.fullmatch(line)]
        if index >= len(starts):
            raise EntryTextError("its client is not written under [[client]]")
        self._start = starts[index]

    def apply(self, before: Entry, entry: Entry, origins: Sequence[int | None], comments: Mapping[str, str]) -> str:
        """Make every difference, from behind, so that what stands before keeps its place."""
        old = before.get("contact")
        old = old if isinstance(old, list) else []
        new = entry.get("contact")
        new = new if isinstance(new, list) else []
        heads = self._contacts()
        if len(heads) != len(old):
            raise EntryTextError("its contacts are not written under [[client.contact]]")
        added = [contact for origin, contact in zip(origins, new, strict=True) if origin is None]
        at = self._last_line(heads[-1] if heads else self._start) + 1
        block = [line for one in added for line in ("", *_table("client.contact", one, comments))]
        self._lines[at:at] = block
        kept = {origin: contact for origin, contact in zip(origins, new, strict=True) if origin is not None}
        for place in reversed(range(len(old))):
            if place not in kept:
                self._remove(heads[place])
            else:
                self._change(heads[place], old[place], kept[place])
        self._change(self._start, before, entry)
        return self._end.join(self._lines)

    def _contacts(self) -> list[int]:
        """Where the client's contacts begin."""
        found = []
        for at in range(self._start + 1, len(self._lines)):
            if CONTACT.fullmatch(self._lines[at]):
                found.append(at)
            elif HEADER.fullmatch(self._lines[at]) and not PART.match(self._lines[at]):
                break
        return found

    def _last_line(self, head: int) -> int:
        """The last line of a table that says something; comments below it belong to what follows."""
        last = head
        for at in range(head + 1, len(self._lines)):
            line = self._lines[at].strip()
            if HEADER.fullmatch(line):
                break
            if line and not line.startswith("#"):
                last = at
        return last

    def _remove(self, head: int) -> None:
        """Take a table out, with the blank line above it."""
        start = head - 1 if head and not self._lines[head - 1].strip() else head
        del self._lines[start : self._last_line(head) + 1]

    def _change(self, head: int, before: Entry, after: Entry) -> None:
        """Change the simple values of a table."""
        keys = [key for key in {**before, **after} if key != "contact" and before.get(key) != after.get(key)]
        for key in keys:
            last = self._last_line(head)
            pattern = re.compile(SIMPLE.format(key=re.escape(key)))
            found = [(at, m) for at in range(head + 1, last + 1) if (m := pattern.fullmatch(self._lines[at]))]
            if key not in before:
                self._lines.insert(last + 1, f"{_key(key)} = {_value(after[key])}")
            elif len(found) != 1:
                raise EntryTextError(f"its `{key}` is not written on one line")
            elif key not in after:
                del self._lines[found[0][0]]
            else:
                at, match = found[0]
                self._lines[at] = f"{match[1]}{_value(after[key])}{match[2]}"
        if "wants" in keys and after.get("wants") != "nothing":  # what held the letters is settled
            end = self._last_line(head)
            self._lines[head:end] = [line for line in self._lines[head:end] if not line.startswith(HELD)]


def _table(name: str, table: Entry, comments: Mapping[str, str]) -> list[str]:
    lines = [f"[[{name}]]"]
    if why := comments.get(str(table.get("address"))):
        lines.append(HELD + " ".join("".join(c if c.isprintable() else " " for c in why).split()))
    nested = {key: value for key, value in table.items() if _is_tables(value)}
    lines += [f"{_key(key)} = {_value(value)}" for key, value in table.items() if key not in nested]
    for key, value in nested.items():
        for one in value if isinstance(value, list) else ():
            lines += ["", *_table(f"{name}.{_key(key)}", one, comments)]
    return lines


def _is_tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)


def _key(key: str) -> str:
    return key if BARE.fullmatch(key) else _value(key)


def _value(value: object) -> str:
    if isinstance(value, str):
        return '"' + "".join(ESCAPES.get(c) or (c if c.isprintable() else f"\\U{ord(c):08x}") for c in value) + '"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, list):
        return "[" + ", ".join(_value(one) for one in value) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(key)} = {_value(one)}" for key, one in value.items()) + " }"
    raise EntryTextError(f"a {type(value).__name__} cannot be written")
