"""The mail budget: what a simple incident costs its liaison and its client, in one thread each."""

from pathlib import Path

from mailflow.domain.letters import LetterKind
from tests.engine.test_desk import ANSWERS, form_of
from tests.house import DANA, JOHN, SHIRLEY, VALERY, ByHand, Received, by_hand


def ids(mail: Received, header: str) -> list[str]:
    return str(mail.message[header] or "").split()


def assert_one_thread(mails: list[Received]) -> None:
    """Each mail but the first answers one that its reader has, and all name the first: any program shows one thread."""
    first = ids(mails[0], "Message-ID")[0]
    seen = [first]
    assert ids(mails[0], "In-Reply-To") == []
    for mail in mails[1:]:
        (answered,) = ids(mail, "In-Reply-To")
        assert answered in seen
        references = ids(mail, "References")
        assert references[0] == first
        assert references[-1] == answered
        seen += ids(mail, "Message-ID")
    assert len(set(seen)) == len(seen)


def all_of(on: ByHand) -> dict[str, list[Received]]:
    return {who: on.sent_to(who) for who in (VALERY, JOHN, SHIRLEY, DANA)}


def test_a_simple_incident_costs_four_mails_and_two(tmp_path: Path) -> None:
    """DESIGN 4, the mail budget: opened, form, preview and sent to the liaison, acknowledgement and debrief to the
    client, one thread each, and not a mail more to anybody in the weeks after."""
    with by_hand(tmp_path) as on:
        on.replies(form_of(on), ANSWERS)
        on.replies(on.last(LetterKind.PREVIEW), "SEND")
        on.later(minutes=4)
        for _ in range(3):
            on.later(days=7)
        got = all_of(on)
        assert [on.kind_of(mail) for mail in got[VALERY]] == [
            LetterKind.OPENED,
            LetterKind.FORM,
            LetterKind.PREVIEW,
            LetterKind.NOTICE,
        ]
        assert "has the letter" in got[VALERY][-1].subject
        assert [on.kind_of(mail) for mail in got[JOHN]] == [LetterKind.ACKNOWLEDGEMENT, LetterKind.DEBRIEF]
        assert (got[SHIRLEY], got[DANA]) == ([], [])
        assert_one_thread(got[VALERY])
        assert_one_thread(got[JOHN])
        assert not {i for m in got[JOHN] for i in ids(m, "References")} & {
            i for m in got[VALERY] for i in [*ids(m, "Message-ID"), *ids(m, "References")]
        }


def test_more_alerts_about_the_same_cost_nothing(tmp_path: Path) -> None:
    """DESIGN 4, the mail budget: however often the monitor repeats itself, nobody has one mail more for it."""
    with by_hand(tmp_path) as on:
        for _ in range(5):
            on.alert()
            on.later(minutes=1)
        assert {who: len(mails) for who, mails in all_of(on).items()} == {VALERY: 1, JOHN: 1, SHIRLEY: 0, DANA: 0}
