"""Incidents, affected clients, promises, the timeline, and who was told (engine.store.Records)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from peewee import fn

from mailflow.adapters.store import merging
from mailflow.adapters.store.looks import RUNNING, awaits_form, nobody_knows, silent, untold
from mailflow.adapters.store.merging import open_key, whole
from mailflow.adapters.store.tables import AffectedRow, EntryRow, IncidentRow, PromiseRow, ToldRow
from mailflow.domain.incident import (
    Affected,
    Entry,
    Incident,
    IncidentState,
    PromiseKind,
    PromiseState,
    Told,
)
from mailflow.domain.people import Address, Client, Staff
from mailflow.domain.vocabulary import Class, Detection, Live, Priority, Severity
from mailflow.engine.store import NewIncident


class RecordTables:
    """engine.store.Records."""

    def open(self, new: NewIncident) -> tuple[Incident, Affected]:
        """Open an incident; the unique open_key refuses a second one of the same trouble."""
        row = IncidentRow.create(
            state=IncidentState.OPEN,
            scope=new.scope,
            correlation_key=new.key,
            open_key=open_key(new.scope, new.key),
            class_name=new.class_,
            severity=new.severity,
            priority=new.priority,
            symptom=new.symptom,
            title=new.title,
            detected_by=new.detected_by,
            noticed_by=new.noticed_by,
            first_shown=new.first_shown,
            started_at=new.started_at,
            opened_at=new.opened_at,
        )
        row.reference = f"INC-{row.id}"
        IncidentRow.update(reference=row.reference).where(IncidentRow.id == row.id).execute()
        affected = AffectedRow.create(
            incident_id=row.id,
            client_key=new.client.key,
            client_name=new.client.name,
            timezone=new.client.timezone,
            language=new.client.language,
            mailbox=new.mailbox,
            live=new.client.live,
            liaison_name=new.liaison.name,
            liaison_address=new.liaison.address,
            liaison_title=new.liaison_title,
            liaison_phone=new.liaison_phone,
            plain=new.plain,
            reporter=new.reporter,
            reported=new.reported,
            reported_at=new.opened_at if new.reporter else None,
        )
        return _incident(row), _affected(affected)

    def incident(self, incident_id: int) -> Incident:
        """One incident; KeyError where there is none."""
        row = IncidentRow.get_or_none(IncidentRow.id == incident_id)
        if row is None:
            raise KeyError(incident_id)
        return self.incident(row.merged_into) if row.merged_into else _incident(row)

    def affect(
        self,
        incident_id: int,
        client: Client,
        *,
        mailbox: str,
        liaison: Address,
        title: str,
        phone: str,
        plain: str,
        symptom: str,
        started_at: datetime,
    ) -> Affected:
        """One more client of an incident."""
        row = AffectedRow.create(
            incident_id=incident_id,
            client_key=client.key,
            client_name=client.name,
            timezone=client.timezone,
            language=client.language,
            mailbox=mailbox,
            live=client.live,
            liaison_name=liaison.name,
            liaison_address=liaison.address,
            liaison_title=title,
            liaison_phone=phone,
            plain=plain,
            symptom=symptom,
            started_at=started_at,
        )
        return _affected(row)

    def merge(self, child_id: int, root_id: int, now: datetime) -> None:
        """An incident lives on in another."""
        merging.merge(child_id, root_id, now)

    def split(self, affected_id: int, now: datetime) -> Incident:
        """A client of an incident gets an incident of its own."""
        return self.incident(merging.split(affected_id, now))

    def storm(self, incident_id: int, scope: str, key: str) -> None:
        """The incident is a storm's from now on."""
        IncidentRow.update(scope=scope, correlation_key=key, open_key=open_key(scope, key)).where(
            IncidentRow.id == incident_id
        ).execute()

    def set_ticket(self, affected_id: int, ticket: str) -> None:
        """The token of the client's own helpdesk."""
        AffectedRow.update(ticket=ticket).where(AffectedRow.id == affected_id).execute()

    def count_me_too(self, affected_id: int) -> None:
        """One more of the client's people wrote about it."""
        AffectedRow.update(me_too=AffectedRow.me_too + 1).where(AffectedRow.id == affected_id).execute()

    def set_trouble(self, affected_id: int, ended_at: datetime | None) -> None:
        """A client's own trouble is over, or back."""
        AffectedRow.update(ended_at=ended_at).where(AffectedRow.id == affected_id).execute()

    def by_reference(self, reference: str) -> Incident | None:
        """The incident that people call so."""
        row = IncidentRow.get_or_none(IncidentRow.reference == reference.upper())
        return _incident(row) if row else None

    def running_of(self, client_key: str) -> list[tuple[Incident, Affected]]:
        """The client's running incidents, newest first."""
        return pairs(
            (AffectedRow.client_key == client_key) & IncidentRow.state.in_(RUNNING), order=AffectedRow.id.desc()
        )

    def affected(self, affected_id: int) -> Affected:
        """One affected client; KeyError where there is none."""
        row = AffectedRow.get_or_none(AffectedRow.id == affected_id)
        if row is None:
            raise KeyError(affected_id)
        return self.affected(row.folded_into) if row.folded_into else _affected(row)

    def silent(self, since: datetime) -> list[tuple[Incident, Affected, datetime]]:
        """Open outages whose client was told of them, and last heard of us before a time: when that was."""
        heard = dict(silent(since))
        of = pairs(AffectedRow.id.in_(list(heard))) if heard else []
        return [(incident, affected, heard[affected.id]) for incident, affected in of]

    def untold_outages(self, before: datetime) -> list[tuple[Incident, Affected]]:
        """Open outages that began before a time, of which nobody of the client's was told."""
        found = untold(before)
        return pairs(AffectedRow.id.in_(found)) if found else []

    def alike(self, affected: Affected, symptom: str, limit: int) -> list[Affected]:
        """The client's earlier trouble of the same thing and symptom that was debriefed, newest first."""
        if not affected.plain:
            return []
        same = (AffectedRow.client_key == affected.client_key) & (AffectedRow.plain == affected.plain)
        query = (
            AffectedRow.select(AffectedRow)
            .join(IncidentRow, on=(IncidentRow.id == AffectedRow.incident_id))
            .where(same & (AffectedRow.id < affected.id) & AffectedRow.settled_at.is_null(False))
            .where(fn.COALESCE(fn.NULLIF(AffectedRow.symptom, ""), IncidentRow.symptom) == symptom)
        )
        return [_affected(row) for row in query.order_by(AffectedRow.id.desc()).limit(limit)]

    def affected_of(self, incident_id: int) -> list[Affected]:
        """The incident's affected clients."""
        mine = (AffectedRow.incident_id == incident_id) & AffectedRow.folded_into.is_null()
        query = AffectedRow.select().where(mine).order_by(AffectedRow.id)
        return [_affected(row) for row in query]

    def incidents(self, *, running_only: bool, limit: int) -> list[tuple[Incident, list[Affected]]]:
        """Incidents, newest first."""
        query = IncidentRow.select().order_by(IncidentRow.id.desc()).limit(limit)
        if running_only:
            query = query.where(IncidentRow.state.in_(RUNNING))
        rows = list(query)
        clients: dict[int, list[Affected]] = {row.id: [] for row in rows}
        mine = AffectedRow.incident_id.in_(list(clients)) & AffectedRow.folded_into.is_null()
        for row in AffectedRow.select().where(mine).order_by(AffectedRow.id):
            clients[row.incident_id].append(_affected(row))
        return [(_incident(row), clients[row.id]) for row in rows]

    def set_state(
        self, incident_id: int, state: IncidentState, *, ended_at: datetime | None, closed_at: datetime | None, why: str
    ) -> None:
        """Write a state that domain.lifecycle has allowed; only an open incident holds its key."""
        row = IncidentRow.get_by_id(incident_id)
        IncidentRow.update(
            state=state,
            ended_at=ended_at,
            closed_at=closed_at,
            why_closed=why,
            open_key=open_key(row.scope, row.correlation_key) if state is IncidentState.OPEN else None,
        ).where(IncidentRow.id == incident_id).execute()

    def reclassify(self, incident_id: int, class_: Class, severity: Severity, priority: Priority, symptom: str) -> None:
        """It is worse than it was thought to be."""
        IncidentRow.update(class_name=class_, severity=severity, priority=priority, symptom=symptom).where(
            IncidentRow.id == incident_id
        ).execute()

    def set_reporter(self, affected_id: int, reporter: str, reported: str, at: datetime) -> None:
        """Who of the client's told us first."""
        AffectedRow.update(reporter=reporter, reported=reported, reported_at=at).where(
            AffectedRow.id == affected_id
        ).execute()

    def settle(self, affected_id: int, why: str, now: datetime) -> None:
        """The client has its debrief, or is owed none."""
        AffectedRow.update(settled_at=now, settled_why=why).where(AffectedRow.id == affected_id).execute()

    def note(self, incident_id: int, entry: Entry) -> None:
        """A line on the timeline."""
        EntryRow.create(
            incident_id=incident_id,
            at=entry.at,
            what=entry.what,
            author=entry.author,
            text=entry.text,
            inbound_id=entry.inbound_id,
            letter_id=entry.letter_id,
        )

    def timeline(self, incident_id: int) -> list[Entry]:
        """The incident's timeline in order."""
        query = EntryRow.select().where(EntryRow.incident_id.in_(whole(incident_id))).order_by(EntryRow.at, EntryRow.id)
        return [
            Entry(at=r.at, what=r.what, author=r.author, text=r.text, inbound_id=r.inbound_id, letter_id=r.letter_id)
            for r in query
        ]

    def assign(self, affected_id: int, staff: Staff) -> None:
        """Another liaison answers for a client of an incident, and for what is promised to it."""
        was = AffectedRow.get_by_id(affected_id).liaison_address
        AffectedRow.update(
            liaison_name=staff.name,
            liaison_address=staff.address,
            liaison_title=staff.title,
            liaison_phone=staff.phone,
        ).where(AffectedRow.id == affected_id).execute()
        hers = (PromiseRow.affected_id == affected_id) & (PromiseRow.owner == was)
        PromiseRow.update(owner=staff.address).where(hers & (PromiseRow.state == PromiseState.OPEN)).execute()

    def set_audience(self, affected_id: int, addresses: Sequence[str]) -> None:
        """Who of the client's has this incident's letters."""
        AffectedRow.update(audience=" ".join(addresses)).where(AffectedRow.id == affected_id).execute()

    def told(self, told: Told) -> None:
        """Remember who was told what."""
        affected = self.affected(told.affected_id)
        ToldRow.insert(
            incident_id=affected.incident_id,
            affected_id=affected.id,
            address=told.address,
            name=told.name,
            kind=told.kind,
            at=told.at,
        ).on_conflict_ignore().execute()

    def untold(self, affected_id: int, address: str, kind: str) -> None:
        """What was sent came back: this person was not told."""
        same = (
            (ToldRow.affected_id == self.affected(affected_id).id)
            & (ToldRow.address == address)
            & (ToldRow.kind == kind)
        )
        ToldRow.delete().where(same).execute()

    def unsettle(self, affected_id: int, kind: PromiseKind, since: datetime | None = None) -> None:
        """The client has nothing after all: what was promised is owed again; anew `since` where it came back."""
        affected_id = self.affected(affected_id).id
        AffectedRow.update(settled_at=None, settled_why="").where(AffectedRow.id == affected_id).execute()
        again: dict[str, Any] = {"state": PromiseState.OPEN, "settled_at": None, "waits_since": None}
        again |= {"made_at": since} if since else {}
        settled = (PromiseRow.affected_id == affected_id) & (PromiseRow.state != PromiseState.OPEN)
        PromiseRow.update(again).where(settled & (PromiseRow.kind == kind)).execute()

    def audience(self, incident_id: int, affected_id: int | None = None) -> list[Told]:
        """Who was told what about an incident, oldest first; of one client, where one is named."""
        query = ToldRow.select().where(ToldRow.incident_id == incident_id).order_by(ToldRow.id)
        if affected_id is not None:
            query = query.where(ToldRow.affected_id == affected_id)
        return [Told(affected_id=r.affected_id, address=r.address, name=r.name, kind=r.kind, at=r.at) for r in query]

    def awaiting_form(self, ended_before: datetime, due_before: datetime) -> list[tuple[Incident, Affected]]:
        """Unsettled clients without a form, whose service is back for a while or whose debrief is due soon."""
        return pairs(awaits_form(ended_before, due_before))

    def never_told(self) -> list[Incident]:
        """Restored incidents that no client told us of or was told of, with no client letter on its way any more."""
        return [_incident(row) for row in IncidentRow.select().where(nobody_knows())]

    def settled_without(self, since: datetime) -> list[Affected]:
        """The clients whose debriefs were decided not to be owed since a time, newest first."""
        why = AffectedRow.settled_why.startswith("no debrief")
        query = AffectedRow.select().where((AffectedRow.settled_at >= since) & why)
        return [_affected(row) for row in query.order_by(AffectedRow.settled_at.desc())]

    def opened_since(self, since: datetime) -> list[datetime]:
        """When each incident since a time was opened."""
        query = IncidentRow.select(IncidentRow.opened_at).where(IncidentRow.opened_at >= since)
        return [row.opened_at for row in query]


