"""Signals, mails that wait, lessons, and announced work (engine.signals)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from peewee import SQL, fn

from mailflow.adapters.store.signal_tables import HeardRow, LessonRow, PendingRow, SignalRow, WindowRow
from mailflow.domain.incident import Signal
from mailflow.domain.maintenance import Window
from mailflow.domain.ownership import Lesson, Sign
from mailflow.engine.signals import NewSignal, Pending, Taught


class SignalTable:
    """engine.signals.Signals."""

    def put(self, new: NewSignal) -> Signal:
        """Keep a signal; the unique open_key refuses a second one of the same trouble."""
        on = new.incident_id is not None and new.ended_at is None
        row = SignalRow.create(
            incident_id=new.incident_id,
            affected_id=new.affected_id,
            scope=new.scope,
            correlation_key=new.key,
            thing=new.thing,
            family=new.family,
            open_key=_open_key(new.scope, new.key) if on else None,
            plain=new.plain,
            began_at=new.began_at,
            began_said=new.said_at,
            said_at=new.said_at,
            ended_at=new.ended_at,
        )
        return _signal(row)

    def newest(self, scope: str, key: str) -> Signal | None:
        """The newest signal with this key in this scope."""
        return _newest((SignalRow.scope == scope) & (SignalRow.correlation_key == key))

    def newest_of(self, scope: str, thing: str) -> Signal | None:
        """The newest signal of this thing in this scope."""
        of = (SignalRow.scope == scope) & (SignalRow.thing == thing)
        return _newest(of & SignalRow.incident_id.is_null(False))  # a recovery that waits is no trouble

    def of(self, incident_id: int, affected_id: int | None = None) -> list[Signal]:
        """The signals of an incident, or of one of its clients, oldest first."""
        of = SignalRow.incident_id == incident_id
        if affected_id is not None:
            of &= SignalRow.affected_id == affected_id
        return [_signal(row) for row in SignalRow.select().where(of).order_by(SignalRow.id)]

    def any_on(self, incident_id: int, affected_id: int | None = None) -> bool:
        """Whether any trouble of an incident, or of one of its clients, is on."""
        on = (SignalRow.incident_id == incident_id) & SignalRow.ended_at.is_null()
        if affected_id is not None:
            on &= SignalRow.affected_id == affected_id
        return bool(SignalRow.select().where(on).exists())

    def relapses(self, incident_id: int) -> int:
        """How often an incident's things came back, together."""
        query = SignalRow.select(fn.SUM(SignalRow.relapses)).where(SignalRow.incident_id == incident_id)
        return int(query.scalar() or 0)

    def alike(self, family: str, since: datetime) -> list[Signal]:
        """Signals of a family that began since a time and are on, oldest first."""
        on = SignalRow.ended_at.is_null() & SignalRow.incident_id.is_null(False)
        query = SignalRow.select().where((SignalRow.family == family) & (SignalRow.began_at >= since) & on)
        return [_signal(row) for row in query.order_by(SignalRow.id).limit(100)]

    def heard(self, signal_id: int, said_at: datetime) -> None:
        """The monitor said it once more."""
        SignalRow.update(said_at=said_at).where((SignalRow.id == signal_id) & (SignalRow.said_at < said_at)).execute()

    def end(self, signal_id: int, ended_at: datetime, said_at: datetime) -> None:
        """The trouble is over."""
        SignalRow.update(ended_at=ended_at, said_at=said_at, open_key=None).where(SignalRow.id == signal_id).execute()

    def end_all(self, incident_id: int, ended_at: datetime) -> None:
        """A person said that all of it is over."""
        on = (SignalRow.incident_id == incident_id) & SignalRow.ended_at.is_null()
        SignalRow.update(ended_at=ended_at, open_key=None).where(on).execute()

    def reopen(self, signal_id: int, said_at: datetime) -> Signal:
        """The trouble is back."""
        row = SignalRow.get_by_id(signal_id)
        row.ended_at, row.began_said, row.said_at, row.relapses = None, said_at, said_at, row.relapses + 1
        row.open_key = _open_key(row.scope, row.correlation_key)
        row.save()
        return _signal(row)

    def count_relapses(self, signal_id: int, relapses: int) -> None:
        """How often the thing has come back."""
        SignalRow.update(relapses=relapses).where(SignalRow.id == signal_id).execute()

    def rehome(self, affected_id: int | None, from_incident: int, incident_id: int, into_affected: int | None) -> None:
        """Give signals to another incident."""
        SignalRow.update(incident_id=incident_id, affected_id=into_affected).where(
            (SignalRow.incident_id == from_incident) & _of(affected_id)
        ).execute()

    def expect(self, name: str, now: datetime) -> tuple[datetime, datetime | None]:
        """Since when a mail is expected, and when it last came."""
        HeardRow.insert(name=name, since=now).on_conflict_ignore().execute()
        row = HeardRow.get_by_id(name)
        return row.since, row.last_success

    def came(self, name: str, at: datetime) -> None:
        """An expected mail came."""
        HeardRow.insert(name=name, since=at, last_success=at).on_conflict(
            conflict_target=[HeardRow.name], preserve=[HeardRow.last_success]
        ).execute()

    def forget_waiting(self, before: datetime) -> int:
        """Drop recoveries that waited since before a time."""
        return int(SignalRow.delete().where(SignalRow.incident_id.is_null() & (SignalRow.ended_at < before)).execute())


