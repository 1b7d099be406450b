"""Which alert opens an incident, joins one, ends one, or waits: every branch as a row, and then whatever comes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailflow.domain.correlation import LYING, UNTOLD, correlate, may_reopen, said_at
from mailflow.domain.decisions import (
    Decision,
    Gather,
    Ignore,
    Join,
    Known,
    Mute,
    OpenFromAlert,
    Recover,
    Relapse,
    Show,
    Situation,
    Wait,
)
from mailflow.domain.incident import Incident, IncidentState, Signal
from mailflow.domain.mail import Ending, Event, Rules
from mailflow.domain.maintenance import Window
from mailflow.domain.ownership import Owner
from mailflow.domain.people import Client, Who
from mailflow.domain.policy import Policy
from mailflow.domain.vocabulary import Class, Detection, Kind, Live, Priority, Severity, State

NOW = datetime(2026, 11, 24, 15, 12, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
POLICY = Policy()
STORM_OF_FIVE, NO_STORMS = replace(POLICY, storm_count=5), replace(POLICY, storm_count=1)


# --- the cast ---


def client(key: str) -> Client:
    """A firm."""
    return Client(key=key, name=key.title(), timezone="UTC", language="en", liaison="v@msp.example", live=Live.AUTO)


NORTHWIND, CONTOSO = client("northwind"), client("contoso")
HERS = Owner(clients=(NORTHWIND,))


def event(state: State = State.PROBLEM, **changes: Any) -> Event:
    """One thing that a monitor reports."""
    return replace(
        Event(
            recipe="zabbix",
            state=state,
            severity=Severity.HIGH,
            class_=Class.OUTAGE,
            symptom="down",
            key="4711",
            thing="nw-fs01/ping",
            family="zabbix:down",
            fields={"host": "NW-FS01"},
        ),
        **changes,
    )


def incident(state: IncidentState = IncidentState.OPEN, id: int = 7, why: str = "") -> Incident:
    """An incident that began a day ago."""
    return Incident(
        id=id,
        reference=f"INC-{id}",
        state=state,
        scope="client:northwind",
        key="4711",
        class_=Class.OUTAGE,
        severity=Severity.HIGH,
        priority=Priority.P2,
        symptom="down",
        title="file server",
        detected_by=Detection.INTERNAL_MONITOR,
        noticed_by="Zabbix",
        first_shown="Problem",
        started_at=NOW - 24 * HOUR,
        opened_at=NOW - 24 * HOUR,
        why_closed=why,
    )


def trouble(
    of: Incident | None = None,
    *,
    ended: timedelta | None = None,
    began: timedelta = HOUR,
    said: timedelta | None = None,
) -> Known:
    """Trouble of an incident (an open one, unless another is named); times are how long ago, `said` its last word's."""
    of = incident() if of is None else of
    last = ended or began if said is None else said
    signal = Signal(
        id=1,
        incident_id=of.id,
        affected_id=70,
        scope="client:northwind",
        key="4711",
        thing="nw-fs01/ping",
        family="zabbix:down",
        plain="",
        began_at=NOW - began,
        began_said=NOW - began,
        said_at=NOW - last,
        ended_at=None if ended is None else NOW - ended,
    )
    return Known(signal=signal, incident=of)


def waiting(ago: timedelta) -> Known:
    """A recovery that came so long ago and waits for its problem."""
    known = trouble(ended=ago)
    return Known(signal=replace(known.signal, incident_id=None, affected_id=None))


RESTORED = incident(IncidentState.RESTORED)
CLOSED, UNHEARD = incident(IncidentState.CLOSED, why="debrief sent"), incident(IncidentState.CLOSED, why=UNTOLD)
STORM = replace(incident(id=20), scope="storm:zabbix:down")
ALIKE = (incident(id=11), incident(id=12))
WINDOW = Window(begins=NOW - HOUR, ends=NOW + HOUR)
P, R, U = (event(s) for s in (State.PROBLEM, State.RECOVERY, State.UPDATE))
OVER = trouble(RESTORED, ended=HOUR)  # and so within the four hours of the policy
LONG_OVER = trouble(RESTORED, ended=POLICY.reopen_within)


def ruled(of: Event, **rules: Any) -> Event:
    """The same event under a recipe's own rules."""
    return replace(of, rules=Rules(**rules))


