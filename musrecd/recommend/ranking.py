"""The one way to an answer: seeds, numbers of all rows, names of few, and what was asked become results."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from musrecd.recommend.asking import Answer, Catalogue, Choice, Effort, Result, Rules, Seed
from musrecd.recommend.gate import Gate
from musrecd.recommend.genres import GenreRule
from musrecd.recommend.order import best_first
from musrecd.recommend.picking import Candidate, Picker
from musrecd.recommend.query import query_of
from musrecd.recommend.reasons import Reasons
from musrecd.recommend.rules import Broken, Tier, Verdict, judge, relaxations
from musrecd.recommend.scoring import Score
from musrecd.recommend.similarity import cosines
from musrecd.types import Features, FloatArray

if TYPE_CHECKING:
    import numpy.typing as npt

_NOTHING: Mapping[int, int] = {}
_ALL = Effort()


def answer(
    seeds: Sequence[Seed],
    vectors: FloatArray,
    features: Features,
    catalogue: Catalogue,
    rules: Rules,
    choice: Choice,
    *,
    pool: "npt.NDArray[np.bool_] | Sequence[int] | npt.NDArray[np.integer] | None" = None,
    suggested: Mapping[int, int] = _NOTHING,
    effort: Effort = _ALL,
) -> Answer:
    """Rank rows of `vectors` (n_rows, dim, of unit length) for the seeds, which are never among the results.

    Only rows in `pool` (a mask, or row numbers) are considered, all if None; `suggested` is how often each row was
    suggested before and counts if the choice is `fresh`. While too few satisfy the rules, and unless the choice is
    `strict`, those follow that break the fewest, each told in its `breaks`. Raises MusrecError if nothing is asked
    that results should be like, or for a label that is none.
    """
    n_rows = min(len(vectors), len(features.duration_s))
    if len(vectors) != n_rows:  # a view would be another array, of which nothing is known yet
        vectors = vectors[:n_rows]
    features = _first(features, n_rows)
    query = query_of(seeds, features.labels)
    cosine = cosines(vectors, query.direction, keeps=effort.keeps)
    genre_rule = GenreRule.of(rules, query, features.labels, may_guess=not choice.strict)
    verdict = judge(rules, query, features, has_genre=genre_rule is not None)
    possible = verdict.possible & (cosine >= choice.min_sound)
    possible[[seed.row for seed in seeds if seed.row is not None and 0 <= seed.row < n_rows]] = False
    if pool is not None:
        possible &= _mask(pool, n_rows)
    score = Score(query, cosine, vectors, features, choice.weights)
    score.compare(possible, suggested if choice.fresh else _NOTHING)
    gate = Gate(query, vectors, features, catalogue, rules, choice, genre_rule)
    picker = Picker(choice, vectors)
    for tier in _allowed(verdict, choice):
        if picker.is_full:
            break
        candidates = best_first(score, verdict.breaks(tier))
        picker.fill(gate.passing(candidates, verdict.broken, genre=tier.genre))
    reasons = Reasons(query, features, score)
    results = tuple(_result(candidate, reasons, in_detail=effort.in_detail) for candidate in picker.picked)
    told_of_genre = genre_rule.notes() if genre_rule is not None else ()
    return Answer(results, (*told_of_genre, *_notes(results, verdict, choice)))


def _allowed(verdict: Verdict, choice: Choice) -> Iterable[Tier]:
    """Return who may be a result, the best first."""
    if not choice.strict:
        return relaxations(verdict.active)
    return () if verdict.unknown else (Tier(others=False, genre=False),)


def _result(candidate: Candidate, reasons: Reasons, *, in_detail: bool) -> Result:
    parts = reasons.parts(candidate) if in_detail or candidate.broken else reasons.sound(candidate)
    return Result(candidate.row, candidate.score, candidate.entry, parts, reasons.broken(candidate, parts))


def _notes(results: Sequence[Result], verdict: Verdict, choice: Choice) -> Iterator[str]:
    for rule in Broken:
        if rule in verdict.unknown:
            name = rule.name.lower() if rule.name else ""
            yield f"no {name} is known of what was asked about: the rule of {name} cannot be applied"
    n_fit = sum(not result.breaks for result in results)
    if n_fit >= choice.number or not verdict.active | verdict.unknown:
        return
    fit = {0: "no track fits", 1: "only 1 track fits"}.get(n_fit, f"only {n_fit} tracks fit")
    rest = {0: "", 1: "; the other breaks the rule named beside it"}
    yield f"{fit} all" + rest.get(len(results) - n_fit, "; the others break the rules named beside them")


def _first(features: Features, n_rows: int) -> Features:
    """Return features of as many rows; one of both may have been read after more were added."""
    if len(features.duration_s) == n_rows:
        return features
    return Features(
        duration_s=features.duration_s[:n_rows],
        bpm=features.bpm[:n_rows],
        bpm_confidence=features.bpm_confidence[:n_rows],
        key=features.key[:n_rows],
        key_confidence=features.key_confidence[:n_rows],
        probabilities=features.probabilities[:n_rows],
        labels=features.labels,
    )


def _mask(
    pool: "npt.NDArray[np.bool_] | Sequence[int] | npt.NDArray[np.integer]", n_rows: int
) -> "npt.NDArray[np.bool_]":
    rows = np.asarray(pool)
    if rows.dtype == bool:
        rows = np.flatnonzero(rows)
    mask = np.zeros(n_rows, bool)
    mask[rows[(rows >= 0) & (rows < n_rows)].astype(np.intp)] = True
    return mask
