"""Whatever liaison, client, colleague, monitor, clock and crash do: no client gets words that were not approved."""

import re
import tempfile
from collections import defaultdict
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from mailflow.adapters.store.tables import EntryRow
from mailflow.demo.clients import received
from mailflow.domain import tokens
from mailflow.domain.letters import Letter, LetterKind
from mailflow.domain.vocabulary import Priority
from tests.house import DANA, JOHN, PROBLEM, RECOVERY, SHIRLEY, VALERY, ByHand, Received, by_hand

pytestmark = pytest.mark.soak

ANN, PAUL = "ann@contoso.example", "paul@msp.example"
ACK, DEBRIEF, UPDATE, ANSWER = (
    LetterKind.ACKNOWLEDGEMENT,
    LetterKind.DEBRIEF,
    LetterKind.UPDATE,
    LetterKind.ANSWER,
)
PREVIEW, FORWARD, ASK, OPENED = LetterKind.PREVIEW, LetterKind.FORWARD, LetterKind.ASK, LetterKind.OPENED
FORMS = (LetterKind.FORM, LetterKind.MISSING, PREVIEW)


@dataclass(frozen=True, kw_only=True)
class Firm:
    """A client: whose monitor tells of which host, who writes, and the words that belong to it alone."""

    key: str
    writers: tuple[str, ...]
    own: tuple[str, ...]
    colour: str  # in everything that is typed for this client only


FIRMS = {
    "NW-FS01": Firm(
        key="northwind",
        writers=(JOHN, SHIRLEY),
        own=("Northwind", "John", "Shirley", "file server", "cobalt"),
        colour="cobalt",
    ),
    "CO-ACC01": Firm(key="contoso", writers=(ANN,), own=("Contoso", "Ann ", "accounting", "amber"), colour="amber"),
}
COLOURS = {firm.key: firm.colour for firm in FIRMS.values()}
OUTSIDE = {writer: firm for firm in FIRMS.values() for writer in firm.writers}
HOSTS = st.sampled_from(sorted(FIRMS))
WHICH = st.sampled_from([-1, -1, -1, -2, -3, 0])  # of several mails: mostly the newest
SECRET = "burgundy"  # in every note and question among us: never seen outside
FURNITURE = (SECRET, "word for word", "TO CLIENT", "[1]", "[2]", "end of form", "\n>", "<mf.")
LETTER = re.compile(
    r"--- to (.+?), word for word ---\s+Subject: (.*?)\n\n(.*?)\n\n--- end of the letter to \1 ---", re.S
)
SIGNED = r"Kind regards, Valery Stufano Client Experience Liaison INC-\d+"

Words = tuple[str, str]  # a letter's subject and text


@dataclass(frozen=True, kw_only=True)
class Approval:
    """A SEND that was taken: whose, of which letters, and how many people have to say so."""

    who: str
    letters: frozenset[Words]
    needed: int


def plain(text: str) -> str:
    """One blank between words."""
    return " ".join(text.split())


