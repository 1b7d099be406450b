"""The bell: rings every few seconds. It decides nothing: what is due is a row, so a missed ring changes nothing."""

import threading
from collections.abc import Callable

import schedule

EVERY_SECONDS = 5  # how soon a due row is noticed when nothing else hastens


class Ticker:
    """Calls `ring` every few seconds, and at once when hastened."""

    def __init__(self, ring: Callable[[], None]) -> None:
        # A scheduler of our own: the library's global one belongs to nobody.
        self._scheduler = schedule.Scheduler()
        self._scheduler.every(EVERY_SECONDS).seconds.do(ring)
        self._hastened = threading.Event()

    def run(self, stopping: threading.Event) -> None:
        """Ring until stopped. An exception of `ring` ends it: the caller decides what it means."""
        self._scheduler.run_all()
        while not stopping.is_set():
            if self._hastened.wait(max(0.0, self._scheduler.idle_seconds or 0.0)):
                self._hastened.clear()
                if not stopping.is_set():
                    self._scheduler.run_all()
            else:
                self._scheduler.run_pending()

    def hasten(self) -> None:
        """Ring now; from any thread."""
        self._hastened.set()
