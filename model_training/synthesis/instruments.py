"""Struck, plucked and blown instruments, each a function from a `Tone` to its samples."""

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import numpy as np

from model_training.synthesis import drums, sustained
from model_training.synthesis.tones import (
    Tone,
    band,
    block_times,
    decay,
    envelope,
    harmonics,
    noise,
    normalised,
    partials,
    resonance,
    shaped,
    vibrato,
)
from musrecd.types import FloatArray

Voice: TypeAlias = Callable[[Tone], FloatArray]


def piano(tone: Tone, *, hardness: float = 1.0, detune: float = 0.0004, sustain: float = 1.0) -> FloatArray:
    """Additive piano: stretched partials, each with a fast and a slow decay, and the thump of the hammer."""
    hz, rng = tone.hz, tone.rng()
    k = harmonics(hz, tone.sr, most=22)
    freqs = hz * k * np.sqrt(1.0 + 0.0003 * (hz / 261.6) ** 0.7 * k**2)
    hammer = 0.25 + np.abs(np.sin(np.pi * k / 7.6))
    amps = k ** -(2.3 - 1.1 * tone.level * hardness) * hammer
    slow = (0.3 + 0.12 * k) * (hz / 261.6) ** 0.6 / sustain
    y = partials(
        np.concatenate([freqs, freqs * (1.0 + detune)]),
        np.concatenate([0.7 * amps, 0.3 * amps]),
        tone.n + int(0.15 * tone.sr),
        tone.sr,
        decays=np.concatenate([5.0 * slow, slow]),
        phases=rng.uniform(0, 0.6, 2 * len(k)),
    )
    thump = band(noise(len(y), rng), tone.sr, 80, 900) * decay(len(y), tone.sr, 0.012)
    y = normalised(y) + 0.12 * hardness * thump
    return shaped(y, tone, attack_s=0.002, release_s=0.15)


def electric_piano(tone: Tone, *, ratio: float = 1.0, depth: float = 1.4, ring: float = 1.6) -> FloatArray:
    """Electric piano by frequency modulation, with the short tine fourteen times above the note."""
    n = tone.n + int(0.12 * tone.sr)
    t = 2 * np.pi * tone.hz / tone.sr * np.arange(n, dtype=np.float64)
    index = (depth * (0.4 + tone.level) * (261.6 / tone.hz) ** 0.3) * decay(n, tone.sr, 0.35 * ring)
    body = np.sin(t + index * np.sin(ratio * t))
    tine = 0.25 * tone.level * np.sin(14.0 * t) * decay(n, tone.sr, 0.06) * (tone.hz * 14 < 0.4 * tone.sr)
    y = ((body + tine) * decay(n, tone.sr, ring)).astype(np.float32)
    return shaped(y, tone, attack_s=0.003, release_s=0.12)


def bell(tone: Tone, *, ratio: float = 3.5, depth: float = 2.0, ring: float = 1.2) -> FloatArray:
    """Bell by frequency modulation; it rings on whatever the length of the note."""
    n = max(tone.n, int(4.0 * ring * tone.sr))
    t = 2 * np.pi * tone.hz / tone.sr * np.arange(n, dtype=np.float64)
    index = depth * tone.level * decay(n, tone.sr, 0.4 * ring)
    y = (np.sin(t + index * np.sin(ratio * t)) * decay(n, tone.sr, ring)).astype(np.float32)
    n_held = n - int(0.1 * tone.sr)
    return y * envelope(n_held, tone.sr, attack_s=0.002, release_s=0.1)[:n]


def vibraphone(tone: Tone) -> FloatArray:
    """Bars tuned to the fourth partial, with the slow tremolo of the fans."""
    n = tone.n + int(0.5 * tone.sr)
    freqs = tone.hz * np.array([1.0, 4.0, 10.0])
    y = partials(freqs, np.array([1.0, 0.22, 0.06]), n, tone.sr, decays=np.array([1.1, 3.0, 14.0]))
    tremolo = 1.0 - 0.25 * (1.0 + np.sin(2 * np.pi * 5.1 / tone.sr * np.arange(n, dtype=np.float32)))
    return shaped(y * tremolo, tone, attack_s=0.003, release_s=0.5)


