"""Which alerts belong together, when trouble is over, and who is told of it."""

from collections.abc import Sequence
from pathlib import Path

from mailflow.domain.incident import IncidentState, PromiseState
from mailflow.domain.letters import LetterKind, LetterState
from mailflow.engine.brake import Brake
from tests.house import JOHN, MORNING, NOC, PROBLEM, RECOVERY, SHIRLEY, VALERY, by_hand, write_mail

TWIN = """
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
name = "file server"
plain = "your file server"
hosts = ["NW-FS01"]
[[client.component]]
name = "directory"
plain = "your sign-in server"
hosts = ["SRV-DC01"]
criticality = "critical"
[[client.component]]
name = "second directory"
plain = "your second sign-in server"
hosts = ["SRV-DC02"]
criticality = "critical"
"""
BACKUP = """Backup job: {job}
[{result}] {job} (1 objects)
Tuesday, November 24, 2026 2:00:05 AM
{result} 0
Start time 2:00:05 AM
End time 2:14:11 AM
Details
NW-FS01 {result} 2:00:20 AM 2:14:09 AM 512.0 GB
Veeam Backup & Replication 12.1.0.2131
"""
ACK = LetterKind.ACKNOWLEDGEMENT


def trouble(host: str, event: int, body: str = PROBLEM) -> str:
    """The same alert about another machine, under another number."""
    return body.replace("NW-FS01", host).replace("184467", str(event))


def veeam(result: str, job: str = "Nightly NW-FS01") -> bytes:
    return write_mail(
        "Veeam <backup@northwind.example>",
        NOC,
        f"[{result}] {job} (1 objects)",
        BACKUP.format(job=job, result=result),
        MORNING,
    )


def test_a_second_alert_joins_and_a_recovery_ends(tmp_path: Path) -> None:
    """N.1, S4.6: more alerts of the same trouble are lines of its record; the recovery says when it was over."""
    with by_hand(tmp_path) as on:
        on.alert()
        on.later(minutes=4)
        on.alert()
        on.later(minutes=4)
        on.recovery()
        (incident,) = on.incidents()
        assert incident.state is IncidentState.RESTORED
        assert incident.ended_at is not None
        assert (incident.ended_at - incident.started_at).total_seconds() // 60 == 8
        whats = [entry.what for entry in on.app.store.records.timeline(incident.id)]
        assert [w for w in whats if w in {"opened", "alert", "recovered"}] == ["opened", "alert", "recovered"]
        assert len(on.got(JOHN)) == 1


def test_a_relapse_within_the_window_is_the_same_incident(tmp_path: Path) -> None:
    """S0.3: trouble that comes back soon goes on in the same incident, and nobody is acknowledged twice."""
    with by_hand(tmp_path) as on:
        on.alert()
        on.later(minutes=4)
        on.recovery()
        on.later(hours=3)
        on.alert()
        on.later(minutes=10)
        (incident,) = on.incidents()
        assert incident.state is IncidentState.OPEN
        assert incident.ended_at is None
        assert on.decisions()[-1] == ("Relapse", "same-key-soon-after-its-end")
        assert len(on.got(JOHN, ACK)) == 1


def test_the_same_trouble_days_later_is_a_new_incident(tmp_path: Path) -> None:
    """S0.3: after the window it is new trouble, with a promise and an acknowledgement of its own."""
    with by_hand(tmp_path) as on:
        on.alert()
        on.later(minutes=4)
        on.recovery()
        on.later(hours=5)
        on.alert()
        on.later(minutes=4)
        assert len(on.incidents()) == 2
        first, second = on.got(JOHN, ACK)
        assert first.text != second.text
        assert second.message["In-Reply-To"] is None


def test_a_recovery_of_nothing_opens_nothing(tmp_path: Path) -> None:
    """S4.3: a recovery mail closes an outage, it never opens an incident."""
    with by_hand(tmp_path) as on:
        on.recovery()
        assert on.incidents() == []
        assert on.mail.sent[1:] == []


