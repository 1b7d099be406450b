"""The files that an import changes: a new client's own, or the one in which somebody has written the client.

First every text is made, and the whole configuration is checked as it would be, with the loader's own checks. Then all
files are replaced, or none: each by renaming a finished one over it, and back again should a later one fail.
"""

import contextlib
import os
import shutil
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePath
from typing import TypeVar

from mailflow.config.checks import check
from mailflow.config.columns import Columns, Field
from mailflow.config.differences import Merged
from mailflow.config.draft import Draft, Read
from mailflow.config.entry_text import EntryTextError, changed, composed
from mailflow.config.mailbox import MailboxEntry
from mailflow.config.model import ClientEntry, ColleagueEntry, LiaisonEntry, ManagerEntry, ServiceSection, StoreSection
from mailflow.config.report import Report
from mailflow.config.source import RawEntry, Source, read
from mailflow.config.table import Table
from mailflow.config.wording import validate

FOLDER = "clients"
PATTERN = f"{FOLDER}/*.toml"
# The key of an entry that a problem names, and the column that it comes from.
COLUMN_OF = {
    "key": Field.KEY,
    "name": Field.CLIENT,
    "domains": Field.DOMAINS,
    "timezone": Field.TIMEZONE,
    "language": Field.LANGUAGE,
    "liaison": Field.LIAISON,
    "address": Field.ADDRESS,
    "role": Field.ROLE,
    "wants": Field.INCIDENTS,
}
T = TypeVar("T", bound=Table)


@dataclass(frozen=True, kw_only=True)
class NewText:
    """A file, and what shall stand in it."""

    file: Path
    text: str


def new_texts(main: Path, merged: Iterable[Merged], report: Report) -> tuple[NewText, ...]:
    """The files that change. Where the main file would not read a new one, the line that it lacks is reported."""
    texts: dict[Path, NewText] = {}
    outside = False
    for one in (one for one in merged if one.is_changed):
        file = Path(one.entry.file) if one.entry else main.parent / FOLDER / f"{one.key}.toml"
        try:
            if one.entry is None:
                if file.exists():
                    report.problem(str(file), "", f"is there, but not for the client `{one.key}`; move it away")
                outside = outside or not _is_included(main, file)
                texts[file] = NewText(file=file, text=composed(one.raw, one.comments))
            else:
                text = texts[file].text if file in texts else file.read_bytes().decode("utf-8-sig")
                text = changed(text, one.entry.index or 0, one.raw, one.origins, one.comments)
                texts[file] = NewText(file=file, text=text)
        except EntryTextError as error:
            report.problem(str(file), f"client[{one.key}]", f"cannot be changed, since {error}; change it by hand")
    if outside:
        line = "include = [" + ", ".join(f'"{pattern}"' for pattern in (*_include(main), PATTERN)) + "]"
        text = f"does not read the new clients' files; write this line above all sections: {line}"
        report.problem(str(main), "include", text)
    return tuple(texts.values())


def check_as_a_whole(
    main: Path, texts: Sequence[NewText], merged: Sequence[Merged], sheet: str, columns: Columns, report: Report
) -> tuple[str, ...]:
    """Check the configuration as it would be; problems name the sheet's rows where they come from there.

    The warnings that it would have are given back.
    """
    source = read(main, report)
    replaced = {str(new.file): new.text for new in texts}
    entries = [e for e in source.entries if not (e.section == "client" and e.file in replaced)]
    for file, text in replaced.items():
        clients = tomllib.loads(text)["client"]
        entries += [RawEntry(file=file, section="client", index=i, raw=raw) for i, raw in enumerate(clients)]
    whole = Source(main=source.main, files=source.files, entries=tuple(entries), whole=source.whole)
    found = Report()
    draft = Draft(
        source=whole,
        base=main.parent.absolute(),
        environ=os.environ,
        service=next(iter(_each(ServiceSection, "service", whole, found)), None),
        store=next(iter(_each(StoreSection, "store", whole, found)), None),
        mailboxes=_each(MailboxEntry, "mailbox", whole, found),
        liaisons=_each(LiaisonEntry, "liaison", whole, found),
        managers=_each(ManagerEntry, "manager", whole, found),
        colleagues=_each(ColleagueEntry, "colleague", whole, found),
        clients=_each(ClientEntry, "client", whole, found),
    )
    check(draft, found)
    for problem in found.problems:
        report.problem(*_in_the_sheet(problem, merged, whole, sheet, columns))
    return found.warnings


