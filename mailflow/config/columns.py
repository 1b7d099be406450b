"""Which column of a spreadsheet means what: known by its name, whatever its case, spaces and punctuation.

The names are those that people write and that Autotask, ConnectWise and HaloPSA export. Where two columns could mean
the same thing, or one that is needed is missing, that is reported with what was found; nothing is guessed. What the
user maps by hand comes first.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from mailflow.config.notation import nearest, shown
from mailflow.config.report import Report
from mailflow.config.spreadsheet import Row, Sheet

FOUND_SHOWN = 40  # columns that a message lists
BRACKETED = re.compile(r"\[[^\]]*\]|\([^)]*\)")  # "[required] Company Name", "Accepts Email (yes or no)"
# What PSAs put before the name of a contact's own field, or of one that the MSP defined.
PREFIXES = ("contact", "udf", "cf", "customfield", "userdefinedfield")


class Field(StrEnum):
    """What a column may mean, by the name that `--map` knows it by."""

    CLIENT = "Client"
    KEY = "Key"
    DOMAINS = "Domains"
    TIMEZONE = "Timezone"
    LANGUAGE = "Language"
    LIAISON = "Liaison"
    TIER = "Tier"
    CLIENT_ACTIVE = "ClientActive"
    CLIENT_INACTIVE = "ClientInactive"
    NAME = "Name"
    FIRST_NAME = "FirstName"
    LAST_NAME = "LastName"
    ADDRESS = "Address"
    ROLE = "Role"
    INCIDENTS = "Incidents"
    DEBRIEFS = "Debriefs"
    TYPES = "Types"
    ACTIVE = "Active"
    INACTIVE = "Inactive"


# The words by which a contact is marked for incidents, as a column's name or among a contact's types.
# fmt: off
MARKED = frozenset({
    "incidents", "incidentcontact", "incidentcontacts", "incidentmail", "incidentnotification",
    "incidentnotifications", "notifyincidents", "notifyofincidents", "notifyoutages", "outagecontact",
    "outagenotifications", "receivesincidents", "servicealert", "servicealerts", "servicealertcontact", "wants",
})
# Each field's names; those of an earlier group are preferred to those of a later one.
NAMES: Mapping[Field, tuple[frozenset[str], ...]] = {
    Field.CLIENT: (
        frozenset({"clientname", "companyname", "organizationname", "organisationname", "customername",
                   "accountname", "businessunitname"}),
        frozenset({"client", "company", "organization", "organisation", "customer", "account", "businessunit"}),
    ),
    Field.KEY: (frozenset({"key", "clientkey", "mailflowkey"}),),
    Field.DOMAINS: (frozenset({"domain", "domains", "emaildomain", "emaildomains", "maildomain", "maildomains"}),),
    Field.TIMEZONE: (frozenset({"timezone", "clienttimezone", "companytimezone", "tz"}),),
    Field.LANGUAGE: (frozenset({"language", "clientlanguage", "lang"}),),
    Field.LIAISON: (frozenset({"liaison", "liaisonaddress", "liaisonemail", "clientliaison"}),),
    Field.TIER: (frozenset({"tier", "clienttier", "servicetier", "servicelevel"}),),
    Field.CLIENT_ACTIVE: (frozenset({
        "accountstatus", "clientstatus", "companystatus", "customerstatus", "organizationstatus",
        "clientactive", "companyactive", "customeractive", "organizationactive",
        "companyactiveinactive", "organizationactiveinactive",
    }),),
    Field.CLIENT_INACTIVE: (frozenset({
        "clientinactive", "companyinactive", "customerinactive", "organizationinactive",
    }),),
    Field.NAME: (
        frozenset({"name", "fullname", "displayname"}),
        frozenset({"contact", "user", "username", "person"}),  # HaloPSA calls a person's whole name "Username"
    ),
    Field.FIRST_NAME: (frozenset({"firstname", "givenname", "forename", "first"}),),
    Field.LAST_NAME: (frozenset({"lastname", "surname", "familyname", "last"}),),
    Field.ADDRESS: (
        frozenset({"primaryemail", "primaryemailaddress", "defaultemail", "defaultemailaddress"}),
        frozenset({"email", "emailaddress", "email1", "emailaddress1", "mail", "mailaddress", "workemail"}),
        frozenset({"address"}),
    ),
    Field.ROLE: (frozenset({"jobtitle", "role", "position", "function"}), frozenset({"title"})),
    Field.INCIDENTS: (MARKED,),
    Field.DEBRIEFS: (frozenset({
        "debrief", "debriefs", "debriefcontact", "debriefsonly", "notifydebriefs", "wantsdebriefs",
    }),),
    Field.TYPES: (frozenset({"contacttype", "contacttypes"}), frozenset({"type", "types"})),
    Field.ACTIVE: (
        frozenset({"activeinactive", "contactstatus"}), frozenset({"active", "isactive", "status", "enabled"}),
    ),
    Field.INACTIVE: (frozenset({"inactive", "isinactive", "inactiveflag", "disabled"}),),
}
# fmt: on
KNOWN = frozenset(name for groups in NAMES.values() for group in groups for name in group)
BY_NAME = {field.value.casefold(): field for field in Field}


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Where each field stands in a sheet."""

    header: tuple[str, ...]
    at: Mapping[Field, int]

    def __contains__(self, field: Field) -> bool:
        return field in self.at

    def cell(self, row: Row, field: Field) -> str:
        """What a row says in a field; nothing where there is no such column."""
        return row.cells[self.at[field]] if field in self.at else ""

    def place(self, row: Row | int, field: Field) -> str:
        """Where that stands, as messages name it."""
        number = row if isinstance(row, int) else row.number
        return f"row {number}, column {shown(self.header[self.at[field]])}" if field in self.at else f"row {number}"

    @property
    def read(self) -> dict[str, str]:
        """Each field that is read, with its column's name."""
        return {field.value: self.header[self.at[field]] for field in Field if field in self.at}


