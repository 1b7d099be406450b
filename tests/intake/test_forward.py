"""The original mail inside a forward: found as each mail client writes it, and never in a reply."""

from dataclasses import replace
from pathlib import Path

import pytest

from mailflow.domain.mail import Claim, Line, Mark, Reading
from mailflow.domain.people import Address
from mailflow.domain.vocabulary import Kind
from mailflow.intake.forward import MAX_TEXT, claim
from mailflow.intake.html import html_lines
from mailflow.intake.quoting import plain_lines
from mailflow.intake.read import read
from mailflow.intake.recipes import parse_recipes

MAILS = Path(__file__).parent.parent / "fixtures" / "client_mails"
NO_RECIPES = parse_recipes({})
BLOCK = "From: Ann Lee <ann@northwind.example>\nSent: Monday, 23 November 2026 09:12\nTo: Paul\nSubject: Mail is down\n"
GMAIL = "---------- Forwarded message ---------\n"


def forwarded(subject: str, text: str = "", html: str = "") -> Claim | None:
    """The claim in a mail with this subject and these bodies."""
    return claim(
        Reading(
            message_id=None,
            author=Address(name="Paul Meyer", address="paul@msp.example"),
            subject=subject,
            kind=Kind.UNKNOWN,
            rule="no-recipe",
            identity="1",
            plain=plain_lines(text) if text else (),
            html=html_lines(html) if html else (),
        )
    )


@pytest.mark.parametrize(
    ("mail", "name", "address", "subject", "sent", "text"),
    [
        (
            "forward_gmail",
            "Ann Lee",
            "ann@northwind.example",
            "Nobody can print",
            "Mon, Nov 23, 2026 at 9:12 AM",
            "Hi Paul,\n\nsince this morning nobody on the second floor can print.\n\nAnn",
        ),
        (
            "forward_outlook_german",
            "Jürgen Groß",
            "juergen@contoso.example",
            "Server langsam",
            "Montag, 23. November 2026 09:12",
            "Hallo Herr Meyer,\n\nder Server ist seit heute früh sehr langsam.\n\nGruß\nJürgen Groß",
        ),
        (
            "forward_owa_dutch",
            "Joost de Wit",
            "joost@fabrikam.example",
            "Mail komt niet aan",
            "maandag 23 november 2026 09:12",
            "Dag Paul,\n\nsinds 8 uur komt er geen mail meer binnen.",
        ),
        (
            "forward_outlook_french",
            "Zoé Blanc",
            "zoe@contoso.example",
            "Panne",
            "lundi 23 novembre 2026 09:12",
            "Bonjour,\nplus rien ne marche au bureau.",
        ),
        (
            "forward_apple",
            "Lee, Ann",
            "ann@northwind.example",
            "VPN",
            "23 November 2026 at 09:12:44 CET",
            "The VPN drops every ten minutes.\n\n> On 20 Nov 2026, at 10:00, Paul Meyer <paul@msp.example> wrote:\n> \n"
            "> It should be stable now.",
        ),
        (
            "forward_thunderbird",
            "Ann Lee",
            "ann@northwind.example",
            "Backup tape",
            "Mon, 23 Nov 2026 09:12:00 +0100",
            "The tape is stuck again.\n\n-- \nAnn Lee",
        ),
    ],
)
def test_each_mail_client_s_forward(mail: str, name: str, address: str, subject: str, sent: str, text: str) -> None:
    """Who wrote what and when stands in a forward as Gmail, Outlook, Apple Mail and Thunderbird write it."""
    reading = read((MAILS / f"{mail}.eml").read_bytes(), NO_RECIPES)
    assert claim(reading) == Claim(name=name, address=address, subject=subject, sent=sent, text=text)


