"""The widgets of the desk, one file each. They paint and report messages."""
