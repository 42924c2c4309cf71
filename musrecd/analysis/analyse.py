"""The one entry to hearing: a path in, an `Analysis` out."""

import math
from collections.abc import Callable

from musrecd.analysis.audio import Recording, listen
from musrecd.analysis.encoder import Encoder
from musrecd.analysis.excerpts import ExcerptPlan
from musrecd.types import Analysis, KnownRecording

# About a minute of a track is heard, in excerpts long enough for the decoder's run-up not to count.
_HEARD_S = 60.0
_SHORTEST_EXCERPT_S = 10.0


def analyse(path: bytes | str, encoder: Encoder) -> Analysis:
    """Hear one file.

    Raises AudioError: UnreadableFileError, NotAudioError or NoSoundError.
    """
    with listen(path, excerpt_plan(encoder.frontend.chunk_s)) as recording:
        return _hear(recording, encoder)


def analyse_unless_known(
    path: bytes | str, encoder: Encoder, is_known: Callable[[str], bool]
) -> Analysis | KnownRecording:
    """Hear one file unless `is_known` says so of its `audio_id`; then nothing is decoded.

    Raises AudioError as `analyse` does.
    """
    with listen(path, excerpt_plan(encoder.frontend.chunk_s)) as recording:
        if is_known(recording.audio_id):
            return KnownRecording(recording.audio_id)
        return _hear(recording, encoder)


def excerpt_plan(chunk_s: float) -> ExcerptPlan:
    """Plan to hear about a minute, whatever the encoder's chunks: excerpts are whole chunks, so that none overlap."""
    excerpt_s = chunk_s * math.ceil(_SHORTEST_EXCERPT_S / chunk_s)
    return ExcerptPlan(excerpt_s, max(1, round(_HEARD_S / excerpt_s)))


def _hear(recording: Recording, encoder: Encoder) -> Analysis:
    ys = recording.decode(encoder.frontend.sr)
    embedding, probabilities = encoder.encode(ys)
    return Analysis(
        audio_id=recording.audio_id,
        encoder_version=encoder.info.version,
        embedding=embedding,
        probabilities=probabilities,
        duration_s=recording.duration_s,
        n_damaged_packets=recording.n_damaged_packets,
    )
