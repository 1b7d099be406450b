"""What becomes of a letter on its way: later, refused, unknown, returned; and who hears of it."""

import re
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest

from mailflow.demo.servers import DROP, TAKE_AND_DROP
from mailflow.domain.letters import Letter, LetterKind, LetterState
from mailflow.domain.tokens import TAG
from mailflow.engine.inbox import Inbox
from mailflow.engine.prove import prove
from mailflow.engine.store import StoreError
from tests.house import DANA, JOHN, NOC, PROBLEM, VALERY, ByHand, Received, by_hand, house, until, zabbix_mail

pytestmark = pytest.mark.soak

ACK, NOTICE, DEBRIEF, PREVIEW = LetterKind.ACKNOWLEDGEMENT, LetterKind.NOTICE, LetterKind.DEBRIEF, LetterKind.PREVIEW

BOUNCE = """\
Return-Path: <>
From: MAILER-DAEMON@mx.northwind.example
To: {noc}
Subject: Undelivered Mail Returned to Sender
Message-ID: <dsn.1@mx.northwind.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

I'm sorry to have to inform you that your message could not be delivered.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.northwind.example

Final-Recipient: rfc822; {john}
Action: {action}
Status: {status}

--b
Content-Type: text/rfc822-headers

Subject: Your file server this morning
Message-ID: {id}

--b--
"""


def fail_for(on: ByHand, address: str, reply: str) -> list[int]:
    """Each letter to an address is answered so; the returned list grows with every try."""
    tries: list[int] = []

    def fault(_: str, recipients: Sequence[str]) -> str | None:
        if recipients[0] != address:
            return None
        tries.append(len(tries))
        return reply

    on.mail.faults.append(fault)
    return tries


def the_ack(on: ByHand) -> Letter:
    (letter,) = on.letters(ACK)
    return letter


def bounce_of(mail: Received, status: str = "5.1.1", action: str = "failed") -> bytes:
    """What a server far away sends back, days after it took the letter over from us (RFC 3464)."""
    return BOUNCE.format(noc=NOC, john=JOHN, status=status, action=action, id=mail.message["Message-ID"]).encode()


def test_a_letter_that_is_not_taken_is_tried_again_ever_more_rarely(tmp_path: Path) -> None:
    """DESIGN 1.8: 4xx: again after 1, 5, 15 minutes; at the 15 the liaison hears of it, once."""
    with by_hand(tmp_path) as on:
        tries = fail_for(on, JOHN, "451 4.3.0 later")
        on.alert()
        on.later(minutes=4)
        waits = []
        for wait in (1, 5, 15, 30, 60):
            before = on.clock.now()
            letter = the_ack(on)
            assert letter.state is LetterState.WAITING
            waits.append((letter.due_at - before) / timedelta(minutes=1))
            assert len(on.got(VALERY, NOTICE)) == (wait >= 15)
            assert len(tries) == len(waits)
            on.later(minutes=wait * 1.2)
        assert [0.85 * w < seen < 1.15 * w for w, seen in zip((1, 5, 15, 30, 60), waits, strict=True)] == [True] * 5
        on.mail.faults.clear()
        on.later(minutes=75)
        assert len(on.got(JOHN, ACK)) == 1
        assert the_ack(on).tries == len(tries)
        assert len(on.got(VALERY, NOTICE)) == 1


def test_a_letter_that_is_never_taken_is_given_up_after_days(tmp_path: Path) -> None:
    """N.9: after four days of 4xx the letter has failed, and the liaison knows that John was not told."""
    with by_hand(tmp_path, stale_after='"9d"') as on:
        fail_for(on, JOHN, "451 4.3.0 later")
        on.alert()
        for _ in range(6):
            on.later(days=1)
        assert the_ack(on).state is LetterState.FAILED
        assert sum("not been told" in m.text for m in on.got(VALERY, NOTICE)) == 1


