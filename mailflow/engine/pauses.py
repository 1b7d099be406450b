"""Waiting for somebody else, a vendor or the client: a debrief's clock stands still, and the client hears of it (N.4).

Promises: no silence comes of it. Whoever was promised a word is offered a letter that says whom we wait for and by when
I write again, and that is owed whatever happens; what is waited for stands in the managers' week. When it goes on, the
debrief is due later by the client's working time in between.
"""

import re
from datetime import datetime

from mailflow.domain.incident import Affected, Entry, Promise, PromiseKind, PromiseState
from mailflow.domain.letters import JSON, Letter, LetterKind, NewLetter
from mailflow.domain.worktime import after_pause, due_within
from mailflow.engine.case import Case, open_case
from mailflow.engine.drafts import Drafts
from mailflow.engine.order import Order
from mailflow.engine.post import Post, drop
from mailflow.engine.setup import Setup
from mailflow.engine.store import Store

BEHIND = re.compile(r"\s*[:,]\s+|\s*\n\s*")  # between whom we wait for and what the client is to know of it
THEM = "client"  # who is waited for, where it is the client
ANY_CLIENT = {"client", "the client", "customer", "the customer", "you", "them", "the clients", "them all"}


class Pauses:
    """The use cases."""

    def __init__(self, store: Store, setup: Setup, post: Post, drafts: Drafts) -> None:
        self._store, self._setup, self._post, self._drafts = store, setup, post, drafts

    def begin(self, order: Order) -> JSON:
        """WAITING FOR the provider: from now on their time is not ours; where a client was promised the debrief, from
        the letter on that says so."""
        whom, *behind = BEHIND.split(order.argument, maxsplit=1)
        whom = whom.rstrip(" .")
        if not whom:
            return ["waiting_whom", {}]
        letters: list[NewLetter] = []
        told: list[Case] = []
        owed = [(a, p) for a in order.clients(self._store) if a.settled_at is None and (p := self._debrief(a))]
        # A person of one client's is waited for by that client alone, and no other's letter speaks of them.
        for affected, promise in [(a, p) for a, p in owed if self._is_theirs(a, whom)] or owed:
            waits_for = THEM if self._is_theirs(affected, whom) or whom.casefold() in ANY_CLIENT else whom
            case = open_case(self._store, self._setup, order.incident, affected)
            if case.promised and case.contacts:
                told.append(case)
                letters += self._letters(case, order, waits_for, "".join(behind).strip())
            else:
                self._store.promises.wait(promise.id, waits_for, promise.waits_since or order.now)
        if not owed:
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
        return ["goes_on" if min(known) > order.now else "goes_on_late", {"due_full": min(known).isoformat()}]

    def heard_from(self, affected: Affected, who: str, inbound_id: int, now: datetime) -> None:
        """The client wrote: if it was the client whom we waited for, it goes on, and the liaison hears by when."""
        promise = self._debrief(affected)
        letters = self._waiting_letters(affected)
        if not ((promise and promise.waits_for == THEM) or any(x.facts["waits_for"] == THEM for x in letters)):
            return
        due = self._goes_on(affected, who, now)
        if due is None:
            return
        line: JSON = ["goes_on" if due > now else "goes_on_late", {"due_full": due.isoformat()}]
        self._post.notice(
            ["goes_on", {"name": who}],
            [line],
            affected.liaison,
            key=f"goes-on:{inbound_id}",
            now=now,
            incident=self._store.records.incident(affected.incident_id),
            affected=affected,
        )

    def _goes_on(self, affected: Affected, by: str, now: datetime) -> datetime | None:
        """When the debrief is due now; None where nothing waited. No letter leaves any more that says we wait."""
        promise, letters = self._debrief(affected), self._waiting_letters(affected)
        if promise is None or (promise.waits_since is None and not letters):
            return None
        drop(self._store, letters, "goes-on", now)
        incident, deadlines = self._store.records.incident(affected.incident_id), self._setup.deadlines(affected)
        within, calendar = deadlines.within[incident.priority], self._setup.calendar(affected)
        due = promise.due_at
        if promise.waits_since:
            due = after_pause(due, promise.waits_since, now, within, deadlines.day_ends, calendar)
        self._store.promises.postpone(affected.id, PromiseKind.DEBRIEF, due)
        self._store.records.note(incident.id, Entry(at=now, what="goes on", author=by, text=affected.client_name))
        return due

    def _waiting_letters(self, affected: Affected) -> list[Letter]:
        """What would tell this client that we wait, and has not left."""
        undelivered = self._store.outbox.undelivered(affected.incident_id, to_clients=True)
        return [x for x in undelivered if x.affected_id == affected.id and x.facts.get("waits_for")]

    def _letters(self, case: Case, order: Order, waits_for: str, text: str) -> list[NewLetter]:
        """Whom we wait for, and by when I write again whatever comes of it."""
        policy, affected, now = self._setup.policy, case.affected, order.now
        words = self._setup.writer.words(affected.language)
        named = affected.plain or (f"“{affected.reported}”" if affected.reported else "")
        which = "waits_for_you" if waits_for == THEM else "waits_for"
        said = words.phrase(f"update.{which}", plain=named or words.phrase("acknowledgement.unnamed"), whom=waits_for)
        body = f"{said}\n\n{text}" if text else said
        next_by = due_within(now, policy.update_within, policy.day_ends, self._setup.calendar(affected))
        key, kind = f"{order.inbound.id}:{affected.id}", LetterKind.UPDATE
        return [
            self._drafts.letter(kind, case, c, body, key=key, now=now, next_by=next_by, waits_for=waits_for)
            for c in case.contacts
        ]

    def _debrief(self, affected: Affected) -> Promise | None:
        promise = self._store.promises.find(affected.id, PromiseKind.DEBRIEF)
        return promise if promise and promise.state is PromiseState.OPEN else None

    def _is_theirs(self, affected: Affected, whom: str) -> bool:
        """Whether it is this very client, or one of its people, whom we wait for."""
        client = self._setup.directory.client(affected.client_key)
        people = client.contacts if client else ()
        names = {n for c in people for n in (c.name, c.first_name)} | {affected.client_name, affected.reporter}
        said = f"{whom.casefold()} "
        return any(said.startswith(f"{name.casefold()} ") for name in names if name)
