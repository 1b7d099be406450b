"""The import of clients from first to last: what a spreadsheet would change, and doing it.

Making a plan writes nothing. A plan that has problems cannot be carried out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mailflow.config.changes import Change
from mailflow.config.client_files import NewText, check_as_a_whole, new_texts, write
from mailflow.config.columns import own_mapping
from mailflow.config.differences import Known, compare
from mailflow.config.importing import read_clients
from mailflow.config.load import Loaded
from mailflow.config.notation import nearest, shown
from mailflow.config.report import ConfigurationError, Report
from mailflow.config.source import read


@dataclass(frozen=True, kw_only=True)
class ImportPlan:
    """What an import would do."""

    main: Path
    columns: Mapping[str, str]  # each field that was read, with its column's name
    changes: tuple[Change, ...]
    doubts: tuple[str, ...]  # what somebody should look at
    warnings: tuple[str, ...]  # what `check` would warn of that it does not warn of now
    left_out: Mapping[str, int]
    absent: int  # configured clients that the sheet does not name
    texts: tuple[NewText, ...]
    problems: tuple[str, ...]  # why it cannot be carried out

    def carry_out(self) -> tuple[Path, ...]:
        """Replace the files, all or none; ConfigurationError where that cannot be done."""
        try:
            write(self.main, self.texts)
        except OSError as error:
            place = error.filename or self.main.parent
            text = f"{place}: cannot be written ({error.strerror}); nothing was changed; see to the folder's rights"
            raise ConfigurationError((text,)) from error
        return tuple(new.file for new in self.texts)


def import_plan(
    sheet: Path, main: Path, loaded: Loaded, *, maps: Sequence[str] = (), liaison: str | None = None, remove: bool
) -> ImportPlan:
    """Compare a CSV file with the configuration in `main`; ConfigurationError with all that is wrong in the file."""
    report = Report()
    own = own_mapping(maps, report)
    signs = _liaison(loaded, liaison, report)
    try:
        raw = sheet.read_bytes()
    except OSError as error:
        report.problem(str(sheet), "", f"cannot be read ({error.strerror}); correct the name")
        raise ConfigurationError(report.problems) from error
    imported = read_clients(str(sheet), raw, own, report)
    if imported is None:
        raise ConfigurationError(report.problems)
    settings = loaded.settings
    people = (*settings.liaisons, *settings.managers, *settings.colleagues)
    addresses = [*(mailbox.address for mailbox in settings.mailboxes), *(person.address for person in people)]
    known = Known(
        clients=read(main, Report()).of("client"),
        liaisons=settings.liaisons,
        ours={address.rpartition("@")[2] for address in addresses},
        liaison=signs,
        remove=remove,
    )
    found = compare(imported, known, report)
    if report.problems:
        raise ConfigurationError(report.problems)
    texts = new_texts(main, found.clients, report)
    warnings = check_as_a_whole(main, texts, found.clients, imported.file, imported.columns, report)
    return ImportPlan(
        main=main,
        columns=imported.columns.read,
        changes=found.changes,
        doubts=found.doubts,
        warnings=tuple(warning for warning in warnings if warning not in loaded.warnings),
        left_out=imported.left_out,
        absent=sum(entry.raw.get("key") not in {change.client for change in found.changes} for entry in known.clients),
        texts=texts,
        problems=report.problems,
    )


def _liaison(loaded: Loaded, address: str | None, report: Report) -> str | None:
    """The [[liaison]] that the user named for new clients."""
    known = [liaison.address for liaison in loaded.settings.liaisons]
    if address is None or address.strip().lower() in known:
        return address and address.strip().lower()
    near = nearest(address, known)
    todo = f"did you mean `{near}`?" if near else f"there are {', '.join(f'`{one}`' for one in known)}"
    report.problem("--liaison", "", f"{shown(address)} is not a [[liaison]]; {todo}")
    return None
