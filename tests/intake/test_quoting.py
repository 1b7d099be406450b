"""The lines of text parts: depth, what introduces a quote, signatures, format=flowed (RFC 3676)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailflow.domain.mail import Line, Mark
from mailflow.intake.quoting import MAX_LINES, new_and_quoted, plain_lines, signed

GMAIL = "On Tue, Nov 24, 2026 at 10:02\u202fAM Ann Lee <ann.lee@contoso.example> wrote:"


def told(text: str, **format_: bool) -> list[tuple[str, int]]:
    """Text and depth of each line."""
    return [(line.text, line.depth) for line in plain_lines(text, **format_)]


def test_depth_of_quote_marks() -> None:
    """ ">" counts with and without blanks between; an mbox's ">From " is no quote."""
    assert told("a\n> b\n>> c\n> > d\n>\ne") == [("a", 0), ("b", 1), ("c", 2), ("d", 2), ("", 1), ("e", 0)]
    assert told("a\n>From here on\nb") == [("a", 0), ("From here on", 0), ("b", 0)]


def test_flowed_text() -> None:
    """RFC 3676: flowed lines are joined, stuffing is taken off, the signature's mark is never flowed."""
    text = "One long \nparagraph.\n From here\n> quoted \n> text\n>> deeper \nbroken \n-- \nsig \nline"
    assert told(text, flowed=True) == [
        ("One long paragraph.", 0),
        ("From here", 0),
        ("quoted text", 1),
        ("deeper", 2),
        ("broken", 0),
        ("-- ", 0),
        ("sig line", 0),
    ]
    assert told("ab \ncd", flowed=True, delsp=True) == [("abcd", 0)]


def test_line_ends_and_invisible_characters() -> None:
    """Any line end will do; byte order marks and zero-width characters are gone."""
    assert told("a\r\nb\rc\n\ufeff> d\u200b") == [("a", 0), ("b", 0), ("c", 0), ("d", 1)]


@pytest.mark.parametrize(
    "attribution",
    [
        GMAIL,
        "On Tue, Nov 24, 2026 at 10:02\u202fAM Ann Lee <ann.lee@contoso.example>\nwrote:",
        "On Tue, Nov 24, 2026 at 10:02 AM Ann Lee\n<ann.lee@contoso.example> wrote:",
        "Am Di., 24. Nov. 2026 um 10:02 Uhr schrieb Ann Lee <\nann@contoso.example>:",
        "Op di 24 nov 2026 om 10:02 schreef Ann Lee <ann@contoso.example>:",
        "On 24/11/2026 10:02, Ann Lee wrote:",
        "2026年11月24日(火) 10:02 Ann <ann@contoso.example>:",
        "Op 24 nov 2026 om 10:02 heeft Ann Lee <ann@contoso.example> het volgende geschreven:",
        "Am Dienstag, 24. November 2026 um 10:02:05 MEZ hat Ann Lee <ann@contoso.example> Folgendes geschrieben:",
    ],
)
def test_attributions(attribution: str) -> None:
    """An attribution is known in several languages, also wrapped, and begins the quote."""
    lines = plain_lines(f"New.\n\n{attribution}\n\n> old\n> words\n")
    marks = [line.mark for line in lines if line.text and not line.depth]
    assert marks == [Mark.TEXT] + [Mark.ATTRIBUTION] * (len(marks) - 1)
    assert [line.below for line in lines if line.text] == [False] + [True] * (len(marks) + 1)
    assert new_and_quoted(lines) == ("New.", "old\nwords")


@pytest.mark.parametrize(
    "text",
    [
        "On Monday we wrote:\nthe switch is old",
        "On 3 May 2026 we wrote:\nthe switch is old",
        "From: 10.0.0.1\nline two",
        "____________________\nlog\n--\n-----",
        "Ann wrote:\nplease",
        "On\nOn\nOn",
        "Write to ann@contoso.example:\nshe knows",
    ],
)
def test_prose_and_logs_introduce_nothing(text: str) -> None:
    """What only looks like the start of a quote is text."""
    assert {(line.mark, line.below) for line in plain_lines(text)} == {(Mark.TEXT, False)}


@pytest.mark.parametrize(
    "block",
    [
        "From: Ann <ann@contoso.example>\nSent: Tuesday\nTo: Paul\nSubject: Down",
        "*From:* Ann <ann@contoso.example>\n*Date:* Tuesday\n*To:* Paul\n*Subject:* Down",
        "________________________________\nVan: Ann\nVerzonden: dinsdag\nAan: Paul\nOnderwerp: Down",
        "-----Ursprüngliche Nachricht-----\nVon: Ann\nGesendet: Dienstag\nAn: Paul\nBetreff: Down",
        "Feladó: Ann\nElküldve: kedd\nCímzett: Paul\nTárgy: Down",
        "Od: Ann\nOdesláno: úterý\nKomu: Paul\nPředmět: Down",
        "-----Original Message-----\nFrom: Ann\nSent: Tuesday\nTo: Paul\nSubject: Down",
        "-------- Original message --------\nFrom: Ann \nDate: 24/11/2026 \nTo: Paul \nSubject: Down ",
    ],
)
def test_header_blocks(block: str) -> None:
    """The block above an unmarked quote is known; what stands under it is the quote."""
    lines = plain_lines(f"New.\n\n{block}\n\nold words\n")
    assert [line.mark for line in lines if line.text.strip()] == [
        Mark.TEXT,
        *[Mark.HEADER] * len(block.splitlines()),
        Mark.TEXT,
    ]
    assert new_and_quoted(lines) == ("New.", "old words")


