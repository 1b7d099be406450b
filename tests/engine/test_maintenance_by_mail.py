"""Planned work that a liaison announces by mail, on the real road: understood, kept, quiet, and called off."""

from datetime import timedelta
from pathlib import Path

import pytest

from mailflow.domain.letters import LetterKind
from mailflow.domain.maintenance import Window
from tests.engine.test_correlation import trouble
from tests.house import JOHN, MORNING, NOC, VALERY, ByHand, Received, by_hand, write_mail

pytestmark = pytest.mark.soak

PLAN = "MAINTENANCE northwind file server: Sat 22:00 to Sun 02:00, firmware\n"
NOW = "MAINTENANCE northwind file server: now for 2 hours, firmware\n"
# MORNING is a Tuesday's, in Chicago, where Valery is.
SATURDAY = MORNING.replace(day=28, hour=22, minute=0, second=0)
SUNDAY = MORNING.replace(day=29, hour=2, minute=0, second=0)


def answer(on: ByHand) -> Received:
    """What Valery was told last."""
    return on.last(LetterKind.NOTICE)


def said(on: ByHand) -> str:
    """Its words, in one line."""
    return " ".join(answer(on).text.split())


def windows(on: ByHand) -> list[Window]:
    """What counts."""
    return on.app.store.windows.current(on.now)


def test_an_announcement_is_said_back_in_full_and_counts(tmp_path: Path) -> None:
    """S4.13: one line announces planned work: its days and times come back in full, and the window holds."""
    with by_hand(tmp_path) as on:
        on.writes(VALERY, PLAN, "Saturday")
        assert on.decisions() == [("Announce", "liaison-announces")]
        assert str(answer(on).message["Subject"]).startswith("Planned work: Northwind, file server")
        whole = "Northwind, file server: Saturday 28 November at 22:00 to Sunday 29 November at 2:00, firmware."
        assert whole in said(on)
        assert "Alerts inside are recorded and mail nobody; what is still down at the end counts as new." in said(on)
        assert "reply CANCEL" in said(on)
        (window,) = windows(on)
        assert (window.client, window.things, window.why) == ("northwind", ("file server",), "firmware")
        assert (window.begins, window.ends) == (SATURDAY, SUNDAY)
        assert on.got(JOHN) == []
        assert on.incidents() == []


def test_trouble_inside_mails_nobody_and_counts_at_the_end(tmp_path: Path) -> None:
    """S4.13: an alert inside the announced window is recorded and mails nobody; what is still on then opens."""
    with by_hand(tmp_path) as on:
        on.writes(VALERY, PLAN)
        before = len(on.letters())
        on.at(SATURDAY)
        on.alert()
        on.later(minutes=20)
        on.alert()
        on.at(SUNDAY - timedelta(minutes=1))
        assert on.decisions()[1:] == [("Mute", "in-a-maintenance-window")] * 2
        assert (on.incidents(), len(on.letters())) == ([], before)
        on.at(SUNDAY)
        assert [i.title for i in on.incidents()] == ["file server"]


def test_it_covers_its_own_hours_thing_and_client_only(tmp_path: Path) -> None:
    """S4.13: before it begins, another thing of the client's and another client's are trouble as ever."""
    with by_hand(tmp_path) as on:
        on.writes(VALERY, PLAN)
        on.at(SATURDAY - timedelta(minutes=1))
        on.alert(trouble("NW-FS01", 6), "Problem: NW-FS01 has been restarted")
        on.at(SATURDAY)
        on.alert(trouble("NW-MX01", 7), "Problem: NW-MX01 has been restarted")
        on.later(hours=2)  # two of a kind within an hour would be a storm
        on.alert(trouble("CO-ACC01", 8), "Problem: CO-ACC01 has been restarted")
        assert [action for action, _ in on.decisions()[1:]] == ["OpenFromAlert"] * 3


def test_it_is_called_off_by_a_reply(tmp_path: Path) -> None:
    """S4.13: CANCEL, in a reply to the answer, calls exactly that work off, once; it is said back."""
    with by_hand(tmp_path) as on:
        on.writes(VALERY, PLAN)
        first = answer(on)
        on.writes(VALERY, "MAINTENANCE contoso: Sat 22:00 to 23:00\n")
        on.replies(first, "CANCEL\n")
        assert "Called off: Northwind, file server, Saturday 28 November at 22:00 to Sunday" in said(on)
        assert [w.client for w in windows(on)] == ["contoso"]
        on.replies(first, "Cancel, please\n")  # prose is no command
        on.replies(first, "CANCEL, moved to March\n")
        assert "was called off before" in said(on)
        on.at(SATURDAY)
        on.alert()
        assert on.decisions()[-1] == ("OpenFromAlert", "new-key")


