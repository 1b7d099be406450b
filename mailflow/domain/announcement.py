"""Planned work as a liaison announces it in a line: "northwind file server: Sat 22:00 to Sun 02:00, firmware".

The words before the colon are whose and what, then come the times (announced_times), and what is left is the reason.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from mailflow.domain.announced_times import SpanReader
from mailflow.domain.time_words import ENGLISH, DoubtError, Names, Phrases, Unclear

MAX_LINE = 500  # characters of an announcement
MAX_NAME_WORDS = 8  # of a client's name

COLON = re.compile(r"(?<!\d):|:(?!\d)")  # the one behind the things, not the one in 22:00


@dataclass(frozen=True, kw_only=True)
class Announcement:
    """Planned work, as announced."""

    client: str  # what names the client, as written; empty: every client
    things: tuple[str, ...]  # as written; empty: everything
    begins: datetime
    ends: datetime
    why: str


def parse_window(
    text: str,
    now: datetime,
    timezone: str,
    days: Sequence[str],
    months: Sequence[str],
    phrases: Phrases = ENGLISH,
    is_client: Callable[[str], bool] = lambda name: False,
    order: str = "",
) -> Announcement | Unclear | None:
    """What a line announces; None where it announces nothing: no "things:" with a figure or "now for" behind it.

    `days` and `months` are the language's names, Monday and January first; `order` is that of the figures in a date,
    "dmy" or "mdy", and "" where it is not known. The client is the first word, or the first words that `is_client`
    knows as a whole name: "Northwind Traders file server".
    """
    text = " ".join(text.split())
    colon = COLON.search(text[:MAX_LINE])
    if not colon or not text[: colon.start()].strip():
        return None
    names = Names(days=days, months=months, phrases=phrases)
    reader = SpanReader(text[colon.end() : MAX_LINE], now, timezone, names, order)
    if not reader.is_about_times():
        return None
    try:
        begins, ends = reader.span()
        why = reader.rest()
    except DoubtError as doubt:
        return doubt.unclear
    said = text[: colon.start()].split()
    lengths = (n for n in range(min(len(said), MAX_NAME_WORDS), 1, -1) if is_client(" ".join(said[:n]).rstrip(",")))
    length = next(lengths, 1)
    word, things = " ".join(said[:length]).rstrip(","), " ".join(said[length:])
    between = "|".join([r"\s*[,;&]\s*", *(rf"\s+{re.escape(w)}\s+" for w in phrases.listing)])
    return Announcement(
        client="" if word.casefold() in phrases.everyone else word,
        things=tuple(thing.strip() for thing in re.split(between, things, flags=re.IGNORECASE) if thing.strip()),
        begins=begins,
        ends=ends,
        why=why,
    )
