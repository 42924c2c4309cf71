"""Writes genres into files that were heard, in a process of its own: see `tagging.writing` for how."""

import time

from musrecd.config import Config
from musrecd.errors import MusrecError
from musrecd.library.reader import LibraryReader
from musrecd.library.store import Library
from musrecd.tagging.files import Rules
from musrecd.tagging.genres import Genres
from musrecd.tagging.outcome import Outcome
from musrecd.tagging.policy import Policy
from musrecd.tagging.wishes import wishes_for
from musrecd.tagging.writing import finish_interrupted, only_writer, write_all

# As many are done by one process; more are left for the next.
_AT_ONCE = 500
# What may pass, as a full disk does, is tried so often, and after so long, five times longer each time.
_TRIES = 5
_FIRST_WAIT_S = 60.0
_LONGER = 5.0


def tag_due(config: Config, roots: tuple[bytes, ...]) -> list[Outcome]:
    """Write genres into the files whose time has come. Raises LibraryError, ConfigError."""
    now = time.time()
    tagging = config.tagging
    rules = Rules(
        roots=roots, hard_links=tagging.hard_links, settle_s=config.daemon.settle_s, keep_mtime=tagging.keep_mtime
    )
    policy = Policy("extend" if tagging.write == "extend" else "fill", tagging.vocabulary.count)
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
        for outcome in write_all(library, wishes, policy, rules, genres.vocabulary.among):
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
