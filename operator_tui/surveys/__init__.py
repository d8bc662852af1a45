"""Surveys and informing: check-up and observation journals."""
