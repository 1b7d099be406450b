"""Shipped files are found, and an MSP's own files lie over them."""

from pathlib import Path

import pytest

from mailflow.config import shipped as module
from mailflow.config.shipped import languages, layers, recipe_files, shipped


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed package with two templates and a recipe, in a folder that is no checkout."""
    package = tmp_path / "site-packages" / "mailflow"
    for name in ("shipped/templates/letters/en/ack.txt", "shipped/templates/words.toml", "recipes/zabbix.toml"):
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text("shipped")
    (package.parent / "templates").mkdir()  # somebody else's
    monkeypatch.setattr(module, "PACKAGE", package)
    monkeypatch.setattr(module, "CHECKOUT", package.parent)
    return package


def test_shipped_files_are_found_in_the_checkout() -> None:
    """Run from a checkout, the files at its top are the ones used."""
    assert shipped("config.toml").read_text("utf-8").startswith("# mailflow's configuration")
    assert shipped("templates").is_dir()


def test_shipped_files_are_found_in_the_installed_package(installed: Path) -> None:
    """Once installed, the package's own files are used, never those of other packages beside it."""
    assert shipped("templates") == installed / "shipped" / "templates"
    (installed.parent / "config.toml").write_text("somebody else's")
    with pytest.raises(FileNotFoundError, match=r"config\.toml is missing from this installation"):
        shipped("config.toml")


def test_own_files_replace_shipped_ones_one_by_one(installed: Path, tmp_path: Path) -> None:
    """An MSP that rewrites one letter keeps getting the shipped others; what editors leave behind is no file."""
    own = tmp_path / "own"
    (own / "letters" / "en").mkdir(parents=True)
    for name in ("letters/en/ack.txt", "letters/en/more.txt", "letters/en/.ack.txt.swp", "letters/en/ack.txt~"):
        (own / name).write_text("own")
    templates = installed / "shipped" / "templates"
    assert layers("templates", None) == {
        "letters/en/ack.txt": templates / "letters/en/ack.txt",
        "words.toml": templates / "words.toml",
    }
    assert layers("templates", own) == {
        "letters/en/ack.txt": own / "letters/en/ack.txt",
        "letters/en/more.txt": own / "letters/en/more.txt",
        "words.toml": templates / "words.toml",
    }


def test_own_recipes_replace_shipped_ones_by_id(installed: Path, tmp_path: Path) -> None:
    """A recipe is known by its file's name; the MSP's own of that name is the one used."""
    own = tmp_path / "recipes"
    own.mkdir()
    for name in ("zabbix.toml", "ours.toml", "notes.txt"):
        (own / name).write_text("own")
    assert recipe_files(None) == {"zabbix": installed / "recipes" / "zabbix.toml"}
    assert recipe_files(own) == {"zabbix": own / "zabbix.toml", "ours": own / "ours.toml"}


def test_a_language_is_a_folder_of_letters(installed: Path, tmp_path: Path) -> None:
    """S2.13: adding a language is adding a folder, also one of the MSP's own."""
    assert installed.is_dir()
    (tmp_path / "own" / "letters" / "nl").mkdir(parents=True)
    assert languages(None) == ("en",)
    assert languages(tmp_path / "own") == ("en", "nl")
