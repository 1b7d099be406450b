"""Mail that is made, or happens, to break programs: each is taken in, decided, and the next alert is handled."""

import re
from collections.abc import Callable
from email.message import EmailMessage

import pytest

from mailflow.demo.story import JOHN, VALERY
from mailflow.intake.parse import MAX_HEADER
from tests.hostile.conftest import Besieged
from tests.house import NOC

pytestmark = pytest.mark.soak

STRANGER = b"From: Mallory <mallory@elsewhere.example>\r\n"
HEAD = STRANGER + b"To: noc@msp.example\r\nDate: Tue, 24 Nov 2026 09:12:00 -0600\r\n"
# Behind these the author is out of sight of the test server, whose own parser would die of what follows.
PAD = b"".join(b"X-Pad-%d: %s\r\n" % (n, b"a" * 40_000) for n in range(2))
PLAIN = b"Content-Type: text/plain; charset=utf-8\r\n"


def mail(subject: bytes, rest: bytes, head: bytes = HEAD) -> bytes:
    """A mail from its parts; `rest` is further headers, an empty line and the body."""
    return head + b"Subject: " + subject + b"\r\n" + rest


def many_parts() -> bytes:
    """2,000 parts side by side."""
    part = b"--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n"
    return mail(b"many parts", b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n' + part * 2_000 + b"--b--\r\n")


def nested_parts() -> bytes:
    """3,000 parts one in another."""
    levels = b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n) for n in range(3_000))
    return mail(b"nested parts", levels + b"\r\nhello\r\n", PAD + HEAD)


def nested_messages() -> bytes:
    """500 messages forwarded one in another."""
    return mail(b"nested messages", b"Content-Type: message/rfc822\r\n\r\n" * 500 + b"hello\r\n", PAD + HEAD)


def parentheses() -> bytes:
    """An author that is 100 KB of opened comments."""
    head = PAD + b"From: " + b"(" * 100_000 + b"\r\nTo: noc@msp.example\r\n"
    return mail(b"parentheses", PLAIN + b"\r\nhello\r\n", head)


def many_authors() -> bytes:
    """An author line of 50 KB with a thousand addresses."""
    names = b", ".join(b"a%d@elsewhere.example" % n for n in range(2_000))
    return mail(b"authors", PLAIN + b"\r\nhello\r\n", b"From: " + names + b"\r\n")


def unknown_charsets() -> bytes:
    """A charset that does not exist, in the subject, in the author's name and in the body."""
    head = b"From: =?x-klingon?B?aGVsbG8=?= <mallory@elsewhere.example>\r\nTo: noc@msp.example\r\n"
    kind = b"Content-Type: text/plain; charset=x-klingon\r\nContent-Transfer-Encoding: 8bit\r\n"
    body = kind + b"\r\nh\xe9llo \xff\xfe\r\n"
    return mail(b"=?x-klingon?Q?h=E9llo?=", body, head)


def codecs_that_are_no_charsets() -> bytes:
    """Python knows codecs that decompress or unpack: as a charset they must not run."""
    subject = b"=?zip?B?aGVsbG8=?= =?rot13?Q?hello?= =?idna?Q?a?="
    return mail(subject, b"Content-Type: text/plain; charset=bz2\r\n\r\nBZh9\r\n")


def nuls() -> bytes:
    """NULs and control characters in headers and body."""
    return mail(b"nul\x00s \x08\x1b[31m red", b"X-\x00: a\x00b\r\n" + PLAIN + b"\r\n\x00\x00hello\x00\x07\r\n")


def encoded_words() -> bytes:
    """20,000 encoded words in a subject."""
    return mail(b" ".join([b"=?utf-8?B?aGVsbG8=?="] * 20_000), PLAIN + b"\r\nhello\r\n")


def headers_without_end() -> bytes:
    """20,000 headers."""
    return mail(b"headers", b"".join(b"X-%d: a\r\n" % n for n in range(20_000)) + PLAIN + b"\r\nhello\r\n")


def nested_elements() -> bytes:
    """20,000 nested elements."""
    html = b"<div>" * 20_000 + b"hello" + b"</div>" * 20_000
    return mail(b"divs", b"Content-Type: text/html; charset=utf-8\r\n\r\n" + html + b"\r\n")


def quoted_table() -> bytes:
    """5,000 lines that each look like the start of a quote."""
    return mail(b"attributions", PLAIN + b"\r\n" + b"On Monday John wrote:\r\n" * 5_000)


def one_line() -> bytes:
    """A body that is one line of a million characters."""
    return mail(b"one line", PLAIN + b"\r\n" + b"a (" * 330_000)


def only_attachments() -> bytes:
    """No text at all, three files."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "mallory@elsewhere.example", NOC, "only attachments"
    message["Content-Type"] = "multipart/mixed"
    for name in ("a.pdf", "../../etc/passwd", "b\u202egpj.exe"):
        message.add_attachment(b"\x00\x01\x02", maintype="application", subtype="octet-stream", filename=name)
    return message.as_bytes()


def winmail() -> bytes:
    """Outlook's own wrapping, which hides the text."""
    tnef = b"eJ8+IgEAAQABAAEAAQABAAAA\r\n"
    kind = b"Content-Type: application/ms-tnef; name=winmail.dat\r\nContent-Transfer-Encoding: base64\r\n"
    return mail(b"winmail", kind + b"Content-Disposition: attachment; filename=winmail.dat\r\n\r\n" + tnef)


