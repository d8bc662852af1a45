"""Times of a shared machine: they are told, and fail nobody (pyproject.toml lets this one warning pass)."""

from __future__ import annotations

import warnings


def tell_if_slow(what: str, took_s: float, target_s: float) -> None:
    """Warn in the summary of the run when something took longer than its target, in seconds."""
    if took_s > target_s:
        warnings.warn(f"slower than its target: {what} took {took_s:.2f} s, not {target_s:g} s", stacklevel=2)
