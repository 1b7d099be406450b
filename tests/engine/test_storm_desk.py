"""A storm's desk: one form, one preview and one SEND for all clients whom one liaison answers for; a letter each."""

from datetime import timedelta
from pathlib import Path

import pytest

from mailflow.domain.incident import IncidentState, PromiseKind, PromiseState
from mailflow.domain.letters import LetterKind
from tests.engine.test_storms import EXTRA, alive, says
from tests.house import DANA, JOHN, ROBIN, SECOND_LIAISON, VALERY, ByHand, by_hand

pytestmark = pytest.mark.soak

DEBRIEF, FORM, PREVIEW = LetterKind.DEBRIEF, LetterKind.FORM, LetterKind.PREVIEW
MISSING, NOTICE, UPDATE = LetterKind.MISSING, LetterKind.NOTICE, LetterKind.UPDATE
EVE, MAX, LIV = "eve@fabrikam.example", "max@fabrikam.example", "liv@litware.example"
ANSWERS = "1: The line of our provider broke.\n2: They mended it."


def storm(on: ByHand) -> None:
    """Fabrikam's line and Litware's tills fail at once, and come back."""
    hosts = {1: "LW-POS01", 2: "FB-GW02", 3: "LW-POS03", 4: "FB-GW04"}
    for event, host in hosts.items():
        says(on, host, event=event)
    on.later(minutes=20)
    for event, host in hosts.items():
        says(on, host, event=event, over=True)
    on.later(minutes=15)


def test_one_form_and_one_send_serve_all_clients(tmp_path: Path) -> None:
    """S3.7, N.6: forty clients are no forty forms; each has a letter of its own, in which no other's name stands."""
    with by_hand(tmp_path, EXTRA) as on:
        storm(on)
        (form,) = on.got(VALERY, FORM)
        text = " ".join(form.text.split())
        assert "It struck 2 clients of yours" in text
        on.replies(form, ANSWERS)
        (preview,) = on.got(VALERY, PREVIEW)
        for name in ("Eve", "Max", "Liv"):
            assert f"--- to {name}, word for word ---" in preview.text
        on.replies(preview, "SEND")
        on.later(minutes=5)
        letters = {who: on.got(who, DEBRIEF) for who in (EVE, MAX, LIV)}
        assert [len(got) for got in letters.values()] == [1, 1, 1]
        assert "tills" in letters[LIV][0].text
        assert "branch" in letters[EVE][0].text
        for who, foreign in ((EVE, ("Litware", "Liv", "till")), (LIV, ("Fabrikam", "Eve", "branch"))):
            assert not [word for word in foreign if word in letters[who][0].text + letters[who][0].subject]
        (incident,) = alive(on)
        assert incident.state is IncidentState.CLOSED
        sent = [m for m in on.got(VALERY, LetterKind.NOTICE) if "has the letter" in m.subject]
        assert len(sent) == 1
        on.later(days=4)
        assert on.got(DANA) == []


def test_a_client_can_be_taken_out(tmp_path: Path) -> None:
    """S4.4: SPLIT takes out the one whose trouble was another; it gets a form of its own."""
    with by_hand(tmp_path, EXTRA) as on:
        storm(on)
        (form,) = on.got(VALERY, FORM)
        on.replies(form, "SPLIT fabrikam")
        on.later(minutes=15)
        first, second = on.got(VALERY, FORM)
        assert "Litware" in first.subject
        assert "Fabrikam" in second.subject
        on.replies(first, ANSWERS)
        assert "--- to Eve" not in on.last(PREVIEW).text
        on.replies(on.last(PREVIEW), "SEND")
        on.later(minutes=5)
        assert (len(on.got(EVE, DEBRIEF)), len(on.got(LIV, DEBRIEF))) == (0, 1)


def test_no_debrief_is_for_all_of_the_form(tmp_path: Path) -> None:
    """S3.1: in reply to the form that is about all of them, NO DEBRIEF settles all of them."""
    with by_hand(tmp_path, EXTRA) as on:
        storm(on)
        on.replies(on.last(FORM), "NO DEBRIEF it was a drill")
        (incident,) = alive(on)
        assert incident.state is IncidentState.CLOSED
        assert [a.settled_why for a in on.app.store.records.affected_of(incident.id)] == [
            "no debrief: it was a drill"
        ] * 2


