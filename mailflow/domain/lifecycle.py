"""How things change state: one table each for incidents and letters; what the table does not name is illegal."""

from enum import StrEnum

from mailflow.domain.incident import IncidentState
from mailflow.domain.letters import LetterState


class IllegalTransitionError(Exception):
    """A change of state that the table does not name: always a bug of ours."""


class Happening(StrEnum):
    """What happens to an incident."""

    RECOVERED = "recovered"  # by recovery alert, or a liaison's RESOLVED
    RELAPSED = "relapsed"  # the same key again, soon after the end
    REOPENED = "reopened"  # a person says that it is not over
    SETTLED = "settled"  # every affected client has its debrief, or is owed none
    MERGED = "merged"


INCIDENT_TRANSITIONS: dict[tuple[IncidentState, Happening], IncidentState] = {
    (IncidentState.OPEN, Happening.RECOVERED): IncidentState.RESTORED,
    (IncidentState.RESTORED, Happening.RELAPSED): IncidentState.OPEN,
    (IncidentState.CLOSED, Happening.RELAPSED): IncidentState.OPEN,  # only what nobody had heard of
    (IncidentState.RESTORED, Happening.REOPENED): IncidentState.OPEN,
    (IncidentState.CLOSED, Happening.REOPENED): IncidentState.OPEN,
    # A debrief may be sent for something that has no end of its own: an upgrade nobody announced.
    (IncidentState.OPEN, Happening.SETTLED): IncidentState.CLOSED,
    (IncidentState.RESTORED, Happening.SETTLED): IncidentState.CLOSED,
    (IncidentState.OPEN, Happening.MERGED): IncidentState.MERGED,
    (IncidentState.RESTORED, Happening.MERGED): IncidentState.MERGED,
}


class Dispatch(StrEnum):
    """What happens to a letter."""

    LEASE = "lease"  # a sender took it
    START = "start"  # DATA is about to be written
    ACCEPT = "accept"  # 250 after the dot, or proof found
    RESEND = "resend"  # a person says: once more
    DEFER = "defer"  # 4xx, or the connection broke before the dot
    REJECT = "reject"  # 5xx
    LOSE = "lose"  # no answer after the dot
    HOLD = "hold"  # a person must decide
    RELEASE = "release"  # a person did
    DROP = "drop"  # withdrawn, superseded, or no longer needed


L = LetterState
LETTER_TRANSITIONS: dict[tuple[LetterState, Dispatch], LetterState] = {
    (L.WAITING, Dispatch.LEASE): L.LEASED,
    (L.WAITING, Dispatch.HOLD): L.HELD,
    (L.WAITING, Dispatch.DROP): L.DROPPED,
    (L.HELD, Dispatch.RELEASE): L.WAITING,
    (L.HELD, Dispatch.DROP): L.DROPPED,
    (L.LEASED, Dispatch.START): L.STARTED,
    (L.LEASED, Dispatch.DEFER): L.WAITING,  # also: the process died before DATA
    (L.LEASED, Dispatch.REJECT): L.FAILED,  # refused at RCPT
    (L.LEASED, Dispatch.HOLD): L.HELD,  # stale, or its template failed
    (L.LEASED, Dispatch.DROP): L.DROPPED,
    (L.STARTED, Dispatch.ACCEPT): L.SENT,
    # Its copy is here though it waits to leave again: RESEND was said before the proof came.
    (L.WAITING, Dispatch.ACCEPT): L.SENT,
    (L.HELD, Dispatch.ACCEPT): L.SENT,
    (L.LEASED, Dispatch.ACCEPT): L.SENT,
    (L.STARTED, Dispatch.DEFER): L.WAITING,  # an explicit 4xx: certainly not taken
    (L.STARTED, Dispatch.REJECT): L.FAILED,
    (L.STARTED, Dispatch.LOSE): L.UNKNOWN,  # also: the process died between DATA and its commit
    (L.UNKNOWN, Dispatch.ACCEPT): L.SENT,  # proof found, or the liaison said SENT
    (L.UNKNOWN, Dispatch.RESEND): L.WAITING,  # the liaison said RESEND
    (L.SENT, Dispatch.REJECT): L.FAILED,  # a late bounce: the duty to inform reopens (N.9)
    (L.UNKNOWN, Dispatch.REJECT): L.FAILED,  # it came back, so it had left
    (L.FAILED, Dispatch.RELEASE): L.WAITING,  # `outbox retry`
    (L.FAILED, Dispatch.DROP): L.DROPPED,
    (L.UNKNOWN, Dispatch.DROP): L.DROPPED,
}


def advance(state: IncidentState, happening: Happening) -> IncidentState:
    """The incident's next state; IllegalTransitionError where the table has none."""
    try:
        return INCIDENT_TRANSITIONS[state, happening]
    except KeyError:
        raise IllegalTransitionError(f"an incident that is {state} cannot be {happening}") from None


def dispatch(state: LetterState, step: Dispatch) -> LetterState:
    """The letter's next state; IllegalTransitionError where the table has none."""
    try:
        return LETTER_TRANSITIONS[state, step]
    except KeyError:
        raise IllegalTransitionError(f"a letter that is {state} cannot {step}") from None
