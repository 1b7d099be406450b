"""Opening an incident: the record, the promise, the acknowledgement, and the one "opened" mail to the liaison."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from mailflow.domain.correlation import said_at
from mailflow.domain.decisions import OpenFromClient, OpenFromStaff
from mailflow.domain.incident import Affected, Entry, Incident
from mailflow.domain.mail import Event, Reading
from mailflow.domain.people import Client, Component, Contact, Staff
from mailflow.domain.policy import Acknowledge, priority_of
from mailflow.domain.vocabulary import Class, Detection, Severity
from mailflow.engine.drafts import Drafts
from mailflow.engine.mailroom import Inbound
from mailflow.engine.post import Post, address_of
from mailflow.engine.presence import Presence
from mailflow.engine.setup import Setup
from mailflow.engine.store import NewIncident, Store
from mailflow.engine.telling import Telling

EXCERPT = 2_000  # characters of a client's mail that the liaison is shown


@dataclass(frozen=True, kw_only=True)
class Word:
    """One thing that a monitor told us, or failed to: when, by which mail, under which subject."""

    at: datetime
    said_at: datetime  # by the monitor's own clock
    mailbox: str
    subject: str
    inbound_id: int | None = None  # none: no mail came, and that is the trouble

    @classmethod
    def of(cls, inbound: Inbound, reading: Reading) -> "Word":
        """An alert mail's."""
        return cls(
            at=inbound.received_at,
            said_at=said_at(reading.date, inbound.received_at),
            mailbox=inbound.mailbox,
            subject=reading.subject,
            inbound_id=inbound.id,
        )


