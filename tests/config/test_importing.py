"""Clients out of a spreadsheet: what is read, what is doubtful, what would change, and what is written."""

import csv
import io
import os
import stat
import tempfile
import tomllib
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailflow.config.cells import EMPTY
from mailflow.config.changes import What
from mailflow.config.client_key import key_for
from mailflow.config.entry_text import EntryTextError, changed
from mailflow.config.greeting import TITLES, greeting
from mailflow.config.import_plan import ImportPlan, import_plan
from mailflow.config.load import load
from mailflow.config.notation import KEY
from mailflow.config.report import ConfigurationError
from mailflow.domain.people import Client, Wants

FIXTURES = Path(__file__).parent.parent / "fixtures" / "clients"
MAIN = """
include = ["clients/*.toml"]

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
SECOND = """
[[liaison]]
name = "Robin Hale"
title = "Client Liaison"
address = "robin@msp.example"
"""
HAND = """\
# Looked after since 2019.
[[client]]
key = "northwind"
name = "Northwind"   # as they say it
domains = ["northwind.example"]
liaison = "valery@msp.example"
live = "review"

# The owner.
[[client.contact]]
name = "Robert Harper"
first_name = "Bob"  # never Robert
address = "bob@northwind.example"
wants = "nothing"  # until he asks

[[client.contact]]
name = "Shirley Lane"
first_name = "Shirley"
address = "shirley@northwind.example"
wants = "all"

[[client.component]]
name = "file server"
plain = "your file server"
hosts = ["NW-FS01"]
"""


@pytest.fixture
def main(tmp_path: Path) -> Path:
    """An MSP's configuration, without clients."""
    (tmp_path / "clients").mkdir()
    file = tmp_path / "config.toml"
    file.write_text(MAIN, "utf-8")
    return file


def planned(main: Path, sheet: str | bytes, *maps: str, liaison: str | None = None, remove: bool = False) -> ImportPlan:
    file = main.parent / "sheet.csv"
    file.write_bytes(sheet if isinstance(sheet, bytes) else sheet.encode())
    return import_plan(file, main, load(main, os.environ), maps=maps, liaison=liaison, remove=remove)


def clients(main: Path) -> dict[str, Client]:
    return {client.key: client for client in load(main, os.environ).directory.clients}


def imported(main: Path, sheet: str | bytes, *maps: str, remove: bool = False) -> dict[str, Client]:
    plan = planned(main, sheet, *maps, remove=remove)
    assert plan.problems == ()
    plan.carry_out()
    return clients(main)


def refused(main: Path, sheet: str | bytes, *maps: str, liaison: str | None = None) -> list[str]:
    with pytest.raises(ConfigurationError) as error:
        planned(main, sheet, *maps, liaison=liaison)
    return [problem.replace(f"{main.parent / 'sheet.csv'}: ", "") for problem in error.value.problems]


def changes(plan: ImportPlan) -> list[tuple[str, What, str]]:
    return [(change.client, change.what, change.contact.partition(" <")[0]) for change in plan.changes]


def wanting(client: Client) -> dict[str, Wants]:
    return {contact.address: contact.wants for contact in client.contacts}


def test_autotask_contacts_as_autotask_exports_them(main: Path) -> None:
    """S0.2: Autotask's template with BOM, "[required]" and a field of the MSP's own; only the marked are mailed."""
    found = imported(main, (FIXTURES / "autotask.csv").read_bytes())
    fabrikam, litware = found["fabrikam-inc"], found["litware-dental"]
    assert (fabrikam.name, fabrikam.domains, fabrikam.liaison) == (
        "Fabrikam, Inc.",
        ("fabrikam.example",),
        "valery@msp.example",
    )
    assert wanting(fabrikam) == {
        "mary.lane@fabrikam.example": Wants.ALL,
        "j.okafor@fabrikam.example": Wants.NOTHING,
        "peter@fabrikam.example": Wants.NOTHING,
    }
    mary, _, peter = fabrikam.contacts
    assert (mary.first_name, mary.role) == ("Mary", "Controller")
    assert (peter.name, peter.first_name) == ("Peter O'Neill", "Peter")
    assert litware.domains == ("litware.example",)  # and not gmail.com
    assert litware.contacts[1].name == 'Zoë "Zee" Kramer'
    assert wanting(litware) == {"frontdesk@gmail.com": Wants.NOTHING, "zoe@litware.example": Wants.ALL}


