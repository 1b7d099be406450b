"""The contract of Outbox: letters and where they stand."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from mailflow.adapters.store.tables import LetterRow
from mailflow.domain import tokens
from mailflow.domain.letters import Letter, LetterKind, LetterState, Thread
from mailflow.domain.people import Address
from mailflow.engine.store import Store
from tests.adapters.store.builders import (
    ANN,
    DAY,
    HOUR,
    JOHN,
    NOC,
    NOON,
    VALERY,
    elsewhere,
    new_letter,
    opened,
    put,
    together,
)

S = LetterState
ON_ITS_WAY = {S.WAITING, S.LEASED, S.STARTED}
SHIRLEY = Address(name="Shirley Lane", address="shirley@northwind.example")


def lease(
    store: Store, *, mailbox: str = NOC, limit: int = 10, owner: str = "me", after: timedelta = HOUR
) -> list[str]:
    """Take letters an hour later; their names."""
    now = NOON + after
    with store.transaction():
        letters = store.outbox.lease(mailbox, now, limit, owner, now + HOUR)
    assert all(letter.state is S.LEASED for letter in letters)
    return [letter.idempotency_key for letter in letters]


def moved(store: Store, letter: Letter, state: LetterState) -> None:
    with store.transaction():
        store.outbox.move(letter.id, state, now=NOON)


def names(letters: list[Letter]) -> list[str]:
    return [letter.idempotency_key for letter in letters]


class TestPutting:
    def test_a_letter_is_read_as_it_was_put(self, store: Store) -> None:
        """DESIGN 1.5: facts, recipient, times and switches of a letter come back as they went in."""
        incident, affected = opened(store)
        new = new_letter(
            "ack:1",
            incident_id=incident.id,
            affected_id=affected.id,
            not_after=NOON + 12 * HOUR,
            version=3,
            state=S.HELD,
            reason="waits-for-send",
            unless_over=True,
            rendered="b" * 64,
            approved=True,
            facts={"fields": [{"number": 1, "label": "Wat was het?"}], "ended": None, "n": 1.5, "plain": "“Börse” 🖥"},
        )
        with store.transaction():
            letter = store.outbox.put(new, NOON + HOUR)
        assert letter is not None
        for name in new.__dataclass_fields__:
            assert getattr(letter, name) == getattr(new, name), name
        assert (letter.created_at, letter.tries, letter.frozen, letter.said) == (NOON + HOUR, 0, "", "")
        assert (letter.message_id, letter.subject, letter.sent_at, letter.started_at) == ("", "", None, None)
        assert letter.tag_id == tokens.letter_id("ack:1")
        assert store.outbox.letter(letter.id) == letter
        assert store.outbox.by_tag_id(letter.tag_id) == letter
        assert store.outbox.by_tag_id("aaaaaaaaaa") is None
        with pytest.raises(KeyError):
            store.outbox.letter(letter.id + 1)

    def test_the_same_letter_is_put_once(self, store: Store) -> None:
        """DESIGN 3, N.10: idempotency by a unique key: the second is None, changes nothing, and breaks nothing."""
        first = put(store, "ack:1")
        with store.transaction():
            assert store.outbox.put(new_letter("ack:1", recipient=ANN), NOON) is None
            second = store.outbox.put(new_letter("ack:2"), NOON)
        assert second is not None
        assert store.outbox.letters(limit=9) == [second, first]

    def test_of_two_who_put_the_same_letter_at_once_one_does(self, store: Store) -> None:
        """DESIGN 3: two machines that see the same thing write one letter."""

        def one() -> bool:
            with store.transaction():
                return store.outbox.put(new_letter("ack:1"), NOON) is not None

        assert sorted(together(store, one, one, one)) == [False, False, True]

    def test_a_naive_time_is_refused(self, store: Store) -> None:
        """DESIGN 3: a due time that could be anybody's local one is not written."""
        with pytest.raises(ValueError, match="naive"), store.transaction():
            store.outbox.put(new_letter("ack:1", due_at=NOON.replace(tzinfo=None)), NOON)
        assert store.outbox.letters(limit=9) == []


