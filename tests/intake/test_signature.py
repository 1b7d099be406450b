"""Learning how somebody signs, and nothing else."""

import pytest

from mailflow.intake.signature import ending, learned

SIGNED = "Valery Stufano\nClient Experience Liaison\n\nExample MSP, 1 Main Street"
LINES = ("Valery Stufano", "Client Experience Liaison", "Example MSP, 1 Main Street")
BEGINS = ("kind regards", "valery stufano", "valery", "client experience liaison")
COMMANDS = frozenset({"send", "stop"})


def test_what_two_replies_end_alike_with_is_the_signature() -> None:
    """N.5: an unmarked signature is known after two replies, blank lines and blanks aside."""
    one, two = ending(f"1: A cable.\n\n{SIGNED}"), ending(f"SEND\n\n{SIGNED.replace(' ', '  ')}\n\n")
    assert learned([one, two], BEGINS, COMMANDS) == LINES
    assert learned([one], BEGINS, COMMANDS) == ()
    assert learned([], BEGINS, COMMANDS) == ()


@pytest.mark.parametrize(
    "text",
    [
        "1: A cable was loose.\n2: We fixed it.\n[3] No.",
        "A cable was loose.\nSEND\nStop!",
        "A cable was loose.\n2) We fixed it.\nValery",
        "It will take two hours.\n\nPlease keep everybody off the Data drive.\nDo not restart anything.",
        "It will take two hours.\n\nPlease keep everybody off\nthe Data drive",
        "It is up again.\n\nValery\nDo not restart anything.",
        "It is up again.\nValery restarted it\nand Paul went home",
        "SEND",
        "",
    ],
)
def test_what_was_said_twice_is_no_signature(text: str) -> None:
    """N.6: the same answers, sentences or commands in two replies are still those in the third."""
    assert learned([ending(text), ending(text)], BEGINS, COMMANDS) == ()


def test_a_mail_is_never_all_signature() -> None:
    """N.6: the first line is always something that was said."""
    assert learned([ending(SIGNED), ending(SIGNED)], BEGINS, COMMANDS) == LINES[1:]


def test_what_stands_above_the_name_is_no_signature() -> None:
    """N.6: what is said twice above the name is said; the signature begins with the closing or the name."""
    one = ending(f"1: A cable.\nIt works again\nfor everybody\n\n{SIGNED}")
    assert learned([one, one], BEGINS, COMMANDS) == LINES
    closed = ending(f"1: A cable.\nIt works again\n\nKind regards,\n{SIGNED}")
    assert learned([closed, closed], BEGINS, COMMANDS) == ("Kind regards,", *LINES)


def test_hostile_text_costs_nothing() -> None:
    """Bounded by construction: of a mail without end a few short lines are kept."""
    end = ending("x\n" + "y" * 1_000_000 + "\nz" * 1_000_000)
    assert len(end) == 10
    assert max(map(len, end)) <= 200
