"""Rehearsal: past mail on the real road, and what is told of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from mailflow.adapters.store.database import DatabaseStore, connect
from mailflow.build import build_setup
from mailflow.config.load import load
from mailflow.domain.letters import LetterKind, LetterState
from mailflow.domain.vocabulary import Kind, Live
from mailflow.engine.rehearsal_differences import LETTERS_ONLY, Difference, differences
from mailflow.engine.rehearsal_explain import explained
from mailflow.engine.rehearsal_findings import AGAIN, SET_ASIDE
from mailflow.engine.rehearsal_reasons import done, sentence
from mailflow.engine.rehearsal_report import OneClient, Report, report
from mailflow.engine.rehearse import Bell, Daily, PastMail, Rehearsal, RehearsalClock, on_the_grid
from mailflow.engine.setup import Setup
from tests.house import (
    DANA,
    JOHN,
    MORNING,
    NOC,
    PROBLEM,
    RECOVERY,
    ROOT,
    SHIRLEY,
    VALERY,
    by_hand,
    write_mail,
    zabbix_mail,
)

pytestmark = pytest.mark.soak

KEY = bytes(range(32))
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ANN = "ann@contoso.example"
Tweak = Callable[[Setup], Setup]


def trouble(after: timedelta, host: str = "NW-FS01", body: str = PROBLEM, what: str = "Problem") -> PastMail:
    raw = zabbix_mail(f"{what}: {host} has been restarted", body.replace("NW-FS01", host), MORNING + after)
    return past(raw, after)


def recovery(after: timedelta, host: str = "NW-FS01") -> PastMail:
    return trouble(after, host, RECOVERY, "Resolved in 9m 4s")


def person(after: timedelta, who: str, subject: str, text: str = "It is broken.") -> PastMail:
    return past(write_mail(who, NOC, subject, text, MORNING + after), after)


def past(raw: bytes, after: timedelta, size: int = 0) -> PastMail:
    return PastMail(name=f"after {after}", mailbox=NOC, arrival=MORNING + after, raw=raw, size=size or len(raw))


def setup_of(live: Live = Live.AUTO) -> Setup:
    setup = build_setup(load(ROOT / "config.toml", {}), KEY)
    clients = tuple(replace(client, live=live) for client in setup.directory.clients)
    return replace(setup, policy=replace(setup.policy, live=live), directory=replace(setup.directory, clients=clients))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[DatabaseStore]:
    with scratch(tmp_path / "rehearsal.db") as built:
        yield built


def played(store: DatabaseStore, *mails: PastMail, after: timedelta = HOUR, setup: Setup | None = None) -> Report:
    setup = setup or setup_of()
    rehearsal = Rehearsal(store, setup, mails[0].arrival)
    rehearsal.play(mails, after=after)
    return report(store, setup, rehearsal.played)


def client(what: Report, key: str = "northwind") -> OneClient:
    return next(one for one in what.clients if one.key == key)


class TestTheRoad:
    def test_a_rehearsal_decides_as_life_does(self, tmp_path: Path) -> None:
        """N.8: the same mails, live on real servers and rehearsed: the same decisions and letters, to the minute."""
        with by_hand(tmp_path) as on:
            on.alert()
            on.later(minutes=3.1)
            on.later(minutes=4)
            on.alert()
            on.later(minutes=2)
            on.recovery()
            on.later(minutes=5)
            on.writes(SHIRLEY, "I can't open the Data drive.", "Data drive")
            on.later(hours=3)
            on.alert(PROBLEM.replace("NW-FS01", "CO-ACC01"), "Problem: CO-ACC01 has been restarted")
            on.later(minutes=4)
            on.alert(RECOVERY.replace("NW-FS01", "CO-ACC01"), "Resolved in 4m: CO-ACC01 has been restarted")
            on.later(minutes=20)
            on.arrives(write_mail("s@else.example", NOC, "Cheap toner", "Buy!", on.now))
            on.later(hours=1)
            room = on.app.store.mailroom
            mails, lived = [], []
            for inbound in room.after(0, 1_000):
                if inbound.kind == "own":
                    continue  # copies of letters that a rehearsal never sends
                raw = room.content(inbound.hash)
                mails.append(PastMail(name="", mailbox=NOC, arrival=inbound.received_at, raw=raw, size=len(raw)))
                lived.append([(d.action, d.reason) for d in room.decisions_of([inbound.id])])
            letters = sorted((x.kind.value, x.recipient.address, x.state.value, x.subject) for x in on.letters())
            at = {x.subject: x.sent_at for x in on.letters(LetterKind.ACKNOWLEDGEMENT, states=(LetterState.SENT,))}
        with scratch(tmp_path / "again.db") as store:
            what = played(store, *mails, setup=setup_of())
            assert [[(d.action, d.reason) for d in mail.decisions] for mail in what.judged] == lived
            again = store.outbox.letters(limit=1_000)
            assert sorted((x.kind.value, x.recipient.address, x.state.value, x.subject) for x in again) == letters
            for letter in again:
                if letter.kind is LetterKind.ACKNOWLEDGEMENT and letter.sent_at:
                    life = at[letter.subject]
                    assert life is not None
                    assert abs(letter.sent_at - life) < MINUTE

    def test_letters_leave_when_they_are_due(self, store: DatabaseStore) -> None:
        """N.8: though nobody rings every minute, the acknowledgement leaves three minutes after a critical alert."""
        what = played(store, trouble(0 * MINUTE), recovery(2 * HOUR))
        (told,) = client(what).to_client
        assert (told.kind, told.name, told.at, told.sent) == (
            "acknowledgement",
            "John Harper",
            MORNING + 3 * MINUTE,
            True,
        )
        assert "your file server" in told.text
        assert "\r" not in told.text

    def test_time_alone_brings_what_it_brings(self, store: DatabaseStore) -> None:
        """S4.2: a form ten minutes after the end, a digest of what nobody writes, and no mail between."""
        what = played(store, trouble(0 * MINUTE), recovery(9 * MINUTE), after=5 * DAY)
        kinds = {x.kind: x.at - MORNING for x in client(what).to_staff}
        assert timedelta(minutes=19) <= kinds["form"] <= timedelta(minutes=25)
        digests = [x for x in what.letters if x.kind == "digest"]
        assert [x.address for x in digests] == [DANA] * len(digests)
        assert digests

    def test_the_clock_stops_where_it_is_told(self, store: DatabaseStore) -> None:
        """N.8: with no time after the last mail, a letter that is to rest first is still waiting, with its words."""
        (told,) = client(played(store, trouble(0 * MINUTE), after=timedelta())).to_client
        assert (told.state, told.sent) == ("waiting", False)
        assert "your file server" in told.text

    def test_mail_that_comes_all_the_time_keeps_nothing_from_its_hour(self, store: DatabaseStore) -> None:
        """N.8: an endless row of alerts about one thing holds neither another's form nor its letter back."""
        row = [trouble(n * MINUTE, "CO-ACC01") for n in range(40)]
        what = played(store, trouble(-1 * MINUTE), *row[:5], recovery(5 * MINUTE), *row[5:], after=timedelta())
        assert client(what).sent == 1
        assert "form" in {x.kind for x in client(what).to_staff}
        assert client(what, "contoso").sent == 1

    def test_what_was_over_before_anybody_was_told_closes_then(self, store: DatabaseStore) -> None:
        """S3.1, N.8: a blip closes when its letter is dropped, so that new trouble is a new incident, as in life."""
        blip = (trouble(0 * MINUTE, "CO-ACC01"), recovery(2 * MINUTE, "CO-ACC01"))
        what = played(store, *blip, after=30 * MINUTE)
        one = client(what, "contoso")
        assert [(i.state, i.why_closed) for i in one.incidents] == [("closed", "over before anybody was told")]
        assert [(x.state, x.reason, x.text) for x in one.to_client] == [("dropped", "over-before-it-left", "")]

    def test_a_broken_mail_is_set_aside_and_the_others_go_on(self, store: DatabaseStore) -> None:
        """N.8, S4.3: what fails three times is quarantined in a rehearsal as in life, and told with where it lies."""
        setup = setup_of()
        broken = tuple(
            replace(c, timezone="Nowhere/At all") if c.key == "contoso" else c for c in setup.directory.clients
        )
        setup = replace(setup, directory=replace(setup.directory, clients=broken))
        mails = (person(MINUTE, ANN, "Printer"), trouble(2 * MINUTE), past(b"\xff\x00", 3 * MINUTE))
        what = played(store, *mails, setup=setup)
        (aside,) = what.quarantined
        assert (aside.source, aside.verdict) == (mails[0].name, SET_ASIDE)
        assert "3 times" in aside.why
        assert [mail.verdict for mail in what.judged] == [SET_ASIDE, "OpenFromAlert", "Show"]

    def test_a_mail_that_is_too_large_is_set_aside(self, store: DatabaseStore) -> None:
        """S4.3: of a mail above 35 MB the beginning is kept and a person decides."""
        mail = person(MINUTE, JOHN, "A larger one")
        what = played(store, replace(mail, size=36_000_001))
        assert ["35 MB" in aside.why for aside in what.quarantined] == [True]
        assert not what.clients

    def test_the_same_bytes_twice_are_one_delivery(self, store: DatabaseStore) -> None:
        """DESIGN 1.2: a mail that lies in two folders is decided over once, and told twice."""
        mail = trouble(0 * MINUTE)
        what = played(store, mail, replace(mail, name="again"))
        assert [m.verdict for m in what.judged] == ["OpenFromAlert", AGAIN]
        assert len(client(what).incidents) == 1


