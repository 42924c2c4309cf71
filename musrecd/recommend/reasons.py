"""Why a track is a result: its parts, and the same in words."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from musrecd.keys import KEYS, Relation, camelot, relation, shift_to
from musrecd.labels import believed
from musrecd.recommend.asking import Parts, Result, Seed
from musrecd.recommend.genres import HeardGenres, keys_of
from musrecd.recommend.mixing import key_value, ratio_to, tempo_values
from musrecd.recommend.picking import Candidate
from musrecd.recommend.query import Query, genres_of
from musrecd.recommend.rules import Broken
from musrecd.recommend.scoring import Score
from musrecd.types import Features

_FACTORS = {0.5: "half time", 2.0: "double time"}
_AS_FAST = 0.0005
_FAR = 0.16  # twice what is usually mixed: further off, nobody cares by how much


class Reasons:
    """Works out what speaks for candidates of one query, and which rules they break."""

    def __init__(self, query: Query, features: Features, score: Score) -> None:
        self._query, self._features, self._score = query, features, score

    @cached_property
    def _genres(self) -> set[str]:
        labels = self._features.labels
        return keys_of(genre for seed in self._query.likes for genre in genres_of(seed, labels))

    @cached_property
    def _heard_genres(self) -> HeardGenres:
        return HeardGenres(self._features, None)

    def parts(self, candidate: Candidate) -> Parts:
        """Return what speaks for a candidate; of several seeds the one that it mixes with best counts."""
        tempo, ratio, factor = self._tempo(candidate.row)
        key = self._key(candidate.row)
        value, found, shift = self._key_parts(key)
        return Parts(
            sound=float(self._score.cosine[candidate.row]),
            labels=float(self._score.agreement(np.array([candidate.row]))[0]),
            tempo=tempo,
            key=value,
            tempo_ratio=ratio,
            tempo_factor=factor,
            relation=found,
            shift=shift,
            shared=self._shared(candidate),
        )

    def sound(self, candidate: Candidate) -> Parts:
        """Return how alike a candidate sounds, and nothing else."""
        return Parts(sound=float(self._score.cosine[candidate.row]))

    def broken(self, candidate: Candidate, parts: Parts) -> tuple[str, ...]:
        """Name the rules that a candidate breaks, in a word or two each."""
        key = _key_of(self._features, candidate.row)
        words = {
            Broken.TEMPO: f"tempo {abs((parts.tempo_ratio or 1) - 1):.1%}".replace("%", " %"),
            Broken.KEY: f"key {camelot(key)}" if key is not None else "no key",
            Broken.LABELS: "labels",
            Broken.GENRE: "genre",
        }
        return tuple(text for rule, text in words.items() if rule in candidate.broken)

    def _tempo(self, row: int) -> tuple[float | None, float | None, float | None]:
        bpm = self._features.bpm[row : row + 1]
        if not self._query.bpms or not bpm[0] > 0:
            return None, None, None
        deviations = [abs(float(ratio_to(bpm, seed)[0][0]) - 1) for seed in self._query.bpms]
        seed = self._query.bpms[int(np.argmin(deviations))]
        ratio, factor = ratio_to(bpm, seed)
        return float(tempo_values(bpm, self._query.bpms)[0]), float(ratio[0]), float(factor[0])

    def _key_parts(self, key: str | None) -> tuple[float | None, Relation | None, int | None]:
        if key is None or not self._query.keys:
            return None, None, None
        seed = max(self._query.keys, key=lambda each: key_value(relation(each, key)))
        found = relation(seed, key)
        return key_value(found), found, shift_to(seed, key)

    def _key(self, row: int) -> str | None:
        return _key_of(self._features, row)

    def _shared(self, candidate: Candidate) -> tuple[str, ...]:
        """Return genres, then voice, instruments and moods that the candidate shares with a like."""
        named = candidate.entry.genres or self._heard_genres.names(candidate.row)
        genres = [genre for genre in named if keys_of([genre]) & self._genres]
        labels, row = self._features.labels, candidate.row
        columns = sorted(self._heard)
        told = believed(self._features.probabilities[row : row + 1], labels, columns)[0]
        return (*genres, *(labels[i].name for i, is_told in zip(columns, told, strict=True) if is_told))

    @cached_property
    def _heard(self) -> set[int]:
        """Return the columns of what is heard in a like, the genres aside."""
        labels = self._features.labels
        others = [i for i, label in enumerate(labels) if label.group != "genre"]
        if self._query.heard is None:
            return set()
        told = believed(self._query.heard, labels, others)
        return {column for i, column in enumerate(others) if told[:, i].any()}


def explain(result: Result, seeds: Sequence[Seed], features: Features) -> list[str]:
    """Say in a few lines why a track is a result, and what would have to be done to mix it."""
    parts = result.parts
    lines = [f"sounds {max(parts.sound, 0):.0%} alike".replace("%", " %")]
    if parts.shared:
        lines.append(f"both {', '.join(parts.shared)}")
    if parts.tempo_ratio is not None:
        lines.append(_tempo_line(float(features.bpm[result.row]), parts))
    key = _key_of(features, result.row)
    if key is not None and parts.key is not None:
        lines.append(_key_line(key, parts, [seed.key for seed in seeds if seed.weight > 0 and seed.key in KEYS]))
    return lines


def _tempo_line(bpm: float, parts: Parts) -> str:
    off = (parts.tempo_ratio or 1) - 1
    if abs(off) > _FAR:
        return f"{bpm:.1f} BPM"
    speed = "as fast" if abs(off) < _AS_FAST else f"{abs(off) * 100:.1f} % {'faster' if off > 0 else 'slower'}"
    return ", ".join(filter(None, (f"{bpm:.1f} BPM", speed, _FACTORS.get(parts.tempo_factor or 1))))


def _key_line(key: str, parts: Parts, seed_keys: Sequence[str | None]) -> str:
    best = next(each for each in seed_keys if each is not None and relation(each, key) is parts.relation)
    line = f"{camelot(best)} → {camelot(key)}, {parts.relation or 'keys that clash'}"
    if not parts.shift:
        return line
    return (
        f"{line}; {abs(parts.shift)} semitone{'s'[: abs(parts.shift) > 1]} {'up' if parts.shift > 0 else 'down'} to mix"
    )


def _key_of(features: Features, row: int) -> str | None:
    index = int(features.key[row])
    return KEYS[index] if index >= 0 else None
