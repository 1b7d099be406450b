"""A liaison's command with all that carrying it out needs."""

from dataclasses import dataclass
from datetime import datetime

from mailflow.domain.decisions import Obey
from mailflow.domain.form import Verb
from mailflow.domain.incident import Affected, Entry, Incident
from mailflow.domain.letters import Letter
from mailflow.domain.people import Staff
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

    def note(self, store: Store, what: str, text: str) -> None:
        """A line on the incident's timeline."""
        entry = Entry(at=self.now, what=what, author=self.staff.name, text=text, inbound_id=self.inbound.id)
        store.records.note(self.incident.id, entry)
