"""Letters and where they stand (engine.store.Outbox)."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from peewee import fn

from mailflow.adapters.store.merging import whole
from mailflow.adapters.store.tables import EPOCH, MICROSECOND, InboundRow, LetterRow
from mailflow.domain import tokens
from mailflow.domain.letters import TO_CLIENTS, Letter, LetterKind, LetterState, NewLetter, Thread
from mailflow.domain.people import Address

RE = re.compile(r"^(?:\s*(?:re|aw|antw)\s*:)+\s*", re.IGNORECASE)  # what answers put before a subject
LONGEST_HELD = timedelta(days=7)  # unapproved letters are stale, and held for good, long before
# A letter in one of these states makes later ones to the same person about the same incident wait.
ON_ITS_WAY = [LetterState.WAITING, LetterState.LEASED, LetterState.STARTED]


class OutboxTable:
    """engine.store.Outbox."""

    def __init__(self, *, skip_locked: bool) -> None:
        self._skip_locked = skip_locked

    def put(self, letter: NewLetter, now: datetime) -> Letter | None:
        """Put a letter in; None where one with its idempotency key is there already."""
        key = letter.idempotency_key
        # Of ten million letters two may get one id; the second is known by another, and never taken for the first.
        for tag_id in (tokens.letter_id(key), tokens.letter_id(f"{key} once more")):
            if self._insert(letter, tag_id, now):
                return _letter(LetterRow.get(LetterRow.idempotency_key == key))
            if LetterRow.select().where(LetterRow.idempotency_key == key).exists():
                return None
        raise RuntimeError(f"no id is free for the letter {key}")

    def _insert(self, letter: NewLetter, tag_id: str, now: datetime) -> bool:
        return bool(
            LetterRow.insert(
                idempotency_key=letter.idempotency_key,
                tag_id=tag_id,
                kind=letter.kind,
                incident_id=letter.incident_id,
                affected_id=letter.affected_id,
                client_key=letter.client_key,
                recipient_name=letter.recipient.name,
                recipient=letter.recipient.address,
                mailbox=letter.mailbox,
                sender_name=letter.sender_name,
                language=letter.language,
                facts=letter.facts,
                version=letter.version,
                draft_id=letter.draft_id,
                state=letter.state,
                reason=letter.reason,
                unless_over=letter.unless_over,
                approved=letter.approved,
                rendered=letter.rendered,
                frozen="",
                message_id="",
                subject="",
                created_at=now,
                due_at=letter.due_at,
                not_after=letter.not_after,
                expires=letter.expires,
            )
            .on_conflict_ignore()
            .as_rowcount()
            .execute()
        )

    def letter(self, letter_id: int) -> Letter:
        """One letter; KeyError where there is none."""
        row = LetterRow.get_or_none(LetterRow.id == letter_id)
        if row is None:
            raise KeyError(letter_id)
        return _letter(row)

    def by_tag_id(self, tag_id: str) -> Letter | None:
        """The letter that a tag names."""
        row = LetterRow.get_or_none(LetterRow.tag_id == tag_id)
        return _letter(row) if row else None

    def thread(self, incident_id: int | None, recipient: str) -> Thread:
        """What a letter to this person about this incident hangs below."""
        if incident_id is None:
            return Thread()
        query = (
            LetterRow.select(LetterRow.message_id, LetterRow.subject)
            .where(
                LetterRow.incident_id.in_(whole(incident_id))
                & (LetterRow.recipient == recipient)
                & LetterRow.state.in_([LetterState.SENT, LetterState.UNKNOWN, LetterState.STARTED])
                & (LetterRow.message_id != "")
            )
            .order_by(LetterRow.id)
        )
        earlier = [(row.message_id, row.subject) for row in query]
        if not earlier:
            return _their_own_mail(incident_id, recipient)
        return Thread(references=tuple(m for m, _ in earlier), subject=earlier[0][1])

    def lease(self, mailbox: str, now: datetime, limit: int, owner: str, until: datetime) -> list[Letter]:
        """Take due letters, in order for each person and incident."""
        earlier = LetterRow.alias()
        blocked = earlier.select(earlier.id).where(
            (earlier.incident_id == LetterRow.incident_id)
            & (earlier.recipient == LetterRow.recipient)
            & (earlier.id < LetterRow.id)
            & earlier.state.in_(ON_ITS_WAY)
        )
        due = (
            LetterRow.select(LetterRow.id)
            .where(
                (LetterRow.mailbox == mailbox)
                & (LetterRow.state == LetterState.WAITING)
                & (LetterRow.due_at <= now)
                & ~fn.EXISTS(blocked)
            )
            .order_by(LetterRow.due_at, LetterRow.id)
            .limit(limit)
        )
        if self._skip_locked:
            due = due.for_update(skip_locked=True)
        ids = [row.id for row in due]
        LetterRow.update(state=LetterState.LEASED, lease_owner=owner, lease_until=until).where(
            LetterRow.id.in_(ids) & (LetterRow.state == LetterState.WAITING)
        ).execute()
        query = LetterRow.select().where(LetterRow.id.in_(ids)).order_by(LetterRow.due_at, LetterRow.id)
        return [_letter(row) for row in query]

    def adopt(self, mailboxes: Sequence[str]) -> int:
        """Give the unsent letters of mailboxes that are none of these to the first of these."""
        orphans = LetterRow.state.in_([LetterState.WAITING, LetterState.HELD]) & LetterRow.mailbox.not_in(mailboxes)
        return int(LetterRow.update(mailbox=mailboxes[0]).where(orphans).execute())

    def leased_by(self, letter_id: int, owner: str) -> bool:
        """Whether this sender still holds the letter."""
        mine = (LetterRow.id == letter_id) & (LetterRow.lease_owner == owner)
        return bool(LetterRow.select().where(mine & (LetterRow.state == LetterState.LEASED)).exists())

    def freeze(self, letter_id: int, *, frozen: str, message_id: str, subject: str, recipient: Address) -> None:
        """Bind the letter to its exact bytes."""
        LetterRow.update(
            frozen=frozen,
            message_id=message_id,
            subject=subject,
            recipient=recipient.address,
            recipient_name=recipient.name,
        ).where(LetterRow.id == letter_id).execute()

    def move(
        self,
        letter_id: int,
        state: LetterState,
        *,
        was: LetterState | None = None,
        reason: str = "",
        said: str = "",
        due_at: datetime | None = None,
        now: datetime,
        approved: bool | None = None,
        tried: bool = False,
    ) -> bool:
        """Write a state that domain.lifecycle has allowed; with `was`, only where that is its state still."""
        values: dict[str, Any] = {"state": state, "reason": reason}
        if said:
            values["said"] = said
        if due_at is not None:
            values["due_at"] = due_at
        if approved is not None:
            values["approved"] = approved
        if tried:
            values["tries"] = LetterRow.tries + 1
        if state is LetterState.STARTED:
            values["started_at"] = now
        if state is LetterState.SENT:
            values["sent_at"] = now
        mine = LetterRow.id == letter_id
        if was is not None:
            mine &= LetterRow.state == was
        return bool(LetterRow.update(values).where(mine).execute())

    def undelivered(self, incident_id: int, *, to_clients: bool) -> list[Letter]:
        """The incident's letters that wait or are held."""
        where = LetterRow.incident_id.in_(whole(incident_id)) & LetterRow.state.in_(
            [LetterState.WAITING, LetterState.HELD]
        )
        if to_clients:
            where &= LetterRow.kind.in_(TO_CLIENTS)
        return [_letter(row) for row in LetterRow.select().where(where).order_by(LetterRow.id)]

    def of_draft(self, draft_id: int) -> list[Letter]:
        """The client letters of a draft; none for no draft."""
        mine = (LetterRow.draft_id == draft_id) & LetterRow.kind.in_(TO_CLIENTS)
        return [_letter(row) for row in LetterRow.select().where(mine).order_by(LetterRow.id)] if draft_id else []

    def approved_words(self, client_key: str, *, besides: int, limit: int) -> list[str]:
        """The words that a client was sent by SEND about other incidents, newest first."""
        sent = (LetterRow.client_key == client_key) & (LetterRow.state == LetterState.SENT) & (LetterRow.rendered != "")
        query = LetterRow.select(LetterRow.rendered).where(sent & (LetterRow.incident_id != besides))
        return [row.rendered for row in query.order_by(LetterRow.id.desc()).limit(limit)]

    def count_unapproved(self, *, since: datetime, address: str = "", domain: str = "", incident_id: int = 0) -> int:
        """Client letters that nobody approved, sent or on their way since a time."""
        where = (
            (fn.COALESCE(LetterRow.started_at, LetterRow.created_at) >= (since - EPOCH) // MICROSECOND)
            & (LetterRow.created_at >= since - LONGEST_HELD)  # for the index
            & LetterRow.kind.in_(TO_CLIENTS)
            & (LetterRow.approved == False)  # noqa: E712 - SQL
            & LetterRow.state.in_([LetterState.SENT, LetterState.STARTED, LetterState.UNKNOWN])
        )
        if address:
            where &= LetterRow.recipient == address
        if domain:
            where &= LetterRow.recipient.endswith(f"@{domain}")
        if incident_id:
            where &= LetterRow.incident_id.in_(whole(incident_id))
        return int(LetterRow.select().where(where).count())

    def count_staff(self, address: str, since: datetime) -> int:
        """Letters to one of ours since a time."""
        return int(
            LetterRow.select()
            .where(
                (LetterRow.recipient == address)
                & (LetterRow.sent_at >= since)
                & (LetterRow.state == LetterState.SENT)
                & LetterRow.kind.not_in(TO_CLIENTS)
            )
            .count()
        )

    def count_incidents(self, kind: LetterKind, address: str, *, besides: int) -> int:
        """About how many incidents besides this one a person has such a letter."""
        query = LetterRow.select(fn.COUNT(fn.DISTINCT(LetterRow.incident_id)))
        same = (LetterRow.kind == kind) & (LetterRow.recipient == address)
        return int(query.where(same & (LetterRow.incident_id != besides)).scalar() or 0)

    def count_sent(self, kind: LetterKind, incident_id: int) -> int:
        """How many letters of a kind have left about an incident."""
        sent = (LetterRow.incident_id == incident_id) & (LetterRow.kind == kind) & (LetterRow.state == LetterState.SENT)
        return int(LetterRow.select().where(sent).count())

    def asked(self, affected_id: int) -> bool:
        """Whether the liaison was sent the form."""
        sent = (LetterRow.affected_id == affected_id) & (LetterRow.kind == LetterKind.FORM)
        return bool(
            LetterRow.select()
            .where(sent & (LetterRow.started_at.is_null(False) | (LetterRow.state == LetterState.SENT)))
            .exists()
        )

    def unknown(self, mailbox: str) -> list[Letter]:
        """Letters whose fate is unknown."""
        query = LetterRow.select().where((LetterRow.mailbox == mailbox) & (LetterRow.state == LetterState.UNKNOWN))
        return [_letter(row) for row in query.order_by(LetterRow.id)]

    def stranded(self, now: datetime, owner: str, *, all_owners: bool) -> list[Letter]:
        """Letters that were left behind, leased or started."""
        where = LetterRow.state.in_([LetterState.LEASED, LetterState.STARTED])
        if not all_owners:
            where &= (LetterRow.lease_owner == owner) | (LetterRow.lease_until < now)
        return [_letter(row) for row in LetterRow.select().where(where).order_by(LetterRow.id)]

    def letters(
        self,
        *,
        incident_id: int | None = None,
        affected_id: int | None = None,
        states: Sequence[LetterState] = (),
        limit: int,
    ) -> list[Letter]:
        """Letters, newest first."""
        query = LetterRow.select().order_by(LetterRow.id.desc()).limit(limit)
        if affected_id is not None:
            query = query.where(LetterRow.affected_id == affected_id)
        if incident_id is not None:
            query = query.where(LetterRow.incident_id.in_(whole(incident_id)))
        if states:
            query = query.where(LetterRow.state.in_(list(states)))
        return [_letter(row) for row in query]


def _their_own_mail(incident_id: int, recipient: str) -> Thread:
    """The first mail of this person about this incident: what our first letter to them answers."""
    theirs = (InboundRow.incident_id == incident_id) & (InboundRow.author == recipient) & (InboundRow.message_id != "")
    mail = InboundRow.select().where(theirs).order_by(InboundRow.id).first()
    if mail is None or not mail.message_id.isascii():
        return Thread()
    return Thread(references=(mail.message_id,), subject=RE.sub("", mail.subject))


def _letter(row: Any) -> Letter:
    return Letter(
        id=row.id,
        tag_id=row.tag_id,
        idempotency_key=row.idempotency_key,
        kind=LetterKind(row.kind),
        incident_id=row.incident_id,
        affected_id=row.affected_id,
        client_key=row.client_key,
        recipient=Address(name=row.recipient_name, address=row.recipient),
        mailbox=row.mailbox,
        sender_name=row.sender_name,
        language=row.language,
        facts=row.facts,
        version=row.version,
        draft_id=row.draft_id,
        state=LetterState(row.state),
        reason=row.reason,
        said=row.said,
        unless_over=row.unless_over,
        approved=row.approved,
        rendered=row.rendered,
        frozen=row.frozen,
        message_id=row.message_id,
        subject=row.subject,
        tries=row.tries,
        created_at=row.created_at,
        due_at=row.due_at,
        not_after=row.not_after,
        expires=row.expires,
        started_at=row.started_at,
        sent_at=row.sent_at,
    )
