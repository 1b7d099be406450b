"""Rehearsal: past mails on the real road, over a store that is thrown away, by a clock that stands where each came in.

What decides, records and writes is what does it in life. Only three things are other: the clock, which is moved from
mail to mail; the courier, which takes every letter and sends none; and the bell, which rings when something is due
instead of every few seconds (N.8). Whoever calls sees to it that store and setup are no live ones.
"""

import hashlib
import heapq
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from mailflow.domain.letters import LetterState
from mailflow.domain.worktime import next_local
from mailflow.engine.courier import Delivery, Outcome
from mailflow.engine.deliver import Dispatcher
from mailflow.engine.mailroom import Arrival, Folder
from mailflow.engine.receive import LARGEST, MAX_TRIES, Reception
from mailflow.engine.setup import Setup
from mailflow.engine.store import Outbox, Store
from mailflow.engine.sweep import Sweep

A_COMMIT = 100  # mails: nobody needs this store after a crash, so one commit does for many
OWNER = "rehearsal"
A_MINUTE, AN_HOUR, A_DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
# Besides when something is known to fall due, the bell rings each hour; once no mail came for two days, once a day.
HOURLY_FOR = timedelta(days=2)
GRID = 5 * A_MINUTE  # forms are asked for on whole five minutes, so that many mails share a ring
QUIET = {"Join", "Ignore", "Show"}  # decisions that bring nothing but letters; any that is not known here may
FEW = 8  # letters looked at first for new ones


@dataclass(frozen=True, kw_only=True)
class PastMail:
    """One mail as it came in."""

    name: str  # where it lies, for a person to find
    mailbox: str  # address of the mailbox that it came in by
    arrival: datetime
    raw: bytes
    size: int  # its own, where only its beginning is here


@dataclass(frozen=True, kw_only=True)
class Played:
    """A mail that was played, and its number in the store; 0 where the same bytes had come before."""

    name: str
    mailbox: str
    arrival: datetime
    inbound_id: int


class RehearsalClock:
    """engine.clock.Clock that stands still until it is moved, and never goes back."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def now(self) -> datetime:
        """Where it stands."""
        return self._now

    def move_to(self, moment: datetime) -> None:
        """Stand at `moment`."""
        self._now = max(self._now, moment)


class KeepingCourier:
    """engine.courier.Courier that takes every letter and sends none: its bytes lie in the store, as in life."""

    def send(self, sender: str, recipients: Sequence[str], message: bytes, started: Callable[[], None]) -> Delivery:
        """Accepted at once, as a good server does."""
        started()
        return Delivery(outcome=Outcome.SENT, said="not sent: rehearsal")

    def close(self) -> None:
        """There is nothing to close."""


class Rehearsal:
    """One configuration, tried on past mail."""

    def __init__(self, store: Store, setup: Setup, start: datetime) -> None:
        """`start` is when the first mail came in, or before."""
        self._store, self._setup = store, setup
        self._clock = RehearsalClock(start)
        self._receptions = {m.address: Reception(store, setup, m, self._clock) for m in setup.mailboxes}
        self._sweep = Sweep(store, setup, self._clock)
        self._dispatcher = Dispatcher(store, setup, self._clock, OWNER)
        self._courier = KeepingCourier()
        self._due = DueLetters(store.outbox)
        self._folders: dict[str, tuple[Folder, int]] = {}
        daily = [Daily(at=e.by, timezone=e.timezone, grace=e.grace) for e in setup.expected]
        daily += [Daily(at=m.digest_time, timezone=m.timezone) for m in setup.directory.managers]
        self._bell = Bell(start, daily)
        self._uid = 0
        self.played: list[Played] = []

    def play(self, mails: Iterable[PastMail], *, after: timedelta, tell: Callable[[], object] = lambda: None) -> None:
        """Play mails in the order of their arrival, and let the clock go on `after` the last; `tell` at each."""
        coming = iter(mails)
        while True:
            with self._store.transaction():
                before = len(self.played)
                for mail in islice(coming, A_COMMIT):
                    self._arrives(mail)
                    tell()
                if len(self.played) == before:
                    break
        with self._store.transaction():
            self._until(self._clock.now() + after)

    def _arrives(self, mail: PastMail) -> None:
        """One mail comes in, is decided over, and sets the bell anew."""
        self._until(mail.arrival)
        now = self._clock.now()
        reception = self._receptions[mail.mailbox]
        (new,) = self._keep(mail, now) or (0,)
        self.played.append(Played(name=mail.name, mailbox=mail.mailbox, arrival=mail.arrival, inbound_id=new))
        for _ in range(MAX_TRIES + 1):  # what fails is tried again, and then set aside, as in life
            reception.decide_pending()
            if not self._store.mailroom.pending(mail.mailbox):
                break
        self._due.look()
        self._bell.mail = now
        if new and any(d.action not in QUIET for d in self._store.mailroom.decisions_of([new])):
            self._bell.at(on_the_grid(now + self._setup.policy.form_after))
            self._announce()

    def _keep(self, mail: PastMail, now: datetime) -> list[int]:
        self._uid += 1
        too_large = f"larger than {LARGEST // 1_000_000} MB ({mail.size:,} bytes): only its beginning is kept"
        arrival = Arrival(
            uid=self._uid,
            raw=mail.raw,
            hash=hashlib.sha256(mail.raw).hexdigest(),
            received_at=mail.arrival,
            set_aside=too_large if mail.size > LARGEST else "",
        )
        folder, epoch = self._folder(mail.mailbox, now)
        return self._store.mailroom.keep(folder.id, [arrival], now, epoch)

    def _folder(self, mailbox: str, now: datetime) -> tuple[Folder, int]:
        """The mailbox's folder in this store, and its fencing epoch."""
        if mailbox not in self._folders:
            name = self._setup.mailbox(mailbox).folder
            folder = self._store.mailroom.add_folder(mailbox, name, 1, before_uid=0, first_new=1, now=now)
            self._folders[mailbox] = (folder, self._store.control.own_mailbox(mailbox) or 0)
        return self._folders[mailbox]

    def _until(self, moment: datetime) -> None:
        """Time passes: everything that falls due before `moment` happens when it does."""
        while (due := min(self._bell.next, self._due.next or self._bell.next)) < moment:
            self._clock.move_to(due)
            if self._bell.next <= due:
                self._sweep.tick()
                self._bell.passed(due)
                self._announce()
                self._due.look()
            self._send()
        self._clock.move_to(moment)

    def _announce(self) -> None:
        """What waits for a window's end rings the bell then."""
        for pending in self._store.waiting.due(self._bell.next):
            if pending.due_at and pending.due_at > self._clock.now():
                self._bell.at(pending.due_at)

    def _send(self) -> None:
        """Send what is due; what became of a client's letter may settle an incident."""
        now = self._clock.now()
        if not self._due.next or self._due.next > now:
            return
        for mailbox in self._setup.mailboxes:
            self._dispatcher.flush(self._courier, mailbox.address)
        self._due.look()
        if self._due.passed(now):
            self._sweep.tick()
            self._due.look()


