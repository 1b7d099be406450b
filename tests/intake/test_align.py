"""Replies to the form as mail clients write them, aligned with the form as it was sent (N.5, S0.8)."""

import html as escaping
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailflow.domain.form import Answers, AskedField, Command, Form, Place, Verb
from mailflow.domain.mail import Reading
from mailflow.domain.vocabulary import Kind
from mailflow.intake.align import align
from mailflow.intake.commands import Vocabulary
from mailflow.intake.html import html_lines
from mailflow.intake.quoting import plain_lines

FIXTURES = Path(__file__).parents[1] / "fixtures" / "replies"
ENGLISH = Vocabulary(
    words={
        Verb.SEND: ("send", "send it", "please send", "please send it", "ok send", "yes send", "send please"),
        Verb.STOP: ("stop",),
        Verb.NOTE: ("note",),
        Verb.OPEN: ("open",),
        Verb.SENT: ("sent",),
        Verb.RESEND: ("resend",),
        Verb.RESOLVED: ("resolved",),
        Verb.NO_DEBRIEF: ("no debrief",),
        Verb.PAUSE: ("pause",),
        Verb.RESUME: ("resume",),
        Verb.HELP: ("help",),
    },
    near_miss=(r"\bsend\b", r"^(?:sned|sedn|snd)\b"),
    closings=("kind regards", "best regards", "regards", "thanks", "cheers", "best"),
    asides=(r"(?:hi|hello)(?: \w+)?\W*", r"see my answers (?:below|inline)\W*"),
    names=("Paul Jones", "Paul"),
)
TEXT = """Valery, Northwind's file server did not answer from about 9:00 on Tuesday until 9:21.
Shirley called at 9:03. John expects to hear from you by Thursday.
Just reply; John sees nothing before you do.

[1] What was the problem?

[2] What did we do about it?

Leave blank if you like:
[3] Can it happen again?

[4] What do you recommend?

Correct me if wrong:
[5] Started: Tue 9:00
[6] Ended: Tue 9:21
[7] Who felt it: everyone using the Data drive

Or one line: NO DEBRIEF (and why)
----- end of form INC-2041/1 -----
"""
FORM = Form(
    reference="INC-2041",
    version=1,
    language="en",
    fields=(
        AskedField(number=1, label="What was the problem?"),
        AskedField(number=2, label="What did we do about it?"),
        AskedField(number=3, label="Can it happen again?"),
        AskedField(number=4, label="What do you recommend?"),
        AskedField(number=5, label="Started", prefilled="Tue 9:00"),
        AskedField(number=6, label="Ended", prefilled="Tue 9:21"),
        AskedField(number=7, label="Who felt it", prefilled="everyone using the Data drive"),
    ),
    text=TEXT,
    end_marker="----- end of form INC-2041/1 -----",
)
LINES = TEXT.rstrip("\n").split("\n")
LABEL = {f.number: next(line for line in LINES if line.startswith(f"[{f.number}]")) for f in FORM.fields}
ATTRIBUTION = (
    "On Tue, Nov 24, 2026 at 10:02\u202fAM Valery Stufano via mailflow <noc+abc@example.com>",
    "wrote:",
)
SIGNATURE = ("Paul Jones", "Example IT | 555 0100")


# --- what mail clients make of a reply: (top, the form's lines with answers behind them, below) -> text, HTML


def gmail_text(top: str, between: Mapping[str, str], below: str) -> str:
    """Gmail's text part: "> " before what is quoted, the attribution wrapped, answers unmarked between."""
    out = [*top.split("\n"), ""] if top else []
    out += [*ATTRIBUTION, ""]
    for line in LINES:
        out.append(f"> {line}".rstrip())
        if line in between:
            out += [*between[line].split("\n"), ""]
    return "\n".join(out + (["", *below.split("\n")] if below else [])) + "\n"


def gmail_html(top: str, between: Mapping[str, str], below: str) -> str:
    """Gmail's HTML part: blockquotes closed and opened again around each answer, all inside gmail_quote."""
    opened = '<blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204)">'
    out = [f'<div dir="ltr">{_divs(top)}</div><br>' if top else ""]
    out.append('<div class="gmail_quote gmail_quote_container"><div dir="ltr" class="gmail_attr">')
    out.append(f"{escaping.escape(' '.join(ATTRIBUTION))}<br></div>{opened}")
    for line in filter(None, LINES):
        out.append(f"<p>{escaping.escape(line)}</p>\n")
        if line in between:
            out.append(f"</blockquote><div><br></div>{_divs(between[line])}<div><br></div>{opened}")
    out.append(f"</blockquote></div>{_divs(below) if below else ''}")
    return "".join(out)


