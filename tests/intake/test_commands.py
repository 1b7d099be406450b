"""Commands at the top of a reply: what is one, and what never is (N.6)."""

import tomllib

import pytest

from mailflow.config.shipped import shipped
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


TABLE = tomllib.loads((shipped("templates") / "letters/en/words.toml").read_text())["command"]
SHIPPED = Vocabulary(
    words={verb: tuple(TABLE.get(verb.value, ())) for verb in Verb},
    near_miss=tuple(TABLE["near_miss"]),
    closings=tuple(TABLE["closings"]),
)


def parse(text: str, vocabulary: Vocabulary = ENGLISH) -> Commands:
    """The commands of a text part."""
    return parse_commands(plain_lines(text), vocabulary)


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
        "OPENING times: 9 to 5",
        "pause, then go on",
        "Planned maintenance",
        "maintenance.",
        "Planned maintenance: we replaced the disks",
        "Maintenance at northwind went on until 2:00",
        "Cancel the order please",
        "Resolved by 2 restarts",
        "Resolved at 9:20 by replacing the disk",
        "Resolved: replaced the disk",
        "Open: a ticket with the maker",
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


# --- the shipped words ---


@pytest.mark.parametrize(
    ("text", "verb", "argument"),
    [
        ("later friday", Verb.LATER, "friday"),
        ("Later by Friday 15:00, the maker is late", Verb.LATER, "by Friday 15:00, the maker is late"),
        ("LATER next week", Verb.LATER, "next week"),
        ("extend to tomorrow noon.", Verb.LATER, "tomorrow noon"),
        ("Later: in two days", Verb.LATER, "in two days"),
        ("Update: We found it.", Verb.UPDATE, "We found it."),
        ("ask paul, which disk?", Verb.ASK, "paul, which disk?"),
        ("Ask Paul", Verb.ASK, "Paul"),
        ("ASK Paul which disk it was", Verb.ASK, "Paul which disk it was"),
        ("assign robin", Verb.ASSIGN, "robin"),
        ("Assign to Robin Day.", Verb.ASSIGN, "Robin Day"),
        ("ASSIGN to Robin", Verb.ASSIGN, "Robin"),
        ("EXTEND to Monday", Verb.LATER, "Monday"),
        ("assign it to robin", Verb.ASSIGN, "robin"),
        ("audience john and shirley", Verb.AUDIENCE, "john and shirley"),
        ("AUDIENCE all", Verb.AUDIENCE, "all"),
        ("priority p1", Verb.PRIORITY, "p1"),
        ("Priority: P2, the whole office waits", Verb.PRIORITY, "P2, the whole office waits"),
        ("Action Paul by Friday: replace it", Verb.ACTION, "Paul by Friday: replace it"),
        ("status?", Verb.STATUS, ""),
        ("Workaround 9:20", Verb.WORKAROUND, "9:20"),
        ("failover: at 9:20 this morning", Verb.FAILOVER, "at 9:20 this morning"),
        ("fixed 10 minutes ago", Verb.RESOLVED, "10 minutes ago"),
        ("Fixed just now.", Verb.RESOLVED, ""),
        ("Resolved November 24, 2026 at 9:32", Verb.RESOLVED, "November 24, 2026 at 9:32"),
        ("close: a test", Verb.CLOSE, "a test"),
        ("Reopen: it is back", Verb.REOPEN, "it is back"),
        ("done", Verb.DONE, ""),
    ],
)
def test_commands_need_no_capitals(text: str, verb: Verb, argument: str) -> None:
    """N.5: a command is understood in the way people write it, whatever the case."""
    assert parse(text, SHIPPED).commands == (Command(verb=verb, argument=argument),)


