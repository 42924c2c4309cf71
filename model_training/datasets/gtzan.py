"""GTZAN (Tzanetakis & Cook 2002): `genres/blues/blues.00000.wav` (or .au), ten genres of a hundred clips.

Where `train_filtered.txt`, `valid_filtered.txt` and `test_filtered.txt` (Kereliuk, Sturm & Larsen 2015, after the
faults that Sturm found) lie in the folder, they are the split, and clips that none of them names are left out.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from model_training.datasets.base import TEST, TRAINING, VALIDATION, Clip, DataSet, DataSetError, need, present

HOME = "http://marsyas.info/downloads/datasets.html"
LISTS_HOME = "https://github.com/coreyker/dnn-mgr/tree/master/gtzan"
GENRES = ("blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock")

_LISTS = {"train_filtered.txt": TRAINING, "valid_filtered.txt": VALIDATION, "test_filtered.txt": TEST}
_SUFFIXES = frozenset({".wav", ".au"})
# In the WAV copies that go about, this one is not audio.
_BROKEN = frozenset({"jazz.00054.wav"})
_STEM = re.compile(r"(?P<genre>[a-z]+)\.(?P<tens>\d{4})\d$")


def load(folder: Path) -> list[Clip]:
    """Read the folder that holds `genres` (also called `genres_original`). Raises DataSetError without it."""
    audio = next((each for each in (folder / "genres", folder / "genres_original") if each.is_dir()), None)
    if audio is None:
        raise DataSetError(f"{folder / 'genres'} is missing; see {HOME}")
    sides = _read_lists(folder)
    files = [path for path in _files(audio) if not sides or path.stem in sides]
    return present([_clip(path, sides.get(path.stem, "")) for path in files], audio, HOME)


def _files(audio: Path) -> Iterator[Path]:
    for genre in GENRES:
        for path in sorted((audio / genre).glob(f"{genre}.?????.*")):
            if path.suffix in _SUFFIXES and path.name not in _BROKEN:
                yield path


def _read_lists(folder: Path) -> dict[str, str]:
    """Stem → side, empty without lists. Raises DataSetError if there are some but not all, or not of file names."""
    if not any((folder / name).exists() for name in _LISTS):
        return {}
    sides = {}
    for name, side in _LISTS.items():
        for line in need(folder / name, LISTS_HOME).read_text(encoding="utf-8").split():
            stem = Path(line).stem
            if not _STEM.match(stem):
                raise DataSetError(f"{folder / name} lists {line!r}, no file of GTZAN; see {LISTS_HOME}")
            sides[stem] = side
    return sides


def _clip(path: Path, side: str) -> Clip:
    genre = path.parent.name
    group = neighbours(path.stem)
    return Clip(
        path=path,
        name=f"{genre}/{path.name}",
        source="gtzan_full",
        # The lists keep artists apart and know them better than the numbers do.
        group=f"{group}:{side}" if side else group,
        genres=(genre.capitalize(),),
        moods=(),
        split=side,
        recording=recording(path.stem),
    )


def neighbours(stem: str) -> str:
    """Return the group of ten neighbouring numbers, which often share an artist; "" if this is no clip of GTZAN."""
    match = _STEM.match(stem)
    return f"gtzan:{match['genre']}:{match['tens']}" if match else ""


def recording(stem: str) -> str:
    """Name the recording that the clip was cut from."""
    return f"gtzan|{stem}"


DATA_SET = DataSet("gtzan", load, HOME, "for research; the rights in the recordings were never cleared")
