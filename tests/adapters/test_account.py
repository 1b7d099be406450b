"""An account is checked when it is made, and its secret when it is asked for."""

import ssl
from typing import Any

import pytest

from mailflow.adapters.account import NoSecret, Security, is_loopback, one_line, tls_context


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "127.8.8.8", "::1", "[::1]"])
def test_plain_on_this_machine(host: str, account_at: Any) -> None:
    """Plain text is allowed where nobody can listen in."""
    assert is_loopback(host)
    assert account_at(143, host=host).host == host


@pytest.mark.parametrize("host", ["mail.example.net", "10.0.0.1", "localhost.example.net", "128.0.0.1", "::2", ""])
def test_plain_anywhere_else(host: str, account_at: Any) -> None:
    """Plain text to another machine is refused when the account is made, with what to write instead."""
    with pytest.raises(ValueError, match="starttls"):
        account_at(143, host=host)
    assert account_at(143, host=host, security=Security.STARTTLS).security is Security.STARTTLS


def test_certificates_are_verified(account_at: Any, certificates: Any) -> None:
    """Chain and name are always verified; an authority of one's own is trusted besides the system's."""
    plain = tls_context(account_at(993))
    assert (plain.verify_mode, plain.check_hostname) == (ssl.CERT_REQUIRED, True)
    own = tls_context(account_at(993, ca_file=certificates.ca_file))
    assert own.verify_mode is ssl.CERT_REQUIRED
    assert len(own.get_ca_certs()) == len(plain.get_ca_certs()) + 1


@pytest.mark.parametrize("secret", ["", "two\nlines", "nul\0"])
def test_secrets_that_cannot_be_sent(secret: str, account_at: Any) -> None:
    """Nothing, a line end and NUL are no secret; the message does not show it."""
    with pytest.raises(NoSecret) as fault:
        account_at(993, secret=lambda: secret).ask_secret()
    assert "two" not in str(fault.value)


def test_secret_is_not_shown(account_at: Any) -> None:
    """An account in a log shows neither the secret nor where it comes from."""
    assert "secret" not in repr(account_at(993))


def test_one_line_is_fit_for_a_log() -> None:
    """Other people's words come out on one bounded, printable line, without the secret."""
    assert one_line("a\r\n\tb\x1b[0m \udcff s3cret", without="s3cret") == "a b [0m ? ***"
    assert len(one_line("x" * 1000)) == 300
