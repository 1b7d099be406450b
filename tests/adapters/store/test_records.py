"""The contract of Records: incidents, affected clients, promises, the timeline, and who was told."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import peewee
import pytest

from mailflow.domain.incident import Affected, Entry, Incident, IncidentState, PromiseKind, PromiseState, Told
from mailflow.domain.letters import LetterKind, LetterState
from mailflow.domain.vocabulary import Detection
from mailflow.engine.store import Store
from tests.adapters.store.builders import ANN, DAY, HOUR, JOHN, NOON, VALERY, new_incident, opened, put

DEBRIEF = PromiseKind.DEBRIEF
OFTEN_MISTAKEN = [
    datetime(2026, 3, 3, 12, 0, 0, 1, tzinfo=UTC),
    datetime(2026, 3, 3, 12, 0, 0, 999_999, tzinfo=UTC),
    datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(2026, 11, 1, 1, 30, 0, 123_457, tzinfo=timezone(-timedelta(hours=5))),
    datetime(2026, 3, 3, 12, 0, 0, 500_000, tzinfo=timezone(timedelta(hours=5, minutes=45))),
]


def entry(text: str, at: datetime = NOON) -> Entry:
    return Entry(at=at, what="note", author="valery@msp.example", text=text)


def ended(store: Store, incident: Incident, at: datetime = NOON) -> Incident:
    with store.transaction():
        store.records.set_state(incident.id, IncidentState.RESTORED, ended_at=at, closed_at=None, why="")
    return store.records.incident(incident.id)


def closed(store: Store, incident: Incident) -> None:
    with store.transaction():
        store.records.set_state(incident.id, IncidentState.CLOSED, ended_at=NOON, closed_at=NOON, why="settled")


def promised(store: Store, affected: Affected, due: datetime) -> None:
    with store.transaction():
        store.records.promise(affected, DEBRIEF, due, NOON)


class TestIncidents:
    def test_what_was_opened_is_what_is_read(self, store: Store) -> None:
        """S4.5: the record holds when it was recorded, how it was detected, how it first showed, word for word."""
        new = new_incident(reporter="Shirley", reported="I can't open the Data drive")
        incident, affected = opened(store, reporter="Shirley", reported="I can't open the Data drive")
        assert store.records.incident(incident.id) == incident
        assert store.records.affected(affected.id) == affected
        for name in ("scope", "key", "class_", "severity", "priority", "symptom", "title", "detected_by"):
            assert getattr(incident, name) == getattr(new, name), name
        for name in ("noticed_by", "first_shown", "started_at", "opened_at"):
            assert getattr(incident, name) == getattr(new, name), name
        assert incident.state is IncidentState.OPEN
        assert (incident.ended_at, incident.closed_at, incident.why_closed) == (None, None, "")
        assert affected.incident_id == incident.id
        assert (affected.client_key, affected.client_name) == ("northwind", "Northwind")
        assert (affected.timezone, affected.language, affected.live) == ("America/Chicago", "en", new.client.live)
        assert (affected.liaison, affected.liaison_title, affected.liaison_phone) == (
            VALERY,
            "Client Experience Liaison",
            "555 0100",
        )
        assert (affected.mailbox, affected.plain) == ("noc@msp.example", "your file server")
        assert (affected.reporter, affected.reported) == ("Shirley", "I can't open the Data drive")
        assert (affected.reported_at, affected.settled_at) == (NOON, None)

    def test_nobody_reported_is_no_time(self, store: Store) -> None:
        """N.2: where a machine noticed first, no person's time is written."""
        assert opened(store)[1].reported_at is None

    def test_a_reference_finds_its_incident_in_either_case(self, store: Store) -> None:
        """DESIGN 1: people call an incident by its reference, and type it as they like."""
        first, _ = opened(store, "a")
        second, _ = opened(store, "b")
        assert first.reference != second.reference
        assert store.records.by_reference(first.reference.lower()) == first
        assert store.records.by_reference("INC-999") is None

    def test_what_is_not_there_is_a_key_error(self, store: Store) -> None:
        """Ids of nothing are a KeyError, never an empty incident."""
        for get in (store.records.incident, store.records.affected):
            with pytest.raises(KeyError):
                get(4711)

    def test_one_open_incident_a_key_and_the_transaction_lives_on(self, store: Store) -> None:
        """DESIGN 2: an open outage is unique in the database; the refusal costs its savepoint, not the batch."""
        first, _ = opened(store)
        with store.transaction():
            store.records.note(first.id, entry("before"))
            with pytest.raises(peewee.IntegrityError), store.transaction():
                store.records.open(new_incident())
            store.records.note(first.id, entry("after"))
        assert [e.text for e in store.records.timeline(first.id)] == ["before", "after"]
        assert [i.id for i, _ in store.records.incidents(running_only=False, limit=9)] == [first.id]

    def test_the_same_key_at_another_client_is_another_incident(self, store: Store) -> None:
        """N.1: host DC01 at two clients is two incidents, each found in its own scope."""
        at_northwind, _ = opened(store, "zabbix:DC01", "northwind")
        at_contoso, _ = opened(store, "zabbix:DC01", "contoso")
        assert store.records.newest_by_key("client:northwind", "zabbix:DC01") == at_northwind
        assert store.records.newest_by_key("client:contoso", "zabbix:DC01") == at_contoso
        assert store.records.newest_by_key("client:contoso", "zabbix:DC0") is None

    def test_scope_and_key_are_not_run_together(self, store: Store) -> None:
        """N.1: a scope and a key that read alike when joined are still two troubles."""
        opened(store, "x y", scope="client:a")
        with pytest.raises(peewee.IntegrityError):
            opened(store, "x y", scope="client:a")
        opened(store, "y", scope="client:a x")

    def test_the_key_is_free_after_the_end_and_held_again_after_a_relapse(self, store: Store) -> None:
        """DESIGN 2: only trouble that is on holds its key; the newest incident of a key is the one that is found."""
        first, _ = opened(store)
        ended(store, first)
        second, _ = opened(store)
        assert store.records.newest_by_key(first.scope, first.key) == second
        with pytest.raises(peewee.IntegrityError), store.transaction():
            store.records.set_state(first.id, IncidentState.OPEN, ended_at=None, closed_at=None, why="")
        closed(store, second)
        with store.transaction():
            store.records.set_state(first.id, IncidentState.OPEN, ended_at=None, closed_at=None, why="")
        with pytest.raises(peewee.IntegrityError):
            opened(store)

    def test_a_state_comes_with_its_times_and_its_reason(self, store: Store) -> None:
        """S4.6: when it ended, when it was closed and why is written with the state."""
        incident, _ = opened(store)
        with store.transaction():
            store.records.set_state(
                incident.id, IncidentState.CLOSED, ended_at=NOON + HOUR, closed_at=NOON + DAY, why="debriefed"
            )
        expected = replace(
            incident, state=IncidentState.CLOSED, ended_at=NOON + HOUR, closed_at=NOON + DAY, why_closed="debriefed"
        )
        assert store.records.incident(incident.id) == expected

    def test_lists_are_newest_first_and_know_what_is_running(self, store: Store) -> None:
        """DESIGN 4: open ones, and those whose debrief is owed, are running; closed and merged ones are history."""
        first, affected = opened(store, "a")
        second, _ = opened(store, "b")
        third, _ = opened(store, "c", "contoso")
        fourth, _ = opened(store, "d")
        ended(store, first)
        closed(store, second)
        with store.transaction():
            store.records.set_state(fourth.id, IncidentState.MERGED, ended_at=None, closed_at=NOON, why="merged")

        def ids(*, running_only: bool, limit: int) -> list[int]:
            return [i.id for i, _ in store.records.incidents(running_only=running_only, limit=limit)]

        assert ids(running_only=False, limit=9) == [fourth.id, third.id, second.id, first.id]
        assert ids(running_only=False, limit=2) == [fourth.id, third.id]
        assert ids(running_only=True, limit=9) == [third.id, first.id]
        assert ids(running_only=True, limit=1) == [third.id]
        listed = {i.id: clients for i, clients in store.records.incidents(running_only=True, limit=9)}
        assert listed[first.id] == [affected]
        assert [a.client_key for a in listed[third.id]] == ["contoso"]
        assert store.records.affected_of(first.id) == [affected]
        assert [(i.id, a.id) for i, a in store.records.running_of("northwind")] == [(first.id, affected.id)]
        assert store.records.running_of("nobody") == []

    def test_a_client_s_running_incidents_come_newest_first(self, store: Store) -> None:
        """S4.21: a client's further mail joins the newest of its running incidents."""
        ids = [opened(store, key)[0].id for key in "abc"]
        assert [i.id for i, _ in store.records.running_of("northwind")] == ids[::-1]

    def test_who_told_us_and_why_it_is_settled(self, store: Store) -> None:
        """N.2, S3.1: the first person who told us, and why a client is owed nothing more."""
        _, affected = opened(store)
        with store.transaction():
            store.records.set_reporter(affected.id, "Shirley", "Data drive", NOON + HOUR)
            store.records.settle(affected.id, "no debrief: a planned restart", NOON + DAY)
        expected = replace(
            affected,
            reporter="Shirley",
            reported="Data drive",
            reported_at=NOON + HOUR,
            settled_at=NOON + DAY,
            settled_why="no debrief: a planned restart",
        )
        assert store.records.affected(affected.id) == expected

    def test_debriefs_that_were_not_owed_are_counted_from_a_time_on(self, store: Store) -> None:
        """S3.1: managers see how many clients were closed without a debrief, and debriefed ones do not count."""
        for key, why, at in (
            ("a", "no debrief: planned", NOON),
            ("b", "no debrief: planned", NOON - HOUR),
            ("c", "debriefed", NOON),
        ):
            _, affected = opened(store, key)
            with store.transaction():
                store.records.settle(affected.id, why, at)
        opened(store, "d")
        assert store.records.closed_without_debrief(NOON) == 1
        assert store.records.closed_without_debrief(NOON - DAY) == 2


