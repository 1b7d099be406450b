"""A liaison's command with all that carrying it out needs."""

from dataclasses import dataclass
from datetime import datetime

from mailflow.domain.decisions import Obey
from mailflow.domain.form import Verb
from mailflow.domain.incident import Affected, Entry, Incident
from mailflow.domain.letters import Letter, LetterKind
from mailflow.domain.people import Staff
from mailflow.engine.case import group
from mailflow.engine.mailroom import Inbound
from mailflow.engine.store import Store


@dataclass(frozen=True, kw_only=True)
class Order:
    """One command about one client of one incident."""

    obey: Obey
    incident: Incident
    affected: Affected
    inbound: Inbound
    now: datetime

    @property
    def verb(self) -> Verb:
        """What is to be done."""
        return self.obey.command.verb

    @property
    def argument(self) -> str:
        """What stood behind the command, without blanks around it."""
        return self.obey.command.argument.strip()

    @property
    def staff(self) -> Staff:
        """Who wants it."""
        return self.obey.staff

    @property
    def letter(self) -> Letter | None:
        """The letter that was answered."""
        return self.obey.letter

    def clients(self, store: Store) -> list[Affected]:
        """All of hers below a storm's one mail or form; below a preview, those of its letters; else this one."""
        letter = self.letter
        if letter and (letter.facts.get("many") or letter.kind in {LetterKind.FORM, LetterKind.MISSING}):
            return group(store, self.affected)
        if letter and letter.draft_id:
            shown = {self.affected.id, *(x.affected_id for x in store.outbox.of_draft(letter.draft_id))}
            return [one for one in store.records.affected_of(self.incident.id) if one.id in shown]
        return [self.affected]

    def note(self, store: Store, what: str, text: str) -> None:
        """A line on the incident's timeline."""
        entry = Entry(at=self.now, what=what, author=self.staff.name, text=text, inbound_id=self.inbound.id)
        store.records.note(self.incident.id, entry)