class TestTheReport:
    def test_everything_about_a_client_stands_together(self, store: DatabaseStore) -> None:
        """N.8: what was opened, how often it was reported, how it ended; who was told; what the liaison was shown."""
        what = played(
            store,
            trouble(0 * MINUTE),
            trouble(7 * MINUTE),
            recovery(9 * MINUTE),
            person(14 * MINUTE, f"Shirley Lane <{SHIRLEY}>", "Data drive", "I cannot open it."),
        )
        one = client(what)
        (incident,) = one.incidents
        assert (incident.reference, incident.title, incident.joined) == ("INC-1", "file server", 3)
        assert (incident.state, incident.ended_at) == ("restored", MORNING + 9 * MINUTE)
        (forward,) = one.forwards
        assert (forward.address, "I cannot open it." in forward.text) == (VALERY, True)
        assert {x.kind for x in one.to_staff} >= {"opened", "form"}
        assert what.verdicts == {"OpenFromAlert": 1, "Join": 1, "Recover": 1, "ClientSaid": 1}
        assert (what.mails, what.first, what.last) == (4, MORNING, MORNING + 14 * MINUTE)

    def test_what_nobody_could_place_and_what_was_left_alone(self, store: DatabaseStore) -> None:
        """N.8: each with its reason as a sentence; an out-of-office is told with the client whose person wrote it."""
        what = played(
            store,
            trouble(0 * MINUTE, "XX-ELSE"),
            recovery(HOUR, "NW-MX01"),
            person(2 * HOUR, ANN, "Automatic reply: Hello"),
            person(3 * HOUR, "s@else.example", "Toner"),
        )
        assert [(m.subject, m.why) for m in what.unplaced] == [
            ("Problem: XX-ELSE has been restarted", sentence("alert-of-no-client")),
            ("Toner", sentence("no-recipe")),
        ]
        (spared,) = client(what, "contoso").left_alone
        assert (spared.count, spared.why) == (1, sentence("out-of-office-subject"))
        groups = [*what.left_alone, *(group for one in what.clients for group in one.left_alone)]
        everything = [group.why for group in groups]
        assert sentence("out-of-office-subject") in everything
        assert all(" " in why for why in everything)

    def test_what_was_held_is_shown_with_its_words_and_its_reason(self, store: DatabaseStore) -> None:
        """N.8: a letter that waits for SEND is told so, with every word of it."""
        (held,) = client(played(store, person(MINUTE, ANN, "Printer")), "contoso").to_client
        assert (held.state, held.why) == ("held", sentence("waits-for-send"))
        assert "Ann" in held.text

    def test_live_off_reaches_no_client(self, store: DatabaseStore) -> None:
        """N.7: rehearsed with live = "off", the letter goes to the liaison and does not count as sent to the client."""
        one = client(played(store, trouble(0 * MINUTE), setup=setup_of(Live.OFF)))
        (told,) = one.to_client
        assert (told.address, told.sent, one.sent) == (VALERY, True, 0)
        assert told.why == sentence("live-off")

    def test_no_tag_stands_in_what_is_shown(self, store: DatabaseStore) -> None:
        """DESIGN 1.4: a page that somebody mails around must not be able to speak for anybody."""
        what = played(store, trouble(0 * MINUTE), recovery(9 * MINUTE))
        letters = [*what.letters, *(x for one in what.clients for x in one.letters)]
        tags = {x.tag_id for x in store.outbox.letters(limit=100)}
        assert any("cut" in x.text for x in letters)
        assert not [x for x in letters for tag in tags if f"{tag}-" in x.text and f"{tag}-cut" not in x.text]

    def test_a_storm_is_one_incident_of_each_client(self, store: DatabaseStore) -> None:
        """N.2, N.8: what was gathered is listed once, with how many became one; that it was a storm is told."""

        def sick(minute: int, host: str) -> PastMail:
            return trouble(minute * MINUTE, host, PROBLEM.replace("184467", str(184_500 + minute)))

        what = played(store, sick(0, "NW-FS01"), sick(1, "NW-MX01"), sick(2, "CO-ACC01"))
        for one in what.clients:
            assert [(i.reference, i.joined, i.gathered) for i in one.incidents] == [("INC-1", 2, 1)]
        assert {one.key for one in what.clients} == {"northwind", "contoso"}
        assert {ruling.incident for mail in what.judged for ruling in mail.decisions} == {"INC-1"}
        assert [(x.reason, x.count) for x in what.too_much] == [("a-storm", 1)]

    def test_too_much_is_told(self, store: DatabaseStore) -> None:
        """N.8: letters that a cap would have held are counted, with the cap and when it first tripped."""
        setup = setup_of()
        setup = replace(setup, policy=replace(setup.policy, caps=replace(setup.policy.caps, overall_hour=1)))
        what = played(store, trouble(0 * MINUTE), trouble(MINUTE, "CO-ACC01"), setup=setup)
        assert [(x.reason, x.count) for x in what.too_much] == [("cap-overall-hour", 1)]
        assert what.too_much[0].why == sentence("cap-overall-hour")


