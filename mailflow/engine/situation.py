"""Fetching all that the domain needs to know before it can decide over a mail."""

from collections.abc import Mapping
from datetime import datetime

from mailflow.domain import tokens
from mailflow.domain.decisions import Answered, Situation
from mailflow.domain.incident import Affected, Incident
from mailflow.domain.letters import Letter, LetterKind
from mailflow.domain.mail import Event, Reading
from mailflow.domain.people import Client, Who
from mailflow.engine.mailroom import Inbound
from mailflow.engine.setup import MailboxSetup, Setup
from mailflow.engine.store import Store
from mailflow.intake.authentication import verdict

NO_CLIENTS: tuple[Client, ...] = ()


def fetch_situation(
    store: Store, setup: Setup, mailbox: MailboxSetup, inbound: Inbound, reading: Reading, now: datetime
) -> Situation:
    """The situation of one mail, in as few queries as its kind needs."""
    who = setup.directory.who(reading.author.address) if reading.author else Who()
    answered = _letter_named(store, setup, reading.token_tags, now)
    confirmed = False
    if answered and answered.genuine and answered.letter.kind is LetterKind.CONFIRM:
        # An answer to "was this you?" proves that its writer reads the listed mailbox, and is about the mail before.
        confirmed = bool(who.staff and who.staff.address == answered.letter.recipient.address)
        about = answered.letter.facts.get("about")
        answered = Answered(letter=store.outbox.letter(about), genuine=True) if isinstance(about, int) else None
    own_tag = tokens.tag_of(reading.message_id)
    own = _letter_named(store, setup, (own_tag,), now) if own_tag else None
    owners = {event.key: _owners(setup, event) for event in reading.events}
    vouched = _vouched(setup, mailbox, reading)
    draft = store.desk.draft(answered.letter.affected_id) if answered and answered.letter.affected_id else None
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
        owners=owners,
        incidents=_incidents(store, reading.events, owners),
        running=_running(store, reading, who.client),
        draft_version=draft.version if draft and draft.state == "current" else 0,
    )


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


def _letter_named(store: Store, setup: Setup, tags: tuple[str, ...], now: datetime) -> Answered | None:
    """The letter that the first genuine tag names; else the one that a false tag pretends to name."""
    pretended = None
    for tag in tags:
        letter = store.outbox.by_tag_id(tag.partition("-")[0])
        if letter is None:
            continue
        if tokens.valid(setup.key, tag, bound(letter), now):
            return Answered(letter=letter, genuine=True)
        pretended = pretended or Answered(letter=letter, genuine=False)
    return pretended


def _bounced(store: Store, setup: Setup, reading: Reading, now: datetime) -> Answered | None:
    """The letter that a bounce is about: by the Message-ID it returns, else by the envelope sender it came to."""
    if reading.bounce is None:
        return None
    original = tokens.tag_of(reading.bounce.original_message_id)
    return _letter_named(store, setup, ((original,) if original else ()) + reading.token_tags, now)


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


def _owners(setup: Setup, event: Event) -> tuple[Client, ...]:
    """The clients that an event may belong to: by the fields that its recipe trusts, best first."""
    for value in (*event.names, *event.hosts, event.fields.get("sender", "")):
        named = setup.directory.client(value)
        found = setup.directory.clients_of_host(value) or ((named,) if named else NO_CLIENTS)
        if not found and "@" in value:
            found = setup.directory.who(value).clients
        if found:
            return found
    return NO_CLIENTS


def _incidents(
    store: Store, events: tuple[Event, ...], owners: Mapping[str, tuple[Client, ...]]
) -> dict[tuple[str, str], Incident]:
    """The newest incident of each event's key within its client's scope (N.1)."""
    found = {}
    for event in events:
        for client in owners[event.key]:
            scope = f"client:{client.key}"
            if incident := store.records.newest_by_key(scope, event.key):
                found[scope, event.key] = incident
    return found


def _running(store: Store, reading: Reading, client: Client | None) -> tuple[tuple[Incident, Affected], ...]:
    """What is running for the client whose person wrote; an alert does not ask."""
    return tuple(store.records.running_of(client.key)) if client and not reading.events else ()
