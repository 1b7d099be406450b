"""What a month's letter says of a client: how it was as a whole, each thing that happened, what was recommended."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from mailflow.domain.clocks import Clock
from mailflow.domain.form import BY_NAME
from mailflow.domain.letters import JSON, is_none
from mailflow.domain.people import Client, Staff
from mailflow.domain.vocabulary import Class
from mailflow.engine.figures import Summary
from mailflow.engine.report import Line, Reporting
from mailflow.engine.setup import Setup
from mailflow.engine.store import Store
from mailflow.writing.words import Words

PROBLEM, RECOMMENDATIONS = (BY_NAME[name].number for name in ("problem", "recommendations"))


class Month:
    """Reads it from the record."""

    def __init__(self, store: Store, setup: Setup) -> None:
        self._store, self._setup = store, setup
        self._reporting = Reporting(store, setup)

    def lines(self, client: Client, month: str, now: datetime) -> list[Line]:
        """The client's incidents of the month that its people know of."""
        zone = ZoneInfo(client.timezone)
        since = datetime.fromisoformat(month).replace(tzinfo=zone)
        until = first_of(since, client.timezone, months=1)
        lines = self._reporting.lines(since, min(until, now), now, client.key)
        return [line for line in lines if any(s.affected.reporter or Clock.INFORMED in s.clocks for s in line.shares)]

    def facts(self, client: Client, month: str, liaison: Staff, lines: Sequence[Line], words: str) -> dict[str, JSON]:
        """What the letter is made of, but for its reader; `words` stand in the place of the summary."""
        recommended: list[JSON] = []
        rows: list[JSON] = []
        for line in lines:
            affected = line.shares[0].affected
            thing = self._thing(client, line)
            fills = self._store.desk.fills(affected.id)
            said = {n: f.value for n, f in fills.items() if not is_none(f.value)}
            debriefed = affected.settled_why == "debrief sent"
            rows.append(
                {
                    "line": ["report_thing", {"thing": thing, "began_date": line.incident.started_at.isoformat()}],
                    "state": _state(line),
                    "problem": _first_paragraph(said.get(PROBLEM, "")) if debriefed else "",
                }
            )
            if debriefed and RECOMMENDATIONS in said:
                recommended += _points(said[RECOMMENDATIONS])
        return {
            "reference": "",
            "month_date": month,
            "month": self._setup.writer.words(client.language).at("time.months")[int(month[5:7]) - 1],
            "timezone": client.timezone,
            "words": words,
            "summary": self._summary(client, month, lines),
            "rows": rows,
            "recommended": recommended,
            "liaison": liaison.name,
            "title": liaison.title,
            "phone": liaison.phone,
            "footer": self._setup.policy.footer,
        }

    def _summary(self, client: Client, month: str, lines: Sequence[Line]) -> list[JSON]:
        """What there is to say of the month as a whole, sentence by sentence."""
        words = self._setup.writer.words(client.language)
        name = words.at("time.months")[int(month[5:7]) - 1]
        if not lines:
            return [["report_quiet", {"month": name}]]
        summary = Summary(client.timezone)
        for line in lines:
            summary.add(line)
        whole = summary.whole
        begins = _counted("report", len(lines), {"month": name, "count": _number(words, len(lines))})
        said: list[JSON] = []
        out = [(span, line) for line in lines if line.incident.class_ is Class.OUTAGE and (span := line.outage)]
        if out:
            longest, line = max(out, key=lambda one: one[0])
            total = sum((span for span, _ in out), timedelta())
            thing = self._thing(client, line)
            values: dict[str, JSON] = {"total_span": _minutes(total), "longest_span": _minutes(longest), "thing": thing}
            alone: JSON = ["report_alone", {**values, "month": name}]
            said += [alone] if len(lines) == 1 else [begins, _counted("report_outage", len(out), values)]
        else:
            said.append(begins)
        if whole.informed.median is not None:
            informed: dict[str, JSON] = {"informed_span": _minutes(whole.informed.median)}
            said.append(_counted("report_informed", whole.informed.count, informed))
        judged = whole.kept + whole.late.count
        if judged:
            said.append(
                [_kept(whole.kept, judged), {"kept": _number(words, whole.kept), "judged": _number(words, judged)}]
            )
        if whole.recurred:
            said.append(_counted("report_recurred", whole.recurred, {"count": _number(words, whole.recurred)}))
        return said

    def _thing(self, client: Client, line: Line) -> str:
        """ "your file server"; what somebody of theirs wrote about, in their words."""
        affected = line.shares[0].affected
        if affected.reported and not affected.plain:
            return f"“{affected.reported}”"
        return affected.plain or str(self._setup.writer.words(client.language).at("acknowledgement.unnamed"))


def _counted(name: str, count: int, values: dict[str, JSON]) -> JSON:
    return [f"{name}_one" if count == 1 else f"{name}_many", values]


def _number(words: Words, count: int) -> str:
    """ "three", "11"."""
    small = words.at("time.numbers")
    return str(small[count]) if count < len(small) else str(count)


def _kept(kept: int, judged: int) -> str:
    """The sentence about what was promised and came in time."""
    if kept == judged:
        return "report_kept_all"
    if kept:
        return "report_kept_some"
    return "report_kept_none" if judged > 1 else "report_kept_late"


def _points(text: str) -> list[str]:
    """A list's lines, each without its bullet; else the text as it is."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return [line[1:].strip() for line in lines] if all(line[0] in "-*•" for line in lines) else [text]


def _first_paragraph(text: str) -> str:
    """What a long answer begins with: the debrief has the rest."""
    return " ".join(text.strip().partition("\n\n")[0].split())


def _state(line: Line) -> JSON:
    """How it ended, or that it has not."""
    if line.outage is None:
        over = line.shares[0].affected.settled_at is not None or not line.incident.running
        return ["report_done" if over else "report_on", {}]
    return ["report_over", {"length_span": _minutes(line.outage)}]


def _minutes(span: timedelta) -> float:
    return span / timedelta(minutes=1)


def first_of(now: datetime, timezone: str, *, months: int = 0) -> datetime:
    """The first moment of a month in a zone: of the one that `now` lies in, or so many later."""
    local = now.astimezone(ZoneInfo(timezone))
    at = local.year * 12 + local.month - 1 + months
    return datetime(at // 12, at % 12 + 1, 1, tzinfo=ZoneInfo(timezone))
