"""Who wrote a mail: one author or none."""

import pytest

from mailflow.domain.people import Address
from mailflow.intake.parse import Headers
from mailflow.intake.sender import author, parse_addresses


@pytest.mark.parametrize(
    ("raw", "name", "address"),
    [
        ("john@example.com", "", "john@example.com"),
        ("John <John@Example.COM>", "John", "john@example.com"),
        ('"Doe, John" <john@example.com>', "Doe, John", "john@example.com"),
        ('"John \\"J\\" Doe" <john@example.com>', 'John "J" Doe', "john@example.com"),
        ("john@example.com (John Doe)", "John Doe", "john@example.com"),
        ("John (at (home)) <john@example.com> (x)", "John", "john@example.com"),
        ("=?utf-8?q?J=C3=BCrgen=2C_M?= <j@example.com>", "Jürgen, M", "j@example.com"),
        ("=?utf-8?q?J=C3=BCrgen,_M:_x?= <j@example.com>", "Jürgen, M: x", "j@example.com"),
        ("Ops: night shift <ops@example.com>", "Ops: night shift", "ops@example.com"),
        ('"=?utf-8?q?J=C3=BCrgen?=" <j@example.com>', "Jürgen", "j@example.com"),
        ("ceo@victim.example <evil@example.net>", "ceo@victim.example", "evil@example.net"),
        ('"a" <@relay.example:john@example.com>', "a", "john@example.com"),
        ("<zabbix@mon01>", "", "zabbix@mon01"),
        ("=?utf-8?q?J=0D=0ABcc:_x?= <j@example.com>", "J Bcc: x", "j@example.com"),
    ],
)
def test_the_single_author(raw: str, name: str, address: str) -> None:
    """A From with one address gives that one, its display name decoded and on one line."""
    assert author(Headers(fields=(("from", raw),)), []) == Address(name=name, address=address)


@pytest.mark.parametrize(
    ("fields", "defect"),
    [
        ((), "no From"),
        (("a@example.com", "b@example.com"), "two From headers"),
        (("a@example.com", "a@example.com"), "two From headers"),
        (("a@example.com, b@example.com",), "two addresses"),
        (("a <a@example.com> <b@example.com>",), "broken"),
        (("team: a@example.com;",), "group"),
        (("Undisclosed recipients:;",), "group"),
        (('"a" <',), "no address"),
        (("<>",), "no address"),
        (("a@b@example.com",), "no address"),
        (("=?utf-8?q?a=40example.com?=",), "no address"),
        (("a@example.com\x00",), "no address"),
        ((f"{'a' * 300}@example.com",), "no address"),
        (("(" * 60_000,), "no address"),
        (('"' * 60_001,), "no address"),
    ],
)
def test_no_author(fields: tuple[str, ...], defect: str) -> None:
    """Whatever could be read in two ways, or in none, has no author, and says why."""
    defects: list[str] = []
    assert author(Headers(fields=tuple(("from", v) for v in fields)), defects) is None
    assert any(defect in d for d in defects)


def test_lists_and_groups() -> None:
    """Recipients are read through groups, empty places and broken neighbours."""
    found = parse_addresses("A <a@example.com>,, Team: b@example.com, c@example.com; nonsense, d@example.com", [], "To")
    assert [a.address for a in found.addresses] == [f"{x}@example.com" for x in "abcd"]
