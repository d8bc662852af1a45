"""The telephone: the seam PhoneLine, its lines, sound, the engine process and the desk's side of it."""
