"""The month in a letter: what happened to a client, how it was answered, and what is recommended (S4.37).

Promises: nothing leaves without a SEND to exactly these words; only trouble that the client was told of, or told us
of, is in it; each client's month is offered once, whatever the clock does. It waits for nobody's incident, so its
draft is of no affected client, and every version is found by the letters that it holds.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import structlog

from mailflow.domain.decisions import RefuseSend, Release, Reword
from mailflow.domain.letters import JSON, Draft, DraftState, Letter, LetterKind, LetterState, NewLetter
from mailflow.domain.people import Address, Client, Staff, Wants
from mailflow.domain.policy import MonthlyReport
from mailflow.domain.worktime import next_local
from mailflow.engine.brake import Brake
from mailflow.engine.drafts import Drafts
from mailflow.engine.month import Month, first_of
from mailflow.engine.post import TAG_LIVES, Post, address_of, withdraw
from mailflow.engine.presence import Presence
from mailflow.engine.setup import Setup
from mailflow.engine.store import Store
from mailflow.writing.render import TemplateError

log = structlog.get_logger()

SWITCH = "monthly"  # which month was offered last, and to whom already
BEGAN = "records began"  # when: of a month before it nothing can be said
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SATURDAY = 5
MANY = 1_000  # letters that are held at once
UNSENT = (LetterState.HELD, LetterState.WAITING)


class Monthly:
    """Offers each client's month to its liaison, and sends it once she has approved it."""

    def __init__(self, store: Store, setup: Setup, post: Post, drafts: Drafts) -> None:
        self._store, self._setup, self._post, self._drafts = store, setup, post, drafts
        self._presence = Presence(store, setup, post)
        self._month = Month(store, setup)

    # --- when ---

    def tick(self, now: datetime) -> None:
        """On a month's first weekday, at the hour of her morning list, each liaison gets the month before."""
        month = first_of(now, self._setup.policy.timezone, months=-1)
        name = f"{month:%Y-%m}"
        if self._store.control.get(BEGAN) is None:
            self._store.control.set(BEGAN, min([now, *self._store.records.opened_since(EPOCH)]).isoformat())
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
            if self._store.control.get(f"{SWITCH}:{client.key}") == first_day:
                continue  # it was asked for, and has been sent
            if now < _opens(first_day, liaison, client):
                late.append(client.key)
            elif wanted is not MonthlyReport.OFF:
                self._offer(client, first_day, now, only_trouble=wanted is MonthlyReport.TROUBLE)
        taken = [c.key for c in self._setup.directory.clients if c.key not in late]
        if not late or sorted(taken) != sorted(map(str, done)):
            self._store.control.set(SWITCH, {"month": name, "done": sorted(taken) if late else None})

    def ask(self, word: str, staff: Staff, now: datetime) -> JSON:
        """REPORT northwind, or REPORT northwind October; None where the preview is the answer."""
        name, month = self._month_named(word.strip(" ."), now)
        found = self._setup.directory.clients_named(name)
        if len(found) != 1:
            known = ", ".join(sorted(c.key for c in self._setup.directory.clients)[:40])
            return ["report_whose", {"word": name, "known": known}]
        if month >= first_of(now, found[0].timezone).date().isoformat():
            return ["report_not_over", {"client": found[0].name}]
        began = datetime.fromisoformat(str(self._store.control.get(BEGAN) or now.isoformat()))
        if month < first_of(began, found[0].timezone).date().isoformat():
            name = self._setup.writer.words(staff.language).at("time.months")[int(month[5:7]) - 1]
            return ["report_unseen", {"month": name, "first_date": began.isoformat()}]
        if not self._offer(found[0], month, now, reader=staff):
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
                this = first_of(now, zone)
                year = this.year if number <= this.month else this.year - 1
                return first.strip(" ,:"), f"{year}-{number:02}-01"
        return word, first_of(now, zone, months=-1).date().isoformat()

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
        reader: Staff | None = None,
    ) -> bool:
        """Show a client's month to its liaison; False where there is nobody to write to, or nothing to write."""
        liaison = self._presence.liaison_of(client, now)
        readers = [c for c in client.contacts if c.wants is Wants.ALL]
        lines = self._month.lines(client, month, now)
        if not readers or (only_trouble and not lines):
            return False
        version = self._store.desk.next_version(None)
        common = self._month.facts(client, month, liaison, lines, words)
        letters = [
            NewLetter(
                idempotency_key=f"{LetterKind.REPORT}:{client.key}:{month}:{contact.address}",
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
        for older in {letter.draft_id for letter in self._of(client.key, month, *UNSENT)}:
            withdraw(self._store, older, set(UNSENT), "superseded", now)
        draft = Draft(affected_id=None, version=version, kind=LetterKind.REPORT)
        draft, remarks, blocked = self._drafts.hold(draft, letters, rendered, now)
        if self._store.control.get(f"{SWITCH}:{client.key}") == month:
            remarks.insert(0, ["report_sent_before", {}])
        self._show(
            client, draft, reader or liaison, now, remarks=remarks, blocked=blocked, problem=problem, cause=cause
        )
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
            return
        for letter in self._store.outbox.of_draft(decision.draft.id):
            self._store.control.set(f"{SWITCH}:{letter.client_key}", str(letter.facts["month_date"]))
        if Brake(self._store).paused():
            self._say(decision.staff, ["send_waits", {}], ["approved_paused", {}], f"settled:{inbound_id}", now)

    def refuse(self, decision: RefuseSend, inbound_id: int, now: datetime) -> None:
        """A SEND that publishes nothing is answered with what stands now."""
        shown = self._store.outbox.of_draft(decision.draft.id) if decision.draft else []
        month = str(shown[0].facts["month_date"]) if shown else ""
        standing = self._of(shown[0].client_key, month, LetterState.HELD) if shown else []
        draft = self._store.desk.draft(standing[0].draft_id) if standing else None
        client = self._setup.directory.client(shown[0].client_key) if shown else None
        if draft is None or client is None or draft.state is not DraftState.CURRENT:
            line: JSON = ["no_draft", {}]
            if decision.draft and decision.draft.released_at:
                moment = decision.draft.released_at.isoformat()
                line = ["already_sent", {"sent_day": moment, "sent_at": moment}]
            self._say(decision.staff, ["not_sent", {}], line, f"settled:{inbound_id}", now)
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
        self._offer(client, month, now, words=words, problem=problem, cause=inbound_id, reader=decision.staff)

    def stop(self, letter: Letter, now: datetime) -> JSON:
        """STOP: nothing of it leaves any more."""
        waiting = [x for x in self._store.outbox.of_draft(letter.draft_id) if x.state in UNSENT]
        if not waiting:
            return ["stopped_nothing", {}]
        withdraw(self._store, letter.draft_id, set(UNSENT), "stopped", now)
        return ["stopped", {"what": ", ".join(f"{x.kind} to {x.recipient.name}" for x in waiting)}]

    def _of(self, client_key: str, month: str, *states: LetterState) -> list[Letter]:
        """A client's month, as far as it is in one of these states."""
        letters = self._store.outbox.letters(states=states, limit=MANY)
        return [
            x
            for x in letters
            if x.kind is LetterKind.REPORT and x.client_key == client_key and x.facts["month_date"] == month
        ]

    def _say(self, staff: Staff, headline: JSON, line: JSON, key: str, now: datetime) -> None:
        self._post.notice(headline, [line], address_of(staff), key=key, now=now)


def _opens(month: str, liaison: Staff, client: Client) -> datetime:
    """When a month is shown to a liaison: on the first weekday after it, with the morning list, once it is over where
    the client is."""
    over = first_of(datetime.fromisoformat(month).replace(tzinfo=ZoneInfo(client.timezone)), client.timezone, months=1)
    begins = datetime.fromisoformat(month).replace(tzinfo=ZoneInfo(liaison.timezone))
    day = first_of(begins, liaison.timezone, months=1)
    while day.weekday() >= SATURDAY:
        day += timedelta(days=1)
    return max(over, next_local(day + timedelta(hours=12), liaison.timezone, liaison.digest_time))
