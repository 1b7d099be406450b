"""How incidents and letters move: every pair of state and step, and no way by which a letter leaves twice."""

from collections.abc import Collection
from itertools import product

import pytest

from mailflow.domain.incident import IncidentState
from mailflow.domain.letters import LetterState
from mailflow.domain.lifecycle import (
    INCIDENT_TRANSITIONS,
    LETTER_TRANSITIONS,
    Dispatch,
    Happening,
    IllegalTransitionError,
    advance,
    dispatch,
)

L, D = LetterState, Dispatch
# Steps that only a person takes, from states in which a letter is or may be gone: RESEND, and `outbox retry`.
BY_A_PERSON = {(L.UNKNOWN, D.RESEND), (L.FAILED, D.RELEASE)}


@pytest.mark.parametrize(("state", "happening"), list(product(IncidentState, Happening)))
def test_every_move_of_an_incident(state: IncidentState, happening: Happening) -> None:
    """DESIGN 3, State: an incident moves as the table says, and any other move is an error that names both."""
    if (state, happening) in INCIDENT_TRANSITIONS:
        assert advance(state, happening) is INCIDENT_TRANSITIONS[state, happening]
    else:
        with pytest.raises(IllegalTransitionError, match=f"{state}.*{happening}"):
            advance(state, happening)


@pytest.mark.parametrize(("state", "step"), list(product(LetterState, Dispatch)))
def test_every_step_of_a_letter(state: LetterState, step: Dispatch) -> None:
    """DESIGN 3, State: a letter moves as the table says, and any other step is an error that names both."""
    if (state, step) in LETTER_TRANSITIONS:
        assert dispatch(state, step) is LETTER_TRANSITIONS[state, step]
    else:
        with pytest.raises(IllegalTransitionError, match=f"{state}.*{step}"):
            dispatch(state, step)


def reached(start: LetterState, *, without: Collection[tuple[LetterState, Dispatch]] = ()) -> set[LetterState]:
    """Every state that a letter can come to from `start`."""
    found, todo = set(), [start]
    while todo:
        here = todo.pop()
        for (state, step), then in LETTER_TRANSITIONS.items():
            if state is here and (state, step) not in without and then not in found:
                found.add(then)
                todo.append(then)
    return found


@pytest.mark.parametrize("gone", [L.SENT, L.UNKNOWN, L.FAILED])
def test_nothing_that_may_be_gone_waits_again_by_itself(gone: LetterState) -> None:
    """DESIGN 1.8, N.10: what was sent, or may have been, is on its way again only when a person says so."""
    assert not reached(gone, without=BY_A_PERSON) & {L.WAITING, L.LEASED, L.STARTED}
    assert L.WAITING in reached(gone)


def test_what_is_dropped_stays_dropped() -> None:
    """A letter that was withdrawn never leaves."""
    assert reached(L.DROPPED) == set()


def test_data_is_written_only_by_the_one_who_leased() -> None:
    """DESIGN 1.8: the only way into data_started is from leased, and the only way into leased from waiting."""
    assert {state for (state, _), then in LETTER_TRANSITIONS.items() if then is L.STARTED} == {L.LEASED}
    assert {state for (state, _), then in LETTER_TRANSITIONS.items() if then is L.LEASED} == {L.WAITING}


def test_what_was_begun_is_never_simply_dropped() -> None:
    """DESIGN 1.8: from data_started on a letter is sent, refused, or unknown; only an explicit 4xx lets it wait."""
    steps = {step: then for (state, step), then in LETTER_TRANSITIONS.items() if state is L.STARTED}
    assert steps == {D.ACCEPT: L.SENT, D.DEFER: L.WAITING, D.REJECT: L.FAILED, D.LOSE: L.UNKNOWN}


def test_what_is_closed_moves_only_by_a_relapse_or_a_person() -> None:
    """S3.1: what is closed goes on where nobody had heard of it, or by REOPEN; what is merged never moves again."""
    closed = {h: then for (state, h), then in INCIDENT_TRANSITIONS.items() if state is IncidentState.CLOSED}
    assert closed == {Happening.RELAPSED: IncidentState.OPEN, Happening.REOPENED: IncidentState.OPEN}
    assert IncidentState.MERGED not in {state for state, _ in INCIDENT_TRANSITIONS}


def test_only_what_runs_is_merged() -> None:
    """An incident lives on in another only while it concerns somebody: history is not rewritten."""
    merging = {state for (state, _), then in INCIDENT_TRANSITIONS.items() if then is IncidentState.MERGED}
    assert merging == {IncidentState.OPEN, IncidentState.RESTORED}
