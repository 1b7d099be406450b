"""The settings as an MSP writes them: one model a section, each refusing keys that it does not know.

`[service]` is a ServiceSection, each `[[client]]` a ClientEntry, and so on; config.toml at the top level shows every
key. A model checks what one entry can know by itself; config.checks looks at several together and at the disk.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from mailflow.config.calendar import ClientMaintenanceEntry, ExpectedEntry, MaintenanceEntry, WorkingHours
from mailflow.config.holidays import HolidaysOf
from mailflow.config.mailbox import MailboxEntry
from mailflow.config.notation import (
    ClockTime,
    Count,
    Key,
    Language,
    MailAddress,
    MailDomain,
    MaybeLine,
    OneLine,
    Paragraph,
    WrittenPath,
    Zone,
    one_line,
    shown,
)
from mailflow.config.policy import PolicySection
from mailflow.config.table import Faults, Table
from mailflow.domain.people import WILD, Wants
from mailflow.domain.vocabulary import Live
from mailflow.domain.written_times import ORDERS


def machines(text: str) -> str:
    """What a machine is called, * and ? standing for any letters; never every machine, which would be everybody's."""
    text = one_line(text)
    if not WILD.isdisjoint(text) and not any(c.isalnum() for c in text):
        raise ValueError(f'{shown(text)} would be every machine; write what their names have in common, like "NW-*"')
    return text


Machines = Annotated[str, AfterValidator(machines)]


def date_order(text: str) -> str:
    """In which order somebody writes a date in figures; "" where it is to be asked."""
    if text not in ORDERS:
        raise ValueError(f'{shown(text)} is no order of dates; write "dmy" for 23/11, "mdy" for 11/23, or leave it out')
    return text


DateOrder = Annotated[str, AfterValidator(date_order)]


class ServiceSection(Table):
    """`[service]`: the MSP and this daemon."""

    name: OneLine = Field(description="the firm's name as its clients know it")
    timezone: Zone = Field(description="the firm's time zone, like `America/Chicago`")
    language: Language = "en"
    date_order: DateOrder = ""
    holidays: HolidaysOf | None = None
    data_dir: WrittenPath = "./mailflow-data"
    live: Live = Live.OFF
    footer: Paragraph = ""
    templates: WrittenPath | None = None
    recipes: WrittenPath | None = None
    administrator: MailAddress | None = None


class StoreSection(Table):
    """`[store]`: where the records lie."""

    url: str | None = None
    keep_raw_days: Count = 400

    @model_validator(mode="after")
    def _known(self) -> Self:
        """SQLite by its file, or PostgreSQL by its server. The URL is not repeated: it may hold a password."""
        if self.url is None:
            return self
        parts = urlsplit(self.url)
        if parts.scheme == "postgresql":
            if parts.password:
                why = "a password stands in it, and people copy this file into tickets"
                raise Faults(("url", f"{why}; leave it out, and set PGPASSWORD or use ~/.pgpass"))
            if not parts.hostname or not parts.path.strip("/"):
                raise Faults(("url", "no database; write `postgresql://user@host:5432/name`"))
            return self
        rest = self.url.removeprefix("sqlite:///")
        if rest == self.url or not rest.strip("/") or rest == ":memory:" or not rest.isprintable():
            why = "no database; write `sqlite:///` and a file's name, `postgresql://user@host/name`"
            raise Faults(("url", f"{why}, or leave it out"))
        return self


class PersonEntry(Table):
    """One of ours."""

    name: OneLine = Field(description="first and last name")
    address: MailAddress = Field(description="their own mail address")


class LiaisonEntry(PersonEntry):
    """`[[liaison]]`: somebody who signs letters to clients (S0.4)."""

    title: OneLine = Field(description="the title that stands under their letters, like `Client Liaison`")
    phone: MaybeLine = ""
    deputy: MailAddress | None = None
    timezone: Zone | None = None
    language: Language | None = None
    date_order: DateOrder | None = None


class ManagerEntry(PersonEntry):
    """`[[manager]]`: somebody who gets the digest."""

    digest_time: ClockTime = "08:00"
    timezone: Zone | None = None
    date_order: DateOrder | None = None


class ColleagueEntry(PersonEntry):
    """`[[colleague]]`: somebody of ours whose mail may add to an incident, but publishes nothing."""


class ContactEntry(Table):
    """`[[client.contact]]`: a person at a client."""

    name: OneLine = Field(description="first and last name")
    first_name: MaybeLine = ""
    address: MailAddress = Field(description="their mail address")
    role: MaybeLine = ""
    wants: Wants = Wants.NOTHING

    @model_validator(mode="after")
    def _can_be_greeted(self) -> Self:
        """A letter greets by first name (S0.2), which cannot be guessed from a name."""
        if self.wants is not Wants.NOTHING and not self.first_name:
            why = "missing, and letters greet by it"
            raise Faults(("first_name", f'{why}; write what you call them, or `wants = "nothing"`'))
        return self


class Criticality(StrEnum):
    """How much hangs on a component."""

    CRITICAL = "critical"
    NORMAL = "normal"


class ComponentEntry(Table):
    """`[[client.component]]`: a thing of a client's that can break."""

    name: Machines = Field(description="what you call it, like `file server`")
    plain: MaybeLine = ""
    hosts: tuple[Machines, ...] = ()
    vendor: MaybeLine = ""
    criticality: Criticality = Criticality.NORMAL


class ClientEntry(Table):
    """`[[client]]`: a firm whose IT we look after."""

    key: Key = Field(description="a short name that never changes, like `northwind`")
    name: OneLine = Field(description="the client's name as people say it")
    domains: tuple[MailDomain, ...] = ()
    aliases: tuple[OneLine, ...] = ()
    addresses: tuple[MailAddress, ...] = ()
    hosts: tuple[Machines, ...] = ()
    hours: WorkingHours | None = None
    holidays: HolidaysOf | None = None
    timezone: Zone | None = None
    language: Language | None = None
    liaison: MailAddress = Field(description="the address of the [[liaison]] who signs their letters")
    live: Live | None = None
    tier: MaybeLine = ""
    contact: tuple[ContactEntry, ...] = ()
    component: tuple[ComponentEntry, ...] = ()
    maintenance: tuple[ClientMaintenanceEntry, ...] = ()
    expected: tuple[ExpectedEntry, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Settings:
    """A whole configuration, validated."""

    service: ServiceSection
    mailboxes: tuple[MailboxEntry, ...]
    store: StoreSection
    policy: PolicySection
    liaisons: tuple[LiaisonEntry, ...]
    managers: tuple[ManagerEntry, ...]
    colleagues: tuple[ColleagueEntry, ...]
    clients: tuple[ClientEntry, ...]
    maintenance: tuple[MaintenanceEntry, ...]
