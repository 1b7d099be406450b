"""Telling: who hears of an incident, when and in which way, and what is promised with it."""

from datetime import datetime, timedelta

from mailflow.domain.form import BY_NAME
from mailflow.domain.incident import Affected, Incident, PromiseKind
from mailflow.domain.letters import JSON, LetterKind, LetterState, acknowledgement, client_view
from mailflow.domain.mail import Event
from mailflow.domain.maintenance import ending_between
from mailflow.domain.people import Client, Component, Contact, Wants
from mailflow.domain.policy import Acknowledge
from mailflow.domain.vocabulary import Live
from mailflow.domain.worktime import due_within
from mailflow.engine.case import open_case
from mailflow.engine.drafts import Drafts
from mailflow.engine.post import Post
from mailflow.engine.setup import Setup
from mailflow.engine.store import Store
from mailflow.engine.tasks import Tasks

# What of an alert's fields helps a person; the rest is for machines.
SHOWN = ("host", "service", "group", "detail", "url")
AN_HOUR, A_DAY = timedelta(hours=1), timedelta(days=1)
PROBLEM, STEPS = (BY_NAME[name].number for name in ("problem", "steps"))
MANY_ALIKE = 2  # earlier incidents that are shown: more is an archive
MANY_LINES = 4
EXCERPT = 200  # characters of what was behind one
# The stricter of the policy's and the recipe's word on acknowledging wins.
STRICTEST = (Acknowledge.NEVER, Acknowledge.REVIEW, Acknowledge.AUTO)


