"""The contract of Records: incidents, affected clients, promises, the timeline, and who was told."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import peewee
import pytest

from mailflow.domain.incident import Affected, Entry, Incident, IncidentState, PromiseKind, PromiseState, Told
from mailflow.domain.letters import LetterKind, LetterState
from mailflow.domain.people import Address
from mailflow.domain.vocabulary import Detection
from mailflow.engine.store import Store
from tests.adapters.store.builders import ANN, DAY, HOUR, JOHN, NOON, VALERY, client, new_incident, opened, put

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
        store.promises.make(affected, DEBRIEF, due, NOON)


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
        """N.1: host DC01 at two clients is two incidents, each in its own scope."""
        at_northwind, _ = opened(store, "zabbix:DC01", "northwind")
        at_contoso, _ = opened(store, "zabbix:DC01", "contoso")
        assert [i for i, _ in store.records.incidents(running_only=True, limit=9)] == [at_contoso, at_northwind]
        assert (at_northwind.scope, at_contoso.scope) == ("client:northwind", "client:contoso")

    def test_scope_and_key_are_not_run_together(self, store: Store) -> None:
        """N.1: a scope and a key that read alike when joined are still two troubles."""
        opened(store, "x y", scope="client:a")
        with pytest.raises(peewee.IntegrityError):
            opened(store, "x y", scope="client:a")
        opened(store, "y", scope="client:a x")

    def test_the_key_is_free_after_the_end_and_held_again_after_a_relapse(self, store: Store) -> None:
        """DESIGN 2: only trouble that is on holds its key."""
        first, _ = opened(store)
        ended(store, first)
        second, _ = opened(store)
        assert second.id != first.id
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
        assert len(store.records.settled_without(NOON)) == 1
        assert len(store.records.settled_without(NOON - DAY)) == 2


def second(store: Store, incident: Incident, of: str = "contoso", **changes: str) -> Affected:
    """One more client of an incident."""
    words: dict[str, str] = {
        "title": "Liaison",
        "phone": "555 0199",
        "plain": "your mail",
        "symptom": "slow",
        **changes,
    }
    with store.transaction():
        return store.records.affect(
            incident.id, client(of), mailbox="help@msp.example", liaison=ANN, started_at=NOON - HOUR, **words
        )


class TestClients:
    def test_an_incident_has_several_clients(self, store: Store) -> None:
        """DESIGN 3: one incident, a row a client, each with its own people, words and times."""
        incident, first = opened(store)
        added = second(store, incident)
        assert store.records.affected(added.id) == added
        assert store.records.affected_of(incident.id) == [first, added]
        assert (added.incident_id, added.client_key, added.client_name) == (incident.id, "contoso", "Contoso")
        assert (added.timezone, added.language, added.live) == ("America/Chicago", "en", client().live)
        assert (added.mailbox, added.liaison) == ("help@msp.example", ANN)
        assert (added.liaison_title, added.liaison_phone) == ("Liaison", "555 0199")
        assert (added.plain, added.symptom, added.started_at) == ("your mail", "slow", NOON - HOUR)
        assert (added.ended_at, added.me_too, added.ticket, added.settled_at) == (None, 0, "", None)
        assert (added.reporter, added.reported, added.reported_at) == ("", "", None)
        assert [(i.id, a) for i, a in store.records.running_of("contoso")] == [(incident.id, added)]

    def test_a_client_is_added_once(self, store: Store) -> None:
        """DESIGN 2: a client is in an incident once: the database itself refuses a second row."""
        incident, first = opened(store)
        with pytest.raises(peewee.IntegrityError):
            second(store, incident, "northwind")
        assert store.records.affected_of(incident.id) == [first]

    def test_a_clients_own_trouble_ends_and_comes_back(self, store: Store) -> None:
        """S4.6: of two clients the one has its service back before the other."""
        incident, first = opened(store)
        added = second(store, incident)
        with store.transaction():
            store.records.set_trouble(added.id, NOON)
        assert store.records.affected_of(incident.id) == [first, replace(added, ended_at=NOON)]
        with store.transaction():
            store.records.set_trouble(added.id, None)
        assert store.records.affected(added.id) == added

    def test_further_mails_of_its_people_are_counted(self, store: Store) -> None:
        """S4.21: who else wrote about it is a number, each client's own."""
        _, first = opened(store)
        _, other = opened(store, "b")
        for _ in range(2):
            with store.transaction():
                store.records.count_me_too(first.id)
        assert (store.records.affected(first.id).me_too, store.records.affected(other.id).me_too) == (2, 0)

    def test_a_clients_helpdesk_has_its_own_token(self, store: Store) -> None:
        """The token of the client's helpdesk is that client's alone."""
        _, first = opened(store)
        _, other = opened(store, "b")
        with store.transaction():
            store.records.set_ticket(first.id, "[#4711]")
        assert store.records.affected(first.id) == replace(first, ticket="[#4711]")
        assert store.records.affected(other.id) == other


