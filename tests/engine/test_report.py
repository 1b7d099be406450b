"""The report of a month, on the real road: whose incidents, how they were answered, and what came again."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mailflow.adapters.store.tables import AffectedRow, EntryRow, IncidentRow, PromiseRow, ToldRow
from mailflow.domain.clocks import Clock, Stage
from mailflow.domain.incident import PromiseKind
from mailflow.domain.letters import LetterKind
from mailflow.engine.figures import Summary, spread
from mailflow.engine.report import Line, Noticed, Reporting
from tests.engine.test_storms import EXTRA, says
from tests.house import JOHN, PROBLEM, RECOVERY, VALERY, ByHand, by_hand

pytestmark = pytest.mark.soak

NOVEMBER, DECEMBER = datetime(2026, 11, 1, 6, tzinfo=UTC), datetime(2026, 12, 1, 6, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
ONE_DAY = '"1d"'
CHICAGO = "America/Chicago"


def lines(on: ByHand, client: str = "", now: datetime = DECEMBER) -> list[Line]:
    reporting = Reporting(on.app.store, on.app.setup)
    return list(reporting.lines(NOVEMBER, DECEMBER, now, client))


def summary(found: list[Line]) -> Summary:
    made = Summary(CHICAGO)
    for line in found:
        made.add(line)
    return made


def debriefed(on: ByHand) -> None:
    """The file server reboots, John is told, and has his debrief an hour later."""
    on.alert()
    on.later(minutes=4)
    on.later(minutes=5)
    on.recovery()
    on.later(minutes=11)
    on.later(minutes=40)
    on.replies(on.last(LetterKind.FORM), "1: A cable was loose.\n2: We fixed it.\n7: Nobody could save.")
    on.replies(on.last(LetterKind.PREVIEW), "SEND")
    on.later(minutes=4)


def test_a_month_of_two_clients(tmp_path: Path) -> None:
    """S4.1, S3.8, N.2, S4.36: clocks point to their mails; promises are judged; person or machine; what came again."""
    with by_hand(tmp_path, P1=ONE_DAY) as on:
        debriefed(on)
        on.writes(VALERY, "OPEN contoso: their invoice was wrong")
        on.replies(on.last(LetterKind.OPENED), "NO DEBRIEF sorted out on the phone")
        on.later(days=2)
        on.alert(PROBLEM.replace("184467", "184999"))
        on.later(minutes=30)
        on.recovery(RECOVERY.replace("184467", "184999"))
        on.later(days=3)
        first, second, third = lines(on)

        read = first.clocks
        inbound = {e.what: e.inbound_id for e in on.app.store.records.timeline(first.incident.id)}
        assert read[Clock.DETECTED].inbound_id == inbound["opened"]
        assert read[Clock.IMPACT].inbound_id == read[Clock.HANDLING].inbound_id == inbound["answered"]
        assert read[Clock.RESOLVED].inbound_id == inbound["recovered"]
        told = {clock: on.app.store.outbox.letter(read[clock].letter_id or 0) for clock in (Clock.INFORMED, Clock.TOLD)}
        assert [(x.kind, x.recipient.address) for x in told.values()] == [
            (LetterKind.ACKNOWLEDGEMENT, JOHN),
            (LetterKind.DEBRIEF, JOHN),
        ]
        assert [read[clock].at for clock in told] == [x.sent_at for x in told.values()]
        assert set(first.stages) == set(Stage) - {Stage.ESCALATE}
        assert first.outage == first.incident.ended_at - first.incident.started_at  # type: ignore[operator]
        (share,) = first.shares
        assert (share.kept, share.late, share.debrief_late, first.recurred) == (1, (), timedelta(), False)

        assert [second.noticed, first.noticed] == [Noticed.PERSON, Noticed.MACHINE]
        assert Clock.INFORMED not in second.clocks
        (share,) = second.shares
        assert (share.client_key, share.kept, share.late) == ("contoso", 0, ())  # released: neither kept nor broken

        assert third.recurred
        (share,) = third.shares
        (owed,) = [p for p in on.app.store.promises.of(third.incident.id) if p.kind is PromiseKind.DEBRIEF]
        assert (share.kept, share.late) == (0, (DECEMBER - owed.due_at,))

        figures = summary([first, second, third])
        assert list(figures.months) == ["2026-11"]
        whole = figures.whole
        assert (whole.incidents, whole.kept, whole.late.count, whole.share_kept, whole.recurred) == (3, 1, 1, 0.5, 1)
        assert whole.noticed == {Noticed.PERSON: 1, Noticed.MACHINE: 2, Noticed.VENDOR: 0}
        assert list(figures.clients) == ["northwind", "contoso"]
        assert figures.clients["contoso"].share_kept is None
        assert figures.clients["northwind"].outage.count == 2
        assert lines(on, "contoso")[0].incident.reference == second.incident.reference


def test_a_storm_is_one_line_with_a_share_for_each_client(tmp_path: Path) -> None:
    """S4.36: who was affected and for how long: each client by its own trouble; alone, only its own part is told."""
    with by_hand(tmp_path, EXTRA) as on:
        for event, host in enumerate(("FB-GW01", "FB-GW02", "FB-GW03", "LW-TILL1"), start=1):
            says(on, host, event=event)
            on.later(minutes=2)
        for event, host in enumerate(("FB-GW01", "FB-GW02", "FB-GW03"), start=1):
            says(on, host, event=event, over=True)
        on.later(minutes=60)
        says(on, "LW-TILL1", event=4, over=True)
        found = [line for line in lines(on) if len(line.shares) > 1]
        (line,) = found
        outages = {share.client_key: share.outage for share in line.shares}
        assert set(outages) == {"fabrikam", "litware"}
        assert outages["litware"] > outages["fabrikam"] + 50 * MINUTE  # type: ignore[operator]
        assert Clock.EXTENT in line.clocks
        (own,) = lines(on, "fabrikam")
        assert [share.client_key for share in own.shares] == ["fabrikam"]
        assert own.outage == outages["fabrikam"]


def test_not_known_yet_is_no_impact(tmp_path: Path) -> None:
    """S1.14, S4.1: "not known yet" is an answer, but it does not start the clock."""
    with by_hand(tmp_path) as on:
        on.alert()
        on.later(minutes=4)
        on.recovery()
        on.later(minutes=11)
        on.replies(on.last(LetterKind.FORM), "1: A cable was loose.\n2: We fixed it.\n7: not known yet")
        assert Clock.IMPACT not in lines(on)[0].clocks


def test_middle_and_ninetieth_percentile() -> None:
    """S4.37: the percentile is a duration that did occur; of nothing there is none."""
    some = spread([n * MINUTE for n in range(1, 11)])
    assert (some.median, some.p90, some.total) == (5.5 * MINUTE, 9 * MINUTE, 55 * MINUTE)
    assert spread([MINUTE]).p90 == MINUTE
    assert (spread([]).median, spread([]).p90) == (None, None)


def test_a_thousand_incidents_are_told_line_by_line(tmp_path: Path) -> None:
    """S4.37: a year of a large MSP is told a line at a time; months stand side by side."""
    with by_hand(tmp_path) as on:
        debriefed(on)
        many, began = 1_000, datetime(2026, 1, 2, tzinfo=UTC)
        copied(on, many, began)
        made = Summary(CHICAGO)
        for line in Reporting(on.app.store, on.app.setup).lines(began, began + 300 * DAY, on.now):
            made.add(line)
        assert made.whole.incidents == many
        assert len(made.months) == 10
        assert made.whole.informed.count == made.whole.told.count == made.whole.kept == many


def copied(on: ByHand, many: int, began: datetime) -> None:
    """The one incident there is, many times, through the year."""
    (model,) = list(IncidentRow.select())
    kept = {table: list(table.select()) for table in (AffectedRow, EntryRow, ToldRow, PromiseRow)}
    with on.app.store.transaction():
        for n in range(many):
            id_, shift = 1_000 + n, began + n * (299 * DAY / many) - model.opened_at
            head = {"id": id_, "reference": f"INC-{id_}", "open_key": None}
            IncidentRow.insert(**(later(model, shift) | head)).execute()
            for table, rows in kept.items():
                whose = {"id": id_} if table is AffectedRow else {"affected_id": id_} if table is not EntryRow else {}
                for row in rows:
                    values = later(row, shift)
                    del values["id"]
                    table.insert(**(values | {"incident_id": id_} | whose)).execute()


def later(row: Any, shift: timedelta) -> dict[str, Any]:
    """A row's values, moved in time."""
    return {name: value + shift if isinstance(value, datetime) else value for name, value in row.__data__.items()}
