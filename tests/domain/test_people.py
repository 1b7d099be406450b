"""Who is this? The one question that is asked of everybody whom the configuration names."""

from dataclasses import replace
from typing import Any

import pytest

from mailflow.domain.people import Address, Client, Component, Contact, Directory, Role, Staff
from mailflow.domain.vocabulary import Live

VALERY = Staff(role=Role.LIAISON, name="Valery Stufano", address="valery@msp.example", timezone="UTC", language="en")
DANA = Staff(role=Role.MANAGER, name="Dana Reyes", address="dana@msp.example", timezone="UTC", language="en")
JOHN = Contact(name="John Harper", first_name="John", address="john@northwind.example")
# Shared by two clients: a bookkeeper who works for both.
BOTH = Contact(name="Kim Park", first_name="Kim", address="kim@books.example")
FREE = Contact(name="Jo Lake", first_name="Jo", address="jo@mail.example")


def client(key: str, *, hosts: tuple[str, ...], **changes: Any) -> Client:
    """A firm with one component of these hosts."""
    values: dict[str, Any] = {
        "key": key,
        "name": key.title(),
        "timezone": "UTC",
        "language": "en",
        "liaison": VALERY.address,
        "live": Live.AUTO,
        "components": (Component(name="domain controller", plain="your logon server", hosts=hosts),),
    }
    return Client(**(values | changes))


def service(name: str, *services: str) -> Component:
    """A component that is a vendor's."""
    return Component(name=name, plain=f"your {name}", vendor="Microsoft 365", hosts=services)


NORTHWIND = client(
    "northwind",
    name="Northwind Traders",
    aliases=("NWT",),
    domains=("northwind.example",),
    contacts=(JOHN, BOTH, FREE),
    hosts=("NW-DC01", "DC01", "site?", "[nw] door"),
)
NORTHWIND = replace(NORTHWIND, components=(*NORTHWIND.components, service("office suite")))
CONTOSO = client(
    "contoso",
    domains=("contoso.example", "shared.example"),
    contacts=(BOTH,),
    addresses=("alerts-contoso@msp.example",),
    hosts=("CO-DC01", "DC01"),
)
CONTOSO = replace(CONTOSO, components=(*CONTOSO.components, service("mail", "Exchange*")))
FABRIKAM = replace(
    client("fabrikam", aliases=("Smith/Jones",), domains=("shared.example",), hosts=("SRV-DC02",)),
    hosts=("10.20.*", "fk-web?"),
)
EVERYBODY = Directory(staff=(VALERY, DANA), clients=(NORTHWIND, CONTOSO, FABRIKAM))


@pytest.mark.parametrize(
    ("address", "staff", "clients", "contact"),
    [
        ("valery@msp.example", VALERY, (), None),
        ("Valery@MSP.example", VALERY, (), None),
        ("john@northwind.example", None, ("northwind",), JOHN),
        ("JOHN@northwind.example", None, ("northwind",), JOHN),
        ("new@northwind.example", None, ("northwind",), None),
        ("jo@mail.example", None, ("northwind",), FREE),
        ("kim@books.example", None, ("northwind", "contoso"), None),
        ("x@shared.example", None, ("contoso", "fabrikam"), None),
        ("x@mail.example", None, (), None),
        ("x@sub.northwind.example", None, (), None),
        ("x@evilnorthwind.example", None, (), None),
        ("", None, (), None),
    ],
)
def test_who(address: str, staff: Staff | None, clients: tuple[str, ...], contact: Contact | None) -> None:
    """One of ours, else a listed contact, else a client's domain; two clients are ambiguous, and nobody is guessed."""
    who = EVERYBODY.who(address)
    assert (who.staff, tuple(c.key for c in who.clients), who.contact) == (staff, clients, contact)
    assert who.client == (who.clients[0] if len(clients) == 1 else None)


