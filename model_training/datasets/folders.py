"""A folder of folders: the name of each is the genre of the music in it, `Jazz/Artist/Album/01 Song.flac`."""

from collections.abc import Iterator
from pathlib import Path

import mediafile

from model_training.datasets.base import Clip, DataSet, DataSetError, artist_group, present, recording_of

HOME = "your own music, filed as Jazz/song.flac, Rock/song.mp3 and so on"

_SUFFIXES = (
    ".aac", ".aif", ".aiff", ".ape", ".au", ".flac", ".m4a", ".mka", ".mp2", ".mp3", ".mp4", ".mpc", ".oga", ".ogg",
    ".opus", ".wav", ".wma", ".wv",
)  # fmt: skip


def load(folder: Path) -> list[Clip]:
    """Read every folder in `folder` that holds music, however deep. Raises DataSetError if none does.

    A file is in one folder and so of one genre: the others are denied.
    """
    if not folder.is_dir():
        raise DataSetError(f"{folder} is missing; see {HOME}")
    files = {genre.name: list(_music(genre)) for genre in sorted(folder.iterdir()) if genre.is_dir()}
    files = {genre: paths for genre, paths in files.items() if paths}
    clips = [_clip(folder, path, genre, tuple(files)) for genre, paths in files.items() for path in paths]
    return present(clips, folder, HOME)


def _music(folder: Path) -> Iterator[Path]:
    """Sorted audio files; what is hidden is left."""
    for path in sorted(folder.rglob("*")):
        is_hidden = any(part.startswith(".") for part in path.relative_to(folder.parent).parts)
        if path.suffix.lower() in _SUFFIXES and path.is_file() and not is_hidden:
            yield path


def _clip(folder: Path, path: Path, genre: str, all_genres: tuple[str, ...]) -> Clip:
    artist, title = _read_tags(path)
    name = path.relative_to(folder).as_posix()
    return Clip(
        path=path,
        name=name,
        source="folders",
        group=artist_group(artist) or _group(name),
        genres=(genre,),
        moods=(),
        recording=recording_of(artist, title),
        denied=tuple(other for other in all_genres if other != genre),
    )


def _read_tags(path: Path) -> tuple[str, str]:
    """Return artist and title, "" where the file does not say."""
    try:
        tags = mediafile.MediaFile(path)
    except mediafile.UnreadableError:
        return "", ""
    return tags.artist or "", tags.title or ""


def _group(name: str) -> str:
    """Group untagged files by the folder below the genre, mostly the artist's; a file right below it is alone."""
    _, *below = name.split("/")
    return f"folder:{below[0].casefold()}" if len(below) > 1 else f"file:{name}"


DATA_SET = DataSet("folders", load, HOME, "yours to know")
