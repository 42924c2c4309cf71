"""Published music taggers to learn from: `load_teachers(folder)` gives every one whose checkpoint is there."""

from collections.abc import Callable
from pathlib import Path

from model_training.teachers.base import Teacher, read_labels
from model_training.teachers.fcn import load_crnn, load_fcn
from model_training.teachers.musicnn import load_musicnn

_Loader = Callable[[Path, Path, str], Teacher]
TEACHERS: dict[str, tuple[_Loader, str, str]] = {
    "fcn_msd": (load_fcn, "msd_fcn.pth", "msd"),
    "fcn_mtat": (load_fcn, "mtat_fcn.pth", "mtat"),
    "fcn_jamendo": (load_fcn, "jamendo_fcn.pth", "jamendo"),
    "crnn_msd": (load_crnn, "msd_crnn.pth", "msd"),
    "musicnn_msd": (load_musicnn, "MSD_musicnn.npz", "musicnn_msd"),
    "musicnn_mtt": (load_musicnn, "MTT_musicnn.npz", "musicnn_mtt"),
}


def load_teachers(folder: Path, names: tuple[str, ...] = tuple(TEACHERS)) -> dict[str, Teacher]:
    """Load the named teachers from the checkpoints in `folder` (`labels.json` beside them).

    Raises FileNotFoundError if one is missing, ValueError for an unknown name.
    """
    unknown = sorted(set(names) - set(TEACHERS))
    if unknown:
        raise ValueError(f"unknown teachers {', '.join(unknown)}; there are {', '.join(TEACHERS)}")
    return {
        name: loader(folder / file, folder / "labels.json", labels_key)
        for name, (loader, file, labels_key) in TEACHERS.items()
        if name in names
    }


def read_vocabularies(folder: Path, names: tuple[str, ...] = tuple(TEACHERS)) -> dict[str, list[str]]:
    """Return the labels of the named teachers, in the order of their outputs."""
    return {name: read_labels(folder / "labels.json", TEACHERS[name][2]) for name in names}
