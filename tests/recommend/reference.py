"""Small made libraries, and what the ranking should answer for them, worked out row by row in plain Python."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from musrecd.keys import KEYS, Relation, relation
from musrecd.labels import in_255ths
from musrecd.recommend.asking import Choice, Entry, Rules, Seed
from musrecd.types import Features, Label

LABELS = (
    Label("Rock", "genre"),
    Label("Jazz", "genre"),
    Label("Hip Hop", "genre"),
    Label("Guitar", "instrument"),
    Label("Acoustic Guitar", "instrument"),
    Label("Piano", "instrument"),
    Label("Female Vocals", "voice"),
    Label("Instrumental", "voice"),
    Label("Male Vocals", "voice"),
    Label("Vocals", "voice"),
    Label("Calm", "mood"),
)
NAMES = {label.name: i for i, label in enumerate(LABELS)}
DIM = 8


@dataclass
class Collection:
    """A library: arrays, and what a catalogue says of its rows (None: nothing). `asked` counts look-ups of rows."""

    vectors: np.ndarray
    features: Features
    listed: list[Entry | None]

    def __post_init__(self) -> None:
        self.asked: Counter[int] = Counter()

    def entries(self, rows: Iterable[int]) -> Mapping[int, Entry]:
        rows = list(rows)
        self.asked.update(rows)
        return {row: entry for row in rows if (entry := self.listed[row]) is not None}

    def seed(self, row: int, weight: float = 1.0) -> Seed:
        bpm, key = float(self.features.bpm[row]), int(self.features.key[row])
        entry = self.listed[row] or Entry()
        return Seed(
            embedding=self.vectors[row],
            probabilities=self.features.probabilities[row] / np.float32(255),
            bpm=None if np.isnan(bpm) else bpm,
            key=KEYS[key] if key >= 0 else None,
            artist=entry.artist,
            title=entry.title,
            album=entry.album,
            genres=entry.genres,
            weight=weight,
            row=row,
        )


def unit_vectors(rng: np.random.Generator, n: int, dim: int = DIM) -> np.ndarray:
    vectors = rng.standard_normal((n, dim)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def made(n: int, seed: int) -> Collection:
    """Make a library whose tempos, keys, names and genres meet each other often; some of all are missing."""
    rng = np.random.default_rng(seed)
    features = Features(
        duration_s=rng.uniform(30, 600, n).astype(np.float32),
        bpm=np.where(rng.random(n) < 0.1, np.nan, 100 * rng.choice([0.5, 1, 2], n) * rng.uniform(0.85, 1.15, n)).astype(
            np.float32
        ),
        bpm_confidence=rng.random(n, np.float32),
        key=rng.choice(np.array([-1, 0, 7, 9, 16, 21, 2], np.int8), n),
        key_confidence=rng.random(n, np.float32),
        probabilities=rng.choice(np.array([0, 3, 20, 60, 140, 250], np.uint8), (n, len(LABELS))),
        labels=LABELS,
    )
    return Collection(unit_vectors(rng, n), features, [_entry(rng) for _ in range(n)])


def _entry(rng: np.random.Generator) -> Entry | None:
    if rng.random() < 0.1:
        return None
    title = str(rng.choice(["One", "Two", "Three", "Four", "Five", "Six", "Seven", ""]))
    version = str(rng.choice(["", "", " (Live)", " - Remastered 2011"])) if title else ""
    genres = [(), (), ("Rock",), ("jazz", "hip-hop"), ("Polka",)][rng.integers(5)]
    return Entry(
        artist=str(rng.choice(["", "Ann", "Bob", "Cy", "Dee"])),
        title=title + version,
        album=str(rng.choice(["", "Red", "Blue", "Green"])),
        genres=genres,
        year=[None, 1970, 1985, 2001][rng.integers(4)],
    )


class Reference:
    """The documented ranking over all rows of a small library, one by one, in double precision."""

    def __init__(self, collection: Collection, seeds: list[Seed], rules: Rules, choice: Choice) -> None:
        self.collection, self.rules, self.choice = collection, rules, choice
        self.features, self.vectors = collection.features, collection.vectors.astype(float)
        self.seeds, self.likes = seeds, [seed for seed in seeds if seed.weight > 0]
        total = sum(seed.weight * seed.embedding.astype(float) for seed in self.likes)
        self.direction = total / np.linalg.norm(total)
        weights = [seed.weight for seed in self.likes]
        target = np.average([seed.probabilities for seed in self.likes], axis=0, weights=weights)
        self.target = in_255ths(target).astype(float)
        self.bpms = [seed.bpm for seed in self.likes if seed.bpm is not None]
        self.keys = [seed.key for seed in self.likes if seed.key is not None]
        self.penalties = self._hub_penalties()

    def _hub_penalties(self) -> np.ndarray:
        n = len(self.vectors)
        if n <= 20:
            return np.zeros(n)
        cosines = self.vectors @ self.vectors.T
        np.fill_diagonal(cosines, -1)
        crowded = np.sort(cosines, axis=1)[:, -20:].mean(axis=1)
        return 0.5 * np.maximum(crowded - np.percentile(crowded, 75), 0)

    def score(self, row: int, suggested: Mapping[int, int]) -> float:
        weights, features = self.choice.weights, self.features
        away = max((-s.weight * float(self.vectors[row] @ s.embedding) for s in self.seeds if s.weight < 0), default=0)
        sound = float(self.vectors[row] @ self.direction) - 0.5 * max(away, 0) - self.penalties[row]
        labels = features.probabilities[row].astype(float)
        either = np.maximum(labels, self.target).sum()
        parts = [(weights.sound, sound)]
        agreement = np.minimum(labels, self.target).sum() / either if either else 0.0
        parts.append((weights.labels, agreement))
        if self.bpms:
            parts.append((weights.tempo, self._sure(self._tempo(row), features.bpm_confidence[row])))
        if self.keys:
            parts.append((weights.key, self._sure(self._key(row), features.key_confidence[row])))
        total = sum(weight for weight, _ in parts)
        score = sum(weight * value for weight, value in parts) / total if total else sound
        return score - (0.05 * np.log2(1 + suggested.get(row, 0)) if self.choice.fresh else 0)

    @staticmethod
    def _sure(value: float | None, confidence: float) -> float:
        return 0.2 if value is None else 0.2 + float(confidence) * (value - 0.2)

    def _ratios(self, row: int) -> list[tuple[float, float]]:
        """The deviation from each seed and the factor, of those three the nearest."""
        bpm = float(self.features.bpm[row])
        return [min((abs(bpm / (factor * seed) - 1), factor) for factor in (0.5, 1, 2)) for seed in self.bpms]

    def _tempo(self, row: int) -> float | None:
        if np.isnan(self.features.bpm[row]):
            return None
        return max(max(1 - off / 0.1, 0) * (1 if factor == 1 else 0.9) for off, factor in self._ratios(row))

    def _key(self, row: int) -> float | None:
        values = {Relation.SAME: 1.0, Relation.RELATIVE: 0.9, Relation.NEIGHBOUR: 0.8, Relation.ENERGY: 0.5, None: 0.0}
        key = int(self.features.key[row])
        return None if key < 0 else max(values[relation(seed, KEYS[key])] for seed in self.keys)

    def believed(self, row: int, name: str) -> bool:
        p = self.features.probabilities[row].astype(float)
        group = LABELS[NAMES[name]].group
        if group != "voice":
            return bool(p[NAMES[name]] / 255 >= {"genre": 0.5, "mood": 0.5, "instrument": 0.2}[group] - 1 / 510)
        female, male, any_ = (p[NAMES[each]] for each in ("Female Vocals", "Male Vocals", "Vocals"))
        instrumental, sung = p[NAMES["Instrumental"]], max(female, male, any_)
        if name == "Instrumental":
            return instrumental > 0 and instrumental >= 2 * sung
        is_sung = sung > 0 and sung >= 2 * instrumental
        return is_sung and {"Vocals": True, "Female Vocals": female > male, "Male Vocals": male > female}[name]

    def broken(self, row: int, entry: Entry) -> int | None:
        """The rules that a row breaks as bits, tempo first; None if it may be no result."""
        rules, bits = self.rules, 0
        if not self._may_be(row, entry):
            return None
        if rules.tempo is not None and self.bpms:
            off = min((off for off, _ in self._ratios(row)), default=np.nan)
            if not off <= 2 * rules.tempo:
                return None
            bits |= 1 * (off > rules.tempo)
        if rules.key is not None and self.keys:
            bits |= 2 * (not self._key_fits(row))
        if rules.labels:
            bits |= 4 * (not any(all(self._named(row, name) for name in names) for names in rules.labels))
        if rules.genres and self._wanted():
            bits |= 8 * (not self._genre_fits(row, entry))
        return bits

    def _key_fits(self, row: int) -> bool:
        allowed = {
            "same": {Relation.SAME},
            "compatible": {Relation.SAME, Relation.RELATIVE, Relation.NEIGHBOUR},
            "energy": set(Relation),
        }
        key = int(self.features.key[row])
        return key >= 0 and any(relation(s, KEYS[key]) in allowed[self.rules.key or "same"] for s in self.keys)

    def _named(self, row: int, name: str) -> bool:
        meant = {"guitar": ["Guitar", "Acoustic Guitar"], "female": ["Female Vocals"]}.get(name, [name])
        return any(self.believed(row, each) for each in meant)

    def _genres(self, row: int | None, entry: Entry | Seed) -> set[str]:
        if entry.genres:
            return {_plain(genre) for genre in entry.genres}
        return self._heard(row) if row is not None else set()

    def _likeliest(self, row: int) -> set[str]:
        p = self.features.probabilities[row]
        best = max(("Rock", "Jazz", "Hip Hop"), key=lambda name: p[NAMES[name]])
        return {_plain(best)} if p[NAMES[best]] >= 25.5 else set()

    def _guesses(self) -> bool:
        """Whether nothing is sure of the likes' genres and what is most probable counts."""
        unsure = not any(self._genres(seed.row, seed) for seed in self.likes)
        return self.rules.genres in ("any", "same") and unsure and not self.choice.strict

    def _heard(self, row: int) -> set[str]:
        return {_plain(name) for name in ("Rock", "Jazz", "Hip Hop") if self.believed(row, name)}

    def _wanted(self) -> list[tuple[set[str], set[str]]]:
        """Alternatives: genres that a person should have set, and those that should be heard where nobody did."""
        if not isinstance(self.rules.genres, str):
            return [({*map(_plain, names)}, {*map(_plain, names)}) for names in self.rules.genres]
        found: list[tuple[set[str], set[str]]] = []
        known = {"rock", "jazz", "hiphop"}
        for seed in self.likes:
            if self._guesses():
                likeliest = self._likeliest(seed.row) if seed.row is not None else set()
                found += [(likeliest, likeliest)] if likeliest else []
                continue
            own = self._genres(seed.row, seed)
            heard = (own & known) or (self._heard(seed.row) if seed.row is not None else set())
            if self.rules.genres == "same" and own:
                found += [(own, heard or {"nothing"})]
            elif self.rules.genres == "any":
                found += [({each}, {"nothing"}) for each in own] + [({"nothing"}, {each}) for each in heard]
        return found

    def _genre_fits(self, row: int, entry: Entry) -> bool:
        have = self._genres(row, entry) or (self._likeliest(row) if self._guesses() else set())
        return any((set_ if entry.genres else heard) <= have for set_, heard in self._wanted())

    def _may_be(self, row: int, entry: Entry) -> bool:
        choice, (least, most), (first, last) = self.choice, self.rules.length_s, self.rules.years
        length, cosine = self.features.duration_s[row], float(self.vectors[row] @ self.direction)
        if any(self._named(row, name) for name in self.rules.not_labels) or cosine < choice.min_sound:
            return False
        if length < (least or 0) or (most is not None and length > most):
            return False
        if (first is not None or last is not None) and not (first or 0) <= (entry.year or -1) <= (last or 9999):
            return False
        if choice.not_same_artist and entry.artist and entry.artist in {seed.artist for seed in self.likes}:
            return False
        return not (choice.no_duplicates and any(_is_same_song(entry, seed) for seed in self.seeds))

    def results(self, suggested: Mapping[int, int]) -> list[tuple[int, int, float]]:
        """(row, broken, score) of each result, in order."""
        tiers = self._tiers(suggested)
        picked: list[tuple[int, int, float]] = []
        for tier in sorted(tiers):
            waiting = sorted(tiers[tier], key=lambda each: (-each[0], each[1]))
            while waiting and len(picked) < self.choice.number:
                best = max(waiting, key=lambda each: (self._worth(each[:2], picked), -waiting.index(each)))
                waiting.remove(best)
                score, row, bits = best
                if self._may_follow(row, picked):
                    picked.append((row, bits, score))
        return picked

    def _tiers(self, suggested: Mapping[int, int]) -> dict[int, list[tuple[float, int, int]]]:
        """(score, row, broken) of what fits all rules (0), of what breaks some but the genre (1), and the genre (2)."""
        tiers: dict[int, list[tuple[float, int, int]]] = {}
        for row, entry in enumerate(self.collection.listed):
            if entry is None or row in {seed.row for seed in self.seeds}:
                continue
            if (bits := self.broken(row, entry)) is not None:
                tier = 2 if bits & 8 else int(bits > 0)
                tiers.setdefault(tier, []).append((self.score(row, suggested), row, bits))
        if self.choice.strict:
            return {} if self._lacks() else {0: tiers.get(0, [])}
        return tiers

    def _lacks(self) -> bool:
        rules = self.rules
        return bool(
            (rules.tempo is not None and not self.bpms)
            or (rules.key is not None and not self.keys)
            or (rules.genres and not self._wanted())
        )

    def _worth(self, candidate: tuple[float, int], picked: list[tuple[int, int, float]]) -> float:
        score, row = candidate
        if not picked or self.choice.diverse <= 0:
            return score
        closest = max(float(self.vectors[row] @ self.vectors[other]) for other, _, _ in picked)
        return (1 - self.choice.diverse) * score - self.choice.diverse * closest

    def _may_follow(self, row: int, picked: list[tuple[int, int, float]]) -> bool:
        entry, choice = self.collection.listed[row], self.choice
        others = [self.collection.listed[other] for other, _, _ in picked]
        assert entry is not None
        if entry.artist and sum(e.artist == entry.artist for e in others if e) >= (choice.max_per_artist or 99):
            return False
        if entry.album and sum(e.album == entry.album for e in others if e) >= (choice.max_per_album or 99):
            return False
        return not (choice.no_duplicates and any(_is_same_song(entry, other) for other in others if other))


def _plain(genre: str) -> str:
    return genre.lower().replace("-", "").replace(" ", "")


def _is_same_song(first: Entry | Seed, second: Entry | Seed) -> bool:
    """Titles of made libraries are one word and a version; no two of their vectors are as close as copies."""
    titles = {first.title.split(" ")[0], second.title.split(" ")[0]}
    return len(titles) == 1 and titles != {""} and first.artist == second.artist != ""


def is_close_call(scores: list[float], tolerance: float = 2e-6) -> bool:
    """Whether two scores in a row differ by so little that rounding decides; equal ones are told by row."""
    return any(1e-12 < abs(a - b) < tolerance for a, b in pairwise(scores))
