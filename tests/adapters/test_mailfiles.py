"""Past mail from files and from a mailbox that is only looked at."""

import contextlib
import imaplib
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mailflow.adapters.imap.login import log_in
from mailflow.adapters.mailfiles import Clue, ExaminedInbox, MailFiles, SourceError, Spool, arrived, examine, look
from mailflow.engine.inbox import InboxTrouble
from mailflow.engine.receive import HEAD, LARGEST

WRITTEN = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
RECEIVED = (
    b"Received: from a.example by mx.msp.example; Tue, 24 Nov 2026 06:00:00 -0600 (CST)\r\n"
    b"Received: from b.example by a.example; Mon, 23 Nov 2026 01:00:00 +0000\r\n"
)
DATE = b"Date: Sat, 21 Nov 2026 10:00:00 +0100\r\n"
FROM_LINE = b"From zabbix@msp.example Sun Nov 22 07:30:00 2026\n"


def mail(subject: str, more: bytes = b"", body: bytes = b"Hello\n") -> bytes:
    return more + b"From: ann@x.example\nSubject: " + subject.encode() + b"\n\n" + body


def at(path: Path, raw: bytes, moment: datetime = WRITTEN) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(raw)
    os.utime(path, (moment.timestamp(), moment.timestamp()))
    return path


