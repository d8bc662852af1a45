"""Practice for trainees: scenarios and simulated callers."""