def headers_only() -> bytes:
    """Headers, and not even an empty line."""
    return mail(b"headers only", b"")


def no_headers() -> bytes:
    """Text that is no mail."""
    return b"hello\r\nthis is no mail\r\n"


def empty() -> bytes:
    """Nothing at all."""
    return b""


@pytest.mark.parametrize(
    "made",
    [
        many_parts,
        nested_parts,
        nested_messages,
        parentheses,
        many_authors,
        unknown_charsets,
        codecs_that_are_no_charsets,
        nuls,
        encoded_words,
        headers_without_end,
        nested_elements,
        quoted_table,
        one_line,
        only_attachments,
        winmail,
        headers_only,
        no_headers,
        empty,
    ],
)
def test_the_daemon_outlives_it(besieged: Besieged, made: Callable[[], bytes]) -> None:
    """Road of one mail 3 and 5, N.10: it is decided at the first try and shown, the next alert is handled."""
    before = {m.recipients[0] for m in besieged.on.mail.sent}
    mail = besieged.take(made())
    assert (mail.state, mail.tries) == ("processed", 1)
    assert mail.reason != "unreadable"
    letter = besieged.shown(mail)
    assert str(letter.message["To"]) == f"Valery Stufano <{VALERY}>"
    assert {m.recipients[0] for m in besieged.on.mail.sent} - before <= {VALERY, JOHN}
    assert len(bytes(letter.message)) < MAX_HEADER


# Shown, forwarded under the name that she gave herself, and opened as an incident with her words for a title.
@pytest.mark.parametrize("sender", ["mallory@elsewhere.example", "eve@northwind.example", "eve@contoso.example"])
def test_no_header_is_smuggled_in(besieged: Besieged, sender: str) -> None:
    """Nothing inbound: an encoded line end in subject or name starts no header of a letter that quotes them."""
    evil = b"=?utf-8?Q?hello=0D=0ABcc:_victim@elsewhere.example=0D=0A=0D=0ASmuggled?="
    name = b"=?utf-8?B?SGksDQpCY2M6IHZpY3RpbUBlbHNld2hlcmUuZXhhbXBsZQ0KWC1FdmlsOiAx?="
    head = b"From: " + name + b" <" + sender.encode() + b">\r\nTo: noc@msp.example\r\n"
    before = len(besieged.on.mail.sent)
    mail = besieged.take(head + b"Subject: " + evil + b"\r\n" + PLAIN + b"\r\nhello\r\n")
    besieged.shown(mail)
    sent = besieged.on.mail.sent[before:]
    assert any(b"victim" in m.raw for m in sent), "the letter quotes it, as words"
    for letter in sent:
        head, _, _ = letter.raw.partition(b"\r\n\r\n")
        names = {line.partition(b":")[0].lower() for line in re.split(rb"\r\n(?![ \t])", head)}
        assert not names & {b"bcc", b"cc", b"x-evil"}
        assert b"\n" not in letter.raw.replace(b"\r\n", b"")
        assert b"\r" not in letter.raw.replace(b"\r\n", b"")
        assert all("victim" not in address for address in letter.recipients)


def test_nothing_inbound_is_a_template_or_html(besieged: Besieged) -> None:
    """S1.4, nothing inbound: what a client wrote reaches the liaison as the words it is, in subject, name and text."""
    evil = "{{ 7*7 }} {% raise %} {{ say.__class__ }} <script>alert(1)</script> <img src=x onerror=alert(2)>"
    message = EmailMessage()
    message["From"] = f'"{{{{ 7*7 }}}} <b>John</b>" <{JOHN}>'
    message["To"], message["Subject"] = NOC, evil
    message.set_content(f"{evil}\n\n- <i>list</i> {evil}\n")
    letter = besieged.shown(besieged.take(message.as_bytes()))
    for text in (letter.text, letter.html):
        assert "49" not in re.sub(r"INC-\d+|[a-z2-7]{10}-[a-z2-7]{26}", "", text)
        assert "{{ 7*7 }}" in text
    assert "<script>alert(1)</script>" in letter.text
    assert not re.search(r"<script|<img|<i>|<b>John|onerror=[^&]*>", letter.html)
    assert "&lt;script&gt;" in letter.html


def test_an_html_mail_leaves_only_its_words(besieged: Besieged) -> None:
    """Nothing inbound: scripts, styles, remote pictures and forms of an HTML mail do not travel on."""
    html = (
        "<html><head><style>body{background:url(https://elsewhere.example/x)}</style><script>steal()</script></head>"
        '<body onload="steal()">hello there<img src="https://elsewhere.example/pixel.gif">'
        '<form action="https://elsewhere.example/"><input name=a></form><iframe src="https://elsewhere.example"></iframe>'
        "{{ 7*7 }}</body></html>"
    )
    raw = f"From: John <{JOHN}>\r\nTo: {NOC}\r\nSubject: html\r\nContent-Type: text/html\r\n\r\n{html}\r\n".encode()
    letter = besieged.shown(besieged.take(raw))
    assert "hello there" in letter.text
    assert "{{ 7*7 }}" in letter.text
    for left in ("steal()", "pixel.gif", "<iframe", "<form", "background:url"):
        assert left not in letter.html
        assert left not in letter.text