class TestLeasing:
    def test_what_is_due_is_taken_by_time_and_no_more_than_asked(self, store: Store) -> None:
        """DESIGN 1.7: due letters of this mailbox, the longest due first; the rest waits for its time."""
        put(store, "second", due_at=NOON + HOUR)
        put(store, "first", due_at=NOON)
        put(store, "third", due_at=NOON + HOUR)
        put(store, "later", due_at=NOON + HOUR + timedelta(microseconds=1))
        put(store, "of another", mailbox="help@msp.example")
        assert lease(store, limit=2) == ["first", "second"]
        assert lease(store) == ["third"]
        assert lease(store) == []
        assert lease(store, mailbox="help@msp.example") == ["of another"]

    @pytest.mark.parametrize("state", [s for s in S if s is not S.WAITING])
    def test_only_what_waits_is_taken(self, store: Store, state: LetterState) -> None:
        """DESIGN 1.8: a letter that is held, on the wire, sent, unknown, failed or dropped is nobody's to send."""
        put(store, "letter", state=state)
        assert lease(store) == []

    @pytest.mark.parametrize("state", list(S))
    def test_letters_to_one_person_about_one_incident_leave_in_order(self, store: Store, state: LetterState) -> None:
        """DESIGN 1.8: a later one waits while an earlier one may still leave, even when it is due sooner."""
        incident, _ = opened(store)
        earlier = put(store, "earlier", incident_id=incident.id, due_at=NOON + DAY)
        put(store, "later", incident_id=incident.id)
        moved(store, earlier, state)
        assert lease(store) == ([] if state in ON_ITS_WAY else ["later"])

    def test_letters_of_one_order_are_not_taken_in_one_go(self, store: Store) -> None:
        """DESIGN 1.8: the second is taken only after the first has left, so that a failed first one holds it up."""
        incident, _ = opened(store)
        first = put(store, "first", incident_id=incident.id)
        put(store, "second", incident_id=incident.id)
        assert lease(store) == ["first"]
        assert lease(store) == []
        moved(store, first, S.SENT)
        assert lease(store) == ["second"]

    def test_other_people_and_other_incidents_do_not_wait(self, store: Store) -> None:
        """DESIGN 1.8: the order is each person's and each incident's; letters about no incident have none."""
        one, _ = opened(store, "a")
        other, _ = opened(store, "b")
        put(store, "blocks", incident_id=one.id, due_at=NOON + DAY)
        put(store, "of no incident, blocks nothing", due_at=NOON + DAY)
        put(store, "other person", incident_id=one.id, recipient=SHIRLEY)
        put(store, "other incident", incident_id=other.id)
        put(store, "no incident")
        assert lease(store) == ["other person", "other incident", "no incident"]

    def test_two_senders_never_get_the_same_letter(self, store: Store) -> None:
        """DESIGN 2: any number of machines may send: each letter is leased once, and none is left over."""
        everybody = {f"letter {n:02}" for n in range(30)}
        for name in everybody:
            put(store, name)

        def drain() -> list[str]:
            mine: list[str] = []
            while some := lease(store, limit=3):
                mine += some
            return mine

        taken = [name for mine in together(store, drain, drain, drain) for name in mine]
        assert sorted(taken) == sorted(everybody)

    def test_a_lease_that_is_not_committed_is_no_lease(self, store: Store) -> None:
        """DESIGN 1.5: a sender that dies before its commit strands nothing."""
        put(store, "letter")
        with pytest.raises(RuntimeError), store.transaction():  # noqa: PT012 - what fails is the transaction
            assert store.outbox.lease(NOC, NOON, 10, "me", NOON + HOUR)
            raise RuntimeError
        assert lease(store) == ["letter"]


