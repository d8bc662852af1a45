"""The rules of an appeal's life, pure and shared with the central server: no input, no output."""
