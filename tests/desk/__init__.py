"""Tests of the desk without a face."""
