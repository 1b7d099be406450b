"""The composition root: the one place that builds everything, owns the clock and the key, and runs the runners."""

import fcntl
import os
import secrets
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import IO

import structlog

from mailflow.adapters import systemd
from mailflow.adapters.imap.session import connect as connect_imap
from mailflow.adapters.smtp.courier import SmtpCourier
from mailflow.adapters.store.database import DatabaseStore
from mailflow.adapters.store.database import connect as connect_store
from mailflow.build import accounts, build_setup, prepared, token_key
from mailflow.config.load import ConfigurationError, Loaded, load
from mailflow.domain.letters import JSON
from mailflow.engine.clock import Clock
from mailflow.engine.courier import Courier
from mailflow.engine.deliver import AccountError, Dispatcher
from mailflow.engine.inbox import Inbox, InboxTrouble
from mailflow.engine.post import Post
from mailflow.engine.prove import prove
from mailflow.engine.receive import Reception
from mailflow.engine.setup import MailboxSetup, Setup
from mailflow.engine.store import StoreError
from mailflow.engine.sweep import Sweep
from mailflow.intake.recipes import RecipeError
from mailflow.runners import BellRunner, MailboxRunner, OutboxRunner, Runner
from mailflow.writing.compose import self_test
from mailflow.writing.render import TemplateError
from mailflow.writing.words import WordsError

log = structlog.get_logger()

