"""How good an encoder is: figures with intervals, beside the teachers and hand-made features on the same files."""
