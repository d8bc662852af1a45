"""Signing in at the desk, against a real server."""
