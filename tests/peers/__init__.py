"""Real servers for tests: each starts on 127.0.0.1 and free ports in a scratch folder."""
