"""Letters as facts: what a client's letter can know, and what the brake says at the last moment."""

import json
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from mailflow.domain.form import BY_NAME, CATALOGUE, Fill
from mailflow.domain.incident import Affected, Incident, IncidentState
from mailflow.domain.letters import (
    ClientView,
    Gate,
    LetterKind,
    NewLetter,
    acknowledgement,
    client_view,
    debrief,
    is_none,
    passage,
)
from mailflow.domain.people import Address, Contact
from mailflow.domain.vocabulary import Class, Detection, Live, Priority, Severity

NOW = datetime(2026, 11, 24, 15, 12, tzinfo=UTC)
JOHN = Contact(name="John Harper", first_name="John", address="john@northwind.example")
SECRET = "not for this client"
INCIDENT = Incident(
    id=7,
    reference="INC-7",
    state=IncidentState.OPEN,
    scope=SECRET,
    key=SECRET,
    class_=Class.OUTAGE,
    severity=Severity.HIGH,
    priority=Priority.P2,
    symptom="rebooted",
    title=SECRET,
    detected_by=Detection.INTERNAL_MONITOR,
    noticed_by=SECRET,
    first_shown=SECRET,
    started_at=NOW,
    opened_at=NOW,
    why_closed=SECRET,
)
AFFECTED = Affected(
    id=70,
    incident_id=7,
    client_key=SECRET,
    client_name="Northwind",
    timezone="America/Chicago",
    language="en",
    mailbox="noc@msp.example",
    live=Live.AUTO,
    liaison=Address(name="Valery Stufano", address="valery@msp.example"),
    plain="your file server",
    reporter="Shirley",
    reported="I can't open the Data drive",
    reported_at=NOW + timedelta(minutes=14),
    settled_why=SECRET,
)
VIEW = client_view(INCIDENT, AFFECTED, "Example MSP, 1 Main Street", NOW + timedelta(days=2))
FILLS = {1: Fill(number=1, value="A fan.", by=SECRET, at=NOW), 3: Fill(number=3, value=" None ", by=SECRET, at=NOW)}


def test_a_clients_letter_knows_only_what_is_that_clients() -> None:
    """DESIGN 2: title, key, monitor, author of the answers: nothing that is ours reaches a letter to a client."""
    for facts in (acknowledgement(VIEW, JOHN, 0), debrief(VIEW, JOHN, FILLS)):
        assert SECRET not in json.dumps(facts)
        assert "Northwind" not in json.dumps({k: v for k, v in facts.items() if k != "reported"})


def test_facts_can_be_kept() -> None:
    """Facts are plain JSON: what is stored with a letter comes back the same."""
    for facts in (acknowledgement(VIEW, JOHN, 1), debrief(VIEW, JOHN, FILLS)):
        assert json.loads(json.dumps(facts)) == facts


def test_who_reported_is_spoken_to_as_you() -> None:
    """S1.2: whoever told us first is "you" in their own letter, and has a name in the others'."""
    shirley = Contact(name="Shirley Lane", first_name="Shirley", address="shirley@northwind.example")
    assert VIEW.facts(shirley)["reporter"] == "you"
    assert VIEW.facts(JOHN)["reporter"] == "Shirley"


def test_a_debrief_holds_every_field_of_the_catalogue() -> None:
    """S0.8: every field has a value, empty where nothing was answered or "none" was."""
    answers = debrief(VIEW, JOHN, FILLS)["answers"]
    assert isinstance(answers, dict)
    assert set(answers) == set(BY_NAME)
    assert {name: value for name, value in answers.items() if value} == {"problem": "A fan."}


def test_times_that_are_not_known_are_none() -> None:
    """What has no end, no report and no promise says so, never a made-up time."""
    facts = replace(VIEW, ended=None, reported_at=None, promised=None).facts(JOHN)
    assert facts["ended"] is facts["reported_at"] is facts["promised"] is None
    assert {f.name for f in fields(ClientView)} <= set(facts)


@pytest.mark.parametrize(
    ("said", "none"),
    [*((s, True) for s in ("", " ", "-", "–", "n/a", "N/A", "None", " none ", "nil")), ("no", False), ("-1", False)],
)
def test_nothing_to_say(said: str, none: bool) -> None:
    """S0.8: a field answered with one of these is answered, and stays out of the letter."""
    assert is_none(said) is none


def letter(kind: LetterKind, *, approved: bool) -> NewLetter:
    """A letter about to leave."""
    return NewLetter(
        idempotency_key="x",
        kind=kind,
        recipient=Address(name="", address="x@northwind.example"),
        mailbox="noc@msp.example",
        facts={},
        due_at=NOW,
        expires=NOW,
        sender_name="",
        language="en",
        approved=approved,
    )


@pytest.mark.parametrize(
    ("live", "approved", "paused", "gate", "reason"),
    [
        (Live.AUTO, False, False, Gate.GO, "live-auto"),
        (Live.AUTO, True, False, Gate.GO, "approved"),
        (Live.REVIEW, False, False, Gate.HOLD, "live-review"),
        (Live.REVIEW, True, False, Gate.GO, "approved"),
        (Live.OFF, False, False, Gate.TO_LIAISON, "live-off"),
        (Live.OFF, True, False, Gate.TO_LIAISON, "live-off"),
        *((live, approved, True, Gate.HOLD, "paused") for live, approved in product(Live, (False, True))),
    ],
)
@pytest.mark.parametrize("kind", [k for k in LetterKind if k.to_client])
def test_the_gate(kind: LetterKind, live: Live, approved: bool, paused: bool, gate: Gate, reason: str) -> None:
    """DESIGN 4: pause holds everything to clients, off sends nothing out, review nothing that nobody approved."""
    passed = passage(letter(kind, approved=approved), live, paused=paused)
    assert (passed.gate, passed.reason) == (gate, reason)


@pytest.mark.parametrize("kind", [k for k in LetterKind if not k.to_client])
def test_the_gate_lets_our_own_mail_through(kind: LetterKind) -> None:
    """DESIGN 4: a brake on client mail never keeps a warning from our own people."""
    for live, paused in product(Live, (False, True)):
        assert passage(letter(kind, approved=False), live, paused=paused).gate is Gate.GO


def test_which_letters_leave_the_house() -> None:
    """Five kinds go to clients; a new kind must be thought about here."""
    theirs = {LetterKind.ACKNOWLEDGEMENT, LetterKind.DEBRIEF, LetterKind.UPDATE, LetterKind.ANSWER, LetterKind.REPORT}
    assert {k for k in LetterKind if k.to_client} == theirs


@pytest.mark.parametrize(("one", "other"), list(product(Live, Live)))
def test_the_stricter_word_wins(one: Live, other: Live) -> None:
    """DESIGN 4: of the service's and the client's `live` the stricter counts, whichever it is."""
    strictness = [Live.AUTO, Live.REVIEW, Live.OFF]
    assert one.stricter(other) is strictness[max(strictness.index(one), strictness.index(other))]


def test_numbers_of_fields_are_fixed_for_ever() -> None:
    """DESIGN 3: an old form can still be answered, so no number ever changes its meaning."""
    assert [(f.number, f.name) for f in CATALOGUE][:10] == [
        (1, "problem"),
        (2, "steps"),
        (3, "recurrence"),
        (4, "recommendations"),
        (5, "started"),
        (6, "ended"),
        (7, "impact"),
        (8, "worry"),
        (9, "narrative"),
        (10, "noticed"),
    ]
    assert [f.number for f in CATALOGUE] == list(range(1, len(CATALOGUE) + 1))
