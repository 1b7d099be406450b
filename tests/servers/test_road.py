"""The whole story on Dovecot, Postfix, SQLite and PostgreSQL, and how far letters go by themselves."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from mailflow.domain.letters import LetterState
from tests.house import NOC, until
from tests.servers.certificates import Certificates
from tests.servers.postfix import Postfix
from tests.servers.road import (
    CLIENTS,
    DANA,
    DONE,
    JOHN,
    PATIENCE,
    SHIRLEY,
    VALERY,
    LostAnswer,
    Road,
    back,
    reboot,
    road,
    send,
    shirley_writes,
    to_the_preview,
    wait_for_line,
)

pytestmark = pytest.mark.servers


@pytest.fixture
def lost_answer(certificates: Certificates, postfix: Postfix) -> Iterator[LostAnswer]:
    """A submission server whose answer to a dot can get lost."""
    server = LostAnswer(certificates, postfix)
    yield server
    server.close()


def the_debrief_in_its_thread(on: Road) -> None:
    """John has the debrief below his acknowledgement, from Valery by name, and Valery is told."""
    debrief = on.expect(JOHN, "Problem Identified")
    first, last = on.mailbox(JOHN)
    assert debrief.message["Message-ID"] == last.message["Message-ID"]
    assert last.message["In-Reply-To"] == first.message["Message-ID"]
    assert last.subject == f"Re: {first.subject}"
    assert str(last.message["From"]) == f"Valery Stufano <{NOC}>"
    assert "Windows update" in debrief.text
    assert "Sunday night only" in debrief.text
    on.expect(VALERY, "has the letter")


def the_rest(on: Road, *, confirmed: bool) -> None:
    """An incident by mail, the form before it is due, and the digest after."""
    on.write(VALERY, "Contoso upgrade", "OPEN contoso: upgrade was not announced\n")
    if confirmed:
        asked = on.expect(VALERY, "A mail in your name")
        assert len(on.app.store.records.incidents(running_only=False, limit=9)) == 1
        on.answer(asked, "OPEN contoso: upgrade was not announced")
    on.expect(VALERY, "Contoso: upgrade was not announced")
    on.settle()
    (incident, _), *_ = on.app.store.records.incidents(running_only=True, limit=9)
    (promise,) = on.app.store.promises.of(incident.id)
    on.clock.move_to(promise.due_at - timedelta(hours=1))
    on.app.hasten()
    on.expect(VALERY, "Contoso: what was it")
    on.move_on(hours=26)
    digest = on.expect(DANA, "overdue")
    assert "upgrade was not announced" in digest.text
    assert len(on.app.store.records.incidents(running_only=False, limit=9)) == 2


def test_the_story_over_tls_on_sqlite(tmp_path: Path, postfix: Postfix) -> None:
    """S0.1 to S0.4, S0.8, S0.12, S4.6: the story, alerts filed by MOVE, and the provider's word on who sent what."""
    with road(tmp_path, postfix, proof='"copy"', file='"move"', auth='"generic"') as on:
        opened, told = reboot(on)
        assert opened.message["Message-ID"] != told.message["Message-ID"]
        back(on)
        shirley_writes(on)
        send(on, to_the_preview(on))
        the_debrief_in_its_thread(on)
        the_rest(on, confirmed=False)
        on.settle()
        done = until(lambda: [m.subject for m in on.mailbox(NOC, DONE)], within=PATIENCE)
        assert sum("NW-FS01" in subject for subject in done) == 3
        in_sight = [str(m.message["From"]) for m in on.mailbox(NOC)]
        assert in_sight == [f"Shirley <{SHIRLEY}>"]
        assert not on.complaints()


def test_the_story_over_starttls_on_postgresql(tmp_path: Path, postfix: Postfix, fresh_postgres_database: str) -> None:
    """The same tables, letters and thread on PostgreSQL; nothing moves, and what nobody vouches for is asked first."""
    changes = {"proof": '"sent"', "file": '"leave"', "auth": '"none"', "url": f'"{fresh_postgres_database}"'}
    with road(tmp_path, postfix, **changes) as on:
        on.restart(**changes, imap=on.imap("starttls"))
        reboot(on)
        back(on)
        shirley_writes(on)
        send(on, to_the_preview(on))
        the_debrief_in_its_thread(on)
        the_rest(on, confirmed=True)
        on.settle()
        assert not on.mailbox(NOC, DONE)
        assert sum("NW-FS01" in m.subject for m in on.mailbox(NOC)) == 3
        assert not on.complaints()


