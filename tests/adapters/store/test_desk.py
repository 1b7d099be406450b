"""The contract of Desk: forms as sent, what was answered, and the draft that waits for SEND."""

from dataclasses import replace

import peewee
import pytest

from mailflow.domain.form import AskedField, Fill, Form, end_marker
from mailflow.domain.incident import Affected
from mailflow.domain.letters import Draft, DraftState, LetterKind
from mailflow.engine.store import Store
from tests.adapters.store.builders import HOUR, NOON, opened, together

ROUNDS = 5  # of each race


@pytest.fixture
def affected(store: Store) -> Affected:
    return opened(store)[1]


def form(version: int = 1) -> Form:
    return Form(
        reference="INC-1",
        version=version,
        language="nl",
        fields=(
            AskedField(number=1, label="Wat was het probleem"),
            AskedField(number=5, label="Begonnen", prefilled="di 9:00 – “vroeg”"),
        ),
        text="[1] Wat was het probleem?\r\n\r\n[5] Begonnen: di 9:00\t\n",
        end_marker=end_marker("INC-1", version),
    )


def fill(number: int, value: str, *, loose: bool = False) -> Fill:
    return Fill(number=number, value=value, by="valery@msp.example", at=NOON, loose=loose)


def draft(affected: Affected, version: int) -> Draft:
    return Draft(affected_id=affected.id, version=version, kind=LetterKind.DEBRIEF, hash="a" * 64)


def drafted(store: Store, affected: Affected, version: int) -> Draft:
    """A new draft in place of the client's current ones."""
    with store.transaction():
        for older in store.desk.drafts(affected.id):
            store.desk.supersede(older.id)
        return store.desk.add_draft(draft(affected, version), NOON)


class TestForms:
    def test_a_form_is_kept_word_for_word(self, store: Store, affected: Affected) -> None:
        """DESIGN 3: each form sent is a row: version, language, fields, prefilled values, exact text."""
        resent = replace(form(2), text="[2] Wat deden we?", fields=(AskedField(number=2, label="Wat deden we"),))
        with store.transaction():
            store.desk.add_form(affected.id, form(1), 11, NOON)
            store.desk.add_form(affected.id, form(2), 12, NOON)
            store.desk.add_form(affected.id, resent, 13, NOON)
        assert [store.desk.form(letter) for letter in (11, 12, 13)] == [form(1), form(2), resent]
        assert store.desk.form(1) is None

    def test_a_letter_shows_one_form(self, store: Store, affected: Affected) -> None:
        """DESIGN 3: a reply is aligned with the text that its letter showed, so that a letter has one."""
        with store.transaction():
            store.desk.add_form(affected.id, form(1), 11, NOON)
        with pytest.raises(peewee.IntegrityError), store.transaction():
            store.desk.add_form(affected.id, form(2), 11, NOON)

    def test_versions_go_up_over_forms_and_drafts_alike(self, store: Store, affected: Affected) -> None:
        """N.6: versions never repeat, whichever of the two had the last; each client counts its own."""
        _, other = opened(store, "b")
        assert store.desk.next_version(affected.id) == 1
        with store.transaction():
            store.desk.add_form(affected.id, form(1), 1, NOON)
        assert store.desk.next_version(affected.id) == 2
        drafted(store, affected, 4)
        assert store.desk.next_version(affected.id) == 5
        assert store.desk.next_version(other.id) == 1


class TestFills:
    def test_the_newest_answer_to_a_field_stands(self, store: Store, affected: Affected) -> None:
        """N.5, S1.4: partial answers are kept as written; a later one to the same field takes its place."""
        _, other = opened(store, "b")
        newer = replace(
            fill(1, "A Windows update — “KB5046617”\n  restarted it"), by="paul@msp.example", at=NOON + HOUR
        )
        with store.transaction():
            store.desk.fill(affected.id, [fill(1, "first"), fill(2, "steps", loose=True)])
            store.desk.fill(affected.id, [newer])
            store.desk.fill(affected.id, [])
            store.desk.fill(other.id, [fill(3, "another client's")])
        assert store.desk.fills(affected.id) == {1: newer, 2: fill(2, "steps", loose=True)}


class TestDrafts:
    def test_a_superseded_draft_is_not_released(self, store: Store, affected: Affected) -> None:
        """N.6: what another draft has replaced can never leave, and each is released once."""
        _, other = opened(store, "b")
        others = drafted(store, other, 1)
        assert store.desk.drafts(affected.id) == []
        older = drafted(store, affected, 1)
        newest = drafted(store, affected, 2)
        void = replace(older, state=DraftState.SUPERSEDED)
        assert store.desk.drafts(affected.id) == [newest, void]
        assert store.desk.drafts(other.id) == [others]
        with store.transaction():
            assert not store.desk.release(older.id, NOON)
            assert store.desk.release(newest.id, NOON + HOUR)
            assert not store.desk.release(newest.id, NOON)
            assert not store.desk.release(999, NOON)
        gone = replace(newest, state=DraftState.RELEASED, released_at=NOON + HOUR)
        assert store.desk.draft(newest.id) == gone
        assert store.desk.draft(999) is None
        with store.transaction():
            store.desk.supersede(newest.id)  # what was released is history
            assert store.desk.release(others.id, NOON)
        assert store.desk.draft(newest.id) == gone

    def test_who_approved_first_is_kept(self, store: Store, affected: Affected) -> None:
        """N.6: where two approve, the first one's name stands with the draft, and what speaks against it."""
        kept = drafted(store, affected, 1)
        with store.transaction():
            store.desk.approve(kept.id, "valery@msp.example")
            held = store.desk.add_draft(replace(draft(affected, 2), objection="leak", about=7), NOON)
        assert store.desk.draft(kept.id) == replace(kept, approved_by="valery@msp.example")
        assert store.desk.draft(held.id) == held

    def test_a_report_is_a_draft_of_no_client_of_an_incident(self, store: Store, affected: Affected) -> None:
        """S4.37: its versions go up by themselves, and no client's drafts know of it."""
        drafted(store, affected, 7)
        with store.transaction():
            assert store.desk.next_version(None) == 1
            report = store.desk.add_draft(replace(draft(affected, 1), affected_id=None, kind=LetterKind.REPORT), NOON)
            assert store.desk.next_version(None) == 2
        assert store.desk.draft(report.id) == report
        assert report not in store.desk.drafts(affected.id)

    def test_of_two_sends_at_once_one_releases(self, store: Store, affected: Affected) -> None:
        """N.6, DESIGN 3: a token may answer often and publish once, from however many processes."""

        def send() -> bool:
            with store.transaction():
                return store.desk.release(one.id, NOON)

        for version in range(1, ROUNDS + 1):
            one = drafted(store, affected, version)
            assert sorted(together(store, send, send, send)) == [False, False, True]
