"""What clients write about a running incident: kept, counted, shown to the liaison, answered once."""

from datetime import datetime

from mailflow.domain.decisions import ClientSaid, Situation
from mailflow.domain.incident import Affected, Entry, Incident
from mailflow.domain.letters import JSON, LetterKind
from mailflow.domain.mail import Reading
from mailflow.domain.people import Address, Contact
from mailflow.engine.mailroom import Inbound
from mailflow.engine.opening import EXCERPT, Opening
from mailflow.engine.pauses import Pauses
from mailflow.engine.post import Post
from mailflow.engine.setup import Setup
from mailflow.engine.store import Store
from mailflow.intake.psa import psa_token


class ClientMail:
    """The use case of a client's words about something that we know of."""

    def __init__(self, store: Store, setup: Setup, post: Post, opening: Opening, pauses: Pauses) -> None:
        self._store, self._setup, self._post, self._opening = store, setup, post, opening
        self._pauses = pauses

    def said(
        self, decision: ClientSaid, inbound: Inbound, reading: Reading, situation: Situation, now: datetime
    ) -> None:
        """Thanks are feedback; a request goes to the helpdesk; another who is struck is counted and told (S4.21)."""
        incident = self._store.records.incident(decision.incident_id)
        affected = self._store.records.affected(decision.affected_id)
        author = reading.author or Address(name="", address=inbound.author)
        contact = self._setup.directory.who(author.address).contact
        name = contact.name if contact else author.name or author.address
        if ticket := psa_token(reading.subject):
            self._store.records.set_ticket(affected.id, ticket)
        if decision.reason == "thanks":
            self._note(incident, "feedback", name, reading.new_text.strip()[:EXCERPT], inbound)
            if not incident.running:
                return
        else:
            self._note(incident, "client wrote", name, reading.subject, inbound)
            if not reading.automatic:
                self._pauses.heard_from(affected, name, inbound.id, now)
        running = decision.reason == "client-has-a-running-incident"
        if running and not affected.reporter and incident.symptom != "reported":
            first = contact.first_name if contact else name
            self._store.records.set_reporter(affected.id, first, reading.subject, inbound.received_at)
        if running and situation.gist.trouble:
            self._store.records.count_me_too(affected.id)
            if contact and not reading.automatic and situation.authenticated is not False:
                self._opening.telling.tell_one_more(incident, affected, contact, now)
        if situation.gist.request and self._setup.policy.helpdesk:
            self._pass_on(incident, affected, contact, author, situation.gist.request, reading, inbound, now)
        answerable = self._answerable(affected, contact, author, reading, situation)
        self._forward(decision, incident, affected, contact, name, author, reading, inbound, now, answerable=answerable)

    def _answerable(
        self,
        affected: Affected,
        contact: Contact | None,
        author: Address,
        reading: Reading,
        situation: Situation,
    ) -> bool:
        """Whether the liaison's answer may go to who wrote: a person of the client's, as far as anybody can tell."""
        client = self._setup.directory.client(affected.client_key)
        theirs = contact is not None or (client is not None and author.domain in client.domains)
        return theirs and situation.authenticated is not False and not situation.disproven and not reading.automatic

    def _forward(
        self,
        decision: ClientSaid,
        incident: Incident,
        affected: Affected,
        contact: Contact | None,
        name: str,
        author: Address,
        reading: Reading,
        inbound: Inbound,
        now: datetime,
        *,
        answerable: bool,
    ) -> None:
        """The client's new words go to the liaison, in the incident's thread; her answer goes back to that person."""
        lead = "forward_joined"
        if decision.reason in {"answers-our-letter", "thanks"}:
            lead = "forward_answer" if incident.running else "forward_closed"
        said: dict[str, JSON] = {
            "contact_name": name,
            "client": affected.client_name,
            "client_key": affected.client_key,
            "title": incident.title,
            "reference": incident.reference,
            "mail_subject": reading.subject,
        }
        facts: dict[str, JSON] = {
            "lead": [lead, said],
            "contact": contact.first_name if contact else name,
            "contact_name": name,
            "contact_address": author.address,
            "answerable": answerable,
            "reply_name": f"TO CLIENT {name}" if answerable else "",
            "live": self._setup.live(affected),
            "text": reading.new_text.strip()[:EXCERPT] or reading.subject,
        }
        self._post.to_staff(
            LetterKind.FORWARD,
            affected.liaison,
            facts,
            key=f"{inbound.id}",
            now=now,
            incident=incident,
            affected=affected,
        )

    def _pass_on(
        self,
        incident: Incident,
        affected: Affected,
        contact: Contact | None,
        author: Address,
        request: str,
        reading: Reading,
        inbound: Inbound,
        now: datetime,
    ) -> None:
        """A request that has nothing to do with the trouble goes to the helpdesk, in the client's words."""
        values: dict[str, JSON] = {
            "contact_name": contact.name if contact else author.name or author.address,
            "contact_address": author.address,
            "client": affected.client_name,
            "mail_subject": reading.subject,
            "reference": incident.reference,
        }
        self._post.notice(
            ["helpdesk", values],
            [["helpdesk", values]],
            Address(name="", address=self._setup.policy.helpdesk),
            key=f"helpdesk:{inbound.id}",
            now=now,
            incident=incident,
            affected=affected,
            text=request,
        )
        self._note(incident, "passed on", str(values["contact_name"]), request, inbound)

    def _note(self, incident: Incident, what: str, author: str, text: str, inbound: Inbound) -> None:
        entry = Entry(at=inbound.received_at, what=what, author=author, text=text, inbound_id=inbound.id)
        self._store.records.note(incident.id, entry)
