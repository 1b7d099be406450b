"""A real PostgreSQL for a test run, with as many empty databases as the tests ask for."""

import itertools
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.servers.daemon import HOST, Daemon, as_user, folder_for, free_ports, program, run_as, run_once

PACKAGES = "postgresql"
OWNER = "mailflow"
# Nobody will miss this data, and a test wants its commits quick; connections come by TCP alone.
SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
}


@dataclass(frozen=True, kw_only=True)
class Postgres:
    """A running PostgreSQL. `daemon.stop()` and `daemon.start()` take it away and give it back, data and all."""

    host: str
    port: int
    url: str  # of the database that every test may share
    psql: str
    daemon: Daemon
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1), repr=False)

    def url_of(self, database: str) -> str:
        """The address of `database`; no password, since connections from this machine are trusted."""
        return f"postgresql://{OWNER}@{self.host}:{self.port}/{database}"

    def run(self, statement: str) -> str:
        """Run one statement as the superuser and give what psql prints, bare."""
        return run_once([self.psql, "-XAtqc", statement, self.url_of("postgres")], statement)

    def create_database(self) -> str:
        """A new empty database; its address."""
        name = f"test_{next(self._numbers)}"
        self.run(f"create database {name}")
        return self.url_of(name)

    def drop_database(self, url: str) -> None:
        """Take it away, whoever is still connected."""
        self.run(f"drop database {url.rpartition('/')[2]} with (force)")


def newest_first() -> list[str]:
    """Where Debian keeps the programs of each version, which are not in PATH."""
    versions = Path("/usr/lib/postgresql").glob("*/bin")
    return [str(place) for place in sorted(versions, key=lambda place: int(place.parent.name), reverse=True)]


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """A PostgreSQL that runs while the block does. Root starts it as postgres; anybody else as themselves."""
    places = newest_first()
    initdb, postgres = (program(name, "PostgreSQL", PACKAGES, *places) for name in ("initdb", "postgres"))
    psql, is_ready = (
        program(name, "PostgreSQL's client", "postgresql-client", *places) for name in ("psql", "pg_isready")
    )
    user = run_as("postgres")
    (port,) = free_ports(1)
    with folder_for("postgres", user) as folder:
        data = folder / "data"
        layout = ["-D", str(data), "-U", OWNER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
        run_once([*as_user(user), initdb, *layout], "initdb")
        settings = [argument for name, value in SETTINGS.items() for argument in ("-c", f"{name}={value}")]
        daemon = Daemon(
            name="PostgreSQL",
            # INT is its fast shutdown; on TERM it would wait until every client has gone. After a start its port takes
            # connections before it answers questions, hence `ready`.
            command=[*as_user(user, "INT"), postgres, "-D", str(data), "-p", str(port), *settings],
            log=folder / "log",
            ports=[port],
            ready=lambda: subprocess.run([is_ready, "-qh", HOST, "-p", str(port)], cwd="/").returncode == 0,
            stop_signal=signal.SIGINT,
        )
        url = f"postgresql://{OWNER}@{HOST}:{port}/mailflow"
        server = Postgres(host=HOST, port=port, url=url, psql=psql, daemon=daemon)
        try:
            daemon.start()
            server.run("create database mailflow")
            yield server
        finally:
            daemon.stop()