@pytest.mark.parametrize(
    "text",
    [
        "Ask for a quote was declined",
        "Ask the maker for a new one",
        "Later that day it failed again",
        "Later today it failed again",
        "Later on Friday it failed",
        "Extend the volume",
        "Extend to two disks",
        "Close to the rack there was water",
        "Closed the ticket with the maker",
        "Update KB5046617 restarted it",
        "Updates were installed at 9:12",
        "Update of the firmware failed",
        "Status LED was red",
        "STATUS LED was red",
        "Status: one LED was red",
        "Priority was given to the mail server",
        "Priority: mail first",
        "Action was taken by the maker",
        "Action: replaced the disk",
        "Assign static addresses",
        "Assigned a new address to it",
        "Audience of the mail was wrong",
        "Done by the maker",
        "Done, we replaced it",
        "Workaround: we moved it to the other host",
        "Workaround was to restart the spooler",
        "Failover: the second node took over",
        "Failover to node 2 worked",
        "Fixed 3 disks",
        "Fixed: replaced the disk",
        "Resolved by restarting it at 9:20 and again at 9:40",
        "Call to the maker at 9:20",
        "Call: the maker",
        "Merge of the tables failed",
        "Split tunnel was off",
        "Reopened the mailbox",
        "Parent process crashed",
        "Help desk reset it",
        "DISK was full",
    ],
)
def test_answers_that_begin_with_a_commands_word_stay_answers(text: str) -> None:
    """N.5: what may be an answer to the form is never taken for a command because of its first word."""
    found = parse(f"{text}\nand so on", SHIPPED)
    assert (found.commands, found.near_miss) == ((), "")
    assert [line.text for line in found.rest] == [text, "and so on"]


@pytest.mark.parametrize(
    ("text", "nearest"),
    [
        ("UPDTE the client", ("UPDATE",)),
        ("STAUS", ("STATUS",)),
        ("LATTER Friday", ("LATER",)),
        ("Asign Robin", ("ASSIGN",)),
    ],
)
def test_a_misspelt_command_is_shown_the_nearest(text: str, nearest: tuple[str, ...]) -> None:
    """N.5: a word that is nearly a command is handed back with what it may have meant, and does nothing."""
    found = parse(text, SHIPPED)
    assert (found.commands, found.unknown, found.nearest) == ((), text, nearest)


def test_a_misspelt_command_alone_is_no_answer() -> None:
    """N.5: "STAUS" and no more is not laid into a form; with words below it, all of it may be an answer."""
    assert parse("STAUS\n\nThanks,\nValery", SHIPPED).rest[0].text == ""
    assert parse("CLOSET flooded\nin the night", SHIPPED).rest[0].text == "CLOSET flooded"


def test_only_capitals_end_a_text_to_a_client() -> None:
    """N.6: nothing within the words of UPDATE is a command in small letters, with a colon or not."""
    text = "We are nearly there.\nResolved at 8:05 by a restart.\nNote: bring the disks.\nLater today we go on."
    assert parse(f"UPDATE {text}\nSTATUS", SHIPPED).commands == (
        Command(verb=Verb.UPDATE, argument=text),
        Command(verb=Verb.STATUS),
    )


def test_a_reason_goes_on_below_and_is_ended_by_any_command() -> None:
    """N.5: what stands below LATER, ASSIGN, ASK, CLOSE or REOPEN is why, and no answer to the form."""
    text = "later friday\nThe maker is late.\nask paul, which disk?\nand whose?\nstatus\nclose: it was\na test"
    found = parse(text, SHIPPED)
    assert found.commands == (
        Command(verb=Verb.LATER, argument="friday\nThe maker is late."),
        Command(verb=Verb.ASK, argument="paul, which disk?\nand whose?"),
        Command(verb=Verb.STATUS),
        Command(verb=Verb.CLOSE, argument="it was\na test"),
    )
    assert found.rest == ()


@pytest.mark.parametrize(
    "behind",
    [
        "Thanks\nCLOSE a test",
        "Kind regards,\nValery\nCLOSE a test",
        "-- \nCLOSE a test",
        "--\nCLOSE a test",
        "On Tue, Nov 24, 2026 at 10:02 AM Valery <v@example.com> wrote:\n> CLOSE a test",
        "> CLOSE a test",
    ],
)
@pytest.mark.parametrize("first", ["STATUS", "LATER Friday", "UPDATE We go on."])
def test_nothing_behind_a_closing_or_in_a_quote_is_a_command(first: str, behind: str) -> None:
    """N.6: a signature and a quote give no commands."""
    found = parse(f"{first}\n\n{behind}", SHIPPED).commands
    assert [command.verb for command in found] == [parse(first, SHIPPED).commands[0].verb]
