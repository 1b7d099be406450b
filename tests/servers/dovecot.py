"""A real Dovecot for a test run: IMAP, LMTP, and the SASL service that Postfix asks.

Any address is a user with the password PASSWORD, so a test that wants an empty mailbox makes up an address.
"""

import re
import shutil
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from imapclient import IMAPClient

from tests.servers.certificates import Certificates
from tests.servers.daemon import HOST, Daemon, Missing, as_user, folder_for, free_ports, give, program, run_as, run_once
from tests.servers.tokens import TokenService, token_service

PASSWORD = "correct-horse"  # without a blank: Dovecot splits the static passdb's arguments at blanks
PACKAGES = "dovecot-imapd dovecot-lmtpd"

OAUTH = """\
introspection_mode = get
introspection_url = {url}
username_attribute = email
active_attribute = active
active_value = true
"""

# Dovecot 2.3. What is set against its defaults, and why:
# - every user it would switch to is ours, and nothing is chrooted: it was not started by root;
# - the auth penalty is cut off (mode 0) and no failure is delayed, else wrong passwords take seconds;
# - mail_fsync = never: nobody will miss this mail.
CONFIGURATION = """\
base_dir = {folder}/run
state_dir = {folder}/state
log_path = /dev/stderr
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
protocols = imap lmtp
listen = {host}
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{key}
disable_plaintext_auth = no
auth_mechanisms = plain login xoauth2 oauthbearer
auth_failure_delay = 0
mail_location = maildir:{folder}/mail/%u
mail_fsync = never
recipient_delimiter = +
mail_max_userip_connections = 100
passdb {{
  driver = static
  args = password={password}
  mechanisms = plain login
}}
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {folder}/oauth2.conf.ext
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}/mail/%u allow_all_users=yes
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Sent {{
    special_use = \\Sent
    auto = subscribe
  }}
  mailbox Drafts {{
    special_use = \\Drafts
    auto = create
  }}
  mailbox Junk {{
    special_use = \\Junk
    auto = create
  }}
  mailbox Trash {{
    special_use = \\Trash
    auto = create
  }}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
service lmtp {{
  inet_listener lmtp {{
    port = {lmtp}
  }}
}}
service auth {{
  inet_listener {{
    port = {sasl}
  }}
}}
"""


@dataclass(frozen=True, kw_only=True)
class Dovecot:
    """A running Dovecot. `daemon.stop()` and `daemon.start()` take it away and give it back, mail and all."""

    host: str  # an address; its certificate names it, and localhost
    imap_port: int  # STARTTLS (RFC 3501 6.2.1); before it a password is taken too, as Dovecot trusts its own machine
    imaps_port: int  # TLS from the first byte (RFC 8314)
    lmtp_port: int
    sasl_port: int
    ca_file: Path
    password: str  # everybody's
    tokens: TokenService  # which XOAUTH2 tokens are good
    folder: Path
    doveadm: str
    daemon: Daemon

    def context(self) -> ssl.SSLContext:
        """A client's TLS settings that trust this server."""
        return ssl.create_default_context(cafile=str(self.ca_file))

    def login(self, user: str) -> IMAPClient:
        """A client of its own, logged in as `user` with the password; the caller logs it out."""
        client = IMAPClient(self.host, self.imaps_port, ssl=True, ssl_context=self.context(), timeout=10)
        try:
            client.login(user, self.password)
        except BaseException:
            client.shutdown()
            raise
        return client

    def deliver(self, user: str, raw: bytes, sender: str = "") -> None:
        """Put `raw` into the INBOX of `user` as an MTA would, by LMTP (RFC 2033)."""
        with smtplib.LMTP(self.host, self.lmtp_port) as lmtp:
            lmtp.sendmail(sender, [user], raw)

    def inbox(self, user: str, folder: str = "INBOX") -> list[bytes]:
        """The bytes of every message in a folder of `user`, oldest first, read without marking any as seen.

        A folder that is not there holds nothing.
        """
        with self.login(user) as client:
            if not client.folder_exists(folder):
                return []
            client.select_folder(folder, readonly=True)
            found = client.fetch(client.search(), ["BODY.PEEK[]"])
            return [found[uid][b"BODY[]"] for uid in sorted(found)]

    def forget(self, user: str) -> None:
        """Take away all that `user` has, so that the next test finds the mailbox new."""
        shutil.rmtree(self.folder / "mail" / user, ignore_errors=True)

    def kick(self, user: str) -> None:
        """End every connection of `user`, as an administrator or a provider's restart does."""
        configuration = str(self.folder / "dovecot.conf")
        run_once([self.doveadm, "-c", configuration, "kick", user], f"kicking {user}")


def check_version(dovecot: str) -> None:
    """Missing where this is not the 2.3 whose configuration language is spoken here."""
    version = run_once([dovecot, "--version"], "asking Dovecot's version").split()[0]
    if not re.match(r"2\.3\.", version):
        raise Missing(
            f"Dovecot is {version}, whose configuration language is another; these tests speak that of 2.3"
            f" (Debian 12, Ubuntu 22.04 and 24.04: apt-get install {PACKAGES})"
        )


@contextmanager
def running_dovecot(certificates: Certificates) -> Iterator[Dovecot]:
    """A Dovecot that runs while the block does. Root starts it as nobody; anybody else as themselves."""
    dovecot = program("dovecot", "Dovecot", PACKAGES)
    doveadm = program("doveadm", "Dovecot", PACKAGES)
    check_version(dovecot)
    for part in ("imap", "lmtp"):  # two packages; with only one of them Dovecot starts and then serves half
        if not any((Path(place) / part).exists() for place in ("/usr/lib/dovecot", "/usr/libexec/dovecot")):
            raise Missing(f"Dovecot's {part} part is not installed: apt-get install {PACKAGES}")
    user = run_as("nobody")
    group = run_once(["id", "-gn", user], "asking for a group").strip()
    imap, imaps, lmtp, sasl = free_ports(4)
    with token_service() as tokens, folder_for("dovecot", user) as folder:
        for name in ("run", "state", "mail"):
            (folder / name).mkdir()
        (folder / "oauth2.conf.ext").write_text(OAUTH.format(url=tokens.url))
        (folder / "dovecot.conf").write_text(
            CONFIGURATION.format(
                folder=folder,
                user=user,
                group=group,
                host=HOST,
                certificate=certificates.server_file,
                key=certificates.key_file,
                password=PASSWORD,
                imap=imap,
                imaps=imaps,
                lmtp=lmtp,
                sasl=sasl,
            )
        )
        give(folder, user)
        daemon = Daemon(
            name="Dovecot",
            command=[*as_user(user), dovecot, "-F", "-c", str(folder / "dovecot.conf")],
            log=folder / "log",
            ports=[imap, imaps, lmtp, sasl],
        )
        try:
            daemon.start()
            yield Dovecot(
                host=HOST,
                imap_port=imap,
                imaps_port=imaps,
                lmtp_port=lmtp,
                sasl_port=sasl,
                ca_file=certificates.ca_file,
                password=PASSWORD,
                tokens=tokens,
                folder=folder,
                doveadm=doveadm,
                daemon=daemon,
            )
        finally:
            daemon.stop()
