"""The demo verb: the whole story on embedded mail servers, told step by step."""

import os
import threading
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from mailflow.cli import logs
from mailflow.cli.output import OUT, fail, told

PORTS = (10143, 10025)  # of the shipped config.toml, so that a real mail program finds them


def demo(
    folder: Annotated[Path, typer.Option(help="Where the story's mails are laid; emptied at each run.")] = Path(
        "demo-data"
    ),
    stay: Annotated[
        bool, typer.Option("--stay", help="Keep the servers and the daemon up afterwards, for a real mail program.")
    ] = False,
) -> None:
    """Play the story of an outage on embedded mail servers.

    Alert, acknowledgement, form, debrief, digest. Examples: `mailflow demo`, `mailflow demo --stay --folder story`.
    """
    try:
        from mailflow.demo import story  # noqa: PLC0415 - its libraries are an extra
    except ImportError as error:
        fail(f"the demo needs its mail servers ({error.name} is missing): pip install 'mailflow[demo]'", code=2)
    began = time.monotonic()
    with told():
        try:
            story.emptied(folder)
            with (folder / "daemon.log").open("w", buffering=1) as log:
                logs.configure(log)
                ports = PORTS if stay else (0, 0)
                with story.stage(folder, imap_port=ports[0], smtp_port=ports[1], environ=os.environ) as stage:
                    imap, smtp = stage.mail.imap_port, stage.mail.smtp_port
                    OUT.print(f"The daemon runs against IMAP :{imap} and SMTP :{smtp}.\n")
                    story.play(stage, _tell)
                    paths = story.write_mails(stage.mail.sent, folder)
                    OUT.print(f"\nThat took {time.monotonic() - began:.0f} seconds. Every mail of it, also as .html:")
                    for path in paths:
                        OUT.print(f"  {path}", markup=False)
                    OUT.print(f"  {folder / 'daemon.log'}: what the daemon said meanwhile", markup=False)
                    if stay:
                        _stay(imap, smtp, story.PASSWORD, stage.people)
        except story.StoryError as error:
            fail(f"the story stopped: {error}", f"what the daemon said: {folder / 'daemon.log'}", code=1)
        except OSError as error:
            fail(f"the demo cannot start: {error}", code=1)


def _tell(when: str, what: str) -> None:
    if when == "letter":
        for line in Text(what.strip()).wrap(OUT, OUT.width - 6):
            OUT.print(f"{'':6}{line.plain}".rstrip(), markup=False)
        OUT.print()
    else:
        OUT.print(Text.assemble((f"{when:>14}  " if when else " " * 16, "bold cyan"), what))


def _stay(imap: int, smtp: int, password: str, people: tuple[str, ...]) -> None:
    OUT.print(f"\nThe servers stay up: IMAP 127.0.0.1:{imap}, SMTP 127.0.0.1:{smtp}, no encryption.")
    OUT.print(f"Log in as any of these, password “{password}”: {', '.join(people)}", markup=False)
    OUT.print("The story's clock goes on from Monday, 8:01. Ctrl-C ends it.")
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        OUT.print("\nThe end.")
