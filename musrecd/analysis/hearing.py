"""Which hearing tempo and key come from; raised whenever they are heard better, so that old tracks are heard again."""

HEARING = 1
"""0 are the analyses from before there were tempo and key."""
