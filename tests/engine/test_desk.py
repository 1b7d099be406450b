"""The debrief, by replying to a mail: what publishes, what is asked again, and what never counts."""

import re
from email.message import EmailMessage
from pathlib import Path

import pytest

from mailflow.demo.clients import POLICY, gmail_on_top, outlook_inline
from mailflow.domain.incident import IncidentState, PromiseState
from mailflow.domain.letters import LetterKind, LetterState
from tests.house import (
    DANA,
    JOHN,
    NOC,
    PROBLEM,
    RECOVERY,
    ROBIN,
    SECOND_LIAISON,
    VALERY,
    ByHand,
    Received,
    by_hand,
    write_mail,
)

pytestmark = pytest.mark.soak

NOTICE, PREVIEW, MISSING, DEBRIEF = LetterKind.NOTICE, LetterKind.PREVIEW, LetterKind.MISSING, LetterKind.DEBRIEF
PAUL = "paul@msp.example"
STRANGER = "sam@elsewhere.example"
ANSWERS = "1: A cable was loose.\n2: We fixed it in place."
FROM_VALERY = f"Valery Stufano <{VALERY}>"


def form_of(on: ByHand) -> Received:
    """An outage from alert to form: John was told, service is back."""
    on.alert()
    on.later(minutes=4)
    on.recovery()
    on.later(minutes=11)
    return on.last(LetterKind.FORM)


def preview_of(on: ByHand, answers: str = ANSWERS) -> Received:
    on.replies(form_of(on), answers)
    return on.last(PREVIEW)


def debriefs(on: ByHand) -> list[Received]:
    """What John has got as a debrief, minutes after whatever was said."""
    on.later(minutes=4)
    return on.got(JOHN, DEBRIEF)


def shown_to_john(preview: Received) -> str:
    """The letter inside a preview, word for word."""
    inside = re.search(r"--- to John, word for word ---\s+Subject: .*?\s+(Hello.*?)\s+--- end", preview.text, re.DOTALL)
    assert inside
    return inside[1]


# --- the road ---


def test_what_is_sent_is_what_was_shown(tmp_path: Path) -> None:
    """N.6, S1.4: SEND sends the exact text of the preview, to John only, after the rest; the promise is kept."""
    with by_hand(tmp_path) as on:
        preview = preview_of(on)
        on.replies(preview, "SEND")
        assert on.got(JOHN, DEBRIEF) == []
        (debrief,) = debriefs(on)
        assert shown_to_john(preview) in debrief.text
        (incident,) = on.incidents()
        assert incident.state is IncidentState.CLOSED
        assert [p.state for p in on.app.store.promises.of(incident.id)] == [PromiseState.KEPT]
        assert {letter.recipient.address for letter in on.letters()} == {JOHN, VALERY}
        assert "John has the letter" in on.last(NOTICE).subject


def test_a_debrief_may_wait_a_night_for_its_send(tmp_path: Path) -> None:
    """N.6, S0.2: it names its day, so that one SEND is enough whenever it comes."""
    with by_hand(tmp_path) as on:
        preview = preview_of(on)
        on.later(hours=24)
        on.replies(preview, "SEND")
        (debrief,) = debriefs(on)
        assert "about your file server on Tuesday morning" in " ".join(debrief.text.split())


def test_a_second_send_sends_nothing(tmp_path: Path) -> None:
    """S0.8: SEND again, by a new mail or the very same bytes, publishes nothing twice; the new one is answered."""
    with by_hand(tmp_path) as on:
        preview = preview_of(on)
        first = on.replies(preview, "SEND")
        on.arrives(first)  # replayed from outside
        on.send(VALERY, first)  # and by her own program
        on.turn()
        on.replies(preview, "SEND")
        assert len(debriefs(on)) == 1
        on.later(days=1)
        on.replies(preview, "SEND")
        assert "lready sent" in on.last(NOTICE).text
        on.later(days=1)
        assert len(on.got(JOHN, DEBRIEF)) == 1


def test_a_superseded_preview_cannot_be_sent(tmp_path: Path) -> None:
    """N.6: SEND to an older preview sends nothing and shows the one that stands now, which can then be sent."""
    with by_hand(tmp_path) as on:
        old = preview_of(on)
        on.replies(old, "2: We put a new cable in.")
        on.replies(old, "SEND")
        assert debriefs(on) == []
        assert ("RefuseSend", "superseded") in on.decisions()
        current = on.last(PREVIEW)
        assert "new cable" in shown_to_john(current)
        on.replies(current, "Send it.")
        (debrief,) = debriefs(on)
        assert "new cable" in debrief.text
        assert [letter.state for letter in on.letters(DEBRIEF)] == [LetterState.DROPPED, LetterState.SENT]