def test_what_autotask_leaves_doubtful_is_told(main: Path) -> None:
    """S0.2: a marked contact whom a letter would greet badly is held, in the file and in what is said."""
    plan = planned(main, (FIXTURES / "autotask.csv").read_bytes())
    assert [doubt.partition(" is marked")[0] for doubt in plan.doubts] == [
        "row 3: `J. Okafor` <j.okafor@fabrikam.example>",
        "row 7: `Front Desk` <frontdesk@gmail.com>",
    ]
    assert plan.left_out == {"inactive": 1, "without an address": 1}
    text = next(new.text for new in plan.texts if new.file.name == "fabrikam-inc.toml")
    assert '# Held: only an initial. Write first_name, then wants = "all".\nname = "J. Okafor"' in text
    assert "live" not in text


def test_autotask_organizations(main: Path) -> None:
    """A company-only row is a client without contacts, and an inactive company is left out."""
    plan = planned(main, (FIXTURES / "autotask-organizations.csv").read_bytes())
    assert changes(plan) == [("fabrikam-inc", What.NEW, "")]
    assert plan.left_out == {"of inactive clients": 1}
    plan.carry_out()
    assert clients(main)["fabrikam-inc"].contacts == ()


def test_connectwise_contacts(main: Path) -> None:
    """S0.2: ConnectWise's contacts, marked by one of their types; inactive ones and those of inactive firms are not."""
    found = imported(main, (FIXTURES / "connectwise.csv").read_bytes())
    assert set(found) == {"tailspin-toys", "woodgrove-bank"}
    assert wanting(found["tailspin-toys"]) == {
        "nora@tailspin.example": Wants.ALL,
        "sam@tailspin.example": Wants.NOTHING,
    }
    assert wanting(found["woodgrove-bank"]) == {"lou@woodgrove.example": Wants.ALL}
    assert [c.first_name for c in found["tailspin-toys"].contacts] == ["Nora", "Sam"]


def test_halopsa_users(main: Path) -> None:
    """S0.2: HaloPSA's users: a salutation is no role, and a column for debriefs gives debriefs."""
    found = imported(main, (FIXTURES / "halopsa.csv").read_bytes())
    trey = found["trey-research"]
    assert wanting(trey) == {
        "aisha@trey.example": Wants.ALL,
        "ben@trey.example": Wants.DEBRIEFS,
        "info@trey.example": Wants.NOTHING,
    }
    assert trey.contacts[0].role == "Practice manager"
    assert wanting(found["wide-world-importers"]) == {"eve@wideworld.example": Wants.ALL}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_encoding_and_delimiter_are_found_out(main: Path, encoding: str, delimiter: str) -> None:
    """A plain sheet is read however the program saved it; names come out as they are written."""
    rows = csv.reader(io.StringIO((FIXTURES / "plain.csv").read_text("utf-8")), delimiter=";")
    sheet = io.StringIO()
    csv.writer(sheet, delimiter=delimiter).writerows(rows)
    found = imported(main, sheet.getvalue().encode(encoding))
    assert [c.name for c in found["alpine-ski-house"].contacts] == ["Jürgen Müller", "Ann de Vries"]
    assert found["blue-yonder"].contacts == ()


def test_the_header_may_stand_below_a_title(main: Path) -> None:
    """Reports begin with a title; rows keep the numbers that a spreadsheet program shows."""
    sheet = "Contacts of 20 November,,\n\nCompany Name,E-Mail,Incidents\nAcme,a@acme.example,yes\nAcme,nonsense,no\n"
    assert refused(main, sheet) == [
        "row 5, column `E-Mail`: `nonsense` is no mail address; write it like `name@example.com`"
    ]