def test_a_refused_letter_has_failed_and_the_liaison_is_told_once(tmp_path: Path) -> None:
    """N.9: 5xx is final: never tried again; the liaison is told once, with the server's words; John is no audience."""
    with by_hand(tmp_path) as on:
        tries = fail_for(on, JOHN, "550 5.1.1 no such user")
        on.alert()
        on.later(minutes=4)
        on.later(hours=2)
        on.restart()
        assert len(tries) == 1
        assert the_ack(on).state is LetterState.FAILED
        (told,) = on.got(VALERY, NOTICE)
        assert "no such user" in told.text
        assert on.app.store.records.audience(1) == []


def test_an_unanswered_letter_is_never_sent_again_by_itself(tmp_path: Path) -> None:
    """DESIGN 1.8: no answer after the dot: unknown; after 15 minutes the liaison is asked; SENT settles it."""
    with by_hand(tmp_path) as on:
        tries = fail_for(on, JOHN, DROP)
        on.alert()
        on.later(minutes=4)
        assert the_ack(on).state is LetterState.UNKNOWN
        on.later(minutes=5)
        assert on.got(VALERY, NOTICE) == []
        on.later(minutes=15)
        on.restart()
        on.later(hours=30)
        assert len(tries) == 1
        (question,) = on.got(VALERY, NOTICE)
        on.replies(question, "SENT")
        assert the_ack(on).state is LetterState.SENT
        assert [told.address for told in on.app.store.records.audience(1)] == [JOHN]
        on.later(hours=3)
        assert len(tries) == 1


def test_resend_sends_the_very_same_letter_once_more(tmp_path: Path) -> None:
    """DESIGN 1.7, 1.8: RESEND to "did it leave?" sends the frozen bytes again; a second RESEND does nothing."""
    with by_hand(tmp_path) as on:
        fail_for(on, JOHN, DROP)
        on.alert()
        on.later(minutes=4)
        frozen = on.app.store.mailroom.content(the_ack(on).frozen)
        on.later(minutes=16)
        (question,) = on.got(VALERY, NOTICE)
        on.mail.faults.clear()
        on.replies(question, "RESEND")
        on.replies(question, "RESEND")
        on.later(hours=1)
        assert [m.raw for m in on.mail.sent if m.recipients[0] == JOHN] == [frozen]
        assert the_ack(on).state is LetterState.SENT


def test_the_copy_proves_that_an_unanswered_letter_was_taken(tmp_path: Path) -> None:
    """DESIGN 1.8, proof = "copy": taken, though nobody heard of it: our own copy comes back and settles it."""
    with by_hand(tmp_path) as on:
        tries = fail_for(on, JOHN, TAKE_AND_DROP)
        on.alert()
        on.later(minutes=4)
        letter = the_ack(on)
        assert (letter.state, letter.reason) == (LetterState.SENT, "own-copy")
        on.later(hours=3)
        assert len(tries) == 1
        assert on.got(VALERY, NOTICE) == []
        assert [told.address for told in on.app.store.records.audience(1)] == [JOHN]


def test_a_late_bounce_reopens_the_duty_to_inform(tmp_path: Path) -> None:
    """N.9: a letter that comes back days later has failed; the liaison is told once, also when it bounces twice."""
    with by_hand(tmp_path, P1='"5d"') as on:
        on.alert()
        on.later(minutes=4)
        (mail,) = on.got(JOHN, ACK)
        on.arrives(bounce_of(mail, action="delayed", status="4.4.1"))
        assert the_ack(on).state is LetterState.SENT
        on.later(hours=30)
        on.arrives(bounce_of(mail))
        on.arrives(bounce_of(mail).replace(b"dsn.1", b"dsn.2"))
        assert the_ack(on).state is LetterState.FAILED
        (told,) = on.got(VALERY, NOTICE)
        assert "5.1.1" in told.text
        assert ("Noted", "bounce-not-final") in on.decisions()


