"""What time asks of the store: promises and their steps, silent clients, absences; on every database."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from mailflow.domain.form import Fill
from mailflow.domain.incident import Affected, Incident, IncidentState, PromiseKind, PromiseState, Told
from mailflow.domain.people import Role, Staff
from mailflow.domain.vocabulary import Class
from mailflow.engine.store import Store
from mailflow.engine.times import OUT_OF_OFFICE, Absence
from tests.adapters.store.builders import DAY, HOUR, NOON, opened

D, U, A = PromiseKind.DEBRIEF, PromiseKind.UPDATE, PromiseKind.ACTION
ROBIN = Staff(
    role=Role.LIAISON, name="Robin Day", address="robin@msp.example", title="Liaison", timezone="UTC", language="en"
)


@pytest.fixture
def pair(store: Store) -> tuple[Incident, Affected]:
    """An incident with one client."""
    return opened(store, "a")


def told(affected: Affected, at: datetime, address: str = "john@northwind.example") -> Told:
    return Told(affected_id=affected.id, address=address, name="John Harper", kind="acknowledgement", at=at)


def promise(store: Store, affected: Affected, kind: PromiseKind, due: datetime, **more: Any) -> int:
    with store.transaction():
        store.promises.make(affected, kind, due, NOON, **more)
    return store.promises.of(affected.incident_id)[-1].id


class TestPromises:
    def test_several_things_are_promised_to_one_client(self, store: Store, pair: tuple[Incident, Affected]) -> None:
        """N.4: a debrief once, actions as many as there are; each with its owner."""
        incident, affected = pair
        promise(store, affected, D, NOON + DAY)
        promise(store, affected, D, NOON)  # is promised already
        promise(store, affected, A, NOON, owner=ROBIN, what="replace the battery")
        promise(store, affected, A, NOON + HOUR, owner=ROBIN, what="call the vendor")
        kept = store.promises.of(incident.id)
        assert [(p.kind, p.what, p.due_at) for p in kept] == [
            (D, "", NOON + DAY),
            (A, "replace the battery", NOON),
            (A, "call the vendor", NOON + HOUR),
        ]
        assert [p.owner for p in kept][1:] == [ROBIN.address] * 2
        assert [o.promise.what for o in store.promises.open(NOON + HOUR)] == ["replace the battery"]
        with store.transaction():
            store.promises.keep(kept[1].id, NOON)
            store.promises.postpone(affected.id, D, NOON + 2 * DAY)
        assert store.promises.get(kept[1].id).promise.state is PromiseState.KEPT
        assert store.promises.get(kept[0].id).promise.due_at == NOON + 2 * DAY

    def test_what_waits_is_never_due_until_it_goes_on(self, store: Store, pair: tuple[Incident, Affected]) -> None:
        """N.4: a promise that waits for somebody is in no list of what is due, nor are its steps; put off, it is."""
        incident, affected = pair
        waits = promise(store, affected, D, NOON)
        runs = promise(store, affected, A, NOON, owner=ROBIN, what="call the vendor")
        with store.transaction():
            store.steps.plan(waits, [("due", NOON)])
            store.promises.wait(waits, "the provider", NOON - HOUR)
        assert [o.promise.id for o in store.promises.open(NOON + DAY)] == [runs]
        assert [o.promise.id for o in store.promises.overdue(NOON + DAY)] == [runs]
        assert store.steps.due(NOON + DAY) == []
        (one,) = store.promises.waiting()
        assert (one.promise.waits_for, one.promise.waits_since) == ("the provider", NOON - HOUR)
        with store.transaction():
            store.promises.postpone(affected.id, D, NOON + HOUR)
        assert store.promises.waiting() == []
        assert {o.promise.id for o in store.promises.open(NOON + DAY)} == {waits, runs}
        assert [s.promise_id for s in store.steps.due(NOON + DAY)] == [waits]
        assert store.promises.of(incident.id)[0].waits_since is None

    def test_one_promise_changes_hands(self, store: Store, pair: tuple[Incident, Affected]) -> None:
        """N.4: an action is handed over alone; what else the client is promised stays where it is."""
        incident, affected = pair
        promise(store, affected, D, NOON)
        action = promise(store, affected, A, NOON, what="call the vendor")
        with store.transaction():
            store.promises.hand_over(action, ROBIN)
        assert [p.owner for p in store.promises.of(incident.id)] == [affected.liaison.address, ROBIN.address]

    def test_what_is_not_known_is_found_in_any_spelling(self, store: Store, pair: tuple[Incident, Affected]) -> None:
        """S1.14: promises to clients of whom something is not known yet, before they are due."""
        _, affected = pair
        _, other = opened(store, "b")
        for one in (affected, other):
            promise(store, one, D, NOON + HOUR)
        said = Fill(number=1, value="We don\N{RIGHT SINGLE QUOTATION MARK}t know yet.", by="v@msp.example", at=NOON)
        with store.transaction():
            store.desk.fill(affected.id, [said])
            store.desk.fill(other.id, [replace(said, value="A cable was loose.")])
        words = ["not known yet", "we don't know yet"]
        assert [o.affected.id for o in store.promises.unknown(NOON + DAY, words)] == [affected.id]
        assert store.promises.unknown(NOON, words) == []

    def test_what_was_kept_late(self, store: Store, pair: tuple[Incident, Affected]) -> None:
        """S4.37: the trend counts by when it was due."""
        _, affected = pair
        _, other = opened(store, "b")
        promise(store, affected, D, NOON)
        promise(store, other, D, NOON + DAY)
        with store.transaction():
            store.promises.settle(affected.id, D, PromiseState.KEPT, NOON + HOUR)
            store.promises.settle(other.id, D, PromiseState.KEPT, NOON + HOUR)
        assert store.promises.kept_late(NOON - DAY) == [NOON]
        assert store.promises.kept_late(NOON + HOUR) == []


class TestSteps:
    def test_each_step_is_done_once(self, store: Store, pair: tuple[Incident, Affected]) -> None:
        """Deadlines: planned once, done once whoever comes first, planned anew where the promise was put off."""
        _, affected = pair
        number = promise(store, affected, D, NOON + DAY)
        promise(store, affected, A, NOON, owner=ROBIN, what="no step of its own")
        assert store.steps.unplanned() == [number]
        with store.transaction():
            store.steps.plan(number, [("soon", NOON), ("due", NOON + DAY)])
        assert store.steps.unplanned() == []
        (step,) = store.steps.due(NOON)
        assert (step.promise_id, step.name) == (number, "soon")
        with store.transaction():
            assert store.steps.done(step.id, "sent", NOON)
            assert not store.steps.done(step.id, "sent", NOON)
            store.steps.plan(number, [("soon", NOON + DAY), ("due", NOON + 2 * DAY)])
        assert store.steps.due(NOON + HOUR) == []
        assert [s.name for s in store.steps.due(NOON + 2 * DAY)] == ["soon", "due"]


class TestSilence:
    def test_who_heard_nothing_for_long_and_who_was_never_told(self, store: Store) -> None:
        """S4.18, S4.20: outages that are on, by the last word that each client had."""
        quiet, loud, never = (opened(store, key, class_=Class.OUTAGE)[1] for key in "abc")
        (incident, over) = opened(store, "d", class_=Class.OUTAGE)
        with store.transaction():
            store.records.told(told(quiet, NOON))
            store.records.told(told(loud, NOON))
            store.records.told(told(loud, NOON + HOUR, "ann@northwind.example"))
            store.records.set_state(incident.id, IncidentState.RESTORED, ended_at=NOON, closed_at=None, why="")
        found = store.records.silent(NOON + HOUR)
        assert [(affected.id, at) for _, affected, at in found] == [(quiet.id, NOON)]
        untold = [affected.id for _, affected in store.records.untold_outages(NOON + 10 * DAY)]
        assert never.id in untold
        assert not {quiet.id, loud.id, over.id} & set(untold)

    def test_trouble_that_looks_alike(self, store: Store) -> None:
        """S4.27: the same client's same thing with the same symptom, settled, newest first."""
        first, second, now_on = (opened(store, key)[1] for key in "abc")
        with store.transaction():
            store.records.settle(first.id, "debrief sent", NOON)
            store.records.settle(second.id, "debrief sent", NOON)
        symptom = store.records.incident(now_on.incident_id).symptom
        assert [a.id for a in store.records.alike(now_on, symptom, 9)] == [second.id, first.id]
        assert store.records.alike(now_on, "another", 9) == []


