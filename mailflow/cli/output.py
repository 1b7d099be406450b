"""What the verbs print: tables where a terminal is one, JSON where a program reads, one clear line for a mistake."""

import contextlib
import json as json_
import sys
import textwrap
from collections.abc import Iterator, Sequence
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mailflow.app import problems_of
from mailflow.config.load import ConfigurationError
from mailflow.engine.store import StoreError
from mailflow.intake.recipes import RecipeError
from mailflow.writing.lint_files import RulesError
from mailflow.writing.render import TemplateError
from mailflow.writing.words import WordsError

WIDE = 10_000  # columns: where no terminal is, one row is one line, and grep finds it
FOLDED = 24  # columns at least for the widest cells of a table in a terminal; the others are never broken
OUT = Console(soft_wrap=True, highlight=False)
ERR = Console(stderr=True, soft_wrap=True, highlight=False)


def as_json(value: object) -> None:
    """Print for a program; somebody may look at it in a terminal all the same."""
    print(json_.dumps(value, default=_plain, ensure_ascii=False, indent=2).translate(ESCAPED))


def as_table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, empty: str) -> None:
    """Print for a person; what came in by mail is never markup. A row too wide for the terminal flows over lines."""
    if not rows:
        OUT.print(empty, markup=False)
        return
    texts = [[str(cell if cell is not None else "").translate(CONTROL) for cell in row] for row in rows]
    if not OUT.is_terminal:
        Console(width=WIDE, highlight=False).print(_table(columns, texts))
        return
    widths = [
        max(cell_len(line) for text in column for line in text.split("\n"))
        for column in zip(columns, *texts, strict=True)
    ]
    widest = widths.index(max(widths))
    if sum(widths) + 2 * len(widths) - max(0, widths[widest] - FOLDED) <= OUT.width:
        OUT.print(_table(columns, texts, folds=widest))
        return
    for first, *others in texts:
        said = "; ".join(f"{name} {text}".strip() for name, text in zip(columns[1:], others, strict=True) if text)
        flowing = textwrap.wrap(
            f"{columns[0]} {first}: {said}", OUT.width, subsequent_indent="    ", break_on_hyphens=False
        )
        OUT.print("\n".join(flowing), markup=False)


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, folds: int | None = None) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, column in enumerate(columns):
        table.add_column(column, overflow="fold", no_wrap=folds not in {None, number})
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def fail(*problems: str, code: int) -> NoReturn:
    """Say what is wrong, line by line, and end."""
    for problem in problems:
        ERR.print(problem, markup=False)
    raise typer.Exit(code)


@contextlib.contextmanager
def told(*, json: bool = False) -> Iterator[None]:
    """Turn a user's mistake or an unusable store into clear lines and an exit code; bugs keep their traceback."""
    try:
        yield
    except (ConfigurationError, TemplateError, WordsError, RulesError, RecipeError, StoreError) as error:
        code = 1 if isinstance(error, StoreError) and not error.configuration else 2
        if json:  # a program reads the problems where it would have read the answer
            as_json({"problems": problems_of(error)})
            raise typer.Exit(code) from None
        fail(*problems_of(error), code=code)
    except BrokenPipeError:
        sys.stderr.close()
        raise typer.Exit(0) from None


def local(moment: datetime | None, timezone: str) -> str:
    """ "24 Nov 09:12" in the service's zone."""
    return f"{moment.astimezone(ZoneInfo(timezone)):%d %b %H:%M}" if moment else ""


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, tuple | frozenset | set):
        return list(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


# Control characters of a mail must not reach a terminal: they could move its cursor or rename its window.
CONTROL = {c: "·" for c in (*range(32), *range(127, 160)) if chr(c) not in "\n\t"}
ESCAPED = {c: f"\\u{c:04x}" for c in range(127, 160)}  # what JSON itself leaves as it is