def write(main: Path, texts: Sequence[NewText]) -> None:
    """Replace all files or, where one cannot be, none; OSError then. New ones belong to whom the main one belongs."""
    done: list[tuple[Path, bytes | None]] = []
    staged: list[tuple[Path, Path]] = []
    try:
        for new in texts:
            if not new.file.parent.is_dir():
                new.file.parent.mkdir()
                _belong(new.file.parent, main.parent.resolve())
            target = new.file.resolve()  # a link stays one
            temporary = target.with_name(f".{target.name}.import")  # no pattern of include finds it
            staged.append((temporary, target))
            _write(temporary, new.text.encode(), target if target.exists() else main)
        for temporary, target in staged:
            before = target.read_bytes() if target.exists() else None
            os.replace(temporary, target)
            done.append((target, before))
    except OSError:
        for target, before in reversed(done):
            _put_back(target, before)
        raise
    finally:
        for temporary, _ in staged:
            temporary.unlink(missing_ok=True)


def _write(file: Path, content: bytes, like: Path) -> None:
    file.unlink(missing_ok=True)  # of an import that was killed
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    _belong(file, like)


def _belong(file: Path, like: Path) -> None:
    """Give a file the mode and, where that is allowed, the owner of another: the service must be able to read it."""
    shutil.copymode(like, file)
    owner = like.stat()
    with contextlib.suppress(PermissionError):
        os.chown(file, owner.st_uid, owner.st_gid)


def _put_back(target: Path, before: bytes | None) -> None:
    if before is None:
        target.unlink(missing_ok=True)
        return
    temporary = target.with_name(f".{target.name}.before")
    _write(temporary, before, target)
    os.replace(temporary, target)


def _include(main: Path) -> list[str]:
    patterns = tomllib.loads(main.read_bytes().decode("utf-8-sig")).get("include", [])
    return [str(pattern) for pattern in patterns]


def _is_included(main: Path, file: Path) -> bool:
    """Whether a pattern of `include` would find this file, part by part as globbing does."""
    parts = file.absolute().parts
    for pattern in _include(main):
        wanted = PurePath(os.path.normpath(main.parent.absolute() / pattern.replace("**/", ""))).parts
        if len(wanted) == len(parts) and all(map(fnmatchcase, parts, wanted)):
            return True
    return False


def _each(model: type[T], section: str, source: Source, report: Report) -> tuple[Read[T], ...]:
    pairs = ((entry, validate(model, entry, report)) for entry in source.of(section))
    return tuple(Read(entry=entry, value=value) for entry, value in pairs if value is not None)


def _in_the_sheet(
    problem: str, merged: Sequence[Merged], source: Source, sheet: str, columns: Columns
) -> tuple[str, str, str]:
    """A problem as (file, place, text): in the sheet where its row made it, else where it stands."""
    by_key: Mapping[str, Merged] = {one.key: one for one in merged}
    for entry in source.of("client"):
        one = by_key.get(str(entry.raw.get("key")))
        start = f"{entry.file}: {entry.path()}"
        if one is None or not problem.startswith(start):
            continue
        for address, row in one.rows.items():
            if (rest := problem.removeprefix(start).removeprefix(f".contact[{address}]")) != problem[len(start) :]:
                return sheet, *_cell(rest, row, columns, Field.ADDRESS)
        return sheet, *_cell(problem.removeprefix(start), one.row, columns, Field.CLIENT)
    file, _, text = problem.partition(": ")
    return file, "", text


def _cell(rest: str, row: int, columns: Columns, default: Field) -> tuple[str, str]:
    path, _, text = rest.partition(": ")
    field = COLUMN_OF.get(path.strip("."), default)
    if default is Field.ADDRESS and field is Field.CLIENT:  # a contact's name, not the client's
        field = Field.NAME
    return columns.place(row, field), text
