"""The month in a letter: what happened to a client, how it was answered, and what is recommended (S4.37).

Promises: nothing leaves without a SEND to exactly these words; only trouble that the client was told of, or told us
of, is in it; each client's month is offered once, whatever the clock does. It waits for nobody's incident, so its
draft is of no affected client, and every version is found by the letters that it holds.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog

from mailflow.domain.clocks import Clock
from mailflow.domain.decisions import RefuseSend, Release, Reword
from mailflow.domain.form import BY_NAME
from mailflow.domain.letters import JSON, Draft, DraftState, Letter, LetterKind, LetterState, NewLetter, is_none
from mailflow.domain.people import Address, Client, Staff, Wants
from mailflow.domain.policy import MonthlyReport
from mailflow.domain.vocabulary import Class
from mailflow.domain.worktime import next_local
from mailflow.engine.brake import Brake
from mailflow.engine.drafts import Drafts, hash_of, said_of
from mailflow.engine.figures import Summary
from mailflow.engine.gate import objections
from mailflow.engine.post import TAG_LIVES, Post, address_of, drop
from mailflow.engine.presence import Presence
from mailflow.engine.report import Line, Reporting
from mailflow.engine.setup import Setup
from mailflow.engine.store import Store
from mailflow.writing.render import TemplateError
from mailflow.writing.words import Words

log = structlog.get_logger()

SWITCH = "monthly"  # which month was offered last, and to whom already
SATURDAY = 5
MANY = 1_000  # letters that are held at once
PROBLEM, RECOMMENDATIONS = (BY_NAME[name].number for name in ("problem", "recommendations"))


class Monthly:
    """Offers each client's month to its liaison, and sends it once she has approved it."""

    def __init__(self, store: Store, setup: Setup, post: Post, drafts: Drafts) -> None:
        self._store, self._setup, self._post, self._drafts = store, setup, post, drafts
        self._presence = Presence(store, setup, post)
        self._reporting = Reporting(store, setup)

    # --- when ---

    def tick(self, now: datetime) -> None:
        """On a month's first weekday, at the hour of her morning list, each liaison gets the month before."""
        month = _first(now, self._setup.policy.timezone, months=-1)
        name = f"{month:%Y-%m}"
        known = self._store.control.get(SWITCH)
        if not isinstance(known, dict):  # we were not there in that month
            self._store.control.set(SWITCH, {"month": name, "done": None})
            return
        done = known["done"] if known["month"] == name else []
        if not isinstance(done, list):
            return
        wanted = self._setup.policy.monthly_report
        late: list[JSON] = []
        for client in (c for c in self._setup.directory.clients if c.key not in done):
            liaison = self._presence.liaison_of(client, now)
            first_day = month.date().isoformat()
            if now < _opens(first_day, liaison, client):
                late.append(client.key)
            elif wanted is not MonthlyReport.OFF:
                self._offer(client, first_day, now, only_trouble=wanted is MonthlyReport.TROUBLE)
        taken = [c.key for c in self._setup.directory.clients if c.key not in late]
        if not late or sorted(taken) != sorted(map(str, done)):
            self._store.control.set(SWITCH, {"month": name, "done": sorted(taken) if late else None})

    def ask(self, word: str, now: datetime) -> JSON:
        """REPORT northwind, or REPORT northwind October; None where the preview is the answer."""
        name, month = self._month_named(word.strip(" ."), now)
        found = self._setup.directory.clients_named(name)
        if len(found) != 1:
            known = ", ".join(sorted(c.key for c in self._setup.directory.clients)[:40])
            return ["report_whose", {"word": name, "known": known}]
        if not self._offer(found[0], month, now):
            return ["report_nobody", {"client": found[0].name}]
        return None

    def _month_named(self, word: str, now: datetime) -> tuple[str, str]:
        """A client's name, and the first day of the month that is named behind it; without one, of the last month."""
        first, _, last = word.rpartition(" ")
        zone = self._setup.policy.timezone
        for code in self._setup.writer.languages if first else ():
            months = [m.casefold() for m in self._setup.writer.words(code).at("time.months")]
            if last.casefold() in months:
                number = months.index(last.casefold()) + 1
                this = _first(now, zone)
                year = this.year if number <= this.month else this.year - 1
                return first.strip(" ,:"), f"{year}-{number:02}-01"
        return word, _first(now, zone, months=-1).date().isoformat()

    # --- the draft ---

    def _offer(
        self,
        client: Client,
        month: str,
        now: datetime,
        *,
        words: str = "",
        problem: JSON = None,
        cause: int = 0,
        only_trouble: bool = False,
    ) -> bool:
        """Show a client's month to its liaison; False where there is nobody to write to, or nothing to write."""
        liaison = self._presence.liaison_of(client, now)
        readers = [c for c in client.contacts if c.wants is Wants.ALL]
        lines = self._lines(client, month, now)
        if not readers or (only_trouble and not lines):
            return False
        version = self._store.desk.next_version(None)
        common = self._facts(client, month, liaison, lines, words, now)
        letters = [
            NewLetter(
                idempotency_key=f"{LetterKind.REPORT}:{client.key}:{month}:{contact.address}:{version}",
                kind=LetterKind.REPORT,
                recipient=Address(name=contact.name, address=contact.address),
                mailbox=self._setup.mailboxes[0].address,
                facts={**common, "first_name": contact.first_name, "name": contact.name},
                due_at=now,
                expires=now + TAG_LIVES,
                sender_name=liaison.name,
                language=client.language,
                client_key=client.key,
            )
            for contact in readers
        ]
        try:
            rendered = [self._drafts.render(letter, now) for letter in letters]
        except TemplateError as error:
            log.error("monthly report cannot be written", client=client.key, said=str(error))
            key = f"draft:{client.key}:{month}:{version}"
            self._say(liaison, ["draft", {}], ["draft", {"said": str(error)}], key, now)
            return True
        for older in {letter.draft_id for letter in self._held(client.key, month)}:
            self._withdraw(older, "superseded", now)
        held, advised = objections(self._store, self._setup, letters, rendered)
        kept = [self._store.mailroom.put_content(one.to_bytes(), now) for one in rendered]
        draft = Draft(
            affected_id=None,
            version=version,
            kind=LetterKind.REPORT,
            hash=hash_of(zip([letter.recipient.address for letter in letters], kept, strict=True)),
            objection=held[0].level if held else "",
        )
        draft = self._store.desk.add_draft(draft, now)
        for letter, content in zip(letters, kept, strict=True):
            self._post.hold(letter, draft, now, rendered=content)
        remarks: list[JSON] = [said_of("objection", one) for one in advised]
        blocked: JSON = [said_of("objected", one) for one in held]
        self._show(client, draft, liaison, now, remarks=remarks, blocked=blocked, problem=problem, cause=cause)
        return True

    def _show(
        self,
        client: Client,
        draft: Draft,
        reader: Staff,
        now: datetime,
        *,
        remarks: Sequence[JSON] = (),
        blocked: JSON = None,
        problem: JSON = None,
        cause: int = 0,
    ) -> None:
        words = self._setup.writer.words(reader.language)
        live = self._setup.live_of(client)
        facts = self._drafts.previews.facts(draft, live, words, client.name) | {
            "remarks": list(remarks),
            "problem": problem,
            "blocked": blocked,
            "fields": [],
            "end_marker": "",
            "client": client.name,
            "reference": client.name,
        }
        self._post.to_staff(
            LetterKind.PREVIEW,
            address_of(reader),
            facts,
            key=f"report:{draft.id}:{cause}",
            now=now,
            version=draft.version,
            draft_id=draft.id,
        )

    # --- what the liaison says to it ---

    def release(self, decision: Release, inbound_id: int, now: datetime) -> None:
        """SEND: exactly these words go."""
        if not self._drafts.let_go(decision.draft, decision.staff, now):
            refused = RefuseSend(reason="superseded", affected_id=None, staff=decision.staff, draft=decision.draft)
            self.refuse(refused, inbound_id, now)
        elif Brake(self._store).paused():
            self._say(decision.staff, ["not_done", {}], ["approved_paused", {}], f"settled:{inbound_id}", now)

    def refuse(self, decision: RefuseSend, inbound_id: int, now: datetime) -> None:
        """A SEND that publishes nothing is answered with what stands now."""
        shown = self._store.outbox.of_draft(decision.draft.id) if decision.draft else []
        standing = self._held(shown[0].client_key, str(shown[0].facts["month_date"])) if shown else []
        draft = self._store.desk.draft(standing[0].draft_id) if standing else None
        client = self._setup.directory.client(shown[0].client_key) if shown else None
        if draft is None or client is None or draft.state is not DraftState.CURRENT:
            line: JSON = ["no_draft", {}]
            if decision.draft and decision.draft.released_at:
                moment = decision.draft.released_at.isoformat()
                line = ["already_sent", {"sent_day": moment, "sent_at": moment}]
            self._say(decision.staff, ["not_done", {}], line, f"settled:{inbound_id}", now)
            return
        problem: JSON = [decision.reason.replace("-", "_"), {}]
        self._show(client, draft, decision.staff, now, problem=problem, cause=inbound_id)

    def reword(self, decision: Reword, inbound_id: int, now: datetime) -> None:
        """Her own words in place of ours above the list: shown anew."""
        shown = self._store.outbox.of_draft(decision.draft.id)
        client = self._setup.directory.client(shown[0].client_key) if shown else None
        if client is None or decision.draft.state is DraftState.RELEASED:
            refused = RefuseSend(reason=decision.reason, affected_id=None, staff=decision.staff, draft=decision.draft)
            self.refuse(refused, inbound_id, now)
            return
        words = decision.text or str(shown[0].facts["words"])
        problem: JSON = ["near_miss", {"said": decision.near_miss}] if decision.near_miss else None
        if decision.reason == "with-send":
            problem = ["send_with_changes", {}]
        month = str(shown[0].facts["month_date"])
        self._offer(client, month, now, words=words, problem=problem, cause=inbound_id)

    def stop(self, letter: Letter, now: datetime) -> JSON:
        """STOP: nothing of it leaves any more."""
        waiting = [
            x
            for x in self._store.outbox.of_draft(letter.draft_id)
            if x.state in {LetterState.HELD, LetterState.WAITING}
        ]
        if not waiting:
            return ["stopped_nothing", {}]
        self._withdraw(letter.draft_id, "stopped", now)
        return ["stopped", {"what": ", ".join(f"{x.kind} to {x.recipient.name}" for x in waiting)}]

    def _withdraw(self, draft_id: int, reason: str, now: datetime) -> None:
        self._store.desk.supersede(draft_id)
        letters = self._store.outbox.of_draft(draft_id)
        drop(self._store, [x for x in letters if x.state in {LetterState.HELD, LetterState.WAITING}], reason, now)

    def _held(self, client_key: str, month: str) -> list[Letter]:
        """What of a client's month waits for SEND."""
        held = self._store.outbox.letters(states=[LetterState.HELD], limit=MANY)
        return [
            x
            for x in held
            if x.kind is LetterKind.REPORT and x.client_key == client_key and x.facts["month_date"] == month
        ]

    def _say(self, staff: Staff, headline: JSON, line: JSON, key: str, now: datetime) -> None:
        self._post.notice(headline, [line], address_of(staff), key=key, now=now)

    # --- what it says ---

    def _lines(self, client: Client, month: str, now: datetime) -> list[Line]:
        """The client's incidents of the month that its people know of."""
        zone = ZoneInfo(client.timezone)
        since = datetime.fromisoformat(month).replace(tzinfo=zone)
        until = _first(since, client.timezone, months=1)
        lines = self._reporting.lines(since, min(until, now), now, client.key)
        return [line for line in lines if any(s.affected.reporter or Clock.INFORMED in s.clocks for s in line.shares)]

    def _facts(
        self, client: Client, month: str, liaison: Staff, lines: Sequence[Line], words: str, now: datetime
    ) -> dict[str, JSON]:
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
                recommended.append(said[RECOMMENDATIONS])
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
            which = "report_kept_all" if whole.kept == judged else "report_kept_some"
            said.append([which, {"kept": _number(words, whole.kept), "judged": _number(words, judged)}])
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


