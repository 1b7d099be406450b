"""The form's catalogue and the answers to it, as values."""

from typing import Any

import pytest

from mailflow.domain.form import (
    BY_NAME,
    BY_NUMBER,
    CATALOGUE,
    Answer,
    Answers,
    AskedField,
    Command,
    Doubt,
    Form,
    Place,
    Verb,
    end_marker,
)


def test_the_catalogue_is_whole() -> None:
    """DESIGN 3, Form fields: each number and each name stands once, and names the capability it is for."""
    assert len(BY_NUMBER) == len(BY_NAME) == len(CATALOGUE)
    assert all(f.source.startswith("S") for f in CATALOGUE)


def test_the_end_marker() -> None:
    """DESIGN 3: the end marker reads as promised, with reference and version."""
    assert end_marker("INC-2041", 2) == "----- end of form INC-2041/2 -----"


def test_a_form_knows_what_it_prefilled() -> None:
    """An untouched prefilled value can be told from an answer."""
    asked = (AskedField(number=1, label="What?"), AskedField(number=5, label="Started:", prefilled="Tue 9:12"))
    form = Form(reference="INC-1", version=1, language="en", fields=asked, text="", end_marker="")
    assert form.prefilled == {1: "", 5: "Tue 9:12"}


def test_an_empty_reply_is_empty() -> None:
    """A reply that says nothing is nothing to act upon."""
    assert Answers(values={}).empty


@pytest.mark.parametrize(
    "says",
    [
        {"commands": (Command(verb=Verb.STOP),)},
        {"near_miss": "sned"},
        {"values": {1: Answer(number=1, value="", place=Place.TOP)}},
        {"loose": "words"},
        {"doubts": (Doubt(number=1, reason="two_answers", candidates=()),)},
        {"notes": ("a note",)},
    ],
)
def test_a_reply_that_says_anything_is_not_empty(says: dict[str, Any]) -> None:
    """Nothing that a person wrote is taken for nothing."""
    assert not Answers(**{"values": {}, **says}).empty
