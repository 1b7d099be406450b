"""Fetching all that the domain needs to know before it can decide over a mail."""

import re
from dataclasses import dataclass, replace
from datetime import datetime

from mailflow.domain import tokens
from mailflow.domain.decisions import Answered, Known, Situation
from mailflow.domain.incident import Affected, Incident, IncidentState, Signal
from mailflow.domain.letters import Letter, LetterKind
from mailflow.domain.mail import Event, Gist, Reading
from mailflow.domain.maintenance import Window, covering
from mailflow.domain.ownership import Owner, Sign, lesson_keys, whose
from mailflow.domain.people import Client, Who, short
from mailflow.domain.vocabulary import State
from mailflow.engine.alerts import scope_of
from mailflow.engine.mailroom import Inbound
from mailflow.engine.setup import MailboxSetup, Setup
from mailflow.engine.store import Store
from mailflow.intake.authentication import verdict
from mailflow.intake.gist import gist

LONGEST_NAME = 87  # characters of a client's name; what is longer is a sentence
REFERENCE = re.compile(r"\bINC-\d{1,9}\b", re.IGNORECASE)
NOTHING_SAID = Gist(thanks=False, request="", trouble=False)


def fetch_situation(
    store: Store,
    setup: Setup,
    mailbox: MailboxSetup,
    inbound: Inbound,
    reading: Reading,
    now: datetime,
    placed: Client | None = None,
) -> Situation:
    """The situation of one mail with one event at most; `placed` is the client that a liaison said it is of."""
    who = setup.directory.who(reading.author.address) if reading.author else Who()
    if placed and not reading.events:
        who = Who(clients=(placed,))
    elif reading.author and not reading.events and not (who.staff or who.clients):
        taught = store.lessons.about([(Sign.SENDER, reading.author.address)]).get((Sign.SENDER, reading.author.address))
        known = setup.directory.client(taught) if taught else None
        who = Who(clients=(known,)) if known else who
    answered = letter_named(store, setup, reading.token_tags, now)
    confirmed = False
    if answered and answered.genuine and answered.letter.kind is LetterKind.CONFIRM:
        # An answer to "was this you?" proves that its writer reads the listed mailbox, and is about the mail before.
        confirmed = bool(who.staff and who.staff.address == answered.letter.recipient.address)
        about = answered.letter.facts.get("about")
        answered = Answered(letter=store.outbox.letter(about), genuine=True) if isinstance(about, int) else None
    own_tag = tokens.tag_of(reading.message_id)
    own = letter_named(store, setup, (own_tag,), now) if own_tag else None
    owner = _owner(store, setup, reading, placed) if reading.events else Owner()
    trouble = _trouble(store, setup, reading, owner, now) if reading.events else _Trouble()
    vouched = _vouched(setup, mailbox, reading)
    return Situation(
        mailbox=mailbox.address,
        own=setup.own,
        who=who,
        authenticated=None if mailbox.auth == "none" or reading.author is None else vouched is True,
        disproven=vouched is False,
        confirmed=confirmed,
        own_letter=own.letter if own and own.genuine else None,
        answered=answered,
        bounced=_bounced(store, setup, reading, now),
        duplicate_of=store.mailroom.same_mail(reading.identity, inbound.id),
        received_at=inbound.received_at,
        owner=owner,
        same=trouble.same,
        again=trouble.again,
        storm=trouble.storm,
        alike=trouble.alike,
        alike_count=trouble.alike_count,
        window=trouble.window,
        running=_running(store, reading, who.client),
        tagged=_tagged(store, reading, who.client),
        gist=gist(reading, setup.client_words) if who.clients and not reading.events else NOTHING_SAID,
        named=_named(setup, reading) if answered and answered.letter.kind is LetterKind.SHOWN else None,
        draft=store.desk.draft(answered.letter.draft_id) if answered and answered.letter.draft_id else None,
    )


def _tagged(store: Store, reading: Reading, client: Client | None) -> tuple[Incident, Affected] | None:
    """The incident that a client's subject names, if it is theirs and the writer takes part in it (RFC 5322 has no
    such header: a subject is anybody's to write)."""
    found = REFERENCE.search(reading.subject)
    if not (client and found and reading.author) or reading.events:
        return None
    named = store.records.by_reference(found[0])
    incident = store.records.incident(named.id) if named else None
    if incident is None or not incident.running:
        return None
    affected = next((a for a in store.records.affected_of(incident.id) if a.client_key == client.key), None)
    part = {t.address for t in store.records.audience(incident.id)} | {c.address for c in client.contacts}
    return (incident, affected) if affected and reading.author.address in part else None


def _named(setup: Setup, reading: Reading) -> Client | None:
    """The client that the first line of a reply names, by key or name."""
    first = next((line.strip(" .!*") for line in reading.new_text.splitlines() if line.strip()), "")
    found = setup.directory.clients_named(first) if len(first) < LONGEST_NAME else ()
    return found[0] if len(found) == 1 else None


def bound(letter: Letter) -> tokens.Bound:
    """What the tag of a letter is bound to."""
    return tokens.Bound(
        id=letter.tag_id,
        incident_id=letter.incident_id,
        client_key=letter.client_key,
        person=letter.recipient.address,
        action=letter.kind,
        version=letter.version,
        expires=letter.expires,
    )


