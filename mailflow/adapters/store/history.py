"""Whole incidents of a period, a batch in a handful of queries (engine.history.History)."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from mailflow.adapters.store.records import pairs
from mailflow.adapters.store.tables import (
    AffectedRow,
    EntryRow,
    FillRow,
    InboundRow,
    IncidentRow,
    PromiseRow,
    ToldRow,
)
from mailflow.domain.clocks import IMPACT_FIELD
from mailflow.domain.form import Fill
from mailflow.domain.incident import Affected, Entry, Incident, IncidentState, PromiseKind, PromiseState, Told
from mailflow.engine.history import Chapter, Ledgered

BATCH = 200  # incidents: few enough to hold with their timelines, many enough that queries are not what takes time
VARIABLES = 500  # values in one IN (…): SQLite took no more than 999 before 3.32


class HistoryTables:
    """engine.history.History."""

    def chapter(self, incident_id: int) -> Chapter:
        """One incident; KeyError where there is none."""
        for told in _told(_heads([incident_id])):
            return told
        raise KeyError(incident_id)

    def chapters(self, since: datetime, until: datetime, client_key: str = "") -> Iterator[Chapter]:
        """The incidents of a period with all that happened to them."""
        for ids in _batches(since, until, client_key):
            yield from _told(_heads(ids))

    def heads(
        self, since: datetime, until: datetime, client_key: str = ""
    ) -> Iterator[tuple[Incident, tuple[Affected, ...]]]:
        """The incidents of a period with their clients."""
        for ids in _batches(since, until, client_key):
            yield from _heads(ids).values()


def _batches(since: datetime, until: datetime, client_key: str) -> Iterator[list[int]]:
    """By number, which grows with the time: each batch goes on behind the last one, along the primary key."""
    last = 0
    which = (IncidentRow.opened_at >= since) & (IncidentRow.opened_at < until)
    which &= IncidentRow.state != IncidentState.MERGED
    if client_key:
        theirs = (AffectedRow.client_key == client_key) & AffectedRow.folded_into.is_null()
        which &= IncidentRow.id.in_(AffectedRow.select(AffectedRow.incident_id).where(theirs))
    while True:
        query = IncidentRow.select(IncidentRow.id).where(which & (IncidentRow.id > last))
        ids = [row.id for row in query.order_by(IncidentRow.id).limit(BATCH)]
        if not ids:
            return
        yield ids
        last = ids[-1]


def _heads(ids: list[int]) -> dict[int, tuple[Incident, tuple[Affected, ...]]]:
    found: dict[int, tuple[Incident, tuple[Affected, ...]]] = {}
    for incident, one in sorted(pairs(AffectedRow.incident_id.in_(ids)), key=lambda p: (p[0].id, p[1].id)):
        _, before = found.get(incident.id, (incident, ()))
        found[incident.id] = (incident, (*before, one))
    return found


def _told(heads: dict[int, tuple[Incident, tuple[Affected, ...]]]) -> Iterator[Chapter]:
    ids = list(heads)
    root = {i: i for i in ids}
    for child in IncidentRow.select(IncidentRow.id, IncidentRow.merged_into).where(IncidentRow.merged_into.in_(ids)):
        root[child.id] = child.merged_into
    entries: dict[int, list[Entry]] = {i: [] for i in ids}
    mails: dict[int, list[int]] = {i: [] for i in ids}
    for r in sorted(_rows(EntryRow, EntryRow.incident_id, root), key=lambda r: (r.at, r.id)):
        entry = Entry(
            at=r.at, what=r.what, author=r.author, text=r.text, inbound_id=r.inbound_id, letter_id=r.letter_id
        )
        entries[root[r.incident_id]].append(entry)
        if r.inbound_id is not None:
            mails[root[r.incident_id]].append(r.inbound_id)
    told: dict[int, list[Told]] = {i: [] for i in ids}
    for r in sorted(_rows(ToldRow, ToldRow.incident_id, ids), key=lambda r: r.id):
        told[r.incident_id].append(
            Told(affected_id=r.affected_id, address=r.address, name=r.name, kind=r.kind, at=r.at)
        )
    promises: dict[int, list[Ledgered]] = {i: [] for i in ids}
    for r in sorted(_rows(PromiseRow, PromiseRow.incident_id, ids), key=lambda r: r.id):
        promises[r.incident_id].append(_ledgered(r))
    impacts: dict[int, list[Fill]] = {}
    clients = [a.id for _, affected in heads.values() for a in affected]
    for r in sorted(_rows(FillRow, FillRow.affected_id, clients, FillRow.number == IMPACT_FIELD), key=lambda r: r.id):
        fill = Fill(number=r.number, value=r.value, by=r.by_whom, at=r.at, loose=r.loose)
        impacts.setdefault(r.affected_id, []).append(fill)
    came = {
        r.id: r.received_at for r in _rows(InboundRow, InboundRow.id, {m for those in mails.values() for m in those})
    }
    for id_, (incident, affected) in heads.items():
        yield Chapter(
            incident=incident,
            affected=affected,
            timeline=tuple(entries[id_]),
            told=tuple(told[id_]),
            promises=tuple(promises[id_]),
            impacts={a.id: tuple(impacts[a.id]) for a in affected if a.id in impacts},
            received={m: came[m] for m in mails[id_] if m in came},
        )


def _rows(table: Any, column: Any, values: Iterable[int], also: Any = None) -> Iterator[Any]:
    """The rows with one of these values, whatever their number."""
    wanted = sorted(values)
    for first in range(0, len(wanted), VARIABLES):
        which = column.in_(wanted[first : first + VARIABLES])
        yield from table.select().where(which if also is None else which & also)


def _ledgered(row: Any) -> Ledgered:
    return Ledgered(
        affected_id=row.affected_id,
        kind=PromiseKind(row.kind),
        due_at=row.due_at,
        state=PromiseState(row.state),
        settled_at=row.settled_at,
    )
