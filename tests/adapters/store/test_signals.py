"""The contract of Signals, Waiting, Lessons and Windows: what correlation remembers."""

from dataclasses import replace
from datetime import datetime

import peewee
import pytest

from mailflow.domain.incident import Incident, Signal
from mailflow.domain.maintenance import Window
from mailflow.domain.ownership import Lesson, Sign
from mailflow.engine.signals import MAINTENANCE, TRIAGE, NewSignal
from mailflow.engine.store import Store
from tests.adapters.store.builders import DAY, HOUR, NOON, arrival, folder, kept, opened

SCOPE = "client:northwind"
FAMILY = "zabbix:down"


def new_signal(incident: Incident | None, key: str = "4711", **changes: object) -> NewSignal:
    """A signal to be kept, with a different word in every field; without an incident, a recovery that waits."""
    values: dict[str, object] = {
        "incident_id": incident.id if incident else None,
        "affected_id": None,
        "scope": SCOPE,
        "key": key,
        "thing": "nw-fs01/ping",
        "family": FAMILY,
        "plain": "your file server",
        "began_at": NOON,
        "said_at": NOON - HOUR,
        "ended_at": None if incident else NOON,
    }
    return NewSignal(**(values | changes))  # type: ignore[arg-type]


def put(store: Store, incident: Incident | None, key: str = "4711", **changes: object) -> Signal:
    """A signal."""
    with store.transaction():
        return store.signals.put(new_signal(incident, key, **changes))


def end(store: Store, signal: Signal, at: datetime = NOON + HOUR) -> None:
    with store.transaction():
        store.signals.end(signal.id, at, at)


