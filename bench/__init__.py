"""Every figure the README claims, each with its peer in the same run."""
