"""Signals, merged incidents, what waits for a person or a window's end, and what liaisons taught and announced."""

from typing import Any

from mailflow.adapters.store.ddl import run

STATEMENTS = """
CREATE TABLE signal (
  id {id}, incident_id BIGINT REFERENCES incident (id), affected_id BIGINT REFERENCES affected (id),
  scope VARCHAR(255) NOT NULL, correlation_key TEXT NOT NULL, thing TEXT NOT NULL, family TEXT NOT NULL,
  open_key TEXT UNIQUE, plain TEXT NOT NULL, began_at BIGINT NOT NULL, began_said BIGINT NOT NULL,
  said_at BIGINT NOT NULL, ended_at BIGINT, relapses INTEGER NOT NULL DEFAULT 0);
CREATE INDEX signal_key ON signal (scope, correlation_key, id);
CREATE INDEX signal_thing ON signal (scope, thing, id);
CREATE INDEX signal_family ON signal (family, began_at);
CREATE INDEX signal_incident ON signal (incident_id, id);
ALTER TABLE incident ADD COLUMN merged_into BIGINT;
CREATE INDEX incident_merged ON incident (merged_into);
ALTER TABLE affected ADD COLUMN folded_into BIGINT;
ALTER TABLE affected ADD COLUMN symptom VARCHAR(32) NOT NULL DEFAULT '';
ALTER TABLE affected ADD COLUMN started_at BIGINT;
ALTER TABLE affected ADD COLUMN ended_at BIGINT;
ALTER TABLE affected ADD COLUMN me_too INTEGER NOT NULL DEFAULT 0;
ALTER TABLE affected ADD COLUMN ticket VARCHAR(255) NOT NULL DEFAULT '';
INSERT INTO signal (incident_id, affected_id, scope, correlation_key, thing, family, open_key, plain, began_at,
    began_said, said_at, ended_at)
  SELECT i.id, (SELECT MIN(a.id) FROM affected a WHERE a.incident_id = i.id), i.scope, i.correlation_key,
    i.correlation_key, '', i.open_key, '', i.started_at, i.started_at, COALESCE(i.ended_at, i.closed_at, i.started_at),
    COALESCE(i.ended_at, i.closed_at)
  FROM incident i WHERE i.correlation_key NOT LIKE 'mail:%';

CREATE TABLE pending (
  id {id}, inbound_id BIGINT NOT NULL REFERENCES inbound (id), why VARCHAR(16) NOT NULL, topic TEXT NOT NULL,
  event_key TEXT NOT NULL, due_at BIGINT, put_at BIGINT NOT NULL, done_at BIGINT, outcome TEXT NOT NULL DEFAULT '');
CREATE INDEX pending_topic ON pending (why, topic, done_at);
CREATE INDEX pending_due ON pending (done_at, due_at);
CREATE INDEX pending_inbound ON pending (inbound_id);

CREATE TABLE lesson (
  id {id}, sign VARCHAR(16) NOT NULL, value TEXT NOT NULL, active_key TEXT UNIQUE, client_key VARCHAR(64) NOT NULL,
  by_whom VARCHAR(255) NOT NULL, inbound_id BIGINT, taught_at BIGINT NOT NULL, revoked_at BIGINT);

CREATE TABLE maintenance (
  id {id}, client_key VARCHAR(64) NOT NULL, things TEXT NOT NULL, begins_at BIGINT NOT NULL, ends_at BIGINT NOT NULL,
  why TEXT NOT NULL, by_whom VARCHAR(255) NOT NULL, inbound_id BIGINT NOT NULL UNIQUE REFERENCES inbound (id),
  put_at BIGINT NOT NULL, cancelled_at BIGINT);
CREATE INDEX maintenance_ends ON maintenance (ends_at);

CREATE TABLE heard (
  name VARCHAR(255) PRIMARY KEY, since BIGINT NOT NULL, last_success BIGINT);
"""


def up(migrator: Any, db: Any) -> None:
    """Make them; every incident that a monitor opened becomes the signal that it was."""
    run(db, STATEMENTS)
