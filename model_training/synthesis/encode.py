"""Writing audio files: the suffix says how."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.audio.stream import AudioStream

from musrecd.errors import MusrecError
from musrecd.types import FloatArray

_PIECE = 65536  # samples handed to the encoder at a time


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a suffix is written: container, codec, its options, the rates and channels the codec takes."""

    container: str
    codec: str
    bit_rate: int | None = None
    rates_hz: tuple[int, ...] = ()
    always_stereo: bool = False
    options: dict[str, str] = field(default_factory=dict)


ENCODINGS: dict[str, Encoding] = {
    ".wav": Encoding("wav", "pcm_s16le"),
    ".flac": Encoding("flac", "flac"),
    ".mp3": Encoding("mp3", "libmp3lame", bit_rate=192_000),
    # PyAV's wheels have FFmpeg's own Vorbis encoder alone, which is called experimental and is always stereo.
    ".ogg": Encoding("ogg", "vorbis", 192_000, always_stereo=True, options={"strict": "experimental"}),
    ".opus": Encoding("opus", "libopus", bit_rate=128_000, rates_hz=(48_000,)),
    ".m4a": Encoding("ipod", "aac", bit_rate=192_000),
    ".aiff": Encoding("aiff", "pcm_s16be"),
}


def write_audio(path: Path, y: FloatArray, sr: int, *, bit_rate: int | None = None) -> None:
    """Encode `y`, (n,) or (2, n) at `sr` Hz, into the format that the suffix of `path` names.

    `bit_rate` is in bits per second and of lossy codecs only; without it the codec gets a usual one. Opus files
    are 48 kHz and Vorbis files stereo whatever is given. The same samples give the same bytes.
    """
    encoding = ENCODINGS.get(path.suffix.lower())
    if encoding is None:
        raise MusrecError(f"cannot write {path.name}: known suffixes are {', '.join(ENCODINGS)}")
    rate = sr if sr in (encoding.rates_hz or (sr,)) else encoding.rates_hz[0]
    channels = np.atleast_2d(np.clip(y, -1.0, 1.0)).astype(np.float32)
    if encoding.always_stereo and len(channels) == 1:
        channels = np.repeat(channels, 2, axis=0)
    layout = "stereo" if len(channels) == 2 else "mono"
    with av.open(str(path), "w", format=encoding.container, options={"fflags": "+bitexact"}) as container:
        options = encoding.options
        stream = cast(AudioStream, container.add_stream(encoding.codec, rate, options, layout=layout))
        if encoding.bit_rate is not None:
            stream.bit_rate = bit_rate or encoding.bit_rate * len(channels) // 2
        resampler = av.AudioResampler(stream.format.name, layout, rate, stream.codec_context.frame_size or None)
        for frame in _frames(channels, layout, sr):
            for ready in resampler.resample(frame):
                container.mux(stream.encode(ready))
        for ready in resampler.resample(None):
            container.mux(stream.encode(ready))
        container.mux(stream.encode(None))


def _frames(channels: FloatArray, layout: str, sr: int) -> list[av.AudioFrame]:
    frames = []
    for start in range(0, channels.shape[1], _PIECE):
        block = np.ascontiguousarray(channels[:, start : start + _PIECE])
        frame = av.AudioFrame.from_ndarray(block, format="fltp", layout=layout)
        frame.sample_rate = sr
        frame.pts = start
        frames.append(frame)
    return frames
