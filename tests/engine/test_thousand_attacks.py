"""A thousand attacks by mail on an office at work: nothing is published, nothing moves, and nobody genuine is refused.

The office has everything that an attacker could want: letters of every kind that wait for SEND, older drafts and one
that has left, forms at a liaison and at a colleague, and clients' mails that wait for an answer.
"""

import random
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import make_msgid
from itertools import cycle, islice, product
from pathlib import Path

import pytest

from mailflow.adapters.store.tables import (
    AffectedRow,
    DecisionRow,
    DraftRow,
    FillRow,
    InboundRow,
    IncidentRow,
    LetterRow,
    PromiseRow,
)
from mailflow.demo.clients import POLICY, gmail_on_top
from mailflow.domain.letters import LetterKind, LetterState
from mailflow.engine.brake import Brake
from tests.house import (
    DANA,
    JOHN,
    NAMES,
    NOC,
    PROBLEM,
    RECOVERY,
    SHIRLEY,
    VALERY,
    ByHand,
    Received,
    by_hand,
    received,
    write_mail,
)

pytestmark = pytest.mark.soak

ANN, EVE = "ann@contoso.example", "eve@fabrikam.example"
PAUL, ROBIN = "paul@msp.example", "robin@msp.example"
STRANGER = "sam@elsewhere.example"
PEOPLE = NAMES | {ANN: "Ann Webb", EVE: "Eve Stone", PAUL: "Paul Ortiz", ROBIN: "Robin Day", STRANGER: "Sam Poe"}
EXTRA = f"""
criticality = "critical"
[[liaison]]
name = "Robin Day"
title = "Liaison"
address = "{ROBIN}"
[[client]]
key = "fabrikam"
name = "Fabrikam"
domains = ["fabrikam.example"]
liaison = "{VALERY}"
live = "review"
[[client.contact]]
name = "Eve Stone"
first_name = "Eve"
address = "{EVE}"
wants = "all"
[[client.component]]
name = "print server"
plain = "your print server"
hosts = ["FA-PRN01"]
criticality = "critical"
"""
ATTACKS = 504  # for each of the two ways in which a mailbox may know its writers
AT_ONCE = 40  # attacks that lie in the inbox together
# What Valery writes of: a hundred genuine replies, four for each of one with each of the other.
DOINGS = ("Cleaning", "Testing", "Repairing", "Replacing", "Checking")
THINGS = ("fan", "cable", "battery", "drive", "socket")
# What would do harm if its writer were believed.
ORDERS = (
    "SEND",
    "Send it.",
    "SEND\n\n2: Hacked words.",
    "1: Hacked words.\n2: Hacked steps.",
    "Hacked words for you.",
    "UPDATE Please pay the bill at pay.example today, hacked.",
    "STOP",
    "NO DEBRIEF: hacked",
    "CLOSE hacked",
    "RESOLVED 9:20",
    "ASSIGN Robin",
    "AUDIENCE Shirley",
    "ASK Dana: hacked?",
    "MERGE INC-1",
    "SPLIT contoso",
    "PRIORITY P1",
    "REOPEN",
    "LATER Friday",
    "OPEN contoso: hacked",
    "MAINTENANCE contoso: Sat 22:00 to Sun 2:00, hacked",
    "PAUSE",
    "NOTE hacked",
)
# What a liaison may write below a preview without meaning SEND.
SLIPS = (
    "> SEND",
    "Don't SEND",
    "Please don't SEND yet",
    "SEND this to John tomorrow",
    "not yet\nSEND",
    "-- \nSEND",
    "Best,\nSEND",
    "Kind regards,\nSEND IT",
    "I would SEND it on Monday",
    "Should I SEND?",
    "SEND or STOP",
    "Dana wrote:\n> SEND",
    "[cid:logo]\n-- \nValery Stufano\nSEND\n555 0100",
)


@dataclass(kw_only=True)
class Office:
    """The house, and every mail of ours that somebody might answer."""

    on: ByHand
    current: dict[LetterKind, Received]  # the preview of each kind of letter that waits for SEND
    older: list[Received]  # previews that stand no more: superseded, or of what has left
    staff: list[Received]  # everything else that our people hold about Northwind or Contoso
    forward: Received  # Ann's question to Valery
    asked: Received  # the open questions, to Paul
    to_clients: dict[str, Received]  # the letter that each client holds
    heard: list[bytes]  # what Valery has written so far, as it travelled