@dataclass(frozen=True)
class Row:
    """An event and its situation, and what must come of it; `said` is how long ago the monitor wrote."""

    id: str
    event: Event
    situation: Mapping[str, Any]
    becomes: type
    reason: str
    said: timedelta = timedelta()
    policy: Policy = POLICY


def table(*rows: Row) -> Callable[[Callable[[Row], None]], Callable[[Row], None]]:
    """One test for each row."""
    return pytest.mark.parametrize("row", [pytest.param(row, id=row.id) for row in rows])


def judged(of: Event, *, said: timedelta = timedelta(), policy: Policy = POLICY, **situation: Any) -> Decision:
    """What an event means, Northwind's unless another owner is named."""
    told = Situation(mailbox="noc@msp.example", own=frozenset(), who=Who(), **{"owner": HERS, **situation})
    return correlate(of, told, NOW - said, NOW, policy)


def check(row: Row) -> None:
    """The row holds."""
    got = judged(row.event, said=row.said, policy=row.policy, **row.situation)
    assert (type(got), got.reason) == (row.becomes, row.reason)


# --- whose ---

VENDORS = replace(P, vendor="Microsoft 365")


@table(
    Row("nobody's", P, {"owner": Owner()}, Show, "alert-of-no-client"),
    Row("two", P, {"owner": Owner(clients=(NORTHWIND, CONTOSO))}, Show, "alert-of-two-clients"),
    Row("nobody's-recovery", R, {"owner": Owner()}, Show, "alert-of-no-client"),
    Row("nobody's-update", U, {"owner": Owner()}, Show, "alert-of-no-client"),
    Row("nobody's-info", event(State.INFO), {"owner": Owner()}, Ignore, "event-is-info"),
    Row("vendor-of-two", VENDORS, {"owner": Owner(clients=(NORTHWIND, CONTOSO))}, OpenFromAlert, "new-key"),
    Row("vendor-of-one", VENDORS, {}, OpenFromAlert, "new-key"),
    Row("vendor-of-none", VENDORS, {"owner": Owner()}, Ignore, "vendor-of-no-client"),
)
def test_whose_it_is_comes_first(row: Row) -> None:
    """N.1: an event of no client, or of two, is a person's to place; only a vendor's may be of several."""
    check(row)


def test_a_vendors_mail_that_concerns_nobody_is_a_vendors_mail() -> None:
    """What is passed by is kept as what it was."""
    got = judged(VENDORS, owner=Owner())
    assert isinstance(got, Ignore)
    assert got.kind is Kind.VENDOR


# --- problems ---


@table(
    Row("new", P, {}, OpenFromAlert, "new-key"),
    Row("same-key", P, {"same": trouble()}, Join, "same-key-again"),
    # However old a repeated alert is: what is on is on.
    Row("same-key-older", P, {"same": trouble()}, Join, "same-key-again", said=3 * HOUR),
    Row("same-key-in-a-window", P, {"same": trouble(), "window": WINDOW}, Join, "same-key-again"),
    Row("relapse", P, {"same": OVER}, Relapse, "same-key-soon-after-its-end"),
    Row("relapse-of-one-of-many", P, {"same": trouble(ended=HOUR)}, Relapse, "same-key-soon-after-its-end"),
    Row("just-within", P, {"same": trouble(RESTORED, ended=4 * HOUR - SECOND)}, Relapse, "same-key-soon-after-its-end"),
    Row("long-after", P, {"same": LONG_OVER}, OpenFromAlert, "new-key"),
    # Its incident is on, for something else in it is: a second one with its key cannot be.
    Row(
        "long-after-in-what-is-on",
        P,
        {"same": trouble(ended=POLICY.reopen_within)},
        Relapse,
        "same-key-soon-after-its-end",
    ),
    Row("after-closed", P, {"same": trouble(CLOSED, ended=HOUR)}, OpenFromAlert, "new-key"),
    Row("after-closed-unheard", P, {"same": trouble(UNHEARD, ended=HOUR)}, Relapse, "same-key-soon-after-its-end"),
    Row("long-after-unheard", P, {"same": trouble(UNHEARD, ended=4 * HOUR)}, OpenFromAlert, "new-key"),
    Row("its-own-window", ruled(P, reopen_within=MINUTE), {"same": OVER}, OpenFromAlert, "new-key"),
    Row(
        "no-window",
        ruled(P, reopen_within=timedelta()),
        {"same": trouble(RESTORED, ended=timedelta())},
        OpenFromAlert,
        "new-key",
    ),
    Row(
        "a-longer-window",
        ruled(P, reopen_within=9 * HOUR),
        {"same": LONG_OVER},
        Relapse,
        "same-key-soon-after-its-end",
    ),
)
def test_the_same_key(row: Row) -> None:
    """N.1, S0.3: trouble with a known key joins while it is on, and goes on when it comes back soon."""
    check(row)