class TestSignals:
    def test_what_was_put_is_what_is_read(self, store: Store) -> None:
        """DESIGN 3: key, thing, family and both clocks' times come back as they went in."""
        incident, affected = opened(store)
        new = new_signal(incident, affected_id=affected.id)
        with store.transaction():
            signal = store.signals.put(new)
        for name in ("incident_id", "affected_id", "scope", "key", "thing", "family", "plain", "began_at", "said_at"):
            assert getattr(signal, name) == getattr(new, name), name
        assert (signal.began_said, signal.ended_at, signal.relapses) == (new.said_at, None, 0)
        assert store.signals.of(incident.id) == [signal]
        assert store.signals.newest(SCOPE, "4711") == signal

    def test_one_trouble_that_is_on_a_key(self, store: Store) -> None:
        """DESIGN 2: trouble that is on is unique in the database; the refusal costs its savepoint, not the batch."""
        incident, _ = opened(store)
        other, _ = opened(store, "b", "contoso")
        with store.transaction():
            first = store.signals.put(new_signal(incident))
            with pytest.raises(peewee.IntegrityError), store.transaction():
                store.signals.put(new_signal(other))
            store.signals.put(new_signal(other, scope="client:contoso"))
            store.signals.put(new_signal(incident, "4712"))
        assert store.signals.newest(SCOPE, "4711") == first

    def test_what_is_over_or_waits_holds_no_key(self, store: Store) -> None:
        """DESIGN 2: any number of recoveries wait and any number of troubles are over; one is on."""
        incident, _ = opened(store)
        for _ in range(2):
            put(store, None)
            put(store, incident, ended_at=NOON)
        end(store, put(store, incident))
        put(store, incident)
        with pytest.raises(peewee.IntegrityError):
            put(store, incident)

    def test_scope_and_key_are_not_run_together(self, store: Store) -> None:
        """N.1: a scope and a key that read alike when joined are still two troubles."""
        incident, _ = opened(store)
        put(store, incident, "x y", scope="client:a")
        put(store, incident, "y", scope="client:a x")

    def test_the_newest_is_the_one_put_last(self, store: Store) -> None:
        """N.1: of a key's or a thing's troubles the last one counts, within its scope, and what waits counts too."""
        incident, _ = opened(store)
        first = put(store, incident, "1", ended_at=NOON)
        second = put(store, incident, "2", began_at=NOON - DAY)
        put(store, incident, "3", thing="nw-fs02/ping")
        put(store, incident, "1", scope="client:contoso")
        assert store.signals.newest(SCOPE, "1") == first
        assert store.signals.newest_of(SCOPE, "nw-fs01/ping") == second
        late = put(store, None, "1")
        assert store.signals.newest(SCOPE, "1") == late
        assert store.signals.newest(SCOPE, "9") is None
        assert store.signals.newest("client:nobody", "1") is None
        assert store.signals.newest_of(SCOPE, "1") is None

    def test_a_recovery_that_waits_hides_no_trouble_of_its_thing(self, store: Store) -> None:
        """N.1: a late recovery under an old number is no news of the thing, whose trouble is on."""
        incident, _ = opened(store)
        on = put(store, incident, "1")
        put(store, None, "0")
        assert store.signals.newest_of(SCOPE, "nw-fs01/ping") == on

    def test_an_incidents_signals_are_oldest_first(self, store: Store) -> None:
        """S4.6: an incident's troubles in the order in which they came, and nobody else's."""
        incident, _ = opened(store)
        other, _ = opened(store, "b")
        mine = [put(store, incident, key, ended_at=over) for key, over in (("1", None), ("2", NOON), ("3", None))]
        put(store, other, "4")
        put(store, None, "5")
        assert store.signals.of(incident.id) == mine

    def test_a_last_word_only_gets_later(self, store: Store) -> None:
        """S4.6: mails overtake each other: an older word that comes late does not turn the clock back."""
        incident, _ = opened(store)
        signal, other = put(store, incident), put(store, incident, "2")
        for said, stands in ((NOON, NOON), (NOON - DAY, NOON), (NOON + HOUR, NOON + HOUR)):
            with store.transaction():
                store.signals.heard(signal.id, said)
            assert store.signals.newest(SCOPE, "4711") == replace(signal, said_at=stands)
        assert store.signals.newest(SCOPE, "2") == other

    def test_an_end_frees_the_key(self, store: Store) -> None:
        """S4.3: trouble that is over says since when, and by the monitor's clock; its neighbour goes on."""
        incident, _ = opened(store)
        signal, other = put(store, incident), put(store, incident, "2")
        with store.transaction():
            store.signals.end(signal.id, NOON + HOUR, NOON + DAY)
        over = replace(signal, ended_at=NOON + HOUR, said_at=NOON + DAY)
        assert store.signals.of(incident.id) == [over, other]
        put(store, incident)

    def test_a_person_ends_all_that_is_on(self, store: Store) -> None:
        """S4.3: RESOLVED ends what is on, of this incident alone; what was over keeps its own end."""
        incident, _ = opened(store)
        other, _ = opened(store, "b")
        over = put(store, incident, "1", ended_at=NOON - HOUR)
        on = [put(store, incident, key) for key in "23"]
        elsewhere, waits = put(store, other, "4"), put(store, None, "5")
        with store.transaction():
            store.signals.end_all(incident.id, NOON)
        assert store.signals.of(incident.id) == [over, *(replace(s, ended_at=NOON) for s in on)]
        assert store.signals.of(other.id) == [elsewhere]
        assert store.signals.newest(SCOPE, "5") == waits
        put(store, incident, "2")

    def test_trouble_that_is_back_is_counted_and_holds_its_key(self, store: Store) -> None:
        """S0.3: a relapse is the same trouble once more; no second one can be on beside it."""
        incident, _ = opened(store)
        signal = put(store, incident)
        for times in (1, 2):
            end(store, signal)
            with store.transaction():
                back = store.signals.reopen(signal.id, NOON + times * DAY)
            assert (back.ended_at, back.said_at, back.relapses) == (None, NOON + times * DAY, times)
            assert store.signals.newest(SCOPE, "4711") == back
        with pytest.raises(peewee.IntegrityError):
            put(store, incident)

    def test_a_recovery_from_before_the_relapse_is_older_than_it(self, store: Store) -> None:
        """S4.6: the trouble that is on began, by the monitor's clock, when it came back, not the first time."""
        incident, _ = opened(store)
        signal = put(store, incident)
        end(store, signal)
        with store.transaction():
            assert store.signals.reopen(signal.id, NOON + DAY).began_said == NOON + DAY

    def test_trouble_is_not_back_where_a_newer_one_is_on(self, store: Store) -> None:
        """DESIGN 2: the database refuses to let two of one key be on."""
        incident, _ = opened(store)
        first = put(store, incident, ended_at=NOON)
        put(store, incident)
        with pytest.raises(peewee.IntegrityError), store.transaction():
            store.signals.reopen(first.id, NOON)

    def test_how_often_a_thing_came_back_is_told(self, store: Store) -> None:
        """S0.3: a thing that comes back under a new number brings its count along."""
        incident, _ = opened(store)
        first, second = put(store, incident), put(store, incident, "2")
        with store.transaction():
            store.signals.count_relapses(second.id, 3)
        assert store.signals.of(incident.id) == [first, replace(second, relapses=3)]

    def test_what_is_alike(self, store: Store) -> None:
        """A storm is counted by what of the family began since a time and is on, whosever it is."""
        incident, _ = opened(store)
        other, _ = opened(store, "b", "contoso")
        first = put(store, incident, "1")
        put(store, incident, "before", began_at=NOON - HOUR)
        put(store, incident, "over", ended_at=NOON)
        put(store, incident, "of another family", family="zabbix:slow")
        put(store, incident, "of none", family="")
        put(store, None, "waits", ended_at=None)
        second = put(store, other, "1", scope="client:contoso", began_at=NOON + HOUR)
        assert store.signals.alike(FAMILY, NOON) == [first, second]
        assert store.signals.alike(FAMILY, NOON + HOUR) == [second]

    def test_a_recovery_waits_only_so_long(self, store: Store) -> None:
        """S4.3: a recovery that waited long enough is forgotten; trouble that is over stays in the record."""
        incident, _ = opened(store)
        over = put(store, incident, ended_at=NOON - DAY)
        put(store, None, "1", ended_at=NOON - HOUR)
        young = put(store, None, "2", ended_at=NOON)
        with store.transaction():
            assert store.signals.forget_waiting(NOON) == 1
            assert store.signals.forget_waiting(NOON) == 0
        assert store.signals.newest(SCOPE, "1") is None
        assert store.signals.newest(SCOPE, "2") == young
        assert store.signals.of(incident.id) == [over]


