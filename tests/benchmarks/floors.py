"""What cannot be avoided: demuxing a file, and decoding the excerpts that are heard, as plainly as PyAV allows."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import soxr

from musrecd.analysis.excerpts import ExcerptPlan


def demux(path: Path) -> None:
    """Read all packets and leave them."""
    with av.open(str(path)) as container:
        for _ in container.demux(audio=0):
            pass


def decode_packets(packets: Sequence[Any]) -> list[Any]:
    """Decode packets of one stream in a row; those that cannot be are left out."""
    if not packets:
        return []
    context = packets[0].stream.codec_context
    context.flush_buffers()
    frames = []
    for packet in (*packets, None):
        try:
            frames += context.decode(packet)
        except av.error.FFmpegError:
            continue
    return frames


def decode_excerpts(path: Path, plan: ExcerptPlan, sr: int) -> list[np.ndarray]:
    """Demux a file, decode its excerpts, mix them to mono and resample them to `sr` Hz: nothing else, no hash."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        stream.codec_context.thread_count = 1
        length_s = container.duration / av.time_base
        kept: list[list[Any]] = [[] for _ in plan.starts_s(length_s)]
        edges_s = [(start, start + plan.lasting_s(length_s)) for start in plan.starts_s(length_s)]
        base = float(stream.time_base)
        for packet in container.demux(stream):
            if packet.pts is not None and packet.size:
                for packets, (begin_s, end_s) in zip(kept, edges_s, strict=True):
                    if begin_s <= packet.pts * base < end_s:
                        packets.append(packet)
        return [_mono(decode_packets(packets), sr) for packets in kept if packets]


def decode_whole(path: Path, sr: int) -> list[np.ndarray]:
    """Decode all of a file to mono at `sr` Hz."""
    with av.open(str(path)) as container:
        container.streams.audio[0].codec_context.thread_count = 1
        return [_mono(list(container.decode(audio=0)), sr)]


def _mono(frames: Sequence[Any], sr: int) -> np.ndarray:
    y = np.concatenate([frame.to_ndarray() for frame in frames], axis=1)
    if not frames[0].format.is_planar:
        y = y.reshape(-1, frames[0].layout.nb_channels).T
    scale = 1.0 if y.dtype.kind == "f" else float(np.iinfo(y.dtype).max)
    mono = y[0] / np.float32(scale) if len(y) == 1 else (y[0] + y[1].astype(np.float32)) / np.float32(2 * scale)
    return soxr.resample(mono.astype(np.float32, copy=False), frames[0].sample_rate, sr)