class TestDifferences:
    def test_only_what_is_decided_otherwise_is_told(self, tmp_path: Path) -> None:
        """N.8: a host that is now a client's opens where it was shown; what is alike is not mentioned."""
        mails = (trouble(0 * MINUTE), trouble(HOUR, "XX-ELSE"), person(2 * HOUR, ANN, "Printer"))
        found = compared(tmp_path, mails, knows("XX-ELSE"))
        assert [d.mail.subject for d in found] == ["Problem: XX-ELSE has been restarted", "Printer"]
        assert found[0].before == (done("Show"),)
        assert found[0].now[0] == f"{done('OpenFromAlert')} (Contoso)"
        assert any(line.startswith(f"acknowledgement to {ANN} sent") for line in found[0].now)
        assert sentence("new-key") in found[0].why
        assert found[1].why == (sentence("client-has-a-running-incident"),)

    def test_an_incident_s_number_is_no_difference(self, tmp_path: Path) -> None:
        """N.8: one incident more shifts the numbers of all that follow; what they are about is the same."""
        mails = (
            trouble(0 * MINUTE, "XX-ELSE"), recovery(MINUTE, "XX-ELSE"), trouble(5 * HOUR), recovery(6 * HOUR),
        )  # fmt: skip
        found = compared(tmp_path, mails, knows("XX-ELSE"))
        assert {d.mail.subject.rpartition(": ")[2] for d in found} == {"XX-ELSE has been restarted"}

    def test_another_time_is_a_difference_and_no_change_is_none(self, tmp_path: Path) -> None:
        """N.8: a longer rest decides alike and writes later, which is said; what is the same differs in nothing."""

        def patient(setup: Setup) -> Setup:
            return replace(setup, policy=replace(setup.policy, rest=20 * MINUTE))

        mails = (trouble(0 * MINUTE), recovery(HOUR))
        (one,) = compared(tmp_path, mails, patient)
        assert (one.mail.verdict, one.why) == ("OpenFromAlert", (LETTERS_ONLY,))
        assert compared(tmp_path, mails, lambda setup: setup) == ()