def test_each_liaison_answers_for_her_own(tmp_path: Path) -> None:
    """N.6: two liaisons of one storm have a form each, and neither publishes to the other's clients."""
    extra = SECOND_LIAISON + EXTRA.replace('key = "litware"', 'key = "litware"\nlive = "auto"', 1)
    head, mark, tail = extra.partition('name = "Litware"')
    extra = head + mark + tail.replace(f'liaison = "{VALERY}"', f'liaison = "{ROBIN}"', 1)
    with by_hand(tmp_path, extra) as on:
        storm(on)
        (mine,), (hers,) = on.got(VALERY, FORM), on.got(ROBIN, FORM)
        assert "clients of yours" not in mine.text + hers.text
        on.replies(mine, ANSWERS)
        on.replies(on.last(PREVIEW), "SEND")
        on.later(minutes=5)
        assert (len(on.got(EVE, DEBRIEF)), len(on.got(LIV, DEBRIEF)), on.got(JOHN)) == (1, 0, [])
        (incident,) = alive(on)
        assert incident.running


def test_stop_holds_all_of_the_draft(tmp_path: Path) -> None:
    """DESIGN 4: STOP to the preview of many holds all that it would have sent."""
    with by_hand(tmp_path, EXTRA) as on:
        storm(on)
        on.replies(on.last(FORM), ANSWERS)
        preview = on.last(PREVIEW)
        on.replies(preview, "SEND")
        on.replies(preview, "STOP")
        on.later(minutes=10)
        assert [on.got(who, DEBRIEF) for who in (EVE, MAX, LIV)] == [[], [], []]


def test_not_known_yet_is_told_to_each_client(tmp_path: Path) -> None:
    """S1.14: "we don't know yet" to the form of many tells each of them so, in a letter of its own."""
    with by_hand(tmp_path, EXTRA) as on:
        storm(on)
        on.replies(on.last(FORM), "1: We don't know yet.\n2: Our provider mended the line.")
        assert on.got(VALERY, MISSING) == []
        on.replies(on.last(PREVIEW), "SEND")
        on.later(minutes=5)
        letters = {who: on.got(who, UPDATE) for who in (EVE, MAX, LIV)}
        assert [len(got) for got in letters.values()] == [1, 1, 1]
        assert "your tills" in letters[LIV][0].text
        assert "your tills" not in letters[EVE][0].text + letters[MAX][0].text
        assert all("Our provider mended the line." in got.text for (got,) in letters.values())


@pytest.mark.parametrize("answered", [LetterKind.OPENED, FORM])
def test_what_is_written_below_a_storms_mail_is_for_all_whom_it_is_about(tmp_path: Path, answered: LetterKind) -> None:
    """S1.14, N.4: UPDATE and LATER below the mail or the form that is about many are for all of them."""
    with by_hand(tmp_path, EXTRA) as on:
        storm(on)
        mail = next(
            m for m in reversed(on.got(VALERY, answered)) if answered is FORM or "clients" in m.subject + m.text
        )
        on.replies(mail, "UPDATE The provider has sent somebody.")
        on.replies(on.last(PREVIEW), "SEND")
        on.later(minutes=5)
        assert [len(on.got(who, UPDATE)) for who in (EVE, MAX, LIV)] == [1, 1, 1]
        on.replies(mail, "LATER 4 December")
        assert "Liv, Eve, Max" in " ".join(on.last(NOTICE).text.split())
        on.replies(on.last(PREVIEW), "SEND")
        on.later(minutes=5)
        assert [len(on.got(who, UPDATE)) for who in (EVE, MAX, LIV)] == [2, 2, 2]
        (incident,) = alive(on)
        assert {p.due_at.day for p in on.app.store.promises.of(incident.id) if p.kind is PromiseKind.DEBRIEF} == {4}


def test_a_storm_is_handed_over_as_a_whole(tmp_path: Path) -> None:
    """N.4: ASSIGN below the form of many hands over all of them, with one mail to who takes over and one form."""
    with by_hand(tmp_path, SECOND_LIAISON + EXTRA) as on:
        storm(on)
        on.replies(on.last(FORM), "ASSIGN Robin")
        assert "Litware, Fabrikam" in " ".join(on.last(NOTICE).text.split())
        assert len(on.got(ROBIN, NOTICE)) == 1
        on.replies(on.last(FORM, ROBIN), ANSWERS, ROBIN)
        on.replies(on.last(PREVIEW, ROBIN), "SEND", ROBIN)
        on.later(minutes=5)
        assert [len(on.got(who, DEBRIEF)) for who in (EVE, MAX, LIV)] == [1, 1, 1]


def test_a_person_of_one_client_is_waited_for_by_that_client_alone(tmp_path: Path) -> None:
    """N.4, one client's words: WAITING FOR Liv is in Litware's letter, and in no other's."""
    with by_hand(tmp_path, EXTRA) as on:
        storm(on)
        on.replies(on.last(FORM), "WAITING FOR Liv: which till is it?")
        on.replies(on.last(PREVIEW), "SEND")
        on.later(minutes=5)
        assert [len(on.got(who, UPDATE)) for who in (EVE, MAX, LIV)] == [0, 0, 1]
        (incident,) = alive(on)
        promises = on.app.store.promises.of(incident.id)
        assert [p.waits_for for p in promises if p.kind is PromiseKind.DEBRIEF] == ["client", ""]


