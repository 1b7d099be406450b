"""Several incidents become one: the younger lives on in the root, with its clients, signals, audience and promises."""

from datetime import datetime

from mailflow.domain.incident import Affected, Entry, Incident
from mailflow.domain.letters import UNSETTLED, DraftState, LetterKind, LetterState
from mailflow.domain.lifecycle import Happening, advance
from mailflow.engine.post import drop, withdraw
from mailflow.engine.store import Store


class Merging:
    """The use case; called in the transaction of whatever made it known that two are one."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def merge(self, child: Incident, root: Incident, why: str, by: str, now: datetime) -> None:
        """`child` goes on in `root`; a client of both keeps one acknowledgement."""
        if child.id == root.id:
            return
        advance(child.state, Happening.MERGED)
        ours = {a.client_key: a for a in self._store.records.affected_of(root.id)}
        told = {t.affected_id for t in self._store.records.audience(root.id)}
        for theirs in self._store.records.affected_of(child.id):
            twin = ours.get(theirs.client_key)
            if twin:
                self._withdraw_drafts(theirs.id, now)
            if twin and (twin.id in told or self._coming(root, twin.id)):
                self._drop(child, theirs.id, now)
            self._store.signals.rehome(theirs.id, child.id, root.id, twin.id if twin else theirs.id)
        self._store.signals.rehome(None, child.id, root.id, None)
        self._store.records.merge(child.id, root.id, now)
        text = f"{child.reference} into {root.reference}: {why}"
        self._store.records.note(root.id, Entry(at=now, what="merged", author=by, text=text))

    def told_together(self, root: Incident, now: datetime) -> None:
        """What would tell a liaison of one alert alone is not sent any more: one mail tells of the whole storm."""
        undelivered = self._store.outbox.undelivered(root.id, to_clients=False)
        alone = [x for x in undelivered if x.kind is LetterKind.OPENED and not x.facts.get("many")]
        drop(self._store, alone, "merged", now)

    def split(self, incident: Incident, affected: Affected, by: str, now: datetime) -> Incident:
        """A client's trouble turns out to be its own: it goes on in an incident of its own, told to nobody anew."""
        new = self._store.records.split(affected.id, now)
        self._store.signals.rehome(affected.id, incident.id, new.id, affected.id)
        text = f"{affected.client_name} out of {incident.reference} into {new.reference}"
        for one in (incident, new):
            self._store.records.note(one.id, Entry(at=now, what="split", author=by, text=text))
        return new

    def _withdraw_drafts(self, affected_id: int, now: datetime) -> None:
        """What waits for SEND would tell a client of both of the same trouble a second time."""
        for draft in self._store.desk.drafts(affected_id):
            if draft.state is DraftState.CURRENT and draft.kind in {LetterKind.DEBRIEF, LetterKind.UPDATE}:
                withdraw(self._store, draft.id, {LetterState.HELD}, "merged", now)

    def _coming(self, incident: Incident, affected_id: int) -> bool:
        letters = self._store.outbox.letters(incident_id=incident.id, states=sorted(UNSETTLED), limit=1_000)
        return any(x.kind is LetterKind.ACKNOWLEDGEMENT and x.affected_id == affected_id for x in letters)

    def _drop(self, incident: Incident, affected_id: int, now: datetime) -> None:
        undelivered = self._store.outbox.undelivered(incident.id, to_clients=True)
        first = [x for x in undelivered if x.affected_id == affected_id and x.kind is LetterKind.ACKNOWLEDGEMENT]
        drop(self._store, first, "merged", now)
