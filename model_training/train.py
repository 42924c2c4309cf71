"""Train an encoder: distil the teachers on clips, mixtures and rendered pieces, and learn the labels of the clips.

    python -m model_training train --cache CACHE --run RUN [--recipe musrec] [--steps 6000] [--begin WEIGHTS]

Resumes from RUN/checkpoint.pt. There is no early stopping and nothing is chosen by validation.
"""

import ctypes
import sys
from pathlib import Path

import click

from model_training.corpus import load_corpus
from model_training.log import write_environment
from model_training.origins import origins_of
from model_training.plan import read_plan
from model_training.recipes import RECIPES
from model_training.trainer import Settings, Trainer
from musrecd.analysis.card import read_card

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD = -1, -2, -3


def keep_freed_memory() -> None:
    """Let glibc keep what is freed: taking fresh pages for every step costs a third of the time."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        if hasattr(libc, "mallopt"):
            libc.mallopt(_M_MMAP_THRESHOLD, 2**31 - 1)
            libc.mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)
            libc.mallopt(_M_TOP_PAD, 2**30)


@click.command()
@click.option("--cache", type=click.Path(exists=True, path_type=Path), required=True, help="What prepare made.")
@click.option("--run", type=click.Path(path_type=Path), required=True, help="Folder of this run.")
@click.option("--recipe", type=click.Choice(sorted(RECIPES)), default="musrec", show_default=True)
@click.option("--steps", default=Settings.steps, show_default=True)
@click.option("--seed", default=Settings.seed, show_default=True)
@click.option("--begin", type=click.Path(exists=True, path_type=Path), help="Weights of an encoder to go on from.")
def main(cache: Path, run: Path, recipe: str, steps: int, seed: int, begin: Path | None) -> None:
    """Train, or go on training."""
    keep_freed_memory()
    plan = read_plan(cache)
    begun_from = read_card(begin).info.version if begin else None
    settings = Settings(recipe=RECIPES[recipe], steps=steps, seed=seed, begun_from=begun_from)
    if not plan.suits(settings.recipe.frontend):
        raise click.UsageError(f"{cache} was prepared for another front-end than that of {recipe}")
    run.mkdir(parents=True, exist_ok=True)
    settings.write(run)
    write_environment(run)
    sounds = plan.sounds()
    origins_of(sounds, plan.vocabularies).write(run)
    corpus = load_corpus(cache, sounds, plan.vocabularies)
    click.echo(f"{len(corpus.spectra)} examples, {int(corpus.training.sum())} of them to train on")
    trainer = Trainer(settings, corpus, run)
    if begin:
        trainer.begin_from(begin)
    trainer.resume()
    trainer.fit(corpus)