@pytest.mark.parametrize("head", ["Origineel bericht", "Originalnachricht", "Original Message"])
def test_the_line_above_an_older_mail(head: str) -> None:
    """Below such a line everything is older, whatever its headers look like."""
    lines = plain_lines(f'New.\n\n------ {head} ------\nVan "Ann"\nAan Paul\n\nold words\n')
    assert new_and_quoted(lines)[0] == "New."


def test_signatures() -> None:
    """ "-- " begins a signature up to the quote; a phone's line is one by itself."""
    lines = plain_lines(f"New.\n\nSent from my iPhone\n\nMore.\n-- \nPaul\n\n{GMAIL}\n> old")
    assert [line.text for line in lines if line.mark is Mark.SIGNATURE] == ["Sent from my iPhone", "-- ", "Paul", ""]
    assert new_and_quoted(lines) == ("New.\n\nMore.", "old")


def test_an_answer_right_above_an_attribution_is_no_part_of_it() -> None:
    """A line with a year or an address, with the attribution right under it, stays its author's."""
    for text in ("We moved to Server 2019", "Ask Ann <ann@contoso.example>", "if (a < b)"):
        lines = plain_lines(f"{text}\n{GMAIL}\n\n> old")
        assert (lines[0].mark, lines[0].below, lines[1].mark) == (Mark.TEXT, False, Mark.ATTRIBUTION)


@pytest.mark.parametrize(
    "text",
    [
        *("Sent from my iPhone", "Verstuurd vanaf mijn iPhone", "Von meinem iPhone gesendet"),
        *("Sent with [Proton Mail](https://proton.example/) secure email.", "Verzonden vanaf Samsung-smartphone"),
        "Diese Nachricht wurde von meinem Android-Gerät mit K-9 Mail gesendet.",
        *("Von unterwegs gesendet", "Sent via BlackBerry", "Yahoo Mail: Search, Organize, Conquer"),
    ],
)
def test_a_phones_line(text: str) -> None:
    """What a phone signs with is known in three languages."""
    assert plain_lines(text)[0].mark is Mark.SIGNATURE


@pytest.mark.parametrize(
    ("text", "banner"),
    [
        ("EXTERNAL EMAIL: Do not click links.", True),
        ("[External]", True),
        ("*EXTERNAL SENDER*", True),
        ("CAUTION: External email.", True),
        ("Let op: deze e-mail komt van buiten de organisatie.", True),
        ("ACHTUNG: Diese E-Mail stammt von einem externen Absender.", True),
        ("Warning: the external disk is full", False),
        ("Attention was outside our scope.", False),
        ("External", False),
        ("This mail server stands outside the firewall.", False),
        ("Warning: external mail delivery is delayed", False),
    ],
)
def test_banners_speak_of_this_mail(text: str, banner: bool) -> None:
    """A server warns of this mail and its sender; a warning of anything else is somebody's words."""
    assert (plain_lines(text)[0].mark is Mark.BANNER) is banner


def test_a_known_signature() -> None:
    """A signature known by its words is marked, blank lines aside; one line alone, or in other words, is not."""
    lines = plain_lines("Fixed.\n\nPaul Jones\n\nExample IT\n")
    marks = [line.mark for line in signed(lines, ("Paul Jones", "Example IT"))]
    assert marks == [Mark.TEXT, Mark.TEXT, Mark.SIGNATURE, Mark.SIGNATURE, Mark.SIGNATURE]
    assert signed(lines, ("Paul Jones",)) == lines
    assert list(signed(lines, ("Paul Jones", "Another IT"))) == list(lines)


def test_banners() -> None:
    """A server's warning is marked, also wrapped; a sentence with the word is not."""
    text = "CAUTION: This email originated from outside of the organization. Do not\nclick links.\n\nCaution: hot."
    assert [line.mark for line in plain_lines(text)] == [Mark.BANNER, Mark.BANNER, Mark.TEXT, Mark.TEXT]
    assert plain_lines("[EXTERNAL]\nHello")[0].mark is Mark.BANNER


def test_answers_between_marked_quotes_are_new() -> None:
    """What stands unmarked between quoted lines is the author's; a typed ">" above the quote stays as typed."""
    lines = plain_lines(f"> typed\n{GMAIL}\n> one\nanswer\n> two\n")
    assert new_and_quoted(lines) == ("> typed\nanswer", "one\ntwo")
    assert new_and_quoted(plain_lines("> all\nanswer")) == ("answer", "all")


@given(st.text(st.sampled_from("ab >-_:\n@.\u202f"), max_size=200), st.booleans())
def test_any_text_gives_lines(text: str, flowed: bool) -> None:
    """Every text is read, and no word of it is lost."""
    lines = plain_lines(text, flowed=flowed)
    kept = "".join(line.text for line in lines)
    assert sum(kept.count(c) for c in "ab@") == sum(text.count(c) for c in "ab@")


@pytest.mark.soak
@pytest.mark.parametrize(
    "text",
    ["On\n" * 5000, f"{GMAIL[:-7]}\n" * 5000, "From: x\n" * 20_000, "_" * 900_000, "> " * 400_000, "a@" * 500_000],
)
def test_hostile_text(text: str) -> None:
    """Whatever a text holds, it is read to its end; work that is not linear in it would not end here."""
    assert plain_lines(text)
    new_and_quoted(plain_lines(text))


def test_bounds() -> None:
    """Lines beyond the bound are not kept."""
    assert len(plain_lines("x\n" * (MAX_LINES + 9))) == MAX_LINES
    assert plain_lines("") == ()
    assert plain_lines("x") == (Line(text="x"),)
