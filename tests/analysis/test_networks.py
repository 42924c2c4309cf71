"""What every network has to keep to: any length, any loudness, chunk by chunk; fusing changes nothing; mfcc is MFCC."""

from copy import deepcopy
from functools import cache

import librosa
import numpy as np
import pytest
import scipy.fft
import torch
from torch import nn

from model_training.recipes import RECIPES
from musrecd.analysis.networks import NETWORKS, build_network
from musrecd.analysis.networks.layers import SpectrumNorm, channels_last, fuse_convolutions
from musrecd.analysis.networks.mfcc import MfccStatistics
from musrecd.errors import EncoderError

N_LABELS = 5
# By the name of the recipe: every network has one.
ARGUMENTS = {name: recipe.network_arguments(N_LABELS) for name, recipe in RECIPES.items()}
every_network = pytest.mark.parametrize("name", RECIPES)


def spectra(n: int = 4, n_frames: int = 64, n_mels: int = 96, seed: int = 0) -> torch.Tensor:
    """Smooth spectra in dB, -70 to 20."""
    generator = torch.Generator().manual_seed(seed)
    return (20 * torch.randn(n, n_mels, n_frames, generator=generator).cumsum(1) / 8 - 30).clamp(-70, 20)


def chunks_for(name: str, n: int = 4, n_frames: int = 64) -> torch.Tensor:
    """Spectra with as many bands as the recipe has."""
    return spectra(n, n_frames, ARGUMENTS[name]["n_mels"])


def build(name: str, change: dict[str, object] | None = None) -> nn.Module:
    """Build the network of a recipe, with some arguments changed."""
    return build_network(RECIPES[name].network, ARGUMENTS[name] | (change or {}))


@cache
def used_network(name: str) -> nn.Module:
    """A network whose batch norms have statistics and weights of their own, ready to answer. Do not change it."""
    torch.manual_seed(0)
    network = build(name)
    # Of momentum 1 the statistics are those of the last batch: an embedding that is centred shows what differs.
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d | nn.BatchNorm1d):
            module.momentum = 1.0
            if module.affine:
                nn.init.uniform_(module.weight, 0.5, 1.5)
                nn.init.normal_(module.bias, 0, 0.3)
    with torch.no_grad():
        network.train()(chunks_for(name, 16))
    return network.eval()


