"""Take out of the embedding what tells the collections apart within a genre: how they were recorded and encoded.

No straight cut through the embeddings of the training clips finds the collection afterwards, and they change as little
as that allows (least-squares concept erasure, Belrose et al. 2023, arXiv 2306.03819).
"""

import numpy as np
import torch
from sklearn.covariance import LedoitWolf
from torch import nn

from model_training.corpus import Corpus, excerpt
from model_training.evaluation.sources import Like
from musrecd.types import FloatArray

_EXCERPTS = 4
_BATCH = 64
# Directions along which sources differ less than this part of the most telling one are rounding.
_RELATIVE_RANK = 1e-6


def forget_collections(network: nn.Module, corpus: Corpus, n_frames: int, seed: int) -> bool:
    """Fold the erasure into the last linear map of a settled network; False if no genre is held by two collections."""
    training = np.flatnonzero(corpus.training).tolist()
    known = {row: clip for row in training if (clip := corpus.clips[row]) is not None}
    like = Like.of(list(known.values()))
    if not like.clips:
        return False
    names = {clip.name: place for place, clip in enumerate(like.clips)}
    rows = [(row, names[clip.name]) for row, clip in known.items() if clip.name in names]
    embeddings = _embed(network, corpus, [row for row, _ in rows], n_frames, seed)
    places = np.repeat([place for _, place in rows], _EXCERPTS)
    erasure = erase(embeddings, like.genres[places], like.sources[places], like.weights[places])
    _fold(network, torch.from_numpy(erasure).float())
    return True


def erase(embeddings: FloatArray, genres: np.ndarray, sources: np.ndarray, weights: np.ndarray) -> FloatArray:
    """Return the map (dim, dim) after which embeddings (n, dim) of one genre do not vary with their source."""
    X = _centred(embeddings.astype(np.float64), genres, weights)
    Z = _centred((sources[:, None] == np.unique(sources)).astype(np.float64), genres, weights)
    covariance = LedoitWolf(assume_centered=True).fit(X).covariance_
    values, vectors = np.linalg.eigh(covariance)
    whiten, colour = ((vectors * values**power) @ vectors.T for power in (-0.5, 0.5))
    telling, strength, _ = np.linalg.svd(whiten @ ((X * weights[:, None]).T @ Z), full_matrices=False)
    telling = telling[:, strength > _RELATIVE_RANK * strength[0]]
    erasure: FloatArray = np.eye(X.shape[1]) - colour @ telling @ telling.T @ whiten
    return erasure


def _centred(X: FloatArray, genres: np.ndarray, weights: np.ndarray) -> FloatArray:
    centred = X.copy()
    for genre in np.unique(genres):
        chosen = genres == genre
        centred[chosen] -= np.average(X[chosen], axis=0, weights=weights[chosen])
    return centred


def _embed(network: nn.Module, corpus: Corpus, rows: list[int], n_frames: int, seed: int) -> FloatArray:
    rng = np.random.default_rng(seed)
    spectra = [excerpt(corpus.spectra[row], n_frames, rng) for row in rows for _ in range(_EXCERPTS)]
    with torch.inference_mode():
        batches = (torch.from_numpy(np.stack(spectra[i : i + _BATCH])) for i in range(0, len(spectra), _BATCH))
        embeddings: FloatArray = torch.cat([network.eval()(S.float())[0] for S in batches]).numpy()
    return embeddings


def _fold(network: nn.Module, erasure: torch.Tensor) -> None:
    """Let the linear map before the centring do both, and the centring nothing."""
    embed, centre = network.get_submodule("embed"), network.get_submodule("centre")
    if not isinstance(embed, nn.Linear) or not isinstance(centre, nn.BatchNorm1d):
        raise TypeError("the network does not end as LabelledEmbedding does")
    mean, variance = centre.running_mean, centre.running_var
    if mean is None or variance is None:
        raise TypeError("the network centres nothing")
    scale = (variance + centre.eps).rsqrt()
    with torch.no_grad():
        embed.bias.copy_(erasure @ (scale * (embed.bias - mean)))
        embed.weight.copy_(erasure @ (scale[:, None] * embed.weight))
        mean.zero_()
        variance.fill_(1.0 - centre.eps)
