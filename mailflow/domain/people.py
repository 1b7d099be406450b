"""Who there is: the people and clients an MSP has configured, and the one question asked of them, "who is this?"."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property, lru_cache

from mailflow.domain.calendar import NO_HOLIDAYS, Calendar, Holidays
from mailflow.domain.hours import WEEKDAYS, Hours
from mailflow.domain.vocabulary import Live

# What makes a configured spelling a pattern; "[1]" in a host's name is only that.
WILD = frozenset("*?")
# A monitor's group may be a path or a list: "Clients/Northwind/Servers".
_PIECES = re.compile(r"[/\\,;|>]")


def lowered(address: str) -> str:
    """An address as it is compared: only ASCII has two cases there. Unicode's folding would make "ß" of a stranger's
    registered domain the "ss" of ours, and the Kelvin sign a "k"."""
    return "".join(c.lower() if c.isascii() else c for c in address)


@dataclass(frozen=True, kw_only=True)
class Address:
    """A mailbox as it stands in a header: display name (may be empty) and address (lower case)."""

    name: str
    address: str

    def __str__(self) -> str:
        return f"{self.name} <{self.address}>" if self.name else self.address

    @property
    def domain(self) -> str:
        """What stands behind the @."""
        return self.address.rpartition("@")[2]


class Role(StrEnum):
    """What a person of ours may do: only liaisons and managers may publish."""

    LIAISON = "liaison"
    MANAGER = "manager"
    COLLEAGUE = "colleague"


@dataclass(frozen=True, kw_only=True)
class Staff:
    """One of ours."""

    role: Role
    name: str
    address: str
    title: str = ""
    phone: str = ""
    timezone: str
    language: str
    date_order: str = ""  # of figures, as they write them: "dmy", "mdy", or "" to be asked
    digest_time: str = "08:00"  # local: a manager's digest, a liaison's morning list
    deputy: str = ""  # address of who stands in

    @property
    def first_name(self) -> str:
        """How we speak to them."""
        return self.name.split()[0]

    @property
    def mail_address(self) -> Address:
        """Where they are written to."""
        return Address(name=self.name, address=self.address)


class Wants(StrEnum):
    """Which letters a contact is sent."""

    ALL = "all"
    DEBRIEFS = "debriefs"
    NOTHING = "nothing"


@dataclass(frozen=True, kw_only=True)
class Contact:
    """A person at a client."""

    name: str
    first_name: str
    address: str
    role: str = ""
    wants: Wants = Wants.NOTHING


@dataclass(frozen=True, kw_only=True)
class Component:
    """A thing of a client's that can break, with the client's own word for it."""

    name: str
    plain: str  # "your file server"
    hosts: tuple[str, ...] = ()  # as monitors spell them, compared without case; * and ? stand for any letters
    critical: bool = False
    vendor: str = ""  # whose service it is, "Microsoft 365": that vendor's incidents are this client's too

    def is_of(self, vendor: str, *services: str) -> bool:
        """Whether a vendor's trouble concerns it: hosts, where there are any, name the services that do."""
        if self.vendor.casefold() != vendor.casefold():
            return False
        named = [service for service in services if service]
        return not self.hosts or not named or any(self.spelt(service) for service in named)

    def spelt(self, host: str) -> bool:
        """Whether a monitor's spelling means this thing."""
        return any(fits(spelling, host) for spelling in (self.name, *self.hosts))