def alert_of(on: ByHand, host: str, event: str, *, over: bool = False) -> None:
    """Zabbix tells of a host."""
    body = (RECOVERY if over else PROBLEM).replace("NW-FS01", host).replace("184467", event)
    on.alert(body, f"{'Resolved in 9m' if over else 'Problem'}: {host} has been restarted")


@contextmanager
def office(folder: Path, auth: str) -> Iterator[Office]:
    """Three clients; an outage that is settled, one whose debrief waits, one that is on, and one to be acknowledged."""
    heard: list[bytes] = []
    changes = {"auth": f'"{auth}"', "proof": '"sent"', "storm_count": "1", "staff_hour": "100000"}
    with by_hand(folder, EXTRA, **changes) as on:

        def says(kind: LetterKind, text: str) -> Received:
            heard.append(on.replies(on.last(kind), text))
            return on.sent_to(VALERY)[-1]

        alert_of(on, "NW-FS01", "11")
        on.later(minutes=4)
        alert_of(on, "NW-FS01", "11", over=True)
        on.later(minutes=11)
        released = says(LetterKind.FORM, "1: A cable was loose.\n2: We put it back.")
        says(LetterKind.PREVIEW, "SEND")
        on.later(hours=6)

        alert_of(on, "NW-FS01", "12")
        on.later(minutes=4)
        alert_of(on, "NW-FS01", "12", over=True)
        on.later(minutes=11)
        form = on.last(LetterKind.FORM)
        says(LetterKind.FORM, "ASK Paul: which cable was it?")
        first = says(LetterKind.FORM, "1: A fan had stopped.\n2: We ordered one.")
        second = says(LetterKind.PREVIEW, "2: We borrowed one.")
        debrief = says(LetterKind.PREVIEW, "2: We put a new fan in.")

        alert_of(on, "CO-ACC01", "13")
        on.later(minutes=4)
        opened = on.last(LetterKind.OPENED)
        old_update = says(LetterKind.OPENED, "UPDATE Paul is on his way to you.")
        update = says(LetterKind.OPENED, "UPDATE Paul is in the building now.")
        told = on.got(ANN)[-1]
        on.replies(told, "Must we restart the till as well?", ANN)
        says(LetterKind.FORWARD, "No, leave it on.\n\n________________\nTO CLIENT Ann Webb")
        answer = on.last(LetterKind.PREVIEW)
        on.replies(told, "How long will it take?", ANN)
        forward = on.last(LetterKind.FORWARD)

        alert_of(on, "FA-PRN01", "14")
        on.later(minutes=1)
        acknowledgement = on.last(LetterKind.PREVIEW)
        on.later(minutes=4)
        current = {
            LetterKind.DEBRIEF: debrief,
            LetterKind.UPDATE: update,
            LetterKind.ANSWER: answer,
            LetterKind.ACKNOWLEDGEMENT: acknowledgement,
        }
        waiting = {x.kind for x in on.letters(states=(LetterState.HELD,))}
        assert waiting == set(current), "the office is not as it should be"
        yield Office(
            on=on,
            current=current,
            older=[released, first, second, old_update],
            staff=[form, opened, *on.got(VALERY, LetterKind.NOTICE)[:2]],
            forward=forward,
            asked=on.last(LetterKind.ASK, PAUL),
            to_clients={JOHN: on.got(JOHN)[-1], ANN: told},
            heard=heard,
        )


# --- how an attack is written ---


def who(address: str) -> str:
    """A From line."""
    return f"{PEOPLE[address]} <{address}>"


def vouched(address: str, raw: bytes) -> bytes:
    """The mail of somebody who logged in to our own provider as this address."""
    return f"Authentication-Results: mx.msp.example; auth=pass smtp.auth={address}\r\n".encode() + raw


def unlike(mail: Received, how: int) -> Received:
    """The same mail of ours with tags that somebody guessed: another signature, or another letter's number."""

    def guess(found: re.Match[bytes]) -> bytes:
        return found[1] + b"-" + b"a" * 26 if how else b"a" * 10 + found[0][10:]

    return received(re.sub(rb"([a-z2-7]{10})-[a-z2-7]{26}", guess, mail.message.as_bytes(policy=POLICY)))


def answer_to(mail: Received, sender: str, text: str, shape: int, office: Office) -> bytes:
    """A reply by one of four programs: all quoted, nothing quoted, known by its thread alone, by its address alone."""
    on = office.on
    if shape == 0:
        return gmail_on_top(mail, who(sender), text, on.now)
    raw = received(
        write_mail(who(sender), str(mail.message["Reply-To"] or NOC), f"Re: {mail.subject}", text, on.now)
    ).message
    if shape in {1, 2}:
        raw["In-Reply-To"] = str(mail.message["Message-ID"])
    if shape == 2:
        raw.replace_header("To", NOC)
    return raw.as_bytes(policy=POLICY)