def plain(name: str) -> str:
    """A column's name as it is compared."""
    bare = BRACKETED.sub(" ", name)
    letters = "".join(c for c in unicodedata.normalize("NFKC", bare).casefold() if c.isalnum())
    for prefix in PREFIXES:
        rest = letters.removeprefix(prefix)
        if letters not in KNOWN and rest != letters and rest in KNOWN:
            return rest
    return letters


def known_in(own: Mapping[Field, str], cells: Sequence[str]) -> int:
    """How many of these cells are names of columns, the user's own names counted."""
    names = {" ".join(name.split()).casefold() for name in own.values() if name}
    return sum(plain(cell) in KNOWN or " ".join(cell.split()).casefold() in names for cell in cells)


def own_mapping(options: Iterable[str], report: Report) -> dict[Field, str]:
    """What `--map "Client=Kundenname,Address=E-Mail"` says; nothing behind the `=` leaves the field unread."""
    pairs: list[str] = []
    for option in options:
        for part in option.split(","):
            if "=" in part:
                pairs.append(part)
            elif pairs:
                pairs[-1] += f",{part}"  # a comma within a column's name
            else:
                pairs.append(part)
    mapping: dict[Field, str] = {}
    for pair in pairs:
        word, separator, column = pair.partition("=")
        field = BY_NAME.get("".join(c for c in word.casefold() if c.isalnum()))
        if field is None or not separator:
            near = nearest(word.strip(), BY_NAME) if separator else None
            known = ", ".join(field.value for field in Field)
            todo = f"did you mean `{BY_NAME[near]}`?" if near else f"write `Field=Column`; fields are {known}"
            report.problem("--map", "", f"unknown field {shown(word.strip())}; {todo}")
            continue
        mapping[field] = column.strip()
    return mapping


def find_columns(sheet: Sheet, own: Mapping[Field, str], report: Report) -> Columns:
    """Where each field stands. What is missing or could be two columns is reported."""
    at = _mapped_by_hand(sheet, own, report)
    taken = set(at.values())
    names = {position: plain(name) for position, name in enumerate(sheet.header) if position not in taken}
    for field, groups in NAMES.items():
        if field in own:
            continue
        for group in groups:
            found = [position for position, name in names.items() if name in group]
            # "Address" is where a firm lives as often as it is a mail address.
            if group == frozenset({"address"}):
                found = [p for p in found if any("@" in row.cells[p] for row in sheet.rows)]
            if len(found) > 1:
                either = " and ".join(shown(sheet.header[position]) for position in found)
                todo = f'say which with --map "{field.value}={sheet.header[found[0]]}"'
                report.problem(sheet.file, "", f"{either} could each be the column for {field.value}; {todo}")
            if found:
                at[field] = found[0]
                break
    people = {Field.FIRST_NAME, Field.LAST_NAME, Field.ADDRESS}
    if Field.CLIENT not in at and Field.NAME in at and not people & at.keys() and Field.NAME not in own:
        at[Field.CLIENT] = at.pop(Field.NAME)  # a list of firms calls a firm's name just "Name"
    if not (people | {Field.NAME}) & at.keys():  # and what it says of who is active, it says of firms
        for of_people, of_clients in ((Field.ACTIVE, Field.CLIENT_ACTIVE), (Field.INACTIVE, Field.CLIENT_INACTIVE)):
            if of_people in at:
                at.setdefault(of_clients, at.pop(of_people))
    columns = Columns(header=sheet.header, at=at)
    _complete(sheet, columns, own, report)
    return columns


def _mapped_by_hand(sheet: Sheet, own: Mapping[Field, str], report: Report) -> dict[Field, int]:
    at: dict[Field, int] = {}
    folded = [name.casefold() for name in sheet.header]
    for field, column in own.items():
        name = " ".join(column.split())
        if not name:
            continue
        if name.casefold() in folded:
            at[field] = folded.index(name.casefold())
            continue
        near = nearest(name, sheet.header)
        todo = f"did you mean `{near}`?" if near else f"there are {_found(sheet)}"
        report.problem(sheet.file, "", f"no column {shown(name)}, which --map names; {todo}")
    return at


def _complete(sheet: Sheet, columns: Columns, own: Mapping[Field, str], report: Report) -> None:
    """Without a client there is nothing, and a person without an address cannot be mailed."""
    people = [field for field in (Field.FIRST_NAME, Field.LAST_NAME, Field.NAME) if field in columns]
    needed = {Field.CLIENT: "the client's name", Field.ADDRESS: "the contacts' mail addresses"}
    missing = [Field.CLIENT] if Field.CLIENT not in columns else []
    if people and Field.ADDRESS not in columns and Field.ADDRESS not in own:
        missing.append(Field.ADDRESS)
    for field in missing:
        if own.get(field):  # told already
            continue
        todo = f'name it with --map "{field.value}=…"'
        report.problem(sheet.file, "", f"no column for {needed[field]}; {todo}; found were {_found(sheet)}")


def _found(sheet: Sheet) -> str:
    named = [shown(name) for name in sheet.header if name]
    more = f" and {len(named) - FOUND_SHOWN} more" if len(named) > FOUND_SHOWN else ""
    return ", ".join(named[:FOUND_SHOWN]) + more if named else "no names of columns"
