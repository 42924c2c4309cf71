"""Which parts of the results are close to what was asked about: read where a person wants to know, never else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from musrecd.recommend.closest import closest, closest_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from musrecd.asking.ask import Told
    from musrecd.library.reader import LibraryReader
    from musrecd.recommend.asking import Seed
    from musrecd.types import Chunks, EncoderInfo


def tell_closest(
    reader: LibraryReader,
    info: EncoderInfo,
    seeds: Sequence[Seed],
    results: Sequence[Told],
    whom: str = "what was asked about",
) -> list[Told]:
    """Add to results which part of each is close to which part of the seeds; to those of which that is known.

    Raises LibraryError.
    """
    likes = [seed for seed in seeds if seed.weight > 0]
    rows = {told.result.row for told in results} | {seed.row for seed in likes if seed.row is not None}
    known = reader.chunks(sorted(rows), info.version)
    names = [seed.title or f"track {i}" for i, seed in enumerate(likes, 1)] if len(likes) > 1 else [""]
    heard = [(name, each) for name, seed in zip(names, likes, strict=True) if (each := _chunks_of(seed, known))]
    return [_with_closest(told, known.get(told.result.row), heard, whom) for told in results]


def _chunks_of(seed: Seed, known: dict[int, Chunks]) -> Chunks | None:
    return seed.chunks if seed.row is None else known.get(seed.row)


def _with_closest(told: Told, chunks: Chunks | None, likes: Sequence[tuple[str, Chunks]], whom: str) -> Told:
    pair = closest(chunks, likes) if chunks is not None else None
    if pair is None:
        return told
    result = told.result._replace(parts=told.result.parts._replace(closest=pair))
    return told._replace(result=result, reasons=(*told.reasons, closest_line(pair, whom)))
