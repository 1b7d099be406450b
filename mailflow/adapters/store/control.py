"""Switches that outlive a process, and who reads which mailbox (engine.control.Control)."""

from typing import Any

import peewee

from mailflow.adapters.store.tables import ControlRow
from mailflow.domain.letters import JSON
from mailflow.engine.mailroom import LostMailboxError


class ControlTable:
    """engine.control.Control."""

    def __init__(self, db: peewee.Database, *, postgres: bool) -> None:
        self._db, self._postgres = db, postgres

    def get(self, key: str) -> JSON:
        """A switch, None where it was never set."""
        row = ControlRow.get_or_none(ControlRow.name == key)
        value: JSON = row.value if row else None
        return value

    def set(self, key: str, value: JSON) -> None:
        """Set a switch."""
        ControlRow.insert(name=key, value=value).on_conflict(
            conflict_target=[ControlRow.name], preserve=[ControlRow.value]
        ).execute()

    def own_mailbox(self, mailbox: str) -> int | None:
        """The fencing epoch of the only reader.

        SQLite is one machine's, where the lock file of `run` keeps others out. On PostgreSQL an advisory lock lives
        as long as this thread's connection; the epoch fences a reader off that lost it without noticing.
        """
        if not self._postgres:
            return _epoch(mailbox)
        held = self._db.execute_sql("SELECT pg_try_advisory_lock(hashtext(%s))", (f"mailflow {mailbox}",))
        if not held.fetchone()[0]:
            return None
        epoch = _epoch(mailbox) + 1  # nobody else counts: the lock is ours
        self.set(_key(mailbox), epoch)
        return epoch

    def take_turn(self, what: str) -> None:
        """Until this transaction ends; on SQLite a transaction that writes is alone in any case."""
        if self._postgres:
            self._db.execute_sql("SELECT pg_advisory_xact_lock(hashtext(%s))", (f"mailflow turn {what}",))


def check_epoch(mailbox: str, epoch: int) -> None:
    """LostMailboxError where somebody became the mailbox's reader after us."""
    if _epoch(mailbox) != epoch:
        raise LostMailboxError(f"{mailbox} is read by another process now")


def _epoch(mailbox: str) -> int:
    row: Any = ControlRow.get_or_none(ControlRow.name == _key(mailbox))
    return int(row.value) if row else 0


def _key(mailbox: str) -> str:
    return f"epoch {mailbox}"
