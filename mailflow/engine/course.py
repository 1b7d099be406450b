"""The course of an incident as a liaison tells it: over, merged, split, closed, open again, better or worse."""

import re
from dataclasses import replace

from mailflow.domain.incident import Affected, IncidentState, PromiseKind, PromiseState
from mailflow.domain.letters import JSON
from mailflow.domain.lifecycle import Happening, advance
from mailflow.domain.moments import past_moment
from mailflow.domain.time_words import Unclear
from mailflow.domain.vocabulary import Priority
from mailflow.domain.worktime import PriorityChanged, Started, due_at, due_within
from mailflow.engine.aftermath import Aftermath
from mailflow.engine.case import names_of, not_understood
from mailflow.engine.drafts import Drafts
from mailflow.engine.merging import Merging
from mailflow.engine.order import Order
from mailflow.engine.post import drop
from mailflow.engine.setup import Setup
from mailflow.engine.store import Store

# How it was done, behind the time or without one: "by rebooting", "9:30 we rebooted it".
HOW = re.compile(
    r"(?:^|(?<=[\s,;-]))(?:by(?! ?\d)|with|after(?! ?\d)|through|via|to the|to a|to our|we|it|they|somebody)\b",
    re.IGNORECASE,
)


class Course:
    """Each order is carried out, and answered with one sentence."""

    def __init__(self, store: Store, setup: Setup, aftermath: Aftermath, drafts: Drafts) -> None:
        self._store, self._setup, self._aftermath, self._drafts = store, setup, aftermath, drafts
        self._merging = Merging(store)

    def resolve(self, order: Order) -> JSON:
        """RESOLVED, WORKAROUND or FAILOVER, and when (S4.30)."""
        words, incident, now = self._setup.writer.words(order.staff.language), order.incident, order.now
        said, ended = order.argument, order.inbound.received_at
        when = _when(said)
        if when:
            # As seen when she wrote: "10 minutes ago" does not come later because we stood still.
            wrote, zone = order.inbound.received_at, order.staff.timezone
            read = past_moment(when, wrote, wrote, zone, names_of(words), order.staff.date_order)
            if read is None or isinstance(read, Unclear):
                return not_understood(said, read)
            ended = min(read, now)  # her clock may be a little before ours
            if not incident.started_at.replace(second=0, microsecond=0) <= ended <= now:
                between: dict[str, JSON] = {"value": when, "began_at": incident.started_at.isoformat()}
                return ["resolved_when", {**between, "now_at": now.isoformat()}]
        if not incident.running:
            return ["resolved_closed", {}]
        order.note(self._store, order.verb.value, said)
        if incident.state is IncidentState.RESTORED and not when:
            return ["resolved_already", {"ended_at": (incident.ended_at or ended).isoformat()}]
        state = incident.state
        if state is IncidentState.OPEN:
            state = advance(state, Happening.RECOVERED)
        ended = max(ended, incident.started_at)  # the last word about the end counts
        self._store.records.set_state(incident.id, state, ended_at=ended, closed_at=None, why="")
        self._store.signals.end_all(incident.id, ended)
        clients = self._store.records.affected_of(incident.id)
        for one in clients:
            if len(clients) == 1 or one.ended_at is None:  # a storm's others have ends of their own
                self._store.records.set_trouble(one.id, ended)
        return ["resolved", {"ended_full": ended.isoformat()}]

    def no_debrief(self, order: Order) -> JSON:
        """No debrief is owed, and why: the manager sees it (S3.1)."""
        why = order.argument
        if order.affected.settled_at is not None:
            return ["close_already", {"why": order.affected.settled_why}]
        if not why:
            return ["no_debrief_why", {}]
        whose = order.clients(self._store)
        mine = {one.id for one in whose}
        undelivered = self._store.outbox.undelivered(order.incident.id, to_clients=True)
        drop(self._store, [x for x in undelivered if x.affected_id in mine], "no-debrief", order.now)
        order.note(self._store, "no debrief", why)
        for one in whose:
            self._aftermath.settle(one, f"no debrief: {why}", PromiseState.RELEASED, order.now)
        return ["no_debrief", {"client": ", ".join(one.client_name for one in whose), "why": why}]

    def close(self, order: Order) -> JSON:
        """Closing without a debrief is refused where a client was told, or told us (S3.1)."""
        if not order.incident.running:
            return ["close_already", {"why": order.incident.why_closed}]
        told = {t.affected_id: t.name for t in self._store.records.audience(order.incident.id)}
        clients = self._store.records.affected_of(order.incident.id)
        owed = [a for a in clients if a.settled_at is None and (a.id in told or a.reporter)]
        if owed:
            line = "close_owed" if any(a.id in told for a in owed) else "close_owed_told_us"
            return [line, {"names": ", ".join(a.client_name for a in owed)}]
        if not order.argument:
            return ["close_why", {}]
        # "We're investigating", three minutes after it was closed, would promise what nobody owes.
        undelivered = self._store.outbox.undelivered(order.incident.id, to_clients=True)
        drop(self._store, undelivered, "closed-by-hand", order.now)
        order.note(self._store, "closed by hand", order.argument)
        for one in clients:
            if one.settled_at is None:
                self._aftermath.settle(one, f"closed: {order.argument}", PromiseState.RELEASED, order.now)
        return ["closed", {"reference": order.incident.reference}]

    def reopen(self, order: Order) -> JSON:
        """It is not over after all: what was settled is owed again."""
        incident = order.incident
        if incident.state is IncidentState.OPEN:
            return ["reopen_open", {"reference": incident.reference}]
        if incident.state is IncidentState.MERGED:
            return ["no_incident", {}]
        state = advance(incident.state, Happening.REOPENED)
        self._store.records.set_state(incident.id, state, ended_at=None, closed_at=None, why="")
        for one in self._store.records.affected_of(incident.id):
            self._store.records.unsettle(one.id, PromiseKind.DEBRIEF, order.now)
            self._store.records.set_trouble(one.id, None)
            self._owe_again(one, order)
        order.note(self._store, "reopened", order.argument)
        return ["reopened", {"reference": incident.reference}]

    def _owe_again(self, affected: Affected, order: Order) -> None:
        """What was due while it was closed is due as that of new trouble is."""
        deadlines = self._setup.deadlines(affected)
        within = deadlines.within[order.incident.priority]
        promise = self._store.promises.find(affected.id, PromiseKind.DEBRIEF)
        if promise and promise.due_at <= order.now:
            due = due_within(order.now, within, deadlines.day_ends, self._setup.calendar(affected))
            self._store.promises.postpone(affected.id, PromiseKind.DEBRIEF, due)

    def merge(self, order: Order) -> JSON:
        """This incident goes on in another: an alert that was a symptom goes to the real problem's (S4.4)."""
        incident = order.incident
        root = self._store.records.by_reference(order.argument.strip(" .").upper())
        root = self._store.records.incident(root.id) if root else None
        if root is None or not root.running or not incident.running or root.id == incident.id:
            return ["merge_which", {"word": order.argument}]
        self._merging.merge(incident, root, "said so", order.staff.name, order.now)
        return ["merged", {"child": incident.reference, "root": root.reference}]

    def split(self, order: Order) -> JSON:
        """One client's trouble turns out to be another one."""
        incident = order.incident
        clients = self._store.records.affected_of(incident.id)
        word = order.argument.strip(" .").casefold()
        mine = [a for a in clients if word in {a.client_key, a.client_name.casefold()}]
        if len(clients) < 2 or len(mine) != 1 or not incident.running:
            keys = ", ".join(a.client_key for a in clients)
            return ["split_which", {"reference": incident.reference, "keys": keys}]
        self._drafts.take_out(mine[0].id, order.now, order.inbound.id)
        new = self._merging.split(incident, mine[0], order.staff.name, order.now)
        return ["split", {"client": mine[0].client_name, "reference": new.reference}]

    def prioritise(self, order: Order) -> JSON:
        """PRIORITY P1: a debrief that would be due earlier now is due earlier; nothing that was promised moves back."""
        word, _, why = order.argument.partition(" ")  # "P1, the whole office waits"
        word = word.strip(" .,;:").upper()
        if word not in set(Priority):
            return ["priority_which", {"word": order.argument}]
        incident, priority = order.incident, Priority(word)
        same = replace(incident, priority=priority)
        self._store.records.reclassify(incident.id, same.class_, same.severity, priority, same.symptom)
        order.note(self._store, "reclassified", f"{incident.priority} to {priority}{f': {why}' if why else ''}")
        log = (
            Started(at=incident.opened_at, priority=incident.priority),
            PriorityChanged(at=order.now, priority=priority),
        )
        for promise in self._store.promises.of(incident.id):
            whose = self._store.records.affected(promise.affected_id)
            due = due_at(log, self._setup.deadlines(whose), self._setup.calendar(whose))
            if promise.kind is PromiseKind.DEBRIEF and due and order.now < due < promise.due_at:
                self._store.promises.put_off(promise.id, due)  # and whom it waits for is waited for still
        return ["prioritised", {"reference": incident.reference, "was": incident.priority, "priority": priority}]


def _when(said: str) -> str:
    """The time in "9:30 we rebooted it"; empty where it only tells how: "by rebooting"."""
    how = HOW.search(said)
    return said[: how.start()].strip(" ,;-–—") if how else said
