"""The options that verbs share, and opening what they need."""

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from mailflow.app import App
from mailflow.config.load import Loaded, find_config, load
from mailflow.engine.store import StoreError

Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        help="Configuration file [default: $MAILFLOW_CONFIG, ./config.toml, /etc/mailflow/config.toml]",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def _when(form: str, like: str) -> Callable[[str], datetime]:
    def read(text: str) -> datetime:
        try:
            return datetime.strptime(text, form)  # noqa: DTZ007 - the service's zone is not known yet
        except ValueError:
            raise typer.BadParameter(f"`{text}` is none; write it like {like}") from None

    return read


# What an option takes that is a day or a month.
A_DAY: dict[str, Any] = {"parser": _when("%Y-%m-%d", "2026-11-24"), "metavar": "YYYY-MM-DD"}
A_MONTH: dict[str, Any] = {"parser": _when("%Y-%m", "2026-11"), "metavar": "YYYY-MM"}


def loaded(config: Path | None) -> Loaded:
    """The configuration; ConfigurationError with every problem."""
    return load(find_config(config, os.environ), os.environ)


def opened(config: Path | None, *, fresh: bool = False) -> App:
    """A built mailflow, nothing running. Only what is `fresh` may make the records; StoreError where there are none."""
    found = loaded(config)
    database = found.database_url.removeprefix("sqlite:///")
    if not fresh and database != found.database_url and not Path(database).exists():
        raise StoreError(f"no records yet in {database}; `mailflow run` makes them", configuration=False)
    return App(found, environ=os.environ)
