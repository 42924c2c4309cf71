"""Tempo: music of known tempo, the head that is trained on it, and how well it hears."""
