"""Mail on its way in: what counts, what counts once, and what stays where it lies."""

import imaplib
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mailflow.demo.clock import MovableClock
from mailflow.demo.servers import EmbeddedMail
from mailflow.demo.story import PASSWORD
from mailflow.domain.letters import LetterKind, LetterState
from tests.house import (
    JOHN,
    MORNING,
    NOC,
    PEOPLE,
    PROBLEM,
    SHIRLEY,
    ZABBIX,
    ByHand,
    by_hand,
    write_mail,
    zabbix_mail,
)

pytestmark = pytest.mark.soak

SHARED = "Shared"


def alert_mail(at: datetime) -> bytes:
    return zabbix_mail("Problem: NW-FS01 has been restarted", PROBLEM, at)


def letter_of(sender: str, text: str, subject: str = "No access", at: datetime = MORNING) -> bytes:
    return write_mail(f"<{sender}>", NOC, subject, text, at)


@contextmanager
def logged_in(mail: EmbeddedMail) -> Iterator[imaplib.IMAP4]:
    """A colleague's own look into the shared mailbox."""
    with imaplib.IMAP4("127.0.0.1", mail.imap_port) as line:
        line.login(NOC, PASSWORD)
        yield line


def subjects(on: ByHand, folder: str) -> list[str]:
    """What lies in a folder of the shared mailbox; our own letters' copies aside."""
    with logged_in(on.mail) as line:
        if line.select(f'"{folder}"', readonly=True)[0] != "OK":
            return []
        found = line.uid("SEARCH", "ALL")[1][0].split()
        answer: list[Any] = line.uid("FETCH", b",".join(found).decode(), "(BODY.PEEK[HEADER])")[1] if found else []
        heads = [part[1].decode() for part in answer if isinstance(part, tuple)]
    theirs = [head for head in heads if f"<{NOC}>" not in head.partition("From:")[2].partition("\n")[0]]
    return [m[1].strip() for head in theirs if (m := re.search(r"^Subject: (.*)$", head, re.MULTILINE))]


def put(mail: EmbeddedMail, folder: str, raw: bytes, at: datetime) -> None:
    """Lay exact bytes into a folder, as if received at a time."""
    with logged_in(mail) as line:
        assert line.append(folder, "", imaplib.Time2Internaldate(at), raw)[0] == "OK"


def counted(on: ByHand) -> None:
    """S4.3: received = processed + ignored + quarantined; nothing is in none of these."""
    counts = on.app.store.mailroom.counts()
    assert counts.get("kept", 0) == 0
    assert set(counts) <= {"processed", "ignored", "quarantined", "kept"}


def occupied(folder: Path, mails: Sequence[tuple[datetime, bytes]], then: Callable[[ByHand], None], start: str) -> None:
    """A house whose inbox held mail before the daemon was ever started."""
    clock = MovableClock(MORNING)
    with EmbeddedMail(dict.fromkeys(PEOPLE, PASSWORD), now=clock.now) as mail:
        for at, raw in mails:
            put(mail, "INBOX", raw, at)
        on = ByHand(folder, mail, clock, "", start=start).start()
        try:
            then(on)
        finally:
            on.stop()


def test_mail_that_was_there_first_is_before_our_time(tmp_path: Path) -> None:
    """DESIGN 1.1: what lies in the inbox at first sight is not fetched, not filed, not answered, not even later."""

    def then(on: ByHand) -> None:
        on.later(hours=2)
        on.restart()
        assert on.decisions() == []
        assert on.app.store.mailroom.counts() == {}
        assert len(subjects(on, "INBOX")) == 2
        assert on.mail.sent == []
        on.alert()
        assert on.decisions() == [("OpenFromAlert", "new-key")]

    there = [(MORNING, alert_mail(MORNING)), (MORNING - timedelta(days=2), letter_of(JOHN, "Nothing works."))]
    occupied(tmp_path, there, then, '"now"')


def test_a_start_date_takes_what_came_since(tmp_path: Path) -> None:
    """DESIGN 1.1: with start = a day, mail received since its first minute counts, older mail does not."""
    yesterday = MORNING - timedelta(days=1)

    def then(on: ByHand) -> None:
        assert [reason for _, reason in on.decisions()] == ["new-key"]
        counted(on)
        assert subjects(on, "INBOX") == ["No access"]

    there = [(yesterday - timedelta(days=1), letter_of(JOHN, "Long ago.")), (yesterday, alert_mail(yesterday))]
    occupied(tmp_path, there, then, '"2026-11-23"')


def test_a_mail_between_our_time_and_before_is_judged_by_when_it_was_received(tmp_path: Path) -> None:
    """DESIGN 1.1: UIDs are not in order of time (mail is moved about), so each mail is judged by its own day."""
    before, since = MORNING - timedelta(days=3), MORNING - timedelta(hours=1)
    there = [(since, alert_mail(since)), (before, letter_of(JOHN, "Old, and moved here later."))]

    def then(on: ByHand) -> None:
        assert [reason for _, reason in on.decisions()] == ["new-key"]

    occupied(tmp_path, there, then, '"2026-11-23"')