def merged(store: Store, child: Incident, root: Incident, now: datetime = NOON) -> None:
    with store.transaction():
        store.records.merge(child.id, root.id, now)


def told(
    store: Store, who: Affected, person: Address = JOHN, kind: str = "acknowledgement", at: datetime = NOON
) -> Told:
    one = Told(affected_id=who.id, address=person.address, name=person.name, kind=kind, at=at)
    with store.transaction():
        store.records.told(one)
    return one


class TestMerging:
    def test_the_younger_lives_on_in_the_root(self, store: Store) -> None:
        """DESIGN 1: whoever asks for a merged incident gets the one that it lives on in, however far that is."""
        root, _ = opened(store, "a")
        child, _ = opened(store, "b")
        grandchild, _ = opened(store, "c")
        merged(store, grandchild, child)
        merged(store, child, root)
        for incident in (root, child, grandchild):
            assert store.records.incident(incident.id) == root
        row = store.records.by_reference(child.reference)
        assert row is not None
        assert (row.state, row.merged_into, row.closed_at, row.why_closed) == (
            IncidentState.MERGED,
            root.id,
            NOON,
            "merged",
        )
        assert [i.id for i, _ in store.records.incidents(running_only=True, limit=9)] == [root.id]
        assert [i.id for i, _ in store.records.running_of("northwind")] == [root.id]

    def test_a_merged_incident_holds_no_key(self, store: Store) -> None:
        """DESIGN 2: what is merged is not on any more: its key is free."""
        root, _ = opened(store, "a")
        child, _ = opened(store, "b")
        merged(store, child, root)
        opened(store, "b")
        with pytest.raises(peewee.IntegrityError):
            opened(store, "a")

    def test_a_client_of_one_becomes_the_roots(self, store: Store) -> None:
        """N.3, N.4: the child's client goes on in the root, with what it was told and promised."""
        root, ours = opened(store, "a")
        child, theirs = opened(store, "b", "contoso")
        _, bystander = opened(store, "c", "contoso")
        promised(store, theirs, NOON + DAY)
        promised(store, bystander, NOON + DAY)
        first = told(store, theirs, ANN)
        merged(store, child, root)
        moved = replace(theirs, incident_id=root.id)
        assert store.records.affected_of(root.id) == [ours, moved]
        assert store.records.affected_of(child.id) == []
        assert store.records.affected(theirs.id) == moved
        assert store.records.audience(root.id) == [first]
        assert [(p.affected_id, p.due_at) for p in store.promises.of(root.id)] == [(theirs.id, NOON + DAY)]
        assert store.promises.of(child.id) == []
        (overdue, _) = store.promises.overdue(NOON + 2 * DAY)
        assert (overdue.incident, overdue.affected) == (root, moved)
        assert store.records.affected(bystander.id) == bystander

    def test_a_client_of_both_becomes_one(self, store: Store) -> None:
        """N.3: a client of both is one client with one memory: what either was told, it was told."""
        root, ours = opened(store, "a")
        child, theirs = opened(store, "b")
        by_root = told(store, ours)
        by_child = told(store, theirs, VALERY)
        merged(store, child, root)
        assert store.records.affected(theirs.id) == ours
        assert store.records.affected_of(root.id) == [ours]
        assert store.records.affected_of(child.id) == []
        assert store.records.running_of("northwind") == [(root, ours)]
        listed = {i.id: who for i, who in store.records.incidents(running_only=False, limit=9)}
        assert listed == {root.id: [ours], child.id: []}
        assert store.records.audience(root.id) == [by_root, replace(by_child, affected_id=ours.id)]
        assert store.records.audience(child.id) == []

    def test_who_was_told_of_both_at_one_time(self, store: Store) -> None:
        """N.3: one person was told of both in one go: merging them is no error, and the person was told."""
        root, ours = opened(store, "a")
        child, theirs = opened(store, "b")
        once = told(store, ours)
        told(store, theirs)
        merged(store, child, root)
        assert store.records.audience(root.id) == [once]

    def test_of_two_promises_one_is_owed(self, store: Store) -> None:
        """N.4: a client of both is owed one debrief, by the earlier time; the child's own is never overdue."""
        root, ours = opened(store, "a")
        child, theirs = opened(store, "b")
        promised(store, ours, NOON + DAY)
        promised(store, theirs, NOON + HOUR)
        merged(store, child, root)
        (late,) = store.promises.overdue(NOON + 2 * DAY)
        assert (late.affected, late.incident, late.promise.due_at) == (ours, root, NOON + HOUR)
        states = {p.affected_id: p.state for p in store.promises.of(root.id)}
        assert states == {ours.id: PromiseState.OPEN, theirs.id: PromiseState.RELEASED}
        released = next(p for p in store.promises.of(root.id) if p.affected_id == theirs.id)
        assert store.promises.get(released.id).affected == ours

    def test_a_promise_that_only_the_child_made_is_kept(self, store: Store) -> None:
        """N.4: what was promised is promised, whichever of the two lives on."""
        root, ours = opened(store, "a")
        child, theirs = opened(store, "b")
        promised(store, theirs, NOON + HOUR)
        merged(store, child, root)
        (promise,) = store.promises.of(root.id)
        assert (promise.affected_id, promise.state, promise.due_at) == (ours.id, PromiseState.OPEN, NOON + HOUR)
        with store.transaction():
            store.promises.settle(ours.id, DEBRIEF, PromiseState.KEPT, NOON)
        assert store.promises.overdue(NOON + DAY) == []

    def test_the_timeline_is_of_both(self, store: Store) -> None:
        """S4.6: the root's timeline tells of what was merged into it, in order; the child's keeps its own."""
        root, _ = opened(store, "a")
        child, _ = opened(store, "b")
        other, _ = opened(store, "c")
        with store.transaction():
            store.records.note(root.id, entry("third", NOON + HOUR))
            store.records.note(child.id, entry("second"))
            store.records.note(root.id, entry("first", NOON - HOUR))
            store.records.note(other.id, entry("of another"))
        merged(store, child, root)
        with store.transaction():
            store.records.note(child.id, entry("fourth", NOON + DAY))
        assert [e.text for e in store.records.timeline(root.id)] == ["first", "second", "third", "fourth"]
        assert [e.text for e in store.records.timeline(child.id)] == ["second", "fourth"]

    def test_the_childs_letters_are_the_roots(self, store: Store) -> None:
        """LETTERS: letters of the child are found, withdrawn, counted and threaded by the root."""
        root, ours = opened(store, "a")
        child, theirs = opened(store, "b")
        left = put(store, "left", incident_id=child.id, affected_id=theirs.id, state=LetterState.SENT)
        with store.transaction():
            store.outbox.freeze(left.id, frozen="", message_id="<1@msp>", subject="Your server", recipient=JOHN)
        put(store, "waits", incident_id=child.id, affected_id=theirs.id)
        put(store, "root's", incident_id=root.id, affected_id=ours.id)
        merged(store, child, root)
        assert [x.idempotency_key for x in store.outbox.letters(incident_id=root.id, limit=9)] == [
            "root's",
            "waits",
            "left",
        ]
        undelivered = store.outbox.undelivered(root.id, to_clients=True)
        assert [x.idempotency_key for x in undelivered] == ["waits", "root's"]
        assert store.outbox.thread(root.id, JOHN.address).references == ("<1@msp>",)
        assert store.outbox.count_unapproved(since=NOON, incident_id=root.id) == 1

    @pytest.mark.parametrize("state", [LetterState.WAITING, LetterState.SENT, LetterState.DROPPED])
    def test_a_letter_of_the_child_is_on_its_way(self, store: Store, state: LetterState) -> None:
        """S3.1: a client that is told of the child is told: the root does not close as if nobody had been."""
        root, _ = opened(store, "a")
        child, theirs = opened(store, "b")
        put(store, "letter", incident_id=child.id, affected_id=theirs.id, state=state)
        merged(store, child, root)
        ended(store, root)
        assert [i.id for i in store.records.never_told()] == ([root.id] if state is LetterState.DROPPED else [])

    def test_what_is_told_afterwards_is_the_roots_to_remember(self, store: Store) -> None:
        """N.3, N.9: a letter of the child leaves, or comes back, after the merging: the root's memory is right."""
        root, ours = opened(store, "a")
        child, theirs = opened(store, "b")
        merged(store, child, root)
        one = told(store, theirs)
        assert store.records.audience(root.id) == [replace(one, affected_id=ours.id)]
        with store.transaction():
            store.records.untold(theirs.id, JOHN.address, one.kind)
        assert store.records.audience(root.id) == []

    def test_what_came_back_is_owed_again(self, store: Store) -> None:
        """N.9: a debrief of the child that came back makes the one client of both unsettled."""
        root, ours = opened(store, "a")
        child, theirs = opened(store, "b")
        promised(store, ours, NOON + DAY)
        merged(store, child, root)
        with store.transaction():
            store.records.settle(ours.id, "debrief sent", NOON)
            store.promises.settle(ours.id, DEBRIEF, PromiseState.KEPT, NOON)
            store.records.unsettle(theirs.id, DEBRIEF)
        assert store.records.affected(ours.id).settled_at is None
        assert [p.state for p in store.promises.of(root.id)] == [PromiseState.OPEN]

    def test_forms_are_asked_for_once_for_both(self, store: Store) -> None:
        """S0.8: a client of both is asked for once, by the root."""
        root, ours = opened(store, "a")
        child, theirs = opened(store, "b")
        promised(store, theirs, NOON + DAY)
        merged(store, child, root)
        ended(store, root)
        assert [a.id for _, a in store.records.awaiting_form(NOON, NOON)] == [ours.id]

    def test_what_fails_undoes_the_merging(self, store: Store) -> None:
        """DESIGN 1.5: half a merging is none."""
        root, ours = opened(store, "a")
        child, theirs = opened(store, "b")
        with pytest.raises(RuntimeError), store.transaction():  # noqa: PT012 - what fails is the transaction
            store.records.merge(child.id, root.id, NOON)
            raise RuntimeError
        assert store.records.incident(child.id) == child
        assert store.records.affected(theirs.id) == theirs
        assert store.records.affected_of(root.id) == [ours]


