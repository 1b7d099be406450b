"""Verbs about mail that was set aside: quarantine list, show, retry, discard."""

import sys
from typing import Annotated

import typer

from mailflow.cli.options import AsJson, Config, opened
from mailflow.cli.output import OUT, as_json, as_table, fail, local, told

app = typer.Typer(help="Mail that could not be processed, kept with its bytes.", no_args_is_help=True)
MailId = Annotated[int, typer.Argument(help="The mail's number, as `quarantine list` shows it.")]


@app.command(name="list")
def list_(config: Config = None, json: AsJson = False) -> None:
    """List the mails that were set aside, and why."""
    with told(json=json):
        mailflow = opened(config)
        mails = mailflow.store.mailroom.quarantined()
        if json:
            keys = ("id", "received_at", "mailbox", "reason")
            as_json([{key: getattr(mail, key) for key in keys} for mail in mails])
            return
        zone = mailflow.setup.policy.timezone
        rows = [(m.id, local(m.received_at, zone), m.mailbox, m.reason) for m in mails]
        as_table(["mail", "came", "mailbox", "why"], rows, empty="Nothing is in quarantine.")


@app.command()
def show(mail: MailId, config: Config = None) -> None:
    """Print the mail's bytes as they came.

    Example: `mailflow quarantine show 7 > mail.eml`.
    """
    with told():
        mailflow = opened(config)
        found = mailflow.store.mailroom.inbound(mail)
        if found is None:
            fail(f"there is no mail {mail}; `mailflow quarantine list` shows them", code=1)
        try:
            sys.stdout.buffer.write(mailflow.store.mailroom.content(found.hash))
        except KeyError:
            fail(f"the bytes of mail {mail} are not kept any more (store.keep_raw_days)", code=1)


@app.command()
def retry(mail: MailId, config: Config = None) -> None:
    """Give a mail a fresh start: the daemon decides over it again."""
    with told():
        mailflow = opened(config)
        with mailflow.store.transaction():
            if not mailflow.store.mailroom.retry(mail):
                fail(f"mail {mail} is not in quarantine", code=1)
        OUT.print(f"Mail {mail} is decided over again at the next look.")


@app.command()
def discard(mail: MailId, config: Config = None) -> None:
    """Leave a mail alone for good.

    Its bytes are kept as long as any other's.
    """
    with told():
        mailflow = opened(config)
        with mailflow.store.transaction():
            if not mailflow.store.mailroom.discard(mail, mailflow.clock.now()):
                fail(f"mail {mail} is not in quarantine", code=1)
        OUT.print(f"Mail {mail} is discarded.")