class Opening:
    """The use case of a new incident."""

    def __init__(self, store: Store, setup: Setup, post: Post, drafts: Drafts) -> None:
        self._store, self._setup = store, setup
        self.telling = Telling(store, setup, post, drafts)
        self.presence = Presence(store, setup, post)

    def incident_of(
        self,
        client: Client,
        component: Component | None,
        event: Event,
        word: Word,
        scope: str,
        now: datetime,
    ) -> tuple[Incident, Affected]:
        """A monitor saw trouble. It began before the monitor told, by the monitor's own delay (N.2)."""
        host, service = event.fields.get("host", ""), event.fields.get("service", "")
        detected = Detection.EXTERNAL_MONITOR if event.external else Detection.INTERNAL_MONITOR
        return self._open(
            client,
            word,
            now,
            scope=scope,
            key=event.key,
            class_=event.class_,
            severity=event.severity,
            symptom=event.symptom,
            title=event.vendor or (component.name if component else host or service or word.subject),
            plain=component.plain if component else "",
            detected_by=Detection.VENDOR if event.vendor else detected,
            noticed_by=self._tool(event.recipe),
            first_shown=word.subject,
            started_at=word.at - timedelta(minutes=event.delay_minutes),
            critical=bool(component and component.critical),
        )

    def from_client(self, decision: OpenFromClient, inbound: Inbound, reading: Reading, now: datetime) -> Incident:
        """A person at a client told us; they are waiting, so nothing settles first."""
        client = decision.client
        writer = self._writer(reading)
        name = writer.first_name if writer else ""
        incident, affected = self._open(
            client,
            Word.of(inbound, reading),
            now,
            key=f"mail:{inbound.id}",
            class_=Class.CLIENT,
            severity=Severity.MEDIUM,
            symptom="reported",
            title=reading.subject or "a mail without a subject",
            plain="",
            detected_by=Detection.CUSTOMER_MAIL,
            noticed_by=name or inbound.author,
            first_shown=reading.subject,
            started_at=inbound.received_at,
            reporter=name or inbound.author,
        )
        self._store.mailroom.belongs(inbound.id, incident.id, reading.message_id or "", inbound.author, reading.subject)
        acknowledge = self._setup.policy.acknowledge.get(Class.CLIENT, Acknowledge.REVIEW)
        if acknowledge is Acknowledge.AUTO and not decision.vouched:
            acknowledge = Acknowledge.REVIEW  # the letter would go to, and quote, whoever wrote this From
        excerpt = reading.new_text.strip()[:EXCERPT]
        self.telling.tell(
            incident,
            affected,
            client,
            acknowledge,
            timedelta(),
            now,
            lead="client_opened",
            excerpt=excerpt,
            writer=writer,
        )
        return incident

    def _writer(self, reading: Reading) -> Contact | None:
        """The person who wrote, as somebody to answer: a listed contact, else their address with a first name."""
        if reading.author is None:
            return None
        if contact := self._setup.directory.who(reading.author.address).contact:
            return contact
        first = reading.author.name.split()[0].strip(",") if reading.author.name.strip() else ""
        return Contact(name=reading.author.name, first_name=first, address=reading.author.address)

    def from_staff(
        self, decision: OpenFromStaff, client: Client, inbound: Inbound, reading: Reading, now: datetime
    ) -> Incident:
        """A liaison opens it; the cause need not be technical (S0.1). Clients hear of it when she writes.

        A phone call is written "CALL northwind: Shirley Lane, the Data drive is gone" (S0.5): who, then what.
        """
        called = decision.reason == "call"
        caller, _, symptom = decision.title.partition(",") if called else ("", "", "")
        title = symptom.strip() or decision.title or reading.subject
        incident, affected = self._open(
            client,
            Word.of(inbound, reading),
            now,
            key=f"mail:{inbound.id}",
            class_=Class.CLIENT,
            severity=Severity.MEDIUM,
            symptom="reported",
            title=title,
            plain="",
            detected_by=Detection.CUSTOMER_CALL if called else Detection.STAFF,
            noticed_by=caller.strip() if called and symptom else decision.staff.name,
            first_shown=title if called else reading.subject,
            started_at=inbound.received_at,
            reporter=caller.split()[0] if called and symptom and caller.split() else "",
            opener=decision.staff,
        )
        if decision.note:
            entry = Entry(at=now, what="note", author=decision.staff.name, text=decision.note, inbound_id=inbound.id)
            self._store.records.note(incident.id, entry)
        self.telling.tell(
            incident,
            affected,
            client,
            None,
            timedelta(),
            now,
            lead="call_opened" if affected.reporter else "staff_opened",
            excerpt=decision.note,
        )
        return incident

    def _open(
        self,
        client: Client,
        word: Word,
        now: datetime,
        *,
        scope: str = "",
        key: str,
        class_: Class,
        severity: Severity,
        symptom: str,
        title: str,
        plain: str,
        detected_by: Detection,
        noticed_by: str,
        first_shown: str,
        started_at: datetime,
        reporter: str = "",
        critical: bool = False,
        opener: Staff | None = None,
    ) -> tuple[Incident, Affected]:
        signs = opener or self.presence.liaison_of(client, now)
        incident, affected = self._store.records.open(
            NewIncident(
                client=client,
                mailbox=word.mailbox,
                liaison=address_of(signs),
                liaison_title=signs.title,
                liaison_phone=signs.phone,
                scope=scope or f"client:{client.key}",
                key=key,
                class_=class_,
                severity=severity,
                priority=priority_of(severity, critical=critical),
                symptom=symptom,
                title=title,
                plain=plain,
                detected_by=detected_by,
                noticed_by=noticed_by,
                first_shown=first_shown,
                reporter=reporter,
                reported=title if symptom == "reported" else "",
                started_at=started_at,
                opened_at=now,
            )
        )
        self._store.records.note(
            incident.id,
            Entry(at=now, what="opened", author=noticed_by, text=first_shown, inbound_id=word.inbound_id),
        )
        return incident, affected

    def _tool(self, recipe: str) -> str:
        """The monitor's own name."""
        known = self._setup.recipes.get(recipe)
        return known.tool if known else recipe
