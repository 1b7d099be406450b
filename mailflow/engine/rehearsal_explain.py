"""The whole decision over one kept mail: what it said, who was believed to have sent it, what was decided and why.

What was decided is what the records say. How the mail reads is told by today's recipes and people, from its bytes,
where they are still kept (N.11).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from mailflow.domain import tokens
from mailflow.domain.letters import Letter, LetterKind
from mailflow.domain.mail import Event, Reading
from mailflow.domain.vocabulary import Kind
from mailflow.engine.mailroom import Decided, Inbound, Place
from mailflow.engine.rehearsal_reasons import done, sentence
from mailflow.engine.setup import Setup
from mailflow.engine.spoken import read_kept
from mailflow.engine.store import Store
from mailflow.intake.authentication import verdict

MANY = 1_000  # letters of one incident
# Notices that a mail brings are put under its number; so are other kinds of letters, but some under other numbers.
NOTICES = ("notice:refused:{mail}", "notice:open:{mail}", "notice:placed:{mail}", "notice:quarantine:{mail}")


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One event of an alert, as it reads."""

    recipe: str
    state: str
    severity: str
    class_: str
    symptom: str
    key: str
    fields: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class How:
    """How a mail reads."""

    kind: str
    rule: str
    why: str
    automatic: str  # why it must not be answered, empty for a person's mail
    events: tuple[Seen, ...]
    defects: tuple[str, ...]
    author: str
    subject: str


@dataclass(frozen=True, kw_only=True)
class TakenFor:
    """Whom its sender was taken for, and on whose word."""

    role: str  # liaison, manager, colleague, client, ourselves, or stranger
    name: str
    clients: tuple[str, ...]  # names
    authenticated: bool | None  # None: nobody can tell
    by: str


@dataclass(frozen=True, kw_only=True)
class Step:
    """One decision."""

    at: datetime
    action: str
    done: str
    reason: str
    why: str
    incident: str


@dataclass(frozen=True, kw_only=True)
class Caused:
    """One letter that came of it."""

    id: int
    kind: str
    to: str
    state: str
    reason: str
    why: str
    subject: str
    due_at: datetime
    sent_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """Everything about one kept mail."""

    id: int
    message_id: str
    received_at: datetime
    mailbox: str
    state: str
    kind: str
    reason: str
    why: str
    tries: int
    author: str
    subject: str
    places: tuple[Place, ...]
    filed_at: datetime | None
    reading: How | None  # None: its bytes are not kept any more
    forgotten: str  # why not
    taken_for: TakenFor
    decisions: tuple[Step, ...]
    incidents: tuple[str, ...]
    letters: tuple[Caused, ...]
    also: tuple[int, ...]  # other kept mails with the same Message-ID


def find(store: Store, named: str) -> Inbound | None:
    """The mail with this number or Message-ID (brackets may be left out); the first, where there are several."""
    if named.isdecimal():
        return store.mailroom.inbound(int(named)) if len(named) < 19 else None
    bare = named.strip().removeprefix("<").removesuffix(">")
    return next(iter(store.mailroom.named(f"<{bare}>")), None)


def explained(store: Store, setup: Setup, inbound: Inbound) -> Explanation:
    """The whole decision over one mail."""
    reading, forgotten = _read(store, setup, inbound)
    made = store.mailroom.decisions_of([inbound.id])
    places = store.mailroom.places_of(inbound.id)
    references = {d.incident_id: store.records.incident(d.incident_id).reference for d in made if d.incident_id}
    same = store.mailroom.named(inbound.message_id) if inbound.message_id else []
    return Explanation(
        id=inbound.id,
        message_id=inbound.message_id or (reading.message_id or "" if reading else ""),
        received_at=inbound.received_at,
        mailbox=inbound.mailbox,
        state=inbound.state,
        kind=inbound.kind or "",
        reason=inbound.reason,
        why=sentence(inbound.reason) if inbound.reason else "",
        tries=inbound.tries,
        author=inbound.author,
        subject=inbound.subject,
        places=tuple(places),
        filed_at=max((p.filed_at for p in places if p.filed_at), default=None),
        reading=_how(reading) if reading else None,
        forgotten=forgotten,
        taken_for=_taken_for(setup, inbound, reading),
        decisions=tuple(
            Step(
                at=d.at,
                action=d.action,
                done=done(d.action),
                reason=d.reason,
                why=sentence(d.reason),
                incident=references[d.incident_id] if d.incident_id else "",
            )
            for d in made
        ),
        incidents=tuple(dict.fromkeys(references.values())),
        letters=tuple(_caused(letter) for letter in _letters(store, inbound, made)),
        also=tuple(other.id for other in same if other.id != inbound.id),
    )