def outlook_text(top: str, between: Mapping[str, str], below: str) -> str:
    """Outlook desktop's text part: a header block, then everything unmarked, every paragraph with a blank line."""
    out = [*top.split("\n"), ""] if top else []
    head = "From: Valery Stufano <noc+abc@example.com>\nSent: Tuesday, November 24, 2026 10:02 AM\n"
    out.append(f"{head}To: Paul Jones <paul@example.com>\nSubject: What happened? INC-2041")
    for line in LINES:
        out.append(line)
        if line in between:
            out += between[line].split("\n")
    return "\n\n".join(out + (below.split("\n") if below else [])) + "\n"


def outlook_html(top: str, between: Mapping[str, str], below: str) -> str:
    """Outlook desktop's HTML part: MsoNormal throughout, the header block under a border, answers unmarked."""
    out = ["<html xmlns:o='urn:o'><head><style>p.MsoNormal {margin:0in}</style></head><body><div class=WordSection1>"]
    out.append(_mso(top) if top else "")
    out.append("<div><div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0in 0in 0in'>")
    out.append("<p class=MsoNormal><b>From:</b> Valery Stufano &lt;noc+abc@example.com&gt; <br><b>Sent:</b> Tuesday, ")
    out.append("November 24, 2026 10:02 AM<br><b>To:</b> Paul Jones &lt;paul@example.com&gt;<br><b>Subject:</b> What ")
    out.append("happened? INC-2041<o:p></o:p></p></div></div>")
    for line in LINES:
        out.append(_mso(line) + (_mso(between[line]) if line in between else ""))
    return "".join(out) + (_mso(below) if below else "") + "</div></body></html>"


def _divs(text: str) -> str:
    return "".join(f"<div>{_escaped(line) or '<br>'}</div>" for line in text.split("\n"))


def _mso(text: str) -> str:
    lines = text.split("\n")
    return "".join(f"<p class=MsoNormal>{_escaped(line) or '&nbsp;'}<o:p></o:p></p>\r\n" for line in lines)


def _escaped(line: str) -> str:
    return escaping.escape(line).replace("  ", "&nbsp; ")


Render = Callable[[str, Mapping[str, str], str], str]
CLIENTS: dict[str, tuple[Render, Render]] = {
    "gmail": (gmail_text, gmail_html),
    "outlook": (outlook_text, outlook_html),
}


def reply(client: str, style: str, parts: str, answers: Mapping[int, str]) -> Reading:
    """A reply of one client, with the answers in one place, in one or both parts."""
    labelled = "\n".join(f"{LABEL[n].split(': ')[0].rstrip(':')}{'' if n < 5 else ':'} {a}" for n, a in answers.items())
    made: tuple[str, dict[str, str], str]
    if style == "top":
        made = (labelled, {}, "")
    elif style == "inline":
        made = ("", {LABEL[n]: a for n, a in answers.items()}, "")
    elif style == "below":
        made = ("", {}, labelled)
    else:
        first = next(iter(answers))
        head = f"{LABEL[first]} {answers[first]}"
        made = (head, {LABEL[n]: a for n, a in answers.items() if n != first}, "")
    text, html = (render(*made) for render in CLIENTS[client])
    return reading(text if parts != "html" else "", html if parts != "text" else "")


def reading(text: str = "", html: str = "", *, flowed: bool = False, subject: str = "Re: What happened?") -> Reading:
    """A Reading as intake makes it from these two parts."""
    return Reading(
        message_id="<1@example.com>",
        author=None,
        subject=subject,
        kind=Kind.UNKNOWN,
        rule="person",
        plain=plain_lines(text, flowed=flowed) if text else (),
        html=html_lines(html) if html else (),
        identity="x",
    )


def values(answers: Answers) -> dict[int, str]:
    """The answers as plain text."""
    return {n: a.value for n, a in answers.values.items()}


PLAIN_ANSWERS = {1: "The switch in the rack lost power.", 2: "Paul moved it to the second feed.", 5: "Tue 8:55"}
NASTY = {
    "bullets": "- moved it\n- checked the log\n\nThen called Shirley",
    "numbered list": "Three things:\n1. moved it\n2. checked the log\n3. called Shirley",
    "a log": "From the log:\n--\n____________\nFrom: 10.0.0.1 port 3\nTo: 10.0.0.9\n09:00:01 eth0 down",
    "attribution in prose": "On Monday we wrote:\nthe switch is old",
    "another field's word": "Impact: low\nStarted: early",
    "an instruction line": "Leave blank if you like:",
    "another instruction line": "Correct me if wrong:",
    "quote sign": "> restart\nhelped at once",
    "not known": "not known yet",
    "many paragraphs": "First this.\n\nThen that.\n\nLast of all, nothing.",
    "signature-like": "Regards is the name of the tool.\nThanks to Ann it works -- again",
    "rule of dashes": "-----\nserver1 up\n-----",
    "header once": "Subject: disk full\nwas what the monitor said",
    "emoji": "👍 fine",
    "hebrew": "המתג נפל",
}