@pytest.mark.parametrize(
    ("host", "clients"),
    [
        ("nw-dc01", ("northwind",)),
        ("DC01", ("northwind", "contoso")),
        ("SRV-DC02", ("fabrikam",)),
        ("SRV-DC01", ()),  # it only looks like SRV-DC02
        ("DC0", ()),
        ("CO-DC01", ("contoso",)),
        ("", ()),
        # A name that nobody lists is known by the domain it stands in, however deep,
        ("unlisted.northwind.example", ("northwind",)),
        ("unlisted.lab.northwind.example", ("northwind",)),
        ("Unlisted.NORTHWIND.example", ("northwind",)),
        ("unlisted.evilnorthwind.example", ()),
        ("unlisted.shared.example", ("contoso", "fabrikam")),
        ("dc01.contoso.example", ("contoso",)),  # before its short name, which two have,
        ("nw-dc01.ad.local", ("northwind",)),  # and else by its short name.
        ("dc01.ad.local", ("northwind", "contoso")),
        ("srv-dc01.ad.local", ()),
        ("10.20.0.5", ("fabrikam",)),
        ("10.20.0.50", ("fabrikam",)),
        ("10", ()),
        ("10.30.0.5", ()),
        ("FK-WEB7", ("fabrikam",)),
        ("fk-7", ()),
        ("xfk-web7", ()),
        ("fk-web7.ad.local", ("fabrikam",)),
        ("site1", ("northwind",)),
        ("site12", ()),
        ("[nw] door", ("northwind",)),
    ],
)
def test_whose_host(host: str, clients: tuple[str, ...]) -> None:
    """N.1: a host is theirs who list its spelling or a pattern of it, else whose domain it is in."""
    assert tuple(c.key for c in EVERYBODY.clients_of_host(host)) == clients


@pytest.mark.parametrize("host", ["[lab]-db1", "[LAB]-db2"])
def test_brackets_stand_for_themselves(host: str) -> None:
    """N.1: in a spelling only * and ? are special; "[lab]-*" is no "any of l, a, b"."""
    here = client("northwind", hosts=("[lab]-*",))
    directory = Directory(staff=(), clients=(here,))
    assert directory.clients_of_host(host) == (here,)
    assert here.component_for(host) == here.components[0]
    assert directory.clients_of_host("l-db1") == ()
    assert here.component_for("l-db1") is None


@pytest.mark.parametrize(
    ("text", "clients"),
    [
        ("northwind", ("northwind",)),
        ("NORTHWIND", ("northwind",)),
        ("  Northwind   Traders ", ("northwind",)),
        ("NWT", ("northwind",)),
        ("Clients/NWT/Servers", ("northwind",)),
        ("Customers \\ Contoso", ("contoso",)),
        ("All > Fabrikam", ("fabrikam",)),
        ("Contoso, Fabrikam", ("contoso", "fabrikam")),
        ("Contoso; contoso", ("contoso",)),
        ("Contoso | Linux", ("contoso",)),
        ("Smith/Jones", ("fabrikam",)),  # whole, before its pieces
        ("Contoso Ltd", ()),  # nobody is guessed
        ("northwinds", ()),
        ("the northwind file server", ()),
        ("", ()),
        ("/", ()),
    ],
)
def test_whose_name(text: str, clients: tuple[str, ...]) -> None:
    """N.1: a client is named by key, name or alias, whole or as one piece of a path; part of a word names nobody."""
    assert tuple(c.key for c in EVERYBODY.clients_named(text)) == clients


