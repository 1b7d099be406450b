"""What a mail means: every situation with its decision and its named reason, and when a SEND publishes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailflow.domain.decide import decide
from mailflow.domain.decisions import (
    Absent,
    Announce,
    Answered,
    Bounced,
    CallOff,
    ClientSaid,
    Confirm,
    Decision,
    Fill,
    Ignore,
    Join,
    Known,
    Noted,
    Obey,
    OpenFromAlert,
    OpenFromClient,
    OpenFromStaff,
    Place,
    Proved,
    Recover,
    Refuse,
    RefuseSend,
    Release,
    Show,
    Situation,
)
from mailflow.domain.form import Answer, Answers, Command, Doubt, Verb
from mailflow.domain.form import Place as Where
from mailflow.domain.incident import Affected, Incident, IncidentState, Signal
from mailflow.domain.letters import Draft, DraftState, Letter, LetterKind, LetterState
from mailflow.domain.mail import Action, Bounce, BouncedRecipient, Event, Gist, Reading
from mailflow.domain.ownership import Owner
from mailflow.domain.people import Address, Client, Contact, Role, Staff, Who
from mailflow.domain.policy import Policy
from mailflow.domain.vocabulary import Class, Detection, Kind, Live, Priority, Severity, State

NOW = datetime(2026, 11, 24, 15, 12, tzinfo=UTC)
NOC = "noc@msp.example"
OWN = frozenset({NOC, "desk@msp.example"})
POLICY = Policy()
Decide: TypeAlias = Callable[..., tuple[Decision, ...]]


# --- the cast ---


def staff(role: Role, name: str, address: str) -> Staff:
    """One of ours."""
    return Staff(role=role, name=name, address=address, timezone="America/Chicago", language="en")


VALERY = staff(Role.LIAISON, "Valery Stufano", "valery@msp.example")
ROBIN = staff(Role.LIAISON, "Robin Oakes", "robin@msp.example")
DANA = staff(Role.MANAGER, "Dana Reyes", "dana@msp.example")
PAUL = staff(Role.COLLEAGUE, "Paul Ortiz", "paul@msp.example")
JOHN = Contact(name="John Harper", first_name="John", address="john@northwind.example")


def client(key: str) -> Client:
    """A firm."""
    return Client(
        key=key,
        name=key.title(),
        timezone="UTC",
        language="en",
        liaison=VALERY.address,
        live=Live.AUTO,
        contacts=(JOHN,),
    )


NORTHWIND, CONTOSO = client("northwind"), client("contoso")
FROM_JOHN = Who(clients=(NORTHWIND,), contact=JOHN)


def event(state: State = State.PROBLEM, key: str = "nw-fs01") -> Event:
    """One thing that a monitor reports."""
    return Event(
        recipe="zabbix",
        state=state,
        severity=Severity.HIGH,
        class_=Class.OUTAGE,
        symptom="rebooted",
        key=key,
        fields={"host": "NW-FS01"},
    )


def incident(state: IncidentState = IncidentState.OPEN, *, ended: timedelta | None = None, id: int = 7) -> Incident:
    """An incident of Northwind's; `ended` is how long ago its trouble ended."""
    return Incident(
        id=id,
        reference=f"INC-{id}",
        state=state,
        scope="client:northwind",
        key="nw-fs01",
        class_=Class.OUTAGE,
        severity=Severity.HIGH,
        priority=Priority.P2,
        symptom="rebooted",
        title="file server",
        detected_by=Detection.INTERNAL_MONITOR,
        noticed_by="Zabbix",
        first_shown="Problem",
        started_at=NOW - timedelta(days=2),
        ended_at=None if ended is None else NOW - ended,
        opened_at=NOW - timedelta(days=2),
    )


AFFECTED = Affected(
    id=70,
    incident_id=7,
    client_key="northwind",
    client_name="Northwind",
    timezone="UTC",
    language="en",
    mailbox=NOC,
    live=Live.AUTO,
    liaison=Address(name=VALERY.name, address=VALERY.address),
)


def letter(kind: LetterKind = LetterKind.PREVIEW, **changes: Any) -> Letter:
    """A letter of ours about Northwind's incident, to Valery unless said otherwise."""
    return replace(
        Letter(
            id=40,
            tag_id="abcdefghij",
            created_at=NOW,
            idempotency_key="preview:70:2",
            kind=kind,
            recipient=Address(name=VALERY.name, address=VALERY.address),
            mailbox=NOC,
            facts={},
            due_at=NOW,
            expires=NOW + timedelta(days=180),
            sender_name="mailflow",
            language="en",
            incident_id=7,
            affected_id=70,
            client_key="northwind",
            version=2,
            draft_id=9,
            state=LetterState.SENT,
        ),
        **changes,
    )


DRAFT = Draft(id=9, affected_id=70, version=2, kind=LetterKind.DEBRIEF, hash="f00d")
SUPERSEDED = replace(DRAFT, state=DraftState.SUPERSEDED)
OBJECTED = replace(DRAFT, objection="leak")


