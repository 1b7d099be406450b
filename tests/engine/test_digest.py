"""The manager's digest: once a day, only when something is overdue, and true."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from mailflow.domain.letters import LetterKind
from tests.house import DANA, VALERY, ByHand, by_hand

pytestmark = pytest.mark.soak

CHICAGO = ZoneInfo("America/Chicago")
KIM = "kim@msp.example"
LONDON = f"""
[[manager]]
name = "Kim Wood"
address = "{KIM}"
digest_time = "07:30"
timezone = "Europe/London"
"""
EVENING = f"""
[[manager]]
name = "Kim Wood"
address = "{KIM}"
digest_time = "17:30"
"""
DIGEST = LetterKind.DIGEST
TWO_DAYS = '"2d"'  # the story's trouble is of a critical thing: from Tuesday to Thursday


def day(number: int, hour: int = 8, minute: int = 1) -> datetime:
    """November 2026, in Chicago; the 24th is the Tuesday of the story, and 31 is December's first."""
    if number > 30:
        return datetime(2026, 12, number - 30, hour, minute, tzinfo=CHICAGO)
    return datetime(2026, 11, number, hour, minute, tzinfo=CHICAGO)


def promised(on: ByHand) -> None:
    """John was told on Tuesday, and promised a debrief by Thursday."""
    on.alert()
    on.later(minutes=4)


def test_one_digest_for_each_manager_and_local_day(tmp_path: Path) -> None:
    """Deadlines, digests: one a day at each manager's own hour, whatever is restarted or however the clock jumps."""
    with by_hand(tmp_path, LONDON, P1=TWO_DAYS) as on:
        promised(on)
        on.at(day(27, 1, 0))  # 7:00 in London
        assert on.got(KIM) == []
        on.at(day(27, 1, 31))
        assert (len(on.got(KIM, DIGEST)), len(on.got(DANA, DIGEST))) == (1, 0)
        on.at(day(27))
        on.restart()
        on.later(hours=3)
        on.restart()
        on.at(day(27, 17, 59))
        assert (len(on.got(KIM, DIGEST)), len(on.got(DANA, DIGEST))) == (1, 1)
        on.at(day(30, 7, 59))  # three days are skipped: nothing is made up for
        assert (len(on.got(KIM, DIGEST)), len(on.got(DANA, DIGEST))) == (2, 1)
        on.at(day(30))
        on.later(minutes=1)
        on.at(day(31))
        assert (len(on.got(KIM, DIGEST)), len(on.got(DANA, DIGEST))) == (3, 3)


def test_a_daemon_that_was_down_at_the_hour_sends_the_digest_later_that_day(tmp_path: Path) -> None:
    """DESIGN 3, time: what is due is a row and not an alarm: started at noon, the day's digest goes out at noon."""
    with by_hand(tmp_path, P1=TWO_DAYS) as on:
        promised(on)
        on.stop()
        on.clock.move_to(day(27, 12, 0))
        on.restart()
        assert len(on.got(DANA, DIGEST)) == 1


def test_her_own_list_speaks_to_her(tmp_path: Path) -> None:
    """S1.15: a liaison reads "you", not her own name, and is offered nothing that is hers already."""
    with by_hand(tmp_path, P1=TWO_DAYS) as on:
        promised(on)
        on.at(day(27))
        hers = " ".join(on.last(LetterKind.MORNING).text.split())
        managers = " ".join(on.last(DIGEST, DANA).text.split())
        assert "Valery ha" not in hers
        assert ("TAKE" in hers, "TAKE" in managers) == (False, True)
        assert ('"1 DANA" hands it over' in hers, "DANA" in managers) == (True, False)
        assert '"1 MONDAY" puts it off' in hers


@pytest.mark.parametrize(("hour", "weekly"), [(7, 1), (20, 0)])
def test_the_first_week_is_not_told_before_its_hour(tmp_path: Path, hour: int, weekly: int) -> None:
    """S4.37: a daemon that is started for the first time on a Monday evening has no week to tell of."""
    with by_hand(tmp_path) as on:
        for key in (DANA, VALERY):
            on.app.store.control.set(f"digest:{key}", None)
        on.at(day(30, hour))
        on.at(day(30, hour + 2))
        assert len(on.got(DANA, LetterKind.WEEKLY)) == weekly


def test_no_digest_while_nothing_is_overdue(tmp_path: Path) -> None:
    """Deadlines, digests: a promise that is not due yet, or that is kept, is in no digest."""
    with by_hand(tmp_path, P1=TWO_DAYS) as on:
        promised(on)
        on.at(day(25))
        on.at(day(26))  # due at the end of this day
        on.recovery()
        on.later(minutes=11)
        on.replies(on.last(LetterKind.FORM), "1: A cable was loose.\n2: We fixed it.")
        on.replies(on.last(LetterKind.PREVIEW), "SEND")
        on.later(minutes=4)
        on.at(day(27))
        on.at(day(30))
        assert on.got(DANA, DIGEST) == []


def test_the_digest_counts_and_names_oldest_first(tmp_path: Path) -> None:
    """S1.15: how many, how late the oldest, whose, and what is missing; a promise made counts like one merely owed."""
    with by_hand(tmp_path, P1=TWO_DAYS) as on:
        promised(on)
        on.writes(VALERY, "OPEN contoso: upgrade was not announced")
        on.at(day(27, 10, 0))
        form = next(m for m in on.got(VALERY, LetterKind.FORM) if "Northwind" in m.text)
        on.replies(form, "1: A cable was loose.")
        on.at(day(30))
        mail = on.last(DIGEST, DANA)
        assert "2 follow-ups overdue" in mail.subject
        assert "4 days" in mail.subject  # from Thursday to Monday
        text = " ".join(mail.text.split())
        first, second = text.index("Northwind"), text.index("Contoso")
        assert first < second
        assert "John Harper" in text[first:second]
        assert "[1]" in text[first:second]
        assert "[2]" in text[first:second]
        assert "3 days" in text[second:]
        assert "INC-1" in text
        assert "INC-2" in text
        assert "1 follow-up overdue" in on.got(DANA, DIGEST)[0].subject


def test_lateness_of_hours_is_said_in_hours(tmp_path: Path) -> None:
    """S1.15: overdue since half an hour is not "0 days"."""
    with by_hand(tmp_path, EVENING, P1=TWO_DAYS) as on:
        promised(on)
        on.at(day(26, 17, 31))
        assert "less than an hour" in on.last(DIGEST, KIM).subject
        on.at(day(27))
        assert "15 hours" in on.last(DIGEST, DANA).subject


def test_closed_without_a_debrief_is_counted(tmp_path: Path) -> None:
    """S3.1: NO DEBRIEF is in the manager's sight for a week, as a number; blips that nobody noticed are not counted."""
    with by_hand(tmp_path, P1=TWO_DAYS) as on:
        promised(on)
        on.writes(VALERY, "OPEN contoso: their invoice was wrong")
        on.replies(on.last(LetterKind.OPENED), "NO DEBRIEF sorted out on the phone")
        on.at(day(27))
        assert "week: 1" in " ".join(on.last(DIGEST, DANA).text.split())
        on.at(day(32))
        assert "Closed without" not in on.last(DIGEST, DANA).text


def test_what_was_stopped_is_not_overdue(tmp_path: Path) -> None:
    """DESIGN 1.8: STOP before anybody was told: nothing was promised, so nothing is ever overdue."""
    with by_hand(tmp_path, P1=TWO_DAYS) as on:
        on.alert()
        on.replies(on.last(LetterKind.OPENED), "STOP")
        on.at(day(30))
        assert on.got(DANA, DIGEST) == []
