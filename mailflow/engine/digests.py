"""Digests: to managers what is overdue, each working day when there is something, and a weekly one always; to liaisons
what is theirs today.

Promises: exactly one each for a person and day, whatever the clock does and however many daemons run. Each row has a
number, under which a reply can act on it.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog

from mailflow.domain.incident import PromiseKind
from mailflow.domain.letters import JSON, DraftState, LetterKind
from mailflow.domain.people import Role, Staff
from mailflow.domain.worktime import next_local
from mailflow.engine.case import group
from mailflow.engine.pauses import THEM
from mailflow.engine.post import Post, address_of
from mailflow.engine.setup import Setup
from mailflow.engine.store import Owed, Store

log = structlog.get_logger()

A_DAY, A_WEEK = timedelta(days=1), timedelta(days=7)
SATURDAY, MONDAY = 5, 0
WEEKS = 8  # that the trend shows
MANY = 200  # rows: who has more has another problem than what the 201st is
WAITED = ("client wrote", "feedback")  # what a client's mail leaves on the timeline


class Digests:
    """Looks who is to have one now."""

    def __init__(self, store: Store, setup: Setup, post: Post) -> None:
        self._store, self._setup, self._post = store, setup, post

    def tick(self, now: datetime) -> None:
        """Everybody at their own hour, once a day."""
        for staff in self._setup.directory.staff:
            local = now.astimezone(ZoneInfo(staff.timezone))
            if staff.role is Role.COLLEAGUE:
                continue
            day, had = local.date().isoformat(), self._store.control.get(f"digest:{staff.address}")
            early = now < next_local(now, staff.timezone, staff.digest_time)
            if had is None:  # the first we see of them: what was due before we came is not made up for
                self._store.control.set(f"digest:{staff.address}", "" if early else day)
            if had is None or early or had == day:
                continue
            if staff.role is Role.MANAGER:
                self._to_manager(staff, local, now)
            elif local.weekday() < SATURDAY:
                self._to_liaison(staff, day, now)
            self._store.control.set(f"digest:{staff.address}", day)

    def _to_manager(self, manager: Staff, local: datetime, now: datetime) -> None:
        day = local.date().isoformat()
        if local.weekday() == MONDAY:
            self._put(LetterKind.WEEKLY, manager, f"{manager.address}:{day}", self._week(manager, now), now)
        overdue = self._store.promises.overdue(now)
        if overdue and local.weekday() < SATURDAY:
            facts = self._facts(manager, overdue, now) | {
                "oldest_hours": hours(now - overdue[0].promise.due_at),
                "closed_without": len(self._store.records.settled_without(now - A_WEEK)),
            }
            self._put(LetterKind.DIGEST, manager, f"{manager.address}:{day}", facts, now)

    def _to_liaison(self, liaison: Staff, day: str, now: datetime) -> None:
        """What is hers: overdue, or due before tomorrow's list."""
        mine = [owed for owed in self._store.promises.open(now + A_DAY) if owed.promise.owner == liaison.address]
        if mine:
            facts = self._facts(liaison, mine, now)
            self._put(LetterKind.MORNING, liaison, f"{liaison.address}:{day}", facts, now)

    def _put(self, kind: LetterKind, staff: Staff, key: str, facts: dict[str, JSON], now: datetime) -> None:
        if self._post.to_staff(kind, address_of(staff), {**facts, "timezone": staff.timezone}, key=key, now=now):
            log.info("digest put", kind=kind, to=staff.address)

    def _facts(self, reader: Staff, owed: Sequence[Owed], now: datetime) -> dict[str, JSON]:
        """The rows as their reader sees them, and what each number means in a reply."""
        shown = owed[:MANY]
        others = [
            s for s in self._setup.directory.staff if s.role is not Role.COLLEAGUE and s.address != reader.address
        ]
        how = "digest_how" if reader.role is Role.MANAGER else "morning_how"
        days = self._setup.writer.words(reader.language).at("time.days")
        another = now.astimezone(ZoneInfo(reader.timezone)).weekday() + 2
        values: dict[str, JSON] = {
            "name": others[-1].first_name.upper() if others else "",
            "day": days[another if another < SATURDAY else MONDAY].upper(),
        }
        return {
            "rows": [self._row(reader, one, now) for one in shown],
            "more": len(owed) - len(shown),
            "how": [how if others else f"{how}_alone", values],
            "targets": [[one.incident.id, one.affected.id, one.promise.id] for one in shown],
        }

    # --- a week ---

    def _week(self, manager: Staff, now: datetime) -> dict[str, JSON]:
        """Counts by liaison and client, the trend, and what was closed without a debrief, with the reasons (S4.37)."""
        open_ = self._store.promises.open(now + 365 * A_DAY)
        late = [one for one in open_ if one.promise.due_at < now]
        without = self._store.records.settled_without(now - A_WEEK)
        return self._facts(manager, late, now) | {
            "by_liaison": _counts(map(_liaison, open_), map(_liaison, late)),
            "by_client": _counts(map(_client, open_), map(_client, late)),
            "open": len(open_),
            "without": [[a.client_name, a.settled_why.removeprefix("no debrief: ")] for a in without],
            "weeks": self._weeks(manager, now),
            "waiting": [_waits(one) for one in self._store.promises.waiting()],
        }

    def _weeks(self, manager: Staff, now: datetime) -> list[JSON]:
        """The last weeks, oldest first: opened, and debriefs that came late; a bar's length in hundredths."""
        midnight = next_local(now, manager.timezone, "00:00")
        first = midnight - (WEEKS * A_WEEK)
        opened: Counter[int] = Counter()
        for at in self._store.records.opened_since(first):
            opened[(at - first) // A_WEEK] += 1
        late: Counter[int] = Counter()
        for due in self._store.promises.kept_late(first):
            late[(due - first) // A_WEEK] += 1
        most = max([1, *opened.values()])
        began = min([*opened, *late], default=WEEKS)  # no weeks before our time
        return [
            {
                "begins_date": (first + n * A_WEEK).isoformat(),
                "opened": opened[n],
                "late_count": late[n],
                "bar": round(100 * opened[n] / most),
            }
            for n in range(began, WEEKS)
        ]

    # --- a row ---

    def _row(self, reader: Staff, late: Owed, now: datetime) -> JSON:
        """One line of the digest: what was promised to whom, how late it is, and what is missing."""
        client = self._setup.directory.client(late.affected.client_key)
        if not late.promise.kind.to_client:
            return self._action_row(reader, late, now)
        told = [t.name for t in self._store.records.audience(late.incident.id, late.affected.id)]
        names = ", ".join(dict.fromkeys(told)) or (client.name if client else late.affected.client_name)
        return {
            "client": late.affected.client_name,
            "title": late.incident.title,
            "reference": late.incident.reference,
            "line": [
                _promise_line(late, told=bool(told), now=now),
                {
                    "names": names,
                    "due_by": late.promise.due_at.isoformat(),
                    "late": hours(now - late.promise.due_at),
                },
            ],
            "progress": self._progress(reader, late),
            "contact": self._contact(late),
        }

    def _action_row(self, reader: Staff, late: Owed, now: datetime) -> JSON:
        """Something that one of ours was to do."""
        staff = self._setup.directory.staff_at(late.promise.owner)
        due = late.promise.due_at
        values: dict[str, JSON] = {
            "owner": staff.name if staff else late.promise.owner,
            "what": late.promise.what,
            "due_by": due.isoformat(),
            "late": hours(now - due),
        }
        return {
            "client": late.affected.client_name,
            "title": late.incident.title,
            "reference": late.incident.reference,
            "line": [_to(reader, "digest_action", late.promise.owner), values],
            "progress": ["progress_action", {}],
            "contact": None,
        }

    def _progress(self, reader: Staff, late: Owed) -> JSON:
        name, values = self._how_far(late)
        return [_to(reader, name, late.affected.liaison.address), values]

    def _how_far(self, late: Owed) -> tuple[str, dict[str, JSON]]:
        owner = late.affected.liaison.name.split()[0] if late.affected.liaison.name else late.promise.owner
        lead = group(self._store, late.affected)[0]
        if any(draft.state is DraftState.CURRENT for draft in self._store.desk.drafts(lead.id)):
            return "progress_ready", {"owner": owner}
        fills = self._store.desk.fills(late.affected.id)
        required = self._setup.policy.questions(late.incident.priority).required
        missing = [n for n in required if n not in fills]
        if fills and missing:
            done = " ".join(f"[{n}]" for n in sorted(fills))
            return "progress_partly", {"owner": owner, "done": done, "missing": " ".join(f"[{n}]" for n in missing)}
        asked = self._store.outbox.asked(lead.id)
        return "progress_none" if asked else "progress_unasked", {"owner": owner}

    def _contact(self, owed: Owed) -> JSON:
        """When the client last heard of us, and whether it waits for an answer."""
        entries = self._store.records.timeline(owed.incident.id)
        wrote = [e for e in entries if e.what in WAITED]
        told = self._store.records.audience(owed.incident.id, owed.affected.id)
        if wrote and (not told or wrote[-1].at > told[-1].at):
            return ["digest_waiting", {"name": wrote[-1].author, "wrote_day": wrote[-1].at.isoformat()}]
        return ["digest_last", {"last_day": told[-1].at.isoformat()}] if told else None


def _to(reader: Staff, line: str, owner: str) -> str:
    """A sentence about what `owner` does, as that very person is told it."""
    return f"{line}_you" if reader.address == owner else line


def _promise_line(owed: Owed, *, told: bool, now: datetime) -> str:
    """The sentence about a promise: it is late, or it is due."""
    if owed.promise.kind is PromiseKind.ACKNOWLEDGEMENT:
        return "digest_first_due" if owed.promise.due_at >= now else "digest_first"
    if owed.promise.due_at >= now:
        return "digest_due" if told else "digest_due_owed"
    return "digest_promise" if told else "digest_owed"


def _liaison(owed: Owed) -> str:
    return owed.affected.liaison.name


def _client(owed: Owed) -> str:
    return owed.affected.client_name


def _waits(owed: Owed) -> JSON:
    """Whose debrief waits for whom, since when."""
    whom = owed.affected.client_name if owed.promise.waits_for == THEM else owed.promise.waits_for
    since = owed.promise.waits_since.isoformat() if owed.promise.waits_since else None
    values: dict[str, JSON] = {"client": owed.affected.client_name, "title": owed.incident.title, "whom": whom}
    return ["week_waits", {**values, "since_date": since, "reference": owed.incident.reference}]


def _counts(everything: Iterable[str], late: Iterable[str]) -> list[JSON]:
    """Name, how many are open, how many of them late; the busiest first."""
    all_, lates = Counter(everything), Counter(late)
    return [[name, count, lates[name]] for name, count in sorted(all_.items(), key=lambda x: (-x[1], x[0]))]


def hours(late: timedelta) -> float:
    """A span as hours, for words.late."""
    return late / timedelta(hours=1)
