"""Incidents that become one, and one that becomes two: what moves with them in the tables."""

from datetime import datetime
from typing import Any

from mailflow.adapters.store.tables import AffectedRow, IncidentRow, LetterRow, PromiseRow, ToldRow
from mailflow.adapters.store.times import moved
from mailflow.domain.incident import IncidentState, PromiseKind, PromiseState
from mailflow.domain.letters import TO_CLIENTS, LetterState


def merge(child_id: int, root_id: int, now: datetime) -> None:
    """An incident lives on in another; a client of both becomes one, with all that it was told and promised."""
    ours = {a.client_key: a.id for a in _affected_of(root_id)}
    for theirs in _affected_of(child_id):
        into = ours.get(theirs.client_key)
        if into is None:
            AffectedRow.update(incident_id=root_id).where(AffectedRow.id == theirs.id).execute()
            continue
        AffectedRow.update(folded_into=into).where(AffectedRow.id == theirs.id).execute()
        for told in ToldRow.select().where(ToldRow.affected_id == theirs.id):
            same = (ToldRow.affected_id == into) & (ToldRow.address == told.address) & (ToldRow.kind == told.kind)
            if ToldRow.select().where(same & (ToldRow.at == told.at)).exists():
                ToldRow.delete().where(ToldRow.id == told.id).execute()
            else:
                ToldRow.update(affected_id=into).where(ToldRow.id == told.id).execute()
        ours_too = {(p.kind, p.what): p for p in PromiseRow.select().where(PromiseRow.affected_id == into)}
        for promise in PromiseRow.select().where(PromiseRow.affected_id == theirs.id):
            twin = ours_too.get((promise.kind, promise.what))
            if twin is None:
                PromiseRow.update(affected_id=into).where(PromiseRow.id == promise.id).execute()
            elif promise.state == PromiseState.OPEN:
                _owe_both(promise, twin)
        PromiseRow.update(state=PromiseState.RELEASED, settled_at=now).where(
            (PromiseRow.affected_id == theirs.id) & (PromiseRow.state == PromiseState.OPEN)
        ).execute()
    for table in (ToldRow, PromiseRow):
        table.update(incident_id=root_id).where(table.incident_id == child_id).execute()
    IncidentRow.update(merged_into=root_id).where(IncidentRow.merged_into == child_id).execute()
    IncidentRow.update(
        state=IncidentState.MERGED, merged_into=root_id, open_key=None, closed_at=now, why_closed="merged"
    ).where(IncidentRow.id == child_id).execute()


def _owe_both(theirs: Any, ours: Any) -> None:
    """Two promises of a kind to one client are one: by the earlier time, owed while either is, and running while either
    runs."""
    is_open = ours.state == PromiseState.OPEN
    runs = theirs.waits_since is None or not is_open
    moved([ours])
    PromiseRow.update(
        state=PromiseState.OPEN,
        settled_at=None,
        due_at=min(theirs.due_at, ours.due_at) if is_open else theirs.due_at,
        waits_since=None if runs else ours.waits_since,
        waits_for="" if runs else ours.waits_for,
    ).where(PromiseRow.id == ours.id).execute()
    if ours.kind == PromiseKind.DEBRIEF:
        AffectedRow.update(settled_at=None, settled_why="").where(AffectedRow.id == ours.affected_id).execute()


def split(affected_id: int, now: datetime) -> int:
    """A client of an incident gets an incident of its own, with its promises, its audience and what it is still to be
    sent. What has left stays: its tag is bound to the incident that it was about."""
    affected = AffectedRow.get_by_id(affected_id)
    whole_ = IncidentRow.get_by_id(affected.incident_id)
    copied = {f: getattr(whole_, f) for f in IncidentRow._meta.fields if f not in {"id", "reference", "open_key"}}
    scope, key = f"client:{affected.client_key}", f"split:{affected_id}"
    on = whole_.state == IncidentState.OPEN
    new = {**copied, "scope": scope, "correlation_key": key, "open_key": open_key(scope, key) if on else None}
    row = IncidentRow.create(**new, reference=None)
    row.reference = f"INC-{row.id}"
    IncidentRow.update(reference=row.reference, opened_at=now).where(IncidentRow.id == row.id).execute()
    AffectedRow.update(incident_id=row.id).where(AffectedRow.id == affected_id).execute()
    for table in (ToldRow, PromiseRow):
        table.update(incident_id=row.id).where(table.affected_id == affected_id).execute()
    LetterRow.update(incident_id=row.id).where(
        (LetterRow.affected_id == affected_id)
        & LetterRow.kind.in_(TO_CLIENTS)
        & LetterRow.state.in_([LetterState.WAITING, LetterState.HELD])
    ).execute()
    return int(row.id)


def whole(incident_id: int) -> Any:
    """An incident's id and those of all that were merged into it."""
    return IncidentRow.select(IncidentRow.id).where(
        (IncidentRow.id == incident_id) | (IncidentRow.merged_into == incident_id)
    )


def open_key(scope: str, key: str) -> str:
    """What makes an open incident unique."""
    return f"{scope}\n{key}"  # a scope is one line, so no other scope and key read the same


def _affected_of(incident_id: int) -> list[Any]:
    mine = (AffectedRow.incident_id == incident_id) & AffectedRow.folded_into.is_null()
    return list(AffectedRow.select().where(mine).order_by(AffectedRow.id))