class TestTimeline:
    def test_lines_are_read_in_the_order_of_their_times(self, store: Store) -> None:
        """S4.6: the timeline is in order of what happened, and of writing where two have one time."""
        incident, _ = opened(store)
        other, _ = opened(store, "b")
        lines = [
            Entry(at=NOON + HOUR, what="mail", author="a@x.example", text="late", inbound_id=7),
            Entry(at=NOON, what="letter", author="b@x.example", text="first", letter_id=9),
            entry("second, of the same moment"),
        ]
        with store.transaction():
            for line in lines:
                store.records.note(incident.id, line)
            store.records.note(other.id, entry("of another"))
        assert store.records.timeline(incident.id) == [lines[1], lines[2], lines[0]]

    @pytest.mark.parametrize("moment", OFTEN_MISTAKEN, ids=str)
    def test_a_time_is_the_same_moment_to_the_microsecond(self, store: Store, moment: datetime) -> None:
        """DESIGN 3: one UTC field type on both databases: no offset is dropped, no microsecond rounded."""
        incident, _ = opened(store)
        with store.transaction():
            store.records.note(incident.id, entry("x", moment))
        (line,) = store.records.timeline(incident.id)
        assert line.at == moment
        assert line.at.utcoffset() == timedelta()

    def test_a_naive_time_is_refused(self, store: Store) -> None:
        """DESIGN 3: a time without a zone would be somebody's local one; nothing of its transaction is written."""
        incident, _ = opened(store)
        naive = NOON.replace(tzinfo=None)
        with pytest.raises(ValueError, match="naive"), store.transaction():  # noqa: PT012 - what fails is the transaction
            store.records.note(incident.id, entry("before"))
            store.records.note(incident.id, entry("naive", naive))
        assert store.records.timeline(incident.id) == []


