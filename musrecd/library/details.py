"""All that is kept of one recording, for whoever wants to see it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

_DETAILS = """
    SELECT r.id, r.audio_id, r.n_damaged_packets, a.bpm, a.bpm_confidence, a."key", a.key_confidence, a.analysed_at
    FROM recordings r JOIN analyses a ON a.recording_id = r.id
    WHERE a.encoder_id = ? AND r.id IN (?*)
"""


@dataclass(frozen=True, slots=True)
class Details:
    """What was heard of a recording beside labels; `bpm` in beats per minute, `analysed_at` in UTC (ISO 8601)."""

    audio_id: str
    n_damaged_packets: int
    bpm: float | None
    bpm_confidence: float | None
    key: str | None
    key_confidence: float | None
    analysed_at: str


def read_details(
    in_chunks: Callable[..., Iterator[tuple[Any, ...]]], recording_ids: Iterable[int], encoder_id: int
) -> dict[int, Details]:
    """Read the details of recordings that the encoder heard, by id."""
    return {number: Details(*columns) for number, *columns in in_chunks(_DETAILS, recording_ids, encoder_id)}
