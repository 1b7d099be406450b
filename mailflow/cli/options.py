"""The options that verbs share, and opening what they need."""

import os
from pathlib import Path
from typing import Annotated

import typer

from mailflow.app import App
from mailflow.config.load import Loaded, find_config, load

Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        help="Configuration file [default: $MAILFLOW_CONFIG, ./config.toml, /etc/mailflow/config.toml]",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def loaded(config: Path | None) -> Loaded:
    """The configuration; ConfigurationError with every problem."""
    return load(find_config(config, os.environ), os.environ)


def opened(config: Path | None) -> App:
    """A built mailflow, nothing running."""
    return App(loaded(config), environ=os.environ)