LOCK_FILE = "mailflow.lock"
PROOF_EVERY = 60.0  # seconds between two searches of Sent for letters that nobody can vouch for
# Seconds for what is under way at a stop: a letter whose last dot was sent, and that nobody answered for, is one of
# which nobody knows whether it went. deploy/ gives the process a little more.
STOPS_WITHIN = 80.0
STALE_BEAT = 15 * 60.0  # seconds: longer than an IDLE, longer than the wait for a final dot


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The present, aware, in UTC."""
        return datetime.now(UTC)


class App:
    """A configured mailflow. The verbs use its parts; `run` runs them all."""

    def __init__(self, loaded: Loaded, *, environ: Mapping[str, str], clock: Clock | None = None) -> None:
        """ConfigurationError or StoreError where it cannot be built; nothing runs yet."""
        self_test()
        self.loaded, self._environ = loaded, environ
        self.clock: Clock = clock or SystemClock()
        self.data_dir = prepared(loaded.data_dir)
        self.store: DatabaseStore = connect_store(loaded.database_url)
        self.key = token_key(self.data_dir, anew=not self.store.outbox.letters(limit=1))
        self.setup = build_setup(loaded, self.key)
        self.accounts = {m.address: accounts(m, loaded, environ) for m in loaded.settings.mailboxes}
        self.owner = f"{os.uname().nodename}-{os.getpid()}-{secrets.token_hex(4)}"
        self.runners: list[Runner] = []
        self._stopping = threading.Event()
        self._broken = ""
        self._looked_for_proof = 0.0
        self._lock: IO[str] | None = None
        self._use_cases()

    def _use_cases(self) -> None:
        """The use cases of the present configuration."""
        setup, store, clock = self.setup, self.store, self.clock
        self.receptions = {m.address: Reception(store, setup, m, clock) for m in setup.mailboxes}
        self.dispatcher = Dispatcher(store, setup, clock, self.owner)
        self.sweep = Sweep(store, setup, clock)

    # --- the daemon ---

    def lock(self) -> None:
        """One `run` for each data folder; StoreError where there is one already."""
        self._lock = (self.data_dir / LOCK_FILE).open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            why = f"another mailflow runs on {self.data_dir} already; stop it, or use another data_dir"
            raise StoreError(why) from None

    def start(self) -> None:
        """Start all runners; returns at once."""
        stopping, broken = self._stopping, self._on_broken
        for mailbox in self.setup.mailboxes:
            self.runners.append(
                MailboxRunner(
                    mailbox,
                    store=self.store,
                    connect=self._connector(mailbox.address),
                    reception=self._current_reception(mailbox.address),
                    clock=self.clock,
                    data_dir=self.data_dir,
                    after=self._after_mail,
                    page=lambda m, said: self._page(m.address, said),
                    stopping=stopping,
                    broken=broken,
                )
            )
        self._outbox = OutboxRunner(
            store=self.store,
            dispatcher=lambda: self.dispatcher,
            couriers=self._couriers,
            page=self._page,
            alone=self.loaded.database_url.startswith("sqlite"),
            stopping=stopping,
            broken=broken,
        )
        self._bell = BellRunner(store=self.store, ring=self._ring, stopping=stopping, broken=broken)
        self.runners += [self._outbox, self._bell]
        for runner in self.runners:
            runner.start()

    def run(self) -> int:
        """The daemon until SIGTERM or SIGINT; SIGHUP reads the configuration again. The exit code."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stopping.set())
        reload = threading.Event()
        signal.signal(signal.SIGHUP, lambda *_: reload.set())
        self.lock()
        self.start()
        systemd.notify("READY=1")
        log.info("running", mailboxes=[m.address for m in self.setup.mailboxes], live=str(self.setup.policy.live))
        while not self._stopping.wait(1.0):
            if reload.is_set():
                reload.clear()
                self.reload()
            if all(time.monotonic() - runner.beat < STALE_BEAT for runner in self.runners):
                systemd.notify("WATCHDOG=1")
        systemd.notify("STOPPING=1")
        self.stop()
        log.info("stopped")
        return 1 if self._broken else 0

    def stop(self) -> None:
        """Let every runner finish what it is at; a letter on the wire is given its time."""
        self._stopping.set()
        for runner in self.runners:
            runner.hasten()
        ends = time.monotonic() + STOPS_WITHIN
        for runner in self.runners:
            if not runner.join(max(0.0, ends - time.monotonic())):
                log.warning("a runner did not end in time", runner=runner.name)
        self.store.disconnect()
        if self._lock:
            self._lock.close()

    def hasten(self) -> None:
        """Everybody looks now."""
        for runner in self.runners:
            runner.hasten()

    def reload(self) -> None:
        """Read the configuration again, whole; where anything is wrong, the old one stays."""
        systemd.notify(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")
        try:
            loaded = load(self.loaded.files[0], self._environ)
            setup = build_setup(loaded, self.key)
            self._refuse_what_needs_a_restart(loaded, setup)
            self.accounts = {m.address: accounts(m, loaded, self._environ) for m in loaded.settings.mailboxes}
        except (ConfigurationError, TemplateError, WordsError, RecipeError) as error:
            for problem in problems_of(error):
                log.error("not reloaded", problem=problem)
        else:
            self.loaded, self.setup = loaded, setup
            self._use_cases()
            for runner in self.runners:
                if isinstance(runner, MailboxRunner | OutboxRunner):
                    runner.retry()
            log.info("reloaded", files=len(loaded.files))
        systemd.notify("READY=1")

    def _refuse_what_needs_a_restart(self, loaded: Loaded, setup: Setup) -> None:
        same = [m.address for m in setup.mailboxes] == [m.address for m in self.setup.mailboxes]
        if not same or loaded.database_url != self.loaded.database_url or loaded.data_dir != self.loaded.data_dir:
            raise ConfigurationError(("mailboxes, store and data_dir are set at the start; restart for such a change",))

    def once(self) -> int:
        """Drain the inboxes, fire what is due, flush the outbox, and end. The exit code: 1 after any trouble."""
        self.lock()
        trouble, before = 0, Counter(self.store.mailroom.counts())
        self.dispatcher.recover(all_owners=self.loaded.database_url.startswith("sqlite"))
        for mailbox in self.setup.mailboxes:
            trouble |= self._drain(mailbox)
        self.sweep.tick()
        for address, account in self.accounts.items():
            courier = SmtpCourier(account.smtp)
            try:
                self.dispatcher.flush(courier, address)
            except AccountError as error:
                log.error("sending failed", mailbox=address, said=str(error))
                trouble = 1
            finally:
                courier.close()
        if not trouble:
            log.info("done", **(Counter(self.store.mailroom.counts()) - before))
        self.store.disconnect()
        return trouble

    def _drain(self, mailbox: MailboxSetup) -> int:
        epoch = self.store.control.own_mailbox(mailbox.address)
        if epoch is None:
            log.error("read by another process", mailbox=mailbox.address)
            return 1
        try:
            inbox = self._connector(mailbox.address)()
        except InboxTrouble as error:
            log.error("inbox trouble", mailbox=mailbox.address, what=error.what, said=str(error))
            return 1
        try:
            while self.receptions[mailbox.address].look(inbox, epoch, full=True):
                pass
            prove(self.store, self.setup, inbox, mailbox, self.clock)
        except InboxTrouble as error:
            log.error("inbox trouble", mailbox=mailbox.address, what=error.what, said=str(error))
            return 1
        finally:
            inbox.close()
        return 0

    def _connector(self, address: str) -> Callable[[], Inbox]:
        return lambda: connect_imap(self.accounts[address].imap)

    def _couriers(self) -> dict[str, Courier]:
        return {address: SmtpCourier(a.smtp) for address, a in self.accounts.items()}

    def _current_reception(self, address: str) -> Callable[[], Reception]:
        return lambda: self.receptions[address]

    def _ring(self) -> None:
        """What the bell is for: sweep, hasten the outbox, and wake readers for whom another process left work."""
        self.sweep.tick()
        self._outbox.hasten()
        look_for_proof = time.monotonic() - self._looked_for_proof > PROOF_EVERY
        for runner in self.runners:
            if not isinstance(runner, MailboxRunner):
                continue
            unproven = look_for_proof and self.store.outbox.unknown(runner.address)
            if unproven or self.store.mailroom.pending(runner.address):
                runner.hasten()
        if look_for_proof:
            self._looked_for_proof = time.monotonic()

    def _after_mail(self) -> None:
        self._outbox.hasten()

    def _page(self, address: str, said: str) -> None:
        """One mail to the administrator, by whatever way still works; at most one a mailbox and hour."""
        now = self.clock.now()
        values: dict[str, JSON] = {"mailbox": address, "said": said}
        others = [m.address for m in self.setup.mailboxes if m.address != address]
        try:
            with self.store.transaction():
                Post(self.store, self.setup).notice(
                    ["mailbox_trouble", values],
                    [["mailbox_trouble", values]],
                    self.setup.administrator,
                    key=f"trouble:{address}:{now:%Y-%m-%dT%H}",
                    now=now,
                    mailbox=others[0] if others else address,
                )
            self._outbox.hasten()
        except StoreError as error:
            log.warning("store trouble", said=str(error))

    def _on_broken(self, name: str) -> None:
        self._broken = name
        self._stopping.set()
        self.hasten()


def problems_of(error: Exception) -> tuple[str, ...]:
    """What is wrong, line by line."""
    return error.problems if isinstance(error, ConfigurationError) else (str(error),)
