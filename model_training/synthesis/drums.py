"""Drums and hand percussion. A pitch of 60 is the drum as it is; other pitches tune it up and down."""

from collections.abc import Callable
from functools import partial

import numpy as np

from model_training.synthesis.tones import Tone, band, decay, noise, normalised, partials
from musrecd.types import FloatArray


def _tuning(tone: Tone) -> float:
    return float(2.0 ** ((tone.pitch - 60) / 12))


def _ramp(y: FloatArray, sr: int, seconds: float = 0.0006) -> FloatArray:
    """Start `y` from silence, so that no stroke begins with a step."""
    n = max(1, int(seconds * sr))
    y[:n] *= np.linspace(0.0, 1.0, n, dtype=np.float32)
    return y


def kick(
    tone: Tone,
    *,
    hz: float = 50.0,
    sweep_hz: float = 220.0,
    ring_s: float = 0.16,
    click: float = 0.3,
    drive: float = 1.6,
) -> FloatArray:
    """Bass drum: a sine that falls in pitch, a click, some drive."""
    n = int((0.05 + 3.5 * ring_s) * tone.sr)
    falling = sweep_hz * decay(n, tone.sr, 0.018) + 0.3 * sweep_hz * decay(n, tone.sr, 0.06)
    phase = 2 * np.pi / tone.sr * np.cumsum(_tuning(tone) * (hz + falling), dtype=np.float64)
    y = (np.sin(phase) * decay(n, tone.sr, ring_s)).astype(np.float32)
    beater = band(noise(n, tone.rng()), tone.sr, 1500, 8000) * decay(n, tone.sr, 0.004)
    return _ramp(np.tanh(drive * y) + click * beater, tone.sr)


def snare(
    tone: Tone,
    *,
    hz: float = 190.0,
    ring_s: float = 0.07,
    snap: float = 0.8,
    snap_s: float = 0.11,
    low_hz: float = 900.0,
) -> FloatArray:
    """Snare drum: two modes of the skin and the rattle of the wires."""
    n = int(5 * max(ring_s, snap_s) * tone.sr)
    freqs = _tuning(tone) * np.array([hz, 1.78 * hz, 2.4 * hz])
    skin = partials(freqs, np.array([1.0, 0.5, 0.25]), n, tone.sr, decays=np.array([1.0, 1.4, 2.0]) / ring_s)
    wires = band(noise(n, tone.rng()), tone.sr, low_hz, 9500) * decay(n, tone.sr, snap_s)
    return _ramp((1.0 - 0.5 * snap) * skin + snap * wires, tone.sr)


def clap(tone: Tone) -> FloatArray:
    """Several hands that never quite meet, and the room."""
    rng, n = tone.rng(), int(0.45 * tone.sr)
    shape = 0.5 * decay(n, tone.sr, 0.09)
    for delay_s in (0.0, 0.011, 0.021, 0.03):
        at = int((delay_s + rng.uniform(0, 0.003)) * tone.sr)
        shape[at:] += decay(n - at, tone.sr, 0.006)
    return _ramp(band(noise(n, rng), tone.sr, 900, 3200) * shape, tone.sr)


def cymbal(
    tone: Tone, *, ring_s: float = 0.04, low_hz: float = 7000.0, metal: float = 0.4, ping: float = 0.0
) -> FloatArray:
    """Hats, ride and crash: inharmonic partials and highpassed noise; `ping` is the stick on a ride."""
    rng, n = tone.rng(), int(5 * ring_s * tone.sr)
    freqs = _tuning(tone) * np.geomspace(1900.0, 11500.0, 28) * (1.0 + 0.3 * np.sin(np.arange(28.0) ** 2) / 28)
    ring = partials(freqs, np.ones(28), n, tone.sr, phases=rng.uniform(0, 2 * np.pi, 28))
    air = band(noise(n, rng), tone.sr, low_hz, tone.sr / 2)
    y = (metal * 0.2 * band(ring, tone.sr, low_hz * 0.6, tone.sr / 2) + (1 - metal) * air) * decay(n, tone.sr, ring_s)
    stick = ping * partials(freqs[7:16:3], np.ones(3), n, tone.sr, decays=14.0 + np.arange(3.0))
    return _ramp(y + stick, tone.sr, 0.0003)