def test_what_is_not_send_as_a_whole_first_line_sends_nothing(tmp_path: Path) -> None:
    """MAIL-WORLD 2.6: only a whole first line that is one of the words for SEND publishes."""
    with by_hand(tmp_path) as on:
        preview_of(on)
        for said in ("Please don't SEND yet", "SEND this to John tomorrow", "not yet\nSEND", "> SEND", "Best,\nSEND"):
            on.replies(on.last(PREVIEW), said)
            assert debriefs(on) == []
        assert "Release" not in [action for action, _ in on.decisions()]


def test_send_with_changes_is_a_new_preview(tmp_path: Path) -> None:
    """MAIL-WORLD 2.6: SEND with edits below it sends nothing; the preview with the edits comes back."""
    with by_hand(tmp_path) as on:
        on.replies(preview_of(on), "SEND\n\n2: We replaced the switch.")
        assert debriefs(on) == []
        current = on.last(PREVIEW)
        assert "replaced the switch" in shown_to_john(current)
        on.replies(current, "SEND")
        (debrief,) = debriefs(on)
        assert "replaced the switch" in debrief.text
        assert "fixed it in place" not in debrief.text


def test_stop_in_the_rest_withdraws_the_letter(tmp_path: Path) -> None:
    """DESIGN 1.8: for three minutes after SEND, STOP still takes the letter back."""
    with by_hand(tmp_path) as on:
        preview = preview_of(on)
        on.replies(preview, "SEND")
        on.later(minutes=2)
        on.replies(preview, "STOP")
        on.later(hours=1)
        assert on.got(JOHN, DEBRIEF) == []
        assert [letter.state for letter in on.letters(DEBRIEF)] == [LetterState.DROPPED]
        assert "Held back" in on.last(NOTICE).subject


def test_after_stop_an_answer_brings_a_new_draft_that_can_be_sent(tmp_path: Path) -> None:
    """S0.3: a letter that was stopped is still owed: answering any field again leads to a preview and a letter."""
    with by_hand(tmp_path) as on:
        preview = preview_of(on)
        on.replies(preview, "SEND")
        on.replies(preview, "STOP")
        on.replies(preview, "2: We put a new cable in.")
        on.replies(on.last(PREVIEW), "SEND")
        (debrief,) = debriefs(on)
        assert "new cable" in debrief.text


# --- who ---


def test_a_colleague_publishes_nothing(tmp_path: Path) -> None:
    """DESIGN 3, who may publish: Paul is ours and proven, and yet neither a liaison nor a manager."""
    with by_hand(tmp_path) as on:
        preview = preview_of(on)
        on.replies(preview, "SEND", who=PAUL)
        assert debriefs(on) == []
        assert on.decisions()[-1] == ("Show", "colleague-wrote")


def test_another_liaison_cannot_send_what_was_shown_to_valery(tmp_path: Path) -> None:
    """N.6: approval belongs to the person who was shown the text; Dana, the manager, may approve for her."""
    with by_hand(tmp_path, SECOND_LIAISON) as on:
        preview = preview_of(on)
        raw = gmail_on_top(preview, f"Robin Day <{ROBIN}>", "SEND", on.now)
        on.arrives(b"Authentication-Results: mx.msp.example; auth=pass smtp.auth=robin@msp.example\r\n" + raw)
        assert debriefs(on) == []
        assert ("RefuseSend", "preview-of-another-person") in on.decisions()
        on.replies(preview, "SEND", who=DANA)
        assert len(debriefs(on)) == 1


def test_a_forged_author_is_asked_not_obeyed(tmp_path: Path) -> None:
    """DESIGN 3: Valery's name without proof, with the genuine tag or none: a mail asks her listed address; no more."""
    with by_hand(tmp_path) as on:
        preview = preview_of(on)
        on.arrives(gmail_on_top(preview, FROM_VALERY, "SEND", on.now))
        assert debriefs(on) == []
        asked = on.last(LetterKind.CONFIRM)
        on.arrives(write_mail(FROM_VALERY, NOC, "Hi", "OPEN contoso: everything is broken", on.now))
        assert len(on.incidents()) == 1
        assert len(on.got(VALERY, LetterKind.CONFIRM)) == 2
        # She answers from her own mailbox: only who reads it can know this tag.
        on.arrives(gmail_on_top(asked, FROM_VALERY, "SEND", on.now))
        assert len(debriefs(on)) == 1


