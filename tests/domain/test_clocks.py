"""The eight clocks and the stages: what each is read from, when it is absent, and what always holds between them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailflow.domain.clocks import Clock, Reading, Stage, clocks, stages
from mailflow.domain.form import Fill
from mailflow.domain.incident import Affected, Entry, Incident, IncidentState, Told
from mailflow.domain.people import Address
from mailflow.domain.vocabulary import Class, Detection, Live, Priority, Severity

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
VALERY = "Valery Stufano"


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


INCIDENT = Incident(
    id=1,
    reference="INC-1",
    state=IncidentState.CLOSED,
    scope="client:northwind",
    key="zabbix:1",
    class_=Class.OUTAGE,
    severity=Severity.HIGH,
    priority=Priority.P2,
    symptom="down",
    title="file server",
    detected_by=Detection.INTERNAL_MONITOR,
    noticed_by="Zabbix",
    first_shown="Problem",
    started_at=at(-5),
    ended_at=at(30),
    opened_at=at(1),
    closed_at=at(300),
)


def client(id_: int = 1, **changes: Any) -> Affected:
    one = Affected(
        id=id_,
        incident_id=1,
        client_key=f"client{id_}",
        client_name=f"Client {id_}",
        timezone="UTC",
        language="en",
        mailbox="noc@msp.example",
        live=Live.AUTO,
        liaison=Address(name=VALERY, address="valery@msp.example"),
        settled_at=at(200),
        settled_why="debrief sent",
    )
    return replace(one, **changes)


def entry(what: str, minutes: float, mail: int | None = None, **changes: Any) -> Entry:
    return replace(Entry(at=at(minutes), what=what, author=VALERY, text="", inbound_id=mail), **changes)


def sent(kind: str, minutes: float, letter: int, to: str = "John Harper") -> Entry:
    return Entry(at=at(minutes), what=f"{kind} sent", author=to, text="", letter_id=letter)


def told(kind: str, minutes: float, affected: int = 1, to: str = "John Harper") -> Told:
    return Told(affected_id=affected, address="john@northwind.example", name=to, kind=kind, at=at(minutes))


OPENED = entry("opened", 1, 11, author="Zabbix")
RECEIVED = {11: NOON}
WHOLE = (
    OPENED,
    sent("opened", 2, 51, to=VALERY),
    sent("acknowledgement", 4, 52),
    entry("note", 10, 12),
    entry("asked", 12, 13),
    entry("recovered", 30, 14, author="Zabbix"),
    entry("answered", 60, 15, text="[1], [7]"),
    sent("debrief", 200, 53),
)
TOLD = (told("acknowledgement", 4), told("debrief", 200))
IMPACT = {1: Fill(number=7, value="Nobody could save.", by="valery@msp.example", at=at(60))}


def read(
    timeline: Sequence[Entry] = WHOLE,
    letters: Sequence[Told] = TOLD,
    clients: Sequence[Affected] = (client(),),
    fills: dict[int, Fill] = IMPACT,
    **changes: Any,
) -> dict[Clock, Reading]:
    return clocks(replace(INCIDENT, **changes), clients, timeline, letters, fills, RECEIVED)


def shown(reading: Reading | None) -> tuple[float, int | None, int | None] | None:
    """Minutes after noon, the mail, the letter."""
    if reading is None:
        return None
    return (reading.at - NOON).total_seconds() / 60, reading.inbound_id, reading.letter_id


def test_a_whole_course_shows_its_clocks_with_the_mail_of_each() -> None:
    """S4.1: each clock that can be known says when, and by which mail or letter."""
    assert {clock: shown(reading) for clock, reading in read().items()} == {
        Clock.DETECTED: (0, 11, None),  # when the mail came in, not when we read it
        Clock.INFORMED: (4, None, 52),
        Clock.EXTENT: (1, 11, None),
        Clock.IMPACT: (60, 15, None),
        Clock.HANDLING: (10, 12, None),
        Clock.RESOLVED: (30, 14, None),
        Clock.TOLD: (200, None, 53),
    }


def test_the_stages_carry_times() -> None:
    """S4.2: detect, record, classify, notify, escalate, investigate, restore."""
    found = stages(INCIDENT, WHOLE, read(), RECEIVED)
    assert {stage: shown(reading) for stage, reading in found.items()} == {
        Stage.DETECT: (0, 11, None),
        Stage.RECORD: (1, 11, None),
        Stage.CLASSIFY: (1, 11, None),
        Stage.NOTIFY: (2, None, 51),
        Stage.ESCALATE: (12, 13, None),
        Stage.INVESTIGATE: (10, 12, None),
        Stage.RESTORE: (30, 14, None),
    }
    again = stages(INCIDENT, (*WHOLE, entry("reclassified", 20, 16)), read(), RECEIVED)
    assert shown(again[Stage.CLASSIFY]) == (20, 16, None)


@pytest.mark.parametrize(
    ("course", "ended", "workaround", "resolved"),
    [
        pytest.param([entry("workaround", 20, 21)], 20, (20, 21, None), None, id="only a workaround"),
        pytest.param([entry("failover", 20, 21)], 18, (18, 21, None), None, id="a failover, some minutes ago"),
        pytest.param(
            [entry("workaround", 20, 21), entry("resolved", 90, 22)], 20, (20, 21, None), (90, 22, None), id="then over"
        ),
        pytest.param(
            [entry("workaround", 20, 21), entry("resolved", 90, 22, text="13:20")],
            80,
            (20, 21, None),
            (80, 22, None),
            id="then over at a time that she named",
        ),
        pytest.param(
            [entry("recovered", 20, 21), entry("resolved", 60, 22, text="12:25")],
            25,
            None,
            (25, 22, None),
            id="her word about the end counts",
        ),
        pytest.param(
            [entry("recovered", 20, 21), entry("resolved", 60, 22)],
            20,
            None,
            (20, 21, None),
            id="what was known is no news",
        ),
        pytest.param(
            [entry("workaround", 20, 21), entry("reopened", 30, 22), entry("recovered", 60, 23)],
            60,
            None,
            (60, 23, None),
            id="what was said before it was on again does not count",
        ),
        pytest.param([entry("recovered", 20, 21)], None, None, None, id="still on"),
        pytest.param([], 20, None, (20, None, None), id="as recorded"),
        pytest.param(
            [entry("workaround", 20, 21), entry("recovered", 900, 22)], 20, (20, 21, None), None, id="after its close"
        ),
    ],
)
def test_how_it_ended(course: list[Entry], ended: float | None, workaround: object, resolved: object) -> None:
    """S4.1, S4.30: a workaround is not the end; the end is when it was over, not when we were told."""
    found = read([OPENED, *course], ended_at=None if ended is None else at(ended))
    assert shown(found.get(Clock.WORKAROUND)) == workaround
    assert shown(found.get(Clock.RESOLVED)) == resolved


def test_nobody_told_is_no_clock() -> None:
    """S4.1: a letter that came back, or went to one of ours instead, informed nobody."""
    found = read(letters=())
    assert not {Clock.INFORMED, Clock.TOLD} & set(found)


def test_clients_are_told_when_the_last_of_them_is() -> None:
    """S4.1: a storm's clients are informed with the last first letter; who is owed nothing delays nothing."""
    second = client(2, settled_at=None)
    letters = (*TOLD, told("acknowledgement", 9, affected=2), told("update", 40, affected=2))
    found = read(letters=letters, clients=(client(), second))
    assert shown(found[Clock.INFORMED]) == (9, None, None)
    assert Clock.TOLD not in found
    settled = read(letters=letters, clients=(client(), replace(second, settled_at=at(210))))
    assert shown(settled[Clock.TOLD]) == (200, None, 53)


