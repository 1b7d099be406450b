"""The demo's clock: runs at the world's pace from a chosen moment, and can be moved forward."""

import threading
import time
from datetime import datetime, timedelta


class MovableClock:
    """engine.clock.Clock that also jumps. The servers of the demo go by it too."""

    def __init__(self, start: datetime) -> None:
        self._start, self._began = start, time.monotonic()
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """The present of the story."""
        with self._lock:
            return self._start + timedelta(seconds=time.monotonic() - self._began)

    def move_to(self, moment: datetime) -> None:
        """Jump forward to `moment`; never back."""
        with self._lock:
            here = self._start + timedelta(seconds=time.monotonic() - self._began)
            self._start += max(timedelta(), moment - here)
