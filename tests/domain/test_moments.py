"""One moment as a person writes it: when something was, or until when to wait."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailflow.domain.moments import coming_moment, past_moment
from mailflow.domain.time_words import Doubt, Names, Phrases, Unclear

CHICAGO = "America/Chicago"
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
ENGLISH = Names(days=DAYS, months=MONTHS)
GERMAN = Names(
    days=("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"),
    months=MONTHS,
    phrases=Phrases(yesterday=("gestern",), before_a_time=("um", "am"), after_a_time=("Uhr",)),
)
NEAR = datetime(2026, 11, 24, 9, 21, tzinfo=ZoneInfo(CHICAGO)).astimezone(UTC)  # a Tuesday


def moment(text: str) -> datetime:
    """A moment in Chicago."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(CHICAGO)).astimezone(UTC)


def was(
    text: str, *, names: Names = ENGLISH, near: datetime = NEAR, now: datetime | None = None, order: str = ""
) -> str | None:
    """When that was, as it stands on the wall in Chicago, or why it is unclear."""
    found = past_moment(text, near, now or near, CHICAGO, names, order)
    if isinstance(found, Unclear):
        return found.reason
    assert found is None or found.tzinfo is UTC
    return f"{found.astimezone(ZoneInfo(CHICAGO)):%d %H:%M}" if found else None


def comes(text: str, *, names: Names = ENGLISH, now: datetime = NEAR, order: str = "") -> str | None:
    """Until when that is, as it stands on the wall in Chicago, and what follows; or why it is unclear."""
    found = coming_moment(text, now, CHICAGO, names, order, "17:00")
    if isinstance(found, Unclear):
        return found.reason
    if found is None:
        return None
    assert found[0].tzinfo is UTC
    said = f"{found[0].astimezone(ZoneInfo(CHICAGO)):%d.%m. %H:%M}"
    return f"{said} | {found[1]}" if found[1] else said


LATE = moment("2026-11-24 23:30")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("9:05", "24 09:05"),
        ("09:05", "24 09:05"),
        ("9.05", "24 09:05"),
        ("9h05", "24 09:05"),
        (" 9:05 ", "24 09:05"),
        ("9:05.", "24 09:05"),
        ("9:05:30", "24 09:05"),
        ("21:05", "24 21:05"),
        ("0:05", "24 00:05"),
        ("9am", "24 09:00"),
        ("9 AM", "24 09:00"),
        ("9:05 a.m.", "24 09:05"),
        ("9:05 pm", "24 21:05"),
        ("9.05pm", "24 21:05"),
        ("9.05 am", "24 09:05"),
        ("12 am", "24 00:00"),
        ("12:30 pm", "24 12:30"),
        ("5 pm", "24 17:00"),
        ("at 9:05", "24 09:05"),
        ("At 9 am", "24 09:00"),
        ("Tue 9:05", "24 09:05"),
        ("Tue. 9:05", "24 09:05"),
        ("tuesday, 9:05", "24 09:05"),
        ("Tuesday at 9:05", "24 09:05"),
        ("on Tuesday at 9:05", "24 09:05"),
        ("9:05 Tue", "24 09:05"),
        ("9:05 on Tuesday", "24 09:05"),
        ("Tue at 17", "24 17:00"),
        ("Mon 23:50", "23 23:50"),
        ("Wed 9:05", "18 09:05"),  # the Wednesday before: the next one has not come yet
        ("SUNDAY 6:00 AM", "22 06:00"),
        ("Thurs 9:05", "19 09:05"),
        ("yesterday 5pm", "23 17:00"),
        ("5 pm yesterday", "23 17:00"),
        ("yesterday at 9.05", "23 09:05"),
        ("today 9:05", "24 09:05"),
        ("23/11 9.05", "23 09:05"),
        ("11/23 9.05", "23 09:05"),
        ("23.11. 9.05", "23 09:05"),
        ("23.11.2026 9:05", "23 09:05"),
        ("9:05 23/11", "23 09:05"),
        ("9.05 on 23/11", "23 09:05"),
        ("23 Nov 9:05", "23 09:05"),
        ("23rd November, 9:05", "23 09:05"),
        ("23-Nov-2026 9:05", "23 09:05"),
        ("Mon 23 Nov 9:05", "23 09:05"),
        ("Nov 23, 2026 at 9:05", "23 09:05"),
        ("2026-11-23 9:05", "23 09:05"),
        ("2026-11-23T09:05:10", "23 09:05"),
        ("2026/11/23 9:05", "23 09:05"),
        ("31 Jan 9:05", "31 09:05"),
        ("this morning at 9", "24 09:00"),
        ("9 this morning", "24 09:00"),
        ("9 in the morning", "24 09:00"),
        ("at 9:05 this morning", "24 09:05"),
        ("this afternoon at 3", "24 15:00"),
        ("this evening 7:30", "24 19:30"),
        ("yesterday evening at 8", "23 20:00"),
        ("8 yesterday evening", "23 20:00"),
        ("Monday afternoon 3:15", "23 15:15"),
        ("last night at 11", "23 23:00"),
        ("last night at 2", "24 02:00"),
        ("noon", "24 12:00"),
        ("yesterday noon", "23 12:00"),
        ("midnight", "24 00:00"),
    ],
)
def test_many_spellings(text: str, meant: str) -> None:
    """S1.5: start and end are read however a person writes them, on the incident's day where none is written."""
    assert was(text, near=NEAR, now=LATE) == meant


