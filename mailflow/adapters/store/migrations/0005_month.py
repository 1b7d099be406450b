"""A draft may be of no incident, as a month's report is; a promise may wait for somebody else."""

from typing import Any

from mailflow.adapters.store.ddl import numbers_go_on, run

STATEMENTS = """
CREATE TABLE drafted (
  id {id}, affected_id BIGINT REFERENCES affected (id), version INTEGER NOT NULL, kind VARCHAR(32) NOT NULL,
  hash VARCHAR(64) NOT NULL, state VARCHAR(16) NOT NULL, about BIGINT NOT NULL DEFAULT 0,
  objection VARCHAR(16) NOT NULL DEFAULT '', approved_by VARCHAR(255) NOT NULL DEFAULT '', made_at BIGINT NOT NULL,
  released_at BIGINT, UNIQUE (affected_id, version));
INSERT INTO drafted (id, affected_id, version, kind, hash, state, about, objection, approved_by, made_at, released_at)
  SELECT id, affected_id, version, kind, hash, state, about, objection, approved_by, made_at, released_at FROM draft;
DROP TABLE draft;
ALTER TABLE drafted RENAME TO draft;
ALTER TABLE promise ADD COLUMN waits_since BIGINT;
ALTER TABLE promise ADD COLUMN waits_for TEXT NOT NULL DEFAULT '';
CREATE INDEX promise_waits ON promise (waits_since) WHERE waits_since IS NOT NULL;
"""


def up(migrator: Any, db: Any) -> None:
    """Change them; on PostgreSQL the numbers go on where they were."""
    run(db, STATEMENTS)
    numbers_go_on(db, "draft")
