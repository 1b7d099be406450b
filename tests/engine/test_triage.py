"""Whose is it? What nobody could place is asked about once, and the answer carries the mail on and teaches."""

from pathlib import Path

import pytest

from mailflow.demo.clients import gmail_on_top
from mailflow.domain.incident import IncidentState
from mailflow.domain.letters import LetterKind, LetterState
from mailflow.domain.people import Role
from tests.engine.test_correlation import TWIN, trouble
from tests.house import DANA, NOC, RECOVERY, VALERY, ZABBIX, ByHand, by_hand, write_mail, zabbix_mail

pytestmark = pytest.mark.soak

ACK, NOTICE, SHOWN = LetterKind.ACKNOWLEDGEMENT, LetterKind.NOTICE, LetterKind.SHOWN
PAUL = "paul@msp.example"
ANN = "ann@contoso.example"
JO = "jo@lake.example"
JOHN = "john@northwind.example"


def unknown(on: ByHand, event: int = 1, host: str = "XX-99") -> None:
    """An alert about a machine that stands nowhere in the configuration."""
    on.alert(trouble(host, event), f"Problem: {host} has been restarted")


def over(on: ByHand, event: int = 1, host: str = "XX-99") -> None:
    on.alert(trouble(host, event, RECOVERY), f"Resolved in 9m 4s: {host} has been restarted")


# --- asking ---


def test_an_unknown_host_is_asked_about_once(tmp_path: Path) -> None:
    """N.1, S4.2: however many alerts an unknown host sends, the liaison is asked once, with the clients' keys."""
    with by_hand(tmp_path) as on:
        for event in range(1, 6):
            unknown(on, event)
            on.later(minutes=20)
        over(on, 3)
        (shown,) = on.got(VALERY, SHOWN)
        assert "northwind, contoso" in " ".join(shown.text.split())
        assert on.incidents() == []
        unknown(on, 9, "YY-1")
        assert len(on.got(VALERY, SHOWN)) == 2


def test_the_end_of_what_nobody_was_told_of_is_not_shown(tmp_path: Path) -> None:
    """N.1: an unknown host's recovery, with no problem before it, asks nobody anything."""
    with by_hand(tmp_path) as on:
        over(on)
        assert on.got(VALERY, SHOWN) == []


def test_one_answer_places_all_of_a_mail_with_two_unknown_things(tmp_path: Path) -> None:
    """S4.2: two unknown hosts in one mail are one question; the answer places and teaches both, and none is lost."""
    with by_hand(tmp_path) as on:
        on.arrives(bulk(on))
        assert on.decisions() == [("Show", "alert-of-no-client")] * 2
        (shown,) = on.got(VALERY, SHOWN)
        on.replies(shown, "northwind")
        assert {i.title for i in on.incidents()} == {"XX-98", "XX-99"}
        assert {t.lesson.value for t in on.app.store.lessons.all()} == {"xx-98", "xx-99"}
        assert on.app.store.waiting.about(1) is None


# --- the answer ---


def test_the_answer_opens_the_incident_from_the_kept_mails(tmp_path: Path) -> None:
    """N.1: "northwind" opens it from the mails that waited, tells nobody more than usual, and teaches the host."""
    with by_hand(tmp_path) as on:
        unknown(on)
        on.later(minutes=2)
        on.replies(on.last(SHOWN), "northwind")
        (incident,) = on.incidents()
        (affected,) = on.app.store.records.affected_of(incident.id)
        assert (affected.client_key, incident.state) == ("northwind", IncidentState.OPEN)
        assert "XX-99" in on.last(NOTICE).text.upper()
        # What the client calls the thing is not known, so its letter waits for SEND, as it would from any alert.
        assert [x.state for x in on.letters(ACK)] == [LetterState.HELD]
        (taught,) = on.app.store.lessons.all()
        assert (taught.lesson.value, taught.lesson.client_key, taught.by) == ("xx-99", "northwind", VALERY)
        over(on)
        assert on.incidents()[0].state is IncidentState.RESTORED
        assert len(on.got(VALERY, SHOWN)) == 1


