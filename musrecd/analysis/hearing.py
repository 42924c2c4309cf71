"""Which hearing tempo and key come from; raised whenever they are heard better, so that old tracks are heard again."""

HEARING = 2
"""0 are the analyses from before there were tempo and key."""


def full_version(encoder_version: str) -> str:
    """Name all that an analysis depends on, for those who compare theirs with another machine's."""
    return f"{encoder_version}, hearing {HEARING}"
