"""Killed at any instant it loses nothing and acknowledges nothing twice (N.10): kill -9 at each crash point."""

import signal
from datetime import timedelta
from pathlib import Path

import pytest

from mailflow.demo.servers import TAKE_AND_DROP
from mailflow.domain.letters import LetterKind, LetterState
from tests.crash.firm import ANN, DONE, JOHN, PATIENCE, VALERY, Firm, firm, now
from tests.crash.main import POISON
from tests.house import NOC, until, write_mail

pytestmark = pytest.mark.soak

FATE_KNOWN = ("kept", "before-record", "recorded", "moved", "filed", "leased", "sent")
INTAKE = ("kept", "before-record", "recorded", "moved", "filed")
STATES = {
    "leased": LetterState.LEASED,
    "data-started": LetterState.STARTED,
    "dot-accepted": LetterState.STARTED,
    "sent": LetterState.SENT,
}
BATCH = ("NW-FS01", "NW-MX01", "CO-ACC01")


def killed(on: Firm, point: str, *, mails: int = 1) -> None:
    """Start the daemon and see it die there by SIGKILL, having committed what the point says and no more."""
    assert on.start(point, mails=mails).ended() == -signal.SIGKILL
    counts, incidents = on.store.mailroom.counts(), on.store.records.incidents(running_only=False, limit=9)
    match point:
        case "kept" | "before-record":
            assert counts == {"kept": mails}
            assert {mail.tries for mail in on.store.mailroom.pending(NOC)} == {0 if point == "kept" else 1}
            assert not incidents
            assert not on.store.outbox.letters(limit=9)
        case "recorded" | "moved" | "filed":
            assert counts == {"processed": mails}
            assert len(incidents) == mails
            assert on.count("INBOX") == (mails if point == "recorded" else 0)
        case "leased" | "data-started" | "dot-accepted" | "sent":
            assert on.acknowledgement.state is STATES[point]
            assert len(on.sent_to(JOHN)) == (1 if point in {"dot-accepted", "sent"} else 0)


@pytest.mark.parametrize("point", FATE_KNOWN)
def test_killed_and_started_again_everything_happens_once(tmp_path: Path, point: str) -> None:
    """N.10: one incident, one acknowledgement at the server, the alert filed, wherever it was killed."""
    with firm(tmp_path) as on:
        on.alerts("NW-FS01")
        killed(on, point)
        again = on.start()
        on.come_to_rest(1)
        until(lambda: on.count(DONE) == 1, within=PATIENCE)
        assert again.stop() == 0
        assert len(on.store.records.incidents(running_only=False, limit=9)) == 1
        assert on.acknowledgement.state is LetterState.SENT
        assert len(on.sent_to(JOHN)) == 1
        assert len(on.sent_to(VALERY)) == 1
        assert on.store.mailroom.counts() == {"processed": 1}
        assert on.count("INBOX") == 0
        told = on.store.records.audience(on.store.records.incidents(running_only=False, limit=9)[0][0].id)
        assert [t.address for t in told] == [JOHN]


@pytest.mark.parametrize("point", INTAKE)
def test_killed_over_a_batch_every_mail_of_it_counts_once(tmp_path: Path, point: str) -> None:
    """N.10: three alerts in one batch; received = processed + ignored + quarantined, each client told once of each."""
    with firm(tmp_path) as on:
        on.alerts(*BATCH)
        killed(on, point, mails=3)
        again = on.start()
        on.come_to_rest(3)
        until(lambda: on.count(DONE) == 3, within=PATIENCE)
        assert again.stop() == 0
        assert len(on.store.records.incidents(running_only=False, limit=9)) == 3
        assert on.store.mailroom.counts() == {"processed": 3}
        assert on.count("INBOX") == 0
        assert sorted(len(on.sent_to(who)) for who in (JOHN, ANN, VALERY)) == [1, 2, 3]
        assert len({str(mail.message["Message-ID"]) for mail in on.sent_to(JOHN)}) == 2


def test_killed_before_data_nobody_guesses_and_the_liaison_is_asked(tmp_path: Path) -> None:
    """DESIGN 1.8: DATA was about to begin; without proof the letter is unknown, not resent, and asked about."""
    with firm(tmp_path, proof='"copy"') as on:
        on.alerts("NW-FS01")
        killed(on, "data-started")
        again = on.start()
        on.come_to_rest(2)  # the alert, and the copy of what Valery was sent
        assert again.stop() == 0
        assert on.acknowledgement.state is LetterState.UNKNOWN
        assert on.sent_to(JOHN) == []
        later = on.start(ahead=timedelta(minutes=16))
        asked = until(lambda: [m for m in on.sent_to(VALERY) if "RESEND" in m.text], within=PATIENCE)
        assert later.stop() == 0
        assert "SENT" in asked[0].text
        assert "John Harper" in asked[0].text
        assert on.acknowledgement.state is LetterState.UNKNOWN
        assert on.sent_to(JOHN) == []


