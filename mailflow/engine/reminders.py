"""Reminders and escalation of what a client was promised: steps before, at and after its time, each once, ever.

A promise's steps are planned when it is made, and again when it is put off. What was missed while nobody looked
collapses into the last of it; what is skipped stands on the timeline with its reason. People have quiet hours, the
record has none. Only what a client was told escalates step by step; all else is in the morning list and the digest.
"""

from datetime import datetime, timedelta
from itertools import groupby

import structlog

from mailflow.domain.incident import Affected, Entry, PromiseKind, PromiseState
from mailflow.domain.letters import JSON, LetterKind
from mailflow.domain.people import Address, Staff
from mailflow.domain.policy import Reminder
from mailflow.domain.vocabulary import Live
from mailflow.domain.worktime import after_quiet
from mailflow.engine.digests import hours
from mailflow.engine.post import Post, address_of
from mailflow.engine.presence import Presence
from mailflow.engine.setup import Setup
from mailflow.engine.store import Owed, Store
from mailflow.engine.times import MOVED, Step

log = structlog.get_logger()


class Reminders:
    """Looks what is due."""

    def __init__(self, store: Store, setup: Setup, post: Post, presence: Presence) -> None:
        self._store, self._setup, self._post, self._presence = store, setup, post, presence
        self._steps = {step.name: step for step in setup.policy.reminders}

    def tick(self, now: datetime) -> None:
        """Plan what is new, fire what is due."""
        for promise_id in self._store.steps.unplanned():
            self._plan(self._store.promises.get(promise_id))
        for promise_id, steps in groupby(self._store.steps.due(now), key=lambda step: step.promise_id):
            self._due(self._store.promises.get(promise_id), list(steps), now)

    def _plan(self, owed: Owed) -> None:
        due = owed.promise.due_at
        first = owed.promise.kind is PromiseKind.ACKNOWLEDGEMENT  # she was told when it came, an hour or two ago
        steps = [step for step in self._steps.values() if step.after >= timedelta() or not first]
        self._store.steps.plan(owed.promise.id, [(step.name, due + step.after) for step in steps])

    def _due(self, owed: Owed, steps: list[Step], now: datetime) -> None:
        """One promise's steps that are due; the newest of them speaks for all."""
        if owed.promise.state is not PromiseState.OPEN:
            self._skip(steps, str(owed.promise.state), now)
            return
        known = [step for step in steps if step.name in self._steps]
        if any(step.name == MOVED for step in steps):
            self._skip([step for step in steps if step.name == MOVED], "planned anew", now)
            self._plan(owed)
            return
        self._skip([step for step in steps if step not in known], "no longer in the policy", now)
        if not known:
            return
        *missed, last = known
        self._skip(missed, "a later one was due as well", now)
        if missed:
            names = ", ".join(step.name for step in missed)
            self._note(owed, "reminder skipped", f"{names}: a later one was due as well", now)
        told = self._store.records.audience(owed.incident.id, owed.affected.id)
        if not told and owed.promise.kind is not PromiseKind.ACKNOWLEDGEMENT:
            self._skip([last], "promised to nobody yet", now)
            return
        if self._store.steps.done(last.id, "sent", now):
            self._fire(owed, self._steps[last.name], last, ", ".join(dict.fromkeys(t.name for t in told)), now)

    def _fire(self, owed: Owed, reminder: Reminder, step: Step, names: str, now: datetime) -> None:
        due = owed.promise.due_at
        late = now >= due
        values: dict[str, JSON] = {
            "client": owed.affected.client_name,
            "title": owed.incident.title,
            "names": names,
            "owner": owed.affected.liaison.name,
            "due_full": due.isoformat(),
            "late": hours(max(now - due, timedelta())),
        }
        line, how = "reminder_late" if late else "reminder_soon", "reminder_how"
        if owed.promise.kind is PromiseKind.ACKNOWLEDGEMENT:
            line, how = "reminder_first", "reminder_first_how"
        for recipient in self._recipients(owed, reminder, now):
            staff = self._setup.directory.staff_at(recipient.address)
            mine = line == "reminder_late" and recipient.address == owed.affected.liaison.address
            self._post.to_staff(
                LetterKind.NOTICE,
                recipient,
                {
                    "headline": [line, values],
                    "lines": [[f"{line}_you" if mine else line, values], [how, values]],
                    "text": "",
                    "about": None,
                },
                key=f"step:{step.id}:{recipient.address}",
                now=now,
                incident=owed.incident,
                affected=owed.affected,
                due_at=self._awake(staff, now),
            )
        self._note(owed, "reminded", f"{step.name}: {reminder.to}", now)
        log.info("reminded", ref=owed.incident.reference, step=step.name, to=reminder.to)

    def _recipients(self, owed: Owed, reminder: Reminder, now: datetime) -> list[Address]:
        """Who hears: the liaison or who stands in, the managers who are there, or who runs the service."""
        liaison = self._setup.directory.staff_at(owed.affected.liaison.address)
        match reminder.to:
            case "liaison":
                return [address_of(self._presence.stand_in(liaison, now))] if liaison else [owed.affected.liaison]
            case "manager" if managers := self._setup.directory.managers:
                return [address_of(self._presence.stand_in(managers[0], now))]
            case _:
                return [self._setup.administrator]

    def silent(self, now: datetime) -> None:
        """An outage goes on, and its client has heard nothing for long, or nothing at all (S4.18, S4.20)."""
        policy = self._setup.policy
        if policy.status_after:
            for incident, affected, heard_at in self._store.records.silent(now - policy.status_after):
                values: dict[str, JSON] = {"client": affected.client_name, "heard_when": heard_at.isoformat()}
                key = f"silent:{affected.id}:{heard_at.isoformat()}"
                self._ask(incident.id, affected.id, "status_stale", values, key, now)
        if policy.untold_after:
            for incident, affected in self._store.records.untold_outages(now - policy.untold_after):
                if self._setup.live(affected) is not Live.OFF and not self._waits_for_a_person(affected):
                    values = {"client": affected.client_name, "began_when": incident.started_at.isoformat()}
                    self._ask(incident.id, affected.id, "untold_outage", values, f"untold-outage:{affected.id}", now)

    def _waits_for_a_person(self, affected: Affected) -> bool:
        """Whether the first word is promised already, with reminders of its own."""
        promises = self._store.promises.of(affected.incident_id)
        kinds = {p.kind for p in promises if p.affected_id == affected.id and p.state is PromiseState.OPEN}
        return PromiseKind.ACKNOWLEDGEMENT in kinds

    def _ask(
        self, incident_id: int, affected_id: int, line: str, values: dict[str, JSON], key: str, now: datetime
    ) -> None:
        affected = self._store.records.affected(affected_id)
        staff = self._setup.directory.staff_at(affected.liaison.address)
        recipient = address_of(self._presence.stand_in(staff, now)) if staff else affected.liaison
        self._post.to_staff(
            LetterKind.NOTICE,
            recipient,
            {"headline": [line, values], "lines": [[line, values]], "text": "", "about": None},
            key=key,
            now=now,
            incident=self._store.records.incident(incident_id),
            affected=affected,
            due_at=self._awake(staff, now),
        )

    def _awake(self, staff: Staff | None, now: datetime) -> datetime:
        """Now, or when somebody's quiet hours end."""
        return after_quiet(now, self._setup.policy.quiet, staff.timezone if staff else self._setup.policy.timezone)

    def _skip(self, steps: list[Step], why: str, now: datetime) -> None:
        for step in steps:
            self._store.steps.done(step.id, why, now)

    def _note(self, owed: Owed, what: str, text: str, now: datetime) -> None:
        self._store.records.note(owed.incident.id, Entry(at=now, what=what, author="mailflow", text=text))
