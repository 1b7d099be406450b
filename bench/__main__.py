"""`python -m bench`: measure, and show a table. `--json` prints the figures instead; exit 1 where a bound is broken."""

import argparse
import json
import logging
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import structlog
from rich.console import Console
from rich.table import Table

from bench.daemon import IDLE_FOR, OLD, daemon
from bench.due import due_times
from bench.reading import ROWS, reading
from bench.records import OPENED, YEARS, records
from bench.road import STORM, rounds, storm
from bench.world import ALERTS, CLIENTS
from bench.year import CLIENTS as FIRMS
from bench.year import INCIDENTS, year


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One thing measured, and what it must keep to."""

    name: str
    value: float
    unit: str
    at_most: float | None = None
    at_least: float | None = None

    @property
    def kept(self) -> bool:
        """Whether the bounds are kept."""
        too_much = self.at_most is not None and self.value > self.at_most
        return not too_much and (self.at_least is None or self.value >= self.at_least)

    @property
    def bound(self) -> str:
        """The bound and whether it is kept; empty where there is none."""
        bounds = [f"{limit:,g}" for limit in (self.at_most, self.at_least) if limit is not None]
        return f"{'kept' if self.kept else 'BROKEN'}: {bounds[0]}" if bounds else ""


def of_the_daemon(folder: Path) -> Iterator[Figure]:
    """Starting and waiting."""
    found = daemon(folder)
    yield Figure(name="start, from exec to the first IDLE", value=found.started, unit="ms", at_most=2000)
    yield Figure(name=f"idle, of one core over {IDLE_FOR:.0f} s", value=found.cpu, unit="%", at_most=2)
    yield Figure(name="idle, resident memory", value=found.resident, unit="MB", at_most=150)
    yield Figure(name=f"first start with {OLD:,} old mails, to IDLE", value=found.old, unit="s")
    yield Figure(name="of these, FETCH commands", value=found.old_fetches, unit="", at_most=0)


def of_the_road(folder: Path) -> Iterator[Figure]:
    """Draining and flushing, the same number of alerts each time, all in one process."""
    first, *_, last = found = rounds(folder)
    yield Figure(name=f"{ALERTS:,} alerts drained, recorded and filed", value=max(r.drained for r in found), unit="/s")
    yield Figure(name="the same, processor time", value=min(r.drain_cpu for r in found), unit="ms each")
    yield Figure(name=f"{last.letters:,} letters sent", value=max(r.flushed for r in found), unit="/s")
    yield Figure(name="the same, processor time", value=min(r.flush_cpu for r in found), unit="ms each")
    yield Figure(name="resident memory after one round", value=first.resident, unit="MB")
    growth = last.resident - first.resident
    yield Figure(name=f"its growth over {len(found) - 1} more", value=growth, unit="MB", at_most=5)


def of_a_storm(folder: Path) -> Iterator[Figure]:
    """Everything of every client at once."""
    found = storm(folder)
    yield Figure(name=f"a storm's first {ALERTS:,} alerts, processor time", value=found.first, unit="ms each")
    yield Figure(name=f"the last {ALERTS:,} of {STORM:,}", value=found.last, unit="ms each", at_most=2 * found.first)
    yield Figure(name=f"letters to its {CLIENTS} clients", value=found.letters, unit="", at_most=CLIENTS)


def of_reading(folder: Path) -> Iterator[Figure]:
    """Understanding."""
    found = reading(folder)
    yield Figure(name="reading an alert", value=found.alert, unit="ms", at_most=2)
    yield Figure(name="reading an alert, mean of all tools' mails", value=found.every, unit="ms", at_most=2)
    yield Figure(
        name=f"writing a digest of 1,000 late promises, {ROWS} shown", value=found.digest, unit="ms", at_most=50
    )
    yield Figure(name="reading a reply and aligning it with its form", value=found.reply, unit="ms", at_most=10)


def of_due_times(folder: Path) -> Iterator[Figure]:
    """Working time."""
    found = due_times(folder)
    yield Figure(name="due times", value=found.plain, unit="/s", at_least=10_000)
    yield Figure(name="due times with a pause and another priority", value=found.paused, unit="/s", at_least=10_000)


def of_the_records(folder: Path) -> Iterator[Figure]:
    """The database when new, and after years."""
    small, large = records(folder)
    for when, found in ((f"{OPENED:,} incidents", small), (f"{YEARS:,} incidents", large)):
        yield Figure(name=f"{when}: incidents opened, 50 a commit", value=found.opened, unit="/s")
        yield Figure(name=f"{when}: finding a key's incident", value=found.lookup, unit="ms", at_most=5)
        within = {"at_most": 2 * small.tick} if found is large else {"at_most": 100.0}
        yield Figure(name=f"{when}: one sweep", value=found.tick, unit="ms", **within)
        late = 2 * small.overdue if found is large else None
        yield Figure(name=f"{when}: {OPENED:,} late promises", value=found.overdue, unit="ms", at_most=late)
        yield Figure(name=f"{when}: one cap", value=found.caps, unit="ms")
        yield Figure(name=f"{when}: which letters are due", value=found.lease, unit="ms")


def of_a_year(folder: Path) -> Iterator[Figure]:
    """What time alone brings."""
    found = year(folder)
    yield Figure(name=f"a year of {FIRMS} clients and {INCIDENTS:,} incidents", value=found.seconds, unit="s")
    yield Figure(name="its ticks", value=1000 * found.seconds / found.ticks, unit="ms each")
    yield Figure(name="reminders sent", value=found.reminders, unit="")
    yield Figure(name="digests and lists", value=found.digests, unit="")
    yield Figure(name="of all that was due, missed", value=found.missed, unit="", at_most=0)
    yield Figure(name="and twice", value=found.twice, unit="", at_most=0)


PARTS: dict[str, Callable[[Path], Iterator[Figure]]] = {
    "daemon": of_the_daemon,
    "road": of_the_road,
    "storm": of_a_storm,
    "reading": of_reading,
    "due": of_due_times,
    "records": of_the_records,
    "year": of_a_year,
}


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"only these of {', '.join(PARTS)}")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    asked = parser.parse_args()
    if unknown := set(asked.parts) - PARTS.keys():
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    figures: list[Figure] = []
    for name in asked.parts or PARTS:
        print(f"measuring: {name}", file=sys.stderr)
        with tempfile.TemporaryDirectory(prefix="mailflow-bench-") as folder:
            figures += PARTS[name](Path(folder) / name)
    if asked.json:
        print(json.dumps([vars(f) | {"kept": f.kept} for f in figures], indent=2))
    else:
        table = Table("what", "", "", "bound")
        table.columns[1].justify = "right"
        for f in figures:
            table.add_row(f.name, f"{f.value:,.1f}", f.unit, f.bound)
        Console().print(table)
    return 0 if all(f.kept for f in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
