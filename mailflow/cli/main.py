"""`mailflow`: the verbs. Each is thin; what they do lives in the engine, and app.py builds it."""

import typer

from mailflow import __version__
from mailflow.cli import (
    clients,
    demo,
    learned,
    maintenance,
    outbox,
    quarantine,
    reading,
    recipe,
    records,
    rehearse,
    report,
    service,
)

app = typer.Typer(
    help="mailflow: an MSP's clients hear from a person, every time something breaks, by mail alone.",
    epilog="Begin with `mailflow demo`; for your own mailbox, `mailflow check` and `mailflow doctor`.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def version(value: bool) -> None:
    """Print the version and end."""
    if value:
        print(f"mailflow {__version__}")
        raise typer.Exit


@app.callback()
def options(
    _: bool = typer.Option(False, "--version", callback=version, is_eager=True, help="Print the version."),
) -> None:
    """What stands before the verb."""


app.command()(demo.demo)
app.command()(service.run)
app.command()(service.pause)
app.command()(service.resume)
app.command()(service.check)
app.command()(service.doctor)
app.command()(service.migrate)
app.command()(reading.read)
app.command()(records.incidents)
app.command()(records.show)
app.command()(report.report)
app.command()(rehearse.rehearse)
app.command()(rehearse.explain)
app.command()(learned.whose)
app.command()(learned.learned)
app.command()(maintenance.maintenance)
app.add_typer(clients.app, name="clients")
app.add_typer(recipe.app, name="recipe")
app.add_typer(outbox.app, name="outbox")
app.add_typer(quarantine.app, name="quarantine")


def run() -> None:
    """The console script."""
    app()


if __name__ == "__main__":
    run()