def test_one_host_name_at_two_clients_is_shown_and_opens_nothing(tmp_path: Path) -> None:
    """N.1: where a host may be either client's, nobody guesses: the liaison sees it, no client hears of it."""
    with by_hand(tmp_path, TWIN) as on:
        on.alert()
        on.later(hours=1)
        assert on.incidents() == []
        assert on.decisions() == [("Show", "alert-of-two-clients")]
        assert [m.recipients[0] for m in on.mail.sent[1:]] == [VALERY]


def test_names_that_look_alike_never_merge(tmp_path: Path) -> None:
    """N.1: SRV-DC01 and SRV-DC02 are two incidents, and the recovery of one leaves the other open."""
    with by_hand(tmp_path, TWIN) as on:
        for event, host in enumerate(("SRV-DC01", "SRV-DC02"), 1):
            on.alert(trouble(host, event), f"Problem: {host} has been restarted")
        on.alert(trouble("SRV-DC02", 2, RECOVERY), "Resolved in 1m: SRV-DC02 has been restarted")
        assert [i.state for i in on.incidents()] == [IncidentState.OPEN, IncidentState.RESTORED]


def test_a_blip_within_the_settle_time_is_told_to_nobody(tmp_path: Path) -> None:
    """S4.12: trouble that is over within the settle time: no mail to anybody, and the incident closes itself."""
    with by_hand(tmp_path) as on:
        on.alert(trouble("NW-MX01", 7), "Problem: NW-MX01 has been restarted")
        on.later(minutes=5)
        on.alert(trouble("NW-MX01", 7, RECOVERY), "Resolved in 5m: NW-MX01 has been restarted")
        on.later(minutes=30)
        on.later(days=5)
        assert [m.recipients[0] for m in on.mail.sent if m.recipients[0] != NOC] == []
        (incident,) = on.incidents()
        assert incident.state is IncidentState.CLOSED
        assert [p.state for p in on.app.store.promises.of(incident.id)] == [PromiseState.RELEASED]


def test_a_blip_brings_no_form_while_its_acknowledgement_still_waits(tmp_path: Path) -> None:
    """S4.12: over within the settle time, the form's hour comes before the acknowledgement's: the form waits too."""
    with by_hand(tmp_path) as on:
        on.alert(trouble("NW-MX01", 7), "Problem: NW-MX01 has been restarted")
        on.later(minutes=1)
        on.alert(trouble("NW-MX01", 7, RECOVERY), "Resolved in 1m: NW-MX01 has been restarted")
        on.later(minutes=11)
        assert on.letters(LetterKind.FORM) == []
        on.later(minutes=3)
        assert on.letters(LetterKind.FORM) == []
        assert on.incidents()[0].state is IncidentState.CLOSED


def test_an_acknowledgement_that_has_not_left_is_dropped_once_it_is_over(tmp_path: Path) -> None:
    """DESIGN 1.8: over before the acknowledgement left: it is dropped with its reason, and nothing is owed."""
    with by_hand(tmp_path) as on:
        on.alert()
        on.later(minutes=1)
        on.recovery()
        on.later(minutes=20)
        (letter,) = on.letters(ACK)
        assert (letter.state, letter.reason) == (LetterState.DROPPED, "over-before-it-left")
        assert on.got(JOHN) == []
        assert on.incidents()[0].state is IncidentState.CLOSED


def test_an_acknowledgement_after_the_end_says_that_it_is_back(tmp_path: Path) -> None:
    """N.3, S0.2: Eve was told, Max's letter was held meanwhile, and it is over: his letter says since when."""
    with by_hand(tmp_path, TWIN) as on:

        def pause(_: str, to: Sequence[str]) -> None:
            on.mail.faults.clear()
            Brake(on.app.store).pause("dana", on.now)  # between two letters, from another thread
            on.app.store.disconnect()

        on.alert(trouble("SRV-DC01", 1), "Problem: SRV-DC01 has been restarted")
        on.mail.faults.append(pause)
        on.later(minutes=4)
        assert len(on.got("eve@fabrikam.example")) == 1
        assert on.got("max@fabrikam.example") == []
        on.alert(trouble("SRV-DC01", 1, RECOVERY), "Resolved in 4m: SRV-DC01 has been restarted")
        on.later(minutes=1)
        Brake(on.app.store).resume(on.now)
        on.turn()
        (late,) = on.got("max@fabrikam.example")
        ended = on.incidents()[0].ended_at
        assert ended is not None
        assert f"{ended.astimezone(on.now.tzinfo):%-H:%M}" in late.text