def test_excel_s_own_first_line_is_understood(main: Path) -> None:
    """ "sep=;" is an instruction of Excel's, not a header."""
    assert set(imported(main, "sep=;\r\nClient;Email\r\nAcme;a@acme.example\r\n")) == {"acme"}


@pytest.mark.parametrize(
    ("sheet", "maps", "said"),
    [
        ("Kunde,E-Mail\nAcme,a@acme.example\n", [], ["no column for the client's name; name it with --map "]),
        ("Client,First Name\nAcme,Ann\n", [], ["no column for the contacts' mail addresses; name it with --map "]),
        (
            "Client,Email,E-Mail\nAcme,a@acme.example,\n",
            [],
            ['`Email` and `E-Mail` could each be the column for Address; say which with --map "Address=Email"'],
        ),
        ("Client,Email\nAcme,a@acme.example\n", ["Adress=Email"], ["unknown field `Adress`; did you mean `Address`?"]),
        ("Client,Email\nAcme,a@acme.example\n", ["Client=Clent"], ["no column `Clent`, which --map names; did you "]),
        ("", [], ["empty; "]),
        ("Client,Email\n", [], ["there is nothing below the names"]),
        (b"PK\x03\x04rest", [], ["an Excel workbook; "]),
        ('Client,Email\nAcme,"a@acme.example\n', [], ["a quotation mark too many or too few"]),
        ("Client,Email\nAcme,a@acme.example,over\n", [], ["`over` stands to the right of the last column"]),
        ("Client,Email\n,a@acme.example\n", [], ["empty; write the client's name"]),
        ("Client,Email\n-,a@acme.example\n", [], ["empty; write the client's name"]),
        ("Client,Email,Incidents\nAcme,a@acme.example,maybe\n", [], ["`maybe` is neither yes nor no"]),
        ("Client,Email\n\"=cmd|' /C calc'!A0\",a@acme.example\n", [], ["looks like a formula; write plain text"]),
        ('Client,Email,Name\nAcme,a@acme.example,"Ann\nWebb"\n', [], ["a line break or another control character"]),
        ("Client,Email,Name\nAcme,a@acme.example,A\x1b[2J\n", [], ["a line break or another control character"]),
        (f"Client,Email\n{'A' * 201},a@acme.example\n", [], ["longer than 200 characters"]),
        (
            "Client,Email,Tier\nAcme,a@acme.example,gold\nACME,b@acme.example,low\n",
            [],
            ["`low`, but row 2 says `gold`"],
        ),
        ("Client,Email,Time Zone\nAcme,a@acme.example,Chicago\n", [], ["unknown time zone `Chicago`; "]),
        ("Client,Email,Liaison\nAcme,a@acme.example,Nobody\n", [], ["no [[liaison]] is called `Nobody`"]),
    ],
)
def test_what_cannot_be_read_is_told(main: Path, sheet: str | bytes, maps: list[str], said: list[str]) -> None:
    """Each problem says what is wrong and what to do."""
    problems = refused(main, sheet, *maps)
    assert len(problems) == len(said)
    for problem, part in zip(problems, said, strict=True):
        assert part in problem


def test_all_problems_come_at_once_with_row_and_column(main: Path) -> None:
    """S4.19: what is wrong is told before anything is written: all of it, and where it is."""
    sheet = "Client,Email,Domains,Time Zone\nAcme,a@acme,,\nBeta,b@beta.example,no domain,Mars\n"
    assert [problem.partition(": ")[0] for problem in refused(main, sheet)] == [
        "row 2, column `Email`",
        "row 3, column `Domains`",
        "row 3, column `Domains`",
        "row 3, column `Time Zone`",
    ]
    assert list((main.parent / "clients").iterdir()) == []


def test_an_own_mapping_comes_first(main: Path) -> None:
    """--map names columns that nobody could guess, with commas in them too, and leaves columns unread."""
    sheet = 'Kundenname,E-Mail,"Post, intern",Role\nAcme,a@acme.example,ja@acme.example,boss\n'
    found = imported(main, sheet, "client=kundenname,Address=Post, intern", "Role=")
    assert [(c.address, c.role) for c in found["acme"].contacts] == [("ja@acme.example", "")]


