"""Decode any file to mono float32 and name the recording it holds.

One pass over the file hashes every audio packet (that names the recording, whatever its tags) and keeps
the compressed packets of the excerpts that will be heard. Decoding happens afterwards and only if somebody
asks for it, so a file that was merely moved or retagged costs no decoding at all, and a ten-hour file no
more memory than a song.
"""

import hashlib
import math
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import BinaryIO

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer

from musrecd.analysis.excerpts import AudioPacket, Excerpt, ExcerptPlan, Gatherer
from musrecd.analysis.mixdown import Mixdown
from musrecd.analysis.tagspan import SoundSpan
from musrecd.errors import NoSoundError, NotAudioError, UnreadableFileError
from musrecd.types import FloatArray

# Demuxers that open other files or addresses named inside the file (hls, concat, dash, sdp …) must stay out:
# a text file called x.mp3 would otherwise make us read, or connect to, whatever it names.
_DEMUXERS = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,dsf,dts,eac3,flac,flv,iff,matroska,mov,mp3,mpc,mpc8,mpeg,mpegts,"
    "ogg,rm,shn,tak,tta,voc,w64,wav,wv,xwma"
)
# MP4 sample entries of FairPlay and of Common Encryption: what they decode to is rubbish.
_ENCRYPTED = ("drms", "enca")
_MAX_DEMUX_ERRORS = 100
_MIN_SOUND_S = 0.05
_BUFFER_BYTES = 1 << 18


@dataclass(slots=True)
class Recording:
    """What one pass over a file found; alive only inside `listen`.

    `declared_s` is what the container claims (None if nothing), `duration_s` what its packets add up to.
    `n_damaged_packets` counts packets that could not be read or, after `decode`, not be decoded; `starts_s` are where
    the excerpts begin that `decode` returned, in seconds.
    """

    audio_id: str
    duration_s: float
    declared_s: float | None
    n_damaged_packets: int
    excerpts: list[Excerpt]
    starts_s: list[float] = field(default_factory=list)

    def decode(self, sr: int) -> list[FloatArray]:
        """Decode the excerpts to mono at `sr` Hz; damaged packets are skipped and counted.

        Returns one array (n,), full scale at ±1, for each excerpt that has sound in it.
        Raises NoSoundError if none has.
        """
        decoded = [self._decode_excerpt(excerpt, sr) for excerpt in self.excerpts]
        ys = [y for y in decoded if y.size]
        self.starts_s = [
            max(excerpt.start_s, excerpt.first_packet_s)
            for excerpt, y in zip(self.excerpts, decoded, strict=True)
            if y.size
        ]
        n_samples = sum(y.size for y in ys)
        if n_samples < _MIN_SOUND_S * sr:
            raise NoSoundError(
                f"{n_samples / sr:.2f} s of sound is too short" if n_samples else "none of its sound can be decoded"
            )
        return ys

    def _decode_excerpt(self, excerpt: Excerpt, sr: int) -> FloatArray:
        if not excerpt.packets:
            return np.empty(0, np.float32)
        context = excerpt.packets[0].stream.codec_context
        context.flush_buffers()
        mixdown = Mixdown(sr)
        # The end of the stream (None) makes the decoder give what it still holds back.
        for packet in (*excerpt.packets, None):
            try:
                frames = context.decode(packet)
            except (av.error.FFmpegError, ValueError):
                self.n_damaged_packets += 1
                continue
            for frame in frames:
                mixdown.add(frame)
        y = mixdown.finish()
        skip = max(0, round((excerpt.start_s - excerpt.first_packet_s) * sr))
        return y[skip : skip + math.ceil(excerpt.seconds * sr)]


@contextmanager
def listen(path: bytes | str, plan: ExcerptPlan) -> Iterator[Recording]:
    """Read every audio packet of `path` once: name the recording and keep the packets that `plan` asks for.

    Nothing is decoded until `Recording.decode`. Raises UnreadableFileError, NotAudioError, NoSoundError.
    """
    with open_container(path) as (container, stream):
        recording, planned_s = _read_packets(container, stream, plan)
        if plan.fits(planned_s, recording.duration_s):
            yield recording
            return
    # The container said nothing, or lied: now that the length is known, choose the excerpts by it.
    with open_container(path) as (container, stream):
        yield _read_packets(container, stream, plan, recording.duration_s)[0]


