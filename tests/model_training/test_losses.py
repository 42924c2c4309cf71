"""Each term of the loss is smallest where it should be, and looks only at what is known."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from model_training.corpus import Batch
from model_training.losses import Objective, kinship_loss, label_loss, relation_loss

N, DIM, N_LABELS = 8, 16, 5
IS_GENRE = torch.tensor([True, True, True, False, False])
NAN = float("nan")


def batch(seed: int = 0, **fields: Tensor) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    made = Batch(
        S=torch.zeros(N, 4, 4),
        example=torch.arange(N),
        teacher_embeddings={
            "a": torch.randn(N, 6, generator=generator),
            "b": torch.randn(N, 9, generator=generator),
        },
        teacher_probabilities={"a": torch.rand(N, 7, generator=generator), "b": torch.rand(N, 3, generator=generator)},
        label_targets=torch.rand(N, N_LABELS, generator=generator),
        is_truth=torch.zeros(N, N_LABELS, dtype=torch.bool),
    )
    return replace(made, **fields)


def test_relations_are_right_when_ours_are_those_of_the_teacher():
    alone = {"a": batch().teacher_embeddings["a"]}
    known = batch(teacher_embeddings=alone)
    assert relation_loss(3 * alone["a"], known) < 1e-10
    assert relation_loss(torch.randn(N, DIM, generator=torch.Generator().manual_seed(1)), known) > 0.01


def test_relations_are_asked_of_the_mean_of_the_teachers():
    known = batch()
    unit = [torch.nn.functional.normalize(e, dim=1) for e in known.teacher_embeddings.values()]
    # Side by side, half and half: the cosine is the mean of both cosines.
    assert relation_loss(torch.cat(unit, 1), known) < 1e-10


def test_the_cosine_with_oneself_does_not_count():
    """It is 1 whatever the embedding, and would only dilute the rest."""
    known = batch(teacher_embeddings={"a": torch.eye(N)})
    assert relation_loss(torch.ones(N, DIM), known) == pytest.approx(1.0)


def test_labels_that_nobody_knows_have_no_influence():
    targets = torch.full((N, N_LABELS), NAN)
    targets[:, 0] = 1.0
    logits = torch.zeros(N, N_LABELS)
    wild = logits.clone()
    wild[:, 1:] = 50
    known = batch(label_targets=targets)
    assert label_loss(logits, known) == pytest.approx(0.6931, abs=1e-3)
    assert torch.equal(label_loss(logits, known), label_loss(wild, known))


def test_a_truth_counts_twice_as_much_as_an_opinion():
    targets = torch.tensor([[1.0, 0.0]])
    logits = torch.tensor([[0.0, 2.0]])
    right_loss, wrong_loss = 0.6931, 2.1269
    for truths, expected in (
        ([[True, False]], (2 * right_loss + wrong_loss) / 3),
        ([[False, True]], (right_loss + 2 * wrong_loss) / 3),
        ([[True, True]], (right_loss + wrong_loss) / 2),
    ):
        known = batch(label_targets=targets, is_truth=torch.tensor(truths))
        assert label_loss(logits, known) == pytest.approx(expected, abs=1e-3)


def kin() -> Batch:
    """Two genres, four clips each."""
    targets = torch.zeros(N, N_LABELS)
    targets[:4, 0] = targets[4:, 1] = 1.0
    return batch(label_targets=targets, is_truth=torch.ones(N, N_LABELS, dtype=torch.bool))


def test_kin_that_is_near_costs_less_than_kin_that_is_far():
    near = torch.zeros(N, DIM)
    near[:4, 0] = near[4:, 1] = 1.0
    mixed = torch.zeros(N, DIM)
    mixed[::2, 0] = mixed[1::2, 1] = 1.0
    losses = [kinship_loss(embedding, kin(), IS_GENRE) for embedding in (near, torch.ones(N, DIM), mixed)]
    assert losses == sorted(losses)
    assert len(set(losses)) == 3


def test_moods_make_no_kin():
    targets = torch.zeros(N, N_LABELS)
    targets[:, 3] = 1.0
    assert kinship_loss(torch.randn(N, DIM), batch(label_targets=targets), IS_GENRE) == 0


def test_who_shares_less_is_pulled_less():
    """Two pairs, one of the same genre and one with half of it in common; the near pair is the one that counts."""
    targets = torch.zeros(4, N_LABELS)
    targets[:2, 0] = targets[2:, 1] = 1.0
    targets[3, 2] = 1.0
    embedding = torch.eye(4, DIM)
    both_alike = kinship_loss(embedding, batch(label_targets=targets), IS_GENRE)
    kin_near, half_kin_near = embedding.clone(), embedding.clone()
    kin_near[1], half_kin_near[3] = embedding[0], embedding[2]
    known = batch(label_targets=targets)
    assert kinship_loss(kin_near, known, IS_GENRE) < kinship_loss(half_kin_near, known, IS_GENRE) < both_alike


@pytest.mark.parametrize("n_known", [0, 1, 2, 8])
def test_few_labels_or_strangers_only_stay_finite(n_known):
    targets = torch.full((N, N_LABELS), NAN)
    targets[:n_known] = torch.eye(N)[:n_known, :N_LABELS]
    embedding = torch.randn(N, DIM, requires_grad=True)
    loss = kinship_loss(embedding, batch(label_targets=targets), IS_GENRE)
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(embedding.grad).all()


def test_all_terms_are_weighted_and_reach_network_and_heads():
    weights = {"embeddings": 1.0, "tags": 2.0, "relations": 4.0, "labels": 3.0, "kinship": 0.3}
    torch.manual_seed(0)
    objective = Objective(DIM, {"a": (6, 7), "b": (9, 3)}, IS_GENRE, weights)
    embedding = torch.randn(N, DIM, requires_grad=True)
    logits = torch.randn(N, N_LABELS, requires_grad=True)
    known = kin()
    terms = objective(embedding, logits, known)
    assert set(terms) == set(weights)
    for name, term in terms.items():
        assert term > 0, name
        assert torch.isfinite(term), name
    objective.weights = {name: 2 * weight for name, weight in weights.items()}
    for name, term in objective(embedding, logits, known).items():
        assert term.item() == pytest.approx(2 * terms[name].item(), rel=1e-5)
    sum(terms.values()).backward()
    assert embedding.grad.abs().sum() > 0
    assert logits.grad.abs().sum() > 0
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in objective.parameters())
