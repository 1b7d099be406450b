"""Every command of a liaison on the real road: what it does, what it answers, and how it can be wrong."""

from collections.abc import Iterator

import pytest

from mailflow.demo.clients import gmail_on_top
from mailflow.domain.incident import IncidentState, Promise, PromiseKind, PromiseState
from mailflow.domain.letters import LetterKind, LetterState
from tests.engine.test_desk import ANSWERS, PAUL, preview_of, shown_to_john
from tests.house import DANA, JOHN, ROBIN, SECOND_LIAISON, SHIRLEY, VALERY, ByHand, Received, by_hand

pytestmark = pytest.mark.soak

ACK, ASK, DEBRIEF, FORM = LetterKind.ACKNOWLEDGEMENT, LetterKind.ASK, LetterKind.DEBRIEF, LetterKind.FORM
MISSING, NOTICE, OPENED, PREVIEW = LetterKind.MISSING, LetterKind.NOTICE, LetterKind.OPENED, LetterKind.PREVIEW
UPDATE = LetterKind.UPDATE


@pytest.fixture
def on(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ByHand]:
    """A house with two liaisons whose file server restarted four minutes ago, on Tuesday at 9:12; John was told."""
    with by_hand(tmp_path_factory.mktemp("house"), SECOND_LIAISON) as built:
        built.alert()
        built.later(minutes=4)
        yield built


def says(on: ByHand, text: str, to: Received | None = None) -> str:
    """What is answered to her reply, to the first mail about it unless told: all new mails to her, as one line."""
    before = len(on.sent_to(VALERY))
    on.replies(to or on.got(VALERY, OPENED)[0], text)
    return " ".join(word for mail in on.sent_to(VALERY)[before:] for word in f"{mail.subject} {mail.text}".split())


def promises(on: ByHand, kind: PromiseKind = PromiseKind.DEBRIEF) -> list[Promise]:
    return [p for p in on.app.store.promises.of(1) if p.kind is kind]


def due(on: ByHand) -> str:
    """When the debrief is due, in the house's zone: "Fri 17:00"."""
    return f"{promises(on)[0].due_at.astimezone(on.now.tzinfo):%a %H:%M}"


def recorded(on: ByHand, what: str) -> list[str]:
    return [entry.text for entry in on.app.store.records.timeline(1) if entry.what == what]


def fills(on: ByHand) -> dict[int, str]:
    return {number: fill.value for number, fill in on.app.store.desk.fills(1).items()}


# --- a word in between ---


def test_update_is_shown_and_goes_with_send(on: ByHand) -> None:
    """S4.17, N.6: UPDATE shows the text first; SEND takes it to who was told, and the debrief stays owed."""
    assert "What is the client to hear?" in says(on, "UPDATE")
    shown = says(on, "Update: The disk is in, and we copy the files back.\n\nThanks\nValery")
    assert "The disk is in, and we copy the files back." in shown
    assert on.got(JOHN, UPDATE) == []
    on.replies(on.last(PREVIEW), "SEND")
    on.later(minutes=4)
    (letter,) = on.got(JOHN, UPDATE)
    assert "copy the files back." in letter.text
    assert "by the end of tomorrow" in letter.text
    assert "Thanks" not in letter.text
    assert (due(on), promises(on)[0].state) == ("Wed 17:00", PromiseState.OPEN)


def test_update_promises_no_time_that_has_gone_by(on: ByHand) -> None:
    """N.4: a word in between, written after the day that was promised, does not promise that day again."""
    on.later(days=2)
    says(on, "UPDATE We still wait for the maker.")
    assert "again by" not in on.last(PREVIEW).text


def test_a_settled_incident_takes_no_word_more_time_or_help(on: ByHand) -> None:
    """S3.1: after the end UPDATE, LATER, ASK and NO DEBRIEF change nothing and say why; the words are kept."""
    says(on, "NO DEBRIEF a test of ours")
    assert "This is settled (no debrief: a test of ours)" in says(on, "UPDATE One word more.")
    assert "One word more." in recorded(on, "note")
    assert "No debrief is owed here" in says(on, "LATER Friday")
    assert "I asked Paul Ortiz nothing" in says(on, "ASK Paul")
    assert "closed already (no debrief: a test of ours)" in says(on, "NO DEBRIEF another reason")
    assert "Settled: no debrief: a test of ours." in says(on, "STATUS")
    assert on.got(VALERY, PREVIEW) == []
    assert on.got(PAUL) == []
    assert [p.state for p in promises(on)] == [PromiseState.RELEASED]


