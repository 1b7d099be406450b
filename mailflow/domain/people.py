"""Who there is: the people and clients an MSP has configured, and the one question asked of them, "who is this?"."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from mailflow.domain.vocabulary import Live


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
    digest_time: str = "08:00"  # local, managers only

    @property
    def first_name(self) -> str:
        """How we speak to them."""
        return self.name.split()[0]


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
    hosts: tuple[str, ...] = ()  # as monitors spell them, compared without case
    critical: bool = False


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

    def component_for(self, *hosts: str) -> Component | None:
        """The component that a monitor means by any of these spellings, else None."""
        wanted = {h.casefold() for h in hosts if h}
        return next((c for c in self.components if wanted & {h.casefold() for h in (c.name, *c.hosts)}), None)


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
    _by_host: Mapping[str, tuple[Client, ...]] = field(init=False, repr=False, compare=False)
    _by_domain: Mapping[str, tuple[Client, ...]] = field(init=False, repr=False, compare=False)
    _by_contact: Mapping[str, tuple[Client, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Indexes, so that a lookup costs the same with 10 clients and 10,000."""
        hosts: dict[str, list[Client]] = {}
        domains: dict[str, list[Client]] = {}
        contacts: dict[str, list[Client]] = {}
        for client in self.clients:
            for spelling in {h.casefold() for c in client.components for h in (c.name, *c.hosts)}:
                hosts.setdefault(spelling, []).append(client)
            for domain in set(client.domains):
                domains.setdefault(domain, []).append(client)
            for address in {c.address for c in client.contacts}:
                contacts.setdefault(address, []).append(client)
        for name, index in (("_by_host", hosts), ("_by_domain", domains), ("_by_contact", contacts)):
            object.__setattr__(self, name, {k: tuple(v) for k, v in index.items()})

    def client(self, key: str) -> Client | None:
        """The client with this key (without case)."""
        return next((c for c in self.clients if c.key == key.casefold()), None)

    def staff_at(self, address: str) -> Staff | None:
        """The one of ours with this address."""
        return next((s for s in self.staff if s.address == lowered(address)), None)

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

    def clients_of_host(self, *hosts: str) -> tuple[Client, ...]:
        """The clients one of whose components is spelt in any of these ways."""
        found = {c.key: c for h in hosts if h for c in self._by_host.get(h.casefold(), ())}
        return tuple(found.values())
