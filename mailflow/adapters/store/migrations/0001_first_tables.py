"""The first tables, as they were on the day they were made: later migrations change them, nobody edits this file."""

from typing import Any

from mailflow.adapters.store.ddl import run

# {id}: a growing integer key. {blob}: bytes. Times are microseconds since 1970 in UTC; JSON is text.
TABLES = """
CREATE TABLE content (
  hash VARCHAR(64) PRIMARY KEY, data {blob} NOT NULL, kept_at BIGINT NOT NULL);
CREATE INDEX content_kept ON content (kept_at);

CREATE TABLE folder (
  id {id}, mailbox VARCHAR(255) NOT NULL, name VARCHAR(255) NOT NULL, uidvalidity BIGINT NOT NULL,
  before_uid BIGINT NOT NULL, first_new BIGINT NOT NULL, since BIGINT NOT NULL, UNIQUE (mailbox, name, uidvalidity));

CREATE TABLE inbound (
  id {id}, hash VARCHAR(64) NOT NULL UNIQUE, identity VARCHAR(64), mailbox VARCHAR(255) NOT NULL,
  state VARCHAR(16) NOT NULL, kind VARCHAR(16), reason TEXT NOT NULL DEFAULT '', tries INTEGER NOT NULL DEFAULT 0,
  received_at BIGINT NOT NULL, kept_at BIGINT NOT NULL, done_at BIGINT, message_id TEXT NOT NULL DEFAULT '',
  author TEXT NOT NULL DEFAULT '', subject TEXT NOT NULL DEFAULT '', incident_id BIGINT);
CREATE INDEX inbound_pending ON inbound (mailbox, state, id);
CREATE INDEX inbound_state ON inbound (state);
CREATE INDEX inbound_identity ON inbound (identity);
CREATE INDEX inbound_incident ON inbound (incident_id);

CREATE TABLE place (
  id {id}, folder_id BIGINT NOT NULL REFERENCES folder (id), uid BIGINT NOT NULL,
  inbound_id BIGINT REFERENCES inbound (id), filed_at BIGINT, UNIQUE (folder_id, uid));
CREATE INDEX place_unfiled ON place (folder_id, filed_at);
CREATE INDEX place_inbound ON place (inbound_id);

CREATE TABLE decision (
  id {id}, inbound_id BIGINT NOT NULL REFERENCES inbound (id), action VARCHAR(32) NOT NULL, reason TEXT NOT NULL,
  incident_id BIGINT, made_at BIGINT NOT NULL);
CREATE INDEX decision_inbound ON decision (inbound_id);

CREATE TABLE incident (
  id {id}, reference VARCHAR(32) UNIQUE, state VARCHAR(16) NOT NULL, scope VARCHAR(255) NOT NULL,
  correlation_key TEXT NOT NULL, open_key TEXT UNIQUE, class_name VARCHAR(16) NOT NULL, severity VARCHAR(16) NOT NULL,
  priority VARCHAR(4) NOT NULL, symptom VARCHAR(32) NOT NULL, title TEXT NOT NULL, detected_by VARCHAR(32) NOT NULL,
  noticed_by TEXT NOT NULL, first_shown TEXT NOT NULL, started_at BIGINT NOT NULL, ended_at BIGINT,
  opened_at BIGINT NOT NULL, closed_at BIGINT, why_closed TEXT NOT NULL DEFAULT '');
CREATE INDEX incident_key ON incident (scope, correlation_key, id);
CREATE INDEX incident_state ON incident (state, ended_at);

CREATE TABLE affected (
  id {id}, incident_id BIGINT NOT NULL REFERENCES incident (id), client_key VARCHAR(64) NOT NULL,
  client_name TEXT NOT NULL, mailbox VARCHAR(255) NOT NULL,
  timezone VARCHAR(64) NOT NULL, language VARCHAR(16) NOT NULL, live VARCHAR(8) NOT NULL,
  liaison_name TEXT NOT NULL, liaison_address VARCHAR(255) NOT NULL, liaison_title TEXT NOT NULL,
  liaison_phone TEXT NOT NULL, plain TEXT NOT NULL,
  reporter TEXT NOT NULL DEFAULT '', reported TEXT NOT NULL DEFAULT '',
  reported_at BIGINT,
  settled_at BIGINT, settled_why TEXT NOT NULL DEFAULT '', UNIQUE (incident_id, client_key));
CREATE INDEX affected_client ON affected (client_key, id);
CREATE INDEX affected_unsettled ON affected (settled_at, incident_id);

CREATE TABLE promise (
  id {id}, incident_id BIGINT NOT NULL REFERENCES incident (id), affected_id BIGINT NOT NULL REFERENCES affected (id),
  kind VARCHAR(16) NOT NULL, owner VARCHAR(255) NOT NULL, due_at BIGINT NOT NULL, state VARCHAR(16) NOT NULL,
  made_at BIGINT NOT NULL, settled_at BIGINT, UNIQUE (affected_id, kind));
CREATE INDEX promise_due ON promise (state, due_at);
CREATE INDEX promise_incident ON promise (incident_id);

CREATE TABLE entry (
  id {id}, incident_id BIGINT NOT NULL REFERENCES incident (id), at BIGINT NOT NULL, what VARCHAR(32) NOT NULL,
  author TEXT NOT NULL, text TEXT NOT NULL, inbound_id BIGINT, letter_id BIGINT);
CREATE INDEX entry_incident ON entry (incident_id, id);

CREATE TABLE told (
  id {id}, incident_id BIGINT NOT NULL REFERENCES incident (id), affected_id BIGINT NOT NULL REFERENCES affected (id),
  address VARCHAR(255) NOT NULL, name TEXT NOT NULL, kind VARCHAR(32) NOT NULL, at BIGINT NOT NULL,
  UNIQUE (affected_id, address, kind, at));
CREATE INDEX told_incident ON told (incident_id, id);

CREATE TABLE form (
  id {id}, affected_id BIGINT NOT NULL REFERENCES affected (id), version INTEGER NOT NULL,
  reference VARCHAR(32) NOT NULL, language VARCHAR(16) NOT NULL, fields TEXT NOT NULL, text TEXT NOT NULL,
  end_marker TEXT NOT NULL, letter_id BIGINT NOT NULL UNIQUE,
  made_at BIGINT NOT NULL);
CREATE INDEX form_affected ON form (affected_id, version);

CREATE TABLE fill (
  id {id}, affected_id BIGINT NOT NULL REFERENCES affected (id), number INTEGER NOT NULL, value TEXT NOT NULL,
  by_whom VARCHAR(255) NOT NULL, at BIGINT NOT NULL, loose BOOLEAN NOT NULL);
CREATE INDEX fill_affected ON fill (affected_id, id);

CREATE TABLE draft (
  id {id}, affected_id BIGINT NOT NULL REFERENCES affected (id), version INTEGER NOT NULL, kind VARCHAR(32) NOT NULL,
  hash VARCHAR(64) NOT NULL, state VARCHAR(16) NOT NULL, made_at BIGINT NOT NULL, released_at BIGINT,
  UNIQUE (affected_id, version));

CREATE TABLE letter (
  id {id}, idempotency_key VARCHAR(255) NOT NULL UNIQUE, tag_id VARCHAR(16) NOT NULL UNIQUE, kind VARCHAR(32) NOT NULL,
  incident_id BIGINT REFERENCES incident (id), affected_id BIGINT REFERENCES affected (id),
  client_key VARCHAR(64) NOT NULL, recipient_name TEXT NOT NULL, recipient VARCHAR(255) NOT NULL,
  mailbox VARCHAR(255) NOT NULL, sender_name TEXT NOT NULL, language VARCHAR(16) NOT NULL, facts TEXT NOT NULL,
  version INTEGER NOT NULL, state VARCHAR(16) NOT NULL, reason TEXT NOT NULL, said TEXT NOT NULL DEFAULT '',
  unless_over BOOLEAN NOT NULL, approved BOOLEAN NOT NULL, rendered VARCHAR(64) NOT NULL, frozen VARCHAR(64) NOT NULL,
  message_id TEXT NOT NULL, subject TEXT NOT NULL, tries INTEGER NOT NULL DEFAULT 0, created_at BIGINT NOT NULL,
  due_at BIGINT NOT NULL, not_after BIGINT, expires BIGINT NOT NULL, started_at BIGINT, sent_at BIGINT,
  lease_owner VARCHAR(64) NOT NULL DEFAULT '', lease_until BIGINT);
CREATE INDEX letter_due ON letter (mailbox, state, due_at);
CREATE INDEX letter_thread ON letter (incident_id, recipient, id);
CREATE INDEX letter_recipient ON letter (recipient, created_at);
CREATE INDEX letter_sent ON letter (recipient, sent_at);
CREATE INDEX letter_leased ON letter (state, lease_until);
CREATE INDEX letter_draft ON letter (affected_id, version);
CREATE INDEX letter_created ON letter (created_at);

CREATE TABLE control (name VARCHAR(255) PRIMARY KEY, value TEXT NOT NULL);
"""


def up(migrator: Any, db: Any) -> None:
    """Make them."""
    run(db, TABLES)
