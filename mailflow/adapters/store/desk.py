"""Forms as sent, answers, and the draft that waits for SEND (engine.store.Desk)."""

from collections.abc import Iterable
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from peewee import fn

from mailflow.adapters.store.tables import DraftRow, FillRow, FormRow
from mailflow.domain.form import AskedField, Fill, Form
from mailflow.domain.letters import Draft, DraftState, LetterKind


class DeskTables:
    """engine.store.Desk."""

    def add_form(self, affected_id: int, form: Form, letter_id: int, now: datetime) -> None:
        """Keep a form as it was sent."""
        FormRow.create(
            affected_id=affected_id,
            version=form.version,
            reference=form.reference,
            language=form.language,
            fields=[asdict(f) for f in form.fields],
            text=form.text,
            end_marker=form.end_marker,
            letter_id=letter_id,
            made_at=now,
        )

    def form(self, letter_id: int) -> Form | None:
        """The form that this letter showed, word for word."""
        row = FormRow.get_or_none(FormRow.letter_id == letter_id)
        if row is None:
            return None
        return Form(
            reference=row.reference,
            version=row.version,
            language=row.language,
            fields=tuple(AskedField(**f) for f in row.fields),
            text=row.text,
            end_marker=row.end_marker,
        )

    def next_version(self, affected_id: int | None) -> int:
        """The version that the next form or draft of this client gets."""
        highest = [
            row.select(fn.MAX(row.version)).where(_of(row, affected_id)).scalar() or 0 for row in (FormRow, DraftRow)
        ]
        return int(max(highest)) + 1

    def fills(self, affected_id: int) -> dict[int, Fill]:
        """What was answered so far: the newest answer to a field stands."""
        query = FillRow.select().where(FillRow.affected_id == affected_id).order_by(FillRow.id)
        return {
            row.number: Fill(number=row.number, value=row.value, by=row.by_whom, at=row.at, loose=row.loose)
            for row in query
        }

    def fill(self, affected_id: int, fills: Iterable[Fill]) -> None:
        """Answers, added; older ones stay as history."""
        for f in fills:
            FillRow.create(
                affected_id=affected_id, number=f.number, value=f.value, by_whom=f.by, at=f.at, loose=f.loose
            )

    def draft(self, draft_id: int) -> Draft | None:
        """One draft."""
        row = DraftRow.get_or_none(DraftRow.id == draft_id)
        return _draft(row) if row else None

    def drafts(self, affected_id: int) -> list[Draft]:
        """A client's drafts, newest first."""
        query = DraftRow.select().where(DraftRow.affected_id == affected_id).order_by(DraftRow.version.desc())
        return [_draft(row) for row in query]

    def add_draft(self, draft: Draft, now: datetime) -> Draft:
        """Keep a draft, with its id."""
        row = DraftRow.create(
            affected_id=draft.affected_id,
            version=draft.version,
            kind=draft.kind,
            hash=draft.hash,
            state=draft.state,
            about=draft.about,
            objection=draft.objection,
            made_at=now,
        )
        return replace(draft, id=row.id)

    def supersede(self, draft_id: int) -> None:
        """Another draft stands in this one's place."""
        current = (DraftRow.id == draft_id) & (DraftRow.state == DraftState.CURRENT)
        DraftRow.update(state=DraftState.SUPERSEDED).where(current).execute()

    def approve(self, draft_id: int, by: str) -> None:
        """The first of two has approved it."""
        DraftRow.update(approved_by=by).where(DraftRow.id == draft_id).execute()

    def release(self, draft_id: int, now: datetime) -> bool:
        """Compare and set: of two SENDs that race, one finds the draft current."""
        current = (DraftRow.id == draft_id) & (DraftRow.state == DraftState.CURRENT)
        return bool(DraftRow.update(state=DraftState.RELEASED, released_at=now).where(current).execute())


def _of(table: Any, affected_id: int | None) -> Any:
    return table.affected_id.is_null() if affected_id is None else table.affected_id == affected_id


def _draft(row: Any) -> Draft:
    return Draft(
        id=row.id,
        affected_id=row.affected_id,
        version=row.version,
        kind=LetterKind(row.kind),
        hash=row.hash,
        state=DraftState(row.state),
        about=row.about,
        objection=row.objection,
        approved_by=row.approved_by,
        released_at=row.released_at,
    )