class AnyWork(RuleBasedStateMachine):
    """Two clients, a liaison, a manager, a colleague, a monitor, a clock."""

    changes: ClassVar[Mapping[str, str]] = {"live": '"auto"'}

    def __init__(self) -> None:
        super().__init__()
        self.closing = ExitStack()
        folder = self.closing.enter_context(tempfile.TemporaryDirectory())
        changes = {"per_address_hour": "1000", "staff_hour": "100000", "proof": '"sent"', **self.changes}
        # Contoso's last component is critical too, so that nothing settles first.
        self.on: ByHand = self.closing.enter_context(by_hand(Path(folder), 'criticality = "critical"\n', **changes))
        self.mails: dict[tuple[str, LetterKind], list[Received]] = defaultdict(list)
        self.looked = 0  # at so many of the mails that were sent
        self.approvals: list[Approval] = []
        self.typed: list[str] = []  # answers to clients that were nothing but an answer
        self.acknowledged: set[tuple[str, str]] = set()
        self.number = 0
        self.outages = dict.fromkeys(FIRMS, 0)
        self.arrived = 0

    def teardown(self) -> None:
        """However it went, what was shown last is sent, and everything that waits may leave."""
        try:
            self.on.writes(DANA, "RESUME", "The brake")
            self.look()
            for who in (VALERY, DANA):
                for preview in self.mails[who, PREVIEW][-3:]:
                    self.sends(preview, who, "SEND")
                self.look()
            self.on.later(minutes=4)
            self.every_letter_is_as_it_should_be()
            self.every_mail_is_accounted_for()
        finally:
            self.closing.close()

    # --- what people see and say ---

    def look(self) -> list[tuple[str, LetterKind, Received]]:
        """Put the new mails where they are found again; they themselves."""
        new = []
        for sent in self.on.mail.sent[self.looked :]:
            mail, recipient = received(sent.raw), sent.recipients[0]
            if kind := self.on.kind_of(mail):
                self.mails[recipient, kind].append(mail)
                new.append((recipient, kind, mail))
        self.looked = len(self.on.mail.sent)
        return new

    def of(self, mail: Received) -> Letter:
        """The letter that a mail of ours is."""
        tag = tokens.tag_of(str(mail.message["Message-ID"]))
        letter = self.on.app.store.outbox.by_tag_id((tag or "").partition("-")[0])
        assert letter
        return letter

    def find(self, host: str, which: int, *kinds: LetterKind, who: str = VALERY) -> Received | None:
        """A mail about a client that somebody has: the newest, or an older one."""
        self.look()
        key = FIRMS[host].key
        mine = [m for kind in kinds for m in self.mails[who, kind] if self.of(m).client_key == key]
        return mine[max(which, -len(mine))] if mine else None

    def word(self, mail: Received, *, shared: bool) -> str:
        """A word that may be said to whoever reads what is typed below this mail, and never was said before."""
        self.number += 1
        records, letter = self.on.app.store.records, self.of(mail)
        incident = records.affected(letter.affected_id or 0).incident_id
        clients = {a.client_key for a in records.affected_of(incident)}
        colour = COLOURS[letter.client_key] if len(clients) == 1 or not shared else "grey"
        return f"{colour} number {self.number}"

    def needed(self, mail: Received) -> int:
        """How many have to approve letters about what a mail is about."""
        records = self.on.app.store.records
        affected = records.affected(self.of(mail).affected_id or 0)
        priority = records.incident(affected.incident_id).priority
        return 2 if priority is Priority.P1 and "two_approvals" in self.changes else 1

    def sends(self, preview: Received, who: str, text: str) -> None:
        """Somebody answers a preview; an approval is noted where it was taken as one."""
        needed = self.needed(preview)
        taken = EntryRow.select().where(EntryRow.what.in_(["approved", "approved by one"]))
        before = taken.count()
        self.on.replies(preview, text, who)
        if taken.count() > before:
            assert text == "SEND"
            shown = {(plain(m[2]), plain(m[3])) for m in LETTER.finditer(preview.text.replace("\r\n", "\n"))}
            self.approvals.append(Approval(who=who, letters=frozenset(shown), needed=needed))

    # --- what happens ---

    @initialize()
    def outages_are_over(self) -> None:
        """Both clients were told, both are back, and Valery has answered what there is to answer."""
        for over, minutes in ((False, 4), (True, 11)):
            for host in FIRMS:
                self.alert(host, over)
            self.on.later(minutes=minutes)
        for host in FIRMS:
            self.answer(host, -1, "12")

    @rule(host=HOSTS, over=st.booleans())
    def alert(self, host: str, over: bool) -> None:
        """The monitor tells of trouble, or that it is over."""
        self.outages[host] += not over
        event = f"{len(host)}{self.outages[host]}"
        body = (RECOVERY if over else PROBLEM).replace("NW-FS01", host).replace("184467", event)
        self.on.alert(body, f"{'Resolved in 9m' if over else 'Problem'}: {host} has been restarted")

    @rule(minutes=st.sampled_from([1, 4, 4, 11, 90, 26 * 60, 3 * 24 * 60]))
    def time_passes(self, minutes: int) -> None:
        """Minutes, or a weekend."""
        self.on.later(minutes=minutes)

    @rule()
    def restart(self) -> None:
        """The daemon dies and comes back."""
        self.on.restart()

    @rule(host=HOSTS, how=st.sampled_from(["new", "reply", "thanks", "commands"]), who=st.integers(0, 1))
    def client_writes(self, host: str, how: str, who: int) -> None:
        """A client's person: something new, an answer to a letter of ours, thanks, or what looks like commands."""
        firm = FIRMS[host]
        writer = firm.writers[who % len(firm.writers)]
        self.number += 1
        text = {
            "new": f"Nobody here can open the {firm.colour} folder, {self.number}.",
            "reply": f"How long will it take? The {firm.colour} people ask, {self.number}.",
            "thanks": "Thank you very much!",
            "commands": f"SEND\n1: {firm.colour} {SECRET}\n2: {firm.colour} {SECRET} {self.number}",
        }[how]
        self.look()
        letters = [m for kind in (ACK, DEBRIEF, UPDATE, ANSWER) for m in self.mails[writer, kind]]
        if how == "new" or not letters:
            raw = f"From: <{writer}>\r\nSubject: The {firm.colour} folder\r\n\r\n{text}\r\n"
            self.on.arrives(raw.encode())
        else:
            self.on.replies(letters[-1], text, writer)

    @rule(host=HOSTS, which=WHICH, fields=st.sampled_from(["12", "1", "2", "23", "loose"]))
    def answer(self, host: str, which: int, fields: str) -> None:
        """Valery answers a form, or what was asked again, or corrects a draft."""
        if form := self.find(host, which, *FORMS):
            word = self.word(form, shared=True)
            text = "\n".join(f"{f}: The {word} part {f}." for f in fields)
            self.on.replies(form, f"It was the {word}." if fields == "loose" else text)

    @rule(
        which=WHICH,
        who=st.sampled_from([VALERY, VALERY, VALERY, DANA, PAUL]),
        more=st.sampled_from([False, False, False, True]),
        then=st.sampled_from([4, 4, 1, 0]),
    )
    def send(self, which: int, who: str, more: bool, then: int) -> None:
        """Somebody says SEND to the newest preview, or to an older one, or with words besides."""
        self.look()
        reader = who if who == DANA and self.mails[DANA, PREVIEW] else VALERY
        previews = self.mails[reader, PREVIEW]
        if previews:
            preview = previews[max(which, -len(previews))]
            self.sends(preview, who, f"SEND\n\n2: {self.word(preview, shared=True)} part." if more else "SEND")
            self.on.later(minutes=then)

    @rule(
        host=HOSTS,
        which=WHICH,
        said=st.sampled_from(
            [
                "STOP",
                "Stop this one, please",
                f"NOTE {SECRET}, says Dana",
                "LATER Friday",
                "LATER tomorrow, the part is late",
                "PRIORITY P1",
                "PRIORITY P3",
                "RESOLVED",
                "REOPEN",
                f"NO DEBRIEF: {SECRET}",
                f"CLOSE {SECRET}",
                f"ASK Paul: {SECRET}?",
                "AUDIENCE all",
                "STATUS",
                "SPLIT contoso",
                f"We are talking of the {SECRET} here",
            ]
        ),
    )
    def order(self, host: str, which: int, said: str) -> None:
        """A command, or words among ourselves, below what opened it or below its form."""
        if mail := self.find(host, which, OPENED, LetterKind.FORM):
            if said.startswith("We are") and self.of(mail).kind is LetterKind.FORM:
                return  # there it would be an answer
            self.on.replies(mail, said)

    @rule(host=HOSTS, which=WHICH)
    def update(self, host: str, which: int) -> None:
        """UPDATE, and what the client is to hear."""
        if mail := self.find(host, which, OPENED, FORWARD):
            self.on.replies(mail, f"UPDATE We are at it with the {self.word(mail, shared=False)} now.")

    @rule(host=HOSTS, which=WHICH, how=st.sampled_from(["answer", "answer", "note", "quote", "late"]))
    def answers_client(self, host: str, which: int, how: str) -> None:
        """Valery answers a client's mail; or notes something below it; or quotes one of our own mails with it."""
        mail = self.find(host, which, FORWARD)
        if not mail:
            return
        typed = f"We bring the {self.word(mail, shared=False)} tomorrow."
        if how == "answer" and self.needed(mail) == 1:
            self.typed.append(typed)
        note, quote = f"NOTE {SECRET}: {typed}", f"{typed}\n\nPaul Ortiz wrote:\nThey know it."
        self.on.replies(mail, {"note": note, "quote": quote}.get(how, typed))
        if how == "late":
            self.on.later(minutes=2)
            self.on.replies(mail, "STOP")

    @rule(host=HOSTS, which=WHICH, how=st.sampled_from(["fills", "send", "talks"]))
    def colleague(self, host: str, which: int, how: str) -> None:
        """Paul answers what he was asked, or says what he may not."""
        if asked := self.find(host, which, ASK, who=PAUL):
            fills = f"1: Paul saw the {self.word(asked, shared=True)} part."
            said = {"fills": fills, "send": "SEND", "talks": f"UPDATE {SECRET} {self.number}"}[how]
            self.on.replies(asked, said, PAUL)

    @rule(host=HOSTS, which=WHICH, root=st.integers(1, 4))
    def merge(self, host: str, which: int, root: int) -> None:
        """One incident turns out to be part of another."""
        if mail := self.find(host, which, OPENED):
            self.on.replies(mail, f"MERGE INC-{root}")

    @rule(what=st.sampled_from(["PAUSE", "RESUME", "RESUME", "RESUME"]))
    def brake(self, what: str) -> None:
        """Dana holds everything, or lets it go."""
        self.on.writes(DANA, what, "The brake")

    # --- what always holds ---

    @invariant()
    def every_letter_is_as_it_should_be(self) -> None:
        """Of each letter that reached a client since the last step."""
        for recipient, kind, mail in self.look():
            if recipient not in OUTSIDE:
                continue
            self.arrived += 1
            self.it_was_approved_just_so(kind, mail)
            self.it_holds_nothing_of_ours_or_of_another_client(recipient, mail)
            if kind is ACK:
                about = recipient, mail.text.rpartition("INC-")[2].strip()
                assert about not in self.acknowledged
                self.acknowledged.add(about)

    def it_was_approved_just_so(self, kind: LetterKind, mail: Received) -> None:
        """SEND of one, or of two, to exactly these words; else it acknowledges, or says what was typed as an answer."""
        words = plain(mail.subject), plain(mail.text)
        taken = [a for a in self.approvals if words in a.letters]
        if any(a.needed == 1 for a in taken) or len({a.who for a in taken}) > 1:
            return
        auto = self.changes["live"] == '"auto"'
        if kind is ANSWER and auto and "two_approvals" not in self.changes:
            assert any(re.fullmatch(rf"(?:Hello \w+, )?{re.escape(t)} {SIGNED}", words[1]) for t in self.typed), (
                mail.text
            )
        else:
            assert kind is ACK, mail.text
            assert auto, mail.text

    def it_holds_nothing_of_ours_or_of_another_client(self, recipient: str, mail: Received) -> None:
        """No other client's name or words, no note, nothing of a form or a preview, no tag but of its own letters."""
        everything = mail.subject + mail.text.replace("\r\n", "\n") + mail.html
        foreign = [w for firm in FIRMS.values() if firm is not OUTSIDE[recipient] for w in firm.own]
        assert not [w for w in (*foreign, *FURNITURE) if w in everything], mail.text
        for found in tokens.TAG.finditer(mail.message.as_string()):
            letter = self.on.app.store.outbox.by_tag_id(found["id"])
            assert letter
            assert letter.kind.to_client
            assert letter.recipient.address == recipient

    @invariant()
    def every_mail_is_accounted_for(self) -> None:
        """Nothing stays undecided, nothing is set aside."""
        counts = self.on.app.store.mailroom.counts()
        assert not counts.get("kept")
        assert not counts.get("quarantined")


class InReview(AnyWork):
    """The same where every letter waits for SEND."""

    changes = {"live": '"review"'}  # noqa: RUF012 - as its parent declares it


class ByTwo(AnyWork):
    """The same where the worst trouble takes the SEND of two."""

    changes = {"live": '"auto"', "two_approvals": '["P1"]'}  # noqa: RUF012 - as its parent declares it


@pytest.mark.parametrize("work", [AnyWork, InReview, ByTwo])
def test_no_client_ever_receives_what_nobody_approved_in_that_form(work: type[AnyWork]) -> None:
    """N.6, N.1, N.10, S1.4: approved word for word or not sent; nobody else's words; one acknowledgement."""
    run_state_machine_as_test(
        work,
        settings=settings(
            deadline=None,
            max_examples=5,
            stateful_step_count=25,
            phases=[Phase.generate],
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
