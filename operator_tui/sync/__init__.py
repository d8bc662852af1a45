"""The way to the central server: messages, sender, stream."""