def test_a_postal_address_is_no_mail_address(main: Path) -> None:
    """The column "Address" counts only where mail addresses stand in it."""
    assert imported(main, "Client,Address\nAcme,12 Harbor Street\n")["acme"].contacts == ()
    sheet = "Client,Address,Name\nBeta,b@beta.example,Ben Cole\n"
    assert wanting(imported(main, sheet)["beta"]) == {"b@beta.example": Wants.NOTHING}


def test_a_client_s_own_columns(main: Path) -> None:
    """Key, domains, zone, language, liaison and tier are the client's, wherever in its rows they stand."""
    sheet = (
        "Client,Key,Email,Domains,Time Zone,Language,Liaison,Tier\n"
        "Acme,AC,a@acme.example,,,,,\n"
        "Acme,AC,b@acme.example,@acme.example; acme.test,Central Standard Time,English,Valery Stufano,gold\n"
    )
    found = imported(main, sheet)["ac"]
    assert (found.domains, found.timezone, found.language) == (("acme.example", "acme.test"), "America/Chicago", "en")
    assert found.liaison == "valery@msp.example"
    assert len(found.contacts) == 2


def test_with_several_liaisons_one_must_be_named(main: Path) -> None:
    """S0.4: who signs for a new client is never guessed."""
    main.write_text(MAIN + SECOND, "utf-8")
    sheet = "Client,Email\nAcme,a@acme.example\n"
    assert "there are 2; add --liaison valery@msp.example or robin@msp.example" in refused(main, sheet)[0]
    assert "did you mean `robin@msp.example`?" in refused(main, sheet, liaison="robim@msp.example")[0]
    plan = planned(main, sheet, liaison="Robin@msp.example")
    plan.carry_out()
    assert clients(main)["acme"].liaison == "robin@msp.example"


def test_domains_that_would_let_strangers_in_are_not_taken(main: Path) -> None:
    """N.1: a provider's, our own, or one that two clients use is nobody's domain."""
    sheet = (
        "Client,Email\nAcme,a@gmail.com\nAcme,b@comcast.net\nAcme,c@msp.example\nAcme,d@acme.example\n"
        "Acme,e@park.example\nBeta,f@park.example\n"
    )
    plan = planned(main, sheet)
    assert [doubt for doubt in plan.doubts if "park.example" in doubt] != []
    plan.carry_out()
    assert {key: client.domains for key, client in clients(main).items()} == {"acme": ("acme.example",), "beta": ()}


@pytest.mark.parametrize(
    ("cells", "name", "first_name"),
    [
        ({"full": "John Harper"}, "John Harper", "John"),
        ({"full": "Harper, John"}, "John Harper", "John"),
        ({"full": "JOHN O'HARA-SMITH"}, "John O'Hara-Smith", "John"),
        ({"full": "john harper"}, "John Harper", "John"),
        ({"full": "Dr. Ann Webb"}, "Dr. Ann Webb", "Ann"),
        ({"full": "John Harper, MD"}, "John Harper, MD", "John"),
        ({"first": "Mary Ann", "last": "Lane"}, "Mary Ann Lane", "Mary Ann"),
        ({"first": "JAN", "last": "VAN DER BERG"}, "Jan van der Berg", "Jan"),
        ({"first": "JP", "last": "Harper"}, "JP Harper", "JP"),
        ({"first": "Mark", "last": "Guest"}, "Mark Guest", "Mark"),
        ({"first": "Harper, John"}, "John Harper", "John"),
        ({"first": "John", "last": "Harper", "full": "Something else"}, "John Harper", "John"),
        ({"first": "Andy"}, "Andy", "Andy"),
    ],
)
def test_names_that_can_be_greeted(cells: dict[str, str], name: str, first_name: str) -> None:
    """S0.2: turned names and capitals are mended, titles are not called out."""
    found = greeting(**cells)
    assert (found.name, found.first_name, found.doubt) == (name, first_name, "")


