"""The tables of what correlation remembers, as peewee sees them (see tables)."""

import peewee

from mailflow.adapters.store.tables import JsonField, Row, UtcField


class SignalRow(Row):
    """One thing's trouble. `open_key` is scope and key while it is on, else empty: that makes it unique."""

    incident_id = peewee.BigIntegerField(null=True)
    affected_id = peewee.BigIntegerField(null=True)
    scope = peewee.CharField()
    correlation_key = peewee.TextField()
    thing = peewee.TextField()
    family = peewee.TextField()
    open_key = peewee.TextField(unique=True, null=True)
    plain = peewee.TextField()
    began_at = UtcField()
    began_said = UtcField()
    said_at = UtcField()
    ended_at = UtcField(null=True)
    relapses = peewee.IntegerField(default=0)

    class Meta:  # noqa: D106
        table_name = "signal"


class PendingRow(Row):
    """An event of a kept mail that waits for a person's word or a window's end."""

    inbound_id = peewee.BigIntegerField()
    why = peewee.CharField(16)
    topic = peewee.TextField()
    event_key = peewee.TextField()
    due_at = UtcField(null=True)
    put_at = UtcField()
    done_at = UtcField(null=True)
    outcome = peewee.TextField(default="")

    class Meta:  # noqa: D106
        table_name = "pending"


class LessonRow(Row):
    """What a liaison taught. `active_key` is sign and value while it counts, else empty: that makes it unique."""

    sign = peewee.CharField(16)
    value = peewee.TextField()
    active_key = peewee.TextField(unique=True, null=True)
    client_key = peewee.CharField(64)
    by_whom = peewee.CharField()
    inbound_id = peewee.BigIntegerField(null=True)
    taught_at = UtcField()
    revoked_at = UtcField(null=True)

    class Meta:  # noqa: D106
        table_name = "lesson"


class HeardRow(Row):
    """An expected mail: since when it is expected, and when it last came."""

    name = peewee.CharField(primary_key=True)
    since = UtcField()
    last_success = UtcField(null=True)

    class Meta:  # noqa: D106
        table_name = "heard"


class WindowRow(Row):
    """Planned work that a liaison announced in a mail: one mail, one window."""

    client_key = peewee.CharField(64)  # empty: every client
    things = JsonField()  # empty: everything
    begins_at = UtcField()
    ends_at = UtcField()
    why = peewee.TextField()
    by_whom = peewee.CharField()
    inbound_id = peewee.BigIntegerField(unique=True)
    put_at = UtcField()
    cancelled_at = UtcField(null=True)

    class Meta:  # noqa: D106
        table_name = "maintenance"


ALL = (SignalRow, PendingRow, LessonRow, HeardRow, WindowRow)