class TestRehoming:
    def test_a_clients_signals_go_along(self, store: Store) -> None:
        """N.1: what was the one client's of an incident is its of the other, on or over; the others' stay."""
        old, theirs = opened(store, "a", "contoso")
        new, ours = opened(store, "b")
        on, over = (
            put(store, old, "1", affected_id=theirs.id),
            put(store, old, "2", affected_id=theirs.id, ended_at=NOON),
        )
        vendors = put(store, old, "3")
        mine = put(store, new, "4", affected_id=ours.id)
        elsewhere, _ = opened(store, "c")
        put(store, elsewhere, "5", affected_id=theirs.id)
        with store.transaction():
            store.signals.rehome(theirs.id, old.id, new.id, ours.id)
        moved = [replace(s, incident_id=new.id, affected_id=ours.id) for s in (on, over)]
        assert store.signals.of(new.id) == [*moved, mine]
        assert store.signals.of(old.id) == [vendors]
        assert len(store.signals.of(elsewhere.id)) == 1
        with pytest.raises(peewee.IntegrityError):
            put(store, new, "1")

    def test_what_is_no_single_clients_goes_alone(self, store: Store) -> None:
        """A vendor's trouble concerns all of an incident's clients, and takes none of theirs along."""
        old, theirs = opened(store, "a")
        new, _ = opened(store, "b", "contoso")
        stays, goes = put(store, old, "1", affected_id=theirs.id), put(store, old, "2")
        with store.transaction():
            store.signals.rehome(None, old.id, new.id, None)
        assert store.signals.of(old.id) == [stays]
        assert store.signals.of(new.id) == [replace(goes, incident_id=new.id)]


