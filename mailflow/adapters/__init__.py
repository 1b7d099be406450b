"""The world: IMAP, SMTP, the database, the bell."""