def _read_packets(
    container: InputContainer, stream: AudioStream, plan: ExcerptPlan, length_s: float | None = None
) -> tuple[Recording, float | None]:
    declared_s = declared_seconds(container, stream)
    planned_s = declared_s if length_s is None else max(length_s, _MIN_SOUND_S)
    gatherer = Gatherer(plan, planned_s)
    digest = hashlib.blake2b(stream.codec_context.name.encode(), digest_size=20)
    demuxer = _Demuxer(container, stream)
    for packet in demuxer:
        digest.update(packet)
        gatherer.take(packet)
    if gatherer.n_packets == 0:
        raise NoSoundError("it holds no audio packets")
    recording = Recording(
        audio_id=digest.hexdigest(),
        duration_s=gatherer.duration_s,
        declared_s=declared_s,
        n_damaged_packets=demuxer.n_errors,
        excerpts=gatherer.excerpts,
    )
    return recording, planned_s


def declared_seconds(container: InputContainer, stream: AudioStream) -> float | None:
    """Return the length that a container claims, in seconds, None if it claims none."""
    seconds = 0.0
    if stream.duration and stream.time_base:
        seconds = float(stream.duration * stream.time_base)
    elif container.duration:
        seconds = container.duration / av.time_base
    return seconds if 0 < seconds < math.inf else None


class _Demuxer:
    """The packets of one stream; goes on behind damaged places and counts them."""

    def __init__(self, container: InputContainer, stream: AudioStream) -> None:
        self._container, self._stream = container, stream
        self.n_errors = 0

    def __iter__(self) -> Iterator[AudioPacket]:
        while self.n_errors < _MAX_DEMUX_ERRORS:
            try:
                for packet in self._container.demux(self._stream):
                    if packet.size:
                        yield packet
                return
            except OSError as error:
                raise UnreadableFileError(f"cannot be read to its end: {_words(error)}") from error
            except (av.error.FFmpegError, ValueError):
                self.n_errors += 1


@contextmanager
def open_container(path: bytes | str) -> Iterator[tuple[InputContainer, AudioStream]]:
    """Open the best audio stream of a file; FFmpeg sees a file object, never a name it could interpret."""
    with open_regular_file(path) as file:
        try:
            container = av.open(
                SoundSpan(file),
                mode="r",
                buffer_size=_BUFFER_BYTES,
                container_options={"format_whitelist": _DEMUXERS, "protocol_whitelist": "none"},
                metadata_errors="replace",
            )
        except OSError as error:
            raise UnreadableFileError(f"cannot be read: {_words(error)}") from error
        except (av.error.FFmpegError, ValueError) as error:
            raise NotAudioError(f"not a format that can be decoded ({_words(error)})") from error
        with container:
            stream = container.streams.best("audio")
            if not isinstance(stream, AudioStream) or stream.codec_context is None:
                raise NotAudioError("it has no audio stream that can be decoded")
            if stream.codec_context.codec_tag in _ENCRYPTED:
                raise NotAudioError("it is encrypted (DRM)")
            stream.codec_context.thread_count = 1
            yield container, stream


@contextmanager
def open_regular_file(path: bytes | str) -> Iterator[BinaryIO]:
    """Open `path` for reading only if it is a regular file with something in it; a FIFO never blocks us.

    Raises UnreadableFileError, NotAudioError (empty).
    """
    try:
        fd = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (OSError, ValueError) as error:
        raise UnreadableFileError(f"cannot be read: {_words(error)}") from error
    status = os.fstat(fd)
    if not stat.S_ISREG(status.st_mode):
        os.close(fd)
        raise UnreadableFileError("is a folder" if stat.S_ISDIR(status.st_mode) else "not a regular file")
    with os.fdopen(fd, "rb", buffering=0) as file:
        if status.st_size == 0:
            raise NotAudioError("the file is empty")
        yield file


def _words(error: BaseException) -> str:
    return str(getattr(error, "strerror", None) or error).strip() or type(error).__name__
