"""The daemon as a process of its own: how soon it waits for mail, and what waiting costs."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.road import resident
from bench.servers import Servers, Wire, servers
from bench.world import config

PATIENCE = 120.0  # seconds
IDLE_FOR = 20.0
OLD = 20_000
STARTS = 3
ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, kw_only=True)
class Daemon:
    """What the process did."""

    started: float  # ms from exec to the IMAP server seeing IDLE, the best of some
    cpu: float  # % of one core while nothing happens
    resident: float  # MB meanwhile
    old: float  # seconds from exec to IDLE, with OLD mails there at the first sight of the folder
    old_fetches: int  # FETCH commands meanwhile


def daemon(folder: Path) -> Daemon:
    """Start it some times, let it idle, start it on a full inbox."""
    with servers() as there:
        starts = []
        for number in range(STARTS - 1):
            with _run(folder / f"start{number}", there) as (_, _, took):
                starts.append(took)
        with _run(folder / "idle", there) as (process, _, took):
            starts.append(took)
            time.sleep(2)  # what a start leaves behind is not idling
            before = _cpu(process.pid)
            time.sleep(IDLE_FOR)
            cpu, memory = (_cpu(process.pid) - before) / IDLE_FOR, resident(process.pid)
        there.fill(1, OLD)
        with _run(folder / "old", there) as (_, wire, old):
            return Daemon(started=min(starts) * 1000, cpu=cpu * 100, resident=memory, old=old, old_fetches=wire.fetches)


@contextmanager
def _run(folder: Path, there: Servers) -> Iterator[tuple[subprocess.Popen[bytes], Wire, float]]:
    """`mailflow run` on a new data folder, once it idles, and the seconds until then."""
    wire = Wire(there.imap_port)
    path = config(folder, imap_port=wire.port, smtp_port=there.smtp_port)
    command = [sys.executable, "-m", "mailflow.cli.main", "run", "--config", str(path)]
    began = time.perf_counter()
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL) as process:  # noqa: S603 - our own program
        try:
            if not wire.idling.wait(PATIENCE):
                raise TimeoutError(f"no IDLE within {PATIENCE:.0f} seconds")
            yield process, wire, time.perf_counter() - began
        finally:
            process.terminate()
            process.wait(PATIENCE)
            wire.close()


def _cpu(process: int) -> float:
    """Seconds of processor time so far, in user and kernel."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
