"""What a spreadsheet says of clients and their contacts, before it is compared with anything configured.

One row is one contact; the rows of one client are joined by its key, or else by its name. Every problem names row and
column. Who is not marked for incidents wants nothing; who is marked but cannot be greeted is doubtful, and the
comparison holds their letters.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from mailflow.config.cells import EMPTY, Cells, as_it_stands, key_of, language_of, zone_of
from mailflow.config.columns import Columns, Field, find_columns, known_in
from mailflow.config.greeting import TITLES, greeting
from mailflow.config.notation import address, domain, shown
from mailflow.config.report import Report
from mailflow.config.spreadsheet import Row, read_sheet
from mailflow.domain.people import Wants

NO_ADDRESS = "without an address"
MARKED_WITHOUT_ADDRESS = "marked for incidents, but without an address"
INACTIVE = "inactive"
INACTIVE_CLIENT = "of inactive clients"


@dataclass(frozen=True, kw_only=True)
class SheetContact:
    """A contact as the sheet has it."""

    row: int
    address: str
    name: str
    first_name: str  # empty where a letter should not greet by it
    doubt: str  # why not
    role: str
    wants: Wants | None  # None where no column tells


@dataclass(frozen=True, kw_only=True)
class SheetClient:
    """A client as the sheet has it; what no row says is empty."""

    row: int  # the first that names it
    key: str
    name: str
    domains: tuple[str, ...]
    timezone: str
    language: str
    liaison: str  # an address or a name
    tier: str
    active: bool
    contacts: tuple[SheetContact, ...]
    gone: frozenset[str]  # the addresses of contacts who are inactive


@dataclass(frozen=True, kw_only=True)
class Imported:
    """All that a sheet says."""

    file: str
    columns: Columns
    clients: tuple[SheetClient, ...]
    left_out: Mapping[str, int]  # rows that are nobody to write to, by reason


def read_clients(file: str, raw: bytes, own: Mapping[Field, str], report: Report) -> Imported | None:
    """The clients in a CSV file's bytes, with the user's own mapping; None where it is no such file."""
    sheet = read_sheet(file, raw, lambda cells: known_in(own, cells), report)
    if sheet is None:
        return None
    columns = find_columns(sheet, own, report)
    if Field.CLIENT not in columns:
        return None
    if not sheet.rows:
        report.problem(file, "", "there is nothing below the names of the columns; export clients and contacts")
        return None
    cells = Cells(file=file, columns=columns, report=report)
    joined: dict[str, list[Row]] = {}
    for row in sheet.rows:
        name = cells.text(row, Field.CLIENT)
        if client := cells.read(row, Field.KEY, key_of) or name.casefold():
            joined.setdefault(client, []).append(row)
        elif columns.cell(row, Field.CLIENT).strip().casefold() in EMPTY:  # anything else has been told
            cells.problem(row, Field.CLIENT, "empty; write the client's name, or remove the row")
    left_out: dict[str, int] = {}
    clients = tuple(_client(rows, cells, left_out) for rows in joined.values())
    return Imported(file=file, columns=columns, clients=clients, left_out=left_out)


def _client(rows: Sequence[Row], cells: Cells, left_out: dict[str, int]) -> SheetClient:
    active = [row for row in rows if cells.is_active(row, Field.CLIENT_ACTIVE, Field.CLIENT_INACTIVE)]
    _count(left_out, INACTIVE_CLIENT, len(rows) - len(active))
    name = _agreed(rows, cells, Field.CLIENT, as_it_stands)
    if not name:  # a key alone
        cells.problem(rows[0], Field.CLIENT, "empty; write the client's name")
    contacts, gone = _contacts(active, cells, name, left_out)
    return SheetClient(
        row=rows[0].number,
        key=cells.read(rows[0], Field.KEY, key_of),
        name=name,
        domains=tuple(dict.fromkeys(found for row in rows for found in _domains(row, cells))),
        timezone=_agreed(rows, cells, Field.TIMEZONE, zone_of),
        language=_agreed(rows, cells, Field.LANGUAGE, language_of),
        liaison=_agreed(rows, cells, Field.LIAISON, as_it_stands),
        tier=_agreed(rows, cells, Field.TIER, as_it_stands),
        active=bool(active),
        contacts=contacts,
        gone=gone,
    )


def _agreed(rows: Sequence[Row], cells: Cells, field: Field, meaning: Callable[[str], str]) -> str:
    """What the rows of one client say together; some may be silent, but none may contradict."""
    said, first = "", rows[0]
    for row in rows:
        value = cells.read(row, field, meaning)
        if value and not said:
            said, first = value, row
        elif value.casefold() not in {"", said.casefold()}:
            text = f"{shown(value)}, but row {first.number} says {shown(said)} for the same client; make them one"
            cells.problem(row, field, text)
    return said


def _domains(row: Row, cells: Cells) -> list[str]:
    found = []
    for part in cells.text(row, Field.DOMAINS).replace(";", " ").replace(",", " ").split():
        try:
            found.append(domain(part.removeprefix("@")))
        except ValueError as error:
            cells.problem(row, Field.DOMAINS, str(error))
    return found


def _contacts(
    rows: Sequence[Row], cells: Cells, client: str, left_out: dict[str, int]
) -> tuple[tuple[SheetContact, ...], frozenset[str]]:
    """A client's contacts, one an address, and the addresses of those who have left."""
    found: dict[str, SheetContact] = {}
    gone: set[str] = set()
    for row in rows:
        contact = _contact(row, cells, client)
        if not cells.is_active(row, Field.ACTIVE, Field.INACTIVE):
            _count(left_out, INACTIVE, 1)
            gone |= {contact.address} if contact else set()
        elif contact is None:
            marked = cells.wants(row) in {Wants.ALL, Wants.DEBRIEFS}
            _count(left_out, MARKED_WITHOUT_ADDRESS if marked else NO_ADDRESS, int(_is_somebody(row, cells)))
        elif before := found.get(contact.address):
            found[contact.address] = _joined(before, contact)
        else:
            found[contact.address] = contact
    return tuple(found.values()), frozenset(gone - found.keys())


