"""One training run: network, objective, optimiser and moving average; saved, resumed and settled as one."""

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import click
import torch
from safetensors.torch import load_file
from torch import nn

from model_training.augment import augment
from model_training.corpus import Batch, Corpus, batches
from model_training.forget import forget_collections
from model_training.labels import LABELS
from model_training.log import RunLog
from model_training.losses import Objective, label_loss
from model_training.recipes import RECIPES, Recipe
from musrecd.analysis.card import read_card
from musrecd.analysis.encoder import MEL_FILTERS
from musrecd.analysis.networks import build_network
from musrecd.analysis.networks.layers import LabelledEmbedding, channels_last

_SAVE_SECONDS = 120
_LOG_STEPS = 25
_SETTLE_BATCHES = 60
_REFIT_BATCHES = 150
_REFIT_ROUNDS = 30
_REFIT_DECAY = 0.05


@dataclass(frozen=True)
class Settings:
    """Everything that decides what comes out, kept beside the weights; `begun_from` is the version of an encoder.

    `averaged` names the runs of which an averaged one is made.
    """

    recipe: Recipe = RECIPES["musrec"]
    n_examples: int = 32
    n_excerpts: int = 2
    steps: int = 6000
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    warm_up: float = 0.05
    average_decay: float = 0.998
    seed: int = 0
    embeddings: float = 1.0
    tags: float = 2.0
    relations: float = 4.0
    labels: float = 3.0
    kinship: float = 0.2
    begun_from: str | None = None
    averaged: tuple[str, ...] = ()

    @property
    def loss_weights(self) -> dict[str, float]:
        """Weights of the terms of the loss."""
        return {name: getattr(self, name) for name in ("embeddings", "tags", "relations", "labels", "kinship")}

    def write(self, run: Path) -> None:
        """Keep the settings of a run. Raises ValueError if it was begun with others."""
        path = run / "settings.json"
        if path.exists() and read_settings(run) != self:
            raise ValueError(f"{run} was begun with other settings; give the same options or another folder")
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")


def read_settings(run: Path) -> Settings:
    """Read the settings of a run."""
    fields = json.loads((run / "settings.json").read_text(encoding="utf-8"))
    averaged = tuple(fields.get("averaged", ()))
    return Settings(**fields | {"recipe": Recipe.from_dict(fields["recipe"]), "averaged": averaged})


