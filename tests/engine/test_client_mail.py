"""What clients write while something is on, and after: thanks, requests, others who are struck, their helpdesks."""

from dataclasses import replace
from pathlib import Path

import pytest

from mailflow.demo.clients import gmail_on_top
from mailflow.domain.incident import Affected, Entry, IncidentState
from mailflow.domain.letters import LetterKind
from mailflow.domain.vocabulary import Detection
from tests.engine.test_correlation import trouble
from tests.engine.test_delivery import bounce_of
from tests.house import (
    DANA,
    JOHN,
    NOC,
    RECOVERY,
    ROBIN,
    SECOND_LIAISON,
    SHIRLEY,
    VALERY,
    ByHand,
    Received,
    by_hand,
    write_mail,
)

pytestmark = pytest.mark.soak

ACK, DEBRIEF, FORWARD, NOTICE = LetterKind.ACKNOWLEDGEMENT, LetterKind.DEBRIEF, LetterKind.FORWARD, LetterKind.NOTICE
ANN, BERT, HELP = "ann@contoso.example", "bert@contoso.example", "help@desk.example"
# Put at the end of the configuration, it belongs to its last client.
SECOND = (
    '[[client.contact]]\nname = "Bert Cole"\nfirst_name = "Bert"\naddress = "bert@contoso.example"\nwants = "{wants}"\n'
)
STRUCK = "Same here, nothing works.\n"


def acknowledged(on: ByHand) -> Received:
    """An outage at Northwind, and John's acknowledgement of it."""
    on.alert()
    on.later(minutes=4)
    return on.last(ACK, JOHN)


def debriefed(on: ByHand) -> Received:
    """The same, closed: John has the debrief."""
    acknowledged(on)
    on.recovery()
    on.later(minutes=11)
    on.replies(on.last(LetterKind.FORM), "1: A cable was loose.\n2: We fixed it in place.")
    on.replies(on.last(LetterKind.PREVIEW), "SEND")
    on.later(minutes=4)
    return on.last(DEBRIEF, JOHN)


def timeline(on: ByHand, what: str, incident_id: int = 1) -> list[Entry]:
    return [entry for entry in on.app.store.records.timeline(incident_id) if entry.what == what]


def northwind(on: ByHand) -> Affected:
    return on.app.store.records.affected_of(1)[0]


def with_helpdesk(on: ByHand) -> None:
    """Requests have an address of their own."""
    on.app.setup = replace(on.app.setup, policy=replace(on.app.setup.policy, helpdesk=HELP))
    on.app._use_cases()


# --- thanks ---


def test_thanks_for_a_debrief_is_feedback_and_opens_nothing(tmp_path: Path) -> None:
    """S4.22: "Thanks, great!" is kept on the timeline; the closed incident stays closed, and nobody is mailed."""
    with by_hand(tmp_path) as on:
        debrief = debriefed(on)
        before = len(on.letters())
        on.replies(debrief, "Thanks, great!", JOHN)
        on.later(hours=1)
        (feedback,) = timeline(on, "feedback")
        assert (feedback.author, feedback.text) == ("John Harper", "Thanks, great!")
        assert on.incidents()[0].state is IncidentState.CLOSED
        assert len(on.letters()) == before


def test_thanks_while_it_is_on_is_shown(tmp_path: Path) -> None:
    """S4.22: thanks for the acknowledgement is feedback too, and the liaison sees that it arrived."""
    with by_hand(tmp_path) as on:
        on.replies(acknowledged(on), "Thanks!", JOHN)
        assert len(timeline(on, "feedback")) == 1
        assert northwind(on).me_too == 0
        assert "Thanks!" in on.last(FORWARD).text


# --- requests ---


@pytest.mark.parametrize("closed", [False, True])
def test_a_request_goes_to_the_helpdesk_in_the_clients_words(tmp_path: Path, closed: bool) -> None:
    """S4.23: what has nothing to do with the trouble goes to the helpdesk's address, that sentence alone, once."""
    with by_hand(tmp_path) as on:
        with_helpdesk(on)
        answered = debriefed(on) if closed else acknowledged(on)
        on.replies(answered, "Thanks, that was quick.\n\nCan you please reset Maria's password?", JOHN)
        on.later(hours=1)
        (passed,) = on.got(HELP, NOTICE)
        quoted = [line.removeprefix("|").strip() for line in passed.text.splitlines() if line.startswith("|")]
        assert quoted == ["Can you please reset Maria's password?"]
        assert JOHN in passed.text
        assert len(timeline(on, "passed on")) == 1
        assert timeline(on, "feedback") == []
        assert [i.state for i in on.incidents()] == [IncidentState.CLOSED if closed else IncidentState.OPEN]


