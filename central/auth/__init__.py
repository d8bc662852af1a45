"""Who it is: accounts and their passwords, device keys, sessions, and the ways back after a forgotten password."""
