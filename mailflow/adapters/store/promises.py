"""The promise ledger (engine.store.Promises)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from peewee import fn

from mailflow.adapters.store.records import pairs
from mailflow.adapters.store.tables import AffectedRow, FillRow, PromiseRow
from mailflow.adapters.store.times import moved
from mailflow.domain.incident import Affected, Promise, PromiseKind, PromiseState
from mailflow.domain.people import Staff
from mailflow.engine.store import Owed

RUNS = PromiseRow.waits_since.is_null()  # its clock does not stand still


class PromiseTable:
    """engine.store.Promises."""

    def make(
        self,
        affected: Affected,
        kind: PromiseKind,
        due_at: datetime,
        now: datetime,
        *,
        owner: Staff | None = None,
        what: str = "",
    ) -> None:
        """Promise something; the same promise is made once, and one that was settled is owed again."""
        same = (PromiseRow.affected_id == affected.id) & (PromiseRow.kind == kind) & (PromiseRow.what == what)
        settled = same & (PromiseRow.state != PromiseState.OPEN)
        who = owner.address if owner else affected.liaison.address
        moved(PromiseRow.select(PromiseRow.id).where(settled))
        PromiseRow.update(
            state=PromiseState.OPEN,
            owner=who,
            due_at=due_at,
            settled_at=None,
            waits_since=None,
            waits_for="",
        ).where(settled).execute()
        PromiseRow.insert(
            incident_id=affected.incident_id,
            affected_id=affected.id,
            kind=kind,
            owner=who,
            due_at=due_at,
            state=PromiseState.OPEN,
            what=what,
            made_at=now,
        ).on_conflict_ignore().execute()

    def of(self, incident_id: int) -> list[Promise]:
        """The incident's promises."""
        query = PromiseRow.select().where(PromiseRow.incident_id == incident_id).order_by(PromiseRow.id)
        return [_promise(row) for row in query]

    def find(self, affected_id: int, kind: PromiseKind) -> Promise | None:
        """The promise of a kind that is made to a client once."""
        mine = (PromiseRow.affected_id == affected_id) & (PromiseRow.kind == kind)
        row = PromiseRow.select().where(mine).order_by(PromiseRow.id.desc()).first()
        return _promise(row) if row else None

    def settle(self, affected_id: int, kind: PromiseKind, state: PromiseState, now: datetime) -> None:
        """Keep or release a promise."""
        PromiseRow.update(state=state, settled_at=now).where(
            (PromiseRow.affected_id == affected_id)
            & (PromiseRow.kind == kind)
            & (PromiseRow.state == PromiseState.OPEN)
        ).execute()

    def postpone(self, affected_id: int, kind: PromiseKind, due_at: datetime) -> None:
        """An open promise is due at another time, and waits for nobody any more."""
        open_ = (PromiseRow.affected_id == affected_id) & (PromiseRow.state == PromiseState.OPEN)
        which = open_ & (PromiseRow.kind == kind)
        moved(PromiseRow.select(PromiseRow.id).where(which))
        PromiseRow.update(due_at=due_at, waits_since=None, waits_for="").where(which).execute()

    def keep(self, promise_id: int, now: datetime) -> None:
        """An action was done."""
        PromiseRow.update(state=PromiseState.KEPT, settled_at=now).where(PromiseRow.id == promise_id).execute()

    def wait(self, promise_id: int, whom: str, since: datetime) -> None:
        """Somebody else is waited for: until it is put off or goes on, it is never due."""
        PromiseRow.update(waits_since=since, waits_for=whom).where(PromiseRow.id == promise_id).execute()

    def waiting(self) -> list[Owed]:
        """Open promises whose clock stands still, the longest waiting first."""
        return sorted(_owed(PromiseRow.waits_since.is_null(False)), key=lambda owed: str(owed.promise.waits_since))

    def release(self, promise_id: int, now: datetime) -> None:
        """One promise is no longer owed."""
        PromiseRow.update(state=PromiseState.RELEASED, settled_at=now).where(PromiseRow.id == promise_id).execute()

    def put_off(self, promise_id: int, due_at: datetime) -> None:
        """One promise is due at another time."""
        moved(PromiseRow.select(PromiseRow.id).where(PromiseRow.id == promise_id))
        PromiseRow.update(due_at=due_at).where(PromiseRow.id == promise_id).execute()

    def hand_over(self, promise_id: int, staff: Staff) -> None:
        """Somebody else is to keep it."""
        PromiseRow.update(owner=staff.address).where(PromiseRow.id == promise_id).execute()

    def overdue(self, now: datetime) -> list[Owed]:
        """Promises past their time, oldest first."""
        return _owed(RUNS & (PromiseRow.due_at < now))

    def get(self, promise_id: int) -> Owed:
        """One promise, with what it is about."""
        row = PromiseRow.get_by_id(promise_id)
        whose = AffectedRow.get_by_id(row.affected_id)
        while whose.folded_into:  # its incident lives on in another, where the client was one already
            whose = AffectedRow.get_by_id(whose.folded_into)
        ((incident, affected),) = pairs(AffectedRow.id == whose.id)
        return Owed(promise=_promise(row), incident=incident, affected=affected)

    def open(self, before: datetime) -> list[Owed]:
        """Open promises that are due before a time, oldest first."""
        return _owed(RUNS & (PromiseRow.due_at < before))

    def kept_late(self, since: datetime) -> list[datetime]:
        """When what was kept after its time was due."""
        late = (PromiseRow.state == PromiseState.KEPT) & (PromiseRow.settled_at > PromiseRow.due_at)
        query = PromiseRow.select(PromiseRow.due_at).where(late & (PromiseRow.due_at >= since))
        return [row.due_at for row in query]

    def unknown(self, before: datetime, words: Sequence[str]) -> list[Owed]:
        """Open promises that are due before a time, to clients of whom an answer is one of these words."""
        plain = fn.TRIM(fn.LOWER(fn.REPLACE(FillRow.value, "\N{RIGHT SINGLE QUOTATION MARK}", "'")), " .!\n")
        of = FillRow.select(FillRow.id).where(FillRow.affected_id == PromiseRow.affected_id)
        word = PromiseRow.kind.in_([PromiseKind.DEBRIEF, PromiseKind.UPDATE])
        return _owed(RUNS & word & (PromiseRow.due_at < before) & fn.EXISTS(of.where(plain.in_(list(words)))))


def _owed(which: Any) -> list[Owed]:
    late = list(
        PromiseRow.select()
        .where((PromiseRow.state == PromiseState.OPEN) & which)
        .order_by(PromiseRow.due_at, PromiseRow.id)
    )
    of = {a.id: (i, a) for i, a in pairs(AffectedRow.id.in_([p.affected_id for p in late]))} if late else {}
    return [Owed(promise=_promise(p), incident=of[p.affected_id][0], affected=of[p.affected_id][1]) for p in late]


def _promise(row: Any) -> Promise:
    return Promise(
        id=row.id,
        incident_id=row.incident_id,
        affected_id=row.affected_id,
        kind=PromiseKind(row.kind),
        owner=row.owner,
        due_at=row.due_at,
        state=PromiseState(row.state),
        what=row.what,
        waits_since=row.waits_since,
        waits_for=row.waits_for,
    )