def answers_to(letter: Letter, *, genuine: bool = True) -> Answered:
    """A mail that answers a letter."""
    return Answered(letter=letter, genuine=genuine)


def reading(author: str | None = "john@northwind.example", **changes: Any) -> Reading:
    """A mail that no recipe knows."""
    who = Address(name="", address=author) if author else None
    values: dict[str, Any] = {"kind": Kind.UNKNOWN, "rule": "no-recipe", **changes}
    return Reading(message_id="<1@northwind.example>", author=who, identity="x", **values)


def said(*verbs: Verb, argument: str = "", **changes: Any) -> Answers:
    """A reply that says these commands."""
    return Answers(commands=tuple(Command(verb=v, argument=argument) for v in verbs), **{"values": {}, **changes})


NOTHING = Answers(values={})
PROBLEM_TOLD = {1: Answer(number=1, value="A fan.", place=Where.TOP)}
DOUBT = (Doubt(number=1, reason="two_answers", candidates=("a", "b")),)


def decided(mail: Reading, answers: Answers = NOTHING, **situation: Any) -> tuple[Decision, ...]:
    """What is decided about a mail in a situation that is empty but for what is named."""
    told = Situation(mailbox=NOC, own=OWN, **{"who": Who(), **situation})
    return decide(mail, answers, told, NOW, POLICY)


@dataclass(frozen=True)
class Row:
    """A situation, and what must come of it: each decision as (its type, its reason)."""

    id: str
    mail: Reading
    becomes: tuple[tuple[type, str], ...]
    answers: Answers = NOTHING
    situation: Mapping[str, Any] | None = None


def table(*rows: Row) -> Callable[[Callable[[Row], None]], Callable[[Row], None]]:
    """One test for each row."""
    return pytest.mark.parametrize("row", [pytest.param(row, id=row.id) for row in rows])


def check(row: Row) -> None:
    """The row holds."""
    got = decided(row.mail, row.answers, **(row.situation or {}))
    assert tuple((type(d), d.reason) for d in got) == row.becomes


# --- machines ---

BOUNCE = reading(
    "mailer-daemon@northwind.example",
    kind=Kind.BOUNCE,
    rule="dsn",
    bounce=Bounce(
        recipients=(BouncedRecipient(address=JOHN.address, action=Action.FAILED, status="5.1.1"),),
        original_message_id=None,
    ),
)
DELAYED = replace(
    BOUNCE,
    bounce=Bounce(
        recipients=(BouncedRecipient(address=JOHN.address, action=Action.DELAYED, status="4.4.1"),),
        original_message_id=None,
    ),
)
AWAY = reading(kind=Kind.AUTO_REPLY, rule="auto-submitted", automatic="auto-submitted")


@table(
    Row("own-copy", reading(NOC), ((Proved, "own-copy"),), situation={"own_letter": letter()}),
    # Our Message-ID in somebody else's mail proves nothing: whoever got the letter can write it.
    Row(
        "our-tag-from-a-stranger", reading("x@evil.example"), ((Show, "no-recipe"),), situation={"own_letter": letter()}
    ),
    Row("own-address", reading(NOC), ((Ignore, "from-our-own-address"),)),
    Row("own-other-address", reading("desk@msp.example"), ((Ignore, "from-our-own-address"),)),
    Row("own-alert", reading(NOC, kind=Kind.ALERT, events=(event(),)), ((Ignore, "from-our-own-address"),)),
    Row("bounce", BOUNCE, ((Bounced, "bounced"),), situation={"bounced": answers_to(letter())}),
    Row("bounce-of-nothing", BOUNCE, ((Ignore, "bounce-of-no-letter-of-ours"),)),
    Row(
        "bounce-forged",
        BOUNCE,
        ((Ignore, "bounce-of-no-letter-of-ours"),),
        situation={"bounced": answers_to(letter(), genuine=False)},
    ),
    Row(
        "bounce-unreadable",
        replace(BOUNCE, bounce=None),
        ((Ignore, "bounce-of-no-letter-of-ours"),),
        situation={"bounced": answers_to(letter())},
    ),
    Row("bounce-delayed", DELAYED, ((Noted, "bounce-not-final"),), situation={"bounced": answers_to(letter())}),
    Row(
        "bounce-delayed-of-no-incident",
        DELAYED,
        ((Ignore, "bounce-not-final"),),
        situation={"bounced": answers_to(letter(incident_id=None))},
    ),
    Row("duplicate", reading(), ((Ignore, "same-mail-as-9"),), situation={"duplicate_of": 9, "who": FROM_JOHN}),
    Row(
        "duplicate-alert",
        reading(kind=Kind.ALERT, events=(event(),)),
        ((Ignore, "same-mail-as-9"),),
        situation={"duplicate_of": 9, "owner": Owner(clients=(NORTHWIND,))},
    ),
    Row("away", AWAY, ((Ignore, "auto-submitted"),), situation={"who": FROM_JOHN}),
    Row(
        "away-and-answers-ours",
        AWAY,
        ((Noted, "out-of-office"),),
        situation={"who": FROM_JOHN, "answered": answers_to(letter(LetterKind.ACKNOWLEDGEMENT))},
    ),
    Row(
        "away-and-forged",
        AWAY,
        ((Ignore, "auto-submitted"),),
        situation={"who": FROM_JOHN, "answered": answers_to(letter(LetterKind.ACKNOWLEDGEMENT), genuine=False)},
    ),
    Row("away-unnamed", replace(AWAY, automatic=None), ((Ignore, "automatic"),), situation={"who": FROM_JOHN}),
    Row(
        "staff-away",
        replace(AWAY, author=Address(name="", address=VALERY.address)),
        ((Absent, "out-of-office-of-ours"),),
        answers=said(Verb.SEND),
        situation={"who": Who(staff=VALERY), "answered": answers_to(letter()), "draft": DRAFT},
    ),
)
def test_machines(row: Row) -> None:
    """DESIGN 3, Loops: our own mail, bounces, duplicates and automatic answers open nothing and answer nobody."""
    check(row)