def test_problem_and_recovery_that_both_waited_are_carried_out_in_order(tmp_path: Path) -> None:
    """N.1: a problem and its recovery that waited make one incident that is over; none of them asks again."""
    with by_hand(tmp_path) as on:
        unknown(on)
        on.later(minutes=9)
        over(on)
        on.later(minutes=1)
        on.replies(on.last(SHOWN), "Northwind")
        (incident,) = on.incidents()
        assert incident.state in {IncidentState.RESTORED, IncidentState.CLOSED}
        assert "with 1 more that waited" in " ".join(on.last(NOTICE).text.split())


def test_the_next_alert_of_a_taught_host_needs_nobody(tmp_path: Path) -> None:
    """N.1: once taught, another trouble of the same host opens at once for that client."""
    with by_hand(tmp_path) as on:
        unknown(on)
        on.replies(on.last(SHOWN), "northwind")
        over(on)
        on.later(days=2)
        unknown(on, 2)
        assert on.decisions()[-1] == ("OpenFromAlert", "new-key")
        assert len(on.got(VALERY, SHOWN)) == 1


def test_a_lesson_that_is_taken_back_counts_no_more(tmp_path: Path) -> None:
    """N.1: after a lesson is revoked, the host is asked about again."""
    with by_hand(tmp_path) as on:
        unknown(on)
        on.replies(on.last(SHOWN), "northwind")
        over(on)
        on.later(days=2)
        (taught,) = on.app.store.lessons.all()
        assert on.app.store.lessons.revoke(taught.id, on.now)
        assert not on.app.store.lessons.revoke(taught.id, on.now)
        unknown(on, 2)
        assert on.decisions()[-1] == ("Show", "alert-of-no-client")
        assert len(on.got(VALERY, SHOWN)) == 2


def test_a_newer_lesson_about_the_same_stands(tmp_path: Path) -> None:
    """N.1: the newest answer about a host is the one that counts."""
    with by_hand(tmp_path) as on:
        unknown(on)
        on.replies(on.last(SHOWN), "northwind")
        (taught,) = on.app.store.lessons.all()
        on.app.store.lessons.revoke(taught.id, on.now)
        over(on)
        on.later(days=2)
        unknown(on, 2)
        on.replies(on.last(SHOWN), "contoso")
        over(on, 2)
        on.later(days=2)
        unknown(on, 3)
        of = [on.app.store.records.affected_of(i.id)[0].client_key for i in on.incidents()]
        assert of == ["northwind", "contoso", "contoso"]


def test_the_configuration_stands_above_what_was_taught(tmp_path: Path) -> None:
    """N.1: where the configuration gives a host to a client, no lesson makes it another's."""
    mine = '[[client.component]]\nname = "new server"\nplain = "your new server"\nhosts = ["XX-99"]\n'
    with by_hand(tmp_path) as on:
        unknown(on)
        on.replies(on.last(SHOWN), "northwind")
        over(on)
        on.later(days=2)
        on.extra = mine  # at the end of the file: Contoso's
        on.restart()
        unknown(on, 2)
        assert on.app.store.records.affected_of(on.incidents()[-1].id)[0].client_key == "contoso"


def test_placing_what_two_clients_have_teaches_nothing(tmp_path: Path) -> None:
    """N.1: a host that stands at two clients is placed for this trouble only: the next is asked about again."""
    with by_hand(tmp_path, TWIN) as on:
        on.alert()
        on.replies(on.last(SHOWN), "fabrikam")
        (incident,) = on.incidents()
        assert on.app.store.records.affected_of(incident.id)[0].client_key == "fabrikam"
        assert on.app.store.lessons.all() == []
        on.later(days=1)
        unknown(on, 77, "NW-FS01")
        assert len(on.got(VALERY, SHOWN)) == 2
        assert len(on.incidents()) == 1


def test_two_troubles_of_what_two_clients_have_are_two_questions(tmp_path: Path) -> None:
    """N.1: the same host name in trouble at both clients: the answer to one says nothing of the other."""
    with by_hand(tmp_path, TWIN) as on:
        on.alert()
        first = on.last(SHOWN)
        unknown(on, 77, "NW-FS01")
        second = on.last(SHOWN)
        on.replies(first, "fabrikam")
        assert len(on.incidents()) == 1
        on.replies(second, "northwind")
        of = [on.app.store.records.affected_of(i.id)[0].client_key for i in on.incidents()]
        assert of == ["fabrikam", "northwind"]


