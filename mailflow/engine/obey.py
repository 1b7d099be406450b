"""A liaison's commands other than SEND and OPEN. What was understood is always said back."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime

from mailflow.domain.decisions import Obey
from mailflow.domain.form import Verb
from mailflow.domain.incident import Affected, Incident, PromiseKind, PromiseState
from mailflow.domain.letters import JSON, Letter, LetterKind, LetterState
from mailflow.domain.lifecycle import Dispatch, dispatch
from mailflow.domain.people import Role
from mailflow.engine.aftermath import Aftermath
from mailflow.engine.brake import Brake
from mailflow.engine.course import Course
from mailflow.engine.drafts import Drafts
from mailflow.engine.handling import Handling
from mailflow.engine.mailroom import Inbound
from mailflow.engine.monthly import Monthly
from mailflow.engine.order import Order
from mailflow.engine.pauses import Pauses
from mailflow.engine.post import Post, address_of, drop
from mailflow.engine.presence import Presence
from mailflow.engine.setup import Setup
from mailflow.engine.store import Store

MANY_CLIENTS, QUOTED = 40, 120  # names that an answer lists, and characters of her own words in it
# What means something else behind the number of a task than behind that of a promise to a client.
ABOUT_A_ROW = {Verb.TAKE, Verb.CLOSE, Verb.NO_DEBRIEF, Verb.WAITING}
NOTHING_STOPPED: JSON = ["stopped_nothing", {}]
# The sentences that say what could not be understood, and those after which all is as it was: the subject says so too.
NOT_UNDERSTOOD = {
    *("bad_time", "bad_day", "later_when", "waiting_whom", "away_when", "action_how", "task_how", "update_what"),
    *("who_of_ours", "audience_who", "priority_which", "merge_which", "split_which", "done_which", "place_which"),
    *("unknown_client", "unknown_command", "report_whose"),
}
UNCHANGED = {
    *("resolved_when", "resolved_closed", "later_nothing", "waiting_not", "assign_colleague", "assign_same"),
    *("close_already", "close_owed", "close_owed_told_us", "close_why", "no_debrief_why", "reopen_open"),
    *("only_managers", "back_already"),
    *("no_incident", "action_manager", "ask_yourself", "ask_settled", "ask_nothing", "done_nothing", "report_unseen"),
}


class Orders:
    """Carries commands out and answers them."""

    def __init__(self, store: Store, setup: Setup, post: Post, drafts: Drafts, monthly: Monthly) -> None:
        self._store, self._setup, self._post = store, setup, post
        self._aftermath = Aftermath(store, setup, post)
        self._brake = Brake(store)
        self._presence = Presence(store, setup, post)
        course = Course(store, setup, self._aftermath, drafts)
        handling = Handling(store, setup, post, drafts)
        pauses = Pauses(store, setup, post, drafts)
        # Each is answered with the sentence that it gives back; None where another mail is the answer.
        self._about_an_incident: Mapping[Verb, Callable[[Order], JSON]] = {
            Verb.NOTE: self._note,
            Verb.RESOLVED: course.resolve,
            Verb.WORKAROUND: course.resolve,
            Verb.FAILOVER: course.resolve,
            Verb.NO_DEBRIEF: course.no_debrief,
            Verb.MERGE: course.merge,
            Verb.SPLIT: course.split,
            Verb.CLOSE: course.close,
            Verb.REOPEN: course.reopen,
            Verb.PRIORITY: course.prioritise,
            Verb.UPDATE: handling.update,
            Verb.LATER: handling.later,
            Verb.ASK: handling.ask,
            Verb.ASSIGN: handling.assign,
            Verb.AUDIENCE: handling.audience,
            Verb.ACTION: handling.action,
            Verb.DONE: handling.done,
            Verb.TAKE: handling.take,
            Verb.ROW: handling.row,
            Verb.WAITING: pauses.begin,
            Verb.GO_ON: pauses.end,
        }
        self._handling = handling
        self._monthly = monthly

    def obey(self, obey: Obey, inbound: Inbound, now: datetime) -> None:
        """Carry one command out."""
        verb = obey.command.verb
        affected = self._store.records.affected(obey.affected_id) if obey.affected_id else None
        incident = self._store.records.incident(obey.incident_id) if obey.incident_id else None

        def answer(headline: str, *lines: JSON) -> None:
            self._answer(headline, lines, obey, inbound, now, incident, affected)

        letter = obey.letter
        if verb is Verb.STOP and incident is None and letter and letter.draft_id:
            said = self._monthly.stop(letter, now)
            answer("not_stopped" if said == NOTHING_STOPPED else "stopped", said)
        elif obey.reason != "row-of-none" and verb in {*self._about_an_incident, Verb.STOP, Verb.STATUS}:
            if incident is None or affected is None:
                answer("not_done", ["no_incident", {}])
                return
            order = Order(obey=obey, incident=incident, affected=affected, inbound=inbound, now=now)
            if verb is Verb.STATUS:
                answer("status", *self._handling.status(order))
            elif verb is Verb.STOP:
                if said := self._stop(order):
                    idle = said == NOTHING_STOPPED or (isinstance(said, list) and said[0] == "stop_unneeded")
                    answer("not_stopped" if idle else "stopped", said)
            else:
                of_a_task = self._handling.task(order) if verb in ABOUT_A_ROW else None
                if said := of_a_task or self._about_an_incident[verb](order):
                    answer(_headline(said), said)
        elif obey.reason == "row-of-none":
            answer("not_done", ["row_none", {}])
        elif verb is Verb.AWAY:
            said = self._presence.away(obey, inbound)
            answer(_headline(said), said)
        elif verb is Verb.BACK:
            said = self._presence.back(obey.staff, now)
            answer(_headline(said), said)
        elif verb in {Verb.SENT, Verb.RESEND}:
            said = self._settle_unknown(obey, now)
            answer(_headline(said), said)
        elif verb is Verb.REPORT:
            if said := self._monthly.ask(obey.command.argument, obey.staff, now):
                answer(_headline(said, "not_done"), said)
        elif verb in {Verb.PAUSE, Verb.RESUME}:
            said = self._pause(obey, now)
            answer(_headline(said), said)
        elif obey.reason == "names-no-client":
            keys = ", ".join(sorted(client.key for client in self._setup.directory.clients)[:MANY_CLIENTS])
            said = obey.command.argument.strip().partition("\n")[0][:QUOTED]
            answer("not_understood", ["place_which", {"said": said, "keys": keys}])
        elif obey.reason == "unknown-command":
            nearest = ", ".join(obey.nearest)
            unknown: JSON = ["unknown_command", {"said": obey.command.argument, "nearest": nearest}]
            answer("not_understood", unknown, ["help", {}])
        else:
            answer("help", ["help", {}])

    def _note(self, order: Order) -> JSON:
        """A line for the record, which nobody outside ever has."""
        order.note(self._store, "note", order.argument)
        return ["noted", {}]

    def _stop(self, order: Order) -> JSON:
        """Everything that has not left to this client stays here; what was never promised is not owed."""
        incident, now = order.incident, order.now
        guessed = order.obey.reason == "like-stop"
        mine = {one.id for one in order.clients(self._store)}
        undelivered = [x for x in self._store.outbox.undelivered(incident.id, to_clients=True) if x.affected_id in mine]
        # A guess holds what is on its way; what waits for SEND does not move anyway.
        stopped = [x for x in undelivered if x.state is LetterState.WAITING or not guessed]
        drop(self._store, stopped, f"stopped-by-{order.staff.address}", now)
        what = ", ".join(dict.fromkeys(f"{x.kind} to {x.recipient.name or x.recipient.address}" for x in stopped))
        if not stopped:
            if guessed and order.letter and order.letter.kind is LetterKind.PREVIEW:
                return ["stop_unneeded", {"said": order.argument}]
            return None if guessed else NOTHING_STOPPED
        order.note(self._store, "stopped", what)
        told = {t.affected_id for t in self._store.records.audience(incident.id)}
        for one in self._store.records.affected_of(incident.id):
            if one.id in mine - told and not one.reporter:
                for kind in (PromiseKind.ACKNOWLEDGEMENT, PromiseKind.DEBRIEF, PromiseKind.CALL):
                    self._store.promises.settle(one.id, kind, PromiseState.RELEASED, now)
        if guessed:
            return ["stopped_guess", {"what": what, "said": order.argument}]
        return ["stopped", {"what": what}]

    def _settle_unknown(self, obey: Obey, now: datetime) -> JSON:
        """SENT or RESEND to "did the letter leave?": only that letter, only while nobody knows."""
        about = obey.letter.facts.get("about") if obey.letter and obey.letter.kind is LetterKind.NOTICE else None
        letter = self._store.outbox.letter(about) if isinstance(about, int) else None
        if letter is None or letter.state is not LetterState.UNKNOWN:
            return ["no_incident", {}]
        if obey.command.verb is Verb.SENT:
            self._move(letter, Dispatch.ACCEPT, f"said-sent-by-{obey.staff.address}", now)
            self._aftermath.sent(letter, now)
            return ["settled_sent", {}]
        self._move(letter, Dispatch.RESEND, f"resend-by-{obey.staff.address}", now)
        return ["settled_resend", {}]

    def _pause(self, obey: Obey, now: datetime) -> JSON:
        if obey.staff.role is not Role.MANAGER:
            return ["only_managers", {}]
        if obey.command.verb is Verb.PAUSE:
            self._brake.pause(obey.staff.address, now)
            return ["paused", {}]
        return ["resumed", {"count": len(self._brake.resume(now))}]

    def _move(self, letter: Letter, step: Dispatch, reason: str, now: datetime) -> None:
        self._store.outbox.move(letter.id, dispatch(letter.state, step), reason=reason, due_at=now, now=now)

    def _answer(
        self,
        headline: str,
        lines: tuple[JSON, ...],
        obey: Obey,
        inbound: Inbound,
        now: datetime,
        incident: Incident | None,
        affected: Affected | None,
    ) -> None:
        values: dict[str, JSON] = {"reference": incident.reference if incident else ""}
        # Two actions in one mail are two answers: DONE below either ends just that one.
        argument = hashlib.sha256(obey.command.argument.encode()).hexdigest()[:8]
        self._post.notice(
            [headline, values],
            list(lines),
            address_of(obey.staff),
            key=f"{obey.command.verb}:{inbound.id}:{obey.affected_id or 0}:{obey.promise_id or 0}:{argument}",
            now=now,
            incident=incident,
            affected=affected,
            mailbox=inbound.mailbox,
        )


def _headline(said: JSON, done: str = "noted") -> str:
    """What stands in the subject above a sentence: that it was not understood, that nothing was changed, or `done`."""
    name = str(said[0]) if isinstance(said, list) else ""
    if name in NOT_UNDERSTOOD or name.startswith("unclear_"):
        return "not_understood"
    return "not_done" if name in UNCHANGED else done
