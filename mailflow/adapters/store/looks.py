"""What the sweep looks for among the records, as conditions on incidents and their clients."""

from datetime import datetime
from typing import Any

from peewee import fn

from mailflow.adapters.store.tables import AffectedRow, IncidentRow, LetterRow, PromiseRow, ToldRow
from mailflow.domain.incident import IncidentState, PromiseKind, PromiseState
from mailflow.domain.letters import LetterKind, LetterState
from mailflow.domain.vocabulary import Class, Detection

RUNNING = (IncidentState.OPEN, IncidentState.RESTORED)


def awaits_form(ended_before: datetime, due_before: datetime) -> Any:
    """Unsettled clients without a form, whose service is back for a while or whose debrief is due soon."""
    # Asked of the few that are unsettled (EXISTS), never of all letters that there ever were (NOT IN).
    # A form of the time before the trouble came back does not count: the debrief is owed anew since then.
    owed_since = PromiseRow.select(fn.MAX(PromiseRow.made_at)).where(
        (PromiseRow.affected_id == AffectedRow.id) & (PromiseRow.kind == PromiseKind.DEBRIEF)
    )
    asked = LetterRow.select(LetterRow.id).where(
        (LetterRow.affected_id == AffectedRow.id)
        & (LetterRow.kind == LetterKind.FORM)
        & (LetterRow.created_at >= owed_since)
    )
    debrief = (PromiseRow.state == PromiseState.OPEN) & (PromiseRow.kind == PromiseKind.DEBRIEF)
    promised = PromiseRow.select(PromiseRow.affected_id).where(debrief)
    due_soon = promised.where((PromiseRow.due_at <= due_before) & PromiseRow.waits_since.is_null())
    # Trouble that was over before the acknowledgement left is told to nobody: it is dropped when its time comes.
    told = ToldRow.select(ToldRow.id).where(ToldRow.incident_id == IncidentRow.id)
    dropping = LetterRow.select(LetterRow.id).where(
        (LetterRow.affected_id == AffectedRow.id)
        & (LetterRow.kind == LetterKind.ACKNOWLEDGEMENT)
        & LetterRow.unless_over
        & (LetterRow.state == LetterState.WAITING)
        & ~fn.EXISTS(told)
    )
    return (
        AffectedRow.settled_at.is_null()
        & IncidentRow.state.in_(RUNNING)
        & AffectedRow.id.in_(promised)
        & ~fn.EXISTS(asked)
        & (
            (
                (IncidentRow.state == IncidentState.RESTORED)
                & (IncidentRow.ended_at <= ended_before)
                & ~fn.EXISTS(dropping)
            )
            | AffectedRow.id.in_(due_soon)
        )
    )


def nobody_knows() -> Any:
    """Restored incidents that no client told us of or was told of, with no client letter on its way any more."""
    told = ToldRow.select(ToldRow.id).where(ToldRow.incident_id == IncidentRow.id)
    child: Any = IncidentRow.alias()
    merged = child.select(child.id).where(child.merged_into == IncidentRow.id)
    theirs = AffectedRow.select(AffectedRow.id).where(
        (AffectedRow.incident_id == IncidentRow.id) | AffectedRow.incident_id.in_(merged)
    )
    coming = LetterRow.select(LetterRow.id).where(
        LetterRow.affected_id.in_(theirs)
        & LetterRow.kind.in_([LetterKind.ACKNOWLEDGEMENT, LetterKind.DEBRIEF])
        & (LetterRow.state != LetterState.DROPPED)
    )
    concerned = AffectedRow.select(AffectedRow.id).where(
        (AffectedRow.incident_id == IncidentRow.id)
        & ((AffectedRow.reporter != "") | AffectedRow.settled_at.is_null(False))
    )
    return (
        (IncidentRow.state == IncidentState.RESTORED)
        & (IncidentRow.detected_by != Detection.STAFF)
        & ~fn.EXISTS(told)
        & ~fn.EXISTS(coming)
        & ~fn.EXISTS(concerned)
    )


def silent(since: datetime) -> list[tuple[int, datetime]]:
    """Affected clients of open outages who were told of them, and heard nothing since a time: and when they did."""
    # Asked of the few that are open, each by its index, never of all that was ever told.
    last = ToldRow.select(fn.MAX(ToldRow.at)).where(ToldRow.affected_id == AffectedRow.id)
    query = (
        AffectedRow.select(AffectedRow.id, last)
        .join(IncidentRow, on=(IncidentRow.id == AffectedRow.incident_id))
        .where(_goes_on() & (last < ToldRow.at.db_value(since)))  # a subquery does not know how a time is kept
    )
    return [(affected_id, ToldRow.at.python_value(at)) for affected_id, at in query.tuples()]


def untold(before: datetime) -> list[int]:
    """Affected clients of open outages that began before a time, of whom nobody was told."""
    told = ToldRow.select(ToldRow.id).where(ToldRow.affected_id == AffectedRow.id)
    query = (
        AffectedRow.select(AffectedRow.id)
        .join(IncidentRow, on=(IncidentRow.id == AffectedRow.incident_id))
        .where(_goes_on() & (IncidentRow.started_at < before) & ~fn.EXISTS(told))
    )
    return [row.id for row in query.order_by(AffectedRow.id)]


def _goes_on() -> Any:
    """An outage that is on for a client."""
    outage = IncidentRow.class_name.in_([Class.OUTAGE, Class.DEGRADED])
    on = (IncidentRow.state == IncidentState.OPEN) & AffectedRow.ended_at.is_null() & AffectedRow.settled_at.is_null()
    return outage & on & AffectedRow.folded_into.is_null()