def test_a_bounce_of_a_letter_that_is_not_ours_is_ignored(tmp_path: Path) -> None:
    """MAIL-WORLD 3: a bounce is believed only for a letter that we sent: a foreign id or a forged tag is nothing."""
    with by_hand(tmp_path) as on:
        on.alert()
        on.later(minutes=4)
        (mail,) = on.got(JOHN, ACK)
        genuine = str(mail.message["Message-ID"]).encode()
        foreign = bounce_of(mail).replace(genuine, b"<somebody.else@elsewhere.example>")
        forged = bounce_of(mail).replace(genuine, re.sub(rb"-[a-z2-7]{26}@", b"-" + b"a" * 26 + b"@", genuine))
        on.arrives(foreign)
        on.arrives(forged.replace(b"dsn.1", b"dsn.2"))
        assert the_ack(on).state is LetterState.SENT
        assert on.got(VALERY, NOTICE) == []
        assert on.decisions()[-2:] == [("Ignore", "bounce-of-no-letter-of-ours")] * 2


def test_a_refused_login_pauses_the_mailbox_and_keeps_the_letters(tmp_path: Path) -> None:
    """DESIGN 3: 535 fails no letter: they wait, sending pauses, one page is put; after a restart everything leaves."""
    with house(tmp_path) as on:
        good = on.mail.knows
        on.mail.knows = lambda user, password: False  # type: ignore[method-assign]  # the provider's, not ours
        try:
            on.mail.deliver(NOC, zabbix_mail("Problem: NW-FS01 has been restarted", PROBLEM, on.now))
            until(lambda: [letter for letter in on.app.store.outbox.letters(limit=9) if letter.reason == "account"])
            states = {letter.state for letter in on.app.store.outbox.letters(limit=9)}
            assert states == {LetterState.WAITING}
            pages = until(lambda: [p for p in on.app.store.outbox.letters(limit=9) if p.recipient.address == DANA])
            assert len(pages) == 1
        finally:
            on.mail.knows = good  # type: ignore[method-assign]
        on.app.store.disconnect()
        on.restart()
        on.expect(VALERY, "restarted")


def test_letters_about_one_incident_leave_in_order(tmp_path: Path) -> None:
    """DESIGN 1.8: while an earlier letter to a person about an incident is delayed, later ones wait behind it."""
    with by_hand(tmp_path) as on:
        fail_for(on, VALERY, "451 4.3.0 later")
        on.alert()
        on.later(minutes=4)
        assert len(on.got(JOHN, ACK)) == 1  # another person's letter does not wait
        on.recovery()
        on.later(minutes=15)
        assert on.got(VALERY) == []
        on.mail.faults.clear()
        on.later(hours=2)
        assert [on.kind_of(m) for m in on.got(VALERY)] == [LetterKind.OPENED, LetterKind.FORM]


def test_a_stale_acknowledgement_is_held(tmp_path: Path) -> None:
    """DESIGN 1.7: the daemon was down for 13 hours: "this morning" is not sent; the liaison is asked, once."""
    with by_hand(tmp_path) as on:
        on.alert()
        on.stop()
        on.clock.move_to(on.now + timedelta(hours=13))
        on.restart()
        on.later(hours=1)
        assert on.got(JOHN) == []
        assert (the_ack(on).state, the_ack(on).reason) == (LetterState.HELD, "stale")
        assert len(on.got(VALERY, NOTICE)) == 1


def test_no_kept_letter_can_speak_for_anybody(tmp_path: Path) -> None:
    """DESIGN 3, tokens: once sent, the kept copy has its tag cut out; the one that was sent has it."""
    with by_hand(tmp_path) as on:
        on.alert()
        on.later(minutes=4)
        sent = on.letters(states=(LetterState.SENT,))
        assert len(sent) == 2
        for letter in sent:
            kept = on.app.store.mailroom.content(letter.frozen).decode()
            assert not TAG.search(kept)
            assert f"{letter.tag_id}-cut" in kept
        assert all(TAG.search(str(m.message["Reply-To"])) for m in on.got(VALERY) + on.got(JOHN))


def test_a_broken_template_holds_the_letter_and_the_incident_stands(tmp_path: Path) -> None:
    """DESIGN 1.7: a template that fails holds the letter and tells the liaison why; nothing else is lost."""
    own = tmp_path / "own" / "letters" / "en"
    own.mkdir(parents=True)
    (own / "acknowledgement.txt").write_text("Hello {{ nobody_knows_this }}\n")
    with by_hand(tmp_path, templates='"own"') as on:
        on.alert()
        on.later(minutes=4)
        assert on.got(JOHN) == []
        assert (the_ack(on).state, the_ack(on).reason) == (LetterState.HELD, "template")
        (told,) = on.got(VALERY, NOTICE)
        assert "nobody_knows_this" in told.text
        on.recovery()
        assert on.incidents()[0].ended_at is not None