class TestPromises:
    def test_a_promise_is_made_once(self, store: Store) -> None:
        """S0.3, N.4: the same promise made twice stands with its first due time, and has an owner."""
        incident, affected = opened(store)
        promised(store, affected, NOON + DAY)
        promised(store, affected, NOON + 9 * DAY)
        (promise,) = store.records.promises(incident.id)
        assert (promise.due_at, promise.state, promise.owner) == (NOON + DAY, PromiseState.OPEN, VALERY.address)
        assert (promise.incident_id, promise.affected_id, promise.kind) == (incident.id, affected.id, DEBRIEF)

    def test_a_promise_that_is_settled_stays_so(self, store: Store) -> None:
        """N.4: what was released is not kept afterwards, and only the promise that is meant changes."""
        incident, affected = opened(store)
        other, other_affected = opened(store, "b")
        promised(store, affected, NOON)
        promised(store, other_affected, NOON)
        with store.transaction():
            store.records.set_promise(affected.id, DEBRIEF, PromiseState.RELEASED, NOON)
            store.records.set_promise(affected.id, DEBRIEF, PromiseState.KEPT, NOON)
        assert [p.state for p in store.records.promises(incident.id)] == [PromiseState.RELEASED]
        assert [p.state for p in store.records.promises(other.id)] == [PromiseState.OPEN]

    def test_overdue_is_what_is_open_and_past_oldest_first(self, store: Store) -> None:
        """Capabilities 7: the digest lists what is overdue, oldest first, with its incident and its client."""
        made = {}
        for key, of, due in (
            ("late", "northwind", NOON - HOUR),
            ("oldest", "contoso", NOON - DAY),
            ("now", "northwind", NOON),
            ("coming", "northwind", NOON + HOUR),
            ("kept", "northwind", NOON - 2 * DAY),
        ):
            made[key] = opened(store, key, of)
            promised(store, made[key][1], due)
        with store.transaction():
            store.records.set_promise(made["kept"][1].id, DEBRIEF, PromiseState.KEPT, NOON)
        overdue = store.records.overdue(NOON)
        assert [(o.incident, o.affected) for o in overdue] == [made["oldest"], made["late"]]
        assert [o.promise.due_at for o in overdue] == [NOON - DAY, NOON - HOUR]
        assert store.records.overdue(NOON - 3 * DAY) == []


