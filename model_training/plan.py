"""What a cache is made of: which sounds, in which order, heard how; kept in it, so that training reads the same."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from model_training.datasets.base import Clip
from model_training.datasets.clips import load_clips
from model_training.examples import Example, originals, variations
from model_training.splits import read_validation
from model_training.synthesis.midi import load_midi
from musrecd.analysis.frontend import FrontendConfig


@dataclass(frozen=True)
class Plan:
    """Folders of clips and of MIDI files, how much is made of them, front-end, and each teacher's labels."""

    data: str
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

    def sounds(self) -> tuple[list[Clip], list[Example]]:
        """All clips, pieces behind them, and the examples made of them."""
        clips = load_clips(Path(self.data))
        pieces = load_midi(Path(self.midi)) if self.midi else []
        return clips + pieces, plan_examples(clips, pieces, self.n_variations)

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


def plan_examples(clips: Sequence[Clip], pieces: Sequence[Clip], n_variations: int, seed: int = 0) -> list[Example]:
    """All clips, then variations of the training ones and of pieces; always the same for the same arguments."""
    validation = read_validation()
    training = [i for i, clip in enumerate(clips) if clip.name not in validation]
    indices = range(len(clips), len(clips) + len(pieces))
    return originals(clips) + variations(training, indices, n_variations, seed)
