"""A form of its own for one priority, and letters that two must approve."""

from pathlib import Path

import pytest

from mailflow.config.load import load
from mailflow.config.report import ConfigurationError
from mailflow.demo.clients import gmail_on_top
from mailflow.domain.form import BY_NAME
from mailflow.domain.letters import LetterKind, LetterState
from tests.engine.test_desk import ANSWERS, form_of, preview_of, shown_to_john
from tests.house import DANA, JOHN, NOC, VALERY, by_hand, write_config

pytestmark = pytest.mark.soak

DEBRIEF, MISSING, NOTICE, PREVIEW = LetterKind.DEBRIEF, LetterKind.MISSING, LetterKind.NOTICE, LetterKind.PREVIEW
PREVENTION = BY_NAME["prevention"].number
FOR_P1 = (
    '[policy.form.P1]\nfields = ["problem", "steps", "prevention"]\nrequired = ["problem", "steps", "prevention"]\n'
)


def test_trouble_of_a_priority_has_the_form_that_is_configured_for_it(tmp_path: Path) -> None:
    """S1.2: P1 asks what [policy.form.P1] says, and no debrief goes out before that is answered; P3 asks the usual."""
    with by_hand(tmp_path, FOR_P1) as on:
        form = form_of(on)
        assert f"[{PREVENTION}] What will prevent it" in form.text
        assert "[3]" not in form.text
        on.replies(form, ANSWERS)
        asked = on.last(MISSING)
        assert f"[{PREVENTION}]" in asked.text
        assert on.got(VALERY, PREVIEW) == []
        on.replies(asked, f"{PREVENTION}: Paul checks all cables by Friday.")
        assert "A cable was loose." in shown_to_john(on.last(PREVIEW))
        on.replies(form, "PRIORITY P3")
        on.replies(on.last(PREVIEW), "2: We put a new cable in.")
        assert "put a new cable in" in shown_to_john(on.last(PREVIEW))
        assert len(on.got(VALERY, MISSING)) == 1


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('[policy.form.P1]\nfields = ["problem"]\n', "form.P1"),
        ('[policy.form.P9]\nfields = ["problem", "steps"]\n', "form"),
        ('[policy.form.P1]\nfields = ["problem", "steps"]\nrequired = ["worry"]\n', "form.P1"),
    ],
)
def test_an_impossible_form_is_refused(tmp_path: Path, table: str, said: str) -> None:
    """DESIGN 4: a form without what a debrief is made of, of no priority, or requiring what it does not ask."""
    path = write_config(tmp_path, imap_port=1, smtp_port=1)
    path.write_text(path.read_text() + table)
    with pytest.raises(ConfigurationError) as refused:
        load(path, {})
    assert said in str(refused.value)


def test_two_approve_and_one_alone_sends_nothing(tmp_path: Path) -> None:
    """N.6: with two approvals the first SEND shows a manager the same words; the same person again is refused; the
    manager's SEND, and nothing before, lets exactly these words go."""
    with by_hand(tmp_path, two_approvals='["P1"]') as on:
        preview = preview_of(on)
        on.replies(preview, "SEND")
        assert "takes two: Dana Reyes has the same words now" in " ".join(on.last(NOTICE).text.split())
        (hers,) = on.got(DANA, PREVIEW)
        assert shown_to_john(hers) == shown_to_john(preview)
        assert "Valery Stufano has approved this." in hers.text
        on.replies(preview, "SEND")
        assert "and you have said yours" in " ".join(on.last(NOTICE).text.split())
        on.replies(hers, "SEND")  # forwarded to Valery: her own second SEND is no second person's
        on.later(hours=1)
        assert on.got(JOHN, DEBRIEF) == []
        assert len(on.got(DANA, PREVIEW)) == 1
        on.replies(hers, "SEND", DANA)
        on.later(minutes=4)
        (debrief,) = on.got(JOHN, DEBRIEF)
        assert shown_to_john(preview) in debrief.text
        on.replies(hers, "SEND", DANA)
        on.replies(preview, "SEND")
        on.later(hours=1)
        assert len(on.got(JOHN, DEBRIEF)) == 1


def test_changed_words_need_two_again(tmp_path: Path) -> None:
    """N.6: an approval is of words: what was changed after the first SEND is approved by nobody yet."""
    with by_hand(tmp_path, two_approvals='["P1"]') as on:
        old = preview_of(on)
        on.replies(old, "SEND")
        hers = on.last(PREVIEW, DANA)
        on.replies(old, "2: We put a new cable in.")
        on.replies(hers, "SEND", DANA)
        on.later(minutes=4)
        assert on.got(JOHN, DEBRIEF) == []
        assert ("RefuseSend", "superseded") in on.decisions()
        mine = next(m for m in reversed(on.got(VALERY, PREVIEW)) if "new cable" in m.text)
        on.replies(mine, "SEND")
        on.replies(on.last(PREVIEW, DANA), "SEND", DANA)
        on.later(minutes=4)
        (debrief,) = on.got(JOHN, DEBRIEF)
        assert "new cable" in debrief.text


def test_a_forged_second_approval_is_none(tmp_path: Path) -> None:
    """DESIGN 3: SEND in the manager's name that nobody vouches for approves nothing; she is asked at her address."""
    with by_hand(tmp_path, two_approvals='["P1"]') as on:
        on.replies(preview_of(on), "SEND")
        hers = on.last(PREVIEW, DANA)
        on.arrives(gmail_on_top(hers, f"Dana Reyes <{DANA}>", "SEND", on.now))
        on.later(minutes=4)
        assert on.got(JOHN, DEBRIEF) == []
        assert len(on.got(DANA, LetterKind.CONFIRM)) == 1


def test_other_priorities_take_one(tmp_path: Path) -> None:
    """N.6: where only P2 takes two, a P1 letter goes with one SEND."""
    with by_hand(tmp_path, two_approvals='["P2"]') as on:
        on.replies(preview_of(on), "SEND")
        on.later(minutes=4)
        assert len(on.got(JOHN, DEBRIEF)) == 1
        assert on.got(DANA) == []
        assert [x.state for x in on.letters(DEBRIEF)] == [LetterState.SENT]
        assert NOC not in {x.recipient.address for x in on.letters()}