def test_a_request_after_thanks_in_one_sentence(tmp_path: Path) -> None:
    """S4.23: "Thanks, and please reset Maria's password." is a request, never mere thanks."""
    with by_hand(tmp_path) as on:
        with_helpdesk(on)
        on.replies(debriefed(on), "Thanks, and please reset Maria's password.", JOHN)
        (passed,) = on.got(HELP, NOTICE)
        assert "Thanks, and please reset Maria's password." in " ".join(passed.text.split())


def test_without_a_helpdesk_the_liaison_has_it(tmp_path: Path) -> None:
    """S4.23: where no helpdesk is configured, the liaison sees the request with the whole mail."""
    with by_hand(tmp_path) as on:
        on.replies(debriefed(on), "Thanks, and please reset Maria's password.", JOHN)
        assert "reset Maria's password" in on.last(FORWARD).text
        assert timeline(on, "passed on") == []


def test_a_new_mail_that_only_asks_joins_no_outage(tmp_path: Path) -> None:
    """S4.23: a request in a new mail during an outage is a thing of its own, and no sign of being struck."""
    with by_hand(tmp_path) as on:
        acknowledged(on)
        on.writes(JOHN, "Could you please order a new laptop for Maria?\n", "New laptop")
        assert on.decisions()[-1] == ("OpenFromClient", "new-from-client")
        assert northwind(on).me_too == 0


# --- others who are struck ---


def test_another_who_is_struck_is_counted_and_told_once(tmp_path: Path) -> None:
    """S4.21: "same here" of another contact is counted, and brings her the acknowledgement that John had, once."""
    with by_hand(tmp_path) as on:
        acknowledged(on)
        on.writes(SHIRLEY, STRUCK, "Down?")
        on.later(minutes=10)
        (told,) = on.got(SHIRLEY)
        assert on.kind_of(told) is ACK
        assert "Shirley" in told.text
        on.writes(SHIRLEY, "It is still not working.\n", "Still")
        on.later(hours=1)
        assert len(on.got(SHIRLEY)) == 1
        assert northwind(on).me_too == 2
        assert len(on.got(JOHN, ACK)) == 1
        assert len(on.incidents()) == 1


def test_who_wrote_after_the_end_is_asked_about(tmp_path: Path) -> None:
    """S0.7: a complaint after the end may mean that it is not over: the form says so, and who is known to feel it."""
    with by_hand(tmp_path) as on:
        acknowledged(on)
        on.recovery()
        on.later(minutes=5)
        on.writes(SHIRLEY, "I can't open the Data drive.\n", "Data drive")
        on.later(minutes=20)
        form = " ".join(on.last(LetterKind.FORM).text.split())
        assert "after it was over: does it work for Shirley now?" in form
        assert "[7] Who felt it: Shirley" in form


def test_two_mails_within_the_rest_bring_one_letter(tmp_path: Path) -> None:
    """S4.21: who writes twice before the letter has left gets it once."""
    with by_hand(tmp_path) as on:
        acknowledged(on)
        on.writes(SHIRLEY, STRUCK, "Down?")
        on.writes(SHIRLEY, "Nothing works at all!\n", "Hello??")
        on.later(hours=1)
        assert len(on.got(SHIRLEY)) == 1


def test_who_was_told_is_not_told_again_for_writing(tmp_path: Path) -> None:
    """S4.21: John, who has the acknowledgement, gets no second one for saying that nothing works."""
    with by_hand(tmp_path) as on:
        acknowledged(on)
        on.writes(JOHN, STRUCK, "Down?")
        on.later(hours=1)
        assert len(on.got(JOHN)) == 1


