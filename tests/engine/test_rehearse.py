"""Rehearsal: past mail on the real road, by a clock that stands where each came in."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from mailflow.adapters.store.database import DatabaseStore, connect
from mailflow.build import build_setup
from mailflow.config.load import load
from mailflow.domain.letters import LetterKind
from mailflow.domain.vocabulary import Live
from mailflow.engine.rehearsal_differences import differences
from mailflow.engine.rehearsal_reasons import sentence
from mailflow.engine.rehearsal_report import Report, report
from mailflow.engine.rehearse import Daily, PastMail, Rehearsal
from mailflow.engine.setup import Setup
from tests.house import MORNING, NOC, PROBLEM, RECOVERY, SHIRLEY, write_config, write_mail, zabbix_mail

Play = Callable[..., Report]


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    """The shipped configuration, as it would be with live = "auto"."""
    built = build_setup(load(write_config(tmp_path, imap_port=1, smtp_port=1), {}), b"k" * 32)
    return replace(built, policy=replace(built.policy, live=Live.AUTO))


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """Plays mails on a store of their own."""
    stores: list[DatabaseStore] = []

    def played(setup: Setup, *mails: tuple[float, bytes], after: timedelta = timedelta(hours=1)) -> Report:
        store = connect(f"sqlite:///{tmp_path / f'{len(stores)}.db'}")
        stores.append(store)
        rehearsal = Rehearsal(store, setup, at(mails[0][0]))
        rehearsal.play((past(minute, raw) for minute, raw in mails), after=after)
        result = report(store, setup, rehearsal.played)
        store.disconnect()
        return result

    return played


def at(minute: float) -> datetime:
    """So many minutes into the morning."""
    return MORNING + timedelta(minutes=minute)


def past(minute: float, raw: bytes) -> PastMail:
    """A mail that came in then."""
    return PastMail(name=f"minute {minute}", mailbox=NOC, arrival=at(minute), raw=raw, size=len(raw))


def problem(minute: float) -> tuple[float, bytes]:
    """The file server is in trouble."""
    return minute, zabbix_mail("Problem: NW-FS01 has been restarted", PROBLEM, at(minute))


def recovery(minute: float) -> tuple[float, bytes]:
    """It is over."""
    return minute, zabbix_mail("Resolved in 9m 4s: NW-FS01 has been restarted", RECOVERY, at(minute))


def test_an_alert_is_played_to_its_acknowledgement(play: Play, setup: Setup) -> None:
    """N.8: the client's letter leaves at its time though the mails ended before, and is shown with every word."""
    result = play(setup, problem(0))
    (client,) = result.clients
    (incident,) = client.incidents
    (letter,) = client.to_client
    assert (incident.opened_at, incident.state) == (at(0), "open")
    assert letter.sent
    assert at(0) < letter.at <= at(15)
    assert letter.text.startswith("Hello John,")


def test_a_blip_is_told_to_nobody(play: Play, setup: Setup) -> None:
    """N.8: time passes between two mails as in life: what was over before the letter left closes at that time."""
    patient = replace(setup, policy=replace(setup.policy, settle=timedelta(minutes=20), rest=timedelta(minutes=20)))
    result = play(patient, problem(0), recovery(2))
    (client,) = result.clients
    assert client.sent == 0
    assert [letter.reason for letter in client.to_client] == ["over-before-it-left"]
    assert client.incidents[0].state == "closed"


def test_what_is_asked_later_is_asked_at_its_time(play: Play, setup: Setup) -> None:
    """N.8: between two mails the sweep runs when something is due: the form goes ten minutes after the recovery."""
    result = play(setup, problem(0), recovery(30), after=timedelta(hours=2))
    (form,) = (x for x in result.clients[0].to_staff if x.kind == LetterKind.FORM)
    assert at(40) <= form.at <= at(45)


def test_a_clients_mail_is_forwarded_and_a_strangers_shown(play: Play, setup: Setup) -> None:
    """N.8: forwards to liaisons, and what nobody could place, each with its reason."""
    shirley = write_mail(f"Shirley <{SHIRLEY}>", NOC, "Files", "Our files are gone.", at(0))
    stranger = write_mail("Nobody <nobody@elsewhere.example>", NOC, "Buy", "Now.", at(1))
    result = play(setup, problem(-5), (0, shirley), (1, stranger))
    assert [x.address for x in result.clients[0].forwards] == ["valery@msp.example"]
    assert [(m.subject, m.verdict) for m in result.unplaced] == [("Buy", "Show")]


def test_the_same_bytes_twice_are_one_mail(play: Play, setup: Setup) -> None:
    """N.8: a mail that lies twice in the source is told, and played once."""
    _, raw = problem(0)
    result = play(setup, (0, raw), (1, raw))
    assert result.verdicts == {"OpenFromAlert": 1, "SameDelivery": 1}


def test_no_mail_ends_a_rehearsal(play: Play, setup: Setup) -> None:
    """N.8: bytes that are no mail are shown for what they are, and the next mail is played."""
    result = play(setup, (0, b""), (1, b"\x00\xff\n\r\n" * 50), problem(2))
    assert result.mails == 3
    assert result.verdicts["OpenFromAlert"] == 1


def test_live_off_sends_nothing_to_clients(play: Play, setup: Setup) -> None:
    """N.8: under another `live` another thing is seen: the letter went to the liaison, and says so."""
    off = replace(setup, policy=replace(setup.policy, live=Live.OFF))
    (client,) = play(off, problem(0)).clients
    assert client.sent == 0
    assert [x.reason for x in client.to_client] == ["live-off"]


def test_differences_are_told_and_nothing_else(play: Play, setup: Setup) -> None:
    """N.8: of two configurations only the decisions that differ are shown, with before, now and why."""
    mails = [problem(0), (1.0, write_mail("Nobody <nobody@elsewhere.example>", NOC, "Buy", "Now.", at(1)))]
    nobody = replace(setup, directory=replace(setup.directory, clients=setup.directory.clients[1:]))
    before = play(setup, *mails)
    assert differences(before, play(setup, *mails)) == ()
    (only,) = differences(before, play(nobody, *mails))
    assert only.mail.subject == "Problem: NW-FS01 has been restarted"
    assert "opened an incident (Northwind)" in only.before
    assert only.now == ("shown to a liaison, because nobody could place it",)
    assert only.why == (sentence("alert-of-no-client"),)


def test_a_reason_without_a_sentence_is_shown_as_named() -> None:
    """N.11: rules grow; what has no sentence yet is told by its name."""
    assert sentence("same-mail-as-12") == "The same mail as mail 12, come by another way."
    assert sentence("brand-new-reason") == "brand-new-reason"


def test_daily_moments_are_local_and_ahead() -> None:
    """N.8: a deadline at 08:00 in Chicago, half an hour's grace, comes at 08:30 there, today or tomorrow."""
    daily = Daily(at="08:00", timezone="America/Chicago", grace=timedelta(minutes=30))
    assert daily.after(MORNING) == MORNING.replace(hour=8, minute=30) + timedelta(days=1)
    assert daily.after(MORNING.replace(hour=8, minute=29)) == MORNING.replace(hour=8, minute=30)