# --- more time ---


def test_later_moves_what_is_due_and_tells_who_was_promised(on: ByHand) -> None:
    """N.4: LATER keeps the reason, says back the day, and offers a letter to whom it was promised; the debrief moves
    when one has left, since until then the client has only heard of the first day."""
    assert "Noted: Friday 27 November at 17:00." in says(on, "later friday, the maker is late")
    assert due(on) == "Wed 17:00"
    assert recorded(on, "extended") == ["from Wednesday 25 November at 17:00: the maker is late"]
    shown = " ".join(shown_to_john(on.last(PREVIEW)).split())
    assert "hear from me about your file server by the end of tomorrow." in shown
    assert "I'll write again by Friday." in shown
    says(on, "EXTEND to Monday\nThe maker is late again.")
    shown = " ".join(shown_to_john(on.last(PREVIEW)).split())
    assert "hear from me about your file server by the end of tomorrow." in shown
    on.replies(on.last(PREVIEW), "SEND")
    on.later(minutes=4)
    assert len(on.got(JOHN, UPDATE)) == 1
    assert due(on) == "Mon 17:00"
    says(on, "LATER 4 December")
    assert "about your file server by Monday" in " ".join(shown_to_john(on.last(PREVIEW)).split())


def test_later_to_an_earlier_time_tells_the_client_nothing(on: ByHand) -> None:
    """N.4: sooner than promised is no news for the client."""
    assert "Nobody at the client was promised an earlier day" in says(on, "LATER today 15:00")
    assert due(on) == "Tue 15:00"
    assert on.got(VALERY, PREVIEW) == []


def test_later_without_a_clear_time_changes_nothing(on: ByHand) -> None:
    """N.5: what is no time, or two, or gone by, is asked about by its words."""
    for text, answer in (
        ("LATER", "Until when?"),
        ("LATER when the maker has answered", "I could not read"),
        ("LATER 5/6", "“5/6” can be two dates"),
        ("LATER yesterday", "has gone by: “yesterday”"),
    ):
        assert answer in says(on, text)
    assert (due(on), recorded(on, "extended"), on.got(VALERY, PREVIEW)) == ("Wed 17:00", [], [])


# --- help ---


def test_a_colleague_is_asked_and_his_words_are_marked_his(on: ByHand) -> None:
    """S4.14, N.6: ASK sends the open questions; part of an answer, then the rest, land in the draft, marked; nothing
    that he commands counts."""
    assert "I don't know whom “Sam” means. I know: Valery Stufano" in says(on, "ASK Sam which disk?")
    assert "I don't know whom" in says(on, "ASK")
    assert "You can answer the form yourself" in says(on, "ask valery")
    assert "Paul Ortiz has the open questions." in says(on, "ask paul, which disk was it?\nAnd whose?")
    asked = on.last(ASK, PAUL)
    assert "which disk was it?" in asked.text
    assert "And whose?" in asked.text
    on.replies(asked, "SEND", PAUL)
    on.replies(asked, "RESOLVED 9:14\n\n1: Hacked.", PAUL)
    assert fills(on) == {}
    assert on.incidents()[0].state is IncidentState.OPEN
    on.replies(asked, "1: The second one.", PAUL)
    assert fills(on) == {1: "The second one."}
    assert "([1])" in on.last(NOTICE, PAUL).text
    assert "[2] What did we do about it?" in on.last(MISSING).text
    on.replies(asked, "2: We put in a new one.", PAUL)
    preview = on.last(PREVIEW)
    assert "[1] [2]: Paul Ortiz's words." in " ".join(preview.text.split())
    assert on.got(PAUL, PREVIEW) == []
    on.replies(preview, "SEND", PAUL)
    on.later(minutes=4)
    assert on.got(JOHN, DEBRIEF) == []
    on.replies(preview, "SEND")
    on.later(minutes=4)
    assert "The second one." in on.got(JOHN, DEBRIEF)[0].text


