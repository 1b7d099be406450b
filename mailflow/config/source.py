"""From files to raw entries: reads TOML, follows `include`, and remembers which file each entry stands in.

Nothing is validated here but the shape: which sections there are, and where they may stand. Messages name files,
lines and keys, never a value.
"""

import glob
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mailflow.config.notation import ADDRESS, KEY, nearest, shown
from mailflow.config.report import Report

SINGLE = ("service", "store", "policy")  # written [section], once
REPEATED = ("mailbox", "liaison", "manager", "colleague", "client", "maintenance")  # written [[section]]
INCLUDABLE = ("client", "liaison", "manager", "colleague")  # what an included file may hold
# The key by which an element of a list is named in messages, and what it must look like to serve as a name.
NAMED_BY = {
    "mailbox": ("address", ADDRESS),
    "liaison": ("address", ADDRESS),
    "manager": ("address", ADDRESS),
    "colleague": ("address", ADDRESS),
    "client": ("key", KEY),
    "contact": ("address", ADDRESS),
    "component": ("name", re.compile(r"[^\W_][\w .&/-]{0,58}")),
}
POSITION = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")  # how tomllib ends its messages

Loc = Sequence[str | int]


@dataclass(frozen=True, kw_only=True)
class RawEntry:
    """One section or element of a repeated section, as TOML gave it."""

    file: str
    section: str
    index: int | None  # within its file, None for a section that stands once
    raw: Mapping[str, object]

    def path(self, *loc: str | int) -> str:
        """Where something stands, as messages name it: `client[northwind].contact[john@northwind.example].role`."""
        path = self.section
        if self.index is not None:
            path += _name(self.section, self.raw, self.index)
        for i, part in enumerate(loc):
            if isinstance(part, int):
                path += _name(str(loc[i - 1]), inside(self.raw, loc[: i + 1]), part)
            else:
                path += f".{part}"
        return path

    def at(self, loc: Loc) -> object:
        """The raw value at a place, None where there is none."""
        return inside(self.raw, loc)


def inside(raw: object, loc: Loc) -> object:
    """What stands at a place within a raw value, None where there is nothing."""
    for part in loc:
        if isinstance(part, int):
            raw = raw[part] if isinstance(raw, list) and part < len(raw) else None
        else:
            raw = raw.get(part) if isinstance(raw, Mapping) else None
    return raw


@dataclass(frozen=True, kw_only=True)
class Source:
    """Everything that was read. `whole` is false where something could not be, so that absence proves nothing."""

    main: str
    files: tuple[Path, ...]
    entries: tuple[RawEntry, ...]
    whole: bool

    def of(self, section: str) -> tuple[RawEntry, ...]:
        """The entries of one section."""
        return tuple(e for e in self.entries if e.section == section)


def read(path: Path, report: Report) -> Source:
    """Read a configuration file and all that it includes."""
    document = _document(path, report)
    if document is None:
        return Source(main=str(path), files=(path,), entries=(), whole=False)
    files = [path]
    entries, whole = _entries(str(path), document, (*SINGLE, *REPEATED), report)
    included, found_all = _included(path, document.get("include", []), report)
    whole &= found_all
    for file in included:
        files.append(file)
        part = _document(file, report)
        if part is None:
            whole = False
            continue
        more, shaped = _entries(str(file), part, INCLUDABLE, report)
        entries += more
        whole &= shaped
    return Source(main=str(path), files=tuple(files), entries=tuple(entries), whole=whole)


def _document(path: Path, report: Report) -> Mapping[str, object] | None:
    try:
        raw = path.read_bytes()
    except OSError as error:
        report.problem(str(path), "", f"cannot be read ({error.strerror}); see that it is there and may be read")
        return None
    try:
        text = raw.decode("utf-8-sig")  # Windows editors begin a file with a byte order mark
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        report.problem(str(path), "", f"line {line} is not UTF-8; save the file as UTF-8")
        return None
    try:
        return tomllib.loads(text)
    except RecursionError:
        report.problem(str(path), "", "nested too deeply; use the sections that config.toml shows")
    except ValueError as error:  # TOMLDecodeError, or an integer of thousands of digits
        line, column, what = _position(str(error), text)
        report.problem(
            str(path), "", f"line {line}, column {column}: not TOML ({what}); correct it there or just above"
        )
    return None


def _position(message: str, text: str) -> tuple[int, int, str]:
    """Line, column and the bare complaint of a TOML error; the end of the text where it names no place."""
    found = POSITION.search(message)
    what = message[: found.start()] if found else "a value is too large"
    if found and found[1]:
        return int(found[1]), int(found[2]), what
    lines = text.rstrip("\n").split("\n")
    return len(lines), len(lines[-1]) + 1, what


def _entries(
    file: str, document: Mapping[str, object], allowed: Sequence[str], report: Report
) -> tuple[list[RawEntry], bool]:
    """The entries of one file, and whether all of it had the shape of entries."""
    entries: list[RawEntry] = []
    whole = True
    for section, value in document.items():
        known = (*SINGLE, *REPEATED)
        if section == "include" and "service" in allowed:
            continue
        if section not in allowed:
            whole = False
            if section in known or section == "include":
                may = ", ".join(f"[[{name}]]" for name in INCLUDABLE)
                report.problem(
                    file, section, f"not for an included file, which may hold {may}; move it to the main one"
                )
                continue
            near = nearest(section, (*allowed, "include") if "service" in allowed else allowed)
            todo = f"did you mean `{near}`?" if near else f"known here are {', '.join(f'`{a}`' for a in allowed)}"
            report.problem(file, "", f"unknown key {shown(section)}; {todo}")
        elif section in SINGLE:
            if isinstance(value, dict):
                entries.append(RawEntry(file=file, section=section, index=None, raw=value))
            else:
                whole = False
                report.problem(file, section, f"must be one table; write [{section}], once")
        elif isinstance(value, list) and all(isinstance(element, dict) for element in value):
            entries += [RawEntry(file=file, section=section, index=i, raw=raw) for i, raw in enumerate(value)]
        else:
            whole = False
            report.problem(
                file, section, f"must be a list of tables; write [[{section}]] above each, with two brackets"
            )
    return entries, whole


def _included(main: Path, patterns: object, report: Report) -> tuple[list[Path], bool]:
    """The files that `include` names, each once, and whether every plain name was found."""
    if not isinstance(patterns, list) or not all(isinstance(pattern, str) and pattern for pattern in patterns):
        report.problem(str(main), "include", 'must be a list of files; write it like ["clients/*.toml"]')
        return [], False
    files: dict[Path, None] = {}
    whole = True
    for position, pattern in enumerate(patterns):
        found = sorted(glob.glob(pattern, root_dir=main.parent, recursive=True)) if "\0" not in pattern else []
        plain = not glob.has_magic(pattern)
        if plain and not found:
            whole = False
            report.problem(
                str(main), f"include[{position + 1}]", f"there is no file {shown(pattern)}; correct the name"
            )
        for name in found:
            file = main.parent / name
            # A pattern like *.toml finds the including file too, and may find a folder.
            if plain or (file.is_file() and not file.samefile(main)):
                files[file] = None
    return list(files), whole


def _name(list_name: str, element: object, position: int) -> str:
    key, pattern = NAMED_BY.get(list_name, ("", KEY))
    name = element.get(key) if isinstance(element, Mapping) else None
    if isinstance(name, str) and pattern.fullmatch(name) and name.isprintable():
        return f"[{name}]"
    return f"[{position + 1}]"