@pytest.mark.parametrize(
    "cells",
    [
        {"full": "J. Harper"},
        {"first": "J", "last": "Harper"},
        {"first": "J.R.", "last": "Ewing"},
        {"full": "Reception"},
        {"full": "Info"},
        {"full": "IT Department"},
        {"full": "HELPDESK"},
        {"first": "Front", "last": "Desk"},
        {"full": "john@acme.example"},
        {"full": "Dr Webb"},
        {"first": "Dr.", "last": "Webb"},
        {"last": "Webb"},
        {"full": "Harper"},
        {"full": "John & Mary Lane"},
        {"first": "John/Mary", "last": "Lane"},
        {"full": "Acme"},
        {"first": "N/A", "last": "N/A"},
        {"full": "2nd Floor"},
        {},
    ],
)
def test_names_that_no_letter_may_greet_by(cells: dict[str, str]) -> None:
    """S0.2: nobody is written to as "Hello J." or "Hello Reception"."""
    found = greeting(**cells, client="Acme")
    assert found.first_name == ""
    assert found.doubt


def test_two_names_at_one_address_are_doubtful(main: Path) -> None:
    """S0.2: people who share an address cannot be greeted by one of their names; one person twice can."""
    sheet = (
        "Client,Name,Email,Incidents\nAcme,Ann Webb,desk@acme.example,yes\nAcme,Ben Cole,desk@acme.example,yes\n"
        "Acme,Eve Park,eve@acme.example,no\nAcme,Eve Park,EVE@acme.example,yes\n"
    )
    plan = planned(main, sheet)
    assert "rows 2 and 3 give this address two names" in plan.doubts[0]
    plan.carry_out()
    assert wanting(clients(main)["acme"]) == {"desk@acme.example": Wants.NOTHING, "eve@acme.example": Wants.ALL}


def test_without_a_column_nobody_new_is_mailed(main: Path) -> None:
    """S4.14: who is mailed is marked, never assumed; that nobody is gets told."""
    plan = planned(main, "Client,Name,Email\nAcme,Ann Webb,ann@acme.example\n")
    assert plan.doubts[0].startswith("no column says who is mailed about incidents")
    plan.carry_out()
    assert wanting(clients(main)["acme"]) == {"ann@acme.example": Wants.NOTHING}


def test_a_file_written_by_hand_is_changed_line_by_line(main: Path) -> None:
    """Comments, order, `live`, components and a first name of one's own choosing survive; only what differs changes."""
    file = main.parent / "clients" / "by-hand.toml"
    file.write_text(HAND, "utf-8")
    sheet = (
        "Client,Name,Email,Incidents\nnorthwind,Robert Harper,bob@northwind.example,yes\n"
        "Northwind,Shirley Lane,shirley.lane@northwind.example,yes\nNorthwind,Zoë Kramer,zoe@northwind.example,\n"
    )
    plan = planned(main, sheet)
    assert changes(plan) == [
        ("northwind", What.WANTS, "Robert Harper"),
        ("northwind", What.ADDRESS, "Shirley Lane"),
        ("northwind", What.ADDED, "Zoë Kramer"),
    ]
    plan.carry_out()
    added = '[[client.contact]]\nname = "Zoë Kramer"\nfirst_name = "Zoë"\naddress = "zoe@northwind.example"\n'
    expected = HAND.replace('wants = "nothing"  # until', 'wants = "all"  # until')
    expected = expected.replace('"shirley@northwind.example"', '"shirley.lane@northwind.example"')
    expected = expected.replace("\n[[client.component]]", f'\n{added}wants = "nothing"\n\n[[client.component]]')
    assert file.read_text("utf-8") == expected
    assert clients(main)["northwind"].contacts[0].first_name == "Bob"


