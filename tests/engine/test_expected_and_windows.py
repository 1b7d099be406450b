"""What time brings: mails that must come and do not, and trouble inside planned work."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from mailflow.domain.expected import Expected
from mailflow.domain.incident import IncidentState
from mailflow.domain.letters import LetterKind
from mailflow.domain.maintenance import Window
from mailflow.domain.vocabulary import Severity
from tests.engine.test_correlation import BACKUP, trouble
from tests.house import JOHN, MORNING, NOC, VALERY, ByHand, by_hand, write_mail

pytestmark = pytest.mark.soak

ACK, OPENED = LetterKind.ACKNOWLEDGEMENT, LetterKind.OPENED
JOB = "Nightly NW-FS01"
NIGHTLY = Expected(
    name="nightly backup",
    client="northwind",
    recipe="veeam",
    matches=(),
    by="08:00",
    days=(0, 1, 2, 3, 4, 5, 6),
    timezone="America/Chicago",
    grace=timedelta(minutes=30),
    severity=Severity.HIGH,
)
WEDNESDAY = MORNING.replace(day=25, hour=8, minute=0)
WORK = Window(
    client="northwind",
    things=("NW-FS01",),
    begins=MORNING - timedelta(hours=1),
    ends=MORNING + timedelta(hours=2),
    why="new disks",
)


def expecting(on: ByHand, *expected: Expected) -> None:
    """What must come from now on."""
    on.app.setup = replace(on.app.setup, expected=expected or (NIGHTLY,))
    on.app._use_cases()
    on.turn()


def working(on: ByHand, *windows: Window) -> None:
    """What is planned."""
    on.app.setup = replace(on.app.setup, windows=windows or (WORK,))
    on.app._use_cases()


def backup(on: ByHand, result: str = "Success", sender: str = "backup@northwind.example") -> None:
    """The nightly job's mail."""
    body = BACKUP.format(job=JOB, result=result)
    on.arrives(write_mail(f"Veeam <{sender}>", NOC, f"[{result}] {JOB} (1 objects)", body, on.now))


# --- mails that must come ---


def test_a_backup_that_does_not_report_opens_one_incident(tmp_path: Path) -> None:
    """N.12: past the deadline and its grace one incident opens, once, and its liaison hears of it, not the client."""
    with by_hand(tmp_path) as on:
        expecting(on)
        on.at(WEDNESDAY + timedelta(minutes=29))
        assert on.incidents() == []
        on.at(WEDNESDAY + timedelta(minutes=31))
        (incident,) = on.incidents()
        assert (incident.symptom, incident.title) == ("missing", "nightly backup")
        for hours in (1, 5, 23, 25, 49):
            on.at(WEDNESDAY + timedelta(hours=hours))
        assert len(on.incidents()) == 1
        assert len(on.got(VALERY, OPENED)) == 1
        assert on.got(JOHN) == []


def test_the_next_success_ends_it(tmp_path: Path) -> None:
    """N.12: the next success ends the incident, on its timeline; another missed night is new trouble."""
    with by_hand(tmp_path) as on:
        expecting(on)
        on.at(WEDNESDAY + timedelta(hours=1))
        on.at(WEDNESDAY + timedelta(hours=2))
        backup(on)
        (incident,) = on.incidents()
        assert incident.state is IncidentState.CLOSED  # no client had been told
        assert incident.ended_at
        assert abs(on.now - incident.ended_at) < timedelta(seconds=1)  # a server tells whole seconds
        assert [e.what for e in on.app.store.records.timeline(incident.id)].count("recovered") == 1
        on.at(WEDNESDAY + timedelta(days=2, hours=1))
        assert len(on.incidents()) == 2


def test_a_success_in_time_is_quiet(tmp_path: Path) -> None:
    """N.12: a success before each deadline opens nothing, mails nobody, day after day."""
    with by_hand(tmp_path) as on:
        expecting(on)
        for day in range(3):
            on.at(WEDNESDAY + timedelta(days=day) - timedelta(hours=6))
            backup(on)
            on.at(WEDNESDAY + timedelta(days=day, hours=2))
        assert on.incidents() == []
        assert on.got(VALERY) == []


def test_a_failure_is_no_success(tmp_path: Path) -> None:
    """N.12: a failed backup's mail is not the success that was expected."""
    with by_hand(tmp_path) as on:
        expecting(on)
        on.at(WEDNESDAY - timedelta(hours=6))
        backup(on, "Failed")
        on.at(WEDNESDAY + timedelta(hours=1))
        assert sorted(i.symptom == "missing" for i in on.incidents()) == [False, True]


def test_another_clients_success_counts_for_nobody_else(tmp_path: Path) -> None:
    """N.12: Contoso's backup does not stand for Northwind's."""
    with by_hand(tmp_path) as on:
        expecting(on)
        on.at(WEDNESDAY - timedelta(hours=6))
        body = BACKUP.format(job="Nightly CO-ACC01", result="Success").replace("NW-FS01", "CO-ACC01")
        subject = "[Success] Nightly CO-ACC01 (1 objects)"
        on.arrives(write_mail("Veeam <backup@contoso.example>", NOC, subject, body, on.now))
        on.at(WEDNESDAY + timedelta(hours=1))
        assert len(on.incidents()) == 1