def report(letter: Received, office: Office) -> bytes:
    """A bounce as servers write it, with the whole mail that came back inside."""
    made = EmailMessage(policy=POLICY)
    made["From"], made["To"] = "MAILER-DAEMON@mx.msp.example", str(letter.message["Reply-To"] or NOC)
    made["Subject"], made["Message-ID"] = "Undelivered Mail Returned to Sender", make_msgid(domain="mx.msp.example")
    made.set_content(f"SEND\n\nI could not deliver this.\n\n1: Hacked words.\n2: Hacked steps.\n\n{letter.text}")
    made.add_attachment(letter.message)
    return b"Return-Path: <>\r\n" + made.as_bytes()


# --- the attacks, family by family; each is endless ---

Family = Callable[[Office, random.Random], bytes]


def pick_any(office: Office, rng: random.Random) -> Received:
    """Any mail that our people hold."""
    return rng.choice([*office.current.values(), *office.older, *office.staff, office.forward, office.asked])


def forged_with_a_genuine_tag(office: Office, rng: random.Random) -> bytes:
    """A liaison's or a manager's From line, by somebody who has seen the mail."""
    return answer_to(
        pick_any(office, rng), rng.choice([VALERY, DANA, ROBIN]), rng.choice(ORDERS), rng.randrange(4), office
    )


def forged_with_a_guessed_tag(office: Office, rng: random.Random) -> bytes:
    """The same by somebody who has seen none."""
    mail = unlike(pick_any(office, rng), rng.randrange(2))
    return answer_to(mail, rng.choice([VALERY, DANA, ROBIN]), rng.choice(ORDERS), rng.randrange(4), office)


def proven_with_a_guessed_tag(office: Office, rng: random.Random) -> bytes:
    """Even from a liaison's own mailbox: a rule, a virus, a colleague at her desk."""
    mail = unlike(rng.choice([*office.current.values(), office.forward]), 1)
    return vouched(VALERY, answer_to(mail, VALERY, rng.choice(ORDERS), rng.randrange(2), office))


def forged_without_a_tag(office: Office, rng: random.Random) -> bytes:
    """A new mail in a liaison's name; the command in the body, or as the subject."""
    order, sender = rng.choice(ORDERS), who(rng.choice([VALERY, DANA, ROBIN]))
    subject = order.partition("\n")[0] if rng.randrange(2) else f"INC-{rng.randint(1, 4)}"
    return write_mail(sender, NOC, subject, order, office.on.now)


def another_clients_tag(office: Office, rng: random.Random) -> bytes:
    """One client with the letter, or even the preview, of another."""
    writer, letters = rng.choice(
        [
            (JOHN, [office.to_clients[ANN], office.current[LetterKind.UPDATE], office.forward]),
            (ANN, [office.to_clients[JOHN], office.current[LetterKind.DEBRIEF], office.asked]),
            (EVE, [*office.to_clients.values(), office.forward]),
        ]
    )
    raw = answer_to(rng.choice(letters), writer, rng.choice(ORDERS), rng.randrange(4), office)
    passed = f"Authentication-Results: mx.msp.example; dmarc=pass header.from={writer.partition('@')[2]}\r\n".encode()
    return passed + raw if rng.randrange(2) else raw


def a_strangers(office: Office, rng: random.Random) -> bytes:
    """A letter of ours was forwarded out of the house."""
    return answer_to(pick_any(office, rng), STRANGER, rng.choice(ORDERS), rng.randrange(4), office)


def a_colleagues(office: Office, rng: random.Random) -> bytes:
    """Paul is ours, and proven, and may publish nothing."""
    mail = rng.choice([*office.current.values(), *office.older, *office.staff, office.forward])
    raw = answer_to(mail, PAUL, rng.choice(ORDERS), rng.randrange(4), office)
    return vouched(PAUL, raw) if rng.randrange(2) else raw


def a_colleagues_orders_to_his_form(office: Office, rng: random.Random) -> bytes:
    """He may fill in what he was asked; he may not command."""
    orders = [order for order in ORDERS if "1:" not in order and "for you" not in order]
    return vouched(PAUL, answer_to(office.asked, PAUL, rng.choice(orders), rng.randrange(2), office))


