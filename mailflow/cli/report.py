"""The verb about figures: report, as tables, JSON or CSV."""

import csv
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from mailflow.cli.options import A_DAY, A_MONTH, AsJson, Config, opened
from mailflow.cli.output import CONTROL, OUT, as_json, as_table, fail, local, told
from mailflow.domain.clocks import Clock, Reading, Stage
from mailflow.engine.figures import Figures, Spread, Summary, elapsed, said
from mailflow.engine.report import Line, Noticed, Reporting

LISTED = 100  # incidents in the table for a person; the CSV file has them all
DAY = timedelta(days=1)
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would run: titles come in by mail
COLUMNS = (
    *("ref", "clients", "class", "priority", "symptom", "title", "state", "noticed", "noticed_by", "started_at"),
    *("ended_at", "opened_at", "closed_at", *(clock.value for clock in Clock)),
    *("outage_minutes", "detected_to_informed_minutes", "informed_to_told_minutes", "debrief_late_minutes"),
    *("promises_kept", "promises_late", "recurred"),
)


def report(
    config: Config = None,
    json: AsJson = False,
    month: Annotated[datetime | None, typer.Option(**A_MONTH, help="One month. [default: this month so far]")] = None,
    since: Annotated[datetime | None, typer.Option(**A_DAY, help="From this day on.")] = None,
    until: Annotated[datetime | None, typer.Option(**A_DAY, help="To the end of this day. [default: today]")] = None,
    client: Annotated[str, typer.Option(help="Only this client, by its key.")] = "",
    to_csv: Annotated[
        Path | None, typer.Option("--csv", help="Write one row for each incident into this file; - prints it.")
    ] = None,
) -> None:
    """Tell how incidents were answered.

    Clocks, promises kept, who noticed first, what came again. Counted by the day on which an incident was opened, in
    the service's zone. Months stand side by side. Examples: `mailflow report --month 2026-11`, `mailflow report --since
    2026-06-01 --client northwind`, `mailflow report --since 2026-01-01 --until 2026-12-31 --csv 2026.csv`.
    """
    with told(json=json):
        if json and to_csv:
            fail("--json and --csv: choose one of them", code=2)
        app = opened(config)
        zone, now = app.setup.policy.timezone, app.clock.now()
        begins, ends = _period(month, since, until, now, ZoneInfo(zone))
        lines = Reporting(app.store, app.setup).lines(begins, ends, now, client)
        summary, shown = Summary(zone), list[Line]()
        with _written(to_csv) as write:
            for line in lines:
                summary.add(line)
                if write:
                    write(_row(line))
                elif json or summary.count <= LISTED:
                    shown.append(line)
        if not summary.count and client and not app.setup.directory.client(client):
            fail(f"no client is called {client}, and none was in this period; `mailflow whose NAME` finds one", code=1)
        if json:
            as_json(_as_dict(begins, ends, client, summary, shown))
        elif to_csv is None:
            _show(begins, ends, summary, shown, zone)
        elif str(to_csv) != "-":
            OUT.print(f"{summary.count} incidents are in {to_csv}.", markup=False)


def _period(
    month: datetime | None, since: datetime | None, until: datetime | None, now: datetime, zone: ZoneInfo
) -> tuple[datetime, datetime]:
    """From midnight to midnight in the service's zone, whatever its clocks do in between."""
    if month and (since or until):
        fail("--month is a period of its own: leave --since and --until away", code=2)
    today = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    last = until or today
    if month or since is None:
        first = month or last.replace(day=1)
        last = (first + 31 * DAY).replace(day=1) - DAY if month else last
    else:
        first = since
    if last < first:
        fail(f"--until {last:%Y-%m-%d} is before --since {first:%Y-%m-%d}", code=2)
    return first.replace(tzinfo=zone).astimezone(UTC), (last + DAY).replace(tzinfo=zone).astimezone(UTC)


# --- CSV ---


