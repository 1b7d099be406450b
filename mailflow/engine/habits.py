"""How each of ours signs, as their replies have shown: remembered from mail to mail."""

from mailflow.domain.form import Verb
from mailflow.domain.people import Staff
from mailflow.engine.setup import Setup
from mailflow.engine.store import Store
from mailflow.intake.signature import ending, learned

KEPT = 2  # replies whose ends are compared


class Habits:
    """What is known of a person's way of writing."""

    def __init__(self, store: Store, setup: Setup) -> None:
        self._store = store
        words = [setup.writer.words(code).at("command") for code in setup.writer.languages]
        self._commands = frozenset(word for table in words for verb in Verb for word in table.get(verb.value, ()))
        self._closings = [closing.casefold() for table in words for closing in table.get("closings", ())]

    def signature(self, staff: Staff) -> tuple[str, ...]:
        """The lines with which this person's replies end; empty while nothing is known."""
        own = (staff.name, staff.first_name, staff.title, staff.phone, staff.address)
        return learned(
            self._endings(staff.address), [*self._closings, *(o.casefold() for o in own if o)], self._commands
        )

    def learn(self, address: str, text: str) -> None:
        """One more reply of theirs."""
        if end := ending(text):
            self._store.control.set(f"endings:{address}", [*self._endings(address), list(end)][-KEPT:])

    def _endings(self, address: str) -> list[list[str]]:
        known = self._store.control.get(f"endings:{address}")
        if not isinstance(known, list):
            return []
        return [[str(line) for line in end] for end in known if isinstance(end, list)]
