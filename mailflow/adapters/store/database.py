"""Opening the database: SQLite (the default) or PostgreSQL, its migrations, and the store over it."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import peewee
from playhouse.migrations import Runner

from mailflow.adapters.store import tables
from mailflow.adapters.store.control import ControlTable
from mailflow.adapters.store.desk import DeskTables
from mailflow.adapters.store.history import HistoryTables
from mailflow.adapters.store.mailroom import MailroomTables
from mailflow.adapters.store.outbox import OutboxTable
from mailflow.adapters.store.promises import PromiseTable
from mailflow.adapters.store.records import RecordTables
from mailflow.adapters.store.signals import LessonTable, PendingTable, SignalTable, WindowTable
from mailflow.adapters.store.times import AbsenceTable, StepTable
from mailflow.engine.control import Control
from mailflow.engine.history import History
from mailflow.engine.mailroom import Mailroom
from mailflow.engine.signals import Lessons, Signals, Waiting, Windows
from mailflow.engine.store import Desk, Outbox, Promises, Records, StoreError
from mailflow.engine.times import Absences, Steps

MIGRATIONS = Path(__file__).parent / "migrations"
# WAL lets the verbs read beside the daemon; FULL survives a power cut, not only a crash of ours.
PRAGMAS = {"journal_mode": "wal", "synchronous": "full", "foreign_keys": 1, "busy_timeout": 15_000}
# Any number will do, so long as every machine takes the same one while it migrates.
MIGRATION_LOCK = 7_305_112


# What the libraries say when a database is gone, or does not answer.
LOST = (peewee.OperationalError, peewee.InterfaceError)


class Postgres(peewee.PostgresqlDatabase):
    """PostgreSQL, whose loss is a StoreError outside a transaction too: reading needs none."""

    def execute_sql(self, sql: str, params: Any = None) -> Any:
        """Run a statement; a connection that died is given up, for every further query on it would fail."""
        try:
            return super().execute_sql(sql, params)  # type: ignore[no-untyped-call]
        except LOST as error:
            if self.in_transaction():
                raise
            self.close()
            raise lost(error) from error


def lost(error: BaseException) -> StoreError:
    """Trouble that may pass."""
    return StoreError(f"database: {_one_line(error)}", configuration=False)


class DatabaseStore:
    """engine.store.Store on peewee. One connection a thread; a process has one."""

    def __init__(self, url: str) -> None:
        self._db = database(url)
        tables.PROXY.initialize(self._db)
        postgres = isinstance(self._db, peewee.PostgresqlDatabase)
        self.mailroom: Mailroom = MailroomTables()
        self.records: Records = RecordTables()
        self.promises: Promises = PromiseTable()
        self.desk: Desk = DeskTables()
        self.outbox: Outbox = OutboxTable(skip_locked=postgres)
        self.signals: Signals = SignalTable()
        self.waiting: Waiting = PendingTable()
        self.lessons: Lessons = LessonTable()
        self.windows: Windows = WindowTable()
        self.absences: Absences = AbsenceTable()
        self.steps: Steps = StepTable()
        self.history: History = HistoryTables()
        self.control: Control = ControlTable(self._db, postgres=postgres)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One transaction; inside another one, a savepoint. A lost database is a StoreError that may pass."""
        try:
            with self._db.atomic():
                yield
        except LOST as error:
            if not self._db.in_transaction():
                # PostgreSQL: after a disconnect every query fails until the connection is given up.
                self._db.close()
            raise lost(error) from error

    def disconnect(self) -> None:
        """Close this thread's connection."""
        if not self._db.is_closed():
            self._db.close()

    def migrate(self) -> list[str]:
        """Bring the tables up to date; the names of the migrations that ran. One process at a time does it."""
        with self._migration_lock():
            runner = Runner(self._db, str(MIGRATIONS))
            known = {m.name for m in runner.migrations()}
            if newer := sorted(set(runner.applied()) - known):
                raise StoreError(
                    f"the database was made by a newer mailflow (it knows {newer[-1]}, this one does not): "
                    "install that version, or restore a backup from before it"
                )
            names: list[str] = runner.up()
            return names

    @contextmanager
    def _migration_lock(self) -> Iterator[None]:
        try:
            if isinstance(self._db, peewee.PostgresqlDatabase):
                self._db.execute_sql("SELECT pg_advisory_lock(%s)", (MIGRATION_LOCK,))
                try:
                    yield
                finally:
                    self._db.execute_sql("SELECT pg_advisory_unlock(%s)", (MIGRATION_LOCK,))
            elif self._db.database == ":memory:":
                yield
            else:
                with Path(f"{self._db.database}.migrating").open("w") as lock:
                    fcntl.flock(lock, fcntl.LOCK_EX)
                    yield
        except (peewee.DatabaseError, OSError) as error:
            raise StoreError(f"cannot use the database {self._db.database}: {_one_line(error)}") from error


def connect(url: str) -> DatabaseStore:
    """The store at `url`, its tables up to date; StoreError where it cannot be used."""
    store = DatabaseStore(url)
    store.migrate()
    return store


def database(url: str) -> peewee.Database:
    """The database that a URL names, not yet opened; StoreError where it cannot be from here."""
    if url.startswith("sqlite:///"):
        path = url.removeprefix("sqlite:///")
        # Without IMMEDIATE two writers that both began by reading fail as "locked" in spite of the timeout.
        return peewee.SqliteDatabase(path, pragmas=PRAGMAS, lock_type="IMMEDIATE", check_same_thread=False)
    parts = urlsplit(url)
    if parts.scheme != "postgresql":
        raise StoreError(f"store.url: {parts.scheme or 'nothing'}:// is unknown; use sqlite:/// or postgresql://")
    try:
        import_module("psycopg")  # peewee would notice its absence at the first query only
    except ImportError as error:
        raise StoreError("store.url: PostgreSQL needs its driver: pip install 'mailflow[postgres]'") from error
    return Postgres(
        parts.path.lstrip("/"),
        user=parts.username,
        password=parts.password,
        host=parts.hostname,
        port=parts.port or 5432,
        prefer_psycopg3=True,
        connect_timeout=10,
    )


def _one_line(error: BaseException) -> str:
    # SQLite takes a transaction back by itself when the disk is full; that peewee then cannot is not what happened.
    while str(error).startswith("cannot rollback") and error.__context__:
        error = error.__context__
    return " ".join(str(error).split())
