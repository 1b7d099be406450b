"""outbox, pause and resume: what becomes of letters by hand."""

import json
from datetime import UTC, datetime

import pytest

from mailflow.domain.letters import Letter, LetterState
from mailflow.engine.brake import Brake
from tests.cli.conftest import Office

NOW = datetime(2026, 11, 30, 15, 0, tzinfo=UTC)


def letter(office: Office, reason: str) -> Letter:
    """The newest letter that stands with this reason."""
    store = office.store()
    try:
        return next(x for x in store.outbox.letters(limit=99) if x.reason == reason)
    finally:
        store.disconnect()


def stands(office: Office, letter_id: int) -> tuple[LetterState, str]:
    store = office.store()
    try:
        found = store.outbox.letter(letter_id)
        return found.state, found.reason
    finally:
        store.disconnect()


def put_into(office: Office, letter_id: int, state: LetterState) -> None:
    store = office.store()
    with store.transaction():
        store.outbox.move(letter_id, state, reason="by the test", now=NOW)
    store.disconnect()


def paused(office: Office) -> bool:
    store = office.store()
    try:
        return Brake(store).paused()
    finally:
        store.disconnect()


def test_the_list_shows_what_has_not_left(office: Office) -> None:
    """DESIGN 4: what waits, what is held and why; with --all, what was sent too."""
    rows = office.verb("outbox", "list").stdout.splitlines()
    assert [row.split()[1] for row in rows[1:]] == ["INC-4", "INC-3"]
    assert "paused" in rows[1]
    assert "Ann Webb <ann@contoso.example>" in rows[1]
    assert "waits-for-send" in rows[2]
    assert len(office.verb("outbox", "list", "--all").stdout.splitlines()) > len(rows)


def test_the_list_for_a_program(office: Office) -> None:
    """DESIGN 4: the same for a program."""
    listed = json.loads(office.verb("outbox", "list", "--json").stdout)
    assert [(x["incident"], x["state"], x["reason"]) for x in listed] == [
        ("INC-4", "held", "paused"),
        ("INC-3", "held", "waits-for-send"),
    ]
    assert {"id", "kind", "to", "due_at", "tries", "said"} <= set(listed[0])


@pytest.mark.parametrize("state", [LetterState.FAILED, LetterState.HELD])
def test_a_letter_that_failed_or_is_held_is_sent_after_all(office: Office, state: LetterState) -> None:
    """DESIGN 1.8: by hand, a letter that was refused is due again."""
    wanted = letter(office, "paused").id
    put_into(office, wanted, state)
    result = office.verb("outbox", "retry", str(wanted))
    assert result.exit_code == 0
    assert stands(office, wanted) == (LetterState.WAITING, "retried-by-hand")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (None, "waits for the liaison's SEND"),
        (LetterState.UNKNOWN, "SENT or RESEND"),
        (LetterState.SENT, "is sent: that cannot be done to it any more"),
        (LetterState.STARTED, "cannot be done"),
        (LetterState.DROPPED, "is dropped"),
    ],
)
def test_what_must_not_be_resent_is_refused(office: Office, spoil: LetterState | None, said: str) -> None:
    """N.6, DESIGN 1.8: no verb goes around SEND, and nothing is blindly resent; exit 1, one line, nothing changed."""
    wanted = letter(office, "waits-for-send").id
    if spoil:
        put_into(office, wanted, spoil)
    before = stands(office, wanted)
    result = office.verb("outbox", "retry", str(wanted))
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert said in line
    assert stands(office, wanted) == before


def test_a_letter_is_cancelled_once(office: Office) -> None:
    """DESIGN 4: a letter that has not left is dropped with its reason; what left cannot be."""
    wanted = letter(office, "paused").id
    assert office.verb("outbox", "cancel", str(wanted)).exit_code == 0
    assert stands(office, wanted) == (LetterState.DROPPED, "cancelled-by-hand")
    assert office.verb("outbox", "cancel", str(wanted)).exit_code == 1
    put_into(office, wanted, LetterState.SENT)
    assert office.verb("outbox", "cancel", str(wanted)).exit_code == 1
    assert stands(office, wanted)[0] is LetterState.SENT


