"""Words -> bytes: an RFC 5322 message built by hand, since the library's way costs twenty times as much.

Nothing that came in by mail can start a header of its own: control characters are refused, here and at start-up
(`self_test`).
"""

import email.charset
import email.quoprimime
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.header import Header
from email.utils import format_datetime

from mailflow.domain.people import Address
from mailflow.writing.render import Rendered

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# atext of RFC 5322 3.2.3 and blanks: a display name of these needs no quotes
PLAIN_NAME = re.compile(r"[A-Za-z0-9 !#$%&'*+/=?^_`{|}~-]*")
ADDRESS = re.compile(r"[^\s<>()\[\],;:\\\"@]+@[^\s<>()\[\],;:\\\"@]+")
LINE = 76  # RFC 5322 2.1.1 asks for 78 at most


class HeaderError(ValueError):
    """Something that must not stand in a header."""


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """Everything about a message that is not its words."""

    sender: Address
    recipient: Address
    reply_to: Address
    message_id: str
    date: datetime
    references: tuple[str, ...] = ()  # oldest first
    automatic: bool = True  # nobody approved it: say so, and ask machines not to answer (RFC 3834)
    extra: Mapping[str, str] = field(default_factory=dict)


def compose(envelope: Envelope, words: Rendered) -> bytes:
    """A multipart/alternative message with CRLF line ends, text first; HeaderError where a header would break."""
    boundary = f"=_{envelope.message_id.strip('<>').partition('@')[0]}"
    headers = [
        ("From", address_header(envelope.sender)),
        ("To", address_header(envelope.recipient)),
        ("Reply-To", address_header(envelope.reply_to)),
        ("Subject", words_header(words.subject)),
        ("Date", format_datetime(envelope.date)),
        ("Message-ID", _plain(envelope.message_id)),
        ("MIME-Version", "1.0"),
    ]
    if envelope.references:
        headers.append(("In-Reply-To", _plain(envelope.references[-1])))
        headers.append(("References", "\r\n ".join(map(_plain, envelope.references))))
    if envelope.automatic:
        headers += [("Auto-Submitted", "auto-generated"), ("X-Auto-Response-Suppress", "All")]
    headers += [(name, words_header(value)) for name, value in envelope.extra.items()]
    headers.append(("Content-Type", f'multipart/alternative;\r\n boundary="{boundary}"'))
    head = "".join(f"{name}: {value}\r\n" for name, value in headers)
    parts = "".join(
        f"--{boundary}\r\nContent-Type: text/{kind}; charset=utf-8\r\n"
        f"Content-Transfer-Encoding: quoted-printable\r\n\r\n{_quoted_printable(body)}\r\n"
        for kind, body in (("plain", words.text), ("html", words.html))
    )
    return f"{head}\r\n{parts}--{boundary}--\r\n".encode("ascii")


def address_header(address: Address) -> str:
    """A mailbox as RFC 5322 3.4 wants it; HeaderError for control characters or an address that is none."""
    _plain(address.address)
    if not ADDRESS.fullmatch(address.address):
        raise HeaderError(f"not an address: {address.address!r}")
    if not address.name:
        return address.address
    if not _reads_as_it_is(address.name) or len(address.name) > LINE:
        return f"{words_header(address.name, encoded=True)} <{address.address}>"
    _plain(address.name)
    if PLAIN_NAME.fullmatch(address.name):
        return f"{address.name} <{address.address}>"
    escaped = address.name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}" <{address.address}>'


def words_header(text: str, *, encoded: bool = False) -> str:
    """Words for a header, RFC 2047 encoded where they must be, folded; HeaderError for control characters."""
    if CONTROL.search(text):
        raise HeaderError(f"control character in {text!r}")
    encoded = encoded or not _reads_as_it_is(text)
    return Header(text, "utf-8" if encoded else None, maxlinelen=LINE).encode(linesep="\r\n")


def self_test() -> None:
    """That no header can be smuggled in; run at start-up, since the standard library has let one through before."""
    for hostile in ("a\r\nBcc: x@example.com", "a\nb", "a\x0bb", "a\x85b", "a\u2028b"):
        for build in (words_header, lambda t: address_header(Address(name=t, address="x@example.com"))):
            try:
                build(hostile)
            except HeaderError:
                continue
            raise HeaderError(f"a control character passed: {hostile!r}")


def _reads_as_it_is(text: str) -> bool:
    """Whether it can stand in a header unencoded: ASCII, nothing that looks encoded, no word too long to be folded."""
    return text.isascii() and "=?" not in text and all(len(word) < LINE for word in text.split())


def _plain(value: str) -> str:
    if CONTROL.search(value) or not value.isascii():
        raise HeaderError(f"not plain: {value!r}")
    return value


def _quoted_printable(text: str) -> str:
    """RFC 2045 6.7; the encoder wants each byte as one character."""
    raw = text.replace("\r\n", "\n").replace("\r", "\n").encode().decode("latin-1")
    return email.quoprimime.body_encode(raw, maxlinelen=LINE, eol="\r\n")
