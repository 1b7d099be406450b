"""IMAP: a session that keeps engine.inbox.Inbox, and a wait that can be trusted."""
