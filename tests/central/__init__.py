"""Tests of the central server, the same on both engines."""
