"""What tests of hearing share."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from musrecd.analysis.audio import listen
from musrecd.analysis.excerpts import ExcerptPlan

SR = 16_000


@pytest.fixture(scope="session")
def hear() -> Callable[..., tuple[np.ndarray, float]]:
    """Return a function: file → (all of its sound at 16 kHz, found duration in seconds)."""

    def whole(path: Path | bytes) -> tuple[np.ndarray, float]:
        with listen(path, ExcerptPlan(excerpt_s=10.0, n_excerpts=30)) as recording:
            return np.concatenate(recording.decode(SR)), recording.duration_s

    return whole


@pytest.fixture(scope="session")
def audio_id() -> Callable[[Path | bytes], str]:
    """Return a function: file → the name of the recording it holds."""

    def name(path: Path | bytes) -> str:
        with listen(path, ExcerptPlan()) as recording:
            return recording.audio_id

    return name
