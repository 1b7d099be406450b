"""Calls and reviews: what the policy asks of our own people, with an owner, a time and an end."""

from pathlib import Path

import pytest

from mailflow.domain.incident import Promise, PromiseKind, PromiseState
from mailflow.domain.letters import LetterKind
from tests.engine.test_desk import preview_of
from tests.house import DANA, JOHN, VALERY, ByHand, by_hand

pytestmark = pytest.mark.soak

NOTICE, OPENED = LetterKind.NOTICE, LetterKind.OPENED
GOLD = {"tier": '"gold"'}
POLICY = """
[policy.tier.gold.debrief_within]
P1 = "6h"
[policy.tier.gold.call_within]
P1 = "1h"
[policy.review_within]
P1 = "2d"
"""


def promises(on: ByHand, kind: PromiseKind) -> list[Promise]:
    return [p for p in on.app.store.promises.of(1) if p.kind is kind]


def words(on: ByHand, kind: LetterKind = NOTICE) -> str:
    return " ".join(on.last(kind).text.split())


def test_a_client_of_a_tier_is_called_and_debriefed_sooner(tmp_path: Path) -> None:
    """S4.15: the "opened" mail asks for the call with the facts at hand; it is due, listed, and ended by DONE."""
    with by_hand(tmp_path, POLICY, **GOLD) as on:
        on.alert()
        assert "Please call John Harper as well, by Tuesday 24 November at 10:1" in words(on, OPENED)
        (call,) = promises(on, PromiseKind.CALL)
        assert (call.what, call.owner) == ("call John Harper", VALERY)
        on.replies(on.last(OPENED), "DONE")
        assert promises(on, PromiseKind.CALL)[0].state is PromiseState.KEPT
        assert "call John Harper" in words(on)
        (debrief,) = promises(on, PromiseKind.DEBRIEF)
        assert (debrief.due_at - on.now).total_seconds() < 24 * 3600
        on.later(minutes=4)
        assert "by the end of today" in " ".join(on.last(LetterKind.ACKNOWLEDGEMENT, JOHN).text.split())


def test_what_nobody_was_told_of_needs_no_call(tmp_path: Path) -> None:
    """S3.1: trouble that was over before anybody heard of it leaves no task behind."""
    with by_hand(tmp_path, POLICY, **GOLD) as on:
        on.alert()
        on.later(minutes=1)
        on.recovery()
        on.later(minutes=20)
        assert promises(on, PromiseKind.CALL)[0].state is PromiseState.RELEASED


def test_other_clients_are_not_called(tmp_path: Path) -> None:
    """S4.15: a tier is for those who have it."""
    with by_hand(tmp_path, POLICY) as on:
        on.alert()
        assert promises(on, PromiseKind.CALL) == []
        assert "Please call" not in words(on, OPENED)


def test_a_review_is_due_after_the_debrief(tmp_path: Path) -> None:
    """S4.42: with the last debrief the liaison hears by when the review is to be held; late, it is in her morning list,
    and DONE there or in reply to that mail ends it. It counts as no promise to the client."""
    with by_hand(tmp_path, POLICY) as on:
        on.replies(preview_of(on), "SEND")
        on.later(minutes=4)
        said = on.last(NOTICE)
        assert "The review is to be held by Thursday 26 November at 17:00" in " ".join(said.text.split())
        (review,) = promises(on, PromiseKind.REVIEW)
        assert (review.what, review.owner) == ("hold the review of INC-1", VALERY)
        on.later(days=3)
        morning = on.last(LetterKind.MORNING)
        assert "hold the review of INC-1" in " ".join(morning.text.split())
        on.replies(morning, "1 DONE")
        assert promises(on, PromiseKind.REVIEW)[0].state is PromiseState.KEPT


def test_no_debrief_no_review(tmp_path: Path) -> None:
    """S4.42: what was decided to be no incident of the client's is not talked over either."""
    with by_hand(tmp_path, POLICY) as on:
        preview = preview_of(on)
        on.replies(preview, "NO DEBRIEF it was a drill")
        assert promises(on, PromiseKind.REVIEW) == []


def test_a_manager_is_named_for_major_trouble_and_given_no_tasks(tmp_path: Path) -> None:
    """S4.23, S4.24: who manages stands in the "opened" mail and in the record, is told once, and has no actions."""
    with by_hand(tmp_path, managed='["P1"]') as on:
        on.alert()
        assert "Dana Reyes manages this one, and knows." in words(on, OPENED)
        (told,) = on.got(DANA)
        assert "You manage this one: Northwind, file server." in " ".join(told.text.split())
        assert ("manager", "Dana Reyes") in [(e.what, e.text) for e in on.app.store.records.timeline(1)]
        on.replies(on.last(OPENED), "ACTION Dana by Friday: replace the battery")
        assert "is given no tasks" in words(on)
        assert promises(on, PromiseKind.ACTION) == []
        on.replies(on.last(OPENED), "ACTION Paul by Friday: replace the battery")
        assert len(promises(on, PromiseKind.ACTION)) == 1
        on.replies(told, "STATUS", DANA)
        assert "INC-1" in on.last(NOTICE, DANA).subject


def test_a_manager_who_puts_it_off_is_offered_the_letter(tmp_path: Path) -> None:
    """N.4: a promise fell due unanswered: the manager says LATER, is shown the client's letter, and sends it."""
    with by_hand(tmp_path) as on:
        on.alert()
        on.later(minutes=4)
        on.later(days=2)  # past due, and past the step that goes to the manager
        late = next(m for m in on.got(DANA, NOTICE) if m.subject.startswith("Late"))
        on.replies(late, "LATER 4 December", DANA)
        assert on.got(VALERY, LetterKind.PREVIEW) == []
        on.replies(on.last(LetterKind.PREVIEW, DANA), "SEND", DANA)
        on.later(minutes=4)
        assert "I'd rather tell you than keep you waiting." in " ".join(on.last(LetterKind.UPDATE, JOHN).text.split())