def _read(store: Store, setup: Setup, inbound: Inbound) -> tuple[Reading | None, str]:
    try:
        return read_kept(store, setup, inbound.hash, inbound.received_at), ""
    except KeyError:
        if inbound.kind is Kind.OWN:
            return None, "It is a copy of a letter of ours, which is kept as that letter."
        return None, f"Its bytes are not kept any more (store.keep_raw_days = {setup.keep_raw_days})."


def _how(reading: Reading) -> How:
    why = f"The recipe {reading.events[0].recipe} knows it." if reading.events else sentence(reading.rule)
    return How(
        kind=reading.kind,
        rule=reading.rule,
        why=why,
        automatic=sentence(reading.automatic) if reading.automatic else "",
        events=tuple(_seen(event) for event in reading.events),
        defects=reading.defects,
        author=str(reading.author) if reading.author else "",
        subject=reading.subject,
    )


def _seen(event: Event) -> Seen:
    return Seen(
        recipe=event.recipe,
        state=event.state,
        severity=event.severity,
        class_=event.class_,
        symptom=event.symptom,
        key=event.key,
        fields=dict(event.fields),
    )


def _taken_for(setup: Setup, inbound: Inbound, reading: Reading | None) -> TakenFor:
    """Who that address is today, and whether the mailbox's provider vouches for it."""
    address = inbound.author or (reading.author.address if reading and reading.author else "")
    if address in {mailbox.address for mailbox in setup.mailboxes}:
        own = "It is the address of a mailbox that we read."
        return TakenFor(role="ourselves", name="", clients=(), authenticated=None, by=own)
    who = setup.directory.who(address)
    role, name = "stranger", ""
    if who.staff:
        role, name = who.staff.role, who.staff.name
    elif who.clients:
        role, name = "client", who.contact.name if who.contact else ""
    authenticated, by = _vouched(setup, inbound, reading, address)
    return TakenFor(
        role=role, name=name, clients=tuple(c.name for c in who.clients), authenticated=authenticated, by=by
    )


def _vouched(setup: Setup, inbound: Inbound, reading: Reading | None, address: str) -> tuple[bool | None, str]:
    """On whose word the sender is believed, as a sentence."""
    mailbox = setup.mailbox(inbound.mailbox)
    if mailbox.auth == "none":
        return None, 'This mailbox has auth = "none": nobody vouches for senders.'
    if reading is None or not address:
        return None, "Nothing is left that would tell." if reading is None else "It has no single sender."
    provider = mailbox.authserv_id or mailbox.auth
    proven = verdict(
        reading.authentication,
        preset=mailbox.auth,
        authserv_id=mailbox.authserv_id,
        author=address,
        own_domains=frozenset(m.domain for m in setup.mailboxes),
    )
    if proven is None:
        return None, f"{provider} says nothing about its sender."
    return proven, f"{provider} vouches for its sender." if proven else f"{provider} says that its sender is another."


def _letters(store: Store, inbound: Inbound, made: list[Decided]) -> list[Letter]:
    """What was put into the outbox at the moment of the decision, about its incidents, or under the mail's number."""
    moments = {d.at for d in made}
    notices = [key.format(mail=inbound.id) for key in NOTICES]
    found: dict[int, Letter] = {}
    of_kinds = [f"{kind}:{inbound.id}{more}" for kind in LetterKind for more in ("", *(f":{d.reason}" for d in made))]
    for key in (*notices, *of_kinds):
        letter = store.outbox.by_tag_id(tokens.letter_id(key))
        if letter and (key in notices or letter.created_at in moments):
            found[letter.id] = letter
    for incident_id, moment in {(d.incident_id, d.at) for d in made if d.incident_id}:
        for letter in store.outbox.letters(incident_id=incident_id, limit=MANY):
            others = letter.kind is LetterKind.FORWARD and letter.id not in found  # another mail's of the same moment
            if letter.created_at == moment and not others:
                found[letter.id] = letter
    return [found[number] for number in sorted(found)]


def _caused(letter: Letter) -> Caused:
    return Caused(
        id=letter.id,
        kind=letter.kind,
        to=str(letter.recipient),
        state=letter.state,
        reason=letter.reason,
        why=sentence(letter.reason) if letter.reason else "",
        subject=letter.subject,
        due_at=letter.due_at,
        sent_at=letter.sent_at,
    )
