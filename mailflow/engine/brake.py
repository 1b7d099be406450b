"""The brake: `pause` holds all client mail at once, `resume` lets what it held go on."""

from datetime import datetime

from mailflow.domain.letters import Letter, LetterState
from mailflow.domain.lifecycle import Dispatch, dispatch
from mailflow.engine.store import Store

SWITCH = "paused"
HELD_BY_PAUSE = "paused"
MANY = 10_000


class Brake:
    """Reads and sets the switch. Asked before each client letter, so that it holds from the next letter on."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def paused(self) -> bool:
        """Whether client mail is held."""
        return self._store.control.get(SWITCH) is not None

    def pause(self, by: str, now: datetime) -> None:
        """Hold all client mail."""
        self._store.control.set(SWITCH, {"by": by, "at": now.isoformat()})

    def held(self) -> list[Letter]:
        """What the pause holds back so far."""
        held = self._store.outbox.letters(states=[LetterState.HELD], limit=MANY)
        return [letter for letter in held if letter.reason == HELD_BY_PAUSE]

    def resume(self, now: datetime) -> list[Letter]:
        """Let client mail go on; what was held is due now, unless it is stale by then."""
        self._store.control.set(SWITCH, None)
        released = self.held()
        for letter in released:
            state = dispatch(letter.state, Dispatch.RELEASE)
            self._store.outbox.move(letter.id, state, reason="resumed", due_at=now, now=now)
        return released
