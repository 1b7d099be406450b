"""How single values are written in a configuration file: addresses, durations, times of day, zones, names.

Each function takes what TOML gave and returns the value, or raises ValueError saying what is wrong and, behind a
semicolon, what to do. What lands in a mail header (names, titles, addresses) can hold no control character.
"""

import contextlib
import difflib
import functools
import ipaddress
import re
import zoneinfo
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PlainValidator, StrictInt

from mailflow.domain.form import BY_NAME, BY_NUMBER
from mailflow.domain.worktime import Within

SHOWN = 60  # characters of a wrong value that a message repeats
ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"  # RFC 5322 3.2.3; no quoted local parts, no UTF-8 ones (RFC 6531)
LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"  # RFC 1123 2.1
DOMAIN = re.compile(rf"{LABEL}(?:\.{LABEL})+")
ADDRESS = re.compile(rf"{ATEXT}(?:\.{ATEXT})*@{LABEL}(?:\.{LABEL})+")
ADDRESS_LIMIT = 254  # RFC 5321 4.5.3.1.3 less the angle brackets
HOST = re.compile(rf"{LABEL}(?:\.{LABEL})*\.?")
KEY = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")  # the tags of RFC 5646 that a folder is named by
CLOCK_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
DURATION = re.compile(r"([0-9]{1,6})([smhd])")  # six digits of days still fit a timedelta
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
LONGEST_PROMISE = timedelta(days=366)  # every working day until then is counted, one by one
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
CREDENTIAL = re.compile(r"[A-Za-z0-9_.:-]{1,255}")  # what systemd takes as a credential's id


