"""Much mail and large mail: what it may cost, and that nothing of it is lost or answered by mistake."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from mailflow.demo.clock import MovableClock
from mailflow.demo.servers import EmbeddedMail
from mailflow.demo.story import MORNING, PASSWORD
from mailflow.engine.receive import LARGEST, portions
from tests.hostile.conftest import FAR
from tests.house import NOC, PEOPLE, PROBLEM, ROOT, House, until, write_config, zabbix_mail

pytestmark = pytest.mark.soak

MB = 1_000_000


def large_mail(number: int, size: int) -> bytes:
    """A mail with a file of about `size` bytes in base64."""
    line = os.urandom(57).hex().encode()[:76] + b"\r\n"
    return (
        b"From: Mallory <mallory@elsewhere.example>\r\nTo: noc@msp.example\r\nSubject: large %d\r\n"
        b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n'
        b"--b\r\nContent-Type: application/zip; name=a.zip\r\nContent-Transfer-Encoding: base64\r\n\r\n%s--b--\r\n"
    ) % (number, line * (size // len(line)))


@contextmanager
def daemon(config: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`mailflow run` in a process of its own."""
    command = [sys.executable, "-m", "mailflow.cli.main", "run", "--config", str(config)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.terminate()
            process.wait(FAR)


def megabytes(process: subprocess.Popen[bytes], which: str) -> int:
    """Resident memory now (VmRSS) or at its highest (VmHWM)."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith(which)).split()[1]) // 1024


def count(config: Path, query: str) -> int:
    """A figure from the daemon's database, read beside it; 0 until there is one."""
    try:
        with closing(sqlite3.connect(f"file:{config.parent}/data/mailflow.db?mode=ro", uri=True)) as db:
            return int(db.execute(query).fetchone()[0])
    except sqlite3.OperationalError:
        return 0


@pytest.mark.usefixtures("server_reads_nothing")
def test_old_mail_is_left_alone(tmp_path: Path) -> None:
    """Road of one mail 1: 2,000 mails that lay there at the first start are not fetched, filed, decided or answered."""
    clock = MovableClock(MORNING)
    with EmbeddedMail(dict.fromkeys(PEOPLE, PASSWORD), now=clock.now) as mail:
        alert = zabbix_mail("Problem: NW-FS01 has been restarted", PROBLEM, MORNING)
        for number in range(2_000):
            another = alert.replace(b"184467", b"%d" % number)
            mail.deliver(NOC, another.replace(b"Message-ID: <", b"Message-ID: <%d." % number))
        on = House(tmp_path, mail, clock).start()
        try:
            store = on.app.store
            assert store.mailroom.counts() == {}
            on.alert()
            until(lambda: store.mailroom.counts().get("processed"), within=FAR)
            incidents = until(lambda: store.records.incidents(running_only=False, limit=9), within=FAR)
            assert len(incidents) == 1
            until(lambda: mail.sent[1:], within=FAR)
            assert len({letter.incident_id for letter in store.outbox.letters(limit=9)}) == 1
        finally:
            on.stop()


@pytest.mark.usefixtures("server_reads_nothing")
def test_large_mail_is_not_kept_in_memory(tmp_path: Path) -> None:
    """Road of one mail 2: mails of 30 MB pass through, whole, and the daemon is as small afterwards as before."""
    clock = MovableClock(MORNING)
    with EmbeddedMail(dict.fromkeys(PEOPLE, PASSWORD), now=clock.now) as mail:
        config = write_config(tmp_path, imap_port=mail.imap_port, smtp_port=mail.smtp_port)
        done = "SELECT count(*) FROM inbound WHERE state = 'processed' AND subject LIKE 'large%'"
        with daemon(config) as process:
            until(lambda: count(config, "SELECT count(*) FROM folder"), within=FAR)
            before = megabytes(process, "VmRSS")
            for number in (1, 2, 3):
                mail.deliver(NOC, large_mail(number, 30 * MB))
                until(lambda wanted=number: count(config, done) == wanted, within=FAR)  # type: ignore[misc]
            mail.deliver(NOC, zabbix_mail("Problem: NW-FS01 has been restarted", PROBLEM, MORNING))
            until(lambda: count(config, "SELECT count(*) FROM incident"), within=FAR)
            # The allocator may keep the room of one or two.
            assert megabytes(process, "VmRSS") - before < 70
            assert process.poll() is None


@pytest.mark.usefixtures("server_reads_nothing")
def test_mail_beyond_all_bounds_is_set_aside(tmp_path: Path) -> None:
    """Road of one mail 3: what is larger than any provider takes is quarantined by its size, its beginning kept."""
    clock = MovableClock(MORNING)
    with EmbeddedMail(dict.fromkeys(PEOPLE, PASSWORD), now=clock.now) as mail:
        on = House(tmp_path, mail, clock).start()
        try:
            mail.deliver(NOC, large_mail(1, LARGEST + MB))
            store = on.app.store
            set_aside = until(store.mailroom.quarantined, within=FAR)[0]
            assert "larger than 35 MB" in set_aside.reason
            assert 0 < len(store.mailroom.content(set_aside.hash)) < MB
            on.alert()
            until(lambda: store.records.incidents(running_only=True, limit=9), within=FAR)
        finally:
            on.stop()


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([], []),
        ([1] * 50, [50]),
        ([LARGEST], [1]),
        ([LARGEST, 1], [1, 1]),
        ([LARGEST // 2] * 5, [2, 2, 1]),
        ([10 * LARGEST, 10 * LARGEST], [1, 1]),
    ],
)
def test_a_row_of_large_mails_is_fetched_in_portions(sizes: list[int], expected: list[int]) -> None:
    """Road of one mail 2: a batch never holds more bytes than the largest mail has, and leaves nothing out."""
    uids = list(range(1, len(sizes) + 1))
    found = list(portions(uids, dict(zip(uids, sizes, strict=True))))
    assert [len(some) for some in found] == expected
    assert [uid for some in found for uid in some] == uids