def test_a_deadline_before_it_was_expected_is_nobodys(tmp_path: Path) -> None:
    """N.12: what is expected from today on was not missed this morning."""
    with by_hand(tmp_path) as on:
        expecting(on)
        on.later(hours=6)
        assert on.incidents() == []


def test_after_a_week_asleep_one_miss_is_told(tmp_path: Path) -> None:
    """N.12: a daemon that stood still for a week tells what is missing once, not seven times."""
    with by_hand(tmp_path) as on:
        expecting(on)
        on.at(WEDNESDAY + timedelta(days=7, hours=1))
        on.later(minutes=15)
        assert len(on.incidents()) == 1
        assert len(on.got(VALERY, OPENED)) == 1


# --- planned work ---


def test_trouble_inside_planned_work_mails_nobody(tmp_path: Path) -> None:
    """S4.13: an alert inside a maintenance window opens nothing and mails nobody, however often it comes."""
    with by_hand(tmp_path) as on:
        working(on)
        for _ in range(3):
            on.alert()
            on.later(minutes=10)
        assert on.decisions() == [("Mute", "in-a-maintenance-window")] * 3
        assert on.incidents() == []
        assert on.letters() == []


def test_what_is_over_within_planned_work_ends_silently(tmp_path: Path) -> None:
    """S4.13: trouble that ends inside the window is no incident, neither then nor when the window ends."""
    with by_hand(tmp_path) as on:
        working(on)
        on.alert()
        on.later(minutes=9)
        on.recovery()
        on.at(WORK.ends + timedelta(hours=1))
        assert on.incidents() == []
        assert on.letters() == []


def test_what_is_still_on_at_the_end_counts_as_new(tmp_path: Path) -> None:
    """S4.13: at the window's end what is still on opens, once, and is told as usual."""
    with by_hand(tmp_path) as on:
        working(on)
        on.alert()
        on.later(minutes=30)
        on.alert()
        on.at(WORK.ends - timedelta(minutes=1))
        assert on.incidents() == []
        on.at(WORK.ends)
        (incident,) = on.incidents()
        assert incident.state is IncidentState.OPEN
        on.later(minutes=5)
        assert len(on.got(JOHN, ACK)) == 1
        on.later(minutes=5)
        on.recovery()
        assert on.incidents()[0].state is IncidentState.RESTORED
        on.at(WORK.ends + timedelta(days=1))
        assert len(on.incidents()) == 1


def test_trouble_that_came_again_within_planned_work_is_still_on_at_its_end(tmp_path: Path) -> None:
    """S4.13: over and back inside the window, under its own new number: at the end it opens."""
    with by_hand(tmp_path) as on:
        working(on)
        on.alert()
        on.later(minutes=9)
        on.recovery()
        on.later(minutes=9)
        on.alert(trouble("NW-FS01", 200))
        assert on.incidents() == []
        on.at(WORK.ends)
        assert [i.state for i in on.incidents()] == [IncidentState.OPEN]


def test_planned_work_covers_its_own_things_and_client_only(tmp_path: Path) -> None:
    """S4.13: another thing of the client's, and another client's, are trouble as ever."""
    with by_hand(tmp_path) as on:
        working(on)
        on.alert(trouble("NW-MX01", 7), "Problem: NW-MX01 has been restarted")
        on.alert(trouble("CO-ACC01", 8), "Problem: CO-ACC01 has been restarted")
        assert [action for action, _ in on.decisions()] == ["OpenFromAlert", "OpenFromAlert"]


def test_trouble_from_before_goes_on_through_planned_work(tmp_path: Path) -> None:
    """S4.13: an incident that was open before the window goes on, and its recovery inside the window ends it."""
    with by_hand(tmp_path) as on:
        on.alert()
        on.later(minutes=10)
        working(on)
        on.alert()
        assert on.decisions()[-1][0] == "Join"
        on.recovery()
        assert on.incidents()[0].state is IncidentState.RESTORED


def test_work_that_follows_work_is_quiet_to_its_end(tmp_path: Path) -> None:
    """S4.13: where one window begins as another ends, what is still on waits for the second's end, and is not lost."""
    with by_hand(tmp_path) as on:
        second = replace(WORK, begins=WORK.ends, ends=WORK.ends + timedelta(hours=1))
        working(on, WORK, second)
        on.alert()
        on.at(WORK.ends)
        assert on.incidents() == []
        on.at(second.ends)
        assert len(on.incidents()) == 1


def test_a_window_that_is_made_longer_keeps_its_quiet(tmp_path: Path) -> None:
    """S4.13: where the work takes longer, and the window is moved, what waits goes on waiting for the new end."""
    with by_hand(tmp_path) as on:
        working(on)
        on.alert()
        later: datetime = WORK.ends + timedelta(hours=2)
        working(on, replace(WORK, ends=later))
        on.at(WORK.ends + timedelta(minutes=5))
        assert on.incidents() == []
        on.at(later)
        assert len(on.incidents()) == 1