def test_a_forged_colleague_fills_nothing(on: ByHand) -> None:
    """DESIGN 3: an answer in Paul's name that nobody vouches for is confirmed with Paul, and fills nothing."""
    says(on, "ASK Paul")
    asked = on.last(ASK, PAUL)
    on.arrives(gmail_on_top(asked, f"Paul Ortiz <{PAUL}>", "1: Hacked.\n2: Hacked.", on.now))
    assert fills(on) == {}
    assert len(on.got(PAUL, LetterKind.CONFIRM)) == 1
    assert on.got(VALERY, PREVIEW) == []


def test_two_who_answer_one_question_differently_are_asked_about(on: ByHand) -> None:
    """N.5: what Paul writes after Valery has written the same field is asked about, not laid over it."""
    says(on, "ASK Paul")
    asked = on.last(ASK, PAUL)
    on.later(minutes=1)
    on.replies(on.got(VALERY, OPENED)[0], "1: nothing")  # below a mail without a form: a note
    on.recovery()
    on.later(minutes=11)
    on.replies(on.last(FORM), "1: A cable was loose.")
    on.replies(asked, "1: A disk was full.\n2: We fixed it.", PAUL)
    said = " ".join(on.last(MISSING).text.split())
    assert "A cable was loose. or A disk was full." in said
    assert fills(on) == {1: "A cable was loose.", 2: "We fixed it."}


def test_nothing_is_asked_where_nothing_is_open(on: ByHand) -> None:
    """N.5: with every question answered, ASK says so and mails nobody."""
    on.recovery()
    on.later(minutes=11)
    on.replies(on.last(FORM), ANSWERS + "\n3: No.\n4: None.\n7: Nobody.")
    assert "Every question is answered" in says(on, "ASK Paul")
    assert on.got(PAUL) == []


# --- other hands ---


def test_assign_gives_it_away_with_all_that_is_promised(on: ByHand) -> None:
    """S4.11: ASSIGN moves the incident, its promise and its form to another liaison, who is told why, and signs."""
    assert "I don't know whom" in says(on, "ASSIGN")
    assert "neither a liaison nor a manager" in says(on, "ASSIGN Paul")
    assert "Valery Stufano answers for it already" in says(on, "assign valery")
    assert {p.owner for p in promises(on)} == {VALERY}
    on.recovery()
    on.later(minutes=11)
    assert "Robin Day answers for Northwind from now on" in says(on, "assign to robin\nI'm on holiday.")
    told = on.last(NOTICE, ROBIN)
    assert "Valery Stufano gave this to you" in told.text
    assert "I'm on holiday." in told.text
    assert {p.owner for p in promises(on)} == {ROBIN}
    assert fills(on) == {}
    form = on.last(FORM, ROBIN)
    ours = b"Authentication-Results: mx.msp.example; auth=pass smtp.auth=robin@msp.example\r\n"
    on.arrives(ours + gmail_on_top(form, f"Robin Day <{ROBIN}>", ANSWERS, on.now))
    on.arrives(ours + gmail_on_top(on.last(PREVIEW, ROBIN), f"Robin Day <{ROBIN}>", "SEND", on.now))
    on.later(minutes=4)
    (debrief,) = on.got(JOHN, DEBRIEF)
    assert "Robin Day" in debrief.text
    assert "Valery" not in debrief.text


# --- readers ---


def test_audience_names_the_readers_of_what_follows(on: ByHand) -> None:
    """N.3: AUDIENCE adds Shirley; John, who was told of the outage, hears its end in any case."""
    said = says(on, "AUDIENCE Ann")
    assert "“Ann” is no contact of Northwind that I know. I know: John Harper, Shirley Lane." in said
    assert "John Harper, Shirley Lane." in says(on, "audience shirley")
    says(on, "UPDATE We go on.")
    assert "John Harper, Shirley Lane" in on.last(PREVIEW).text
    assert "go to: John Harper." in says(on, "AUDIENCE all")


def test_a_draft_for_other_readers_does_not_leave(on: ByHand) -> None:
    """N.3, N.6: AUDIENCE after the preview: its SEND sends nothing, and shows the letters for the new readers."""
    on.recovery()
    on.later(minutes=11)
    on.replies(on.last(FORM), ANSWERS)
    old = on.last(PREVIEW)
    assert "was for others" in says(on, "AUDIENCE John and Shirley", old)
    on.replies(old, "SEND")
    on.later(minutes=4)
    assert on.got(JOHN, DEBRIEF) == []
    on.replies(on.last(PREVIEW), "SEND")
    on.later(minutes=4)
    assert (len(on.got(JOHN, DEBRIEF)), len(on.got(SHIRLEY, DEBRIEF))) == (1, 1)


