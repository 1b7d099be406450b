"""Attacks by mail, crash and bad luck: what was tried against the five disasters, and does not work any more."""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from mailflow.adapters.imap.session import connect
from mailflow.adapters.smtp.courier import SmtpCourier
from mailflow.app import App
from mailflow.config.load import load
from mailflow.demo.servers import DROP, TAKE_AND_DROP
from mailflow.domain.incident import PromiseState
from mailflow.domain.letters import Letter, LetterKind, LetterState
from mailflow.engine.brake import Brake
from mailflow.engine.deliver import Dispatcher
from mailflow.engine.inbox import Fetched, Inbox, InboxTrouble
from mailflow.engine.store import StoreError
from tests.house import (
    DANA,
    JOHN,
    NOC,
    PROBLEM,
    RECOVERY,
    SHIRLEY,
    VALERY,
    ByHand,
    House,
    Received,
    by_hand,
    write_mail,
    zabbix_mail,
)

pytestmark = pytest.mark.soak

ACK, NOTICE, DEBRIEF, PREVIEW = LetterKind.ACKNOWLEDGEMENT, LetterKind.NOTICE, LetterKind.DEBRIEF, LetterKind.PREVIEW
OPENED, FORM = LetterKind.OPENED, LetterKind.FORM
EVE, PAUL = "eve@fabrikam.example", "paul@msp.example"
FABRIKAM = """
[[client]]
key = "fabrikam"
name = "Fabrikam"
domains = ["fabrikam.example"]
liaison = "valery@msp.example"
live = "{live}"
[[client.contact]]
name = "Eve Stone"
first_name = "Eve"
address = "eve@fabrikam.example"
wants = "all"
[[client.component]]
name = "file server"
plain = "your file server"
hosts = ["FA-FS01"]
criticality = "critical"
"""
FAILED_DMARC = b"Authentication-Results: mx.msp.example; dmarc=fail header.from=x.example\r\n"
DSN = """\
Return-Path: <>
From: MAILER-DAEMON@mx.northwind.example
To: noc@msp.example
Subject: Undelivered Mail Returned to Sender
Message-ID: <dsn.1@mx.northwind.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.northwind.example

Final-Recipient: rfc822; {whom}
Action: failed
Status: 5.1.1

--b
Content-Type: text/rfc822-headers

Message-ID: {id}

--b--
"""


def preview_of(on: ByHand) -> Received:
    """From the alert to the preview of John's debrief."""
    on.alert()
    on.later(minutes=4)
    on.recovery()
    on.later(minutes=11)
    on.replies(on.last(FORM), "1: A cable was loose.\n2: We fixed it in place.")
    return on.last(PREVIEW)


def refuse(on: ByHand, address: str, reply: str) -> None:
    """The server answers every letter to an address so."""

    def fault(_: str, recipients: Sequence[str]) -> str | None:
        return reply if recipients[0] == address else None

    on.mail.faults.append(fault)


def rewrite(on: ByHand, *changes: tuple[str, str]) -> None:
    """The configuration is edited, and the daemon restarted."""
    build = on._built

    def built(config: Path, clock: object) -> App:
        text = config.read_text()
        for old, new in changes:
            text = text.replace(old, new)
        config.write_text(text)
        return build(config, clock)  # type: ignore[arg-type]

    on._built = built  # type: ignore[method-assign]
    on.restart()


def ack(on: ByHand) -> Letter:
    (letter,) = on.letters(ACK)
    return letter


# --- a forged mail that publishes text ---


def test_01_a_forged_display_name_is_in_no_automatic_letter(tmp_path: Path) -> None:
    """DESIGN 4: an automatic acknowledgement says only what the monitor saw: no stranger's words, by no From line."""
    with by_hand(tmp_path) as on:
        on.alert()
        name = '"URGENT: log in at https://evil.example/reset - your IT desk"'
        on.arrives(write_mail(f"{name} <x@northwind.example>", NOC, "hello", "hi", on.now))
        on.later(minutes=4)
        (letter,) = on.got(JOHN, ACK)
        assert "evil.example" not in letter.text + letter.html