class TestAudience:
    def test_who_was_told_is_remembered_once_and_in_order(self, store: Store) -> None:
        """N.3: the audience memory holds who was told what, oldest first; the same telling is one line."""
        incident, affected = opened(store)
        _, elsewhere = opened(store, "b", "contoso")

        def told(who: Affected, person: str, at: datetime) -> Told:
            return Told(affected_id=who.id, address=person, name=person, kind="acknowledgement", at=at)

        first = told(affected, JOHN.address, NOON)
        second = told(affected, "shirley@northwind.example", NOON)
        third = told(affected, JOHN.address, NOON + HOUR)
        with store.transaction():
            for one in (first, second, first, third, told(elsewhere, ANN.address, NOON)):
                store.records.told(one)
        assert store.records.audience(incident.id) == [first, second, third]


class TestAwaitingForm:
    @pytest.fixture
    def back(self, store: Store) -> tuple[Incident, Affected]:
        """An incident whose service is back at noon and whose debrief is due a day later."""
        incident, affected = opened(store)
        promised(store, affected, NOON + DAY)
        return ended(store, incident), affected

    def ids(self, store: Store, *, ended_before: datetime = NOON, due_before: datetime = NOON) -> list[int]:
        return [a.id for _, a in store.records.awaiting_form(ended_before, due_before)]

    def test_service_has_been_back_long_enough(self, store: Store, back: tuple[Incident, Affected]) -> None:
        """S0.8: the form goes out when service is back since a time, not a moment sooner."""
        assert store.records.awaiting_form(NOON, NOON) == [back]
        assert self.ids(store, ended_before=NOON - timedelta(microseconds=1)) == []

    def test_the_debrief_comes_near_while_the_trouble_is_on(self, store: Store) -> None:
        """S0.3: an outage that goes on does not swallow the promise: the form comes before the debrief is due."""
        _, affected = opened(store)
        promised(store, affected, NOON + DAY)
        assert self.ids(store, ended_before=NOON + 9 * DAY, due_before=NOON + HOUR) == []
        assert self.ids(store, due_before=NOON + DAY) == [affected.id]

    def test_nothing_is_promised(self, store: Store) -> None:
        """S4.12: who was promised nothing has no debrief to be asked for."""
        incident, _ = opened(store)
        ended(store, incident)
        assert self.ids(store) == []

    def test_what_was_promised_is_released(self, store: Store, back: tuple[Incident, Affected]) -> None:
        """N.4: a released promise asks for nothing any more."""
        with store.transaction():
            store.records.set_promise(back[1].id, DEBRIEF, PromiseState.RELEASED, NOON)
        assert self.ids(store, due_before=NOON + 9 * DAY) == []

    def test_the_client_is_settled(self, store: Store, back: tuple[Incident, Affected]) -> None:
        """S3.1: no form for a client that has its debrief."""
        with store.transaction():
            store.records.settle(back[1].id, "debriefed", NOON)
        assert self.ids(store) == []

    def test_the_incident_is_closed(self, store: Store, back: tuple[Incident, Affected]) -> None:
        """S3.1: no form about what is closed."""
        closed(store, back[0])
        assert self.ids(store, due_before=NOON + 9 * DAY) == []

    def test_the_form_is_asked_for_once(self, store: Store, back: tuple[Incident, Affected]) -> None:
        """LETTERS: one form an incident and client; another client's form, or another letter, does not count."""
        _, other = opened(store, "b", "contoso")
        put(store, "form of another", kind=LetterKind.FORM, affected_id=other.id)
        put(store, "opened", kind=LetterKind.OPENED, affected_id=back[1].id)
        put(store, "a form of nobody's", kind=LetterKind.FORM)
        assert self.ids(store) == [back[1].id]
        put(store, "form", kind=LetterKind.FORM, affected_id=back[1].id)
        assert self.ids(store) == []

    def test_an_acknowledgement_is_about_to_be_dropped(self, store: Store, back: tuple[Incident, Affected]) -> None:
        """S4.12: where nobody was told and nobody will be, no form is asked for before its promise is due."""
        incident, affected = back
        letter = put(store, "ack", incident_id=incident.id, unless_over=True)
        assert self.ids(store) == []
        assert self.ids(store, due_before=NOON + DAY) == [affected.id]
        with store.transaction():
            store.records.told(Told(affected_id=affected.id, address="j@x.example", name="J", kind="x", at=NOON))
        assert self.ids(store) == [affected.id]
        assert letter.unless_over