@pytest.mark.parametrize(
    ("addresses", "clients"),
    [
        (("noc@msp.example",), ()),
        (("noc+northwind@msp.example",), ("northwind",)),
        (("noc+NORTHWIND@msp.example",), ("northwind",)),
        (("noc+nwt@msp.example",), ()),  # a key, and no alias: aliases may be anything
        (("noc+nobody@msp.example",), ()),
        (("noc+@msp.example",), ()),
        (("noc+northwind@elsewhere.example",), ()),
        (("other+northwind@msp.example",), ()),
        (("alerts-contoso@msp.example",), ("contoso",)),
        (("noc@msp.example", "alerts-contoso@msp.example"), ("contoso",)),
        (("noc+northwind@msp.example", "alerts-contoso@msp.example"), ("northwind", "contoso")),
        (("noc+contoso@msp.example", "alerts-contoso@msp.example"), ("contoso",)),
        ((), ()),
    ],
)
def test_whom_it_was_addressed_for(addresses: tuple[str, ...], clients: tuple[str, ...]) -> None:
    """N.1: mail to a client's own address, or to a mailbox of ours with the client's key behind a plus, is about it."""
    own = frozenset({"noc@msp.example"})
    assert tuple(c.key for c in EVERYBODY.clients_addressed(addresses, own)) == clients


@pytest.mark.parametrize(
    ("vendor", "services", "clients"),
    [
        ("Microsoft 365", (), ("northwind", "contoso")),
        ("microsoft 365", ("Exchange Online",), ("northwind", "contoso")),
        ("Microsoft 365", ("Teams",), ("northwind",)),  # Contoso uses Exchange alone
        ("Microsoft 365", ("Teams", "Exchange Online"), ("northwind", "contoso")),
        ("Microsoft 365", ("",), ("northwind", "contoso")),
        ("Microsoft", (), ()),
        ("", (), ()),
    ],
)
def test_whose_vendor(vendor: str, services: tuple[str, ...], clients: tuple[str, ...]) -> None:
    """A vendor's trouble is every client's that uses the service; one that names its services is not the others'."""
    assert tuple(c.key for c in EVERYBODY.clients_of_vendor(vendor, *services)) == clients


def test_which_component() -> None:
    """S4.9: a component is found by its name or any spelling of its hosts, and no blank finds one."""
    component = NORTHWIND.components[0]
    assert NORTHWIND.component_for("", "dc01") == component
    assert NORTHWIND.component_for("Domain Controller") == component
    assert NORTHWIND.component_for("", "CO-DC01") is None
    assert NORTHWIND.component_for("dc01.northwind.example") == component
    assert NORTHWIND.component_for() is None


def test_the_first_spelling_is_the_best() -> None:
    """S4.9: of several things that an alert names, the one that it names first is the one that broke."""
    server, printer = (Component(name=n, plain=f"your {n}", hosts=(f"{n}*",)) for n in ("fs", "prn"))
    firm = replace(NORTHWIND, components=(printer, server))
    assert firm.component_for("fs01", "prn01") == server
    assert firm.component_for("", "prn01.x.example", "fs01") == printer
    assert firm.component_for("switch", "fs01") == server


def test_a_machine_that_is_an_address_has_no_short_name() -> None:
    """N.1: "10" is not the short name of 10.20.0.5, or a whole network would be one machine."""
    firm = replace(FABRIKAM, components=(Component(name="10", plain="your tenth server"),), hosts=())
    assert firm.component_for("10.20.0.5") is None
    assert Directory(staff=(), clients=(firm,)).clients_of_host("10.20.0.5") == ()


def test_by_key_and_role() -> None:
    """Clients are found by their key, case aside; managers are those who get digests."""
    assert EVERYBODY.client("Northwind") == NORTHWIND
    assert EVERYBODY.client("north") is None
    assert EVERYBODY.managers == (DANA,)
    assert VALERY.first_name == "Valery"


def test_an_address_as_it_is_shown() -> None:
    """An address without a name is shown alone."""
    assert str(Address(name="John Harper", address="john@northwind.example")) == "John Harper <john@northwind.example>"
    assert str(Address(name="", address="john@northwind.example")) == "john@northwind.example"
    assert Address(name="", address="a@b@northwind.example").domain == "northwind.example"