@torch.inference_mode()
def answer(network: nn.Module, S: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    embedding, logits = network(S)
    return embedding, logits


@pytest.mark.parametrize("change_db", [-30.0, -6.0, 6.0, 40.0])
def test_the_same_spectrum_louder_or_softer_is_normed_to_the_same_numbers(change_db):
    norm = SpectrumNorm(96).eval()
    S = spectra()
    assert (norm(S + change_db) - norm(S)).abs().max() < 1e-3


def test_music_six_decibels_softer_gives_the_same_answer_although_its_floor_stays(rendered_files, hear):
    """The floor of -100 dB does not move with the music, but it lies 80 dB below its loudest point."""
    from musrecd.analysis.frontend import FrontendConfig, log_mel

    config = FrontendConfig()
    filters = librosa.filters.mel(sr=config.sr, n_fft=config.n_fft, n_mels=config.n_mels)
    norm = SpectrumNorm(96).eval()
    for path in rendered_files[:6]:
        y = hear(path)[0]
        y = y / np.abs(y).max()
        loud, soft = (norm(torch.from_numpy(log_mel(gain * y, config, filters))[None]) for gain in (1.0, 0.5))
        assert (loud - soft).abs().max() < 1e-3, path.name


def test_each_chunk_is_normed_by_itself():
    norm = SpectrumNorm(96).eval()
    S = spectra()
    alone = torch.cat([norm(s[None]) for s in S])
    assert torch.allclose(norm(S), alone, atol=1e-6)


def test_constant_spectra_stay_finite():
    normed = SpectrumNorm(96).eval()(torch.full((2, 96, 30), -100.0))
    assert torch.isfinite(normed).all()


def test_there_is_a_recipe_for_every_network_and_a_network_for_every_recipe():
    assert {recipe.network for recipe in RECIPES.values()} == set(NETWORKS)


@every_network
@pytest.mark.parametrize("n_frames", [1, 2, 17, 64, 128, 626])
def test_every_network_gives_an_embedding_and_logits_for_any_length(name, n_frames):
    embedding, logits = answer(used_network(name), chunks_for(name, 3, n_frames))
    assert embedding.shape == (3, ARGUMENTS[name]["dim"])
    assert logits.shape == (3, N_LABELS)
    assert torch.isfinite(embedding).all()
    assert torch.isfinite(logits).all()


@every_network
@pytest.mark.parametrize("n_mels", [40, 64, 96, 128, 200])
def test_any_number_of_bands_fits(name, n_mels):
    network = build(name, {"n_mels": n_mels}).eval()
    assert answer(network, torch.zeros(2, n_mels, 50))[0].shape == (2, ARGUMENTS[name]["dim"])


@every_network
@pytest.mark.parametrize("n_labels", [1, 64])
def test_the_number_of_labels_is_an_argument(name, n_labels):
    network = build(name, {"n_labels": n_labels}).eval()
    assert answer(network, chunks_for(name, 2))[1].shape == (2, n_labels)


@every_network
def test_logits_are_what_the_layer_called_labels_makes_of_embeddings(name):
    """Training fits that layer by itself in the end."""
    network = used_network(name)
    embedding, logits = answer(network, chunks_for(name))
    head = network.get_submodule("labels")
    assert isinstance(head, nn.Linear)
    with torch.inference_mode():
        assert torch.equal(head(embedding), logits)


@every_network
def test_what_a_chunk_gives_does_not_depend_on_its_neighbours(name):
    network, S = used_network(name), chunks_for(name, 5)
    together = answer(network, S)
    for i in range(len(S)):
        for alone, row in zip(answer(network, S[i : i + 1]), together, strict=True):
            assert torch.allclose(alone[0], row[i], rtol=1e-3, atol=1e-3)


@every_network
def test_different_chunks_give_different_embeddings(name):
    embedding, _ = answer(used_network(name), chunks_for(name))
    cosines = nn.functional.normalize(embedding) @ nn.functional.normalize(embedding).T
    assert cosines[~torch.eye(len(embedding), dtype=torch.bool)].max() < 0.99


@every_network
@pytest.mark.parametrize("change_db", [-30.0, -6.0, 6.0])
def test_the_same_music_louder_or_softer_gives_the_same_embedding(name, change_db):
    network, S = used_network(name), chunks_for(name)
    for before, after in zip(answer(network, S), answer(network, S + change_db), strict=True):
        assert torch.allclose(before, after, rtol=1e-3, atol=1e-3)


@every_network
@pytest.mark.parametrize("level_db", [-100.0, 0.0])
def test_constant_chunks_give_finite_answers(name, level_db):
    network = used_network(name)
    for each in answer(network, torch.full((2, ARGUMENTS[name]["n_mels"], 30), level_db)):
        assert torch.isfinite(each).all()


@every_network
def test_fusing_changes_nothing_but_the_layers(name):
    network, fused = used_network(name), fuse_convolutions(deepcopy(used_network(name)))
    S = chunks_for(name)
    for a, b in zip(answer(network, S), answer(channels_last(fused), S), strict=True):
        assert torch.allclose(a, b, rtol=1e-3, atol=1e-3)
        assert a.std() > 0.01
    has_convolutions = any(isinstance(m, nn.Conv2d) for m in network.modules())
    assert any(isinstance(m, nn.BatchNorm2d) for m in network.modules()) == has_convolutions
    assert not any(isinstance(m, nn.BatchNorm2d) for m in fused.modules())


@every_network
def test_every_weight_learns_from_a_batch_at_half_precision(name):
    """Of chunks as the recipe has them: oneDNN's bfloat16 convolutions read stray memory where a map is 2 frames wide
    or less (torch 2.13, processors with AMX), which much shorter chunks lead to.
    """
    torch.manual_seed(0)
    network = build(name).train()
    with torch.autocast("cpu", torch.bfloat16):
        embedding, logits = network(chunks_for(name, 3, RECIPES[name].frontend.chunk_frames))
    (embedding.float().square().sum() + nn.functional.softplus(logits.float()).sum()).backward()
    for parameter_name, parameter in network.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert torch.isfinite(parameter.grad).all(), parameter_name


def test_an_unknown_network_names_those_that_there_are():
    with pytest.raises(EncoderError, match=r"unknown network 'transformer'; there are .*musrec") as caught:
        build_network("transformer", ARGUMENTS["musrec"])
    assert all(name in str(caught.value) for name in NETWORKS)


@every_network
@pytest.mark.parametrize(
    "change",
    [{"depth": 3}, {"dim": "many"}, {"dim": -1}, {"dim": None}, {"n_labels": -3}, {"n_mels": -96}, {"n_mels": "all"}],
    ids=str,
)
def test_arguments_that_do_not_fit_are_an_encoder_error(name, change):
    with pytest.raises(EncoderError, match=f"'{RECIPES[name].network}' cannot be built"):
        build(name, change)


@every_network
@pytest.mark.parametrize("missing", ["n_mels", "n_labels", "dim"])
def test_arguments_that_every_network_needs(name, missing):
    with pytest.raises(EncoderError, match=f"'{RECIPES[name].network}' cannot be built.*{missing}"):
        build_network(RECIPES[name].network, {key: value for key, value in ARGUMENTS[name].items() if key != missing})


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("musrec", {"channels": []}, "0 channels and 4 depths"),
        ("musrec", {"channels": 8}, ""),
        ("cnn", {"channels": [64, 128]}, "4 numbers"),
        ("cnn", {"hidden": []}, "at least one"),
        ("crnn", {"channels": [8, 8]}, "3 to 4 channels, not 2"),
        ("crnn", {"channels": [8] * 5}, "3 to 4 channels, not 5"),
        ("crnn", {"n_layers": 0}, "num_layers"),
        ("fcn", {"channels": [64]}, "5 channels, not 1"),
        ("short_chunk_res", {"channels": []}, ""),
        ("mfcc", {"dim": 39}, r"3 · n_mfcc = 60, not 39"),
        ("mfcc", {"n_mfcc": 0, "dim": 0}, "from 1 to 95, not 0"),
        ("mfcc", {"n_mfcc": 96, "dim": 288}, "from 1 to 95, not 96"),
        ("mfcc", {"n_mfcc": 1.5}, ""),
    ],
)
def test_arguments_of_one_network_that_do_not_fit_are_an_encoder_error(name, change, words):
    with pytest.raises(EncoderError, match=f"'{name}' cannot be built: .*{words}"):
        build(name, change)