class TestStranded:
    def test_a_dead_sender_s_letters_are_found_when_its_lease_is_over(self, store: Store) -> None:
        """N.10: what was leased or started: one's own at once, another's when its time is over."""
        put(store, "theirs, leased")
        put(store, "theirs, started")
        assert lease(store, owner="dead") == ["theirs, leased", "theirs, started"]
        started = store.outbox.by_tag_id(tokens.letter_id("theirs, started"))
        assert started is not None
        moved(store, started, S.STARTED)
        put(store, "mine")
        put(store, "waiting", due_at=NOON + DAY)
        assert lease(store, owner="me") == ["mine"]
        over = NOON + 2 * HOUR
        later = over + timedelta(microseconds=1)
        theirs = ["theirs, leased", "theirs, started"]
        assert names(store.outbox.stranded(over, "me", all_owners=False)) == ["mine"]
        assert names(store.outbox.stranded(over, "dead", all_owners=False)) == theirs
        assert names(store.outbox.stranded(later, "me", all_owners=False)) == [*theirs, "mine"]
        assert names(store.outbox.stranded(over, "me", all_owners=True)) == [*theirs, "mine"]

    @pytest.mark.parametrize("state", [s for s in S if s not in (S.LEASED, S.STARTED)])
    def test_what_is_settled_is_not_stranded(self, store: Store, state: LetterState) -> None:
        """N.10: only what was on its way needs settling."""
        put(store, "letter")
        assert lease(store, owner="dead") == ["letter"]
        letter = store.outbox.by_tag_id(tokens.letter_id("letter"))
        assert letter is not None
        moved(store, letter, state)
        assert store.outbox.stranded(NOON + DAY, "me", all_owners=True) == []


class TestIds:
    def test_two_letters_that_would_have_one_id_have_two(self, store: Store) -> None:
        """DESIGN 1.7: a letter is lost to no chance: the id that another has already is not taken."""
        put(store, "other")
        with store.transaction():
            LetterRow.update(tag_id=tokens.letter_id("letter")).execute()
        letter = put(store, "letter")
        assert letter.tag_id != tokens.letter_id("letter")
        assert names(store.outbox.letters(limit=9)) == ["letter", "other"]


class TestMoving:
    def test_a_move_writes_what_it_is_given_and_keeps_the_rest(self, store: Store) -> None:
        """S4.6: state, reason and the server's last words; a try counts only where one was made."""
        letter = put(store, "letter")
        with store.transaction():
            store.outbox.move(
                letter.id, S.WAITING, reason="retry", said="451 later", due_at=NOON + DAY, now=NOON, tried=True
            )
        expected = replace(letter, reason="retry", said="451 later", due_at=NOON + DAY, tries=1)
        assert store.outbox.letter(letter.id) == expected
        with store.transaction():
            store.outbox.move(letter.id, S.STARTED, now=NOON + HOUR)
        expected = replace(expected, state=S.STARTED, reason="", started_at=NOON + HOUR)
        assert store.outbox.letter(letter.id) == expected
        with store.transaction():
            store.outbox.move(letter.id, S.SENT, now=NOON + 2 * HOUR, approved=True)
        expected = replace(expected, state=S.SENT, sent_at=NOON + 2 * HOUR, approved=True)
        assert store.outbox.letter(letter.id) == expected

    def test_one_letter_is_moved_and_one_is_frozen(self, store: Store) -> None:
        """DESIGN 1.7: a letter is bound to its exact bytes, and to whom it really went; its neighbour is not."""
        letter, other = put(store, "letter"), put(store, "other")
        with store.transaction():
            store.outbox.freeze(letter.id, frozen="c" * 64, message_id="<x@y>", subject="Hé", recipient=VALERY)
            store.outbox.move(letter.id, S.LEASED, now=NOON)
        expected = replace(letter, state=S.LEASED, frozen="c" * 64, message_id="<x@y>", subject="Hé", recipient=VALERY)
        assert store.outbox.letter(letter.id) == expected
        assert store.outbox.letter(other.id) == other