class PendingTable:
    """engine.signals.Waiting."""

    def put(
        self, inbound_id: int, why: str, topic: str, event_key: str, due_at: datetime | None, now: datetime
    ) -> bool:
        """Let an event wait; whether nothing with this topic waited yet."""
        first = not self.with_topic(why, topic)
        PendingRow.create(inbound_id=inbound_id, why=why, topic=topic, event_key=event_key, due_at=due_at, put_at=now)
        return first

    def about(self, inbound_id: int) -> Pending | None:
        """What waits of this mail."""
        row = PendingRow.select().where((PendingRow.inbound_id == inbound_id) & PendingRow.done_at.is_null()).first()
        return _pending(row) if row else None

    def with_topic(self, why: str, topic: str) -> list[Pending]:
        """All that waits for the same, oldest first."""
        same = (PendingRow.why == why) & (PendingRow.topic == topic) & PendingRow.done_at.is_null()
        return [_pending(row) for row in PendingRow.select().where(same).order_by(PendingRow.id)]

    def due(self, now: datetime) -> list[Pending]:
        """What has waited long enough, oldest first."""
        late = PendingRow.done_at.is_null() & (PendingRow.due_at <= now)
        return [_pending(row) for row in PendingRow.select().where(late).order_by(PendingRow.id).limit(1_000)]

    def hasten(self, why: str, due_at: datetime, now: datetime) -> None:
        """What waits for this moment waits no longer than until now."""
        late = (PendingRow.why == why) & (PendingRow.due_at == due_at) & (PendingRow.due_at > now)
        PendingRow.update(due_at=now).where(late & PendingRow.done_at.is_null()).execute()

    def done(self, pending_id: int, outcome: str, now: datetime) -> None:
        """It waits no more."""
        PendingRow.update(done_at=now, outcome=outcome).where(PendingRow.id == pending_id).execute()


