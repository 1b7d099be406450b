"""Planned work as a liaison announces it in a line of a mail."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailflow.domain.announcement import Announcement, parse_window
from mailflow.domain.time_words import Doubt, Phrases, Unclear

CHICAGO = "America/Chicago"
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
NOW = datetime(2026, 11, 24, 9, 21, tzinfo=ZoneInfo(CHICAGO)).astimezone(UTC)  # a Tuesday


def read(text: str, now: datetime = NOW) -> Announcement | Unclear | None:
    """What a line says in Chicago, in English."""
    return parse_window(text, now, CHICAGO, DAYS, MONTHS)


def span(text: str, now: datetime = NOW) -> str:
    """From when to when, as it stands on the wall in Chicago, or why not."""
    found = read(text, now)
    if isinstance(found, Announcement):
        begins, ends = (m.astimezone(ZoneInfo(CHICAGO)) for m in (found.begins, found.ends))
        assert found.begins.tzinfo is found.ends.tzinfo is UTC
        return f"{begins:%d %H:%M} - {ends:%d %H:%M}"
    return found.reason if found else ""


@pytest.mark.parametrize(
    ("text", "client", "things", "why"),
    [
        ("northwind file server: Sat 22:00 to Sun 02:00, firmware", "northwind", ("file server",), "firmware"),
        ("contoso: 28/11 22:00-23:30", "contoso", (), ""),
        ("all: 2026-12-05 20:00 to 2026-12-06 06:00, data centre move", "", (), "data centre move"),
        ("Everybody: now for 2 hours", "", (), ""),
        ("northwind NW-FS01: now for 2 hours", "northwind", ("NW-FS01",), ""),
        (
            "Northwind  NW-FS01,\tNAS and sw-*:  now for 2 hours (reboot)",
            "Northwind",
            ("NW-FS01", "NAS", "sw-*"),
            "reboot",
        ),
        ("northwind: 22:00 to 23:00 we replace 2 disks", "northwind", (), "we replace 2 disks"),
        ("northwind: 22:00 to 23:00, 1-2 reboots", "northwind", (), "1-2 reboots"),
        ("northwind: 22:00 to 23:00 - new switch: core 1.", "northwind", (), "new switch: core 1"),
        ("northwind mail.northwind.example: 22:00 to 23:00", "northwind", ("mail.northwind.example",), ""),
    ],
)
def test_whose_and_what(text: str, client: str, things: tuple[str, ...], why: str) -> None:
    """The first word names the client, the rest its things; what follows the times is the reason."""
    found = read(text)
    assert isinstance(found, Announcement)
    assert (found.client, found.things, found.why) == (client, things, why)


@pytest.mark.parametrize(
    ("text", "client", "things"),
    [
        ("Northwind Traders file server: now for 2 hours", "Northwind Traders", ("file server",)),
        ("northwind  traders, NAS: now for 2 hours", "northwind traders", ("NAS",)),
        ("Northwind Traders: now for 2 hours", "Northwind Traders", ()),
        ("Northwind file server: now for 2 hours", "Northwind", ("file server",)),
        ("all file server: now for 2 hours", "", ("file server",)),
    ],
)
def test_a_clients_name_may_have_several_words(text: str, client: str, things: tuple[str, ...]) -> None:
    """The longest of the first words that is a client's whole name names the client."""
    found = parse_window(text, NOW, CHICAGO, DAYS, MONTHS, is_client=lambda n: n.casefold() == "northwind traders")
    assert isinstance(found, Announcement)
    assert (found.client, found.things) == (client, things)


