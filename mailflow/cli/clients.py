"""The verb about clients: import."""

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mailflow.cli.options import AsJson, Config, loaded
from mailflow.cli.output import CONTROL, ERR, OUT, WIDE, as_json, fail, told
from mailflow.config.changes import Change, What
from mailflow.config.import_plan import ImportPlan, import_plan
from mailflow.config.load import find_config
from mailflow.writing.page import counted

app = typer.Typer(help="The clients and their contacts, from a spreadsheet or a PSA.", no_args_is_help=True)

COLOURS = {
    What.NEW: "green",
    What.ADDED: "green",
    What.REMOVED: "red",
    What.KEPT: "dim",
    What.UNCHANGED: "dim",
}
CHANGED = "yellow"


@app.callback()
def clients() -> None:
    """The clients and their contacts, from a spreadsheet or a PSA."""


@app.command(name="import")
def import_(
    file: Annotated[Path, typer.Argument(help="A CSV file: a plain one, or Autotask's, ConnectWise's, HaloPSA's.")],
    config: Config = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Show what would change, and write nothing.")
    ] = False,
    maps: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="FIELD=COLUMN", help="Which column a field stands in; several with commas."),
    ] = None,
    liaison: Annotated[str | None, typer.Option(help="The address of the liaison who signs for new clients.")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Take out contacts whom the file does not list.")] = False,
    json: AsJson = False,
) -> None:
    """Take clients and contacts over from a CSV file.

    Shows the differences, then writes clients/KEY.toml for each. Only contacts marked for incidents will be mailed.
    What the file knows nothing of stays as you wrote it. Example: `mailflow clients import contacts.csv --dry-run --map
    "Client=Account,Incidents=Service Alerts"`.
    """
    with told(json=json):
        main = find_config(config, os.environ)
        plan = import_plan(file, main, loaded(config), maps=maps or (), liaison=liaison, remove=remove)
        written = () if dry_run or plan.problems else plan.carry_out()
        if json:
            as_json(_as_dict(plan, written))
        else:
            _show(plan)
        if plan.problems:
            fail(*([] if json else plan.problems), code=2)
        if not json:
            OUT.print(_end(plan, written, dry_run=dry_run), markup=False)


def _show(plan: ImportPlan) -> None:
    """The differences as a table, and what to look at below it."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("client", "what", "contact", ""):
        table.add_column(column, overflow="fold")
    for change in plan.changes:
        cells = (change.client, change.what, change.contact, change.detail)
        table.add_row(*(Text(str(cell).translate(CONTROL)) for cell in cells), style=_colour(change))
    (OUT if OUT.is_terminal else Console(width=WIDE, highlight=False)).print(table)
    for warning in plan.warnings:
        ERR.print(f"warning: {warning}".translate(CONTROL), markup=False)
    for doubt in plan.doubts:
        ERR.print(f"look: {doubt}".translate(CONTROL), markup=False)


def _colour(change: Change) -> str:
    return COLOURS.get(change.what, CHANGED)


def _end(plan: ImportPlan, written: tuple[Path, ...], *, dry_run: bool) -> str:
    """What was done, in a line or two."""
    said = []
    if plan.left_out:
        said.append("Left out: " + ", ".join(f"{count} {why}" for why, count in plan.left_out.items()) + ".")
    if plan.absent:
        said.append(f"Configured, but not in the file, and left as they are: {counted(plan.absent, 'client')}.")
    if not plan.texts:
        said.append("Nothing changes.")
    elif dry_run:
        said.append(f"{counted(len(plan.texts), 'file')} would be written; nothing was.")
    else:
        said.append(f"{counted(len(written), 'file')} written. A running service reads them on SIGHUP.")
    return "\n".join(said)


def _as_dict(plan: ImportPlan, written: tuple[Path, ...]) -> dict[str, object]:
    """The public form of a plan."""
    return {
        "columns": dict(plan.columns),
        "changes": [
            {"client": c.client, "what": c.what, "contact": c.contact, "detail": c.detail} for c in plan.changes
        ],
        "look": plan.doubts,
        "warnings": plan.warnings,
        "left_out": dict(plan.left_out),
        "absent": plan.absent,
        "problems": plan.problems,
        "would_write": [new.file for new in plan.texts],
        "written": written,
    }