def test_the_next_word_is_owed_to_each_of_several_contacts_clients(tmp_path: Path) -> None:
    """N.4: the second contact's letter does not keep what the first one's has just promised."""
    with by_hand(tmp_path, EXTRA) as on:
        storm(on)
        on.replies(on.last(FORM), "WAITING FOR the provider")
        on.replies(on.last(PREVIEW), "SEND")
        on.later(minutes=5)
        (incident,) = alive(on)
        updates = [p for p in on.app.store.promises.of(incident.id) if p.kind is PromiseKind.UPDATE]
        assert [p.state for p in updates] == [PromiseState.OPEN] * 2


def test_a_storms_mail_asks_for_the_calls(tmp_path: Path) -> None:
    """S4.15: the one mail of a storm says who is to be called as well, and by when."""
    tier = '[policy.tier.gold.call_within]\nP1 = "1h"\nP2 = "1h"\nP3 = "1h"\n'
    with by_hand(tmp_path, tier + EXTRA.replace('key = "litware"', 'key = "litware"\ntier = "gold"')) as on:
        storm(on)
        text = " ".join(" ".join(m.text.split()) for m in on.got(VALERY, LetterKind.OPENED))
        assert text.count("Please call Liv Berg as well, by") == 1


def test_each_letter_of_a_storm_is_signed_by_who_answers_for_it(tmp_path: Path) -> None:
    """N.6: one client's row handed over while one preview for all waits: two previews, each with its own signature,
    and the old one sends nothing."""
    with by_hand(tmp_path, SECOND_LIAISON + EXTRA) as on:
        storm(on)
        on.replies(on.last(FORM), ANSWERS)
        old = on.last(PREVIEW)
        on.at(on.now.replace(hour=8, minute=1) + timedelta(days=2))
        morning = on.last(LetterKind.MORNING)
        number = 1 + ["Fabrikam" in line for line in morning.text.splitlines() if line[:1].isdigit()].index(True)
        on.replies(morning, f"{number} ROBIN")
        on.replies(old, "SEND")
        on.later(minutes=5)
        assert [on.got(who, DEBRIEF) for who in (EVE, MAX, LIV)] == [[], [], []]
        on.replies(on.last(PREVIEW, ROBIN), "SEND", ROBIN)
        on.replies(on.last(PREVIEW), "SEND")
        on.later(minutes=5)
        (eve,), (_,), (liv,) = (on.got(who, DEBRIEF) for who in (EVE, MAX, LIV))
        assert "Robin Day" in eve.text
        assert "Valery" not in eve.text
        assert "Valery Stufano" in liv.text


def test_who_is_split_off_is_taken_out_of_what_waits(tmp_path: Path) -> None:
    """S4.4: SPLIT while a preview for all waits: the older one sends nothing, the new one is without that client."""
    with by_hand(tmp_path, EXTRA) as on:
        storm(on)
        form = on.last(FORM)
        on.replies(form, ANSWERS)
        old = on.last(PREVIEW)
        on.replies(form, "SPLIT fabrikam")
        on.replies(old, "SEND")
        on.later(minutes=5)
        assert on.got(LIV, DEBRIEF) == []
        on.replies(next(m for m in reversed(on.got(VALERY, PREVIEW)) if "to Liv" in m.text), "SEND")
        on.later(minutes=5)
        assert [len(on.got(who, DEBRIEF)) for who in (EVE, MAX, LIV)] == [0, 0, 1]


def test_each_letter_tells_its_own_clients_times(tmp_path: Path) -> None:
    """S1.5, N.6: whoever was back first reads so, not when the last one was; a corrected start is everybody's."""
    with by_hand(tmp_path, EXTRA) as on:
        hosts = {1: "LW-POS01", 2: "FB-GW02", 3: "LW-POS03", 4: "FB-GW04"}
        for event, host in hosts.items():
            says(on, host, event=event)
        on.later(minutes=20)
        for event in (1, 3):
            says(on, hosts[event], event=event, over=True)
        on.later(minutes=90)
        for event in (2, 4):
            says(on, hosts[event], event=event, over=True)
        on.later(minutes=15)
        on.replies(on.last(FORM), f"{ANSWERS}\n5: 8:00")
        on.replies(on.last(PREVIEW), "SEND")
        on.later(minutes=5)
        eve, liv = on.last(DEBRIEF, EVE).text, on.last(DEBRIEF, LIV).text
        assert "8:00" in eve
        assert "11:02" in eve
        assert "8:00" in liv
        assert "9:32" in liv