@table(
    Row("same-thing", P, {"again": trouble()}, Join, "same-thing-again"),
    Row("same-thing-back", P, {"again": OVER}, Relapse, "same-thing-soon-after-its-end"),
    Row("same-thing-long-after", P, {"again": LONG_OVER}, OpenFromAlert, "new-key"),
    Row("same-thing-closed", P, {"again": trouble(CLOSED, ended=HOUR)}, OpenFromAlert, "new-key"),
    Row("same-thing-unheard", P, {"again": trouble(UNHEARD, ended=HOUR)}, Relapse, "same-thing-soon-after-its-end"),
    Row("same-thing-waits", P, {"again": waiting(HOUR)}, OpenFromAlert, "new-key"),
    Row("key-before-thing", P, {"same": OVER, "again": trouble()}, Relapse, "same-key-soon-after-its-end"),
    Row("old-key-new-thing", P, {"same": LONG_OVER, "again": trouble()}, Join, "same-thing-again"),
    Row("thing-before-storm", P, {"again": trouble(), "storm": STORM}, Join, "same-thing-again"),
)
def test_the_same_thing_under_another_key(row: Row) -> None:
    """N.1: a monitor that numbers its alerts anew still tells of one thing: one incident, not one a number."""
    check(row)


@table(
    Row("storm", P, {"storm": STORM, "alike": (STORM,), "alike_count": 9}, Join, "part-of-a-storm"),
    Row("third", P, {"alike": ALIKE, "alike_count": 2}, Gather, "a-storm"),
    Row("second", P, {"alike": ALIKE[:1], "alike_count": 1}, OpenFromAlert, "new-key"),
    Row("third-of-one-incident", P, {"alike": ALIKE[:1], "alike_count": 2}, Gather, "a-storm"),
    Row("fourth-of-five", P, {"alike": ALIKE, "alike_count": 3}, OpenFromAlert, "new-key", policy=STORM_OF_FIVE),
    Row("fifth-of-five", P, {"alike": ALIKE, "alike_count": 4}, Gather, "a-storm", policy=STORM_OF_FIVE),
    Row("never", P, {"alike": ALIKE, "alike_count": 99}, OpenFromAlert, "new-key", policy=NO_STORMS),
    Row("no-family", replace(P, family=""), {"alike": ALIKE, "alike_count": 9}, OpenFromAlert, "new-key"),
    Row("relapse-before-storm", P, {"same": OVER, "storm": STORM}, Relapse, "same-key-soon-after-its-end"),
)
def test_storms(row: Row) -> None:
    """One dead switch is one incident, not thirty: three of a family in an hour become one, and more join it."""
    check(row)


def test_a_storm_gathers_into_its_oldest_incident() -> None:
    """The oldest incident lives on, and every other is named."""
    assert judged(P, alike=(*ALIKE, incident(id=13)), alike_count=3) == Gather(
        reason="a-storm", event=P, into=11, others=(12, 13)
    )


@table(
    Row("new", P, {"window": WINDOW}, Mute, "in-a-maintenance-window"),
    Row("back", P, {"window": WINDOW, "same": OVER}, Mute, "in-a-maintenance-window"),
    Row("same-thing", P, {"window": WINDOW, "again": trouble()}, Mute, "in-a-maintenance-window"),
    Row("storm", P, {"window": WINDOW, "storm": STORM}, Mute, "in-a-maintenance-window"),
    Row("recovery", R, {"window": WINDOW, "same": trouble()}, Recover, "recovery-of-open-incident"),
    Row("recovery-of-nothing", R, {"window": WINDOW}, Wait, "recovery-waits-for-its-problem"),
    Row("nobody's", P, {"window": WINDOW, "owner": Owner()}, Show, "alert-of-no-client"),
)
def test_maintenance_windows(row: Row) -> None:
    """Trouble within planned work mails nobody; what was on before the work began can still end."""
    check(row)


def test_what_is_muted_waits_for_the_windows_end() -> None:
    """What is still on when the work should be over counts from then."""
    assert judged(P, window=WINDOW) == Mute(reason="in-a-maintenance-window", event=P, until=WINDOW.ends)


