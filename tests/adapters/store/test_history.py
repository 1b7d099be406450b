"""The contract of History: whole incidents of a period, whatever was merged, on both databases."""

from datetime import timedelta

import pytest

from mailflow.adapters.store import history
from mailflow.domain.form import Fill
from mailflow.domain.incident import Entry, PromiseKind, PromiseState, Told
from mailflow.engine.store import Store
from tests.adapters.store.builders import DAY, HOUR, NOON, arrival, client, folder, kept, opened


def entry(what: str, mail: int | None = None) -> Entry:
    return Entry(at=NOON, what=what, author="Zabbix", text="", inbound_id=mail)


def test_a_chapter_is_the_incident_whole(store: Store) -> None:
    """S4.1: timeline, letters, promises with their settling, answers oldest first, and when each mail came in."""
    incident, affected = opened(store)
    (mail,) = kept(store, folder(store), arrival(1))
    fills = [Fill(number=7, value=said, by="v@msp.example", at=NOON) for said in ("unknown", "the office")]
    other = Fill(number=1, value="a cable", by="v@msp.example", at=NOON)
    told = Told(affected_id=affected.id, address="john@northwind.example", name="John", kind="debrief", at=NOON)
    with store.transaction():
        store.records.note(incident.id, entry("opened", mail))
        store.records.told(told)
        store.promises.make(affected, PromiseKind.DEBRIEF, NOON + DAY, NOON)
        store.promises.settle(affected.id, PromiseKind.DEBRIEF, PromiseState.KEPT, NOON + HOUR)
        store.desk.fill(affected.id, [fills[0], other, fills[1]])
    chapter = store.history.chapter(incident.id)
    assert (chapter.incident, chapter.affected) == (incident, (affected,))
    assert chapter.timeline == tuple(store.records.timeline(incident.id))
    assert chapter.told == (told,)
    assert chapter.impacts == {affected.id: tuple(fills)}
    assert chapter.received == {mail: NOON}
    (promise,) = chapter.promises
    assert (promise.due_at, promise.state, promise.settled_at) == (NOON + DAY, PromiseState.KEPT, NOON + HOUR)
    assert list(store.history.chapters(NOON, NOON + DAY)) == [chapter]
    assert list(store.history.heads(NOON, NOON + DAY)) == [(incident, (affected,))]
    with pytest.raises(KeyError):
        store.history.chapter(incident.id + 1)


def test_what_was_merged_is_part_of_its_root(store: Store) -> None:
    """S4.4: told once, with the root: its lines, and its client among the root's."""
    root, _ = opened(store, "zabbix:1")
    child, _ = opened(store, "zabbix:2", of="contoso")
    with store.transaction():
        store.records.note(root.id, entry("opened"))
        store.records.note(child.id, entry("alert"))
        store.records.merge(child.id, root.id, NOON)
    (chapter,) = store.history.chapters(NOON, NOON + DAY)
    assert [a.client_key for a in chapter.affected] == ["northwind", "contoso"]
    assert [e.what for e in chapter.timeline] == ["opened", "alert"]


def test_a_period_has_its_first_moment_and_not_its_last(store: Store) -> None:
    """S4.37: no incident counts in two months."""
    for n in range(4):
        opened(store, f"zabbix:{n}", opened_at=NOON + n * HOUR)
    found = store.history.heads(NOON + HOUR, NOON + 3 * HOUR)
    assert [incident.key for incident, _ in found] == ["zabbix:1", "zabbix:2"]


def test_one_client_is_found_in_a_storm(store: Store) -> None:
    """S3.8: its incidents, with all whom they struck; nothing of where it was not struck."""
    storm, first = opened(store, "zabbix:1")
    opened(store, "zabbix:2")
    with store.transaction():
        second = store.records.affect(
            storm.id,
            client("contoso"),
            mailbox="noc@msp.example",
            liaison=first.liaison,
            title="",
            phone="",
            plain="",
            symptom="down",
            started_at=NOON,
        )
    (chapter,) = store.history.chapters(NOON, NOON + DAY, "contoso")
    assert chapter.affected == (first, second)


def test_more_than_a_batch(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """S4.37: a batch goes on where the last one ended: each incident once, in order."""
    monkeypatch.setattr(history, "BATCH", 3)
    monkeypatch.setattr(history, "VARIABLES", 2)
    ids = []
    for n in range(8):
        incident, _ = opened(store, f"zabbix:{n}", opened_at=NOON + timedelta(minutes=n))
        with store.transaction():
            store.records.note(incident.id, entry("opened"))
        ids.append(incident.id)
    found = list(store.history.chapters(NOON, NOON + DAY))
    assert [chapter.incident.id for chapter in found] == ids
    assert all(len(chapter.timeline) == 1 for chapter in found)
