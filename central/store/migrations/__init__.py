"""The scripts: forward only. A change expands first and contracts one release later (DESIGN rule 13)."""