@dataclass(frozen=True, kw_only=True)
class Client:
    """A firm whose IT we look after."""

    key: str
    name: str
    domains: tuple[str, ...] = ()
    timezone: str
    language: str
    liaison: str  # address of the liaison who signs
    live: Live
    contacts: tuple[Contact, ...] = ()
    components: tuple[Component, ...] = ()
    aliases: tuple[str, ...] = ()  # what monitors and helpdesks call the client
    addresses: tuple[str, ...] = ()  # mail to one of these is about this client
    hosts: tuple[str, ...] = ()  # patterns of names of this client's machines, components or not
    hours: Hours | None = None  # when they work, in their own time; None: nobody has said
    holidays: Holidays = NO_HOLIDAYS
    tier: str = ""  # a word of the MSP's own, for which its policy may promise more

    @cached_property
    def calendar(self) -> Calendar:
        """What is due to them is counted in it; from Monday to Friday where nobody has said when they work."""
        return Calendar(timezone=self.timezone, hours=self.hours or WEEKDAYS, holidays=self.holidays)

    def reachable(self, moment: datetime) -> datetime:
        """From when on, at this moment, a letter helps them: in their hours, where these are known (S4.7)."""
        return self.calendar.next_opening(moment) if self.hours else moment

    def component_for(self, *hosts: str) -> Component | None:
        """The component that a monitor means by any of these spellings, the first spelling first; else None."""
        for host in filter(None, hosts):
            for spelling in dict.fromkeys((host, short(host))):
                if found := next((c for c in self.components if c.spelt(spelling)), None):
                    return found
        return None

    @property
    def names(self) -> tuple[str, ...]:
        """Everything it is called."""
        return (self.key, self.name, *self.aliases)


def short(host: str) -> str:
    """A machine's own name: "dc01" of "dc01.northwind.example"; an IP address is whole."""
    label = host.partition(".")[0]
    return host if label.isdigit() or not label else label


def fits(spelling: str, host: str) -> bool:
    """Whether a configured spelling means a host: without case, * and ? standing for any letters."""
    if WILD.isdisjoint(spelling):
        return spelling.casefold() == host.casefold()
    return bool(_pattern(spelling.casefold()).fullmatch(host.casefold()))


@dataclass(frozen=True, kw_only=True)
class Who:
    """The answer to "who is this address?"; several clients means ambiguous."""

    staff: Staff | None = None
    clients: tuple[Client, ...] = ()
    contact: Contact | None = None  # only when one client lists exactly this address

    @property
    def client(self) -> Client | None:
        """The one client it belongs to, None where there is none or more than one."""
        return self.clients[0] if len(self.clients) == 1 else None