@contextmanager
def _written(path: Path | None) -> Iterator[Any]:
    """What writes a row, or nothing; one clear line where the file cannot be written."""
    if path is None:
        yield None
        return
    try:
        with nullcontext(sys.stdout) if str(path) == "-" else path.open("w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file)
            rows.writerow(COLUMNS)
            yield rows.writerow
    except BrokenPipeError:
        raise
    except OSError as error:
        fail(f"cannot write {path}: {error.strerror}", code=1)


def _row(line: Line) -> list[object]:
    incident = line.incident
    late = [share.debrief_late for share in line.shares if share.debrief_late is not None]
    return [
        *(incident.reference, " ".join(share.client_key for share in line.shares)),
        *(incident.class_, incident.priority, incident.symptom, _cell(incident.title), incident.state),
        *(line.noticed, _cell(incident.noticed_by)),
        *map(_iso, (incident.started_at, incident.ended_at, incident.opened_at, incident.closed_at)),
        *(_iso(line.clocks[clock].at) if clock in line.clocks else "" for clock in Clock),
        _minutes(line.outage),
        _minutes(elapsed(line.clocks, Clock.DETECTED, Clock.INFORMED)),
        _minutes(elapsed(line.clocks, Clock.INFORMED, Clock.TOLD)),
        _minutes(max(late, default=None)),
        sum(share.kept for share in line.shares),
        sum(len(share.late) for share in line.shares),
        "yes" if line.recurred else "no",
    ]


def _cell(text: str) -> str:
    """Words of a mail: never a formula, never a terminal's command."""
    clean = text.translate(CONTROL)
    return f"'{clean}" if clean.startswith(FORMULA) else clean


def _iso(moment: datetime | None) -> str:
    return moment.isoformat(timespec="seconds") if moment else ""


def _minutes(duration: timedelta | None) -> float | str:
    return round(duration.total_seconds() / 60, 1) if duration is not None else ""


# --- JSON ---


def _as_dict(begins: datetime, ends: datetime, client: str, summary: Summary, lines: list[Line]) -> dict[str, object]:
    return {
        "since": begins,
        "until": ends,
        "client": client or None,
        "whole": _figures(summary.whole),
        "months": {month: _figures(figures) for month, figures in summary.months.items()},
        "clients": {key: {"name": summary.names[key], **_figures(figures)} for key, figures in summary.clients.items()},
        "incidents": [_line(line) for line in lines],
    }


def _line(line: Line) -> dict[str, object]:
    incident = line.incident
    return {
        "ref": incident.reference,
        "class": incident.class_,
        "priority": incident.priority,
        "symptom": incident.symptom,
        "title": incident.title,
        "state": incident.state,
        "noticed": line.noticed,
        "noticed_by": incident.noticed_by,
        "started_at": incident.started_at,
        "ended_at": incident.ended_at,
        "opened_at": incident.opened_at,
        "closed_at": incident.closed_at,
        "outage_minutes": _minutes(line.outage) if line.outage is not None else None,
        "recurred": line.recurred,
        "clocks": course_as_dict(line.clocks),
        "stages": course_as_dict(line.stages),
        "clients": [
            {
                "key": share.client_key,
                "name": share.client_name,
                "started_at": share.started_at,
                "ended_at": share.ended_at,
                "outage_minutes": _minutes(share.outage) if share.outage is not None else None,
                "clocks": course_as_dict(share.clocks),
                "promises_kept": share.kept,
                "promises_late_minutes": [_minutes(late) for late in share.late],
                "debrief_late_minutes": _minutes(share.debrief_late) if share.debrief_late is not None else None,
                "recurred": share.recurred,
            }
            for share in line.shares
        ],
    }


def _figures(figures: Figures) -> dict[str, object]:
    return {
        "incidents": figures.incidents,
        "by_class": figures.by_class,
        "by_priority": figures.by_priority,
        "noticed": figures.noticed,
        "detected_to_informed": _spread(figures.informed),
        "informed_to_told": _spread(figures.told),
        "outage": _spread(figures.outage),
        "promises": {"kept": figures.kept, "share_kept": figures.share_kept, "late": _spread(figures.late)},
        "recurred": figures.recurred,
    }


def _spread(spread: Spread) -> dict[str, object]:
    return {
        "count": spread.count,
        "median_minutes": _minutes(spread.median) if spread.median is not None else None,
        "p90_minutes": _minutes(spread.p90) if spread.p90 is not None else None,
        "total_minutes": _minutes(spread.total),
    }


def course_as_dict(course: Mapping[Clock, Reading] | Mapping[Stage, Reading]) -> dict[str, object]:
    """Clocks or stages for a program: what is not known is not there."""
    return {
        name.value: {"at": one.at, "why": one.why, "inbound_id": one.inbound_id, "letter_id": one.letter_id}
        for name, one in course.items()
    }


# --- tables ---


def _show(begins: datetime, ends: datetime, summary: Summary, shown: list[Line], zone: str) -> None:
    first, last = begins.astimezone(ZoneInfo(zone)), (ends - timedelta(seconds=1)).astimezone(ZoneInfo(zone))
    whole = summary.whole
    OUT.print(f"{first:%d %b %Y} to {last:%d %b %Y}: {whole.incidents} incidents", markup=False)
    if not whole.incidents:
        return
    sorts = [*whole.by_class.items(), *whole.by_priority.items()]
    OUT.print(", ".join(f"{name} {count}" for name, count in sorts), markup=False)
    columns = ["incidents", "informed after", "told of cause after", "outage", "outages in all"]
    columns += ["promises kept", "late by", "noticed by a person", "came again"]
    if whole.informed.count or whole.told.count or whole.outage.count:
        OUT.print("Durations: the median / what nine of ten do not exceed.", markup=False)
    OUT.print()
    as_table(["month", *columns], [(month, *_cells(f)) for month, f in summary.months.items()], empty="")
    OUT.print()
    as_table(["client", *columns], [(summary.names[key], *_cells(f)) for key, f in summary.clients.items()], empty="")
    OUT.print()
    rows = [
        (
            line.incident.reference,
            ", ".join(share.client_name for share in line.shares),
            line.incident.title,
            line.incident.priority,
            local(line.incident.started_at, zone),
            said(line.outage) if line.outage is not None else "still on",
            said(elapsed(line.clocks, Clock.DETECTED, Clock.INFORMED)),
            said(elapsed(line.clocks, Clock.INFORMED, Clock.TOLD)),
            line.noticed,
            "came again" if line.recurred else "",
        )
        for line in shown
    ]
    heads = ["incident", "client", "what", "", "began", "outage", "informed after", "told of cause after"]
    as_table([*heads, "noticed by", ""], rows, empty="")
    if whole.incidents > len(shown):
        OUT.print(f"… and {whole.incidents - len(shown)} more; --csv FILE has them all.", markup=False)


def _cells(figures: Figures) -> list[object]:
    share = figures.share_kept
    late = figures.late
    return [
        figures.incidents,
        *(_middle(s) for s in (figures.informed, figures.told, figures.outage)),
        said(figures.outage.total) if figures.outage.count else "",
        "" if share is None else f"{figures.kept} of {figures.kept + late.count}, {share:.0%}",
        _middle(late),
        f"{figures.noticed[Noticed.PERSON]} of {figures.incidents}",
        figures.recurred,
    ]


def _middle(spread: Spread) -> str:
    return f"{said(spread.median)} / {said(spread.p90)}" if spread.count else ""
