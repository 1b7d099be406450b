"""Absences and the steps of reminding (engine.times)."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import peewee
from peewee import fn

from mailflow.adapters.store.tables import PromiseRow, Row, UtcField
from mailflow.domain.incident import PromiseKind, PromiseState
from mailflow.engine.times import MOVED, Absence, Step


class AbsenceRow(Row):
    """When one of ours is not there."""

    address = peewee.CharField()
    begins_at = UtcField()
    ends_at = UtcField(null=True)
    deputy = peewee.CharField()
    why = peewee.CharField(32)
    inbound_id = peewee.BigIntegerField(unique=True)
    moved_at = UtcField(null=True)

    class Meta:  # noqa: D106
        table_name = "absence"


class StepRow(Row):
    """One reminder of one promise."""

    promise_id = peewee.BigIntegerField()
    name = peewee.CharField(32)
    due_at = UtcField()
    done_at = UtcField(null=True)
    outcome = peewee.TextField(default="")

    class Meta:  # noqa: D106
        table_name = "step"


class AbsenceTable:
    """engine.times.Absences."""

    def put(self, absence: Absence, inbound_id: int) -> None:
        """Keep an absence; one mail announces one."""
        AbsenceRow.insert(
            address=absence.address,
            begins_at=absence.begins,
            ends_at=absence.ends,
            deputy=absence.deputy,
            why=absence.why,
            inbound_id=inbound_id,
        ).on_conflict_ignore().execute()

    def current(self, now: datetime) -> list[Absence]:
        """Who is away now, the newest word first."""
        away = (AbsenceRow.begins_at <= now) & (AbsenceRow.ends_at.is_null() | (AbsenceRow.ends_at > now))
        return [_absence(row) for row in AbsenceRow.select().where(away).order_by(AbsenceRow.id.desc())]

    def begun(self, now: datetime) -> list[Absence]:
        """Those that have begun, and whose promises have not moved yet."""
        begun = AbsenceRow.moved_at.is_null() & (AbsenceRow.begins_at <= now)
        return [_absence(row) for row in AbsenceRow.select().where(begun).order_by(AbsenceRow.id)]

    def moved(self, absence_id: int, now: datetime) -> None:
        """Its promises have moved."""
        AbsenceRow.update(moved_at=now).where(AbsenceRow.id == absence_id).execute()

    def end(self, address: str, now: datetime, why: str = "") -> int:
        """Somebody is back; how many absences end, or only those of one kind."""
        on = (AbsenceRow.address == address) & (AbsenceRow.ends_at.is_null() | (AbsenceRow.ends_at > now))
        if why:
            on &= AbsenceRow.why == why
        return int(AbsenceRow.update(ends_at=now, moved_at=now).where(on).execute())


LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)  # due at the next look
TO_CLIENTS = [kind for kind in PromiseKind if kind.to_client]


class StepTable:
    """engine.times.Steps."""

    def unplanned(self) -> list[int]:
        """Open promises to clients without a step."""
        planned = StepRow.select(StepRow.id).where(StepRow.promise_id == PromiseRow.id)
        query = PromiseRow.select(PromiseRow.id).where(
            (PromiseRow.state == PromiseState.OPEN) & PromiseRow.kind.in_(TO_CLIENTS) & ~fn.EXISTS(planned)
        )
        return [row.id for row in query.order_by(PromiseRow.id)]

    def plan(self, promise_id: int, steps: Iterable[tuple[str, datetime]]) -> None:
        """The steps of a promise, fixed from here on; those that are not done give way to these."""
        StepRow.delete().where((StepRow.promise_id == promise_id) & StepRow.done_at.is_null()).execute()
        for name, due_at in steps:
            StepRow.insert(promise_id=promise_id, name=name, due_at=due_at).on_conflict_ignore().execute()

    def due(self, now: datetime) -> list[Step]:
        """What is due, by promise and time; nothing of a promise that waits for somebody."""
        waits = (PromiseRow.id == StepRow.promise_id) & PromiseRow.waits_since.is_null(False)
        due = StepRow.done_at.is_null() & (StepRow.due_at <= now) & ~fn.EXISTS(PromiseRow.select().where(waits))
        query = StepRow.select().where(due).order_by(StepRow.promise_id, StepRow.due_at, StepRow.id)
        return [_step(row) for row in query]

    def done(self, step_id: int, outcome: str, now: datetime) -> bool:
        """Compare and set: of two daemons one does it."""
        open_ = (StepRow.id == step_id) & StepRow.done_at.is_null()
        return bool(StepRow.update(done_at=now, outcome=outcome).where(open_).execute())


def moved(promises: Any) -> None:
    """The times of these promises were changed, which a query of their ids names: their steps are planned anew."""
    for promise_id in [row.id for row in promises]:
        mine = StepRow.promise_id == promise_id
        if StepRow.select().where(mine).exists():  # else they are planned at the next look in any case
            StepRow.delete().where(mine & StepRow.done_at.is_null()).execute()
            StepRow.insert(promise_id=promise_id, name=MOVED, due_at=LONG_AGO).on_conflict(
                conflict_target=[StepRow.promise_id, StepRow.name, StepRow.due_at],
                update={StepRow.done_at: None, StepRow.outcome: ""},
            ).execute()


def _absence(row: Any) -> Absence:
    return Absence(
        id=row.id, address=row.address, begins=row.begins_at, ends=row.ends_at, deputy=row.deputy, why=row.why
    )


def _step(row: Any) -> Step:
    return Step(id=row.id, promise_id=row.promise_id, name=row.name, due_at=row.due_at)


ALL = (AbsenceRow, StepRow)