def shown(value: object) -> str:
    """A wrong value as a message may repeat it: short, printable, on one line."""
    text = value if isinstance(value, str) else str(value)
    text = "".join(c if c.isprintable() else "?" for c in text.replace("`", "'"))
    return f"`{text[: SHOWN - 1]}…`" if len(text) > SHOWN else f"`{text}`"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` was probably meant to be."""
    spelling = {k.casefold(): k for k in known}
    found = difflib.get_close_matches(word[:SHOWN].casefold(), spelling, n=1, cutoff=0.7)
    return spelling[found[0]] if found else None


def one_line(text: str) -> str:
    """Text that may stand in a header or a subject."""
    text = text.strip()
    if not text:
        raise ValueError("empty; write something between the quotes")
    if not text.isprintable():
        raise ValueError("holds a line break or another control character; write it on one line")
    return text


def line_or_nothing(text: str) -> str:
    """One line that may be empty."""
    return one_line(text) if text.strip() else ""


def paragraph(text: str) -> str:
    """Text that may have several lines."""
    text = text.replace("\r\n", "\n").strip()
    if not text.replace("\n", "").isprintable():
        raise ValueError("holds a control character; use plain lines only")
    return text


def address(text: str) -> str:
    """A mail address, lower case."""
    text = text.strip()
    if ADDRESS.fullmatch(text) and len(text) <= ADDRESS_LIMIT:
        return text.lower()
    if "<" in text:
        raise ValueError(f"{shown(text)} is a name and an address; write the address alone")
    raise ValueError(f"{shown(text)} is no mail address; write it like `name@example.com`")


def domain(text: str) -> str:
    """A mail domain, lower case."""
    text = text.strip()
    if text.startswith("@") and DOMAIN.fullmatch(text[1:]):
        raise ValueError(f"{shown(text)} begins with @; write `{text[1:]}`")
    if not DOMAIN.fullmatch(text):
        raise ValueError(f"{shown(text)} is no domain; write it like `example.com`")
    return text.lower()


def host(text: str) -> str:
    """A server's name or IP address, lower case. What was written is not repeated: it may be a URL with a password."""
    text = text.strip().lower()
    if not HOST.fullmatch(text) and _ip(text) is None:
        raise ValueError("no host name; write the server's name alone, like `mail.example.com`, and `port` beside it")
    return text


def is_this_machine(name: str) -> bool:
    """Whether a host can only be this machine: nothing that is sent to it can be overheard on the way."""
    ip = _ip(name)
    return ip.is_loopback if ip else name.rstrip(".") == "localhost"


def _ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


@functools.cache
def zones() -> frozenset[str]:
    """Every time zone that this machine knows."""
    return frozenset(zoneinfo.available_timezones())


def zone(text: str) -> str:
    """The name of a time zone."""
    if text in zones():
        return text
    # A difference from UTC knows no summer time: who writes one is asked for a place, not given another difference.
    near = None if any(c.isdigit() for c in text) else nearest(text, zones())
    raise ValueError(
        f"unknown time zone {shown(text)}; "
        + (f"did you mean `{near}`?" if near else "write a place, like `America/Chicago` or `Europe/Amsterdam`")
    )


def language(text: str) -> str:
    """A language's tag; whether there are letters in it is checked where the templates are known."""
    if not LANGUAGE.fullmatch(text):
        raise ValueError(f"{shown(text)} is no language; write its short tag, like `en`")
    return text


def key(text: str) -> str:
    """A client's short name."""
    if not KEY.fullmatch(text):
        raise ValueError(f"{shown(text)} is no key; use lower-case letters, digits and hyphens, like `northwind`")
    return text


def clock_time(value: object) -> str:
    """A local time of day, "HH:MM"."""
    if not isinstance(value, str) or not CLOCK_TIME.fullmatch(value):
        raise ValueError(f'{shown(value)} is no time of day; write it like "08:00", with quotes and 24 hours')
    return value


def duration(value: object) -> timedelta:
    """A length of time; may be zero."""
    written = DURATION.fullmatch(value) if isinstance(value, str) else None
    if not written:
        raise ValueError(f'{shown(value)} is no duration; write it like "90s", "10m", "4h" or "2d"')
    return timedelta(**{UNITS[written[2]]: int(written[1])})


def positive_duration(value: object) -> timedelta:
    """A length of time that makes no sense as zero."""
    length = duration(value)
    if not length:
        raise ValueError('must be longer than zero; write it like "90s", "10m", "4h" or "2d"')
    return length


def offset(value: object) -> timedelta:
    """A length of time before ("-2h") or after ("4h") something; zero is at it."""
    before = isinstance(value, str) and value.startswith("-")
    length = duration(value[1:] if before else value)  # type: ignore[index]
    return -length if before else length


def span(value: object) -> tuple[str, str]:
    """Two times of day, from one to the other, perhaps over midnight."""
    if not (isinstance(value, list | tuple) and len(value) == 2):
        raise ValueError('must be two times of day; write it like ["21:00", "07:00"]')
    return clock_time(value[0]), clock_time(value[1])


def promised(value: object) -> Within:
    """How soon something is due: "2d" are working days, "4h" hours in which the client works."""
    length = positive_duration(value)
    if length > LONGEST_PROMISE:
        raise ValueError("longer than a year; make it shorter")
    return Within(days=length.days) if isinstance(value, str) and value.endswith("d") else Within(working=length)


def form_field(value: object) -> int:
    """A field of the form, by name or number."""
    if isinstance(value, str) and value in BY_NAME:
        return BY_NAME[value].number
    if isinstance(value, int) and not isinstance(value, bool) and value in BY_NUMBER:
        return value
    near = nearest(value, BY_NAME) if isinstance(value, str) else None
    raise ValueError(
        f"unknown form field {shown(value)}; "
        + (f"did you mean `{near}`?" if near else f"write one of {', '.join(f'`{name}`' for name in BY_NAME)}")
    )


def start(value: object) -> "date | Literal['now']":
    """From when on mail counts: "now", or a day."""
    if value == "now":
        return "now"
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and ISO_DAY.fullmatch(value):
        with contextlib.suppress(ValueError):  # the 30th of February
            return date.fromisoformat(value)
    raise ValueError(f'{shown(value)} is no day; write "now" or a day like "2026-11-01"')


def path(text: str) -> str:
    """A file or folder; relative ones are relative to the configuration file's folder."""
    text = one_line(text)
    if text.startswith("~"):
        raise ValueError("`~` is not understood here; write the whole path")
    return text


def argument(text: str) -> str:
    """An argument of a program, exactly as it stands."""
    if "\0" in text:
        raise ValueError("holds a null character; remove it")
    return text


def variable(text: str) -> str:
    """The name of an environment variable. What was written is not repeated: it may be the secret itself."""
    if not VARIABLE.fullmatch(text):
        raise ValueError("no variable's name; write the name of an environment variable, never the secret itself")
    return text


def credential(text: str) -> str:
    """The name of a systemd credential. What was written is not repeated: it may be the secret itself."""
    if not CREDENTIAL.fullmatch(text) or text.strip(".") == "":
        raise ValueError("no credential's name; write the name given to LoadCredential=, never the secret itself")
    return text


OneLine = Annotated[str, AfterValidator(one_line)]
MaybeLine = Annotated[str, AfterValidator(line_or_nothing)]
Paragraph = Annotated[str, AfterValidator(paragraph)]
MailAddress = Annotated[str, AfterValidator(address)]
MailDomain = Annotated[str, AfterValidator(domain)]
Host = Annotated[str, AfterValidator(host)]
Port = Annotated[StrictInt, Field(ge=1, le=65535)]
Count = Annotated[StrictInt, Field(ge=1, le=1_000_000)]  # far above any sense, below any trouble with arithmetic
Zone = Annotated[str, AfterValidator(zone)]
Language = Annotated[str, AfterValidator(language)]
Key = Annotated[str, AfterValidator(key)]
WrittenPath = Annotated[str, AfterValidator(path)]
Argument = Annotated[str, AfterValidator(argument)]
Variable = Annotated[str, AfterValidator(variable)]
Credential = Annotated[str, AfterValidator(credential)]
ClockTime = Annotated[str, PlainValidator(clock_time)]
Duration = Annotated[timedelta, PlainValidator(duration)]
PositiveDuration = Annotated[timedelta, PlainValidator(positive_duration)]
Promised = Annotated[Within, PlainValidator(promised)]
Span = Annotated[tuple[str, str], PlainValidator(span)]
Offset = Annotated[timedelta, PlainValidator(offset)]
FormField = Annotated[int, PlainValidator(form_field)]
Start = Annotated[date | Literal["now"], PlainValidator(start)]
