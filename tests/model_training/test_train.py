"""Training learns, survives an interruption, and what is exported is what was trained."""

import json
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import torch

from model_training.average import average_into, common_settings
from model_training.corpus import Batch, Corpus, batches
from model_training.export import export
from model_training.labels import LABELS
from model_training.log import read_log
from model_training.origins import Origin, Origins
from model_training.prepare import mel_filters
from model_training.recipes import Recipe
from model_training.trainer import Settings, Trainer, read_settings
from musrecd.analysis.encoder import load_encoder
from musrecd.analysis.frontend import FrontendConfig, chunks, log_mel

# A tenth of the usual excerpt, to be quick.
FRONTEND = FrontendConfig(chunk_s=1.0)
RECIPE = Recipe("musrec", {"dim": 16, "stem": 8, "channels": [8, 16], "depths": [1, 1]}, FRONTEND)
SETTINGS = Settings(recipe=RECIPE, n_examples=6, n_excerpts=2, steps=50, learning_rate=4e-3)

ORIGINS = Origins([Origin("mine", "my music", "mine", 24)], [Origin("fcn_msd", "FCN", "MIT")], 24)


def make_corpus(n: int = 24) -> Corpus:
    """Three kinds of spectra that teachers and truths tell apart."""
    rng = np.random.default_rng(0)
    kind = np.arange(n) % 3
    spectra = []
    for each in kind:
        S = rng.normal(-50, 4, (96, 100))
        S[20 * each : 20 * each + 30] += 35
        spectra.append(S.astype(np.float16))
    embeddings = (np.eye(3)[kind] @ rng.normal(0, 1.5, (3, 10)) + rng.normal(0, 0.1, (n, 10))).astype(np.float32)
    probabilities = np.clip(np.eye(3)[kind] @ rng.random((3, 7)), 0, 1).astype(np.float32)
    targets = np.full((n, len(LABELS)), np.nan, np.float32)
    targets[:, :3] = np.eye(3)[kind]
    is_truth = np.zeros(targets.shape, bool)
    is_truth[: n // 2, :3] = True
    return Corpus(
        spectra, {"fcn_msd": embeddings}, {"fcn_msd": probabilities}, targets, is_truth, np.ones(n, bool), [None] * n
    )


def draw(corpus: Corpus, n: int, seed: int = 0) -> list[Batch]:
    frames = FRONTEND.chunk_frames
    return list(islice(batches(corpus, n_examples=6, n_excerpts=2, n_frames=frames, seed=seed), n))


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return make_corpus()


@pytest.fixture(scope="module")
def run(tmp_path_factory, corpus):
    """A finished run."""
    folder = tmp_path_factory.mktemp("run")
    SETTINGS.write(folder)
    ORIGINS.write(folder)
    trainer = Trainer(SETTINGS, corpus, folder)
    trainer.fit(corpus)
    return folder


def test_the_loss_falls(tmp_path, corpus):
    trainer = Trainer(SETTINGS, corpus, tmp_path)
    trainer.network.train()
    losses = [trainer.train_step(batch)["total"] for batch in draw(corpus, 24)]
    assert np.isfinite(losses).all()
    assert np.mean(losses[-4:]) < 0.8 * np.mean(losses[:4])


def test_a_run_ends_at_its_last_step_and_keeps_its_state(run):
    state = torch.load(run / "checkpoint.pt", weights_only=True)
    assert state["step"] == SETTINGS.steps
    assert not (run / "checkpoint.partial").exists()
    assert list((run / "tensorboard").iterdir())
    assert [row["step"] for row in read_log(run)] == [25, 50]
    assert all(np.isfinite(row["total"]) for row in read_log(run))


def test_settings_are_kept_and_a_run_does_not_go_on_with_others(run):
    assert read_settings(run) == SETTINGS
    SETTINGS.write(run)
    with pytest.raises(ValueError, match="begun with other settings"):
        replace(SETTINGS, steps=7).write(run)


def test_an_interrupted_run_goes_on_with_the_same_step(tmp_path, corpus):
    first = Trainer(SETTINGS, corpus, tmp_path)
    first.network.train()
    *before, after = draw(corpus, 4)
    for batch in before:
        first.train_step(batch)
    first.save()
    resumed = Trainer(SETTINGS, corpus, tmp_path)
    resumed.resume()
    assert resumed.step == 3
    chance = torch.get_rng_state()
    expected = first.train_step(after)
    torch.set_rng_state(chance)
    resumed.network.train()
    assert resumed.train_step(after) == pytest.approx(expected, rel=1e-5)
    for part in ("network", "objective", "average"):
        states = [getattr(trainer, part).state_dict() for trainer in (first, resumed)]
        for name, tensor in states[0].items():
            assert torch.allclose(tensor.float(), states[1][name].float(), atol=1e-6), f"{part} {name}"
    assert resumed.schedule.get_last_lr() == first.schedule.get_last_lr()


def test_without_a_checkpoint_a_run_begins_at_the_beginning(tmp_path, corpus):
    trainer = Trainer(SETTINGS, corpus, tmp_path)
    trainer.resume()
    assert trainer.step == 0


def test_a_run_can_begin_with_the_network_of_another(tmp_path, run, corpus):
    export(run, tmp_path / "encoder.safetensors", {})
    settings = replace(SETTINGS, seed=5)
    trainer = Trainer(settings, corpus, tmp_path)
    trainer.begin_from(tmp_path / "encoder.safetensors")
    exported = torch.load(run / "checkpoint.pt", weights_only=True)["average"]
    for network in (trainer.network, trainer.average.module):
        for name, tensor in network.named_parameters():
            assert torch.allclose(tensor, exported[f"module.{name}"], atol=1e-3, rtol=1e-3), name
    assert trainer.step == 0


def test_a_run_does_not_begin_with_a_network_of_another_kind(tmp_path, run, corpus):
    export(run, tmp_path / "encoder.safetensors", {})
    wider = replace(SETTINGS, recipe=replace(RECIPE, arguments=RECIPE.arguments | {"dim": 24}))
    with pytest.raises(ValueError, match="another recipe"):
        Trainer(wider, corpus, tmp_path).begin_from(tmp_path / "encoder.safetensors")


def test_the_average_of_runs_is_their_mean_and_settled(tmp_path, run, corpus):
    other = tmp_path / "other"
    other.mkdir()
    settings = replace(SETTINGS, seed=5, steps=10)
    settings.write(other)
    Trainer(settings, corpus, other).fit(corpus)
    trainer = Trainer(common_settings((run, other)), corpus, tmp_path)
    average_into(trainer, (run, other))
    assert trainer.settings.averaged == (run.name, "other")
    assert trainer.step == 60
    states = [torch.load(each / "checkpoint.pt", weights_only=True)["average"] for each in (run, other)]
    for name, tensor in trainer.average.state_dict().items():
        if tensor.is_floating_point():
            assert torch.allclose(tensor, (states[0][name] + states[1][name]) / 2, atol=1e-6), name
    trainer.settle(corpus)
    trainer.save()
    embeddings = trainer.average.module.eval()(draw(corpus, 1)[0].S)[0]
    assert embeddings.mean(0).abs().max() < 1, "the statistics are its own"


def test_runs_of_different_networks_are_not_averaged(tmp_path, run):
    wider = replace(SETTINGS, recipe=replace(RECIPE, arguments=RECIPE.arguments | {"dim": 24}))
    wider.write(tmp_path)
    with pytest.raises(ValueError, match="different networks"):
        common_settings((run, tmp_path))


def test_a_crash_while_saving_leaves_the_last_state(tmp_path, corpus, monkeypatch):
    trainer = Trainer(SETTINGS, corpus, tmp_path)
    trainer.save()
    before = trainer.checkpoint.read_bytes()

    def crash(state, path):
        path.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(torch, "save", crash)
    with pytest.raises(OSError, match="disk full"):
        trainer.save()
    assert trainer.checkpoint.read_bytes() == before


def test_the_same_seed_makes_the_same_network(tmp_path, corpus):
    first, second = (Trainer(SETTINGS, corpus, tmp_path).network.state_dict() for _ in range(2))
    assert all(torch.equal(tensor, second[name]) for name, tensor in first.items())


def test_what_is_exported_answers_as_the_averaged_network_does(tmp_path, run, corpus):
    weights = tmp_path / "weights" / "encoder.safetensors"
    version = export(run, weights, {"p@1": 0.5})
    encoder = load_encoder(weights)
    trainer = Trainer(SETTINGS, corpus, run)
    trainer.resume()
    network = trainer.average.module.eval()
    config = FRONTEND
    y = (0.3 * np.random.default_rng(5).standard_normal(25 * config.sr)).astype(np.float32)
    y[: 9 * config.sr] *= np.linspace(0.01, 1, 9 * config.sr, dtype=np.float32)
    S = np.stack([log_mel(chunk, config, mel_filters(config)) for chunk in chunks(y, config)])
    with torch.inference_mode():
        embeddings, logits = network(torch.from_numpy(S))
    expected = embeddings.mean(0).numpy()
    embedding, probabilities, _ = encoder.encode(encoder.spectra([y]))
    np.testing.assert_allclose(embedding, expected / np.linalg.norm(expected), atol=1e-3)
    np.testing.assert_allclose(probabilities, torch.sigmoid(logits.mean(0)).numpy(), atol=1e-3)
    assert encoder.info.version == version


def test_the_average_and_not_the_last_state_is_exported(run):
    state = torch.load(run / "checkpoint.pt", weights_only=True)
    last, average = state["network"]["embed.weight"], state["average"]["module.embed.weight"]
    assert not torch.allclose(last, average)


def test_the_card_says_what_was_trained_how_and_on_what(tmp_path, run):
    version = export(run, tmp_path / "encoder.safetensors", {"p@1": [0.5, 0.4, 0.6]})
    card = json.loads((tmp_path / "encoder.json").read_text(encoding="utf-8"))
    assert card["version"] == version
    assert version.endswith(card["weights_sha256"][:8])
    assert card["figures"] == {"p@1": [0.5, 0.4, 0.6]}
    assert card["training"]["steps"] == SETTINGS.steps
    assert [label["name"] for label in card["labels"]] == [source.label.name for source in LABELS]
    assert card["training"]["teachers"] == [{"name": "fcn_msd", "what": "FCN", "licence": "MIT", "n_sounds": 0}]
    assert card["training"]["collections"][0]["n_sounds"] == 24
    assert card["training"]["n_examples"] == 24


def test_exporting_again_gives_the_same_version(tmp_path, run):
    assert export(run, tmp_path / "a.safetensors", {}) == export(run, tmp_path / "b.safetensors", {"more": 1})


def test_labels_alone_teach_where_there_are_no_teachers(tmp_path, corpus):
    alone = replace(corpus, teacher_embeddings={}, teacher_probabilities={})
    trainer = Trainer(SETTINGS, alone, tmp_path)
    trainer.network.train()
    losses = [trainer.train_step(batch) for batch in draw(alone, 24)]
    assert set(losses[0]) == {"labels", "kinship", "total"}
    assert np.mean([loss["total"] for loss in losses[-4:]]) < 0.8 * np.mean([loss["total"] for loss in losses[:4]])