def state(folder: Path) -> dict[str, tuple[bytes, float]]:
    """Every file with its bytes and time."""
    return {str(p): (p.read_bytes(), p.stat().st_mtime) for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.mark.parametrize(
    ("head", "line", "moment", "clue"),
    [
        (RECEIVED + DATE, FROM_LINE, NOON, Clue.RECEIVED),
        (b"Subject: x\n" + DATE, FROM_LINE, datetime(2026, 11, 21, 9, tzinfo=UTC), Clue.DATE),
        (b"Subject: x\n", FROM_LINE, datetime(2026, 11, 22, 7, 30, tzinfo=UTC), Clue.FROM_LINE),
        (
            b"Subject: x\n",
            b"From 178@xxx Sun Nov 22 07:30:00 +0100 2026\r\n",
            datetime(2026, 11, 22, 6, 30, tzinfo=UTC),
            Clue.FROM_LINE,
        ),
        (b"Subject: x\n", b"From \n", WRITTEN, Clue.FILE),
        (b"Subject: x\n", None, WRITTEN, Clue.FILE),
        (b"Received: nowhere\nDate: Tue, 24 Nov 2026 12:00:00 -0000\n", None, NOON, Clue.DATE),
        (b"Received: by x;\n Tue, 24 Nov 2026\n\t12:00:00 GMT\nDate: never\n", None, NOON, Clue.RECEIVED),
        (b"Date: Sat, 21 Nov 9999 10:00:00 +0000\n", None, WRITTEN, Clue.FILE),
        (b"Date: \xff\xfe\n", None, WRITTEN, Clue.FILE),
        (b"Subject: x\n\nDate: Sat, 21 Nov 2026 10:00:00 +0100\n", None, WRITTEN, Clue.FILE),
        (b"", None, WRITTEN, Clue.FILE),
    ],
)  # fmt: skip
def test_when_a_mail_came_in(head: bytes, line: bytes | None, moment: datetime, clue: Clue) -> None:
    """N.8: the topmost Received tells, else Date, else the mbox's From line, else the file; nonsense tells nothing."""
    assert arrived(head, line, WRITTEN) == (moment, clue)


def test_an_mbox_is_cut_where_its_mails_begin(tmp_path: Path) -> None:
    """N.8: exact bytes of each mail, in order of arrival; a "From " inside a text begins none, nor does a long line."""
    one = mail("one", DATE, b"From here on it hurts.\n\nFrom now to the end\n\n>From quoted\n")
    two = mail("two", RECEIVED, b"0" * 200_000 + b"\nFrom x Sun Nov 22 07:30:00 2026\nlast")
    three = mail("three")
    path = at(tmp_path / "in.mbox", FROM_LINE + two + b"\n\n" + FROM_LINE + one + b"\n" + b"From \n" + three)
    found = MailFiles(look(path))
    assert [(m.name, m.read()) for m in found] == [
        ("in.mbox, mail 3", three),
        ("in.mbox, mail 2", one),
        ("in.mbox, mail 1", two + b"\n"),
    ]
    assert found.clues == {Clue.FILE: 1, Clue.DATE: 1, Clue.RECEIVED: 1}


def test_an_mbox_with_windows_line_ends(tmp_path: Path) -> None:
    """N.8: the same with CRLF; the last mail may end without a line end."""
    raw = mail("one").replace(b"\n", b"\r\n")
    crlf = FROM_LINE.replace(b"\n", b"\r\n")
    path = at(tmp_path / "in", crlf + raw + b"\r\n" + crlf + raw.rstrip())
    assert [m.read() for m in look(path)] == [raw, raw.rstrip()]


def test_folders_and_single_files(tmp_path: Path) -> None:
    """N.8: a folder is read with its folders, .eml alone; a Maildir new and seen; a file by itself."""
    at(tmp_path / "eml" / "b" / "late.EML", mail("late", RECEIVED))
    at(tmp_path / "eml" / "early.eml", mail("early"))
    at(tmp_path / "eml" / "notes.txt", b"no mail")
    for name in ("cur/1.a:2,S", "new/2.b", "tmp/3.c", "new/.hidden"):
        at(tmp_path / "maildir" / name, mail(name))
    assert [m.name for m in MailFiles(look(tmp_path / "eml"))] == ["early.eml", "b/late.EML"]
    assert [m.name for m in look(tmp_path / "maildir")] == ["new/2.b", "cur/1.a:2,S"]
    (alone,) = look(tmp_path / "eml" / "early.eml")
    assert (alone.name, alone.read(), alone.arrival) == ("early.eml", mail("early"), WRITTEN)


def test_a_source_is_left_as_it_is(tmp_path: Path) -> None:
    """N.8: reading changes no byte, no time and no name, and leaves no lock behind."""
    at(tmp_path / "in.mbox", FROM_LINE + mail("one") + b"\n" + FROM_LINE + mail("two"))
    at(tmp_path / "maildir" / "new" / "1.a", mail("three"))
    at(tmp_path / "maildir" / "cur" / "2.b:2,", mail("four"))
    before = state(tmp_path)
    for source in (tmp_path / "in.mbox", tmp_path / "maildir"):
        assert [m.read() for m in look(source)]
    assert state(tmp_path) == before


def test_of_a_mail_that_is_too_large_only_the_beginning_is_read(tmp_path: Path) -> None:
    """N.8: a rehearsal sets it aside as life does, and must not fill the memory to find that out."""
    path = at(tmp_path / "large.eml", mail("large"))
    os.truncate(path, LARGEST + 1)
    (large,) = look(path)
    assert (large.large, len(large.read())) == (LARGEST + 1, HEAD)


def test_an_empty_source_has_no_mail(tmp_path: Path) -> None:
    """N.8: an empty folder is no fault; what is not there is one, in one line with its name."""
    assert list(look(tmp_path)) == []
    with pytest.raises(SourceError, match=r"missing\.mbox: No such file"):
        list(look(tmp_path / "missing.mbox"))


def flags(server: Any) -> list[bytes]:
    """What another mail program sees of the inbox."""
    imap = imaplib.IMAP4(server.host, server.port)
    try:
        imap.login(server.user, server.password)
        imap.select("INBOX", readonly=True)
        answer = imap.fetch("1:*", "(UID FLAGS)")[1]
        # \Recent is the server's own mark, and says only who looked first.
        return [line.replace(b"\\Recent", b"") for line in answer if isinstance(line, bytes)]
    finally:
        imap.logout()


def test_a_live_mailbox_is_only_looked_at(inbox_server: Any, tmp_path: Path) -> None:
    """N.8: exact bytes and the server's own time of what came since a day; no mail is marked, moved or gone."""
    raws = [mail(f"number {n}").replace(b"\n", b"\r\n") for n in range(3)]
    for raw in raws:
        inbox_server.deliver(raw)
    before = flags(inbox_server)
    account = inbox_server.account()
    day = datetime(2000, 1, 1, tzinfo=UTC)
    found = list(examine(account, "noc@x.example", "INBOX", day, Spool(tmp_path)))
    assert all(m.read().endswith(raw) for m, raw in zip(found, raws, strict=True))
    assert {(m.mailbox, m.clue) for m in found} == {("noc@x.example", Clue.SERVER)}
    assert all("INBOX, UID" in m.name for m in found)
    later = found[-1].arrival + timedelta(seconds=1)
    assert list(examine(account, "noc@x.example", "INBOX", later, Spool(tmp_path))) == []
    assert flags(inbox_server) == before
    assert b"Seen" not in b"".join(before)


def test_the_server_is_told_that_it_is_only_looked_at(scripted: Any, inbox_server: Any, tmp_path: Path) -> None:
    """N.8: EXAMINE and BODY.PEEK, so that the server itself refuses whatever a fault of ours might change."""
    heard: list[str] = []
    answers = {
        "CAPABILITY": b"* CAPABILITY IMAP4rev1\r\n",
        "EXAMINE": b"* 1 EXISTS\r\n* OK [UIDVALIDITY 7] valid\r\n",
        "UID SEARCH": b"* SEARCH 4\r\n",
        "UID FETCH 4 (RFC822.SIZE)": b"* 1 FETCH (UID 4 RFC822.SIZE 5)\r\n",
        "UID FETCH 4 (INTERNALDATE": (
            b'* 1 FETCH (UID 4 INTERNALDATE "24-Nov-2026 12:00:00 +0000" BODY[] {5}\r\nHello)\r\n'
        ),
    }

    def script(line: Any) -> None:
        line.say(b"* OK hello\r\n")
        while command := line.hear().decode().strip():
            tag, _, words = command.partition(" ")
            heard.append(words)
            line.say(b"".join(answer for begins, answer in answers.items() if words.startswith(begins)))
            line.say(f"{tag} OK done\r\n".encode())

    account = inbox_server.account(port=scripted(script))
    (found,) = examine(account, "noc@x.example", "INBOX", WRITTEN, Spool(tmp_path))
    assert (found.read(), found.arrival) == (b"Hello", NOON)
    assert [words.split()[0] for words in heard if "INBOX" in words] == ["EXAMINE"]
    assert [words for words in heard if "BODY" in words] == ["UID FETCH 4 (INTERNALDATE BODY.PEEK[])"]


def test_what_is_only_looked_at_cannot_be_moved(inbox_server: Any) -> None:
    """N.8: some servers would let an examined folder be changed all the same: it is not even asked for."""
    inbox_server.deliver(mail("one"))
    inbox = ExaminedInbox(log_in(inbox_server.account()), inbox_server.account())
    with contextlib.closing(inbox):
        inbox.select("INBOX")
        with pytest.raises(InboxTrouble, match="only looked at"):
            inbox.move(inbox.uids(), "Elsewhere")
    assert len(flags(inbox_server)) == 1


def test_a_folder_that_is_missing_is_told(inbox_server: Any, tmp_path: Path) -> None:
    """N.8: trouble of the mailbox is one clear line, and the connection is closed."""
    with pytest.raises(InboxTrouble, match="Nowhere"):
        list(examine(inbox_server.account(), "noc@x.example", "Nowhere", WRITTEN, Spool(tmp_path)))
