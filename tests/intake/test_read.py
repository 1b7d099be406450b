"""The whole reading: never an exception, never slow, and right about real mail."""

# ruff: noqa: E501 - tables of whole header lines and whole mails

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mailflow
from mailflow.domain.people import Address
from mailflow.domain.vocabulary import Kind
from mailflow.intake.read import _read, read
from mailflow.intake.recipes import parse_recipes

FOLDER = Path(mailflow.__file__).parent / "recipes"
SHIPPED = parse_recipes({p.name: p.read_text("utf-8") for p in sorted(FOLDER.glob("*.toml"))})
MAILS = [p.read_bytes() for p in sorted((Path(__file__).parent.parent / "fixtures" / "mails").glob("*.eml"))]

HEAD = b"From: John <john@acme.example>\r\nMessage-ID: <a@acme.example>\r\nDate: Mon, 23 Nov 2026 07:42:10 +0100\r\n"
REPLY = (
    b"From: =?utf-8?q?J=C3=BCrgen?= <j@acme.example>\r\nTo: help+abcdefghij-abcdefghijklmnopqrstuvwxyz@msp.example\r\n"
    b"Subject: =?utf-8?q?Re:_Stra=C3=9Fe?=\r\nMessage-ID: <1@acme.example>\r\nIn-Reply-To: <2@msp.example>\r\n"
    b"References: <1@msp.example>\r\n <2@msp.example>\r\nDate: Mon, 23 Nov 2026 07:42:10 +0100\r\n"
    b"Content-Type: text/plain; charset=utf-8; format=flowed\r\n\r\nIt works \r\nagain.\r\n\r\n"
    b"On Mon, 23 Nov 2026, Help wrote:\r\n> Is it back?\r\n"
)


def test_a_reply() -> None:
    """Author, times, thread, token, what is new and what is quoted: each in its place, with nothing odd."""
    reading = read(REPLY, SHIPPED)
    assert reading.defects == ()
    assert (reading.kind, reading.rule, reading.automatic) == (Kind.UNKNOWN, "no-recipe", None)
    assert reading.author == Address(name="Jürgen", address="j@acme.example")
    assert reading.subject == "Re: Straße"
    assert reading.date == datetime(2026, 11, 23, 6, 42, 10, tzinfo=UTC)
    assert (reading.message_id, reading.in_reply_to) == ("<1@acme.example>", "<2@msp.example>")
    assert reading.references == ("<1@msp.example>", "<2@msp.example>")
    assert reading.token_tags == ("abcdefghij-abcdefghijklmnopqrstuvwxyz",)
    assert reading.new_text.strip() == "It works again."
    assert "Is it back?" in reading.quoted_text


@pytest.mark.parametrize(
    ("line", "message_id"),
    [
        ("<a@b>", "<a@b>"),
        (" <a@b> (comment)", "<a@b>"),
        ("<a\n b@c>", "<ab@c>"),
        ("a@b", "<a@b>"),
        ("<>", None),
        ("", None),
        ("garbage", None),
    ],
)
def test_message_ids(line: str, message_id: str | None) -> None:
    """A Message-ID is cleaned, mended where only one reading is possible, else none."""
    assert read(f"Message-ID: {line}\nFrom: a@b.example\n\nx".encode(), SHIPPED).message_id == message_id


@pytest.mark.parametrize(
    "date",
    ["", "yesterday", "Mon, 99 Nov 2026 07:42:10 +0100", "Fri, 31 Dec 9999 23:00:00 -2359", "9" * 90, "Mon, 1 Jan 2026 " + "9" * 80],
)  # fmt: skip
def test_lying_dates(date: str) -> None:
    """A Date that is none is None and a defect."""
    reading = read(f"Date: {date}\nFrom: a@b.example\n\nx".encode(), SHIPPED)
    assert reading.date is None
    assert any(d in {"Date is none", "no Date"} for d in reading.defects)


def test_identity_of_two_deliveries() -> None:
    """The same mail through two aliases and another encoding is one; another text, sender or date is another."""
    again = b"Delivered-To: other@msp.example\r\nReceived: from x by y\r\n" + REPLY
    assert read(again, SHIPPED).identity == read(REPLY, SHIPPED).identity
    for old, new in ((b"works", b"broke"), (b"07:42:10", b"07:42:11"), (b"<j@", b"<k@"), (b"<1@acme", b"<3@acme")):
        assert read(REPLY.replace(old, new), SHIPPED).identity != read(REPLY, SHIPPED).identity


def test_identity_without_text() -> None:
    """Two mails without a text are told apart by what they hold."""
    one = b"From: a@b.example\nContent-Type: image/png\n\n"
    assert read(one + b"x", SHIPPED).identity != read(one + b"y", SHIPPED).identity
    assert read(b"Received: x\n" + one + b"x", SHIPPED).identity == read(one + b"x", SHIPPED).identity


def test_html_is_read_where_the_plain_part_is_empty() -> None:
    """An empty plain part beside a full HTML one: the HTML's lines are the text."""
    raw = HEAD + (
        b"Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\n \r\n--b\r\n"
        b"Content-Type: text/html\r\n\r\n<p>The server is down</p>\r\n--b--\r\n"
    )
    reading = read(raw, SHIPPED)
    assert (reading.plain, reading.new_text) == ((), "The server is down")


