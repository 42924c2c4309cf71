"""What a cache is made of: which sounds, in which order, heard how; kept in it, so that training reads the same."""

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from model_training.datasets import load_data_sets
from model_training.datasets.base import Clip
from model_training.examples import Example, originals, variations
from model_training.splits import sides
from model_training.synthesis.midi import load_midi
from musrecd.analysis.frontend import FrontendConfig


@dataclass(frozen=True)
class Sounds:
    """All clips, pieces behind them; the examples made of them; the names of the clips that are not trained on."""

    clips: list[Clip]
    examples: list[Example]
    held_out: frozenset[str]


@dataclass(frozen=True)
class Plan:
    """Data sets ("NAME:FOLDER"), MIDI files, how much is made of them, front-end, and each teacher's labels."""

    data: list[str]
    midi: str | None
    n_variations: int
    frontend: FrontendConfig
    vocabularies: dict[str, list[str]]

    def write(self, cache: Path) -> None:
        """Keep the plan in `cache`. Raises ValueError if what lies there was made by another one."""
        cache.mkdir(parents=True, exist_ok=True)
        path = cache / "plan.json"
        if path.exists() and read_plan(cache) != self:
            raise ValueError(f"{cache} was prepared with other options; give the same ones or another folder")
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    def sounds(self) -> Sounds:
        """Load what is heard. Raises DataSetError or FileNotFoundError if something of it is missing."""
        clips = load_data_sets(self.data)
        pieces = load_midi(Path(self.midi)) if self.midi else []
        held_out = sides(clips).held_out
        return Sounds(clips + pieces, plan_examples(clips, pieces, held_out, self.n_variations), held_out)

    def suits(self, frontend: FrontendConfig) -> bool:
        """Whether the spectra are those of `frontend`, however long its chunks are."""
        return frontend.to_dict() | {"chunk_s": 0} == self.frontend.to_dict() | {"chunk_s": 0}


def read_plan(cache: Path) -> Plan:
    """Read the plan of a cache. Raises FileNotFoundError if it holds none."""
    path = cache / "plan.json"
    if not path.exists():
        raise FileNotFoundError(f"{cache} holds nothing prepared; run `python -m model_training prepare` first")
    fields = json.loads(path.read_text(encoding="utf-8"))
    return Plan(**fields | {"frontend": FrontendConfig(**fields["frontend"])})


def plan_examples(
    clips: Sequence[Clip], pieces: Sequence[Clip], held_out: Collection[str], n_variations: int, seed: int = 0
) -> list[Example]:
    """All clips, then variations of the training ones and of pieces; always the same for the same arguments."""
    training = [i for i, clip in enumerate(clips) if clip.name not in held_out]
    indices = range(len(clips), len(clips) + len(pieces))
    return originals(clips) + variations(training, indices, n_variations, seed)
