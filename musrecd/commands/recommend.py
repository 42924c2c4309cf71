"""`musrecd recommend`: what a person likes, and which of other tracks they may like."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from musrecd.commands.gathering import Gathered, Known, gather
from musrecd.commands.output import check_new, check_output
from musrecd.config import Config
from musrecd.errors import MusrecError
from musrecd.library.reader import LibraryReader
from musrecd.playlists.reading import Entry, read_list
from musrecd.recommend.taste import Favourite, by_genre, by_sound, favourites, ranked, usual_shares
from musrecd.types import EncoderInfo, FloatArray, Tags, Track

By = Literal["genre", "sound"]
PLAYLISTS = (".m3u8", ".m3u")
# A library of fewer tracks does not tell what is usual.
_ENOUGH_TRACKS = 100
_REASONS = 3
_LEAST_REASON = 0.1
_AS_NEAR = 0.1


@dataclass(frozen=True, slots=True)
class Pick:
    """A candidate, its score, and why: its liked genres with probabilities, or the liked tracks it is near to."""

    track: Known
    score: float
    because: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Recommendation:
    """The answer. `genres` are the names of a favourite's columns; `usual_in` says of what the usual is taken.

    `rankings` hold a list of candidates, best first, for each way of ranking that was asked for.
    """

    liked: list[Known]
    favourites: list[Favourite]
    genres: tuple[str, ...]
    usual_in: str
    rankings: dict[By, list[Pick]]
    n_candidates: int
    failures: dict[str, str]


def recommend(config: Config, liked: Path, candidates: Path, ways: Sequence[By]) -> Recommendation:
    """Rank what one list holds by what another says that a person likes; liked tracks are no candidates.

    Raises MusrecError if a list cannot be read or nothing in it can be heard, EncoderError, LibraryError.
    """
    liked_entries, candidate_entries = read_list(liked), read_list(candidates)
    gathered = gather(config, [*liked_entries, *candidate_entries])
    liking = _of(gathered, liked_entries, "liked tracks")
    known = {track.audio_id for track in liking}
    others = [track for track in _of(gathered, candidate_entries, "candidates") if track.audio_id not in known]
    if not others:
        raise MusrecError("all candidates are liked tracks already; name a list with others by --from")
    genres = [i for i, label in enumerate(gathered.info.labels) if label.group == "genre"]
    if not genres:
        raise MusrecError(f"the encoder {gathered.info.version} knows no genres")
    loved, offered = (_probabilities(tracks)[:, genres] for tracks in (liking, others))
    usual, usual_in = _usual(config, gathered.info, genres, np.concatenate([loved, offered]))
    found = favourites(loved, usual)
    names = tuple(gathered.info.labels[i].name for i in genres)
    rankings: dict[By, list[Pick]] = {}
    if "genre" in ways:
        rankings["genre"] = _by_genre(others, offered, found, names)
    if "sound" in ways:
        rankings["sound"] = _by_sound(others, liking)
    return Recommendation(liking, found, names, usual_in, rankings, len(others), gathered.failures)


def _of(gathered: Gathered, listed: Sequence[Entry], what: str) -> list[Known]:
    """Return the tracks of a list, copies of one recording once. Raises MusrecError if there are none."""
    tracks = {track.audio_id: track for track in reversed(gathered.of(listed))}
    if not tracks:
        raise MusrecError(f"none of the {what} could be found and heard" if listed else f"the list of {what} is empty")
    return list(reversed(tracks.values()))


def _probabilities(tracks: Sequence[Known]) -> FloatArray:
    return np.clip(np.array([track.probabilities for track in tracks], np.float32), 0, 1)


def _usual(config: Config, info: EncoderInfo, genres: Sequence[int], listed: FloatArray) -> tuple[FloatArray, str]:
    """Return how usual genres are, and where: in the library if it is large enough, else in the two lists."""
    if config.library.exists():
        with LibraryReader.open(config.library) as reader:
            paths = list(reader.analysed_paths(info.version))
            numbers = [track.recording_id for track in reader.tracks_at(paths, info.version).values()]
            found = reader.probabilities(list(dict.fromkeys(numbers)), info.version) if numbers else {}
        if len(found) >= _ENOUGH_TRACKS:
            return usual_shares(np.clip(np.array(list(found.values())), 0, 1)[:, genres]), "the library"
    return usual_shares(listed), "both lists"


def _by_genre(others: Sequence[Known], offered: FloatArray, found: list[Favourite], names: Sequence[str]) -> list[Pick]:
    scores = by_genre(offered, found)
    weights = {each.column: each.weight for each in found}
    picks = []
    for place in ranked(scores):
        strongest = sorted(weights, key=lambda column: -weights[column] * float(offered[place, column]))[:_REASONS]
        because = tuple(
            (names[column], float(offered[place, column]))
            for column in strongest
            if offered[place, column] >= _LEAST_REASON
        )
        picks.append(Pick(others[place], float(scores[place]), because))
    return picks


def _by_sound(others: Sequence[Known], liking: Sequence[Known]) -> list[Pick]:
    heard, loved = (np.array([track.embedding for track in tracks]) for tracks in (others, liking))
    scores = by_sound(heard, loved)
    picks = []
    for place in ranked(scores):
        closeness = loved @ heard[place]
        nearest = [i for i in ranked(closeness)[: _REASONS - 1] if closeness[i] >= closeness.max() - _AS_NEAR]
        because = tuple((liking[i].name, float(closeness[i])) for i in nearest)
        picks.append(Pick(others[place], float(scores[place]), because))
    return picks


def cut(answer: Recommendation, number: int) -> Recommendation:
    """Keep the best so many of each ranking."""
    return replace(answer, rankings={way: picks[:number] for way, picks in answer.rankings.items()})


def check_playlist(output: Path) -> None:
    """Refuse a playlist that cannot be written or is there already. Raises MusrecError."""
    check_output(output, PLAYLISTS)
    check_new(output)


def tracks_of(picks: Sequence[Pick]) -> list[Track]:
    """Return candidates as a playlist takes them."""
    return [Track(pick.track.path, 0, pick.track.duration_s or 0.0, Tags(title=pick.track.name)) for pick in picks]


def to_dict(answer: Recommendation) -> dict[str, Any]:
    """Return the answer for `--json`."""
    return {
        "liked": len(answer.liked),
        "favourites": [
            {
                "genre": answer.genres[each.column],
                "favoured": each.is_favoured,
                "tracks": [answer.liked[place].name for place in each.tracks],
                "mean_probability": round(each.share, 4),
                "usual_probability": round(each.usual, 4),
                "weight": round(each.weight, 4),
            }
            for each in answer.favourites
        ],
        "usual_in": answer.usual_in,
        "candidates": answer.n_candidates,
        **{f"by_{way}": [_pick(pick, way) for pick in picks] for way, picks in answer.rankings.items()},
        "failures": answer.failures,
    }


def _pick(pick: Pick, way: By) -> dict[str, Any]:
    reasons = "genres" if way == "genre" else "like"
    return {
        "score": round(pick.score, 4),
        "path": pick.track.path.decode("utf-8", "surrogateescape"),
        "artist": pick.track.tags.artist,
        "title": pick.track.tags.title,
        reasons: [{"name": name, "how_much": round(value, 4)} for name, value in pick.because],
    }