@pytest.mark.parametrize("mail", ["forward_gmail", "forward_apple", "forward_thunderbird"])
def test_the_html_part_says_the_same(mail: str) -> None:
    """A client that writes no text part, or an empty one, forwards as well."""
    reading = read((MAILS / f"{mail}.eml").read_bytes(), NO_RECIPES)
    html = claim(replace(reading, plain=()))
    whole = claim(reading)
    assert html is not None
    assert whole is not None
    assert (html.name, html.address, html.subject, html.sent) == (whole.name, whole.address, whole.subject, whole.sent)
    assert whole.text.startswith(html.text.partition("\n")[0])


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("FW: Mail is down", f"Yours?\n\n{BLOCK}\nNo mail."),
        ("Fwd: Re: Mail is down", f"{BLOCK}\nNo mail."),
        ("[EXTERNAL] FW: Mail is down", f"{BLOCK}\nNo mail."),
        ("EXTERNAL: FW: Mail is down", f"{BLOCK}\nNo mail."),
        ("FW: Mail is down", f"________________________________\n{BLOCK}\nNo mail."),
        ("FW: Mail is down", f"-----Original Message-----\n{BLOCK}\nNo mail."),
        ("Fwd: Mail is down", f"-------- Original message --------\n{BLOCK}\nNo mail."),
        ("FW: Mail is down", f"{BLOCK}Importance: High\n\nNo mail."),
        ("FW: Mail is down", BLOCK.replace("\n", "\n\n") + "\nNo mail."),
        (
            "FW: Mail is down",
            BLOCK.replace("To: Paul", "To: Paul <paul@msp.example>;\n Mia <mia@msp.example>") + "\nNo mail.",
        ),
        ("FW: Mail is down", BLOCK.replace("From:", "*From:*").replace("Sent:", "*Sent:*") + "\nNo mail."),
        ("FW: Mail is down", BLOCK.replace("<ann@northwind.example>", "[mailto:ann@northwind.example]") + "\nNo mail."),
        ("FW: Mail is down", BLOCK.replace("example>", "example<mailto:ann@northwind.example>>") + "\nNo mail."),
        ("Mail is down", f"{GMAIL}{BLOCK}\nNo mail."),
        ("A client of ours", f"Please have a look.\n\n{GMAIL}{BLOCK}\n\nNo mail."),
        ("Mail is down", f"------- Forwarded Message -------\n{BLOCK}\nNo mail."),
        ("WG: Mail is down", f"---------- Weitergeleitete Nachricht ---------\n{BLOCK}\nNo mail."),
        ("Mail is down", f"---------- Doorgestuurd bericht ---------\n{BLOCK}\nNo mail."),
        ("Mail is down", f"---------- Message transféré ---------\n{BLOCK}\nNo mail."),
        ("Mail is down", f"Anfang der weitergeleiteten Nachricht:\n\n{BLOCK}\nNo mail."),
        ("Fwd: Mail is down", "> " + f"{BLOCK}\nNo mail.".replace("\n", "\n> ") + "\n\nPaul"),
        ("FW: Mail is down", f"CAUTION: This email came from outside the organization.\n\n{BLOCK}\nNo mail."),
        ("FW: Mail is down", f"{BLOCK}\nCAUTION: This email came from outside the organization.\n\nNo mail."),
        ("FW: Mail is down", f"{'I spoke with her for a long time. ' * 50}\n\n{BLOCK}\nNo mail."),
    ],
)
def test_forwards_in_other_shapes(subject: str, text: str) -> None:
    """Tags, rules, bold marks, folded recipients, blank lines, banners and comments above change no claim."""
    assert forwarded(subject, text) == Claim(
        name="Ann Lee",
        address="ann@northwind.example",
        subject="Mail is down",
        sent="Monday, 23 November 2026 09:12",
        text="No mail.",
    )


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("RE: Mail is down", f"Thanks.\n\n{BLOCK}\nNo mail."),
        ("RE: FW: Mail is down", f"Thanks.\n\n{BLOCK}\nNo mail."),
        ("AW: WG: Mail is down", f"Danke.\n\n{GMAIL}{BLOCK}\nNo mail."),
        ("[EXTERNAL] Re: Fwd: Mail is down", f"Thanks.\n\n{GMAIL}{BLOCK}\nNo mail."),
        ("Mail is down", f"Thanks.\n\n{BLOCK}\nNo mail."),
        ("Mail is down", f"-----Original Message-----\n{BLOCK}\nNo mail."),
        ("Mail is down", f"On Mon, 23 Nov 2026 at 09:30, Paul <p@msp.example> wrote:\n> Yours?\n>\n> {GMAIL}> x"),
        ("Mail is down", f"Thanks.\n\n{BLOCK}\nYours?\n\n{GMAIL}{BLOCK}\nNo mail."),
        ("Mail is down", f"{'I have a lot to say about it. ' * 50}\n\n{GMAIL}{BLOCK}\nNo mail."),
        ("FW: Mail is down", "See the attached mail."),
        ("FW: Mail is down", f"{GMAIL}See the attached mail."),
        ("FW: Mail is down", "From: me\nTo: you\n\nwith love"),
        ("FW: Mail is down", "From: Ann Lee\nFrom: Ann Lee\nFrom: Ann Lee\n\nNo mail."),
        ("FW: Mail is down", "Sent: today\nTo: Paul\nSubject: Mail\n\nNo mail."),
        ("FW: Mail is down", "> one\n> two\n\nand more"),
        ("Forward planning", f"{BLOCK}\nNo mail."),
        ("Fwd: empty", ""),
    ],
)
def test_a_reply_is_no_forward(subject: str, text: str) -> None:
    """A quote is not a claim: an answer, an answer to a forward, a paste without a header block have none."""
    assert forwarded(subject, text) is None