# --- how bad it is ---


def test_priority_moves_nothing_back(on: ByHand) -> None:
    """S4.8, N.4: PRIORITY changes it with its reason; a day that was promised stays."""
    assert "“P9” is no priority" in says(on, "PRIORITY P9")
    assert "is no priority" in says(on, "priority")
    assert "INC-1 was P1 and is P4 now." in says(on, "priority p4")
    assert due(on) == "Wed 17:00"
    says(on, "LATER Monday")
    on.replies(on.last(PREVIEW), "SEND")
    on.later(minutes=4)
    assert due(on) == "Mon 17:00"
    assert "INC-1 was P4 and is P1 now." in says(on, "PRIORITY P1, the whole office waits")
    assert due(on) == "Wed 17:00"
    assert recorded(on, "reclassified") == ["P1 to P4", "P4 to P1: the whole office waits"]


# --- open actions ---


def test_actions_have_an_owner_and_a_day_and_end_with_done(on: ByHand) -> None:
    """S0.10: ACTION is promised, said back with its day, and DONE to what confirmed it ends just that one."""
    for text in ("ACTION", "ACTION Sam by Friday: x"):
        assert "I don't know whom" in says(on, text)
    for text in ("ACTION Paul: replace it", "ACTION Paul by Friday"):
        assert "Who does what by when?" in says(on, text)
    assert "can be two dates" in says(on, "ACTION Paul by 5/6: replace it")
    assert promises(on, PromiseKind.ACTION) == []
    said = says(on, "Action Paul by Friday 15:00: replace the battery")
    assert "Paul Ortiz, by Friday 27 November at 15:00: replace the battery." in said
    first = on.last(NOTICE)
    says(on, "ACTION Valery by Monday: order a disk")
    assert "Which of these is done?" in says(on, "DONE")
    assert "replace the battery; order a disk" in says(on, "DONE nothing of it")
    assert "Done: replace the battery" in says(on, "DONE", first)
    states = {p.what: (p.owner, p.state) for p in promises(on, PromiseKind.ACTION)}
    assert states == {
        "replace the battery": (PAUL, PromiseState.KEPT),
        "order a disk": (VALERY, PromiseState.OPEN),
    }
    assert "Done: order a disk" in says(on, "done")
    assert "There is no task here that could be done." in says(on, "DONE")


def test_two_actions_in_one_reply_are_two_answers(on: ByHand) -> None:
    """S0.10, N.5: each is said back, and DONE below either answer ends just that one."""
    said = says(on, "ACTION Paul by Friday: replace the battery\nACTION Paul by Friday: order a disk")
    assert "replace the battery." in said
    assert "order a disk." in said
    battery = next(m for m in on.got(VALERY, NOTICE) if "replace the battery" in m.text)
    assert "Done: replace the battery" in says(on, "DONE", battery)
    assert [p.what for p in promises(on, PromiseKind.ACTION) if p.state is PromiseState.OPEN] == ["order a disk"]


def test_the_same_action_again_is_another_hand_and_day(on: ByHand) -> None:
    """S0.10: ACTION with the same words says anew whose it is and by when, also after DONE."""
    says(on, "ACTION Paul by Friday: replace the battery")
    says(on, "ACTION Valery by Monday: replace the battery")
    (again,) = promises(on, PromiseKind.ACTION)
    assert (again.owner, f"{again.due_at:%a}") == (VALERY, "Mon")
    says(on, "DONE")
    says(on, "ACTION Paul by Friday: replace the battery")
    (again,) = promises(on, PromiseKind.ACTION)
    assert (again.owner, f"{again.due_at:%a}", again.state) == (PAUL, "Fri", PromiseState.OPEN)


# --- where it stands ---


def test_status_tells_everything_and_changes_nothing(on: ByHand) -> None:
    """S4.28: one summary: what it is, who was told, what is answered, what waits."""
    before = (on.incidents(), promises(on), len(on.got(JOHN)))
    says(on, "UPDATE We go on.")
    said = says(on, "status?")
    for part in (
        "How it stands (INC-1)",
        "Told so far: John Harper.",
        "Nothing is answered yet. Still needed: the problem, what we did.",
        "update to John Harper",
    ):
        assert part in said
    assert (on.incidents(), promises(on), len(on.got(JOHN))) == before


