"""Verbs about letters: outbox list, retry, cancel."""

from typing import Annotated

import typer

from mailflow.app import App
from mailflow.cli.options import AsJson, Config, opened
from mailflow.cli.output import OUT, as_json, as_table, fail, local, told
from mailflow.domain.letters import UNSETTLED, Letter, LetterState
from mailflow.domain.lifecycle import Dispatch, IllegalTransitionError, dispatch
from mailflow.domain.vocabulary import Live

app = typer.Typer(help="Letters: what waits, what is held, what failed.", no_args_is_help=True)
LetterId = Annotated[int, typer.Argument(help="The letter's number, as `outbox list` shows it.")]
UNSENT = sorted(UNSETTLED | {LetterState.FAILED})
MANY = 1_000


@app.command(name="list")
def list_(
    config: Config = None,
    json: AsJson = False,
    everything: Annotated[bool, typer.Option("--all", help="Sent and dropped ones too.")] = False,
) -> None:
    """List the letters that have not left."""
    with told(json=json):
        mailflow = opened(config)
        letters = mailflow.store.outbox.letters(states=() if everything else UNSENT, limit=MANY)
        if json:
            as_json(
                [
                    {
                        "id": x.id,
                        "incident": x.facts.get("reference"),
                        "kind": x.kind,
                        "to": x.recipient.address,
                        "state": x.state,
                        "reason": x.reason,
                        "due_at": x.due_at,
                        "tries": x.tries,
                        "said": x.said,
                    }
                    for x in letters
                ]
            )
            return
        zone = mailflow.setup.policy.timezone
        rows = [
            (x.id, x.facts.get("reference"), x.kind, _to(mailflow, x), x.state, x.reason, local(x.due_at, zone), x.said)
            for x in letters
        ]
        as_table(["letter", "incident", "kind", "to", "state", "why", "due", "server said"], rows, empty="All is sent.")


@app.command()
def retry(letter: LetterId, config: Config = None) -> None:
    """Send a failed or held letter after all.

    One that waits for SEND, or whose fate is unknown, is left alone.
    """
    with told():
        mailflow = opened(config)
        found = _letter(mailflow, letter)
        if found.reason == "waits-for-send":
            fail(f"letter {letter} waits for the liaison's SEND; only that releases it", code=1)
        if found.state is LetterState.UNKNOWN:
            fail(f"nobody knows whether letter {letter} left; the liaison is asked SENT or RESEND", code=1)
        _move(mailflow, letter, Dispatch.RELEASE, "retried-by-hand")
        OUT.print(f"Letter {letter} is due now.")


@app.command()
def cancel(letter: LetterId, config: Config = None) -> None:
    """Drop a letter that has not left."""
    with told():
        _move(opened(config), letter, Dispatch.DROP, "cancelled-by-hand")
        OUT.print(f"Letter {letter} will not be sent.")


def _to(mailflow: App, letter: Letter) -> str:
    """Whom a letter is for, and that somebody else will have it."""
    withheld = (
        letter.kind.to_client
        and letter.state in UNSENT
        and letter.affected_id is not None
        and mailflow.setup.live(mailflow.store.records.affected(letter.affected_id)) is Live.OFF
    )
    return f"{letter.recipient}" + (' (live = "off": to the liaison)' if withheld else "")


def _letter(mailflow: App, letter: int) -> Letter:
    try:
        return mailflow.store.outbox.letter(letter)
    except KeyError:
        fail(f"there is no letter {letter}; `mailflow outbox list --all` shows them", code=1)


def _move(mailflow: App, letter: int, step: Dispatch, reason: str) -> None:
    now = mailflow.clock.now()
    with mailflow.store.transaction():
        found = _letter(mailflow, letter)
        try:
            state = dispatch(found.state, step)
        except IllegalTransitionError:
            fail(f"letter {letter} is {found.state}: that cannot be done to it any more", code=1)
        mailflow.store.outbox.move(letter, state, reason=reason, due_at=now, now=now)
