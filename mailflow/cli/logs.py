"""The log: one line an event, the incident's reference first."""

import logging
import sys
import traceback
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, WrappedLogger


def configure(stream: TextIO = sys.stderr) -> None:
    """Log to `stream`, one line an event; the service manager adds date and host."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
            _line,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )


def _line(_: WrappedLogger, __: str, event: EventDict) -> str:
    """09:12:03 INC-7 OpenFromAlert mail=12 why=new-key."""
    fields = dict(event)
    time, level, said = fields.pop("timestamp"), fields.pop("level"), fields.pop("event")
    reference = fields.pop("ref", "-")
    trouble = "" if level == "info" else f"{level.upper()} "
    trace = _trace(fields)
    named = " ".join(f"{name}={_value(value)}" for name, value in fields.items() if value not in ("", None))
    return f"{time} {reference} {trouble}{said} {named}".rstrip() + trace


def _value(value: Any) -> str:
    """As one word, quoted where it is not one; nothing of a mail can begin a line of its own."""
    text = "".join(c if c.isprintable() else " " for c in str(value))
    return f'"{text}"' if " " in text or "=" in text else text


def _trace(fields: dict[str, Any]) -> str:
    """The traceback of a bug, below its line; a user's mistake never has one."""
    if not fields.pop("exc_info", None):
        return ""
    return "\n" + traceback.format_exc().rstrip()
