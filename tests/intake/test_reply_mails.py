"""Whole replies as mail programs put them on the wire, in all the cases that must come out right (N.5, S0.8)."""

from pathlib import Path

import pytest

from mailflow.domain.form import Answers, Verb
from mailflow.domain.mail import Reading
from mailflow.domain.vocabulary import Kind
from mailflow.intake.align import align
from mailflow.intake.read import read
from tests.intake.test_align import FORM, PASTED, values
from tests.intake.test_reply_exam import NO_RECIPES, vocabulary

MAILS = Path(__file__).parents[1] / "fixtures" / "replies" / "mails"
PROBLEM, STEPS = "The switch in the rack lost power.", "Moved it to the second feed.\nCalled Shirley."
# What is answered otherwise than with these two.
OTHERWISE: dict[str, dict[int, str]] = {
    "answer_begins_with_quote_sign": {1: PROBLEM, 2: "> restart it\nwas what the vendor said"},
    "answer_is_an_instruction": {1: PROBLEM, 2: "Leave blank if you like:"},
    "hebrew": {1: "המתג נפל", 2: "החלפנו אותו"},
    "japanese": {1: "スイッチの電源が落ちました。", 2: "交換しました。"},
    "pasted_log": {
        1: PROBLEM,
        2: "From the log:\n--\n____________________\nFrom: 10.0.0.1 port 3\n> eth0 down\nTo: 10.0.0.9",
    },
    "pasted_mail": {1: PROBLEM, 2: PASTED},
    "rewritten_links": {1: "See https://status.vendor.example/41 for the reason.", 2: STEPS},
    "same_field_twice": {2: STEPS},
    "steps_as_lists": {
        1: PROBLEM,
        2: "In this order:\n\n- moved it\n- checked the log\n\n1. called Shirley\n2. went home",
    },
    "struck_through": {1: PROBLEM, 2: STEPS, 5: "Tue 8:55"},
    "thunderbird_flowed_from": {
        1: "From Monday on the switch in the rack lost power every night at about three, as the log of the monitoring "
        "says.",
        2: STEPS,
    },
    "two_on_top_five_inline": {
        1: PROBLEM,
        2: STEPS,
        3: "No.",
        4: "A second feed.",
        5: "Tue 8:55",
        6: "Tue 9:30",
        7: "all of the office",
    },
    "words_like_labels": {1: "On Monday we wrote:\nthe switch is old\nImpact: low", 2: STEPS},
    "wrong_charset_declared": {1: "Der Lüfter fiel aus.", 2: "Getauscht – gleich am Morgen."},
}
LOOSE = {
    "answers_in_an_attachment": "Please see the file.",
    "colleague_forwards_the_form": "Ann, can you answer this?",
}
WITHOUT_ANSWERS = {"empty_reply", "emoji_reaction", "send", "send_yahoo", "send_not_yet", "winmail_only", *LOOSE}
FROM_MACHINES = {"out_of_office": Kind.AUTO_REPLY, "bounce_with_the_form": Kind.BOUNCE}


def both(name: str) -> tuple[Reading, Answers]:
    """A mail, read and aligned."""
    reading = read((MAILS / f"{name}.eml").read_bytes(), NO_RECIPES)
    return reading, align(reading, FORM, vocabulary())


def squeezed(answers: dict[int, str]) -> dict[int, str]:
    """Without blank lines: Word gives every line of an answer a paragraph of its own."""
    return {n: value.replace("\n\n", "\n") for n, value in answers.items()}


@pytest.mark.parametrize("name", sorted(p.stem for p in MAILS.iterdir() if p.stem not in FROM_MACHINES))
def test_what_a_mail_answers(name: str) -> None:
    """N.5: each field holds exactly its own, nothing of the form or of a program is anybody's words."""
    reading, found = both(name)
    expected = {} if name in WITHOUT_ANSWERS else OTHERWISE.get(name, {1: PROBLEM, 2: STEPS})
    assert squeezed(values(found)) == squeezed(expected)
    assert (found.loose, found.notes) == (LOOSE.get(name, ""), ())
    assert [d.number for d in found.doubts] == ([1] if name == "same_field_twice" else [])
    assert [c.verb for c in found.commands] == ([Verb.SEND] if name in {"send", "send_yahoo"} else [])
    assert found.near_miss == ("Please don't SEND yet" if name == "send_not_yet" else "")
    assert reading.kind is Kind.UNKNOWN


@pytest.mark.parametrize(("name", "kind"), FROM_MACHINES.items())
def test_what_machines_say_of_a_form(name: str, kind: Kind) -> None:
    """An out-of-office that quotes the word SEND, and a bounce that holds the whole form, answer and send nothing."""
    reading, found = both(name)
    assert reading.kind is kind
    assert (found.values, found.commands, found.near_miss) == ({}, (), "")


def test_what_came_with_a_reply_is_named() -> None:
    """Answers in an attachment, or in Outlook's own format, are not read; it is told what came."""
    assert both("answers_in_an_attachment")[0].attachments == ("answers.pdf",)
    assert both("winmail_only")[0].attachments == ("winmail.dat",)
    assert "winmail.dat" in both("winmail_only")[0].defects[0]


def test_a_reply_delivered_twice_is_one() -> None:
    """The same reply through two servers is known by its identity; another reply is another."""
    raw = (MAILS / "gmail_inline_wrapped_attribution.eml").read_bytes()
    again = read(b"Received: from mx.msp.example; Tue, 24 Nov 2026 16:02:12 +0000\r\n" + raw, NO_RECIPES)
    assert again.identity == read(raw, NO_RECIPES).identity
    assert again.identity != both("outlook_inline")[0].identity