class TestThreads:
    @pytest.mark.parametrize("state", list(S))
    def test_a_letter_hangs_below_those_that_left(self, store: Store, state: LetterState) -> None:
        """LETTERS: one thread an incident and person; what did not leave is no message to refer to."""
        incident, _ = opened(store)
        first = put(store, "first", incident_id=incident.id)
        with store.transaction():
            store.outbox.freeze(first.id, frozen="", message_id="<1@msp>", subject="Your file server", recipient=JOHN)
            store.outbox.move(first.id, state, now=NOON)
        left = state in (S.SENT, S.UNKNOWN, S.STARTED)
        expected = Thread(references=("<1@msp>",), subject="Your file server") if left else Thread()
        assert store.outbox.thread(incident.id, JOHN.address) == expected

    def test_a_thread_is_one_person_s_about_one_incident(self, store: Store) -> None:
        """LETTERS: references oldest first, the subject is the first one's; nobody hangs below another's letter."""
        incident, _ = opened(store, "a")
        other, _ = opened(store, "b")
        for number, (of, person) in enumerate(
            [(incident.id, JOHN), (incident.id, SHIRLEY), (other.id, JOHN), (incident.id, JOHN), (None, JOHN)], 1
        ):
            letter = put(store, f"{number}", incident_id=of, state=S.SENT)
            with store.transaction():
                store.outbox.freeze(
                    letter.id, frozen="", message_id=f"<{number}@msp>", subject=f"Subject {number}", recipient=person
                )
        put(store, "sent without a Message-ID", incident_id=incident.id, state=S.SENT)
        expected = Thread(references=("<1@msp>", "<4@msp>"), subject="Subject 1")
        assert store.outbox.thread(incident.id, JOHN.address) == expected
        assert store.outbox.thread(None, JOHN.address) == Thread()
        assert store.outbox.thread(incident.id, "nobody@x.example") == Thread()


class TestLists:
    def test_what_has_not_left_an_incident(self, store: Store) -> None:
        """DESIGN 4: STOP and pause find what waits or is held, of this incident, and if asked only to clients."""
        incident, _ = opened(store, "a")
        other, _ = opened(store, "b")
        for state in S:
            put(store, state.value, state=state, incident_id=incident.id)
        put(store, "to ours", incident_id=incident.id, kind=LetterKind.FORM)
        put(store, "another's", incident_id=other.id)
        assert names(store.outbox.undelivered(incident.id, to_clients=True)) == ["waiting", "held"]
        assert names(store.outbox.undelivered(incident.id, to_clients=False)) == ["waiting", "held", "to ours"]

    def test_the_letters_of_a_draft(self, store: Store) -> None:
        """N.6: SEND releases the client letters of one draft, of all its clients, and no preview."""
        _, affected = opened(store, "a")
        _, other = opened(store, "b")
        same: dict[str, Any] = {"affected_id": affected.id, "version": 2, "draft_id": 5, "kind": LetterKind.DEBRIEF}
        put(store, "to John", **same)
        put(store, "to Shirley", **same | {"recipient": SHIRLEY})
        put(store, "preview", **same | {"kind": LetterKind.PREVIEW})
        put(store, "older", **same | {"version": 1, "draft_id": 4})
        put(store, "another client's of the same storm", **same | {"affected_id": other.id})
        put(store, "of no draft", **same | {"draft_id": 0})
        assert names(store.outbox.of_draft(5)) == ["to John", "to Shirley", "another client's of the same storm"]
        assert store.outbox.of_draft(0) == []

    def test_lists_are_newest_first_by_incident_and_state(self, store: Store) -> None:
        """DESIGN 4: `outbox list` and `show` see the newest, and no more than they asked for."""
        incident, _ = opened(store)
        put(store, "a", incident_id=incident.id)
        put(store, "b", state=S.HELD)
        put(store, "c", incident_id=incident.id, state=S.SENT)
        assert names(store.outbox.letters(limit=9)) == ["c", "b", "a"]
        assert names(store.outbox.letters(limit=2)) == ["c", "b"]
        assert names(store.outbox.letters(states=[S.HELD, S.WAITING], limit=9)) == ["b", "a"]
        assert names(store.outbox.letters(incident_id=incident.id, limit=9)) == ["c", "a"]
        assert names(store.outbox.letters(incident_id=incident.id, states=[S.SENT], limit=9)) == ["c"]

    def test_letters_whose_fate_is_unknown(self, store: Store) -> None:
        """DESIGN 1.8: each mailbox's runner looks for the proof of its own."""
        for state in S:
            put(store, state.value, state=state)
        put(store, "other", state=S.UNKNOWN, mailbox="help@msp.example")
        assert names(store.outbox.unknown(NOC)) == ["unknown"]

    def test_whether_the_form_was_sent(self, store: Store) -> None:
        """S0.8: asked means sent: a form that waits asked nobody, and another client's form asked another."""
        _, affected = opened(store, "a")
        _, other = opened(store, "b")
        put(store, "other's", kind=LetterKind.FORM, affected_id=other.id, state=S.SENT)
        put(store, "opened", kind=LetterKind.OPENED, affected_id=affected.id, state=S.SENT)
        form = put(store, "form", kind=LetterKind.FORM, affected_id=affected.id)
        assert not store.outbox.asked(affected.id)
        moved(store, form, S.SENT)
        assert store.outbox.asked(affected.id)