def letter_named(store: Store, setup: Setup, tags: tuple[str, ...], now: datetime) -> Answered | None:
    """The letter that the first genuine tag names; else the one that a false tag pretends to name."""
    pretended = None
    for tag in tags:
        letter = store.outbox.by_tag_id(tag.partition("-")[0])
        if letter is None:
            continue
        if tokens.valid(setup.key, tag, bound(letter), now):
            return Answered(letter=_today(store, letter), genuine=True)
        pretended = pretended or Answered(letter=letter, genuine=False)
    return pretended


def _today(store: Store, letter: Letter) -> Letter:
    """The letter as it stands since incidents were merged or split: what it was bound to has been proven."""
    if letter.affected_id is None:
        return letter
    affected = store.records.affected(letter.affected_id)
    return replace(letter, affected_id=affected.id, incident_id=affected.incident_id)


def _bounced(store: Store, setup: Setup, reading: Reading, now: datetime) -> Answered | None:
    """The letter that a bounce is about: by the Message-ID it returns, else by the envelope sender it came to."""
    if reading.bounce is None:
        return None
    original = tokens.tag_of(reading.bounce.original_message_id)
    return letter_named(store, setup, ((original,) if original else ()) + reading.token_tags, now)


def _vouched(setup: Setup, mailbox: MailboxSetup, reading: Reading) -> bool | None:
    """Whether the mailbox's provider vouches for the author (True), says it is another (False), or cannot tell."""
    if mailbox.auth == "none" or reading.author is None:
        return None
    return verdict(
        reading.authentication,
        preset=mailbox.auth,
        authserv_id=mailbox.authserv_id,
        author=reading.author.address,
        own_domains=frozenset(m.domain for m in setup.mailboxes),
    )


def _owner(store: Store, setup: Setup, reading: Reading, placed: Client | None) -> Owner:
    """Whose the mail's event is; a liaison's word on this very mail counts above all."""
    if placed:
        return Owner(clients=(placed,), sign=Sign.PLACED)
    (event,) = reading.events
    lessons = store.lessons.about(lesson_keys(event, reading))
    owner = whose(event, reading, setup.directory, setup.own, lessons)
    if event.vendor or len(owner.clients) == 1 or event.state is State.PROBLEM:
        return owner
    # Trouble that was placed by hand and is on: what else its monitor says of it is the same client's.
    among = owner.clients or setup.directory.clients
    known = ((client, store.signals.newest(scope_of(event, client), event.key)) for client in among)
    on = [client for client, signal in known if signal and signal.incident_id and signal.ended_at is None]
    return Owner(clients=(on[0],), sign=Sign.PLACED, said=event.key) if len(on) == 1 else owner


@dataclass(frozen=True, kw_only=True)
class _Trouble:
    """What is known of an event's trouble."""

    same: Known | None = None
    again: Known | None = None
    storm: Incident | None = None
    alike: tuple[Incident, ...] = ()
    alike_count: int = 0
    window: Window | None = None


def _trouble(store: Store, setup: Setup, reading: Reading, owner: Owner, now: datetime) -> _Trouble:
    """The newest trouble of the event's key and thing within its scope (N.1), and its family's of the last hour."""
    (event,) = reading.events
    if not owner.clients or (len(owner.clients) > 1 and not event.vendor):
        return _Trouble()
    client = owner.clients[0]
    scope = scope_of(event, client)
    same = store.signals.newest(scope, event.key)
    again = store.signals.newest_of(scope, event.thing) if event.thing else None
    if same is not None and same.ended_at is None:
        return _Trouble(same=_known(store, same))
    within = setup.policy.storm_within
    alike = store.signals.alike(event.family, now - within) if event.family and not event.vendor else []
    found = [store.records.incident(number) for number in {s.incident_id for s in alike if s.incident_id}]
    running = sorted({i.id: i for i in found if i.state is IncidentState.OPEN}.values(), key=lambda i: i.id)
    storm = next((i for i in running if i.scope == f"storm:{event.family}"), None)
    return _Trouble(
        same=_known(store, same),
        again=_known(store, again),
        storm=storm,
        alike=tuple(running),
        alike_count=len({(s.scope, s.thing) for s in alike}),
        window=covering([*setup.windows, *store.windows.current(now)], client.key, _spellings(client, event), now),
    )


def _spellings(client: Client, event: Event) -> tuple[str, ...]:
    """What the thing may be called in a maintenance window."""
    component = client.component_for(*event.hosts)
    return (*event.hosts, *map(short, event.hosts), *((component.name, *component.hosts) if component else ()))


def _known(store: Store, signal: Signal | None) -> Known | None:
    if signal is None:
        return None
    return Known(signal=signal, incident=store.records.incident(signal.incident_id) if signal.incident_id else None)


def _running(store: Store, reading: Reading, client: Client | None) -> tuple[tuple[Incident, Affected], ...]:
    """What is running for the client whose person wrote; an alert does not ask."""
    return tuple(store.records.running_of(client.key)) if client and not reading.events else ()
