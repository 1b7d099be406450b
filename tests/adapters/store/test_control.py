"""The contract of Control: the switches that outlive a process, and who reads which mailbox."""

import threading
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailflow.adapters.store.database import DatabaseStore, connect
from mailflow.adapters.store.tables import JsonField, UtcField
from mailflow.domain.letters import JSON
from mailflow.engine.mailroom import LostMailboxError
from mailflow.engine.store import Store
from tests.adapters.store.builders import NOC, NOON, arrival, elsewhere, folder, kept

VALUES: list[JSON] = [
    {"by": "dana", "at": "2026-03-03T12:00:00+00:00", "why": None},
    [1, 2.5, -0.0, 1e300, True, False, None, [], {}],
    "Grüße, “quotes”, \\back, 日本語, 🖥, \u2028, \x00 and \x1b",
    "",
    0,
    False,
    2**53 + 1,
]


class TestSwitches:
    def test_a_switch_that_was_never_set_is_none(self, store: Store) -> None:
        """DESIGN 4: nothing is paused on the first day."""
        assert store.control.get("paused") is None

    @pytest.mark.parametrize("value", VALUES, ids=repr)
    def test_a_switch_comes_back_as_it_was_set(self, store: Store, value: JSON) -> None:
        """DESIGN 3: JSON is text on both databases, and what goes in comes out."""
        with store.transaction():
            store.control.set("switch", "something else")
            store.control.set("switch", value)
            store.control.set("another", 1)
        assert store.control.get("switch") == value
        assert type(store.control.get("switch")) is type(value)

    def test_a_switch_is_turned_off_again(self, store: Store) -> None:
        """DESIGN 4: None is a switch that is off."""
        with store.transaction():
            store.control.set("paused", {"by": "dana"})
            store.control.set("paused", None)
        assert store.control.get("paused") is None

    def test_a_switch_outlives_the_connection(self, store: Store) -> None:
        """DESIGN 4: a pause holds for every process, and after every restart."""
        with store.transaction():
            store.control.set("paused", True)
        store.disconnect()
        assert store.control.get("paused") is True
        assert elsewhere(store, lambda: store.control.get("paused")) is True

    def test_disconnecting_twice_is_nothing(self, store: Store) -> None:
        """engine.store: disconnect may be called whenever a thread ends, connected or not."""
        store.disconnect()
        store.disconnect()
        assert store.control.get("x") is None


class TestOwning:
    def test_on_one_machine_the_lock_file_of_run_is_enough(self, sqlite_url: str) -> None:
        """DESIGN 3: SQLite has one reader by the lock of `run`; the epoch stays and fences nobody off."""
        store = connect(sqlite_url)
        try:
            assert store.control.own_mailbox(NOC) == store.control.own_mailbox(NOC)
            assert elsewhere(store, lambda: store.control.own_mailbox(NOC)) is not None
        finally:
            store.disconnect()

    @pytest.mark.servers
    def test_one_connection_owns_a_mailbox(self, postgres_store: DatabaseStore) -> None:
        """DESIGN 3: one owner per mailbox by advisory lock; its own question again is no second owner."""
        own = postgres_store.control.own_mailbox
        first = own(NOC)
        assert first is not None
        assert elsewhere(postgres_store, lambda: own(NOC)) is None
        again = own(NOC)
        assert again is not None
        assert again > first
        assert elsewhere(postgres_store, lambda: own("help@msp.example")) is not None

    @pytest.mark.servers
    def test_the_next_owner_fences_the_last_one_off(self, postgres_store: DatabaseStore) -> None:
        """DESIGN 3: after the owner's connection ends another takes over with a higher epoch; the old one is void."""
        store = postgres_store
        inbox = folder(store)
        first = store.control.own_mailbox(NOC)
        assert first is not None
        with store.transaction():
            assert store.mailroom.keep(inbox.id, [arrival(1)], NOON, first)
        store.disconnect()
        second = elsewhere(store, lambda: store.control.own_mailbox(NOC))
        assert second is not None
        assert second > first
        with pytest.raises(LostMailboxError), store.transaction():
            store.mailroom.keep(inbox.id, [arrival(2)], NOON, first)
        with store.transaction():
            assert store.mailroom.keep(inbox.id, [arrival(2)], NOON, second)
        assert kept(store, inbox, arrival(3))


# Without a zone, as the strategy wants them; a year from Python's own bounds, which a zone could cross.
EARLIEST, LATEST = datetime(2, 1, 1), datetime(9998, 1, 1)  # noqa: DTZ001
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None, max_examples=100)
@given(value=JSON_VALUES)
def test_any_json_goes_through_its_column(value: object) -> None:
    """DESIGN 3: the facts of a letter are what they were when it was put."""
    assert JsonField().python_value(JsonField().db_value(value)) == value


@settings(deadline=None, max_examples=100)
@given(moment=st.datetimes(EARLIEST, LATEST, timezones=st.timezones()))
def test_any_moment_goes_through_its_column(moment: datetime) -> None:
    """DESIGN 3: an aware time comes back as the same moment in UTC, whatever zone it was written in."""
    assert UtcField().python_value(UtcField().db_value(moment)) == moment.astimezone(UTC)


class TestTurns:
    def test_of_two_machines_one_at_a_time_takes_its_turn(self, store: Store) -> None:
        """DESIGN 3, N.10: what two sweepers find due, the second finds done: it waits for the first one's end."""
        began, said = threading.Event(), list[str]()

        def second() -> None:
            began.set()
            with store.transaction():
                store.control.take_turn("sweep")
                said.append(f"second, after {store.control.get('switch')}")
            store.disconnect()

        thread = threading.Thread(target=second)
        with store.transaction():
            store.control.take_turn("sweep")
            thread.start()
            began.wait()
            time.sleep(0.2)  # it would have had its turn by now
            said.append("first")
            store.control.set("switch", "done")
        thread.join()
        assert said == ["first", "second, after done"]