def pairs(where: Any, order: Any = None) -> list[tuple[Incident, Affected]]:
    """Affected clients with their incidents, in two queries."""
    rows = list(
        AffectedRow.select(AffectedRow)
        .join(IncidentRow, on=(IncidentRow.id == AffectedRow.incident_id))
        .where(where & AffectedRow.folded_into.is_null())
        .order_by(AffectedRow.id if order is None else order)
    )
    wanted = {row.incident_id for row in rows}
    incidents = {row.id: _incident(row) for row in IncidentRow.select().where(IncidentRow.id.in_(list(wanted)))}
    return [(incidents[row.incident_id], _affected(row)) for row in rows]


def _incident(row: Any) -> Incident:
    return Incident(
        id=row.id,
        reference=row.reference,
        state=IncidentState(row.state),
        scope=row.scope,
        key=row.correlation_key,
        class_=Class(row.class_name),
        severity=Severity(row.severity),
        priority=Priority(row.priority),
        symptom=row.symptom,
        title=row.title,
        detected_by=Detection(row.detected_by),
        noticed_by=row.noticed_by,
        first_shown=row.first_shown,
        started_at=row.started_at,
        ended_at=row.ended_at,
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        why_closed=row.why_closed,
        merged_into=row.merged_into,
    )


def _affected(row: Any) -> Affected:
    return Affected(
        id=row.id,
        incident_id=row.incident_id,
        client_key=row.client_key,
        client_name=row.client_name,
        timezone=row.timezone,
        language=row.language,
        mailbox=row.mailbox,
        live=Live(row.live),
        liaison=Address(name=row.liaison_name, address=row.liaison_address),
        liaison_title=row.liaison_title,
        liaison_phone=row.liaison_phone,
        plain=row.plain,
        reporter=row.reporter,
        reported=row.reported,
        reported_at=row.reported_at,
        settled_at=row.settled_at,
        settled_why=row.settled_why,
        symptom=row.symptom,
        started_at=row.started_at,
        ended_at=row.ended_at,
        me_too=row.me_too,
        ticket=row.ticket,
        audience=tuple(row.audience.split()),
    )