class TestExpected:
    def test_a_mail_is_expected_from_the_first_time_on(self, store: Store) -> None:
        """An expected mail has a beginning, which asking again does not move, and the time at which it last came."""
        with store.transaction():
            assert store.signals.expect("backup", NOON) == (NOON, None)
            assert store.signals.expect("backup", NOON + DAY) == (NOON, None)
            store.signals.came("backup", NOON + HOUR)
            store.signals.came("other", NOON + DAY)
            assert store.signals.expect("backup", NOON + DAY) == (NOON, NOON + HOUR)
            store.signals.came("backup", NOON + DAY)
        assert store.signals.expect("backup", NOON) == (NOON, NOON + DAY)
        assert store.signals.expect("other", NOON) == (NOON + DAY, NOON + DAY)


class TestWaiting:
    @pytest.fixture
    def mails(self, store: Store) -> list[int]:
        """Kept mails, oldest first."""
        place = folder(store)
        return kept(store, place, *(arrival(uid) for uid in range(1, 5)))

    def wait(
        self, store: Store, mail: int, topic: str = "zabbix", why: str = TRIAGE, due: datetime | None = None
    ) -> bool:
        with store.transaction():
            return store.waiting.put(mail, why, topic, f"key {mail}", due, NOON)

    def test_the_first_of_its_topic_is_told_apart(self, store: Store, mails: list[int]) -> None:
        """Triage: a person is asked once about mails that are alike, however many of them wait."""
        asked = [self.wait(store, mails[0]), self.wait(store, mails[1]), self.wait(store, mails[2], "nagios")]
        assert asked == [True, False, True]
        assert self.wait(store, mails[3], why=MAINTENANCE)
        same = store.waiting.with_topic(TRIAGE, "zabbix")
        assert [p.inbound_id for p in same] == mails[:2]
        assert [(p.why, p.topic, p.event_key, p.due_at) for p in same] == [
            (TRIAGE, "zabbix", f"key {mail}", None) for mail in mails[:2]
        ]
        assert store.waiting.with_topic(TRIAGE, "zab") == []

    def test_what_waits_of_a_mail(self, store: Store, mails: list[int]) -> None:
        """Triage: what waits is found by its mail until it is done."""
        self.wait(store, mails[0])
        pending = store.waiting.about(mails[0])
        assert pending is not None
        assert (pending.inbound_id, pending.topic) == (mails[0], "zabbix")
        assert store.waiting.about(mails[1]) is None

    def test_what_is_done_waits_no_more(self, store: Store, mails: list[int]) -> None:
        """Triage: after its end nothing of it is found, and the next one of its topic is the first again."""
        self.wait(store, mails[0], due=NOON)
        self.wait(store, mails[1], due=NOON)
        first = store.waiting.about(mails[0])
        assert first is not None
        with store.transaction():
            store.waiting.done(first.id, "placed", NOON)
        assert store.waiting.about(mails[0]) is None
        assert [p.inbound_id for p in store.waiting.with_topic(TRIAGE, "zabbix")] == [mails[1]]
        assert [p.inbound_id for p in store.waiting.due(NOON)] == [mails[1]]
        (other,) = store.waiting.due(NOON)
        with store.transaction():
            store.waiting.done(other.id, "placed", NOON)
        assert self.wait(store, mails[2])

    def test_what_has_waited_long_enough(self, store: Store, mails: list[int]) -> None:
        """A window's end is the moment from which on what waits for it is due; what waits for a person never is."""
        self.wait(store, mails[0], why=MAINTENANCE, due=NOON + HOUR)
        self.wait(store, mails[1], why=MAINTENANCE, due=NOON)
        self.wait(store, mails[2])
        assert [p.inbound_id for p in store.waiting.due(NOON)] == [mails[1]]
        assert [p.inbound_id for p in store.waiting.due(NOON + DAY)] == mails[:2]
        assert store.waiting.due(NOON - HOUR) == []

    def test_what_waits_for_an_end_that_came_early(self, store: Store, mails: list[int]) -> None:
        """S4.13: where work is called off, what waits for its end is due at once; what waits for another is not."""
        self.wait(store, mails[0], why=MAINTENANCE, due=NOON + HOUR)
        self.wait(store, mails[1], why=MAINTENANCE, due=NOON + DAY)
        self.wait(store, mails[2], due=NOON + HOUR)
        with store.transaction():
            store.waiting.hasten(MAINTENANCE, NOON + HOUR, NOON)
        assert [(p.inbound_id, p.due_at) for p in store.waiting.due(NOON)] == [(mails[0], NOON)]
        assert [p.due_at for p in store.waiting.due(NOON + DAY)] == [NOON, NOON + DAY, NOON + HOUR]

    def test_a_mail_that_is_not_kept_cannot_wait(self, store: Store) -> None:
        """DESIGN 1.5: what waits hangs on a kept mail, or it could never be judged again."""
        with pytest.raises(peewee.IntegrityError):
            self.wait(store, 4711)