def test_22_an_alert_of_a_forged_sender_writes_to_no_client(tmp_path: Path) -> None:
    """MAIL-WORLD 7, forged trigger: an alert that the provider says is forged is shown; no client hears of it."""
    with by_hand(tmp_path) as on:
        on.arrives(FAILED_DMARC + zabbix_mail("Problem: NW-FS01 has been restarted", PROBLEM, on.now))
        on.later(hours=1)
        assert on.got(JOHN) == []
        assert len(on.got(VALERY, LetterKind.SHOWN)) == 1


def test_22_a_forged_recovery_silences_nothing(tmp_path: Path) -> None:
    """S4.3: a recovery that the provider says is forged closes no outage before John was told of it."""
    with by_hand(tmp_path) as on:
        on.alert()
        on.arrives(FAILED_DMARC + zabbix_mail("Resolved in 1m: NW-FS01 has been restarted", RECOVERY, on.now))
        on.later(hours=1)
        assert len(on.got(JOHN, ACK)) == 1


def test_22_a_forged_client_gets_and_sends_nothing_by_itself(tmp_path: Path) -> None:
    """DESIGN 3, recipients: an inbound author is written to only where authentication did not fail."""
    with by_hand(tmp_path, client='"auto"') as on:
        forged = write_mail("Vic Tim <victim@northwind.example>", NOC, "Pay at https://evil.example", "hi", on.now)
        on.arrives(FAILED_DMARC + forged)
        on.later(hours=1)
        assert on.got("victim@northwind.example") == []
        assert on.got(JOHN) == []


def test_16_a_domain_that_folds_to_ours_is_not_ours(tmp_path: Path) -> None:
    """DESIGN 3, who may publish: boßit.example can be registered by anybody, and is not bossit.example."""
    boss = '[[manager]]\nname = "Chief Boss"\naddress = "chief@bossit.example"\n'
    with by_hand(tmp_path, boss) as on:
        mail = write_mail("chief@bossit.example", NOC, "PAUSE", "PAUSE", on.now).replace(
            b"From: chief@bossit", "From: chief@boßit".encode()
        )
        on.arrives("Authentication-Results: mx.msp.example; dmarc=pass header.from=boßit.example\r\n".encode() + mail)
        assert not Brake(on.app.store).paused()


# --- what may not leave ---


@pytest.mark.parametrize("live", ["off", "review"])
def test_02_a_client_that_is_turned_off_gets_nothing_more(tmp_path: Path, live: str) -> None:
    """DESIGN 4: live is per client too, and asked when the letter leaves: also of an incident that already runs."""
    with by_hand(tmp_path, FABRIKAM.format(live="auto")) as on:
        on.alert(PROBLEM.replace("NW-FS01", "FA-FS01"), "Problem: FA-FS01 has been restarted")
        on.extra = FABRIKAM.format(live=live)
        on.restart()
        on.later(minutes=4)
        assert on.got(EVE) == []


def test_03_a_backlog_of_three_weeks_acknowledges_nothing(tmp_path: Path) -> None:
    """MAIL-WORLD 7, DESIGN 1.7: what lay unread for three weeks is no news: its acknowledgement is held."""
    with by_hand(tmp_path) as on:
        on.stop()
        House.alert(on)
        on.clock.move_to(on.now + timedelta(days=21))
        on.restart()
        on.later(hours=1)
        assert on.got(JOHN) == []
        assert (ack(on).state, ack(on).reason) == (LetterState.HELD, "stale")


def test_06_an_approved_acknowledgement_is_dropped_once_it_is_over(tmp_path: Path) -> None:
    """DESIGN 1.8: over while the approved letter rested, and nobody was told: it is dropped, and Valery hears of it."""
    with by_hand(tmp_path, live='"review"') as on:
        on.alert()
        on.replies(on.last(PREVIEW), "SEND")
        on.later(minutes=1)
        on.recovery()
        on.later(minutes=4)
        assert on.got(JOHN, ACK) == []
        assert (ack(on).state, ack(on).reason) == (LetterState.DROPPED, "over-before-it-left")
        assert len(on.got(VALERY, NOTICE)) == 1