def test_a_failed_backup_is_an_incident_without_a_client_letter(tmp_path: Path) -> None:
    """DESIGN 3: class backup is acknowledged never; the next success of the same job ends it, no letter, no debrief."""
    with by_hand(tmp_path) as on:
        on.arrives(veeam("Failed"))
        on.later(hours=1)
        (incident,) = on.incidents()
        assert incident.class_ == "backup"
        assert len(on.got(VALERY, LetterKind.OPENED)) == 1
        assert on.letters(ACK) == []
        on.arrives(veeam("Success"))
        on.later(hours=1)
        assert on.incidents()[0].state is IncidentState.CLOSED
        on.later(days=7)
        assert on.got(JOHN) == []
        assert on.letters(LetterKind.FORM, LetterKind.DIGEST) == []


def test_a_recipe_from_memory_acknowledges_nobody_by_itself(tmp_path: Path) -> None:
    """DESIGN 4: an unconfirmed recipe's acknowledgement waits for SEND, though the policy says auto."""
    recipes = tmp_path / "recipes"
    recipes.mkdir()
    shipped = (Path(__file__).parents[2] / "mailflow/recipes/zabbix.toml").read_text()
    (recipes / "zabbix.toml").write_text(
        shipped.replace('recovery = "mail"', 'recovery = "mail"\nunconfirmed = true', 1)
    )
    with by_hand(tmp_path, recipes='"recipes"') as on:
        on.alert()
        on.later(hours=1)
        (held,) = on.letters(ACK)
        assert (held.state, held.approved) == (LetterState.HELD, False)
        assert on.got(JOHN) == []
        on.replies(on.last(LetterKind.PREVIEW), "SEND")
        on.later(minutes=4)
        assert len(on.got(JOHN, ACK)) == 1


def test_a_thing_without_a_plain_name_waits_for_review(tmp_path: Path) -> None:
    """DESIGN 4: without a word of the client's own for the thing nothing is sent by itself."""
    extra = '[[client.component]]\nname = "SQL"\nhosts = ["CO-SQL01"]\n'
    with by_hand(tmp_path, extra) as on:
        on.alert(trouble("CO-SQL01", 3), "Problem: CO-SQL01 has been restarted")
        on.later(hours=1)
        assert on.got("ann@contoso.example") == []
        assert [letter.state for letter in on.letters(ACK)] == [LetterState.HELD]


def test_a_client_who_writes_while_it_runs_joins_it(tmp_path: Path) -> None:
    """S4.21: a client's mail about running trouble opens nothing; the liaison has it, in the incident's thread."""
    with by_hand(tmp_path) as on:
        on.alert()
        on.later(minutes=2)
        on.writes(SHIRLEY, "I can't open the Data drive.", "Data drive")
        assert len(on.incidents()) == 1
        shown = on.last(LetterKind.FORWARD)
        opened = on.last(LetterKind.OPENED)
        assert "I can't open the Data drive." in shown.text
        assert str(opened.message["Message-ID"]) in str(shown.message["References"])


def test_trouble_that_a_client_noticed_is_not_closed_in_silence(tmp_path: Path) -> None:
    """S3.1: over before anybody was told, but Shirley wrote: a debrief is owed, so the liaison gets the form."""
    with by_hand(tmp_path) as on:
        on.alert()
        on.writes(SHIRLEY, "I can't open the Data drive.", "Data drive")
        on.later(minutes=1)
        on.recovery()
        on.later(minutes=15)
        assert on.incidents()[0].state is IncidentState.RESTORED
        assert len(on.got(VALERY, LetterKind.FORM)) == 1
