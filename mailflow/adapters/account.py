"""How a mail server is reached and logged in to: one value, shared by the reading and the sending side.

Promises: TLS is always verified and never falls back to plain text; plain text is spoken on this machine only; the
secret is asked for at every login, so that a rotated password or a refreshed token is seen without a restart.
"""

import ipaddress
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


class Security(StrEnum):
    """How the connection is protected."""

    TLS = "tls"  # from the first byte on (RFC 8314 3.3): 993, 465
    STARTTLS = "starttls"  # after the greeting, and refused where the server does not offer it: 143, 587
    PLAIN = "plain"  # nothing at all: loopback only


class Mechanism(StrEnum):
    """How the secret is presented."""

    PASSWORD = "password"  # PLAIN, else LOGIN  # noqa: S105 - the name of a mechanism
    XOAUTH2 = "xoauth2"  # Microsoft's and Google's form of a bearer token
    OAUTHBEARER = "oauthbearer"  # the standard's (RFC 7628)


class NoSecret(Exception):  # noqa: N818 - said as it is logged: "no secret: the token file … is empty"
    """No password or token could be had. The message names the source and what to do, never the secret.

    `permanent` is False where asking again may help by itself, as with a token endpoint that did not answer in time.
    """

    def __init__(self, message: str, *, permanent: bool = True) -> None:
        super().__init__(message)
        self.permanent = permanent


@dataclass(frozen=True, kw_only=True)
class Timeouts:
    """Seconds of patience with a server; monotonic, never the wall clock."""

    connect: float = 20.0  # for the connection, the TLS handshake and the greeting
    answer: float = 60.0  # for each read: busy servers take half a minute over a large SEARCH


@dataclass(frozen=True, kw_only=True)
class Account:
    """One login at one server."""

    host: str
    port: int
    security: Security
    username: str  # empty: no login (a relay on the own network)
    secret: Callable[[], str] = field(repr=False)  # asked at each login
    mechanism: Mechanism = Mechanism.PASSWORD
    ca_file: Path | None = None  # trusted besides the system's authorities, for servers with a private one
    timeouts: Timeouts = field(default_factory=Timeouts)

    def __post_init__(self) -> None:
        if self.security is Security.PLAIN and not is_loopback(self.host):
            raise ValueError(
                f'{self.host}:{self.port}: security = "plain" is for servers on this machine only; '
                'use "tls" (ports 993, 465) or "starttls" (ports 143, 587)'
            )

    @property
    def where(self) -> str:
        """The server as messages name it."""
        return f"{self.host}:{self.port}"

    def ask_secret(self) -> str:
        """The password or token of this moment; NoSecret where there is none that can be sent."""
        try:
            secret = self.secret()
        except OSError as fault:
            raise NoSecret(f"{self.where}: the secret of {self.username} could not be read: {fault}") from fault
        if not secret:
            raise NoSecret(f"{self.where}: the secret of {self.username} is empty; fill its file or variable")
        if any(char in secret for char in "\0\r\n"):
            # NUL separates the fields of SASL PLAIN, and a line end would begin a command of its own.
            raise NoSecret(f"{self.where}: the secret of {self.username} holds a line end; it must be one line")
        return secret


def is_loopback(host: str) -> bool:
    """Whether `host` names this machine by its form alone; DNS is not asked, since it may be made to lie."""
    if host.casefold() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def tls_context(account: Account) -> ssl.SSLContext:
    """A client's context that verifies chain and name against the system's authorities and the account's own."""
    context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # RFC 8996 retires 1.0 and 1.1
    if account.ca_file is not None:
        context.load_verify_locations(cafile=account.ca_file)
    return context


def one_line(text: str, *, without: str = "") -> str:
    """Another party's words made fit for a log line and a database: one line, no controls, bounded, no secret."""
    if without:
        text = text.replace(without, "***")
    text = text.encode("utf-8", "replace").decode("utf-8")  # servers may send bytes that are no text at all
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:300]


def token_answers(account: Account, token: str) -> tuple[bytes, bytes]:
    """What presents a bearer token, then the answer that makes a server say why it refused it."""
    if account.mechanism is Mechanism.XOAUTH2:
        return f"user={account.username}\1auth=Bearer {token}\1\1".encode(), b""
    name = account.username.replace("=", "=3D").replace(",", "=2C")  # RFC 5801 4
    return f"n,a={name},\1auth=Bearer {token}\1\1".encode(), b"\1"  # RFC 7628 3.1 and 3.2.3