def teach(store: Store, sign: Sign, value: str, of: str, at: datetime = NOON) -> None:
    with store.transaction():
        store.lessons.teach(Lesson(sign=sign, value=value, client_key=of), "valery@msp.example", 7, at)


class TestLessons:
    def test_what_was_taught_is_known(self, store: Store) -> None:
        """Triage: a lesson is found by exactly its sign and value; what nobody asked for is not told."""
        teach(store, Sign.HOST, "nw-dc02", "northwind")
        teach(store, Sign.NAME, "site 4", "contoso")
        assert store.lessons.about([(Sign.HOST, "nw-dc02"), (Sign.HOST, "nw-dc03")]) == {
            (Sign.HOST, "nw-dc02"): "northwind"
        }
        assert store.lessons.about([(Sign.HOST, "nw-dc02"), (Sign.NAME, "site 4")]) == {
            (Sign.HOST, "nw-dc02"): "northwind",
            (Sign.NAME, "site 4"): "contoso",
        }
        for key in ((Sign.NAME, "nw-dc02"), (Sign.HOST, "nw-dc0"), (Sign.HOST, "nw-dc_2"), (Sign.HOST, "")):
            assert store.lessons.about([key]) == {}
        assert store.lessons.about([]) == {}

    def test_a_newer_lesson_replaces_the_older(self, store: Store) -> None:
        """Triage: the last word counts; the list, newest first, still shows what was said before, and by whom."""
        teach(store, Sign.HOST, "dc02", "northwind")
        teach(store, Sign.HOST, "dc03", "northwind")
        teach(store, Sign.HOST, "dc02", "contoso", NOON + HOUR)
        assert store.lessons.about([(Sign.HOST, "dc02")]) == {(Sign.HOST, "dc02"): "contoso"}
        listed = [(t.lesson.value, t.lesson.client_key, t.by, t.at, t.revoked_at) for t in store.lessons.all()]
        assert listed == [
            ("dc02", "contoso", "valery@msp.example", NOON + HOUR, None),
            ("dc03", "northwind", "valery@msp.example", NOON, None),
            ("dc02", "northwind", "valery@msp.example", NOON, NOON + HOUR),
        ]

    def test_a_lesson_that_is_revoked_counts_no_more(self, store: Store) -> None:
        """Triage: what was taught by mistake can be taken back once, and taught anew."""
        teach(store, Sign.HOST, "dc02", "northwind")
        teach(store, Sign.HOST, "dc03", "northwind")
        wrong = next(t for t in store.lessons.all() if t.lesson.value == "dc02")
        with store.transaction():
            assert store.lessons.revoke(wrong.id, NOON + HOUR)
            assert not store.lessons.revoke(wrong.id, NOON + DAY)
            assert not store.lessons.revoke(4711, NOON)
        keys = [(Sign.HOST, "dc02"), (Sign.HOST, "dc03")]
        assert store.lessons.about(keys) == {(Sign.HOST, "dc03"): "northwind"}
        assert replace(wrong, revoked_at=NOON + HOUR) in store.lessons.all()
        teach(store, Sign.HOST, "dc02", "contoso")
        assert store.lessons.about(keys)[Sign.HOST, "dc02"] == "contoso"


