"""Calls and reviews: what the policy asks of our own people, with an owner, a time and an end."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mailflow.domain.incident import Promise, PromiseKind, PromiseState
from mailflow.domain.letters import LetterKind
from mailflow.domain.tokens import tag_of
from tests.engine.test_desk import preview_of
from tests.house import DANA, JOHN, PROBLEM, ROBIN, SECOND_LIAISON, SHIRLEY, VALERY, ByHand, Received, by_hand

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


def test_a_form_is_asked_again_when_the_trouble_came_back(tmp_path: Path) -> None:
    """S4.4: REOPEN after the debrief owes another one: once it is over again, the form comes again, and once."""
    with by_hand(tmp_path) as on:
        on.replies(preview_of(on), "SEND")
        on.later(minutes=5)
        on.replies(on.last(OPENED), "REOPEN it restarted again")
        on.later(minutes=30)
        assert len(on.got(VALERY, LetterKind.FORM)) == 1
        on.replies(on.last(OPENED), "RESOLVED")
        on.later(minutes=15)
        on.restart()
        on.later(minutes=15)
        assert len(on.got(VALERY, LetterKind.FORM)) == 2
        on.replies(on.last(LetterKind.FORM), "1: The cable was broken, not loose.\n2: We replaced it.")
        on.replies(on.last(LetterKind.PREVIEW), "SEND")
        on.later(minutes=5)
        letters = on.got(JOHN, LetterKind.DEBRIEF)
        assert len(letters) == 2
        assert "The cable was broken, not loose." in letters[1].text


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


def test_a_tasks_row_is_put_off_and_handed_over_alone(tmp_path: Path) -> None:
    """Deadlines, digests: a day or a name behind a call's number is about the call, and never about the debrief."""
    with by_hand(tmp_path, POLICY + SECOND_LIAISON, **GOLD) as on:
        on.alert()
        on.later(minutes=4)
        on.at(on.now.replace(hour=8, minute=1) + timedelta(days=1))
        morning = on.last(LetterKind.MORNING)
        assert "1. Northwind, file server" in morning.text
        debrief = promises(on, PromiseKind.DEBRIEF)[0]
        on.replies(morning, "1 4 December")
        assert promises(on, PromiseKind.CALL)[0].due_at.day == 4
        on.replies(morning, "1 ROBIN")
        assert "Robin Day is to do that now" in words(on)
        assert promises(on, PromiseKind.CALL)[0].owner == ROBIN
        assert "call John Harper" in " ".join(on.last(NOTICE, ROBIN).text.split())
        assert promises(on, PromiseKind.DEBRIEF)[0] == debrief
        assert on.app.store.records.affected_of(1)[0].liaison.address == VALERY
        on.replies(morning, "1 DONE")
        assert promises(on, PromiseKind.CALL)[0].state is PromiseState.KEPT


def test_who_takes_over_is_shown_what_waits_and_signs_it(tmp_path: Path) -> None:
    """N.6: ASSIGN while a letter waits for SEND: the new liaison has its preview, with her own name below it."""
    with by_hand(tmp_path, SECOND_LIAISON) as on:
        on.writes(SHIRLEY, "I can't open the Data drive.\n", "Data drive")
        old = on.last(LetterKind.PREVIEW)
        on.replies(on.last(OPENED), "ASSIGN Robin")
        assert "you opened this" not in " ".join(on.last(NOTICE, ROBIN).text.split())
        on.replies(old, "SEND")
        on.later(minutes=4)
        assert on.got(SHIRLEY) == []
        on.replies(on.last(LetterKind.PREVIEW, ROBIN), "SEND", ROBIN)
        on.later(minutes=4)
        letter = on.last(LetterKind.ACKNOWLEDGEMENT, SHIRLEY)
        assert "Robin Day" in letter.text
        assert "Robin Day" in str(letter.message["From"])
        assert "Valery" not in letter.text


def test_who_stands_in_is_shown_what_waits_and_signs_it(tmp_path: Path) -> None:
    """N.4: only a present liaison signs: a letter that waited for the SEND of who is away is shown to the stand-in."""
    with by_hand(tmp_path, SECOND_LIAISON) as on:
        on.writes(SHIRLEY, "I can't open the Data drive.\n", "Data drive")
        on.writes(VALERY, "AWAY today to 30 November, Robin\n", "Holiday")
        on.replies(on.last(LetterKind.PREVIEW, ROBIN), "SEND", ROBIN)
        on.later(minutes=4)
        letter = on.last(LetterKind.ACKNOWLEDGEMENT, SHIRLEY)
        assert "Robin Day" in letter.text
        assert "Valery" not in letter.text


def test_an_update_that_outlived_its_debrief_says_so(tmp_path: Path) -> None:
    """N.6: SEND to a word in between, after the debrief has gone, is answered with when that was."""
    with by_hand(tmp_path) as on:
        preview = preview_of(on)
        on.replies(preview, "UPDATE We are still looking.")
        update = on.last(LetterKind.PREVIEW)
        on.replies(preview, "SEND")
        on.later(minutes=5)
        on.replies(update, "SEND")
        assert "Already sent" in words(on)
        on.later(minutes=5)
        assert on.got(JOHN, LetterKind.UPDATE) == []


