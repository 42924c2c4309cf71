"""Average the weights of several runs into one encoder, which hears better than each of them.

    python -m model_training average --cache CACHE --run OUT RUN1 RUN2 …

The runs have to descend from one another (`train --begin`): then what lies between them is as good or better
(Izmailov et al. 2018, arXiv 1803.05407; Wortsman et al. 2022, arXiv 2203.05482). All count alike, nothing is chosen.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import torch

from model_training.corpus import load_corpus
from model_training.log import write_environment
from model_training.origins import origins_of
from model_training.plan import read_plan
from model_training.trainer import Settings, Trainer, read_settings


@click.command()
@click.option("--cache", type=click.Path(exists=True, path_type=Path), required=True, help="What prepare made.")
@click.option("--run", type=click.Path(path_type=Path), required=True, help="Folder of the new run.")
@click.argument("runs", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
def main(cache: Path, run: Path, runs: tuple[Path, ...]) -> None:
    """Average RUNS into a new run, to be exported like any other."""
    settings = common_settings(runs)
    plan = read_plan(cache)
    sounds = plan.sounds()
    run.mkdir(parents=True, exist_ok=True)
    settings.write(run)
    write_environment(run)
    origins_of(sounds, plan.vocabularies).write(run)
    corpus = load_corpus(cache, sounds, plan.vocabularies)
    trainer = Trainer(settings, corpus, run)
    average_into(trainer, runs)
    trainer.settle(corpus)
    trainer.save()
    click.echo(f"averaged {len(runs)} runs into {run}")


def average_into(trainer: Trainer, runs: tuple[Path, ...]) -> None:
    """Give the trainer's averaged network the mean of theirs."""
    states: list[dict[str, Any]] = [torch.load(run / "checkpoint.pt", weights_only=True) for run in runs]
    average = trainer.average.state_dict()
    for name, tensor in average.items():
        if tensor.is_floating_point():
            tensor.copy_(torch.stack([state["average"][name] for state in states]).mean(0))
    trainer.step = sum(int(state["step"]) for state in states)


def common_settings(runs: tuple[Path, ...]) -> Settings:
    """Those of the last run, with the names of all in them. Raises ValueError if their networks differ."""
    settings = [read_settings(run) for run in runs]
    if len({(each.recipe.network, str(each.recipe.arguments), each.recipe.frontend) for each in settings}) > 1:
        raise ValueError("runs of different networks cannot be averaged")
    return replace(settings[-1], averaged=tuple(run.name for run in runs))
