"""Data sets to train on: one module each, all giving the same `Clip`."""
