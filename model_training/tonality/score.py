"""How right an estimated key is, and what librosa's chroma with Krumhansl and Kessler's profiles would have said."""

import numpy as np

from musrecd.keys import KEYS
from musrecd.types import FloatArray

# Krumhansl and Kessler, Tracing the Dynamic Changes in Perceived Tonal Organization, 1982.
_KRUMHANSL = (
    (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
)


def mirex_score(truth: str, estimate: str) -> float:
    """Return 1 for the key, .5 for a fifth off, .3 for the relative, .2 for the parallel key, 0 otherwise."""
    true, said = KEYS.index(truth), KEYS.index(estimate)
    interval = (said - true) % 12
    if true // 12 == said // 12:
        return {0: 1.0, 5: 0.5, 7: 0.5}.get(interval, 0.0)
    relative = 9 if true < 12 else 3
    return {relative: 0.3, 0: 0.2}.get(interval, 0.0)


def krumhansl_key(y: FloatArray, sr: int) -> str:
    """Name the key by librosa's constant-Q chroma and the profiles of Krumhansl and Kessler."""
    # Takes seconds to import, and measuring alone needs it.
    import librosa

    chroma = librosa.feature.chroma_cqt(y=y, sr=sr).mean(axis=1)
    profiles = [np.roll(profile, tonic) for profile in _KRUMHANSL for tonic in range(12)]
    return KEYS[int(np.nanargmax([np.corrcoef(chroma, profile)[0, 1] for profile in profiles]))]
