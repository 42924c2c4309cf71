"""A small library of music files: artists, albums, tags and all the formats that people have."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from model_training.synthesis.compose import compose
from model_training.synthesis.encode import ENCODINGS, write_audio
from model_training.synthesis.names import album_of
from model_training.synthesis.render import render
from model_training.synthesis.score import Piece
from model_training.synthesis.styles import STYLES
from model_training.synthesis.tags import PieceTags, write_tags

TRACKS_PER_ALBUM = 8
_NO_GENRE = (8, 5)  # every eighth file has no genre, beginning with the sixth


@dataclass(frozen=True, slots=True)
class WrittenPiece:
    """A file of the library and the music it holds. `is_new` is false if the file was there already."""

    path: Path
    piece: Piece
    is_new: bool = True


OnProgress = Callable[[int, int, WrittenPiece], None]


def write_library(
    folder: Path, *, n_pieces: int, seconds: float, seed: int = 0, on_progress: OnProgress | None = None
) -> list[WrittenPiece]:
    """Write `n_pieces` of `seconds` each below `folder`, as artist/album/track, and return them all.

    Styles, formats, sample rates and channels take turns. Files that exist are left as they are, so an
    interrupted run can be repeated. `on_progress` hears of every file: its number from 1, how many, the file.
    """
    written = []
    for number in range(n_pieces):
        piece = _piece(number, seconds, seed)
        tags = _tags(number, piece)
        path = _path(folder, number, tags)
        is_new = not path.exists()
        if is_new:
            _write(path, piece, tags, number)
        written.append(WrittenPiece(path, piece, is_new))
        if on_progress is not None:
            on_progress(number + 1, n_pieces, written[-1])
    return written


def _piece(number: int, seconds: float, seed: int) -> Piece:
    names = list(STYLES)
    turn, index = divmod(number, len(names))
    return compose(names[index], 1000 * seed + turn, seconds)


def _tags(number: int, piece: Piece) -> PieceTags:
    style = STYLES[piece.style]
    turn = number // len(STYLES)
    artist, nth = turn % len(style.artists), turn // len(style.artists)
    album_number, track = divmod(nth, TRACKS_PER_ALBUM)
    album, year = album_of(number % len(STYLES) + artist, album_number)
    every, first = _NO_GENRE
    return PieceTags(
        artist=style.artists[artist],
        title=piece.title,
        album=album,
        genre="" if number % every == first else style.genre,
        year=year,
        track=track + 1,
        bpm=round(piece.tempo_bpm),
        key=piece.key,
    )


def _path(folder: Path, number: int, tags: PieceTags) -> Path:
    suffix = list(ENCODINGS)[number % len(ENCODINGS)]
    return folder / tags.artist / tags.album / f"{tags.track:02d} {tags.title}{suffix}"


def _write(path: Path, piece: Piece, tags: PieceTags, number: int) -> None:
    """Write beside the final name and rename, so that a file that exists is a whole one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.stem}.part{path.suffix}")
    sr = (44_100, 48_000)[number // len(ENCODINGS) % 2]
    write_audio(unfinished, render(piece, sr, channels=1 if number % 5 == 3 else 2), sr)
    write_tags(unfinished, tags)
    os.replace(unfinished, path)
