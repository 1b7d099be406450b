"""A folder of bad configurations, each with the exact and complete list of what is said about it."""

from pathlib import Path

import pytest

from mailflow.config.load import load
from mailflow.config.report import ConfigurationError

BAD = Path(__file__).parent / "bad"
# Words of the validation library, of Python or of a type checker: an administrator should never see one.
JARGON = ("pydantic", "Input should", "errors.", "validation", "NoneType", "dict", "tuple", "Traceback", "Value error")


@pytest.mark.parametrize("file", sorted(BAD.glob("*.toml")), ids=lambda file: str(file.stem))
def test_each_bad_configuration_is_refused_with_exactly_these_words(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S4.19: what is wrong is told before any incident happens: all of it at once, where it is and what to do."""
    monkeypatch.chdir(BAD)
    with pytest.raises(ConfigurationError) as refused:
        load(Path(file.name), {})
    said = "\n".join(refused.value.problems).replace(str(BAD), "{here}")
    assert said.splitlines() == file.with_suffix(".txt").read_text("utf-8").splitlines()


@pytest.mark.parametrize("file", sorted(BAD.glob("*.txt")), ids=lambda file: str(file.stem))
def test_expected_messages_are_plain_and_hold_no_secret(file: Path) -> None:
    """Every expected message has a configuration, says what to do, speaks no jargon and repeats no secret."""
    assert file.with_suffix(".toml").is_file()
    for line in file.read_text("utf-8").splitlines():
        assert "; " in line or "?" in line, line
        assert not [word for word in JARGON if word in line], line
        assert "hunter" not in line, line
