"""The verb about planned work: what goes on and what is to come, from the configuration and by mail."""

from datetime import timedelta
from typing import Annotated

import typer

from mailflow.cli.options import AsJson, Config, opened
from mailflow.cli.output import as_json, as_table, local, told
from mailflow.domain.maintenance import LOOK_BACK, ending_between


def maintenance(
    config: Config = None,
    json: AsJson = False,
    days: Annotated[int, typer.Option(min=0, max=365, help="How many days ahead.")] = 14,
) -> None:
    """List planned work that goes on or is to come.

    From the configuration, and announced by mail: a liaison announces work by mailing MAINTENANCE, and calls it off by
    replying CANCEL to the answer.
    """
    with told(json=json):
        app = opened(config)
        now = app.clock.now()
        planned = [*app.setup.windows, *app.store.windows.current(now)]
        # By its end, since that is asked of the windows: what has begun may go on long after these days.
        ahead = ending_between(planned, now, now + LOOK_BACK)
        listed = sorted((w for w in ahead if w.begins <= now + timedelta(days=days)), key=lambda w: w.begins)
        if json:
            as_json(
                [
                    {
                        "client": w.client or None,
                        "things": w.things,
                        "begins": w.begins,
                        "ends": w.ends,
                        "why": w.why,
                        "source": w.source,
                    }
                    for w in listed
                ]
            )
            return
        zone = app.setup.policy.timezone
        rows = [
            (
                local(w.begins, zone),
                local(w.ends, zone),
                w.client or "every client",
                ", ".join(w.things) or "everything",
                w.why,
                w.source,
            )
            for w in listed
        ]
        columns = ["begins", "ends", "client", "things", "why", "from"]
        as_table(columns, rows, empty=f"No work is planned for the next {days} days.")