@pytest.mark.parametrize(
    ("text", "ago"),
    [
        ("just now", 0),
        ("now", 0),
        ("10 minutes ago", 10),
        ("10 min ago", 10),
        ("a minute ago", 1),
        ("half an hour ago", 30),
        ("an hour ago", 60),
        ("An hour and a half ago.", 90),
        ("two hours ago", 120),
        ("1 hour 10 minutes ago", 70),
        ("1.5 h ago", 90),
    ],
)
def test_so_long_ago(text: str, ago: int) -> None:
    """S1.5: a time counted back from now is that time."""
    now = NEAR + timedelta(minutes=200)
    assert past_moment(text, NEAR, now, CHICAGO, ENGLISH, "") == now - timedelta(minutes=ago)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "905",
        "17",
        "28",
        "this morning",
        "about nine",
        "T 9:05",
        "Foo 9:05",
        "9:05 to 9:21",
        "Tue",
        "23/11",
        "yesterday",
        "9:05 or so",
        "9:05 9:06",
        "soonish",
        "10 minutes",
        "ago",
        "x" * 5_000,
        "9" * 5_000,
    ],
)
def test_what_is_no_time(text: str) -> None:
    """N.5: what names no moment is none, and is asked about as such."""
    assert was(text, near=LATE) is None


@pytest.mark.parametrize(
    ("text", "doubt"),
    [
        ("9", Doubt.AM_OR_PM),
        ("at 9", Doubt.AM_OR_PM),
        ("Tue 9", Doubt.AM_OR_PM),
        ("yesterday at 5", Doubt.AM_OR_PM),
        ("last night at 6", Doubt.AM_OR_PM),
        ("5/6 9:05", Doubt.TWO_DATES),
        ("05.06.2026 9:05", Doubt.TWO_DATES),
        ("23/11/26 9:05", Doubt.TWO_DATES),
        ("last Friday 9:05", Doubt.TWO_DATES),
        ("Monday night at 2", Doubt.TWO_DATES),
        ("Monday midnight", Doubt.MIDNIGHT),
        ("31/11 9:05", Doubt.NO_SUCH_DATE),
        ("Fri 23 Nov 9:05", Doubt.NO_SUCH_DATE),
        ("9:60", Doubt.NO_SUCH_TIME),
        ("25:00", Doubt.NO_SUCH_TIME),
        ("25 am", Doubt.NO_SUCH_TIME),
        ("13:05 am", Doubt.NO_SUCH_TIME),
        ("0 pm", Doubt.NO_SUCH_TIME),
        ("this morning 14:00", Doubt.NO_SUCH_TIME),
        ("this morning at 9 pm", Doubt.NO_SUCH_TIME),
        ("9:05 UTC", Doubt.OTHER_ZONE),
        ("2026-11-24T09:05Z", Doubt.OTHER_ZONE),
        ("tomorrow 9:05", Doubt.AHEAD),
        ("today 9:45", Doubt.AHEAD),
        ("2026-11-25 9:05", Doubt.AHEAD),
        ("24 Dec 9:05", Doubt.AHEAD),
    ],
)
def test_what_is_asked_about(text: str, doubt: Doubt) -> None:
    """N.5: what can be read in two ways, or can not have been, is asked about with its reason, never guessed."""
    assert was(text) == doubt


@pytest.mark.parametrize(
    ("text", "order", "meant"),
    [
        ("5/6 9:05", "dmy", "2026-06-05"),
        ("5/6 9:05", "mdy", "2026-05-06"),
        ("05.06.26 9:05", "dmy", "2026-06-05"),
        ("05/06/2026 9:05", "mdy", "2026-05-06"),
        ("11/23/26 9:05", "mdy", "2026-11-23"),
        ("11/23 9:05", "dmy", "2026-11-23"),  # as it can only be meant
    ],
)
def test_a_known_order_of_dates(text: str, order: str, meant: str) -> None:
    """S1.5: figures are read in the order of who writes them."""
    found = past_moment(text, NEAR, NEAR, CHICAGO, ENGLISH, order)
    assert found == moment(f"{meant} 09:05")