@pytest.mark.parametrize("parts", ["text", "html", "both"])
@pytest.mark.parametrize("style", ["top", "inline", "below", "mixed"])
@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("nasty", NASTY)
def test_every_answer_exact(client: str, style: str, parts: str, nasty: str) -> None:
    """S0.8: wherever a client puts the answers, each field gets exactly its own, whatever they look like."""
    answers = {1: "The switch lost power.", 2: NASTY[nasty], 3: "-", 5: "Tue 8:55", 7: "all of\nthe office"}
    found = align(reply(client, style, parts, answers), FORM, ENGLISH)
    assert values(found) == answers
    assert (found.doubts, found.notes, found.loose, found.commands) == ((), (), "", ())


@pytest.mark.parametrize("parts", ["text", "html", "both"])
@pytest.mark.parametrize("style", ["top", "inline", "below"])
@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("left_out", [1, 2, 5])
def test_a_field_left_out_stays_out(client: str, style: str, parts: str, left_out: int) -> None:
    """N.5: a field that nobody answered gets no value, and its neighbours keep theirs."""
    answers = {n: a for n, a in PLAIN_ANSWERS.items() if n != left_out}
    assert values(align(reply(client, style, parts, answers), FORM, ENGLISH)) == answers


@pytest.mark.parametrize("parts", ["text", "html", "both"])
@pytest.mark.parametrize("client", CLIENTS)
def test_an_empty_reply_says_nothing(client: str, parts: str) -> None:
    """The quoted form alone, prefilled values and all, is no answer."""
    assert align(reply(client, "inline", parts, {}), FORM, ENGLISH).empty


@pytest.mark.parametrize("parts", ["text", "html", "both"])
@pytest.mark.parametrize("client", CLIENTS)
def test_text_without_number_above_the_quote_is_loose(client: str, parts: str) -> None:
    """Text without a label above the quote is kept as loose, less its signature; text below is a note."""
    text, html = (
        r("The switch died.\n\nPaul moved it.\n\nKind regards,\nPaul", {}, "One more thing") for r in CLIENTS[client]
    )
    found = align(reading(text if parts != "html" else "", html if parts != "text" else ""), FORM, ENGLISH)
    assert found.loose == "The switch died.\n\nPaul moved it."
    assert found.notes == ("One more thing",)
    assert not found.values


@pytest.mark.parametrize(
    ("top", "expected"),
    [
        ("1: disk full\n2: made room", {1: "disk full", 2: "made room"}),
        ("1. disk full\n2. made room", {1: "disk full", 2: "made room"}),
        ("[2] made room\n[1] disk full", {1: "disk full", 2: "made room"}),
        ("2: 1. reboot\n2. check\n3. call", {2: "1. reboot\n2. check\n3. call"}),
        ("2:\n1. reboot\n2. check\n3. call\n5: 8:55", {2: "1. reboot\n2. check\n3. call", 5: "8:55"}),
        ("10:42 it was back", {}),
        ("3.5 hours", {}),
        ("99: nothing", {}),
        ("*[1] What was the problem? disk full*", {1: "disk full"}),
        ("[1]\xa0WHAT was the\xa0problem： disk full", {1: "disk full"}),
        ("［１］ What was the problem？ disk full", {1: "disk full"}),
        ("4. What was the problem? disk full", {1: "disk full"}),
        ("5. Started it again", {5: "Started it again"}),
        ("[5] Started: n/a", {5: "-"}),
        ("1: disk full\n\nRegards,\nPaul Jones\nExample IT\nThis mail is confidential.", {1: "disk full"}),
    ],
)
def test_labels_above_the_quote(top: str, expected: dict[int, str]) -> None:
    """A label is known by number and wording, whatever was done to it; a bare number above the quote."""
    for renders in CLIENTS.values():
        text, html = (render(top, {}, "") for render in renders)
        for part in (reading(text), reading(html=html)):
            assert values(align(part, FORM, ENGLISH)) == expected


