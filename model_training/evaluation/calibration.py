"""Calibration: whether of the labels given 70 % seven in ten are right, and what a first genre is worth."""

from dataclasses import dataclass

import numpy as np

from model_training.evaluation.intervals import Interval, clip_weights, spread
from musrecd.types import FloatArray

_N_BINS = 15


@dataclass(frozen=True, slots=True)
class Reliability:
    """Bins of probability: the mean of what was said, the share that was right, how many there are."""

    said: np.ndarray
    right: np.ndarray
    n: np.ndarray


def reliability(probabilities: FloatArray, truths: FloatArray) -> Reliability:
    """Fill the bins (of equal width, empty ones left out) with every probability of known truth."""
    known = ~np.isnan(truths)
    said, right = probabilities[known], truths[known]
    bins = _bins(said)
    n = np.bincount(bins, minlength=_N_BINS)
    filled = n > 0
    means = [np.bincount(bins, values, _N_BINS)[filled] / n[filled] for values in (said, right)]
    return Reliability(means[0], means[1], n[filled])


def calibration_error(probabilities: FloatArray, truths: FloatArray, groups: np.ndarray) -> Interval:
    """Measure the expected calibration error over all of `probabilities` (n, n_labels) whose truth is not NaN."""
    known = ~np.isnan(truths)
    gaps = np.where(known, probabilities - np.nan_to_num(truths), 0.0)
    rows = np.broadcast_to(np.arange(len(gaps))[:, None], gaps.shape)
    by_bin = np.zeros((len(gaps), _N_BINS))
    np.add.at(by_bin, (rows.ravel(), _bins(probabilities).ravel()), gaps.ravel())
    weights = np.vstack([np.ones(len(gaps)), clip_weights(groups)])
    errors = np.abs(weights @ by_bin).sum(1) / (weights @ known.sum(1))
    return spread(float(errors[0]), errors[1:])


def _bins(probabilities: FloatArray) -> np.ndarray:
    bins: np.ndarray = np.minimum((probabilities * _N_BINS).astype(int), _N_BINS - 1)
    return bins