def test_a_forged_tag_is_refused_and_the_manager_told(tmp_path: Path) -> None:
    """DESIGN 3, tokens: a tag with another signature opens nothing, even from a proven liaison; Dana hears of it, and
    so does she: it may be an answer to a letter of long ago."""
    with by_hand(tmp_path) as on:
        preview = preview_of(on)
        forged = re.sub(r"-[a-z2-7]{26}@", f"-{'a' * 26}@", str(preview.message["Reply-To"]))
        on.send(VALERY, write_mail(FROM_VALERY, forged, preview.subject, "SEND", on.now))
        on.turn()
        assert debriefs(on) == []
        assert on.decisions()[-1] == ("Refuse", "tag-is-not-genuine")
        assert len(on.got(DANA, NOTICE)) == 1
        assert "so nothing was done with it" in " ".join(on.last(NOTICE).text.split())
        on.arrives(write_mail(FROM_VALERY, forged, preview.subject, "SEND", on.now))  # nobody vouches for this one
        assert len(on.got(DANA, NOTICE)) == 2
        assert len(on.got(VALERY, NOTICE)) == 1


def test_a_forwarded_tag_gives_a_stranger_nothing(tmp_path: Path) -> None:
    """DESIGN 3, tokens: somebody to whom a preview was forwarded holds a genuine tag, and can do nothing with it."""
    with by_hand(tmp_path) as on:
        preview = preview_of(on)
        before = len(on.mail.sent)
        on.arrives(gmail_on_top(preview, f"Sam <{STRANGER}>", "SEND", on.now))
        on.arrives(gmail_on_top(preview, f"John Harper <{JOHN}>", "SEND", on.now))
        assert debriefs(on) == []
        assert "Release" not in [action for action, _ in on.decisions()]
        assert {m.recipients[0] for m in on.mail.sent[before:]} == {VALERY}


# --- machines ---


def test_machines_that_quote_a_preview_publish_nothing(tmp_path: Path) -> None:
    """MAIL-WORLD 2: an out-of-office that says SEND and quotes it all, and a bounce that holds the form: nothing."""
    with by_hand(tmp_path) as on:
        preview = preview_of(on)
        away = gmail_on_top(preview, FROM_VALERY, "SEND", on.now)
        on.send(VALERY, away.replace(b"Subject: Re:", b"Auto-Submitted: auto-replied\r\nSubject: Automatic reply:", 1))
        on.turn()
        bounce = EmailMessage(policy=POLICY)
        bounce["From"], bounce["Subject"] = "MAILER-DAEMON@mx.msp.example", "Undelivered Mail Returned to Sender"
        bounce["To"] = str(preview.message["Reply-To"])
        bounce.set_content(f"SEND\n\nI could not deliver this.\n\n1: Hacked\n2: Hacked\n\n{preview.text}")
        on.arrives(b"Return-Path: <>\r\n" + bounce.as_bytes())
        assert debriefs(on) == []
        assert {action for action, _ in on.decisions()[-2:]} <= {"Ignore", "Absent", "Bounced"}
        assert "Hacked" not in "".join(m.text for m in on.got(VALERY, PREVIEW))


# --- answers ---


def test_two_answers_to_one_field_are_asked_about(tmp_path: Path) -> None:
    """MAIL-WORLD 2.4: two different answers to one field are asked about, never chosen; the other field is kept."""
    with by_hand(tmp_path) as on:
        again = "[1] What was the problem?\nA disk was full."
        on.replies(form_of(on), f"[1] What was the problem?\nA cable was loose.\n\n2: We fixed it.\n\n{again}")
        asked = on.last(MISSING)
        assert "cable was loose" in asked.text
        assert "disk was full" in asked.text
        assert on.got(VALERY, PREVIEW) == []
        on.replies(asked, "1: A disk was full.")
        text = shown_to_john(on.last(PREVIEW))
        assert "disk was full" in text
        assert "cable" not in text
        assert "We fixed it." in text


