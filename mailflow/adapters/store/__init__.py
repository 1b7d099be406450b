"""The records on peewee: the only room that knows a table."""
