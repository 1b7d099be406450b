"""Who is away and who stands in; the steps of reminding; and what the weekly digest counts."""

from typing import Any

from mailflow.adapters.store.ddl import run

STATEMENTS = """
CREATE TABLE absence (
  id {id}, address VARCHAR(255) NOT NULL, begins_at BIGINT NOT NULL, ends_at BIGINT, deputy VARCHAR(255) NOT NULL,
  why VARCHAR(32) NOT NULL, inbound_id BIGINT NOT NULL UNIQUE, moved_at BIGINT);
CREATE INDEX absence_ends ON absence (ends_at);
CREATE TABLE step (
  id {id}, promise_id BIGINT NOT NULL REFERENCES promise (id), name VARCHAR(32) NOT NULL, due_at BIGINT NOT NULL,
  done_at BIGINT, outcome TEXT NOT NULL DEFAULT '', UNIQUE (promise_id, name, due_at));
CREATE INDEX step_due ON step (done_at, due_at);
CREATE INDEX incident_opened ON incident (opened_at);
"""


def up(migrator: Any, db: Any) -> None:
    """Make them."""
    run(db, STATEMENTS)
