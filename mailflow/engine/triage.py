"""Triage: what nobody could place is shown to a liaison, and a reply with the client's key places it, and teaches."""

from datetime import datetime

from mailflow.domain.decisions import Place, Show, Situation
from mailflow.domain.letters import JSON, LetterKind
from mailflow.domain.mail import Event, Reading
from mailflow.domain.ownership import Lesson, Sign, teaches
from mailflow.domain.people import Staff
from mailflow.domain.vocabulary import Kind, State
from mailflow.engine.mailroom import Inbound
from mailflow.engine.opening import EXCERPT
from mailflow.engine.post import Post, address_of
from mailflow.engine.replay import Replay
from mailflow.engine.setup import Setup
from mailflow.engine.signals import TRIAGE, Pending
from mailflow.engine.store import Store
from mailflow.intake.forward import claim

MANY_CLIENTS = 12  # so many keys are listed in a mail; more are known by `incidents` and the configuration
WHY = {
    "alert-of-no-client": "shown_alert_of_no_client",
    "alert-of-two-clients": "shown_alert_of_two_clients",
    "alert-of-a-forged-sender": "shown_alert_forged",
    "sender-of-two-clients": "shown_sender_of_two_clients",
    "staff-mail-without-command": "shown_staff",
    "tag-of-ours-from-a-stranger": "shown_stranger",
}


class Triage:
    """The use cases of mail that needs a person to say whose it is."""

    def __init__(self, store: Store, setup: Setup, post: Post, replay: Replay) -> None:
        self._store, self._setup, self._post, self._replay = store, setup, post, replay

    def show(self, decision: Show, inbound: Inbound, reading: Reading, situation: Situation, now: datetime) -> None:
        """One mail for each thing that is unknown, however many alerts it sends; the others wait behind it."""
        event = reading.events[0] if reading.events else None
        forged = decision.reason == "alert-of-a-forged-sender"
        if event and not forged:
            topic = _topic(event, reading)
            if situation.owner.clients:  # the same name may be in trouble at each of them: one answer is about one
                topic += f"\n{event.key}"
            if event.state is not State.PROBLEM and not self._store.waiting.with_topic(TRIAGE, topic):
                return  # the end of something that nobody was told of
            if not self._store.waiting.put(inbound.id, TRIAGE, topic, event.key, None, now):
                return
        elif not forged and decision.kind is not Kind.LIAISON:
            self._store.waiting.put(inbound.id, TRIAGE, f"mail:{inbound.id}", "", None, now)
        self._ask(decision, inbound, reading, situation, now)

    def place(self, decision: Place, inbound: Inbound, now: datetime) -> int | None:
        """A liaison said whose it is: everything that waits for the same is that client's, and later mail too."""
        pending = self._store.waiting.about(decision.about)
        if pending is None:
            self._answer("not_done", [["placed_before", {"key": decision.client.key}]], decision, inbound, now)
            return None
        learned: list[str] = []
        incidents: list[int | None] = []
        while pending:  # one mail may hold several things that nobody knows
            lesson = self._lesson(pending, decision, now)
            if lesson and lesson.value not in learned:
                self._store.lessons.teach(lesson, decision.staff.address, inbound.id, now)
                learned.append(lesson.value)
            for one in self._store.waiting.with_topic(pending.why, pending.topic):
                incidents.append(self._replay.decide_again(one, now, decision.client))
            pending = self._store.waiting.about(decision.about)
        found = [self._store.records.incident(i).reference for i in dict.fromkeys(incidents) if i]
        values: dict[str, JSON] = {
            "client": decision.client.name,
            "count": len(incidents) - 1,
            "value": ", ".join(learned),
            "references": ", ".join(found),
            "manager": self._setup.administrator.name or self._setup.administrator.address,
        }
        lines: list[JSON] = [["placed_many" if len(incidents) > 1 else "placed", values]]
        if found:
            lines.append(["placed_in", values])
        if learned:
            lines.append(["placed_learned", values])
        self._answer("noted", lines, decision, inbound, now)
        return next((i for i in incidents if i), None)

    def _lesson(self, pending: Pending, decision: Place, now: datetime) -> Lesson | None:
        reading = self._replay.reading(pending.inbound_id, now) if decision.teaches else None
        if reading is None:
            return None
        event = next((e for e in reading.events if e.key == pending.event_key), None)
        return teaches(event, reading, decision.client)

    def _ask(self, decision: Show, inbound: Inbound, reading: Reading, situation: Situation, now: datetime) -> None:
        owners = situation.owner.clients or situation.who.clients or self._setup.directory.clients
        keys = ", ".join(c.key for c in owners[:MANY_CLIENTS]) + (", …" if len(owners) > MANY_CLIENTS else "")
        values: dict[str, JSON] = {"mailbox": inbound.mailbox, "why": decision.reason, "keys": keys}
        forwarded = claim(reading) if decision.kind is Kind.LIAISON else None
        why = WHY.get(decision.reason, "shown_automatic" if reading.automatic else "shown_no_recipe")
        if forwarded:
            why, values["claimed"] = "shown_forward", f"{forwarded.name} <{forwarded.address}>"
        forged = decision.reason == "alert-of-a-forged-sender"
        hint = "hint_staff" if decision.kind is Kind.LIAISON else "hint_open" if forged else "hint_place"
        text = forwarded.text if forwarded else reading.new_text
        facts: dict[str, JSON] = {
            "why": [why, values],
            "hint": [hint, values],
            "mail_from": str(reading.author) if reading.author else "",
            "mail_subject": reading.subject,
            "came": inbound.received_at.isoformat(),
            "text": text.strip()[:EXCERPT],
            "about": inbound.id,
            "own_people": decision.kind is Kind.LIAISON,
            # A thing that the configuration gives to two clients stays in doubt: only this mail is placed.
            "teaches": not situation.owner.clients or situation.owner.sign is Sign.LEARNED,
        }
        staff = self._shown_to(decision, situation)
        key, mailbox = f"{inbound.id}:{decision.reason}", inbound.mailbox
        self._post.to_staff(LetterKind.SHOWN, address_of(staff), facts, key=key, now=now, mailbox=mailbox)

    def _shown_to(self, decision: Show, situation: Situation) -> Staff:
        """The client's own liaison where the mail is of one client, else whoever is on duty."""
        who = situation.who
        if who.staff and decision.kind is Kind.LIAISON:
            return who.staff
        if who.client:
            return self._setup.liaison_of(who.client)
        return self._setup.on_duty

    def _answer(self, headline: str, lines: list[JSON], decision: Place, inbound: Inbound, now: datetime) -> None:
        recipient, key = address_of(decision.staff), f"placed:{inbound.id}"
        self._post.notice([headline, {}], lines, recipient, key=key, now=now, mailbox=inbound.mailbox)


def _topic(event: Event, reading: Reading) -> str:
    """What an answer would be about: the client's name as the monitor knows it, else the thing, else the sender."""
    said = (*event.names, *event.hosts, reading.author.address if reading.author else "")
    return f"{event.recipe}:{next((s for s in said if s), event.key).casefold()}"