def test_nobody_is_told_whom_nobody_vouches_for(tmp_path: Path) -> None:
    """S4.21, S4.9: a mail in Shirley's name that the provider does not vouch for is counted; no letter goes out."""
    with by_hand(tmp_path) as on:
        acknowledged(on)
        on.arrives(write_mail(f"Shirley Lane <{SHIRLEY}>", NOC, "Down?", STRUCK, on.now))
        on.later(hours=1)
        assert on.decisions()[-1][0] == "ClientSaid"
        assert on.got(SHIRLEY) == []


def test_an_answering_machine_is_not_struck(tmp_path: Path) -> None:
    """S4.21: what a machine sends in a contact's name brings no letter and is not counted."""
    with by_hand(tmp_path) as on:
        acknowledged(on)
        raw = write_mail(f"Shirley Lane <{SHIRLEY}>", NOC, "Down?", STRUCK, on.now)
        on.send(SHIRLEY, b"Auto-Submitted: auto-generated\r\n" + raw)
        on.turn()
        on.later(hours=1)
        assert on.got(SHIRLEY) == []
        assert northwind(on).me_too == 0


@pytest.mark.parametrize("changes", [{"live": '"review"'}, {"outage": '"review"'}])
def test_where_letters_wait_for_a_person_nobody_is_told_by_itself(tmp_path: Path, changes: dict[str, str]) -> None:
    """S4.21: where acknowledgements wait for SEND, so does one more: the liaison has the mail."""
    with by_hand(tmp_path, **changes) as on:
        on.alert()
        on.later(minutes=15)
        on.writes(SHIRLEY, STRUCK, "Down?")
        on.later(hours=1)
        assert on.got(SHIRLEY) == []
        assert "nothing works" in on.last(FORWARD).text


# --- where it belongs ---


def test_a_reference_in_the_subject_joins(tmp_path: Path) -> None:
    """MAIL-WORLD 3: a participant's subject that names the incident joins it, though she only asks for something."""
    with by_hand(tmp_path) as on:
        acknowledged(on)
        on.writes(SHIRLEY, "Could you please order a new laptop for Maria?\n", "About INC-1")
        assert on.decisions()[-1] == ("ClientSaid", "names-its-incident")
        assert len(on.incidents()) == 1


def test_another_clients_reference_joins_nothing(tmp_path: Path) -> None:
    """MAIL-WORLD 7: another client's person who writes that reference opens her own, and the first hears nothing."""
    with by_hand(tmp_path) as on:
        acknowledged(on)
        on.writes(ANN, "What is this about?\n", "Re: INC-1")
        assert on.decisions()[-1] == ("OpenFromClient", "new-from-client")
        first, second = on.incidents()
        assert [a.client_key for a in on.app.store.records.affected_of(second.id)] == ["contoso"]
        assert timeline(on, "client wrote", first.id) == []


def test_a_reference_in_the_subject_of_somebody_unlisted_is_no_tag(tmp_path: Path) -> None:
    """MAIL-WORLD 3: somebody at the client who neither is a contact nor was told anything takes no part by subject."""
    with by_hand(tmp_path) as on:
        acknowledged(on)
        raw = write_mail("Zoe <zoe@northwind.example>", NOC, "INC-1", "Please order a new laptop for me.\n", on.now)
        on.arrives(raw)
        assert on.decisions()[-1] == ("OpenFromClient", "new-from-client")


def test_the_clients_own_ticket_stands_in_our_subjects_once(tmp_path: Path) -> None:
    """S4.24: the token of the client's helpdesk stands once in the subject of each letter from then on."""
    with by_hand(tmp_path) as on:
        acknowledged(on)
        on.writes(JOHN, "The Data drive is gone.\n", "[Ticket #48213] Data drive")
        on.recovery()
        on.later(minutes=11)
        on.replies(on.last(LetterKind.FORM), "1: A cable was loose.\n2: We fixed it in place.")
        on.replies(on.last(LetterKind.PREVIEW), "SEND")
        on.later(minutes=4)
        debrief = on.last(DEBRIEF, JOHN)
        assert debrief.subject.count("[Ticket #48213]") == 1
        assert "48213" not in on.got(JOHN, ACK)[0].subject


