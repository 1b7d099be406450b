"""The store alone: opening incidents in batches, in an empty database and in one of many years."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bench.world import SENT, config
from mailflow.adapters.store.tables import AffectedRow, EntryRow, InboundRow, IncidentRow, LetterRow, PromiseRow
from mailflow.app import App
from mailflow.config.load import load
from mailflow.domain.incident import Entry, PromiseKind
from mailflow.domain.letters import LetterKind, NewLetter
from mailflow.domain.people import Address, Client
from mailflow.domain.vocabulary import Class, Detection, Priority, Severity
from mailflow.engine.store import NewIncident, Store

BATCH = 50
OPENED = 1_000
YEARS = 100_000  # incidents, with two letters each
ROWS = 500  # a statement
LIAISON = Address(name="Valery Stufano", address="valery@msp.example")


@dataclass(frozen=True, kw_only=True)
class Records:
    """What the store does, by how much it holds already."""

    opened: float  # incidents a second, in batches
    lookup: float  # ms for the newest incident of a key
    tick: float  # ms for a sweep of everything that may be due, four times a minute or more
    caps: float  # ms for the cap on letters to one of ours
    lease: float  # ms for asking which letters are due


def records(folder: Path) -> tuple[Records, Records]:
    """Measured in a new database, and again when it has grown."""
    app = App(load(config(folder, imap_port=1, smtp_port=1), {}), environ={})
    small = _measured(app)
    _grow(app)
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
    key = f"{mark}:7"
    return Records(
        opened=opened,
        lookup=_ms(lambda: store.records.newest_by_key(f"client:{clients[7].key}", key), 200),
        tick=_ms(app.sweep.tick, 5),
        caps=_ms(lambda: store.outbox.count_staff(LIAISON.address, SENT), 20),
        lease=_ms(lambda: store.outbox.lease(app.setup.mailboxes[0].address, SENT, 10, "bench", SENT), 20),
    )


def _open(store: Store, client: Client, key: str) -> None:
    """What an alert writes: incident, client, timeline, promise, and the letter to the liaison."""
    incident, affected = store.records.open(
        NewIncident(
            client=client, mailbox="noc@msp.example", liaison=LIAISON, liaison_title="", liaison_phone="",
            scope=f"client:{client.key}", key=key, class_=Class.OUTAGE, severity=Severity.HIGH, priority=Priority.P2,
            symptom="down", title="server", plain="your server", detected_by=Detection.INTERNAL_MONITOR,
            noticed_by="Zabbix", first_shown="Problem", reporter="", reported="", started_at=SENT, opened_at=SENT,
        )
    )  # fmt: skip
    store.records.note(incident.id, Entry(at=SENT, what="opened", author="Zabbix", text="Problem"))
    store.records.promise(affected, PromiseKind.DEBRIEF, SENT + timedelta(days=3650), SENT)
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
    first = IncidentRow.select().count() + 1
    numbers = range(first, first + YEARS)
    clients = app.setup.directory.clients
    past = SENT - timedelta(days=30)
    with app.store.transaction():
        for start in range(0, YEARS, ROWS):
            some = numbers[start : start + ROWS]
            IncidentRow.insert_many([_past(n, clients[n % len(clients)].key) for n in some]).execute()
            _like(AffectedRow, some, lambda n: {
                "id": n, "incident_id": n, "client_key": clients[n % len(clients)].key, "settled_at": past,
            })  # fmt: skip
            _like(PromiseRow, some, lambda n: {"id": n, "incident_id": n, "affected_id": n, "state": "kept"})
            _like(EntryRow, some, lambda n: {"id": n, "incident_id": n})
            for round_ in (0, YEARS):
                _like(LetterRow, some, lambda n, more=round_: {
                    "id": n + more, "incident_id": n, "affected_id": n, "idempotency_key": f"past:{n + more}",
                    "tag_id": f"past{n + more}", "state": "sent", "sent_at": past, "created_at": past,
                    "kind": "opened" if more else "acknowledgement",
                    "recipient": LIAISON.address if more else f"pat@{clients[n % len(clients)].key}.example",
                })  # fmt: skip
            InboundRow.insert_many(
                {
                    "hash": f"{n:064}", "identity": f"{n:064}", "mailbox": "noc@msp.example", "state": "processed",
                    "kind": "alert", "received_at": past, "kept_at": past, "incident_id": n,
                }
                for n in some
            ).execute()  # fmt: skip


def _past(number: int, client: str) -> dict[str, object]:
    past = SENT - timedelta(days=30)
    return {
        "id": number, "reference": f"INC-{number}", "state": "closed", "scope": f"client:{client}",
        "correlation_key": f"past:{number}", "class_name": "outage", "severity": "high", "priority": "P2",
        "symptom": "down", "title": "server", "detected_by": "internal monitor", "noticed_by": "Zabbix",
        "first_shown": "Problem", "started_at": past, "ended_at": past, "opened_at": past, "closed_at": past,
    }  # fmt: skip


def _like(table: type, numbers: range, changes: Callable[[int], dict[str, object]]) -> None:
    """Rows like the newest one of the table, but for some columns."""
    newest = table.select().order_by(table.id.asc()).dicts().get()  # type: ignore[attr-defined]
    table.insert_many([newest | changes(n) for n in numbers]).execute()  # type: ignore[attr-defined]


def _ms(work: Callable[[], object], times: int) -> float:
    began = time.perf_counter()
    for _ in range(times):
        work()
    return (time.perf_counter() - began) / times * 1000
