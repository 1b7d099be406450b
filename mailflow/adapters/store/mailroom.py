"""Folders, places, kept bytes and what became of them (engine.store.Mailroom)."""

import hashlib
import zlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from peewee import fn

from mailflow.adapters.store.control import check_epoch
from mailflow.adapters.store.tables import (
    EPOCH,
    ContentRow,
    DecisionRow,
    FolderRow,
    InboundRow,
    IncidentRow,
    LetterRow,
    PlaceRow,
)
from mailflow.domain.vocabulary import Kind
from mailflow.engine.mailroom import Arrival, Decided, Folder, Inbound, Place, Unfiled, Verdict

# SQLite takes at most 32,766 values in one statement; a place has four.
ROWS_A_STATEMENT = 5_000


class MailroomTables:
    """engine.store.Mailroom."""

    def find_folder(self, mailbox: str, name: str, uidvalidity: int) -> Folder | None:
        """The folder, None where it was never seen under this uidvalidity."""
        same = (FolderRow.mailbox == mailbox) & (FolderRow.name == name)
        row = FolderRow.get_or_none(same & (FolderRow.uidvalidity == uidvalidity))
        return (
            _folder(row, resumed=row.id != FolderRow.select(fn.MIN(FolderRow.id)).where(same).scalar()) if row else None
        )

    def first_seen(self, mailbox: str, name: str) -> datetime | None:
        """When a folder of this name was first seen."""
        same = (FolderRow.mailbox == mailbox) & (FolderRow.name == name)
        row = FolderRow.select().where(same).order_by(FolderRow.id).first()
        since: datetime | None = row.since if row else None
        return since

    def add_folder(
        self, mailbox: str, name: str, uidvalidity: int, *, before_uid: int, first_new: int, now: datetime
    ) -> Folder:
        """A folder at first sight."""
        first = self.first_seen(mailbox, name)
        row = FolderRow.create(
            mailbox=mailbox,
            name=name,
            uidvalidity=uidvalidity,
            before_uid=before_uid,
            first_new=first_new,
            since=first or now,
        )
        return _folder(row, resumed=first is not None)

    def known_uids(self, folder_id: int, above: int) -> set[int]:
        """The UIDs above `above` that need no second look."""
        query: Any = PlaceRow.select(PlaceRow.uid).where((PlaceRow.folder_id == folder_id) & (PlaceRow.uid > above))
        return {uid for (uid,) in query.tuples()}

    def highest_uid(self, folder_id: int) -> int:
        """The highest UID that we know in the folder."""
        before = FolderRow.select(FolderRow.before_uid).where(FolderRow.id == folder_id).scalar() or 0
        return max(
            int(before), int(PlaceRow.select(fn.MAX(PlaceRow.uid)).where(PlaceRow.folder_id == folder_id).scalar() or 0)
        )

    def before_our_time(self, folder_id: int, uids: Iterable[int]) -> None:
        """Note mails as before our time."""
        before = FolderRow.get_by_id(folder_id).before_uid
        rows = [{"folder_id": folder_id, "uid": uid, "filed_at": EPOCH} for uid in uids if uid > before]
        for start in range(0, len(rows), ROWS_A_STATEMENT):
            PlaceRow.insert_many(rows[start : start + ROWS_A_STATEMENT]).on_conflict_ignore().execute()

    def keep(self, folder_id: int, arrivals: Sequence[Arrival], now: datetime, epoch: int) -> list[int]:
        """Keep the bytes; a delivery already known by its hash gets only the place."""
        folder = FolderRow.get_by_id(folder_id)
        check_epoch(folder.mailbox, epoch)
        new = []
        for arrival in arrivals:
            inbound = InboundRow.get_or_none(InboundRow.hash == arrival.hash)
            if inbound is None:
                put_content(arrival.raw, now, arrival.hash)
                inbound = InboundRow.create(
                    hash=arrival.hash,
                    mailbox=folder.mailbox,
                    state="quarantined" if arrival.set_aside else "kept",
                    reason=arrival.set_aside,
                    kind=Kind.UNKNOWN if arrival.set_aside else None,
                    received_at=arrival.received_at,
                    kept_at=now,
                )
                new.append(int(inbound.id))
            PlaceRow.insert(folder_id=folder_id, uid=arrival.uid, inbound_id=inbound.id).on_conflict_ignore().execute()
        return new

    def pending(self, mailbox: str) -> list[Inbound]:
        """Kept mails without a decision, oldest first."""
        query = InboundRow.select().where((InboundRow.mailbox == mailbox) & (InboundRow.state == "kept"))
        return [_inbound(row) for row in query.order_by(InboundRow.id)]

    def count_try(self, inbound_ids: Sequence[int], *, by: int = 1) -> None:
        """Count the try that is about to be made; by -1, take one back."""
        InboundRow.update(tries=InboundRow.tries + by).where(InboundRow.id.in_(list(inbound_ids))).execute()

    def content(self, hash_: str) -> bytes:
        """Kept bytes; KeyError where they are not (any more)."""
        row = ContentRow.get_or_none(ContentRow.hash == hash_)
        if row is None:
            raise KeyError(hash_)
        return zlib.decompress(bytes(row.data))

    def put_content(self, raw: bytes, now: datetime) -> str:
        """Keep bytes under their hash."""
        return put_content(raw, now, hashlib.sha256(raw).hexdigest())

    def drop_content(self, hash_: str) -> None:
        """Empty kept bytes."""
        ContentRow.delete().where(ContentRow.hash == hash_).execute()

    def replace_content(self, hash_: str, raw: bytes, now: datetime) -> str:
        """Keep `raw` instead of `hash_`."""
        new = self.put_content(raw, now)
        if new != hash_:
            ContentRow.delete().where(ContentRow.hash == hash_).execute()
        return new

    def same_mail(self, identity: str, not_id: int) -> int | None:
        """An earlier mail with this identity that was decided."""
        found = (
            InboundRow.select(fn.MIN(InboundRow.id))
            .where((InboundRow.identity == identity) & (InboundRow.id != not_id) & (InboundRow.state != "kept"))
            .scalar()
        )
        return None if found is None else int(found)

    def belongs(self, inbound_id: int, incident_id: int, message_id: str, author: str, subject: str) -> None:
        """Note at once which incident a mail opened."""
        InboundRow.update(incident_id=incident_id, message_id=message_id, author=author, subject=subject).where(
            InboundRow.id == inbound_id
        ).execute()

    def conclude(self, inbound_id: int, verdict: Verdict, now: datetime) -> None:
        """Write what became of a mail."""
        InboundRow.update(
            state=verdict.state,
            kind=verdict.kind,
            reason=verdict.reason,
            identity=verdict.identity,
            message_id=verdict.message_id,
            author=verdict.author,
            subject=verdict.subject,
            incident_id=verdict.incident_id,
            done_at=now,
        ).where(InboundRow.id == inbound_id).execute()
        if verdict.decisions:
            DecisionRow.insert_many(
                [
                    {"inbound_id": inbound_id, "action": a, "reason": r, "incident_id": i, "made_at": now}
                    for a, r, i in verdict.decisions
                ]
            ).execute()

    def quarantine(self, inbound_id: int, reason: str, now: datetime) -> None:
        """Set a mail aside with its bytes."""
        InboundRow.update(state="quarantined", reason=reason, kind=Kind.UNKNOWN, done_at=now).where(
            InboundRow.id == inbound_id
        ).execute()

    def unfiled(self, folder_id: int) -> list[Unfiled]:
        """Decided mails of the folder that are not filed yet."""
        shown = DecisionRow.select().where((DecisionRow.inbound_id == InboundRow.id) & (DecisionRow.action == "Show"))
        rows: Any = (
            PlaceRow.select(PlaceRow.uid, InboundRow.kind, InboundRow.state, fn.EXISTS(shown))
            .join(InboundRow, on=(InboundRow.id == PlaceRow.inbound_id))
            .where((PlaceRow.folder_id == folder_id) & PlaceRow.filed_at.is_null() & (InboundRow.state != "kept"))
            .tuples()
        )
        return [Unfiled(uid=uid, kind=Kind(kind), state=state, shown=bool(show)) for uid, kind, state, show in rows]

    def filed(self, folder_id: int, uids: Sequence[int], now: datetime) -> None:
        """Note that these need no filing any more."""
        PlaceRow.update(filed_at=now).where((PlaceRow.folder_id == folder_id) & PlaceRow.uid.in_(list(uids))).execute()

    def inbound(self, inbound_id: int) -> Inbound | None:
        """One kept mail."""
        row = InboundRow.get_or_none(InboundRow.id == inbound_id)
        return _inbound(row) if row else None

    def after(self, inbound_id: int, limit: int) -> list[Inbound]:
        """The kept mails whose number is above this one."""
        query = InboundRow.select().where(InboundRow.id > inbound_id).order_by(InboundRow.id).limit(limit)
        return [_inbound(row) for row in query]

    def named(self, message_id: str) -> list[Inbound]:
        """The decided mails with this Message-ID; a person asks, so that a look at every row will do."""
        query = InboundRow.select().where(InboundRow.message_id == message_id).order_by(InboundRow.id)
        return [_inbound(row) for row in query]

    def decisions_of(self, inbound_ids: Sequence[int]) -> list[Decided]:
        """What was decided over these mails."""
        query = DecisionRow.select().where(DecisionRow.inbound_id.in_(list(inbound_ids))).order_by(DecisionRow.id)
        return [
            Decided(
                inbound_id=row.inbound_id,
                action=row.action,
                reason=row.reason,
                incident_id=row.incident_id,
                at=row.made_at,
            )
            for row in query
        ]

    def places_of(self, inbound_id: int) -> list[Place]:
        """Every place where this delivery was seen."""
        rows: Any = (
            PlaceRow.select(FolderRow.mailbox, FolderRow.name, PlaceRow.uid, PlaceRow.filed_at)
            .join(FolderRow, on=(FolderRow.id == PlaceRow.folder_id))
            .where(PlaceRow.inbound_id == inbound_id)
            .order_by(PlaceRow.id)
            .tuples()
        )
        return [Place(mailbox=box, folder=name, uid=uid, filed_at=filed) for box, name, uid, filed in rows]

    def quarantined(self) -> list[Inbound]:
        """The mails set aside, oldest first."""
        query = InboundRow.select().where(InboundRow.state == "quarantined").order_by(InboundRow.id)
        return [_inbound(row) for row in query]

    def retry(self, inbound_id: int) -> bool:
        """Give a quarantined mail a fresh start."""
        return _move(inbound_id, "quarantined", state="kept", tries=0, reason="")

    def discard(self, inbound_id: int, now: datetime) -> bool:
        """Mark a quarantined mail as ignored."""
        return _move(inbound_id, "quarantined", state="ignored", reason="discarded-by-hand", done_at=now)

    def counts(self) -> dict[str, int]:
        """How many inbound mails are in each state."""
        query: Any = InboundRow.select(InboundRow.state, fn.COUNT(InboundRow.id)).group_by(InboundRow.state)
        return dict(query.tuples())

    def forget_content(self, before: datetime) -> int:
        """Empty contents kept before `before`, except those of running incidents."""
        running = IncidentRow.select(IncidentRow.id).where(IncidentRow.state.in_(["open", "restored"]))
        spared = InboundRow.select(InboundRow.hash).where(
            InboundRow.state.in_(["kept", "quarantined"]) | InboundRow.incident_id.in_(running)
        )
        letters = LetterRow.select().where(
            LetterRow.state.not_in(["sent", "dropped"]) | LetterRow.incident_id.in_(running)
        )
        return int(
            ContentRow.delete()
            .where(
                (ContentRow.kept_at < before)
                & ContentRow.hash.not_in(spared)
                & ContentRow.hash.not_in(letters.select(LetterRow.frozen))
                & ContentRow.hash.not_in(letters.select(LetterRow.rendered))
            )
            .execute()
        )


def put_content(raw: bytes, now: datetime, hash_: str) -> str:
    """Keep bytes under their hash; level 1 is where mail stops shrinking for its cost."""
    ContentRow.insert(hash=hash_, data=zlib.compress(raw, 1), kept_at=now).on_conflict_ignore().execute()
    return hash_


def _move(inbound_id: int, from_state: str, **values: Any) -> bool:
    updated = InboundRow.update(**values).where((InboundRow.id == inbound_id) & (InboundRow.state == from_state))
    return bool(updated.execute())


def _folder(row: Any, *, resumed: bool) -> Folder:
    return Folder(
        id=row.id,
        mailbox=row.mailbox,
        name=row.name,
        uidvalidity=row.uidvalidity,
        before_uid=row.before_uid,
        first_new=row.first_new,
        since=row.since,
        resumed=resumed,
    )


def _inbound(row: Any) -> Inbound:
    return Inbound(
        id=row.id,
        hash=row.hash,
        mailbox=row.mailbox,
        received_at=row.received_at,
        tries=row.tries,
        state=row.state,
        kind=Kind(row.kind) if row.kind else None,
        reason=row.reason,
        message_id=row.message_id,
        author=row.author,
        subject=row.subject,
        incident_id=row.incident_id,
    )