def test_bare_numbers_count_only_above_the_quote() -> None:
    """ "2: text" under the quote is no label: it may be anything."""
    found = align(reading(gmail_text("", {}, "2: made room")), FORM, ENGLISH)
    assert (values(found), found.notes) == ({}, ("2: made room",))


def test_two_different_answers_are_asked_about() -> None:
    """Two different answers to one field are never chosen between; the same one twice is fine."""
    text = gmail_text("1: disk full\n2: made room", {LABEL[1]: "disk broken", LABEL[2]: "Made room."}, "")
    found = align(reading(text), FORM, ENGLISH)
    assert [(d.number, d.reason, d.candidates) for d in found.doubts] == [
        (1, "two_answers", ("disk full", "disk broken"))
    ]
    assert values(found) == {2: "made room"}


def test_parts_that_disagree_in_words_are_asked_about() -> None:
    """What HTML and text say differently is asked about with both; line ends and links' targets are no difference."""
    html = gmail_html("", {LABEL[1]: "disk full", LABEL[2]: "one two\nthree see example.com"}, "")
    text = gmail_text("", {LABEL[1]: "disk fine", LABEL[2]: "one\ntwo three see example.com <https://e.example/>"}, "")
    found = align(reading(text, html), FORM, ENGLISH)
    assert [(d.number, d.reason, d.candidates) for d in found.doubts] == [
        (1, "parts_disagree", ("disk full", "disk fine"))
    ]
    assert values(found) == {2: "one two\nthree see example.com"}


def test_places_are_told() -> None:
    """Where each answer stood is told, so that a preview can say so."""
    text = gmail_text("1: a b", {LABEL[2]: "c d"}, f"{LABEL[3]} e f")
    found = align(reading(text), FORM, ENGLISH)
    assert {n: a.place for n, a in found.values.items()} == {1: Place.TOP, 2: Place.INLINE, 3: Place.BELOW}


def test_prefilled_values() -> None:
    """A prefilled value left alone is no answer; edited in the quote, struck through or added to, it is."""
    text = gmail_text("", {}, "").replace("> [5] Started: Tue 9:00", "> [5] Started: Tue 9:05")
    assert values(align(reading(text), FORM, ENGLISH)) == {5: "Tue 9:05"}
    html = gmail_html("", {}, "").replace("Tue 9:00</p>", "<s>Tue 9:00</s> Tue 9:05</p>")
    text = gmail_text("", {}, "").replace("Tue 9:00\n", "Tue 9:00 Tue 9:05\n")
    assert values(align(reading(text, html), FORM, ENGLISH)) == {5: "Tue 9:05"}
    html = outlook_html("", {}, "").replace("Data drive", "Data drive and the printers")
    assert values(align(reading(html=html), FORM, ENGLISH)) == {7: "everyone using the Data drive and the printers"}


def test_the_whole_form_copied_above_the_quote() -> None:
    """A form copied to the top and filled in there is read without its instruction lines."""
    copied = TEXT.replace("problem?\n", "problem?\nfull disk\n").replace("about it?\n", "about it?\nmade room\n")
    for renders in CLIENTS.values():
        text, html = (render(copied.strip(), {}, "") for render in renders)
        for part in (reading(text), reading(html=html), reading(text, html)):
            found = align(part, FORM, ENGLISH)
            assert (values(found), found.loose) == ({1: "full disk", 2: "made room"}, "")


def test_a_label_split_over_two_quoted_lines() -> None:
    """A label or instruction that a client wrapped is still known."""
    text = gmail_text("", {LABEL[2]: "made room", LABEL[1]: "full"}, "").replace(
        "> [2] What did we do about it?", "> [2] What did we do\n> about it?"
    )
    text = text.replace("> Leave blank if you like:", "> Leave blank if you\n> like:")
    text = text.replace("everyone using the Data drive", "everyone using\n> the Data drive")
    found = align(reading(text), FORM, ENGLISH)
    assert (values(found), found.notes) == ({1: "full", 2: "made room"}, ())


def test_the_newest_of_two_quote_depths_wins() -> None:
    """An answer of an earlier round, quoted now, gives way to this reply's."""
    lines = ["> On 23 Nov 2026 at 09:00, Valery <noc@example.com> wrote:", ""]
    for line in LINES:
        lines.append(f"> > {line}")
        if line == LABEL[1]:
            lines += ["> old answer", "new answer"]
        if line == LABEL[2]:
            lines += ["> only the old"]
    text = "On 24 Nov 2026 at 09:00, Paul <paul@example.com> wrote:\n" + "\n".join(lines)
    assert values(align(reading(text), FORM, ENGLISH)) == {1: "new answer", 2: "only the old"}