def skin(tone: Tone, *, hz: float = 220.0, bend: float = 0.25, ring_s: float = 0.16, slap: float = 0.15) -> FloatArray:
    """Toms and congas: one bending mode and the hand or stick."""
    n = int(4 * ring_s * tone.sr)
    phase = 2 * np.pi * hz * _tuning(tone) / tone.sr * np.cumsum(1.0 + bend * decay(n, tone.sr, 0.03), dtype=np.float64)
    y = (np.sin(phase) + 0.25 * np.sin(1.59 * phase) * decay(n, tone.sr, 0.05)) * decay(n, tone.sr, ring_s)
    hand = band(noise(n, tone.rng()), tone.sr, 700, 5000) * decay(n, tone.sr, 0.008)
    return _ramp(y.astype(np.float32) + slap * hand, tone.sr)


def shaker(tone: Tone, *, rise_s: float = 0.02, fall_s: float = 0.03, low_hz: float = 5000.0) -> FloatArray:
    """Seeds thrown forward: noise that rises before it falls."""
    n = int((rise_s + 5 * fall_s) * tone.sr)
    at = np.arange(n, dtype=np.float32) / tone.sr
    shape = np.where(at < rise_s, (at / rise_s) ** 2, np.exp(-(at - rise_s) / fall_s)).astype(np.float32)
    return band(noise(n, tone.rng()), tone.sr, low_hz, 13000) * shape


def brush(tone: Tone, *, sweep: bool = False) -> FloatArray:
    """Wire brush on a snare: a tap, or a stroke drawn over the skin."""
    if sweep:
        return shaker(tone, rise_s=0.11, fall_s=0.07, low_hz=1400.0)
    n = int(0.3 * tone.sr)
    wires = band(noise(n, tone.rng()), tone.sr, 900, 8000) * decay(n, tone.sr, 0.05)
    head = partials(np.array([175.0]), np.array([0.3]), n, tone.sr, decays=22.0)
    return _ramp(wires + head, tone.sr, 0.002)


def wood(tone: Tone, *, hz: float = 1700.0, ring_s: float = 0.018) -> FloatArray:
    """Rim, sticks and claves: two short modes of wood."""
    n = int(7 * ring_s * tone.sr)
    freqs = _tuning(tone) * hz * np.array([1.0, 1.47, 2.1])
    y = partials(freqs, np.array([1.0, 0.5, 0.3]), n, tone.sr, decays=1.0 / ring_s)
    return _ramp(y + 0.2 * noise(n, tone.rng()) * decay(n, tone.sr, 0.002), tone.sr)


def jingle(tone: Tone) -> FloatArray:
    """Tambourine: the shaker's throw with ringing jingles."""
    return normalised(shaker(tone, fall_s=0.05, low_hz=6500.0)) + _padded(
        0.5 * normalised(cymbal(tone, ring_s=0.05, metal=0.9)), int((0.02 + 5 * 0.05) * tone.sr)
    )


