"""A configuration on its way: what could be read of it, each entry together with where it stands."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from mailflow.config.calendar import MaintenanceEntry
from mailflow.config.mailbox import MailboxEntry
from mailflow.config.model import (
    ClientEntry,
    ColleagueEntry,
    LiaisonEntry,
    ManagerEntry,
    ServiceSection,
    StoreSection,
)
from mailflow.config.notation import ADDRESS, shown
from mailflow.config.source import RawEntry, Source

E_co = TypeVar("E_co", covariant=True)
V = TypeVar("V")


@dataclass(frozen=True, kw_only=True)
class Read(Generic[E_co]):
    """An entry as written, with what it means."""

    entry: RawEntry
    value: E_co

    def placed(self, key: str, values: Sequence[V]) -> Iterator[tuple[str, V]]:
        """The elements of a list with their paths; none where a wrong one was cut out, since places then differ."""
        written = self.entry.raw.get(key)
        if isinstance(written, list) and len(written) == len(values):
            yield from ((self.entry.path(key, at), value) for at, value in enumerate(values))


@dataclass(frozen=True)
class Listed:
    """A well-formed address and where it stands."""

    entry: RawEntry
    loc: tuple[str | int, ...]
    address: str  # lower case

    @property
    def where(self) -> tuple[str, str]:
        """File and path."""
        return self.entry.file, self.entry.path(*self.loc)

    @property
    def called(self) -> str:
        """Whose it is, by name where one is written."""
        name = self.entry.raw.get("name")
        return f"[[{self.entry.section}]] {shown(name if isinstance(name, str) else self.address)}"


@dataclass(frozen=True, kw_only=True)
class Draft:
    """All of a configuration that could be read; what was wrong is absent."""

    source: Source
    base: Path
    environ: Mapping[str, str]
    service: Read[ServiceSection] | None
    store: Read[StoreSection] | None
    mailboxes: Sequence[Read[MailboxEntry]]
    liaisons: Sequence[Read[LiaisonEntry]]
    managers: Sequence[Read[ManagerEntry]]
    colleagues: Sequence[Read[ColleagueEntry]]
    clients: Sequence[Read[ClientEntry]]
    maintenance: Sequence[Read[MaintenanceEntry]] = ()

    def listed(self, *sections: str, key: str = "address") -> list[Listed]:
        """The addresses that stand in these sections, also in entries that are wrong elsewhere."""
        entries = (entry for section in sections for entry in self.source.of(section))
        return [listed for entry in entries for listed in _listed(entry, (key,))]

    def contacts(self) -> list[Listed]:
        """The addresses of the clients' contacts, also in entries that are wrong elsewhere."""
        found: list[Listed] = []
        for entry in self.source.of("client"):
            contacts = entry.raw.get("contact")
            for position in range(len(contacts)) if isinstance(contacts, list) else ():
                found += _listed(entry, ("contact", position, "address"))
        return found

    def about_clients(self) -> list[Listed]:
        """The addresses to which mail is about one client, also in entries that are wrong elsewhere."""
        found: list[Listed] = []
        for entry in self.source.of("client"):
            addresses = entry.raw.get("addresses")
            for position in range(len(addresses)) if isinstance(addresses, list) else ():
                found += _listed(entry, ("addresses", position))
        return found


def _listed(entry: RawEntry, loc: tuple[str | int, ...]) -> Iterator[Listed]:
    text = entry.at(loc)
    if isinstance(text, str) and ADDRESS.fullmatch(text.strip()):
        yield Listed(entry, loc, text.strip().lower())
