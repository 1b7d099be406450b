"""Storms, vendors, mails out of order, and trouble that comes and goes: one incident, one letter each."""

import tomllib
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mailflow.domain.incident import Incident, IncidentState
from mailflow.domain.letters import LetterKind, LetterState
from tests.house import MORNING, NOC, PROBLEM, RECOVERY, ROOT, VALERY, ZABBIX, ByHand, by_hand, write_mail, zabbix_mail

pytestmark = pytest.mark.soak

ACK = LetterKind.ACKNOWLEDGEMENT
EVE, MAX, LIV = "eve@fabrikam.example", "max@fabrikam.example", "liv@litware.example"
EXTRA = """
[[client]]
key = "fabrikam"
name = "Fabrikam"
domains = ["fabrikam.example"]
liaison = "valery@msp.example"
[[client.contact]]
name = "Eve Stone"
first_name = "Eve"
address = "eve@fabrikam.example"
wants = "all"
[[client.contact]]
name = "Max Stone"
first_name = "Max"
address = "max@fabrikam.example"
wants = "all"
[[client.component]]
name = "branch line"
plain = "the line to your branch"
hosts = ["FB-GW*"]
[[client.component]]
name = "print server"
plain = "your print server"
hosts = ["FB-PRN01"]
[[client]]
key = "litware"
name = "Litware"
domains = ["litware.example"]
liaison = "valery@msp.example"
[[client.contact]]
name = "Liv Berg"
first_name = "Liv"
address = "liv@litware.example"
wants = "all"
[[client.component]]
name = "till"
plain = "your tills"
hosts = ["LW-*"]
"""
VENDORS = """
[[client]]
key = "{0}"
name = "{1}"
domains = ["{0}.example"]
liaison = "valery@msp.example"
[[client.contact]]
name = "{2} Moor"
first_name = "{2}"
address = "{0}@{0}.example"
wants = "all"
[[client.component]]
name = "Exchange"
plain = "your mail"
vendor = "Microsoft 365"
"""
FIRING = """Labels
alertname = HostDown
client = {client}
instance = {host}:9100
job = node
severity = critical
Annotations
summary = {host} is not answering
Source
"""


def word(host: str, *, event: int, over: bool = False, what: str = "is down", date: datetime = MORNING) -> bytes:
    """Zabbix says that something of a host's is in trouble, or over."""
    name = f"{host} {what}"
    body = (RECOVERY if over else PROBLEM).replace("NW-FS01 has been restarted (uptime < 10m)", name)
    body = body.replace("NW-FS01", host).replace("184467", str(event))
    return zabbix_mail(f"{'Resolved in 9m 4s' if over else 'Problem'}: {name}", body, date)


def says(on: ByHand, host: str, *, event: int, over: bool = False, what: str = "is down") -> None:
    """The same, now."""
    on.send(ZABBIX, word(host, event=event, over=over, what=what, date=on.now))
    on.turn()


def alive(on: ByHand) -> list[Incident]:
    """All incidents but those that live on in another."""
    return [i for i in on.incidents() if i.state is not IncidentState.MERGED]


def firing(*hosts: tuple[str, str]) -> bytes:
    """Alertmanager's group of alerts, each with its client and host."""
    alerts = "".join(FIRING.format(client=client, host=host) for client, host in hosts)
    body = f"{len(hosts)} alerts for alertname=HostDown\n[{len(hosts)}] Firing\n{alerts}Sent by Alertmanager\n"
    return write_mail("alerts@monitor.example", NOC, f"[FIRING:{len(hosts)}] HostDown (node critical)", body, MORNING)


def told(on: ByHand, *people: str) -> list[int]:
    """How many acknowledgements each of them has."""
    return [len(on.got(person, ACK)) for person in people]


