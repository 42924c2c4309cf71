"""The one entry to hearing: a path in, an `Analysis` out."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from musrecd.analysis.audio import Recording, listen
from musrecd.analysis.encoder import Encoded, Encoder, HeardChunks
from musrecd.analysis.excerpts import ExcerptPlan
from musrecd.analysis.hearing import HEARING
from musrecd.analysis.rhythm import Tempo, estimate_tempo
from musrecd.analysis.tonality import Key, estimate_key
from musrecd.types import Analysis, Chunks, Coverage, KnownRecording

# About a minute of a track is heard, in excerpts long enough for the decoder's run-up not to count; or all of it, but
# not of what is longer than songs are: a DJ's night would fill the memory, and ten minutes of it say as much.
_HEARD_S: dict[Coverage, float] = {"windows": 60.0, "full": 600.0}
_SHORTEST_EXCERPT_S = 10.0


def analyse(path: bytes | str, encoder: Encoder) -> Analysis:
    """Hear one file.

    Raises AudioError: UnreadableFileError, NotAudioError or NoSoundError.
    """
    with listen(path, excerpt_plan(encoder.frontend.chunk_s, encoder.coverage)) as recording:
        return _hear(recording, encoder)


@dataclass(frozen=True, slots=True)
class Closely:
    """An analysis with what is not kept of it: what else tempo and key could be, and more."""

    analysis: Analysis
    tempo: Tempo | None
    key: Key | None


def analyse_closely(path: bytes | str, encoder: Encoder) -> Closely:
    """Hear one file and tell all that is heard, for somebody who looks at it.

    Raises AudioError as `analyse` does.
    """
    with listen(path, excerpt_plan(encoder.frontend.chunk_s)) as recording:
        return _hear_closely(recording, encoder)


def analyse_unless_known(
    path: bytes | str, encoder: Encoder, is_known: Callable[[str], bool]
) -> Analysis | KnownRecording:
    """Hear one file unless `is_known` says so of its `audio_id`; then nothing is decoded.

    Raises AudioError as `analyse` does.
    """
    with listen(path, excerpt_plan(encoder.frontend.chunk_s, encoder.coverage)) as recording:
        if is_known(recording.audio_id):
            return KnownRecording(recording.audio_id)
        return _hear(recording, encoder)


def excerpt_plan(chunk_s: float, coverage: Coverage = "windows") -> ExcerptPlan:
    """Plan to hear as much, whatever the encoder's chunks: excerpts are whole chunks, so that none overlap."""
    excerpt_s = chunk_s * math.ceil(_SHORTEST_EXCERPT_S / chunk_s)
    return ExcerptPlan(excerpt_s, max(1, round(_HEARD_S[coverage] / excerpt_s)))


def _hear(recording: Recording, encoder: Encoder) -> Analysis:
    return _hear_closely(recording, encoder).analysis


def _hear_closely(recording: Recording, encoder: Encoder) -> Closely:
    frontend = encoder.frontend
    ys = recording.decode(frontend.sr)
    # Once: whoever listens for styles and whoever listens for the pulse look at the same.
    heard = encoder.spectra(ys)
    encoded = encoder.encode(heard)
    styles = {label.name: float(p) for label, p in zip(encoder.info.labels, encoded.probabilities, strict=True)}
    tempo = estimate_tempo(list(heard.spectra), frontend.sr / frontend.hop_length, styles)
    key = estimate_key(ys, frontend.sr)
    analysis = Analysis(
        audio_id=recording.audio_id,
        encoder_version=encoder.info.version,
        embedding=encoded.embedding,
        probabilities=encoded.probabilities,
        duration_s=recording.duration_s,
        n_damaged_packets=recording.n_damaged_packets,
        bpm=tempo.bpm if tempo else None,
        bpm_confidence=tempo.confidence if tempo else None,
        key=key.name if key else None,
        key_confidence=key.confidence if key else None,
        hearing=HEARING,
        chunks=_chunks(heard, encoded, recording.starts_s, frontend.sr),
    )
    return Closely(analysis, tempo, key)


def _chunks(heard: HeardChunks, encoded: Encoded, starts_s: Sequence[float], sr: int) -> Chunks | None:
    """Put what each chunk sounds like where it is in the recording."""
    if not len(encoded.directions):
        return None
    spans_s = np.array(starts_s)[heard.excerpts, None] + heard.bounds / sr
    return Chunks(spans_s.astype(np.float32), encoded.directions)
