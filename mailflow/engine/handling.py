"""How an incident is handled: a word to the client in between, more time, a colleague's help, another pair of hands."""

import re
from datetime import datetime
from itertools import takewhile

from mailflow.domain.form import Verb
from mailflow.domain.incident import Affected, Promise, PromiseKind, PromiseState
from mailflow.domain.letters import JSON, LetterKind, LetterState, NewLetter
from mailflow.domain.moments import coming_moment
from mailflow.domain.people import Contact, Role, Staff
from mailflow.domain.time_words import Unclear
from mailflow.engine.asking import Asking
from mailflow.engine.case import Case, names_of, not_understood, open_case
from mailflow.engine.drafts import LEFT, Drafts
from mailflow.engine.order import Order
from mailflow.engine.pauses import THEM
from mailflow.engine.post import Post, address_of
from mailflow.engine.setup import Setup
from mailflow.engine.store import Store
from mailflow.writing.words import Times

MANY = 1_000  # letters of one incident that a summary looks at
BEHIND_WHEN = re.compile(r"(?<!\d):|:(?!\d)")  # the colon behind "by Friday 15:00", not the one in it


class Handling:
    """Each order is carried out, and answered with one sentence."""

    def __init__(self, store: Store, setup: Setup, post: Post, drafts: Drafts) -> None:
        self._store, self._setup, self._post, self._drafts = store, setup, post, drafts
        self._asking = Asking(store, setup, post)

    def update(self, order: Order) -> JSON:
        """UPDATE and a text: with SEND it goes to those who were told; None where the preview is the answer."""
        if not order.argument:
            return ["update_what", {}]
        if order.affected.settled_at is not None:
            order.note(self._store, "note", order.argument)
            return ["update_settled", {"why": order.affected.settled_why}]
        cases = [case for one in order.clients(self._store) if (case := self._open(one, order)).contacts]
        if not cases:
            order.note(self._store, "note", order.argument)
            return ["update_nobody", {"client": order.affected.client_name}]
        letters = [letter for case in cases for letter in self._updates(case, order, order.argument)]
        self._drafts.offer(cases[0], letters, order.now, remarks=[], cause=order.inbound.id, by=order.staff)
        return None

    def later(self, order: Order) -> JSON:
        """LATER Friday: more time, with the reason on the record; whoever was promised an earlier day is offered a
        letter, and what they were promised stands until it has left (N.4)."""
        words = self._setup.writer.words(order.staff.language)
        read = coming_moment(
            order.argument,
            order.inbound.received_at,
            order.staff.timezone,
            names_of(words),
            order.staff.date_order,
            self._setup.policy.day_ends,
        )
        if read is None or isinstance(read, Unclear):
            return not_understood(order.argument, read, "bad_day") if order.argument else ["later_when", {}]
        due, why = read
        if single := self._row_promise(order, PromiseKind.ACKNOWLEDGEMENT):
            self._store.promises.put_off(single.id, due)
            order.note(self._store, "extended", f"{single.what or single.kind}{f': {why}' if why else ''}")
            return ["task_later", {"due_full": due.isoformat()}]
        owed = [case for one in order.clients(self._store) if (case := self._open(one, order)).due]
        owed = [case for case in owed if case.affected.settled_at is None]
        if not owed:
            return ["later_nothing", {}]
        was = Times.in_zone(words, order.staff.timezone, order.now).full(min(case.due for case in owed if case.due))
        order.note(self._store, "extended", f"from {was}{f': {why}' if why else ''}")
        waiting = {p.affected_id for p in self._store.promises.of(order.incident.id) if p.waits_since}
        told: list[Case] = []
        letters: list[NewLetter] = []
        for case in owed:
            by = self._told_by(case)
            if by and by < due:
                told.append(case)
                letters += self._updates(case, order, self._later_words(case, by, order), due)
            if case not in told or case.affected.id in waiting:  # whose next word is owed whatever becomes of this
                self._store.promises.postpone(case.affected.id, PromiseKind.DEBRIEF, due)
        if not told:
            return ["later", {"due_full": due.isoformat()}]
        self._drafts.offer(told[0], letters, order.now, remarks=[], cause=order.inbound.id, by=order.staff)
        names = ", ".join(case.first_names for case in told)
        return ["later_told", {"due_full": due.isoformat(), "names": names}]

    def _later_words(self, case: Case, told: datetime, order: Order) -> str:
        """ "I said you would hear from me by Friday": in the client's language and zone."""
        affected = case.affected
        words = self._setup.writer.words(affected.language)
        was = Times.in_zone(words, affected.timezone, order.now).by(told)
        named = affected.plain or (f"“{affected.reported}”" if affected.reported else "")
        return words.phrase("update.later", plain=named or words.phrase("acknowledgement.unnamed"), was=was)

    def ask(self, order: Order) -> JSON:
        """ASK Paul: a colleague gets the open questions, and his answers land in the draft, marked his."""
        found, question = self._person(order.argument)
        if len(found) != 1:
            return self._who(order.argument, found)
        (staff,) = found
        if staff.address == order.staff.address:
            return ["ask_yourself", {}]
        if order.affected.settled_at is not None:
            return ["ask_settled", {"why": order.affected.settled_why, "name": staff.name}]
        if not self._asking.ask_colleague(self._case(order), staff, question, order.staff, order.inbound.id, order.now):
            return ["ask_nothing", {"name": staff.name}]
        order.note(self._store, "asked", f"{staff.name}{f': {question}' if question else ''}")
        return ["asked", {"name": staff.name}]

    def assign(self, order: Order) -> JSON:
        """ASSIGN Robin: another liaison answers for it from now on, and signs."""
        found, why = self._person(order.argument)
        if len(found) != 1:
            return self._who(order.argument, found)
        (staff,) = found
        if task := self._row_promise(order):
            return self._hand_task(order, task, staff)
        if staff.role is Role.COLLEAGUE:
            return ["assign_colleague", {"name": staff.name}]
        if staff.address == order.affected.liaison.address:
            return ["assign_same", {"name": staff.name}]
        names = self._hand_over(order, staff, why)
        return ["assigned", {"name": staff.name, "client": names}]

    def task(self, order: Order) -> JSON:
        """What TAKE, CLOSE and WAITING mean for a row that is a task of one of ours; None for every other row."""
        task = self._row_promise(order)
        if task is None:
            return None
        if order.verb is Verb.TAKE:
            self._store.promises.hand_over(task.id, order.staff)
            order.note(self._store, "assigned", f"{task.what} to {order.staff.name}")
            return ["task_assigned_you", {"what": task.what}]
        if order.verb in {Verb.CLOSE, Verb.NO_DEBRIEF} and order.argument:
            self._store.promises.release(task.id, order.now)
            order.note(self._store, f"{task.kind} dropped", f"{task.what}: {order.argument}")
            return ["task_dropped", {"what": task.what, "why": order.argument}]
        return ["task_how", {"what": task.what}]

    def _row_promise(self, order: Order, *also: PromiseKind) -> Promise | None:
        """The task of one of ours that an answered row is about; none where it is a word to the client."""
        if order.obey.promise_id is None:
            return None
        promise = self._store.promises.get(order.obey.promise_id).promise
        single = not promise.kind.to_client or promise.kind in also
        return promise if single and promise.state is PromiseState.OPEN else None

    def _hand_task(self, order: Order, task: Promise, staff: Staff) -> JSON:
        """A single task has another owner, who is told."""
        self._store.promises.hand_over(task.id, staff)
        order.note(self._store, "assigned", f"{task.what} to {staff.name}")
        values: dict[str, JSON] = {"name": order.staff.name, "what": task.what, "due_full": task.due_at.isoformat()}
        self._post.notice(
            ["assigned", {"client": order.affected.client_name, "title": order.incident.title}],
            [["task_yours", values]],
            address_of(staff),
            key=f"task:{order.inbound.id}:{task.id}",
            now=order.now,
            incident=order.incident,
            affected=order.affected,
        )
        return ["task_assigned", {"name": staff.name, "what": task.what}]

    def _hand_over(self, order: Order, staff: Staff, why: str = "") -> str:
        """The promises move with it, and the form, if it was asked for; who takes over is told what it is about.

        The names of the clients whom it is about.
        """
        whose = order.clients(self._store)
        for one in whose:
            self._store.records.assign(one.id, staff)
        order.note(self._store, "assigned", f"{order.affected.liaison.name} to {staff.name}{f': {why}' if why else ''}")
        names = ", ".join(one.client_name for one in whose)
        case = self._case(order)
        shown = self._drafts.sign({one.id for one in whose}, staff, order.now, order.inbound.id)
        if not shown and self._store.outbox.asked(order.affected.id) and not order.affected.settled_at:
            self._asking.ask(case.incident, case.affected, order.now, again=staff.address)
        if staff.address == order.staff.address:
            return names  # who takes it knows
        lines: list[JSON] = [["assigned_to_you", {"name": order.staff.name}], *case.so_far()]
        if case.incident.symptom != "reported":
            lines.append(["assigned_what", {"first_shown": case.incident.first_shown}])
        lines.append(["assigned_how", {}])
        self._post.notice(
            ["assigned", {"client": case.affected.client_name, "title": case.incident.title}],
            lines,
            address_of(staff),
            key=f"assigned:{order.inbound.id}:{order.affected.id}",
            now=order.now,
            incident=case.incident,
            affected=case.affected,
            text=why,
        )
        return names

    def take(self, order: Order) -> JSON:
        """TAKE: whoever says so answers for it."""
        if order.staff.address == order.affected.liaison.address:
            return ["assign_same", {"name": order.staff.name}]
        names = self._hand_over(order, order.staff)
        return ["taken", {"client": names, "name": order.affected.liaison.name}]

    def row(self, order: Order) -> JSON:
        """A name or a time behind a row's number: "1 PAUL", "2 FRIDAY"."""
        found, rest = self._person(order.argument)
        if found and not rest:
            return self.assign(order)
        return self.later(order)

    def audience(self, order: Order) -> JSON:
        """AUDIENCE John, Ann: who has the letters from now on; whoever was told hears the end in any case (N.3)."""
        client = self._setup.directory.client(order.affected.client_key)
        contacts = client.contacts if client else ()
        chosen: list[Contact] = []
        words = self._setup.writer.words(order.staff.language)
        everybody = order.argument.strip(" .").casefold() in words.at("command.everybody")
        for word in [] if everybody else order.argument.strip(" .").replace(" and ", ",").split(","):
            said = word.strip().casefold()
            hits = [c for c in contacts if said in {c.name.casefold(), c.first_name.casefold(), c.address}]
            if len(hits) != 1:
                known = ", ".join(c.name for c in contacts)
                return ["audience_who", {"word": word.strip(), "client": order.affected.client_name, "known": known}]
            chosen.append(hits[0])
        self._store.records.set_audience(order.affected.id, [c.address for c in chosen])
        case = self._case(order)
        names = ", ".join(c.name for c in case.contacts)
        order.note(self._store, "audience", names)
        line = "audience_redraft" if self._drafts.for_readers(case, order.now) else "audience"
        return [line, {"client": order.affected.client_name, "names": names}]

    def action(self, order: Order) -> JSON:
        """ACTION Paul by Friday: replace the battery. It has an owner and a date, and the digest watches it (S0.10)."""
        found, rest = self._person(order.argument)
        if len(found) != 1:
            return self._who(order.argument, found)
        (staff,) = found
        if staff.role is Role.MANAGER and order.incident.priority in self._setup.policy.managed:
            return ["action_manager", {"name": staff.name}]
        words = self._setup.writer.words(order.staff.language)
        when, *behind = BEHIND_WHEN.split(rest, maxsplit=1)
        what = "".join(behind).strip()
        zone, policy = order.staff.timezone, self._setup.policy
        wrote = order.inbound.received_at
        read = coming_moment(when, wrote, zone, names_of(words), order.staff.date_order, policy.day_ends)
        if not what or not when.strip():
            return ["action_how", {}]
        if read is None or isinstance(read, Unclear):
            return not_understood(when.strip(), read, "bad_day")
        due, _ = read
        promises = self._store.promises
        mine = (order.affected.id, PromiseKind.ACTION, PromiseState.OPEN, what)
        open_ = [p for p in promises.of(order.incident.id) if (p.affected_id, p.kind, p.state, p.what) == mine]
        if open_:  # said again: whose it is and by when may be new
            promises.hand_over(open_[0].id, staff)
            promises.put_off(open_[0].id, due)
        else:
            promises.make(order.affected, PromiseKind.ACTION, due, order.now, owner=staff, what=what)
        order.note(self._store, "action", f"{staff.name}: {what}")
        return ["action", {"name": staff.name, "what": what, "due_full": due.isoformat()}]

    def done(self, order: Order) -> JSON:
        """DONE, in reply to what asked for it, or confirmed it: an action, a call or a review."""
        open_ = [
            promise
            for promise in self._store.promises.of(order.incident.id)
            if not promise.kind.to_client and promise.state is PromiseState.OPEN
        ]
        said = order.argument.casefold()
        mine = [p for p in open_ if said in p.what.casefold()] if said else open_
        if order.obey.promise_id is not None:
            open_ = mine = [p for p in open_ if p.id == order.obey.promise_id]
        elif not said and len(mine) > 1 and order.letter:
            # The answered mail is the one that confirmed an action: ["action", {"what": …}] is a line of it.
            lines = order.letter.facts.get("lines")
            said_back = [line[1] for line in lines if isinstance(line, list)] if isinstance(lines, list) else []
            confirmed = [values.get("what") for values in said_back if isinstance(values, dict)]
            mine = [p for p in mine if p.what in confirmed]
        if not open_:
            return ["done_nothing", {}]
        if len(mine) != 1:
            return ["done_which", {"actions": "; ".join(p.what for p in open_) or "-"}]
        self._store.promises.keep(mine[0].id, order.now)
        order.note(self._store, f"{mine[0].kind} done", mine[0].what)
        return ["done", {"what": mine[0].what}]

    def status(self, order: Order) -> list[JSON]:
        """One current summary, for the incident's own people (S4.28)."""
        case = self._case(order)
        lines = case.so_far()
        for promise in self._store.promises.of(order.incident.id):
            if promise.affected_id == order.affected.id and promise.waits_since:
                whom = order.affected.client_name if promise.waits_for == THEM else promise.waits_for
                lines.append(["status_waits_for", {"whom": whom, "since_date": promise.waits_since.isoformat()}])
        told = [t.name for t in self._store.records.audience(order.incident.id, order.affected.id)]
        lines.append(["status_told", {"names": ", ".join(dict.fromkeys(told))}] if told else ["status_untold", {}])
        fills = self._store.desk.fills(order.affected.id)
        missing = [n for n in case.questions.required if n not in fills]
        which = "status_unanswered" if not fills else "status_form" if missing else "status_answered"
        done, open_ = (", ".join(case.short(n) for n in numbers) for numbers in (sorted(fills), missing))
        lines.append([which, {"done": done, "missing": open_}])
        moving = [
            letter
            for letter in self._store.outbox.letters(incident_id=order.incident.id, limit=MANY)
            if letter.kind.to_client and letter.state in {LetterState.HELD, LetterState.WAITING}
        ]
        if moving:
            what = ", ".join(f"{letter.kind} to {letter.recipient.name}" for letter in moving)
            lines.append(["status_waits", {"what": what}])
        if case.affected.settled_at:
            lines.append(["status_settled", {"why": case.affected.settled_why}])
        return lines

    def _updates(self, case: Case, order: Order, text: str, next_by: datetime | None = None) -> list[NewLetter]:
        """The letter to those of the client's who were told or named, else to those who are to be; the next word is
        promised by `next_by`, or as before."""
        told = {t.address for t in self._store.records.audience(case.incident.id, case.affected.id)}
        readers = [c for c in case.contacts if c.address in {*told, *case.affected.audience}] or list(case.contacts)
        next_by = next_by or (case.promised if case.promised and case.promised > order.now else None)
        variant = self._store.outbox.count_sent(LetterKind.UPDATE, case.incident.id)
        key, now = f"{order.inbound.id}:{case.affected.id}", order.now
        return [
            self._drafts.letter(LetterKind.UPDATE, case, c, text, key=key, now=now, next_by=next_by, variant=variant)
            for c in readers
        ]

    def _told_by(self, case: Case) -> datetime | None:
        """By when the client was told, in the newest letter that it has or is about to have, to hear the next word."""
        letters = self._store.outbox.letters(affected_id=case.affected.id, states=sorted(LEFT), limit=MANY)
        # One that waits without words of its own is written when it leaves, and names the day of then.
        fixed = [x for x in letters if x.kind.to_client and (x.rendered or x.state is not LetterState.WAITING)]
        said = [x.facts.get("next_by") or x.facts.get("promised") for x in fixed]
        return next((datetime.fromisoformat(str(by)) for by in said if by), case.promised)

    def _person(self, text: str) -> tuple[list[Staff], str]:
        """Who of ours a text begins with, and what follows; several where one name is that of two."""
        said = text.strip()
        found: dict[int, list[Staff]] = {}
        for staff in self._setup.directory.staff:
            for name in {staff.name, staff.first_name, staff.address}:
                follows = said[len(name) : len(name) + 1]
                if said.casefold().startswith(name.casefold()) and not follows.isalnum():
                    found.setdefault(len(name), []).append(staff)
        longest = max(found, default=0)
        return found.get(longest, []), said[longest:].strip(" ,:;-–\n")

    def _who(self, word: str, found: list[Staff]) -> JSON:
        known = ", ".join(s.name for s in (found or self._setup.directory.staff))
        return ["who_of_ours", {"word": _name_in(word), "known": known}]

    def _case(self, order: Order) -> Case:
        return self._open(self._store.records.affected(order.affected.id), order)

    def _open(self, affected: Affected, order: Order) -> Case:
        return open_case(self._store, self._setup, order.incident, affected)


def _name_in(text: str) -> str:
    """What of "Paul which disk was it?" was meant as a name: its capitals, or its first word."""
    words = re.split(r"[,:;?!\n]", text, maxsplit=1)[0].split()
    return " ".join(takewhile(lambda word: word[:1].isupper(), words)) or " ".join(words[:1])