def _first_paragraph(text: str) -> str:
    """What a long answer begins with: the debrief has the rest."""
    return " ".join(text.strip().partition("\n\n")[0].split())


def _state(line: Line) -> JSON:
    """How it ended, or that it has not."""
    if line.outage is None:
        return ["report_on", {}]
    return ["report_over", {"length_span": _minutes(line.outage)}]


def _minutes(span: timedelta) -> float:
    return span / timedelta(minutes=1)


def _first(now: datetime, timezone: str, *, months: int = 0) -> datetime:
    """The first moment of a month in a zone: of the one that `now` lies in, or so many later."""
    local = now.astimezone(ZoneInfo(timezone))
    at = local.year * 12 + local.month - 1 + months
    return datetime(at // 12, at % 12 + 1, 1, tzinfo=ZoneInfo(timezone))


def _opens(month: str, liaison: Staff, client: Client) -> datetime:
    """When a month is shown to a liaison: on the first weekday after it, with the morning list, once it is over where
    the client is."""
    over = _first(datetime.fromisoformat(month).replace(tzinfo=ZoneInfo(client.timezone)), client.timezone, months=1)
    begins = datetime.fromisoformat(month).replace(tzinfo=ZoneInfo(liaison.timezone))
    day = _first(begins, liaison.timezone, months=1)
    while day.weekday() >= SATURDAY:
        day += timedelta(days=1)
    return max(over, next_local(day + timedelta(hours=12), liaison.timezone, liaison.digest_time))