@pytest.mark.parametrize(
    ("times", "meant"),
    [
        ("Sat 22:00 to Sun 02:00", "28 22:00 - 29 02:00"),
        ("28/11 22:00-23:30", "28 22:00 - 28 23:30"),
        ("11/28 22:00-23:30", "28 22:00 - 28 23:30"),
        ("28.11. 22.00 - 23.30", "28 22:00 - 28 23:30"),
        ("28-11-2026 22:00 - 23:30", "28 22:00 - 28 23:30"),
        ("tonight 22:00 - 01:00", "24 22:00 - 25 01:00"),
        ("tonight 03:00 to 05:00", "25 03:00 - 25 05:00"),
        ("now for 2 hours", "24 09:21 - 24 11:21"),
        ("for 90 min", "24 09:21 - 24 10:51"),
        ("for the next 1.5 hours", "24 09:21 - 24 10:51"),
        ("now for an hour", "24 09:21 - 24 10:21"),
        ("now for 1 hour 30 minutes", "24 09:21 - 24 10:51"),
        ("now until 12:30", "24 09:21 - 24 12:30"),
        ("now until tomorrow 01:00", "24 09:21 - 25 01:00"),
        ("from 22:00 until 23:00", "24 22:00 - 24 23:00"),
        ("between 22:00 and 23:00", "24 22:00 - 24 23:00"),
        ("10pm - 1 am", "24 22:00 - 25 01:00"),
        ("10:30 p.m. till 12:15 a.m.", "24 22:30 - 25 00:15"),
        ("22h00–23h30", "24 22:00 - 24 23:30"),
        ("10.11 - 11.30", "24 10:11 - 24 11:30"),  # times, not the 10th of November
        ("Sat 28 Nov 22:00 to 23:00", "28 22:00 - 28 23:00"),
        ("Saturday, 28th November 2026, 22:00 to 23:00", "28 22:00 - 28 23:00"),
        ("Nov 28th, 2026 at 22:00 to Nov 29 02:00", "28 22:00 - 29 02:00"),
        ("2026-11-28T22:00 to 2026-11-29T02:00", "28 22:00 - 29 02:00"),
        ("Sat 22:00 for 2h", "28 22:00 - 29 00:00"),
        ("tomorrow 22:00 to 24:00", "25 22:00 - 26 00:00"),
        ("today 22:00 hrs to 23:00 hrs", "24 22:00 - 24 23:00"),
        ("5/5 22:00 to 23:00", "05 22:00 - 05 23:00"),
        ("31 Dec 22:00 to 1 Jan 02:00", "31 22:00 - 01 02:00"),
        # What has begun is meant as long as it has not ended.
        ("Tue 08:00-10:00", "24 08:00 - 24 10:00"),
        ("08:00-10:00", "24 08:00 - 24 10:00"),
        ("Mon 22:00 to Tue 12:00", "23 22:00 - 24 12:00"),
        # And the next one, where it has.
        ("07:00-08:00", "25 07:00 - 25 08:00"),
        ("Tue 07:00-08:00", "01 07:00 - 01 08:00"),
        ("5 Jan 22:00 to 23:00", "05 22:00 - 05 23:00"),
    ],
)
def test_many_spellings(times: str, meant: str) -> None:
    """Planned work is understood however a person writes its times."""
    assert span(f"northwind: {times}") == meant


@pytest.mark.parametrize(
    ("times", "doubt"),
    [
        ("5/6 22:00 to 23:00", Doubt.TWO_DATES),
        ("05.06. 22:00 to 23:00", Doubt.TWO_DATES),
        ("05-06-2027 22:00 to 23:00", Doubt.TWO_DATES),
        ("28/11/26 22:00 to 23:00", Doubt.TWO_DATES),
        ("28/11 22:00 to 5/12 23:00", Doubt.TWO_DATES),
        ("31/11 22:00 to 23:00", Doubt.NO_SUCH_DATE),
        ("Fri 28 Nov 22:00 to 23:00", Doubt.NO_SUCH_DATE),
        ("9999-12-31 22:00 to 23:00", Doubt.NO_SUCH_DATE),
        ("25:00 to 26:00", Doubt.NO_SUCH_TIME),
        ("22:60 to 23:00", Doubt.NO_SUCH_TIME),
        ("13 pm to 14 pm", Doubt.NO_SUCH_TIME),
        ("tonight 12:00 to 13:00", Doubt.NO_SUCH_TIME),
        ("22:00 UTC to 23:00 UTC", Doubt.OTHER_ZONE),
        ("20:00Z to 21:00Z", Doubt.OTHER_ZONE),
        ("22:00 to 23:00 CET", Doubt.OTHER_ZONE),
        ("2026-11-28T22:00+01:00 to 23:00", Doubt.OTHER_ZONE),
        ("Sat 22:00 to Sat 02:00", Doubt.ENDS_FIRST),
        ("2026-11-28 22:00 to 2026-11-27 23:00", Doubt.ENDS_FIRST),
        ("today 07:00-08:00", Doubt.PAST),
        ("5 Nov 22:00 to 23:00", Doubt.PAST),
        ("2026-11-23 22:00 to 23:00", Doubt.PAST),
        ("2126-01-01 22:00 to 23:00", Doubt.TOO_FAR),
        ("2026-12-05 20:00 to 2027-02-05 06:00", Doubt.TOO_LONG),
        ("now for 900 hours", Doubt.TOO_LONG),
        ("22:00", Doubt.NO_TIMES),
        ("Sat 22:00", Doubt.NO_TIMES),
        ("28/11 to 29/11", Doubt.NO_TIMES),
        ("next Saturday 22:00 to 23:00", Doubt.NO_TIMES),
        ("10-11pm", Doubt.NO_TIMES),
        ("22:00 to 23:00 Sunday", Doubt.NO_TIMES),
        ("22:00 to 23:00 on 28/11", Doubt.NO_TIMES),
        ("now for 3 days", Doubt.NO_TIMES),
        ("about 22 until late", Doubt.NO_TIMES),
    ],
)
def test_what_is_asked_about(times: str, doubt: Doubt) -> None:
    """What could be two dates, lies in the past or is not understood is asked about with its reason, never guessed."""
    assert span(f"northwind: {times}") == doubt


