"""The contract of engine.inbox.Inbox, on whatever server the fixture `inbox_server` yields."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mailflow.adapters.imap.session import connect
from mailflow.engine.inbox import Inbox, InboxTrouble

MAIL = b"From: Ann <ann@northwind.example>\r\nMessage-ID: <%d@northwind.example>\r\nSubject: down\r\n\r\nbody %d\r\n"


def mail(number: int) -> bytes:
    """A small mail."""
    return MAIL % (number, number)


@pytest.fixture
def inbox(inbox_server: Any) -> Iterator[Inbox]:
    """A logged-in connection."""
    inbox = connect(inbox_server.account())
    yield inbox
    inbox.close()


class TestInbox:
    """Kept by every server."""

    def test_select_tells_uidvalidity(self, inbox: Inbox) -> None:
        """Select tells the number without which UIDs mean nothing, the same one each time."""
        first = inbox.select("INBOX")
        assert first.uidvalidity > 0
        assert inbox.select("INBOX").uidvalidity == first.uidvalidity

    def test_missing_folder_is_permanent(self, inbox: Inbox) -> None:
        """A folder that is not there pauses the mailbox and is named."""
        with pytest.raises(InboxTrouble, match="Nowhere") as trouble:
            inbox.select("Nowhere")
        assert (trouble.value.what, trouble.value.permanent) == ("folder", True)

    def test_empty_folder(self, inbox: Inbox) -> None:
        """An empty folder has no UIDs, and asking for nothing asks for nothing."""
        inbox.select("INBOX")
        assert inbox.uids() == []
        assert inbox.uids(above=4_000_000) == []
        assert inbox.fetch([]) == []
        assert inbox.sizes([]) == {}
        inbox.move([], "Mailflow/Done")

    def test_uids_ascend_and_start_above(self, inbox: Inbox, inbox_server: Any) -> None:
        """Only UIDs greater than `above` come back, although IMAP always names the last mail too."""
        for number in range(3):
            inbox_server.deliver(mail(number))
        inbox.select("INBOX")
        uids = inbox.uids()
        assert len(uids) == 3
        assert uids == sorted(uids)
        assert inbox.uids(above=uids[0]) == uids[1:]
        assert inbox.uids(above=uids[-1]) == []

    def test_uids_since_a_day(self, inbox: Inbox, inbox_server: Any) -> None:
        """`start = "2026-01-01"` counts by the day on which the server received the mail."""
        inbox_server.deliver(mail(1))
        inbox.select("INBOX")
        (uid,) = inbox.uids()
        (fetched,) = inbox.fetch([uid])
        assert inbox.uids_since(fetched.internal_date - timedelta(days=1)) == [uid]
        assert inbox.uids_since(fetched.internal_date + timedelta(days=2)) == []

    def test_fetch_gives_exact_bytes_and_marks_nothing(self, inbox: Inbox, inbox_server: Any) -> None:
        """The bytes are the server's, untouched; the time is aware UTC; nobody finds the mail marked as read."""
        raw = b"Subject: =?x?q?\r\n\r\n" + bytes(range(1, 256)).replace(b"\n", b"").replace(b"\r", b"") + b"\r\n"
        inbox_server.deliver(raw)
        inbox.select("INBOX")
        (fetched,) = inbox.fetch(inbox.uids())
        assert fetched.raw.endswith(raw)
        assert fetched.internal_date.tzinfo is UTC
        assert inbox._client.get_flags([fetched.uid])[fetched.uid] in ((), (b"\\Recent",))  # type: ignore[attr-defined]

    def test_gone_mail_is_absent(self, inbox: Inbox, inbox_server: Any) -> None:
        """A UID that is not there any more is left out by fetch, sizes and fetch_head."""
        inbox_server.deliver(mail(1))
        inbox.select("INBOX")
        (uid,) = inbox.uids()
        assert [found.uid for found in inbox.fetch([uid, uid + 1000])] == [uid]
        assert list(inbox.sizes([uid, uid + 1000])) == [uid]
        assert inbox.fetch_head(uid + 1000, 100) is None

    def test_sizes_and_head(self, inbox: Inbox, inbox_server: Any) -> None:
        """Size is known before fetching, and the head of a giant can be had alone."""
        inbox_server.deliver(mail(1) + b"x" * 100_000)
        inbox.select("INBOX")
        (uid,) = inbox.uids()
        whole = inbox.fetch([uid])[0]
        assert inbox.sizes([uid]) == {uid: len(whole.raw)}
        head = inbox.fetch_head(uid, 300)
        assert head is not None
        assert head.raw == whole.raw[:300]

    def test_move_makes_the_folder(self, inbox: Inbox, inbox_server: Any) -> None:
        """Filing creates the folder where it is missing, whatever the server's delimiter, and moves once."""
        for number in range(3):
            inbox_server.deliver(mail(number))
        inbox.select("INBOX")
        uids = inbox.uids()
        inbox.move(uids[:2], "Mailflow/Done")
        inbox.move(uids[2:], "Mailflow/Done")
        assert inbox.uids() == []
        inbox.select("Mailflow/Done")
        assert len(inbox.uids()) == 3

    def test_moved_by_somebody_else(self, inbox: Inbox, inbox_server: Any) -> None:
        """A colleague who moved the mail first is no error; what is left is still moved."""
        for number in range(2):
            inbox_server.deliver(mail(number))
        inbox.select("INBOX")
        uids = inbox.uids()
        colleague = connect(inbox_server.account())
        colleague.select("INBOX")
        colleague.move(uids[:1], "Trash")
        colleague.close()
        inbox.move(uids, "Mailflow/Done")
        inbox.move(uids, "Mailflow/Done")
        assert inbox.uids() == []
        inbox.select("Mailflow/Done")
        assert len(inbox.uids()) == 1

    def test_non_ascii_folder(self, inbox: Inbox, inbox_server: Any) -> None:
        """Folder names are text, modified UTF-7 is the adapter's affair."""
        inbox_server.deliver(mail(1))
        inbox.select("INBOX")
        inbox.move(inbox.uids(), "Erledigt & früher")
        inbox.select("Erledigt & früher")
        assert len(inbox.uids()) == 1

    def test_sent_folder_proves(self, inbox: Inbox, inbox_server: Any) -> None:
        """A Message-ID is found in Sent, another is not, and afterwards the inbox is selected as before."""
        sent = inbox.sent_folder()
        assert sent is not None
        inbox_server.deliver(mail(1), folder=sent)
        inbox.select("INBOX")
        assert inbox.find_message_id(sent, "<1@northwind.example>")
        assert not inbox.find_message_id(sent, "<2@northwind.example>")
        assert not inbox.find_message_id("Nowhere", "<1@northwind.example>")
        assert inbox.uids() == []
        inbox_server.deliver(mail(2))
        assert len(inbox.uids()) == 1

    def test_wait_hears_the_server(self, inbox: Inbox, inbox_server: Any) -> None:
        """New mail ends a wait long before its time."""
        inbox.select("INBOX")
        inbox.uids()
        timer = threading.Timer(0.1, inbox_server.deliver, (mail(1),))
        timer.start()
        start = time.monotonic()
        assert inbox.wait(10) == "server"
        assert time.monotonic() - start < 5
        timer.join()
        assert len(inbox.uids()) == 1

    def test_wait_misses_nothing_in_between(self, inbox: Inbox, inbox_server: Any) -> None:
        """Mail that comes after the last look and before the wait ends the wait at once."""
        inbox.select("INBOX")
        inbox.uids()
        inbox_server.deliver(mail(1))
        inbox.sizes([1])  # an answer in which the server may announce it by the way
        assert inbox.wait(5) == "server"

    def test_mail_during_a_search_in_sent_is_not_missed(self, inbox: Inbox, inbox_server: Any) -> None:
        """Mail that arrives while another folder is selected ends the next wait."""
        inbox_server.deliver(mail(0))
        inbox.select("INBOX")
        known = inbox.uids()
        inbox_server.deliver(mail(1))
        inbox.find_message_id("Sent", "<1@northwind.example>")
        assert inbox.wait(5) == "server"
        assert len(inbox.uids(above=known[-1])) == 1

    def test_wait_ends_by_itself(self, inbox: Inbox) -> None:
        """Silence is a timeout, and the connection is as good as before, again and again."""
        inbox.select("INBOX")
        inbox.uids()
        assert [inbox.wait(0.05) for _ in range(3)] == ["timeout"] * 3
        assert inbox.uids() == []

    def test_wake_ends_a_wait_once(self, inbox: Inbox) -> None:
        """Another thread can end a wait; it is used up by that, and may also come first."""
        inbox.select("INBOX")
        inbox.uids()
        timer = threading.Timer(0.1, inbox.wake)
        timer.start()
        assert inbox.wait(10) == "wake"
        timer.join()
        assert inbox.wait(0.05) == "timeout"
        inbox.wake()
        inbox.wake()
        assert inbox.wait(10) == "wake"
        assert inbox.wait(0.05) == "timeout"

    def test_wrong_password(self, inbox_server: Any) -> None:
        """A refused login is permanent, names the server and the user, and keeps the password to itself."""
        with pytest.raises(InboxTrouble) as trouble:
            connect(inbox_server.account(secret=lambda: "wr0ngpass"))
        assert (trouble.value.what, trouble.value.permanent) == ("login", True)
        assert f"{inbox_server.host}:{inbox_server.port}" in str(trouble.value)
        assert inbox_server.user in str(trouble.value)
        assert "wr0ngpass" not in str(trouble.value)

    def test_closed_stays_closed(self, inbox: Inbox) -> None:
        """Closing twice and waking a closed connection are harmless; using it is a lost connection."""
        inbox.close()
        inbox.close()
        inbox.wake()
        with pytest.raises(InboxTrouble) as trouble:
            inbox.uids()
        assert (trouble.value.what, trouble.value.permanent) == ("connection", False)

    def test_internal_date_is_when_it_arrived(self, inbox: Inbox, inbox_server: Any) -> None:
        """The time of receipt is the server's, whatever the mail says of itself."""
        inbox_server.deliver(b"Date: Thu, 1 Jan 1970 00:00:00 +0000\r\n" + mail(1))
        inbox.select("INBOX")
        (fetched,) = inbox.fetch(inbox.uids())
        assert fetched.internal_date > datetime(2026, 1, 1, tzinfo=UTC)