def test_three_of_a_family_in_an_hour_are_one_incident(tmp_path: Path) -> None:
    """N.1, N.6: three lines go down: one incident, one acknowledgement each; it is over when the last is back."""
    with by_hand(tmp_path, EXTRA) as on:
        for event in (1, 2, 3):
            says(on, f"FB-GW0{event}", event=event)
            on.later(minutes=2)
        assert [i.state for i in on.incidents()].count(IncidentState.MERGED) == 1
        (root,) = alive(on)
        merged = next(i for i in on.incidents() if i.id != root.id)
        assert (merged.merged_into, root.scope.partition(":")[0]) == (root.id, "storm")
        on.later(minutes=30)
        assert told(on, EVE, MAX) == [1, 1]
        (about,) = on.got(VALERY)
        assert root.reference in about.subject
        assert "Fabrikam: " in about.text
        assert {name for name in ("Eve Stone", "Max Stone") if name in about.text} == {"Eve Stone", "Max Stone"}
        signals = on.app.store.signals.of(root.id)
        assert len({s.thing for s in signals}) == len(signals) == 3
        for event in (1, 3):
            says(on, f"FB-GW0{event}", event=event, over=True)
            assert alive(on)[0].state is IncidentState.OPEN
        says(on, "FB-GW02", event=2, over=True)
        assert alive(on)[0].state is IncidentState.RESTORED
        assert told(on, EVE, MAX) == [1, 1]


def test_the_record_of_a_storm_shows_every_alert(tmp_path: Path) -> None:
    """S4.6: what was opened, gathered and merged stands in the storm's own timeline."""
    with by_hand(tmp_path, EXTRA) as on:
        for event in (1, 2, 3, 4):
            says(on, f"FB-GW0{event}", event=event)
        (root,) = alive(on)
        whats = [entry.what for entry in on.app.store.records.timeline(root.id)]
        assert [whats.count(w) for w in ("opened", "merged", "storm", "alert")] == [2, 1, 1, 1]
        assert [reason for _, reason in on.decisions()] == ["new-key", "new-key", "a-storm", "part-of-a-storm"]


def test_the_liaison_hears_of_a_storm_once_an_hour(tmp_path: Path) -> None:
    """N.6: however many alerts and clients, one mail an hour, which names the clients that are struck by then."""
    with by_hand(tmp_path, EXTRA) as on:
        for event in range(1, 7):
            says(on, f"{'LW-POS' if event % 2 else 'FB-GW'}0{event}", event=event)
        on.later(minutes=20)
        (about,) = on.got(VALERY)
        assert "Litware: Liv Berg" in about.text
        assert "Fabrikam: " in about.text
        assert told(on, EVE, MAX, LIV) == [1, 1, 1]
        on.later(minutes=30)
        says(on, "FB-GW08", event=8)
        on.later(minutes=20)
        assert len(on.got(VALERY)) == 1


def test_four_hundred_alerts_are_one_incident_and_one_letter_each(tmp_path: Path) -> None:
    """N.1, N.6, N.10: forty clients at once: each contact has one letter, no cap holds it, no other name is in it."""
    clients = [f"c{n:02}" for n in range(40)]
    names = {key: f"Firm-{key}" for key in clients}
    extra = "".join(
        f'[[client]]\nkey = "{key}"\nname = "{names[key]}"\ndomains = ["{key}.example"]\n'
        f'liaison = "valery@msp.example"\n[[client.contact]]\nname = "Person-{key} Moor"\n'
        f'first_name = "Person-{key}"\naddress = "boss@{key}.example"\nwants = "all"\n'
        f'[[client.component]]\nname = "line of {key}"\nplain = "your line"\nhosts = ["{key.upper()}-*"]\n'
        for key in clients
    )
    with by_hand(tmp_path, extra) as on:
        for at in range(250):
            key = clients[at % 40]
            on.mail.deliver(NOC, word(f"{key.upper()}-H{at:03}", event=at, date=on.now))
        on.turn()
        on.later(minutes=5)
        for at in range(250, 400):
            key = clients[at % 40]
            on.mail.deliver(NOC, word(f"{key.upper()}-H{at:03}", event=at, date=on.now))
        on.later(minutes=25)
        (storm,) = alive(on)
        assert {a.client_key for a in on.app.store.records.affected_of(storm.id)} == set(clients)
        assert len(on.app.store.signals.of(storm.id)) == 400
        assert on.letters(ACK, states=(LetterState.HELD,)) == []
        for key in clients:
            (letter,) = on.got(f"boss@{key}.example")
            whole = letter.subject + letter.text + letter.html
            assert f"Person-{key}" in whole
            assert not [k for k in clients if k != key and k in whole.lower()]