def test_a_bounce_says_what_the_server_said() -> None:
    """N.9: the status of the first recipient that failed goes with the decision, and that of a delay is noted."""
    (it,) = decided(BOUNCE, bounced=answers_to(letter()))
    assert isinstance(it, Bounced)
    assert (it.letter.id, it.said) == (40, "5.1.1 bounced")
    (it,) = decided(DELAYED, bounced=answers_to(letter()))
    assert isinstance(it, Noted)
    assert (it.incident_id, it.what, it.text) == (7, "delayed", "preview: 4.4.1")


# --- alerts ---

OWNED: dict[str, Any] = {"owner": Owner(clients=(NORTHWIND,))}


def alert(*events: Event, **changes: Any) -> Reading:
    """A mail of a monitor's."""
    told: dict[str, Any] = {"kind": Kind.ALERT, "rule": "zabbix", **changes}
    return reading("zabbix@msp.example", events=events, **told)


def known(found: Incident, *, ended: timedelta | None = None) -> Known:
    """The trouble that `found` is about; `ended` is how long ago it was over."""
    signal = Signal(
        id=1,
        incident_id=found.id,
        affected_id=70,
        scope="client:northwind",
        key="nw-fs01",
        thing="nw-fs01",
        family="",
        plain="",
        began_at=found.started_at,
        began_said=found.started_at,
        said_at=found.started_at,
        ended_at=None if ended is None else NOW - ended,
    )
    return Known(signal=signal, incident=found)


RESTORED = incident(IncidentState.RESTORED, ended=timedelta(hours=1))
LONG_RESTORED = incident(IncidentState.RESTORED, ended=POLICY.reopen_within)


@table(
    Row("new", alert(event()), ((OpenFromAlert, "new-key"),), situation=OWNED),
    Row("again", alert(event()), ((Join, "same-key-again"),), situation={**OWNED, "same": known(incident())}),
    Row("nobody's", alert(event()), ((Show, "alert-of-no-client"),)),
    Row("forged", alert(event()), ((Show, "alert-of-a-forged-sender"),), situation={**OWNED, "disproven": True}),
    Row(
        "forged-and-automatic",
        alert(event(State.RECOVERY), automatic="list"),
        ((Show, "alert-of-a-forged-sender"),),
        situation={**OWNED, "same": known(incident()), "disproven": True},
    ),
    # Most alerts are marked as automatic: that is no reason to pass them by.
    Row("automatic", alert(event(), automatic="auto-submitted"), ((OpenFromAlert, "new-key"),), situation=OWNED),
    # A colleague's or a client's own address may send alerts: they are alerts still.
    Row("from-a-client", alert(event()), ((OpenFromAlert, "new-key"),), situation={**OWNED, "who": FROM_JOHN}),
    Row("from-ours", alert(event()), ((OpenFromAlert, "new-key"),), situation={**OWNED, "who": Who(staff=PAUL)}),
    Row("of-nothing", alert(), ((Show, "zabbix"),), situation=OWNED),
    Row(
        "many-in-one-mail",
        alert(event(), event(State.RECOVERY), event(State.INFO)),
        (
            (Join, "same-key-again"),
            (Recover, "recovery-of-open-incident"),
            (Ignore, "event-is-info"),
        ),
        situation={**OWNED, "same": known(incident())},
    ),
)
def test_alerts(row: Row) -> None:
    """S4.3: an alert is judged by its events, each for itself (test_correlation), and by no word of who sent it."""
    check(row)


def test_mails_that_overtook_each_other_are_ordered_by_the_monitor_s_clock() -> None:
    """S4.6: the mail's own Date orders it, and the hour of its arrival where the Date is days away or missing."""
    over = known(incident(IncidentState.RESTORED, ended=timedelta(minutes=1)), ended=timedelta(minutes=1))
    over = replace(over, signal=replace(over.signal, said_at=NOW - timedelta(minutes=1)))
    told = {**OWNED, "same": over, "received_at": NOW}
    late = NOW - timedelta(minutes=9)
    assert [d.reason for d in decided(alert(event(), date=late), **told)] == ["older-than-its-recovery"]
    for date in (None, NOW, NOW - timedelta(days=30)):
        assert [d.reason for d in decided(alert(event(), date=date), **told)] == ["same-key-soon-after-its-end"]


