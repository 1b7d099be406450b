"""Waiting for somebody else, a vendor or the client: a debrief's clock stands still, and the client hears of it (N.4).

Promises: no silence comes of it. Whoever was promised a word is offered a letter that says whom we wait for and by when
I write again, and that is owed whatever happens; what is waited for stands in the managers' week. When it goes on, the
debrief is due later by the client's working time in between.
"""

import re
from datetime import datetime

from mailflow.domain.incident import Affected, Entry, Promise, PromiseKind, PromiseState
from mailflow.domain.letters import JSON, LetterKind, NewLetter
from mailflow.domain.worktime import Extended, Paused, Resumed, Started, due_at, due_within
from mailflow.engine.case import Case, open_case
from mailflow.engine.drafts import Drafts
from mailflow.engine.order import Order
from mailflow.engine.setup import Setup
from mailflow.engine.store import Store

BEHIND = re.compile(r"\s*:\s+|\s*\n\s*")  # between whom we wait for and what the client is to know of it
THEM = "client"  # who is waited for, where it is the client


class Pauses:
    """The use cases."""

    def __init__(self, store: Store, setup: Setup, drafts: Drafts) -> None:
        self._store, self._setup, self._drafts = store, setup, drafts

    def begin(self, order: Order) -> JSON:
        """WAITING FOR the provider: from now on their time is not ours."""
        whom, *behind = BEHIND.split(order.argument, maxsplit=1)
        whom = whom.rstrip(" .")
        if not whom:
            return ["waiting_whom", {}]
        letters: list[NewLetter] = []
        told: list[Case] = []
        waits = False
        for affected in order.clients(self._store):
            promise = self._debrief(affected)
            if promise is None or affected.settled_at is not None:
                continue
            waits = True
            theirs = self._is_theirs(affected, whom)
            self._store.promises.wait(promise.id, THEM if theirs else whom, promise.waits_since or order.now)
            case = open_case(self._store, self._setup, order.incident, affected)
            if case.promised:
                told.append(case)
                letters += self._letters(case, order, whom, "".join(behind).strip(), theirs=theirs)
        if not waits:
            return ["later_nothing", {}]
        order.note(self._store, "waiting", order.argument)
        if not told:
            return ["waiting", {"whom": whom}]
        self._drafts.offer(told[0], letters, order.now, remarks=[], cause=order.inbound.id, by=order.staff)
        return ["waiting_told", {"whom": whom, "names": ", ".join(case.first_names for case in told)}]

    def end(self, order: Order) -> JSON:
        """GO ON: what was waited for has come."""
        due = [self._goes_on(affected, order.staff.name, order.now) for affected in order.clients(self._store)]
        known = [one for one in due if one]
        if not known:
            return ["waiting_not", {}]
        return ["goes_on", {"due_full": min(known).isoformat()}]

    def heard_from(self, affected: Affected, who: str, now: datetime) -> None:
        """The client wrote: if it was the client whom we waited for, it goes on."""
        promise = self._debrief(affected)
        if promise and promise.waits_for == THEM:
            self._goes_on(affected, who, now)

    def _goes_on(self, affected: Affected, by: str, now: datetime) -> datetime | None:
        """When the debrief is due now; None where nothing waited."""
        promise = self._debrief(affected)
        if promise is None or promise.waits_since is None:
            return None
        incident = self._store.records.incident(affected.incident_id)
        since = promise.waits_since
        log = (
            Started(at=since, priority=incident.priority),
            Extended(at=since, to=promise.due_at),
            Paused(at=since, why=promise.waits_for),
            Resumed(at=now),
        )
        due = due_at(log, self._setup.deadlines(affected), self._setup.calendar(affected)) or promise.due_at
        self._store.promises.postpone(affected.id, PromiseKind.DEBRIEF, due)
        self._store.records.note(incident.id, Entry(at=now, what="goes on", author=by, text=affected.client_name))
        return due

    def _letters(self, case: Case, order: Order, whom: str, text: str, *, theirs: bool) -> list[NewLetter]:
        """Whom we wait for, and by when I write again whatever comes of it."""
        policy, affected, now = self._setup.policy, case.affected, order.now
        words = self._setup.writer.words(affected.language)
        named = affected.plain or (f"“{affected.reported}”" if affected.reported else "")
        which = "waits_for_you" if theirs else "waits_for"
        said = words.phrase(f"update.{which}", plain=named or words.phrase("acknowledgement.unnamed"), whom=whom)
        body = f"{said}\n\n{text}" if text else said
        next_by = due_within(now, policy.update_within, policy.day_ends, self._setup.calendar(affected))
        key = f"{order.inbound.id}:{affected.id}"
        return [
            self._drafts.letter(LetterKind.UPDATE, case, contact, body, key=key, now=now, next_by=next_by)
            for contact in case.contacts
        ]

    def _debrief(self, affected: Affected) -> Promise | None:
        return next(
            (
                p
                for p in self._store.promises.of(affected.incident_id)
                if (p.affected_id, p.kind, p.state) == (affected.id, PromiseKind.DEBRIEF, PromiseState.OPEN)
            ),
            None,
        )

    def _is_theirs(self, affected: Affected, whom: str) -> bool:
        """Whether it is the client, or one of its people, whom we wait for."""
        client = self._setup.directory.client(affected.client_key)
        people = client.contacts if client else ()
        names = {n for c in people for n in (c.name, c.first_name)} | {affected.client_name, affected.reporter}
        said = whom.casefold()
        return said.removeprefix("the ") in {THEM, *(n.casefold() for n in names if n)}
