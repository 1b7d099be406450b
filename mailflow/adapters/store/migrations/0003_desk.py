"""Letters know their draft, a draft its objections and approvals, and a client may be promised more than one thing."""

from typing import Any

from mailflow.adapters.store.ddl import numbers_go_on, run

STATEMENTS = """
ALTER TABLE letter ADD COLUMN draft_id BIGINT NOT NULL DEFAULT 0;
UPDATE letter SET draft_id = COALESCE(
    (SELECT d.id FROM draft d WHERE d.affected_id = letter.affected_id AND d.version = letter.version), 0)
  WHERE rendered <> '';
DROP INDEX letter_draft;
CREATE INDEX letter_draft ON letter (draft_id);
CREATE INDEX letter_affected ON letter (affected_id, kind);
ALTER TABLE draft ADD COLUMN about BIGINT NOT NULL DEFAULT 0;
ALTER TABLE draft ADD COLUMN objection VARCHAR(16) NOT NULL DEFAULT '';
ALTER TABLE draft ADD COLUMN approved_by VARCHAR(255) NOT NULL DEFAULT '';
ALTER TABLE affected ADD COLUMN audience TEXT NOT NULL DEFAULT '';

CREATE TABLE promised (
  id {id}, incident_id BIGINT NOT NULL REFERENCES incident (id), affected_id BIGINT NOT NULL REFERENCES affected (id),
  kind VARCHAR(16) NOT NULL, owner VARCHAR(255) NOT NULL, due_at BIGINT NOT NULL, state VARCHAR(16) NOT NULL,
  what TEXT NOT NULL DEFAULT '', made_at BIGINT NOT NULL, settled_at BIGINT, UNIQUE (affected_id, kind, what));
INSERT INTO promised (id, incident_id, affected_id, kind, owner, due_at, state, made_at, settled_at)
  SELECT id, incident_id, affected_id, kind, owner, due_at, state, made_at, settled_at FROM promise;
DROP TABLE promise;
ALTER TABLE promised RENAME TO promise;
CREATE INDEX promise_due ON promise (state, due_at);
CREATE INDEX promise_incident ON promise (incident_id);
"""


def up(migrator: Any, db: Any) -> None:
    """Change them; on PostgreSQL the numbers go on where they were."""
    run(db, STATEMENTS)
    numbers_go_on(db, "promise")
