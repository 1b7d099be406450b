"""A client's answer reaches the liaison, and hers goes back to that client as she typed it: that, and nothing else."""

from pathlib import Path

import pytest

from mailflow.domain.letters import LetterKind, LetterState
from tests.house import DANA, JOHN, NOC, SECOND_LIAISON, VALERY, ByHand, Received, by_hand, write_mail

pytestmark = pytest.mark.soak

ANSWER, FORWARD, PREVIEW, NOTICE = LetterKind.ANSWER, LetterKind.FORWARD, LetterKind.PREVIEW, LetterKind.NOTICE
TYPED = "About an hour, I think.\n\nPaul is on his way to you with a spare disk."
PAUL = "paul@msp.example"


def asked(on: ByHand, question: str = "How long will it take?\n") -> Received:
    """John was told, and asks; his mail as the liaison sees it."""
    on.alert()
    on.later(minutes=4)
    on.replies(on.got(JOHN)[0], question, JOHN)
    return on.last(FORWARD)


def plain(mail: Received) -> str:
    """Its text, with the line ends of the rest of us."""
    return mail.text.replace("\r\n", "\n")


def answers(on: ByHand) -> list[Received]:
    """What John has got as answers, minutes after whatever was said."""
    on.later(minutes=4)
    return on.got(JOHN, ANSWER)


def test_the_liaison_sees_the_clients_new_words_and_answers_that_client(tmp_path: Path) -> None:
    """S0.9: only the new words, a Reply-To that says where an answer goes, and the answer goes there, as typed."""
    with by_hand(tmp_path) as on:
        mail = asked(on)
        assert "How long will it take?" in mail.text
        assert "lost contact" not in mail.text  # our own letter that he quoted
        assert str(mail.message["Reply-To"]).startswith("TO CLIENT John Harper <noc+")
        on.replies(mail, TYPED)
        assert on.got(JOHN, ANSWER) == []  # it rests, and STOP would hold it
        assert "Your answer leaves for John Harper" in " ".join(on.last(NOTICE).text.split())
        (letter,) = answers(on)
        body = plain(letter).split("Kind regards,")[0]
        assert body.strip() == f"Hello John,\n\n{TYPED}"
        assert on.got(JOHN)[0].message["Message-ID"] in str(letter.message["References"])
        assert letter.subject == f"Re: {on.got(JOHN)[0].subject}"
        assert str(letter.message["From"]).startswith("Valery Stufano")


def test_sentences_that_end_every_answer_are_no_signature(tmp_path: Path) -> None:
    """S0.9, N.6: however often the same lines end an answer, they are words for the client; name and title are not."""
    ends = "Please keep everybody off the Data drive.\nDo not restart anything"
    with by_hand(tmp_path) as on:
        on.alert()
        on.later(minutes=4)
        for hours in (2, 3, 4):
            on.replies(on.got(JOHN)[0], f"Is it really {hours}?\n", JOHN)
            signed = "Valery Stufano\nClient Experience Liaison\nExample IT"
            on.replies(on.last(FORWARD), f"It will take {hours} hours.\n\n{ends}\n\n{signed}")
            said = plain(answers(on)[-1]).split("Kind regards,")[0].strip()
            assert said == f"Hello John,\n\nIt will take {hours} hours.\n\n{ends}"
            on.later(minutes=65)


def test_stop_holds_an_answer_back(tmp_path: Path) -> None:
    """DESIGN 4: until an answer has left, STOP holds it."""
    with by_hand(tmp_path) as on:
        on.replies(asked(on), TYPED)
        on.replies(on.last(NOTICE), "STOP")
        assert answers(on) == []


def test_a_greeting_of_her_own_is_enough(tmp_path: Path) -> None:
    """S1.2: who begins with a greeting is not given a second one."""
    with by_hand(tmp_path) as on:
        on.replies(asked(on), "Hi John, in an hour.")
        (letter,) = answers(on)
        assert plain(letter).startswith("Hi John, in an hour.\n")


@pytest.mark.parametrize(
    "said",
    [
        "NOTE John is the owner's nephew, be careful",
        "NOTE\nThe owner is furious.\nPlease be quick.",
        "STATUS",
        "HELP",
        "note: they have not paid the last invoice",
    ],
)
def test_what_is_for_the_record_never_reaches_the_client(tmp_path: Path, said: str) -> None:
    """S4.25: a note, or any other command, in reply to a client's mail is for us alone."""
    with by_hand(tmp_path) as on:
        on.replies(asked(on), said)
        assert answers(on) == []
        assert on.letters(ANSWER) == []