# --- our people ---

V, P, D = (Who(staff=s) for s in (VALERY, PAUL, DANA))
FROM_VALERY = reading(VALERY.address)
VOUCHED: dict[str, Any] = {"authenticated": True}
UNPROVEN = ((Confirm, "not-authenticated"),)
SENDS: dict[str, Any] = {"who": V, "answered": answers_to(letter()), "draft": DRAFT}
SHOWN = letter(LetterKind.SHOWN, facts={"about": 33, "teaches": True}, affected_id=None)
CONFIRMED_WORK: dict[str, Any] = {
    "who": V,
    "authenticated": True,
    "answered": answers_to(letter(LetterKind.NOTICE, incident_id=None, affected_id=None, facts={"window": 5})),
}
PLACES: dict[str, Any] = {"who": V, "answered": answers_to(SHOWN), "named": CONTOSO}


@table(
    Row("send", FROM_VALERY, ((Release, "send"),), said(Verb.SEND), SENDS),
    Row("send-vouched", FROM_VALERY, ((Release, "send"),), said(Verb.SEND), {**SENDS, "authenticated": True}),
    Row(
        "send-not-vouched",
        FROM_VALERY,
        ((Confirm, "not-authenticated"),),
        said(Verb.SEND),
        {**SENDS, "authenticated": False},
    ),
    Row(
        "send-confirmed",
        FROM_VALERY,
        ((Release, "send"),),
        said(Verb.SEND),
        {**SENDS, "authenticated": False, "confirmed": True},
    ),
    Row(
        "send-forged-tag",
        FROM_VALERY,
        ((Refuse, "tag-is-not-genuine"),),
        said(Verb.SEND),
        {**SENDS, "answered": answers_to(letter(), genuine=False)},
    ),
    Row(
        "forged-tag-though-vouched",
        FROM_VALERY,
        ((Refuse, "tag-is-not-genuine"),),
        said(Verb.SEND),
        {**SENDS, "authenticated": True, "answered": answers_to(letter(), genuine=False)},
    ),
    Row(
        "machine-in-her-name",
        replace(FROM_VALERY, automatic="list"),
        ((Ignore, "list"),),
        said(Verb.PAUSE),
        {"who": V, "authenticated": True},
    ),
    Row("list-but-answers", replace(FROM_VALERY, automatic="list"), ((Release, "send"),), said(Verb.SEND), SENDS),
    Row("no-tag-no-word-of-the-provider", FROM_VALERY, ((Confirm, "not-authenticated"),), said(Verb.OPEN), {"who": V}),
    Row("says-nothing-unproven", FROM_VALERY, ((Show, "staff-mail-without-command"),), NOTHING, {"who": V}),
    Row(
        "says-nothing", FROM_VALERY, ((Show, "staff-mail-without-command"),), NOTHING, {"who": V, "authenticated": True}
    ),
    Row(
        "colleague",
        reading(PAUL.address),
        ((Show, "colleague-wrote"),),
        said(Verb.SEND),
        {**SENDS, "who": P, "authenticated": True},
    ),
    Row(
        "colleague-unproven",
        reading(PAUL.address),
        ((Confirm, "not-authenticated"),),
        said(Verb.SEND),
        {**SENDS, "who": P},
    ),
    Row(
        "colleague-vouched",
        reading(PAUL.address),
        ((Show, "colleague-wrote"),),
        said(Verb.SEND),
        {**SENDS, "who": P, "authenticated": True},
    ),
    Row(
        "manager-sends-hers",
        reading(DANA.address),
        ((Release, "send"),),
        said(Verb.SEND),
        {**SENDS, "who": D, "authenticated": True},
    ),
    # Where no provider tells who wrote, only an answer to a mail of their own proves it: others have seen the rest.
    Row(
        "manager-unproven",
        reading(DANA.address),
        ((Confirm, "not-authenticated"),),
        said(Verb.SEND),
        {**SENDS, "who": D},
    ),
    Row(
        "another-liaison",
        reading(ROBIN.address),
        ((RefuseSend, "preview-of-another-person"),),
        said(Verb.SEND),
        {**SENDS, "who": Who(staff=ROBIN), "authenticated": True},
    ),
    Row(
        "objected-to",
        FROM_VALERY,
        ((RefuseSend, "objected-to"),),
        said(Verb.SEND),
        {**SENDS, "draft": OBJECTED},
    ),
    Row(
        "superseded",
        FROM_VALERY,
        ((RefuseSend, "superseded"),),
        said(Verb.SEND),
        {**SENDS, "draft": SUPERSEDED},
    ),
    Row("no-draft-any-more", FROM_VALERY, ((RefuseSend, "superseded"),), said(Verb.SEND), {**SENDS, "draft": None}),
    Row(
        "send-to-a-form",
        FROM_VALERY,
        ((RefuseSend, "send-to-no-preview"),),
        said(Verb.SEND),
        {**SENDS, "answered": answers_to(letter(LetterKind.FORM))},
    ),
    Row(
        "send-to-nothing",
        FROM_VALERY,
        ((Obey, "send-without-preview"),),
        said(Verb.SEND),
        {"who": V, "authenticated": True},
    ),
    Row(
        "send-with-changes",
        FROM_VALERY,
        ((Fill, "with-send"),),
        said(Verb.SEND, values=PROBLEM_TOLD),
        SENDS,
    ),
    Row(
        "send-with-doubts",
        FROM_VALERY,
        ((Fill, "with-send"),),
        said(Verb.SEND, doubts=DOUBT),
        SENDS,
    ),
    Row("answers", FROM_VALERY, ((Fill, "answers"),), said(values=PROBLEM_TOLD), SENDS),
    Row("loose-words", FROM_VALERY, ((Fill, "answers"),), said(loose="It was a fan."), SENDS),
    Row("notes", FROM_VALERY, ((Fill, "answers"),), said(notes=("By the way",)), SENDS),
    Row("almost-send", FROM_VALERY, ((Fill, "answers"),), said(near_miss="sned"), SENDS),
    Row(
        "answers-to-nothing",
        FROM_VALERY,
        ((Show, "staff-mail-without-command"),),
        said(values=PROBLEM_TOLD),
        {"who": V, "authenticated": True},
    ),
    Row(
        "open",
        FROM_VALERY,
        ((OpenFromStaff, "liaison-opens"),),
        said(Verb.OPEN, argument="contoso: x"),
        {"who": V, "authenticated": True},
    ),
    Row(
        "call",
        FROM_VALERY,
        ((OpenFromStaff, "call"),),
        said(Verb.CALL, argument="contoso: Ann, the scanner"),
        {"who": V, "authenticated": True},
    ),
    Row(
        "maintenance",
        FROM_VALERY,
        ((Announce, "liaison-announces"),),
        said(Verb.MAINTENANCE, argument="contoso: now for 2h"),
        {"who": V, "authenticated": True},
    ),
    Row(
        "maintenance-unproven",
        FROM_VALERY,
        ((Confirm, "not-authenticated"),),
        said(Verb.MAINTENANCE, argument="contoso: now for 2h"),
        {"who": V, "authenticated": False},
    ),
    Row(
        "maintenance-where-nobody-can-tell",
        FROM_VALERY,
        ((Confirm, "not-authenticated"),),
        said(Verb.MAINTENANCE, argument="contoso: now for 2h"),
        {"who": V, "authenticated": None},
    ),
    Row(
        "maintenance-as-a-colleague",
        reading(PAUL.address),
        ((Show, "colleague-wrote"),),
        said(Verb.MAINTENANCE, argument="contoso: now for 2h"),
        {"who": P, "authenticated": True},
    ),
    Row("maintenance-called-off", FROM_VALERY, ((CallOff, "liaison-calls-off"),), said(Verb.CANCEL), CONFIRMED_WORK),
    Row(
        "nothing-called-off",
        FROM_VALERY,
        ((CallOff, "liaison-calls-off"),),
        said(Verb.CANCEL),
        {"who": V, "authenticated": True},
    ),
    Row("cancel-is-stop", FROM_VALERY, ((Obey, "command-cancel"),), said(Verb.CANCEL), SENDS),
    Row("places", FROM_VALERY, ((Place, "liaison-places"),), NOTHING, PLACES),
    Row("places-but-commands", FROM_VALERY, ((Obey, "command-stop"),), said(Verb.STOP), PLACES),
    Row("places-nobody", FROM_VALERY, ((Ignore, "answer-without-command"),), NOTHING, {**PLACES, "named": None}),
    Row(
        "places-nothing",
        FROM_VALERY,
        ((Ignore, "answer-without-command"),),
        NOTHING,
        {**PLACES, "answered": answers_to(letter(LetterKind.SHOWN, affected_id=None))},
    ),
    Row(
        "places-unproven",
        FROM_VALERY,
        ((Confirm, "not-authenticated"),),
        NOTHING,
        {**PLACES, "authenticated": False},
    ),
    Row(
        "places-as-a-colleague",
        reading(PAUL.address),
        ((Show, "colleague-wrote"),),
        NOTHING,
        {**PLACES, "who": P, "authenticated": True},
    ),
    Row("stop", FROM_VALERY, ((Obey, "command-stop"),), said(Verb.STOP), SENDS),
    Row(
        "stop-and-answers",
        FROM_VALERY,
        ((Obey, "command-stop"), (Fill, "with-stop")),
        said(Verb.STOP, loose="Wrong server"),
        SENDS,
    ),
    Row(
        "pause", reading(DANA.address), ((Obey, "command-pause"),), said(Verb.PAUSE), {"who": D, "authenticated": True}
    ),
    Row(
        "two-commands",
        FROM_VALERY,
        ((Obey, "command-note"), (Obey, "command-resolved")),
        said(Verb.NOTE, Verb.RESOLVED),
        SENDS,
    ),
)
def test_our_people(row: Row) -> None:
    """N.6, DESIGN 3: only a proven liaison or manager is obeyed, and SEND releases just what its preview showed."""
    check(row)