def test_14_letters_that_a_pause_held_are_capped_when_they_leave(tmp_path: Path) -> None:
    """DESIGN 3, caps: three unapproved letters an address and hour, counted when they leave, not when they were put."""
    with by_hand(tmp_path, storm_count="1") as on:
        on.writes(DANA, "PAUSE", "PAUSE")
        for number in range(6):
            on.alert(PROBLEM.replace("184467", f"9{number}").replace("restarted", "restarted " + f"9{number}"))
            on.later(minutes=15)
        on.later(minutes=90)
        on.writes(DANA, "RESUME", "RESUME")
        assert len(on.got(JOHN, ACK)) == 3


def test_21_no_mail_to_a_liaison_who_left(tmp_path: Path) -> None:
    """DESIGN 3, recipients come from configuration: who is no longer in it gets no client's words and no form."""
    with by_hand(tmp_path) as on:
        on.alert()
        on.later(minutes=4)
        before = len(on.got(VALERY))
        colleague = f'[[colleague]]\nname = "Paul Ortiz"\naddress = "{PAUL}"'
        rewrite(on, (colleague, ""), (VALERY, PAUL))
        on.writes(SHIRLEY, "The salaries are on that drive.", "Confidential")
        on.recovery()
        on.later(minutes=11)
        assert on.got(VALERY)[before:] == []
        assert len(on.got(PAUL, LetterKind.FORWARD)) == len(on.got(PAUL, FORM)) == 1


# --- twice ---


def test_05_an_answer_while_the_letter_rests_withdraws_it(tmp_path: Path) -> None:
    """DESIGN 3, tokens publish once: a correction within the rest leads to one debrief, the corrected one."""
    with by_hand(tmp_path) as on:
        preview = preview_of(on)
        on.replies(preview, "SEND")
        on.replies(preview, "2: We replaced the switch.")
        on.later(minutes=4)
        assert on.got(JOHN, DEBRIEF) == []
        on.replies(on.last(PREVIEW), "SEND")
        on.later(minutes=4)
        (debrief,) = on.got(JOHN, DEBRIEF)
        assert "replaced the switch" in debrief.text


def test_09_a_proof_that_comes_after_resend_stops_the_second_letter(tmp_path: Path) -> None:
    """DESIGN 1.8, proof: the copy's arrival proves the letter, also when RESEND was said meanwhile: no second one."""
    with by_hand(tmp_path) as on:
        on.alert()
        refuse(on, JOHN, DROP)
        on.later(minutes=4)
        copy = on.app.store.mailroom.content(ack(on).frozen)
        on.later(minutes=16)
        on.mail.faults.clear()
        refuse(on, JOHN, "451 4.3.0 later")
        on.replies(on.last(NOTICE), "RESEND")
        on.mail.deliver(NOC, copy)  # greylisted until now
        on.turn()
        on.mail.faults.clear()
        on.later(hours=1)
        assert on.got(JOHN, ACK) == []
        assert ack(on).state is LetterState.SENT


def test_10_a_bounce_of_our_own_proof_copy_fails_no_letter(tmp_path: Path) -> None:
    """N.9: what could not be delivered is our copy at noc+copy: John has his letter, and nobody is sent it again."""
    with by_hand(tmp_path) as on:
        on.alert()
        on.later(minutes=4)
        (letter,) = on.got(JOHN, ACK)
        on.arrives(DSN.format(whom="noc+copy@msp.example", id=letter.message["Message-ID"]).encode())
        assert ack(on).state is LetterState.SENT
        assert on.got(VALERY, NOTICE) == []


