"""Gathers what has to be known before genres are written: what each file sounds like, and what we wrote before."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from musrecd.errors import TagError
from musrecd.library.journal import Entry
from musrecd.library.reader import LibraryReader
from musrecd.tagging import files
from musrecd.tagging.files import FileTags
from musrecd.tagging.files.model import GENRE, KEY, MOOD, TEMPO
from musrecd.tagging.genres import Genres
from musrecd.tagging.heard import NOTHING, Heard
from musrecd.tagging.policy import Among, Decision, Policy, decide
from musrecd.tagging.predict import Prediction
from musrecd.types import EncoderInfo, Track


@dataclass(frozen=True, slots=True)
class Wish:
    """A track that may get genres.

    `predicted` are in the person's words, best first; `source` names who predicted. `in_beets` are the genres in
    beets' database, None if it does not manage the file. `ours` are the genres that we left there the last time.
    `moods` and what was `heard` are written where none are; `heard_before` says that we did so once, and
    `heard_in_beets` is what its database has.
    """

    path: bytes
    audio_id: str
    predicted: tuple[Prediction, ...]
    source: str
    in_beets: tuple[str, ...] | None = None
    ours: tuple[str, ...] | None = None
    moods: tuple[str, ...] = ()
    heard: Heard = NOTHING
    heard_before: Heard = NOTHING
    heard_in_beets: Heard = NOTHING


def wishes_for(
    reader: LibraryReader,
    info: EncoderInfo,
    paths: Sequence[bytes],
    genres: Genres,
    in_beets: Mapping[bytes, tuple[str, ...]] | None = None,
    heard_in_beets: Mapping[bytes, Heard] | None = None,
) -> list[Wish]:
    """Return a wish for each of the files that is analysed, in their order; what is `in_beets` for those it manages.

    Raises LibraryError.
    """
    tracks = reader.tracks_at(paths, info.version)
    ids = list(dict.fromkeys(tracks[path].recording_id for path in paths if path in tracks))
    artists = {track.recording_id: track.tags.artist for track in tracks.values()}
    predicted = genres.of_recordings(reader, ids, artists)
    moods = genres.moods_of(reader, ids)
    audio_ids = reader.audio_ids(ids)
    heard = genres.heard_of(reader, ids)
    before = _heard_before(reader, tracks) if heard else {}
    ours = ours_at(reader, tracks)
    wishes = []
    for path in dict.fromkeys(paths):
        number = tracks[path].recording_id if path in tracks else None
        if number is None or number not in predicted:
            continue
        managed = None if in_beets is None else in_beets.get(path)
        wishes.append(
            Wish(
                path,
                audio_ids[number],
                predicted[number],
                genres.source,
                managed,
                ours.get(path),
                moods.get(number, ()),
                heard.get(number, NOTHING),
                before.get(path, NOTHING),
                (heard_in_beets or {}).get(path, NOTHING),
            )
        )
    return wishes


def decide_for(wish: Wish, in_file: FileTags | None, policy: Policy, among: Among) -> Decision:
    """Decide by what the file and beets' database hold; `in_file` is None where only the database counts.

    A genre that stands in either was chosen by somebody. Where both have some and they differ, one of them was edited
    and the other does not know of it: only `replace` touches such a file.
    """
    decision = _decide_genres(wish, in_file, policy, among)
    return replace(decision, heard=_decide_heard(wish, in_file, policy))


def _decide_genres(wish: Wish, in_file: FileTags | None, policy: Policy, among: Among) -> Decision:
    there = () if in_file is None else in_file.genres
    if in_file is not None and GENRE in in_file.unread:
        return Decision(None, "has a genre that is no word")
    if there and wish.in_beets and there != wish.in_beets and policy.manner != "replace":
        return Decision(None, "file and beets disagree")
    current = there or wish.in_beets or ()
    decision = decide(current, wish.predicted, policy, among=among, ours=wish.ours)
    # Moods come into files alone, never over others, and not where somebody changed our genres.
    if in_file is None or in_file.moods or MOOD in in_file.unread or wish.ours not in (None, current):
        return decision
    return replace(decision, moods=wish.moods)


def _decide_heard(wish: Wish, in_file: FileTags | None, policy: Policy) -> Heard:
    """Return the tempo and the key that are written: where there is none, neither in the file nor in beets' database.

    Where ours was removed or taken back it is not written again, unless genres are replaced by force, too.
    """
    there, before = wish.heard_in_beets, NOTHING if policy.manner == "replace" else wish.heard_before
    wanted = wish.heard.where_none(not_none(there.bpm, before.bpm), not_none(there.key, before.key))
    if in_file is None:
        return wanted
    has_tempo, has_key = bool(in_file.tempo) or TEMPO in in_file.unread, bool(in_file.key) or KEY in in_file.unread
    return wanted.where_none(has_tempo, has_key)


def not_none(*values: object) -> bool:
    """Whether there is any of these."""
    return any(value is not None for value in values)


def _heard_before(reader: LibraryReader, paths: Iterable[bytes]) -> dict[bytes, Heard]:
    """Find the tempi and keys that we wrote into these files, whatever became of them."""
    found: dict[bytes, Heard] = {}
    for plan in (each.plan for each in reader.journal.entries_at(paths)):
        last = found.get(plan.path, NOTHING)
        found[plan.path] = Heard(plan.bpm or last.bpm, plan.key or last.key)
    return found


def ours_at(reader: LibraryReader, tracks: Mapping[bytes, Track]) -> dict[bytes, tuple[str, ...]]:
    """Find the genres that we left in these files the last time; only of those that we wrote."""
    audio_ids = reader.audio_ids({track.recording_id for track in tracks.values()})
    entries = reader.journal.newest(audio_ids.values())
    # Whose sound was changed since is another recording, at the same place.
    at_paths = {entry.plan.path: entry for entry in reader.journal.entries_at(tracks)}
    found = {
        path: _ours(
            [*entries.get(audio_ids[track.recording_id], []), *([at_paths[path]] if path in at_paths else [])], path
        )
        for path, track in tracks.items()
    }
    return {path: genres for path, genres in found.items() if genres is not None}


def _ours(entries: Sequence[Entry], path: bytes) -> tuple[str, ...] | None:
    """Find the genres that we left in a file the last time, under whatever name it had; None if we never did."""
    here = [each for each in entries if each.plan.path == path]
    # A file that was renamed unseen: the one we wrote is gone, and its recording is here.
    gone = [each for each in entries if not os.path.lexists(each.plan.path)]
    newest = max(here or gone, key=lambda each: each.number, default=None)
    if newest is None:
        return next(filter(None, map(_ours_that_was_removed, entries)), None)
    return _left_by(newest)


def _left_by(entry: Entry) -> tuple[str, ...]:
    """Return the genres that are ours after a write."""
    # Who took ours back does not want them again: what is there now is theirs.
    return entry.plan.genres_after if entry.plan.undoes is None else entry.plan.genres_before


def _ours_that_was_removed(entry: Entry) -> tuple[str, ...] | None:
    """Return the genres that we left in another file of the recording, and that somebody has removed since.

    Who removed them there does not want them in a copy either. None if they are there, or the file cannot be read.
    """
    if entry.plan.file_before is None:
        return None
    try:
        return None if files.read(entry.plan.path).genres else _left_by(entry)
    except TagError:
        return None
