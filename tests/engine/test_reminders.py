"""What was promised to a client is reminded of, escalated and handed over: each once, whatever the clock does."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from mailflow.domain.incident import PromiseState
from mailflow.domain.letters import LetterKind
from tests.house import DANA, JOHN, NOC, ROBIN, SECOND_LIAISON, VALERY, ByHand, Received, by_hand, write_mail

pytestmark = pytest.mark.soak

CHICAGO = ZoneInfo("America/Chicago")
NOTICE, FORM, OPENED = LetterKind.NOTICE, LetterKind.FORM, LetterKind.OPENED


def day(number: int, hour: int = 8, minute: int = 1) -> datetime:
    """November 2026 in Chicago; the 24th is the Tuesday of the story."""
    return datetime(2026, 11, number, hour, minute, tzinfo=CHICAGO)


def promised(on: ByHand) -> None:
    """John was told on Tuesday, and promised a debrief by Wednesday, 17:00."""
    on.alert()
    on.later(minutes=4)


def notices(on: ByHand, who: str, word: str) -> list[Received]:
    """The notices to somebody with a word in their subject."""
    return [m for m in on.got(who, NOTICE) if word in m.subject]


def test_a_promise_is_reminded_of_and_escalated_once(tmp_path: Path) -> None:
    """Deadlines: before and at its time the liaison hears, after it a manager; each once, across restarts."""
    with by_hand(tmp_path) as on:
        promised(on)
        on.at(day(25, 14, 0))
        assert notices(on, VALERY, "Due soon") == []
        on.at(day(25, 15, 1))
        on.restart()
        on.later(minutes=10)
        assert len(notices(on, VALERY, "Due soon")) == 1
        on.at(day(25, 17, 1))
        on.later(minutes=10)
        assert len(notices(on, VALERY, "Late")) == 1
        assert notices(on, DANA, "Late") == []
        on.at(day(26, 7, 30))
        on.restart()
        assert len(notices(on, DANA, "Late")) == 1
        assert "John Harper was promised" in " ".join(notices(on, DANA, "Late")[0].text.split())


def test_a_missed_night_is_caught_up_without_a_burst(tmp_path: Path) -> None:
    """Deadlines: what was due while nobody ran collapses into the last of it, and the record says what was skipped."""
    with by_hand(tmp_path) as on:
        promised(on)
        on.stop()
        on.clock.move_to(day(27, 9, 0))
        on.start()
        assert notices(on, VALERY, "Due soon") + notices(on, VALERY, "Late") == []
        assert len(notices(on, DANA, "Late")) == 1  # the administrator, here
        skipped = [e for e in on.app.store.records.timeline(1) if e.what == "reminder skipped"]
        assert [e.text for e in skipped] == ["soon, due, late: a later one was due as well"]


def test_what_is_kept_or_put_off_reminds_nobody(tmp_path: Path) -> None:
    """N.4: a debrief sent in time, or a promise put off, has no reminder at the old time."""
    with by_hand(tmp_path) as on:
        promised(on)
        on.replies(on.last(OPENED), "LATER 27 November, waiting for the vendor")
        on.replies(on.last(LetterKind.PREVIEW), "SEND")
        on.later(minutes=4)
        on.at(day(26, 9, 0))
        assert notices(on, VALERY, "Due soon") + notices(on, VALERY, "Late") == []
        on.at(day(27, 15, 1))
        assert len(notices(on, VALERY, "Due soon")) == 1
        on.recovery()
        on.later(minutes=11)
        on.replies(on.last(FORM), "1: A cable was loose.\n2: We fixed it in place.")
        on.replies(on.last(LetterKind.PREVIEW), "SEND")
        on.later(minutes=5)
        on.at(day(30, 9, 0))
        assert notices(on, VALERY, "Late") + notices(on, DANA, "Late") == []


def test_a_day_that_nobody_was_told_of_is_none(tmp_path: Path) -> None:
    """N.4: LATER whose letter was never sent: the client waits for the first day, and that is reminded of."""
    with by_hand(tmp_path) as on:
        promised(on)
        on.replies(on.last(OPENED), "LATER 30 November")
        on.at(day(26, 9, 0))
        assert len(notices(on, DANA, "Late")) == 1


def test_an_escalation_can_be_answered(tmp_path: Path) -> None:
    """Deadlines: TAKE below it makes it the manager's, who then has the form."""
    with by_hand(tmp_path) as on:
        promised(on)
        on.at(day(26, 7, 30))
        on.replies(notices(on, DANA, "Late")[0], "TAKE", DANA)
        (affected,) = on.app.store.records.affected_of(1)
        assert affected.liaison.address == DANA
        assert [p.owner for p in on.app.store.promises.of(1)] == [DANA]
        assert on.got(DANA, FORM)


