"""Instruments that hold their tone: strings, pads, organ, winds, voices and old game consoles."""

from collections.abc import Callable
from functools import partial

import numpy as np

from model_training.synthesis.tones import (
    Doubles,
    Tone,
    band,
    block_times,
    decay,
    harmonics,
    noise,
    normalised,
    partials,
    resonance,
    shaped,
    vibrato,
)
from musrecd.types import FloatArray


def _ensemble(
    tone: Tone, n: int, amps: Doubles, *, cents: tuple[float, ...], gains: Doubles | None = None
) -> FloatArray:
    """Sound the same harmonics once for every detuning in `cents`, with phases of their own."""
    k = np.arange(1.0, len(amps) + 1)
    freqs = np.concatenate([tone.hz * k * 2.0 ** (c / 1200) for c in cents])
    phases = tone.rng().uniform(0, 2 * np.pi, len(freqs))
    moving = None if gains is None else np.tile(gains, (1, len(cents)))
    return partials(freqs, np.tile(amps, len(cents)), n, tone.sr, phases=phases, gains=moving)


def strings(tone: Tone, *, attack_s: float = 0.12, top_hz: float = 4500.0, players: int = 3) -> FloatArray:
    """Bowed strings: sawtooths under the curve of a wooden body, a soft start, a little vibrato."""
    n = tone.n + int(0.3 * tone.sr)
    k = harmonics(tone.hz, tone.sr, most=32, top_hz=2.0 * top_hz)
    freqs = tone.hz * k
    body = 1.0 + 0.8 * np.exp(-(((freqs - 480) / 220) ** 2)) + 0.6 * np.exp(-(((freqs - 1250) / 500) ** 2))
    amps = body / k / (1.0 + (freqs / (top_hz * (0.5 + 0.5 * tone.level))) ** 2)
    cents = tuple(np.linspace(-7.0, 7.0, players)) if players > 1 else (0.0,)
    y = _ensemble(tone, n, amps, cents=cents)
    y = vibrato(y, tone.sr, rate_hz=5.3, cents=9 if players > 1 else 16, onset_s=0.5)
    bow = band(noise(n, tone.rng()), tone.sr, 1500, 5000) * 0.012
    return shaped((normalised(y) + bow), tone, attack_s=attack_s, release_s=0.3)


def pad(tone: Tone, *, attack_s: float = 0.7, cutoff_hz: float = 900.0, cents: float = 11.0) -> FloatArray:
    """Detuned sawtooths whose filter opens and closes slowly."""
    release_s = 0.9
    n = tone.n + int(release_s * tone.sr)
    k = harmonics(tone.hz, tone.sr, most=24, top_hz=6.0 * cutoff_hz)
    t = block_times(n, tone.sr)
    cutoff = cutoff_hz * (1.0 + 0.5 * np.sin(2 * np.pi * 0.13 * t + tone.seed))
    y = _ensemble(tone, n, 1.0 / k, cents=(-cents, 0.0, cents), gains=resonance(tone.hz * k, cutoff, 0.9))
    held = min(attack_s, 0.6 * tone.n / tone.sr)
    return shaped(y, tone, attack_s=held, release_s=release_s)


def choir(tone: Tone, *, formants: tuple[float, ...] = (650.0, 1080.0, 2650.0)) -> FloatArray:
    """Voices on one vowel: harmonics under the formants of `ah` (or `oo`)."""
    n = tone.n + int(0.6 * tone.sr)
    k = harmonics(tone.hz, tone.sr, most=30, top_hz=4500.0)
    freqs = tone.hz * k
    vowel = sum(
        w * np.exp(-(((freqs - f) / (0.16 * f + 40)) ** 2)) for f, w in zip(formants, (1, 0.6, 0.2), strict=True)
    )
    y = _ensemble(tone, n, (0.05 + vowel) / np.sqrt(k), cents=(-9.0, 2.0, 8.0))
    y = vibrato(y, tone.sr, rate_hz=4.7, cents=12, onset_s=0.8)
    breath = band(noise(n, tone.rng()), tone.sr, 2000, 6000) * 0.01
    held = min(0.4, 0.5 * tone.n / tone.sr)
    return shaped((normalised(y) + breath), tone, attack_s=held, release_s=0.6)