def test_a_banner_in_the_quoted_form_is_nobodys_answer() -> None:
    """A server's warning above the reply, or inside the quoted form, is left out."""
    banner = "CAUTION: This email originated from outside of the organization. Do not click links."
    text = outlook_text("", {LABEL[1]: "full"}, "").replace("[2]", f"{banner}\n\n[2]")
    found = align(reading(f"{banner}\n\n{text}"), FORM, ENGLISH)
    assert (values(found), found.loose) == ({1: "full"}, "")


def test_a_superseded_forms_end_marker_still_ends() -> None:
    """The end marker of another version ends the last answer too."""
    text = outlook_text("", {LABEL[7]: "two people"}, "see you").replace("2041/1", "2041/3")
    found = align(reading(text), FORM, ENGLISH)
    assert (values(found), found.notes) == ({7: "two people"}, ("see you",))


@pytest.mark.parametrize("name", sorted(p.name for p in FIXTURES.iterdir() if p.is_file()))
def test_replies_of_further_clients(name: str) -> None:
    """Apple, Thunderbird, Outlook on the web and on phones, Samsung, Yahoo: each as that client writes it."""
    raw = (FIXTURES / name).read_text(encoding="utf-8")
    part = reading(html=raw) if name.endswith(".html") else reading(raw, flowed="flowed" in name)
    found = align(part, FORM, ENGLISH)
    assert values(found) == {
        1: "The switch in the rack lost power.",
        2: "Moved it to the second feed.\nCalled Shirley.",
    }
    assert (found.doubts, found.notes, found.loose, found.commands) == ((), (), "", ())


def test_lost_line_ends_of_yahoos_text_part_are_no_disagreement() -> None:
    """Yahoo's text part runs neighbours together; its HTML is believed."""
    html = "<div>1: Switch down</div><div>2: Rebooted it</div><div id='yahoo_quoted_1'><div>On x</div></div>"
    found = align(reading("1: Switch down2: Rebooted it\n", html), FORM, ENGLISH)
    assert (values(found), found.doubts) == ({1: "Switch down", 2: "Rebooted it"}, ())


def test_send_needs_both_parts() -> None:
    """N.6: SEND that only the HTML shows is asked about, never obeyed."""
    both = align(reading(gmail_text("SEND", {}, ""), gmail_html("Send.", {}, "")), FORM, ENGLISH)
    assert both.commands == (Command(verb=Verb.SEND),)
    one = align(reading(gmail_text("Wait", {}, ""), gmail_html("SEND", {}, "")), FORM, ENGLISH)
    assert (one.commands, one.near_miss) == ((), "SEND")


@pytest.mark.parametrize("client", CLIENTS)
def test_send_in_or_under_the_quote_never_counts(client: str) -> None:
    """N.6: only the first line above the quote can approve."""
    for made in (("", {LABEL[1]: "SEND"}, ""), ("", {}, "SEND"), ("Hello\nSEND", {}, "")):
        text, html = (render(*made) for render in CLIENTS[client])
        for part in (reading(text), reading(html=html), reading(text, html)):
            assert align(part, FORM, ENGLISH).commands == ()


def test_send_with_edits_reports_both() -> None:
    """SEND above edits gives command and edits; SEND behind an edit is no part of it and is asked about."""
    found = align(reading(gmail_text("SEND\n2: new text", {}, "")), FORM, ENGLISH)
    assert (found.commands, values(found)) == ((Command(verb=Verb.SEND),), {2: "new text"})
    found = align(reading(gmail_text("2: new text\n\nSEND", {}, "")), FORM, ENGLISH)
    assert (found.commands, found.near_miss, values(found)) == ((), "SEND", {2: "new text"})


def test_send_survives_lost_line_ends() -> None:
    """N.6: Yahoo's text part runs SEND into the next line; where no word differs, the HTML is believed."""
    html = "<div>SEND</div><div>Kind regards,</div><div>Paul</div>"
    assert align(reading("SENDKind regards,Paul\n", html), FORM, ENGLISH).commands == (Command(verb=Verb.SEND),)
    other = align(reading("Do not SENDKind regards,Paul\n", html), FORM, ENGLISH)
    assert (other.commands, other.near_miss) == ((), "SEND")