class TestHandingOver:
    def test_another_liaison_answers_for_it(self, store: Store, pair: tuple[Incident, Affected]) -> None:
        """N.4: with the client go its open promises; an action of somebody else's stays theirs."""
        incident, affected = pair
        promise(store, affected, D, NOON)
        promise(store, affected, A, NOON, owner=replace(ROBIN, address="paul@msp.example"), what="a disk")
        with store.transaction():
            store.records.assign(affected.id, ROBIN)
            store.records.set_audience(affected.id, ["john@northwind.example", "ann@northwind.example"])
        now = store.records.affected(affected.id)
        assert (now.liaison.address, now.liaison_title) == (ROBIN.address, "Liaison")
        assert now.audience == ("john@northwind.example", "ann@northwind.example")
        assert [p.owner for p in store.promises.of(incident.id)] == [ROBIN.address, "paul@msp.example"]

    def test_who_is_away(self, store: Store) -> None:
        """Deadlines: from a moment to another, or until they write; one mail announces one absence."""
        said = Absence(address="valery@msp.example", begins=NOON, ends=NOON + DAY, deputy=ROBIN.address)
        machine = Absence(address="dana@msp.example", begins=NOON, why=OUT_OF_OFFICE)
        with store.transaction():
            store.absences.put(said, 1)
            store.absences.put(replace(said, ends=NOON + 9 * DAY), 1)
            store.absences.put(machine, 2)
        assert store.absences.current(NOON - HOUR) == []
        assert [(a.address, a.ends) for a in store.absences.current(NOON)] == [
            ("dana@msp.example", None),
            ("valery@msp.example", NOON + DAY),
        ]
        begun = store.absences.begun(NOON)
        assert [a.address for a in begun] == ["valery@msp.example", "dana@msp.example"]
        with store.transaction():
            store.absences.moved(begun[0].id, NOON)
            assert store.absences.end("valery@msp.example", NOON + HOUR, OUT_OF_OFFICE) == 0
            assert store.absences.end("dana@msp.example", NOON + HOUR, OUT_OF_OFFICE) == 1
            assert store.absences.end("valery@msp.example", NOON + HOUR) == 1
        assert store.absences.current(NOON + HOUR) == []
        assert store.absences.begun(NOON + HOUR) == []