def pluck(
    tone: Tone, *, position: float = 0.22, damping: float = 0.4, ring: float = 1.0, tilt: float = 0.6
) -> FloatArray:
    """Plucked string: the loop of Karplus and Strong, solved for its partials.

    A burst of noise runs round a delay line and loses its highs a little each time. Partial k of that loop
    decays by a known factor a period, so the sound is a sum of decaying partials whose amplitudes come
    from the burst and from the place of the finger. Being solved, it is in tune at every pitch.
    """
    hz, rng = tone.hz, tone.rng()
    k = harmonics(hz, tone.sr, most=48, top_hz=11000.0)
    n = tone.n + int(0.09 * tone.sr)
    comb = np.abs(np.sin(np.pi * k * position)) + 0.03
    burst = np.abs(rng.normal(1.0, 0.35, len(k))) + 0.1
    amps = comb * burst * k ** -(tilt + 0.9 * (1.0 - tone.level))
    loss = (0.9 + 5.0 * damping * (k * hz / 2000.0) ** 1.5 + hz / 500.0) / ring
    y = partials(hz * k * (1 + 2e-5 * k**2), amps, n, tone.sr, decays=loss, phases=rng.uniform(0, 6.28, len(k)))
    return shaped(y, tone, attack_s=0.0008, release_s=0.09)


def power_guitar(tone: Tone, *, drive: float = 9.0, muted: bool = False) -> FloatArray:
    """Root, fifth and octave through a clipping amplifier and a loudspeaker; `muted` by the palm."""
    rng, n = tone.rng(), tone.n + int(0.04 * tone.sr)
    y = np.zeros(n, dtype=np.float32)
    loss = 14.0 if muted or tone.level < 0.8 else 1.2
    for semitones, gain in ((0, 1.0), (7, 0.8), (12, 0.6)):
        hz = tone.hz * 2.0 ** (semitones / 12) * (1.0 + rng.normal(0, 0.0012))
        k = harmonics(hz, tone.sr, most=30, top_hz=5000.0)
        amps = gain * np.abs(np.sin(0.17 * np.pi * k)) / k**0.8
        y += partials(hz * k, amps, n, tone.sr, decays=loss * (1 + 0.08 * k), phases=rng.uniform(0, 6.28, len(k)))
    y = np.tanh(drive * (0.5 + tone.level) * normalised(y) + 0.15)
    y = band(y, tone.sr, 75.0, 4800.0) + 0.9 * band(y, tone.sr, 1600.0, 3800.0)
    return shaped(y, tone, attack_s=0.002, release_s=0.04)


def lead_guitar(tone: Tone, *, drive: float = 14.0) -> FloatArray:
    """One singing string through the same amplifier, with vibrato on long notes."""
    rng, n = tone.rng(), tone.n + int(0.06 * tone.sr)
    k = harmonics(tone.hz, tone.sr, most=24, top_hz=6000.0)
    y = partials(
        tone.hz * k, np.abs(np.sin(0.21 * np.pi * k)) / k, n, tone.sr,
        decays=0.5 + 0.05 * k, phases=rng.uniform(0, 6.28, len(k)),
    )  # fmt: skip
    y = np.tanh(drive * normalised(y) + 0.25)
    y = vibrato(band(y, tone.sr, 250.0, 4200.0), tone.sr, rate_hz=5.6, cents=28, onset_s=0.45)
    return shaped(y, tone, attack_s=0.004, release_s=0.06)


def synth_bass(tone: Tone, *, cutoff_hz: float = 700.0, q: float = 1.4, fall_s: float = 0.16) -> FloatArray:
    """Sawtooth under a closing filter, with a sine an octave below the ear's attention."""
    n = tone.n + int(0.03 * tone.sr)
    k = harmonics(tone.hz, tone.sr, most=40, top_hz=6000.0)
    t = block_times(n, tone.sr)
    cutoff = 90.0 + cutoff_hz * (0.3 + tone.level) * np.exp(-t / fall_s)
    y = partials(tone.hz * k, 1.0 / k, n, tone.sr, gains=resonance(tone.hz * k, cutoff, q))
    y = normalised(y) + 0.5 * partials(np.array([tone.hz]), np.array([1.0]), n, tone.sr)
    return shaped(y, tone, attack_s=0.003, release_s=0.03)


def sub_bass(tone: Tone, *, drive: float = 1.5) -> FloatArray:
    """Almost a sine; a little drive lets small loudspeakers tell its pitch."""
    n = tone.n + int(0.06 * tone.sr)
    y = partials(tone.hz * np.array([1.0, 2.0]), drive * np.array([1.0, 0.12]), n, tone.sr, decays=0.6)
    return shaped(np.tanh(y), tone, attack_s=0.008, release_s=0.06)


