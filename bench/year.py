"""A year of an MSP without its mail servers: what time alone brings, from due row to due row."""

import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from peewee import fn

from bench.world import config
from mailflow.adapters.store.tables import LetterRow
from mailflow.adapters.store.times import StepRow
from mailflow.app import App
from mailflow.config.load import load
from mailflow.demo.clock import MovableClock
from mailflow.domain.incident import PromiseKind, PromiseState, Told
from mailflow.domain.letters import LetterKind
from mailflow.domain.people import Address
from mailflow.domain.vocabulary import Class, Detection, Priority, Severity
from mailflow.domain.worktime import due_within
from mailflow.engine.store import NewIncident

CLIENTS, INCIDENTS = 200, 5_000
BEGINS = datetime(2026, 1, 5, 6, tzinfo=UTC)
YEAR = timedelta(days=365)
RESTARTS, JUMPS = 40, 12  # of the daemon, and of the clock by a day


@dataclass(frozen=True, kw_only=True)
class Year:
    """What a year was."""

    seconds: float
    ticks: int
    reminders: int  # sent
    digests: int
    missed: int  # steps that were due in the year, and are neither done nor skipped with a reason
    twice: int  # letters for one step beyond the first to each person


def year(folder: Path) -> Year:
    """Play it; what is promised is kept in time, late or never, as chance has it."""
    chance = random.Random(2026)  # noqa: S311 - a story, no secret
    clock = MovableClock(BEGINS)
    path = config(folder, imap_port=1, smtp_port=1, clients=CLIENTS, hosts=1)
    app = App(load(path, {}), environ={}, clock=clock)
    opens = sorted(BEGINS + YEAR * chance.random() for _ in range(INCIDENTS))
    stops = {chance.randrange(INCIDENTS * 4) for _ in range(RESTARTS)}
    leaps = {chance.randrange(INCIDENTS * 4) for _ in range(JUMPS)}
    keeps: list[tuple[datetime, int]] = []
    began, ticks, end = time.perf_counter(), 0, BEGINS + YEAR
    while clock.now() < end:
        if ticks in stops:
            app.store.disconnect()
            app = App(load(path, {}), environ={}, clock=clock)
        if ticks in leaps:
            clock.move_to(clock.now() + timedelta(days=1))
        now = clock.now()
        with app.store.transaction():
            while opens and opens[0] <= now:
                keeps.append(_open(app, chance, opens.pop(0), len(opens)))
            keeps.sort()
            while keeps and keeps[0][0] <= now:
                at, affected_id = keeps.pop(0)
                app.store.promises.settle(affected_id, PromiseKind.DEBRIEF, PromiseState.KEPT, at)
                app.store.records.settle(affected_id, "debrief sent", at)
        app.sweep.tick()
        ticks += 1
        step = StepRow.select(fn.MIN(StepRow.due_at)).where(StepRow.done_at.is_null()).scalar()
        morning = (now + timedelta(days=1)).replace(hour=14, minute=0, second=0, microsecond=0)
        coming = [opens[0] if opens else end, keeps[0][0] if keeps else end, morning, step or end]
        clock.move_to(max(min(coming), now + timedelta(minutes=1)))
    found = _counted(time.perf_counter() - began, ticks, clock.now())
    app.store.disconnect()
    return found


def _open(app: App, chance: random.Random, at: datetime, number: int) -> tuple[datetime, int]:
    """An outage that its client was told of; when its debrief goes out."""
    client = app.setup.directory.clients[number % CLIENTS]
    _, affected = app.store.records.open(
        NewIncident(
            client=client, mailbox="noc@msp.example", liaison=Address(name="Valery Stufano", address=client.liaison),
            liaison_title="", liaison_phone="", scope=f"client:{client.key}", key=f"{number}", class_=Class.OUTAGE,
            severity=Severity.HIGH, priority=Priority.P2, symptom="down", title="server", plain="your server",
            detected_by=Detection.INTERNAL_MONITOR, noticed_by="Zabbix", first_shown="Problem", reporter="",
            reported="", started_at=at, opened_at=at,
        )
    )  # fmt: skip
    policy = app.setup.policy
    due = due_within(at, policy.debrief_within[Priority.P2], policy.day_ends, client.calendar)
    app.store.promises.make(affected, PromiseKind.DEBRIEF, due, at)
    contact = client.contacts[0]
    told = Told(affected_id=affected.id, address=contact.address, name=contact.name, kind="acknowledgement", at=at)
    app.store.records.told(told)
    late = chance.choice([-0.5, -0.2, -0.1, 0.05, 0.4, 2.0])
    return due + late * (due - at), affected.id


def _counted(seconds: float, ticks: int, now: datetime) -> Year:
    steps = list(StepRow.select().where(StepRow.due_at <= now))
    notices = LetterRow.select().where(LetterRow.idempotency_key.startswith("notice:step:"))
    keys = [row.idempotency_key for row in notices]
    lists = (LetterKind.DIGEST, LetterKind.WEEKLY, LetterKind.MORNING)
    return Year(
        seconds=seconds,
        ticks=ticks,
        reminders=sum(step.outcome == "sent" for step in steps),
        digests=LetterRow.select().where(LetterRow.kind.in_(lists)).count(),
        missed=sum(step.done_at is None for step in steps),
        twice=len(keys) - len(set(keys)) + abs(len(keys) - sum(step.outcome == "sent" for step in steps)),
    )
