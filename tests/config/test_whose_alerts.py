"""The settings that say whose an alert is, how many make a storm, and where requests are passed on to."""

import re
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from mailflow.config.load import Loaded, load
from mailflow.config.shipped import shipped
from mailflow.domain.calendar import NO_HOLIDAYS
from mailflow.domain.policy import Policy

CHICAGO = "America/Chicago"
OURS = """
[service]
name = "Example MSP"
timezone = "America/Chicago"
[[mailbox]]
name = "NOC"
address = "noc@msp.example"
imap = { host = "127.0.0.1", security = "plain", password = "demo" }
smtp = { host = "127.0.0.1", security = "plain" }
proof = "copy"
[[liaison]]
name = "Valery Stufano"
title = "Client Liaison"
address = "valery@msp.example"
"""
# A table, or a key with its value, that stands in config.toml as an example.
TABLE = re.compile(r"# (\[\[[a-z.]+\]\])")
KEY = re.compile(r"# ((\w+) = .*)")
EXAMPLES = {"helpdesk", "aliases", "addresses", "hosts", "hours", "holidays"}  # that stand outside such a table


def client(key: str, more: str = "", below: str = "") -> str:
    """A client's entry."""
    return f"""
[[client]]
key = "{key}"
name = "{key.title()}"
domains = ["{key}.example"]
liaison = "valery@msp.example"
{more}
[[client.contact]]
name = "John Harper"
first_name = "John"
address = "john@{key}.example"
wants = "all"
{below}
"""


def loaded(folder: Path, text: str) -> Loaded:
    """A configuration that holds this text."""
    file = folder / "config.toml"
    file.write_text(text, "utf-8")
    return load(file, {})


def examples(text: str) -> str:
    """config.toml with its examples of tables, and of the keys named above, put in force."""
    lines, inside = [], False
    for line in text.splitlines():
        table, key = TABLE.fullmatch(line), KEY.fullmatch(line)
        inside = bool(table or (inside and key))
        lines.append(table[1] if table else key[1] if key and (inside or key[2] in EXAMPLES) else line)
    return "\n".join(lines)


def test_a_clients_names_machines_addresses_and_hours_reach_the_directory(tmp_path: Path) -> None:
    """N.1, S4.7: what a client's entry says of its names, its machines and its mail addresses finds the client."""
    more = """
aliases = ["ACME Corp"]
addresses = ["Northwind-Alerts@msp.example"]
hosts = ["NW-*"]
hours = "Mon-Fri 08:00-17:00"
"""
    found = loaded(tmp_path, OURS + client("northwind", more) + client("contoso"))
    directory = found.directory
    northwind, contoso = directory.clients
    assert found.warnings == ()
    assert directory.clients_named("Clients/ACME Corp/Servers") == (northwind,)
    assert directory.clients_addressed(["northwind-alerts@msp.example"], frozenset()) == (northwind,)
    assert directory.clients_of_host("nw-fs07") == (northwind,)
    tuesday = datetime(2026, 12, 1, 20, tzinfo=ZoneInfo(CHICAGO))
    assert not northwind.calendar.is_open(tuesday)
    assert northwind.calendar.is_open(tuesday.replace(hour=9))
    assert contoso.hours is None


def test_a_vendors_service_reaches_the_directory(tmp_path: Path) -> None:
    """S4.9: a component says whose service it is, so that the vendor's incident is found to be this client's too."""
    component = """
[[client.component]]
name = "mail"
plain = "your mail"
vendor = "Microsoft 365"
hosts = ["Exchange Online"]
"""
    directory = loaded(tmp_path, OURS + client("northwind", below=component) + client("contoso")).directory
    assert directory.clients_of_vendor("microsoft 365", "Exchange Online") == (directory.clients[0],)
    assert directory.clients_of_vendor("Microsoft 365", "SharePoint Online") == ()


def test_storms_and_the_helpdesk_reach_the_policy(tmp_path: Path) -> None:
    """How many alerts are one incident, and where requests go, are the MSP's to say."""
    rules = '[policy]\nstorm_count = 5\nstorm_within = "30m"\nhelpdesk = "Helpdesk@msp.example"\n'
    found = loaded(tmp_path, OURS + rules).policy
    assert (found.storm_count, found.storm_within) == (5, timedelta(minutes=30))
    assert found.helpdesk == "helpdesk@msp.example"
    assert loaded(tmp_path, OURS).policy == Policy(timezone=CHICAGO)


@pytest.mark.parametrize("count", [1, 1000])
def test_the_bounds_of_a_storm_are_allowed(tmp_path: Path, count: int) -> None:
    """One says never, and a thousand is the most."""
    assert loaded(tmp_path, f"{OURS}[policy]\nstorm_count = {count}\n").policy.storm_count == count


@pytest.mark.parametrize("helpdesk", ["valery@msp.example", "tickets@desk.example", "help@msp.example"])
def test_a_helpdesk_may_be_anybody_but_a_client_or_the_inbox(tmp_path: Path, helpdesk: str) -> None:
    """A helpdesk of our own is taken, also where our own domain is listed as a client's by mistake."""
    text = OURS + f'[policy]\nhelpdesk = "{helpdesk}"\n' + client("northwind", below="")
    assert loaded(tmp_path, text).policy.helpdesk == helpdesk
    assert loaded(tmp_path, text.replace('"northwind.example"]', '"msp.example"]')).policy.helpdesk == helpdesk