@pytest.mark.parametrize("channels", [[4, 8, 8], [4, 8, 8, 8]])
def test_the_recurrent_network_may_have_three_or_four_blocks(channels):
    network = build("crnn", {"channels": channels, "n_layers": 1}).eval()
    assert answer(network, chunks_for("crnn", 2))[0].shape == (2, ARGUMENTS["crnn"]["dim"])


def mfcc_network(n_mels: int = 96, n_mfcc: int = 13) -> MfccStatistics:
    return MfccStatistics(n_mels, N_LABELS, 3 * n_mfcc, n_mfcc)


@pytest.mark.parametrize(("n_mels", "n_mfcc"), [(96, 13), (96, 20), (40, 20), (128, 13)])
def test_mfcc_are_the_orthonormal_cosine_transform_without_its_first_row(n_mels, n_mfcc):
    S = spectra(n_mels=n_mels).clamp(min=-55).numpy()
    found = mfcc_network(n_mels, n_mfcc).dct.numpy() @ S
    expected = scipy.fft.dct(S, type=2, norm="ortho", axis=1)[:, 1 : n_mfcc + 1]
    np.testing.assert_allclose(found, expected, atol=1e-3)
    np.testing.assert_allclose(found[0], librosa.feature.mfcc(S=S[0], n_mfcc=n_mfcc + 1)[1:], atol=1e-3)


@pytest.mark.parametrize("n_mfcc", [13, 20])
def test_statistics_of_mfcc_are_those_of_librosa(n_mfcc):
    S = spectra(n_frames=200)
    found = mfcc_network(n_mfcc=n_mfcc).statistics(S).numpy()
    for row, each in zip(found, S.numpy(), strict=True):
        mfcc = librosa.feature.mfcc(S=np.maximum(each, each.max() - 80), n_mfcc=n_mfcc + 1)[1:]
        deltas = librosa.feature.delta(mfcc, mode="nearest")
        expected = np.concatenate([mfcc.mean(1), mfcc.std(1), deltas.std(1)])
        np.testing.assert_allclose(row, expected, rtol=1e-4, atol=1e-3)


def test_one_frame_has_mfcc_but_neither_spread_nor_deltas():
    found = mfcc_network().statistics(spectra(2, 1)).view(2, 3, 13)
    assert found[:, 0].abs().min() > 0
    assert found[:, 1:].abs().max() < 1e-4


def test_nothing_of_mfcc_but_its_scale_and_its_labels_is_kept_in_the_weights():
    kept = {name.partition(".")[0] for name in mfcc_network().state_dict()}
    assert kept == {"centre", "labels"}
