"""Commands at the top of a reply: what is one, and what never is (N.6)."""

import pytest

from mailflow.domain.form import Command, Verb
from mailflow.intake.commands import Commands, Vocabulary, parse_commands, subject_command
from mailflow.intake.quoting import plain_lines

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
        Verb.MAINTENANCE: ("maintenance", "planned maintenance"),
        Verb.CANCEL: ("cancel", "cancel it"),
    },
    near_miss=(r"\bsend\b", r"^(?:sned|sedn|snd)\b"),
    closings=("thanks", "kind regards"),
)


def parse(text: str) -> Commands:
    """The commands of a text part."""
    return parse_commands(plain_lines(text), ENGLISH)


@pytest.mark.parametrize(
    "text",
    [
        "SEND",
        "send",
        "Send.",
        "send!",
        "  Please send it. ",
        "*SEND*",
        "ok send",
        "Send\xa0it",
        "\n\n\ufeffsend it\n\nThanks,\nPaul",
        "CAUTION: This email came from outside the organization.\n\nSEND",
        "SEND\n\nOn Tue, Nov 24, 2026 at 10:02 AM Valery <v@example.com> wrote:\n\n> Reply SEND and this goes",
    ],
)
def test_send_is_a_whole_listed_line(text: str) -> None:
    """SEND is understood where the first line is, as a whole, one of its words, in any case."""
    assert parse(text).commands == (Command(verb=Verb.SEND),)


@pytest.mark.parametrize(
    "text",
    [
        "don't send yet",
        "Please don't SEND yet.",
        "SEND tomorrow?",
        "Send?",
        "send it to Bob",
        "sned",
        "SEND SEND",
        '"SEND"',
        "SEND - but fix the date first",
        "Not yet: send",
    ],
)
def test_close_to_send_is_asked_about(text: str) -> None:
    """A first line close to SEND is a near miss, word for word, and nothing else."""
    found = parse(text)
    assert (found.commands, found.near_miss) == ((), text)


@pytest.mark.parametrize(
    "text",
    [
        "Hello\nSEND",
        "> SEND",
        "-- \nSEND",
        "On Tue, Nov 24, 2026 at 10:02 AM Valery <v@example.com> wrote:\n> SEND",
        "From: Valery\nSent: today\nTo: Paul\nSubject: x\n\nSEND",
        "Thanks,\nSEND",
        "",
        "sender is down",
    ],
)
def test_send_elsewhere_never_counts(text: str) -> None:
    """SEND in a quote, a signature, or behind any other line is neither command nor near miss."""
    found = parse(text)
    assert (found.commands, found.near_miss) == ((), "")


@pytest.mark.parametrize(
    ("text", "verb", "argument"),
    [
        ("STOP", Verb.STOP, ""),
        ("stop.", Verb.STOP, ""),
        ("Sent", Verb.SENT, ""),
        ("RESEND", Verb.RESEND, ""),
        ("pause", Verb.PAUSE, ""),
        ("Resume!", Verb.RESUME, ""),
        ("help", Verb.HELP, ""),
        ("RESOLVED", Verb.RESOLVED, ""),
        ("resolved", Verb.RESOLVED, ""),
        ("RESOLVED 10:42", Verb.RESOLVED, "10:42"),
        ("Resolved: 10:42", Verb.RESOLVED, "10:42"),
        ("NO DEBRIEF (duplicate)", Verb.NO_DEBRIEF, "duplicate"),
        ("No debrief: a test of ours", Verb.NO_DEBRIEF, "a test of ours"),
        ("NOTE called Ann\nand Bob\n\nat noon", Verb.NOTE, "called Ann\nand Bob\n\nat noon"),
        ("note: called Ann", Verb.NOTE, "called Ann"),
        ("NOTE:\ncalled Ann\n\nThanks\nPaul", Verb.NOTE, "called Ann"),
        ("OPEN contoso: upgrade was not announced", Verb.OPEN, "contoso: upgrade was not announced"),
        ("MAINTENANCE northwind: Sat 22:00 to 23:00", Verb.MAINTENANCE, "northwind: Sat 22:00 to 23:00"),
        ("Maintenance: northwind: Sat 22:00 to 23:00", Verb.MAINTENANCE, "northwind: Sat 22:00 to 23:00"),
        ("*MAINTENANCE contoso: now for 1h*", Verb.MAINTENANCE, "contoso: now for 1h"),
        ("MAINTENANCE contoso co-*: now for 1h", Verb.MAINTENANCE, "contoso co-*: now for 1h"),
        ("PLANNED MAINTENANCE contoso: now for 1h", Verb.MAINTENANCE, "contoso: now for 1h"),
        ("MAINTENANCE", Verb.MAINTENANCE, ""),
        ("Cancel.", Verb.CANCEL, ""),
        ("CANCEL, moved to March", Verb.CANCEL, "moved to March"),
        ("Open: Contoso Ltd: it\nis late", Verb.OPEN, "Contoso Ltd: it\nis late"),
    ],
)
def test_commands_and_their_arguments(text: str, verb: Verb, argument: str) -> None:
    """Each command is known with all that stands behind it."""
    assert parse(text).commands == (Command(verb=verb, argument=argument),)


@pytest.mark.parametrize(
    "text",
    [
        "Note that the server is old",
        "Open the door",
        "Resolved it by rebooting",
        "No debrief needed here I think",
        "STOP the server please",
        "stopped",
        "Help me",
        "NOTED",
        "OPENING times: 9 to 5",
        "pause, then go on",
        "Planned maintenance",
        "maintenance.",
        "Planned maintenance: we replaced the disks",
        "Maintenance at northwind went on until 2:00",
        "Cancel the order please",
    ],
)
def test_prose_is_no_command(text: str) -> None:
    """A sentence that begins with a command's word is a sentence."""
    found = parse(text)
    assert found.commands == ()
    assert found.rest[0].text == text


def test_several_commands() -> None:
    """Commands may follow each other; in a note only capitals end it; SEND counts only as the first."""
    assert parse("STOP\nNOTE wrong client\nstop\nRESOLVED 9:00\nand more").commands == (
        Command(verb=Verb.STOP),
        Command(verb=Verb.NOTE, argument="wrong client\nstop"),
        Command(verb=Verb.RESOLVED, argument="9:00"),
    )
    assert parse("STOP\nSEND").commands == (Command(verb=Verb.STOP),)


def test_a_subject_that_is_a_command() -> None:
    """A new mail's subject may be a command, but never SEND nor an echo."""
    assert subject_command("OPEN contoso: late", "", ENGLISH) == Command(verb=Verb.OPEN, argument="contoso: late")
    assert subject_command("Help", "please", ENGLISH) == Command(verb=Verb.HELP)
    for subject in ("SEND", "Re: OPEN contoso: late", "Opening hours", ""):
        assert subject_command(subject, "x", ENGLISH) is None
