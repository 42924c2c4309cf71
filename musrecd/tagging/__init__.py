"""What the encoder heard, in words."""
