"""Typical answers: the approved scripts and the search for them."""
