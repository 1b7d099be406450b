"""The port through which the engine's callers know the time; one object, made in app.py."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """What time it is."""

    def now(self) -> datetime:
        """The present, aware, in UTC."""
