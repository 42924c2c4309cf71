"""Retrieval figures are those of a search by hand and of an independent program."""

import numpy as np
import pytest

from model_training.evaluation.retrieval import score


def clustered(n: int = 160, dim: int = 12, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Embeddings (n, dim) around one middle for each of four genres, artists of one to six clips in one genre."""
    rng = np.random.default_rng(seed)
    artists, genres = [], []
    while len(artists) < n:
        members = int(rng.integers(1, 7))
        genres += [f"genre {rng.integers(4)}"] * members
        artists += [f"artist {len(artists)}"] * members
    labels, groups = np.array(genres[:n]), np.array(artists[:n])
    middles = {genre: rng.standard_normal(dim) for genre in sorted(set(genres))}
    scale = rng.uniform(0.1, 30, dim)
    embeddings = np.stack([middles[genre] for genre in labels]) + 1.5 * rng.standard_normal((n, dim))
    return embeddings * scale + 5, labels, groups


def by_hand(embeddings: np.ndarray, labels: np.ndarray, groups: np.ndarray) -> tuple[float, float, float]:
    z = (embeddings - embeddings.mean(0)) / embeddings.std(0)
    ones, tens, averages = [], [], []
    for i in range(len(z)):
        others = [j for j in range(len(z)) if groups[j] != groups[i]]
        others.sort(key=lambda j: -float(z[i] @ z[j] / np.linalg.norm(z[i]) / np.linalg.norm(z[j])))
        hits = [bool(labels[j] == labels[i]) for j in others]
        if any(hits):
            ones.append(hits[0])
            tens.append(sum(hits[:10]) / min(10, len(hits)))
            places = [place for place, hit in enumerate(hits, 1) if hit]
            averages.append(np.mean([sum(hits[:place]) / place for place in places]))
    return float(np.mean(ones)), float(np.mean(tens)), float(np.mean(averages))


@pytest.mark.parametrize("seed", range(3))
def test_figures_are_those_of_a_search_by_hand(seed):
    data = clustered(70, seed=seed)
    scores = score(*data)
    found = (scores.p_at_1[0], scores.p_at_10[0], scores.mean_average_precision[0])
    np.testing.assert_allclose(found, by_hand(*data), atol=1e-9)


def test_figures_are_those_of_the_independent_program(independent):
    embeddings, labels, groups = clustered()
    theirs = independent.evaluate(embeddings, labels, groups, norm="z", do_probe=False)
    ours = score(embeddings, labels, groups)
    for name, interval in (("p@1", ours.p_at_1), ("p@10", ours.p_at_10), ("mAP", ours.mean_average_precision)):
        assert interval[0] == pytest.approx(theirs[f"z {name}"][0], abs=1e-6), name
        # Both resample artists, each in an order of its own.
        assert interval[1:] == pytest.approx(theirs[f"z {name}"][1:], abs=0.02), name


def test_a_clip_of_the_same_artist_never_answers():
    """Copies of each clip by its own artist would make every figure 1."""
    rng = np.random.default_rng(0)
    embeddings = np.repeat(rng.standard_normal((40, 8)), 2, axis=0)
    labels = np.repeat(np.arange(40) % 4, 2)
    groups = np.repeat(np.arange(40), 2)
    assert score(embeddings, labels, groups).p_at_1[0] < 0.6
    assert score(embeddings, labels, np.arange(80)).p_at_1[0] == 1.0


def test_perfect_embeddings_score_one_and_random_ones_what_chance_gives():
    labels = np.arange(200) % 4
    perfect = np.eye(4)[labels] + 1e-3 * np.random.default_rng(0).standard_normal((200, 4))
    assert score(perfect, labels, np.arange(200)).mean_average_precision[0] == pytest.approx(1)
    random = np.random.default_rng(1).standard_normal((200, 16))
    assert score(random, labels, np.arange(200)).p_at_10[0] == pytest.approx(0.25, abs=0.05)


def test_a_genre_of_one_artist_alone_asks_no_question():
    embeddings, labels, groups = clustered(60)
    lonely = np.concatenate([labels, ["only one"] * 3])
    more = np.concatenate([embeddings, np.random.default_rng(2).standard_normal((3, 12))])
    scores = score(more, lonely, np.concatenate([groups, ["alone"] * 3]))
    assert all(np.isfinite(interval).all() for interval in scores.to_dict().values())


def test_scale_and_offset_of_a_dimension_do_not_matter():
    embeddings, labels, groups = clustered(60)
    changed = embeddings * np.linspace(0.01, 100, 12) - 7
    first, second = (score(each, labels, groups).to_dict() for each in (embeddings, changed))
    np.testing.assert_allclose(list(first.values()), list(second.values()))


def test_a_dimension_that_never_changes_does_not_matter():
    embeddings, labels, groups = clustered(60)
    more = np.hstack([embeddings, np.full((60, 1), 3.0)])
    assert score(more, labels, groups) == score(embeddings, labels, groups)


def test_intervals_hold_the_figure_and_are_reproducible():
    data = clustered()
    scores = score(*data)
    for mean, low, high in scores.to_dict().values():
        assert 0 <= low < mean < high <= 1
    assert score(*data) == scores