def test_a_debrief_before_it_came_back_told_of_no_end() -> None:
    """S4.1: reopened after its debrief, the clients have not been told of its end yet."""
    again = (*WHOLE, entry("reopened", 220, 31))
    assert Clock.TOLD not in read(again, clients=(client(settled_at=None),))


def test_the_extent_of_a_storm() -> None:
    """S4.1: known when its last client was added, not known while it may grow; a client's own trouble has one."""
    second = client(2, started_at=at(6))
    storm = [OPENED, entry("alert", 3, 21), entry("storm", 5, 22), entry("alert", 7, 23), entry("alert", 9, 24)]
    found = read(storm, clients=(client(), second), scope="storm:HostDown")
    assert shown(found[Clock.EXTENT]) == (7, 23, None)
    on = read(storm, clients=(client(), second), scope="storm:HostDown", state=IncidentState.OPEN, ended_at=None)
    assert Clock.EXTENT not in on
    alone = read(storm, state=IncidentState.OPEN, ended_at=None)
    assert shown(alone[Clock.EXTENT]) == (1, 11, None)


@pytest.mark.parametrize(
    ("clients", "course", "expected"),
    [
        pytest.param([client()], [], None, id="nobody said"),
        pytest.param(
            [client(reporter="John", reported_at=at(8))],
            [entry("client wrote", 8, 31, author="John Harper")],
            (8, 31, None),
            id="a client wrote",
        ),
        pytest.param([client(reporter="John", reported_at=at(1))], [], (0, 11, None), id="a client opened it"),
    ],
)
def test_when_the_impact_was_known(clients: list[Affected], course: list[Entry], expected: object) -> None:
    """S4.1: the client's own words, or the liaison's answer, whichever came first."""
    assert shown(read([OPENED, *course], clients=clients, fills={}).get(Clock.IMPACT)) == expected


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        (entry("alert", 3, 21, author="zabbix"), None),
        (entry("client wrote", 3, 21), None),
        (entry("reclassified", 3, 21, text="high to critical, outage to outage"), None),
        (entry("reclassified", 3, 21, text="P2 to P1: the whole office"), (3, 21, None)),
        (entry("merged", 3, author="mailflow"), None),
        (entry("merged", 3), (3, None, None)),
        (entry("note", 1, 11), None),  # said when it was opened
    ],
)
def test_only_a_person_handles(first: Entry, expected: object) -> None:
    """S4.1: what a monitor, a client or a rule did is no handling, nor is opening it."""
    assert shown(read([OPENED, first]).get(Clock.HANDLING)) == expected