def acid(tone: Tone, *, q: float = 7.0, base_hz: float = 220.0, sweep: float = 3.2, square: bool = False) -> FloatArray:
    """Sawtooth or square through a resonant filter that snaps shut; loud notes open it wider."""
    n = tone.n + int(0.02 * tone.sr)
    k = harmonics(tone.hz, tone.sr, most=90, top_hz=11000.0)
    if square:
        k = k[::2]
    octaves = sweep * (0.35 + tone.level) * np.exp(-block_times(n, tone.sr) / 0.11)
    gains = resonance(tone.hz * k, base_hz * 2.0**octaves, q, poles=3)
    y = np.tanh(1.8 * normalised(partials(tone.hz * k, 1.0 / k, n, tone.sr, gains=gains)))
    return shaped(y, tone, attack_s=0.002, release_s=0.02)


def stab(tone: Tone, *, cutoff_hz: float = 3800.0, fall_s: float = 0.14, cents: float = 9.0) -> FloatArray:
    """Short detuned sawtooth, the note of a dance chord."""
    rng, n = tone.rng(), tone.n + int(0.12 * tone.sr)
    k = harmonics(tone.hz, tone.sr, most=28)
    freqs = np.concatenate([tone.hz * k * 2.0 ** (c / 1200) for c in (-cents, 0.0, cents)])
    cutoff = 250.0 + cutoff_hz * (0.2 + tone.level) * np.exp(-block_times(n, tone.sr) / fall_s)
    y = partials(
        freqs, 1.0 / np.tile(k, 3), n, tone.sr,
        phases=rng.uniform(0, 6.28, len(freqs)), gains=resonance(freqs, cutoff, 1.2),
    )  # fmt: skip
    return shaped(y * decay(n, tone.sr, 0.5), tone, attack_s=0.003, release_s=0.12)


def _unit(voice: Voice) -> Voice:
    """Bring a voice to a peak of one and let it end in silence."""

    def sound(tone: Tone) -> FloatArray:
        y = normalised(voice(tone)).astype(np.float32)
        n_end = min(len(y), int(0.005 * tone.sr))
        y[-n_end:] *= np.linspace(1.0, 0.0, n_end, dtype=np.float32)
        return y

    return sound


_PITCHED: dict[str, Voice] = {
    "grand piano": piano,
    "felt piano": partial(piano, hardness=0.45, sustain=0.8),
    "upright piano": partial(piano, hardness=0.8, detune=0.0022, sustain=0.6),
    "electric piano": electric_piano,
    "bright electric piano": partial(electric_piano, depth=2.4, ring=1.1),
    "bell": bell,
    "glass bell": partial(bell, ratio=2.76, depth=1.2, ring=1.8),
    "music box": partial(bell, ratio=5.4, depth=0.7, ring=0.6),
    "marimba": partial(bell, ratio=3.99, depth=0.6, ring=0.22),
    "vibraphone": vibraphone,
    "steel guitar": partial(pluck, position=0.16, damping=0.25, ring=1.1, tilt=0.35),
    "twelve-string guitar": partial(pluck, position=0.11, damping=0.18, ring=1.3, tilt=0.2),
    "nylon guitar": partial(pluck, position=0.3, damping=0.9, ring=0.7, tilt=0.8),
    "jazz guitar": partial(pluck, position=0.38, damping=2.2, ring=0.8, tilt=1.2),
    "muted guitar": partial(pluck, position=0.2, damping=0.8, ring=0.16, tilt=0.4),
    "harp": partial(pluck, position=0.45, damping=0.5, ring=1.6, tilt=0.7),
    "power guitar": power_guitar,
    "fuzz guitar": partial(power_guitar, drive=22.0),
    "muted power guitar": partial(power_guitar, muted=True),
    "lead guitar": lead_guitar,
    "upright bass": partial(pluck, position=0.35, damping=2.5, ring=0.55, tilt=0.9),
    "finger bass": partial(pluck, position=0.28, damping=1.6, ring=1.0, tilt=0.75),
    "pick bass": partial(pluck, position=0.14, damping=0.7, ring=1.2, tilt=0.45),
    "dub bass": partial(pluck, position=0.48, damping=9.0, ring=1.4, tilt=1.6),
    "synth bass": synth_bass,
    "round synth bass": partial(synth_bass, cutoff_hz=280.0, fall_s=0.3),
    "sub bass": sub_bass,
    "808 bass": partial(sub_bass, drive=2.6),
    "acid saw": acid,
    "acid square": partial(acid, square=True, q=9.0),
    "stab": stab,
    "dark stab": partial(stab, cutoff_hz=1500.0, fall_s=0.2, cents=14.0),
}

INSTRUMENTS: dict[str, Voice] = {
    name: _unit(voice) for name, voice in (_PITCHED | sustained.VOICES | drums.VOICES).items()
}