def test_a_client_in_the_main_file_is_changed_there(main: Path) -> None:
    """A client is never written twice: the entry is changed where it stands, beside others."""
    other = HAND.replace("northwind", "acme").replace("Northwind", "Acme").replace("NW-", "AC-")
    main.write_text(f"{MAIN}{other}\n{HAND}", "utf-8")
    sheet = "Client,Name,Email,Incidents\nNorthwind,Bob Harper,bob@northwind.example,yes\n"
    imported(main, sheet)
    assert main.read_text("utf-8").startswith(f"{MAIN}{other}\n")
    assert wanting(clients(main)["northwind"])["bob@northwind.example"] is Wants.ALL
    assert wanting(clients(main)["acme"])["bob@acme.example"] is Wants.NOTHING
    assert list((main.parent / "clients").iterdir()) == []


def test_windows_line_ends_stay(main: Path) -> None:
    """A file keeps the line ends that its editor wrote."""
    file = main.parent / "clients" / "northwind.toml"
    file.write_bytes(HAND.replace("\n", "\r\n").encode())
    imported(main, "Client,Name,Email,Incidents\nNorthwind,Robert Harper,bob@northwind.example,yes\n")
    assert file.read_bytes().count(b"\n") == file.read_bytes().count(b"\r\n") == HAND.count("\n")


def test_what_cannot_be_changed_in_place_is_refused(main: Path) -> None:
    """Nobody's handwriting is rewritten: an entry in another form is left alone, and it is said."""
    inline = 'contact = [{ name = "Ann Webb", first_name = "Ann", address = "ann@acme.example", wants = "all" }]'
    text = f'[[client]]\nkey = "acme"\nname = "Acme"\nliaison = "valery@msp.example"\n{inline}\n'
    (main.parent / "clients" / "acme.toml").write_text(text, "utf-8")
    plan = planned(main, "Client,Name,Email,Incidents\nAcme,Ann Webb,ann@acme.example,no\n")
    assert "its contacts are not written under [[client.contact]]; change it by hand" in plan.problems[0]


def test_a_header_within_a_text_deceives_nobody() -> None:
    """A change in place is read again; where it would mean something else, it is refused."""
    text = '[[client]]\nkey = "acme"\nname = """\n[[client]]\n"""\ntier = "a"\n[[client]]\nkey = "b"\nname = "B"\n'
    with pytest.raises(EntryTextError):
        changed(text, 1, {"key": "b", "name": "C"}, (), {})


def test_who_is_missing_is_kept_or_removed(main: Path) -> None:
    """Contacts whom the sheet does not list stay and are told; with --remove they go, and only where it lists some."""
    file = main.parent / "clients" / "northwind.toml"
    file.write_text(HAND, "utf-8")
    sheet = "Client,Name,Email,Inactive\nNorthwind,Robert Harper,bob@northwind.example,\n"
    left = f"{sheet}Northwind,Shirley Lane,shirley@northwind.example,yes\n"
    for rows, why in ((sheet, "not in the sheet"), (left, "inactive in the sheet")):
        plan = planned(main, rows)
        assert plan.texts == ()
        assert [change.detail for change in plan.changes if change.what is What.KEPT] == [
            f"{why}; --remove takes it out"
        ]
    assert changes(planned(main, "Client,Name,Email\nNorthwind,,\n", remove=True)) == [
        ("northwind", What.UNCHANGED, "")
    ]
    assert list(wanting(imported(main, sheet, remove=True)["northwind"])) == ["bob@northwind.example"]
    text = file.read_text("utf-8")
    assert "Shirley" not in text
    assert text.startswith(HAND[: HAND.index('\n[[client.contact]]\nname = "Shirley')])
    assert text.endswith(HAND[HAND.index("\n[[client.component]]") :])


def test_a_doubt_that_a_person_settled_stays_settled(main: Path) -> None:
    """S0.2: a first name written by hand beats the sheet's doubtful one at every later import."""
    sheet = "Client,Name,Email,Incidents\nAcme,J. Harper,j@acme.example,yes\n"
    imported(main, sheet)
    file = main.parent / "clients" / "acme.toml"
    file.write_text(file.read_text().replace('name = "J. Harper"', 'name = "J. Harper"\nfirst_name = "Jo"'))
    found = imported(main, sheet)["acme"].contacts[0]
    assert (found.name, found.first_name, found.wants) == ("J. Harper", "Jo", Wants.ALL)
    assert "# Held" not in file.read_text()
    assert planned(main, sheet).texts == ()


