"""Putting letters into the outbox, each with its idempotency key and the facts that everybody's letters need."""

from collections.abc import Iterable, Set
from dataclasses import replace
from datetime import datetime, timedelta

from mailflow.domain.incident import Affected, Incident
from mailflow.domain.letters import JSON, Draft, Facts, Letter, LetterKind, LetterState, NewLetter
from mailflow.domain.lifecycle import Dispatch, dispatch
from mailflow.domain.people import Address, Contact, Staff
from mailflow.engine.setup import Setup
from mailflow.engine.store import Store

# How long a reply to a letter is still known by its tag: long enough for a debrief that is asked about next quarter.
TAG_LIVES = timedelta(days=180)
# From this name our own people get their letters; clients get the liaison's.
OUR_NAME = "mailflow"


class Post:
    """The outbox as the use cases see it: `to_staff` and `to_client`."""

    def __init__(self, store: Store, setup: Setup) -> None:
        self._store, self._setup = store, setup

    def to_staff(
        self,
        kind: LetterKind,
        recipient: Address,
        facts: Facts,
        *,
        key: str,
        now: datetime,
        incident: Incident | None = None,
        affected: Affected | None = None,
        mailbox: str = "",
        version: int = 0,
        draft_id: int = 0,
        due_at: datetime | None = None,
        unless_over: bool = False,
    ) -> Letter | None:
        """A letter to one of ours; None where it was put before. `key` says which letter it is."""
        recipient = self._setup.present(recipient, affected.client_key if affected else "")
        staff = self._setup.directory.staff_at(recipient.address)
        timezone = staff.timezone if staff else affected.timezone if affected else self._setup.policy.timezone
        common: dict[str, JSON] = {
            "first_name": staff.first_name if staff else recipient.name.split()[0] if recipient.name else "Hello",
            "reference": incident.reference if incident else "",
            "timezone": timezone,
            "client": affected.client_name if affected else "",
            "title": incident.title if incident else "",
            "symptom": incident.symptom if incident else "",
            "started": (incident.started_at if incident else now).isoformat(),
        }
        return self._store.outbox.put(
            NewLetter(
                idempotency_key=f"{kind}:{key}",
                kind=kind,
                recipient=recipient,
                mailbox=mailbox or (affected.mailbox if affected else self._setup.mailboxes[0].address),
                facts={**common, **facts},
                due_at=due_at or now,
                expires=now + TAG_LIVES,
                sender_name=OUR_NAME,
                language=staff.language if staff else self._setup.policy.language,
                incident_id=incident.id if incident else None,
                affected_id=affected.id if affected else None,
                client_key=affected.client_key if affected else "",
                version=version,
                draft_id=draft_id,
                unless_over=unless_over,
            ),
            now,
        )

    def notice(
        self,
        headline: JSON,
        lines: list[JSON],
        recipient: Address,
        *,
        key: str,
        now: datetime,
        incident: Incident | None = None,
        affected: Affected | None = None,
        mailbox: str = "",
        text: str = "",
        about: int | None = None,
    ) -> Letter | None:
        """A short answer or warning: a headline and sentences, each as [name, values]."""
        facts: dict[str, JSON] = {"headline": headline, "lines": lines, "text": text, "about": about}
        return self.to_staff(
            LetterKind.NOTICE,
            recipient,
            facts,
            key=key,
            now=now,
            incident=incident,
            affected=affected,
            mailbox=mailbox,
        )

    def client_letter(
        self,
        kind: LetterKind,
        incident: Incident,
        affected: Affected,
        contact: Contact,
        facts: Facts,
        *,
        key: str,
        now: datetime,
        due_at: datetime,
    ) -> NewLetter:
        """A letter to a contact of an affected client, not yet put; the caller says whether it waits or is held."""
        return NewLetter(
            idempotency_key=f"{kind}:{key}",
            kind=kind,
            recipient=Address(name=contact.name, address=contact.address),
            mailbox=affected.mailbox,
            facts=facts,
            due_at=due_at,
            expires=now + TAG_LIVES,
            sender_name=affected.liaison.name,
            language=affected.language,
            incident_id=incident.id,
            affected_id=affected.id,
            client_key=affected.client_key,
        )

    def put_automatic(self, letter: NewLetter, since: datetime, now: datetime) -> Letter | None:
        """Put a client letter in that nobody approves: dropped once it is over, held once its news is stale.

        `since` is when its trouble began: what lay in the inbox while nobody read it is no news any more.
        """
        stale = letter.due_at - (now - since) + self._setup.policy.stale_after
        return self._store.outbox.put(replace(letter, unless_over=True, not_after=stale), now)

    def hold(self, letter: NewLetter, draft: Draft, now: datetime, *, rendered: str) -> Letter | None:
        """Put a client letter in that waits for SEND: its words are these, whatever the templates become."""
        held = replace(
            letter,
            state=LetterState.HELD,
            reason="waits-for-send",
            version=draft.version,
            draft_id=draft.id,
            rendered=rendered,
            unless_over=letter.kind is LetterKind.ACKNOWLEDGEMENT,  # its words say that it is still on
        )
        return self._store.outbox.put(held, now)


def drop(store: Store, letters: Iterable[Letter], reason: str, now: datetime) -> None:
    """These letters never leave; the reason stays with each."""
    for letter in letters:
        store.outbox.move(letter.id, dispatch(letter.state, Dispatch.DROP), reason=reason, now=now)


def withdraw(store: Store, draft_id: int, states: Set[LetterState], reason: str, now: datetime) -> None:
    """A draft can never be released any more, and what of it is in one of these states never leaves."""
    store.desk.supersede(draft_id)
    drop(store, [x for x in store.outbox.of_draft(draft_id) if x.state in states], reason, now)


def address_of(staff: Staff) -> Address:
    """One of ours as a recipient."""
    return Address(name=staff.name, address=staff.address)
