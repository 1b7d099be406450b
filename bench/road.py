"""The road in and the road out, in this process: drain an inbox, flush the outbox."""

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.servers import servers
from bench.world import ALERTS, config
from mailflow.adapters.imap.session import connect
from mailflow.adapters.smtp.courier import SmtpCourier
from mailflow.app import App
from mailflow.config.load import load

WARM = 100  # alerts and letters before anything is measured
ROUNDS = 3
STORM = 10_000  # alerts


@dataclass(frozen=True, kw_only=True)
class Road:
    """What one round of ALERTS cost."""

    drained: float  # mails a second, from the look to recorded and filed
    flushed: float  # letters a second
    drain_cpu: float  # ms a mail
    flush_cpu: float  # ms a letter
    letters: int
    resident: float  # MB after the round


def rounds(folder: Path, watch: Callable[[Callable[[], object]], object] = lambda work: work()) -> list[Road]:
    """Drain and flush some rounds in one process; `watch` may profile each."""
    with servers() as there:
        app = App(load(config(folder, imap_port=there.imap_port, smtp_port=there.smtp_port), {}), environ={})
        (mailbox,) = app.setup.mailboxes
        inbox = connect(app.accounts[mailbox.address].imap)
        courier = SmtpCourier(app.accounts[mailbox.address].smtp)
        reception, epoch = app.receptions[mailbox.address], app.store.control.own_mailbox(mailbox.address)
        assert epoch is not None
        reception.look(inbox, epoch, full=True)  # the folder's first sight

        def drain() -> None:
            while reception.look(inbox, epoch, full=False):
                pass

        def flush() -> int:
            return app.dispatcher.flush(courier, mailbox.address)

        there.fill(1, WARM)
        drain()
        flush()
        found = []
        for number in range(ROUNDS):
            there.fill(WARM + 1 + number * ALERTS)
            drain_took, drain_cpu = _timed(lambda: watch(drain))
            done = app.store.mailroom.counts()["processed"]
            assert done == WARM + (number + 1) * ALERTS, done
            sent: list[int] = []
            flush_took, flush_cpu = _timed(lambda into=sent: watch(lambda: into.append(flush())))  # type: ignore[misc]
            gc.collect()
            found.append(
                Road(
                    drained=ALERTS / drain_took,
                    drain_cpu=drain_cpu / ALERTS * 1000,
                    flushed=sent[0] / flush_took,
                    flush_cpu=flush_cpu / sent[0] * 1000,
                    letters=sent[0],
                    resident=resident("self"),
                )
            )
        courier.close()
        inbox.close()
        app.store.disconnect()
    return found


@dataclass(frozen=True, kw_only=True)
class Storm:
    """What many alerts of one kind cost, all in one incident."""

    first: float  # ms of processor time a mail, of the first ALERTS
    last: float  # and of the last
    letters: int  # to clients


def storm(folder: Path) -> Storm:
    """STORM alerts of every client, as one incident."""
    with servers() as there:
        path = config(folder, imap_port=there.imap_port, smtp_port=there.smtp_port, storm_count=3)
        app = App(load(path, {}), environ={})
        (mailbox,) = app.setup.mailboxes
        inbox = connect(app.accounts[mailbox.address].imap)
        courier = SmtpCourier(app.accounts[mailbox.address].smtp)
        reception, epoch = app.receptions[mailbox.address], app.store.control.own_mailbox(mailbox.address)
        assert epoch is not None
        reception.look(inbox, epoch, full=True)
        spent = []
        for number in range(STORM // ALERTS):
            there.fill(1 + number * ALERTS)
            spent.append(_timed(lambda: reception.look(inbox, epoch, full=False))[1])
        incidents = [i for i, _ in app.store.records.incidents(running_only=True, limit=STORM)]
        assert len(incidents) == 1, incidents
        app.dispatcher.flush(courier, mailbox.address)
        told = app.store.records.audience(incidents[0].id)
        courier.close()
        inbox.close()
        app.store.disconnect()
    return Storm(first=spent[0] / ALERTS * 1000, last=spent[-1] / ALERTS * 1000, letters=len(told))


def resident(process: int | str) -> float:
    """Resident memory of a process in MB."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds, and seconds of processor time."""
    began, spent = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - began, time.process_time() - spent
