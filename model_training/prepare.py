"""Cache what training reads: front-end spectra and teacher answers of every example, in resumable shards.

python -m model_training prepare --data DATA --teachers TEACHERS --cache CACHE [--midi MIDI] [--variations 3000]
"""

import multiprocessing
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click
import librosa
import numpy as np
import torch
from rich.progress import track

from model_training.datasets import absolute
from model_training.datasets.base import Clip
from model_training.examples import Example, render
from model_training.plan import Plan
from model_training.recipes import RECIPES
from model_training.synthesis.midi import find_fonts, play
from model_training.teachers import TEACHERS, load_teachers, read_vocabularies
from model_training.teachers.base import Teacher
from musrecd.analysis.audio import listen
from musrecd.analysis.excerpts import ExcerptPlan
from musrecd.analysis.frontend import FrontendConfig, log_mel
from musrecd.errors import AudioError
from musrecd.types import FloatArray

SHARD_EXAMPLES = 50


@dataclass(frozen=True)
class Job:
    """All that a worker needs to make any shard. `clips` are recordings and, behind them, MIDI files."""

    clips: Sequence[Clip]
    examples: Sequence[Example]
    teachers_folder: Path | None
    teacher_names: tuple[str, ...]
    cache: Path
    frontend: FrontendConfig


def mel_filters(config: FrontendConfig) -> FloatArray:
    """Slaney mel filter bank (n_mels, 1 + n_fft // 2)."""
    filters: FloatArray = librosa.filters.mel(sr=config.sr, n_fft=config.n_fft, n_mels=config.n_mels)
    return filters


def decode_clip(path: Path, sr: int) -> FloatArray:
    """Decode a whole clip (at most a minute) to mono (n,) at `sr` Hz."""
    with listen(bytes(path), ExcerptPlan()) as recording:
        return recording.decode(sr)[0]


def hear(clip: Clip, sr: int) -> FloatArray:
    """Sound of a clip, decoded or played, mono (n,) at `sr` Hz; a second of silence if there is none to be had."""
    try:
        return play(clip, sr, find_fonts()) if clip.path.suffix == ".mid" else decode_clip(clip.path, sr)
    except (AudioError, EOFError) as error:
        click.echo(f"{clip.name} is left out: {error}", err=True)
        return np.zeros(sr, np.float32)


def shard_path(cache: Path, shard: int) -> Path:
    """Where the examples from `shard * SHARD_EXAMPLES` on are kept."""
    return cache / f"shard-{shard:04d}.npz"


def make_shard(job: Job, shard: int) -> None:
    """Hear SHARD_EXAMPLES examples and write them; a shard that exists is left alone."""
    target = shard_path(job.cache, shard)
    if target.exists():
        return
    torch.set_num_threads(1)
    teachers = load_teachers(job.teachers_folder, job.teacher_names) if job.teachers_folder else {}
    filters = mel_filters(job.frontend)
    sr = job.frontend.sr
    arrays: dict[str, list[np.ndarray]] = {"S": [], "n_frames": [], "examples": []}
    for example in job.examples[shard * SHARD_EXAMPLES : (shard + 1) * SHARD_EXAMPLES]:
        y = render(example, lambda i: hear(job.clips[i], sr), sr)
        S = log_mel(y, job.frontend, filters).astype(np.float16)
        arrays["S"].append(S)
        arrays["n_frames"].append(np.array(S.shape[1]))
        arrays["examples"].append(np.array(example.name(job.clips)))
        _ask(teachers, y, arrays)
    partial_file = target.with_suffix(".partial.npz")
    joined = {k: np.concatenate(v, axis=1) if k == "S" else np.stack(v) for k, v in arrays.items()}
    np.savez(partial_file, allow_pickle=False, **joined)
    partial_file.rename(target)


def _ask(teachers: dict[str, Teacher], y: FloatArray, arrays: dict[str, list[np.ndarray]]) -> None:
    for name, teacher in teachers.items():
        heard = teacher.hear(y)
        arrays.setdefault(f"{name}/embedding", []).append(heard.embedding)
        arrays.setdefault(f"{name}/probabilities", []).append(heard.probabilities)


@click.command()
@click.option("--data", multiple=True, required=True, metavar="[NAME:]FOLDER", help="A data set; may be repeated.")
@click.option("--midi", type=click.Path(exists=True, path_type=Path), help="Folder with midi.csv, played too.")
@click.option(
    "--teachers", type=click.Path(exists=True, path_type=Path), help="Checkpoints; without, labels alone teach."
)
@click.option(
    "--teacher", "names", multiple=True, type=click.Choice(list(TEACHERS)), help="One of them; may be repeated."
)
@click.option("--cache", type=click.Path(path_type=Path), required=True, help="Where the shards go.")
@click.option("--recipe", type=click.Choice(sorted(RECIPES)), default="musrec", show_default=True)
@click.option("--variations", "n_variations", default=4000, show_default=True)
@click.option("-t", "--threads", "n_processes", default=2, show_default=True, help="Processes.")
def main(
    data: tuple[str, ...],
    midi: Path | None,
    teachers: Path | None,
    names: tuple[str, ...],
    cache: Path,
    recipe: str,
    n_variations: int,
    n_processes: int,
) -> None:
    """Cache spectra and teacher answers; run again to go on where it was stopped."""
    if teachers:
        names = names or tuple(TEACHERS)
    elif names:
        raise click.UsageError("--teacher needs --teachers, the folder of their checkpoints")
    plan = Plan(
        data=[absolute(spec) for spec in data],
        midi=str(midi.resolve()) if midi else None,
        n_variations=n_variations,
        frontend=RECIPES[recipe].frontend,
        vocabularies=read_vocabularies(teachers, names) if teachers else {},
    )
    plan.write(cache)
    sounds = plan.sounds()
    job = Job(sounds.clips, sounds.examples, teachers, names, cache, plan.frontend)
    shards = range(-(-len(sounds.examples) // SHARD_EXAMPLES))
    with multiprocessing.get_context("spawn").Pool(n_processes) as pool:
        for _ in track(pool.imap(partial(make_shard, job), shards), "Hearing", total=len(shards)):
            pass