def test_open_takes_client_and_title_apart() -> None:
    """S0.1: "OPEN contoso: upgrade: part two" is a client and a title, the first colon between them."""
    answers = said(Verb.OPEN, argument=" contoso : upgrade: part two ")
    assert decided(FROM_VALERY, answers, who=V, authenticated=True) == (
        OpenFromStaff(reason="liaison-opens", client_word="contoso", title="upgrade: part two", staff=VALERY),
    )


def test_a_placed_mail_is_the_one_that_was_shown() -> None:
    """Triage: whose it is, which mail was shown, and whether it teaches, go with the decision."""
    assert decided(FROM_VALERY, NOTHING, **PLACES) == (
        Place(reason="liaison-places", client=CONTOSO, about=33, teaches=True, staff=VALERY),
    )


def test_a_release_names_the_draft_that_was_shown() -> None:
    """N.6: what is released is the very draft that the answered preview showed."""
    assert decided(FROM_VALERY, said(Verb.SEND), **SENDS) == (Release(reason="send", draft=DRAFT, staff=VALERY),)


def test_planned_work_goes_as_it_was_written() -> None:
    """S4.13: all lines of a mail that announce work go in one decision; what is called off is the answered letter's."""
    (it,) = decided(
        FROM_VALERY,
        Answers(values={}, commands=tuple(Command(verb=Verb.MAINTENANCE, argument=a) for a in ("a: 1", "b: 2"))),
        who=V,
        authenticated=True,
    )
    assert it == Announce(reason="liaison-announces", text="a: 1\nb: 2", staff=VALERY)
    for answered, number in ((CONFIRMED_WORK["answered"], 5), (answers_to(letter(affected_id=None)), None)):
        (off,) = decided(FROM_VALERY, said(Verb.CANCEL), **{**CONFIRMED_WORK, "answered": answered})
        assert off == CallOff(reason="liaison-calls-off", window_id=number, staff=VALERY)


