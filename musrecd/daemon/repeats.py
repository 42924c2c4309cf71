"""Keeps the log short when thousands of files fail alike; `musrecd failures` lists each of them."""

import logging
import math
import time
from collections.abc import Callable

_SAID_EACH = 10
_FORGOTTEN_AFTER_S = 3600.0
_MOST_REASONS = 1000


class Repeats(logging.Filter):
    """Lets the first warnings of a kind and reason pass, and then the 100th, the 1000th and so on, which say so.

    After an hour without any of them they count anew.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._seen: dict[tuple[str, str, str], tuple[int, float]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Decide about a line."""
        reason = getattr(record, "reason", None)
        if record.levelno < logging.WARNING or reason is None:
            return True
        key, now = (record.name, record.msg, str(reason)), self._clock()
        n_before, at = self._seen.pop(key, (0, -math.inf))
        n = 1 if now > at + _FORGOTTEN_AFTER_S else n_before + 1
        self._seen[key] = n, now
        if len(self._seen) > _MOST_REASONS:
            del self._seen[next(iter(self._seen))]  # which was said longest ago
        if n < _SAID_EACH:
            return True
        record.alike = n
        return str(n).strip("0") == "1"
