"""Who is this? The one question that is asked of everybody whom the configuration names."""

import pytest

from mailflow.domain.people import Address, Client, Component, Contact, Directory, Role, Staff
from mailflow.domain.vocabulary import Live

VALERY = Staff(role=Role.LIAISON, name="Valery Stufano", address="valery@msp.example", timezone="UTC", language="en")
DANA = Staff(role=Role.MANAGER, name="Dana Reyes", address="dana@msp.example", timezone="UTC", language="en")
JOHN = Contact(name="John Harper", first_name="John", address="john@northwind.example")
# Shared by two clients: a bookkeeper who works for both.
BOTH = Contact(name="Kim Park", first_name="Kim", address="kim@books.example")
FREE = Contact(name="Jo Lake", first_name="Jo", address="jo@mail.example")


def client(key: str, *, domains: tuple[str, ...], contacts: tuple[Contact, ...], hosts: tuple[str, ...]) -> Client:
    """A firm with one component."""
    return Client(
        key=key,
        name=key.title(),
        domains=domains,
        timezone="UTC",
        language="en",
        liaison=VALERY.address,
        live=Live.AUTO,
        contacts=contacts,
        components=(Component(name="domain controller", plain="your logon server", hosts=hosts),),
    )


NORTHWIND = client("northwind", domains=("northwind.example",), contacts=(JOHN, BOTH, FREE), hosts=("NW-DC01", "DC01"))
CONTOSO = client("contoso", domains=("contoso.example", "shared.example"), contacts=(BOTH,), hosts=("CO-DC01", "DC01"))
FABRIKAM = client("fabrikam", domains=("shared.example",), contacts=(), hosts=("SRV-DC02",))
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
    ("hosts", "clients"),
    [
        (("nw-dc01",), ("northwind",)),
        (("DC01",), ("northwind", "contoso")),
        (("SRV-DC02",), ("fabrikam",)),
        (("SRV-DC01",), ()),  # it only looks like SRV-DC02
        (("DC0",), ()),
        (("", "CO-DC01"), ("contoso",)),
        (("",), ()),
        ((), ()),
    ],
)
def test_whose_host(hosts: tuple[str, ...], clients: tuple[str, ...]) -> None:
    """N.1: a host belongs to whoever lists exactly this spelling, case aside; likeness counts for nothing."""
    assert tuple(c.key for c in EVERYBODY.clients_of_host(*hosts)) == clients


def test_which_component() -> None:
    """S4.9: a component is found by its name or any spelling of its hosts, and no blank finds one."""
    component = NORTHWIND.components[0]
    assert NORTHWIND.component_for("", "dc01") == component
    assert NORTHWIND.component_for("Domain Controller") == component
    assert NORTHWIND.component_for("", "CO-DC01") is None


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
