"""Words -> bytes: whatever stands in a name, a subject or a body, the message says that and nothing else."""

import email
import email.policy
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mailflow.domain.people import Address
from mailflow.writing.compose import Envelope, HeaderError, address_header, compose, self_test, words_header
from mailflow.writing.render import Rendered

MESSAGE_ID = "<mf.abcdefghij-abcdefghijklmnopqrstuvwxyz@msp.example>"
ENVELOPE = Envelope(
    sender=Address(name="Valery Stufano", address="noc@msp.example"),
    recipient=Address(name="John Harper", address="john@northwind.example"),
    reply_to=Address(name="", address="noc+abcdefghij-abcdefghijklmnopqrstuvwxyz@msp.example"),
    message_id=MESSAGE_ID,
    date=datetime(2026, 11, 24, 15, 16, tzinfo=UTC),
)
WORDS = Rendered(subject="Your file server this morning", text="Hello John,\n", html="<p>Hello John,</p>\n")
HEADERS = [
    *("From", "To", "Reply-To", "Subject", "Date", "Message-ID", "MIME-Version"),
    *("Auto-Submitted", "X-Auto-Response-Suppress", "Content-Type"),
]
HOSTILE = [
    "a\r\nBcc: x@evil.example",
    "a\nBcc: x@evil.example",
    "a\rBcc: x@evil.example",
    "a\r\n\r\n<b>body</b>",
    "a\0b",
    "a\tb",
    "a\x0bb",
    "a\x0cb",
    "a\x1bb",
    "a\x7fb",
    "a\x85b",
    "a\u2028b",
    "a\u2029b",
    "é\r\nBcc: x@evil.example",
]
# What reads as an encoded word, or as more than one address, is only what it looks like.
TRICKY = [
    "=?utf-8?q?a=0D=0ABcc:_x=40evil.example?=",
    "=?utf-8?b?SGVsbG8=?=",
    "x =?utf-8?q?y?= z",
    "a, b <c@evil.example>; d",
    'quo"te back\\slash',
    "(a comment) and more",
    "Jürgen Müller",
    "山田太郎",
    "😀 Support",
    "x" * 2_000,
    "é" * 2_000,
    ("word " * 300).strip(),
    ("wörd " * 300).strip(),
    "x@y.example",
    "a:b",
    "[list] name",
]


def parsed(raw: bytes) -> EmailMessage:
    """The message as the standard library reads it."""
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def people(raw: bytes, header: str) -> list[tuple[str, str]]:
    """Whom an address header names.

    The addresses are counted by the standard library's new parser; the name is decoded by its old one, since the new
    one (in Python 3.11) leaves a blank between two encoded words of a name, which RFC 2047 6.2 takes away.
    """
    name = parseaddr(email.message_from_bytes(raw)[header])[0]
    return [(str(make_header(decode_header(name))), a.addr_spec) for a in parsed(raw)[header].addresses]


def body(raw: bytes, kind: str) -> str:
    """One of its bodies, line ends as ours."""
    part = parsed(raw).get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def fits_the_wire(raw: bytes) -> bool:
    """Whether it is 7-bit, with CRLF throughout and lines of at most 998 (RFC 5321 4.5.3.1.6)."""
    lines = raw.split(b"\r\n")
    return raw.isascii() and all(len(line) <= 998 and b"\n" not in line and b"\r" not in line for line in lines)


def test_a_letter_as_it_leaves() -> None:
    """DESIGN 3, Recipients: every header once, and each says what it should."""
    raw = compose(ENVELOPE, WORDS)
    message = parsed(raw)
    assert list(message.keys()) == HEADERS
    assert not message.defects
    assert str(message["From"]) == "Valery Stufano <noc@msp.example>"
    assert str(message["To"]) == "John Harper <john@northwind.example>"
    assert str(message["Reply-To"]) == ENVELOPE.reply_to.address
    assert message["Date"].datetime == ENVELOPE.date
    assert str(message["Message-ID"]) == MESSAGE_ID
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert (body(raw, "plain"), body(raw, "html")) == (WORDS.text, WORDS.html)
    assert fits_the_wire(raw)


def test_what_nobody_approved_says_so() -> None:
    """DESIGN 3, Loops: an automatic letter asks machines not to answer; an approved one is a person's mail."""
    assert parsed(compose(ENVELOPE, WORDS))["Auto-Submitted"] == "auto-generated"
    approved = parsed(compose(replace(ENVELOPE, automatic=False), WORDS))
    assert "Auto-Submitted" not in approved
    assert "X-Auto-Response-Suppress" not in approved


def name_as(which: str) -> Callable[[str], tuple[Envelope, Rendered]]:
    """The letter with something put into one of its places."""

    def put(text: str) -> tuple[Envelope, Rendered]:
        address = Address(name=text, address="john@northwind.example")
        changed = {
            "sender": replace(ENVELOPE, sender=address),
            "recipient": replace(ENVELOPE, recipient=address),
            "reply_to": replace(ENVELOPE, reply_to=address),
            "extra": replace(ENVELOPE, extra={"X-Note": text}),
        }
        return changed.get(which, ENVELOPE), replace(WORDS, subject=text) if which == "subject" else WORDS

    return put


PLACES = {"sender": "From", "recipient": "To", "reply_to": "Reply-To", "subject": "Subject", "extra": "X-Note"}


@pytest.mark.parametrize("hostile", HOSTILE, ids=ascii)
@pytest.mark.parametrize("place", PLACES)
def test_no_header_can_be_smuggled_in(place: str, hostile: str) -> None:
    """DESIGN 3, Nothing inbound: a control character never reaches a header; the letter is held instead."""
    with pytest.raises(HeaderError):
        compose(*name_as(place)(hostile))