# --- recoveries and updates ---

NEVER, NEXT = (ruled(R, ending=e) for e in (Ending.NEVER, Ending.NEXT_SUCCESS))


@table(
    Row("recovery", R, {"same": trouble()}, Recover, "recovery-of-open-incident"),
    Row("recovery-after-a-relapse", R, {"same": trouble(RESTORED)}, Recover, "recovery-of-open-incident"),
    Row("second-recovery", R, {"same": OVER}, Ignore, "recovery-of-nothing-open"),
    Row("of-what-is-closed", R, {"same": trouble(CLOSED, ended=HOUR)}, Ignore, "recovery-of-nothing-open"),
    Row("of-nothing", R, {}, Wait, "recovery-waits-for-its-problem"),
    Row("of-nothing-again", R, {"same": waiting(HOUR)}, Wait, "recovery-waits-for-its-problem"),
    # The thing's other trouble has a key of its own, which alone ends it.
    Row("of-the-same-thing", R, {"again": trouble()}, Wait, "recovery-waits-for-its-problem"),
    Row("of-a-storm", R, {"storm": STORM, "alike": ALIKE, "alike_count": 9}, Wait, "recovery-waits-for-its-problem"),
    # Every night's success is no recovery that something should wait for.
    Row("success", NEXT, {}, Ignore, "recovery-of-nothing-open"),
    Row("success-after-a-failure", NEXT, {"same": trouble()}, Recover, "recovery-of-open-incident"),
    Row("tool-that-never-tells", NEVER, {}, Ignore, "recovery-of-nothing-open"),
    Row("update", U, {"same": trouble()}, Join, "update-of-running-incident"),
    Row("late-update", U, {"same": OVER}, Join, "update-of-running-incident"),
    Row("update-of-closed", U, {"same": trouble(CLOSED, ended=HOUR)}, Ignore, "update-of-nothing-open"),
    Row("update-of-nothing", U, {}, Ignore, "update-of-nothing-open"),
    Row("update-of-what-waits", U, {"same": waiting(HOUR)}, Ignore, "update-of-nothing-open"),
    Row("update-of-the-thing", U, {"again": trouble()}, Ignore, "update-of-nothing-open"),
    Row("info", event(State.INFO), {"same": trouble()}, Ignore, "event-is-info"),
    Row("test", event(State.TEST), {}, Ignore, "event-is-test"),
)
def test_recoveries_and_updates(row: Row) -> None:
    """S4.3: a recovery ends what is on, never opens; where nothing is on, it waits for a problem that may be late."""
    check(row)


# --- mails that overtake each other ---


@table(
    Row("after-its-recovery", P, {"same": waiting(MINUTE)}, OpenFromAlert, "overtaken-by-its-recovery", said=HOUR),
    # A clock of whole seconds often gives both the same one.
    Row("in-one-second", P, {"same": waiting(MINUTE)}, OpenFromAlert, "overtaken-by-its-recovery", said=MINUTE),
    Row(
        "in-a-window",
        P,
        {"same": waiting(MINUTE), "window": WINDOW},
        OpenFromAlert,
        "overtaken-by-its-recovery",
        said=HOUR,
    ),
    Row("newer-than-what-waits", P, {"same": waiting(HOUR)}, OpenFromAlert, "new-key", said=MINUTE),
    Row("repeated-before-its-end", P, {"same": OVER}, Ignore, "older-than-its-recovery", said=2 * HOUR),
    Row("as-it-ended", P, {"same": OVER}, Relapse, "same-key-soon-after-its-end", said=HOUR),
    Row("old-and-in-a-window", P, {"same": OVER, "window": WINDOW}, Ignore, "older-than-its-recovery", said=2 * HOUR),
    Row("recovery-before-it-began", R, {"same": trouble()}, Ignore, "older-than-the-trouble", said=2 * HOUR),
    Row("recovery-as-it-began", R, {"same": trouble()}, Recover, "recovery-of-open-incident", said=HOUR),
    # "Still down" may have been written after the recovery and yet be the older news of the two: the end counts.
    Row(
        "recovery-before-its-last-word",
        R,
        {"same": trouble(said=timedelta())},
        Recover,
        "recovery-of-open-incident",
        said=MINUTE,
    ),
)
def test_mails_that_overtake_each_other(row: Row) -> None:
    """S4.6: what the monitor wrote first counts as first, whichever mail came first."""
    check(row)


