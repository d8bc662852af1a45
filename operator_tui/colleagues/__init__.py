"""Directory and presence of colleagues."""