def test_what_broke_before_it_was_called_off_counts_as_new(tmp_path: Path) -> None:
    """S4.13: where the work ends early, what is still on does not wait for the end that was planned."""
    with by_hand(tmp_path) as on:
        on.writes(VALERY, NOW)
        on.later(minutes=10)
        on.alert()
        assert on.incidents() == []
        on.replies(answer(on), "CANCEL\n")
        assert "still on counts as new" in said(on)
        assert [i.title for i in on.incidents()] == ["file server"]
        on.at(MORNING + timedelta(hours=3))
        assert len(on.incidents()) == 1


def test_work_that_is_called_off_leaves_other_work_standing(tmp_path: Path) -> None:
    """S4.13: what another window covers too stays quiet until that one ends."""
    with by_hand(tmp_path) as on:
        on.writes(VALERY, NOW)
        first = answer(on)
        on.writes(VALERY, "MAINTENANCE northwind: now for 2 hours, all of it\n")
        on.alert()
        on.replies(first, "CANCEL\n")
        on.later(minutes=30)
        assert on.incidents() == []
        on.later(hours=2)
        assert len(on.incidents()) == 1


def test_cancel_where_nothing_was_announced_changes_nothing(tmp_path: Path) -> None:
    """S4.13: CANCEL in a new mail, or in a reply to another notice, says where it belongs."""
    with by_hand(tmp_path) as on:
        on.writes(VALERY, PLAN)
        on.writes(VALERY, "CANCEL\n", "Saturday is off")
        assert "in a reply to the mail that confirmed it" in said(on)
        on.replies(answer(on), "CANCEL\n")
        assert "in a reply to the mail that confirmed it" in said(on)
        assert len(windows(on)) == 1


def test_cancel_in_a_reply_about_an_incident_holds_its_letters(tmp_path: Path) -> None:
    """N.6: whoever calls off a letter with another word than STOP finds it held."""
    with by_hand(tmp_path) as on:
        on.alert()
        on.replies(on.last(LetterKind.OPENED), "CANCEL\n")
        assert "Held back" in said(on)
        on.later(minutes=30)
        assert on.got(JOHN) == []


def test_an_answer_to_planned_work_settles_no_letter(tmp_path: Path) -> None:
    """N.6: the number of planned work is never taken for a letter's: SENT in a reply to it settles nothing."""
    with by_hand(tmp_path) as on:
        on.writes(VALERY, PLAN)
        states = [(letter.id, letter.state) for letter in on.letters()]
        on.replies(answer(on), "RESEND\n")
        assert [(letter.id, letter.state) for letter in on.letters()][: len(states)] == states
        assert "Nothing was changed" in said(on)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("fabrikam: Sat 22:00 to 23:00", "I know no client “fabrikam”. I know: contoso, northwind."),
        ("northwind: 5/6 22:00 to 23:00", "“5/6 22:00” can be two dates."),
        ("northwind: 31 Nov 22:00 to 23:00", "There is no such date: “31 Nov 22:00”."),
        ("northwind: 25:00 to 26:00", "There is no such time: “25:00”."),
        ("northwind: 22:00 UTC to 23:00 UTC", "“22:00 UTC” names a time zone."),
        ("northwind: Sat 22:00 to Sat 02:00", "It would end before it begins:"),
        ("northwind: 2026-11-20 22:00 to 23:00", "That has gone by:"),
        ("northwind: 2028-01-01 22:00 to 23:00", "more than a year ahead"),
        ("northwind: 2026-12-01 22:00 to 2027-02-01 22:00", "longer than a month"),
        ("northwind: Sat 22:00", "I could not read a beginning and an end"),
        ("northwind on Saturday", "I found no client, colon and times in “northwind on Saturday”."),
    ],
)
def test_what_was_not_understood_is_asked_about(tmp_path: Path, line: str, why: str) -> None:
    """S4.13: what is unclear, unknown or gone by counts for nothing; what was wrong and how to write it comes back."""
    with by_hand(tmp_path) as on:
        on.writes(VALERY, f"MAINTENANCE {line}\n")
        assert why in said(on)
        assert "I took nothing, so alerts mail as ever. Write it like this: MAINTENANCE northwind" in said(on)
        assert str(answer(on).message["Subject"]).startswith("Not understood")
        assert windows(on) == []


def test_the_bare_word_is_answered_with_how_to_write_it(tmp_path: Path) -> None:
    """S4.13: whoever writes only the word learns the rest."""
    with by_hand(tmp_path) as on:
        on.writes(VALERY, "MAINTENANCE\n")
        assert "Write it like this" in said(on)


