"""Writes genres into files that were heard, in a process of its own: see `tagging.writing` for how."""

import time

from musrecd.config import Config
from musrecd.errors import MusrecError
from musrecd.library.journal import DAEMON
from musrecd.library.reader import LibraryReader
from musrecd.library.store import Library
from musrecd.tagging.genres import Genres
from musrecd.tagging.outcome import Outcome
from musrecd.tagging.settings import policy_of, rules_of
from musrecd.tagging.wishes import wishes_for
from musrecd.tagging.writing import How, finish_interrupted, only_writer, write_all

# As many are done by one process, so that others have their turn to write; more are left for the next.
_AT_ONCE = 100
# What may pass, as a full disk does, is tried so often, and after so long, five times longer each time.
_TRIES = 5
_FIRST_WAIT_S = 60.0
_LONGER = 5.0


def tag_due(config: Config, roots: tuple[bytes, ...]) -> list[Outcome]:
    """Write genres into the files whose time has come. Raises LibraryError, ConfigError."""
    now, tagging = time.time(), config.tagging
    rules = rules_of(tagging, roots, settle_s=config.daemon.settle_s)
    policy = policy_of(tagging, tagging.vocabulary.count)
    with only_writer(config.library), Library.open(config.library) as library:
        finish_interrupted(library)
        due = dict(library.tag_queue.due(now, _AT_ONCE))
        with LibraryReader.open(config.library) as reader:
            info = reader.encoder()
            if info is None:
                raise MusrecError("nothing is analysed yet")
            genres = Genres.of(reader, info, tagging)
            wishes = wishes_for(reader, info, list(due), genres)
        outcomes = []
        for outcome in write_all(library, wishes, How(policy, rules, genres.vocabulary.among, DAEMON)):
            outcomes.append(outcome)
            _note(library, outcome, due[outcome.path], now)
        # Gone, or damaged and to be heard again: there is nothing to write.
        library.tag_queue.remove(set(due).difference(wish.path for wish in wishes))
    return outcomes


def _note(library: Library, outcome: Outcome, tries: int, now: float) -> None:
    if outcome.result == "failed" and tries + 1 < _TRIES:
        library.tag_queue.postpone(outcome.path, now + _FIRST_WAIT_S * _LONGER**tries)
    else:
        library.tag_queue.remove([outcome.path])