def test_a_reminder_waits_for_the_morning(tmp_path: Path) -> None:
    """Deadlines: people have quiet hours; what was due in the night is told when it ends."""
    with by_hand(tmp_path, day_ends='"23:00"') as on:
        promised(on)
        on.at(day(25, 23, 5))
        assert notices(on, VALERY, "Late") == []
        on.at(day(26, 6, 59))
        assert notices(on, VALERY, "Late") == []
        on.at(day(26, 7, 1))
        assert len(notices(on, VALERY, "Late")) == 1


@pytest.mark.parametrize("late", [False, True])
def test_a_new_day_is_reminded_of_anew(tmp_path: Path, late: bool) -> None:
    """Deadlines: LATER, before the first reminder or after the last one, has reminders of its own before and at it."""
    with by_hand(tmp_path) as on:
        promised(on)
        if late:
            on.at(day(26, 17, 5))  # all of its steps have fired
        on.replies(on.last(OPENED), "LATER 30 November")
        on.replies(on.last(LetterKind.PREVIEW), "SEND")
        on.later(minutes=4)
        before = len(notices(on, VALERY, "Due soon")), len(notices(on, VALERY, "Late"))
        on.at(day(30, 15, 1))
        on.at(day(30, 17, 1))
        after = len(notices(on, VALERY, "Due soon")), len(notices(on, VALERY, "Late"))
        assert (after[0] - before[0], after[1] - before[1]) == (1, 1)


def test_what_is_due_earlier_is_reminded_of_earlier(tmp_path: Path) -> None:
    """Deadlines: a higher priority brings the debrief forward, and its reminders with it."""
    with by_hand(tmp_path, P1='"1d"') as on:
        on.writes(VALERY, "OPEN northwind: the printers print nothing\n", "Printers")
        on.replies(on.last(OPENED), "UPDATE We are looking.")
        on.replies(on.last(LetterKind.PREVIEW), "SEND")
        on.later(minutes=4)
        on.replies(on.last(OPENED), "PRIORITY P1")
        on.at(day(25, 17, 1))
        assert len(notices(on, VALERY, "Late")) == 1


def test_who_is_away_has_a_stand_in(tmp_path: Path) -> None:
    """N.4: AWAY moves open promises, and who stands in signs what is new; BACK ends it."""
    with by_hand(tmp_path, SECOND_LIAISON) as on:
        promised(on)
        on.writes(VALERY, "AWAY tomorrow to 30 November, Robin\n", "Holiday")
        assert "Robin Day signs meanwhile" in " ".join(on.last(NOTICE).text.split())
        assert on.got(ROBIN) == []
        on.at(day(25, 8, 0))
        (told,) = notices(on, ROBIN, "stand in")
        assert "Northwind" in told.text
        (affected,) = on.app.store.records.affected_of(1)
        assert affected.liaison.address == ROBIN
        on.alert(subject="Problem: NW-MX01 is down")
        on.at(day(25, 15, 1))
        assert notices(on, ROBIN, "Due soon")
        assert notices(on, VALERY, "Due soon") == []
        on.writes(VALERY, "BACK\n", "Here again")
        assert "Welcome back" in on.last(NOTICE).text


