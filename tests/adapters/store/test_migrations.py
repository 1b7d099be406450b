"""Opening a database: its tables, a newer schema, several at once, and what cannot be used at all."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import peewee
import pytest
from playhouse.migrations import Runner

from mailflow.adapters.store import signal_tables, tables, times
from mailflow.adapters.store.database import MIGRATIONS, DatabaseStore, connect
from mailflow.domain.incident import Entry
from mailflow.engine.signals import NewSignal
from mailflow.engine.store import StoreError
from tests.adapters.store.builders import NOC, NOON, opened
from tests.house import ROOT
from tests.servers.postgres import Postgres

# What a column of each field may be called, on SQLite and on PostgreSQL.
TYPES = {
    "BIGINT": {"BIGINT", "bigint"},
    "INT": {"INTEGER", "integer"},
    "AUTO": {"INTEGER", "bigint"},
    "VARCHAR": {"VARCHAR", "character varying"},
    "TEXT": {"TEXT", "text"},
    "BLOB": {"BLOB", "bytea"},
    "BOOL": {"BOOLEAN", "boolean"},
}
OPEN_IT = "import sys; from mailflow.adapters.store.database import DatabaseStore as S; print(S(sys.argv[1]).migrate())"


ALL_MIGRATIONS = sorted(file.stem for file in MIGRATIONS.glob("[0-9]*.py"))
FIRST = "0001_first_tables"


@pytest.fixture
def empty(store_url: str) -> Iterator[DatabaseStore]:
    """A store whose database has no tables yet."""
    store = DatabaseStore(store_url)
    yield store
    store.disconnect()


@contextmanager
def refused(url: str, *, configuration: bool = True) -> Iterator[list[str]]:
    """Opening `url` is refused with one clear line, which is given."""
    said: list[str] = []
    store = DatabaseStore(url)
    try:
        with pytest.raises(StoreError) as error:
            store.migrate()
        assert error.value.configuration is configuration
        said.append(str(error.value))
        assert "\n" not in said[0]
        yield said
    finally:
        store.disconnect()


def unique(columns: list[str], table: str) -> bool:
    """Whether the database itself keeps these columns unique."""
    indexes = tables.PROXY.get_indexes(table)
    return any(index.unique and sorted(index.columns) == sorted(columns) for index in indexes)


class TestMigrating:
    def test_from_empty_and_twice(self, empty: DatabaseStore) -> None:
        """DESIGN 2: migrations from the first one on; a second time there is nothing to do."""
        assert empty.migrate() == ALL_MIGRATIONS
        assert empty.migrate() == []
        opened(empty)

    def test_records_survive_another_opening(self, store_url: str, empty: DatabaseStore) -> None:
        """N.10: opening again changes nothing that is there."""
        empty.migrate()
        incident, _ = opened(empty)
        empty.disconnect()
        again = connect(store_url)
        try:
            assert again.records.incident(incident.id) == incident
        finally:
            again.disconnect()

    def test_a_newer_schema_is_refused(self, store: DatabaseStore) -> None:
        """DESIGN 3: exit 2 for a newer schema, with what to do; nothing is changed."""
        tables.PROXY.execute_sql(
            "INSERT INTO schema_migration (name, applied) VALUES ('9999_from_tomorrow', '2030-01-01 00:00:00')"
        )
        with pytest.raises(StoreError, match=r"newer mailflow.*9999_from_tomorrow.*restore a backup") as error:
            store.migrate()
        assert error.value.configuration
        assert "\n" not in str(error.value)

    def test_several_processes_migrate_at_once(self, store_url: str) -> None:
        """DESIGN 2: machines that start together migrate once: one does it, the others wait and find it done."""
        command = [sys.executable, "-c", OPEN_IT, store_url]
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        running = [subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) for _ in range(3)]
        said = sorted(process.communicate(timeout=60)[0].strip() for process in running)
        assert [process.returncode for process in running] == [0, 0, 0]
        assert said == sorted([str(ALL_MIGRATIONS), "[]", "[]"])


def old_incident(key: str, state: str = "open", ended: int | None = None, closed: int | None = None) -> int:
    """An incident of two clients as the first tables held it, begun at microsecond 5."""
    scope = "client:northwind"
    incident: dict[str, object] = {
        "state": state,
        "scope": scope,
        "correlation_key": key,
        "open_key": f"{scope}\n{key}" if state == "open" else None,
        "started_at": 5,
        "ended_at": ended,
        "opened_at": 6,
        "closed_at": closed,
        **dict.fromkeys(("title", "noticed_by", "first_shown"), "x"),
        "class_name": "outage",
        "severity": "high",
        "priority": "P2",
        "symptom": "down",
        "detected_by": "internal monitor",
    }
    number = insert("incident", incident)
    for client in ("northwind", "contoso"):
        words = ("client_name", "timezone", "language", "mailbox", "liaison_name", "liaison_address", "liaison_title")
        affected = {**dict.fromkeys((*words, "liaison_phone", "plain"), "x"), "live": "auto"}
        insert("affected", {"incident_id": number, "client_key": client, **affected})
    return number


def insert(table: str, values: dict[str, object]) -> int:
    """A row, by the columns that there were; its id."""
    mark = "%s" if isinstance(tables.PROXY.obj, peewee.PostgresqlDatabase) else "?"
    marks = ", ".join([mark] * len(values))
    said = f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks}) RETURNING id"
    (number,) = tables.PROXY.execute_sql(said, tuple(values.values())).fetchone()
    return int(number)


class TestSignalsOfOldIncidents:
    @pytest.fixture
    def old(self, empty: DatabaseStore) -> DatabaseStore:
        """A store as the first tables left it."""
        assert Runner(tables.PROXY.obj, str(MIGRATIONS)).up(FIRST) == [FIRST]
        return empty

    def test_trouble_that_is_on_stays_on(self, old: DatabaseStore) -> None:
        """N.10: what a monitor had told before is known after: the same key again joins, its recovery ends it."""
        number = old_incident("nw-fs01")
        assert old.migrate() == [name for name in ALL_MIGRATIONS if name != FIRST]
        (signal,) = old.signals.of(number)
        first, second = old.records.affected_of(number)
        assert old.signals.newest("client:northwind", "nw-fs01") == signal
        assert (signal.incident_id, signal.affected_id, second.client_key) == (number, first.id, "contoso")
        assert (signal.thing, signal.family, signal.plain, signal.relapses) == ("nw-fs01", "", "", 0)
        incident = old.records.incident(number)
        assert signal.began_at == signal.began_said == signal.said_at == incident.started_at
        assert signal.ended_at is None
        with pytest.raises(peewee.IntegrityError), old.transaction():
            old.signals.put(
                NewSignal(
                    incident_id=number,
                    affected_id=None,
                    scope=signal.scope,
                    key=signal.key,
                    thing="",
                    family="",
                    plain="",
                    began_at=NOON,
                    said_at=NOON,
                )
            )

    def test_trouble_that_was_over_is_over(self, old: DatabaseStore) -> None:
        """S0.3: what was restored before goes on when it comes back soon."""
        number = old_incident("nw-fs01", "restored", ended=9)
        old.migrate()
        (signal,) = old.signals.of(number)
        assert signal.ended_at == signal.said_at == old.records.incident(number).ended_at
        with old.transaction():
            assert old.signals.reopen(signal.id, NOON).ended_at is None

    def test_what_was_closed_without_an_end_is_over(self, old: DatabaseStore) -> None:
        """S3.1: an incident that was debriefed while its trouble was on is history: new trouble is a new incident."""
        number = old_incident("nw-fs01", "closed", closed=9)
        old.migrate()
        (signal,) = old.signals.of(number)
        assert signal.ended_at == old.records.incident(number).closed_at

    def test_what_a_person_opened_is_no_monitors(self, old: DatabaseStore) -> None:
        """S4.3: no monitor ever told of what a person opened, so nothing may wait for its recovery."""
        people, monitor = old_incident("mail:7"), old_incident("mail server")
        old.migrate()
        assert old.signals.of(people) == []
        assert len(old.signals.of(monitor)) == 1

    def test_what_there_was_is_as_it_was(self, old: DatabaseStore) -> None:
        """N.10: clients of an old incident have no trouble, ticket or symptom of their own; it is not merged."""
        number = old_incident("nw-fs01")
        old.migrate()
        assert old.records.incident(number).merged_into is None
        for affected in old.records.affected_of(number):
            assert (affected.symptom, affected.started_at, affected.ended_at) == ("", None, None)
            assert (affected.me_too, affected.ticket) == (0, "")


class TestTables:
    @pytest.mark.parametrize("row", [*tables.ALL, *signal_tables.ALL], ids=lambda row: str(row._meta.table_name))
    def test_each_table_is_as_the_program_sees_it(self, store: DatabaseStore, row: Any) -> None:
        """tables.py: the same names, the same order of NULL and NOT NULL, and types that hold what is put there."""
        there = {c.name: c for c in tables.PROXY.get_columns(row._meta.table_name)}
        assert set(there) == set(row._meta.columns)
        for name, field in row._meta.columns.items():
            column = there[name]
            assert column.primary_key is field.primary_key, name
            if not field.primary_key:
                assert column.null is field.null, name
            bare = re.sub(r"\(.*\)", "", column.data_type)
            assert bare in TYPES[field.field_type], f"{name}: {column.data_type} for {field.field_type}"
            if isinstance(field, peewee.CharField) and (length := re.search(r"\d+", column.data_type)):
                assert int(length[0]) == field.max_length, name
            if field.unique:
                assert unique([name], row._meta.table_name), name

    def test_no_table_is_without_a_model(self, store: DatabaseStore) -> None:
        """tables.py: what the migrations made is all known to the program."""
        known = {row._meta.table_name for row in (*tables.ALL, *signal_tables.ALL, *times.ALL)} | {"schema_migration"}
        assert set(tables.PROXY.get_tables()) - {"sqlite_sequence"} == known

    @pytest.mark.parametrize(
        ("table", "columns"),
        [
            ("incident", ["open_key"]),
            ("signal", ["open_key"]),
            ("lesson", ["active_key"]),
            ("maintenance", ["inbound_id"]),
            ("letter", ["idempotency_key"]),
            ("letter", ["tag_id"]),
            ("inbound", ["hash"]),
            ("place", ["folder_id", "uid"]),
            ("folder", ["mailbox", "name", "uidvalidity"]),
            ("promise", ["affected_id", "kind", "what"]),
            ("draft", ["affected_id", "version"]),
        ],
    )
    def test_the_database_itself_keeps_keys_unique(self, store: DatabaseStore, table: str, columns: list[str]) -> None:
        """DESIGN 3: idempotency by unique keys in the database, not by care."""
        assert unique(columns, table)

    def test_a_record_cannot_hang_on_nothing(self, store: DatabaseStore) -> None:
        """DESIGN 2: foreign keys are on, on both databases."""
        with pytest.raises(peewee.IntegrityError), store.transaction():
            store.records.note(4711, Entry(at=NOON, what="x", author="", text=""))


class TestSqlite:
    def test_the_disk_is_used_as_carefully_as_promised(self, sqlite_url: str) -> None:
        """DESIGN 2: WAL, synchronous FULL, foreign keys on."""
        store = connect(sqlite_url)
        try:
            asked = [tables.PROXY.pragma(name) for name in ("journal_mode", "synchronous", "foreign_keys")]
            assert asked == ["wal", 2, 1]
        finally:
            store.disconnect()

    def test_a_folder_instead_of_a_file(self, tmp_path: Path) -> None:
        """DESIGN 3: exit 2 with one line that names the file."""
        (tmp_path / "mailflow.db").mkdir()
        with refused(f"sqlite:///{tmp_path / 'mailflow.db'}") as said:
            assert str(tmp_path / "mailflow.db") in said[0]

    def test_a_file_that_is_no_database(self, tmp_path: Path) -> None:
        """DESIGN 3: a file of something else is refused and left as it was."""
        file = tmp_path / "mailflow.db"
        file.write_bytes(b"Dear diary, " * 1000)
        with refused(f"sqlite:///{file}") as said:
            assert str(file) in said[0]
            assert "not a database" in said[0]
        assert file.read_bytes() == b"Dear diary, " * 1000

    def test_a_folder_that_is_not_there(self, tmp_path: Path) -> None:
        """DESIGN 3: one line; no folder is made up for a database that was misspelt."""
        with refused(f"sqlite:///{tmp_path / 'nowhere' / 'mailflow.db'}") as said:
            assert "nowhere" in said[0]
        assert not (tmp_path / "nowhere").exists()

    def test_a_file_instead_of_a_folder(self, tmp_path: Path) -> None:
        """DESIGN 3: exit 2 where no database can be made, with the system's own word for it."""
        (tmp_path / "data").write_text("a file")
        with refused(f"sqlite:///{tmp_path / 'data' / 'mailflow.db'}") as said:
            assert "Not a directory" in said[0]