def test_an_order_names_what_it_is_about() -> None:
    """A command in a reply concerns the answered letter's incident; without one it concerns none."""
    (it,) = decided(FROM_VALERY, said(Verb.STOP), **SENDS)
    assert isinstance(it, Obey)
    assert it.letter is not None
    assert (it.incident_id, it.affected_id, it.letter.id) == (7, 70, 40)
    (it,) = decided(FROM_VALERY, said(Verb.STOP), who=V, authenticated=True)
    assert isinstance(it, Obey)
    assert (it.incident_id, it.affected_id, it.letter) == (None, None, None)


# --- clients and strangers ---

OURS = answers_to(letter(LetterKind.ACKNOWLEDGEMENT))
RUNNING = ((incident(), AFFECTED),)
THANKS = Gist(thanks=True, request="", trouble=False)
REQUEST = Gist(thanks=False, request="please order a keyboard", trouble=False)
BOTH = replace(REQUEST, trouble=True)
NAMED = (incident(id=9), replace(AFFECTED, id=90, incident_id=9))


@table(
    Row(
        "of-two-clients",
        reading(),
        ((Show, "sender-of-two-clients"),),
        situation={"who": Who(clients=(NORTHWIND, CONTOSO))},
    ),
    Row(
        "answers-ours", reading(), ((ClientSaid, "answers-our-letter"),), situation={"who": FROM_JOHN, "answered": OURS}
    ),
    Row(
        "answers-ours-before-what-runs",
        reading(),
        ((ClientSaid, "answers-our-letter"),),
        situation={"who": FROM_JOHN, "answered": OURS, "running": ((incident(id=8), AFFECTED),)},
    ),
    Row(
        "another-client's-tag",
        reading(),
        ((Show, "tag-of-another-client"),),
        situation={"who": Who(clients=(CONTOSO,)), "answered": OURS},
    ),
    Row(
        "forged-tag",
        reading(),
        ((OpenFromClient, "new-from-client"),),
        situation={"who": FROM_JOHN, "answered": answers_to(letter(), genuine=False)},
    ),
    Row(
        "answers-what-has-no-incident",
        reading(),
        ((OpenFromClient, "new-from-client"),),
        situation={"who": FROM_JOHN, "answered": answers_to(letter(incident_id=None, affected_id=None))},
    ),
    Row("machine", reading(automatic="list"), ((Show, "list"),), situation={"who": FROM_JOHN, "running": RUNNING}),
    Row(
        "running",
        reading(),
        ((ClientSaid, "client-has-a-running-incident"),),
        situation={"who": FROM_JOHN, "running": RUNNING},
    ),
    Row(
        "just-over",
        reading(),
        ((ClientSaid, "client-has-a-running-incident"),),
        situation={"who": FROM_JOHN, "running": ((RESTORED, AFFECTED),)},
    ),
    Row(
        "long-over",
        reading(),
        ((OpenFromClient, "new-from-client"),),
        situation={"who": FROM_JOHN, "running": ((LONG_RESTORED, AFFECTED),)},
    ),
    Row("new", reading(), ((OpenFromClient, "new-from-client"),), situation={"who": FROM_JOHN}),
    Row("thanks", reading(), ((Ignore, "thanks-for-nothing-open"),), situation={"who": FROM_JOHN, "gist": THANKS}),
    Row(
        "thanks-for-ours",
        reading(),
        ((ClientSaid, "thanks"),),
        situation={"who": FROM_JOHN, "answered": OURS, "gist": THANKS},
    ),
    Row(
        "thanks-while-it-runs",
        reading(),
        ((ClientSaid, "thanks"),),
        situation={"who": FROM_JOHN, "running": RUNNING, "gist": THANKS},
    ),
    Row(
        "asks-something-else",
        reading(),
        ((OpenFromClient, "new-from-client"),),
        situation={"who": FROM_JOHN, "running": RUNNING, "gist": REQUEST},
    ),
    Row(
        "asks-and-tells-of-trouble",
        reading(),
        ((ClientSaid, "client-has-a-running-incident"),),
        situation={"who": FROM_JOHN, "running": RUNNING, "gist": BOTH},
    ),
    Row(
        "names-its-incident",
        reading(),
        ((ClientSaid, "names-its-incident"),),
        situation={"who": FROM_JOHN, "running": RUNNING, "tagged": NAMED, "gist": REQUEST},
    ),
    Row(
        "thanks-by-name",
        reading(),
        ((ClientSaid, "thanks"),),
        situation={"who": FROM_JOHN, "tagged": NAMED, "gist": THANKS},
    ),
    Row(
        "machine-names-an-incident",
        reading(automatic="list"),
        ((Show, "list"),),
        situation={"who": FROM_JOHN, "tagged": NAMED},
    ),
    Row(
        "send-from-a-client",
        reading(),
        ((OpenFromClient, "new-from-client"),),
        said(Verb.SEND, Verb.PAUSE),
        {"who": FROM_JOHN, "authenticated": True},
    ),
    Row("stranger", reading("x@evil.example"), ((Show, "no-recipe"),)),
    Row(
        "stranger-with-our-tag",
        reading("x@evil.example"),
        ((Show, "tag-of-ours-from-a-stranger"),),
        said(Verb.SEND),
        {"answered": answers_to(letter()), "draft": DRAFT},
    ),
    Row(
        "stranger-with-a-forged-tag",
        reading("x@evil.example"),
        ((Show, "no-recipe"),),
        said(Verb.SEND),
        {"answered": answers_to(letter(), genuine=False), "draft": DRAFT},
    ),
)
def test_clients_and_strangers(row: Row) -> None:
    """S4.21, S1.17: a client's mail joins what it answers or what runs, else opens; a stranger's is only shown."""
    check(row)