def test_partial_answers_are_kept(tmp_path: Path) -> None:
    """N.5: what was answered stays; only what is missing is asked again, also after a restart."""
    with by_hand(tmp_path) as on:
        on.send(VALERY, outlook_inline(form_of(on), FROM_VALERY, {2: "We fixed it in place."}, on.now))
        on.turn()
        asked = on.last(MISSING)
        assert "[1] What was the problem?" in asked.text
        on.restart()
        on.replies(asked, "1: A cable was loose.")
        text = shown_to_john(on.last(PREVIEW))
        assert "A cable was loose." in text
        assert "We fixed it in place." in text


@pytest.mark.parametrize(
    "said",
    [
        "2: Replaced it\n7: everyone\n1: The other fan",
        "1: The other fan\n7: everyone\n2: Replaced it",
        "[2] Replaced it\n[7] everyone\n[1] The other fan",
        "[2] What did we do about it? Replaced it\n[7] Who felt it: everyone\n[1] What was the problem? The other fan",
    ],
)
def test_what_was_not_asked_for_can_be_corrected_in_the_same_mail(tmp_path: Path, said: str) -> None:
    """N.5: a number means its field in every mail: it is never taken for words of the one field that is still open."""
    with by_hand(tmp_path) as on:
        on.replies(form_of(on), "1: The fan")
        asked = on.last(MISSING)
        on.replies(asked, said)
        assert {n: f.value for n, f in on.app.store.desk.fills(1).items()} == {
            1: "The other fan",
            2: "Replaced it",
            7: "everyone",
        }
        assert "The other fan" in shown_to_john(on.last(PREVIEW))


def test_what_was_taken_comes_back_as_nothing_new(tmp_path: Path) -> None:
    """N.5: the values that a mail shows as taken are no answers when a reply quotes them, however it is quoted."""
    with by_hand(tmp_path) as on:
        on.replies(form_of(on), "1: The fan gave up,\nas they do.")
        before = on.app.store.desk.fills(1)
        on.send(VALERY, outlook_inline(on.last(MISSING), FROM_VALERY, {2: "We fixed it in place."}, on.now))
        on.turn()
        after = on.app.store.desk.fills(1)
        assert after[1] == before[1]
        assert after[2].value == "We fixed it in place."


def test_text_without_a_number_is_laid_into_the_draft_and_marked(tmp_path: Path) -> None:
    """MAIL-WORLD 2.4: loose text above the quote becomes the first open question's answer, and the preview says so."""
    with by_hand(tmp_path) as on:
        on.replies(form_of(on), "A cable was loose.\n\n2: We fixed it in place.")
        preview = on.last(PREVIEW)
        assert "A cable was loose." in shown_to_john(preview)
        assert "had no number" in preview.text


def test_corrected_times_are_used_and_unreadable_ones_asked_about(tmp_path: Path) -> None:
    """S1.5: [5] corrects the start in the debrief; "soonish" is asked about, by its words."""
    with by_hand(tmp_path) as on:
        form = form_of(on)
        on.replies(form, f"{ANSWERS}\n5: soonish")
        asked = on.last(MISSING)
        assert "soonish" in asked.text
        assert "[5]" in asked.text
        assert on.got(VALERY, PREVIEW) == []
        on.replies(asked, "5: Tue 8:47")
        text = shown_to_john(on.last(PREVIEW))
        assert "8:47" in text
        assert "9:12" not in text


def test_nothing_is_over_before_it_began(tmp_path: Path) -> None:
    """S1.5, N.6: an end that lies before the start, as a slip of the clock makes it, is asked about, and in no letter;
    with the start that makes it possible it is taken."""
    with by_hand(tmp_path) as on:
        form = form_of(on)
        on.replies(form, f"{ANSWERS}\n6: 16:30")  # still to come: yesterday's, then
        asked = " ".join(on.last(MISSING).text.split())
        assert "With [6] 16:30 it would have been over (Monday 23 November at 16:30) before it began" in asked
        assert on.got(VALERY, PREVIEW) == []
        on.replies(on.last(MISSING), "5: Mon 16:10\n6: Mon 16:30")
        text = shown_to_john(on.last(PREVIEW))
        assert "4:10 pm and was back at 4:30 pm" in text


def test_no_debrief_wants_a_reason(tmp_path: Path) -> None:
    """S3.1: NO DEBRIEF alone changes nothing; with a reason the incident closes and the reason is kept."""
    with by_hand(tmp_path) as on:
        form = form_of(on)
        on.replies(form, "NO DEBRIEF")
        assert on.incidents()[0].state is IncidentState.RESTORED
        on.replies(form, "NO DEBRIEF planned maintenance, John knew")
        (incident,) = on.incidents()
        assert incident.state is IncidentState.CLOSED
        assert "planned maintenance" in incident.why_closed
        assert [p.state for p in on.app.store.promises.of(incident.id)] == [PromiseState.RELEASED]
        assert debriefs(on) == []