@pytest.mark.parametrize(
    "said",
    [
        "note John is a pain",
        "In an hour.\n\nnote: he has not paid",
        "internal: he has not paid",
        "close false alarm",
        "no debrief - he knows",
        "merge with INC-3",
        "Paul, can you look at this?",
        "Hi Dana, shall we tell him that it was our fault?",
        "@Paul please check",
    ],
)
def test_words_that_may_be_meant_for_us_are_shown_first(tmp_path: Path, said: str) -> None:
    """S4.25: a command's word in any case, or one of ours spoken to, is asked about before the client has it."""
    with by_hand(tmp_path) as on:
        on.replies(asked(on), said)
        assert answers(on) == []
        assert [m for m in on.got(JOHN) if "paid" in m.text or "fault" in m.text] == []


def test_a_correction_to_what_is_on_its_way_is_not_silent(tmp_path: Path) -> None:
    """DESIGN 4: what was understood is always said back: the answer leaves as it was, and STOP would hold it."""
    with by_hand(tmp_path) as on:
        on.replies(asked(on), "In two hours.")
        on.replies(on.last(NOTICE), "make that three hours")
        assert "leaves as it was" in " ".join(on.last(NOTICE).text.split())


def test_only_the_clients_own_mail_is_answered(tmp_path: Path) -> None:
    """S4.25: words below any other mail of the incident's thread go to nobody outside."""
    with by_hand(tmp_path) as on:
        asked(on)
        on.recovery()
        on.later(minutes=11)
        for kind in (LetterKind.OPENED, LetterKind.FORM):
            on.replies(on.last(kind), "Between us: it was our own mistake.")
        on.later(minutes=10)
        assert on.letters(ANSWER) == []
        assert [m for m in on.got(JOHN) if "Between us" in m.text] == []


@pytest.mark.parametrize("who", [PAUL, JOHN, "sam@elsewhere.example"])
def test_nobody_else_answers_for_her(tmp_path: Path, who: str) -> None:
    """DESIGN 3, who may publish: a colleague, the client, a stranger with the very mail cannot write in her name."""
    with by_hand(tmp_path) as on:
        mail = asked(on)
        if who == "sam@elsewhere.example":
            on.arrives(write_mail(f"Valery Stufano <{who}>", str(mail.message["Reply-To"]), "Re: x", TYPED, on.now))
        else:
            on.replies(mail, TYPED, who)
        assert answers(on) == []
        assert [m for m in on.got(JOHN) if "spare disk" in m.text] == []


def test_a_manager_may_answer(tmp_path: Path) -> None:
    """DESIGN 3: managers may publish, where somebody vouches for them; the letter is still the liaison's."""
    with by_hand(tmp_path) as on:
        on.replies(asked(on), TYPED, DANA)
        (letter,) = answers(on)
        assert "spare disk" in letter.text


def test_the_same_answer_twice_is_one(tmp_path: Path) -> None:
    """N.10: a mail program that sends her answer again, under another name, makes no second letter."""
    with by_hand(tmp_path) as on:
        mail = asked(on)
        on.replies(mail, TYPED)
        on.later(minutes=1)
        on.replies(mail, TYPED)
        assert len(answers(on)) == 1
        assert "nothing twice" in " ".join(on.last(NOTICE).text.split())


def test_in_review_it_is_shown_first(tmp_path: Path) -> None:
    """DESIGN 4: where letters wait for SEND, so does an answer; SEND sends just that."""
    with by_hand(tmp_path, live='"review"') as on:
        on.alert()
        on.later(minutes=15)
        on.replies(on.last(PREVIEW), "SEND")
        on.later(minutes=4)
        on.replies(on.got(JOHN)[0], "How long will it take?\n", JOHN)
        on.replies(on.last(FORWARD), TYPED)
        assert answers(on) == []
        preview = on.last(PREVIEW)
        assert "spare disk" in preview.text
        on.replies(preview, "SEND")
        (letter,) = answers(on)
        assert TYPED in plain(letter)


@pytest.mark.parametrize(
    ("typed", "goes"),
    [
        ("An hour.\n\n> He is a difficult customer, says Dana.\nSo be nice.", False),
        ("See below.\n\nDana Reyes wrote:\nThey are late with paying.", False),
        ("An hour.\n\nFrom: Dana Reyes\nSent: Tuesday\nSubject: Northwind\n\nThey are late with paying.", True),
        ("An hour.\n\n-----Original Message-----\nThey are late with paying.", True),
    ],
)
def test_what_looks_like_a_quote_never_goes_along(tmp_path: Path, typed: str, goes: bool) -> None:
    """S4.25: where it is doubtful which words are hers, none go before she has looked; a plain quote is cut off."""
    with by_hand(tmp_path) as on:
        mail = asked(on)
        to, subject = str(mail.message["Reply-To"]), f"Re: {mail.subject}"
        on.send(VALERY, write_mail(f"Valery Stufano <{VALERY}>", to, subject, typed, on.now))
        on.turn()
        assert [m.text.split("Kind regards")[0].split() for m in answers(on)] == [
            ["Hello", "John,", "An", "hour."]
        ] * goes
        assert [m for m in on.got(JOHN) if "paying" in m.text or "difficult" in m.text] == []