class Telling:
    """The one "opened" mail to the liaison, the promise, and the acknowledgements."""

    def __init__(self, store: Store, setup: Setup, post: Post, drafts: Drafts) -> None:
        self._store, self._setup, self._post, self._drafts = store, setup, post, drafts
        self._tasks = Tasks(store, setup, post)

    def tell_of_alert(
        self,
        incident: Incident,
        affected: Affected,
        client: Client,
        component: Component | None,
        event: Event,
        now: datetime,
        *,
        many: bool = False,
        again: str = "",
    ) -> None:
        """Who hears of a monitor's trouble; `many` where the incident has several clients."""
        acknowledge = self._setup.policy.acknowledge.get(event.class_, Acknowledge.REVIEW)
        if event.rules.acknowledge:
            acknowledge = min(acknowledge, event.rules.acknowledge, key=STRICTEST.index)
        if acknowledge is Acknowledge.AUTO and (event.unconfirmed or not affected.plain):
            acknowledge = Acknowledge.REVIEW  # nothing automatic is said of a thing whose name we do not know
        settle = timedelta() if component and component.critical else self._setup.policy.settle
        facts: list[JSON] = [
            ["fact", {"name": ["field", name], "value": event.fields[name]}] for name in SHOWN if event.fields.get(name)
        ]
        facts += self._context(incident, affected, client, now)
        self.tell(
            incident,
            affected,
            client,
            acknowledge,
            settle,
            now,
            lead="alert_opened",
            facts=facts,
            many=many,
            again=again,
        )

    def _context(self, incident: Incident, affected: Affected, client: Client, now: datetime) -> list[JSON]:
        """What was changed at the client's lately (S4.26), and what was behind trouble that looks alike (S4.27)."""
        lines: list[JSON] = []
        windows = [*self._setup.windows, *self._store.windows.current(now - A_DAY)]
        for window in ending_between(windows, now - A_DAY, now):
            if window.client in ("", client.key):
                what = ", ".join(filter(None, (*window.things, window.why))) or client.name
                lines.append(["changed_lately", {"what": what, "ended_when": window.ends.isoformat()}])
        for earlier in self._store.records.alike(affected, incident.symptom, MANY_ALIKE):
            fills = self._store.desk.fills(earlier.id)
            said = next((fills[n].value for n in (PROBLEM, STEPS) if n in fills), "")
            if said:
                was = self._store.records.incident(earlier.incident_id)
                values: dict[str, JSON] = {"reference": was.reference, "started_day": was.started_at.isoformat()}
                lines.append(["looks_alike", {**values, "said": " ".join(said.split())[:EXCERPT]}])
        return lines[:MANY_LINES]

    def tell_again(
        self,
        incident: Incident,
        affected: Affected,
        client: Client,
        component: Component | None,
        event: Event,
        again: str,
        now: datetime,
    ) -> None:
        """Trouble that came back, or got worse, before anybody had heard of it: it is told once it stays."""
        known = bool(self._store.records.audience(incident.id, affected.id))
        coming = any(
            x.affected_id == affected.id and x.kind is LetterKind.ACKNOWLEDGEMENT
            for x in self._store.outbox.undelivered(incident.id, to_clients=True)
        )
        if not known and not coming:
            self.tell_of_alert(incident, affected, client, component, event, now, again=again)

    def tell_one_more(self, incident: Incident, affected: Affected, contact: Contact, now: datetime) -> None:
        """Somebody who is struck too and was told nothing gets the acknowledgement that the others have (S4.21)."""
        policy = self._setup.policy
        acknowledge = policy.acknowledge.get(incident.class_, Acknowledge.REVIEW)
        open_ = incident.ended_at is None and affected.ended_at is None
        live = self._setup.live(affected)
        if acknowledge is not Acknowledge.AUTO or live is Live.REVIEW or not (affected.plain and contact.first_name):
            return
        coming = self._store.outbox.letters(incident_id=incident.id, limit=1_000)
        coming += self._store.outbox.letters(affected_id=affected.id, limit=1_000)  # from before it was split off
        known = {t.address for t in self._store.records.audience(incident.id)}
        known |= {x.recipient.address for x in coming if x.kind is LetterKind.ACKNOWLEDGEMENT}
        if not open_ or contact.address in known:
            return
        debrief = self._store.promises.find(affected.id, PromiseKind.DEBRIEF)
        if debrief is None:
            return  # nothing is promised to anybody: the liaison writes
        view = client_view(incident, affected, policy.footer, debrief.due_at)
        letter = self._post.client_letter(
            LetterKind.ACKNOWLEDGEMENT,
            incident,
            affected,
            contact,
            acknowledgement(view, contact, 0),
            key=f"{incident.reference}:{contact.address}",
            now=now,
            due_at=now + policy.rest,
        )
        self._post.put_automatic(letter, incident.started_at, now)

    def tell_of_many(self, incident: Incident, affected: Affected, now: datetime) -> None:
        """One mail an hour to each liaison of an incident with many clients; it says who they are when it leaves."""
        letters = self._store.outbox.letters(incident_id=incident.id, limit=10_000)
        mine = [x for x in letters if x.facts.get("many") and x.recipient.address == affected.liaison.address]
        if any(x.state is LetterState.WAITING for x in mine):
            return  # that one has not left yet, and will name this client too
        left = [x.sent_at + AN_HOUR for x in mine if x.sent_at]
        self._post.to_staff(
            LetterKind.OPENED,
            affected.liaison,
            {
                "first_shown": incident.first_shown,
                "lead": ["storm", {}],
                "lines": [["storm_yours", {}]],
                "plan": [],
                "excerpt": "",
                "many": True,
            },
            key=f"{incident.reference}:{affected.liaison.address}:{len(mine)}",
            now=now,
            incident=incident,
            affected=affected,
            due_at=max([now + self._setup.policy.settle, *left]),
            unless_over=True,
        )

    def tell(
        self,
        incident: Incident,
        affected: Affected,
        client: Client,
        acknowledge: Acknowledge | None,
        settle: timedelta,
        now: datetime,
        *,
        lead: str,
        facts: list[JSON] | None = None,
        excerpt: str = "",
        writer: Contact | None = None,
        many: bool = False,
        again: str = "",
    ) -> None:
        """Who is told, when, and what is promised; `acknowledge` None means that a liaison opened it."""
        policy = self._setup.policy
        within = policy.debriefs(client.tier).within[incident.priority]
        due = due_within(now, within, policy.day_ends, client.calendar)
        contacts = [c for c in client.contacts if c.wants is Wants.ALL]
        if writer and writer.first_name and writer.address not in {c.address for c in contacts}:
            contacts.append(writer)  # who asked is answered; a name we cannot greet is left to the liaison
        names = ", ".join(c.name for c in contacts)
        live = policy.live.stricter(affected.live)
        leaves = now + settle + policy.rest
        if settle and acknowledge is Acknowledge.AUTO:
            # At night and on holidays nobody is helped by it: it waits until the client opens, unless the thing is
            # critical.
            leaves = client.reachable(leaves)
        values: dict[str, JSON] = {
            "client": affected.client_name,
            "names": names,
            "class_": incident.class_,
            "due_at": leaves.isoformat(),
            "due_by": due.isoformat(),
        }
        plan = self._plan(acknowledge, contacts, live)
        self._promise(plan, incident, affected, client, due, now)
        tasks = self._tasks.manage(incident, affected, now)
        if acknowledge:
            tasks += self._tasks.call(incident, affected, client, contacts, now)
        if many:
            self.tell_of_many(incident, affected, now)
        else:
            lines: list[JSON] = [[plan, values]]
            if plan in {"ack_auto", "ack_review"}:
                lines.append(["promised" if plan == "ack_auto" else "promised_then", values])
            shown: dict[str, JSON] = {"lines": facts or [], "plan": [*lines, *tasks], "excerpt": excerpt}
            self._tell_liaison(incident, affected, lead, shown, settle, now, again)
        if plan in {"ack_auto", "ack_off", "ack_review"}:
            self._acknowledge(incident, affected, contacts, plan, due, leaves, settle, now, again)

    def _promise(
        self, plan: str, incident: Incident, affected: Affected, client: Client, due: datetime, now: datetime
    ) -> None:
        """What is owed from here on: the debrief, and the first word where it waits for a person."""
        policy = self._setup.policy
        if plan in {"ack_auto", "ack_review", "ack_off", "ack_staff"} or affected.reporter:
            self._store.promises.make(affected, PromiseKind.DEBRIEF, due, now)
        if plan == "ack_review" or (plan == "ack_nobody" and affected.reporter):
            within = policy.acknowledges(client.tier)[incident.priority]
            soon = due_within(now, within, policy.day_ends, client.calendar)
            self._store.promises.make(affected, PromiseKind.ACKNOWLEDGEMENT, soon, now)

    def _tell_liaison(
        self,
        incident: Incident,
        affected: Affected,
        lead: str,
        shown: dict[str, JSON],
        settle: timedelta,
        now: datetime,
        again: str,
    ) -> None:
        """The one mail that says what it is, and what happens next."""
        values: dict[str, JSON] = {
            "client": affected.client_name,
            "title": incident.title,
            "symptom": ["symptom", incident.symptom],
            "started_when": incident.started_at.isoformat(),
            "noticed_by": incident.noticed_by,
            "reporter": affected.reporter,
            "reported": affected.reported,
        }
        # What a person told us is in the first line.
        first = incident.first_shown if incident.symptom != "reported" else ""
        self._post.to_staff(
            LetterKind.OPENED,
            affected.liaison,
            {"first_shown": first, "lead": [lead, values], **shown},
            key=f"{incident.reference}:{affected.client_key}{_nth(again)}",
            now=now,
            incident=incident,
            affected=affected,
            due_at=now + settle,
            unless_over=settle > timedelta(),
        )

    def _plan(self, acknowledge: Acknowledge | None, contacts: list[Contact], live: Live) -> str:
        """What happens to the acknowledgement, as the name of the sentence that says so to the liaison."""
        if acknowledge is None:
            return "ack_staff"
        if acknowledge is Acknowledge.NEVER:
            return "ack_never"
        if not contacts:
            return "ack_nobody"
        if acknowledge is Acknowledge.REVIEW or live is Live.REVIEW:
            return "ack_review"
        return "ack_off" if live is Live.OFF else "ack_auto"

    def _acknowledge(
        self,
        incident: Incident,
        affected: Affected,
        contacts: list[Contact],
        plan: str,
        due: datetime,
        leaves: datetime,
        settle: timedelta,
        now: datetime,
        again: str,
    ) -> None:
        """One letter a contact: on its way after settling and rest, or held for SEND."""
        view = client_view(incident, affected, self._setup.policy.footer, due)
        letters = []
        for contact in contacts:
            told_before = self._store.outbox.count_incidents(
                LetterKind.ACKNOWLEDGEMENT, contact.address, besides=incident.id
            )
            letters.append(
                self._post.client_letter(
                    LetterKind.ACKNOWLEDGEMENT,
                    incident,
                    affected,
                    contact,
                    acknowledgement(view, contact, told_before),
                    key=f"{incident.reference}:{contact.address}{_nth(again)}",
                    now=now,
                    due_at=leaves,
                )
            )
        if plan == "ack_review":
            case = open_case(self._store, self._setup, incident, affected)
            ready: JSON = ["ack_ready", {"client": affected.client_name, "title": incident.title}]
            self._drafts.offer(case, letters, now, remarks=[ready], settle=settle)
            return
        for letter in letters:
            self._post.put_automatic(letter, incident.started_at, now)


def _nth(again: str) -> str:
    """What tells the letters of trouble that came back, or got worse, from those that were dropped before."""
    return f":{again}" if again else ""