def test_notes_and_help_and_resolved(tmp_path: Path) -> None:
    """S4.6, S4.29: NOTE lands on the timeline and nowhere else, RESOLVED sets the end, HELP is answered."""
    with by_hand(tmp_path) as on:
        on.alert()
        on.later(minutes=100)
        opened = on.last(LetterKind.OPENED)
        on.replies(opened, "NOTE the cleaner pulled the plug")
        on.replies(opened, "RESOLVED 10:42")
        on.replies(opened, "HELP")
        (incident,) = on.incidents()
        assert incident.ended_at is not None
        assert f"{incident.ended_at.astimezone(on.now.tzinfo):%H:%M}" == "10:42"
        timeline = on.app.store.records.timeline(incident.id)
        assert [(e.author, e.text) for e in timeline if e.what == "note"] == [
            ("Valery Stufano", "the cleaner pulled the plug")
        ]
        assert "SEND" in on.last(NOTICE).text
        on.later(minutes=20)
        on.replies(on.last(LetterKind.FORM), ANSWERS)
        on.replies(on.last(PREVIEW), "SEND")
        (debrief,) = debriefs(on)
        assert "10:42" in debrief.text
        assert "cleaner" not in "".join(m.text + m.html for m in on.got(JOHN))


def test_stop_before_the_acknowledgement_leaves(tmp_path: Path) -> None:
    """DESIGN 1.8: STOP to the "opened" mail: John hears nothing, nothing is owed to him."""
    with by_hand(tmp_path) as on:
        on.alert()
        on.replies(on.last(LetterKind.OPENED), "STOP")
        on.later(hours=1)
        on.recovery()
        on.later(days=6)
        assert on.got(JOHN) == []
        assert [p.state for p in on.app.store.promises.of(1)] == [PromiseState.RELEASED]
        assert on.incidents()[0].state is IncidentState.CLOSED
        assert on.got(DANA, LetterKind.DIGEST) == []


def test_open_by_name_and_of_an_unknown_client(tmp_path: Path) -> None:
    """S0.1: OPEN takes a client's key or name; an unknown one is answered with those that are known."""
    with by_hand(tmp_path) as on:
        on.writes(VALERY, "OPEN contoso: upgrade was not announced")
        on.writes(VALERY, "OPEN Northwind: their bill was wrong")
        on.writes(VALERY, "OPEN nobody: whatever")
        assert [i.title for i in on.incidents()] == ["upgrade was not announced", "their bill was wrong"]
        answer = on.last(NOTICE).text
        assert "contoso" in answer
        assert "northwind" in answer


def test_an_answer_after_the_letter_left_is_kept_and_answered(tmp_path: Path) -> None:
    """S4.6: what Valery writes to a settled form goes nowhere but the record, and she is told so."""
    with by_hand(tmp_path) as on:
        preview = preview_of(on)
        on.replies(preview, "SEND")
        assert len(debriefs(on)) == 1
        on.replies(preview, "2: Something quite different.")
        assert "lready sent" in on.last(NOTICE).text
        assert len(debriefs(on)) == 1


# --- between clients ---


def test_one_clients_words_are_never_in_anothers_letter(tmp_path: Path) -> None:
    """DESIGN 2, N.1: two incidents answered side by side, replies crossed: each client's letters hold only its own."""
    with by_hand(tmp_path, 'criticality = "critical"\n') as on:  # the last component is Contoso's
        on.alert()
        other = PROBLEM.replace("NW-FS01", "CO-ACC01").replace("184467", "99")
        on.alert(other, "Problem: CO-ACC01 has been restarted")
        on.later(minutes=4)
        on.recovery()
        on.alert(RECOVERY.replace("NW-FS01", "CO-ACC01").replace("184467", "99"), "Resolved in 9m: CO-ACC01")
        on.later(minutes=11)
        forms = {("Contoso" if "Contoso" in f.text else "Northwind"): f for f in on.got(VALERY, LetterKind.FORM)}
        assert set(forms) == {"Contoso", "Northwind"}
        on.replies(forms["Contoso"], "1: Ledger words.\n2: Ledger steps.")
        on.replies(forms["Northwind"], "1: Drive words.\n2: Drive steps.")
        for preview in on.got(VALERY, PREVIEW):
            on.replies(preview, "SEND")
        on.later(minutes=4)
        to_john = "".join(m.subject + m.text + m.html for m in on.got(JOHN))
        to_ann = "".join(m.subject + m.text + m.html for m in on.got("ann@contoso.example"))
        assert "Drive words." in to_john
        assert "Ledger words." in to_ann
        for foreign in ("Ledger", "Contoso", "Ann", "accounting"):
            assert foreign not in to_john
        for foreign in ("Drive", "Northwind", "John", "file server"):
            assert foreign not in to_ann