def test_other_families_are_other_incidents(tmp_path: Path) -> None:
    """N.1: a host that is down, one that has restarted and one that is slow are three things."""
    with by_hand(tmp_path, EXTRA) as on:
        for event, what in enumerate(("is down", "has been restarted", "response time is high"), 1):
            says(on, f"FB-GW0{event}", event=event, what=what)
        assert [i.state for i in on.incidents()] == [IncidentState.OPEN] * 3


def test_what_is_more_than_an_hour_apart_is_no_storm(tmp_path: Path) -> None:
    """N.1: three in two hours are three incidents."""
    with by_hand(tmp_path, EXTRA) as on:
        for event in (1, 2, 3):
            says(on, f"FB-GW0{event}", event=event)
            on.later(minutes=31)
        assert [i.state for i in on.incidents()] == [IncidentState.OPEN] * 3


def test_no_storm_where_the_policy_wants_none(tmp_path: Path) -> None:
    """N.1: storm_count = 1 keeps each trouble an incident of its own."""
    with by_hand(tmp_path, EXTRA, storm_count="1") as on:
        for event in range(1, 5):
            says(on, f"FB-GW0{event}", event=event)
        assert [i.state for i in on.incidents()] == [IncidentState.OPEN] * 4


def test_what_is_over_counts_in_no_storm(tmp_path: Path) -> None:
    """N.1: two that are back and one that is down are three incidents."""
    with by_hand(tmp_path, EXTRA) as on:
        for event in (1, 2, 3):
            says(on, f"FB-GW0{event}", event=event)
            if event < 3:
                says(on, f"FB-GW0{event}", event=event, over=True)
        assert IncidentState.MERGED not in {i.state for i in on.incidents()}
        assert len(on.incidents()) == 3


def health(name: str) -> bytes:
    """A mail about Microsoft 365's health, as the fixture has it."""
    table: dict[str, Any] = tomllib.loads((ROOT / "tests/fixtures/alerts/m365-health.toml").read_text())
    mail = next(m for m in table["mail"] if m["name"] == name)
    return write_mail(mail["from"], NOC, mail["subject"], mail["body"], MORNING)


def vendors() -> str:
    """Two clients that use the vendor's service."""
    return VENDORS.format("fabrikam", "Fabrikam", "Eve") + VENDORS.format("litware", "Litware", "Liv")


def test_a_vendors_trouble_is_of_everybody_who_uses_it(tmp_path: Path) -> None:
    """N.1: one incident for all who use the vendor's service, none for the others; its recovery ends it."""
    with by_hand(tmp_path, vendors()) as on:
        on.arrives(health("problem"))
        (incident,) = on.incidents()
        assert incident.scope == "vendor:microsoft 365"
        struck = on.app.store.records.affected_of(incident.id)
        assert [a.client_key for a in struck] == ["fabrikam", "litware"]
        on.later(minutes=20)
        previews = on.got(VALERY, LetterKind.PREVIEW)
        assert len(previews) == 2
        for preview in previews:
            on.replies(preview, "SEND")
        on.later(minutes=5)
        assert told(on, "fabrikam@fabrikam.example", "litware@litware.example", "ann@contoso.example") == [1, 1, 0]
        assert "Litware" not in on.last(ACK, "fabrikam@fabrikam.example").text
        on.arrives(health("recovery"))
        (incident,) = on.incidents()
        assert incident.state is IncidentState.RESTORED