def test_of_two_that_run_the_newest_still_going_is_joined() -> None:
    """S4.21: what is long over is passed by, what runs is joined, with the client's own row of it."""
    other = replace(AFFECTED, id=71)
    running = ((LONG_RESTORED, AFFECTED), (incident(id=8), other), (incident(id=9), AFFECTED))
    assert decided(reading(), who=FROM_JOHN, running=running) == (
        ClientSaid(reason="client-has-a-running-incident", incident_id=8, affected_id=71),
    )


def test_the_incident_that_a_subject_names_is_the_one_that_is_joined() -> None:
    """S4.21: "Re: INC-9" is about INC-9, though a newer one runs; the client's own row of it goes with the decision."""
    assert decided(reading(), who=FROM_JOHN, running=RUNNING, tagged=NAMED) == (
        ClientSaid(reason="names-its-incident", incident_id=9, affected_id=90),
    )


# --- whatever comes ---

PEOPLE = st.sampled_from([Who(), FROM_JOHN, Who(clients=(NORTHWIND, CONTOSO)), V, P, D, Who(staff=ROBIN)])
LETTERS = st.builds(
    letter,
    kind=st.sampled_from(LetterKind),
    version=st.integers(0, 3),
    affected_id=st.sampled_from([None, 70]),
    incident_id=st.sampled_from([None, 7]),
    recipient=st.sampled_from([Address(name="", address=a) for a in (VALERY.address, ROBIN.address, JOHN.address)]),
)
ANSWERED = st.none() | st.builds(Answered, letter=LETTERS, genuine=st.sampled_from([True, True, False]))
SITUATIONS = st.builds(
    Situation,
    mailbox=st.just(NOC),
    own=st.just(OWN),
    who=PEOPLE,
    authenticated=st.sampled_from([None, True, False]),
    confirmed=st.booleans(),
    own_letter=st.none() | LETTERS,
    answered=ANSWERED,
    bounced=ANSWERED,
    duplicate_of=st.sampled_from([None, None, None, 9]),
    owner=st.sampled_from([Owner(), Owner(clients=(NORTHWIND,)), Owner(clients=(NORTHWIND, CONTOSO))]),
    same=st.sampled_from([None, known(incident()), known(RESTORED, ended=timedelta(hours=1))]),
    running=st.sampled_from([(), RUNNING, ((LONG_RESTORED, AFFECTED),)]),
    tagged=st.sampled_from([None, None, NAMED]),
    gist=st.sampled_from([THANKS, REQUEST, BOTH, Gist(thanks=False, request="", trouble=False)]),
    named=st.sampled_from([None, None, CONTOSO]),
    draft=st.sampled_from([None, DRAFT, SUPERSEDED, OBJECTED]),
)
ADDRESSES = (NOC, VALERY.address, ROBIN.address, DANA.address, PAUL.address, JOHN.address, "x@evil.example", None)
READINGS = st.builds(
    reading,
    st.sampled_from(ADDRESSES),
    kind=st.sampled_from([Kind.UNKNOWN, Kind.UNKNOWN, Kind.UNKNOWN, Kind.ALERT, Kind.BOUNCE, Kind.AUTO_REPLY]),
    events=st.lists(st.sampled_from(State).map(event), max_size=2).map(lambda e: tuple(e) if len(e) == 2 else ()),
    bounce=st.none() | st.just(BOUNCE.bounce),
    automatic=st.sampled_from([None, None, "list"]),
)
REPLIES = st.builds(
    Answers,
    commands=st.lists(st.builds(Command, verb=st.sampled_from([Verb.SEND, *Verb])), max_size=2).map(tuple),
    near_miss=st.sampled_from(["", "", "sned"]),
    values=st.sampled_from([{}, {}, PROBLEM_TOLD]),
    loose=st.sampled_from(["", "", "words"]),
    doubts=st.sampled_from([(), (), DOUBT]),
    notes=st.sampled_from([(), (), ("a note",)]),
)
# The same, near to a SEND that is right, or most examples would never come close to one.
NEAR_SEND = st.builds(
    Situation,
    mailbox=st.just(NOC),
    own=st.just(OWN),
    who=st.sampled_from([V, V, D, P, Who(staff=ROBIN), FROM_JOHN]),
    authenticated=st.sampled_from([None, True, False]),
    confirmed=st.booleans(),
    answered=st.builds(
        Answered,
        letter=st.builds(
            letter,
            kind=st.sampled_from([LetterKind.PREVIEW, LetterKind.PREVIEW, LetterKind.FORM]),
            version=st.integers(1, 2),
            affected_id=st.sampled_from([70, 70, 70, None]),
        ),
        genuine=st.sampled_from([True, True, True, False]),
    ),
    draft=st.sampled_from([DRAFT, DRAFT, SUPERSEDED, OBJECTED]),
)
ALL = st.tuples(READINGS, REPLIES, SITUATIONS) | st.tuples(READINGS, REPLIES, NEAR_SEND)