def test_what_moves_to_a_stand_in_is_said_once(tmp_path: Path) -> None:
    """N.4: a client with two promises is one line to who stands in; the absent one's action for a colleague's client
    moves alone, and that client stays with its liaison."""
    with by_hand(tmp_path, SECOND_LIAISON) as on:
        promised(on)
        on.recovery()
        on.later(minutes=15)
        on.replies(on.last(FORM), "1: We don't know yet.\n2: We moved your files.")
        on.replies(on.last(LetterKind.PREVIEW), "SEND")
        on.later(minutes=5)
        on.writes(VALERY, "OPEN contoso: the scanner sends nothing\n", "Trouble")
        contosos = on.last(OPENED)
        on.replies(contosos, "ASSIGN Robin")
        on.replies(contosos, "ACTION Valery by Friday: order a scanner")
        on.writes(VALERY, "AWAY tomorrow to 30 November, Robin\n", "Holiday")
        on.at(day(25, 8, 0))
        (told,) = notices(on, ROBIN, "stand in")
        text = " ".join(told.text.split())
        assert text.count("Northwind") == 1
        assert "order a scanner" in text
        owners = {p.owner for n in (1, 2) for p in on.app.store.promises.of(n) if p.state is PromiseState.OPEN}
        assert owners == {ROBIN}


def test_an_action_for_anothers_client_moves_alone(tmp_path: Path) -> None:
    """N.4: whose client it is stays its liaison's, whoever was to do something for it and is away."""
    with by_hand(tmp_path, SECOND_LIAISON) as on:
        promised(on)
        on.replies(on.last(OPENED), "ACTION Robin by Friday: replace the battery")
        on.writes(ROBIN, "AWAY tomorrow to 30 November\n", "Holiday")
        on.at(day(25, 8, 0))
        (told,) = notices(on, VALERY, "stand in")
        assert "replace the battery" in told.text
        (affected,) = on.app.store.records.affected_of(1)
        assert affected.liaison.address == VALERY
        action = next(p for p in on.app.store.promises.of(1) if p.what)
        assert action.owner == VALERY


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("AWAY 24/12 to 2/1 Robin", "from Thursday 24 December to Saturday 2 January"),
        ("AWAY Monday to Friday, Robin", "from Monday 30 November to Friday 4 December"),
        ("AWAY until 2 December Robin", "from Tuesday 24 November to Wednesday 2 December"),
        ("AWAY tomorrow Robin", "from Wednesday 25 November to Wednesday 25 November"),
        ("AWAY", "From when to when?"),
        ("AWAY soon, Robin", "I could not read"),
        ("AWAY Friday, Bob", "I don't know whom “Bob” means"),
    ],
)
def test_days_away_as_people_write_them(tmp_path: Path, said: str, answer: str) -> None:
    """Deadlines: what was understood is said back with both days; the second is read from the first on."""
    with by_hand(tmp_path, SECOND_LIAISON) as on:
        on.writes(VALERY, f"{said}\n", "Holiday")
        assert answer in " ".join(on.last(NOTICE).text.split())


def test_an_answering_machine_means_away_until_she_writes(tmp_path: Path) -> None:
    """Deadlines: an out-of-office to our mail moves what is open; her next mail says that she is there."""
    with by_hand(tmp_path, SECOND_LIAISON) as on:
        promised(on)
        mail = on.last(OPENED)
        raw = write_mail(f"Valery Stufano <{VALERY}>", NOC, f"Automatic reply: {mail.subject}", "I am away.", on.now)
        head, _, body = raw.partition(b"\n\n") if b"\r\n\r\n" not in raw else raw.partition(b"\r\n\r\n")
        extra = f"\nIn-Reply-To: {mail.message['Message-ID']}\nAuto-Submitted: auto-replied".encode()
        on.send(VALERY, head + extra + b"\n\n" + body)
        on.turn()
        (affected,) = on.app.store.records.affected_of(1)
        assert affected.liaison.address == ROBIN
        assert [a.address for a in on.app.store.absences.current(on.now)] == [VALERY]
        on.replies(mail, "NOTE I am here after all")
        assert on.app.store.absences.current(on.now) == []


