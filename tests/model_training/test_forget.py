"""What tells collections apart is gone for every straight cut, what tells genres apart is not."""

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from model_training.corpus import Corpus
from model_training.datasets.base import Clip
from model_training.forget import erase, forget_collections
from model_training.labels import LABELS
from musrecd.analysis.networks import build_network

N, DIM = 600, 12
FRAMES = 40


def scene(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Embeddings in which genre and source are each a direction of their own, and both go together often."""
    rng = np.random.default_rng(seed)
    genre = rng.integers(0, 2, N)
    source = np.where(rng.random(N) < 0.8, genre, 1 - genre)
    X = rng.standard_normal((N, DIM)) @ rng.standard_normal((DIM, DIM))
    X += 6 * np.outer(genre, rng.standard_normal(DIM)) + 4 * np.outer(source, rng.standard_normal(DIM))
    return X.astype(np.float32), np.array(["Jazz", "Blues"])[genre], np.array(["a", "b"])[source]


def found(X: np.ndarray, what: np.ndarray, within: np.ndarray) -> float:
    """How well a straight cut tells `what`, once the means of `within` are taken away."""
    X = X.copy()
    for each in np.unique(within):
        X[within == each] -= X[within == each].mean(0)
    return LogisticRegression(max_iter=1000).fit(X, what).score(X, what)


def test_the_source_is_gone_within_genres_and_the_genre_stays():
    X, genres, sources = scene()
    weights = np.ones(N)
    erased = X @ erase(X, genres, sources, weights).T
    everywhere = np.zeros(N)
    assert found(X, sources, genres) > 0.9
    assert found(erased, sources, genres) < max(np.mean(sources == "a"), np.mean(sources == "b")) + 0.06
    assert found(erased, genres, everywhere) > 0.9


def test_as_little_as_possible_is_changed():
    """Two sources are one direction: all others stay."""
    X, genres, sources = scene()
    erasure = erase(X, genres, sources, np.ones(N))
    assert np.linalg.matrix_rank(erasure, tol=1e-6) == DIM - 1
    np.testing.assert_allclose(erasure @ erasure, erasure, atol=1e-6)


def make_corpus(sources: tuple[str, ...]) -> Corpus:
    """Clips of two genres; those of the second source have no upper bands."""
    rng = np.random.default_rng(0)
    clips, spectra = [], []
    for number in range(80):
        source, genre = sources[number % len(sources)], ("Jazz", "Blues")[number // 2 % 2]
        S = rng.normal(-40, 6, (96, 60)) + 15 * (genre == "Jazz") * (np.arange(96) < 30)[:, None]
        if source == "taffc":
            S[60:] -= 40
        spectra.append(S.astype(np.float16))
        clips.append(Clip(Path("a"), f"clip {number}", source, f"artist:{number}", (genre,), ()))
    empty = np.full((80, len(LABELS)), np.nan, np.float32)
    return Corpus(spectra, {}, {}, empty, np.zeros(empty.shape, bool), np.ones(80, bool), clips)


def settled(corpus: Corpus) -> torch.nn.Module:
    arguments = {"n_mels": 96, "n_labels": 4, "dim": 16, "stem": 8, "channels": [8, 16], "depths": [1, 1]}
    torch.manual_seed(0)
    network = build_network("musrec", arguments)
    with torch.no_grad():
        for _ in range(60):
            network.train()(torch.from_numpy(np.stack(corpus.spectra)[:, :, :FRAMES]).float())
    return network.eval()


def test_a_network_forgets_and_keeps_its_shape():
    corpus = make_corpus(("gtzan", "taffc"))
    network = settled(corpus)
    before = {name: tensor.shape for name, tensor in network.state_dict().items()}
    S = torch.from_numpy(np.stack(corpus.spectra)[:, :, -FRAMES:]).float()
    sources = np.array([clip.source for clip in corpus.clips])
    genres = np.array([clip.genres[0] for clip in corpus.clips])
    with torch.inference_mode():
        assert found(network(S)[0].numpy(), sources, genres) > 0.95
        assert forget_collections(network, corpus, FRAMES, seed=0)
        forgotten = network(S)[0].numpy()
    assert {name: tensor.shape for name, tensor in network.state_dict().items()} == before
    assert found(forgotten, sources, genres) < 0.8
    assert found(forgotten, genres, np.zeros(80)) > 0.9


@pytest.mark.parametrize("sources", [("gtzan",), ("folders",)])
def test_a_single_collection_changes_nothing(sources):
    corpus = make_corpus(sources)
    network = settled(corpus)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    assert not forget_collections(network, corpus, FRAMES, seed=0)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