@pytest.mark.parametrize(
    ("line", "client", "things"),
    [
        ("all: now for 1 hour", "", ()),
        ("Northwind: now for 1 hour", "northwind", ()),
        ("NWT: now for 1 hour", "northwind", ()),
        ("Northwind Traders file server: now for 1 hour", "northwind", ("file server",)),
        ("Northwind NW-FS01 and mail: now for 1 hour", "northwind", ("NW-FS01", "mail")),
        ("northwind your file server: now for 1 hour", "northwind", ("file server",)),
        ("northwind NW-FS01.northwind.example: now for 1 hour", "northwind", ("NW-FS01.northwind.example",)),
        ("northwind NW-FS01.lan: now for 1 hour", "northwind", ("NW-FS01",)),
        ("northwind nw-*: now for 1 hour", "northwind", ("nw-*",)),
    ],
)
def test_whose_and_what(tmp_path: Path, line: str, client: str, things: tuple[str, ...]) -> None:
    """S4.13: a client is meant by its key, its name or an alias, or all are; a thing by any of its names."""
    with by_hand(tmp_path, aliases='["Northwind Traders", "NWT"]') as on:
        on.writes(VALERY, f"MAINTENANCE {line}\n")
        assert [(w.client, w.things) for w in windows(on)] == [(client, things)]
        assert "No component" not in said(on)
        on.alert()
        assert on.decisions()[-1] == ("Mute", "in-a-maintenance-window")


def test_everything_of_everybody_is_named_so(tmp_path: Path) -> None:
    """S4.13: work at every client is said back as what it is, since it silences everything."""
    with by_hand(tmp_path) as on:
        on.writes(VALERY, "MAINTENANCE all: now for 1 hour\n")
        assert "Every client, everything: Tuesday 24 November" in said(on)


def test_a_thing_that_nobody_knows_is_kept_and_said(tmp_path: Path) -> None:
    """S4.13: a thing that is no component counts, and she is told so, with what the client has."""
    with by_hand(tmp_path) as on:
        on.writes(VALERY, "MAINTENANCE northwind NAS and mail: now for 1 hour\n")
        assert "No component is called “NAS”" in said(on)
        assert "Northwind has: file server, mail." in said(on)
        assert [w.things for w in windows(on)] == [("NAS", "mail")]


def test_her_times_are_hers(tmp_path: Path) -> None:
    """S4.13: times are the liaison's, and where the client's clock shows another hour she is told which."""
    with by_hand(tmp_path) as on:
        on.writes(VALERY, "MAINTENANCE contoso: Sat 22:00 to 23:00\n")
        assert windows(on)[0].begins == SATURDAY
        assert "(America/Chicago). Where Contoso is, it begins Saturday 28 November at 23:00." in said(on)


def test_a_mail_announces_one_window(tmp_path: Path) -> None:
    """S4.13: a second line of the same mail is not dropped in silence."""
    with by_hand(tmp_path) as on:
        on.writes(VALERY, PLAN + "MAINTENANCE contoso: Sat 22:00 to 23:00\n")
        assert "A mail announces one window." in said(on)
        assert "“contoso: Sat 22:00 to 23:00”" in said(on)
        assert [w.client for w in windows(on)] == ["northwind"]
        assert len(on.got(VALERY, LetterKind.NOTICE)) == 1


def test_the_same_mail_twice_is_announced_and_answered_once(tmp_path: Path) -> None:
    """S4.13: a mail that arrives twice announces one window and is answered once."""
    with by_hand(tmp_path) as on:
        raw = on.writes(VALERY, PLAN)
        on.send(VALERY, raw)
        on.turn()
        assert len(windows(on)) == 1
        assert len(on.got(VALERY, LetterKind.NOTICE)) == 1


def test_work_is_moved_in_one_reply(tmp_path: Path) -> None:
    """S4.13: CANCEL and a new MAINTENANCE line in one reply move the work."""
    with by_hand(tmp_path) as on:
        on.writes(VALERY, PLAN)
        on.replies(answer(on), "CANCEL\nMAINTENANCE northwind file server: Sun 22:00 to Mon 02:00, firmware\n")
        assert [w.begins for w in windows(on)] == [SATURDAY + timedelta(days=1)]
        subjects = [str(m.message["Subject"]) for m in on.got(VALERY, LetterKind.NOTICE)]
        assert [s.partition(":")[0] for s in subjects] == ["Planned work", "Called off", "Planned work"]


def test_whoever_is_not_proven_is_asked(tmp_path: Path) -> None:
    """N.6: in her name but unproven, it silences nothing; she is asked whether it was her."""
    with by_hand(tmp_path) as on:
        on.arrives(write_mail(f"Valery Stufano <{VALERY}>", NOC, "Saturday", PLAN, on.now))
        assert on.decisions() == [("Confirm", "not-authenticated")]
        assert len(on.got(VALERY, LetterKind.CONFIRM)) == 1
        assert windows(on) == []


def test_a_client_announces_nothing(tmp_path: Path) -> None:
    """N.6: a client's mail that begins with the word is a client's mail."""
    with by_hand(tmp_path) as on:
        on.writes(JOHN, PLAN)
        assert windows(on) == []
        assert on.decisions()[0][0] == "OpenFromClient"


def test_what_was_announced_outlives_a_restart(tmp_path: Path) -> None:
    """S4.13: planned work is a record, and holds in the next daemon too."""
    with by_hand(tmp_path) as on:
        on.writes(VALERY, PLAN)
        on.restart()
        on.at(SATURDAY)
        on.alert()
        assert on.decisions()[-1][0] == "Mute"
