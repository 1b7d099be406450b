"""The tests' own main: the real daemon, which kills itself where a test wants it to die.

The ports of a built App are wrapped from outside; production code knows nothing of it.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from mailflow.adapters.store.database import DatabaseStore
from mailflow.app import App
from mailflow.cli import logs
from mailflow.cli import main as cli
from mailflow.cli.options import loaded
from mailflow.domain.letters import Letter, LetterKind, LetterState
from mailflow.domain.mail import Reading
from mailflow.engine import spoken
from mailflow.intake.read import read

POISON = b"NW-MX01"  # what stands in the mail that kills its reader


@dataclass(frozen=True, kw_only=True)
class Order:
    """What a child process is to do."""

    config: Path
    log: Path  # takes all that it says
    verb: tuple[str, ...] = ("run",)
    dies: str = ""  # a crash point of DEATHS
    mails: int = 1  # how many lie in the inbox
    ahead: timedelta = timedelta()  # of the machine's clock
    notify: str = ""  # NOTIFY_SOCKET


class AheadClock:
    """The machine's clock, and some."""

    def __init__(self, ahead: timedelta) -> None:
        self._ahead = ahead

    def now(self) -> datetime:
        """The present of that clock."""
        return datetime.now(UTC) + self._ahead


def main(order: Order) -> None:
    """Run the program as its command line would; with a death or another clock, build the App as `run` does."""
    with order.log.open("ab", buffering=0) as said:
        os.dup2(said.fileno(), 1)
        os.dup2(said.fileno(), 2)
    if order.notify:
        os.environ["NOTIFY_SOCKET"] = order.notify
    if not (order.dies or order.ahead):
        cli.app([*order.verb, "--config", str(order.config)])
    logs.configure()
    app = App(loaded(order.config), environ=os.environ, clock=AheadClock(order.ahead))
    if order.dies:
        DEATHS[order.dies](app, order)
    sys.exit(app.run())


# --- deaths ---


def die() -> None:
    """No handler runs, nothing is flushed, every lock is left as it is."""
    os.kill(os.getpid(), signal.SIGKILL)


def die_before(port: object, method: str, fatal: Callable[..., bool]) -> None:
    """Die when a port's method is called, before it does anything."""
    real = getattr(port, method)

    def dying(*args: Any, **named: Any) -> Any:
        if fatal(*args, **named):
            die()
        return real(*args, **named)

    setattr(port, method, dying)


def die_after_commit(store: DatabaseStore, port: object, method: str, fatal: Callable[..., bool]) -> None:
    """Die as soon as the transaction is committed in which a port's method was called; `fatal` sees its result too."""
    real, transaction, here = getattr(port, method), store.transaction, threading.local()

    def noting(*args: Any, **named: Any) -> Any:
        got = real(*args, **named)
        here.doomed = getattr(here, "doomed", False) or fatal(got, *args, **named)
        return got

    @contextmanager
    def deadly() -> Iterator[None]:
        here.depth = getattr(here, "depth", 0) + 1
        try:
            with transaction():
                yield
        finally:
            here.depth -= 1
        if here.depth == 0 and getattr(here, "doomed", False):
            die()

    setattr(port, method, noting)
    setattr(store, "transaction", deadly)  # noqa: B010 - mypy minds the plain assignment


def _kept(app: App, order: Order) -> None:
    die_after_commit(app.store, app.store.mailroom, "keep", lambda new, *_: len(new) == order.mails)


def _before_record(app: App, order: Order) -> None:
    """All is decided and written, nothing is committed."""
    seen: list[int] = []

    def last(mail: int, *_: object) -> bool:
        seen.append(mail)
        return len(seen) == order.mails

    die_before(app.store.mailroom, "conclude", last)


def _recorded(app: App, _: Order) -> None:
    die_after_commit(app.store, app.store.mailroom, "conclude", lambda *_: True)


def _moved(app: App, _: Order) -> None:
    """The server has moved the mail, and the store does not know."""
    die_before(app.store.mailroom, "filed", lambda *_: True)


def _filed(app: App, _: Order) -> None:
    die_after_commit(app.store, app.store.mailroom, "filed", lambda *_: True)


def _leased(app: App, _: Order) -> None:
    def acknowledges(leased: list[Letter], *_: object) -> bool:
        return any(letter.kind is LetterKind.ACKNOWLEDGEMENT for letter in leased)

    die_after_commit(app.store, app.store.outbox, "lease", acknowledges)


def _data_started(app: App, _: Order) -> None:
    die_after_commit(
        app.store, app.store.outbox, "move", lambda _, *a, **k: _acknowledgement(app, LetterState.STARTED, *a)
    )


def _dot_accepted(app: App, _: Order) -> None:
    die_before(app.store.outbox, "move", lambda *a, **k: _acknowledgement(app, LetterState.SENT, *a))


def _sent(app: App, _: Order) -> None:
    die_after_commit(
        app.store, app.store.outbox, "move", lambda _, *a, **k: _acknowledgement(app, LetterState.SENT, *a)
    )


def _acknowledgement(app: App, to: LetterState, letter_id: int, state: LetterState) -> bool:
    return state is to and app.store.outbox.letter(letter_id).kind is LetterKind.ACKNOWLEDGEMENT


def _poisoned(_: App, __: Order) -> None:
    """One mail kills whoever reads it, each time."""

    def reads(raw: bytes, *rest: Any) -> Reading:
        if POISON in raw:
            die()
        return read(raw, *rest)

    setattr(spoken, "read", reads)  # noqa: B010 - mypy minds the plain assignment


DEATHS: dict[str, Callable[[App, Order], None]] = {
    "kept": _kept,
    "before-record": _before_record,
    "recorded": _recorded,
    "moved": _moved,
    "filed": _filed,
    "leased": _leased,
    "data-started": _data_started,
    "dot-accepted": _dot_accepted,
    "sent": _sent,
    "poisoned": _poisoned,
}
