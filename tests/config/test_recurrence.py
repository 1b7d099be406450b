"""How events of calendar files repeat, against a library that reads the same rules."""

import re
from datetime import date, datetime, timedelta

from dateutil.rrule import rrulestr  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from mailflow.config.recurrence import Work, read_rule

weekday = st.sampled_from(["MO", "TU", "WE", "TH", "FR", "SA", "SU"])
plain = st.lists(weekday, min_size=1, max_size=3, unique=True).map(lambda days: f"BYDAY={','.join(days)}")
ordinal = st.tuples(st.sampled_from([1, 2, 4, -1, -2]), weekday).map(lambda day: f"BYDAY={day[0]}{day[1]}")
monthday = st.lists(st.sampled_from([1, 5, 28, -1, -3]), min_size=1, max_size=3, unique=True).map(
    lambda days: f"BYMONTHDAY={','.join(map(str, days))}"
)
months = st.lists(st.integers(1, 12), min_size=1, max_size=4, unique=True).map(
    lambda numbers: f"BYMONTH={','.join(map(str, sorted(numbers)))}"
)
position = st.sampled_from(["BYSETPOS=1", "BYSETPOS=-1", "BYSETPOS=2,-1"])
daily = st.tuples(st.just("FREQ=DAILY"), st.just("") | plain | months)
weekly = st.tuples(st.just("FREQ=WEEKLY"), st.just("") | plain, st.just("") | months, st.sampled_from(["", "WKST=SU"]))
monthly = st.tuples(st.just("FREQ=MONTHLY"), st.just("") | plain | ordinal | monthday, st.just("") | months)
yearly = st.tuples(st.just("FREQ=YEARLY"), st.just("") | plain | ordinal | monthday, st.just("") | months)
placed = st.tuples(st.sampled_from(["FREQ=MONTHLY", "FREQ=YEARLY"]), plain | monthday, position)
ending = st.sampled_from(["", "COUNT=7", "UNTIL=20270305T235959", "UNTIL=20270305"])


@settings(deadline=None, max_examples=150)
@given(
    (daily | weekly | monthly | yearly | placed).map(list),
    st.integers(1, 4),
    ending,
    st.integers(0, 900).map(lambda n: datetime(2025, 6, 1, 12) + timedelta(days=n)),  # noqa: DTZ001
)
def test_rules_as_another_reads_them(parts: list[str], interval: int, end: str, begins: datetime) -> None:
    """However an event repeats, its days are those that the library finds."""
    text = ";".join(filter(None, [*parts, f"INTERVAL={interval}", end]))
    last = date(2028, 1, 1)
    days: list[date] = []
    rule = read_rule(text, begins)
    for day in rule.days(begins.date(), begins.date(), last, Work()):
        until = rule.until.date() if isinstance(rule.until, datetime) else rule.until
        if (rule.count is not None and len(days) >= rule.count) or (until and day > until):
            break
        days.append(day)
    reference = []
    for moment in rrulestr(re.sub("UNTIL=20270305$", "UNTIL=20270305T235959", text), dtstart=begins):
        if moment.date() > last:
            break
        reference.append(moment.date())
    assert days == reference
    # Where nobody counts, looking from later on finds the same days.
    if rule.count is None:
        seen = date(2027, 1, 1)
        later = [day for day in rule.days(begins.date(), seen, last, Work()) if day >= seen]
        assert later == [day for day in rule.days(begins.date(), begins.date(), last, Work()) if day >= seen]