def test_20_a_lease_that_ran_out_on_the_wire_stops_no_runner(tmp_path: Path) -> None:
    """DESIGN 3, runners: another machine took the letter over while we waited for the dot: settled, no bug, no loss."""
    with by_hand(tmp_path) as on:
        on.alert()
        other = Dispatcher(on.app.store, on.app.setup, on.clock, "other")

        def fault(_: str, recipients: Sequence[str]) -> str | None:
            if recipients[0] != JOHN:
                return None
            on.clock.move_to(on.clock.now() + timedelta(minutes=16))
            other.recover(all_owners=False)
            on.app.store.disconnect()
            on.mail.faults.clear()
            return "451 4.3.0 later"

        on.mail.faults.append(fault)
        on.later(minutes=4)  # IllegalTransitionError
        assert ack(on).state is LetterState.UNKNOWN


# --- loops and floods ---


def test_12_a_warning_about_a_lost_warning_is_not_given(tmp_path: Path) -> None:
    """Disaster "a mail loop": a server that always goes silent after the dot: one warning a letter, not for ever."""
    with by_hand(tmp_path, proof='"sent"') as on:
        on.alert()
        on.mail.faults.append(lambda *_: TAKE_AND_DROP)
        on.later(minutes=4)
        for _ in range(24):
            on.later(minutes=16)
        assert len(on.got(DANA)) <= 4


def test_15_strangers_mail_does_not_hold_up_a_liaisons(tmp_path: Path) -> None:
    """DESIGN 3, caps: 70 mails of strangers within the hour, and Valery still hears of the outage at once."""
    with by_hand(tmp_path) as on:
        for n in range(70):
            on.mail.deliver(NOC, write_mail(f"s{n}@spam.example", NOC, f"Offer {n}", "Buy this.", on.now))
        on.turn()
        on.alert()
        assert len(on.got(VALERY, OPENED)) == 1


# --- lost ---


@pytest.mark.parametrize("before", ["STOP", "NO DEBRIEF (settled by phone)"])
def test_04_a_send_that_sends_nothing_is_answered(tmp_path: Path, before: str) -> None:
    """DESIGN 4: what was understood is always said back: SEND after STOP releases nothing, and must not be silent."""
    with by_hand(tmp_path) as on:
        preview = preview_of(on)
        on.replies(preview, before)
        mails = len(on.got(VALERY))
        on.replies(preview, "SEND")
        on.later(minutes=4)
        assert on.got(JOHN, DEBRIEF) == []
        assert len(on.got(VALERY)) == mails + 1


@pytest.mark.parametrize("fails", [False, True])
def test_04_nobody_is_told_already_sent_of_what_was_not(tmp_path: Path, fails: bool) -> None:
    """N.9, S0.8: stopped or refused letters were not sent: a second SEND is told so, and how to go on."""
    with by_hand(tmp_path) as on:
        preview = preview_of(on)
        if fails:
            refuse(on, JOHN, "550 5.1.1 no such user")
        on.replies(preview, "SEND")
        if fails:
            on.later(minutes=4)
        else:
            on.replies(preview, "STOP")
        on.replies(preview, "SEND")
        assert "lready sent" not in on.last(NOTICE).text


def test_07_ignored_mail_from_our_own_address_keeps_its_bytes(tmp_path: Path) -> None:
    """DESIGN 3, content: only a proven copy of a letter is emptied; a monitor that sends as noc@ has its mail kept."""
    with by_hand(tmp_path) as on:
        mail = zabbix_mail("Problem: NW-FS01 has been restarted", PROBLEM, on.now)
        on.arrives(mail.replace(b"zabbix@msp.example", b"noc@msp.example"))
        inbound = on.app.store.mailroom.inbound(1)
        assert inbound
        assert b"NW-FS01" in on.app.store.mailroom.content(inbound.hash)