class TestNeverTold:
    def ids(self, store: Store) -> list[int]:
        return [i.id for i in store.records.never_told()]

    def test_a_blip_of_which_nobody_heard(self, store: Store) -> None:
        """S3.1, S4.12: over, told to nobody, noticed by nobody: it may be closed; while it is on, it may not."""
        incident, _ = opened(store)
        assert self.ids(store) == []
        ended(store, incident)
        assert self.ids(store) == [incident.id]
        closed(store, incident)
        assert self.ids(store) == []

    def test_somebody_was_told(self, store: Store) -> None:
        """S3.1: who was told is owed a debrief."""
        incident, affected = opened(store)
        ended(store, incident)
        with store.transaction():
            store.records.told(Told(affected_id=affected.id, address="j@x.example", name="J", kind="x", at=NOON))
        assert self.ids(store) == []

    def test_somebody_told_us(self, store: Store) -> None:
        """S3.1: a client that noticed is owed a debrief, even when no letter went out."""
        incident, affected = opened(store)
        ended(store, incident)
        with store.transaction():
            store.records.set_reporter(affected.id, "Shirley", "Data drive", NOON)
        assert self.ids(store) == []

    def test_a_liaison_opened_it(self, store: Store) -> None:
        """S0.1: what a liaison opened by mail never closes by itself."""
        incident, _ = opened(store, detected_by=Detection.STAFF)
        ended(store, incident)
        assert self.ids(store) == []

    @pytest.mark.parametrize("state", list(LetterState))
    def test_a_letter_is_on_its_way(self, store: Store, state: LetterState) -> None:
        """S3.1: with a client letter anywhere but dropped, somebody is told or will be."""
        incident, _ = opened(store)
        ended(store, incident)
        put(store, "letter", state=state, incident_id=incident.id)
        assert self.ids(store) == ([incident.id] if state is LetterState.DROPPED else [])

    def test_letters_to_ours_tell_no_client(self, store: Store) -> None:
        """S3.1: that the liaison knows tells no client; a letter of no incident blocks none."""
        incident, _ = opened(store)
        ended(store, incident)
        put(store, "opened", kind=LetterKind.OPENED, incident_id=incident.id)
        put(store, "of no incident")
        assert self.ids(store) == [incident.id]


class TestTransactions:
    def test_what_raises_undoes_everything(self, store: Store) -> None:
        """DESIGN 1.5: one transaction, all or nothing."""
        with pytest.raises(RuntimeError, match="halfway"), store.transaction():  # noqa: PT012 - what fails is the transaction
            _, affected = store.records.open(new_incident())
            store.records.promise(affected, DEBRIEF, NOON, NOON)
            raise RuntimeError("halfway")
        assert store.records.incidents(running_only=False, limit=9) == []
        assert store.records.overdue(NOON + DAY) == []

    def test_a_nested_one_undoes_only_itself(self, store: Store) -> None:
        """DESIGN 1.5: a savepoint a mail: what one mail breaks leaves its neighbours' records standing."""
        incident, _ = opened(store)
        with store.transaction():
            store.records.note(incident.id, entry("before"))
            with pytest.raises(RuntimeError), store.transaction():  # noqa: PT012 - what fails is the transaction
                store.records.note(incident.id, entry("inside"))
                raise RuntimeError
            with store.transaction():
                store.records.note(incident.id, entry("the next one"))
        assert [e.text for e in store.records.timeline(incident.id)] == ["before", "the next one"]

    def test_a_savepoint_falls_with_its_transaction(self, store: Store) -> None:
        """DESIGN 1.5: what a savepoint kept is undone when the batch around it fails."""
        incident, _ = opened(store)
        with pytest.raises(RuntimeError), store.transaction():  # noqa: PT012 - what fails is the transaction
            with store.transaction():
                store.records.note(incident.id, entry("inside"))
            raise RuntimeError
        assert store.records.timeline(incident.id) == []