def test_workaround_and_failover_end_the_outage(on: ByHand) -> None:
    """S4.30: service is back by other means: the end is recorded under its own word, and the form follows."""
    assert "I could not read “when it rained”" in says(on, "FAILOVER when it rained")
    for text, at in (("WORKAROUND", "9:16"), ("failover at 9:14", "9:14")):
        assert f"it was over on Tuesday 24 November at {at}." in says(on, text)
        assert on.incidents()[0].state is IncidentState.RESTORED
        says(on, "REOPEN")
    says(on, "Workaround 9:15")
    assert recorded(on, "workaround") == ["", "9:15"]
    assert recorded(on, "failover") == ["at 9:14"]
    on.later(minutes=11)
    assert len(on.got(VALERY, FORM)) == 1
    says(on, "NO DEBRIEF a test")
    assert "closed; I changed nothing" in says(on, "WORKAROUND")


# --- the end, and again ---


def test_close_holds_back_what_nobody_has_heard(tmp_path_factory: pytest.TempPathFactory) -> None:
    """S3.1: CLOSE with a reason, before anybody was told, closes; the acknowledgement that rests never leaves."""
    with by_hand(tmp_path_factory.mktemp("house")) as on:
        on.alert()
        assert "Please say why" in says(on, "CLOSE")
        assert "INC-1 is closed." in says(on, "close: a test of ours")
        on.later(hours=1)
        assert on.got(JOHN) == []
        assert [letter.state for letter in on.letters(ACK)] == [LetterState.DROPPED]
        assert on.incidents()[0].why_closed == "closed: a test of ours"
        assert [p.state for p in promises(on)] == [PromiseState.RELEASED]
        assert "closed already (closed: a test of ours)" in says(on, "CLOSE once more")


def test_close_is_refused_while_a_debrief_is_owed(on: ByHand) -> None:
    """S3.1: nobody who was told is left without an end."""
    assert "Northwind was told of it" in says(on, "CLOSE it was nothing")
    assert on.incidents()[0].state is IncidentState.OPEN


def test_reopen_owes_the_debrief_again(on: ByHand) -> None:
    """N.4: what was closed is open again, and a promise whose day has gone by is due as new trouble's is."""
    assert "INC-1 is open already" in says(on, "REOPEN")
    on.recovery()
    on.later(minutes=11)
    on.replies(on.last(FORM), ANSWERS)
    on.replies(on.last(PREVIEW), "SEND")
    on.later(days=3)
    assert promises(on)[0].state is PromiseState.KEPT
    assert "the debrief is owed" in says(on, "reopen: it failed again")
    (incident,) = on.incidents()
    assert (incident.state, incident.ended_at, incident.closed_at) == (IncidentState.OPEN, None, None)
    assert promises(on)[0].state is PromiseState.OPEN
    assert promises(on)[0].due_at > on.now
    assert recorded(on, "reopened") == ["it failed again"]


def test_reopen_after_no_debrief_owes_it_again(on: ByHand) -> None:
    """S3.1, N.4: what was decided not to be owed is owed again once it turns out not to be over."""
    says(on, "NO DEBRIEF a test of ours")
    assert "the debrief is owed" in says(on, "REOPEN")
    assert promises(on)[0].state is PromiseState.OPEN


# --- several, none, and nearly ---


def test_several_commands_in_one_reply_are_each_answered(on: ByHand) -> None:
    """N.5: each command of a reply is carried out, and nothing behind the closing."""
    said = says(on, "later monday\nThe maker is late.\nASK Paul\nSTATUS\n\nThanks\nValery\nCLOSE a test")
    assert "by Monday" in shown_to_john(on.last(PREVIEW))
    assert len(on.got(PAUL, ASK)) == 1
    assert "How it stands (INC-1)" in said
    assert on.incidents()[0].state is IncidentState.OPEN
    assert recorded(on, "extended") == ["from Wednesday 25 November at 17:00: The maker is late"]


def test_a_misspelt_command_is_asked_about(on: ByHand) -> None:
    """N.5: a word that is nearly a command does nothing, and is answered with what it may have meant."""
    for text, meant in (("UPDTE the client", "UPDATE"), ("STAUS", "STATUS"), ("LATTER Friday", "LATER")):
        assert f"“{text}” is no command that I know. Did you mean {meant}? Nothing was done." in says(on, text)
    assert (on.got(VALERY, PREVIEW), due(on)) == ([], "Wed 17:00")