def organ(tone: Tone, *, bars: tuple[float, ...] = (0.8, 1.0, 0.6, 0.4, 0.1, 0.2), spin_hz: float = 6.2) -> FloatArray:
    """Tone wheels by drawbar (16', 8', 5 1/3', 4', 2 2/3', 2'), the key's click, a turning loudspeaker."""
    n = tone.n + int(0.03 * tone.sr)
    ratios = np.array([0.5, 1.0, 1.5, 2.0, 3.0, 4.0])
    y = partials(tone.hz * ratios, np.array(bars), n, tone.sr)
    y = vibrato(y, tone.sr, rate_hz=spin_hz, cents=7, onset_s=0.01)
    turn = 1.0 + 0.12 * np.sin(2 * np.pi * spin_hz / tone.sr * np.arange(n, dtype=np.float32))
    click = band(noise(n, tone.rng()), tone.sr, 1200, 6000) * decay(n, tone.sr, 0.004)
    y = normalised(y) * turn + 0.12 * click
    return shaped(y, tone, attack_s=0.004, release_s=0.03)


def flute(tone: Tone, *, breath: float = 0.05, amps: tuple[float, ...] = (1.0, 0.42, 0.2, 0.06)) -> FloatArray:
    """Few harmonics, late vibrato and the breath around the tone."""
    n = tone.n + int(0.09 * tone.sr)
    y = partials(tone.hz * np.arange(1.0, len(amps) + 1), np.array(amps), n, tone.sr)
    y = vibrato(normalised(y), tone.sr, rate_hz=5.0, cents=14, onset_s=0.35)
    air = band(noise(n, tone.rng()), tone.sr, 0.9 * tone.hz, 4.5 * tone.hz)
    chiff = 1.0 + 3.0 * decay(n, tone.sr, 0.04)
    y = y + breath * air * chiff
    return shaped(y, tone, attack_s=0.045, release_s=0.09)


def horn(tone: Tone, *, bright_hz: float = 1800.0, attack_s: float = 0.04) -> FloatArray:
    """Brass or reed: harmonics that open with the breath."""
    n = tone.n + int(0.08 * tone.sr)
    k = harmonics(tone.hz, tone.sr, most=24, top_hz=8000.0)
    t = block_times(n, tone.sr)
    opening = bright_hz * (0.4 + 0.8 * tone.level) * (0.25 + np.minimum(1.0, t / (2.5 * attack_s)) * np.exp(-0.5 * t))
    y = partials(tone.hz * k, k**-0.7, n, tone.sr, gains=resonance(tone.hz * k, opening, 0.8))
    y = vibrato(normalised(y), tone.sr, rate_hz=5.2, cents=18, onset_s=0.5)
    return shaped(y, tone, attack_s=attack_s, release_s=0.08)


def chip(tone: Tone, *, duty: float = 0.5, fall_s: float = 0.6) -> FloatArray:
    """Pulse wave of a game console, its volume stepping down in sixteenths."""
    n = tone.n + int(0.005 * tone.sr)
    k = harmonics(tone.hz, tone.sr, most=120, top_hz=18000.0)
    y = partials(tone.hz * k, 2.0 / (np.pi * k) * np.sin(np.pi * k * duty), n, tone.sr, phases=np.pi / 2)
    volume = np.ceil(15.0 * decay(n, tone.sr, fall_s)) / 15.0
    return shaped(y * volume.astype(np.float32), tone, attack_s=0.001, release_s=0.005)


