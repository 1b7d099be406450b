"""What a rehearsal's store holds once all is played, as values: every mail, letter and incident, in plain words.

Read at the end, since a decision may come later than its mail.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP

from mailflow.domain import tokens
from mailflow.domain.incident import Affected, Incident, IncidentState
from mailflow.domain.letters import Letter, LetterState
from mailflow.engine.caps import PAGES
from mailflow.engine.freeze import Freezer
from mailflow.engine.mailroom import Decided, Inbound
from mailflow.engine.rehearsal_reasons import sentence
from mailflow.engine.rehearse import Played
from mailflow.engine.setup import Setup
from mailflow.engine.store import Store
from mailflow.writing.compose import HeaderError
from mailflow.writing.render import TemplateError

A_PAGE = 500  # mails read at once
ALL = 10_000_000  # more than a person rehearses
AGAIN, SET_ASIDE = "SameDelivery", "Quarantined"  # verdicts without a decision
OF_LIFE = "AnswersLife"  # the verdict over a mail that a rehearsal must leave out
UNKNOWN_TAG = "tag-is-not-genuine"
WITHHELD = "live-off"  # the reason of a client's letter that went to the liaison instead
# A rehearsal knows none of the letters that were sent in life, nor what was done by hand.
IN_REHEARSAL = {
    UNKNOWN_TAG: "It answers a letter that was sent in life, of which a rehearsal knows nothing.",
    "bounce-of-no-letter-of-ours": "A delivery report about a letter that was sent in life, or by somebody else.",
}


@dataclass(frozen=True, kw_only=True)
class Ruling:
    """One decision over a mail."""

    action: str
    reason: str
    why: str  # the reason as a sentence
    incident: str  # its reference, empty where it belongs to none


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A mail, and what became of it."""

    source: str
    mailbox: str
    arrival: datetime
    author: str
    subject: str
    kind: str
    verdict: str  # the first decision's name, or Quarantined, SameDelivery, Undecided or AnswersLife
    why: str
    clients: tuple[str, ...]  # keys
    decisions: tuple[Ruling, ...]


@dataclass(frozen=True, kw_only=True)
class Written:
    """A letter, with every word of it; none where it was dropped."""

    kind: str
    to_client: bool
    name: str
    address: str
    client: str
    incident: str
    state: str
    reason: str
    why: str
    at: datetime  # when it left, else when it would have
    sent: bool
    subject: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Opened:
    """An incident as one client knows it."""

    reference: str
    opened_at: datetime
    title: str
    symptom: str
    class_: str
    priority: str
    state: str
    ended_at: datetime | None
    joined: int  # mails about it besides the first
    gathered: int  # other incidents that have become one with it
    why_closed: str


