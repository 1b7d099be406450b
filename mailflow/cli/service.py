"""Verbs about the service: run, pause, resume, check, doctor, migrate."""

import getpass
from functools import partial
from typing import Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn

from mailflow.adapters.imap.session import connect
from mailflow.adapters.smtp.courier import SmtpCourier
from mailflow.adapters.store.database import DatabaseStore, database
from mailflow.build import build_setup, prepared
from mailflow.cli import logs
from mailflow.cli.options import AsJson, Config, loaded, opened
from mailflow.cli.output import ERR, OUT, as_json, as_table, fail, local, told
from mailflow.engine.brake import Brake
from mailflow.engine.checkup import Finding, examine
from mailflow.engine.specimens import specimens
from mailflow.writing.page import counted


def run(
    config: Config = None,
    once: Annotated[
        bool, typer.Option("--once", help="Drain the inbox, fire what is due, flush the outbox, and end.")
    ] = False,
) -> None:
    """Run the daemon until it is stopped.

    SIGTERM and Ctrl-C stop it; SIGHUP reads the configuration again. Examples: `mailflow run`, `mailflow run --once
    --config /etc/mailflow/config.toml`.
    """
    logs.configure()
    with told():
        app = opened(config, fresh=True)
        for warning in app.loaded.warnings:
            ERR.print(f"warning: {warning}", markup=False)
        raise typer.Exit(app.once() if once else app.run())


def pause(config: Config = None) -> None:
    """Hold all mail to clients at once. Staff mail goes on, and nothing is lost: `resume` lists it and lets it go."""
    with told():
        app = opened(config, fresh=True)
        with app.store.transaction():
            Brake(app.store).pause(getpass.getuser(), app.clock.now())
        OUT.print("All mail to clients is held. `mailflow resume` lists it and lets it go.")


def resume(
    config: Config = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """List the mail that `pause` holds, ask, and let it go."""
    with told():
        app = opened(config)
        brake = Brake(app.store)
        held = brake.held()
        if not held and not brake.paused():
            OUT.print("Nothing was paused.")
            return
        zone = app.setup.policy.timezone
        rows = [(x.id, x.facts.get("reference"), x.kind, x.recipient, local(x.due_at, zone)) for x in held]
        as_table(["letter", "incident", "kind", "to", "was due"], rows, empty="Nothing is held by the pause.")
        if not yes and held and not typer.confirm("Send it?" if len(held) == 1 else f"Send these {len(held)} letters?"):
            raise typer.Exit(1)
        with app.store.transaction():
            brake.resume(app.clock.now())
        OUT.print("Client mail moves again." if brake.paused() is False else "Still paused.")


def check(config: Config = None, json: AsJson = False) -> None:
    """Check the configuration, and tell all problems at once.

    Templates, recipes and contacts too; nothing is connected to. Exit code 2: the configuration cannot be used. 1: it
    can, but a letter could not be written. 0: all is well.
    """
    with told(json=json):
        found = loaded(config)
        database(found.database_url)
        setup = build_setup(found, bytes(32))
        faults = specimens(setup)
        clients = found.directory.clients
        if json:
            as_json({"problems": faults, "warnings": found.warnings, "clients": len(clients), "files": found.files})
        else:
            for warning in found.warnings:
                ERR.print(f"warning: {warning}", markup=False)
            OUT.print(
                f"{counted(len(found.files), 'file')}, {counted(len(setup.mailboxes), 'mailbox', 'mailboxes')}, "
                f"{counted(len(clients), 'client')}, "
                f"{len(setup.recipes.all)} recipes, letters in {', '.join(setup.writer.languages)}; "
                f"live = {setup.policy.live}"
            )
        if faults:
            fail(*([] if json else faults), code=1)
        if not json:
            warned = len(found.warnings)
            OUT.print(f"It can be used; {counted(warned, 'warning')} above." if warned else "Everything is in order.")


def doctor(config: Config = None, json: AsJson = False) -> None:
    """Try the mailboxes for real: login, folders, sending.

    Also tries plus addressing, the clock, authserv_id and the copy in Sent. One mail goes to the administrator, and a
    copy of it into the mailbox itself, where it stays.
    """
    with told(json=json):
        app = opened(config, fresh=True)
        findings: list[Finding] = []
        with Progress(SpinnerColumn(), TextColumn("{task.description}"), console=ERR, transient=True) as progress:
            for mailbox in app.setup.mailboxes:
                progress.add_task(f"{mailbox.address}: sending a mail and waiting for its copy …")
                account = app.accounts[mailbox.address]
                courier = SmtpCourier(account.smtp)
                try:
                    findings += examine(
                        mailbox, partial(connect, account.imap), courier, app.setup.administrator, app.clock
                    )
                finally:
                    courier.close()
        if json:
            as_json([{"mailbox": f.mailbox, "what": f.what, "verdict": f.verdict, "said": f.said} for f in findings])
        else:
            as_table(["mailbox", "", "what", ""], [(f.mailbox, f.verdict, f.what, f.said) for f in findings], empty="")
        raise typer.Exit(int(any(f.verdict == "fail" for f in findings)))


def migrate(config: Config = None) -> None:
    """Bring the database's tables up to date. `run` does it too; this does nothing else."""
    with told():
        found = loaded(config)
        prepared(found.data_dir)
        store = DatabaseStore(found.database_url)
        names = store.migrate()
        OUT.print(f"Applied: {', '.join(names)}" if names else "Everything is up to date.")
