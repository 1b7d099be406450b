"""Monitors' mails in any order, doubled and late: what is on at the end is on, what is over is over."""

import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from mailflow.domain.incident import IncidentState
from mailflow.domain.letters import LetterKind
from tests.house import MORNING, ByHand, by_hand, zabbix_mail

pytestmark = pytest.mark.soak

EXTRA = """
criticality = "critical"
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
[[client.component]]
name = "print server"
plain = "your print server"
hosts = ["FB-PRN01"]
"""
# Host, the client's key and person, and the words that belong to this client alone.
OF = {
    "NW-FS01": ("northwind", "john@northwind.example", ("Northwind", "John", "file server")),
    "CO-ACC01": ("contoso", "ann@contoso.example", ("Contoso", "Ann", "accounting")),
    "FB-PRN01": ("fabrikam", "eve@fabrikam.example", ("Fabrikam", "Eve", "print server")),
}
APART = timedelta(hours=6)  # between two outages of one thing, by the monitor's clock
# How long a mail may take: at once, within the settle time, past it, past the next outage, overnight.
DELAYS = st.sampled_from([0, 4, 20, 90, 9 * 60, 30 * 60]).map(lambda minutes: timedelta(minutes=minutes))


@dataclass(frozen=True, kw_only=True)
class Outage:
    """One thing's trouble as its monitor saw it."""

    event: int
    host: str
    began: datetime
    over: bool
    mails: tuple[tuple[datetime, str, timedelta], ...]  # the monitor's Date, what it says, the way's length


@st.composite
def histories(draw: st.DrawFn) -> list[Outage]:
    """Some outages; each mail comes once or twice, each copy after a way of its own."""
    outages = []
    for event in range(1, draw(st.integers(1, 4)) + 1):
        began = MORNING + event * APART  # no two begin together, so that no two of one thing do
        lasts = timedelta(minutes=draw(st.sampled_from([6, 45, 200])))
        over = draw(st.booleans())
        said = [(began, "problem")]
        if draw(st.booleans()):
            said.append((began + lasts / 2, "update"))
        if over:
            said.append((began + lasts, "recovery"))
        mails = [
            (date + timedelta(seconds=copy), what, draw(DELAYS))
            for date, what in said
            for copy in range(draw(st.integers(1, 2)))
        ]
        host = draw(st.sampled_from(sorted(OF)))
        outages.append(Outage(event=event, host=host, began=began, over=over, mails=tuple(mails)))
    return outages


def mail_of(outage: Outage, what: str, date: datetime) -> bytes:
    """What Zabbix writes about it."""
    name = f"{outage.host} is down"
    head, subject = {
        "problem": ("Problem started at {time} on {day}", f"Problem: {name}"),
        "recovery": ("Problem has been resolved at {time} on {day}", f"Resolved in 9m 4s: {name}"),
        "update": (
            "Dana Reyes acknowledged problem at {day} {time}.\nCurrent problem status is PROBLEM, acknowledged: Yes.",
            f"Updated problem in 9m 4s: {name}",
        ),
    }[what]
    body = f"{head}\nProblem name: {name}\nHost: {outage.host}\nSeverity: High\nOriginal problem ID: {outage.event}\n"
    return zabbix_mail(subject, body, date)


@settings(
    max_examples=12,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(histories())
def test_in_any_order_the_record_ends_as_the_monitor_saw_it(history: list[Outage]) -> None:
    """S4.3, N.1, N.6, N.10: what is on is open, what is over is not; one letter an outage, nobody else's words."""
    with tempfile.TemporaryDirectory() as folder, by_hand(Path(folder), EXTRA, storm_count="1") as on:
        ways = [(date + way, date, what, outage) for outage in history for date, what, way in outage.mails]
        for arrives, date, what, outage in sorted(ways, key=lambda way: way[0]):
            on.at(max(arrives, on.now))
            on.arrives(mail_of(outage, what, date))
        on.later(hours=1)
        for outage in history:
            trouble_ended_as_it_should(on, outage)
        for host in OF:
            letters_are_right(on, host, sum(outage.host == host for outage in history))
        assert not on.app.store.mailroom.counts().get("quarantined")


def trouble_ended_as_it_should(on: ByHand, outage: Outage) -> None:
    """One signal, in an incident of its own client, which is open as long as anything in it is on."""
    store = on.app.store
    signals = [s for i in on.incidents() for s in store.signals.of(i.id) if s.key == f"zabbix:{outage.event}"]
    (signal,) = signals
    assert signal.scope == f"client:{OF[outage.host][0]}"
    assert (signal.ended_at is not None) is outage.over
    assert signal.incident_id is not None
    incident = store.records.incident(signal.incident_id)
    assert [a.client_key for a in store.records.affected_of(incident.id)] == [OF[outage.host][0]]
    on_still = any(s.ended_at is None for s in store.signals.of(incident.id))
    assert (incident.state is IncidentState.OPEN) is on_still
    assert (incident.ended_at is None) is on_still


def letters_are_right(on: ByHand, host: str, outages: int) -> None:
    """No more acknowledgements than outages, one an incident at most, and no word of another client's."""
    _, person, _ = OF[host]
    acknowledged = [x for x in on.letters(LetterKind.ACKNOWLEDGEMENT) if x.recipient.address == person and x.sent_at]
    assert len(acknowledged) <= outages
    assert len({x.incident_id for x in acknowledged}) == len(acknowledged)
    foreign = [word for other, (_, _, words) in OF.items() if other != host for word in words]
    for mail in on.sent_to(person):
        assert not [word for word in foreign if word in mail.subject + mail.text + mail.html]
