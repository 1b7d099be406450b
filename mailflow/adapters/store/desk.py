"""Forms as sent, answers, and the draft that waits for SEND (engine.store.Desk)."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime

from peewee import fn

from mailflow.adapters.store.tables import DraftRow, FillRow, FormRow
from mailflow.domain.form import AskedField, Fill, Form
from mailflow.domain.letters import LetterKind
from mailflow.engine.store import Draft


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

    def next_version(self, affected_id: int) -> int:
        """The version that the next form or draft of this client gets."""
        highest = [
            row.select(fn.MAX(row.version)).where(row.affected_id == affected_id).scalar() or 0
            for row in (FormRow, DraftRow)
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

    def draft(self, affected_id: int) -> Draft | None:
        """The newest draft."""
        row = DraftRow.select().where(DraftRow.affected_id == affected_id).order_by(DraftRow.version.desc()).first()
        if row is None:
            return None
        return Draft(
            affected_id=affected_id,
            version=row.version,
            kind=LetterKind(row.kind),
            hash=row.hash,
            state=row.state,
            released_at=row.released_at,
        )

    def add_draft(self, draft: Draft, now: datetime) -> None:
        """A new current draft; an older current one is superseded."""
        DraftRow.update(state="superseded").where(
            (DraftRow.affected_id == draft.affected_id) & (DraftRow.state == "current")
        ).execute()
        DraftRow.create(
            affected_id=draft.affected_id,
            version=draft.version,
            kind=draft.kind,
            hash=draft.hash,
            state=draft.state,
            made_at=now,
        )

    def release(self, affected_id: int, version: int, now: datetime) -> bool:
        """Compare and set: of two SENDs that race, one finds the draft current."""
        released = (
            DraftRow.update(state="released", released_at=now)
            .where(
                (DraftRow.affected_id == affected_id) & (DraftRow.version == version) & (DraftRow.state == "current")
            )
            .execute()
        )
        return bool(released)