@dataclass(frozen=True, kw_only=True)
class Daily:
    """Something that may fall due at the same local time each day, and this long after it."""

    at: str  # "08:00"
    timezone: str
    grace: timedelta = timedelta()

    def after(self, now: datetime) -> datetime:
        """The next such moment after `now`."""
        days = [next_local(now + n * A_DAY, self.timezone, self.at) + self.grace for n in (-1, 0, 1, 2)]
        return min(day for day in days if day > now)


class Bell:
    """When the bell rings next."""

    def __init__(self, start: datetime, daily: Sequence[Daily]) -> None:
        self._daily, self._heap = daily, [start]
        self.mail = start  # when the last mail came in

    @property
    def next(self) -> datetime:
        """The next ring; there always is one."""
        return self._heap[0]

    def at(self, moment: datetime) -> None:
        """Something may fall due then."""
        if moment not in self._heap:
            heapq.heappush(self._heap, moment)

    def passed(self, now: datetime) -> None:
        """It has rung for everything up to now."""
        while self._heap and self._heap[0] <= now:
            heapq.heappop(self._heap)
        regular = now + (AN_HOUR if now - self.mail < HOURLY_FOR else A_DAY)
        soonest = min([regular, *(daily.after(now) for daily in self._daily)])
        if not self._heap or self._heap[0] > soonest:
            self.at(soonest)


class DueLetters:
    """When the next waiting letter is due, without asking for all of them: a storm has thousands."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._heap: list[tuple[datetime, int, bool]] = []
        self._newest = 0

    @property
    def next(self) -> datetime | None:
        """When; None where no letter waits. A letter that was withdrawn since makes the bell ring for nothing."""
        return self._heap[0][0] if self._heap else None

    def look(self) -> None:
        """Note the letters that are new since the last look."""
        limit = FEW
        while True:
            found = self._outbox.letters(states=[LetterState.WAITING], limit=limit)
            new = [letter for letter in found if letter.id > self._newest]
            if len(new) < limit:
                break
            limit *= FEW
        for letter in new:
            heapq.heappush(self._heap, (letter.due_at, letter.id, letter.kind.to_client))
        self._newest = max([self._newest, *(letter.id for letter in new)])

    def passed(self, now: datetime) -> bool:
        """Everything due was tried: what was put off is noted anew; whether a letter to a client was among it."""
        put_off, to_client = [], False
        while self._heap and self._heap[0][0] <= now:
            _, number, outside = heapq.heappop(self._heap)
            to_client = to_client or outside
            letter = self._outbox.letter(number)
            if letter.state is LetterState.WAITING:  # a cap defers it, or it waits behind another letter
                put_off.append((max(letter.due_at, now + GRID), number, outside))
        for due in put_off:
            heapq.heappush(self._heap, due)
        return to_client


def on_the_grid(moment: datetime) -> datetime:
    """The next whole five minutes, this moment included."""
    return moment + (datetime.min.replace(tzinfo=moment.tzinfo) - moment) % GRID
