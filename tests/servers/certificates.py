"""A throw-away certificate authority and one server certificate for localhost, made by openssl.

As strict as Python 3.13 checks by default (VERIFY_X509_STRICT): the authority says what its key is for, and the
server's certificate names its issuer's key (RFC 5280 4.2.1.1).
"""

import ssl
from dataclasses import dataclass
from pathlib import Path

from tests.servers.daemon import program, run_once

AUTHORITY = """\
[req]
distinguished_name = name
x509_extensions = extensions
prompt = no
[name]
CN = mailflow test authority
[extensions]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
"""
SERVER_NAME = """\
[req]
distinguished_name = name
prompt = no
[name]
CN = localhost
"""
SERVER_EXTENSIONS = """\
subjectAltName = DNS:localhost, IP:127.0.0.1
basicConstraints = CA:FALSE
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""
NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
DAYS = "2"  # longer than any test run, shorter than anybody's wish to keep it


@dataclass(frozen=True, kw_only=True)
class Certificates:
    """Where the authority's certificate, the server's certificate and the server's key lie."""

    ca_file: Path
    server_file: Path
    key_file: Path

    def context(self) -> ssl.SSLContext:
        """What a client needs to trust these servers and nobody else."""
        return ssl.create_default_context(cafile=str(self.ca_file))


def make_certificates(folder: Path) -> Certificates:
    """Make them in `folder`."""
    openssl = program("openssl", "OpenSSL's command", "openssl")
    for name, text in (("ca.cnf", AUTHORITY), ("server.cnf", SERVER_NAME), ("server.ext", SERVER_EXTENSIONS)):
        (folder / name).write_text(text)
    ca, ca_key, request = folder / "ca.pem", folder / "ca.key", folder / "server.csr"
    server, key = folder / "server.pem", folder / "server.key"
    signed_by = ("-CA", ca, "-CAkey", ca_key, "-CAcreateserial")
    for step in (
        ["req", "-x509", *NEW_KEY, "-keyout", ca_key, "-out", ca, "-days", DAYS, "-config", folder / "ca.cnf"],
        ["req", *NEW_KEY, "-keyout", key, "-out", request, "-config", folder / "server.cnf"],
        ["x509", "-req", *signed_by, "-in", request, "-out", server, "-days", DAYS, "-extfile", folder / "server.ext"],
    ):
        run_once([openssl, *map(str, step)], "making the test certificates")
    key.chmod(0o644)  # the servers run as other users; the key guards nothing
    return Certificates(ca_file=ca, server_file=server, key_file=key)
