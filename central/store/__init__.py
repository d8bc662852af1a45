"""The server's tables, its two engines (SQLCipher and PostgreSQL) and their migrations."""