def test_a_recovery_that_overtakes_its_problem_tells_nobody(tmp_path: Path) -> None:
    """S4.3, S4.12: the mails swapped on their way: the trouble is recorded as over, and nobody hears of it."""
    with by_hand(tmp_path, EXTRA) as on:
        began = on.now
        on.later(minutes=5)
        on.send(ZABBIX, word("FB-PRN01", event=1, over=True, date=began + timedelta(minutes=4)))
        on.turn()
        assert on.incidents() == []
        on.send(ZABBIX, word("FB-PRN01", event=1, date=began))
        on.later(hours=2)
        (incident,) = on.incidents()
        assert incident.state in {IncidentState.CLOSED, IncidentState.RESTORED}
        assert incident.ended_at is not None
        assert [m.recipients[0] for m in on.mail.sent if m.recipients[0] != NOC] == []
        on.send(ZABBIX, word("FB-PRN01", event=1, date=began + timedelta(minutes=1)))
        on.turn()
        assert on.decisions()[-1] == ("Ignore", "older-than-its-recovery")
        assert len(on.incidents()) == 1


def test_a_late_copy_of_a_problem_does_not_reopen(tmp_path: Path) -> None:
    """S4.3, N.6: a second mail about trouble that has ended since is older than the end, and changes nothing."""
    with by_hand(tmp_path, EXTRA) as on:
        began = on.now
        says(on, "FB-PRN01", event=1)
        on.later(minutes=20)
        says(on, "FB-PRN01", event=1, over=True)
        on.later(minutes=5)
        on.send(ZABBIX, word("FB-PRN01", event=1, date=began + timedelta(minutes=1)))
        on.turn()
        (incident,) = on.incidents()
        assert incident.state is IncidentState.RESTORED
        assert on.decisions()[-1] == ("Ignore", "older-than-its-recovery")
        assert told(on, EVE, MAX) == [1, 1]


def test_a_recovery_of_nothing_leaves_later_trouble_alone(tmp_path: Path) -> None:
    """S4.3: a recovery whose problem never came opens nothing, and does not end what begins afterwards."""
    with by_hand(tmp_path, EXTRA) as on:
        says(on, "FB-PRN01", event=1, over=True)
        on.later(hours=1)
        assert on.incidents() == []
        says(on, "FB-PRN01", event=1)
        assert [i.state for i in on.incidents()] == [IncidentState.OPEN]


def test_trouble_that_comes_and_goes_is_one_incident(tmp_path: Path) -> None:
    """N.6, S0.3: five times down and up: one incident, at most one acknowledgement, one word to the liaison."""
    with by_hand(tmp_path, EXTRA) as on:
        for event, minutes in enumerate((2, 3, 20, 5, 30), 1):
            says(on, "FB-PRN01", event=event)
            on.later(minutes=minutes)
            says(on, "FB-PRN01", event=event, over=True)
            on.later(minutes=4)
        (incident,) = on.incidents()
        assert incident.state is IncidentState.RESTORED
        assert told(on, EVE, MAX) == [1, 1]
        assert len([m for m in on.got(VALERY, LetterKind.NOTICE) if "come back" in m.text]) == 1


def test_many_events_in_one_mail_are_a_storm(tmp_path: Path) -> None:
    """N.1: five alerts in one mail are judged one after the other: one incident, one acknowledgement."""
    with by_hand(tmp_path, EXTRA) as on:
        on.arrives(firing(*(("Fabrikam", f"FB-GW0{n}") for n in range(1, 6))))
        (root,) = alive(on)
        assert len(on.app.store.signals.of(root.id)) == 5
        on.later(minutes=20)
        assert told(on, EVE, MAX) == [1, 1]


def two(on: ByHand, *hosts: str) -> tuple[Incident, Incident]:
    """Two incidents of which the liaison has been told: one host is down, the other has restarted."""
    for event, (host, what) in enumerate(zip(hosts, ("is down", "has been restarted"), strict=True), 1):
        says(on, host, event=event, what=what)
    on.later(minutes=11)
    first, second = on.incidents()
    return first, second


def merge(on: ByHand, incident: Incident) -> None:
    """The incident goes on in the first one, says the liaison."""
    mail = next(m for m in on.got(VALERY, LetterKind.OPENED) if incident.reference in m.text + m.subject)
    on.replies(mail, f"MERGE {on.incidents()[0].reference}")