def test_the_recovery_of_placed_trouble_ends_it(tmp_path: Path) -> None:
    """N.1: what was placed by hand is ended by its own recovery, though the host is still at two clients."""
    with by_hand(tmp_path, TWIN) as on:
        on.alert()
        on.replies(on.last(SHOWN), "fabrikam")
        on.later(minutes=9)
        on.recovery()
        assert on.incidents()[0].state is not IncidentState.OPEN
        assert len(on.got(VALERY, SHOWN)) == 1


def test_a_second_answer_changes_nothing(tmp_path: Path) -> None:
    """N.1, S0.8: an answer to what is placed already is answered so, and opens and teaches nothing."""
    with by_hand(tmp_path) as on:
        unknown(on)
        shown = on.last(SHOWN)
        on.replies(shown, "northwind")
        on.replies(shown, "contoso")
        assert "Nothing of that mail waits to be placed" in " ".join(on.last(NOTICE).text.split())
        assert len(on.incidents()) == 1
        assert [t.lesson.client_key for t in on.app.store.lessons.all()] == ["northwind"]


def test_a_word_that_is_no_client_places_nothing(tmp_path: Path) -> None:
    """N.1: an answer that is no client's key is said so, with the keys; the question stays open for the right one."""
    with by_hand(tmp_path) as on:
        unknown(on)
        shown = on.last(SHOWN)
        on.replies(shown, "nobody I know")
        assert on.incidents() == []
        assert on.decisions()[-1] == ("Obey", "names-no-client")
        assert "contoso, northwind" in " ".join(on.last(NOTICE).text.split())
        on.replies(shown, "contoso")
        assert len(on.incidents()) == 1


def test_a_command_in_the_answer_still_counts(tmp_path: Path) -> None:
    """N.1: OPEN in reply to "not placed" opens, and places nothing by itself."""
    with by_hand(tmp_path) as on:
        unknown(on)
        on.replies(on.last(SHOWN), "OPEN contoso: the new machine is down")
        assert [i.title for i in on.incidents()] == ["the new machine is down"]
        assert on.app.store.lessons.all() == []


# --- who may answer ---


def test_an_answer_that_nobody_vouches_for_places_nothing(tmp_path: Path) -> None:
    """S4.9: a reply in the liaison's name that the provider does not vouch for opens and teaches nothing."""
    with by_hand(tmp_path) as on:
        unknown(on)
        on.arrives(gmail_on_top(on.last(SHOWN), f"Valery Stufano <{VALERY}>", "northwind", on.now))
        assert on.incidents() == []
        assert on.app.store.lessons.all() == []


@pytest.mark.parametrize("who", [PAUL, JOHN])
def test_an_answer_of_somebody_else_places_nothing(tmp_path: Path, who: str) -> None:
    """N.6: a colleague, or a client to whom the question was forwarded, cannot say whose a mail is."""
    with by_hand(tmp_path) as on:
        unknown(on)
        on.replies(on.last(SHOWN), "northwind", who)
        assert all(i.key.startswith("mail:") for i in on.incidents())
        assert on.app.store.lessons.all() == []
        assert on.app.store.waiting.about(1) is not None


def test_a_manager_may_place(tmp_path: Path) -> None:
    """N.6: a manager to whom the question was forwarded may answer it."""
    with by_hand(tmp_path) as on:
        unknown(on)
        on.replies(on.last(SHOWN), "northwind", DANA)
        staff = on.app.setup.directory.staff_at(DANA)
        assert staff
        assert staff.role is Role.MANAGER
        assert len(on.incidents()) == 1
        assert [t.by for t in on.app.store.lessons.all()] == [DANA]


def test_a_forged_alert_cannot_be_placed(tmp_path: Path) -> None:
    """S4.9: an alert whose sender the provider disowns is shown, and a client's key in the answer places nothing."""
    with by_hand(tmp_path) as on:
        forged = zabbix_mail("Problem: NW-FS01 has been restarted", trouble("NW-FS01", 5), on.now)
        results = b"Authentication-Results: mx.msp.example; dmarc=fail header.from=msp.example\r\n"
        on.arrives(results + forged)
        assert on.decisions() == [("Show", "alert-of-a-forged-sender")]
        on.replies(on.last(SHOWN), "northwind")
        assert on.incidents() == []
        assert on.app.store.lessons.all() == []