def test_another_person_at_the_address_is_greeted_anew(main: Path) -> None:
    """S0.2: a successor is not greeted by the predecessor's first name; a new last name changes nothing there."""
    sheet = "Client,Name,Email,Incidents\nAcme,Ann Webb,office@acme.example,yes\n"
    imported(main, sheet)
    file = main.parent / "clients" / "acme.toml"
    file.write_text(file.read_text().replace('first_name = "Ann"', 'first_name = "Annie"'))
    assert imported(main, sheet.replace("Webb", "Cole"))["acme"].contacts[0].first_name == "Annie"
    assert imported(main, sheet.replace("Ann Webb", "Ben Cole"))["acme"].contacts[0].first_name == "Ben"


def test_the_whole_configuration_must_be_right_before_anything_is_written(main: Path) -> None:
    """S4.19: what the loader would refuse is told by row and column, and nothing is written."""
    sheet = (
        "Client,Name,Email,Language,Incidents\nAcme,Valery Stufano,valery@msp.example,,yes\n"
        "Beta,Ben Cole,ben@beta.example,tlh,yes\n"
    )
    plan = planned(main, sheet)
    told = [problem.replace(f"{main.parent / 'sheet.csv'}: ", "").partition(";")[0] for problem in plan.problems]
    assert sorted(told) == [
        "row 2, column `Email`: also [[liaison]] `Valery Stufano`",
        "row 3, column `Language`: there are no letters in `tlh`",
    ]


def test_the_missing_include_is_told_with_its_line(main: Path) -> None:
    """New files that nobody would read are not written; the line to add keeps what is included already."""
    (main.parent / "people.toml").write_text("")
    main.write_text(MAIN.replace('"clients/*.toml"', '"people.toml"'), "utf-8")
    plan = planned(main, "Client,Email\nAcme,a@acme.example\n")
    assert plan.problems[0].endswith('write this line above all sections: include = ["people.toml", "clients/*.toml"]')
    for pattern in ("clients/**/*.toml", "*/*.toml", str(main.parent / "clients" / "*.toml")):
        main.write_text(MAIN.replace("clients/*.toml", pattern), "utf-8")
        assert planned(main, "Client,Email\nAcme,a@acme.example\n").problems == ()


def test_a_file_that_is_in_the_way(main: Path) -> None:
    """A client's file that holds something else is never overwritten."""
    (main.parent / "clients" / "acme.toml").write_text(HAND, "utf-8")
    plan = planned(main, "Client,Email\nAcme,a@acme.example\n")
    assert "is there, but not for the client `acme`; move it away" in plan.problems[0]


def test_all_files_or_none(main: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """N.10: where the second file cannot be replaced, the first is put back, and nothing is left lying about."""
    file = main.parent / "clients" / "northwind.toml"
    file.write_text(HAND, "utf-8")
    sheet = (
        "Client,Name,Email,Incidents\nNorthwind,Ann Webb,ann@northwind.example,yes\nAcme,Ben Cole,ben@acme.example,\n"
    )
    plan = planned(main, sheet)
    assert len(plan.texts) == 2
    real = os.replace

    def full_disk(source: Path, target: Path) -> None:
        if target.name == "acme.toml":
            raise OSError(28, "No space left on device", str(target))
        real(source, target)

    monkeypatch.setattr(os, "replace", full_disk)
    with pytest.raises(ConfigurationError, match=r"acme\.toml: cannot be written \(No space left on device\)"):
        plan.carry_out()
    assert [one.name for one in file.parent.iterdir()] == ["northwind.toml"]
    assert file.read_text("utf-8") == HAND


def test_new_files_are_as_private_as_the_main_one(main: Path) -> None:
    """People's addresses are shown to whoever may read the configuration, and to nobody else."""
    main.chmod(0o640)
    imported(main, "Client,Email\nAcme,a@acme.example\n")
    assert stat.S_IMODE((main.parent / "clients" / "acme.toml").stat().st_mode) == 0o640


@pytest.mark.parametrize("name", ["autotask", "connectwise", "halopsa", "plain"])
def test_a_second_import_changes_nothing(main: Path, name: str) -> None:
    """N.10: an import may be repeated: nothing is written twice, keys stay the same."""
    raw = (FIXTURES / f"{name}.csv").read_bytes()
    first = imported(main, raw)
    again = planned(main, raw)
    assert again.texts == ()
    assert {change.what for change in again.changes} == {What.UNCHANGED}
    assert clients(main) == first


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Northwind", "northwind"),
        ("Müller & Söhne GmbH", "muller-and-sohne-gmbh"),
        ("O'Hara's", "oharas"),
        ("Straße 7", "strasse-7"),
        ("  --  ", "client-"),
        ("日本商事", "client-"),
    ],
)
def test_keys_are_made_from_names(name: str, key: str) -> None:
    """A key is readable ASCII, and the same every time."""
    assert key_for(name, set()).startswith(key)
    assert key_for(name, set()) == key_for(name, set())
    assert key_for(name, {key_for(name, set())}) != key_for(name, set())