def test_an_answer_between_the_quoted_lines_is_shown_first(tmp_path: Path) -> None:
    """S4.25: typed into the quote, it is kept and shown, and nothing of the quote goes along."""
    with by_hand(tmp_path) as on:
        mail = asked(on)
        quoted = mail.text.replace("How long will it take?", "How long will it take?\n\nAn hour.\n")
        text = "\n".join(f"> {line}" if line != "An hour." else line for line in quoted.splitlines())
        text = f"On Tue, 24 Nov 2026 at 09:20, mailflow <{NOC}> wrote:\n{text}\n"
        to, subject = str(mail.message["Reply-To"]), f"Re: {mail.subject}"
        on.send(VALERY, write_mail(f"Valery Stufano <{VALERY}>", to, subject, text, on.now))
        on.turn()
        assert answers(on) == []


def test_what_leaks_is_held_and_what_is_only_a_thought_is_shown(tmp_path: Path) -> None:
    """N.7: an internal address cannot leave by SEND either; a stock phrase is shown with a better way to say it."""
    with by_hand(tmp_path) as on:
        on.replies(asked(on), "The disk of 192.168.7.12 is full, S:\\Finance too.")
        assert answers(on) == []
        preview = on.last(PREVIEW)
        assert "192.168.7.12" in preview.text
        assert "cannot leave as it stands" in " ".join(preview.text.split())
        on.replies(preview, "SEND")
        assert answers(on) == []
        on.replies(on.last(FORWARD), "The disk of your file server is full.")
        (letter,) = answers(on)
        assert "your file server is full" in letter.text


@pytest.mark.parametrize("theirs", ["Contoso", "ann webb", "ann@contoso.example"])
def test_another_clients_name_never_leaves(tmp_path: Path, theirs: str) -> None:
    """N.7: one client's words in another's mail is a disaster: held, whatever is said."""
    with by_hand(tmp_path) as on:
        on.replies(asked(on), f"It is the same trouble that {theirs} had last week.")
        on.replies(on.last(PREVIEW), "SEND")
        assert answers(on) == []
        assert on.letters(ANSWER, states=(LetterState.HELD,))


def test_a_namesake_of_another_clients_person_may_be_named(tmp_path: Path) -> None:
    """N.7: who is this client's own, or one of ours, may be named, whoever else is called the same."""
    theirs = '[[client.contact]]\nname = "Robin Day"\nfirst_name = "Robin"\naddress = "rd@contoso.example"\n'
    with by_hand(tmp_path, f"{theirs}\n{SECOND_LIAISON}") as on:
        on.replies(asked(on), "Robin Day will ring you about it before lunch today.")
        (letter,) = answers(on)
        assert "Robin Day will ring you" in letter.text


def test_whoever_is_not_the_clients_is_not_answered(tmp_path: Path) -> None:
    """DESIGN 3, recipients: an address that is neither listed nor of the client's domain gets nothing."""
    with by_hand(tmp_path) as on:
        asked(on)
        mail = on.got(JOHN)[0]
        reply_to = str(mail.message["Reply-To"])
        on.arrives(write_mail("Eve <eve@elsewhere.example>", reply_to, f"Re: {mail.subject}", "And for me?", on.now))
        shown = on.last(LetterKind.SHOWN)
        on.replies(shown, TYPED)
        on.later(minutes=5)
        assert on.sent_to("eve@elsewhere.example") == []
        assert on.letters(ANSWER) == []


def test_an_absent_liaison_answers_nobody(tmp_path: Path) -> None:
    """DESIGN 3, loops: her out-of-office to a client's mail stays here."""
    with by_hand(tmp_path) as on:
        mail = asked(on)
        raw = write_mail(
            f"Valery Stufano <{VALERY}>", NOC, f"Automatic reply: {mail.subject}", "I am away until Monday.", on.now
        )
        head, _, body = raw.partition(b"\r\n\r\n") if b"\r\n\r\n" in raw else raw.partition(b"\n\n")
        extra = f"\nIn-Reply-To: {mail.message['Message-ID']}\nAuto-Submitted: auto-replied".encode()
        on.send(VALERY, head + extra + b"\n\n" + body)
        on.turn()
        assert answers(on) == []
        assert [m for m in on.got(JOHN) if "away" in m.text] == []
