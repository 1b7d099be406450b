"""Where the files lie that travel with the program, and an MSP's own files laid over them.

What a user may read or replace (config.toml, templates) stands at the checkout's top and, once installed, inside the
package. A file of the MSP's own replaces the shipped one of the same name, file by file, so that an update of the
others still arrives.
"""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent
CHECKOUT = PACKAGE.parent


def shipped(relative: str) -> Path:
    """The shipped file or folder: in the installed package, else at the top of the checkout."""
    installed = PACKAGE / "shipped" / relative
    if installed.exists():
        return installed
    # Beside an installed package lie other people's packages: only a checkout's top holds files of ours.
    if (CHECKOUT / "pyproject.toml").is_file() and (CHECKOUT / relative).exists():
        return CHECKOUT / relative
    raise FileNotFoundError(f"{relative} is missing from this installation of mailflow; install it again")


def layers(relative_folder: str, own: Path | None) -> dict[str, Path]:
    """Every file below a shipped folder, by its path within it, the MSP's own file first where there is one."""
    return {**_files(shipped(relative_folder)), **(_files(own) if own else {})}


def recipe_files(own: Path | None) -> dict[str, Path]:
    """Every recipe by its id (the file's name without .toml), the MSP's own first where there is one."""
    folders = [PACKAGE / "recipes", *([own] if own else [])]
    return {file.stem: file for folder in folders for file in sorted(folder.glob("*.toml")) if _meant(file)}


def languages(own: Path | None) -> tuple[str, ...]:
    """The languages that there are letters in: the folders below templates/letters, shipped and own."""
    folders = [shipped("templates") / "letters", *([own / "letters"] if own else [])]
    return tuple(
        sorted({entry.name for folder in folders if folder.is_dir() for entry in folder.iterdir() if entry.is_dir()})
    )


def _files(folder: Path) -> dict[str, Path]:
    return {file.relative_to(folder).as_posix(): file for file in sorted(folder.rglob("*")) if _meant(file)}


def _meant(file: Path) -> bool:
    """Whether a file was put there on purpose: editors leave .name.swp and name~ behind."""
    return file.is_file() and not file.name.startswith(".") and not file.name.endswith("~")