class TestCaps:
    @pytest.mark.parametrize("state", list(S))
    def test_caps_count_what_left_or_may_have(self, store: Store, state: LetterState) -> None:
        """DESIGN 3, loops: letters to clients that were sent, are on the wire, or of unknown fate."""
        put(store, "letter", state=state)
        counts = state in (S.SENT, S.STARTED, S.UNKNOWN)
        assert store.outbox.count_unapproved(since=NOON) == int(counts)

    def test_caps_count_unapproved_client_letters_by_person_domain_and_incident(self, store: Store) -> None:
        """DESIGN 3, loops: by address, domain, incident and overall; approved and staff letters do not count."""
        incident, _ = opened(store)
        sent: dict[str, Any] = {"state": S.SENT}
        put(store, "john", incident_id=incident.id, **sent)
        put(store, "shirley", recipient=SHIRLEY, **sent)
        put(store, "ann", recipient=ANN, incident_id=incident.id, **sent)
        put(store, "approved", approved=True, incident_id=incident.id, **sent)
        put(store, "staff", kind=LetterKind.OPENED, incident_id=incident.id, **sent)
        put(store, "look-alike", recipient=Address(name="", address="x@evil-northwind.example"), **sent)
        put(store, "subdomain", recipient=Address(name="", address="x@mail.northwind.example"), **sent)
        count = store.outbox.count_unapproved
        assert count(since=NOON) == 5
        assert count(since=NOON + timedelta(microseconds=1)) == 0
        assert count(since=NOON, address=JOHN.address) == 1
        assert count(since=NOON, domain="northwind.example") == 2
        assert count(since=NOON, incident_id=incident.id) == 2
        assert count(since=NOON, incident_id=incident.id, address=JOHN.address) == 1
        assert count(since=NOON, domain="n_rthwind.example") == 0
        assert count(since=NOON, domain="%.example") == 0

    def test_letters_to_one_of_ours_are_counted_when_sent(self, store: Store) -> None:
        """DESIGN 3, loops: staff letters have a cap of their own."""
        staff: dict[str, Any] = {"recipient": VALERY, "kind": LetterKind.NOTICE}
        for state in S:
            put(store, state.value, state=state, **staff)
        put(store, "to another", kind=LetterKind.NOTICE, state=S.SENT)
        put(store, "a client's", recipient=VALERY, state=S.SENT)
        assert store.outbox.count_staff(VALERY.address, NOON) == 1
        assert store.outbox.count_staff(VALERY.address, NOON + timedelta(microseconds=1)) == 0

    def test_phrases_go_by_how_many_incidents_a_person_heard_of(self, store: Store) -> None:
        """S1.2: no client is sent the same sentences twice: other incidents count once each, this one does not."""
        first, second, third = (opened(store, key)[0].id for key in "abc")
        for number, incident in enumerate((first, first, second, third)):
            put(store, f"{number}", incident_id=incident)
        put(store, "to another", incident_id=second, recipient=ANN)
        put(store, "of another kind", incident_id=second, kind=LetterKind.DEBRIEF)
        kind = LetterKind.ACKNOWLEDGEMENT
        assert store.outbox.count_incidents(kind, JOHN.address, besides=third) == 2
        assert store.outbox.count_incidents(kind, JOHN.address, besides=0) == 3
        assert store.outbox.count_incidents(kind, "nobody@x.example", besides=0) == 0


def test_another_connection_sees_what_is_committed_and_nothing_else(store: Store) -> None:
    """DESIGN 3: runners talk through the store: a commit is seen by all, what is not committed by nobody else."""
    with store.transaction():
        put(store, "letter")
        assert elsewhere(store, lambda: store.outbox.letters(limit=9)) == []
    assert names(elsewhere(store, lambda: store.outbox.letters(limit=9))) == ["letter"]
