"""Data sets to train on: one module each, all giving the same `Clip`."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from model_training.datasets import beets_library, clips, fma, folders, fourq, gtzan, jamendo, magnatagatune
from model_training.datasets.base import Clip, DataSet, DataSetError

_MODULES = (clips, fma, gtzan, magnatagatune, jamendo, fourq, folders, beets_library)
DATA_SETS: dict[str, DataSet] = {module.DATA_SET.name: module.DATA_SET for module in _MODULES}


def load_data_set(spec: str) -> list[Clip]:
    """Load "NAME:FOLDER", or "FOLDER" of clips with a table; names of clips then begin with "NAME:".

    Raises DataSetError if no data set has this name, or something of it is missing.
    """
    name, colon, folder = spec.partition(":")
    if colon and name in DATA_SETS:
        loaded = DATA_SETS[name].load(Path(folder).expanduser())
    elif colon and not Path(spec).exists():
        raise DataSetError(f"{name!r} is no data set; known are {', '.join(DATA_SETS)}")
    else:
        name, loaded = "clips", DATA_SETS["clips"].load(Path(spec).expanduser())
    return loaded if name == "clips" else [replace(clip, name=f"{name}:{clip.name}") for clip in loaded]


def absolute(spec: str) -> str:
    """Return the same spec with the whole path of its folder, which holds wherever it is read."""
    name, colon, folder = spec.partition(":")
    prefix = f"{name}:" if colon and name in DATA_SETS else ""
    return prefix + str(Path(folder if prefix else spec).expanduser().resolve())


def load_data_sets(specs: Iterable[str]) -> list[Clip]:
    """Load several and join them. Raises DataSetError also if two clips have one name."""
    joined = [clip for spec in specs for clip in load_data_set(spec)]
    names: set[str] = set()
    for clip in joined:
        if clip.name in names:
            raise DataSetError(f"two data sets have a clip of the name {clip.name!r}; load one of them")
        names.add(clip.name)
    return joined
