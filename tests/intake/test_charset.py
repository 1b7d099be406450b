"""Bytes become text whatever the charset's label claims."""

import pytest

from mailflow.intake.charset import decode_text, printable


@pytest.mark.parametrize(
    ("data", "declared", "text", "defect"),
    [
        (b"plain", "us-ascii", "plain", ""),
        ("Zürich".encode(), "utf-8", "Zürich", ""),
        (b"\x8025 \x93quoted\x94", "iso-8859-1", "€25 “quoted”", ""),
        ("Zürich".encode(), "iso-8859-1", "Zürich", "is UTF-8"),
        ("Zürich".encode("cp1252"), "utf-8", "Zürich", "not valid utf-8"),
        ("Zürich".encode("cp1252"), "x-nonsense", "Zürich", "unknown charset"),
        ("Zürich".encode(), "", "Zürich", ""),
        ("Zürich".encode(), "us-ascii", "Zürich", ""),
        ("镕".encode("gb18030"), "gb2312", "镕", ""),
        ("똠".encode("cp949"), "euc-kr", "똠", ""),
        ("会議".encode("iso-2022-jp"), "iso-2022-jp", "会議", ""),
        ("Zürich ist schön".encode()[:-4] + b"\xc3", "utf-8", "Zürich ist sc\ufffd", "not valid utf-8"),
        (b"\x81\x8d", "iso-8859-1", "\ufffd\ufffd", "not valid"),
        (b"abc", "punycode", "abc", "unknown charset"),
        (b"616263", "hex", "616263", "unknown charset"),
        (b"abc", "utf-8\0", "abc", "unknown charset"),
        (b"a+2AA-b", "utf-7", "a\ufffdb", ""),
    ],
)
def test_text_survives_its_label(data: bytes, declared: str, text: str, defect: str) -> None:
    """Declared, its superset, UTF-8, cp1252: the first that fits; a lie is a defect, and no surrogate gets through."""
    defects: list[str] = []
    assert decode_text(data, declared, defects) == text
    assert any(defect in d for d in defects) if defect else not defects


def test_control_characters_become_blanks() -> None:
    """Nothing that could end a header's line or steer a terminal is left, and it is told."""
    defects: list[str] = []
    assert printable("a\r\nBcc: b\x1b[2Jc\u2028d\x85e", defects, "Subject") == "a Bcc: b [2Jc d e"
    assert defects == ["control characters in Subject"]
