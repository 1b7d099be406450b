"""What the store's contract is tried with: incidents, mails, letters, and work on a connection of its own."""

import hashlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from mailflow.domain.incident import Affected, Incident
from mailflow.domain.letters import Letter, LetterKind, LetterState, NewLetter
from mailflow.domain.people import Address, Client
from mailflow.domain.vocabulary import Class, Detection, Kind, Live, Priority, Severity
from mailflow.engine.mailroom import Arrival, Folder, Verdict
from mailflow.engine.store import NewIncident, Store

T = TypeVar("T")

NOON = datetime(2026, 3, 3, 12, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOC = "noc@msp.example"
VALERY = Address(name="Valery Stufano", address="valery@msp.example")
JOHN = Address(name="John Harper", address="john@northwind.example")
ANN = Address(name="Ann Webb", address="ann@contoso.example")


def client(key: str = "northwind") -> Client:
    """A client."""
    return Client(
        key=key,
        name=key.title(),
        domains=(f"{key}.example",),
        timezone="America/Chicago",
        language="en",
        liaison=VALERY.address,
        live=Live.REVIEW,
    )


def new_incident(key: str = "zabbix:NW-FS01", of: str = "northwind", **changes: object) -> NewIncident:
    """An incident to be opened, with a different word in every field."""
    values: dict[str, object] = {
        "client": client(of),
        "mailbox": NOC,
        "liaison": VALERY,
        "liaison_title": "Client Experience Liaison",
        "liaison_phone": "555 0100",
        "scope": f"client:{of}",
        "key": key,
        "class_": Class.OUTAGE,
        "severity": Severity.HIGH,
        "priority": Priority.P2,
        "symptom": "rebooted",
        "title": "file server",
        "plain": "your file server",
        "detected_by": Detection.INTERNAL_MONITOR,
        "noticed_by": "Zabbix",
        "first_shown": "Problem: NW-FS01 — neu gestartet ✓",
        "reporter": "",
        "reported": "",
        "started_at": NOON - timedelta(minutes=5, microseconds=1),
        "opened_at": NOON,
    }
    return NewIncident(**(values | changes))  # type: ignore[arg-type]


def opened(
    store: Store, key: str = "zabbix:NW-FS01", of: str = "northwind", **changes: object
) -> tuple[Incident, Affected]:
    """An open incident."""
    with store.transaction():
        return store.records.open(new_incident(key, of, **changes))


def new_letter(name: str, **changes: object) -> NewLetter:
    """A letter to be put, known by `name`."""
    values: dict[str, object] = {
        "idempotency_key": name,
        "kind": LetterKind.ACKNOWLEDGEMENT,
        "recipient": JOHN,
        "mailbox": NOC,
        "facts": {"reference": "INC-1", "first_name": "John"},
        "due_at": NOON,
        "expires": NOON + 90 * DAY,
        "sender_name": VALERY.name,
        "language": "en",
        "client_key": "northwind",
    }
    return NewLetter(**(values | changes))  # type: ignore[arg-type]


def put(store: Store, name: str, *, state: LetterState = LetterState.WAITING, **changes: object) -> Letter:
    """A letter in the outbox, in any state."""
    with store.transaction():
        letter = store.outbox.put(new_letter(name, **changes), NOON)
        assert letter is not None, f"{name} was there already"
        if state is not LetterState.WAITING:
            store.outbox.move(letter.id, state, now=NOON)
        return store.outbox.letter(letter.id)


def folder(store: Store, name: str = "INBOX", *, mailbox: str = NOC, uidvalidity: int = 7, before: int = 0) -> Folder:
    """A folder at first sight."""
    with store.transaction():
        return store.mailroom.add_folder(mailbox, name, uidvalidity, before_uid=before, first_new=before + 1, now=NOON)


def arrival(uid: int, raw: bytes = b"", *, set_aside: str = "") -> Arrival:
    """A mail that came; without bytes, its own."""
    raw = raw or b"Subject: mail %d\r\n\r\nHello\r\n" % uid
    return Arrival(uid=uid, raw=raw, hash=hashlib.sha256(raw).hexdigest(), received_at=NOON, set_aside=set_aside)


def kept(store: Store, place: Folder, *arrivals: Arrival, now: datetime = NOON) -> list[int]:
    """Keep mails; the ids of the new ones."""
    with store.transaction():
        return store.mailroom.keep(place.id, arrivals, now, store.control.own_mailbox(place.mailbox) or 0)


def verdict(state: str = "processed", **changes: object) -> Verdict:
    """What became of a mail."""
    values: dict[str, object] = {
        "state": state,
        "kind": Kind.ALERT,
        "reason": "new-key",
        "identity": "",
        "message_id": "<1@monitor.example>",
        "author": "zabbix@msp.example",
        "subject": "Problem: Grüße aus Zürich",
        "incident_id": None,
        "decisions": (("OpenFromAlert", "new-key", None),),
    }
    return Verdict(**(values | changes))  # type: ignore[arg-type]


def elsewhere(store: Store, work: Callable[[], T]) -> T:
    """Do it in another thread, and so on another connection, which is closed afterwards."""
    return together(store, work)[0]


def together(store: Store, *works: Callable[[], T]) -> list[T]:
    """Do them at the same time, each in a thread and on a connection of its own."""
    start = threading.Barrier(len(works))

    def one(work: Callable[[], T]) -> T:
        try:
            start.wait(30)
            return work()
        finally:
            store.disconnect()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(one, works))
