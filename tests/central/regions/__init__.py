"""Regions in PostgreSQL: partitions, and the move of one to a server of its own."""