def the_clients_own(office: Office, rng: random.Random) -> bytes:
    """The client itself got hold of what was written about it, or answers its own letter with commands."""
    writer, mails = rng.choice(
        [
            (JOHN, [office.to_clients[JOHN], office.current[LetterKind.DEBRIEF], office.asked]),
            (SHIRLEY, [office.to_clients[JOHN], office.current[LetterKind.DEBRIEF], office.asked]),
            (ANN, [office.to_clients[ANN], office.forward, office.current[LetterKind.UPDATE]]),
        ]
    )
    text = f"{rng.choice(ORDERS)}\n{rng.randrange(10**6)}"
    return answer_to(rng.choice(mails), writer, text, rng.randrange(4), office)


def two_authors(office: Office, rng: random.Random) -> bytes:
    """Two From lines, or two people in one; whose mail is it?"""
    raw = answer_to(pick_any(office, rng), VALERY, rng.choice(ORDERS), rng.randrange(4), office)
    other = f"Sam Poe <{STRANGER}>".encode()
    line = re.search(rb"(?m)^From: [^\r]+\r\n", raw)
    assert line
    hers = line[0].rstrip()
    lines = rng.choice([[hers, b"From: " + other], [b"From: " + other, hers], [hers + b", " + other]])
    return vouched(STRANGER, raw.replace(hers, b"\r\n".join(lines), 1))


def forged_results(office: Office, rng: random.Random) -> bytes:
    """Authentication-Results below the border, of another server, of another author, or against our own server's."""
    raw = answer_to(pick_any(office, rng), VALERY, rng.choice(ORDERS), rng.randrange(4), office)
    ours, theirs = "Authentication-Results: mx.msp.example; ", "Received: from x.example by mx.evil.example; now\r\n"
    head = rng.choice(
        [
            f"{theirs}{ours}auth=pass smtp.auth={VALERY}\r\n",
            f"{theirs}{ours}dmarc=pass header.from=msp.example\r\n",
            f"Authentication-Results: mx.msp.example.evil.example; auth=pass smtp.auth={VALERY}\r\n",
            "Authentication-Results: evil.example; dmarc=pass header.from=msp.example\r\n",
            f"{ours}auth=pass smtp.auth={STRANGER}\r\n",
            f"{ours}dmarc=pass header.from=elsewhere.example\r\n",
            f"{ours}dmarc=fail header.from=msp.example\r\n{ours}dmarc=pass header.from=msp.example\r\n",
            f"{ours}none (auth=pass smtp.auth={VALERY})\r\n",
            f'{ours}spf=fail smtp.mailfrom="x; auth=pass smtp.auth={VALERY}"\r\n',
            f"{ours}auth=fail smtp.auth={VALERY}\r\n",
            f"{ours}dkim=pass header.d=msp.example.evil.example\r\n",
            f"X-Authentication-Results: mx.msp.example; auth=pass smtp.auth={VALERY}\r\n",
        ]
    )
    return head.encode() + raw


def answering_machine(office: Office, rng: random.Random) -> bytes:
    """A manager's own out-of-office that says SEND and quotes everything; a liaison's would hand over what is hers."""
    raw = answer_to(pick_any(office, rng), DANA, rng.choice(ORDERS), rng.randrange(2), office)
    sign = rng.choice(
        [
            b"Auto-Submitted: auto-replied\r\n",
            b"X-Autoreply: yes\r\n",
            b"X-Autorespond: away\r\n",
            b"Precedence: auto_reply\r\n",
        ]
    )
    subjects = rng.choice([b"Subject: Automatic reply: ", b"Subject: Out of office: Re: "])
    raw = raw.replace(b"Subject: Re: ", subjects, 1)
    return vouched(VALERY, sign + raw if rng.randrange(2) else raw)


def bounce(office: Office, rng: random.Random) -> bytes:
    """A server sends the form or the preview back, with SEND above it."""
    return report(rng.choice([office.asked, *office.current.values(), *office.staff]), office)


def mailing_list(office: Office, rng: random.Random) -> bytes:
    """A list's copy of what might be a liaison's own mail."""
    raw = answer_to(pick_any(office, rng), VALERY, rng.choice(ORDERS), rng.randrange(4), office)
    head = b"List-Id: <noc.lists.example>\r\nPrecedence: list\r\nSender: noc-bounces@lists.example\r\n"
    return b"Authentication-Results: mx.msp.example; dmarc=fail header.from=msp.example\r\n" + head + raw


