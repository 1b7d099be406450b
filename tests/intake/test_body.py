"""Which text of a mail is its author's."""

import pytest

from mailflow.intake.body import body
from mailflow.intake.parse import parse


def mixed(*parts: bytes, kind: bytes = b"mixed") -> bytes:
    return (
        b"Content-Type: multipart/"
        + kind
        + b"; boundary=b\n\n"
        + b"".join(b"--b\n" + p + b"\n" for p in parts)
        + b"--b--\n"
    )


PLAIN = b"Content-Type: text/plain\n\nplain"
HTML = b"Content-Type: text/html\n\n<p>html"
IMAGE = b"Content-Type: image/png; name=a.png\n\nx"
EMPTY = b"Content-Type: text/plain\n\n \n"


@pytest.mark.parametrize(
    ("raw", "plain", "html", "attachments"),
    [
        (PLAIN, "plain", "", ()),
        (HTML, "", "<p>html", ()),
        (mixed(PLAIN, HTML, kind=b"alternative"), "plain", "<p>html", ()),
        (mixed(EMPTY, HTML, kind=b"alternative"), "", "<p>html", ()),
        (mixed(PLAIN, IMAGE, b"Content-Type: text/plain\n\nbelow"), "plain\nbelow", "", ("a.png",)),
        (mixed(PLAIN, b"Content-Type: application/pkcs7-signature\n\nx", kind=b"signed"), "plain", "", ()),
        (mixed(PLAIN, b"Content-Type: text/plain; name=log.txt\n\nnot mine"), "plain", "", ("log.txt",)),
        (
            mixed(PLAIN, b'Content-Type: text/html\nContent-Disposition: attachment; filename="..\\\\r.html"\n\n<p>'),
            "plain",
            "",
            ("r.html",),
        ),
        (mixed(PLAIN, b"Content-Type: message/rfc822\n\nSubject: x\n\ntheirs"), "plain", "", ("(attached message)",)),
        (mixed(b"Content-Type: text/enriched\n\n<b>x</b>"), "<b>x</b>", "", ()),
        (mixed(b"Content-Type: text/calendar\n\nBEGIN:VCALENDAR", PLAIN), "plain", "", ()),
    ],
)
def test_the_right_text(raw: bytes, plain: str, html: str, attachments: tuple[str, ...]) -> None:
    """Inline text and HTML are the author's; what is attached or enclosed is only named."""
    found = body(parse(raw, []), [])
    assert (found.plain.strip(), found.html.strip(), found.attachments) == (plain, html, attachments)


@pytest.mark.parametrize(
    ("raw", "defect"),
    [
        (mixed(b"Content-Type: application/ms-tnef; name=winmail.dat\n\nx"), "winmail.dat only"),
        (b"Content-Type: application/pkcs7-mime; smime-type=enveloped-data\n\nx", "sealed"),
        (IMAGE, "no text part"),
    ],
)
def test_why_there_is_no_text(raw: bytes, defect: str) -> None:
    """A mail without readable text says what it is instead."""
    defects: list[str] = []
    body(parse(raw, defects), defects)
    assert any(defect in d for d in defects)


def test_flowed_text_is_passed_on() -> None:
    """format=flowed and delsp=yes (RFC 3676) reach the reader of lines."""
    found = body(parse(b"Content-Type: text/plain; format=Flowed; DelSp=Yes\n\nx", []), [])
    assert (found.flowed, found.delsp) == (True, True)