@pytest.mark.parametrize(
    ("text", "near", "now", "meant"),
    [
        ("9:05", "2026-11-24 09:21", "2026-11-27 12:00", "24 09:05"),
        ("Wed 9:05", "2026-11-24 09:21", "2026-11-27 12:00", "25 09:05"),
        ("yesterday 9:05", "2026-11-24 09:21", "2026-11-27 12:00", "26 09:05"),
        ("23:50", "2026-11-24 00:10", "2026-11-24 00:20", "23 23:50"),
        ("10:42", "2026-11-24 09:21", "2026-11-24 09:21", "23 10:42"),
        ("9:24", "2026-11-24 09:21", "2026-11-24 09:21", "24 09:24"),  # her clock is before ours
        ("9:27", "2026-11-24 09:21", "2026-11-24 09:21", "23 09:27"),
        ("31/12 23:00", "2027-01-01 09:00", "2027-01-01 10:00", "31 23:00"),
        ("midnight", "2026-11-24 02:00", "2026-11-24 09:00", "24 00:00"),
        ("midnight", "2026-11-23 23:50", "2026-11-24 09:00", "24 00:00"),
        ("midnight", "2026-11-23 23:50", "2026-11-23 23:50", "23 00:00"),
        ("tonight at 1", "2026-11-24 01:30", "2026-11-24 01:30", "24 01:00"),
    ],
)
def test_near_what_it_is_about(text: str, near: str, now: str, meant: str) -> None:
    """S1.5: without a day it is on the day that it is about, and never still to come."""
    assert was(text, near=moment(near), now=moment(now)) == meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [("Di 9:05", "24 09:05"), ("Do. 9.05", "19 09:05"), ("D 9:05", None), ("gestern um 17 Uhr", "23 17:00")],
)
def test_in_another_language(text: str, meant: str | None) -> None:
    """S2.13: days and words are the language's own, weekdays as short as they can be told apart."""
    assert was(text, names=GERMAN) == meant


def test_a_weekday_that_two_days_could_be() -> None:
    """N.5: a word that two weekdays begin with is no weekday."""
    assert was("Su 9:05", names=Names(days=("Sux", "Suy", *DAYS[2:]), months=MONTHS)) is None


def test_the_hour_that_is_skipped() -> None:
    """N.5: 2:30 on the night the clocks go forward does not exist, and is asked about."""
    noon = datetime(2026, 3, 8, 18, 0, tzinfo=UTC)
    assert was("2:30", near=noon) == Doubt.NO_SUCH_TIME
    assert was("3:30", near=noon) == "08 03:30"
    assert comes("2026-03-08 2:30", now=noon - timedelta(days=1)) == Doubt.NO_SUCH_TIME