def test_a_ticket_in_a_first_mail_stands_in_the_first_letter(tmp_path: Path) -> None:
    """S4.24: the mail that opens an incident may come from the client's helpdesk: its answer keeps the token, once."""
    with by_hand(tmp_path, client='"auto"') as on:
        on.writes(JOHN, "The Data drive is gone.\n", "Data drive [Ticket #48213]")
        on.later(minutes=10)
        assert on.last(ACK, JOHN).subject.count("[Ticket #48213]") == 1


# --- what comes back ---


@pytest.mark.parametrize("wants", ["debriefs", "nothing"])
def test_the_next_contact_is_told_where_the_only_letter_came_back(tmp_path: Path, wants: str) -> None:
    """N.9: the only acknowledgement came back, so the duty is open: the next contact who has letters gets it."""
    with by_hand(tmp_path, SECOND.format(wants=wants)) as on:
        on.alert(trouble("CO-ACC01", 5), "Problem: CO-ACC01 has been restarted")
        on.later(minutes=20)
        returned = bounce_of(on.last(ACK, ANN)).replace(JOHN.encode(), ANN.encode())
        on.arrives(returned)
        told = " ".join(m.text for m in on.got(VALERY, NOTICE))
        assert "Ann" in told
        on.later(minutes=10)
        assert len(on.got(BERT, ACK)) == (1 if wants == "debriefs" else 0)
        assert ("Bert" in told) is (wants == "debriefs")
        if wants == "debriefs":
            assert "Bert" in on.last(ACK, BERT).text
            on.arrives(returned.replace(b"dsn.1@", b"dsn.2@"))
            on.later(minutes=10)
            assert len(on.got(BERT, ACK)) == 1


def test_the_next_contact_is_told_by_send_where_the_first_was(tmp_path: Path) -> None:
    """N.6, N.9: the first letter that came back had been approved: the next contact's is shown, and waits for SEND."""
    with by_hand(tmp_path, SECOND.format(wants="debriefs")) as on:
        on.arrives(
            write_mail(f"Ann Webb <{ANN}>", NOC, "The door code 4711 fails", "It fails since this morning.", on.now)
        )
        on.replies(on.last(LetterKind.PREVIEW), "SEND")
        on.later(minutes=10)
        on.arrives(bounce_of(on.last(ACK, ANN)).replace(JOHN.encode(), ANN.encode()))
        on.later(minutes=10)
        assert on.got(BERT) == []
        assert "The letter to Ann Webb came back." in " ".join(on.last(LetterKind.PREVIEW).text.split())
        on.replies(on.last(LetterKind.PREVIEW), "SEND")
        on.later(minutes=10)
        assert len(on.got(BERT, ACK)) == 1


def test_nobody_else_is_told_once_it_is_over(tmp_path: Path) -> None:
    """N.9: a bounce that comes after the end brings nobody a letter that says it is still on."""
    with by_hand(tmp_path, SECOND.format(wants="debriefs")) as on:
        on.alert(trouble("CO-ACC01", 5), "Problem: CO-ACC01 has been restarted")
        on.later(minutes=20)
        on.alert(trouble("CO-ACC01", 5, RECOVERY), "Resolved in 20m: CO-ACC01 has been restarted")
        assert on.incidents()[0].state is IncidentState.RESTORED
        on.arrives(bounce_of(on.last(ACK, ANN)).replace(JOHN.encode(), ANN.encode()))
        on.later(minutes=10)
        assert on.got(BERT) == []


def test_a_delayed_letter_is_a_line_of_the_timeline(tmp_path: Path) -> None:
    """N.9: "delayed" is no bounce: it is noted, John stays told, and nobody is mailed."""
    with by_hand(tmp_path) as on:
        ack = acknowledged(on)
        before = len(on.letters())
        on.arrives(bounce_of(ack, "4.4.1", "delayed"))
        (late,) = timeline(on, "delayed")
        assert late.author == JOHN
        assert len(on.letters()) == before
        assert [t.address for t in on.app.store.records.audience(1)] == [JOHN]


