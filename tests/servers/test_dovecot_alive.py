"""The test Dovecot behaves like the servers it stands for; every other test on it rests on this."""

import pytest
from imapclient import IMAPClient
from imapclient.exceptions import LoginError

from tests.servers.dovecot import Dovecot

pytestmark = pytest.mark.servers

MAIL = b"From: ann@example.com\r\nTo: alive@msp.example\r\nSubject: are you there\r\n\r\nHello.\r\n"


def starttls(dovecot: Dovecot) -> IMAPClient:
    """A client on the STARTTLS port, with TLS and not yet logged in."""
    client = IMAPClient(dovecot.host, dovecot.imap_port, ssl=False, timeout=10)
    client.starttls(dovecot.context())
    return client


def test_a_password_logs_in_over_both_kinds_of_tls(dovecot: Dovecot) -> None:
    """STARTTLS and implicit TLS both verify against the test authority and lead to an INBOX with special folders."""
    with starttls(dovecot) as client:
        client.login("alive@msp.example", dovecot.password)
        assert {"INBOX", "Sent"} <= {name for _, _, name in client.list_folders()}
    with dovecot.login("alive@msp.example") as client:
        assert {b"IDLE", b"MOVE", b"UIDPLUS"} <= set(client.capabilities())


def test_a_wrong_password_is_refused(dovecot: Dovecot) -> None:
    """It gets the answer that every provider gives (RFC 5530), and without a delay that would slow the tests."""
    with starttls(dovecot) as client, pytest.raises(LoginError, match="AUTHENTICATIONFAILED"):
        client.login("alive@msp.example", "wrong")


def test_mail_that_is_delivered_is_in_the_inbox(dovecot: Dovecot) -> None:
    """LMTP puts it there with its text as it was, and a plus-tag does not make another mailbox."""
    dovecot.deliver("tagged+a1b2@msp.example", MAIL)
    (raw,) = dovecot.inbox("tagged@msp.example")
    assert raw.endswith(MAIL)
    assert b"Delivered-To: tagged+a1b2@msp.example\r\n" in raw


def test_a_token_is_good_until_it_is_revoked(dovecot: Dovecot) -> None:
    """XOAUTH2 lets a good token in, for its owner alone, and refuses it from the moment it is revoked."""
    token = dovecot.tokens.issue("noc@msp.example")
    with starttls(dovecot) as client:
        client.oauth2_login("noc@msp.example", token)
        client.select_folder("INBOX")
    with starttls(dovecot) as client, pytest.raises(LoginError):
        client.oauth2_login("other@msp.example", token)
    dovecot.tokens.revoke(token)
    with starttls(dovecot) as client, pytest.raises(LoginError):
        client.oauth2_login("noc@msp.example", token)


def test_a_stopped_server_comes_back_with_its_mail(dovecot: Dovecot) -> None:
    """A test may take the server away and give it back on the same ports."""
    dovecot.deliver("patient@msp.example", MAIL)
    dovecot.daemon.stop()
    try:
        with pytest.raises(OSError, match="refused"):
            dovecot.login("patient@msp.example")
    finally:
        dovecot.daemon.start()
    assert len(dovecot.inbox("patient@msp.example")) == 1


def test_a_kicked_user_loses_the_connection(dovecot: Dovecot) -> None:
    """`kick` ends a session in the middle, as a provider's restart does."""
    client = dovecot.login("kicked@msp.example")
    try:
        dovecot.kick("kicked@msp.example")
        with pytest.raises((IMAPClient.Error, OSError)):
            client.noop()
    finally:
        client.shutdown()