@pytest.mark.parametrize(
    ("top", "expected", "asked"),
    [
        # A number that is labelled better elsewhere is no label, and its list goes on.
        (f"{LABEL[1]} Broken:\n2: two disks\n3: the fan\n\n{LABEL[2]} made room", {1: "B", 2: "made room"}, set()),
        ("[1] Broken:\n2: two disks\n[2] made room", {1: "Broken:\n2: two disks", 2: "made room"}, set()),
        # Nobody can tell which of two is the label, or whether another kind of number is one.
        ("1: Broken:\n2: two disks\n2: made room\n5: 8:55", {5: "8:55"}, {1, 2}),
        ("[1] Broken:\n2: two disks\n[5] 8:55", {5: "8:55"}, {1, 2}),
        ("2. First:\n1. reboot\n2. check\n3. never", {}, {2}),
        (f"{LABEL[1]} a cable\n\n2: made room", {1: "a cable", 2: "made room"}, set()),
        # Out of order.
        ("2: made room\n1: disk full", {1: "disk full", 2: "made room"}, set()),
        ("2. made room\n1. disk full", {1: "disk full", 2: "made room"}, set()),
        # One field's words as another's answer; a list's points may have been counted anew.
        ("[1] Can it happen again?\n[2] yes", {1: "Can it happen again?", 2: "yes"}, set()),
        ("1: What do you recommend?\n2: yes", {1: "What do you recommend?", 2: "yes"}, set()),
        ("1. What do you recommend? a new disk", {4: "a new disk"}, set()),
    ],
)
def test_numbers_in_answers(top: str, expected: dict[int, str], asked: set[int]) -> None:
    """S0.8: a number within an answer is no label where another is better; where nobody can tell, it is asked about."""
    expected = {n: "Broken:\n2: two disks\n3: the fan" if v == "B" else v for n, v in expected.items()}
    for renders in CLIENTS.values():
        text, html = (render(top, {}, "") for render in renders)
        for part in (reading(html=html), reading(text, html)):
            found = align(part, FORM, ENGLISH)
            assert (values(found), {d.number for d in found.doubts}) == (expected, asked)
            assert all(len(d.candidates) > 1 for d in found.doubts)


PASTED = "It said\nFrom: Zabbix <z@msp.example>\nDate: Tue, 24 Nov 2026\nSubject: disk full\n\nIt was full."


@pytest.mark.parametrize("parts", ["text", "html", "both"])
@pytest.mark.parametrize("style", ["top", "inline", "below", "mixed"])
@pytest.mark.parametrize("client", CLIENTS)
def test_a_mail_pasted_into_an_answer(client: str, style: str, parts: str) -> None:
    """A pasted mail's head starts no quote where answers go on behind it; above the real quote it is asked about."""
    answers = {1: PASTED, 2: "made room"}
    found = align(reply(client, style, parts, answers), FORM, ENGLISH)
    if style == "mixed":
        assert (values(found), {d.number for d in found.doubts}) == ({2: "made room"}, {1})
    else:
        assert values(found) == answers


def test_a_colleagues_words_between_reply_and_form_are_no_answer() -> None:
    """A forwarded form: what the colleague wrote above it is never part of an answer, at most asked about."""
    head = "From: Ann Lee <ann@msp.example>\nSent: Tuesday\nTo: Paul\nSubject: FW: What happened?"
    form = outlook_text("", {}, "")
    found = align(reading(f"1: disk full\n\n{head}\n\nCan you answer this?\n\n{form}"), FORM, ENGLISH)
    assert "answer this" not in "".join(values(found).values())
    assert [(d.number, d.candidates[0]) for d in found.doubts] == [(1, "disk full")]


def test_typed_dashes_in_the_quote() -> None:
    """ "-- " in an answer between quoted lines ends nothing; behind the form it begins a signature."""
    for renders in CLIENTS.values():
        text, html = (render("", {LABEL[1]: "log:\n-- \nend", LABEL[7]: "all"}, "-- \nPaul") for render in renders)
        for part in (reading(text), reading(html=html), reading(text, html)):
            found = align(part, FORM, ENGLISH)
            assert ({n: v.replace("-- ", "--") for n, v in values(found).items()}, found.notes) == (
                {1: "log:\n--\nend", 7: "all"},
                (),
            )