@pytest.mark.parametrize(
    ("text", "subject", "line"),
    [
        ("LATER someday", "Not understood (INC-1)", "write it like Friday, 24 December, or tomorrow 15:00"),
        ("ASSIGN Zorro", "Not understood (INC-1)", "I don't know whom"),
        ("CLOSE a test", "Nothing was changed (INC-1)", "It stays open"),
        ("GO ON", "Nothing was changed (INC-1)", "Nothing here waits for anybody"),
        ("NOTE a test", "Noted (INC-1)", "Your note is in the record"),
    ],
)
def test_the_subject_says_what_the_text_says(on: ByHand, text: str, subject: str, line: str) -> None:
    """N.5: an answer to what was not understood, or changed nothing, is not under "Noted", and says what to write."""
    said = says(on, text)
    assert (subject in said, line in said) == (True, True)


def test_a_misspelt_command_alone_fills_no_form(on: ByHand) -> None:
    """N.5: "LATTER Friday" in reply to the form is no answer to its first question."""
    on.recovery()
    on.later(minutes=11)
    says(on, "LATTER Friday", on.last(FORM))
    assert (fills(on), on.got(VALERY, MISSING), due(on)) == ({}, [], "Wed 17:00")


@pytest.mark.parametrize(
    "text",
    [
        "Ask for a quote was declined",
        "Later that day it failed again",
        "Close to the rack there was water",
        "Update KB5046617 restarted it",
        "Workaround: we moved it to the other host",
        "Status LED was red",
        "Action: replaced the disk",
        "Fixed: replaced the disk",
        "Note the date of the backup was wrong",
    ],
)
def test_an_answer_that_begins_with_a_commands_word_is_an_answer(on: ByHand, text: str) -> None:
    """N.5: on top of a form it becomes the first open answer, to the letter; nothing is obeyed."""
    on.recovery()
    on.later(minutes=11)
    on.replies(on.last(FORM), text)
    assert fills(on) == {1: text}
    assert not any(action == "Obey" for action, _ in on.decisions())


def test_answers_under_their_numbers_are_never_commands(on: ByHand) -> None:
    """N.5: under a number even a whole command is an answer; one above the numbers still counts."""
    on.recovery()
    on.later(minutes=11)
    said = says(on, "LATER Monday\n\n1: UPDATE failed on the file server\n2: Resolved: by a restart", on.last(FORM))
    assert fills(on) == {1: "UPDATE failed on the file server", 2: "Resolved: by a restart"}
    assert "Noted: Monday 30 November at 17:00." in said


def test_a_clients_commands_are_words(on: ByHand) -> None:
    """N.6: whatever a client writes in capitals is mail of a client's, though our own letter's tag is on it."""
    for who, letter in ((JOHN, on.got(JOHN, ACK)[0]), (SHIRLEY, on.got(VALERY, OPENED)[0])):
        on.replies(letter, "CLOSE it please\nPRIORITY P4\nUPDATE everybody", who)
    assert on.incidents()[0].state is IncidentState.OPEN
    assert not any(action == "Obey" for action, _ in on.decisions())
    assert on.got(DANA) == []


def test_commands_without_an_incident_say_so(on: ByHand) -> None:
    """N.5: a command in a new mail of its own belongs to nothing, and is answered."""
    for text in ("LATER Friday", "STATUS", "CLOSE a test", "ACTION Paul by Friday: x"):
        before = len(on.got(VALERY, NOTICE))
        on.writes(VALERY, text)
        assert "belongs to an incident" in on.got(VALERY, NOTICE)[before].text
    assert due(on) == "Wed 17:00"


def test_a_preview_is_no_place_to_lose_a_command(tmp_path_factory: pytest.TempPathFactory) -> None:
    """N.6: a command in reply to the preview is carried out, and what waits for SEND goes on waiting."""
    with by_hand(tmp_path_factory.mktemp("house")) as on:
        preview = preview_of(on)
        assert "How it stands (INC-1)" in says(on, "STATUS", preview)
        on.later(minutes=4)
        assert on.got(JOHN, DEBRIEF) == []
        on.replies(preview, "SEND")
        on.later(minutes=4)
        assert len(on.got(JOHN, DEBRIEF)) == 1
