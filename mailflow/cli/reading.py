"""The read verb: what a mail says, before anybody decides; and the files that verbs about a mail are given."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from mailflow.adapters.mailfiles import is_mail
from mailflow.cli.options import AsJson
from mailflow.cli.output import CONTROL, OUT, as_json, fail, told
from mailflow.config.shipped import recipe_files
from mailflow.domain.mail import Reading
from mailflow.intake.read import read as read_mail
from mailflow.intake.recipes import Recipes, parse_recipes

OwnRecipes = Annotated[Path | None, typer.Option("--recipes", help="A folder of your own recipes.")]


def read(
    file: Annotated[Path, typer.Argument(help="A mail as a file (.eml).")],
    json: AsJson = False,
    recipes: OwnRecipes = None,
) -> None:
    """Read one mail, and tell what it reports.

    What it is, and which recipe knows it. Needs no configuration, touches nothing. Example: `mailflow read alert.eml
    --json`.
    """
    with told(json=json):
        reading = read_mail(mail_in(file), recipes_in(recipes))
        if json:
            as_json(_as_dict(reading))
            return
        for label, value in (
            ("From", reading.author),
            ("Subject", reading.subject),
            ("Kind", f"{reading.kind} ({reading.rule})"),
            ("Automatic", reading.automatic),
        ):
            if value:
                OUT.print(f"{label}: {str(value).translate(CONTROL)}", markup=False)
        for event in reading.events:
            said = f"Event: {event.state} {event.severity} {event.symptom}, key {event.key}"
            OUT.print(said.translate(CONTROL), markup=False)
            for name, value in event.fields.items():
                OUT.print(f"  {name}: {value}".translate(CONTROL), markup=False)
        for defect in reading.defects:
            OUT.print(f"Odd: {defect.translate(CONTROL)}", markup=False)
        OUT.print()
        text = reading.new_text.strip() or reading.quoted_text  # answers between quoted lines are all "quoted"
        OUT.print(text.translate(CONTROL), markup=False)


def mail_in(file: Path) -> bytes:
    """The bytes of a mail; one clear line where the file cannot be read or holds none."""
    try:
        raw = file.read_bytes()
    except OSError as error:
        fail(f"{file}: {error.strerror}", code=1)
    if not is_mail(raw):
        fail(f"{file} is {'no mail' if raw else 'empty'}", code=1)
    return raw


def recipes_in(own: Path | None) -> Recipes:
    """The recipes, the user's own first; one clear line where that folder is not there."""
    if own is not None and not own.is_dir():
        fail(f"--recipes: there is no folder {own}", code=2)
    return parse_recipes({name: path.read_text() for name, path in recipe_files(own).items()})


def _as_dict(reading: Reading) -> dict[str, object]:
    """The public form of a reading."""
    bounce = reading.bounce
    return {
        "message_id": reading.message_id,
        "from": str(reading.author) if reading.author else None,
        "subject": reading.subject,
        "kind": reading.kind,
        "rule": reading.rule,
        "events": [
            {
                "recipe": e.recipe,
                "state": e.state,
                "severity": e.severity,
                "class": e.class_,
                "symptom": e.symptom,
                "key": e.key,
                "fields": dict(e.fields),
            }
            for e in reading.events
        ],
        "new_text": reading.new_text,
        "quoted_text": reading.quoted_text,
        "bounce": {"recipients": [asdict(r) for r in bounce.recipients]} if bounce else None,
        "automatic": reading.automatic,
        "defects": reading.defects,
    }
