"""The tables as peewee sees them. migrations/ makes them; a test holds the two against each other."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import peewee

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
# Bound to a real database by database.connect(); the models of one process serve one database.
PROXY = peewee.DatabaseProxy()


class UtcField(peewee.BigIntegerField):
    """An aware UTC time as microseconds since 1970: the same on both databases, and it sorts."""

    def db_value(self, value: Any) -> Any:
        """Refuses a naive time: it would be somebody's local one."""
        if isinstance(value, datetime):
            if value.tzinfo is None:
                raise ValueError(f"naive time {value!r}")
            return (value - EPOCH) // MICROSECOND
        return value

    def python_value(self, value: Any) -> Any:
        """Aware UTC."""
        return None if value is None else EPOCH + value * MICROSECOND


class JsonField(peewee.TextField):
    """JSON as text: the same on both databases; nothing is ever searched inside it."""

    def db_value(self, value: Any) -> Any:
        """As compact text."""
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    def python_value(self, value: Any) -> Any:
        """As it was."""
        return None if value is None else json.loads(value)


class Row(peewee.Model):
    """What all tables share: the database."""

    id: Any

    @classmethod
    def select(cls, *fields: Any) -> Any:
        """Whole rows as `*`: spelling a wide table's columns out for each query costs more than running it."""
        return super().select(*(fields or (peewee.SQL("*"),)))

    class Meta:
        """The database, and table names as the migrations spell them."""

        database = PROXY
        legacy_table_names = False


class ContentRow(Row):
    """Raw mails, words and frozen letters, by SHA-256."""

    hash = peewee.CharField(64, primary_key=True)
    data = peewee.BlobField()
    kept_at = UtcField()

    class Meta:  # noqa: D106 - the table's name
        table_name = "content"


class FolderRow(Row):
    """A folder under one uidvalidity."""

    mailbox = peewee.CharField()
    name = peewee.CharField()
    uidvalidity = peewee.BigIntegerField()
    before_uid = peewee.BigIntegerField()
    first_new = peewee.BigIntegerField()
    since = UtcField()

    class Meta:  # noqa: D106
        table_name = "folder"


class InboundRow(Row):
    """One delivery of one mail."""

    hash = peewee.CharField(64, unique=True)
    identity = peewee.CharField(64, null=True)
    mailbox = peewee.CharField()
    state = peewee.CharField(16)
    kind = peewee.CharField(16, null=True)
    reason = peewee.TextField(default="")
    tries = peewee.IntegerField(default=0)
    received_at = UtcField()
    kept_at = UtcField()
    done_at = UtcField(null=True)
    message_id = peewee.TextField(default="")
    author = peewee.TextField(default="")
    subject = peewee.TextField(default="")
    incident_id = peewee.BigIntegerField(null=True)

    class Meta:  # noqa: D106
        table_name = "inbound"


class PlaceRow(Row):
    """Where a delivery lies. Without an inbound mail: before our time, or gone before we could fetch it."""

    folder_id = peewee.BigIntegerField()
    uid = peewee.BigIntegerField()
    inbound_id = peewee.BigIntegerField(null=True)
    filed_at = UtcField(null=True)

    class Meta:  # noqa: D106
        table_name = "place"


class DecisionRow(Row):
    """What was decided about one event of a mail, and why."""

    inbound_id = peewee.BigIntegerField()
    action = peewee.CharField(32)
    reason = peewee.TextField()
    incident_id = peewee.BigIntegerField(null=True)
    made_at = UtcField()

    class Meta:  # noqa: D106
        table_name = "decision"


class IncidentRow(Row):
    """An incident. `open_key` is scope and key while the trouble is on, else empty: that makes it unique."""

    reference = peewee.CharField(32, unique=True, null=True)
    state = peewee.CharField(16)
    scope = peewee.CharField()
    correlation_key = peewee.TextField()
    open_key = peewee.TextField(unique=True, null=True)
    class_name = peewee.CharField(16)
    severity = peewee.CharField(16)
    priority = peewee.CharField(4)
    symptom = peewee.CharField(32)
    title = peewee.TextField()
    detected_by = peewee.CharField(32)
    noticed_by = peewee.TextField()
    first_shown = peewee.TextField()
    started_at = UtcField()
    ended_at = UtcField(null=True)
    opened_at = UtcField()
    closed_at = UtcField(null=True)
    why_closed = peewee.TextField(default="")
    merged_into = peewee.BigIntegerField(null=True)

    class Meta:  # noqa: D106
        table_name = "incident"


class AffectedRow(Row):
    """One client of an incident."""

    incident_id = peewee.BigIntegerField()
    client_key = peewee.CharField(64)
    client_name = peewee.TextField()
    timezone = peewee.CharField(64)
    language = peewee.CharField(16)
    mailbox = peewee.CharField()
    live = peewee.CharField(8)
    liaison_name = peewee.TextField()
    liaison_address = peewee.CharField()
    liaison_title = peewee.TextField()
    liaison_phone = peewee.TextField()
    plain = peewee.TextField()
    reporter = peewee.TextField(default="")
    reported = peewee.TextField(default="")
    reported_at = UtcField(null=True)
    settled_at = UtcField(null=True)
    settled_why = peewee.TextField(default="")
    folded_into = peewee.BigIntegerField(null=True)
    symptom = peewee.CharField(32, default="")
    started_at = UtcField(null=True)
    ended_at = UtcField(null=True)
    me_too = peewee.IntegerField(default=0)
    ticket = peewee.CharField(default="")
    audience = peewee.TextField(default="")

    class Meta:  # noqa: D106
        table_name = "affected"


