"""The central server: orders events, enforces roles and the life-cycle."""