def test_an_instruction_on_the_labels_own_line_is_an_answer() -> None:
    """What stands right behind a label is the author's, even where it repeats the instruction below it."""
    text = gmail_text("", {}, "").replace("about it?", f"about it? {LINES[8]}")
    assert LINES[8] == "Leave blank if you like:"
    assert values(align(reading(text), FORM, ENGLISH)) == {2: "Leave blank if you like:"}


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(
    "signed",
    [
        "Paul Jones\nHead of Operations\nExample IT | 555 0100\nThis mail is confidential.",
        "Paul Jones\n\nExample IT",
        "-Paul",
        "Paul",
        "Kind regards,\nPaul",
    ],
)
def test_the_authors_name_begins_a_signature(client: str, signed: str) -> None:
    """MAIL-WORLD 2.3: behind a blank line, the author's name and what is under it is no answer and no loose text."""
    text, _ = CLIENTS[client]
    found = align(reading(text(f"1: The fan\n2: Replaced it\n\n{signed}", {}, "")), FORM, ENGLISH)
    assert (values(found), found.loose) == ({1: "The fan", 2: "Replaced it"}, "")
    found = align(reading(text(f"Hi,\n\n{signed}", {LABEL[1]: "The fan"}, "")), FORM, ENGLISH)
    assert (values(found), found.loose) == ({1: "The fan"}, "")


@pytest.mark.parametrize(
    "answer", ["Who was there?\nPaul Jones\nand Ann", "They were\n\nPaul Jones\n\nShe left early.", "Paul\nreplaced it"]
)
def test_the_authors_name_in_an_answer_is_an_answer(answer: str) -> None:
    """N.5: a name that does not end what was typed, or is all that was typed, is what was said."""
    assert values(align(reading(gmail_text(f"1: {answer}\n2: Paul Jones", {}, "")), FORM, ENGLISH)) == {
        1: answer,
        2: "Paul Jones",
    }


def test_gmails_quote_button_in_an_answer_begins_no_quote() -> None:
    """N.5: what is quoted within an answer belongs to it, and answers go on below."""
    typed = (
        '<div dir="ltr"><div>1: The fan. John said</div><blockquote class="gmail_quote" style="border-left:1px solid">'
        "nothing works</blockquote><div>and he was right.</div><div>2: Replaced it</div></div><br>"
    )
    found = align(reading(html=typed + gmail_html("", {}, "")), FORM, ENGLISH)
    assert values(found) == {1: "The fan. John said\n> nothing works\nand he was right.", 2: "Replaced it"}
    assert (found.doubts, found.loose, found.notes) == ((), "", ())


@pytest.mark.parametrize(
    ("top", "expected"),
    [
        ("1: 1) moved it\n2) checked it\n3) told her", {1: "1) moved it\n2) checked it\n3) told her"}),
        ("1: Seen (on switch 1 and\n2) for weeks.", {1: "Seen (on switch 1 and\n2) for weeks."}),
        ("2: We did:\n1) moved it\n2) checked it", {2: "We did:\n1) moved it\n2) checked it"}),
        (f"{LABEL[2]} Steps:\n1) moved it\n2) told her", {2: "Steps:\n1) moved it\n2) told her"}),
        ("1) The fan\n2) Replaced it", {1: "The fan", 2: "Replaced it"}),
    ],
)
def test_lists_with_brackets_stay_in_their_answers(top: str, expected: dict[int, str]) -> None:
    """N.5: "2)" in an answer that is labelled otherwise is a list's, as "2." is."""
    found = align(reading(gmail_text(top, {}, "")), FORM, ENGLISH)
    assert (values(found), found.doubts, found.loose) == (expected, (), "")


@pytest.mark.parametrize(
    ("top", "asked"),
    [
        ("1: As written in footnote\n[2] of the manual.\n2: Replaced it", {1, 2}),
        (f"{LABEL[2]}\n[1] moved it\n[2] checked it\n[3] told her", {1}),
    ],
)
def test_two_ways_to_label_are_asked_about(top: str, asked: set[int]) -> None:
    """N.5: where a label of the author's own kind stands in what another kind began, no section is sure."""
    found = align(reading(gmail_text(top, {}, "")), FORM, ENGLISH)
    assert (values(found), {d.number for d in found.doubts}) == ({}, asked)


def test_a_known_signature_ends_a_text() -> None:
    """N.6: lines by which an author is known to sign are an answer's where its author goes on behind them."""
    answer = "Called them:\nPaul Jones\nExample IT | 555 0100\nand the vendor"
    found = align(reading(gmail_text(f"1: {answer}", {}, "")), FORM, ENGLISH, SIGNATURE)
    assert values(found) == {1: answer}


@pytest.mark.parametrize("said", ["Hi,", "Hello Ann", "See my answers inline.", "Hi Ann,\n\nSee my answers below."])
def test_what_says_nothing_beside_answers_is_no_answer(said: str) -> None:
    """MAIL-WORLD 2.4: a greeting above answers, or where they are, is never laid into a field that is open."""
    assert align(reading(gmail_text(said, {LABEL[1]: "The fan"}, "")), FORM, ENGLISH).loose == ""
    assert align(reading(gmail_text(said, {}, "")), FORM, ENGLISH).loose == said


