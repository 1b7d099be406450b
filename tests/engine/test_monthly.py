"""The month in a letter: offered to the liaison, approved word for word, and only of what the client knows of."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from mailflow.domain.letters import LetterKind, LetterState
from tests.engine.test_desk import preview_of
from tests.house import DANA, JOHN, PROBLEM, RECOVERY, VALERY, ByHand, by_hand

pytestmark = pytest.mark.soak

CHICAGO = ZoneInfo("America/Chicago")
NOTICE, PREVIEW, REPORT = LetterKind.NOTICE, LetterKind.PREVIEW, LetterKind.REPORT
DECEMBER = datetime(2026, 12, 1, 8, 1, tzinfo=CHICAGO)
MAIL, MAIL_BACK = (body.replace("NW-FS01", "NW-MX01").replace("184467", "184468") for body in (PROBLEM, RECOVERY))
ON = {"monthly_report": '"trouble"'}


def november(on: ByHand) -> None:
    """A restart of Northwind's file server, debriefed; a blip of its mail of which nobody was told."""
    on.replies(preview_of(on), "SEND")
    on.later(minutes=5)
    on.alert(MAIL, "Problem: NW-MX01 has been restarted")
    on.later(minutes=1)
    on.recovery(MAIL_BACK)
    assert len(on.incidents()) == 2


def words(on: ByHand, who: str = VALERY, kind: LetterKind = PREVIEW) -> str:
    return " ".join(on.last(kind, who).text.split())


def test_the_month_is_offered_once_and_leaves_on_send(tmp_path: Path) -> None:
    """S4.37: on the first weekday at eight the liaison has the month before; John has it when she says SEND, once."""
    with by_hand(tmp_path, **ON) as on:
        november(on)
        on.at(DECEMBER.replace(hour=7, minute=50))
        assert not on.letters(REPORT)
        on.at(DECEMBER)
        text = words(on)
        for part in (
            "Hello John, In November one thing on your side needed us: your file server, out of service for 4 minutes.",
            "You heard from us 4 minutes after we noticed.",
            "Everything that we promised you came in time.",
            "Your file server, Tuesday 24 November. Over after 4 minutes.",
            "To put other words in place of the first paragraph, reply with them.",
        ):
            assert part in text
        assert on.got(JOHN, REPORT) == []
        on.restart()
        on.later(hours=1)
        previews = [m for m in on.got(VALERY, PREVIEW) if "needed us" in m.text]
        assert len(previews) == 1
        on.replies(previews[0], "SEND")
        on.later(minutes=4)
        (letter,) = on.got(JOHN, REPORT)
        assert letter.subject == "November at a glance"
        assert "Valery Stufano" in letter.text
        on.replies(previews[0], "SEND")
        assert "Already sent" in words(on, kind=NOTICE)
        on.at(DECEMBER.replace(day=31))
        assert len(on.letters(REPORT)) == 1


def test_her_own_words_stand_first(tmp_path: Path) -> None:
    """N.6: what she writes stands above the list, is shown anew, and the first preview's SEND sends nothing."""
    with by_hand(tmp_path, **ON) as on:
        november(on)
        on.at(DECEMBER)
        first = on.last(PREVIEW)
        on.replies(first, "November was kind to you: one restart, and we know why.")
        assert "Hello John, November was kind to you: one restart, and we know why. What happened" in words(on)
        on.replies(first, "SEND")
        assert "for an older draft" in words(on)
        assert on.got(JOHN, REPORT) == []
        on.replies(on.last(PREVIEW), "SEND")
        on.later(minutes=4)
        assert "November was kind to you" in words(on, JOHN, REPORT)


def test_words_with_send_are_shown_first(tmp_path: Path) -> None:
    """N.6: SEND with more below it sends nothing: what would go now is shown."""
    with by_hand(tmp_path, **ON) as on:
        november(on)
        on.at(DECEMBER)
        on.replies(on.last(PREVIEW), "SEND\nbut say that the cable is new")
        on.later(minutes=4)
        assert on.got(JOHN, REPORT) == []
        assert "more in it than SEND" in words(on)


def test_stop_keeps_it(tmp_path: Path) -> None:
    """DESIGN 4: STOP to a report's preview, before or within its rest, keeps it here for good."""
    with by_hand(tmp_path, **ON) as on:
        november(on)
        on.at(DECEMBER)
        preview = on.last(PREVIEW)
        on.replies(preview, "SEND")
        on.replies(preview, "STOP")
        assert "report to John Harper" in words(on, kind=NOTICE)
        on.later(hours=2)
        assert on.got(JOHN, REPORT) == []
        assert [x.state for x in on.letters(REPORT)] == [LetterState.DROPPED]


def test_a_quiet_month_is_nobodys_mail(tmp_path: Path) -> None:
    """S4.37: with "trouble" a client without any has no report; with "always" it hears that the month was quiet."""
    with by_hand(tmp_path, **ON) as on:
        on.later(days=1)
        on.at(DECEMBER)
        assert on.got(VALERY, PREVIEW) == []
    folder = tmp_path / "always"
    folder.mkdir()
    with by_hand(folder, monthly_report='"always"') as on:
        on.later(days=1)
        on.at(DECEMBER)
        texts = [" ".join(m.text.split()) for m in on.got(VALERY, PREVIEW)]
        assert len(texts) == 2
        assert all("November was quiet: nothing happened that we had to write to you about." in t for t in texts)


