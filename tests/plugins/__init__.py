"""pytest plugins of this project: which real servers a test needs, which functions it proves."""