def test_an_out_of_office_is_a_line_and_nothing_else(tmp_path: Path) -> None:
    """N.9, MAIL-WORLD 3: John's absence is noted on the incident; nothing is forwarded, counted or answered."""
    with by_hand(tmp_path) as on:
        ack = acknowledged(on)
        before = len(on.letters())
        away = gmail_on_top(ack, f"John Harper <{JOHN}>", "I am away until Monday. Nothing works without me.", on.now)
        on.send(JOHN, b"Auto-Submitted: auto-replied\r\n" + away)
        on.turn()
        (absent,) = timeline(on, "absent")
        assert JOHN in absent.author
        assert len(on.letters()) == before
        assert northwind(on).me_too == 0
        assert on.decisions()[-1] == ("Noted", "out-of-office")


# --- by telephone ---


def test_a_phone_call_is_written_down_by_mail(tmp_path: Path) -> None:
    """S0.5: CALL opens for the client; who called and what she said stand in the record; nobody is written to."""
    with by_hand(tmp_path) as on:
        on.writes(VALERY, "CALL northwind: Shirley Lane, the Data drive is gone\n", "Call")
        (incident,) = on.incidents()
        assert incident.detected_by is Detection.CUSTOMER_CALL
        assert (incident.title, incident.noticed_by) == ("the Data drive is gone", "Shirley Lane")
        assert northwind(on).reporter == "Shirley"
        on.later(hours=1)
        assert {letter.recipient.address for letter in on.letters()} == {VALERY}
        assert on.got(DANA) == []


def test_whoever_opens_it_signs_with_her_own_title(tmp_path: Path) -> None:
    """S1.12: a client of another liaison's: the name, the title and the number below a letter are one person's."""
    with by_hand(tmp_path, SECOND_LIAISON) as on:
        on.writes(ROBIN, "CALL northwind: Shirley Lane, the Data drive is gone\n", "Call")
        (affected,) = on.app.store.records.affected_of(1)
        assert (affected.liaison.address, affected.liaison_title, affected.liaison_phone) == (ROBIN, "Liaison", "")


# --- in a monitor's words ---

ALERT = (
    "Problem started at 07:42:10 on 2026.11.23\nProblem name: Unavailable by ICMP ping\nHost: NW-FS01\nSeverity: High\n"
)
OVER = "Problem has been resolved at 07:53:42 on 2026.11.23\nProblem name: Unavailable\nHost: NW-FS01\nSeverity: High\n"


def test_an_answer_to_a_letter_is_no_alert(tmp_path: Path) -> None:
    """S2.1: whatever a person writes on top of our letter is theirs, even where a monitor's words stand in it."""
    with by_hand(tmp_path) as on:
        ack = acknowledged(on)
        on.replies(ack, f"{OVER}\nYour monitor says so, but nobody can work and we lose money!", who=JOHN)
        assert on.decisions()[-1] == ("ClientSaid", "answers-our-letter")


@pytest.mark.parametrize(
    ("who", "subject", "text", "decided"),
    [
        (JOHN, "Problem: Unavailable", f"FYI, what is this?\n\n{ALERT}", ("OpenFromClient", "new-from-client")),
        (JOHN, "FW: Problem: Unavailable", ALERT, ("OpenFromClient", "new-from-client")),
        ("mary@northwind.example", "FW: Problem: Unavailable", ALERT, ("OpenFromClient", "new-from-client")),
        (VALERY, "FW: Problem: Unavailable", ALERT, ("Confirm", "not-authenticated")),
        ("nas@northwind.example", "Problem: Unavailable", ALERT, ("OpenFromAlert", "new-key")),
    ],
)
def test_a_person_who_pastes_an_alert_writes(
    tmp_path: Path, who: str, subject: str, text: str, decided: tuple[str, str]
) -> None:
    """N.1: listed people are no monitors, nor is who forwards from a client; a client's own devices are."""
    with by_hand(tmp_path) as on:
        on.arrives(write_mail(who, NOC, subject, text, on.now))
        assert on.decisions()[0] == decided


def test_a_machine_that_sends_as_a_contact_is_a_monitor(tmp_path: Path) -> None:
    """N.1: what says that a machine sent it is an alert, whosever address was typed into the monitor."""
    with by_hand(tmp_path) as on:
        mail = write_mail(JOHN, NOC, "Problem: Unavailable", ALERT, on.now)
        on.arrives(b"Auto-Submitted: auto-generated\r\n" + mail)
        assert on.decisions() == [("OpenFromAlert", "new-key")]
