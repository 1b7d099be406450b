"""The threads of the daemon: one for each mailbox, one for the outbox, one for the bell.

They talk through the store; events only hasten. A runner ends only by being stopped, or by a bug of ours, which ends
the process: whatever the world does to a mailbox pauses that mailbox alone.
"""

import shutil
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

import structlog

from mailflow.adapters.imap.idle import IDLE_CAP
from mailflow.adapters.ticker import Ticker
from mailflow.engine.clock import Clock
from mailflow.engine.courier import Courier
from mailflow.engine.deliver import AccountError, Dispatcher
from mailflow.engine.inbox import Inbox, InboxTrouble
from mailflow.engine.mailroom import LostMailboxError
from mailflow.engine.prove import prove
from mailflow.engine.receive import Reception
from mailflow.engine.setup import MailboxSetup
from mailflow.engine.store import Store, StoreError

log = structlog.get_logger()

FULL_LOOK = 3600.0  # seconds between two comparisons of all UIDs
LOOK_AGAIN = 5.0  # seconds between two looks at the store
PERMANENT = (60.0, 1800.0)  # first and longest pause after a refused login or a missing folder
PASSING = (1.0, 60.0)  # after a lost connection
HEARTBEAT = 60.0  # seconds between two signs of life while nothing can be done
FREE_SPACE = 200_000_000  # bytes below which nothing is fetched: the database must still be able to write


class Backoff:
    """How long to wait after trouble: doubled each time, forgotten after success. Monotonic seconds."""

    def __init__(self) -> None:
        self._last = 0.0

    def next(self, first: float, longest: float) -> float:
        """The next pause."""
        self._last = min(longest, max(first, self._last * 2))
        return self._last

    def clear(self) -> None:
        """After success."""
        self._last = 0.0


