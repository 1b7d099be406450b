"""The brake: pause and resume, and how far letters may go by themselves."""

from pathlib import Path

import pytest

from mailflow.domain.letters import LetterKind, LetterState
from mailflow.engine.brake import Brake
from tests.house import DANA, JOHN, PROBLEM, RECOVERY, VALERY, ByHand, by_hand, house, until

pytestmark = pytest.mark.soak

ACK, DEBRIEF, PREVIEW = LetterKind.ACKNOWLEDGEMENT, LetterKind.DEBRIEF, LetterKind.PREVIEW
FABRIKAM = """
[[client]]
key = "fabrikam"
name = "Fabrikam"
domains = ["fabrikam.example"]
liaison = "valery@msp.example"
live = "{live}"
[[client.contact]]
name = "Eve Stone"
first_name = "Eve"
address = "eve@fabrikam.example"
wants = "all"
[[client.component]]
name = "file server"
plain = "your file server"
hosts = ["FA-FS01"]
criticality = "critical"
"""
EVE = "eve@fabrikam.example"


def debrief_approved(on: ByHand) -> None:
    """From the outage's end to Valery's SEND."""
    on.recovery()
    on.later(minutes=11)
    on.replies(on.last(LetterKind.FORM), "1: A cable was loose.\n2: We fixed it in place.")
    on.replies(on.last(PREVIEW), "SEND")


def test_a_manager_pauses_and_resumes_by_mail(tmp_path: Path) -> None:
    """DESIGN 4: PAUSE holds acknowledgements at once and staff mail never; RESUME lets them go; both are answered."""
    with by_hand(tmp_path) as on:
        on.writes(DANA, "PAUSE")
        on.alert()
        on.later(minutes=10)
        assert on.got(JOHN) == []
        assert len(on.got(VALERY, LetterKind.OPENED)) == 1
        assert [(letter.state, letter.reason) for letter in on.letters(ACK)] == [(LetterState.HELD, "paused")]
        on.writes(DANA, "RESUME")
        assert len(on.got(JOHN, ACK)) == 1
        assert len(on.got(DANA, LetterKind.NOTICE)) == 2


def test_an_approved_debrief_is_held_too(tmp_path: Path) -> None:
    """DESIGN 4: pause holds what was approved as well; resume sends exactly that, once, also after a restart."""
    with by_hand(tmp_path) as on:
        on.alert()
        on.later(minutes=4)
        debrief_approved(on)
        Brake(on.app.store).pause("dana@msp.example", on.now)
        on.later(hours=20)
        on.restart()
        assert on.got(JOHN, DEBRIEF) == []
        Brake(on.app.store).resume(on.now)
        on.turn()
        on.later(hours=1)
        assert len(on.got(JOHN, DEBRIEF)) == 1


def test_a_liaison_cannot_pause(tmp_path: Path) -> None:
    """DESIGN 4: PAUSE and RESUME belong to managers; a liaison is told so, and nothing changes."""
    with by_hand(tmp_path) as on:
        on.writes(VALERY, "PAUSE")
        on.alert()
        on.later(minutes=4)
        assert len(on.got(JOHN, ACK)) == 1
        assert "managers" in on.got(VALERY, LetterKind.NOTICE)[0].text
        Brake(on.app.store).pause("dana@msp.example", on.now)
        on.writes(VALERY, "RESUME")
        assert Brake(on.app.store).paused()


def test_a_forged_pause_pauses_nothing(tmp_path: Path) -> None:
    """DESIGN 3: a mail in Dana's name that nobody vouches for is asked about, not obeyed."""
    with by_hand(tmp_path) as on:
        on.arrives(f"From: Dana <{DANA}>\r\nSubject: x\r\nMessage-ID: <a@b.example>\r\n\r\nPAUSE\r\n".encode())
        assert not Brake(on.app.store).paused()
        assert len(on.got(DANA, LetterKind.CONFIRM)) == 1


def test_a_pause_from_another_process_holds_the_running_daemon(tmp_path: Path) -> None:
    """DESIGN 3, 4: the switch is a row: a running daemon obeys it with its next letter, and goes on after resume."""
    with house(tmp_path) as on:
        Brake(on.app.store).pause("somebody at a terminal", on.now)
        on.alert()
        on.expect(VALERY, "restarted")
        on.move_to(on.now.replace(hour=9, minute=30))
        held = until(Brake(on.app.store).held)
        assert [letter.kind for letter in held] == [ACK]
        assert on.sent_to(JOHN) == []
        Brake(on.app.store).resume(on.now)
        on.app.hasten()
        on.expect(JOHN, "your file server")
        on.app.store.disconnect()


@pytest.mark.parametrize(
    ("service", "client", "strict"),
    [
        ("auto", "review", "review"),
        ("auto", "off", "off"),
        ("review", "auto", "review"),
        ("off", "auto", "off"),
        ("off", "review", "off"),
    ],
)
def test_the_stricter_of_service_and_client_wins(tmp_path: Path, service: str, client: str, strict: str) -> None:
    """DESIGN 4, live: review waits for SEND, off brings it to the liaison, marked; the stricter of the two."""
    with by_hand(tmp_path, FABRIKAM.format(live=client), live=f'"{service}"') as on:
        on.alert(PROBLEM.replace("NW-FS01", "FA-FS01"), "Problem: FA-FS01 has been restarted")
        on.later(minutes=4)
        assert on.got(EVE) == []
        withheld = [m for m in on.got(VALERY, ACK) if EVE in m.text]
        assert len(withheld) == (strict == "off")
        assert len(on.got(VALERY, PREVIEW)) == (strict == "review")
        if strict == "review":
            on.replies(on.last(PREVIEW), "SEND")
            on.later(minutes=4)
            assert len(on.got(EVE, ACK)) == 1


def test_off_keeps_every_letter_in_the_house(tmp_path: Path) -> None:
    """DESIGN 4, live = off: the whole road to the debrief, SEND included, and not one mail to a client."""
    with by_hand(tmp_path, live='"off"') as on:
        on.alert()
        on.later(minutes=4)
        debrief_approved(on)
        on.later(minutes=4)
        on.later(days=3)
        assert {letter.recipient.address for letter in on.letters(states=(LetterState.SENT,))} <= {VALERY, DANA}
        marked = on.got(VALERY, DEBRIEF)
        assert len(marked) == 1
        assert JOHN in marked[0].text
        assert "A cable was loose." in marked[0].text


@pytest.mark.parametrize("stricter", ["review", "off"])
def test_a_change_of_live_holds_what_was_already_waiting(tmp_path: Path, stricter: str) -> None:
    """DESIGN 4: live is asked when the letter leaves, not when it was made; the liaison hears that it is held."""
    with by_hand(tmp_path) as on:
        on.alert()
        on.restart(live=f'"{stricter}"')
        on.later(minutes=4)
        assert on.got(JOHN) == []
        if stricter == "review":
            assert [letter.state for letter in on.letters(ACK)] == [LetterState.HELD]
            assert len(on.got(VALERY, LetterKind.NOTICE)) == 1
        else:
            assert len(on.got(VALERY, ACK)) == 1


def test_a_withheld_letter_tells_nobody_that_john_was_told(tmp_path: Path) -> None:
    """N.3, S3.1: what came to the liaison instead is no audience: over, and no client heard, so nothing is owed."""
    with by_hand(tmp_path, live='"off"') as on:
        on.alert()
        on.later(minutes=4)
        on.alert(RECOVERY, "Resolved in 4m: NW-FS01 has been restarted")
        assert on.app.store.records.audience(1) == []