def test_a_recreated_folder_brings_no_second_decision(tmp_path: Path) -> None:
    """DESIGN 1.2: after a change of UIDVALIDITY the same bytes are known; only what is really new is decided."""
    clock = MovableClock(MORNING)
    with EmbeddedMail(dict.fromkeys(PEOPLE, PASSWORD), now=clock.now) as mail:
        with logged_in(mail) as line:
            line.create(SHARED)
        # Its own copies go to INBOX, which nobody reads here.
        on = ByHand(tmp_path, mail, clock, "", folder=f'"{SHARED}"', file='"leave"').start()
        try:
            alert, words = alert_mail(on.now), letter_of(SHIRLEY, "I can't open the Data drive.", at=on.now)
            clock.move_to(MORNING + timedelta(minutes=1))
            came = on.now
            for raw in (alert, words):
                put(mail, SHARED, raw, came)
            on.turn()
            first = on.decisions()
            assert [action for action, _ in first] == ["OpenFromAlert", "ClientSaid"]
            known = on.inbox.select(SHARED).uidvalidity
            on.stop()
            with logged_in(mail) as line:
                line.delete(SHARED)
                line.create(SHARED)
            for raw in (alert, words):
                put(mail, SHARED, raw, came)
            put(mail, SHARED, letter_of(SHIRLEY, "And the printer too.", "Printer", on.now), came)
            on.restart()
            assert on.inbox.select(SHARED).uidvalidity != known
            assert on.decisions()[: len(first)] == first
            assert [action for action, _ in on.decisions()[len(first) :]] == ["ClientSaid"]
            assert len(on.incidents()) == 1
            counted(on)
        finally:
            on.stop()


def test_one_mail_through_two_aliases_is_one_decision_and_two_filings(tmp_path: Path) -> None:
    """DESIGN 1.2: same Message-ID, From, Date and body under other trace headers: one decision, both filed."""
    with by_hand(tmp_path) as on:
        raw = alert_mail(on.now)
        for alias in ("support", "alerts"):
            trace = f"Received: from a by {alias}.msp.example; Tue, 24 Nov 2026 15:12:00 +0000\r\n".encode()
            on.arrives(trace + raw)
        assert [action for action, _ in on.decisions()] == ["OpenFromAlert", "Ignore"]
        assert on.decisions()[1][1].startswith("same-mail-as-")
        assert subjects(on, "INBOX") == []
        assert len(subjects(on, "Mailflow/Done")) == 2
        assert len(on.letters(LetterKind.ACKNOWLEDGEMENT)) == 1
        counted(on)


def test_a_squatted_message_id_suppresses_nothing(tmp_path: Path) -> None:
    """DESIGN 1.2: a Message-ID alone never makes a duplicate: another body under the same id is decided."""
    with by_hand(tmp_path) as on:
        first = letter_of(SHIRLEY, "The printer is out of paper.", at=on.now)
        alert = alert_mail(on.now)
        own = re.search(rb"^Message-ID: .*$", first, re.MULTILINE | re.IGNORECASE)
        assert own
        on.arrives(first)
        on.arrives(re.sub(rb"(?mi)^Message-ID: .*$", own[0].rstrip(), alert))
        assert [action for action, _ in on.decisions()] == ["OpenFromClient", "OpenFromAlert"]
        counted(on)


def test_what_is_dealt_with_is_moved_and_the_rest_stays_in_sight(tmp_path: Path) -> None:
    """DESIGN 1.6: with file = "move" alerts go to Mailflow/Done; clients' and unknown mail stays where people look."""
    with by_hand(tmp_path) as on:
        on.alert()
        on.writes(JOHN, "Nothing works here.", "Help please")
        on.arrives(letter_of("someone@elsewhere.example", "Buy now.", "An offer", on.now))
        on.arrives(zabbix_mail("Problem: XX-99 is down", PROBLEM.replace("NW-FS01", "XX-99"), on.now))
        assert sorted(subjects(on, "INBOX")) == ["An offer", "Help please", "Problem: XX-99 is down"]
        assert subjects(on, "Mailflow/Done") == ["Problem: NW-FS01 has been restarted"]
        assert len(on.got("valery@msp.example", LetterKind.SHOWN)) == 2
        counted(on)


def test_nothing_is_moved_where_it_is_to_be_left(tmp_path: Path) -> None:
    """DESIGN 1.6: with file = "leave", the default, every mail stays where it came in, and is decided once."""
    with by_hand(tmp_path, file='"leave"') as on:
        on.alert()
        on.writes(JOHN, "Nothing works here.", "Help please")
        on.restart()
        assert sorted(subjects(on, "INBOX")) == ["Help please", "Problem: NW-FS01 has been restarted"]
        assert [action for action, _ in on.decisions()] == ["OpenFromAlert", "ClientSaid"]
        counted(on)