def replay(office: Office, rng: random.Random) -> bytes:
    """What Valery did write, once more: the same bytes, or under another Message-ID."""
    raw = rng.choice(office.heard)
    again = f"Message-ID: {make_msgid(domain='msp.example')}".encode()
    return raw if rng.randrange(2) else re.sub(rb"(?m)^Message-ID: [^\r\n]+", again, raw, count=1)


def replayed_bytes(office: Office, rng: random.Random) -> bytes:
    """The very same mail, from her own program."""
    return vouched(VALERY, rng.choice(office.heard))


def superseded(office: Office, rng: random.Random) -> bytes:
    """SEND, by those who may, to what stands no more."""
    writer = rng.choice([VALERY, DANA])
    return vouched(writer, answer_to(rng.choice(office.older), writer, "SEND", rng.randrange(4), office))


def another_liaisons(office: Office, rng: random.Random) -> bytes:
    """Robin publishes for his own clients, and not what was shown to Valery."""
    mail = rng.choice([*office.current.values(), *office.older, office.forward])
    text = "Hacked words for you." if mail is office.forward else "SEND"
    return vouched(ROBIN, answer_to(mail, ROBIN, text, rng.randrange(4), office))


# Whom the mailbox can tell apart: everything. Where it cannot, whoever holds the mail to a liaison writes as she does,
# and what is left is what holds without.
TELLS: tuple[Family, ...] = (
    forged_with_a_genuine_tag,
    forged_with_a_guessed_tag,
    proven_with_a_guessed_tag,
    forged_without_a_tag,
    another_clients_tag,
    a_strangers,
    a_colleagues,
    a_colleagues_orders_to_his_form,
    the_clients_own,
    two_authors,
    forged_results,
    answering_machine,
    bounce,
    mailing_list,
    replay,
    replayed_bytes,
    superseded,
    another_liaisons,
)
TELLS_NOT = tuple(f for f in TELLS if f not in {forged_with_a_genuine_tag, forged_results, mailing_list, replay})


# --- what must not move ---


def standing(on: ByHand) -> dict[str, object]:
    """Every incident, client, promise, answer, draft and letter to a client, and the brake."""
    tables = {
        t.__name__: list(t.select().order_by(t.id).tuples()) for t in (IncidentRow, AffectedRow, DraftRow, FillRow)
    }
    promises = list(PromiseRow.select().order_by(PromiseRow.id).tuples())
    letters = LetterRow.select(
        LetterRow.id, LetterRow.state, LetterRow.approved, LetterRow.rendered, LetterRow.recipient
    )
    clients = [row for row in letters.order_by(LetterRow.id).tuples() if not str(row[-1]).endswith("@msp.example")]
    return {**tables, "promises": promises, "letters": clients, "paused": Brake(on.app.store).paused()}


def outside(on: ByHand) -> list[tuple[str, ...]]:
    """Every mail that left the house."""
    return [m.recipients for m in on.mail.sent if not all(r.endswith("@msp.example") for r in m.recipients)]


def strike(on: ByHand, attacks: Sequence[bytes]) -> None:
    """They lie in the inbox together, and the daemon looks."""
    for raw in attacks:
        on.mail.deliver(NOC, raw)
    on.turn()


def undecided(on: ByHand) -> list[str]:
    """Mails that were lost on the way: kept and not done, set aside, or done without a decision."""
    known = {row.inbound_id for row in DecisionRow.select(DecisionRow.inbound_id)}
    rows = InboundRow.select(InboundRow.id, InboundRow.state, InboundRow.subject)
    return [r.subject for r in rows if r.state in {"kept", "quarantined"} or r.id not in known]


@pytest.mark.parametrize("auth", ["generic", "none"])
def test_a_thousand_attacks_do_nothing_and_a_hundred_genuine_replies_all_count(tmp_path: Path, auth: str) -> None:
    """N.6: what is forged, replayed, superseded, quoted, automatic or returned publishes nothing and loses nothing."""
    rng = random.Random(auth)
    with office(tmp_path, auth) as built:
        on = built.on
        before, sent = standing(on), outside(on)
        families = TELLS if auth == "generic" else TELLS_NOT
        made = [(family, family(built, rng)) for family in islice(cycle(families), ATTACKS)]
        for first in range(0, ATTACKS, AT_ONCE):
            strike(on, [raw for _, raw in made[first : first + AT_ONCE]])
            if standing(on) != before:
                blame(on, [f.__name__ for f, _ in made[first : first + AT_ONCE]], before)
        on.later(minutes=30)
        assert outside(on) == sent
        assert undecided(on) == []
        slips_of_the_liaison(built, sent)
        genuine(built)


