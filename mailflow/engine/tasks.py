"""What one of ours has to do besides writing: a call to a client of a tier, the review of trouble of a priority.

A task is a promise with words, an owner and a time, like an ACTION; DONE ends it, lists show it, nothing escalates.
"""

from collections.abc import Sequence
from datetime import datetime

from mailflow.domain.incident import Affected, Entry, Incident, PromiseKind, PromiseState
from mailflow.domain.letters import JSON
from mailflow.domain.people import Client, Contact
from mailflow.domain.worktime import Within, due_within
from mailflow.engine.post import Post
from mailflow.engine.setup import Setup
from mailflow.engine.store import Store


class Tasks:
    """Makes them where the policy asks for them."""

    def __init__(self, store: Store, setup: Setup, post: Post) -> None:
        self._store, self._setup, self._post = store, setup, post

    def manage(self, incident: Incident, affected: Affected, now: datetime) -> list[JSON]:
        """A manager is named for major trouble, and told so once; she is given no tasks (S4.23, S4.24)."""
        managers = self._setup.directory.managers
        if not managers or incident.priority not in self._setup.policy.managed:
            return []
        away = {absence.address for absence in self._store.absences.current(now)}
        manager = next((m for m in managers if m.address not in away), managers[0])
        values: dict[str, JSON] = {"name": manager.name, "client": affected.client_name, "title": incident.title}
        told = self._post.notice(
            ["you_manage", values],
            [["you_manage", values | {"owner": affected.liaison.name}]],
            manager.mail_address,
            key=f"manages:{incident.reference}",
            now=now,
            incident=incident,
            affected=affected,
        )
        if told:
            self._store.records.note(incident.id, Entry(at=now, what="manager", author="mailflow", text=manager.name))
        return [["managed", values]]

    def call(
        self, incident: Incident, affected: Affected, client: Client, contacts: Sequence[Contact], now: datetime
    ) -> list[JSON]:
        """Clients of some tiers are called as well (S4.15): the line of the "opened" mail that asks for it."""
        within = self._setup.policy.tier(client.tier).call_within.get(incident.priority)
        if within is None:
            return []
        names = ", ".join(c.name for c in contacts) or client.name
        due = self._make(affected, PromiseKind.CALL, within, "call_what", {"names": names}, now)
        return [["call_them", {"names": names, "due_full": due.isoformat()}]]

    def review(self, affected: Affected, now: datetime) -> None:
        """What is to be learnt of trouble of this priority is talked over soon, once for all its clients (S4.42)."""
        incident = self._store.records.incident(affected.incident_id)
        within = self._setup.policy.review_within.get(incident.priority)
        if within and PromiseKind.REVIEW not in {p.kind for p in self._store.promises.of(incident.id)}:
            self._make(affected, PromiseKind.REVIEW, within, "review_what", {"reference": incident.reference}, now)

    def reviews(self, incident: Incident) -> list[JSON]:
        """The sentence about the review that is to be held, where there is one."""
        promises = [p for p in self._store.promises.of(incident.id) if p.kind is PromiseKind.REVIEW]
        open_ = [p for p in promises if p.state is PromiseState.OPEN]
        return [["review_by", {"due_full": p.due_at.isoformat()}] for p in open_]

    def _make(
        self, affected: Affected, kind: PromiseKind, within: Within, line: str, values: dict[str, str], now: datetime
    ) -> datetime:
        """The task in the liaison's words; when it is due."""
        policy = self._setup.policy
        staff = self._setup.directory.staff_at(affected.liaison.address)
        words = self._setup.writer.words(staff.language if staff else policy.language)
        due = due_within(now, within, policy.day_ends, self._setup.calendar(affected))
        self._store.promises.make(affected, kind, due, now, what=words.phrase(f"line.{line}", **values))
        return due