def test_client_mail_is_moved_only_where_so_configured(tmp_path: Path) -> None:
    """DESIGN 1.6: file_clients = true moves clients' mail too; what nobody could place still stays."""
    with by_hand(tmp_path, file_clients="true") as on:
        on.writes(JOHN, "Nothing works here.", "Help please")
        on.arrives(letter_of("someone@elsewhere.example", "Buy now.", "An offer", on.now))
        assert subjects(on, "INBOX") == ["An offer"]
        assert subjects(on, "Mailflow/Done") == ["Help please"]


class Meddled:
    """An Inbox during whose fetching a colleague deletes mail."""

    def __init__(self, inbox: Any, mail: EmbeddedMail, when: str) -> None:
        self._inbox, self._mail, self._when = inbox, mail, when

    def __getattr__(self, name: str) -> Any:
        if name == self._when:
            self._when = ""
            with logged_in(self._mail) as line:
                line.select("INBOX")
                line.store("1", "+FLAGS", r"(\Deleted)")
                line.expunge()
        return getattr(self._inbox, name)


def test_mail_that_somebody_deletes_meanwhile_is_theirs(tmp_path: Path) -> None:
    """DESIGN 1.1, 1.6: people read the same inbox; a mail gone before fetch or before filing stops nothing."""
    for when in ("sizes", "fetch", "move"):
        folder = tmp_path / when
        folder.mkdir()
        with by_hand(folder) as on:
            on.mail.deliver(NOC, alert_mail(on.now))
            on.mail.deliver(NOC, letter_of(JOHN, "Nothing works here.", "Help please", on.now))
            on.inbox = Meddled(on.inbox, on.mail, when)
            on.turn()
            # A server may still hand out what another session has just deleted: then it was received.
            decided = [action for action, _ in on.decisions()]
            assert decided in (["OpenFromClient"], ["OpenFromAlert", "ClientSaid"])
            assert len(decided) == 1 or when != "sizes"
            on.alert()
            assert on.decisions()[-1][0] == ("OpenFromAlert" if len(decided) == 1 else "Join")
            counted(on)


def test_a_large_mail_is_read_and_a_larger_one_set_aside(tmp_path: Path) -> None:
    """DESIGN 1.3, S4.3: 30 MB are read like any mail; above 35 MB the beginning is kept, and a person decides."""
    with by_hand(tmp_path) as on:
        for megabytes, subject in ((30, "A large one"), (36, "A larger one")):
            line = b"0" * 9_998 + b"\r\n"
            head = letter_of(JOHN, "The picture of the error is attached.", subject, on.now)
            with logged_in(on.mail) as imap:
                imap.append("INBOX", "", imaplib.Time2Internaldate(on.now), head + line * (megabytes * 100))
        on.turn()
        assert [action for action, _ in on.decisions()] == ["OpenFromClient"]
        (aside,) = on.app.store.mailroom.quarantined()
        assert "35 MB" in aside.reason
        assert b"A larger one" in on.app.store.mailroom.content(aside.hash)
        assert "A larger one" in subjects(on, "INBOX")
        assert on.app.store.mailroom.counts()["quarantined"] == 1
        counted(on)


def test_every_kind_of_mail_is_accounted_for(tmp_path: Path) -> None:
    """S4.3: alert, client, liaison, stranger, answering machine, empty and broken mail: each ends in a known state."""
    with by_hand(tmp_path) as on:
        on.alert()
        on.writes("valery@msp.example", "Just saying hello.")
        on.arrives(letter_of(JOHN, "I am away.", "Automatic reply: Hello", on.now))
        on.arrives(b"")
        on.arrives(b"\xff\xfe\x00garbage\r\n\r\n\x00")
        on.arrives(b"From: a@b, c@d\r\nSubject: two authors\r\n\r\nhello\r\n")
        on.arrives(letter_of(ZABBIX, "x" * 5000, "Problem:", on.now))
        copies = len(on.letters(states=(LetterState.SENT,)))
        assert sum(on.app.store.mailroom.counts().values()) == 7 + copies
        counted(on)


def test_a_server_s_clock_ahead_of_ours_tells_nobody_of_the_future(tmp_path: Path) -> None:
    """S4.2: what a server says that it received next week has come in now, and its trouble has begun."""
    with by_hand(tmp_path) as on:
        ahead = on.now + timedelta(days=7)
        put(on.mail, "INBOX", zabbix_mail("Problem: NW-FS01 has been restarted", PROBLEM, ahead), ahead)
        on.turn()
        (inbound,) = on.app.store.mailroom.after(0, 1)
        assert MORNING <= inbound.received_at <= on.now
        (incident,) = on.incidents()
        assert incident.started_at <= on.now