def test_a_reply_that_quotes_another_clients_form_fills_only_its_own(tmp_path: Path) -> None:
    """N.1: the tag decides whose form it is; another incident's reference in the subject or body does not."""
    with by_hand(tmp_path) as on:
        form = form_of(on)
        on.writes(VALERY, "OPEN contoso: upgrade was not announced")
        raw = gmail_on_top(form, FROM_VALERY, f"{ANSWERS}\nINC-2", on.now)
        on.send(VALERY, raw.replace(b"Subject: Re:", b"Subject: INC-2 Re:", 1))
        on.turn()
        assert "Northwind" in on.last(PREVIEW).text or "John" in on.last(PREVIEW).subject
        assert all(letter.client_key == "northwind" for letter in on.letters(DEBRIEF))


def test_a_signature_below_send_is_a_signature(tmp_path: Path) -> None:
    """N.6: name, title and phone under SEND are how she signs, also where the preview's letters are signed alike."""
    with by_hand(tmp_path) as on:
        signed = "SEND\n\nKind regards,\n\nValery Stufano\nClient Experience Liaison\n555 0100"
        on.replies(preview_of(on), signed)
        assert len(debriefs(on)) == 1


def test_the_same_answer_by_two_roads_is_no_habit(tmp_path: Path) -> None:
    """N.5: what ends one reply that came twice, by an alias, is no signature: the next reply that ends so keeps it."""
    with by_hand(tmp_path) as on:
        form = form_of(on)
        end = "All is well.\nPaul checked it."
        raw = gmail_on_top(form, FROM_VALERY, f"1: A cable was loose.\n2: We fastened it.\n{end}", on.now)
        on.send(VALERY, raw)
        on.turn()
        on.send(VALERY, b"X-Forwarded-For: support@msp.example\n" + raw)
        on.turn()
        on.replies(on.last(PREVIEW), f"2: We replaced it.\n{end}")
        assert "We replaced it. All is well. Paul checked it." in " ".join(on.last(PREVIEW).text.split())


def test_a_debrief_is_never_without_a_problem_and_steps(tmp_path: Path) -> None:
    """S0.8: a dash is no answer to what a debrief is made of: it is asked for again."""
    with by_hand(tmp_path) as on:
        on.replies(form_of(on), "1: -\n2: We fixed it in place.")
        assert on.got(VALERY, PREVIEW) == []
        assert "[1]" in on.last(MISSING).text


@pytest.mark.parametrize("said", ["HOLD", "wait", "Don't", "not yet please", "false alarm", "nothing goes out please"])
def test_plain_wishes_to_stop_hold_what_is_on_its_way(tmp_path: Path, said: str) -> None:
    """DESIGN 1.8: whatever could have been meant as STOP holds the letter, since that is the safe side."""
    with by_hand(tmp_path) as on:
        on.alert()
        on.replies(on.last(LetterKind.OPENED), said)
        on.later(hours=1)
        assert on.got(JOHN) == []


def test_what_cannot_be_stopped_is_said_too(tmp_path: Path) -> None:
    """DESIGN 4: "don't send" below a preview is answered, though nothing was on its way."""
    with by_hand(tmp_path) as on:
        on.replies(preview_of(on), "Don't send it, Paul must check")
        assert "nothing goes out without your SEND" in " ".join(on.last(NOTICE).text.split())
        assert debriefs(on) == []


def test_the_letter_promises_what_is_promised_when_it_leaves(tmp_path: Path) -> None:
    """N.4: LATER before the acknowledgement has left: it names the later day."""
    with by_hand(tmp_path) as on:
        on.alert()
        on.replies(on.last(LetterKind.OPENED), "LATER Friday")
        on.later(minutes=4)
        assert "Friday" in on.got(JOHN)[0].text
