"""Where tokens of ours are looked for."""

from mailflow.domain.people import Address
from mailflow.intake.tokens import MAX_TAGS, token_tags

A, B, C, D = (f"{letter * 10}-{letter * 26}" for letter in "abcd")


def test_best_place_first() -> None:
    """Plus-tag, In-Reply-To, References from the newest, then the visible line; each once."""
    to = (Address(name="", address="x@example.com"), Address(name="", address=f"help+{A}@msp.example"))
    ours = [f"<mf.{t}@msp.example>" for t in (C, B)]
    assert token_tags(to, f"<mf.{B.upper()}@msp.example>", ours, [f"ref {D}\n{A}"]) == (A, B, C, D)


def test_only_whole_tags() -> None:
    """Half a tag, a longer word, and a foreign Message-ID are none."""
    to = (Address(name="", address=f"{A}@example.com"), Address(name="", address=f"help+{A}a@example.com"))
    assert token_tags(to, f"<{A}@example.com>", [f"<mf.{A[:-1]}@example.com>"], [f"x{A}", f"{A}-", A[:-1]]) == ()


def test_capped() -> None:
    """A mail full of tags costs the engine no more than a few checks."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    text = " ".join(f"{x * 9}{y}-{x * 26}" for x in letters for y in letters)
    assert len(token_tags((), None, [], [text])) == MAX_TAGS
