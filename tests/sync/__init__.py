"""Tests of the way to the central server."""