def test_08_the_same_words_days_later_are_a_new_mail(tmp_path: Path) -> None:
    """MAIL-WORLD 7, missing Message-ID: without one and without Date the same alert again is no duplicate for ever."""
    alert = (
        b"From: UptimeRobot <alert@uptimerobot.com>\r\nTo: noc@msp.example\r\nSubject: Monitor is DOWN: NW-FS01\r\n\r\n"
        b"The monitor NW-FS01 (https://nw-fs01.northwind.example) is currently DOWN.\r\n"
    )
    with by_hand(tmp_path) as on:
        on.arrives(alert)
        on.later(minutes=4)
        on.arrives(alert.replace(b"DOWN", b"UP"))
        on.later(days=3)
        on.arrives(alert)
        assert len(on.incidents()) == 2


def test_11_a_bounce_that_names_no_address_is_believed(tmp_path: Path) -> None:
    """N.9: a bounce that returns our letter's id is about its one recipient, also where its text names no address."""
    with by_hand(tmp_path) as on:
        on.alert()
        on.later(minutes=4)
        (letter,) = on.got(JOHN, ACK)
        head = DSN.partition("MIME-Version")[0]
        text = f"Your message to John Harper could not be delivered.\n\nMessage-ID: {letter.message['Message-ID']}\n"
        on.arrives(f"{head}\n{text}".encode())
        assert ack(on).state is LetterState.FAILED
        assert len(on.got(VALERY, NOTICE)) == 1


def test_13_a_refused_letter_to_one_of_ours_is_told(tmp_path: Path) -> None:
    """N.9: Valery's mailbox refuses Shirley's forwarded words: the administrator hears of it, once each."""
    with by_hand(tmp_path) as on:
        refuse(on, VALERY, "550 5.1.1 gone")
        on.writes(SHIRLEY, "The printer burns.", "Fire")
        on.later(hours=1)
        refused = [letter for letter in on.letters(states=(LetterState.FAILED,)) if letter.recipient.address == VALERY]
        assert len(on.got(DANA, NOTICE)) == len(refused) > 0


def test_17_letters_of_a_removed_mailbox_still_leave(tmp_path: Path) -> None:
    """Disaster "a mail lost": the mailbox gets another address: its unsent letters leave by the first one."""
    with by_hand(tmp_path) as on:
        on.alert()
        on.stop()
        text = on.config.read_text().replace(f'"{PAUL}"', '"paul.ortiz@msp.example"').replace(f'"{NOC}"', f'"{PAUL}"')
        on.config.write_text(text)
        on.app = App(load(on.config, {}), environ={}, clock=on.clock)
        on.clock.move_to(on.now + timedelta(minutes=5))
        on.inbox, on.courier = connect(on.app.accounts[PAUL].imap), SmtpCourier(on.app.accounts[PAUL].smtp)
        on.app.dispatcher.recover(all_owners=True)
        on.app.dispatcher.flush(on.courier, PAUL)
        assert len(on.got(JOHN, ACK)) == 1


class Faulty:
    """An Inbox whose fetching is somebody else's idea."""

    def __init__(self, inbox: Inbox, fetch: Callable[[Inbox, Sequence[int]], list[Fetched]]) -> None:
        self._inbox, self._fetch = inbox, fetch

    def __getattr__(self, name: str) -> object:
        return getattr(self._inbox, name)

    def fetch(self, uids: Sequence[int]) -> list[Fetched]:
        return self._fetch(self._inbox, uids)


def looks(on: ByHand, fetch: Callable[[Inbox, Sequence[int]], list[Fetched]]) -> None:
    """One alert comes, and the first look at it meets `fetch`; the next look is as usual."""
    House.alert(on)
    whole, on.inbox = on.inbox, Faulty(on.inbox, fetch)  # type: ignore[assignment]
    with suppress(InboxTrouble):
        on.turn()
    on.inbox = whole
    on.turn()


def test_18_a_listed_mail_that_is_not_given_is_asked_for_again(tmp_path: Path) -> None:
    """Disaster "a mail lost": FETCH leaves a mail out (BODY[] NIL) that SEARCH still lists: it is not "gone"."""
    with by_hand(tmp_path) as on:
        looks(on, lambda inbox, uids: inbox.fetch(uids)[:-1])
        # With 18 alone one refusal gives it up, but pages; with 19 it is asked for again.
        assert on.incidents() or on.got(DANA, NOTICE)