def knows(host: str) -> Tweak:
    """The configuration with one more host for Contoso."""

    def changed(setup: Setup) -> Setup:
        clients = []
        for one in setup.directory.clients:
            if one.key == "contoso":
                (thing,) = one.components
                one = replace(one, components=(replace(thing, hosts=(*thing.hosts, host)),))
            clients.append(one)
        return replace(setup, directory=replace(setup.directory, clients=tuple(clients)))

    return changed


@contextmanager
def scratch(path: Path) -> Iterator[DatabaseStore]:
    built = connect(f"sqlite:///{path}")
    try:
        yield built
    finally:
        built.disconnect()


def compared(folder: Path, mails: tuple[PastMail, ...], change: Tweak) -> tuple[Difference, ...]:
    reports = []
    for name, setup in (("before", setup_of()), ("now", change(setup_of()))):
        path = folder / f"{name}-{len(list(folder.iterdir()))}.db"
        with scratch(path) as store:
            reports.append(played(store, *mails, setup=setup))
    return differences(*reports)


def test_the_clock_never_goes_back() -> None:
    """N.8: of two mails that came at once, or in no order, none is decided before the other was."""
    clock = RehearsalClock(MORNING)
    clock.move_to(MORNING + HOUR)
    clock.move_to(MORNING)
    assert clock.now() == MORNING + HOUR


