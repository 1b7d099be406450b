"""A liaison's commands other than SEND and OPEN. What was understood is always said back."""

from datetime import datetime

from mailflow.domain.decisions import Obey
from mailflow.domain.form import Verb
from mailflow.domain.incident import Affected, Entry, Incident, IncidentState, PromiseKind, PromiseState
from mailflow.domain.letters import JSON, Letter, LetterKind, LetterState
from mailflow.domain.lifecycle import Dispatch, Happening, advance, dispatch
from mailflow.domain.mail import Reading
from mailflow.domain.people import Role
from mailflow.domain.times import parse_time
from mailflow.engine.aftermath import Aftermath
from mailflow.engine.brake import Brake
from mailflow.engine.case import group
from mailflow.engine.mailroom import Inbound
from mailflow.engine.merging import Merging
from mailflow.engine.post import Post, address_of
from mailflow.engine.setup import Setup
from mailflow.engine.store import Store

NOTHING_STOPPED: JSON = ["stopped_nothing", {}]
ABOUT_AN_INCIDENT = {Verb.STOP, Verb.NOTE, Verb.RESOLVED, Verb.NO_DEBRIEF, Verb.MERGE, Verb.SPLIT}


class Orders:
    """Carries commands out and answers them."""

    def __init__(self, store: Store, setup: Setup, post: Post) -> None:
        self._store, self._setup, self._post = store, setup, post
        self._aftermath = Aftermath(store, setup, post)
        self._brake = Brake(store)
        self._merging = Merging(store)

    def obey(self, order: Obey, inbound: Inbound, reading: Reading, now: datetime) -> None:
        """Carry one command out."""
        affected = self._store.records.affected(order.affected_id) if order.affected_id else None
        incident = self._store.records.incident(order.incident_id) if order.incident_id else None
        if order.command.verb in ABOUT_AN_INCIDENT and (incident is None or affected is None):
            self._answer("not_done", ["no_incident", {}], order, inbound, now, incident, affected)
            return
        match order.command.verb:
            case Verb.STOP if incident and affected:
                if said := self._stop(order, incident, affected, now):
                    headline = "not_stopped" if said == NOTHING_STOPPED else "stopped"
                    self._answer(headline, said, order, inbound, now, incident, affected)
            case Verb.NOTE if incident:
                self._entry(incident, "note", order, order.command.argument, now, inbound)
                self._answer("noted", ["noted", {}], order, inbound, now, incident, affected)
            case Verb.RESOLVED if incident and affected:
                said = self._resolve(order, incident, affected, inbound, now)
                self._answer("noted", said, order, inbound, now, incident, affected)
            case Verb.NO_DEBRIEF if incident and affected:
                said = self._no_debrief(order, incident, affected, inbound, now)
                self._answer("noted", said, order, inbound, now, incident, affected)
            case Verb.MERGE if incident:
                said = self._merge(order, incident, now)
                self._answer("noted", said, order, inbound, now, incident, affected)
            case Verb.SPLIT if incident:
                self._answer("noted", self._split(order, incident, now), order, inbound, now, incident, affected)
            case Verb.SENT | Verb.RESEND:
                said = self._settle_unknown(order, now)
                self._answer("noted", said, order, inbound, now, incident, affected)
            case Verb.PAUSE | Verb.RESUME:
                self._answer("noted", self._pause(order, now), order, inbound, now, incident, affected)
            case _:
                self._answer("help", ["help", {}], order, inbound, now, incident, affected)

    def _stop(self, order: Obey, incident: Incident, affected: Affected, now: datetime) -> JSON:
        """Everything that has not left to this client stays here; what was never promised is not owed."""
        guessed = order.reason == "like-stop"
        stopped = []
        mine = {affected.id}
        if order.letter and order.letter.draft_id:
            mine |= {x.affected_id or 0 for x in self._store.outbox.of_draft(order.letter.draft_id)}
        if order.letter and order.letter.facts.get("many"):
            # Below the one mail about a storm it means all of that liaison's clients, and nobody else's.
            all_ = self._store.records.affected_of(incident.id)
            mine = {a.id for a in all_ if a.liaison.address == affected.liaison.address}
        for letter in self._store.outbox.undelivered(incident.id, to_clients=True):
            # A guess holds what is on its way; what waits for SEND does not move anyway.
            if letter.affected_id not in mine or (guessed and letter.state is not LetterState.WAITING):
                continue
            state = dispatch(letter.state, Dispatch.DROP)
            self._store.outbox.move(letter.id, state, reason=f"stopped-by-{order.staff.address}", now=now)
            stopped.append(f"{letter.kind} to {letter.recipient.name or letter.recipient.address}")
        what = ", ".join(dict.fromkeys(stopped))
        if not stopped:
            return None if guessed else NOTHING_STOPPED
        self._entry(incident, "stopped", order, what, now, None)
        told = {t.affected_id for t in self._store.records.audience(incident.id)}
        for one in self._store.records.affected_of(incident.id):
            if one.id in mine - told and not one.reporter:
                self._store.records.set_promise(one.id, PromiseKind.DEBRIEF, PromiseState.RELEASED, now)
        if guessed:
            return ["stopped_guess", {"what": what, "said": order.command.argument}]
        return ["stopped", {"what": what}]

    def _resolve(self, order: Obey, incident: Incident, affected: Affected, inbound: Inbound, now: datetime) -> JSON:
        words = self._setup.writer.words(order.staff.language)
        said = order.command.argument
        ended = inbound.received_at
        if said:
            parsed = parse_time(said, inbound.received_at, order.staff.timezone, tuple(words.at("time.days")))
            if parsed is None:
                return ["bad_time", {"value": said}]
            ended = parsed
            if not incident.started_at.replace(second=0, microsecond=0) <= ended <= now:
                between: dict[str, JSON] = {"value": said, "began_at": incident.started_at.isoformat()}
                return ["resolved_when", {**between, "now_at": now.isoformat()}]
        if not incident.running:
            return ["resolved_closed", {}]
        self._entry(incident, "resolved", order, said, now, inbound)
        if incident.state is IncidentState.RESTORED and not said:
            return ["resolved_already", {"ended_at": (incident.ended_at or ended).isoformat()}]
        state = incident.state
        if state is IncidentState.OPEN:
            state = advance(state, Happening.RECOVERED)
        ended = max(ended, incident.started_at)  # the last word about the end counts
        self._store.records.set_state(incident.id, state, ended_at=ended, closed_at=None, why="")
        self._store.signals.end_all(incident.id, ended)
        return ["resolved", {"ended_at": ended.isoformat()}]

    def _no_debrief(self, order: Obey, incident: Incident, affected: Affected, inbound: Inbound, now: datetime) -> JSON:
        why = order.command.argument.strip()
        if not why:
            return ["no_debrief_why", {}]
        # To a form or a preview it is about all whom that form is about: a storm's clients of hers share one.
        shared = order.letter is not None and order.letter.kind.shows_form
        whose = group(self._store, affected) if shared else [affected]
        mine = {one.id for one in whose}
        for letter in self._store.outbox.undelivered(incident.id, to_clients=True):
            if letter.affected_id in mine:
                self._store.outbox.move(letter.id, dispatch(letter.state, Dispatch.DROP), reason="no-debrief", now=now)
        self._entry(incident, "no debrief", order, why, now, inbound)
        for one in whose:
            self._aftermath.settle(one, f"no debrief: {why}", PromiseState.RELEASED, now)
        return ["no_debrief", {"client": ", ".join(one.client_name for one in whose), "why": why}]

    def _merge(self, order: Obey, incident: Incident, now: datetime) -> JSON:
        """This incident goes on in another: an alert that was a symptom goes to the real problem's (S4.4)."""
        word = order.command.argument.strip(" .").upper()
        root = self._store.records.by_reference(word)
        root = self._store.records.incident(root.id) if root else None
        if root is None or not root.running or not incident.running or root.id == incident.id:
            return ["merge_which", {"word": order.command.argument}]
        self._merging.merge(incident, root, "said so", order.staff.name, now)
        return ["merged", {"child": incident.reference, "root": root.reference}]

    def _split(self, order: Obey, incident: Incident, now: datetime) -> JSON:
        """One client's trouble turns out to be another one."""
        clients = self._store.records.affected_of(incident.id)
        word = order.command.argument.strip(" .").casefold()
        mine = [a for a in clients if word in {a.client_key, a.client_name.casefold()}]
        if len(clients) < 2 or len(mine) != 1 or not incident.running:
            keys = ", ".join(a.client_key for a in clients)
            return ["split_which", {"reference": incident.reference, "keys": keys}]
        new = self._merging.split(incident, mine[0], order.staff.name, now)
        return ["split", {"client": mine[0].client_name, "reference": new.reference}]

    def _settle_unknown(self, order: Obey, now: datetime) -> JSON:
        """SENT or RESEND to "did the letter leave?": only that letter, only while nobody knows."""
        about = order.letter.facts.get("about") if order.letter and order.letter.kind is LetterKind.NOTICE else None
        letter = self._store.outbox.letter(about) if isinstance(about, int) else None
        if letter is None or letter.state is not LetterState.UNKNOWN:
            return ["no_incident", {}]
        if order.command.verb is Verb.SENT:
            self._move(letter, Dispatch.ACCEPT, f"said-sent-by-{order.staff.address}", now)
            self._aftermath.sent(letter, now)
            return ["settled_sent", {}]
        self._move(letter, Dispatch.RESEND, f"resend-by-{order.staff.address}", now)
        return ["settled_resend", {}]

    def _pause(self, order: Obey, now: datetime) -> JSON:
        if order.staff.role is not Role.MANAGER:
            return ["only_managers", {}]
        if order.command.verb is Verb.PAUSE:
            self._brake.pause(order.staff.address, now)
            return ["paused", {}]
        return ["resumed", {"count": len(self._brake.resume(now))}]

    def _move(self, letter: Letter, step: Dispatch, reason: str, now: datetime) -> None:
        self._store.outbox.move(letter.id, dispatch(letter.state, step), reason=reason, due_at=now, now=now)

    def _entry(
        self, incident: Incident, what: str, order: Obey, text: str, now: datetime, inbound: Inbound | None
    ) -> None:
        entry = Entry(at=now, what=what, author=order.staff.name, text=text, inbound_id=inbound.id if inbound else None)
        self._store.records.note(incident.id, entry)

    def _answer(
        self,
        headline: str,
        line: JSON,
        order: Obey,
        inbound: Inbound,
        now: datetime,
        incident: Incident | None,
        affected: Affected | None,
    ) -> None:
        self._post.notice(
            [headline, {}],
            [line],
            address_of(order.staff),
            key=f"{order.command.verb}:{inbound.id}",
            now=now,
            incident=incident,
            affected=affected,
            mailbox=inbound.mailbox,
        )