def test_live_off_writes_to_no_client(tmp_path: Path, postfix: Postfix) -> None:
    """DESIGN 4, live = off: the whole story, and Postfix never sees a client's address; all comes to Valery, marked."""
    with road(tmp_path, postfix, live='"off"', auth='"generic"') as on:
        on.alert()
        on.expect(VALERY, "restarted")
        on.move_on(minutes=4)
        withheld = on.expect(VALERY, "would have gone to")
        assert "John" in withheld.subject
        assert "your file server" in withheld.text
        back(on)
        shirley_writes(on)
        send(on, to_the_preview(on))
        debrief = on.expect(VALERY, "Problem Identified")
        assert "would have gone to" in debrief.text
        assert "John" in debrief.subject
        on.move_on(days=6)
        on.settle()
        assert set(on.handed_over) <= {VALERY, NOC, DANA}
        assert VALERY in on.handed_over
        assert not any(on.mailbox(person) for person in CLIENTS)
        assert not set(on.postfix.discarded()) & set(CLIENTS)


def test_live_review_waits_for_send(tmp_path: Path, postfix: Postfix) -> None:
    """DESIGN 4, live = review: neither letter leaves without SEND, and after SEND each does."""
    with road(tmp_path, postfix, live='"review"', auth='"generic"') as on:
        on.alert()
        preview = on.expect(VALERY, "word for word")
        on.move_on(minutes=30)
        on.settle()
        assert not set(CLIENTS) & set(on.handed_over)
        send(on, preview)
        on.expect(JOHN, "your file server")
        back(on)
        preview = to_the_preview(on)
        assert on.handed_over.count(JOHN) == 1
        send(on, preview)
        on.expect(JOHN, "Problem Identified")
        assert on.handed_over.count(JOHN) == 2


@pytest.mark.parametrize("proof", ["copy", "sent"])
def test_a_lost_answer_is_proved_by_the_copy(
    tmp_path: Path, postfix: Postfix, lost_answer: LostAnswer, proof: str
) -> None:
    """DESIGN 1.8: accepted, but nobody heard it: the letter is unknown, never sent again, and a copy settles it."""
    with road(tmp_path, postfix, proof=f'"{proof}"') as on:
        on.restart(proof=f'"{proof}"', smtp=on.smtp("tls", lost_answer.port))
        on.alert()
        on.expect(VALERY, "restarted")
        lost_answer.armed.set()
        on.move_on(minutes=4)
        told = on.expect(JOHN, "your file server")
        wait_for_line(on, "letter unknown", lambda entry: entry["to"] == JOHN)
        if proof == "sent":
            on.app.hasten()
            on.settle()
            assert [x.recipient.address for x in on.app.store.outbox.unknown(NOC)] == [JOHN]
            with on.dovecot.login(NOC) as client:  # what the provider does by itself
                client.append("Sent", told.message.as_bytes())
            on.app.hasten()
        until(lambda: not on.app.store.outbox.unknown(NOC), within=PATIENCE)
        (letter,) = [x for x in on.app.store.outbox.letters(limit=99) if x.recipient.address == JOHN]
        assert letter.state is LetterState.SENT
        on.move_on(hours=1)
        on.settle()
        assert on.handed_over.count(JOHN) == 1


def test_a_token_logs_in_and_its_end_is_one_line(
    tmp_path: Path, postfix: Postfix, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DESIGN 3: XOAUTH2 by token_file; a revoked token pauses the mailbox with one plain line; a fresh one is seen."""
    monkeypatch.setattr("mailflow.runners.PERMANENT", (2.0, 2.0))  # seconds; a minute is long in a test
    tokens, token_file = postfix.dovecot.tokens, tmp_path / "token"
    token_file.write_text(first := tokens.issue(NOC))
    with road(tmp_path, postfix) as on:
        on.restart(imap=on.imap("tls", 'token_file = "token"'))
        reboot(on)
        tokens.revoke(first)
        on.dovecot.kick(NOC)
        line = wait_for_line(on, "inbox trouble", lambda entry: entry["what"] == "login")
        assert f"login of {NOC} refused" in line["said"]
        assert "check its password or token" in line["said"]
        assert len(line["said"].splitlines()) == 1
        on.alert()
        token_file.write_text(tokens.issue(NOC))
        back(on)
        assert first not in str(on.log)


def test_a_wrong_password_is_one_line_and_a_pause(tmp_path: Path, postfix: Postfix) -> None:
    """DESIGN 3: a refused login pauses the mailbox and says so once; the password is tried once, and never shown."""
    (tmp_path / "wrong").write_text("battery-staple\n")
    with road(tmp_path, postfix) as on:
        on.app.stop()
        on.log.clear()
        on.configure(imap=on.imap("tls", 'password_file = "wrong"'))
        on.app = on.built()
        on.start(ready=False)
        wait_for_line(on, "inbox trouble")
        wait_for_line(on, "sending paused")  # the page about it wants to leave by the same login
        for _ in range(5):
            on.app.hasten()
        (line,) = on.said("inbox trouble")
        assert f"login of {NOC} refused" in line
        assert len(on.said("sending paused")) == 1
        assert "battery-staple" not in str(on.log)
