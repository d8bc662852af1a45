"""Styles, sounds, languages and reference data that the program carries; read through importlib.resources."""
