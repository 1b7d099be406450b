"""The embedded servers behave as real ones do where the program looks."""

import contextlib
import gc
import imaplib
import smtplib
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from mailflow.demo.servers import HOSTNAME, EmbeddedMail, SentMail

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
NOC, JOHN = "noc@example.net", "john@northwind.example"
MAIL = b"From: Ann <ann@northwind.example>\r\nSubject: down\r\n\r\nbody\r\n"


@pytest.fixture
def mail() -> Iterator[EmbeddedMail]:
    with EmbeddedMail({NOC: "pw", JOHN: "pw"}, now=lambda: NOON) as mail:
        yield mail
    gc.collect()


def submit(mail: EmbeddedMail, sender: str, recipients: list[str], raw: bytes = MAIL) -> None:
    """One mail by the standard library's client."""
    with smtplib.SMTP("127.0.0.1", mail.smtp_port) as client:
        client.login(NOC, "pw")
        client.sendmail(sender, recipients, raw)


def read(mail: EmbeddedMail, user: str, folder: str = "INBOX") -> list[tuple[bytes, bytes]]:
    """INTERNALDATE line and bytes of each mail, by the standard library's client."""
    with imaplib.IMAP4("127.0.0.1", mail.imap_port) as client:
        client.login(user, "pw")
        client.select(folder)
        _, found = client.search(None, "ALL")
        mails = []
        for number in found[0].split():
            _, parts = client.fetch(number.decode(), "(INTERNALDATE BODY.PEEK[])")
            assert isinstance(parts[0], tuple)
            mails.append((parts[0][0], parts[0][1]))
        return mails


def test_delivered_mail_has_a_trace_and_the_given_time(mail: EmbeddedMail) -> None:
    """A mail arrives with the trace headers of a server, at the time of the clock that was given."""
    mail.deliver(NOC, MAIL)
    ((dated, raw),) = read(mail, NOC)
    assert b"02-Mar-2026 12:00:00 +0000" in dated
    assert raw.startswith(b"Return-Path: <ann@northwind.example>\r\nDelivered-To: noc@example.net\r\nReceived: ")
    assert raw.endswith(MAIL)


def test_sent_folder_has_no_trace(mail: EmbeddedMail) -> None:
    """What a person wrote and filed never arrived."""
    mail.deliver(NOC, MAIL, folder="Sent")
    assert [raw for _, raw in read(mail, NOC, "Sent")] == [MAIL]


def test_nobody_has_no_mailbox(mail: EmbeddedMail) -> None:
    """Delivering to nobody is a mistake in the story, not a silence."""
    with pytest.raises(KeyError):
        mail.deliver("nobody@example.net", MAIL)


def test_submitted_mail_is_recorded_and_delivered(mail: EmbeddedMail) -> None:
    """Users get their mail whatever its plus-tag, strangers' mail is only recorded; the login stands in the trace."""
    submit(mail, NOC, [JOHN, "noc+p7@example.net", "stranger@elsewhere.example"])
    recipients = (JOHN, "noc+p7@example.net", "stranger@elsewhere.example")
    assert mail.sent == [SentMail(sender=NOC, recipients=recipients, raw=MAIL)]
    ((_, raw),) = read(mail, NOC)
    assert b"Delivered-To: noc+p7@example.net\r\n" in raw
    assert f"Authentication-Results: {HOSTNAME}; auth=pass smtp.auth=noc@example.net".encode() in raw
    assert len(read(mail, JOHN)) == 1


def test_login_is_required(mail: EmbeddedMail) -> None:
    """Nobody submits without a login or with a wrong password."""
    with smtplib.SMTP("127.0.0.1", mail.smtp_port) as client, pytest.raises(smtplib.SMTPSenderRefused) as refused:
        client.sendmail(NOC, [JOHN], MAIL)
    assert refused.value.smtp_code == 530
    with smtplib.SMTP("127.0.0.1", mail.smtp_port) as client, pytest.raises(smtplib.SMTPAuthenticationError):
        client.login(NOC, "wrong")


def test_faults_and_refusals() -> None:
    """A story can refuse addresses, and refuse mail for as long as a fault says so."""
    with EmbeddedMail({NOC: "pw"}, now=lambda: NOON, accept=lambda address: address != "gone@x.example") as mail:
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            submit(mail, NOC, ["gone@x.example"])
        mail.faults.append(lambda sender, recipients: "451 4.3.0 later")
        with pytest.raises(smtplib.SMTPDataError):
            submit(mail, NOC, [JOHN])
        assert not mail.sent
        mail.faults.clear()
        submit(mail, NOC, [JOHN])
        assert len(mail.sent) == 1


def test_leaves_nothing_behind() -> None:
    """With clients still connected, in IDLE and in the middle of a command, leaving ends thread and sockets."""
    before = threading.active_count()
    clients: list[socket.socket] = []
    with EmbeddedMail({NOC: "pw"}, now=lambda: NOON) as mail:
        for port in (mail.imap_port, mail.smtp_port, mail.imap_port):
            clients.append(socket.create_connection(("127.0.0.1", port)))
            clients[-1].recv(100)
        clients[0].sendall(b'a LOGIN "noc@example.net" "pw"\r\nb SELECT INBOX\r\nc IDLE\r\n')
        while b"+ " not in clients[0].recv(4000):
            pass
        ports = (mail.imap_port, mail.smtp_port)
    for client in clients:
        client.settimeout(5)
        with contextlib.suppress(ConnectionResetError):  # as good an end as any
            while client.recv(4000):
                pass
        client.close()
    for port in ports:
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", port))
    assert threading.active_count() <= before
    gc.collect()


def test_port_in_use() -> None:
    """A port that is taken is told where the servers are started."""
    with (
        EmbeddedMail({}, now=lambda: NOON) as first,
        pytest.raises(OSError, match="in use"),
        EmbeddedMail({}, now=lambda: NOON, imap_port=first.imap_port),
    ):
        pass