@pytest.mark.parametrize("tricky", TRICKY, ids=lambda text: ascii(text)[:30])
@pytest.mark.parametrize("place", PLACES)
def test_odd_names_and_subjects_arrive_as_they_are(place: str, tricky: str) -> None:
    """DESIGN 3, Nothing inbound: what only looks like mail syntax arrives as the words that it is."""
    raw = compose(*name_as(place)(tricky))
    message = parsed(raw)
    assert fits_the_wire(raw)
    assert sorted(message.keys()) == sorted(HEADERS + ["X-Note"] * (place == "extra"))
    if place in {"subject", "extra"}:
        assert str(message[PLACES[place]]) == tricky
    else:
        assert people(raw, PLACES[place]) == [(tricky, "john@northwind.example")]


@pytest.mark.parametrize(
    "address",
    [
        "",
        "x",
        "x@",
        "@y",
        "a@b@c",
        "a b@c",
        "a@b>, <x@evil.example",
        "a@b,x@evil.example",
        "a@b\r\nBcc: x@evil.example",
        'a"b@c',
        "a@b;",
        "a\\b@c",
        "ü@northwind.example",
        "a@b\u2028c",
        "<a@b>",
    ],
)
def test_only_an_address_is_an_address(address: str) -> None:
    """DESIGN 3, Recipients: nothing but one plain address can be a recipient."""
    with pytest.raises(HeaderError):
        address_header(Address(name="", address=address))


@pytest.mark.parametrize("bad", ["<a@b>\r\nBcc: x@evil.example", "<a@b>\n <c@d>", "<ü@b>"])
def test_a_threads_ids_are_checked_too(bad: str) -> None:
    """DESIGN 3, Nothing inbound: nor can a Message-ID break the header it stands in."""
    with pytest.raises(HeaderError):
        compose(replace(ENVELOPE, references=(bad,)), WORDS)
    with pytest.raises(HeaderError):
        compose(replace(ENVELOPE, message_id=bad), WORDS)


def test_a_long_thread_is_folded() -> None:
    """RFC 5322 2.1.1: a thread of 200 mails still fits the lines, in order, and answers the last one."""
    ids = tuple(f"<mf.abcdefghij-{n:026}@a-rather-long-domain.msp.example>" for n in range(200))
    raw = compose(replace(ENVELOPE, references=ids), WORDS)
    message = parsed(raw)
    assert str(message["References"]).split() == list(ids)
    assert str(message["In-Reply-To"]) == ids[-1]
    assert max(map(len, raw.split(b"\r\n"))) <= 100


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".\n",
        "..\r\n.",
        "From here on\n",
        "--=_mf.abcdefghij-abcdefghijklmnopqrstuvwxyz\nContent-Type: text/html\n\n<b>x</b>\n",
        "a = b\n",
        "trailing blank \nand tab\t\n",
        "é" * 3_000,
        "x" * 3_000,
        "\x0b\x0c\x1c\x85\u2028\u2029",
        "\0\x07\x1b[31m",
        "no line end",
        "\n\n\n",
        "=20=3D=\n",
    ],
    ids=lambda text: ascii(text)[:24],
)
def test_bodies_arrive_as_they_are(text: str) -> None:
    """S1.4: what the liaison wrote arrives letter by letter, and no body can end its part."""
    raw = compose(ENVELOPE, Rendered(subject="s", text=text, html=text))
    assert fits_the_wire(raw)
    assert len(list(parsed(raw).iter_parts())) == 2
    wanted = text.replace("\r\n", "\n").replace("\r", "\n")
    assert (body(raw, "plain"), body(raw, "html")) == (wanted, wanted)


def is_header(text: str) -> bool:
    """Whether the text is one that a header takes."""
    try:
        words_header(text)
    except HeaderError:
        return False
    return True


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=90) | st.sampled_from(HOSTILE + TRICKY), st.text(max_size=90), st.text(max_size=30))
@example("=?", "", "")
def test_whatever_the_words(subject: str, text: str, html: str) -> None:
    """DESIGN 3: any words whatever either make the message that says them, or are refused; nothing in between."""
    words = Rendered(subject=" ".join(subject.split()), text=text, html=html)
    if not is_header(words.subject):
        with pytest.raises(HeaderError):
            compose(ENVELOPE, words)
        return
    raw = compose(ENVELOPE, words)
    message = parsed(raw)
    assert fits_the_wire(raw)
    assert list(message.keys()) == HEADERS
    assert str(message["Subject"]) == words.subject
    assert body(raw, "plain") == text.replace("\r\n", "\n").replace("\r", "\n")
    assert body(raw, "html") == html.replace("\r\n", "\n").replace("\r", "\n")


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=80).map(lambda text: " ".join(text.split())))
@example("=?utf-8?q?x?=")
def test_whatever_the_name(name: str) -> None:
    """DESIGN 3: any display name whatever is one recipient with that name, or refused."""
    if not is_header(name):
        with pytest.raises(HeaderError):
            address_header(Address(name=name, address="john@northwind.example"))
        return
    envelope = replace(ENVELOPE, recipient=Address(name=name, address="john@northwind.example"))
    raw = compose(envelope, WORDS)
    assert fits_the_wire(raw)
    assert people(raw, "To") == [(name, "john@northwind.example")]


def test_the_self_test_passes() -> None:
    """DESIGN 3, Nothing inbound: the start-up self-test is content with this Python."""
    self_test()


def test_the_self_test_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would refuse to start where a control character passes."""
    monkeypatch.setattr("mailflow.writing.compose.words_header", lambda text: text)
    with pytest.raises(HeaderError, match="passed"):
        self_test()
