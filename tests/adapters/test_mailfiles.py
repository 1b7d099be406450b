"""Past mail from files: found wherever it lies, in the order of arrival, and nothing is changed."""

import mailbox
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailflow.adapters.mailfiles import Clue, MailFiles, SourceError, look

AT = datetime(2026, 11, 3, 8, 0, tzinfo=UTC)


def mail(number: int, *headers: str) -> bytes:
    """A small mail with these headers."""
    return "\n".join([*headers, f"Subject: mail {number}", "", f"Body {number}", ""]).encode()


def subjects(source: Path) -> list[bytes]:
    """What the mails of a source are called, in order."""
    return [m.read().partition(b"Subject: ")[2].partition(b"\n")[0].strip() for m in MailFiles(look(source))]


def test_a_folder_is_read_recursively_in_the_order_of_arrival(tmp_path: Path) -> None:
    """N.8: every .eml below a folder is played in the order in which it came in; other files are no mail."""
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "a.eml").write_bytes(mail(2, "Date: Tue, 03 Nov 2026 09:00:00 +0000"))
    (tmp_path / "deep" / "er" / "b.EML").write_bytes(mail(1, "Date: Tue, 03 Nov 2026 10:00:00 +0200"))
    (tmp_path / "notes.txt").write_text("Date: Tue, 03 Nov 2026 07:00:00 +0000\n\n")
    assert subjects(tmp_path) == [b"mail 1", b"mail 2"]


def test_an_mbox_gives_each_mail_its_own_bytes(tmp_path: Path) -> None:
    """N.8: an mbox is cut at its From lines, not at words that begin a sentence."""
    path = tmp_path / "all.mbox"
    first = b"Subject: mail 1\n\nHello\n\nFrom here on we need help.\n"
    line = b"From noc@example.com Tue Nov  3 08:00:00 2026\n"
    path.write_bytes(line + first + b"\n" + line + mail(2))
    mails = MailFiles(look(path))
    assert [m.read() for m in mails] == [first, mail(2)]
    assert [m.name for m in mails] == ["all.mbox, mail 1", "all.mbox, mail 2"]
    assert mails.clues == {Clue.FROM_LINE: 2}
    assert {m.arrival for m in mails} == {AT}


def test_what_python_writes_as_mbox_is_read(tmp_path: Path) -> None:
    """N.8: an mbox of another program's making is read whole."""
    box = mailbox.mbox(tmp_path / "made.mbox")
    for number in range(3):
        box.add(mail(number, f"Date: Tue, 03 Nov 2026 0{number}:00:00 +0000"))
    box.close()
    assert subjects(tmp_path / "made.mbox") == [b"mail 0", b"mail 1", b"mail 2"]


def test_a_maildir_is_read_and_left_as_it_is(tmp_path: Path) -> None:
    """N.8: new and seen mail of a Maildir are read, and none is moved to seen by that."""
    for part in ("new", "cur", "tmp"):
        (tmp_path / part).mkdir()
    (tmp_path / "new" / "1.host").write_bytes(mail(1, "Date: Tue, 03 Nov 2026 08:00:00 +0000"))
    (tmp_path / "cur" / "2.host:2,S").write_bytes(mail(2, "Date: Tue, 03 Nov 2026 09:00:00 +0000"))
    (tmp_path / "tmp" / "3.host").write_bytes(mail(3))
    before = sorted(p.relative_to(tmp_path) for p in tmp_path.rglob("*"))
    assert subjects(tmp_path) == [b"mail 1", b"mail 2"]
    assert sorted(p.relative_to(tmp_path) for p in tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("headers", "clue"),
    [
        (
            ["Received: from a (b)\n\tby mx.example; Tue, 3 Nov 2026 08:00:00 +0000", "Date: Mon, 1 Jan 2001 00:00:00"],
            Clue.RECEIVED,
        ),
        (["Received: from a by mx.example; some day", "Date: Tue, 3 Nov 2026 03:00:00 -0500"], Clue.DATE),
        (["Date: never"], Clue.FILE),
        (["Date: Fri, 3 Nov 2526 08:00:00 +0000"], Clue.FILE),
        ([], Clue.FILE),
    ],
)
def test_arrival_is_told_by_the_best_witness(tmp_path: Path, headers: list[str], clue: Clue) -> None:
    """N.8: our own server's word on the arrival comes before the sender's, and that before the file's time."""
    path = tmp_path / "one.eml"
    path.write_bytes(mail(1, *headers))
    os.utime(path, (AT.timestamp(), AT.timestamp()))
    (only,) = MailFiles(look(path))
    assert (only.arrival, only.clue) == (AT, clue)


def test_a_source_that_is_not_there_is_one_clear_line(tmp_path: Path) -> None:
    """N.8: a mistyped name is told, and no traceback."""
    with pytest.raises(SourceError, match=r"nothing\.mbox: No such file"):
        MailFiles(look(tmp_path / "nothing.mbox"))
