"""The MIME reader: what it finds, and where it stops."""

import pytest

from mailflow.intake import parse as parsing
from mailflow.intake.body import body
from mailflow.intake.parse import parse


def leaves(raw: bytes) -> list[tuple[str, bytes]]:
    return [(p.type, p.content(1000)) for p in parse(raw, []).parts]


def test_a_plain_mail() -> None:
    """Headers are unfolded, names lower case, the body whole."""
    message = parse(b"Subject: one\r\n two\r\nX-Y : z\r\n\r\nHello\r\n", [])
    assert message.headers.fields == (("subject", "one two"), ("x-y", "z"))
    assert leaves(b"Subject: x\n\nHello\n") == [("text/plain", b"Hello\n")]


def test_nested_parts_in_order() -> None:
    """Parts come out in the order of the mail, without preamble, epilogue and delimiters."""
    raw = (
        b'Content-Type: multipart/mixed; boundary="o"\r\n\r\npreamble\r\n--o\r\n'
        b"Content-Type: multipart/alternative; boundary=oo\r\n\r\n--oo\r\n\r\nplain\r\n--oo\r\n"
        b"Content-Type: text/html\r\n\r\n<p>html\r\n--oo--\r\n--o \r\n"
        b"Content-Type: image/png; name=a.png\r\nContent-Transfer-Encoding: base64\r\n\r\naGk=\r\n--o--\r\nepilogue"
    )
    assert leaves(raw) == [("text/plain", b"plain"), ("text/html", b"<p>html"), ("image/png", b"hi")]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"Content-Type: multipart/mixed; boundary=o\n\n--o\n\nno end", [("text/plain", b"no end")]),
        (b"Content-Type: multipart/mixed; boundary=o\n\nno parts", [("text/plain", b"no parts")]),
        (b"Content-Type: multipart/mixed\n\nno boundary", [("text/plain", b"no boundary")]),
        (b"Content-Type: nonsense\n\nx", [("text/plain", b"x")]),
        (b"Content-Transfer-Encoding: base64\n\naGVsbG8\n", [("text/plain", b"hello")]),
        (b"Content-Transfer-Encoding: quoted-printable\n\na=3D=\nb=E", [("text/plain", b"a=b=E")]),
        (b"From me 1 Jan\nSubject: mbox\n\nx", [("text/plain", b"x")]),
        (b"Subject: x\nno header at all\n\nx", [("text/plain", b"no header at all\n\nx")]),
        (b"Subject: x\r\rbare CR", [("text/plain", b"bare CR")]),
        (b"", [("text/plain", b"")]),
    ],
)
def test_broken_mails_are_read_all_the_same(raw: bytes, expected: list[tuple[str, bytes]]) -> None:
    """What a sender forgot costs a defect, not the text."""
    assert leaves(raw) == expected


def test_an_enclosed_mail_is_not_taken_apart() -> None:
    """The parts of a forwarded message are not parts of this one."""
    inner = b"Content-Type: multipart/mixed; boundary=i\n\n--i\n\ntheirs\n--i--\n"
    raw = (
        b"Content-Type: multipart/mixed; boundary=o\n\n--o\n\nmine\n--o\nContent-Type: message/rfc822\n\n"
        + inner
        + b"--o--\n"
    )
    assert [t for t, _ in leaves(raw)] == ["text/plain", "message/rfc822"]


def nested(depth: int) -> bytes:
    top = b'Content-Type: multipart/mixed; boundary="b0"\r\n\r\n'
    return top + b"".join(
        b'--b%d\r\nContent-Type: multipart/mixed; boundary="b%d"\r\n\r\n' % (i, i + 1) for i in range(depth)
    )


@pytest.mark.parametrize(
    ("raw", "defect"),
    [
        (b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nhi\n" * 2000, "MIME parts"),
        (nested(3000), "nested deeper"),
        (b"".join(b"X-%d: y\n" % i for i in range(5000)) + b"\nx", "more than 1000 headers"),
        (b"X: " + b"y" * 100_000 + b"\n\nx", "longer than 64 KB"),
        (b"X: y\n" * 200_000 + b"\nx", "header block longer"),
    ],
)
def test_every_bound_is_told(raw: bytes, defect: str) -> None:
    """A bound that is hit is a defect in words, and the reader goes on."""
    defects: list[str] = []
    message = parse(raw, defects)
    assert any(defect in d for d in defects)
    assert len(message.parts) <= parsing.MAX_PARTS


def test_a_long_text_is_cut_at_a_line() -> None:
    """Of a text part only the first megabyte is read, and it is said."""
    defects: list[str] = []
    text = body(parse(b"Subject: x\n\n" + "zürich\n".encode() * 400_000, defects), defects).plain
    assert len(text) <= parsing.MAX_TEXT
    assert text.endswith("zürich\n")
    assert any("longer than" in d for d in defects)
