"""What the sweep looks for among the records, as conditions on incidents and their clients."""

from datetime import datetime
from typing import Any

from peewee import fn

from mailflow.adapters.store.tables import AffectedRow, IncidentRow, LetterRow, PromiseRow, ToldRow
from mailflow.domain.incident import IncidentState, PromiseState
from mailflow.domain.letters import LetterKind, LetterState
from mailflow.domain.vocabulary import Detection

RUNNING = (IncidentState.OPEN, IncidentState.RESTORED)


def awaits_form(ended_before: datetime, due_before: datetime) -> Any:
    """Unsettled clients without a form, whose service is back for a while or whose debrief is due soon."""
    # Asked of the few that are unsettled (EXISTS), never of all letters that there ever were (NOT IN).
    asked = LetterRow.select(LetterRow.id).where(
        (LetterRow.affected_id == AffectedRow.id) & (LetterRow.kind == LetterKind.FORM)
    )
    promised = PromiseRow.select(PromiseRow.affected_id).where(PromiseRow.state == PromiseState.OPEN)
    due_soon = promised.where(PromiseRow.due_at <= due_before)
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