class Trainer:
    """Network, objective, optimiser and their moving average; saves and resumes as one."""

    def __init__(self, settings: Settings, corpus: Corpus, run: Path) -> None:
        torch.manual_seed(settings.seed)
        self.settings, self.run, self.step = settings, run, 0
        arguments = settings.recipe.network_arguments(len(LABELS))
        self.network = channels_last(build_network(settings.recipe.network, arguments))
        dims = {
            t: (corpus.teacher_embeddings[t].shape[1], corpus.teacher_probabilities[t].shape[1])
            for t in corpus.teacher_embeddings
        }
        is_genre = torch.tensor([source.label.group == "genre" for source in LABELS])
        self.objective = Objective(arguments["dim"], dims, is_genre, settings.loss_weights)
        parameters = [*self.network.parameters(), *self.objective.parameters()]
        self.optimizer = torch.optim.AdamW(
            parameters, settings.learning_rate, weight_decay=settings.weight_decay, fused=True
        )
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, settings.learning_rate, total_steps=settings.steps + 1, pct_start=settings.warm_up
        )
        self.average = torch.optim.swa_utils.AveragedModel(
            self.network,
            multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(settings.average_decay),
            use_buffers=True,
        )
        self.generator = torch.Generator().manual_seed(settings.seed)

    def begin_from(self, weights: Path) -> None:
        """Take over the network of an exported encoder. Raises ValueError if it is made otherwise than the recipe."""
        card, recipe = read_card(weights), self.settings.recipe
        made = (recipe.network, recipe.network_arguments(len(LABELS)), recipe.frontend)
        if (card.network, card.network_arguments, card.frontend) != made:
            raise ValueError(f"{weights} was made by another recipe than {recipe.network}")
        state = load_file(weights)
        del state[MEL_FILTERS]
        for network in (self.network, self.average.module):
            # Batch counters, which only unweighted statistics need, are not exported.
            network.load_state_dict(state, strict=False)

    @property
    def checkpoint(self) -> Path:
        """Where the state of the run is kept."""
        return self.run / "checkpoint.pt"

    def _parts(self) -> dict[str, Any]:
        return {
            "network": self.network,
            "objective": self.objective,
            "optimizer": self.optimizer,
            "schedule": self.schedule,
            "average": self.average,
        }

    def save(self) -> None:
        """Write the state so that a crash at any moment leaves the old or the new one."""
        state: dict[str, Any] = {name: part.state_dict() for name, part in self._parts().items()}
        chance = {"augmentation": self.generator.get_state(), "dropout": torch.get_rng_state()}
        partial = self.checkpoint.with_suffix(".partial")
        torch.save(state | {"step": self.step, "chance": chance}, partial)
        partial.replace(self.checkpoint)

    def resume(self) -> None:
        """Go on from the checkpoint, if there is one."""
        if not self.checkpoint.exists():
            return
        state = torch.load(self.checkpoint, weights_only=True)
        for name, part in self._parts().items():
            part.load_state_dict(state[name])
        self.step = int(state["step"])
        self.generator.set_state(state["chance"]["augmentation"])
        torch.set_rng_state(state["chance"]["dropout"])

    def train_step(self, batch: Batch) -> dict[str, float]:
        """One update; returns the terms of the loss."""
        S = augment(batch.S, self.generator)
        with torch.autocast("cpu", torch.bfloat16):
            embedding, logits = self.network(S)
        terms = self.objective(embedding.float(), logits.float(), batch)
        loss: torch.Tensor = torch.stack(list(terms.values())).sum()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.optimizer.step()
        self.schedule.step()
        self.average.update_parameters(self.network)
        self.step += 1
        return {name: term.item() for name, term in terms.items()} | {"total": loss.item()}

    def fit(self, corpus: Corpus) -> None:
        """Train up to the last step, then settle the averaged network."""
        saved = time.monotonic()
        drawn = self._batches(corpus)
        self.network.train()
        with RunLog(self.run, self.step) as log:
            while self.step < self.settings.steps:
                terms = self.train_step(next(drawn))
                if self.step % _LOG_STEPS == 0:
                    log.write(self.step, terms)
                    click.echo(f"step {self.step:6d}  " + "  ".join(f"{k} {v:.3f}" for k, v in terms.items()))
                if time.monotonic() - saved > _SAVE_SECONDS:
                    self.save()
                    saved = time.monotonic()
        self.settle(corpus)
        self.save()

    def _batches(self, corpus: Corpus) -> Iterator[Batch]:
        return batches(
            corpus,
            n_examples=self.settings.n_examples,
            n_excerpts=self.settings.n_excerpts,
            n_frames=self.settings.recipe.frontend.chunk_frames,
            seed=self.settings.seed + self.step,
        )

    def settle(self, corpus: Corpus) -> None:
        """Measure the batch norms of the averaged network anew, on training sound as it will be served.

        Averages of statistics are not the statistics of averaged weights: without this the embeddings all
        lie in one direction. What tells collections apart is taken out, then the labels are fitted again.
        """
        drawn = (batch.S for batch in islice(self._batches(corpus), _SETTLE_BATCHES))
        torch.optim.swa_utils.update_bn(drawn, self.average)
        network, n_frames = self.average.module, self.settings.recipe.frontend.chunk_frames
        if isinstance(network, LabelledEmbedding):
            forget_collections(network, corpus, n_frames, self.settings.seed)
        self._refit_labels(corpus)

    def _refit_labels(self, corpus: Corpus) -> None:
        """Fit the last layer, label logits, to the settled embeddings."""
        network = self.average.module.eval()
        head: nn.Linear = network.get_submodule("labels")  # type: ignore[assignment]
        drawn = list(islice(self._batches(corpus), _REFIT_BATCHES))
        with torch.inference_mode():
            heard = [network(augment(batch.S, self.generator))[0] for batch in drawn]
        embeddings = [embedding.clone() for embedding in heard]
        optimizer = torch.optim.AdamW(head.parameters(), 3e-3, weight_decay=_REFIT_DECAY)
        for _ in range(_REFIT_ROUNDS):
            for embedding, batch in zip(embeddings, drawn, strict=True):
                optimizer.zero_grad()
                label_loss(head(embedding), batch).backward()
                optimizer.step()
