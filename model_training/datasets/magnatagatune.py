"""MagnaTagATune (Law et al. 2009): `annotations_final.csv`, `clip_info_final.csv`, audio in the folders 0 to f."""

from pathlib import Path

from model_training.datasets.base import (
    TEST,
    TRAINING,
    VALIDATION,
    Clip,
    DataSet,
    artist_group,
    present,
    read_table,
    recording_of,
)
from model_training.datasets.words import labels_meant

HOME = "https://mirg.city.ac.uk/codeapps/the-magnatagatune-dataset"

# The split of the field, 12:1:3 folders: 0 to b train, c validates, d to f test.
_SIDES = dict.fromkeys("0123456789ab", TRAINING) | {"c": VALIDATION} | dict.fromkeys("def", TEST)
_NEGATIONS = ("no ", "not ")
_UNSUNG = frozenset({"instrumental", "no singer", "no singing", "no vocal", "no vocals", "no voice", "no voices"})
_SUNG = ("choir", "female", "male", "singing", "vocals")


def load(folder: Path) -> list[Clip]:
    """Read the folder that holds both tables and the audio (or the audio in `mp3`).

    Raises DataSetError without the tables or the audio.
    """
    infos = {
        row["clip_id"]: row
        for row in read_table(folder / "clip_info_final.csv", HOME, ("clip_id", "artist", "title"), "\t")
    }
    audio = folder / "mp3" if (folder / "mp3").is_dir() else folder
    rows = read_table(folder / "annotations_final.csv", HOME, ("clip_id", "mp3_path"), "\t")
    return present([_clip(audio, row, infos.get(row["clip_id"], {})) for row in rows], folder, HOME)


def _clip(audio: Path, row: dict[str, str], info: dict[str, str]) -> Clip:
    path, artist = row["mp3_path"], info.get("artist", "")
    tags = tuple(tag for tag, given in row.items() if given == "1" and tag not in ("clip_id", "mp3_path"))
    genres = tuple(tag for tag in tags if labels_meant("mtat", (tag,), "genre"))
    return Clip(
        path=audio / path,
        name=path,
        source="mtat",
        group=artist_group(artist) or f"mtat:{Path(path).stem}",
        genres=genres,
        moods=(),
        split=_SIDES.get(path[:1], ""),
        recording=recording_of(artist, info.get("title", "")),
        others=tuple(tag for tag in tags if tag not in genres),
        denied=_denied(tags),
    )


def _denied(tags: tuple[str, ...]) -> tuple[str, ...]:
    """Return what the players said is not heard; of a tag that nobody gave, nothing is known."""
    denied = [tag.removeprefix(negation) for tag in tags for negation in _NEGATIONS if tag.startswith(negation)]
    if _UNSUNG & set(tags):
        denied += _SUNG
    elif labels_meant("mtat", tags, "voice"):
        denied.append("instrumental")
    return tuple(denied)


DATA_SET = DataSet("magnatagatune", load, HOME, "CC BY-NC-SA; annotations CC BY-NC-SA 3.0")
