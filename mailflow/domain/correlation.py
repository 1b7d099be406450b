"""One incident: which alert opens it, joins it, ends it, or waits. `correlate` judges one event; pure.

A signal is one thing's trouble as one monitor tells it, from its first alert to its recovery; an incident has one or
more. Mails overtake each other, so the monitor's own time (Date) says which of two came first, where both tell it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from mailflow.domain.decisions import (
    Decision,
    Gather,
    Ignore,
    Join,
    Known,
    Mute,
    OpenFromAlert,
    Recover,
    Relapse,
    Show,
    Situation,
    Wait,
)
from mailflow.domain.incident import Incident, IncidentState
from mailflow.domain.mail import Ending, Event
from mailflow.domain.policy import Policy
from mailflow.domain.vocabulary import Kind, State

LYING = timedelta(days=2)  # a Date this far from the arrival is no clock to order mails by
UNTOLD = "over before anybody was told"


def said_at(date: datetime | None, received_at: datetime) -> datetime:
    """When the monitor wrote, by its own clock where that is believable."""
    return date if date is not None and abs(date - received_at) < LYING else received_at


@dataclass(frozen=True, kw_only=True)
class _Case:
    """One event and all that it is judged by."""

    event: Event
    situation: Situation
    said: datetime
    now: datetime
    policy: Policy

    @property
    def within(self) -> timedelta:
        within = self.event.rules.reopen_within
        return self.policy.reopen_within if within is None else within


def correlate(event: Event, situation: Situation, said: datetime, now: datetime, policy: Policy) -> Decision:
    """What one event means: whose it is, and whether it opens, joins or ends an incident."""
    if event.state not in {State.PROBLEM, State.RECOVERY, State.UPDATE}:
        return Ignore(reason=f"event-is-{event.state}", kind=Kind.ALERT)
    owner = situation.owner
    if event.vendor:
        if not owner.clients:
            return Ignore(reason="vendor-of-no-client", kind=Kind.VENDOR)
    elif len(owner.clients) != 1:
        return Show(reason="alert-of-two-clients" if owner.clients else "alert-of-no-client", kind=Kind.ALERT)
    case = _Case(event=event, situation=situation, said=said, now=now, policy=policy)
    match event.state:
        case State.PROBLEM:
            return _problem(case)
        case State.RECOVERY:
            return _recovery(case)
    same = situation.same
    if same and same.incident and same.incident.running:
        return Join(reason="update-of-running-incident", incident_id=same.incident.id, event=event)
    return Ignore(reason="update-of-nothing-open", kind=Kind.ALERT)


def _problem(case: _Case) -> Decision:
    event, situation = case.event, case.situation
    same, again = situation.same, situation.again
    if same and same.on and same.incident:
        return Join(reason="same-key-again", incident_id=same.incident.id, event=event)
    if same and same.incident is None and _overtaken(same, case):
        # Its recovery came first and waited for it: the trouble is recorded, and over.
        return OpenFromAlert(reason="overtaken-by-its-recovery", event=event, over_at=same.signal.ended_at)
    if same and same.incident and case.said < same.signal.said_at:
        return Ignore(reason="older-than-its-recovery", kind=Kind.ALERT)
    if situation.window:
        return Mute(reason="in-a-maintenance-window", event=event, until=situation.window.ends)
    if same and same.incident and _recent(same, case):
        return Relapse(reason="same-key-soon-after-its-end", incident_id=same.incident.id, event=event)
    if again and again.on and again.incident:
        return Join(reason="same-thing-again", incident_id=again.incident.id, event=event)
    if again and again.incident and _recent(again, case):
        return Relapse(reason="same-thing-soon-after-its-end", incident_id=again.incident.id, event=event)
    if situation.storm:
        return Join(reason="part-of-a-storm", incident_id=situation.storm.id, event=event)
    if event.family and case.policy.storm_count > 1 and situation.alike_count + 1 >= case.policy.storm_count:
        into, *others = situation.alike
        return Gather(reason="a-storm", event=event, into=into.id, others=tuple(i.id for i in others))
    return OpenFromAlert(reason="new-key", event=event)


def _recovery(case: _Case) -> Decision:
    event, same = case.event, case.situation.same
    if same and same.on and same.incident:
        if case.said < same.signal.said_at and case.said < same.signal.began_said:
            return Ignore(reason="older-than-the-trouble", kind=Kind.ALERT)
        return Recover(reason="recovery-of-open-incident", incident_id=same.incident.id, event=event)
    if event.rules.ending is Ending.MAIL and not (same and same.incident):
        return Wait(reason="recovery-waits-for-its-problem", event=event)
    return Ignore(reason="recovery-of-nothing-open", kind=Kind.ALERT)


def _overtaken(orphan: Known, case: _Case) -> bool:
    """Whether the trouble is older than the recovery that waits: by the monitor's clock, else by its recipe's grace."""
    told = case.said != case.situation.received_at
    if told or orphan.signal.ended_at is None:
        return case.said <= orphan.signal.said_at
    return case.said <= orphan.signal.said_at or case.now - orphan.signal.ended_at <= case.event.rules.orphan_grace


def _recent(known: Known, case: _Case) -> bool:
    """Whether the trouble ended so short a time ago that more of it is the same trouble."""
    incident, ended = known.incident, known.signal.ended_at
    if incident is None or ended is None or not may_reopen(incident):
        return False
    return incident.state is IncidentState.OPEN or case.now - ended < case.within


def may_reopen(incident: Incident) -> bool:
    """What is on or restored goes on; what was closed goes on only where nobody had heard of it."""
    return incident.running or (incident.state is IncidentState.CLOSED and incident.why_closed == UNTOLD)