class Findings:
    """What the store holds after a rehearsal, fetched once."""

    def __init__(self, store: Store, setup: Setup) -> None:
        self._store, self._setup = store, setup
        self._freezer = Freezer(store, setup)
        found = list(reversed(store.records.incidents(running_only=False, limit=ALL)))
        merged = [incident.id for incident, _ in found if incident.state is IncidentState.MERGED]
        self.incidents: list[tuple[Incident, list[Affected]]] = [x for x in found if x[0].id not in set(merged)]
        self._gathered = Counter(store.records.incident(child).reference for child in merged)
        self._references = {incident.id: incident.reference for incident, _ in self.incidents}
        self._clients = {i.reference: tuple(a.client_key for a in affected) for i, affected in self.incidents}
        self.pages: dict[str, datetime] = {}  # the caps that the administrator was told of, and since when

    def judged(self, played: Sequence[Played]) -> list[Judged]:
        """Every mail with its decisions."""
        mails: dict[int, Inbound] = {}
        made: dict[int, list[Decided]] = {}
        while page := self._store.mailroom.after(max(mails, default=0), A_PAGE):
            mails |= {inbound.id: inbound for inbound in page}
            for decided in self._store.mailroom.decisions_of([inbound.id for inbound in page]):
                made.setdefault(decided.inbound_id, []).append(decided)
        return [self._judged(one, mails.get(one.inbound_id), made.get(one.inbound_id, [])) for one in played]

    def _judged(self, one: Played, inbound: Inbound | None, made: Sequence[Decided]) -> Judged:
        rulings = tuple(
            Ruling(
                action=d.action,
                reason=d.reason,
                why=in_rehearsal(d.reason),
                incident=self._reference(d.incident_id) if d.incident_id else "",
            )
            for d in made
        )
        if inbound is None:
            verdict, why = AGAIN, "The same bytes had come in before."
        elif inbound.state == "quarantined":
            verdict, why = SET_ASIDE, in_rehearsal(inbound.reason)
        elif not rulings:
            verdict, why = "Undecided", in_rehearsal(inbound.reason)
        else:
            verdict, why = OF_LIFE if rulings[0].reason == UNKNOWN_TAG else rulings[0].action, rulings[0].why
        clients = [key for ruling in rulings for key in self._clients.get(ruling.incident, ())]
        if not clients and inbound and (writer := self._setup.directory.who(inbound.author).client):
            clients = [writer.key]
        return Judged(
            source=one.name,
            mailbox=one.mailbox,
            arrival=one.arrival,
            author=inbound.author if inbound else "",
            subject=inbound.subject if inbound else "",
            kind=(inbound.kind or "") if inbound else "",
            verdict=verdict,
            why=why,
            clients=tuple(dict.fromkeys(clients)),
            decisions=rulings,
        )

    def _reference(self, incident_id: int) -> str:
        """What an incident is called; one that was merged has the other's name."""
        if incident_id not in self._references:
            self._references[incident_id] = self._store.records.incident(incident_id).reference
        return self._references[incident_id]

    def opened(self, client_key: str, judged: Sequence[Judged]) -> tuple[Opened, ...]:
        """The incidents of one client, oldest first."""
        about = Counter(ref for mail in judged for ref in {r.incident for r in mail.decisions} if ref)
        return tuple(
            Opened(
                reference=incident.reference,
                opened_at=incident.opened_at,
                title=incident.title,
                symptom=incident.symptom,
                class_=incident.class_,
                priority=incident.priority,
                state=incident.state,
                ended_at=incident.ended_at,
                joined=max(0, about[incident.reference] - 1),
                gathered=self._gathered[incident.reference],
                why_closed=incident.why_closed,
            )
            for incident, affected in self.incidents
            if client_key in {a.client_key for a in affected}
        )

    def letters(self) -> list[Written]:
        """Every letter in the order in which they left, or would have."""
        written = [self._written(letter) for letter in self._store.outbox.letters(limit=ALL)]
        return sorted(written, key=lambda letter: letter.at)

    def _written(self, letter: Letter) -> Written:
        headline = letter.facts.get("headline")
        if isinstance(headline, list) and headline and headline[0] in PAGES:
            said = headline[1].get("said") if isinstance(headline[1], dict) else None
            self.pages[str(said or headline[0])] = letter.created_at
        subject, text = self._words(letter)
        withheld = letter.kind.to_client and self._setup.directory.staff_at(letter.recipient.address)
        reason = WITHHELD if withheld else letter.reason
        return Written(
            kind=letter.kind,
            to_client=letter.kind.to_client,
            name=letter.recipient.name,
            address=letter.recipient.address,
            client=letter.client_key,
            incident=self._reference(letter.incident_id) if letter.incident_id else "",
            state=letter.state,
            reason=reason,
            why=in_rehearsal(reason) if reason else "",
            at=letter.sent_at or letter.due_at,
            sent=letter.state is LetterState.SENT,
            subject=subject or letter.subject,
            text=text,
        )

    def _words(self, letter: Letter) -> tuple[str, str]:
        """Subject and text, as sent or as they would be; none where nobody would ever have read them."""
        if letter.state is LetterState.DROPPED:
            return "", ""
        try:
            if letter.frozen:
                raw = self._store.mailroom.content(letter.frozen)
            else:
                raw = self._freezer.freeze(letter, None, letter.due_at).raw
        except (TemplateError, HeaderError, KeyError) as error:
            return "", f"It cannot be written: {error}"
        message = message_from_bytes(tokens.redact(raw), _class=EmailMessage, policy=SMTP)
        body = message.get_body(("plain",))
        text = body.get_content() if body else ""
        return str(message["Subject"]), text.replace("\r\n", "\n")


def in_rehearsal(reason: str) -> str:
    """A reason as a sentence that is true of a rehearsal."""
    return IN_REHEARSAL.get(reason) or sentence(reason)