def test_a_merge_keeps_the_earlier_promise_and_every_clock_running(tmp_path: Path) -> None:
    """S4.4, N.4: of two incidents of one client the earlier promise stands, and nothing stops what else is due."""
    with by_hand(tmp_path) as on:
        on.alert()
        on.later(minutes=4)
        due = promises(on, PromiseKind.DEBRIEF)[0].due_at
        first = on.last(OPENED)
        on.writes(VALERY, "OPEN northwind: the printers print nothing\n", "Printers")
        on.later(minutes=20)
        on.replies(first, "MERGE INC-2")
        on.later(days=2)
        open_ = [p for p in on.app.store.promises.of(2) if p.state is PromiseState.OPEN]
        assert [p.due_at for p in open_ if p.kind is PromiseKind.DEBRIEF] == [due]
        assert [m for m in on.got(DANA, NOTICE) if m.subject.startswith("Late")]


def test_a_row_acts_on_its_own_task_alone(tmp_path: Path) -> None:
    """Deadlines, digests: DONE, TAKE, CLOSE and WAITING FOR behind a number are about that row, and nothing else."""
    with by_hand(tmp_path, SECOND_LIAISON) as on:
        on.alert()
        on.later(minutes=4)
        on.replies(on.last(OPENED), "ACTION Robin by 30 November: replace the battery")
        on.at(on.now.replace(hour=8, minute=1) + timedelta(days=1))
        on.replies(on.last(LetterKind.MORNING), "1 DONE")  # the debrief's row
        assert "There is no task here" in words(on)
        on.at(on.now + timedelta(days=6))
        digest = on.last(LetterKind.DIGEST, DANA)
        number = 1 + [r["reference"] + r["line"][0] for r in rows(on, digest)].index("INC-1digest_action")
        for said, answer in (("WAITING FOR the vendor", "That row is a task"), ("TAKE", "That is yours to do now")):
            on.replies(digest, f"{number} {said}", DANA)
            assert answer in " ".join(on.last(NOTICE, DANA).text.split())
        (action,) = promises(on, PromiseKind.ACTION)
        assert action.owner == DANA
        on.replies(digest, f"{number} CLOSE it needs no battery", DANA)
        assert promises(on, PromiseKind.ACTION)[0].state is PromiseState.RELEASED
        assert promises(on, PromiseKind.DEBRIEF)[0].state is PromiseState.OPEN
        assert on.app.store.records.affected_of(1)[0].liaison.address == VALERY


def rows(on: ByHand, mail: Received) -> list[Any]:
    """A list's rows as they are kept."""
    tag = tag_of(str(mail.message["Message-ID"])) or ""
    letter = on.app.store.outbox.by_tag_id(tag.partition("-")[0])
    kept = letter.facts["rows"] if letter else []
    assert isinstance(kept, list)
    return kept


@pytest.mark.parametrize("settled", ["stopped", "waits"])
def test_a_merge_loses_no_promise(tmp_path: Path, settled: str) -> None:
    """S4.4, N.4: what the client was told of the one that is merged in is owed, and runs, whatever the root owes."""
    with by_hand(tmp_path) as on:
        if settled == "stopped":
            on.alert()
            on.replies(on.last(OPENED), "STOP")
        else:
            on.writes(VALERY, "OPEN northwind: the printers print nothing\n", "Printers")
            on.replies(on.last(OPENED), "WAITING FOR the vendor")
        on.alert(PROBLEM.replace("NW-FS01", "NW-MX01").replace("184467", "184468"), "Problem: NW-MX01 was restarted")
        on.later(minutes=20)
        on.replies(next(m for m in on.got(VALERY, OPENED) if "INC-2" in m.subject), "MERGE INC-1")
        (debrief,) = [p for p in promises(on, PromiseKind.DEBRIEF) if p.state is PromiseState.OPEN]
        assert debrief.waits_since is None
        on.later(days=4)
        assert [m for m in on.got(DANA, NOTICE) if m.subject.startswith("Late")]


def test_after_a_merge_one_debrief_leaves(tmp_path: Path) -> None:
    """S4.4: a debrief that waits for SEND in the one that is merged in can never be sent beside the root's."""
    with by_hand(tmp_path) as on:
        on.replies(preview_of(on), "NOTE wait a moment")
        first = on.last(LetterKind.PREVIEW)
        on.alert(PROBLEM.replace("NW-FS01", "NW-MX01").replace("184467", "184468"), "Problem: NW-MX01 was restarted")
        on.later(minutes=20)
        second = next(m for m in on.got(VALERY, OPENED) if "INC-2" in m.subject)
        on.replies(second, "RESOLVED")
        on.later(minutes=15)
        on.replies(on.last(LetterKind.FORM), "1: A cable was loose.\n2: We fixed it.")
        other = on.last(LetterKind.PREVIEW)
        on.replies(second, "MERGE INC-1")
        on.replies(other, "SEND")
        on.replies(first, "SEND")
        on.later(minutes=5)
        assert len(on.got(JOHN, LetterKind.DEBRIEF)) == 1
