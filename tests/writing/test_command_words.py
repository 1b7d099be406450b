"""The shipped words for commands, as they stand in words.toml."""

import tomllib

import pytest

from mailflow.config.shipped import shipped
from mailflow.domain.form import Verb
from mailflow.intake.commands import Vocabulary, parse_commands
from mailflow.intake.quoting import plain_lines

TABLE = tomllib.loads((shipped("templates") / "letters/en/words.toml").read_text())["command"]
SHIPPED = Vocabulary(
    words={verb: tuple(TABLE.get(verb.value, ())) for verb in Verb},
    near_miss=tuple(TABLE["near_miss"]),
    closings=tuple(TABLE["closings"]),
)


@pytest.mark.parametrize("line", ["Send", "send it.", "Please send!", "OK, send", "send now"])
def test_a_listed_first_line_is_send(line: str) -> None:
    """N.6: a whole first line of the language's list counts as SEND."""
    assert [c.verb for c in parse_commands(plain_lines(line), SHIPPED).commands] == [Verb.SEND]


@pytest.mark.parametrize("line", ["Please don't send yet", "Send it to Bob", "ok you can send it now", "sned", "Sent?"])
def test_what_comes_close_to_send_is_asked_about(line: str) -> None:
    """N.6: anything close to SEND is asked about and never obeyed."""
    found = parse_commands(plain_lines(line), SHIPPED)
    assert (found.commands, found.near_miss) == ((), line)


@pytest.mark.parametrize(
    "line",
    [
        "1: we send mail through the backup line",
        "We now send all mail through the backup line.",
        "The connector could not send.",
        "Send all staff a reminder that updates now wait for Sunday night.",
    ],
)
def test_an_answer_that_speaks_of_sending_is_not_lost(line: str) -> None:
    """N.5: a first line that merely contains the word is an answer, not a failed SEND."""
    found = parse_commands(plain_lines(line), SHIPPED)
    assert (found.commands, found.near_miss, found.rest[0].text) == ((), "", line)