def nested(depth: int) -> bytes:
    return HEAD + b"Content-Type: multipart/mixed; boundary=b0\r\n\r\n" + b"".join(
        b"--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n" % (i, i + 1) for i in range(depth)
    )  # fmt: skip


MIXED = HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
HOSTILE = {
    "2,000 parts": MIXED + b"--b\r\n\r\nhi\r\n" * 2000,
    "3,000 nested parts": nested(3000),
    "one boundary for all": MIXED + b"--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" * 3000,
    "deep and large": nested(25) + b"x" * 30_000_000,
    "lines like a delimiter": MIXED + b"--bx\r\n" * 3_000_000,
    "100 KB of parentheses": b"From: " + b"(" * 100_000 + b"\r\n\r\nx",
    "unclosed quotes": b"From: " + b'"\\' * 30_000 + b"\r\n\r\nx",
    "20,000 encoded words": b"From: a@b.example\r\nSubject: " + b"=?utf-8?q?x?= " * 20_000 + b"\r\n\r\nx",
    "encoded words in From": b"From: " + b"=?utf-8?b?eA==?=\r\n " * 20_000 + b"<a@b.example>\r\n\r\nx",
    "unknown charset": HEAD + b"Content-Type: text/plain; charset=klingon\r\n\r\n\xff\xfe",
    "encoded CRLF": HEAD + b"Subject: =?utf-8?q?a=0D=0ABcc:_x=40y.example?=\r\n\r\nx",
    "30 MB of text": HEAD + b"\r\n" + (b"y" * 78 + b"\r\n") * 390_000,
    "30 MB in one line": HEAD + b"\r\n" + b"y" * 30_000_000,
    "40 MB": HEAD + b"\r\n" + b"y" * 40_000_000,
    "5,000 headers": b"".join(b"X-%d: y\r\n" % i for i in range(5000)) + b"\r\nx",
    "NULs": HEAD.replace(b"J", b"\0") + b"\r\n" + b"\0" * 1_000_000,
    "a bounce of quoted blank lines": b"From: mailer-daemon@x.example\r\nReturn-Path: <>\r\n\r\n" + b"> \n" * 300_000,
    "20,000 recipients of a bounce": HEAD + b"Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\n"
    b"Content-Type: message/delivery-status\r\n\r\n" + b"Final-Recipient: rfc822;a@b.example\n\n" * 20_000,
    "60,000 comments": b"Received: from x by y.example\r\nAuthentication-Results: " + b"(" * 60_000 + b"\r\n" + HEAD + b"\r\n",
    "3,000 alerts": b"From: a@x.example\r\nSubject: [FIRING:1] x\r\n\r\n1 alert for\n[1] Firing\n"
    + b"".join(b"Labels\na = \xc3\xa9%d\nSource\n" % i for i in range(3000)),
    "nothing": b"",
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_mail(name: str) -> None:
    """Every known attack on a mail reader is read without its guard, within a second, with nothing unprintable in a header."""
    before = time.process_time()
    reading = _read(HOSTILE[name], SHIPPED)
    assert time.process_time() - before < 1.5  # a second, and slack for a busy machine
    assert reading.subject.isprintable()
    assert not reading.author or str(reading.author).isprintable()
    assert "\0" not in reading.new_text
    assert len(reading.events) <= 200
    assert reading.defects or name in {"lines like a delimiter"} or "20,000 recipients" in name or "comments" in name


def test_too_large_a_mail_is_known_by_its_headers() -> None:
    """Above 36 MB only the headers are read, and it is said."""
    reading = read(HOSTILE["40 MB"], SHIPPED)
    assert (reading.author, reading.new_text) == (Address(name="John", address="john@acme.example"), "")
    assert "larger than 36 MB: only its headers were read" in reading.defects


def test_the_guard() -> None:
    """Should reading ever fail by a fault of ours, the mail is UNKNOWN, unreadable, with a defect and an identity."""
    reading = read(REPLY, None)  # type: ignore[arg-type]
    assert (reading.kind, reading.rule) == (Kind.UNKNOWN, "unreadable")
    assert reading.defects == ("could not be read: AttributeError",)
    assert len(reading.identity) == 64


@given(st.binary(max_size=2000))
@settings(max_examples=150, deadline=None)
def test_any_bytes_at_all(raw: bytes) -> None:
    """Whatever the bytes, a Reading comes out, and not by the guard."""
    assert _read(raw, SHIPPED).identity


@given(
    st.sampled_from([*MAILS, REPLY]),
    st.lists(
        st.tuples(
            st.integers(0, 10_000),
            st.integers(0, 60),
            st.sampled_from([b"", b"\0", b"\r\n", b"\n\n", b'"', b"(", b"<", b"=?utf-8?q?=0D=0A?=", b"\xff", b"--b\n", b";", b":"])
            | st.binary(max_size=8),
        ),
        max_size=6,
    ),
)  # fmt: skip
@settings(max_examples=150, deadline=None)
def test_mutated_real_mail(raw: bytes, cuts: list[tuple[int, int, bytes]]) -> None:
    """Real mails, cut and spliced anywhere, are still read; subject and author stay on one line."""
    for at, length, splice in cuts:
        at %= len(raw) + 1
        raw = raw[:at] + splice + raw[at + length :]
    reading = _read(raw, SHIPPED)
    assert "\n" not in reading.subject
    assert not reading.author or "\n" not in str(reading.author)
    reading.new_text.encode()
    reading.subject.encode()
