"""Keys and where they are kept. Hands out keys, knows no journal."""
