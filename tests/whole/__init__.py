"""The whole desk on real parts: a pty, Asterisk, a sound card, PostgreSQL, real processes that are killed."""