WORK = Window(client="northwind", things=("file server", "nw-*"), begins=NOON, ends=NOON + HOUR, why="Größere Platten")


class TestWindows:
    @pytest.fixture
    def mails(self, store: Store) -> list[int]:
        """Kept mails, oldest first."""
        return kept(store, folder(store), *(arrival(uid) for uid in range(1, 4)))

    def put(self, store: Store, mail: int, window: Window = WORK) -> int:
        with store.transaction():
            return store.windows.put(window, "valery@msp.example", mail, NOON - DAY)

    def test_what_was_announced_is_what_counts(self, store: Store, mails: list[int]) -> None:
        """S4.13: a window comes back as it went in, with who announced it and in which mail."""
        self.put(store, mails[0])
        self.put(store, mails[1], replace(WORK, client="", things=(), why=""))
        first, second = store.windows.current(NOON - DAY)
        assert first == replace(WORK, source=f"valery@msp.example, mail {mails[0]}")
        assert (second.client, second.things, second.why) == ("", (), "")

    def test_it_counts_until_its_end(self, store: Store, mails: list[int]) -> None:
        """S4.13: what goes on and what is to come, the earliest first; at its end a window is over."""
        self.put(store, mails[0], replace(WORK, begins=NOON + DAY, ends=NOON + 2 * DAY))
        self.put(store, mails[1])
        assert [w.begins for w in store.windows.current(NOON + HOUR / 2)] == [NOON, NOON + DAY]
        assert [w.begins for w in store.windows.current(NOON + HOUR)] == [NOON + DAY]
        assert store.windows.current(NOON + 2 * DAY) == []

    def test_a_mail_announces_once(self, store: Store, mails: list[int]) -> None:
        """S4.13: a mail decided twice announces one window, the first; its number is the same."""
        number = self.put(store, mails[0])
        assert self.put(store, mails[0], replace(WORK, client="contoso")) == number
        assert [w.client for w in store.windows.current(NOON)] == ["northwind"]
        assert self.put(store, mails[1]) != number

    def test_what_is_called_off_counts_no_more(self, store: Store, mails: list[int]) -> None:
        """S4.13: a window is called off once, and only while it is not over; the others stand."""
        number, other = self.put(store, mails[0]), self.put(store, mails[1])
        with store.transaction():
            called_off = store.windows.cancel(number, NOON)
            assert called_off
            assert (called_off.client, called_off.begins) == ("northwind", NOON)
            assert store.windows.cancel(number, NOON) is None
            assert store.windows.cancel(other, NOON + HOUR) is None
            assert store.windows.cancel(4711, NOON) is None
        assert [w.source for w in store.windows.current(NOON)] == [f"valery@msp.example, mail {mails[1]}"]
        assert self.put(store, mails[0]) == number  # nor does its mail announce it again
        assert len(store.windows.current(NOON)) == 1

    def test_only_a_kept_mail_announces(self, store: Store) -> None:
        """S4.13: who silenced alerts can always be read in the mail itself."""
        with pytest.raises(peewee.IntegrityError):
            self.put(store, 4711)
