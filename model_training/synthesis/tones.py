"""The building blocks of a sound: sums of partials, envelopes, moving filters, noise."""

from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.signal import butter, sosfilt

from musrecd.types import FloatArray

Doubles: TypeAlias = npt.NDArray[np.float64]

BLOCK = 256  # samples between two points of a moving filter

_ONE_THREAD = 200_000  # multiplications of a matrix product that OpenBLAS leaves to one thread (up to 2^18)


@dataclass(frozen=True, slots=True)
class Tone:
    """One note as an instrument is asked for it.

    `pitch` is a MIDI number (60 is middle C), `n` the number of samples the note is held, `sr` in Hz,
    `level` (0 to 1) how hard it is played, which changes the colour and not the loudness. Tones that differ
    in `seed` alone are two strokes of the same note.
    """

    pitch: int
    n: int
    sr: int
    level: float = 0.7
    seed: int = 0

    @property
    def hz(self) -> float:
        """The fundamental frequency in Hz."""
        return float(440.0 * 2.0 ** ((self.pitch - 69) / 12))

    def rng(self) -> np.random.Generator:
        """Return the generator of everything accidental in this tone."""
        return np.random.default_rng([self.pitch, self.seed])


def harmonics(hz: float, sr: int, *, most: int = 60, top_hz: float = 9000.0) -> Doubles:
    """Return the numbers (k,) of the harmonics of `hz` that are worth sounding, from 1."""
    top = min(top_hz, 0.45 * sr)
    return np.arange(1.0, max(2.0, min(most, top / hz)) + 1.0, dtype=np.float64)


