"""What the server answers over HTTP: one file an address."""