def test_a_broken_debrief_template_keeps_the_answers(tmp_path: Path) -> None:
    """DESIGN 1.7, N.5: no preview, no letter, but every answer is kept, and the repaired template brings the draft."""
    own = tmp_path / "own" / "letters" / "en"
    own.mkdir(parents=True)
    (own / "debrief.txt").write_text("Hello {{ nobody_knows_this }}\n")
    with by_hand(tmp_path, templates='"own"') as on:
        on.alert()
        on.later(minutes=4)
        on.recovery()
        on.later(minutes=11)
        form = on.last(LetterKind.FORM)
        on.replies(form, "1: A cable was loose.\n2: We fixed it.")
        assert on.got(VALERY, PREVIEW) == []
        assert "nobody_knows_this" in on.last(NOTICE).text
        (own / "debrief.txt").unlink()
        on.restart()
        on.replies(form, "3: Never again.")
        assert "A cable was loose." in on.last(PREVIEW).text


@pytest.mark.parametrize("reply", [DROP, "550 5.1.1 no such user", "451 4.3.0 later"])
def test_a_debrief_that_does_not_arrive_keeps_no_promise(tmp_path: Path, reply: str) -> None:
    """N.9, S0.3: until the debrief has left, the promise is open and the incident not closed, whatever went wrong."""
    with by_hand(tmp_path) as on:
        on.alert()
        on.later(minutes=4)
        on.recovery()
        on.later(minutes=11)
        on.replies(on.last(LetterKind.FORM), "1: A cable was loose.\n2: We fixed it.")
        fail_for(on, JOHN, reply)
        on.replies(on.last(PREVIEW), "SEND")
        on.later(minutes=4)
        (incident,) = on.incidents()
        assert incident.running
        assert [p.state for p in on.app.store.promises.of(1)] == ["open"]


@pytest.mark.parametrize(("table", "then"), [("content", LetterState.SENT), ("told", LetterState.UNKNOWN)])
def test_a_letter_that_the_database_failed_is_no_letter_lost(tmp_path: Path, table: str, then: LetterState) -> None:
    """N.10: the database fails while a letter leaves: before DATA it leaves later, after the dot its fate is asked."""
    with by_hand(tmp_path, proof='"sent"') as on:
        on.alert()
        on.clock.move_to(on.now + timedelta(minutes=4))
        with closing(sqlite3.connect(tmp_path / "data" / "mailflow.db")) as records:
            records.execute(f"ALTER TABLE {table} RENAME TO away")
            with pytest.raises(StoreError):
                on.app.dispatcher.flush(on.courier, NOC)
            records.execute(f"ALTER TABLE away RENAME TO {table}")
        on.app.dispatcher.recover(all_owners=False)
        on.turn()
        assert the_ack(on).state is then
        assert len(on.got(JOHN)) == 1


def test_proof_that_comes_late_changes_nothing(tmp_path: Path) -> None:
    """DESIGN 1.8, proof = "sent": while the Sent folder is searched the liaison says SENT: it is settled once."""
    with by_hand(tmp_path, proof='"sent"') as on:
        fail_for(on, JOHN, TAKE_AND_DROP)
        on.alert()
        on.later(minutes=4)
        on.later(minutes=16)
        asked = on.last(NOTICE)

        class Searched:
            """Our inbox; the search takes so long that the liaison is quicker."""

            def sent_folder(self) -> str:
                return "Sent"

            def find_message_id(self, _folder: str, _message_id: str) -> bool:
                on.replies(asked, "SENT")
                return True

        prove(on.app.store, on.app.setup, cast("Inbox", Searched()), on.app.setup.mailbox(NOC), on.clock)
        letter = the_ack(on)
        assert letter.state is LetterState.SENT
        assert letter.reason != "found-in-sent"
        assert [told.address for told in on.app.store.records.audience(1)] == [JOHN]
