"""A quote of the form without marks and without an introduction that anybody knows (N.5)."""

import html as escaping
from dataclasses import replace

import pytest

from mailflow.domain.form import Command, Verb
from mailflow.intake.align import align
from tests.intake.test_align import ENGLISH, FORM, LABEL, TEXT, reading, values

WORDED = f"{LABEL[1]} The fan\n{LABEL[2]} Replaced it"
TAIL = "\nINC-2041 · abcdefghij-abcdefghijklmnopqrstuvwxyz\n"
SENT = replace(FORM, text=TEXT + TAIL)
WELSH = "Oddi wrth: mailflow <noc@msp.example>\nAnfonwyd: 24 Tachwedd 2026\nAt: Paul\nPwnc: INC-2041\n\n"
ABOVE = ("", WELSH, "Zprávu poslal mailflow <noc@msp.example>:\n", "-----\n" + WELSH)
QUOTES = {
    "whole": TEXT,
    "no end": TEXT.partition("Or one line")[0],
    "half a head": TEXT.partition("\n")[2],
    "wrapped": TEXT.replace("did not answer from", "did not\nanswer from").replace("before you do", "before\nyou do"),
    "tail": TEXT + TAIL,
    "marked": "".join(f"> {line}\n" for line in (TEXT + TAIL).splitlines()),
}


@pytest.mark.parametrize("above", ABOVE)
@pytest.mark.parametrize("quote", QUOTES)
@pytest.mark.parametrize("typed", ["1: The fan\n2: Replaced it", WORDED, "[1] The fan\n[2] Replaced it"])
@pytest.mark.parametrize("parts", ["text", "both"])
def test_answers_above_a_quote_that_nothing_introduces(above: str, quote: str, typed: str, parts: str) -> None:
    """N.5: what was typed is read, and no word of the form's own, of its reference or of its header is an answer."""
    text = f"{typed}\n\n{above}{QUOTES[quote]}"
    lines = "".join(f"<div>{escaping.escape(line) or '<br>'}</div>" for line in text.splitlines())
    found = align(reading(text, lines if parts == "both" and quote != "marked" else ""), SENT, ENGLISH)
    assert values(found) == {1: "The fan", 2: "Replaced it"}
    assert (found.doubts, found.notes) == ((), ())
    assert found.loose == ""


@pytest.mark.parametrize("above", ABOVE[:2])
@pytest.mark.parametrize("quote", [name for name in QUOTES if name != "marked"])
@pytest.mark.parametrize("verb", [Verb.UPDATE, Verb.NOTE])
def test_a_command_above_a_quote_that_nothing_introduces(above: str, quote: str, verb: Verb) -> None:
    """S4.17, N.6: a word to the client ends where the form begins: nothing that is ours alone goes to anybody."""
    said = ENGLISH.__class__(words={verb: (verb.value,)})
    found = align(reading(f"{verb.value.upper()} We are replacing the disk.\n\n{above}{QUOTES[quote]}"), SENT, said)
    assert found.commands == (Command(verb=verb, argument="We are replacing the disk."),)
    assert (values(found), found.loose, found.notes) == ({}, "", ())


def test_words_of_the_form_in_an_answer_are_an_answer() -> None:
    """N.5: a line of the form's beginning that is typed into an answer ends nothing."""
    answer = "It says\nJust reply; John sees nothing before you do.\nand that is wrong"
    assert values(align(reading(f"1: {answer}\n2: x\n"), SENT, ENGLISH)) == {1: answer, 2: "x"}