@dataclass(frozen=True, kw_only=True)
class Directory:
    """Everybody the configuration names."""

    staff: tuple[Staff, ...]
    clients: tuple[Client, ...]
    _by_key: Mapping[str, Client] = field(init=False, repr=False, compare=False)
    _by_host: Mapping[str, tuple[Client, ...]] = field(init=False, repr=False, compare=False)
    _by_domain: Mapping[str, tuple[Client, ...]] = field(init=False, repr=False, compare=False)
    _by_contact: Mapping[str, tuple[Client, ...]] = field(init=False, repr=False, compare=False)
    _by_name: Mapping[str, tuple[Client, ...]] = field(init=False, repr=False, compare=False)
    _by_address: Mapping[str, tuple[Client, ...]] = field(init=False, repr=False, compare=False)
    _by_pattern: Mapping[str, tuple[tuple[str, Client], ...]] = field(init=False, repr=False, compare=False)
    _by_vendor: Mapping[str, tuple[Client, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Indexes, so that a lookup costs the same with 10 clients and 10,000."""
        spelt = [
            (c, {h.casefold() for x in c.components for h in (x.name, *x.hosts)} | folded(c.hosts))
            for c in self.clients
        ]
        hosts = [(c, {h for h in spellings if WILD.isdisjoint(h)}) for c, spellings in spelt]
        patterns: dict[str, list[tuple[str, Client]]] = {}
        for client, spellings in spelt:
            for pattern in spellings - {h for h in spellings if WILD.isdisjoint(h)}:
                patterns.setdefault(_literal(pattern), []).append((pattern, client))
        indexes = {
            "_by_host": hosts,
            "_by_domain": [(c, set(c.domains)) for c in self.clients],
            "_by_contact": [(c, {x.address for x in c.contacts}) for c in self.clients],
            "_by_name": [(c, folded(c.names)) for c in self.clients],
            "_by_address": [(c, set(c.addresses)) for c in self.clients],
            "_by_vendor": [(c, folded(x.vendor for x in c.components if x.vendor)) for c in self.clients],
        }
        for name, pairs in indexes.items():
            index: dict[str, list[Client]] = {}
            for client, words in pairs:
                for word in words:
                    index.setdefault(word, []).append(client)
            object.__setattr__(self, name, {k: tuple(v) for k, v in index.items()})
        object.__setattr__(self, "_by_key", {c.key: c for c in self.clients})
        object.__setattr__(self, "_by_pattern", {k: tuple(v) for k, v in patterns.items()})

    def client(self, key: str) -> Client | None:
        """The client with this key (without case)."""
        return self._by_key.get(key.casefold())

    def clients_named(self, text: str) -> tuple[Client, ...]:
        """The clients that a text names whole, or in one piece of a path ("Clients/Northwind/Servers")."""
        whole = " ".join(text.casefold().split())
        if found := self._by_name.get(whole):
            return found
        pieces = [" ".join(piece.split()) for piece in _PIECES.split(whole)]
        return _distinct(c for piece in pieces for c in self._by_name.get(piece, ()))

    def clients_addressed(self, addresses: Iterable[str], own: frozenset[str]) -> tuple[Client, ...]:
        """The clients that a mail to these addresses is about: noc+northwind@…, or an address of the client's own."""
        found: list[Client] = []
        for address in addresses:
            found += self._by_address.get(address, ())
            local, _, domain = address.partition("@")
            box, plus, tag = local.partition("+")
            if plus and f"{box}@{domain}" in own and (named := self.client(tag)):
                found.append(named)
        return _distinct(found)

    def clients_of_vendor(self, vendor: str, *services: str) -> tuple[Client, ...]:
        """The clients one of whose components is a service of this vendor's that is in trouble."""
        of = self._by_vendor.get(vendor.casefold(), ())
        return tuple(c for c in of if any(x.is_of(vendor, *services) for x in c.components))

    def staff_at(self, address: str) -> Staff | None:
        """The one of ours with this address."""
        return next((s for s in self.staff if s.address == lowered(address)), None)

    def staff_called(self, text: str) -> Staff | None:
        """The one of ours whose name, first name or address this is; nobody where it could be two."""
        said = text.strip().casefold()
        found = [s for s in self.staff if said in {s.name.casefold(), s.first_name.casefold(), s.address}]
        return found[0] if len(found) == 1 else None

    @property
    def managers(self) -> tuple[Staff, ...]:
        """Those who get the digests."""
        return tuple(s for s in self.staff if s.role is Role.MANAGER)

    def who(self, address: str) -> Who:
        """Who writes from `address`: one of ours, else a listed contact, else a client's domain, else nobody."""
        address = lowered(address)
        if staff := self.staff_at(address):
            return Who(staff=staff)
        if clients := self._by_contact.get(address):
            contact = next(c for c in clients[0].contacts if c.address == address) if len(clients) == 1 else None
            return Who(clients=clients, contact=contact)
        return Who(clients=self._by_domain.get(address.rpartition("@")[2], ()))

    def clients_of_host(self, host: str) -> tuple[Client, ...]:
        """The clients that a machine may belong to: by its spelling, else by its domain, else by its short name."""
        host = host.casefold()
        if found := self._spelt(host):
            return found
        label, _, domain = host.partition(".")
        while domain:
            if found := self._by_domain.get(domain, ()):
                return found
            domain = domain.partition(".")[2]
        return self._spelt(short(host)) if label != host else ()

    def _spelt(self, host: str) -> tuple[Client, ...]:
        found = list(self._by_host.get(host, ()))
        for length in range(len(host) + 1):
            for pattern, client in self._by_pattern.get(host[:length], ()):
                if _pattern(pattern).fullmatch(host):
                    found.append(client)
        return _distinct(found)


def folded(words: Iterable[str]) -> set[str]:
    """Without case and with single blanks."""
    return {" ".join(word.casefold().split()) for word in words}


@lru_cache(maxsize=4096)
def _pattern(spelling: str) -> re.Pattern[str]:
    """* and ? as any letters; brackets and all else are only themselves."""
    return re.compile(re.escape(spelling).replace(r"\*", ".*").replace(r"\?", "."))


def _literal(pattern: str) -> str:
    """What a pattern begins with, before its first * or ?."""
    return re.split(r"[*?]", pattern, maxsplit=1)[0]


def _distinct(clients: Iterable[Client]) -> tuple[Client, ...]:
    return tuple({c.key: c for c in clients}.values())