@pytest.mark.parametrize(
    ("one", "two", "said"),
    [
        ('aliases = ["ACME"]', 'aliases = ["acme"]', "aliases: `acme` stands"),
        ('aliases = ["The  Firm"]', 'aliases = ["the firm"]', "aliases: `the firm` stands"),
        ("", 'aliases = ["Northwind"]', "aliases: `Northwind` stands"),
        ('aliases = ["Contoso"]', "", ["key: `contoso` stands", "name: `Contoso` stands"]),
    ],
)
def test_what_two_clients_are_called_alike_is_a_warning(
    tmp_path: Path, one: str, two: str, said: str | list[str]
) -> None:
    """N.1: where a name may mean either of two clients, somebody learns it before the first alert."""
    found = loaded(tmp_path, OURS + client("northwind", one) + client("contoso", two))
    words = [said] if isinstance(said, str) else said
    assert [w.partition(": ")[2] for w in found.warnings] == [
        f"client[contoso].{word} at `northwind` too; alerts about it will be asked about" for word in words
    ]


SERVER = "component[server].hosts"


def component(*hosts: str, more: str = "") -> str:
    """A client's thing with these hosts."""
    listed = ", ".join(f'"{host}"' for host in hosts)
    return f'[[client.component]]\nname = "server"\nplain = "your server"\nhosts = [{listed}]\n{more}\n'


@pytest.mark.parametrize(
    ("one", "two", "said"),
    [
        ('hosts = ["NW-*"]', 'hosts = ["CO-*", "nw-*"]', "client[contoso].hosts: `nw-*` is one of `northwind`"),
        (component("FS01"), component("fs01"), f"client[contoso].{SERVER}: `fs01` is one of `northwind`"),
        (
            'hosts = ["fs01"]',
            component("FS01"),
            f"client[contoso].{SERVER}: `FS01` is one of `northwind`",
        ),
        (
            'hosts = ["N?-*"]',
            component("NW-1"),
            f"client[contoso].{SERVER}: `NW-1` is one of `northwind`",
        ),
        (
            component("NW-1"),
            'hosts = ["N?-*"]',
            f"client[northwind].{SERVER}: `NW-1` is one of `contoso`",
        ),
        (component("Mail", more='vendor = "X"'), component("Mail", more='vendor = "X"'), None),
    ],
)
def test_a_machine_at_two_clients_is_a_warning(tmp_path: Path, one: str, two: str, said: str | None) -> None:
    """N.1: where a machine may be either of two clients', somebody learns it before the first alert."""
    both = [client(key, *(("", x) if x.startswith("[") else (x,))) for key, x in (("northwind", one), ("contoso", two))]
    found = loaded(tmp_path, OURS + "".join(both))
    ends = "'s too; alerts about it will be asked about"
    assert [w.partition(": ")[2] for w in found.warnings] == ([said + ends] if said else [])


def test_a_machine_at_many_clients_is_said_once_at_each(tmp_path: Path) -> None:
    """N.1: every client that comes later in the file learns who has it too, in a line."""
    keys = ("northwind", "contoso", "fabrikam")
    found = loaded(tmp_path, OURS + "".join(client(key, 'hosts = ["DC01", "dc01"]') for key in keys))
    assert [w.partition("`DC01` ")[2].partition(";")[0] for w in found.warnings] == [
        "is one of `northwind`'s too",
        "is one of `northwind`'s and 1 more too",
    ]


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ('aliases = ["ACME", "acme", "northwind"]\nhosts = ["NW-*", "nw-*"]', ""),  # of one client
        ('hosts = ["NW-*"]', 'hosts = ["NW-1*"]'),  # not exactly alike
        ('addresses = ["a@msp.example", "noc+nw@msp.example", "a@msp.example"]', 'addresses = ["b@msp.example"]'),
    ],
)
def test_what_can_be_told_apart_is_no_warning(tmp_path: Path, one: str, two: str) -> None:
    """N.1: names that one client has twice, and patterns that only touch, are nobody's mistake."""
    assert loaded(tmp_path, OURS + client("northwind", one) + client("contoso", two)).warnings == ()


def test_the_examples_of_the_shipped_configuration_can_be_used(tmp_path: Path) -> None:
    """Whoever takes the # away from an example of config.toml has a configuration that loads, without a warning."""
    (tmp_path / "calendars").mkdir()
    (tmp_path / "calendars" / "vendor.ics").write_text("BEGIN:VCALENDAR\nEND:VCALENDAR\n")
    found = loaded(tmp_path, examples(shipped("config.toml").read_text("utf-8")))
    northwind, contoso = found.directory.clients
    assert found.warnings == ()
    assert northwind.aliases
    assert northwind.addresses
    assert northwind.hosts
    assert northwind.hours is not None
    assert contoso.hours is None
    assert northwind.holidays != contoso.holidays
    assert [c.vendor for c in northwind.components] == ["", "", "Microsoft 365"]
    assert found.policy.helpdesk == "helpdesk@msp.example"
    assert [window.client for window in found.windows] == ["northwind", "northwind", ""]
    assert [one.name for one in found.expected] == ["nightly backup"]
    assert len(found.settings.maintenance) == 3


def test_the_demos_firm_plans_and_expects_nothing() -> None:
    """The demo goes as its story tells: no maintenance, nothing expected, no hours, storms as by default."""
    found = load(shipped("config.toml"), {})
    assert (found.windows, found.expected) == ((), ())
    assert {(c.hours, c.aliases, c.addresses, c.hosts) for c in found.directory.clients} == {(None, (), (), ())}
    assert {c.holidays for c in found.directory.clients} == {NO_HOLIDAYS}
