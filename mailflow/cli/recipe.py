"""Verbs about recipes: recipe test, recipe list. They need no configuration and touch neither store nor network."""

from pathlib import Path
from typing import Annotated

import typer

from mailflow.cli.options import AsJson
from mailflow.cli.output import CONTROL, OUT, as_json, as_table, told
from mailflow.cli.reading import OwnRecipes, mail_in, recipes_in
from mailflow.domain.mail import Event
from mailflow.intake.matching import trace
from mailflow.intake.read import alert_view, read
from mailflow.intake.recipes import Recipes

app = typer.Typer(help="How monitoring tools' mails are known and read.", no_args_is_help=True)


@app.command(name="test")
def examine(
    file: Annotated[Path, typer.Argument(help="A mail as a file (.eml).")],
    recipes: OwnRecipes = None,
    json: AsJson = False,
) -> None:
    """Show which recipe knows a mail, and what it takes from it.

    Each field and where it stands, and the key. Example: `mailflow recipe test alert.eml --recipes my-recipes`.
    """
    with told(json=json):
        raw, known = mail_in(file), recipes_in(recipes)
        reading = read(raw, known)
        knowing = [r.id for r in known.all if read(raw, Recipes(all=(r,))).events]
        origins = trace(alert_view(raw), known[reading.events[0].recipe]) if reading.events else ()
        if json:
            as_json(
                {
                    "rule": reading.rule,
                    "recipes": knowing,
                    "events": [_as_dict(e) for e in reading.events],
                    "fields": [{"field": o.field, "value": o.value, "from": o.source} for o in origins],
                    "defects": reading.defects,
                }
            )
            return
        if not reading.events:
            OUT.print(f"No recipe knows this mail ({reading.rule}).", markup=False)
            for defect in reading.defects:
                OUT.print(f"  {defect}".translate(CONTROL), markup=False)
            raise typer.Exit(1)
        recipe = known[reading.events[0].recipe]
        note = ", unconfirmed: written from memory, so nothing automatic goes to clients" if recipe.unconfirmed else ""
        OUT.print(f"Recipe: {recipe.id} ({recipe.tool}){note}", markup=False)
        if len(knowing) > 1:
            OUT.print(f"Known by others too: {', '.join(i for i in knowing if i != recipe.id)}", markup=False)
        for event in reading.events:
            said = f"{event.state} {event.severity}, {event.class_}, {event.symptom}; key {event.key}"
            OUT.print(f"Event: {said}".translate(CONTROL), markup=False)
            for name, values in (("names the client", event.names), ("names the thing", event.hosts)):
                if values:
                    OUT.print(f"  {name}: {', '.join(values)}".translate(CONTROL), markup=False)
        as_table(["field", "value", "from"], [(o.field, o.value, o.source) for o in origins], empty="")


@app.command(name="list")
def list_(recipes: OwnRecipes = None, json: AsJson = False) -> None:
    """List the monitoring tools that are understood.

    And whether their recipe is proven.
    """
    with told(json=json):
        known = recipes_in(recipes)
        rows = [(r.id, r.tool, r.rules.ending, "unconfirmed" if r.unconfirmed else "") for r in known.all]
        if json:
            as_json([dict(zip(("id", "tool", "recovery", "note"), row, strict=True)) for row in rows])
            return
        as_table(["recipe", "tool", "trouble ends by", ""], rows, empty="")


def _as_dict(event: Event) -> dict[str, object]:
    return {
        "recipe": event.recipe,
        "state": event.state,
        "severity": event.severity,
        "class": event.class_,
        "symptom": event.symptom,
        "key": event.key,
        "thing": event.thing,
        "family": event.family,
        "names": event.names,
        "hosts": event.hosts,
        "vendor": event.vendor,
        "unconfirmed": event.unconfirmed,
        "fields": dict(event.fields),
    }