@pytest.mark.parametrize("text", ["", "hello there: how are you", "northwind 22:00", ": 22:00 to 23:00", "a:", "Re:"])
def test_what_is_no_announcement(text: str) -> None:
    """A line without "things: times" announces nothing, and is left to be read as something else."""
    assert read(text) is None


def test_the_words_in_question_are_told() -> None:
    """Whoever is asked sees which words were unclear."""
    assert read("northwind: 28/11 22:00 to 5/12 23:00") == Unclear(reason=Doubt.TWO_DATES, text="5/12 23:00")


@pytest.mark.parametrize(
    ("now", "text", "meant"),
    [
        ("2026-11-25 00:30", "tonight 03:00 to 05:00", "25 03:00 - 25 05:00"),
        ("2026-11-25 00:30", "tonight 22:00 to 23:00", "25 22:00 - 25 23:00"),
        ("2026-11-24 23:30", "tonight 22:00 to 23:00", Doubt.PAST),
        ("2026-11-29 00:30", "Sat 22:00 to Sun 02:00", "28 22:00 - 29 02:00"),
        ("2026-03-07 20:00", "22:00 to 03:00", "07 22:00 - 08 03:00"),
        ("2026-03-07 20:00", "02:10 to 02:50", Doubt.NO_SUCH_TIME),
        ("2026-10-31 20:00", "22:00 for 6 hours", "31 22:00 - 01 03:00"),
    ],
)
def test_at_odd_hours(now: str, text: str, meant: str) -> None:
    """Small hours, running work and nights on which the clocks change are understood as the wall shows them."""
    moment = datetime.fromisoformat(now).replace(tzinfo=ZoneInfo(CHICAGO)).astimezone(UTC)
    assert span(f"northwind: {text}", moment) == meant


def test_in_another_language() -> None:
    """S2.13: a language brings its own days, months and words around times."""
    dutch = Phrases(
        everyone=("iedereen",),
        listing=("en",),
        today=("vandaag",),
        tonight=("vanavond",),
        now=("nu",),
        until=("tot", "-"),
        after_a_time=("uur",),
        hours=("uur",),
    )
    days = ("maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag")
    months = ("januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september", "oktober")
    found = parse_window("iedereen: za 22:00 uur tot zo 02:00 uur, firmware", NOW, CHICAGO, days, months, dutch)
    assert isinstance(found, Announcement)
    assert found.ends - found.begins == timedelta(hours=4)
    assert (found.client, found.why) == ("", "firmware")


@settings(deadline=None, max_examples=150)
@given(
    st.integers(1_577_836_800, 2_051_222_400).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    st.integers(1, 20_000),
    st.integers(1, 3_000),
    st.sampled_from([CHICAGO, "Pacific/Auckland", "Africa/Cairo"]),
)
def test_what_is_written_out_is_read_as_what_it_was(now: datetime, ahead: int, minutes: int, zone: str) -> None:
    """A window written with its dates is that window, in every zone, but for hours that come twice."""
    begins = now.replace(second=0, microsecond=0) + timedelta(minutes=ahead)
    ends = begins + timedelta(minutes=minutes)
    walls = [m.astimezone(ZoneInfo(zone)) for m in (begins, ends)]
    text = " to ".join(f"{wall:%Y-%m-%d %H:%M}" for wall in walls)
    found = parse_window(f"northwind: {text}", now, zone, DAYS, MONTHS)
    twice = any(wall.utcoffset() != wall.replace(fold=1 - wall.fold).utcoffset() for wall in walls)
    assert twice or found == Announcement(client="northwind", things=(), begins=begins, ends=ends, why="")


words = st.sampled_from(
    [
        "now",
        "for",
        "to",
        "-",
        "tonight",
        "Sat",
        "28/11",
        "5/6",
        "22:00",
        "10pm",
        "2026-11-28",
        "Nov",
        "28",
        "2",
        "hours",
    ]
)


@settings(deadline=None, max_examples=300)
@given(st.lists(words | st.text(max_size=8), max_size=9).map(" ".join))
def test_whatever_stands_there(times: str) -> None:
    """Any text at all is an announcement, a doubt or none, never an error; and never one that has ended."""
    found = read(f"northwind: {times}")
    if isinstance(found, Announcement):
        assert found.begins < found.ends
        assert found.ends > NOW