def test_the_bell_rings_seldom_and_for_ever() -> None:
    """N.8: years without mail cost two rings a day, and what falls due at a local hour does so then."""
    digest = Daily(at="08:00", timezone="America/Chicago")
    bell = Bell(MORNING, [digest])
    bell.at(MORNING + 13 * MINUTE)
    rung: list[datetime] = []
    while bell.next < MORNING + 400 * DAY:
        rung.append(bell.next)
        bell.passed(bell.next)
    assert MORNING + 13 * MINUTE in rung
    assert max(b - a for a, b in pairwise(rung[:40])) <= HOUR
    assert max(b - a for a, b in pairwise(rung)) <= DAY
    assert digest.after(MORNING + 300 * DAY) in rung
    assert len(rung) < 900


def test_daily_moments_are_local_and_ahead() -> None:
    """N.8: a deadline at 08:00 in Chicago with half an hour's grace comes at 08:30 there, today or tomorrow."""
    daily = Daily(at="08:00", timezone="America/Chicago", grace=30 * MINUTE)
    assert daily.after(MORNING) == MORNING.replace(hour=8, minute=30) + DAY
    assert daily.after(MORNING.replace(hour=8, minute=29)) == MORNING.replace(hour=8, minute=30)


@pytest.mark.parametrize(("minute", "ring"), [(0, 0), (1, 5), (5, 5), (56, 60)])
def test_the_grid(minute: int, ring: int) -> None:
    """N.8: rings fall on whole five minutes, never before their time."""
    hour = MORNING.replace(minute=0)
    assert on_the_grid(hour + minute * MINUTE) == hour + ring * MINUTE


def test_a_reason_without_a_sentence_is_shown_as_it_is_named() -> None:
    """N.11: the rules grow: what nobody has written a sentence for is told all the same."""
    assert sentence("a-reason-of-next-year") == "a-reason-of-next-year"
    assert done("Juggle") == "Juggle"
    assert sentence("same-mail-as-12") == "The same mail as mail 12, come by another way."
    assert "{" not in "".join(map(sentence, ["event-is-info", "command-stop", "approved-by-x@y.example"]))


def test_an_explanation_names_what_our_own_people_were_asked_and_answered(tmp_path: Path) -> None:
    """N.11: the question about a mail that nobody could place came of it, and so did the thanks for the answer."""
    with by_hand(tmp_path) as on:
        on.alert(PROBLEM.replace("NW-FS01", "XX-99"), "Problem: XX-99 has been restarted")
        on.replies(on.last(LetterKind.SHOWN), "northwind")
        mails = on.app.store.mailroom.after(0, 99)
        caused = {mail.kind: {x.kind for x in explained(on.app.store, on.app.setup, mail).letters} for mail in mails}
        assert LetterKind.SHOWN in caused[Kind.ALERT]
        assert LetterKind.NOTICE in caused[Kind.LIAISON]