def test_the_hour_that_comes_twice() -> None:
    """N.5: 1:30 on the night the clocks go back is asked about, unless it is said, known or can be only one."""
    first, second = datetime(2026, 11, 1, 6, 30, tzinfo=UTC), datetime(2026, 11, 1, 7, 30, tzinfo=UTC)
    noon = datetime(2026, 11, 1, 18, 0, tzinfo=UTC)
    assert past_moment("1:30", noon, noon, CHICAGO, ENGLISH, "") == Unclear(reason=Doubt.TWICE, text="1:30")
    assert past_moment("1:30 first", noon, noon, CHICAGO, ENGLISH, "") == first
    assert past_moment("Sun 1:30 second", noon, noon, CHICAGO, ENGLISH, "") == second
    assert past_moment("1:30", second, noon, CHICAGO, ENGLISH, "") == second  # what the form prefilled
    assert past_moment("1:30", noon, first + timedelta(minutes=20), CHICAGO, ENGLISH, "") == first


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Friday", "27.11. 17:00"),
        ("by Friday", "27.11. 17:00"),
        ("until Fri.", "27.11. 17:00"),
        ("this Friday", "27.11. 17:00"),
        ("today", "24.11. 17:00"),
        ("Tuesday", "24.11. 17:00"),
        ("Tuesday 8:00", "01.12. 08:00"),
        ("tomorrow", "25.11. 17:00"),
        ("Friday 15:00", "27.11. 15:00"),
        ("Friday at 3 pm", "27.11. 15:00"),
        ("Friday 24:00", "28.11. 00:00"),
        ("15:00 on Friday", "27.11. 15:00"),
        ("Monday morning", "30.11. 12:00"),
        ("tomorrow afternoon", "25.11. 17:00"),
        ("tomorrow morning at 9", "25.11. 09:00"),
        ("next week", "04.12. 17:00"),
        ("end of next week", "04.12. 17:00"),
        ("next week Tuesday", "01.12. 17:00"),
        ("Tuesday next week", "01.12. 17:00"),
        ("Tuesday of next week", "01.12. 17:00"),
        ("end of the week", "27.11. 17:00"),
        ("by the end of the week", "27.11. 17:00"),
        ("end of day", "24.11. 17:00"),
        ("end of day Friday", "27.11. 17:00"),
        ("24/12", "24.12. 17:00"),
        ("24.12", "24.12. 17:00"),
        ("9.5.", Doubt.TWO_DATES),
        ("24 December", "24.12. 17:00"),
        ("Dec 24th", "24.12. 17:00"),
        ("2026-12-24 12:00", "24.12. 12:00"),
        ("in 2 days", "26.11. 17:00"),
        ("in two days at 10:00", "26.11. 10:00"),
        ("in a week", "01.12. 17:00"),
        ("in two hours", "24.11. 11:21"),
        ("in half an hour", "24.11. 09:51"),
        ("tonight", "24.11. 22:00"),
        ("tonight at 8", "24.11. 20:00"),
        ("tonight at 2", "25.11. 02:00"),
        ("this afternoon", "24.11. 17:00"),
        ("16:00", "24.11. 16:00"),
        ("16.00", "24.11. 16:00"),
        ("8:00", "25.11. 08:00"),
        ("noon", "24.11. 12:00"),
        ("midnight", "25.11. 00:00"),
        ("5 Jan", "05.01. 17:00"),
    ],
)
def test_until_when(text: str, meant: str) -> None:
    """N.5: a time to come is understood however a person writes it; a day alone is meant until its end."""
    assert comes(text) == meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Friday, waiting for the vendor", "27.11. 17:00 | waiting for the vendor"),
        ("Friday waiting for the vendor", "27.11. 17:00 | waiting for the vendor"),
        ("Friday: 2 disks are on their way.", "27.11. 17:00 | 2 disks are on their way"),
        ("Friday 5 people are out", "27.11. 17:00 | 5 people are out"),
        ("Friday we replace it", "27.11. 17:00 | we replace it"),
        ("in two hours (the vendor calls)", "24.11. 11:21 | the vendor calls"),
        ("in 2 days because of Ann", "26.11. 17:00 | because of Ann"),
        ("Friday 15:00 - new switch", "27.11. 15:00 | new switch"),
        ("next week, when John is back", "04.12. 17:00 | when John is back"),
        ("24/12: the vendor is back", "24.12. 17:00 | the vendor is back"),
        ("Friday on the train", "27.11. 17:00 | on the train"),
        ("Friday to be sure", "27.11. 17:00 | to be sure"),
    ],
)
def test_what_follows_is_the_reason(text: str, meant: str) -> None:
    """What follows a time is given back as it stands."""
    assert comes(text) == meant


@pytest.mark.parametrize(
    "text", ["", "We wait for Ann", "later", "when I am back", "2 disks", "2 hours", "Frimon", "May we wait?"]
)
def test_what_begins_with_no_time(text: str) -> None:
    """A text that begins with no time names none, however much it says."""
    assert comes(text) is None


@pytest.mark.parametrize(
    ("text", "doubt"),
    [
        ("5", Doubt.AM_OR_PM),
        ("Friday at 5", Doubt.AM_OR_PM),
        ("next Friday", Doubt.TWO_DATES),
        ("5/6", Doubt.TWO_DATES),
        ("Friday or Monday", Doubt.TWO_DATES),
        ("Mon to Wed", Doubt.TWO_DATES),
        ("Fri/Mon", Doubt.TWO_DATES),
        ("Fri-Mon", Doubt.TWO_DATES),
        ("9.05", Doubt.DATE_OR_TIME),
        ("Friday midnight", Doubt.MIDNIGHT),
        ("31/11", Doubt.NO_SUCH_DATE),
        ("Friday 25:00", Doubt.NO_SUCH_TIME),
        ("16:00 CET", Doubt.OTHER_ZONE),
        ("today 8:00", Doubt.PAST),
        ("yesterday", Doubt.PAST),
        ("20 Nov", Doubt.PAST),
        ("2026-11-20", Doubt.PAST),
        ("2028-11-20", Doubt.TOO_FAR),
        ("in 500 days", Doubt.TOO_FAR),
    ],
)
def test_what_to_wait_for_is_asked_about(text: str, doubt: Doubt) -> None:
    """N.5: what can be two times, has gone by, or is more than a year off is asked about with its reason."""
    assert comes(text) == doubt


