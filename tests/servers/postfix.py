"""A real Postfix for a test run: port 25's service, submission with and without STARTTLS, Dovecot behind it.

Mail to LOCAL_DOMAINS goes to Dovecot by LMTP, whoever the user is; all other mail is accepted and thrown away, so
no test can ever write to a stranger.
"""

import os
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.certificates import Certificates
from tests.servers.daemon import (
    HOST,
    Daemon,
    Missing,
    as_user,
    folder_for,
    free_ports,
    give,
    is_root,
    program,
    run_once,
)
from tests.servers.dovecot import Dovecot

LOCAL_DOMAINS = ("msp.example", "northwind.example", "contoso.example")
PACKAGES = "postfix"

MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = {commands}
daemon_directory = {daemons}
mail_owner = postfix
setgid_group = postdrop
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
myhostname = mx.msp.example
mydestination =
inet_interfaces = {host}
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
local_transport = error:no local users here
virtual_mailbox_domains = {domains}
virtual_transport = lmtp:inet:{host}:{lmtp}
default_transport = discard:outside the test
smtpd_recipient_restrictions = permit_mynetworks, permit_sasl_authenticated, reject
smtpd_tls_cert_file = {certificate}
smtpd_tls_key_file = {key}
smtpd_tls_security_level = may
smtpd_tls_auth_only = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:{host}:{sasl}
smtpd_sasl_auth_enable = yes
recipient_delimiter = +
smtpd_error_sleep_time = 0
smtputf8_enable = yes
minimal_backoff_time = 1s
maximal_backoff_time = 5s
queue_run_delay = 1s
"""

# No chroot anywhere: the folder is not laid out for it.
MASTER = """\
{host}:{smtp} inet n - n - - smtpd
{host}:{submission} inet n - n - - smtpd
  -o smtpd_tls_security_level=encrypt
  -o smtpd_recipient_restrictions=permit_sasl_authenticated,reject
  -o smtpd_data_restrictions=check_sasl_access,regexp:{configuration}/results
{host}:{submissions} inet n - n - - smtpd
  -o smtpd_tls_wrappermode=yes
  -o smtpd_recipient_restrictions=permit_sasl_authenticated,reject
  -o smtpd_data_restrictions=check_sasl_access,regexp:{configuration}/results
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
lmtp unix - - n - - lmtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""

# Who logged in, told to the reader as providers do (RFC 8601 2.7.4). At DATA: once, however many recipients there are.
RESULTS = "/^(.+)$/ PREPEND Authentication-Results: mx.msp.example; auth=pass smtp.auth=$1\n"

# The master itself, not `postfix start`, which would leave it behind as nobody's child; and under a shell that hands on
# the signal, since a process that changes its user, as the master does, loses its wish to hear of its parent's death.
KEEPER = '"$@" & trap "kill $!" TERM; wait; wait'


@dataclass(frozen=True, kw_only=True)
class Postfix:
    """A running Postfix. `daemon.stop()` and `daemon.start()` take it away and give it back, queue and all."""

    host: str
    smtp_port: int  # as the world sees it: no login, STARTTLS offered
    submission_port: int  # STARTTLS, then AUTH (RFC 6409); any user, Dovecot's password or token
    submissions_port: int  # TLS from the first byte (RFC 8314), then AUTH
    domains: tuple[str, ...]  # delivered to Dovecot; everything else is discarded
    ca_file: Path
    log: Path
    dovecot: Dovecot
    daemon: Daemon

    def context(self) -> ssl.SSLContext:
        """A client's TLS settings that trust this server."""
        return ssl.create_default_context(cafile=str(self.ca_file))

    def discarded(self) -> list[str]:
        """The addresses outside our domains to which mail was accepted, oldest first."""
        return re.findall(r"discard\[.*? to=<(.*?)>.* status=sent", self.log.read_text("utf-8", "replace"))

    def taken(self, since: int = 0) -> list[str]:
        """The addresses to which mail was delivered, discarded or put off, from byte `since` of the log on."""

        log = self.log.read_bytes()[since:].decode("utf-8", "replace")
        return re.findall(r"/(?:lmtp|discard|error)\[.*? to=<(.*?)>", log)


@contextmanager
def running_postfix(certificates: Certificates, dovecot: Dovecot) -> Iterator[Postfix]:
    """A Postfix that runs while the block does, in front of `dovecot`. Its master insists on being root."""
    postfix = program("postfix", "Postfix", PACKAGES)
    postconf = program("postconf", "Postfix", PACKAGES)
    if not is_root():
        raise Missing("Postfix can be started by root only: run these tests as root, in a container for instance")
    daemons = Path(run_once([postconf, "-d", "-h", "daemon_directory"], "asking where Postfix lives").strip())
    smtp, submission, submissions = free_ports(3)
    with folder_for("postfix", "root") as folder:
        for name in ("conf", "queue", "data"):
            (folder / name).mkdir()
        give(folder / "data", "postfix")
        configuration = folder / "conf"
        (configuration / "main.cf").write_text(
            MAIN.format(
                folder=folder,
                commands=Path(postfix).parent,
                daemons=daemons,
                host=HOST,
                domains=", ".join(LOCAL_DOMAINS),
                lmtp=dovecot.lmtp_port,
                sasl=dovecot.sasl_port,
                certificate=certificates.server_file,
                key=certificates.key_file,
            )
        )
        (configuration / "master.cf").write_text(
            MASTER.format(
                host=HOST, smtp=smtp, submission=submission, submissions=submissions, configuration=configuration
            )
        )
        (configuration / "results").write_text(RESULTS)
        run_once([postfix, "-c", str(configuration), "check"], "laying out Postfix's queue")
        daemon = Daemon(
            name="Postfix",
            command=[
                *as_user("root"),
                "/bin/sh",
                "-c",
                KEEPER,
                "sh",
                str(daemons / "master"),
                "-c",
                str(configuration),
            ],
            log=folder / "log",
            ports=[smtp, submission, submissions],
            env={**os.environ, "MAIL_CONFIG": str(configuration)},
        )
        try:
            daemon.start()
            yield Postfix(
                host=HOST,
                smtp_port=smtp,
                submission_port=submission,
                submissions_port=submissions,
                domains=LOCAL_DOMAINS,
                ca_file=certificates.ca_file,
                log=folder / "log",
                dovecot=dovecot,
                daemon=daemon,
            )
        finally:
            daemon.stop()
