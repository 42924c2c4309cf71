"""What of a file is no tag, as a demuxer sees it: the proof that writing tags left the music alone."""

import hashlib
import struct
from dataclasses import dataclass

import av
from av.audio.stream import AudioStream
from av.packet import Packet
from av.stream import Stream

from musrecd.analysis.audio import declared_seconds, open_container, open_regular_file
from musrecd.analysis.tagspan import SoundSpan
from musrecd.errors import UnreadableFileError

# These say their length only by an estimate from the first packets.
_ESTIMATED = ("aac", "ac3", "eac3", "dts", "mpeg", "mpegts", "amr")
# Vorbis packets of several sizes are told to be too short; that none is missing, the numbers of the pages say.
_PROVEN_OTHERWISE = ("ogg",)
# The length of each packet is rounded to a millisecond: the sum may be this factor too small.
_ROUNDED = {"asf": 1.05}
_VBR_HEADERS = (b"Xing", b"Info", b"VBRI")
_VBR_HEADER_WITHIN = 4096
_ZEROS = bytes(2048)
_SHORTEST_ALL_ZEROS = 32
_MISSING_S = 0.25
# A frame that is cut off can be told here only by decoding it.
_CHECKED_AT_END = ("flac",)
_UNCOMPRESSED = ("pcm", "dsd", "adpcm")
_HEAD = struct.Struct("<5q")
_HEADS_AT_ONCE = 512


@dataclass(frozen=True, slots=True)
class Payload:
    """All packets of a file. `audio_id` is that of `listen`; `packets` names bytes, times and order of all streams.

    `container` are FFmpeg's names of the format; `damage` says why the sound is not whole, empty if it is.
    `is_sound_alone` if no other streams but pictures are there.
    """

    audio_id: str
    packets: str
    container: str
    damage: str
    is_sound_alone: bool


def survey(path: bytes) -> Payload:
    """Read every packet of a file, but those of pictures.

    Raises UnreadableFileError, NotAudioError (also where it is encrypted).
    """
    with open_container(path) as (container, stream):
        survey_of = _Survey(stream)
        pictures = {each.index for each in container.streams if each.disposition & each.disposition.attached_pic}
        try:
            for packet in container.demux():
                if packet.size and packet.stream_index not in pictures:
                    survey_of.take(packet)
        except OSError as error:
            raise UnreadableFileError(f"cannot be read to its end: {error.strerror or error}") from error
        except (av.error.FFmpegError, ValueError):
            survey_of.damage = "damaged packets"
        name = container.format.name
        declared_s = None if _is_estimate(path, name) else declared_seconds(container, stream)
        if name in _CHECKED_AT_END and survey_of.last is not None and not _decodes(survey_of.last):
            survey_of.damage = "its end is missing"
        is_sound_alone = len(container.streams) == len(pictures | {stream.index})
        return survey_of.result(name, declared_s, is_sound_alone=is_sound_alone)


def shown_genre(path: bytes) -> str:
    """Return the genre that FFmpeg reads in the tags that it is shown, those within the container; '' without one.

    Raises UnreadableFileError, NotAudioError.
    """
    with open_container(path) as (container, stream):
        metadata = container.metadata | stream.metadata
        return next((value.strip() for key, value in metadata.items() if key.lower() == "genre"), "")


def _decodes(packet: "Packet[Stream]") -> bool:
    try:
        return bool(packet.decode())
    except (av.error.FFmpegError, ValueError):
        return False


class _Survey:
    def __init__(self, stream: AudioStream) -> None:
        self._stream = stream
        codec = stream.codec_context.name
        self._is_compressed = not codec.startswith(_UNCOMPRESSED)
        self._audio = hashlib.blake2b(codec.encode(), digest_size=20)
        self._all = hashlib.blake2b(digest_size=20)
        self._heads: list[bytes] = []
        self._length, self._n = 0, 0
        self.damage = ""
        self.last: Packet[Stream] | None = None

    def take(self, packet: "Packet[Stream]") -> None:
        """Add the next packet; of the sound its bytes are named by the `audio_id` already."""
        index, length, data = packet.stream_index, packet.duration or 0, bytes(packet)
        self._heads.append(_HEAD.pack(index, packet.pts or 0, packet.dts or 0, length, len(data)))
        # Hashed one by one they would take a tenth of the time of it all.
        if len(self._heads) >= _HEADS_AT_ONCE:
            self._hash_heads()
        if index != self._stream.index:
            self._heads.append(data)
            return
        self._audio.update(data)
        self._n += 1
        self._length += length
        self.last = packet
        if packet.is_corrupt or (self._is_compressed and _is_hole(data)):
            self.damage = "damaged packets"

    def _hash_heads(self) -> None:
        self._all.update(b"".join(self._heads))
        self._heads.clear()

    def result(self, container: str, declared_s: float | None, *, is_sound_alone: bool) -> Payload:
        """Judge what was taken against the length that the container claims, if that is known."""
        seconds = float(self._length * (self._stream.time_base or 0)) * _ROUNDED.get(container, 1.0)
        damage = self.damage
        if not self._n:
            damage = "no packets of sound"
        elif declared_s and seconds and declared_s - seconds > max(_MISSING_S, declared_s / 1000):
            damage = f"{seconds:.1f} of {declared_s:.1f} s are there"
        self._hash_heads()
        return Payload(self._audio.hexdigest(), self._all.hexdigest(), container, damage, is_sound_alone)


def _is_hole(data: bytes) -> bool:
    """Whether a stretch of compressed sound was never written, or was lost with a sector of the disk."""
    return _ZEROS in data or (len(data) >= _SHORTEST_ALL_ZEROS and not data.strip(b"\0"))


def _is_estimate(path: bytes, container: str) -> bool:
    if container != "mp3":
        return container in (*_ESTIMATED, *_PROVEN_OTHERWISE)
    with open_regular_file(path) as file:
        begin = SoundSpan(file).read(_VBR_HEADER_WITHIN)
    return not any(name in begin for name in _VBR_HEADERS)