MOMENTS = st.integers(1_577_836_800, 2_051_222_400).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
ZONES = st.sampled_from([CHICAGO, "Pacific/Auckland", "Asia/Kolkata", "Africa/Cairo"])


def wall(at: datetime, zone: str) -> datetime | None:
    """As it stands on the wall; None where the clocks show it twice."""
    local = at.astimezone(ZoneInfo(zone))
    return None if local.utcoffset() != local.replace(fold=1 - local.fold).utcoffset() else local


@settings(deadline=None, max_examples=150)
@given(MOMENTS, ZONES)
def test_what_a_form_prefills_is_read_as_what_it_was(at: datetime, zone: str) -> None:
    """S1.5: "Tue 9:12", as forms prefill it, sent back unchanged, is the same minute again, in a double hour too."""
    at = at.replace(second=0, microsecond=0)
    local = at.astimezone(ZoneInfo(zone))
    text = f"{DAYS[local.weekday()][:3]} {local.hour}:{local:%M}"
    assert past_moment(text, at, at + timedelta(hours=30), zone, ENGLISH, "") == at


@settings(deadline=None, max_examples=150)
@given(MOMENTS, st.integers(0, 400_000), ZONES, st.sampled_from(["dmy", "mdy"]))
def test_what_is_written_in_full_is_read_back(now: datetime, minutes: int, zone: str, order: str) -> None:
    """S1.5: a moment written with its date is that moment, in every zone and order, but for hours that come twice."""
    past = now.replace(second=0, microsecond=0) - timedelta(minutes=minutes)
    local = wall(past, zone)
    if local is None:
        return
    figures = (local.day, local.month) if order == "dmy" else (local.month, local.day)
    for date in (
        f"{local:%Y-%m-%d}",
        f"{local.day} {MONTHS[local.month - 1]} {local.year}",
        f"{MONTHS[local.month - 1][:3]} {local.day}, {local.year} at",
        f"{figures[0]}/{figures[1]}/{local.year}",
    ):
        for time in (f"{local:%H:%M}", f"{local.hour % 12 or 12}:{local:%M} {'ap'[local.hour > 11]}m"):
            assert past_moment(f"{date} {time}", now, now, zone, ENGLISH, order) == past


@settings(deadline=None, max_examples=150)
@given(MOMENTS, st.integers(2, 500_000), ZONES)
def test_what_is_to_come_is_read_back(now: datetime, minutes: int, zone: str) -> None:
    """A moment to come that is written with its date is that moment, and its reason is kept."""
    coming = now.replace(second=0, microsecond=0) + timedelta(minutes=minutes)
    local = wall(coming, zone)
    if local is None:
        return
    text = f"{local.day} {MONTHS[local.month - 1]} {local.year} {local:%H:%M}, we wait"
    assert coming_moment(text, now, zone, ENGLISH, "", "17:00") == (coming, "we wait")


SAID = (
    "9 9:05 9.05 17 5/6 23/11 2026-11-23 Tue Nov 23 at on the this last next week night morning tonight yesterday "
    "noon midnight pm ago in two hours half an or - , now by end of day"
)
WORDS = st.sampled_from(SAID.split())


@settings(deadline=None, max_examples=400)
@given(st.lists(WORDS | st.text(max_size=8), max_size=8).map(" ".join), st.sampled_from(["", "dmy", "mdy"]))
def test_whatever_stands_there(text: str, order: str) -> None:
    """N.5: any text is a time, unclear or none, never an error; what was has been, and what comes has not."""
    past = past_moment(text, NEAR, NEAR, CHICAGO, ENGLISH, order)
    assert past is None or isinstance(past, Unclear) or past <= NEAR + timedelta(minutes=5)
    coming = coming_moment(text, NEAR, CHICAGO, ENGLISH, order, "17:00")
    assert coming is None or isinstance(coming, Unclear) or NEAR < coming[0] <= NEAR + timedelta(days=400)


def test_phrases_of_another_language_for_what_is_to_come() -> None:
    """S2.13: a language that brings its own words is understood by them."""
    dutch = Names(
        days=("maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag"),
        months=MONTHS,
        phrases=Phrases(tomorrow=("morgen",), within=("over",), by=("voor",), days=("dag", "dagen")),
    )
    assert comes("voor vrijdag, wacht op de leverancier", names=dutch) == "27.11. 17:00 | wacht op de leverancier"
    assert comes("over 2 dagen", names=dutch) == "26.11. 17:00"