def test_it_is_off_by_default_and_can_be_asked_for(tmp_path: Path) -> None:
    """S4.37: REPORT and a client's name shows the last month, or the one that is named; a wrong name is told."""
    with by_hand(tmp_path) as on:
        november(on)
        on.at(DECEMBER)
        assert not on.letters(REPORT)
        on.writes(VALERY, "REPORT northwind\n", "Please")
        assert "In November one thing" in words(on)
        on.writes(VALERY, "REPORT Contoso\n", "Please")
        assert "November was quiet" in words(on)
        assert "If you would like to talk, just reply" in words(on)
        shown = len(on.got(VALERY, PREVIEW))
        on.writes(VALERY, "REPORT Contoso October\n", "Please")  # the first record is of 24 November
        assert "I have no records of October: they begin on Tuesday 24 November." in words(on, kind=NOTICE)
        assert len(on.got(VALERY, PREVIEW)) == shown
        on.writes(VALERY, "REPORT nobody\n", "Please")
        assert "“nobody” is no client that I know" in words(on, kind=NOTICE)


def test_a_month_is_no_month_of_a_client_that_is_not_live(tmp_path: Path) -> None:
    """S1.16: with live = off an approved report goes to the liaison, marked, and never to the client."""
    with by_hand(tmp_path, live='"off"') as on:
        on.at(DECEMBER)
        on.writes(VALERY, "REPORT northwind\n", "Please")
        on.replies(on.last(PREVIEW), "SEND")
        on.later(minutes=4)
        assert on.got(JOHN) == []
        assert "would have gone to John Harper" in on.last(REPORT).subject


def test_it_tells_only_what_the_client_knows_of(tmp_path: Path) -> None:
    """S3.8: what nobody of theirs was told of is not in their report, nor any other client's trouble."""
    with by_hand(tmp_path) as on:
        on.alert()
        on.later(minutes=1)
        on.recovery()  # over before anybody was told
        on.writes(VALERY, "REPORT northwind November\n", "Please")
        assert "That month is not over yet at Northwind" in words(on, kind=NOTICE)
        on.writes(VALERY, "OPEN contoso: the scanner sends nothing\n", "Trouble")
        on.at(DECEMBER)
        on.writes(VALERY, "REPORT northwind November\n", "Please")
        assert "November was quiet" in words(on)
        assert "scanner" not in words(on)


def test_another_persons_preview_is_not_ones_own(tmp_path: Path) -> None:
    """N.6: a manager may send what a liaison was shown, and is shown herself what she asks for, or words anew."""
    with by_hand(tmp_path) as on:
        november(on)
        on.at(DECEMBER)
        on.writes(VALERY, "REPORT northwind\n", "Please")
        before = len(on.got(VALERY, PREVIEW))
        on.replies(on.last(PREVIEW), "It was a quiet month, but for one restart.", DANA)
        assert "but for one restart" in words(on, DANA)
        assert len(on.got(VALERY, PREVIEW)) == before
        on.replies(on.last(PREVIEW, DANA), "SEND", DANA)
        on.later(minutes=4)
        assert len(on.got(JOHN, REPORT)) == 1
        on.writes(DANA, "REPORT contoso\n", "Please")
        assert "November was quiet" in words(on, DANA)


def test_nobody_has_a_month_twice(tmp_path: Path) -> None:
    """S4.37: REPORT within the rest of the last one takes its place; what was sent by hand is not offered again, and
    asked for again it says so."""
    with by_hand(tmp_path, **ON) as on:
        november(on)
        on.at(DECEMBER.replace(hour=7))
        for _ in range(2):
            on.writes(VALERY, "REPORT northwind\n", "Please")
            on.replies(on.last(PREVIEW), "SEND")
        on.later(minutes=4)
        assert len(on.got(JOHN, REPORT)) == 1
        before = len(on.got(VALERY, PREVIEW))
        on.at(DECEMBER)
        assert len(on.got(VALERY, PREVIEW)) == before
        on.writes(VALERY, "REPORT northwind\n", "Please")
        assert "They were sent this month's report before." in words(on)


def test_what_is_settled_is_not_still_worked_on(tmp_path: Path) -> None:
    """S3.8: trouble that was debriefed, or dealt with otherwise, is not said to go on."""
    with by_hand(tmp_path, **ON) as on:
        on.alert()
        on.later(minutes=4)
        on.replies(on.last(LetterKind.OPENED), "NO DEBRIEF sorted out on the phone")
        on.at(DECEMBER)
        assert "That is dealt with." in words(on)
        assert "still at work" not in words(on)


def test_an_answer_to_a_report_is_a_clients_mail(tmp_path: Path) -> None:
    """S4.9: thanks for a report open nothing; a request opens an incident of that client's."""
    with by_hand(tmp_path) as on:
        november(on)
        on.at(DECEMBER)
        on.writes(VALERY, "REPORT northwind\n", "Please")
        on.replies(on.last(PREVIEW), "SEND")
        on.later(days=1)
        before = len(on.incidents())
        on.replies(on.last(REPORT, JOHN), "Thanks, Valery!", JOHN)
        assert len(on.incidents()) == before
        on.replies(on.last(REPORT, JOHN), "Our printer in the hall has stopped working.", JOHN)
        assert len(on.incidents()) == before + 1


def test_a_month_is_over_where_the_client_is(tmp_path: Path) -> None:
    """S4.37: a liaison whose December has begun is not shown a month that goes on at the client's."""
    with by_hand(tmp_path, timezone='"Pacific/Auckland"', **ON) as on:
        on.alert()
        on.later(minutes=4)
        on.at(datetime(2026, 12, 1, 8, 1, tzinfo=ZoneInfo("Pacific/Auckland")))  # the last afternoon in Chicago
        assert not on.letters(REPORT)
        on.at(datetime(2026, 12, 1, 0, 1, tzinfo=CHICAGO))
        assert len(on.letters(REPORT)) == 1