class TestSplitting:
    def test_a_client_gets_an_incident_of_its_own(self, store: Store) -> None:
        """N.3, N.4: what a client was told and promised goes with it, and the others' stays where it was."""
        incident, ours = opened(store)
        theirs = second(store, incident)
        promised(store, ours, NOON + DAY)
        promised(store, theirs, NOON + HOUR)
        by_ours, by_theirs = told(store, ours), told(store, theirs, ANN)
        with store.transaction():
            own = store.records.split(theirs.id, NOON + HOUR)
        assert own.reference not in ("", incident.reference)
        assert store.records.by_reference(own.reference) == own
        same = replace(
            incident, id=own.id, reference=own.reference, scope=own.scope, key=own.key, opened_at=NOON + HOUR
        )
        assert own == same
        assert store.records.affected_of(own.id) == [replace(theirs, incident_id=own.id)]
        assert store.records.affected_of(incident.id) == [ours]
        for it, promise, line in ((incident, NOON + DAY, by_ours), (own, NOON + HOUR, by_theirs)):
            assert [p.due_at for p in store.promises.of(it.id)] == [promise]
            assert store.records.audience(it.id) == [line]
        assert [i.id for i, _ in store.records.running_of("contoso")] == [own.id]

    def test_what_was_split_can_be_merged_and_split_again(self, store: Store) -> None:
        """A liaison may change her mind: nothing of a client is lost, nor is any key in the way."""
        incident, ours = opened(store)
        theirs = second(store, incident)
        for _ in range(2):
            with store.transaction():
                own = store.records.split(theirs.id, NOON)
            assert [a.id for a in store.records.affected_of(own.id)] == [theirs.id]
            merged(store, own, incident)
            assert store.records.affected_of(incident.id) == [ours, theirs]


