"""Verbs about what liaisons taught by answering triage, and about what belongs to whom: learned, whose."""

from pathlib import Path
from typing import Annotated

import typer

from mailflow.cli.options import AsJson, Config, loaded, opened
from mailflow.cli.output import ERR, OUT, as_json, as_table, fail, local, told
from mailflow.engine.signals import Taught
from mailflow.engine.store import StoreError


def learned(
    config: Config = None,
    json: AsJson = False,
    revoke: Annotated[int | None, typer.Option(help="Take this lesson back, by its number.")] = None,
) -> None:
    """List what liaisons taught by placing a mail.

    "Whatever says this is Northwind's", newest first. Example: `mailflow learned --revoke 3` takes the third lesson
    back. What the configuration says counts above it.
    """
    with told(json=json):
        app = opened(config)
        if revoke is not None:
            with app.store.transaction():
                if not app.store.lessons.revoke(revoke, app.clock.now()):
                    fail(f"there is no lesson {revoke} that counts; `mailflow learned` lists them", code=1)
            OUT.print(f"Lesson {revoke} counts no more.")
            return
        lessons = app.store.lessons.all()
        if json:
            as_json(
                [
                    {
                        "id": t.id,
                        "sign": t.lesson.sign,
                        "value": t.lesson.value,
                        "client": t.lesson.client_key,
                        "by": t.by,
                        "at": t.at,
                        "revoked_at": t.revoked_at,
                    }
                    for t in lessons
                ]
            )
            return
        zone = app.setup.policy.timezone
        rows = [
            (
                t.id,
                t.lesson.sign,
                t.lesson.value,
                t.lesson.client_key,
                t.by,
                local(t.at, zone),
                local(t.revoked_at, zone) and f"taken back {local(t.revoked_at, zone)}",
            )
            for t in lessons
        ]
        as_table(
            ["lesson", "sign", "says", "client", "taught by", "when", ""], rows, empty="Nobody has taught anything."
        )


def whose(
    name: Annotated[str, typer.Argument(help="A host, a vendor, a mail address, or a client's key or name.")],
    config: Config = None,
    json: AsJson = False,
) -> None:
    """Tell whose a thing is, or what a client has.

    As the configuration says, and as liaisons taught where there are records. Examples: `mailflow whose NW-FS01`,
    `mailflow whose "Microsoft 365"`, `mailflow whose northwind`.
    """
    with told(json=json):
        directory = loaded(config).directory
        ways = {
            "client": directory.clients_named(name),
            "host": directory.clients_of_host(name),
            "vendor": directory.clients_of_vendor(name),
            "address": directory.who(name).clients if "@" in name else (),
        }
        found = [
            (client, how, component)
            for how, clients in ways.items()
            for client in clients
            for component in (
                [x for x in client.components if x.is_of(name)]
                if how == "vendor"
                else [client.component_for(name)]
                if how == "host"
                else client.components or (None,)
                if how == "client"
                else [None]
            )
        ]
        found += [
            (client, f"lesson {taught.id}", None)
            for taught in _lessons(config)
            if taught.lesson.value == name.casefold() and (client := directory.client(taught.lesson.client_key))
        ]
        if json:
            as_json(
                [
                    {"client": c.key, "by": how, "component": x.name if x else None, "plain": x.plain if x else None}
                    for c, how, x in found
                ]
            )
            return
        rows = [
            (c.key, c.name, how, x.name if x else "", x.plain if x else "", ", ".join(x.hosts) if x else "")
            for c, how, x in found
        ]
        columns = ["client", "", "known by", "component", "to the client", "hosts"]
        as_table(columns, rows, empty=f"{name} is nobody's that we know.")


def _lessons(config: Path | None) -> list[Taught]:
    """What counts of all that was taught; nothing, and a word about it, where the records cannot be asked."""
    try:
        store = opened(config).store
    except StoreError as error:
        ERR.print(f"What liaisons taught is not told: {error}", markup=False)
        return []
    return [taught for taught in store.lessons.all() if taught.revoked_at is None]