@given(st.text(max_size=300), st.booleans())
def test_every_name_has_a_key(name: str, taken: bool) -> None:
    """Whatever a client is called, the loader takes its key."""
    first = key_for(name, set())
    assert KEY.fullmatch(key_for(name, {first} if taken else set()))


def cell(text: str) -> str:
    """A cell's text as it is meant: composed, with single spaces."""
    return " ".join(unicodedata.normalize("NFC", text).split())


# What TOML, CSV and templates could trip over, any letter, and now and then what must be refused.
AWKWARD = st.sampled_from("\"'\\#[]{}=,;<>&%$|@ aZéß\u00a0\u0301")
PRINTABLE = st.text(st.one_of(AWKWARD, st.characters(exclude_categories=["C", "Zl", "Zp"])), min_size=1, max_size=30)
ANYTHING = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=10)
NAMES = st.one_of(*[PRINTABLE.map(lambda text: f"A{text}")] * 12, PRINTABLE, ANYTHING)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(NAMES, NAMES, NAMES), min_size=1, max_size=4))
def test_what_is_written_is_read_back_as_it_was_meant(rows: list[tuple[str, str, str]]) -> None:
    """N.10: whatever stands in the cells: either they are refused with their row, or the loader reads them as meant."""
    with tempfile.TemporaryDirectory() as folder:
        main = Path(folder) / "config.toml"
        main.write_text(MAIN, "utf-8")
        sheet = io.StringIO(newline="")
        writer = csv.writer(sheet, quoting=csv.QUOTE_ALL)
        writer.writerow(["Client", "First name", "Role", "Email", "Incidents"])
        for number, (client, first, role) in enumerate(rows):
            writer.writerow([client, first, role, f"p{number}@example.org", "yes"])
        try:
            plan = planned(main, sheet.getvalue().encode())
        except ConfigurationError as error:
            unplaced = [problem for problem in error.problems if ": row " not in problem]
        else:
            unplaced = list(plan.problems)
            plan.carry_out()
            written = {c.address: c for client in clients(main).values() for c in client.contacts}
            meant = [
                one for new in plan.texts for client in tomllib.loads(new.text)["client"] for one in client["contact"]
            ]
            assert [written[one["address"]].name for one in meant] == [one["name"] for one in meant]
            assert {client.name.casefold() for client in clients(main).values()} == {
                cell(client).casefold() for client, _, _ in rows
            }
            for number, (_, first, role) in enumerate(rows):
                contact = written[f"p{number}@example.org"]
                assert contact.role == cell(role) or cell(role).strip(".").casefold() in TITLES | EMPTY
                assert bool(contact.first_name) == (contact.wants is Wants.ALL)
                assert contact.first_name.casefold() in cell(first).casefold()
            assert planned(main, sheet.getvalue().encode()).texts == ()
        assert unplaced == []