@settings(deadline=None, max_examples=150)
@given(ALL)
def test_whatever_comes(given_: tuple[Reading, Answers, Situation]) -> None:
    """DESIGN 1.4: every mail has at least one decision, and every decision a named reason."""
    mail, answers, situation = given_
    got = decide(mail, answers, situation, NOW, POLICY)
    assert got
    assert all(decision.reason for decision in got)
    if mail.events and not any(isinstance(d, Ignore | Proved | Bounced | Noted | Absent) for d in got):
        assert len(got) == len(mail.events)


def may_publish(mail: Reading, answers: Answers, situation: Situation) -> bool:
    """The conditions of DESIGN 3, "Who may publish", and N.6, in their own words."""
    staff, answered = situation.who.staff, situation.answered
    the_person = staff in (VALERY, ROBIN, DANA) and mail.author is not None and mail.author.address not in OWN
    a_mail_of_a_person = mail.kind is Kind.UNKNOWN and not mail.events and situation.duplicate_of is None
    hers = answered is not None and staff is not None and answered.letter.recipient.address == staff.address
    proven = situation.confirmed or situation.authenticated or (situation.authenticated is None and hers)
    if not (the_person and a_mail_of_a_person and proven and answered and answered.genuine and staff):
        return False
    shown = answered.letter
    return (
        any(c.verb is Verb.SEND for c in answers.commands)
        and shown.kind is LetterKind.PREVIEW
        and shown.affected_id is not None
        and situation.draft == DRAFT  # current, and nothing speaks against it
        and (shown.recipient.address == staff.address or staff is DANA)
        and not answers.values
        and not answers.doubts
    )


@settings(deadline=None, max_examples=400)
@given(ALL)
def test_nothing_is_released_unless_all_is_right(given_: tuple[Reading, Answers, Situation]) -> None:
    """N.6: whatever comes in, words leave only by a proven liaison's SEND to the current draft's own preview."""
    mail, answers, situation = given_
    released = [d for d in decide(mail, answers, situation, NOW, POLICY) if isinstance(d, Release)]
    assert bool(released) <= may_publish(mail, answers, situation)
    for release in released:
        assert situation.answered is not None
        assert release.draft == situation.draft
        assert release.staff == situation.who.staff


def test_the_release_test_can_see_a_release() -> None:
    """The test above is not empty: what its conditions allow is released."""
    situation = Situation(mailbox=NOC, own=OWN, **SENDS)
    assert may_publish(FROM_VALERY, said(Verb.SEND), situation)
    assert any(isinstance(d, Release) for d in decide(FROM_VALERY, said(Verb.SEND), situation, NOW, POLICY))
