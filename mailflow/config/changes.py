"""The differences between a spreadsheet and the configuration, as a person is shown them."""

from dataclasses import dataclass, field
from enum import StrEnum

from mailflow.config.columns import Columns
from mailflow.config.report import Report


class What(StrEnum):
    """What changes at a client."""

    NEW = "new client"
    CLIENT = "client changed"
    ADDED = "contact added"
    REMOVED = "contact removed"
    ADDRESS = "address changed"
    NAME = "name changed"
    ROLE = "role changed"
    WANTS = "wants changed"
    KEPT = "kept"  # configured, but not or no longer in the sheet
    UNCHANGED = "unchanged"


@dataclass(frozen=True, kw_only=True)
class Change:
    """One difference."""

    client: str  # the key
    what: What
    contact: str = ""
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Notes:
    """What is gathered while comparing."""

    file: str
    columns: Columns
    report: Report
    changes: list[Change] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)  # what somebody should look at
