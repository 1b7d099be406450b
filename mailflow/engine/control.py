"""What several processes agree on: switches that outlive them, who reads a mailbox, whose turn it is."""

from typing import Protocol

from mailflow.domain.letters import JSON


class Control(Protocol):
    """The few switches that outlive a process."""

    def get(self, key: str) -> JSON:
        """A switch, None where it was never set."""

    def set(self, key: str, value: JSON) -> None:
        """Set a switch."""

    def own_mailbox(self, mailbox: str) -> int | None:
        """Become the only reader of a mailbox: the fencing epoch, None where another process reads it."""

    def take_turn(self, what: str) -> None:
        """Of several machines one at a time does this: the others wait until this transaction ends."""
