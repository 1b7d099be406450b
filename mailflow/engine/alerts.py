"""Alerts carried out: what domain.correlation decided becomes signals, incidents and their clients."""

from dataclasses import replace
from datetime import datetime, timedelta

from mailflow.domain.correlation import said_at
from mailflow.domain.decisions import Gather, Join, Known, Mute, OpenFromAlert, Recover, Relapse, Situation, Wait
from mailflow.domain.expected import Missed, matches
from mailflow.domain.incident import Affected, Entry, Incident, IncidentState, PromiseKind
from mailflow.domain.letters import JSON
from mailflow.domain.lifecycle import Happening, advance
from mailflow.domain.mail import Event, Reading
from mailflow.domain.people import Client, Component
from mailflow.domain.policy import PRIORITY
from mailflow.domain.vocabulary import Class, Kind, Severity, State
from mailflow.engine.mailroom import Inbound
from mailflow.engine.merging import Merging
from mailflow.engine.opening import Opening
from mailflow.engine.post import Post
from mailflow.engine.setup import Setup
from mailflow.engine.signals import MAINTENANCE, NewSignal
from mailflow.engine.store import Store

WORST = list(Severity)
FLAPS = 3  # relapses of one thing after which the liaison is told that it comes and goes


def scope_of(event: Event, client: Client) -> str:
    """Where a key is unique: within a client, or within a vendor."""
    return f"vendor:{event.vendor.casefold()}" if event.vendor else f"client:{client.key}"


