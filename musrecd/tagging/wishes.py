"""Gathers what has to be known before genres are written: what each file sounds like, and what we wrote before."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from musrecd.library.journal import Entry
from musrecd.library.reader import LibraryReader
from musrecd.tagging.genres import Genres
from musrecd.tagging.policy import Among, Decision, Policy, decide
from musrecd.tagging.predict import Prediction
from musrecd.types import EncoderInfo


@dataclass(frozen=True, slots=True)
class Wish:
    """A track that may get genres.

    `predicted` are in the person's words, best first; `source` names who predicted. `in_beets` are the genres in
    beets' database, None if it does not manage the file. `ours` are the genres that we left there the last time.
    `moods` are written where none are.
    """

    path: bytes
    audio_id: str
    predicted: tuple[Prediction, ...]
    source: str
    in_beets: tuple[str, ...] | None = None
    ours: tuple[str, ...] | None = None
    moods: tuple[str, ...] = ()


def wishes_for(
    reader: LibraryReader,
    info: EncoderInfo,
    paths: Sequence[bytes],
    genres: Genres,
    in_beets: Mapping[bytes, tuple[str, ...]] | None = None,
) -> list[Wish]:
    """Return a wish for each of the files that is analysed, in their order; `in_beets` for those that beets manages.

    Raises LibraryError.
    """
    tracks = reader.tracks_at(paths, info.version)
    ids = list(dict.fromkeys(tracks[path].recording_id for path in paths if path in tracks))
    predicted = genres.of_recordings(reader, ids)
    moods = genres.moods_of(reader, ids)
    audio_ids = reader.audio_ids(ids)
    entries = reader.journal.newest(audio_ids.values())
    wishes = []
    for path in dict.fromkeys(paths):
        number = tracks[path].recording_id if path in tracks else None
        if number is None or number not in predicted:
            continue
        ours = _ours(entries.get(audio_ids[number], []), path)
        managed = None if in_beets is None else in_beets.get(path)
        wishes.append(
            Wish(path, audio_ids[number], predicted[number], genres.source, managed, ours, moods.get(number, ()))
        )
    return wishes


def decide_for(wish: Wish, in_file: tuple[str, ...], policy: Policy, among: Among) -> Decision:
    """Decide by what the file and beets' database hold: a genre that stands in either was chosen by somebody."""
    current = in_file or wish.in_beets or ()
    return decide(current, wish.predicted, policy, among=among, ours=wish.ours)


def _ours(entries: Sequence[Entry], path: bytes) -> tuple[str, ...] | None:
    """Find the genres that we left in a file the last time, under whatever name it had; None if we never did."""
    here = [each for each in entries if each.plan.path == path]
    # A file that was renamed unseen: the one we wrote is gone, and its recording is here.
    gone = [each for each in entries if not os.path.lexists(each.plan.path)]
    newest = max(here or gone, key=lambda each: each.number, default=None)
    if newest is None:
        return None
    # Who took ours back does not want them again: what is there now is theirs.
    return newest.plan.genres_after if newest.plan.undoes is None else newest.plan.genres_before
