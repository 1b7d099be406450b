"""The test Postfix takes mail as a provider does and hands it to the test Dovecot."""

import smtplib

import pytest

from tests.servers.daemon import wait_until
from tests.servers.postfix import Postfix

pytestmark = pytest.mark.servers


def message(to: str, subject: str) -> bytes:
    """The bytes of a small mail."""
    return f"From: noc@msp.example\r\nTo: {to}\r\nSubject: {subject}\r\n\r\nHello.\r\n".encode()


def submission(postfix: Postfix) -> smtplib.SMTP:
    """A connection to the submission port, with TLS and not yet logged in."""
    client = smtplib.SMTP("localhost", postfix.submission_port, timeout=10)
    client.starttls(context=postfix.context())
    client.ehlo()
    return client


def test_submitted_mail_arrives_at_a_plus_address(postfix: Postfix) -> None:
    """STARTTLS, AUTH, and the mail lies in Dovecot under the address before the plus."""
    with submission(postfix) as client:
        client.login("noc@msp.example", postfix.dovecot.password)
        mail = message("john+t0k3n@northwind.example", "submitted")
        assert client.sendmail("noc@msp.example", ["john+t0k3n@northwind.example"], mail) == {}
    assert wait_until(lambda: len(postfix.dovecot.inbox("john@northwind.example")) == 1)
    (raw,) = postfix.dovecot.inbox("john@northwind.example")
    assert b"Subject: submitted\r\n" in raw
    assert b"Delivered-To: john+t0k3n@northwind.example\r\n" in raw


def test_implicit_tls_and_a_token_submit_too(postfix: Postfix) -> None:
    """The submissions port speaks TLS at once, and XOAUTH2 goes through to Dovecot, until the token is revoked."""
    token = postfix.dovecot.tokens.issue("noc@msp.example")

    def answer(challenge: bytes | None = None) -> str:
        return "" if challenge else f"user=noc@msp.example\x01auth=Bearer {token}\x01\x01"

    with smtplib.SMTP_SSL("localhost", postfix.submissions_port, timeout=10, context=postfix.context()) as client:
        client.ehlo()
        code, _ = client.auth("XOAUTH2", answer)
        assert code == 235
    postfix.dovecot.tokens.revoke(token)
    with smtplib.SMTP_SSL("localhost", postfix.submissions_port, timeout=10, context=postfix.context()) as client:
        client.ehlo()
        with pytest.raises(smtplib.SMTPAuthenticationError):
            client.auth("XOAUTH2", answer)


def test_submission_wants_tls_and_a_login(postfix: Postfix) -> None:
    """Without TLS not even AUTH is offered; with it, a wrong password and no login at all are both refused."""
    with smtplib.SMTP("localhost", postfix.submission_port, timeout=10) as client:
        client.ehlo()
        assert not client.has_extn("auth")
    with submission(postfix) as client, pytest.raises(smtplib.SMTPAuthenticationError):
        client.login("noc@msp.example", "wrong")
    with submission(postfix) as client, pytest.raises(smtplib.SMTPRecipientsRefused):
        client.sendmail("noc@msp.example", ["john@northwind.example"], message("john@northwind.example", "stranger"))


def test_port_25_takes_mail_from_the_world_with_a_null_sender(postfix: Postfix) -> None:
    """A bounce reaches a local mailbox without a login, and the Return-Path says so."""
    with smtplib.SMTP("localhost", postfix.smtp_port, timeout=10) as client:
        client.sendmail("", ["bounced@msp.example"], message("bounced@msp.example", "undeliverable"))
    assert wait_until(lambda: len(postfix.dovecot.inbox("bounced@msp.example")) == 1)
    assert b"Return-Path: <>\r\n" in postfix.dovecot.inbox("bounced@msp.example")[0]


def test_mail_for_strangers_is_thrown_away(postfix: Postfix) -> None:
    """An address outside the test's domains is accepted and discarded, and the log shows it: nothing gets out."""
    with submission(postfix) as client:
        client.login("noc@msp.example", postfix.dovecot.password)
        client.sendmail("noc@msp.example", ["stranger@example.org"], message("stranger@example.org", "discarded"))
    assert wait_until(lambda: "stranger@example.org" in postfix.discarded())


def test_a_stopped_server_comes_back(postfix: Postfix) -> None:
    """A test may take the server away and give it back on the same ports."""
    postfix.daemon.stop()
    try:
        with pytest.raises(ConnectionRefusedError):
            smtplib.SMTP("localhost", postfix.submission_port, timeout=10)
    finally:
        postfix.daemon.start()
    with submission(postfix) as client:
        client.login("noc@msp.example", postfix.dovecot.password)
