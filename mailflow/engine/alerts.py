"""Alerts carried out: what domain.correlation decided becomes signals, incidents and their clients."""

from dataclasses import replace
from datetime import datetime, timedelta

from mailflow.domain.decisions import Gather, Join, Known, Mute, OpenFromAlert, Recover, Relapse, Situation, Wait
from mailflow.domain.expected import Missed, makes_up, matches
from mailflow.domain.incident import Affected, Entry, Incident, IncidentState, PromiseKind, Signal
from mailflow.domain.letters import JSON
from mailflow.domain.lifecycle import Happening, advance
from mailflow.domain.mail import Event
from mailflow.domain.people import Client, Component
from mailflow.domain.policy import priority_of
from mailflow.domain.vocabulary import Class, Severity, State
from mailflow.engine.merging import Merging
from mailflow.engine.opening import Opening, Word
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

    def open(self, decision: OpenFromAlert, word: Word, situation: Situation, now: datetime) -> int:
        """A new incident, for each client whose it is; over at once where its recovery came first."""
        event, clients = decision.event, situation.owner.clients
        first, *others = clients
        many = len(clients) > 1
        scope = scope_of(event, first)
        component = component_of(first, event)
        incident, affected = self._opening.incident_of(first, component, event, word, scope, now)
        self._signal(incident, None if event.vendor else affected, component, event, word, scope)
        if decision.over_at:
            # The recovery's own Date, so that a late copy of the problem is known to be older than it.
            said = situation.same.signal.said_at if situation.same else word.said_at
            self._recovered(incident, scope, event, max(decision.over_at, incident.started_at), said)
            return incident.id
        self._opening.telling.tell_of_alert(incident, affected, first, component, event, now, many=many)
        for client in others:
            self._add(incident, client, event, word, now)
        return incident.id

    def join(self, decision: Join, word: Word, situation: Situation, now: datetime) -> int:
        """One more word about a running incident, perhaps of another thing, perhaps of another client."""
        incident, event = self._store.records.incident(decision.incident_id), decision.event
        self._note(incident, "alert", event, word)
        self._tell_signal(incident, situation, event, word, now)
        if event.state is State.PROBLEM and WORST.index(event.severity) < WORST.index(incident.severity):
            self._reclassify(incident, situation, event, word, now)
        return incident.id

    def relapse(self, decision: Relapse, word: Word, situation: Situation, now: datetime) -> int:
        """The same trouble again: silent for clients who know of it, counted for the liaison."""
        incident, event = self._store.records.incident(decision.incident_id), decision.event
        self._note(incident, "trouble again", event, word)
        if incident.state is not IncidentState.OPEN:
            if incident.state is IncidentState.CLOSED:
                for affected in self._store.records.affected_of(incident.id):
                    self._store.records.unsettle(affected.id, PromiseKind.DEBRIEF, now)
            state = advance(incident.state, Happening.RELAPSED)
            self._store.records.set_state(incident.id, state, ended_at=None, closed_at=None, why="")
            incident = self._store.records.incident(incident.id)
        signal = self._tell_signal(incident, situation, event, word, now)
        relapses = self._store.signals.relapses(incident.id)
        for affected in self._store.records.affected_of(incident.id):
            if signal in {None, affected.id}:
                self._store.records.set_trouble(affected.id, None)
                self._tell_again(incident, replace(affected, ended_at=None), event, str(relapses), now)
        if relapses == FLAPS:
            self._say_flapping(incident, relapses, now)
        return incident.id

    def recover(self, decision: Recover, word: Word, situation: Situation) -> int:
        """One thing's trouble is over; the incident's, when it was the last."""
        incident, event = self._store.records.incident(decision.incident_id), decision.event
        self._note(incident, "recovered", event, word)
        scope = scope_of(event, situation.owner.clients[0])
        said = word.said_at
        self._recovered(incident, scope, event, max(word.at, incident.started_at), said)
        return incident.id

    def gather(self, decision: Gather, word: Word, situation: Situation, now: datetime) -> int:
        """A storm: what its family opened within the hour becomes one incident."""
        event = decision.event
        root = self._store.records.incident(decision.into)
        for other in decision.others:
            self._merging.merge(self._store.records.incident(other), root, "a storm", "mailflow", now)
        self._store.records.storm(root.id, f"storm:{event.family}", root.reference)
        root = self._store.records.incident(root.id)
        self._note(root, "storm", event, word)
        self._merging.told_together(root, now)
        for affected in self._store.records.affected_of(root.id):
            self._opening.telling.tell_of_many(root, affected, now)
        self._tell_signal(root, situation, event, word, now)
        return root.id

    def wait(self, decision: Wait, word: Word, situation: Situation, now: datetime) -> None:
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
                began_at=word.at,
                said_at=word.said_at,
                ended_at=word.at,
            )
        )

    def mute(self, decision: Mute, word: Word, situation: Situation, now: datetime) -> None:
        """Trouble inside a maintenance window waits for its end."""
        event = decision.event
        topic = f"{scope_of(event, situation.owner.clients[0])}\n{event.key}"
        if word.inbound_id is not None and not self._store.waiting.with_topic(MAINTENANCE, topic):
            self._store.waiting.put(word.inbound_id, MAINTENANCE, topic, event.key, decision.until, now)

    def heard(self, event: Event, word: Word, situation: Situation) -> None:
        """A success that was expected: it is noted, and ends the trouble that its absence made."""
        keys = {client.key for client in situation.owner.clients}
        for expected in self._setup.expected:
            if expected.client not in keys or not matches(expected, event):
                continue
            signal = self._store.signals.newest(expected.scope, expected.key)
            missing = signal is not None and signal.ended_at is None
            if not (missing and makes_up(expected, word.at)):
                self._store.signals.came(f"{expected.client}/{expected.name}", word.at)
            if signal and missing and signal.incident_id:
                incident = self._store.records.incident(signal.incident_id)
                self._note(incident, "recovered", event, word)
                self._ended(incident, signal, word.at, word.at)

    def missing(self, missed: Missed, mailbox: str, now: datetime) -> None:
        """A mail that did not come opens an incident, once for each deadline."""
        expected = missed.expected
        client = self._setup.directory.client(expected.client)
        known = self._store.signals.newest(expected.scope, expected.key)
        if client is None or (known and (known.ended_at is None or known.began_at >= missed.deadline)):
            return
        event = Event(
            recipe="expected",
            state=State.PROBLEM,
            severity=expected.severity,
            class_=Class.BACKUP,
            symptom="missing",
            key=expected.key,
            hosts=(expected.name,),
            fields={"service": expected.name},
        )
        word = Word(at=now, said_at=now, mailbox=mailbox, subject=f"{expected.name}: nothing came by {expected.by}")
        component = component_of(client, event)
        incident, affected = self._opening.incident_of(client, component, event, word, expected.scope, now)
        self._signal(incident, affected, component, event, word, expected.scope)
        self._opening.telling.tell_of_alert(incident, affected, client, component, event, now)

    # --- what they share ---

    def _tell_signal(
        self, incident: Incident, situation: Situation, event: Event, word: Word, now: datetime
    ) -> int | None:
        """Write what the monitor said of its thing; a thing or a client that is new to the incident is added."""
        said = word.said_at
        known = situation.same
        if known and known.on:
            self._store.signals.heard(known.signal.id, said)
            return known.signal.affected_id
        if event.state is not State.PROBLEM:
            return None
        if known and known.incident:
            return self._store.signals.reopen(known.signal.id, said).affected_id
        client = situation.owner.clients[0]
        affected = next((a for a in self._store.records.affected_of(incident.id) if a.client_key == client.key), None)
        component = component_of(client, event)
        if affected is None:
            affected = self._add(incident, client, event, word, now)
        self._signal(incident, affected, component, event, word, scope_of(event, client), known=situation.again)
        return affected.id

    def _signal(
        self,
        incident: Incident,
        affected: Affected | None,
        component: Component | None,
        event: Event,
        word: Word,
        scope: str,
        known: Known | None = None,
    ) -> None:
        began = word.at - timedelta(minutes=event.delay_minutes)
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
                said_at=word.said_at,
            )
        )
        if known and known.incident and not known.on:  # the same thing under a new number: it has come again
            self._store.signals.count_relapses(put.id, known.signal.relapses + 1)

    def _add(self, incident: Incident, client: Client, event: Event, word: Word, now: datetime) -> Affected:
        """One more client of an incident, told as if it were the only one."""
        component = component_of(client, event)
        signs = self._opening.presence.liaison_of(client, now)
        affected = self._store.records.affect(
            incident.id,
            client,
            mailbox=word.mailbox,
            liaison=signs.mail_address,
            title=signs.title,
            phone=signs.phone,
            plain=component.plain if component else "",
            symptom=event.symptom,
            started_at=word.at - timedelta(minutes=event.delay_minutes),
        )
        self._opening.telling.tell_of_alert(incident, affected, client, component, event, now, many=True)
        return affected

    def _recovered(self, incident: Incident, scope: str, event: Event, ended: datetime, said: datetime) -> None:
        self._ended(incident, self._store.signals.newest(scope, event.key), ended, said)

    def _ended(self, incident: Incident, signal: Signal | None, ended: datetime, said: datetime) -> None:
        """One signal's end; the client's and the incident's, when it was the last."""
        if signal and signal.ended_at is None:
            self._store.signals.end(signal.id, ended, said)
        if signal and signal.affected_id and not self._store.signals.any_on(incident.id, signal.affected_id):
            self._store.records.set_trouble(signal.affected_id, ended)
        if incident.state is IncidentState.OPEN and not self._store.signals.any_on(incident.id):
            state = advance(incident.state, Happening.RECOVERED)
            self._store.records.set_state(incident.id, state, ended_at=ended, closed_at=None, why="")

    def _reclassify(self, incident: Incident, situation: Situation, event: Event, word: Word, now: datetime) -> None:
        """It got worse: the rules of who is told are asked again (S4.10)."""
        struck = [component_of(client, event) for client in situation.owner.clients]
        priority = priority_of(event.severity, critical=any(c.critical for c in struck if c))
        self._store.records.reclassify(incident.id, event.class_, event.severity, priority, event.symptom)
        text = f"{incident.severity} to {event.severity}, {incident.class_} to {event.class_}"
        entry = Entry(at=now, what="reclassified", author=event.recipe, text=text, inbound_id=word.inbound_id)
        self._store.records.note(incident.id, entry)
        if event.class_ is incident.class_:
            return
        worse = self._store.records.incident(incident.id)
        for affected in self._store.records.affected_of(incident.id):
            self._tell_again(worse, affected, event, event.class_, now)

    def _tell_again(self, incident: Incident, affected: Affected, event: Event, again: str, now: datetime) -> None:
        """Told as if it were new, to a client that has heard nothing of it."""
        if client := self._setup.directory.client(affected.client_key):
            component = component_of(client, event)
            self._opening.telling.tell_again(incident, affected, client, component, event, again, now)

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

    def _note(self, incident: Incident, what: str, event: Event, word: Word) -> None:
        entry = Entry(at=word.at, what=what, author=event.recipe, text=word.subject, inbound_id=word.inbound_id)
        self._store.records.note(incident.id, entry)


def component_of(client: Client, event: Event) -> Component | None:
    """The thing of the client's that an event is about."""
    if event.vendor:
        return next((c for c in client.components if c.is_of(event.vendor, *event.hosts)), None)
    return client.component_for(*event.hosts)