def test_one_that_was_split_off_has_no_opening() -> None:
    """S4.1: never guessed: its own log does not tell how it was detected."""
    found = read([entry("split", 20, 21)])
    assert Clock.DETECTED not in found
    assert shown(found[Clock.EXTENT]) == (20, 21, None)


WHATS = (
    *("opened", "alert", "recovered", "resolved", "workaround", "trouble again", "reopened", "answered", "note"),
    *("client wrote", "storm", "merged", "split", "asked", "acknowledgement sent", "debrief sent"),
)
MOMENTS = st.integers(-30, 400).map(at)
ENTRIES = st.lists(
    st.builds(
        Entry,
        at=MOMENTS,
        what=st.sampled_from(WHATS),
        author=st.sampled_from([VALERY, "John Harper", "mailflow"]),
        text=st.sampled_from(["", "[7]", "13:20", "P1 to P2"]),
        inbound_id=st.none() | st.integers(1, 5),
    ),
    max_size=12,
).map(lambda entries: sorted(entries, key=lambda e: e.at))
LETTERS = st.lists(
    st.builds(
        Told,
        affected_id=st.just(1),
        address=st.just("john@northwind.example"),
        name=st.just("John Harper"),
        kind=st.sampled_from(["acknowledgement", "update", "debrief"]),
        at=MOMENTS,
    ),
    max_size=5,
)
ORDER = (
    *((Clock.DETECTED, later) for later in (Clock.INFORMED, Clock.EXTENT, Clock.IMPACT, Clock.HANDLING)),
    (Clock.INFORMED, Clock.TOLD),
    (Clock.WORKAROUND, Clock.RESOLVED),
)


@given(
    timeline=ENTRIES,
    letters=LETTERS,
    received=st.dictionaries(st.integers(1, 5), MOMENTS),
    ended=st.none() | MOMENTS,
    reported=st.none() | MOMENTS,
    state=st.sampled_from(IncidentState),
)
def test_whatever_the_log_says_the_clocks_keep_their_order(
    timeline: list[Entry],
    letters: list[Told],
    received: dict[int, datetime],
    ended: datetime | None,
    reported: datetime | None,
    state: IncidentState,
) -> None:
    """S4.1: nothing before it began; nobody told, nothing known or handled before it was detected."""
    incident = replace(INCIDENT, ended_at=ended, state=state)
    one = client(reporter="John" if reported else "", reported_at=reported)
    found = clocks(incident, (one,), timeline, letters, IMPACT, received)
    for reading in [*found.values(), *stages(incident, timeline, found, received).values()]:
        assert reading.at >= incident.started_at
    for first, second in ORDER:
        if first in found and second in found:
            assert found[first].at <= found[second].at, (first, second)
