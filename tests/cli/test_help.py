"""What mailflow says of itself."""

import pytest

from mailflow import __version__
from tests.cli.conftest import Verb

VERBS = [
    "demo", "run", "pause", "resume", "check", "doctor", "migrate", "read", "incidents", "show", "report",
    "outbox list", "outbox retry", "outbox cancel",
    "quarantine list", "quarantine show", "quarantine retry", "quarantine discard",
    "rehearse", "explain", "whose", "learned", "maintenance", "clients import", "recipe test", "recipe list",
]  # fmt: skip
BOOTSTRAP = ("demo", "run", "read")


@pytest.mark.parametrize("words", VERBS)
def test_each_verb_says_what_it_does(verb: Verb, words: str) -> None:
    """DESIGN 4: each verb says in a sentence what it does, and every option has words of its own."""
    result = verb(*words.split(), "--help")
    assert result.exit_code == 0
    head, _, options = result.stdout.partition("Options:")
    sentence = " ".join(head.split("\n\n")[1].split())
    assert sentence.endswith(".")
    assert len(sentence) > 20
    assert "--help" in options
    if words in BOOTSTRAP:
        assert f"`mailflow {words}" in head


def test_every_verb_is_listed(verb: Verb) -> None:
    """DESIGN 4: the list names every verb, and where to begin."""
    result = verb("--help")
    for words in VERBS:
        assert f"\n  {words.split()[0]} " in result.stdout
    assert "mailflow demo" in result.stdout


@pytest.mark.parametrize("words", [[], ["outbox"], ["quarantine"]])
def test_without_a_verb_there_is_help(verb: Verb, words: list[str]) -> None:
    """DESIGN 4: whoever only types the name is shown the way."""
    result = verb(*words)
    assert "Usage:" in result.output
    assert "Commands:" in result.output


@pytest.mark.parametrize("words", [[], ["outbox"], ["quarantine"], ["clients"], ["recipe"]])
def test_a_list_of_verbs_is_cut_nowhere(verb: Verb, words: list[str]) -> None:
    """DESIGN 4: in 80 columns each verb's line is a whole sentence."""
    _, _, listed = verb(*words, "--help").stdout.partition("Commands:\n")
    verbs = listed.partition("\n\n")[0].splitlines()
    assert verbs
    assert [line for line in verbs if not line.endswith(".") or line.endswith("...")] == []


def test_the_version(verb: Verb) -> None:
    """DESIGN 4: --version is one line."""
    result = verb("--version")
    assert (result.exit_code, result.stdout) == (0, f"mailflow {__version__}\n")
