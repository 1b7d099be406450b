"""Times as people write them, in the few forms that forms and commands ask for: "9:05", "Tue 9:05", "9.05 am"."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

# A day in any language's short or long form is compared by its first letters; "9", "9:05", "9.05", "9h05", am and pm.
TIME = re.compile(
    r"(?:(?!at\b)(?P<day>[^\W\d_]{2,12})\.?,?\s+)?(?:at\s+)?(?P<hour>\d{1,2})(?:[:.h](?P<minute>\d{2}))?\s*(?P<half>[ap]\.?m\.?)?",
    re.IGNORECASE,
)
WEEK = 7


def parse_time(text: str, near: datetime, timezone: str, days: tuple[str, ...]) -> datetime | None:
    """The moment that `text` names: on the day of `near`, or on the named weekday closest before or on it.

    `days` are the language's names of the weekdays, Monday first. None where the text is no such time.
    """
    found = TIME.fullmatch(text.strip().rstrip("."))
    if not found:
        return None
    hour, minute = int(found["hour"]), int(found["minute"] or 0)
    if found["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if found["half"][0] in "pP" else 0)
    if hour > 23 or minute > 59 or not (found["minute"] or found["half"]):
        return None
    local = near.astimezone(ZoneInfo(timezone))
    if found["day"]:
        weekday = _weekday(found["day"], days)
        if weekday is None:
            return None
        local -= timedelta(days=(local.weekday() - weekday) % WEEK)
    return local.replace(hour=hour, minute=minute, second=0, microsecond=0).astimezone(near.tzinfo)


def _weekday(word: str, days: tuple[str, ...]) -> int | None:
    hits = [i for i, day in enumerate(days) if day.casefold().startswith(word.casefold())]
    return hits[0] if len(hits) == 1 else None