class PromiseRow(Row):
    """An entry of the promise ledger."""

    incident_id = peewee.BigIntegerField()
    affected_id = peewee.BigIntegerField()
    kind = peewee.CharField(16)
    owner = peewee.CharField()
    due_at = UtcField()
    state = peewee.CharField(16)
    what = peewee.TextField(default="")
    made_at = UtcField()
    settled_at = UtcField(null=True)
    waits_since = UtcField(null=True)
    waits_for = peewee.TextField(default="")

    class Meta:  # noqa: D106
        table_name = "promise"


class EntryRow(Row):
    """A line of a timeline."""

    incident_id = peewee.BigIntegerField()
    at = UtcField()
    what = peewee.CharField(32)
    author = peewee.TextField()
    text = peewee.TextField()
    inbound_id = peewee.BigIntegerField(null=True)
    letter_id = peewee.BigIntegerField(null=True)

    class Meta:  # noqa: D106
        table_name = "entry"


class ToldRow(Row):
    """Audience memory."""

    incident_id = peewee.BigIntegerField()
    affected_id = peewee.BigIntegerField()
    address = peewee.CharField()
    name = peewee.TextField()
    kind = peewee.CharField(32)
    at = UtcField()

    class Meta:  # noqa: D106
        table_name = "told"


class FormRow(Row):
    """A form as it was sent."""

    affected_id = peewee.BigIntegerField()
    version = peewee.IntegerField()
    reference = peewee.CharField(32)
    language = peewee.CharField(16)
    fields = JsonField()
    text = peewee.TextField()
    end_marker = peewee.TextField()
    letter_id = peewee.BigIntegerField(unique=True)
    made_at = UtcField()

    class Meta:  # noqa: D106
        table_name = "form"


class FillRow(Row):
    """An answer; the newest of a number stands, the older ones are its history."""

    affected_id = peewee.BigIntegerField()
    number = peewee.IntegerField()
    value = peewee.TextField()
    by_whom = peewee.CharField()
    at = UtcField()
    loose = peewee.BooleanField()

    class Meta:  # noqa: D106
        table_name = "fill"


class DraftRow(Row):
    """What SEND would release, or has released."""

    affected_id = peewee.BigIntegerField(null=True)
    version = peewee.IntegerField()
    kind = peewee.CharField(32)
    hash = peewee.CharField(64)
    state = peewee.CharField(16)
    about = peewee.BigIntegerField(default=0)
    objection = peewee.CharField(16, default="")
    approved_by = peewee.CharField(default="")
    made_at = UtcField()
    released_at = UtcField(null=True)

    class Meta:  # noqa: D106
        table_name = "draft"


class LetterRow(Row):
    """A letter of the outbox."""

    idempotency_key = peewee.CharField(unique=True)
    tag_id = peewee.CharField(16, unique=True)
    kind = peewee.CharField(32)
    incident_id = peewee.BigIntegerField(null=True)
    affected_id = peewee.BigIntegerField(null=True)
    client_key = peewee.CharField(64)
    recipient_name = peewee.TextField()
    recipient = peewee.CharField()
    mailbox = peewee.CharField()
    sender_name = peewee.TextField()
    language = peewee.CharField(16)
    facts = JsonField()
    version = peewee.IntegerField()
    draft_id = peewee.BigIntegerField(default=0)
    state = peewee.CharField(16)
    reason = peewee.TextField()
    said = peewee.TextField(default="")
    unless_over = peewee.BooleanField()
    approved = peewee.BooleanField()
    rendered = peewee.CharField(64)
    frozen = peewee.CharField(64, default="")
    message_id = peewee.TextField(default="")
    subject = peewee.TextField(default="")
    tries = peewee.IntegerField(default=0)
    created_at = UtcField()
    due_at = UtcField()
    not_after = UtcField(null=True)
    expires = UtcField()
    started_at = UtcField(null=True)
    sent_at = UtcField(null=True)
    lease_owner = peewee.CharField(64, default="")
    lease_until = UtcField(null=True)

    class Meta:  # noqa: D106
        table_name = "letter"


class ControlRow(Row):
    """A switch that outlives the process."""

    name = peewee.CharField(primary_key=True)
    value = JsonField()

    class Meta:  # noqa: D106
        table_name = "control"


ALL = (
    ContentRow,
    FolderRow,
    InboundRow,
    PlaceRow,
    DecisionRow,
    IncidentRow,
    AffectedRow,
    PromiseRow,
    EntryRow,
    ToldRow,
    FormRow,
    FillRow,
    DraftRow,
    LetterRow,
    ControlRow,
)