def test_a_client_who_hears_nothing_is_asked_about(tmp_path: Path) -> None:
    """S4.20: while an outage goes on, the liaison is asked for a word after some hours of silence, once a silence."""
    with by_hand(tmp_path, status_after='"4h"') as on:
        promised(on)
        on.later(hours=3)
        assert notices(on, VALERY, "waits for news") == []
        on.later(hours=2)
        on.later(minutes=10)
        (asked,) = notices(on, VALERY, "waits for news")
        on.replies(asked, "UPDATE We are still looking, the disk is being copied.")
        on.replies(on.last(LetterKind.PREVIEW), "SEND")
        on.later(minutes=5)
        assert "the disk is being copied" in on.got(JOHN, LetterKind.UPDATE)[0].text
        on.later(hours=1)
        assert len(notices(on, VALERY, "waits for news")) == 1


def test_an_outage_that_nobody_was_told_of_is_flagged(tmp_path: Path) -> None:
    """S4.18: clients who are likely to notice, and are told nothing by the policy, are flagged once."""
    with by_hand(tmp_path, outage='"never"', untold_after='"1h"') as on:
        on.alert()
        on.later(minutes=30)
        assert notices(on, VALERY, "not been told") == []
        on.later(minutes=40)
        on.later(minutes=40)
        assert len(notices(on, VALERY, "not been told")) == 1


def test_rows_are_answered_by_number(tmp_path: Path) -> None:
    """Digests: "1 ROBIN" hands over, "2 FRIDAY" puts off, "1 CLOSE" and why settles; what has no row is said."""
    with by_hand(tmp_path, SECOND_LIAISON) as on:
        promised(on)
        on.writes(VALERY, "OPEN contoso: upgrade was not announced")
        on.at(day(30))
        digest = on.last(LetterKind.DIGEST, DANA)
        on.replies(digest, "1 ROBIN\n2 4 December\n9 TAKE", DANA)
        first, second = (on.app.store.records.affected_of(n)[0] for n in (1, 2))
        assert first.liaison.address == ROBIN
        assert second.liaison.address == VALERY
        (contoso,) = on.app.store.promises.of(2)
        assert contoso.due_at.astimezone(CHICAGO).day == 4
        said = " ".join(" ".join(m.text.split()) for m in on.got(DANA, NOTICE))
        assert "no row with that number" in said
        on.replies(digest, "1 CLOSE we talked on the phone", DANA)
        assert on.app.store.promises.of(1)[0].state is PromiseState.RELEASED


def test_each_liaison_has_a_morning_list(tmp_path: Path) -> None:
    """Digests: what is hers and due today, at eight, on working days, once; nothing when there is nothing."""
    with by_hand(tmp_path, SECOND_LIAISON) as on:
        promised(on)
        on.at(day(25))
        on.restart()
        on.later(hours=1)
        (morning,) = on.got(VALERY, LetterKind.MORNING)
        assert "1. Northwind, file server" in morning.text
        assert on.got(ROBIN, LetterKind.MORNING) == []


def test_the_week_comes_always(tmp_path: Path) -> None:
    """Digests: on Monday every manager has the week, late or not."""
    with by_hand(tmp_path) as on:
        on.at(day(30))
        on.later(hours=2)
        (week,) = on.got(DANA, LetterKind.WEEKLY)
        assert "no promises open" in week.subject


def test_who_takes_over_signs_what_has_not_left(tmp_path: Path) -> None:
    """S0.4: ASSIGN before the acknowledgement has left: it comes from, and is signed by, whoever answers for it now."""
    with by_hand(tmp_path, SECOND_LIAISON) as on:
        on.alert()
        on.replies(on.last(OPENED), "ASSIGN Robin")
        on.later(minutes=4)
        (letter,) = on.got(JOHN)
        assert str(letter.message["From"]).startswith("Robin Day")
        assert "Robin Day" in letter.text
        assert "Valery" not in letter.text
