"""Music whose key is known, the weights that were learnt from it, and how well the key is then heard."""