# --- a person's mail ---


@pytest.mark.parametrize("auth", ['"generic"', '"none"'])
def test_a_strangers_mail_is_placed_by_key(tmp_path: Path, auth: str) -> None:
    """N.1: a person's mail that is placed opens for that client; no letter goes out by itself; they are known now."""
    with by_hand(tmp_path, auth=auth, client='"auto"') as on:
        on.arrives(write_mail(f"Jo Lake <{JO}>", NOC, "Door system", "The door system is down.\n", on.now))
        assert on.decisions()[-1][0] == "Show"
        on.replies(on.last(SHOWN), "contoso")
        (incident,) = on.incidents()
        assert on.app.store.records.affected_of(incident.id)[0].client_key == "contoso"
        on.later(hours=2)
        assert on.got(JO) == []
        assert all(x.state is LetterState.HELD for x in on.letters(ACK))
        on.arrives(write_mail(f"Jo Lake <{JO.upper()}>", NOC, "Again", "The door system is still down.\n", on.now))
        assert len(on.got(VALERY, SHOWN)) == 1
        assert on.decisions()[-1][0] == "ClientSaid"
        assert on.got(ANN) == []


def test_mail_of_a_machine_that_nobody_knows_is_no_topic_for_all(tmp_path: Path) -> None:
    """S4.2: two strangers are two questions: the answer about one says nothing of the other."""
    with by_hand(tmp_path) as on:
        on.arrives(write_mail(f"Jo Lake <{JO}>", NOC, "Door", "The door system is down.\n", on.now))
        on.arrives(write_mail("Kim Ray <kim@ray.example>", NOC, "Offer", "Buy our phones.\n", on.now))
        first, second = on.got(VALERY, SHOWN)
        on.replies(first, "contoso")
        assert len(on.incidents()) == 1
        assert [t.lesson.value for t in on.app.store.lessons.all()] == [JO]
        assert second.subject != first.subject


def test_an_answer_to_forgotten_mail_opens_nothing(tmp_path: Path) -> None:
    """DESIGN 4: where the kept bytes are forgotten, the answer says that it is placed, and nothing breaks."""
    with by_hand(tmp_path, keep_raw_days="30") as on:
        unknown(on)
        shown = on.last(SHOWN)
        on.later(days=60)
        on.replies(shown, "northwind")
        assert on.app.store.mailroom.quarantined() == []
        assert on.app.store.waiting.about(1) is None
        assert [x.kind for x in on.letters()][-1] is NOTICE


def bulk(on: ByHand) -> bytes:
    """Two hosts' trouble in one mail, as Alertmanager groups it."""
    text = "2 alerts for alertname=HostDown\n\n[2] Firing\n"
    for host in ("XX-98", "XX-99"):
        text += f"Labels\nalertname = HostDown\ninstance = {host}\nseverity = critical\nSource\n\n"
    return write_mail(f"Alertmanager <{ZABBIX}>", NOC, "[FIRING:2] HostDown", text, on.now)


def test_a_mail_of_ones_own_is_opened_by_the_clients_key(tmp_path: Path) -> None:
    """N.1, N.5: a liaison's mail without a command is shown to her; the client's key alone opens it, with her words."""
    with by_hand(tmp_path) as on:
        on.writes(VALERY, "Their printers print nothing since eight.\n", "Printers")
        assert "reply with the client's key alone" in " ".join(on.last(SHOWN).text.split())
        on.replies(on.last(SHOWN), "northwind")
        (incident,) = on.incidents()
        assert incident.title == "Printers"
        assert [e.text for e in on.app.store.records.timeline(1) if e.what == "note"] == [
            "Their printers print nothing since eight."
        ]


def test_a_misspelt_command_in_a_new_mail_is_asked_about(tmp_path: Path) -> None:
    """N.5: OPNE opens nothing, and is answered with what it may have meant."""
    with by_hand(tmp_path) as on:
        on.writes(VALERY, "OPNE northwind: the printers print nothing\n", "Printers")
        assert on.incidents() == []
        assert "Did you mean OPEN" in " ".join(on.last(NOTICE).text.split())