def chip_noise(tone: Tone, *, hold: int = 2, ring_s: float = 0.05) -> FloatArray:
    """Noise channel of a game console: random bits, each held for some samples, in volume steps."""
    n = int(5 * ring_s * tone.sr)
    bits = np.sign(noise(n // hold + 1, tone.rng()))
    volume = np.floor(15 * decay(n, tone.sr, ring_s)) / 15
    return (np.repeat(bits, hold)[:n] * volume).astype(np.float32)


def _padded(y: FloatArray, n: int) -> FloatArray:
    return np.concatenate([y, np.zeros(max(0, n - len(y)), dtype=np.float32)])[:n]


VOICES: dict[str, Callable[[Tone], FloatArray]] = {
    "techno kick": partial(kick, hz=46.25, sweep_hz=260.0, ring_s=0.17, drive=3.0),
    "hard kick": partial(kick, hz=46.25, sweep_hz=380.0, ring_s=0.13, drive=6.0),
    "house kick": partial(kick, hz=46.25, sweep_hz=170.0, ring_s=0.13, click=0.4),
    "808 kick": partial(kick, hz=43.0, sweep_hz=110.0, ring_s=0.3, click=0.15, drive=1.3),
    "dusty kick": partial(kick, hz=58.0, sweep_hz=120.0, ring_s=0.09, click=0.5, drive=2.2),
    "rock kick": partial(kick, hz=56.0, sweep_hz=90.0, ring_s=0.08, click=0.9, drive=2.0),
    "dub kick": partial(kick, hz=52.0, sweep_hz=70.0, ring_s=0.11, click=0.12),
    "jazz kick": partial(kick, hz=66.0, sweep_hz=40.0, ring_s=0.1, click=0.1, drive=1.0),
    "chip kick": partial(kick, hz=60.0, sweep_hz=420.0, ring_s=0.05, click=0.0, drive=8.0),
    "rock snare": partial(snare, hz=195.0, ring_s=0.09, snap=0.75, snap_s=0.13),
    "fat snare": partial(snare, hz=165.0, ring_s=0.12, snap=0.65, snap_s=0.16, low_hz=600.0),
    "808 snare": partial(snare, hz=180.0, ring_s=0.1, snap=0.45, snap_s=0.09, low_hz=1800.0),
    "dusty snare": partial(snare, hz=215.0, ring_s=0.05, snap=0.85, snap_s=0.07, low_hz=500.0),
    "tight snare": partial(snare, hz=260.0, ring_s=0.05, snap=0.7, snap_s=0.06),
    "clap": clap,
    "closed hat": cymbal,
    "metal hat": partial(cymbal, ring_s=0.03, metal=0.75),
    "soft hat": partial(cymbal, ring_s=0.05, low_hz=5200.0, metal=0.3),
    "open hat": partial(cymbal, ring_s=0.14),
    "loose hat": partial(cymbal, ring_s=0.11, low_hz=4800.0, metal=0.5),
    "pedal hat": partial(cymbal, ring_s=0.025, low_hz=4000.0, metal=0.5),
    "ride": partial(cymbal, ring_s=0.35, low_hz=4500.0, metal=0.7, ping=0.18),
    "rock ride": partial(cymbal, ring_s=0.3, low_hz=4000.0, metal=0.6, ping=0.1),
    "crash": partial(cymbal, ring_s=0.7, low_hz=3000.0, metal=0.35),
    "high tom": partial(skin, hz=170.0, ring_s=0.18),
    "low tom": partial(skin, hz=95.0, ring_s=0.25),
    "high conga": partial(skin, hz=330.0, ring_s=0.1, slap=0.3, bend=0.12),
    "low conga": partial(skin, hz=200.0, ring_s=0.16, bend=0.12),
    "techno tom": partial(skin, hz=92.5, ring_s=0.14, bend=0.8, slap=0.05),
    "shaker": shaker,
    "soft shaker": partial(shaker, rise_s=0.035, fall_s=0.04, low_hz=3800.0),
    "tambourine": jingle,
    "brush tap": brush,
    "brush sweep": partial(brush, sweep=True),
    "rim": wood,
    "claves": partial(wood, hz=2500.0, ring_s=0.03),
    "wood block": partial(wood, hz=900.0, ring_s=0.025),
    "chip snare": partial(chip_noise, hold=3, ring_s=0.07),
    "chip hat": partial(chip_noise, hold=1, ring_s=0.02),
}
