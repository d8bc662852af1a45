"""The local journal: an encrypted SQLite database with its outbox and drafts."""
