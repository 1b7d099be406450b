"""What single cells of a clients' spreadsheet say; every problem names the row and the column, and what to do."""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from mailflow.config.columns import MARKED, Columns, Field, plain
from mailflow.config.notation import key, language, shown, zone
from mailflow.config.report import Report
from mailflow.config.spreadsheet import Row
from mailflow.domain.people import Wants

CELL_LIMIT = 200  # characters: far longer than any name or title
# What a spreadsheet program would run instead of showing it; whoever exports our files would hand it on.
FORMULA = ("=", "+", "-", "@", "|")
EMPTY = frozenset({"", "-", "--", "n/a"})  # how people and programs write nothing
YES = frozenset({"yes", "y", "true", "t", "1", "x", "✓", "✔", "on", "checked"})
NO = frozenset({"no", "n", "false", "f", "0", "off", "unchecked"})
ACTIVE = frozenset({"active", "enabled", "current"})
INACTIVE = frozenset({"inactive", "disabled", "archived", "cancelled", "canceled", "deleted", "former", "terminated"})
WANTS = {"all": Wants.ALL, "debriefs": Wants.DEBRIEFS, "nothing": Wants.NOTHING, "none": Wants.NOTHING}
LANGUAGES = {"english": "en", "dutch": "nl", "nederlands": "nl", "german": "de", "deutsch": "de", "french": "fr"}
# PSAs name zones as Windows does; the commonest of its names (Unicode CLDR, windowsZones).
ZONES = {
    "eastern standard time": "America/New_York",
    "central standard time": "America/Chicago",
    "mountain standard time": "America/Denver",
    "us mountain standard time": "America/Phoenix",
    "pacific standard time": "America/Los_Angeles",
    "gmt standard time": "Europe/London",
    "w. europe standard time": "Europe/Berlin",
    "romance standard time": "Europe/Paris",
    "aus eastern standard time": "Australia/Sydney",
    "new zealand standard time": "Pacific/Auckland",
}


@dataclass(frozen=True, kw_only=True)
class Cells:
    """The cells of one sheet, by field."""

    file: str
    columns: Columns
    report: Report

    def problem(self, row: Row, field: Field, text: str) -> None:
        """Report what is wrong in a cell."""
        self.report.problem(self.file, self.columns.place(row, field), text)

    def text(self, row: Row, field: Field) -> str:
        """One line, or nothing; what must not be written anywhere is reported and reads as nothing."""
        raw = unicodedata.normalize("NFC", self.columns.cell(row, field)).strip()
        text = "".join(" " if unicodedata.category(c) == "Zs" else c for c in raw)
        if text.casefold() in EMPTY:
            return ""
        wrong = ""
        if not text.isprintable():
            wrong = "a line break or another control character; write plain text on one line"
        elif len(text) > CELL_LIMIT:
            wrong = f"longer than {CELL_LIMIT} characters; shorten it"
        elif text.startswith(FORMULA) and not (field is Field.DOMAINS and text[0] == "@"):
            wrong = f"{shown(text)} looks like a formula; write plain text"
        if wrong:
            self.problem(row, field, wrong)
            return ""
        return " ".join(text.split())

    def read(self, row: Row, field: Field, meaning: Callable[[str], str]) -> str:
        """A cell as `meaning` understands it; nothing where it is empty or was reported."""
        text = self.text(row, field)
        try:
            return meaning(text) if text else ""
        except ValueError as error:
            self.problem(row, field, str(error))
            return ""

    def is_active(self, row: Row, yes: Field, no: Field) -> bool:
        """Whether neither of two columns says that this is over. A status that is not known is no reason."""
        says = self.text(row, yes).casefold()
        against = self.text(row, no).casefold()
        return says not in INACTIVE | NO and against not in INACTIVE | YES

    def wants(self, row: Row) -> Wants | None:
        """Which letters a contact is marked for; None where the sheet has no column for it."""
        types = self.text(row, Field.TYPES).replace(";", ",").replace("|", ",").split(",")
        if any(plain(one) in MARKED for one in types) or self._mark(row, Field.INCIDENTS) is Wants.ALL:
            return Wants.ALL
        if Wants.DEBRIEFS in (self._mark(row, Field.INCIDENTS), self._mark(row, Field.DEBRIEFS)):
            return Wants.DEBRIEFS
        return Wants.NOTHING if {Field.INCIDENTS, Field.DEBRIEFS} & self.columns.at.keys() else None

    def _mark(self, row: Row, field: Field) -> Wants:
        text = self.text(row, field).casefold()
        marked = Wants.ALL if field is Field.INCIDENTS else Wants.DEBRIEFS
        if text in WANTS and field is Field.INCIDENTS:
            return WANTS[text]
        if text in YES:
            return marked
        if text and text not in NO:
            self.problem(row, field, f"{shown(text)} is neither yes nor no; write one of them, or leave it empty")
        return Wants.NOTHING


def key_of(text: str) -> str:
    """A client's key; capitals are forgiven."""
    return key(text.lower())


def zone_of(text: str) -> str:
    """A time zone, by its own name or by Windows' for it."""
    return ZONES.get(text.casefold()) or zone(text)


def language_of(text: str) -> str:
    """A language's tag, or its name."""
    return LANGUAGES.get(text.casefold()) or language(text.lower() if len(text) <= len("en") else text)


def as_it_stands(text: str) -> str:
    """Text that may be anything."""
    return text
