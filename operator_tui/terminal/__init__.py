"""The terminal layer: thin driver, pacing, keyboard layouts, profiles."""
