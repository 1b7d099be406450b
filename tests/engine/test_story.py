"""The story of the demo, and the promises it keeps, on embedded servers over real sockets."""

from pathlib import Path

from mailflow.demo import story
from tests.house import NOC, house


def test_the_whole_story_plays(tmp_path: Path) -> None:
    """S0.1 to S0.4, S0.8, S0.12, S4.6: alert to debrief, an incident by mail, and the overdue digest."""
    told: list[str] = []
    with house(tmp_path) as on:
        story.play(on, lambda when, what: told.append(what))
        to_john = on.sent_to(story.JOHN)
        assert [m.subject for m in to_john] == ["Your file server this morning", "Re: Your file server this morning"]
        assert to_john[1].message["In-Reply-To"] == to_john[0].message["Message-ID"]
        assert str(to_john[0].message["From"]) == f"Valery Stufano <{NOC}>"
        assert len(on.app.store.records.incidents(running_only=False, limit=9)) == 2
