"""Understanding one mail: an alert, and a liaison's reply to the form that she was sent."""

import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bench.world import alert
from mailflow.demo.clients import outlook_inline
from mailflow.demo.story import JOHN, MORNING, VALERY
from mailflow.domain.letters import LetterKind
from mailflow.domain.vocabulary import Kind
from mailflow.engine.digests import MANY
from mailflow.engine.receive import vocabulary
from mailflow.intake.align import align
from mailflow.intake.read import read
from tests.house import RECOVERY, house
from tests.intake.test_alerts import SAMPLES
from tests.writing.cast import MONDAY, digest

TIMES = 200
ROWS = MANY  # that a digest shows, however many are late


@dataclass(frozen=True, kw_only=True)
class Reading:
    """Milliseconds a mail."""

    alert: float
    every: float  # mean over all mails of all tools that the tests know
    reply: float
    digest: float  # of ROWS late promises, both parts


def reading(folder: Path) -> Reading:
    """Have a form sent, answer it as Outlook does, and read the answer again and again."""
    folder.mkdir(parents=True, exist_ok=True)
    with house(folder) as on:
        on.alert()
        on.expect(VALERY, "file server")
        on.move_to(MORNING + timedelta(minutes=5))
        on.expect(JOHN, "file server")  # else it may be over before he was told, and nothing is asked
        on.alert(RECOVERY, "Resolved in 9m 4s: NW-FS01 has been restarted")
        on.settle()
        on.move_to(MORNING + timedelta(minutes=20))
        sent = on.expect(VALERY, "[1]")
        store = on.app.store
        letter = next(x for x in store.outbox.letters(limit=20) if x.kind is LetterKind.FORM)
        form = store.desk.form(letter.id)
        assert form is not None
        answers = {1: "A Windows update had finished in the night.\nIt was never meant to.", 2: "- We set it right"}
        reply = outlook_inline(sent, f"Valery Stufano <{VALERY}>", answers, on.now)
        recipes, words = on.app.setup.recipes, vocabulary(on.app.setup, "en")
        assert set(align(read(reply, recipes), form, words).values) == {1, 2}
        assert read(alert(1), recipes).kind is Kind.ALERT
        one = digest()
        rows = {**one, "rows": [deepcopy(row) for row in one["rows"] * (ROWS // 2)], "tag": ""}
        every = [sample.values[0].raw() for sample in SAMPLES]
        return Reading(
            alert=_ms(lambda: read(alert(1), recipes)),
            every=_ms(lambda: [read(raw, recipes) for raw in every], times=5) / len(every),
            reply=_ms(lambda: align(read(reply, recipes), form, words)),
            digest=_ms(lambda: on.app.setup.writer.render(LetterKind.DIGEST, "en", rows, MONDAY), times=10),
        )


def _ms(work: Callable[[], object], times: int = TIMES) -> float:
    """Milliseconds of processor time."""
    began = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - began) / times * 1000