def test_lines_of_the_form_that_a_client_joined() -> None:
    """Two lines of the form that came back as one are still its own."""
    text = outlook_text("", {LABEL[1]: "full"}, "").replace("9:21.\n\nShirley", "9:21. Shirley")
    found = align(reading(f"{text}"), FORM, ENGLISH)
    assert (values(found), found.notes) == ({1: "full"}, ())


def test_a_new_mail_may_hold_its_command_in_the_subject() -> None:
    """S0.1: OPEN stands in the subject or the first line; the subject is used where the first line is none."""
    subject = "OPEN contoso: upgrade was not announced"
    expected = Command(verb=Verb.OPEN, argument="contoso: upgrade was not announced\nThey were surprised.")
    found = align(reading("They were surprised.\n\n-- \nPaul\n", subject=subject), None, ENGLISH)
    assert (found.commands, found.loose) == ((expected,), "")
    found = align(reading("OPEN contoso: upgrade was not announced\nThey were surprised.", subject="x"), None, ENGLISH)
    assert found.commands == (expected,)
    assert align(reading("They were surprised.", subject=f"Re: {subject}"), None, ENGLISH).commands == ()
    assert align(reading("Hello", subject="SEND"), None, ENGLISH).commands == ()


# Words and signs of prose; lines that look like labels, commands, signatures or banners are tried by hand above.
PROSE = st.lists(
    st.text(st.sampled_from("abc déß 漢字 ,;()/-&<\"'"), min_size=1, max_size=30)
    .map(lambda s: " ".join(s.split()))
    .filter(lambda s: any(c.isalpha() for c in s)),
    min_size=1,
    max_size=4,
).map("\n".join)


@settings(max_examples=60, deadline=None)
@given(
    one=PROSE,
    two=PROSE,
    client=st.sampled_from(sorted(CLIENTS)),
    style=st.sampled_from(["top", "inline", "below", "mixed"]),
    parts=st.sampled_from(["text", "html", "both"]),
)
def test_any_answer_comes_back_exact(one: str, two: str, client: str, style: str, parts: str) -> None:
    """Whatever prose is typed, every field holds exactly it, at every client and in every place."""
    answers = {1: one, 2: two, 6: "Tue 9:30"}
    assert values(align(reply(client, style, parts, answers), FORM, ENGLISH)) == answers


@pytest.mark.soak
@pytest.mark.parametrize(
    "text",
    [
        "On\n" * 5000,
        "On Tue, Nov 24, 2026 Valery <noc@example.com>\n" * 5000,
        "[2] What did we do about\n" * 20_000,
        "[1] What was the problem?\n" * 20_000,
        "1. a\n2. b\n" * 20_000,
        "thanks\n" * 20_000,
        "Leave blank if you\n" * 20_000,
        "From: a\n" * 20_000,
        "-- \n" * 20_000,
        "_" * 1_000_000,
        "> " * 500_000,
        ("word " * 14 + "\n") * 14_000,
        "[1]" * 300_000,
        "[1] What was the problem? " + "x " * 480_000,
        "".join(f"[1] What was the problem? {n}\n" for n in range(20_000)),
        "NOTE x\n" * 20_000,
        "[1] What was the problem?\n" * 9_000 + "2: a\n" + "2: b\n" * 9_000,
        "[1] What was the problem? a\nFrom: a\nSent: b\nTo: c\nx\nFrom: a\nSent: b\nTo: c\n" * 5_000 + TEXT,
        "5. a\n" + "1. b\n2: c\n" * 9_000,
    ],
    ids=lambda t: t[:12].strip(),
)
def test_hostile_text_is_read_to_its_end(text: str) -> None:
    """However a megabyte is made up, it is read and sends nothing; work that is not linear would not end here."""
    found = align(reading(text), FORM, ENGLISH)
    assert not any(command.verb is Verb.SEND for command in found.commands)


@pytest.mark.parametrize("parts", ["text", "html", "both"])
@pytest.mark.parametrize("client", CLIENTS)
def test_a_number_within_an_answer_is_asked_about_on_both_sides(client: str, parts: str) -> None:
    """N.5: "2: …" in the answer to [1] on top, [2] answered in the quote: neither is cut or taken in silence."""
    answers = {1: "port 2: link down\n2: link down is what it says", 2: "Paul moved it."}
    found = align(reply(client, "mixed", parts, answers), FORM, ENGLISH)
    assert {doubt.number for doubt in found.doubts} == {1, 2}
    assert answers[1] in next(doubt.candidates for doubt in found.doubts if doubt.number == 1)