class Alerts:
    """The use cases of a monitor's events."""

    def __init__(self, store: Store, setup: Setup, post: Post, opening: Opening) -> None:
        self._store, self._setup, self._post, self._opening = store, setup, post, opening
        self._merging = Merging(store)

    def open(
        self, decision: OpenFromAlert, inbound: Inbound, reading: Reading, situation: Situation, now: datetime
    ) -> int:
        """A new incident, for each client whose it is; over at once where its recovery came first."""
        event, clients = decision.event, situation.owner.clients
        first, *others = clients
        many = len(clients) > 1
        scope = scope_of(event, first)
        component = component_of(first, event)
        incident, affected = self._opening.incident_of(first, component, event, inbound, reading, scope, now)
        self._signal(incident, None if event.vendor else affected, component, event, inbound, reading, scope)
        if decision.over_at:
            # The recovery's own Date, so that a late copy of the problem is known to be older than it.
            said = situation.same.signal.said_at if situation.same else said_at(reading.date, inbound.received_at)
            self._recovered(incident, scope, event, max(decision.over_at, incident.started_at), said)
            return incident.id
        self._opening.telling.tell_of_alert(incident, affected, first, component, event, now, many=many)
        for client in others:
            self._add(incident, client, event, inbound, now)
        return incident.id

    def join(self, decision: Join, inbound: Inbound, reading: Reading, situation: Situation, now: datetime) -> int:
        """One more word about a running incident, perhaps of another thing, perhaps of another client."""
        incident, event = self._store.records.incident(decision.incident_id), decision.event
        self._note(incident, "alert", event, reading, inbound)
        self._tell_signal(incident, situation, event, inbound, reading, now)
        if event.state is State.PROBLEM and WORST.index(event.severity) < WORST.index(incident.severity):
            self._reclassify(incident, event, inbound, now)
        return incident.id

    def relapse(
        self, decision: Relapse, inbound: Inbound, reading: Reading, situation: Situation, now: datetime
    ) -> int:
        """The same trouble again: silent for clients who know of it, counted for the liaison."""
        incident, event = self._store.records.incident(decision.incident_id), decision.event
        self._note(incident, "trouble again", event, reading, inbound)
        if incident.state is not IncidentState.OPEN:
            if incident.state is IncidentState.CLOSED:
                for affected in self._store.records.affected_of(incident.id):
                    self._store.records.unsettle(affected.id, PromiseKind.DEBRIEF)
            state = advance(incident.state, Happening.RELAPSED)
            self._store.records.set_state(incident.id, state, ended_at=None, closed_at=None, why="")
        signal = self._tell_signal(incident, situation, event, inbound, reading, now)
        relapses = sum(s.relapses for s in self._store.signals.of(incident.id))
        for affected in self._store.records.affected_of(incident.id):
            if signal in {None, affected.id}:
                self._store.records.set_trouble(affected.id, None)
                self._opening.telling.tell_again(incident, affected, event, relapses, now)
        if relapses == FLAPS:
            self._say_flapping(incident, relapses, now)
        return incident.id

    def recover(self, decision: Recover, inbound: Inbound, reading: Reading, situation: Situation) -> int:
        """One thing's trouble is over; the incident's, when it was the last."""
        incident, event = self._store.records.incident(decision.incident_id), decision.event
        self._note(incident, "recovered", event, reading, inbound)
        scope = scope_of(event, situation.owner.clients[0])
        said = said_at(reading.date, inbound.received_at)
        self._recovered(incident, scope, event, max(inbound.received_at, incident.started_at), said)
        return incident.id

    def gather(self, decision: Gather, inbound: Inbound, reading: Reading, situation: Situation, now: datetime) -> int:
        """A storm: what its family opened within the hour becomes one incident."""
        event = decision.event
        root = self._store.records.incident(decision.into)
        for other in decision.others:
            self._merging.merge(self._store.records.incident(other), root, "a storm", "mailflow", now)
        self._store.records.storm(root.id, f"storm:{event.family}", root.reference)
        root = self._store.records.incident(root.id)
        self._note(root, "storm", event, reading, inbound)
        self._merging.told_together(root, now)
        for affected in self._store.records.affected_of(root.id):
            self._opening.telling.tell_of_many(root, affected, now)
        self._tell_signal(root, situation, event, inbound, reading, now)
        return root.id

    def wait(self, decision: Wait, inbound: Inbound, reading: Reading, situation: Situation, now: datetime) -> None:
        """A recovery before its problem is remembered; trouble that waits for a window's end is over by it."""
        event = decision.event
        scope = scope_of(event, situation.owner.clients[0])
        for muted in self._store.waiting.with_topic(MAINTENANCE, f"{scope}\n{event.key}"):
            self._store.waiting.done(muted.id, "over within the window", now)
        self._store.signals.put(
            NewSignal(
                incident_id=None,
                affected_id=None,
                scope=scope,
                key=event.key,
                thing=event.thing or event.key,
                family="",
                plain="",
                began_at=inbound.received_at,
                said_at=said_at(reading.date, inbound.received_at),
                ended_at=inbound.received_at,
            )
        )

    def mute(self, decision: Mute, inbound: Inbound, situation: Situation, now: datetime) -> None:
        """Trouble inside a maintenance window waits for its end."""
        event = decision.event
        topic = f"{scope_of(event, situation.owner.clients[0])}\n{event.key}"
        if not self._store.waiting.with_topic(MAINTENANCE, topic):
            self._store.waiting.put(inbound.id, MAINTENANCE, topic, event.key, decision.until, now)

    def heard(self, event: Event, inbound: Inbound, reading: Reading, situation: Situation) -> None:
        """A success that was expected: it is noted, and ends the trouble that its absence made."""
        keys = {client.key for client in situation.owner.clients}
        for expected in self._setup.expected:
            if expected.client not in keys or not matches(expected, event):
                continue
            self._store.signals.came(f"{expected.client}/{expected.name}", inbound.received_at)
            scope, key = f"client:{expected.client}", f"expected:{expected.name.casefold()}"
            signal = self._store.signals.newest(scope, key)
            if signal and signal.ended_at is None and signal.incident_id:
                incident = self._store.records.incident(signal.incident_id)
                self._note(incident, "recovered", event, reading, inbound)
                missing = replace(event, key=key)
                self._recovered(incident, scope, missing, inbound.received_at, inbound.received_at)

    def missing(self, missed: Missed, mailbox: str, now: datetime) -> None:
        """A mail that did not come opens an incident, once for each deadline."""
        expected = missed.expected
        client = self._setup.directory.client(expected.client)
        scope, key = f"client:{expected.client}", f"expected:{expected.name.casefold()}"
        known = self._store.signals.newest(scope, key)
        if client is None or (known and (known.ended_at is None or known.began_at >= missed.deadline)):
            return
        event = Event(
            recipe="expected",
            state=State.PROBLEM,
            severity=expected.severity,
            class_=Class.BACKUP,
            symptom="missing",
            key=key,
            hosts=(expected.name,),
            fields={"service": expected.name},
        )
        subject = f"{expected.name}: nothing came by {expected.by}"
        inbound = Inbound(
            id=0,
            hash="",
            mailbox=mailbox,
            received_at=now,
            tries=0,
            state="processed",
            kind=Kind.ALERT,
            reason="expected",
            message_id="",
            author="",
            subject=subject,
            incident_id=None,
        )
        reading = Reading(message_id=None, author=None, subject=subject, kind=Kind.ALERT, rule="expected", identity="")
        component = component_of(client, event)
        incident, affected = self._opening.incident_of(client, component, event, inbound, reading, scope, now)
        self._signal(incident, affected, component, event, inbound, reading, scope)
        self._opening.telling.tell_of_alert(incident, affected, client, component, event, now)

    # --- what they share ---

    def _tell_signal(
        self, incident: Incident, situation: Situation, event: Event, inbound: Inbound, reading: Reading, now: datetime
    ) -> int | None:
        """Write what the monitor said of its thing; a thing or a client that is new to the incident is added."""
        said = said_at(reading.date, inbound.received_at)
        known = situation.same
        if known and known.on:
            self._store.signals.heard(known.signal.id, said)
            return known.signal.affected_id
        if event.state != "problem":
            return None
        if known and known.incident:
            return self._store.signals.reopen(known.signal.id, said).affected_id
        client = situation.owner.clients[0]
        affected = next((a for a in self._store.records.affected_of(incident.id) if a.client_key == client.key), None)
        component = component_of(client, event)
        if affected is None:
            affected = self._add(incident, client, event, inbound, now)
        self._signal(
            incident, affected, component, event, inbound, reading, scope_of(event, client), known=situation.again
        )
        return affected.id

    def _signal(
        self,
        incident: Incident,
        affected: Affected | None,
        component: Component | None,
        event: Event,
        inbound: Inbound,
        reading: Reading,
        scope: str,
        known: Known | None = None,
    ) -> None:
        began = inbound.received_at - timedelta(minutes=event.delay_minutes)
        put = self._store.signals.put(
            NewSignal(
                incident_id=incident.id,
                affected_id=affected.id if affected else None,
                scope=scope,
                key=event.key,
                thing=event.thing or event.key,
                family=event.family,
                plain=component.plain if component else "",
                began_at=began,
                said_at=said_at(reading.date, inbound.received_at),
            )
        )
        if known and known.incident and not known.on:  # the same thing under a new number: it has come again
            self._store.signals.count_relapses(put.id, known.signal.relapses + 1)

    def _add(self, incident: Incident, client: Client, event: Event, inbound: Inbound, now: datetime) -> Affected:
        """One more client of an incident, told as if it were the only one."""
        component = component_of(client, event)
        signs = self._setup.liaison_of(client)
        affected = self._store.records.affect(
            incident.id,
            client,
            mailbox=inbound.mailbox,
            liaison=signs.mail_address,
            title=signs.title,
            phone=signs.phone,
            plain=component.plain if component else "",
            symptom=event.symptom,
            started_at=inbound.received_at - timedelta(minutes=event.delay_minutes),
        )
        self._opening.telling.tell_of_alert(incident, affected, client, component, event, now, many=True)
        return affected

    def _recovered(self, incident: Incident, scope: str, event: Event, ended: datetime, said: datetime) -> None:
        signal = self._store.signals.newest(scope, event.key)
        if signal and signal.ended_at is None:
            self._store.signals.end(signal.id, ended, said)
        signals = self._store.signals.of(incident.id)
        if signal and signal.affected_id and all(s.ended_at for s in signals if s.affected_id == signal.affected_id):
            self._store.records.set_trouble(signal.affected_id, ended)
        if incident.state is IncidentState.OPEN and all(s.ended_at for s in signals):
            state = advance(incident.state, Happening.RECOVERED)
            self._store.records.set_state(incident.id, state, ended_at=ended, closed_at=None, why="")

    def _reclassify(self, incident: Incident, event: Event, inbound: Inbound, now: datetime) -> None:
        """It got worse: the rules of who is told are asked again (S4.10)."""
        priority = PRIORITY[event.severity]
        self._store.records.reclassify(incident.id, event.class_, event.severity, priority, event.symptom)
        text = f"{incident.severity} to {event.severity}, {incident.class_} to {event.class_}"
        entry = Entry(at=now, what="reclassified", author=event.recipe, text=text, inbound_id=inbound.id)
        self._store.records.note(incident.id, entry)
        if event.class_ is incident.class_:
            return
        worse = self._store.records.incident(incident.id)
        for affected in self._store.records.affected_of(incident.id):
            self._opening.telling.tell_again(
                worse, affected, event, len(self._store.records.timeline(incident.id)), now
            )

    def _say_flapping(self, incident: Incident, relapses: int, now: datetime) -> None:
        for affected in self._store.records.affected_of(incident.id):
            values: dict[str, JSON] = {
                "title": incident.title,
                "count": relapses,
                "started_when": incident.started_at.isoformat(),
            }
            self._post.notice(
                ["flapping", values],
                [["flapping", values]],
                affected.liaison,
                key=f"flapping:{affected.id}",
                now=now,
                incident=incident,
                affected=affected,
            )

    def _note(self, incident: Incident, what: str, event: Event, reading: Reading, inbound: Inbound) -> None:
        entry = Entry(
            at=inbound.received_at, what=what, author=event.recipe, text=reading.subject, inbound_id=inbound.id
        )
        self._store.records.note(incident.id, entry)


def component_of(client: Client, event: Event) -> Component | None:
    """The thing of the client's that an event is about."""
    if event.vendor:
        return next((c for c in client.components if c.is_of(event.vendor, *event.hosts)), None)
    return client.component_for(*event.hosts)
