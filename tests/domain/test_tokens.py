"""The mark by which we know our letters: bound to everything, expiring, and never kept."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailflow.domain.tokens import TAG, Bound, letter_id, message_id, mint, redact, tag_of, valid

NOW = datetime(2026, 11, 24, 15, 12, tzinfo=UTC)
KEY = bytes(range(32))
BOUND = Bound(
    id=letter_id("preview:70:2"),
    incident_id=7,
    client_key="northwind",
    person="valery@msp.example",
    action="preview",
    version=2,
    expires=NOW + timedelta(days=180),
)
OTHERWISE = {
    "id": letter_id("preview:70:3"),
    "incident_id": 8,
    "client_key": "contoso",
    "person": "robin@msp.example",
    "action": "form",
    "version": 3,
    "expires": BOUND.expires + timedelta(seconds=1),
}


def test_a_tag_is_known_again() -> None:
    """DESIGN 3, Tokens: what was minted is valid, and has the form that every place of a mail can carry."""
    tag = mint(KEY, BOUND)
    assert TAG.fullmatch(tag)
    assert valid(KEY, tag, BOUND, NOW)
    assert len(f"noc+{tag}") <= 64  # RFC 5321 4.5.3.1.1: the longest local part


@pytest.mark.parametrize(("name", "other"), [*OTHERWISE.items(), ("incident_id", None)])
def test_a_tag_is_bound_to_each_of_its_fields(name: str, other: Any) -> None:
    """DESIGN 3, Tokens: with another incident, client, person, action, version, expiry or id it is worth nothing."""
    changed: dict[str, Any] = {name: other}
    assert not valid(KEY, mint(KEY, BOUND), replace(BOUND, **changed), NOW)


def test_every_field_is_bound() -> None:
    """The table above names every field that a tag is bound to."""
    assert set(OTHERWISE) == set(Bound.__dataclass_fields__)


def test_fields_do_not_run_into_each_other() -> None:
    """Two neighbouring fields that together spell the same are still two different things."""
    one, other = replace(BOUND, person="ab", action="c"), replace(BOUND, person="a", action="bc")
    assert mint(KEY, one) != mint(KEY, other)


@pytest.mark.parametrize("key", [bytes(32), KEY[::-1], KEY[:-1]])
def test_another_key_forges_nothing(key: bytes) -> None:
    """DESIGN 3, Tokens: without the key file nobody can write a tag."""
    assert not valid(KEY, mint(key, BOUND), BOUND, NOW)


def test_a_tag_expires() -> None:
    """DESIGN 3, Tokens: valid until the very moment, not at it."""
    tag = mint(KEY, BOUND)
    assert valid(KEY, tag, BOUND, BOUND.expires - timedelta(microseconds=1))
    assert not valid(KEY, tag, BOUND, BOUND.expires)


@pytest.mark.parametrize("spoilt", ["", "x", "é", "\0", "a" * 10_000])
def test_rubbish_is_not_valid(spoilt: str) -> None:
    """Whatever stands where a tag should be is compared, never an error."""
    assert not valid(KEY, spoilt, BOUND, NOW)
    assert valid(KEY, mint(KEY, BOUND) + spoilt, BOUND, NOW) == (spoilt == "")


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 36), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567-"))
def test_one_wrong_character_is_enough(place: int, other: str) -> None:
    """DESIGN 3, Tokens: a tag with any character changed is not ours."""
    tag = mint(KEY, BOUND)
    spoilt = tag[:place] + other + tag[place + 1 :]
    assert valid(KEY, spoilt, BOUND, NOW) == (spoilt == tag)


def test_lower_case_throughout() -> None:
    """DESIGN 3, Tokens: mail systems fold case; a folded tag is the same tag, since it has no upper case."""
    tag = mint(KEY, BOUND)
    assert tag == tag.lower()
    assert tag_of(message_id(tag, "msp.example").lower()) == tag


def test_a_message_id_carries_its_tag() -> None:
    """DESIGN 3, Tokens: our Message-ID gives its tag back."""
    tag = mint(KEY, BOUND)
    assert tag_of(message_id(tag, "msp.example")) == tag


@pytest.mark.parametrize(
    "foreign",
    [
        None,
        "",
        "<x@msp.example>",
        "<mf.abcdefghij-short@msp.example>",
        "<mf.abcdefghij-abcdefghijklmnopqrstuvwxyz@>",
        "<mf.abcdefghij-abcdefghijklmnopqrstuvwxyz@a b>",
        "<mf.abcdefghij-abcdefghijklmnopqrstuvwxyz@a@b>",
        "<mf.ABCDEFGHIJ-ABCDEFGHIJKLMNOPQRSTUVWXYZ@msp.example>",
        "<xmf.abcdefghij-abcdefghijklmnopqrstuvwxyz@msp.example>",
        "<mf.abcdefghij-abcdefghijklmnopqrstuvwxyz@msp.example> trailing",
        "mf.abcdefghij-abcdefghijklmnopqrstuvwxyz@msp.example",
    ],
)
def test_foreign_message_ids_carry_none(foreign: str | None) -> None:
    """Nobody else's Message-ID is taken for ours."""
    assert tag_of(foreign) is None


def test_letters_get_different_ids() -> None:
    """DESIGN 3, Idempotency: 100,000 letters have 100,000 ids, and the same letter always has the same."""
    keys = [f"acknowledgement:INC-{n}:john@northwind.example" for n in range(100_000)]
    assert len({letter_id(key) for key in keys}) == len(keys)
    assert letter_id(keys[5]) == letter_id(keys[5])
    assert all(len(letter_id(key)) == 10 for key in keys[:100])


def test_kept_copies_have_it_cut_out() -> None:
    """DESIGN 3, Tokens: no mac is left in kept bytes; the id stays, so that the letter can be found."""
    tag = mint(KEY, BOUND)
    raw = f"Reply-To: noc+{tag}@msp.example\r\nMessage-ID: {message_id(tag, 'msp.example')}\r\n\r\nINC-7 · {tag}\r\n"
    kept = redact(raw.encode()).decode()
    assert tag.partition("-")[2] not in kept
    assert kept.count(f"{BOUND.id}-cut") == 3
    assert redact(kept.encode()).decode() == kept


@pytest.mark.parametrize("place", range(1, 37))
def test_a_tag_that_is_broken_over_two_lines_is_cut_too(place: int) -> None:
    """DESIGN 3, Tokens: quoted-printable may break a line anywhere inside a tag, and it is cut all the same."""
    tag = mint(KEY, BOUND)
    kept = redact(f"<p>{tag[:place]}=\r\n{tag[place:]}</p>".encode()).decode().replace("=\r\n", "")
    assert kept == f"<p>{BOUND.id}-cut</p>"