class LessonTable:
    """engine.signals.Lessons."""

    def teach(self, lesson: Lesson, by: str, inbound_id: int, now: datetime) -> None:
        """Keep a lesson; a newer one about the same replaces the older."""
        active = _open_key(lesson.sign, lesson.value)
        LessonRow.update(active_key=None, revoked_at=now).where(LessonRow.active_key == active).execute()
        LessonRow.create(
            sign=lesson.sign,
            value=lesson.value,
            active_key=active,
            client_key=lesson.client_key,
            by_whom=by,
            inbound_id=inbound_id,
            taught_at=now,
        )

    def about(self, keys: Sequence[tuple[Sign, str]]) -> Mapping[tuple[Sign, str], str]:
        """What is known of these signs: the client's key."""
        if not keys:
            return {}
        query = LessonRow.select().where(LessonRow.active_key.in_([_open_key(s, v) for s, v in keys]))
        return {(Sign(row.sign), row.value): row.client_key for row in query}

    def all(self) -> list[Taught]:
        """Every lesson, newest first."""
        return [
            Taught(
                id=r.id,
                lesson=Lesson(sign=Sign(r.sign), value=r.value, client_key=r.client_key),
                by=r.by_whom,
                at=r.taught_at,
                revoked_at=r.revoked_at,
            )
            for r in LessonRow.select().order_by(LessonRow.id.desc())
        ]

    def revoke(self, lesson_id: int, now: datetime) -> bool:
        """A lesson counts no more."""
        counts = (LessonRow.id == lesson_id) & LessonRow.revoked_at.is_null()
        return bool(LessonRow.update(active_key=None, revoked_at=now).where(counts).execute())


def _of(affected_id: int | None) -> Any:
    """The signals of one client of an incident; none: those that concern all of its clients."""
    return SignalRow.affected_id.is_null() if affected_id is None else SignalRow.affected_id == affected_id


class WindowTable:
    """engine.signals.Windows."""

    def put(self, window: Window, by: str, inbound_id: int, now: datetime) -> int:
        """Keep what a mail announced; the unique inbound_id refuses a second window of the same mail."""
        WindowRow.insert(
            client_key=window.client,
            things=list(window.things),
            begins_at=window.begins,
            ends_at=window.ends,
            why=window.why,
            by_whom=by,
            inbound_id=inbound_id,
            put_at=now,
        ).on_conflict_ignore().execute()
        return int(WindowRow.get(WindowRow.inbound_id == inbound_id).id)

    def current(self, now: datetime) -> list[Window]:
        """What goes on or is to come, the earliest first."""
        query = WindowRow.select().where((WindowRow.ends_at > now) & WindowRow.cancelled_at.is_null())
        return [_window(row) for row in query.order_by(WindowRow.begins_at, WindowRow.id)]

    def cancel(self, window_id: int, now: datetime) -> Window | None:
        """Call it off; None where there is none that goes on or is to come."""
        stands = (WindowRow.id == window_id) & (WindowRow.ends_at > now) & WindowRow.cancelled_at.is_null()
        called_off = WindowRow.update(cancelled_at=now).where(stands).execute()
        return _window(WindowRow.get_by_id(window_id)) if called_off else None


def _newest(where: Any) -> Signal | None:
    row = SignalRow.select().where(where).order_by(SQL("id").desc()).first()
    return _signal(row) if row else None


def _open_key(scope: str, key: str) -> str:
    return f"{scope}\n{key}"


def _signal(row: Any) -> Signal:
    return Signal(
        id=row.id,
        incident_id=row.incident_id,
        affected_id=row.affected_id,
        scope=row.scope,
        key=row.correlation_key,
        thing=row.thing,
        family=row.family,
        plain=row.plain,
        began_at=row.began_at,
        began_said=row.began_said,
        said_at=row.said_at,
        ended_at=row.ended_at,
        relapses=row.relapses,
    )


def _pending(row: Any) -> Pending:
    return Pending(
        id=row.id,
        inbound_id=row.inbound_id,
        why=row.why,
        topic=row.topic,
        event_key=row.event_key,
        due_at=row.due_at,
    )


def _window(row: Any) -> Window:
    return Window(
        client=row.client_key,
        things=tuple(row.things),
        begins=row.begins_at,
        ends=row.ends_at,
        why=row.why,
        source=f"{row.by_whom}, mail {row.inbound_id}",
    )