def _contact(row: Row, cells: Cells, client: str) -> SheetContact | None:
    """The contact of a row; None where it is a client's alone, or nobody can write to them."""
    mail = cells.read(row, Field.ADDRESS, address)
    wants = cells.wants(row)
    if not mail:
        return None
    names = {
        "full": cells.text(row, Field.NAME),
        "first": cells.text(row, Field.FIRST_NAME),
        "last": cells.text(row, Field.LAST_NAME),
    }
    called = greeting(**names, client=client)
    role = cells.text(row, Field.ROLE)
    return SheetContact(
        row=row.number,
        address=mail,
        name=called.name or mail,
        first_name=called.first_name,
        doubt=called.doubt,
        role="" if role.strip(".").casefold() in TITLES else role,  # a column "Title" may say "Mr"
        wants=wants,
    )


def _joined(one: SheetContact, other: SheetContact) -> SheetContact:
    """Two rows with one address: the same person twice, or people who share it and cannot be greeted by a name."""
    letters = (Wants.ALL, Wants.DEBRIEFS, Wants.NOTHING, None)
    wants = min((one.wants, other.wants), key=letters.index)
    if one.name.casefold() == other.name.casefold():
        return replace(one, wants=wants, role=one.role or other.role)
    doubt = f"rows {one.row} and {other.row} give this address two names"
    return replace(one, wants=wants, first_name="", doubt=doubt)


def _is_somebody(row: Row, cells: Cells) -> bool:
    """Whether a row without an address was meant for a person: a company's alone names nobody."""
    return any(cells.text(row, field) for field in (Field.NAME, Field.FIRST_NAME, Field.LAST_NAME))


def _count(left_out: dict[str, int], why: str, rows: int) -> None:
    if rows:
        left_out[why] = left_out.get(why, 0) + rows
