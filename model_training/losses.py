"""What the student is asked for: what the teachers say, which tracks they find alike, and what is true."""

from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model_training.corpus import Batch


class Objective(nn.Module):
    """All terms of the loss together with the heads that only training needs; without teachers, the last two.

    `teacher_dims`: teacher → numbers of its embedding and of its labels; `is_genre` (n_labels,) marks ours.

    - embeddings: linear maps of ours must give each teacher's z-scored embedding
    - tags: linear maps of ours must give each teacher's label probabilities
    - relations: cosines between our embeddings must be those between the teachers', averaged; two excerpts
      of one example must be as near as can be (relational distillation, Park et al. 2019, arXiv 1904.05068)
    - labels: what data sets know and teachers believe
    - kinship: excerpts of like genre shall be near, others far (after Khosla et al. 2020, arXiv 2004.11362)
    """

    def __init__(
        self, dim: int, teacher_dims: dict[str, tuple[int, int]], is_genre: Tensor, weights: dict[str, float]
    ) -> None:
        super().__init__()
        self.is_genre, self.weights = is_genre, weights
        self.embedding_heads = nn.ModuleDict({t: nn.Linear(dim, n) for t, (n, _) in teacher_dims.items()})
        self.tag_heads = nn.ModuleDict({t: nn.Linear(dim, n) for t, (_, n) in teacher_dims.items()})

    def forward(self, embedding: Tensor, logits: Tensor, batch: Batch) -> dict[str, Tensor]:
        """Return the weighted terms for `embedding` (n, dim) and `logits` (n, n_labels)."""
        terms = self._taught(embedding, batch) if self.embedding_heads else {}
        terms |= {"labels": label_loss(logits, batch), "kinship": kinship_loss(embedding, batch, self.is_genre)}
        return {name: self.weights[name] * term for name, term in terms.items()}

    def _taught(self, embedding: Tensor, batch: Batch) -> dict[str, Tensor]:
        return {
            "embeddings": _mean(
                F.mse_loss(head(embedding), batch.teacher_embeddings[t]) for t, head in self.embedding_heads.items()
            ),
            "tags": _mean(
                F.binary_cross_entropy_with_logits(head(embedding), batch.teacher_probabilities[t])
                for t, head in self.tag_heads.items()
            ),
            "relations": relation_loss(embedding, batch),
        }


def _mean(terms: Iterable[Tensor]) -> Tensor:
    return torch.stack(list(terms)).mean()


def _cosines(embedding: Tensor) -> Tensor:
    unit = F.normalize(embedding, dim=1)
    return unit @ unit.T


def relation_loss(embedding: Tensor, batch: Batch) -> Tensor:
    """Mean square difference between our cosines and the teachers'."""
    wanted = torch.stack([_cosines(e) for e in batch.teacher_embeddings.values()]).mean(0)
    off_diagonal = ~torch.eye(len(embedding), dtype=torch.bool)
    return F.mse_loss(_cosines(embedding)[off_diagonal], wanted[off_diagonal])


def label_loss(logits: Tensor, batch: Batch) -> Tensor:
    """Binary cross entropy over the labels that somebody knows; truths count double."""
    known = ~batch.label_targets.isnan()
    loss = F.binary_cross_entropy_with_logits(logits, batch.label_targets.nan_to_num(), reduction="none")
    weight = known * (1.0 + batch.is_truth)
    return (loss * weight).sum() / weight.sum()


def kinship_loss(embedding: Tensor, batch: Batch, is_genre: Tensor, temperature: float = 0.2) -> Tensor:
    """Supervised contrast: excerpts of like genre are near each other, others far.

    How alike is the overlap of their targets for the genres (n_labels,) `is_genre`, squared: 1 for the same genres
    with the same certainty. Moods do not count, nor what nobody knows of a genre.
    """
    own = batch.label_targets[:, is_genre].nan_to_num()
    least = torch.minimum(own[:, None], own[None]).sum(2)
    most = torch.maximum(own[:, None], own[None]).sum(2)
    others = ~torch.eye(len(own), dtype=torch.bool)
    kin = (least / most.clamp(min=1e-6)).square() * others
    log_share = (_cosines(embedding) / temperature).masked_fill(~others, -1e4).log_softmax(1)
    # Who has hardly any kin in the batch hardly counts.
    return -(kin * log_share).sum() / kin.sum().clamp(min=1.0)