def test_19_a_passing_refusal_loses_no_mail(tmp_path: Path) -> None:
    """RFC 5530 [UNAVAILABLE]: one refused FETCH of the only new mail, and it is still decided at the next look."""

    def refused(_: Inbox, uids: Sequence[int]) -> list[Fetched]:
        raise InboxTrouble("protocol", "fetching: NO [UNAVAILABLE] try again", permanent=False)

    with by_hand(tmp_path) as on:
        looks(on, refused)
        assert len(on.incidents()) == 1


def test_23_a_liaisons_words_below_a_preview_are_kept_and_said_back(tmp_path: Path) -> None:
    """MAIL-WORLD 2.4: text without a label that fills nothing is a note: on the record and in the next preview."""
    with by_hand(tmp_path) as on:
        on.replies(preview_of(on), "Please leave out who sold us the cable.")
        assert any("leave out who" in entry.text for entry in on.app.store.records.timeline(1))
        assert "leave out who" in on.last(PREVIEW).text


def test_23_a_labelled_late_answer_is_kept(tmp_path: Path) -> None:
    """S4.6: what Valery writes to a settled form goes nowhere but the record: there it stands, labels or not."""
    with by_hand(tmp_path) as on:
        preview = preview_of(on)
        on.replies(preview, "SEND")
        on.later(minutes=4)
        on.replies(preview, "2: It was the switch, not the cable.")
        assert any("It was the switch" in entry.text for entry in on.app.store.records.timeline(1))


def test_24_trouble_of_the_database_is_no_try_of_a_mail(tmp_path: Path) -> None:
    """DESIGN 1.5: three tries find out a mail that kills us; a database that was away three times is not its fault."""
    with by_hand(tmp_path) as on:
        House.alert(on)
        room = on.app.store.mailroom
        conclude = room.conclude

        def away(*_: object) -> None:
            raise StoreError("database: gone for a moment", configuration=False)

        room.conclude = away  # type: ignore[method-assign,assignment]
        for _ in range(3):
            with suppress(StoreError, sqlite3.Error):
                on.turn()
        room.conclude = conclude  # type: ignore[method-assign]
        on.turn()
        assert len(on.incidents()) == 1
        assert "quarantined" not in room.counts()


def test_25_a_debrief_that_came_back_is_owed_again(tmp_path: Path) -> None:
    """N.9: the duty to inform reopens: the promise is open, and answering again leads to a new draft."""
    with by_hand(tmp_path) as on:
        on.replies(preview_of(on), "SEND")
        on.later(minutes=4)
        (debrief,) = on.got(JOHN, DEBRIEF)
        on.later(hours=1)
        on.arrives(DSN.format(whom=JOHN, id=debrief.message["Message-ID"]).encode())
        assert [p.state for p in on.app.store.promises.of(1)] == [PromiseState.OPEN]
        previews = len(on.got(VALERY, PREVIEW))
        on.replies(on.last(PREVIEW), "2: We put a new cable in.")
        assert len(on.got(VALERY, PREVIEW)) == previews + 1


def test_25_who_was_not_reached_is_no_audience(tmp_path: Path) -> None:
    """N.3: audience memory holds who was told; a letter that came back told nobody."""
    with by_hand(tmp_path) as on:
        on.alert()
        on.later(minutes=4)
        (letter,) = on.got(JOHN, ACK)
        on.arrives(DSN.format(whom=JOHN, id=letter.message["Message-ID"]).encode())
        assert on.app.store.records.audience(1) == []


def test_26_what_is_said_of_retry_is_true(tmp_path: Path) -> None:
    """DESIGN 4: the warning must not say that `outbox retry` writes to a corrected address."""
    with by_hand(tmp_path) as on:
        on.alert()
        refuse(on, JOHN, "550 5.1.1 no such user")
        on.later(minutes=4)
        assert "correct the address in the configuration and use" not in " ".join(on.last(NOTICE).text.split())