class Runner(ABC):
    """A named thread with a heartbeat."""

    def __init__(self, name: str, stopping: threading.Event, broken: Callable[[str], None]) -> None:
        self.name = name
        self.beat = time.monotonic()
        self._stopping, self._broken = stopping, broken
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def join(self, seconds: float) -> bool:
        """Wait for the end; whether it came."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    @abstractmethod
    def hasten(self) -> None:
        """Look now; from any thread."""

    @abstractmethod
    def work(self) -> None:
        """Until stopped."""

    def _run(self) -> None:
        try:
            self.work()
        except Exception:
            log.exception("a bug stopped this runner, and so the daemon", runner=self.name)
            self._broken(self.name)


class MailboxRunner(Runner):
    """Reads one mailbox."""

    def __init__(
        self,
        mailbox: MailboxSetup,
        *,
        store: Store,
        connect: Callable[[], Inbox],
        reception: Callable[[], Reception],
        clock: Clock,
        data_dir: Path,
        after: Callable[[], None],
        page: Callable[[MailboxSetup, str], None],
        stopping: threading.Event,
        broken: Callable[[str], None],
    ) -> None:
        super().__init__(f"mailbox {mailbox.address}", stopping, broken)
        self._mailbox, self._store, self._connect, self._reception = mailbox, store, connect, reception
        self._clock, self._data_dir, self._after, self._page = clock, data_dir, after, page
        self._inbox: Inbox | None = None
        self._pause = threading.Event()
        self._renewed = threading.Event()
        self.address = mailbox.address
        self.waiting = threading.Event()  # set while it waits for mail: everything there has been seen

    def hasten(self) -> None:
        """End the wait for mail; a pause after trouble goes on, unless we are to stop."""
        if inbox := self._inbox:
            inbox.wake()
        if self._stopping.is_set():
            self._pause.set()

    def retry(self) -> None:
        """End a pause after trouble, and connect anew, by the account as it is now."""
        self._renewed.set()
        self._pause.set()
        self.hasten()

    def work(self) -> None:
        """Connect, look, wait, until stopped; trouble pauses this mailbox alone."""
        backoff, paged = Backoff(), False
        while not self._stopping.is_set():
            try:
                self._session(backoff)
                paged = False
                continue
            except InboxTrouble as trouble:
                seconds = backoff.next(*(PERMANENT if trouble.permanent else PASSING))
                log.warning("inbox trouble", mailbox=self._mailbox.address, what=trouble.what, said=str(trouble))
                if trouble.permanent and not paged:
                    paged = True
                    self._page(self._mailbox, str(trouble))
            except LostMailboxError as lost:
                seconds = LOOK_AGAIN
                log.warning("mailbox lost", mailbox=self._mailbox.address, said=str(lost))
            except StoreError as trouble:
                seconds = backoff.next(*PASSING)
                log.warning("store trouble", said=str(trouble))
            finally:
                self.waiting.clear()
                self._close()
            self._rest(seconds)
        self._store.disconnect()

    def _rest(self, seconds: float) -> None:
        """Pause after trouble; the heart beats on, for the pause may be longer than a dead runner's silence."""
        ends = time.monotonic() + seconds
        while not self._stopping.is_set() and (left := ends - time.monotonic()) > 0:
            self.beat = time.monotonic()
            if self._pause.wait(min(left, HEARTBEAT)):
                self._pause.clear()
                return

    def _session(self, backoff: Backoff) -> None:
        """One connection's life."""
        epoch = self._store.control.own_mailbox(self._mailbox.address)
        if epoch is None:
            self._rest(LOOK_AGAIN)  # another machine reads it; it may die
            return
        self._renewed.clear()
        self._inbox = inbox = self._connect()
        last_full = None
        while not self._stopping.is_set() and not self._renewed.is_set():
            self.beat = time.monotonic()
            full = last_full is None or self.beat - last_full > FULL_LOOK
            if self._room():
                taken = self._reception().look(inbox, epoch, full=full)
                setup = self._reception().setup
                prove(self._store, setup, inbox, setup.mailbox(self.address), self._clock)
                last_full = self.beat if full else last_full
                backoff.clear()
                self._after()  # also when nothing was new: what a crash had left was decided now
                if taken:
                    continue  # more may have come meanwhile
            self.waiting.set()
            inbox.wait(IDLE_CAP)
            self.waiting.clear()

    def _room(self) -> bool:
        free = shutil.disk_usage(self._data_dir).free
        if free < FREE_SPACE:
            log.error("disk nearly full, nothing is fetched", free_mb=free // 1_000_000, folder=str(self._data_dir))
            self._page(self._mailbox, f"the disk of {self._data_dir} is nearly full, so no mail is fetched")
        return free >= FREE_SPACE

    def _close(self) -> None:
        inbox, self._inbox = self._inbox, None
        if inbox:
            inbox.close()


class OutboxRunner(Runner):
    """Sends what is due, for all mailboxes."""

    def __init__(
        self,
        *,
        store: Store,
        dispatcher: Callable[[], Dispatcher],
        couriers: Callable[[], dict[str, Courier]],
        page: Callable[[str, str], None],
        alone: bool,
        stopping: threading.Event,
        broken: Callable[[str], None],
    ) -> None:
        super().__init__("outbox", stopping, broken)
        self._store, self._dispatcher, self._make, self._page = store, dispatcher, couriers, page
        self._alone = alone
        self._hastened = threading.Event()
        self._renew = threading.Event()
        self._take_couriers()

    def hasten(self) -> None:
        """Look now."""
        self._hastened.set()

    def retry(self) -> None:
        """End every pause, and log in by the accounts as they are now."""
        self._renew.set()
        self._hastened.set()

    def work(self) -> None:
        """Until stopped: what dead senders left, then what is due."""
        recovered = None
        try:
            while not self._stopping.is_set():
                self.beat = time.monotonic()
                if self._renew.is_set():
                    self._renew.clear()
                    self._close()
                    self._take_couriers()
                try:
                    if recovered is None or self.beat - recovered > 60:
                        # Alone on this database, whatever is leased at the start was leased by the dead.
                        self._dispatcher().recover(all_owners=self._alone and recovered is None)
                        recovered = self.beat
                    for address, courier in self._couriers.items():
                        self._flush(address, courier)
                except StoreError as trouble:
                    log.warning("store trouble", said=str(trouble))
                self._hastened.wait(LOOK_AGAIN)
                self._hastened.clear()
        finally:
            self._close()
            self._store.disconnect()

    def _take_couriers(self) -> None:
        self._couriers = self._make()
        self._paused_until = dict.fromkeys(self._couriers, 0.0)
        self._backoff = {address: Backoff() for address in self._couriers}

    def _close(self) -> None:
        for courier in self._couriers.values():
            courier.close()

    def _going_on(self) -> bool:
        """Asked between two letters: a long queue is no dead runner, and no reason to be late for a stop."""
        self.beat = time.monotonic()
        return not self._stopping.is_set()

    def _flush(self, address: str, courier: Courier) -> None:
        if time.monotonic() < self._paused_until[address]:
            return
        try:
            self._dispatcher().flush(courier, address, self._going_on)
            self._backoff[address].clear()
        except AccountError as trouble:
            seconds = self._backoff[address].next(*PERMANENT)
            self._paused_until[address] = time.monotonic() + seconds
            log.warning("sending paused", mailbox=address, seconds=int(seconds), said=str(trouble))
            self._page(address, str(trouble))


class BellRunner(Runner):
    """Rings the bell: sweeps what is due, and wakes the others."""

    def __init__(
        self,
        *,
        store: Store,
        ring: Callable[[], None],
        stopping: threading.Event,
        broken: Callable[[str], None],
    ) -> None:
        super().__init__("ticker", stopping, broken)
        self._store, self._ring = store, ring
        self._ticker = Ticker(self._guarded)

    def hasten(self) -> None:
        """Ring now."""
        self._ticker.hasten()

    def work(self) -> None:
        """Until stopped."""
        self._ticker.run(self._stopping)
        self._store.disconnect()

    def _guarded(self) -> None:
        self.beat = time.monotonic()
        try:
            self._ring()
        except StoreError as trouble:
            log.warning("store trouble", said=str(trouble))
