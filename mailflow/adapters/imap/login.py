"""From an Account to a logged-in imapclient connection (RFC 8314, 4616, 7628).

Promises: the secret never crosses a connection that was to be protected and is not; what fails is closed.
"""

import contextlib
import socket
import ssl
from typing import Any

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError

from mailflow.adapters.account import Account, Mechanism, NoSecret, Security, tls_context, token_answers
from mailflow.adapters.imap.trouble import GARBLED, PASSING, origin, said, troubles
from mailflow.engine.inbox import InboxTrouble

LOGOUT_PATIENCE = 3.0  # seconds: goodbye is a courtesy, and a daemon told to stop has little time


def log_in(account: Account) -> Any:
    """A connected and authenticated IMAPClient. Raises InboxTrouble."""
    try:
        context = None if account.security is Security.PLAIN else tls_context(account)
    except (OSError, ValueError) as fault:
        raise InboxTrouble(
            "certificate", f"{account.where}: ca_file {account.ca_file} cannot be used: {fault}", permanent=True
        ) from fault
    with troubles(account, "connecting"):
        client = IMAPClient(
            account.host,
            account.port,
            ssl=account.security is Security.TLS,
            ssl_context=context,
            timeout=SocketTimeout(account.timeouts.connect, account.timeouts.answer),
        )
    try:
        client._imap.debug = 0  # imapclient sets 5, which formats every mail as text for a log that nobody keeps
        client.normalise_times = False  # aware datetimes
        with troubles(account, "connecting"):
            _tune(client.socket())
        if account.security is Security.STARTTLS:
            _start_tls(client, account, context)
        _authenticate(client, account)
    except BaseException:
        hang_up(client)
        raise
    return client


def hang_up(client: Any, *, goodbye: bool = False) -> None:
    """Close the socket, after LOGOUT where that still makes sense; never raises."""
    with contextlib.suppress(OSError, IMAPClientError, *GARBLED):
        if goodbye:
            client.socket().settimeout(LOGOUT_PATIENCE)
            client.logout()
            return
    with contextlib.suppress(OSError, IMAPClientError, *GARBLED):
        client.shutdown()


def _tune(connection: socket.socket) -> None:
    """Without Nagle's wait a round trip takes 33 ms, with it 120: one command is written in several pieces."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 20), ("TCP_KEEPCNT", 4)):  # gone is known in 140 s
        if hasattr(socket, option):
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)


def _start_tls(client: Any, account: Account, context: ssl.SSLContext | None) -> None:
    """Encrypt, or give up: a server that stopped offering STARTTLS may be somebody in between."""
    with troubles(account, "STARTTLS"):
        # PREAUTH before TLS is another way to talk a client out of it (RFC 9051 7.1.4).
        if client._imap.state != "NONAUTH" or not client.has_capability("STARTTLS"):
            raise InboxTrouble(
                "protocol",
                f"{account.where}: the server does not offer STARTTLS, and nothing is said in clear; "
                'use security = "tls" with its TLS port (993)',
                permanent=True,
            )
        try:
            client.starttls(context)
        except IMAPClientAbortError:
            raise
        except IMAPClientError as fault:
            raise InboxTrouble(
                "protocol", f"{account.where}: STARTTLS refused: {said(fault)}", permanent=True
            ) from fault


def _authenticate(client: Any, account: Account) -> None:
    if not account.username or client._imap.state != "NONAUTH":
        raise InboxTrouble("login", f"{account.where}: a mailbox needs a user name and a login", permanent=True)
    try:
        secret = account.ask_secret()
    except NoSecret as fault:
        raise InboxTrouble("login", str(fault), permanent=fault.permanent) from fault
    with troubles(account, "login"):
        try:
            if account.mechanism is Mechanism.PASSWORD:
                _present_password(client, account, secret)
            else:
                _present_token(client, account, secret)
        except IMAPClientError as fault:
            words = said(fault, without=secret)
            if isinstance(origin(fault), IMAPClientAbortError):
                raise InboxTrouble("connection", f"{account.where}: lost at login: {words}", permanent=False) from None
            raise InboxTrouble(
                "login",
                f"{account.where}: login of {account.username} refused: {words}; check its password or token",
                permanent=not PASSING.search(words),
            ) from None  # the library's error may hold what was sent


def _present_password(client: Any, account: Account, password: str) -> None:
    if client.has_capability("AUTH=PLAIN"):  # RFC 4616: UTF-8, and nothing that needs quoting
        client.plain_login(account.username, password)
    elif client.has_capability("LOGINDISABLED") or not (account.username + password).isascii():
        raise InboxTrouble(
            "login",
            f"{account.where}: the server takes no such password (no AUTH=PLAIN); many providers want OAuth now",
            permanent=True,
        )
    else:  # imaplib quotes the password but not the name
        name = account.username.replace("\\", "\\\\").replace('"', '\\"')
        client.login(f'"{name}"', password)


def _present_token(client: Any, account: Account, token: str) -> None:
    mechanism = account.mechanism.name
    if not client.has_capability(f"AUTH={mechanism}"):
        raise InboxTrouble(
            "login", f"{account.where}: the server does not offer {mechanism}; it may want a password", permanent=True
        )
    answers = iter(token_answers(account, token))
    client.sasl_login(mechanism, lambda challenge: next(answers, b""))
