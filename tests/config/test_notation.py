"""How single values are written, by table."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailflow.config import notation


@pytest.mark.parametrize(
    ("read", "written", "value"),
    [
        (notation.duration, "90s", timedelta(seconds=90)),
        (notation.duration, "0m", timedelta(0)),
        (notation.duration, "4h", timedelta(hours=4)),
        (notation.duration, "999999d", timedelta(days=999999)),
        (notation.clock_time, "00:00", "00:00"),
        (notation.clock_time, "23:59", "23:59"),
        (notation.start, "now", "now"),
        (notation.start, "2026-11-01", date(2026, 11, 1)),
        (notation.start, date(2026, 11, 1), date(2026, 11, 1)),
        (notation.address, " John.O'Hara+x@Mail.Example.COM ", "john.o'hara+x@mail.example.com"),
        (notation.domain, "Northwind.Example", "northwind.example"),
        (notation.domain, "xn--mller-kva.example", "xn--mller-kva.example"),
        (notation.host, "Mail.example.com", "mail.example.com"),
        (notation.host, "::1", "::1"),
        (notation.form_field, "steps", 2),
        (notation.form_field, 20, 20),
        (notation.one_line, "  Müller & Söhne — IT ", "Müller & Söhne — IT"),
        (notation.paragraph, "Example MSP\r\n1 Main Street\r\n", "Example MSP\n1 Main Street"),
    ],
)
def test_values_are_understood(read: Callable[[object], object], written: object, value: object) -> None:
    """What an administrator may write means what it looks like."""
    assert read(written) == value


@pytest.mark.parametrize(
    ("read", "written"),
    [
        (notation.duration, ["10", "10 m", "1h30m", "-5m", "m", "1000000d", "１m", "10m\n", 10, None]),
        (notation.positive_duration, ["0s", "00d"]),
        (notation.clock_time, ["8:00", "24:00", "08:60", "08:00:00", "08:00\n", "٠8:00", 8]),
        (notation.start, ["Now", "20261101", "2026-11-31", "2026-W45-1", 20261101, ""]),
        (
            notation.address,
            [
                *(
                    "a",
                    "a@b",
                    "@example.com",
                    "a@@example.com",
                    ".a@example.com",
                    "a..b@example.com",
                    "a b@example.com",
                ),
                *(
                    "a@example.com, b@example.com",
                    "a@example..com",
                    "a@-example.com",
                    "ü@example.com",
                    '"a"@example.com',
                ),
                *("a@example.com\r\nBcc: b@example.com", "a" * 250 + "@example.com", "a@[127.0.0.1]", ""),
            ],
        ),
        (notation.domain, ["example", "*.example.com", "example.com.", "exam ple.com", "http://example.com", ""]),
        (notation.host, ["", "a b", "a:993", "imaps://a", "u:p@a", "a/b", "-a", "a\n.b"]),
        (notation.form_field, ["Problem", "0", 0, 21, True, 1.0, None]),
        (notation.one_line, ["", " ", "a\nb", "a\rb", "a\tb", "a\u2028b", "a\x00"]),
        (notation.paragraph, ["a\x00", "a\x1b[1m", "a\rb"]),
        (notation.path, ["", "~/x", "a\0b"]),
        (notation.variable, ["", "1A", "A-B", "A B", "A=B"]),
        (notation.credential, ["", "..", "a/b", "../a", "a b"]),
        (notation.key, ["", "North", "-a", "a b", "a/b", "ä", "a" * 65]),
        (notation.language, ["", "EN", "English", "en_US", "../en"]),
        (notation.zone, ["", "Chicago/America", "/etc/localtime", "../UTC", "UTC+1"]),
    ],
)
def test_anything_else_is_refused_in_words(read: Callable[[object], object], written: list[object]) -> None:
    """What is not understood raises ValueError saying what is wrong and what to do; nothing is guessed."""
    for value in written:
        with pytest.raises(ValueError, match=r"; |\?$") as refused:
            read(value)
        assert str(refused.value).isprintable()


@given(st.text())
def test_what_is_shown_is_short_and_printable(text: str) -> None:
    """A message stays one short line whatever the wrong value was."""
    shown = notation.shown(text)
    assert shown.isprintable()
    assert len(shown) <= notation.SHOWN + 2
    assert shown.count("`") == 2


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("localhost", True),
        ("localhost.", True),
        ("127.0.0.1", True),
        ("127.255.0.9", True),
        ("::1", True),
        ("localhost.example.com", False),
        ("127.0.0.1.example.com", False),
        ("0.0.0.0", False),
        ("10.0.0.1", False),
        ("mail.example.com", False),
    ],
)
def test_only_this_machine_is_this_machine(host: str, here: bool) -> None:
    """Plain connections and inline passwords are allowed where nobody can listen in, and nowhere else."""
    assert notation.is_this_machine(host) is here
