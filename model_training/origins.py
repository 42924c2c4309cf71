"""What a run learned from, kept beside its weights for the card: collections and teachers, with their licences."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from model_training.labels import family
from model_training.plan import Sounds

_NONE_STATED = "none stated, may not be redistributed"
_PREVIEWS = "commercial previews, may not be redistributed"
_COLLECTIONS = {
    "taffc_full": ("4Q Audio Emotion (Panda et al. 2018)", _PREVIEWS),
    "taffc": ("4Q Audio Emotion (Panda et al. 2018): previews of 30 s, with genres, moods and quadrants", _PREVIEWS),
    "gtzan_full": ("GTZAN (Tzanetakis & Cook 2002)", _NONE_STATED),
    "gtzan": (
        "GTZAN (Tzanetakis & Cook 2002), numbers from 00010 on: 15 s of classical music, 2 to 3 s of ten genres",
        _NONE_STATED,
    ),
    "zouk": ("a collection of zouk, 30 s", _NONE_STATED),
    "fagioli": ("a Latin American collection of six genres, 15 s", _NONE_STATED),
    "open": (
        "freely licensed game and library music, 24 s, few labels",
        "GPL, CC BY, CC BY-SA, CC0 and others by piece; some pieces for evaluation only",
    ),
    "midi": ("MIDI files, played through General MIDI sound fonts", "by piece"),
    "fma": ("Free Music Archive data set (Defferrard et al. 2017)", "Creative Commons, by track"),
    "mtat": ("MagnaTagATune (Law et al. 2009)", "CC BY-NC-SA 1.0"),
    "jamendo": ("MTG-Jamendo (Bogdanov et al. 2019)", "Creative Commons, by track"),
}
_WON = "checkpoint of Won et al. 2020"
_TEACHERS = {
    "fcn_msd": (f"FCN (Choi et al. 2016), Million Song Dataset; {_WON}", "MIT"),
    "fcn_mtat": (f"FCN (Choi et al. 2016), MagnaTagATune; {_WON}", "MIT"),
    "fcn_jamendo": (f"FCN (Choi et al. 2016), MTG-Jamendo; {_WON}", "MIT"),
    "crnn_msd": (f"CRNN (Choi et al. 2017), Million Song Dataset; {_WON}", "MIT"),
    "musicnn_msd": ("musicnn (Pons & Serra 2019), Million Song Dataset", "ISC"),
    "musicnn_mtt": ("musicnn (Pons & Serra 2019), MagnaTagATune", "ISC"),
}
_OWN = ("the trainer's own music", "the trainer's")


@dataclass(frozen=True, slots=True)
class Origin:
    """A collection or a teacher: its name, what it is, under which licence, and clips or pieces learned from."""

    name: str
    what: str
    licence: str
    n_sounds: int = 0


@dataclass(frozen=True, slots=True)
class Origins:
    """Everything that a run learned from, and how many examples were made of it."""

    collections: list[Origin]
    teachers: list[Origin]
    n_examples: int

    def write(self, run: Path) -> None:
        """Keep them in `run`."""
        (run / "origins.json").write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")


def origins_of(sounds: Sounds, teachers: Iterable[str]) -> Origins:
    """Count what is trained on and say what is known of it."""
    trained = Counter(_collection(clip.source) for clip in sounds.clips if clip.name not in sounds.held_out)
    collections = [Origin(name, *_COLLECTIONS.get(name, _OWN), n) for name, n in sorted(trained.items())]
    asked = [Origin(name, *_TEACHERS[name]) for name in teachers]
    return Origins(collections, asked, len(sounds.examples))


def _collection(source: str) -> str:
    return source if source in _COLLECTIONS else family(source)


def read_origins(run: Path) -> Origins:
    """Read those of a run. Raises FileNotFoundError if it holds none."""
    fields = json.loads((run / "origins.json").read_text(encoding="utf-8"))
    lists = {key: [Origin(**each) for each in fields[key]] for key in ("collections", "teachers")}
    return Origins(**fields | lists)
