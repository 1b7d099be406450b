"""`[[mailbox]]`: a shared inbox, where its letters are handed in, and what we log in with.

A secret is given by exactly one key. No model here ever shows one: not in an error, not in its repr.
"""

from enum import StrEnum
from typing import Self

from pydantic import Field, SecretStr, StrictBool, model_validator

from mailflow.config.notation import (
    Argument,
    Credential,
    Host,
    MailAddress,
    OneLine,
    Port,
    Start,
    Variable,
    WrittenPath,
    is_this_machine,
)
from mailflow.config.table import Faults, Table

# The keys that say where a secret comes from: at most one of them for each server.
SECRET_KEYS = ("password", "password_file", "password_env", "credential", "token_file", "token_command")


class Security(StrEnum):
    """How a connection is protected."""

    TLS = "tls"
    STARTTLS = "starttls"
    PLAIN = "plain"


class ServerTable(Table):
    """`imap = {…}` or `smtp = {…}`: where a server is, and what we log in with."""

    host: Host = Field(description="the server's name, like `mail.example.com`")
    security: Security = Security.TLS
    username: OneLine | None = None
    password: SecretStr | None = None
    password_file: WrittenPath | None = None
    password_env: Variable | None = None
    credential: Credential | None = None
    token_file: WrittenPath | None = None
    token_command: tuple[Argument, ...] | None = Field(default=None, min_length=1, repr=False)
    ca_file: WrittenPath | None = None

    @property
    def secret_keys(self) -> tuple[str, ...]:
        """The keys by which this server's secret is given."""
        return tuple(key for key in SECRET_KEYS if getattr(self, key) is not None)

    @property
    def uses_token(self) -> bool:
        """Whether the secret is an OAuth access token (XOAUTH2), not a password."""
        return self.token_file is not None or self.token_command is not None

    @model_validator(mode="after")
    def _kept_from_others(self) -> Self:
        """No secret travels unprotected, and none lies in a file that people copy into tickets."""
        faults = []
        here = is_this_machine(self.host)
        if self.security is Security.PLAIN and not here:
            why = "`plain` would send the password unprotected, so it is for a server on this machine only"
            faults.append(("security", f"{why}; write `tls` or `starttls`"))
        if self.password is not None and not here:
            why = "a password inside this file is for a server on this machine only"
            faults.append(("password", f"{why}; put it in a file of its own and write `password_file`"))
        elif self.password is not None and not self.password.get_secret_value():
            faults.append(("password", "empty; write the password between the quotes"))
        if len(self.secret_keys) > 1:
            both = " and ".join(f"`{key}`" for key in self.secret_keys)
            faults.append(("", f"the secret is given more than once, by {both}; keep one"))
        if faults:
            raise Faults(*faults)
        return self


class ImapServer(ServerTable):
    """Where mail is read; the ports are those of RFC 8314 (TLS) and RFC 3501."""

    port: Port = Field(default_factory=lambda given: 993 if given["security"] is Security.TLS else 143)


class SmtpServer(ServerTable):
    """Where letters are handed in; the ports are those of RFC 8314 (TLS) and RFC 6409."""

    port: Port = Field(default_factory=lambda given: 465 if given["security"] is Security.TLS else 587)


class Filing(StrEnum):
    """What happens to a mail that has been dealt with."""

    LEAVE = "leave"
    MOVE = "move"


class Proof(StrEnum):
    """How it is proven that a server took a letter whose acceptance nobody heard."""

    SENT = "sent"  # the provider files a copy in Sent
    COPY = "copy"  # the mailbox itself is a second recipient of the same transaction


class Auth(StrEnum):
    """Whose word about a mail's sender is believed."""

    NONE = "none"
    GMAIL = "gmail"
    M365 = "m365"
    GENERIC = "generic"


class MailboxEntry(Table):
    """`[[mailbox]]`: a shared inbox."""

    name: OneLine = Field(description="a name for this mailbox, like `NOC`")
    address: MailAddress = Field(description="the mailbox's mail address")
    folder: OneLine = "INBOX"
    imap: ImapServer = Field(description="where its mail is read, like `imap = { host = …, password_file = … }`")
    smtp: SmtpServer = Field(description="where its letters are handed in, like `smtp = { host = … }`")
    start: Start = "now"
    file: Filing = Filing.LEAVE
    done_folder: OneLine = "Mailflow/Done"
    file_clients: StrictBool = False
    proof: Proof = Field(
        description="`sent` where the provider files a copy of what is sent in Sent (most do), else `copy`"
    )
    plus_addressing: StrictBool = True
    auth: Auth = Auth.NONE
    authserv_id: OneLine | None = None

    @property
    def imap_username(self) -> str:
        """Whom we log in as to read."""
        return self.imap.username or self.address

    @property
    def smtp_username(self) -> str:
        """Whom we log in as to send: as for reading, unless said otherwise."""
        return self.smtp.username or self.imap_username

    @property
    def smtp_secret_from(self) -> ServerTable:
        """The server whose secret opens SMTP: its own, else the IMAP server's."""
        return self.smtp if self.smtp.secret_keys else self.imap

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        """What the keys say together."""
        faults = []
        if not self.imap.secret_keys:
            keys = ", ".join(f"`{key}`" for key in SECRET_KEYS[1:])
            faults.append(("imap", f"nothing to log in with; write one of {keys}"))
        # An IMAP password may lie in this file only for this machine: SMTP elsewhere would carry it out.
        if self.imap.password is not None and not self.smtp.secret_keys and not is_this_machine(self.smtp.host):
            why = "would be given the password that stands in this file for a server on this machine only"
            faults.append(("smtp", f"{why}; write `password_file` here"))
        if self.auth is Auth.GENERIC and self.authserv_id is None:
            why = 'missing; with `auth = "generic"`, write the name by which your own server begins its'
            faults.append(("authserv_id", f"{why} Authentication-Results headers"))
        if self.file is Filing.MOVE and self.done_folder.casefold() == self.folder.casefold():
            faults.append(("done_folder", "the same as `folder`, so nothing would ever be done; name another folder"))
        if faults:
            raise Faults(*faults)
        return self
