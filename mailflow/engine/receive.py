"""A mailbox's road in: seen, kept, read, decided, recorded, filed. One commit a batch, a savepoint a mail.

1. The UIDs on the server less those in the store; a folder seen for the first time holds only mail before our time.
2. Fetched in batches; the bytes are committed before anybody interprets them.
3. The try is counted in a commit of its own, so that a mail which kills the process is found out.
4. Read and decided; recorded in one transaction; what fails is tried again alone, and quarantined after three tries.
5. Filed only then.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from mailflow.domain.decide import decide
from mailflow.domain.decisions import Proved, Situation
from mailflow.domain.form import Answers, Verb
from mailflow.domain.mail import Reading
from mailflow.domain.vocabulary import Kind
from mailflow.engine.clock import Clock
from mailflow.engine.habits import Habits
from mailflow.engine.inbox import FolderState, Inbox, InboxTrouble
from mailflow.engine.mailroom import Arrival, Folder, Inbound, LostMailboxError, Verdict
from mailflow.engine.record import Recorder
from mailflow.engine.setup import MailboxSetup, Setup
from mailflow.engine.situation import fetch_situation
from mailflow.engine.spoken import read_kept
from mailflow.engine.store import Store, StoreError
from mailflow.intake.align import align
from mailflow.intake.commands import Vocabulary
from mailflow.intake.read import UNREADABLE

log = structlog.get_logger()

BATCH = 50  # fetching one by one costs 2.5 times as much, larger batches gain nothing
LARGEST = 35_000_000  # bytes: what the big providers accept; more is set aside with its beginning
A_DAY = timedelta(days=1)
HEAD = 65_536  # bytes kept of a mail that is too large
MAX_TRIES = 3
FILED_KINDS = {Kind.ALERT, Kind.OWN, Kind.BOUNCE, Kind.LIAISON, Kind.AUTO_REPLY}


class Reception:
    """The road in for one mailbox. One for each reading of the configuration."""

    def __init__(self, store: Store, setup: Setup, mailbox: MailboxSetup, clock: Clock) -> None:
        self.setup = setup
        self._store, self._setup, self._mailbox, self._clock = store, setup, mailbox, clock
        self._recorder = Recorder(store, setup)
        self._habits = Habits(store, setup)
        self._spared: list[int] = []  # mails whose last try does not count
        self._batch = BATCH
        self._refused: Counter[int] = Counter()  # UID -> how often the server would not give this mail
        self._vocabularies = {code: vocabulary(setup, code) for code in setup.writer.languages}

    def look(self, inbox: Inbox, epoch: int, *, full: bool) -> int:
        """Take in what is new; how many mails. `full` compares all UIDs, else only those above the highest known."""
        state = inbox.select(self._mailbox.folder)
        folder = self._folder(inbox, state)
        # What a crash left undecided or unfiled comes before anything new.
        self.decide_pending()
        above = folder.before_uid if full else self._store.mailroom.highest_uid(folder.id)
        there = inbox.uids(above)
        known = self._store.mailroom.known_uids(folder.id, above)
        new = [uid for uid in there if uid not in known]
        size = self._batch
        for start in range(0, len(new), size):
            self._fetch(inbox, folder, new[start : start + size], epoch)
            self.decide_pending()
            self.file(inbox, folder)
        self._batch = BATCH
        if not new:
            self.file(inbox, folder)
        return len(new)

    def _folder(self, inbox: Inbox, state: FolderState) -> Folder:
        """The folder as we know it; at first sight, what is there already is before our time."""
        now, name = self._clock.now(), self._mailbox.folder
        with self._store.transaction():
            known = self._store.mailroom.find_folder(self._mailbox.address, name, state.uidvalidity)
        if known:
            return known
        there = inbox.uids()
        start = self._store.mailroom.first_seen(self._mailbox.address, name) or self._mailbox.start
        # IMAP compares whole days of the server's own zone: a day more is asked for, and the rest told apart by time.
        wanted = set(inbox.uids_since(start - A_DAY)) if start else set()
        first_new = max(there, default=0) + 1
        with self._store.transaction():
            folder = self._store.mailroom.add_folder(
                self._mailbox.address,
                name,
                state.uidvalidity,
                before_uid=min(wanted, default=first_new) - 1,
                first_new=first_new,
                now=now,
            )
            self._store.mailroom.before_our_time(folder.id, [uid for uid in there if uid not in wanted])
        log.info("folder first seen", mailbox=self._mailbox.address, folder=name, there=len(there), taken=len(wanted))
        return folder

    def _fetch(self, inbox: Inbox, folder: Folder, uids: Sequence[int], epoch: int) -> None:
        """Keep a batch. A mail that the server cannot give is found out one by one, noted, and passed over."""
        try:
            self._keep(inbox, folder, uids, epoch)
        except InboxTrouble as trouble:
            if trouble.what == "protocol" and len(uids) > 1:
                self._batch = 1  # the connection is gone; the next one asks for each mail by itself
            elif trouble.what == "protocol" and self._refused[uids[0]] + 1 < MAX_TRIES:
                self._refused[uids[0]] += 1  # it may pass: "[UNAVAILABLE]", "server busy"
            elif trouble.what == "protocol":
                now, place = self._clock.now(), f"{self._mailbox.folder}, UID {uids[0]}"
                with self._store.transaction():
                    self._store.mailroom.before_our_time(folder.id, uids)
                    self._recorder.page_unfetched(place, str(trouble), self._mailbox.address, now)
                log.error("mail cannot be fetched", mailbox=self._mailbox.address, place=place, said=str(trouble))
            raise

    def _keep(self, inbox: Inbox, folder: Folder, uids: Sequence[int], epoch: int) -> None:
        """Fetch a batch and commit its bytes, no more at once than the largest mail has."""
        sizes = inbox.sizes(uids)
        for some in portions(uids, sizes):
            self._keep_some(inbox, folder, some, sizes, epoch)

    def _keep_some(
        self, inbox: Inbox, folder: Folder, uids: Sequence[int], sizes: Mapping[int, int], epoch: int
    ) -> None:
        """What is gone by now was somebody else's to handle; what comes from a clock ahead of ours came now."""
        now = self._clock.now()
        arrivals = [
            Arrival(
                uid=mail.uid,
                raw=mail.raw,
                hash=hashlib.sha256(mail.raw).hexdigest(),
                received_at=min(mail.internal_date, now),
            )
            for mail in inbox.fetch([uid for uid in uids if 0 <= sizes.get(uid, -1) <= LARGEST])
        ]
        for uid in uids:
            if sizes.get(uid, 0) > LARGEST and (head := inbox.fetch_head(uid, HEAD)):
                reason = f"larger than {LARGEST // 1_000_000} MB ({sizes[uid]:,} bytes): only its beginning is kept"
                arrivals.append(
                    Arrival(
                        uid=uid,
                        raw=head.raw,
                        hash=hashlib.sha256(head.raw + str(sizes[uid]).encode()).hexdigest(),
                        received_at=min(head.internal_date, now),
                        set_aside=reason,
                    )
                )
        absent = set(uids) - {a.uid for a in arrivals}
        if absent and (withheld := absent & set(inbox.uids(min(absent) - 1))):
            said = f"the server lists UID {min(withheld)} and does not give it"
            raise InboxTrouble("protocol", said, permanent=False)
        start = (folder.since if folder.resumed else self._mailbox.start or folder.since).replace(microsecond=0)
        ours = [a for a in arrivals if a.uid >= folder.first_new or a.received_at >= start]
        gone = sorted(set(uids) - {a.uid for a in ours})
        with self._store.transaction():
            new = self._store.mailroom.keep(folder.id, ours, now, epoch)
            self._store.mailroom.before_our_time(folder.id, gone)
            for inbound in map(self._store.mailroom.inbound, new):
                if inbound and inbound.state == "quarantined":
                    self._recorder.page_quarantined(inbound.id, inbound.reason, self._mailbox.address, now)

    def decide_pending(self) -> None:
        """Decide over everything kept; suspects of an earlier crash each alone."""
        if self._spared:
            with self._store.transaction():
                self._store.mailroom.count_try(self._spared, by=-1)
            self._spared = []
        pending = self._store.mailroom.pending(self._mailbox.address)
        fresh = [mail for mail in pending if mail.tries == 0]
        for start in range(0, len(fresh), BATCH):
            self._decide_batch(fresh[start : start + BATCH])
        for suspect in (mail for mail in pending if mail.tries):
            self._decide_batch([suspect])

    def _decide_batch(self, batch: Sequence[Inbound]) -> None:
        doomed = [mail for mail in batch if mail.tries >= MAX_TRIES]
        batch = [mail for mail in batch if mail.tries < MAX_TRIES]
        now = self._clock.now()
        with self._store.transaction():
            self._store.mailroom.count_try([mail.id for mail in batch])
            for mail in doomed:
                self._quarantine(mail.id, f"failed {MAX_TRIES} times", now)
        try:
            with self._store.transaction():
                for mail in batch:
                    try:
                        with self._store.transaction():
                            self._decide(mail, now)
                    except (StoreError, LostMailboxError):
                        raise
                    except Exception:
                        # The savepoint is undone, the bytes are kept; it is tried again, alone, at the next look.
                        log.exception("mail failed", mail=mail.id, tries=mail.tries + 1)
        except (StoreError, LostMailboxError):
            self._spared += [mail.id for mail in batch]  # the database's fault, and no mail's
            raise

    def _decide(self, mail: Inbound, now: datetime) -> None:
        whole = read_kept(self._store, self._setup, mail.hash, now)
        if whole.rule == UNREADABLE:
            # Told once an hour: the copy of the mail that tells of it may be the next that cannot be read.
            self._quarantine(mail.id, "; ".join(whole.defects), now, once=f"{now:%Y-%m-%dT%H}")
            return
        author = whole.author.address if whole.author else ""
        kind, incident_id = whole.kind, None
        made = []
        proved = False
        # Each event of an alert is judged after the one before it was recorded: three of them may be a storm.
        for reading in [replace(whole, events=(event,)) for event in whole.events] or [whole]:
            situation = fetch_situation(self._store, self._setup, self._mailbox, mail, reading, now)
            answers = self._answers(reading, situation)
            self._heard_from(reading, situation, now)
            for decision in decide(reading, answers, situation, now, self._setup.policy):
                named = replace(mail, author=author)
                kind, about = self._recorder.record(decision, named, reading, situation, now)
                incident_id = incident_id or about
                action = type(decision).__name__
                made.append((action, decision.reason, about))
                proved = proved or isinstance(decision, Proved)
                ref = self._store.records.incident(about).reference if about else "-"
                log.info(action, ref=ref, mail=mail.id, why=decision.reason, author=author, subject=reading.subject)
            if proved or made[-1][1].startswith("same-mail-as-"):
                break  # it is about the mail, not about an event
        ignored = all(action == "Ignore" for action, _, _ in made)
        self._store.mailroom.conclude(
            mail.id,
            Verdict(
                state="ignored" if ignored else "processed",
                kind=kind,
                reason=made[0][1],
                identity=whole.identity,
                message_id=whole.message_id or "",
                author=author,
                subject=whole.subject,
                incident_id=incident_id,
                decisions=tuple(made),
            ),
            now,
        )
        if proved:  # kept as a letter; its copy would only keep its tag
            self._store.mailroom.drop_content(mail.hash)

    def _answers(self, reading: Reading, situation: Situation) -> Answers:
        """What a reply says to the form that it answers."""
        answered = situation.answered
        letter = answered.letter if answered and answered.genuine else None
        form = None
        if letter and letter.affected_id and letter.kind.shows_form:
            form = self._store.desk.form(letter.id)
        language = situation.who.staff.language if situation.who.staff else self._setup.policy.language
        vocabulary_ = self._vocabularies.get(language) or self._vocabularies["en"]
        staff = situation.who.staff
        if not (staff and situation.proven):
            return align(reading, form, vocabulary_)
        signing = replace(vocabulary_, names=(staff.name, staff.first_name))
        return align(reading, form, signing, self._habits.signature(staff))

    def _heard_from(self, reading: Reading, situation: Situation, now: datetime) -> None:
        """Who of ours writes is there, and shows how they sign; the same mail by another road is no second one."""
        staff = situation.who.staff
        automatic = reading.kind is Kind.AUTO_REPLY or reading.automatic
        if staff and situation.proven and not automatic and situation.duplicate_of is None:
            self._habits.learn(staff.address, reading.new_text)
            self._recorder.presence.writes(staff, now)

    def _quarantine(self, mail_id: int, reason: str, now: datetime, *, once: str = "") -> None:
        """Set a mail aside, and say so to somebody who can look."""
        self._store.mailroom.quarantine(mail_id, reason, now)
        self._recorder.page_quarantined(mail_id, reason, self._mailbox.address, now, once=once)
        log.error("mail quarantined", mail=mail_id, why=reason)

    def file(self, inbox: Inbox, folder: Folder) -> None:
        """Move what is decided, where the mailbox is so configured; what nobody could place stays in sight."""
        unfiled = self._store.mailroom.unfiled(folder.id)
        if not unfiled:
            return
        if self._mailbox.file == "move":
            kinds = FILED_KINDS | ({Kind.CLIENT} if self._mailbox.file_clients else set())
            moved = [m.uid for m in unfiled if m.kind in kinds and m.state != "quarantined" and not m.shown]
            if moved:
                inbox.move(moved, self._mailbox.done_folder)
        with self._store.transaction():
            self._store.mailroom.filed(folder.id, [m.uid for m in unfiled], self._clock.now())


def portions(uids: Sequence[int], sizes: Mapping[int, int]) -> Iterator[list[int]]:
    """A batch in portions of LARGEST bytes at most, so that a row of large mails is never in memory at once."""
    portion: list[int] = []
    held = 0
    for uid in uids:
        size = min(sizes.get(uid, 0), LARGEST)
        if portion and held + size > LARGEST:
            yield portion
            portion, held = [], 0
        portion.append(uid)
        held += size
    if portion:
        yield portion


def vocabulary(setup: Setup, language: str) -> Vocabulary:
    """A language's command words, as its words.toml has them."""
    table = setup.writer.words(language).at("command")
    return Vocabulary(
        words={verb: tuple(table.get(verb.value, ())) for verb in Verb},
        near_miss=tuple(table.get("near_miss", ())),
        near_stop=tuple(table.get("near_stop", ())),
        closings=tuple(table.get("closings", ())),
        asides=tuple(table.get("asides", ())),
    )