def blame(on: ByHand, names: list[str], before: dict[str, object]) -> None:
    """Say what moved, and after which attacks."""
    moved = {}
    for table, rows in standing(on).items():
        was = before[table]
        if rows != was:
            moved[table] = [row for row in rows if row not in was] if isinstance(rows, list) else rows  # type: ignore[operator]
    raise AssertionError(f"{moved} after {list(zip(names, on.decisions()[-len(names) :], strict=False))}")


def slips_of_the_liaison(office: Office, sent: list[tuple[str, ...]]) -> None:
    """Valery's own replies that hold the word, quote it or sign with it: she is asked again, and nothing leaves."""
    on = office.on
    for kind, preview in office.current.items():
        for slip in SLIPS:
            on.mail.deliver(NOC, vouched(VALERY, answer_to(preview, VALERY, slip, len(slip) % 2, office)))
        named = received(answer_to(preview, VALERY, "See the subject.", 0, office)).message
        named.replace_header("Subject", "SEND")
        on.mail.deliver(NOC, vouched(VALERY, named.as_bytes(policy=POLICY)))
        on.turn()
        on.later(minutes=4)
        assert outside(on) == sent, kind
    for text in (
        "Tomorrow.\n\n> He pays late, says Dana.\nBe nice.",
        "Tomorrow.\n\n________________\nTO CLIENT Ann Webb <noc@msp.example>",
        "Tomorrow.\n\nOn Monday Dana Reyes wrote:\nThey pay late.",
    ):
        on.mail.deliver(NOC, vouched(VALERY, answer_to(office.forward, VALERY, text, 1, office)))
    on.turn()
    on.later(minutes=4)
    assert outside(on) == sent
    assert not [x for x in on.letters(states=(LetterState.WAITING,)) if x.kind.to_client]
    assert undecided(on) == []


def genuine(office: Office) -> None:
    """Form answers, words in between, SEND and answers to a client, from Valery's own program: each counts."""
    on, told = office.on, office.to_clients[ANN]
    opened = next(m for m in on.got(VALERY, LetterKind.OPENED) if "Contoso" in m.text)
    draft = next(m for m in reversed(on.got(VALERY, LetterKind.PREVIEW)) if "new fan" in m.text)
    said, letters_before = "", len(on.got(JOHN, LetterKind.DEBRIEF))

    def says(shape: int, *replies: tuple[Received, str, tuple[str, str]]) -> list[Received]:
        """Valery hands replies in, each with what is to be decided over it; what she gets for them."""
        decided, mails = DecisionRow.select().count(), len(on.mail.sent)
        for mail, text, _ in replies:
            on.send(VALERY, answer_to(mail, VALERY, text, shape, office))
        on.turn()
        made = [(r.action, r.reason) for r in DecisionRow.select().order_by(DecisionRow.id).offset(decided)]
        assert [wanted for _, _, wanted in replies] == [d for d in made if d[0] != "ClientSaid"]
        return [received(m.raw) for m in on.mail.sent[mails:] if m.recipients[0] == VALERY]

    for n, (doing, thing) in enumerate(product(DOINGS, THINGS)):
        said = f"{doing} the {thing} put it right."
        on.send(ANN, gmail_on_top(told, who(ANN), f"And what about the {thing}? ({n})", on.now))
        shown = says(
            n % 4,
            (opened, f"UPDATE {doing} the {thing} is what keeps Paul busy.", ("Obey", "command-update")),
            (draft, f"2: {said}", ("Fill", "answers")),
        )
        draft, update, asked = (
            next(m for m in shown if words in m.text) for words in (said, "keeps Paul busy", f"the {thing}? ({n})")
        )
        says(
            (n + 1) % 4,
            (update, "SEND", ("Release", "send")),
            (asked, f"{doing} of the {thing} comes next.", ("Relay", "answers-client")),
        )
        on.later(minutes=4)
    for kind in (LetterKind.UPDATE, LetterKind.ANSWER):
        assert len({m.text for m in on.got(ANN, kind)}) == len(DOINGS) * len(THINGS)
    says(0, (draft, "SEND", ("Release", "send")))
    on.later(minutes=4)
    (debrief,) = on.got(JOHN, LetterKind.DEBRIEF)[letters_before:]
    assert said in debrief.text
    for address in (JOHN, SHIRLEY, ANN, EVE):
        assert not [m for m in on.sent_to(address) if "acked" in m.text + m.subject]
