"""What a user gets from pip is whole: the wheel, installed away from the checkout, works with all that it ships."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parent.parent
DEVELOPERS = {"MAILFLOW_CONFIG", "PYTHONPATH"}  # of who runs the tests; a user has neither

# One worker builds the wheel once for all of these (make test: --dist loadgroup).
pytestmark = [pytest.mark.soak, pytest.mark.xdist_group("wheel")]


def run(*arguments: str | Path, cwd: Path, **env: str) -> str:
    """Run this Python with `arguments` and give what it printed; its whole output is in the failure where it fails."""
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=cwd,
        env={name: value for name, value in os.environ.items() if name not in DEVELOPERS} | env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, f"{arguments} ended with status {done.returncode}:\n{done.stdout}"
    return done.stdout


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = ("-m", "pip", "wheel", "-q", "--disable-pip-version-check", "--no-deps")
    run(*pip, "-w", folder, CHECKOUT, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the wheel's content and nothing of the checkout; the libraries are this Python's."""
    folder = tmp_path_factory.mktemp("installed")
    pip = ("-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps", "--no-index")
    run(*pip, "--target", folder, wheel, cwd=folder)
    return folder


def mailflow(installed: Path, cwd: Path, *arguments: str | Path) -> str:
    """Run the installed program's verb from a folder that has nothing to do with either."""
    return run("-m", "mailflow.cli.main", *arguments, cwd=cwd, PYTHONPATH=str(installed))


def test_the_wheel_ships_what_a_user_may_read_or_replace(wheel: Path) -> None:
    """Templates, recipes, the configuration and the licence are inside, tests are not."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert "mailflow/shipped/config.toml" in names
    for shipped, inside in (("templates", "mailflow/shipped/templates"), ("mailflow/recipes", "mailflow/recipes")):
        files = [path for path in (CHECKOUT / shipped).rglob("*") if path.is_file() and "__pycache__" not in path.parts]
        missing = {f"{inside}/{path.relative_to(CHECKOUT / shipped).as_posix()}" for path in files} - set(names)
        assert missing == set()
    assert any(name.endswith("/licenses/LICENSE") for name in names)
    assert [name for name in names if name.startswith(("tests/", "docs/", "deploy/"))] == []


def test_the_installed_program_is_the_one_that_runs(installed: Path, tmp_path: Path) -> None:
    """These tests speak of the wheel: Python finds mailflow there, though the checkout is installed too."""
    where = run("-c", "import mailflow; print(mailflow.__file__)", cwd=tmp_path, PYTHONPATH=str(installed))
    assert Path(where.strip()).is_relative_to(installed)


def test_help_lists_the_verbs(installed: Path, tmp_path: Path) -> None:
    """The command line starts and names what it can do."""
    said = mailflow(installed, tmp_path, "--help")
    assert "check" in said
    assert "demo" in said


def test_the_shipped_configuration_is_sound(installed: Path, tmp_path: Path) -> None:
    """`check` passes on the configuration in the wheel, with the templates and recipes in the wheel."""
    mailflow(installed, tmp_path, "check", "--config", installed / "mailflow" / "shipped" / "config.toml")


def test_the_demo_plays_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    """The whole story runs to its good end where there is no checkout."""
    mailflow(installed, tmp_path, "demo", "--folder", tmp_path / "demo")