def chip_triangle(tone: Tone) -> FloatArray:
    """Triangle wave in sixteen steps, the bass of a game console."""
    n = tone.n + int(0.005 * tone.sr)
    phase = (tone.hz / tone.sr * np.arange(n, dtype=np.float64)) % 1.0
    y = np.round((4.0 * np.abs(phase - 0.5) - 1.0) * 7.5) / 7.5
    return shaped(y.astype(np.float32), tone, attack_s=0.001, release_s=0.005)


def synth_lead(tone: Tone, *, cutoff_hz: float = 2600.0) -> FloatArray:
    """Two sawtooths with vibrato, over everything else."""
    n = tone.n + int(0.08 * tone.sr)
    k = harmonics(tone.hz, tone.sr, most=40)
    cutoff = cutoff_hz * (0.4 + 0.8 * tone.level) * (0.6 + 0.4 * np.exp(-3.0 * block_times(n, tone.sr)))
    y = _ensemble(tone, n, 1.0 / k, cents=(-6.0, 6.0), gains=resonance(tone.hz * k, cutoff, 1.5))
    y = vibrato(y, tone.sr, rate_hz=5.5, cents=12, onset_s=0.4)
    return shaped(y, tone, attack_s=0.012, release_s=0.08)


def wind(tone: Tone) -> FloatArray:
    """Swelling noise, filtered around the pitch of the note."""
    n = tone.n + int(0.8 * tone.sr)
    y = band(noise(n, tone.rng()), tone.sr, tone.hz, 3.0 * tone.hz)
    swell = 0.6 + 0.4 * np.sin(2 * np.pi * 0.21 / tone.sr * np.arange(n, dtype=np.float32) + tone.seed)
    return shaped(y * swell, tone, attack_s=0.8, release_s=0.8)


def crackle(tone: Tone, *, per_second: float = 14.0) -> FloatArray:
    """Dust and hiss of an old record."""
    rng = tone.rng()
    clicks = np.zeros(tone.n, dtype=np.float32)
    n_clicks = max(1, int(per_second * tone.n / tone.sr))
    clicks[rng.integers(0, tone.n, n_clicks)] = rng.exponential(1.0, n_clicks).astype(np.float32)
    hiss = 0.01 * band(noise(tone.n, rng), tone.sr, 1500, 8000)
    return band(clicks, tone.sr, 900, 7000) + hiss


VOICES: dict[str, Callable[[Tone], FloatArray]] = {
    "string ensemble": strings,
    "dark strings": partial(strings, top_hz=2200.0, attack_s=0.2),
    "string quartet": partial(strings, players=1, attack_s=0.07, top_hz=5500.0),
    "pad": pad,
    "dark pad": partial(pad, cutoff_hz=420.0, attack_s=1.2),
    "bright pad": partial(pad, cutoff_hz=1900.0, attack_s=0.5, cents=14.0),
    "choir": choir,
    "oo choir": partial(choir, formants=(340.0, 780.0, 2300.0)),
    "organ": organ,
    "bright organ": partial(organ, bars=(0.6, 1.0, 0.7, 0.8, 0.5, 0.6), spin_hz=6.8),
    "mellow organ": partial(organ, bars=(0.5, 1.0, 0.1, 0.25, 0.0, 0.05), spin_hz=1.1),
    "flute": flute,
    "whistle": partial(flute, breath=0.02, amps=(1.0, 0.1, 0.05)),
    "melodica": partial(horn, bright_hz=3200.0, attack_s=0.03),
    "saxophone": horn,
    "muted trumpet": partial(horn, bright_hz=2800.0, attack_s=0.025),
    "pulse": chip,
    "thin pulse": partial(chip, duty=0.125, fall_s=0.9),
    "quarter pulse": partial(chip, duty=0.25, fall_s=0.4),
    "triangle": chip_triangle,
    "synth lead": synth_lead,
    "soft lead": partial(synth_lead, cutoff_hz=1100.0),
    "wind": wind,
    "crackle": crackle,
}