def test_a_reply_to_a_forward_as_outlook_writes_it() -> None:
    """The same for a whole mail: two header blocks, the newest prefix an answer."""
    assert claim(read((MAILS / "reply_to_forward.eml").read_bytes(), NO_RECIPES)) is None


@pytest.mark.parametrize(
    ("line", "name", "address"),
    [
        ("From: Ann Lee", "Ann Lee", ""),
        ("From: ann@northwind.example", "", "ann@northwind.example"),
        ("From: <ANN@Northwind.example>", "", "ann@northwind.example"),
        ('From: "Lee, Ann (Sales)" <ann@northwind.example>', "Lee, Ann", "ann@northwind.example"),
        ("From: 'Ann Lee' via Desk <desk@northwind.example>", "Ann Lee' via Desk", "desk@northwind.example"),
        ("From: ann@northwind.example <ann@northwind.example>", "", "ann@northwind.example"),
        ("Von: Jürgen Groß <juergen@contoso.example>", "Jürgen Groß", "juergen@contoso.example"),
        ("From: @@@@ <not an address>", "", ""),
    ],
)
def test_who_is_said_to_have_written(line: str, name: str, address: str) -> None:
    """Name and address are read apart; either may be missing, and neither is made up."""
    found = forwarded("FW: x", f"{line}\nDate: today\nSubject: y\n\nz")
    assert found is not None
    assert (found.name, found.address) == (name, address)


def test_the_outermost_of_two_forwards() -> None:
    """A forward of a forward claims what its sender got; the inner one stays in the text."""
    inner = f"{GMAIL}{BLOCK}\nNo mail."
    outer = BLOCK.replace("Ann Lee <ann@", "Mia Stone <mia@").replace("Mail", "Fwd: Mail")
    found = forwarded("Fwd: Fwd: Mail is down", f"{GMAIL}{outer}\nYours?\n\n{inner}")
    assert found is not None
    assert (found.name, found.subject) == ("Mia Stone", "Fwd: Mail is down")
    assert found.text == f"Yours?\n\n{inner}"


def test_a_subject_missing_in_the_block_is_the_forward_s_own() -> None:
    """Without a Subject line the mail's own subject is taken, prefixes off."""
    found = forwarded("FW: [EXT] Re: Mail", "From: Ann <ann@northwind.example>\nSent: today\nTo: Paul\n\nNo mail.")
    assert found is not None
    assert found.subject == "Mail"


def test_what_is_forwarded_is_bounded() -> None:
    """A megabyte forwarded comes back as its beginning."""
    found = forwarded("FW: x", f"{BLOCK}\n" + "all work and no play\n" * 50_000)
    assert found is not None
    assert MAX_TEXT - 30 < len(found.text) <= MAX_TEXT


@pytest.mark.parametrize(
    "piece", ["From: a\n", "To: b\n", "---------- Forwarded message ---------\n", "-", "From: ", "> "]
)
def test_hostile_bodies_cost_nothing(piece: str) -> None:
    """A megabyte of half a forward is none, and is found out in no time."""
    assert forwarded("FW: x", piece * (1_000_000 // len(piece))) is None
    assert forwarded("x", "Forwarded:\n" + piece * (1_000_000 // len(piece))) is None


def test_a_signature_between_is_no_obstacle() -> None:
    """The forwarder's marked signature above the forward is neither comment nor claim."""
    lines = (Line(text="Paul", mark=Mark.SIGNATURE), *plain_lines(f"{GMAIL}{BLOCK}\nNo mail."))
    reading = Reading(message_id=None, author=None, subject="x", kind=Kind.UNKNOWN, rule="x", identity="x", plain=lines)
    found = claim(reading)
    assert found is not None
    assert found.text == "No mail."