def test_trouble_that_was_over_when_it_came_opens_what_is_over() -> None:
    """S4.6: the end of it is the recovery's; trouble that is new has no end."""
    late, new = judged(P, same=waiting(MINUTE), said=HOUR), judged(P)
    assert isinstance(late, OpenFromAlert)
    assert isinstance(new, OpenFromAlert)
    assert (late.over_at, new.over_at) == (NOW - MINUTE, None)


@pytest.mark.parametrize(
    ("off", "believed"),
    [
        (timedelta(), True),
        (-HOUR, True),
        (HOUR, True),
        (-LYING + SECOND, True),
        (-LYING, False),
        (LYING, False),
        (timedelta(days=-4000), False),
    ],
    ids=str,
)
def test_whose_clock_counts(off: timedelta, *, believed: bool) -> None:
    """S4.6: a monitor's clock may be an hour off; one that is days off orders nothing, and our own server's counts."""
    assert said_at(NOW + off, NOW) == (NOW + off if believed else NOW)
    assert said_at(None, NOW) == NOW


@pytest.mark.parametrize("state", list(IncidentState))
def test_what_may_go_on(state: IncidentState) -> None:
    """S3.1: what somebody was told of and is closed stays closed; what nobody heard of may go on."""
    running = state in {IncidentState.OPEN, IncidentState.RESTORED}
    assert may_reopen(incident(state, why="debrief sent")) is running
    assert may_reopen(incident(state, why=UNTOLD)) is (running or state is IncidentState.CLOSED)


# --- whatever comes ---

AGO = st.integers(-300, 3_000).map(lambda minutes: minutes * MINUTE)
INCIDENTS = st.builds(
    incident, st.sampled_from(IncidentState), st.sampled_from([7, 8, 9]), st.sampled_from(["", UNTOLD, "debrief sent"])
)
TROUBLES = st.builds(trouble, INCIDENTS, ended=st.none() | AGO, began=AGO, said=st.none() | AGO) | st.builds(
    waiting, AGO
)
EVENTS = st.builds(
    event,
    st.sampled_from([State.PROBLEM, *State]),
    family=st.sampled_from(["", "zabbix:down"]),
    thing=st.sampled_from(["", "nw-fs01/ping"]),
    vendor=st.sampled_from(["", "", "Microsoft 365"]),
    rules=st.builds(Rules, ending=st.sampled_from(Ending), reopen_within=st.sampled_from([None, timedelta(), HOUR])),
)
OPEN_ONES = st.lists(st.integers(1, 9), unique=True, max_size=4).map(lambda ids: tuple(incident(id=i) for i in ids))


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    """What may be known of an event: whatever fell ill is open in some incident, so a count comes with at least one."""
    alike = draw(OPEN_ONES)
    return Situation(
        mailbox="noc@msp.example",
        own=frozenset(),
        who=Who(),
        owner=Owner(clients=draw(st.sampled_from([(), (NORTHWIND,), (NORTHWIND,), (NORTHWIND, CONTOSO)]))),
        same=draw(st.none() | TROUBLES),
        again=draw(st.none() | TROUBLES),
        storm=draw(st.sampled_from([None, None, STORM])),
        alike=alike,
        alike_count=draw(st.integers(len(alike), 9)) if alike else 0,
        window=draw(st.sampled_from([None, None, WINDOW])),
    )


@settings(deadline=None, max_examples=400)
@given(EVENTS, situations(), AGO, st.integers(1, 5))
def test_whatever_comes(of: Event, situation: Situation, said: timedelta, storm_count: int) -> None:
    """DESIGN 1.4, N.1: never an error, always a reason; nothing opens but a problem, or ends but by a recovery."""
    got = correlate(of, situation, NOW - said, NOW, replace(POLICY, storm_count=storm_count))
    assert got.reason
    if of.state is not State.PROBLEM:
        assert isinstance(got, Ignore | Show | Join | Recover | Wait)
    if isinstance(got, Recover | Wait):
        assert of.state is State.RECOVERY
    if not isinstance(got, Ignore | Show):
        assert situation.owner.clients
        assert of.vendor or len(situation.owner.clients) == 1
    known = [k for k in (situation.same, situation.again) if k and k.incident]
    if isinstance(got, Recover):
        assert got.incident_id in {k.signal.incident_id for k in known if k.on}
    if isinstance(got, Relapse):
        assert got.incident_id in {
            k.signal.incident_id for k in known if not k.on and k.incident and may_reopen(k.incident)
        }