def test_killed_after_the_dot_the_copy_proves_it(tmp_path: Path) -> None:
    """DESIGN 1.8: the server took it and the process died; with proof = "copy" the copy's arrival settles it."""
    with firm(tmp_path, proof='"copy"') as on:
        on.alerts("NW-FS01")
        killed(on, "dot-accepted")
        again = on.start()
        on.come_to_rest(3)  # the alert and two copies
        until(lambda: on.acknowledgement.state is LetterState.SENT, within=PATIENCE)
        until(lambda: on.count(DONE) == 3, within=PATIENCE)
        assert again.stop() == 0
        assert len(on.sent_to(JOHN)) == 1
        assert on.store.mailroom.counts() == {"processed": 3}
        told = on.store.records.audience(on.store.records.incidents(running_only=False, limit=9)[0][0].id)
        assert [t.address for t in told] == [JOHN]


def test_killed_after_the_dot_the_sent_folder_proves_it(tmp_path: Path) -> None:
    """DESIGN 1.8: with proof = "sent" the provider's copy in Sent settles it; nobody is asked, nothing is resent."""
    with firm(tmp_path) as on:
        on.alerts("NW-FS01")
        killed(on, "dot-accepted")
        (taken,) = (m for m in on.mail.sent if m.recipients[0] == JOHN)
        on.mail.deliver(NOC, taken.raw, "Sent")
        again = on.start()
        until(lambda: on.acknowledgement.state in {LetterState.UNKNOWN, LetterState.SENT}, within=PATIENCE)
        # The mailbox's runner looks when anything comes, at the latest after its longest IDLE.
        on.mail.deliver(NOC, write_mail("Paul <paul@elsewhere.example>", NOC, "Hello", "Nothing.\n", now()))
        until(lambda: on.acknowledgement.state is LetterState.SENT, within=PATIENCE)
        on.come_to_rest(2)
        assert again.stop() == 0
        assert on.acknowledgement.reason == "found-in-sent"
        assert len(on.sent_to(JOHN)) == 1


def test_killed_after_the_dot_without_proof_it_stays_unknown(tmp_path: Path) -> None:
    """DESIGN 1.8: the server took it, but nothing says so: it is never sent twice, and the liaison is asked once."""
    with firm(tmp_path) as on:
        on.alerts("NW-FS01")
        killed(on, "dot-accepted")
        for _ in range(2):
            later = on.start(ahead=timedelta(minutes=16))
            until(lambda: [m for m in on.sent_to(VALERY) if "RESEND" in m.text], within=PATIENCE)
            on.come_to_rest(1)
            assert later.stop() == 0
        assert on.acknowledgement.state is LetterState.UNKNOWN
        assert len(on.sent_to(JOHN)) == 1
        assert len([m for m in on.sent_to(VALERY) if "RESEND" in m.text]) == 1


def test_the_copy_may_come_before_the_answer(tmp_path: Path) -> None:
    """DESIGN 1.8: the copy is read while the server still owes its answer; killed now, the letter is known as sent."""
    with firm(tmp_path, proof='"copy"') as on:
        on.mail.slow_for = JOHN
        on.alerts("NW-FS01")
        first = on.start()
        assert on.mail.taken.wait(PATIENCE)
        until(lambda: on.store.mailroom.counts() == {"processed": 3}, within=PATIENCE)
        first.tell(signal.SIGKILL)
        assert first.ended() == -signal.SIGKILL
        on.mail.answer.set()
        again = on.start()
        on.come_to_rest(3)
        until(lambda: on.acknowledgement.state is LetterState.SENT, within=PATIENCE)
        assert again.stop() == 0
        assert len(on.sent_to(JOHN)) == 1


@pytest.mark.parametrize("order", ["", TAKE_AND_DROP], ids=["then 250", "then silence"])
def test_the_copy_comes_first_then_the_answer(tmp_path: Path, order: str) -> None:
    """DESIGN 1.8: whatever the server says after its copy came, the letter is sent, once, and John counts as told."""
    with firm(tmp_path, proof='"copy"') as on:
        on.mail.slow_for = JOHN
        on.mail.faults.append(lambda _, to: order if order and to[0] == JOHN else None)
        on.alerts("NW-FS01")
        daemon = on.start()
        assert on.mail.taken.wait(PATIENCE)
        until(lambda: on.store.mailroom.counts() == {"processed": 3}, within=PATIENCE)
        on.mail.answer.set()
        on.come_to_rest(3)
        until(lambda: on.acknowledgement.state is LetterState.SENT, within=PATIENCE)
        assert daemon.stop() == 0
        assert len(on.sent_to(JOHN)) == 1
        told = on.store.records.audience(on.store.records.incidents(running_only=False, limit=9)[0][0].id)
        assert [t.address for t in told] == [JOHN]


def test_a_mail_that_kills_its_reader_is_set_aside(tmp_path: Path) -> None:
    """DESIGN 1.5: after three tries it is quarantined with bytes and reason; the others of its batch are processed."""
    with firm(tmp_path) as on:
        on.alerts(*BATCH)
        for _ in range(3):
            killed(on, "poisoned")
        survivor = on.start("poisoned")
        on.come_to_rest(3)
        until(lambda: on.count(DONE) == 2, within=PATIENCE)
        assert survivor.stop() == 0
        assert on.store.mailroom.counts() == {"processed": 2, "quarantined": 1}
        (mail,) = on.store.mailroom.quarantined()
        assert POISON in on.store.mailroom.content(mail.hash)
        assert mail.reason == "failed 3 times"
        assert on.count("INBOX") == 1  # in sight for people
        assert len(on.letters(LetterKind.ACKNOWLEDGEMENT)) == 2
        assert len(on.sent_to(JOHN)) == len(on.sent_to(ANN)) == 1
