"""Whose is it? Each sign alone, which of two counts, and what a liaison's answers teach."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailflow.domain.mail import Event, Reading, Rules
from mailflow.domain.ownership import Lesson, Owner, Sign, lesson_keys, teaches, whose
from mailflow.domain.people import Address, Client, Component, Contact, Directory
from mailflow.domain.vocabulary import Class, Kind, Live, Severity, State

NOC = "noc@msp.example"
OWN = frozenset({NOC})
STRANGER = "alerts@monitor.example"


def client(key: str, **changes: Any) -> Client:
    """A firm."""
    values: dict[str, Any] = {
        "key": key,
        "name": key.title(),
        "domains": (f"{key}.example",),
        "timezone": "UTC",
        "language": "en",
        "liaison": "valery@msp.example",
        "live": Live.AUTO,
    }
    return Client(**(values | changes))


def machine(*hosts: str, vendor: str = "") -> Component:
    """A component."""
    return Component(name=f"{hosts[0]} itself", plain="your server", hosts=hosts, vendor=vendor)


KIM = Contact(name="Kim Park", first_name="Kim", address="kim@books.example")
JOHN = Contact(name="John Harper", first_name="John", address="john@mail.example")
NORTHWIND = client(
    "northwind",
    aliases=("Group 7",),
    contacts=(JOHN, KIM),
    components=(machine("nw-dc01", "dc01"), machine("Exchange Online", vendor="Microsoft 365")),
)
CONTOSO = client(
    "contoso",
    aliases=("Group 7",),
    addresses=("contoso-alerts@msp.example",),
    contacts=(KIM,),
    components=(machine("co-dc01", "dc01"), machine("Teams", vendor="Microsoft 365")),
)
FABRIKAM = client("fabrikam", aliases=("Group 7",), components=(machine("fk-dc01"),))
EVERYBODY = Directory(staff=(), clients=(NORTHWIND, CONTOSO, FABRIKAM))


def event(*hosts: str, names: tuple[str, ...] = (), default: str = "", vendor: str = "") -> Event:
    """Something that a monitor reports of these hosts."""
    return Event(
        recipe="zabbix",
        state=State.PROBLEM,
        severity=Severity.HIGH,
        class_=Class.OUTAGE,
        symptom="down",
        key="4711",
        names=names,
        hosts=hosts,
        vendor=vendor,
        rules=Rules(default_client=default),
        fields={},
    )


def reading(*addressed: str, author: str | None = STRANGER) -> Reading:
    """The mail that told it."""
    return Reading(
        message_id=None,
        author=Address(name="", address=author) if author else None,
        addressed=tuple(Address(name="", address=a) for a in addressed or (NOC,)),
        kind=Kind.ALERT,
        rule="zabbix",
        identity="x",
    )


def owner(of: Event, mail: Reading | None = None, lessons: Mapping[tuple[Sign, str], str] | None = None) -> Owner:
    """Whose it is."""
    return whose(of, mail or reading(), EVERYBODY, OWN, lessons or {})


# --- each sign alone ---


@pytest.mark.parametrize(
    ("of", "mail", "sign", "said", "clients"),
    [
        (event(), reading("noc+northwind@msp.example"), Sign.ADDRESS, "noc+northwind@msp.example", (NORTHWIND,)),
        (event(), reading("contoso-alerts@msp.example"), Sign.ADDRESS, "contoso-alerts@msp.example", (CONTOSO,)),
        (event(names=("Fabrikam",)), reading(), Sign.NAME, "Fabrikam", (FABRIKAM,)),
        (event(names=("Clients/Contoso/Linux",)), reading(), Sign.NAME, "Clients/Contoso/Linux", (CONTOSO,)),
        (event(names=("Default", "northwind")), reading(), Sign.NAME, "northwind", (NORTHWIND,)),
        (event("NW-DC01"), reading(), Sign.HOST, "NW-DC01", (NORTHWIND,)),
        (event("switch", "co-dc01"), reading(), Sign.HOST, "co-dc01", (CONTOSO,)),
        (event("unlisted.fabrikam.example"), reading(), Sign.HOST, "unlisted.fabrikam.example", (FABRIKAM,)),
        (event(), reading(author=JOHN.address), Sign.SENDER, JOHN.address, (NORTHWIND,)),
        (event(), reading(author="ups@contoso.example"), Sign.DOMAIN, "ups@contoso.example", (CONTOSO,)),
        (event(default="fabrikam"), reading(), Sign.DEFAULT, "zabbix", (FABRIKAM,)),
        (event(default="fabrikam"), reading(author=None), Sign.DEFAULT, "zabbix", (FABRIKAM,)),
        (event(vendor="Microsoft 365"), reading(), Sign.VENDOR, "Microsoft 365", (NORTHWIND, CONTOSO)),
        (event("Teams", vendor="microsoft 365"), reading(), Sign.VENDOR, "microsoft 365", (CONTOSO,)),
    ],
)
def test_each_sign_tells(of: Event, mail: Reading, sign: Sign, said: str, clients: tuple[Client, ...]) -> None:
    """N.1: each sign alone names the client, and the record can say which one did and what it read."""
    assert owner(of, mail) == Owner(clients=clients, sign=sign, said=said)


@pytest.mark.parametrize(
    "of",
    [
        event(),
        event("", names=("",)),
        event("nw-dc02", names=("Northwind Bank",)),  # both look alike only
        event("DC0", "northwind"),
        event(default="nobody"),
        event("10.1.1.1"),
    ],
)
@pytest.mark.parametrize("mail", [reading(), reading(author=None), reading("noc+north@msp.example")])
def test_nothing_tells(of: Event, mail: Reading) -> None:
    """N.1: where nothing tells, nobody is guessed, however alike a name looks."""
    assert owner(of, mail) == Owner()


# --- one sign and another ---


@pytest.mark.parametrize(
    ("of", "mail", "sign", "client"),
    [
        # The surer sign decides against any other,
        (event("co-dc01", names=("Contoso",)), reading("noc+northwind@msp.example"), Sign.ADDRESS, NORTHWIND),
        (event("co-dc01", names=("Northwind",)), reading(author="x@contoso.example"), Sign.NAME, NORTHWIND),
        (event("nw-dc01", default="contoso"), reading(author="x@contoso.example"), Sign.HOST, NORTHWIND),
        (event("nw-dc01", "co-dc01"), reading(), Sign.HOST, NORTHWIND),
        (event(default="contoso"), reading(author=JOHN.address), Sign.SENDER, NORTHWIND),
        # and one that names several is narrowed by the next.
        (event("dc01", names=("Group 7",)), reading(author="x@contoso.example"), Sign.DOMAIN, CONTOSO),
        (event("dc01", names=("Fabrikam", "Group 7")), reading(), Sign.NAME, FABRIKAM),
        (event("dc01"), reading("noc+contoso@msp.example", NOC), Sign.ADDRESS, CONTOSO),
        (event("dc01"), reading(author="x@northwind.example"), Sign.DOMAIN, NORTHWIND),
        (event("dc01", "nw-dc01"), reading(), Sign.HOST, NORTHWIND),
        (event("dc01", default="contoso"), reading(), Sign.DEFAULT, CONTOSO),
        (event("fk-dc01", names=("Group 7",)), reading(), Sign.HOST, FABRIKAM),
    ],
)
def test_a_sign_decides_or_narrows(of: Event, mail: Reading, sign: Sign, client: Client) -> None:
    """N.1: the surest sign that names one client decides; what names several is narrowed by what comes after."""
    got = owner(of, mail)
    assert (got.clients, got.sign) == ((client,), sign)


@pytest.mark.parametrize(
    ("of", "mail", "clients"),
    [
        (event("dc01"), reading(), (NORTHWIND, CONTOSO)),
        (event(names=("Group 7",)), reading(), (NORTHWIND, CONTOSO, FABRIKAM)),
        (event("dc01", names=("Group 7",)), reading(), (NORTHWIND, CONTOSO)),
        # What disagrees narrows nothing: it is not the third client's.
        (event("dc01", "fk-dc01", default="fabrikam"), reading(), (NORTHWIND, CONTOSO)),
        (event("dc01"), reading(author=KIM.address), (NORTHWIND, CONTOSO)),
        (event(), reading(author=KIM.address), (NORTHWIND, CONTOSO)),
    ],
)
def test_what_stays_of_several(of: Event, mail: Reading, clients: tuple[Client, ...]) -> None:
    """N.1: what is several clients' after every sign is a person's to say, with the few that it may be."""
    assert owner(of, mail).clients == clients


def test_a_vendors_mail_is_no_single_clients() -> None:
    """A vendor's mail to one client's address, naming one client's service, is every such client's."""
    got = owner(event("Exchange Online", vendor="Microsoft 365"), reading("noc+fabrikam@msp.example"))
    assert (got.clients, got.sign) == ((NORTHWIND,), Sign.VENDOR)
    assert owner(event("nw-dc01", vendor="Elsewhere"), reading("noc+northwind@msp.example")).clients == ()


# --- lessons ---

HOSTS = {(Sign.HOST, "nw-dc02"): "northwind"}
SENDERS = {(Sign.SENDER, STRANGER): "contoso"}
NAMES = {(Sign.NAME, "site 4"): "fabrikam"}


@pytest.mark.parametrize(
    ("of", "lessons", "said", "client"),
    [
        (event("NW-DC02"), HOSTS, "nw-dc02", NORTHWIND),
        (event(), SENDERS, STRANGER, CONTOSO),
        (event(names=("Site 4",)), NAMES, "site 4", FABRIKAM),
        # Of several lessons, what names the client counts before the machine, and that before the sender.
        (event("NW-DC02", names=("Site 4",)), HOSTS | SENDERS | NAMES, "site 4", FABRIKAM),
        (event("NW-DC02"), HOSTS | SENDERS | NAMES, "nw-dc02", NORTHWIND),
        (event("dc01"), SENDERS, STRANGER, CONTOSO),  # two clients' by the configuration: a lesson says which
    ],
)
def test_a_lesson_tells(of: Event, lessons: Mapping[tuple[Sign, str], str], said: str, client: Client) -> None:
    """Triage: what a liaison said once is known the next time, where nothing else tells."""
    assert owner(of, lessons=lessons) == Owner(clients=(client,), sign=Sign.LEARNED, said=said)


@pytest.mark.parametrize(
    ("of", "lessons", "sign", "clients"),
    [
        (event("nw-dc01"), {(Sign.HOST, "nw-dc01"): "contoso"}, Sign.HOST, (NORTHWIND,)),
        (event(default="fabrikam"), SENDERS, Sign.DEFAULT, (FABRIKAM,)),
        (event("dc01"), {(Sign.HOST, "dc01"): "fabrikam"}, Sign.HOST, (NORTHWIND, CONTOSO)),
        (event(), {(Sign.SENDER, STRANGER): "left-us"}, None, ()),
        (event("nw-dc02"), {(Sign.NAME, "nw-dc02"): "northwind"}, None, ()),
        (event("nw-dc022"), HOSTS, None, ()),
    ],
)
def test_the_configuration_counts_before_a_lesson(
    of: Event, lessons: Mapping[tuple[Sign, str], str], sign: Sign | None, clients: tuple[Client, ...]
) -> None:
    """Triage: a lesson never contradicts what is written down, is no guess, and dies with its client."""
    got = owner(of, lessons=lessons)
    assert (got.clients, got.sign) == (clients, sign)


@pytest.mark.parametrize(
    ("of", "author", "lesson"),
    [
        (event("NW-DC02", names=("Site 4",)), STRANGER, (Sign.NAME, "site 4")),
        (event("NW-DC02", names=("",)), STRANGER, (Sign.HOST, "nw-dc02")),
        (event("", "NW-DC02"), STRANGER, (Sign.HOST, "nw-dc02")),
        (event(), STRANGER, None),  # one sender tells of many clients' machines
        (None, STRANGER, (Sign.SENDER, STRANGER)),
        (None, None, None),
    ],
)
def test_what_a_placed_mail_teaches(of: Event | None, author: str | None, lesson: tuple[Sign, str] | None) -> None:
    """Triage: an alert teaches by what it says of itself, and a person's mail by its sender."""
    taught = Lesson(sign=lesson[0], value=lesson[1], client_key="northwind") if lesson else None
    assert teaches(of, reading(author=author), NORTHWIND) == taught


WORDS = st.text(max_size=12)
EVENTS = st.builds(
    lambda hosts, names: event(*hosts, names=tuple(names)), st.lists(WORDS, max_size=3), st.lists(WORDS, max_size=3)
)


@settings(deadline=None, max_examples=200)
@given(EVENTS, st.none() | WORDS)
def test_what_was_taught_is_known_again(of: Event, author: str | None) -> None:
    """Triage: whatever a mail says, a lesson that it taught tells the next one like it, unless something surer does."""
    mail = reading(author=author)
    lesson = teaches(of, mail, NORTHWIND)
    if lesson is None:
        assert not any((*of.names, *of.hosts))
        return
    assert (lesson.sign, lesson.value) in lesson_keys(of, mail)
    before = owner(of, mail)
    after = owner(of, mail, {(lesson.sign, lesson.value): NORTHWIND.key})
    assert after == (before if before.clients else Owner(clients=(NORTHWIND,), sign=Sign.LEARNED, said=lesson.value))
