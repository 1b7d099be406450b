"""Encoded words and parameters as senders really write them."""

import pytest

from mailflow.intake.encoded_word import MAX_ENCODED_WORDS, decode_words, parameters


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("plain", "plain"),
        ("=?utf-8?q?Z=C3=BCrich_HB?=", "Zürich HB"),
        ("=?UTF-8?B?WsO8cmljaA==?= Nord", "Zürich Nord"),
        ("=?utf-8?q?Z=C3?= =?utf-8?q?=BCrich?=", "Zürich"),
        ("=?utf-8?q?one?=\t =?utf-8?q?two?=", "onetwo"),
        ("=?utf-8?q?one?= and =?utf-8?q?two?=", "one and two"),
        ("x=?utf-8?q?=C3=BC?=y", "xüy"),
        ("=?utf-8?q?with blanks inside?=", "with blanks inside"),
        ("=?utf-8?B?WsO8cmljaA?=", "Zürich"),
        ("=?x-unknown?q?Z=C3=BCrich?=", "Zürich"),
        ("=?utf-8*de?q?hallo?=", "hallo"),
        ("=?utf-8?q?broken", "=?utf-8?q?broken"),
        ("=?utf-8?b?AAA?=", ""),
    ],
)
def test_encoded_words(raw: str, text: str) -> None:
    """RFC 2047, and what is not RFC 2047 but arrives: split characters, blanks inside, unknown charsets."""
    assert decode_words(raw, [], "Subject").strip("\0 ") == text


def test_an_encoded_line_end_is_harmless() -> None:
    """An encoded CRLF in a subject becomes a blank and a defect: no header can be smuggled in."""
    defects: list[str] = []
    assert decode_words("=?utf-8?q?Hi=0D=0ABcc:_a@b.example?=", defects, "Subject") == "Hi Bcc: a@b.example"
    assert defects == ["control characters in Subject"]


def test_too_many_encoded_words() -> None:
    """Beyond the cap the rest is left as it stands, and said so."""
    defects: list[str] = []
    text = decode_words("=?utf-8?q?x?= " * 5000, defects, "Subject")
    assert text.startswith("x" * MAX_ENCODED_WORDS + " =?utf-8?q?x?=")
    assert any("encoded words" in d for d in defects)


@pytest.mark.parametrize(
    ("raw", "kind", "found"),
    [
        ("text/plain; charset=utf-8; format=flowed", "text/plain", {"charset": "utf-8", "format": "flowed"}),
        ('TEXT/Plain; Charset="ISO-8859-1"', "text/plain", {"charset": "ISO-8859-1"}),
        ('a/b; name="semi;colon\\".pdf"', "a/b", {"name": 'semi;colon".pdf'}),
        ("a/b; name*=UTF-8''Z%C3%BCrich.pdf", "a/b", {"name": "Zürich.pdf"}),
        ("a/b; name*0*=utf-8''Z%C3; name*1*=%BCri; name*2=ch.pdf", "a/b", {"name": "Zürich.pdf"}),
        ("a/b; name*1=b.pdf; name*0=a", "a/b", {"name": "ab.pdf"}),
        ('a/b; name="=?utf-8?q?Z=C3=BCrich?=.pdf"', "a/b", {"name": "Zürich.pdf"}),
        ("a/b; name=unquoted name.pdf", "a/b", {"name": "unquoted name.pdf"}),
        ('a/b; name="open', "a/b", {"name": "open"}),
        ("", "", {}),
    ],
)
def test_parameters(raw: str, kind: str, found: dict[str, str]) -> None:
    """RFC 2231 names come out whole, and so do those written in older ways."""
    assert parameters(raw, []) == (kind, found)
