"""The one entry to hearing: a path in, an `Analysis` out."""

from collections.abc import Callable

from musrecd.analysis.audio import Recording, listen
from musrecd.analysis.encoder import Encoder
from musrecd.analysis.excerpts import ExcerptPlan
from musrecd.types import Analysis, KnownRecording

# Six chunks spread over the track: a minute of sound.
_N_CHUNKS = 6


def analyse(path: bytes | str, encoder: Encoder) -> Analysis:
    """Hear one file.

    Raises AudioError: UnreadableFileError, NotAudioError or NoSoundError.
    """
    with listen(path, _plan(encoder)) as recording:
        return _hear(recording, encoder)


def analyse_unless_known(
    path: bytes | str, encoder: Encoder, is_known: Callable[[str], bool]
) -> Analysis | KnownRecording:
    """Hear one file unless `is_known` says so of its `audio_id`; then nothing is decoded.

    Raises AudioError as `analyse` does.
    """
    with listen(path, _plan(encoder)) as recording:
        if is_known(recording.audio_id):
            return KnownRecording(recording.audio_id)
        return _hear(recording, encoder)


def _plan(encoder: Encoder) -> ExcerptPlan:
    return ExcerptPlan(encoder.frontend.chunk_s, _N_CHUNKS)


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