def test_a_client_of_two_merged_incidents_has_one_letter_each(tmp_path: Path) -> None:
    """N.6, S4.4: MERGE before the acknowledgements leave: one acknowledgement, one debrief, one thread."""
    with by_hand(tmp_path, EXTRA) as on:
        first, second = two(on, "FB-GW01", "FB-PRN01")
        merge(on, second)
        assert [i.id for i in alive(on)] == [first.id]
        on.later(minutes=10)
        assert told(on, EVE, MAX) == [1, 1]
        for event, (host, what) in enumerate((("FB-GW01", "is down"), ("FB-PRN01", "has been restarted")), 1):
            assert alive(on)[0].state is IncidentState.OPEN
            says(on, host, event=event, over=True, what=what)
        assert alive(on)[0].state is IncidentState.RESTORED
        on.later(minutes=15)
        (form,) = on.got(VALERY, LetterKind.FORM)
        on.replies(form, "1: A switch had failed.\n2: We replaced it.")
        on.replies(on.last(LetterKind.PREVIEW), "SEND")
        on.later(minutes=5)
        for person in (EVE, MAX):
            acknowledged, debrief = on.got(person)
            assert str(acknowledged.message["Message-ID"]) in str(debrief.message["References"])
        assert alive(on)[0].state is IncidentState.CLOSED
        assert [p.state for p in on.app.store.promises.of(first.id) if p.state == "open"] == []


def test_clients_of_merged_incidents_split_again(tmp_path: Path) -> None:
    """S4.4, N.10: MERGE and SPLIT by mail: each client's trouble ends by its own recovery, nobody is told twice."""
    with by_hand(tmp_path, EXTRA) as on:
        _, second = two(on, "FB-GW01", "LW-POS1")
        merge(on, second)
        (root,) = alive(on)
        assert {a.client_key for a in on.app.store.records.affected_of(root.id)} == {"fabrikam", "litware"}
        on.later(minutes=10)
        assert told(on, EVE, MAX, LIV) == [1, 1, 1]
        on.replies(on.last(LetterKind.OPENED), "SPLIT litware")
        assert len(alive(on)) == 2
        says(on, "LW-POS1", event=2, over=True, what="has been restarted")
        assert [i.state for i in alive(on)] == [IncidentState.OPEN, IncidentState.RESTORED]
        says(on, "FB-GW01", event=1, over=True)
        on.later(minutes=12)
        assert [i.state for i in alive(on)] == [IncidentState.RESTORED] * 2
        assert len(on.got(VALERY, LetterKind.FORM)) == 2
        assert told(on, EVE, MAX, LIV) == [1, 1, 1]
        assert not [m for m in on.got(LIV) if "Fabrikam" in m.text or "Eve" in m.text]


def test_what_waits_for_a_client_goes_with_it(tmp_path: Path) -> None:
    """N.6, S4.4: SPLIT while the first letter rests: STOP to the new incident stops it."""
    with by_hand(tmp_path, EXTRA) as on:
        _, second = two(on, "FB-GW01", "LW-POS1")
        merge(on, second)
        on.replies(on.last(LetterKind.OPENED), "SPLIT litware")
        on.replies(next(m for m in on.got(VALERY, LetterKind.OPENED) if "Litware" in m.text + m.subject), "STOP")
        on.later(minutes=10)
        assert told(on, EVE, MAX, LIV) == [1, 1, 0]


@pytest.mark.parametrize("minutes", [0, 10])
def test_who_was_split_off_is_told_once(tmp_path: Path, minutes: int) -> None:
    """N.3, S4.21: a client split off, before or after its first letter left, that writes too has no second one."""
    with by_hand(tmp_path, EXTRA) as on:
        _, second = two(on, "FB-GW01", "LW-POS1")
        merge(on, second)
        on.later(minutes=minutes)
        on.replies(on.last(LetterKind.OPENED), "SPLIT litware")
        struck = write_mail(f"Liv <{LIV}>", NOC, "Our tills are down", "Hello, our tills are down too.\n\nLiv", on.now)
        on.arrives(b"Authentication-Results: mx.msp.example; dmarc=pass header.from=litware.example\r\n" + struck)
        on.later(minutes=30)
        assert told(on, LIV) == [1]