def partials(
    freqs: Doubles,
    amps: Doubles,
    n: int,
    sr: int,
    *,
    decays: Doubles | float = 0.0,
    phases: Doubles | float = 0.0,
    gains: Doubles | None = None,
) -> FloatArray:
    """Add decaying sines and return their sum (n,).

    A decaying sine is a power of one complex number, and a power a + b is the product of two powers: with
    time split into blocks the whole sum is one product of two small matrices, many times faster than
    a sine for each partial.

    `freqs` (k,) in Hz, `amps` (k,), `decays` (k,) in 1/s, `phases` (k,) in radians; what lies above half of
    `sr` is left out. `gains` (n_blocks + 1, k) are further amplitudes at every `BLOCK` samples, between which
    the sound moves in straight lines.
    """
    n_blocks = -(-n // BLOCK)
    rate = 2j * np.pi * freqs - decays
    start = amps * (freqs < 0.5 * sr) * np.exp(1j * np.broadcast_to(phases, freqs.shape))
    coarse = start * np.exp(np.outer(np.arange(n_blocks) * (BLOCK / sr), rate))
    fine = np.exp(np.outer(rate, np.arange(BLOCK) / sr))
    if gains is None:
        return _imaginary_product(coarse, fine).reshape(-1)[:n]
    across = np.arange(BLOCK) / BLOCK
    here = _imaginary_product(coarse * gains[:n_blocks], fine * (1.0 - across))
    there = _imaginary_product(coarse * gains[1 : n_blocks + 1], fine * across)
    return (here + there).reshape(-1)[:n]


def _imaginary_product(left: npt.NDArray[np.complex128], right: npt.NDArray[np.complex128]) -> FloatArray:
    """Return the imaginary part of `left` @ `right`, in pieces too small for BLAS to share among threads.

    Threads that wait for each other on a busy machine made it thirty times slower; and so the order of the
    additions, and with it the last bit, does not depend on how many cores there are.
    """
    rows = np.concatenate([left.real, left.imag], axis=1).astype(np.float32)
    columns = np.concatenate([right.imag, right.real], axis=0).astype(np.float32)
    product = np.empty((len(rows), columns.shape[1]), dtype=np.float32)
    at_once = max(1, _ONE_THREAD // columns.size)
    for first in range(0, len(rows), at_once):
        np.matmul(rows[first : first + at_once], columns, out=product[first : first + at_once])
    return product


def block_times(n: int, sr: int) -> Doubles:
    """Return the times in s (n_blocks + 1,) at which `gains` of `partials` are given."""
    return np.arange(-(-n // BLOCK) + 1, dtype=np.float64) * np.float64(BLOCK / sr)


def resonance(freqs: Doubles, cutoff_hz: Doubles, q: float, *, poles: int = 2) -> Doubles:
    """Return the gains (n_blocks + 1, k) of a resonant lowpass whose cut-off moves over the blocks."""
    ratio = freqs[np.newaxis, :] / cutoff_hz[:, np.newaxis]
    power = (1.0 - ratio**2) ** 2 + (ratio / q) ** 2
    gains: Doubles = power ** (-poles / 4)
    return gains


def envelope(n: int, sr: int, *, attack_s: float = 0.003, release_s: float = 0.05) -> FloatArray:
    """Return a rise, a plateau up to sample `n` and a fall of `release_s` after it."""
    n_release = max(1, int(release_s * sr))
    n_attack = max(1, min(int(attack_s * sr), n + n_release))
    curve = np.ones(n + n_release, dtype=np.float32)
    curve[:n_attack] = 0.5 - 0.5 * np.cos(np.linspace(0.0, np.pi, n_attack, dtype=np.float32))
    fall = np.linspace(1.0, 0.0, n_release, dtype=np.float32)
    curve[n:] *= fall * fall
    return curve


def shaped(y: npt.NDArray[np.floating], tone: Tone, *, attack_s: float, release_s: float) -> FloatArray:
    """Give `y` (n,) the envelope of a tone; what `y` has beyond its release is cut."""
    curve = envelope(tone.n, tone.sr, attack_s=attack_s, release_s=release_s)[: len(y)]
    return (y[: len(curve)] * curve).astype(np.float32)


def decay(n: int, sr: int, time_s: float) -> FloatArray:
    """Return an exponential (n,) that falls to 1/e within `time_s`."""
    curve: FloatArray = np.exp(np.arange(n, dtype=np.float32) * np.float32(-1.0 / (time_s * sr)))
    return curve


@lru_cache(maxsize=256)
def _sections(low_hz: float, high_hz: float, sr: int, order: int) -> Doubles:
    nyquist = 0.49 * sr
    low_hz = min(low_hz, 0.9 * nyquist)
    if low_hz <= 0:
        sos = butter(order, min(high_hz, nyquist), "lowpass", fs=sr, output="sos")
    elif high_hz >= nyquist:
        sos = butter(order, low_hz, "highpass", fs=sr, output="sos")
    else:
        sos = butter(order, (low_hz, high_hz), "bandpass", fs=sr, output="sos")
    return np.asarray(sos, dtype=np.float64)


def band(y: FloatArray, sr: int, low_hz: float, high_hz: float, *, order: int = 2) -> FloatArray:
    """Keep what lies between two frequencies in Hz; 0 and the Nyquist frequency leave a side open."""
    filtered: FloatArray = sosfilt(_sections(low_hz, high_hz, sr, order), y).astype(np.float32)
    return filtered


def noise(n: int, rng: np.random.Generator) -> FloatArray:
    """Return white noise (n,) of unit variance."""
    return rng.standard_normal(n, dtype=np.float32)


def vibrato(y: FloatArray, sr: int, *, rate_hz: float, cents: float, onset_s: float = 0.2) -> FloatArray:
    """Bend the time of `y` (n,) so that its pitch swings by `cents`, fading in over `onset_s`."""
    t = np.arange(len(y), dtype=np.float64)
    swing = cents / 1200 * np.log(2.0) * sr / (2 * np.pi * rate_hz)
    depth = swing * np.minimum(1.0, t / (onset_s * sr))
    bent = t + depth * np.sin(2 * np.pi * rate_hz / sr * t)
    below = np.clip(bent.astype(np.int64), 0, len(y) - 2)
    part = (bent - below).astype(np.float32)
    result: FloatArray = y[below] * (1 - part) + y[below + 1] * part
    return result


def normalised(y: FloatArray) -> FloatArray:
    """Scale `y` to a peak of one, so that a level in a score means the same for every instrument."""
    peak = float(np.max(np.abs(y), initial=0.0))
    return y if peak == 0.0 else y / np.float32(peak)