@pytest.mark.parametrize("what", ["retry", "cancel"])
def test_a_letter_that_is_not_there(office: Office, what: str) -> None:
    """DESIGN 3: one line, exit 1, and where to look."""
    result = office.verb("outbox", what, "999")
    assert result.exit_code == 1
    assert result.stderr == "there is no letter 999; `mailflow outbox list --all` shows them\n"


def test_resume_lists_asks_and_lets_go(office: Office) -> None:
    """DESIGN 4: `resume` lists what is held before anything moves; a no changes nothing; a yes lets it go."""
    held = letter(office, "paused").id
    said_no = office.verb("resume", input="n\n")
    assert said_no.exit_code == 1
    assert "Ann Webb <ann@contoso.example>" in said_no.stdout
    assert said_no.stdout.index("Ann Webb") < said_no.stdout.index("Send it?")
    assert paused(office)
    assert stands(office, held) == (LetterState.HELD, "paused")
    assert office.verb("resume", input="").exit_code == 1  # nobody is there to answer
    assert paused(office)
    said_yes = office.verb("resume", input="y\n")
    assert said_yes.exit_code == 0
    assert not paused(office)
    assert stands(office, held) == (LetterState.WAITING, "resumed")


def test_resume_releases_only_what_the_pause_held(office: Office) -> None:
    """N.6: letters that wait for SEND stay where they are."""
    waiting = letter(office, "waits-for-send").id
    assert office.verb("resume", "--yes").exit_code == 0
    assert stands(office, waiting) == (LetterState.HELD, "waits-for-send")


def test_resume_where_nothing_is_held(office: Office) -> None:
    """DESIGN 4: nothing to ask, nothing to list, and the brake is off; a brake that was not on is no news."""
    office.verb("resume", "--yes")
    result = office.verb("resume")
    assert (result.exit_code, result.stdout) == (0, "Nothing was paused.\n")
    office.verb("pause")
    result = office.verb("resume")
    assert (result.exit_code, result.stdout) == (0, "Nothing is held by the pause.\nClient mail moves again.\n")


def test_the_list_says_who_has_a_letter_that_does_not_go_out(office: Office) -> None:
    """N.7: with live = "off" nobody is left to think that the client has it; what has left is as it was."""
    live = office.config.read_text()
    office.config.write_text(live.replace('live = "auto"', 'live = "off"', 1))
    waiting = office.verb("outbox", "list").stdout
    assert 'Ann Webb <ann@contoso.example> (live = "off": to the liaison)' in waiting
    assert waiting.count("to the liaison") == 2
    assert office.verb("outbox", "list", "--all").stdout.count("to the liaison") == 2


def test_pause_holds_at_once(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """DESIGN 4: the switch is in the records, with who turned it, and the word says how to go back."""
    office.verb("resume", "--yes")
    assert not paused(office)
    monkeypatch.setenv("LOGNAME", "dana")
    result = office.verb("pause")
    assert result.exit_code == 0
    assert "mailflow resume" in result.stdout
    assert paused(office)
    store = office.store()
    assert "dana" in str(store.control.get("paused"))
    store.disconnect()


@pytest.mark.parametrize("words", [["outbox", "list"], ["incidents"]])
def test_an_empty_firm_says_so(office: Office, words: list[str]) -> None:
    """DESIGN 4: where there is nothing to show, a sentence says so instead of an empty table."""
    for file in office.data.glob("mailflow.db*"):
        file.unlink()
    assert "no records yet" in office.verb(*words).output
    office.verb("migrate")
    result = office.verb(*words)
    assert result.exit_code == 0
    assert result.stdout.endswith(".\n")
    assert result.stdout.count("\n") == 1
