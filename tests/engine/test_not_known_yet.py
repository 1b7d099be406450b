"""We don't know yet: an honest letter with a day, one question before that day, and the debrief in the end."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from mailflow.domain.incident import IncidentState, PromiseKind, PromiseState
from mailflow.domain.letters import LetterKind
from tests.engine.test_desk import form_of
from tests.house import JOHN, VALERY, ByHand, by_hand

pytestmark = pytest.mark.soak

DEBRIEF, FORM, MISSING = LetterKind.DEBRIEF, LetterKind.FORM, LetterKind.MISSING
PREVIEW, UPDATE = LetterKind.PREVIEW, LetterKind.UPDATE


@pytest.fixture
def on(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ByHand]:
    """A house where P1 trouble leaves three days for the debrief, and one until the next word (Wednesday, 17:00)."""
    with by_hand(tmp_path_factory.mktemp("house"), P1='"3d"') as built:
        yield built


def ledger(on: ByHand) -> dict[PromiseKind, tuple[PromiseState, str]]:
    """What is promised, and by when, in the house's zone."""
    zone = on.now.tzinfo
    return {p.kind: (p.state, f"{p.due_at.astimezone(zone):%a %H:%M}") for p in on.app.store.promises.of(1)}


def hours_pass(on: ByHand, hours: int) -> None:
    for _ in range(hours):
        on.later(hours=1)


def test_not_known_yet_is_told_asked_again_once_and_ends_in_a_debrief(on: ByHand) -> None:
    """S1.14, N.4: "we don't know yet" for [1]: SEND takes an honest letter with its day to the client; before that day
    the liaison is asked again, once; the real answer leads to the debrief, which keeps all that was promised."""
    on.replies(form_of(on), "1: We don’t know yet!\n2: We moved your files to another disk.")
    preview = on.last(PREVIEW)
    assert "we don't know the reason yet" in " ".join(preview.text.split())
    on.later(hours=1)
    assert on.got(JOHN, UPDATE) == []
    assert PromiseKind.UPDATE not in ledger(on)
    on.replies(preview, "SEND")
    on.later(minutes=4)
    (word,) = on.got(JOHN, UPDATE)
    assert "We moved your files to another disk." in word.text
    assert "by the end of tomorrow" in word.text
    assert "don’t know" not in word.text  # her note to us is not laid before the client
    assert on.got(JOHN, DEBRIEF) == []
    assert on.incidents()[0].state is IncidentState.RESTORED
    assert ledger(on) == {
        PromiseKind.DEBRIEF: (PromiseState.OPEN, "Fri 17:00"),
        PromiseKind.UPDATE: (PromiseState.OPEN, "Wed 17:00"),
    }
    hours_pass(on, 26)  # Wednesday, 12 o'clock
    assert on.got(VALERY, MISSING) == []
    hours_pass(on, 4)
    (asked,) = on.got(VALERY, MISSING)
    assert "Is it known now?" in asked.text
    assert "[1] What was the problem?" in asked.text
    assert "[2]" not in asked.text.partition("What I have so far")[0]
    on.replies(asked, "1: A disk had a fault of its maker.")
    on.replies(on.last(PREVIEW), "SEND")
    on.later(minutes=4)
    (debrief,) = on.got(JOHN, DEBRIEF)
    assert "A disk had a fault of its maker." in debrief.text
    assert "don't know" not in debrief.text
    assert {state for state, _ in ledger(on).values()} == {PromiseState.KEPT}
    assert len(on.got(VALERY, FORM)) == 1


def test_what_we_did_may_be_unknown_too_and_again(on: ByHand) -> None:
    """S1.14: "not known yet" for [2] brings the same letter; said once more to the question, another one, with a later
    day; the earlier word is kept."""
    on.replies(form_of(on), "1: A cable was loose.\n2: not known yet")
    on.replies(on.last(PREVIEW), "SEND")
    hours_pass(on, 30)
    on.replies(on.last(MISSING), "2: Still looking")
    on.replies(on.last(PREVIEW), "SEND")
    on.later(minutes=4)
    first, second = on.got(JOHN, UPDATE)
    assert "by the end of tomorrow" in first.text
    assert "by the end of tomorrow" in second.text
    updates = [p.state for p in on.app.store.promises.of(1) if p.kind is PromiseKind.UPDATE]
    assert updates == [PromiseState.KEPT, PromiseState.OPEN]
    assert on.got(JOHN, DEBRIEF) == []


def test_nobody_is_asked_again_about_a_letter_that_never_left(on: ByHand) -> None:
    """S1.14: while the honest letter waits for SEND, nothing was promised, and the day of the debrief stands."""
    on.replies(form_of(on), "1: unknown\n2: We restarted it.")
    hours_pass(on, 30)
    assert on.got(VALERY, MISSING) == []
    assert ledger(on) == {PromiseKind.DEBRIEF: (PromiseState.OPEN, "Fri 17:00")}


def test_an_older_form_merges_only_what_nobody_has_written_since(on: ByHand) -> None:
    """N.5: a reply to the first form, after the second was answered: a field that stands is asked about with both
    readings, and one that nobody wrote is taken."""
    form = form_of(on)
    on.later(minutes=1)
    on.replies(form, "1: A cable was loose.")
    second = on.last(MISSING)
    on.later(minutes=1)
    on.replies(form, "1: A disk was full.\n2: We fixed it.")
    asked = on.last(MISSING)
    assert asked.text != second.text
    assert "A cable was loose. or A disk was full." in " ".join(asked.text.split())
    assert on.got(VALERY, PREVIEW) == []
    stands = {n: fill.value for n, fill in on.app.store.desk.fills(1).items()}
    assert stands == {1: "A cable was loose.", 2: "We fixed it."}
    on.replies(asked, "1: A disk was full.")
    assert "A disk was full." in on.last(PREVIEW).text
    on.replies(form, "2: We fixed it.")  # the same once more is no other answer
    assert "A disk was full." in on.last(PREVIEW).text
    assert len(on.got(VALERY, MISSING)) == 2


def test_the_next_word_on_the_debriefs_own_day_is_asked_for_too(tmp_path_factory: pytest.TempPathFactory) -> None:
    """S1.14: where the next word is promised for the day on which the debrief is due, she is asked before it too."""
    with by_hand(tmp_path_factory.mktemp("house")) as on:  # P1: one day for either
        on.replies(form_of(on), "1: not known yet\n2: We restarted it.")
        on.replies(on.last(PREVIEW), "SEND")
        on.at(on.now + timedelta(minutes=4))
        assert ledger(on)[PromiseKind.DEBRIEF] == (PromiseState.OPEN, "Wed 17:00")
        hours_pass(on, 30)
        (asked,) = on.got(VALERY, MISSING)
        assert "Is it known now?" in asked.text