class TestStorms:
    def test_an_incident_becomes_a_storms(self, store: Store) -> None:
        """An incident that is a storm's from now on has the storm's key, and its old one is free."""
        incident, _ = opened(store)
        with store.transaction():
            store.records.storm(incident.id, "storm:zabbix:down", "x")
        assert store.records.incident(incident.id) == replace(incident, scope="storm:zabbix:down", key="x")
        opened(store)
        with pytest.raises(peewee.IntegrityError):
            opened(store, "x", scope="storm:zabbix:down")

    def test_a_storm_that_is_over_and_back_holds_its_key(self, store: Store) -> None:
        """DESIGN 2: the key of a storm is held while it is on, as any other's."""
        incident, _ = opened(store)
        with store.transaction():
            store.records.storm(incident.id, "storm:zabbix:down", "x")
        ended(store, incident)
        opened(store, "x", scope="storm:zabbix:down")


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
        (promise,) = store.promises.of(incident.id)
        assert (promise.due_at, promise.state, promise.owner) == (NOON + DAY, PromiseState.OPEN, VALERY.address)
        assert (promise.incident_id, promise.affected_id, promise.kind) == (incident.id, affected.id, DEBRIEF)

    def test_what_was_settled_can_be_promised_again(self, store: Store) -> None:
        """N.4: a letter promises once more what was released, or kept, before: it is owed by the new time."""
        incident, affected = opened(store)
        promised(store, affected, NOON + DAY)
        for state in (PromiseState.RELEASED, PromiseState.KEPT):
            with store.transaction():
                store.promises.settle(affected.id, DEBRIEF, state, NOON)
            promised(store, affected, NOON + 9 * DAY)
            (promise,) = store.promises.of(incident.id)
            assert (promise.due_at, promise.state) == (NOON + 9 * DAY, PromiseState.OPEN)

    def test_a_promise_that_is_settled_stays_so(self, store: Store) -> None:
        """N.4: what was released is not kept afterwards, and only the promise that is meant changes."""
        incident, affected = opened(store)
        other, other_affected = opened(store, "b")
        promised(store, affected, NOON)
        promised(store, other_affected, NOON)
        with store.transaction():
            store.promises.settle(affected.id, DEBRIEF, PromiseState.RELEASED, NOON)
            store.promises.settle(affected.id, DEBRIEF, PromiseState.KEPT, NOON)
        assert [p.state for p in store.promises.of(incident.id)] == [PromiseState.RELEASED]
        assert [p.state for p in store.promises.of(other.id)] == [PromiseState.OPEN]

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
            store.promises.settle(made["kept"][1].id, DEBRIEF, PromiseState.KEPT, NOON)
        overdue = store.promises.overdue(NOON)
        assert [(o.incident, o.affected) for o in overdue] == [made["oldest"], made["late"]]
        assert [o.promise.due_at for o in overdue] == [NOON - DAY, NOON - HOUR]
        assert store.promises.overdue(NOON - 3 * DAY) == []


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
            store.promises.settle(back[1].id, DEBRIEF, PromiseState.RELEASED, NOON)
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
        letter = put(store, "ack", incident_id=incident.id, affected_id=affected.id, unless_over=True)
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
        incident, affected = opened(store)
        ended(store, incident)
        put(store, "letter", state=state, incident_id=incident.id, affected_id=affected.id)
        assert self.ids(store) == ([incident.id] if state is LetterState.DROPPED else [])

    def test_letters_to_ours_tell_no_client(self, store: Store) -> None:
        """S3.1: that the liaison knows tells no client; a letter of no incident blocks none."""
        incident, affected = opened(store)
        _, other = opened(store, "b")
        ended(store, incident)
        put(store, "opened", kind=LetterKind.OPENED, incident_id=incident.id, affected_id=affected.id)
        put(store, "of another", affected_id=other.id)
        put(store, "of no incident")
        assert self.ids(store) == [incident.id]


class TestTransactions:
    def test_what_raises_undoes_everything(self, store: Store) -> None:
        """DESIGN 1.5: one transaction, all or nothing."""
        with pytest.raises(RuntimeError, match="halfway"), store.transaction():  # noqa: PT012 - what fails is the transaction
            _, affected = store.records.open(new_incident())
            store.promises.make(affected, DEBRIEF, NOON, NOON)
            raise RuntimeError("halfway")
        assert store.records.incidents(running_only=False, limit=9) == []
        assert store.promises.overdue(NOON + DAY) == []

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
