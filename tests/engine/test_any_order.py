"""Whatever happens in whatever order: what a client may never see, as a state machine over the whole road."""

import tempfile
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from mailflow.domain.letters import LetterKind
from tests.house import DANA, JOHN, PROBLEM, RECOVERY, VALERY, ByHand, Received, by_hand

pytestmark = pytest.mark.soak

ANN = "ann@contoso.example"
# Host, the client's person, and the words that belong to this client alone.
CLIENTS = {
    "NW-FS01": (JOHN, ("Northwind", "John", "file server", "cobalt")),
    "CO-ACC01": (ANN, ("Contoso", "Ann", "accounting", "amber")),
}
HOSTS = st.sampled_from(sorted(CLIENTS))


def words(text: str) -> str:
    return " ".join(text.split())


class AnyOrder(RuleBasedStateMachine):
    """Two clients' outages, one liaison, one clock."""

    def __init__(self) -> None:
        super().__init__()
        self.closing = ExitStack()
        folder = self.closing.enter_context(tempfile.TemporaryDirectory())
        extra = 'criticality = "critical"\n'  # to the last component, Contoso's
        self.on: ByHand = self.closing.enter_context(by_hand(Path(folder), extra, per_address_hour="1000"))
        self.approved: list[str] = []  # previews to which Valery said SEND, as they stood

    def teardown(self) -> None:
        """However it went, Valery sends what she was shown last, and everything that waits may leave."""
        try:
            for host in CLIENTS:
                if preview := self.newest(host, LetterKind.PREVIEW):
                    self.approved.append(words(preview.text))
                    self.on.replies(preview, "SEND")
            self.on.writes(DANA, "RESUME", "The brake")
            self.time_passes(4)
            self.nobody_is_acknowledged_twice()
            self.only_what_was_shown_and_sent_arrives()
            self.nothing_of_another_client_is_in_a_letter()
            self.every_mail_is_accounted_for()
        finally:
            self.closing.close()

    def newest(self, host: str, *kinds: LetterKind) -> Received | None:
        about = CLIENTS[host][1]
        mails = [m for kind in kinds for m in self.on.got(VALERY, kind)]
        mine = [m for m in mails if about[0] in m.text + m.subject or about[1] in m.text + m.subject]
        return mine[-1] if mine else None

    @initialize()
    def previews_are_out(self) -> None:
        """Both outages are over, both clients were told, and Valery has answered both forms."""
        for over, minutes in ((False, 4), (True, 11)):
            for host in CLIENTS:
                self.alert(host, over=over)
            self.time_passes(minutes)
        for host in CLIENTS:
            self.answer(host, "1: {0} cause\n2: {0} steps")

    @rule(
        host=HOSTS, fields=st.sampled_from(["1: {0} cause\n2: {0} steps", "1: {0} cause", "2: {0} steps", "{0} loose"])
    )
    def answer(self, host: str, fields: str) -> None:
        if form := self.newest(host, LetterKind.FORM, LetterKind.MISSING, LetterKind.PREVIEW):
            self.on.replies(form, fields.format(CLIENTS[host][1][3]))

    @rule(
        which=st.sampled_from([-1, -2, 0]), edit=st.sampled_from([False, False, True]), then=st.sampled_from([4, 1, 0])
    )
    def send(self, which: int, edit: bool, then: int) -> None:
        preview = self.on.got(VALERY, LetterKind.PREVIEW)[which]
        if not edit:
            self.approved.append(words(preview.text))
        host = next(host for host, (_, own) in CLIENTS.items() if own[1] in preview.subject + preview.text)
        self.on.replies(preview, f"SEND\n\n2: {CLIENTS[host][1][3]} edit" if edit else "SEND")
        self.time_passes(then)

    @rule(minutes=st.sampled_from([4, 11, 600]))
    def time_passes(self, minutes: int) -> None:
        self.on.at(self.on.now + timedelta(minutes=minutes))

    @rule(host=HOSTS, what=st.sampled_from(["trouble", "over", "client", "stop", "pause", "resume", "restart"]))
    def meanwhile(self, host: str, what: str) -> None:
        match what:
            case "trouble" | "over":
                self.alert(host, over=what == "over")
            case "client":
                person, own = CLIENTS[host]
                text = f"SEND\n1: {own[3]} problem\n2: {own[3]} steps"
                self.on.arrives(f"From: <{person}>\r\nSubject: Help\r\n\r\n{text}\r\n".encode())
            case "stop":
                if mail := self.newest(host, LetterKind.OPENED, LetterKind.PREVIEW):
                    self.on.replies(mail, "STOP")
            case "pause" | "resume":
                self.on.writes(DANA, what.upper(), "The brake")
            case _:
                self.on.restart()

    def alert(self, host: str, *, over: bool) -> None:
        body = (RECOVERY if over else PROBLEM).replace("NW-FS01", host).replace("184467", str(len(host)))
        subject = f"{'Resolved in 9m' if over else 'Problem'}: {host} has been restarted"
        self.on.alert(body, subject)

    @invariant()
    def nobody_is_acknowledged_twice(self) -> None:
        told = [(m.message["To"], m.text.rpartition("INC-")[2]) for p in (JOHN, ANN) for m in self.acks(p)]
        assert len(told) == len(set(map(str, told)))

    @invariant()
    def only_what_was_shown_and_sent_arrives(self) -> None:
        for person in (JOHN, ANN):
            for mail in self.on.got(person, LetterKind.DEBRIEF):
                assert any(words(mail.text) in shown for shown in self.approved), mail.text

    @invariant()
    def nothing_of_another_client_is_in_a_letter(self) -> None:
        for host, (person, _) in CLIENTS.items():
            foreign = [w for other, (_, own) in CLIENTS.items() if other != host for w in own]
            for mail in self.on.got(person):
                assert not [w for w in foreign if w in mail.subject + mail.text + mail.html]

    @invariant()
    def every_mail_is_accounted_for(self) -> None:
        counts = self.on.app.store.mailroom.counts()
        assert not counts.get("kept")
        assert not counts.get("quarantined")

    def acks(self, person: str) -> list[Received]:
        return self.on.got(person, LetterKind.ACKNOWLEDGEMENT)


def test_in_any_order_no_client_gets_a_wrong_letter() -> None:
    """N.6, N.10, N.1: one acknowledgement; no debrief but what was shown and SENT; no other client's words."""
    run_state_machine_as_test(
        AnyOrder,
        settings=settings(
            deadline=None,
            max_examples=5,
            stateful_step_count=8,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