def test_another_kind_of_database_is_unknown() -> None:
    """store.url: only what the house knows, said with what it knows."""
    with pytest.raises(StoreError, match=r"mysql:// is unknown; use sqlite:/// or postgresql://"):
        DatabaseStore("mysql://x/y")


def test_a_full_disk_is_said_in_its_own_words(migrated_sqlite: Path, tmp_path: Path) -> None:
    """DESIGN 3: SQLite has taken the transaction back by itself; that this cannot be done twice is nobody's news."""
    path = tmp_path / "mailflow.db"
    shutil.copy(migrated_sqlite, path)
    store = connect(f"sqlite:///{path}")
    (pages,) = tables.PROXY.execute_sql("PRAGMA page_count").fetchone()
    tables.PROXY.execute_sql(f"PRAGMA max_page_count = {pages + 1}")
    with pytest.raises(StoreError, match=r"^database: database or disk is full$"), store.transaction():
        store.control.set("switch", "x" * 1_000_000)
    store.disconnect()


@pytest.mark.servers
class TestPostgresGone:
    def test_a_lost_database_is_trouble_that_passes(self, postgres: Postgres, postgres_store: DatabaseStore) -> None:
        """DESIGN 3: whatever is being done when the database goes is a StoreError that may pass, and it does."""
        store = postgres_store
        incident, _ = opened(store)
        line = Entry(at=NOON, what="note", author="x", text="x")

        def write() -> None:
            with store.transaction():
                store.records.note(incident.id, line)

        def write_in_a_savepoint() -> None:
            with store.transaction(), store.transaction():
                store.records.note(incident.id, line)

        def read() -> None:
            store.records.incident(incident.id)

        def own() -> None:
            store.control.own_mailbox(NOC)

        for work in (write, write_in_a_savepoint, read, own):
            work()
            before = len(store.records.timeline(incident.id))
            postgres.daemon.stop()
            try:
                for _ in range(2):  # on the connection that died, and on none
                    with pytest.raises(StoreError) as error:
                        work()
                    assert not error.value.configuration, work.__name__
                    assert "\n" not in str(error.value)
            finally:
                postgres.daemon.start()
            assert len(store.records.timeline(incident.id)) == before
            work()

    def test_a_database_lost_within_a_transaction_undoes_it(
        self, postgres: Postgres, postgres_store: DatabaseStore
    ) -> None:
        """DESIGN 1.5: half a transaction is none, inside a savepoint too, and the next one works."""
        store = postgres_store
        incident, _ = opened(store)
        line = Entry(at=NOON, what="note", author="x", text="x")
        try:
            with pytest.raises(StoreError) as error, store.transaction():  # noqa: PT012 - what fails is the transaction
                store.records.note(incident.id, line)
                postgres.daemon.stop()
                with store.transaction():
                    store.records.note(incident.id, line)
            assert not error.value.configuration
        finally:
            postgres.daemon.stop()
            postgres.daemon.start()
        assert store.records.timeline(incident.id) == []
        with store.transaction():
            store.records.note(incident.id, line)
        assert store.records.timeline(incident.id) == [line]

    def test_a_database_that_is_not_up_yet_is_trouble_that_passes(self, postgres: Postgres) -> None:
        """DESIGN 3: a machine that boots before its database tries again (exit 1), it does not give up (exit 2)."""
        postgres.daemon.stop()
        try:
            with refused(postgres.url, configuration=False) as said:
                assert str(postgres.port) in said[0]
        finally:
            postgres.daemon.start()
