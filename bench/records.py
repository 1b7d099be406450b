"""The store alone: opening incidents in batches, in an empty database and in one of many years."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bench.world import SENT, config
from mailflow.adapters.store.signal_tables import SignalRow
from mailflow.adapters.store.tables import PROXY, AffectedRow, EntryRow, IncidentRow, LetterRow, PromiseRow, Row
from mailflow.app import App
from mailflow.config.load import load
from mailflow.domain.incident import Entry, PromiseKind
from mailflow.domain.letters import LetterKind, NewLetter
from mailflow.domain.people import Address, Client
from mailflow.domain.vocabulary import Class, Detection, Priority, Severity
from mailflow.engine.signals import NewSignal
from mailflow.engine.store import NewIncident, Store

BATCH = 50
OPENED = 1_000
YEARS = 1_000_000  # incidents, with two letters each
CHUNK = 50_000  # of them in memory at once
LIAISON = Address(name="Valery Stufano", address="valery@msp.example")


@dataclass(frozen=True, kw_only=True)
class Records:
    """What the store does, by how much it holds already."""

    opened: float  # incidents a second, in batches
    lookup: float  # ms for what is known of an alert: its key's and its thing's incident, its family's last hour
    tick: float  # ms for a sweep of everything that may be due, four times a minute or more
    overdue: float  # ms for what is late, of which there is as much as before
    caps: float  # ms for the cap on letters to one of ours
    lease: float  # ms for asking which letters are due


def records(folder: Path) -> tuple[Records, Records]:
    """Measured in a new database, and again when it has grown."""
    app = App(load(config(folder, imap_port=1, smtp_port=1), {}), environ={})
    small = _measured(app)
    for _ in range(YEARS // CHUNK):
        _grow(app)
    _keep(app)
    large = _measured(app)
    app.store.disconnect()
    return small, large


def _measured(app: App) -> Records:
    store, clients = app.store, app.setup.directory.clients
    began = time.perf_counter()
    mark = str(began)
    for start in range(0, OPENED, BATCH):
        with store.transaction():
            for number in range(start, start + BATCH):
                _open(store, clients[number % len(clients)], f"{mark}:{number}")
    opened = OPENED / (time.perf_counter() - began)
    app.sweep.tick()  # plans the reminders of what is new, and asks its forms: once, and not every five seconds
    return Records(
        opened=opened,
        lookup=_ms(lambda: _known(store, f"client:{clients[7].key}", f"{mark}:7"), 200),
        tick=_ms(app.sweep.tick, 20),
        overdue=_ms(lambda: store.promises.overdue(SENT + timedelta(days=4000))[OPENED - 1], 5),
        caps=_ms(lambda: store.outbox.count_staff(LIAISON.address, SENT), 20),
        lease=_ms(lambda: store.outbox.lease(app.setup.mailboxes[0].address, SENT, 10, "bench", SENT), 20),
    )


def _known(store: Store, scope: str, key: str) -> None:
    """What an alert asks before it can be judged."""
    signal = store.signals.newest(scope, key)
    assert signal is not None
    assert signal.incident_id is not None
    store.records.incident(signal.incident_id)
    store.signals.newest_of(scope, signal.thing)
    store.signals.alike(signal.family, SENT)


def _open(store: Store, client: Client, key: str) -> None:
    """What an alert writes: incident, client, signal, timeline, promise, and the letter to the liaison."""
    incident, affected = store.records.open(
        NewIncident(
            client=client, mailbox="noc@msp.example", liaison=LIAISON, liaison_title="", liaison_phone="",
            scope=f"client:{client.key}", key=key, class_=Class.OUTAGE, severity=Severity.HIGH, priority=Priority.P2,
            symptom="down", title="server", plain="your server", detected_by=Detection.INTERNAL_MONITOR,
            noticed_by="Zabbix", first_shown="Problem", reporter="", reported="", started_at=SENT, opened_at=SENT,
        )
    )  # fmt: skip
    store.signals.put(
        NewSignal(
            incident_id=incident.id, affected_id=affected.id, scope=incident.scope, key=key, thing=f"{key}/ping",
            family=f"zabbix:down:{client.key}", plain=affected.plain, began_at=SENT, said_at=SENT,
        )
    )  # fmt: skip
    store.records.note(incident.id, Entry(at=SENT, what="opened", author="Zabbix", text="Problem"))
    store.promises.make(affected, PromiseKind.DEBRIEF, SENT + timedelta(days=3650), SENT)
    store.outbox.put(
        NewLetter(
            idempotency_key=f"opened:{key}", kind=LetterKind.OPENED, recipient=LIAISON, mailbox="noc@msp.example",
            facts={}, due_at=SENT + timedelta(days=3650), expires=SENT, sender_name="", language="en",
            incident_id=incident.id, affected_id=affected.id, client_key=client.key, version=0, unless_over=False,
        ),
        SENT,
    )  # fmt: skip


def _grow(app: App) -> None:
    """Years of closed incidents, with all that hangs on them."""
    clients, past = app.setup.directory.clients, SENT - timedelta(days=30)
    first = IncidentRow.select().count() + 1
    numbers = range(first, first + CHUNK)

    def key(number: int) -> str:
        return clients[number % len(clients)].key

    def letter(number: int, kind: str, recipient: str) -> dict[str, object]:
        mark = f"{kind}{number}"
        return {
            "incident_id": number, "affected_id": number, "idempotency_key": mark, "tag_id": mark, "kind": kind,
            "recipient": recipient, "state": "sent", "created_at": past, "sent_at": past,
        }  # fmt: skip

    with app.store.transaction():
        _add(IncidentRow, [{
            "id": n, "reference": f"INC-{n}", "state": "closed", "scope": f"client:{key(n)}", "open_key": None,
            "correlation_key": f"past:{n}", "opened_at": past, "ended_at": past, "closed_at": past,
        } for n in numbers])  # fmt: skip
        _add(AffectedRow, [{"id": n, "incident_id": n, "client_key": key(n), "settled_at": past} for n in numbers])
        _add(SignalRow, [{
            "incident_id": n, "affected_id": n, "scope": f"client:{key(n)}", "correlation_key": f"past:{n}",
            "thing": f"past:{n}/ping", "open_key": None, "began_at": past, "said_at": past, "ended_at": past,
        } for n in numbers])  # fmt: skip
        _add(PromiseRow, [{"incident_id": n, "affected_id": n, "state": "kept"} for n in numbers])
        _add(EntryRow, [{"incident_id": n} for n in numbers])
        _add(LetterRow, [letter(n, "opened", LIAISON.address) for n in numbers])
        _add(LetterRow, [letter(n, "ack", f"pat@{key(n)}.example") for n in numbers])


def _keep(app: App) -> None:
    """What was opened to measure the new database is over, so that both have as much that goes on."""
    past = SENT - timedelta(days=30)
    with app.store.transaction():
        PromiseRow.update(state="kept").where(PromiseRow.state == "open").execute()
        IncidentRow.update(state="closed", open_key=None, ended_at=past).where(IncidentRow.state == "open").execute()
        AffectedRow.update(settled_at=past).where(AffectedRow.settled_at.is_null()).execute()
        SignalRow.update(open_key=None, ended_at=past).where(SignalRow.ended_at.is_null()).execute()
        LetterRow.update(state="sent", sent_at=past).where(LetterRow.state == "waiting").execute()


def _add(table: type[Row], rows: list[dict[str, object]]) -> None:
    """Rows like the oldest one of the table, but for what they say."""
    oldest: dict[str, object] = table.select().order_by(table.id).dicts().get()
    del oldest["id"]
    fields = [table._meta.fields[name] for name in oldest | rows[0]]
    values = ([f.db_value((oldest | row)[f.name]) for f in fields] for row in rows)
    columns = ", ".join(f.column_name for f in fields)
    marks = ", ".join("?" for _ in fields)
    statement = f"INSERT INTO {table._meta.table_name} ({columns}) VALUES ({marks})"  # noqa: S608 - our own names
    PROXY.obj.connection().executemany(statement, values)


def _ms(work: Callable[[], object], times: int) -> float:
    began = time.perf_counter()
    for _ in range(times):
        work()
    return (time.perf_counter() - began) / times * 1000
