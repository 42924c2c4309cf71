"""The networks: loudness does not matter, fusing changes nothing, unknown names are explained."""

import numpy as np
import pytest
import torch
from torch import nn

from musrecd.analysis.networks import NETWORKS, build_network
from musrecd.analysis.networks.layers import SpectrumNorm, channels_last, fuse_convolutions
from musrecd.analysis.networks.residual import ResidualNetwork
from musrecd.errors import EncoderError

ARGUMENTS = {"n_mels": 96, "n_labels": 5, "dim": 32, "channels": [8, 16]}


def spectra(n: int = 4, n_frames: int = 64, seed: int = 0) -> torch.Tensor:
    """Smooth spectra in dB, -100 to 20."""
    generator = torch.Generator().manual_seed(seed)
    return (20 * torch.randn(n, 96, n_frames, generator=generator).cumsum(1) / 8 - 30).clamp(-70, 20)


def used_network(seed: int = 0) -> nn.Module:
    """A network whose batch norms have statistics and weights of their own, ready to answer."""
    torch.manual_seed(seed)
    network = build_network("residual", ARGUMENTS)
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d | nn.BatchNorm1d):
                module.running_mean.normal_(0, 0.3)
                module.running_var.uniform_(0.5, 2)
                if module.affine:
                    module.weight.uniform_(0.5, 1.5)
                    module.bias.normal_(0, 0.3)
    return network.eval()


@pytest.mark.parametrize("change_db", [-30.0, -6.0, 6.0, 40.0])
def test_the_same_spectrum_louder_or_softer_is_normed_to_the_same_numbers(change_db):
    norm = SpectrumNorm(96).eval()
    S = spectra()
    assert (norm(S + change_db) - norm(S)).abs().max() < 1e-3


def test_music_six_decibels_softer_gives_the_same_answer_although_its_floor_stays(rendered_files, hear):
    """The floor of -100 dB does not move with the music, but it lies 80 dB below its loudest point."""
    import librosa

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


def test_fusing_changes_nothing_but_the_layers():
    network, fused = used_network(), fuse_convolutions(used_network())
    S = spectra()
    with torch.inference_mode():
        before, after = network(S), channels_last(fused)(S)
    for a, b in zip(before, after, strict=True):
        assert torch.allclose(a, b, rtol=1e-3, atol=1e-3)
        assert a.std() > 0.01
    assert any(isinstance(m, nn.BatchNorm2d) for m in network.modules())
    assert not any(isinstance(m, nn.BatchNorm2d) for m in fused.modules())


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("n_frames", [17, 64, 626])
def test_every_network_gives_an_embedding_and_logits_for_any_length(name, n_frames):
    network = build_network(name, ARGUMENTS).eval()
    with torch.inference_mode():
        embedding, logits = network(spectra(3, n_frames))
    assert embedding.shape == (3, 32)
    assert logits.shape == (3, 5)
    assert torch.isfinite(embedding).all()


@pytest.mark.parametrize("n_mels", [40, 64, 96, 128])
def test_any_number_of_bands_and_blocks_fits(n_mels):
    network = ResidualNetwork(n_mels, 5, 16, (4, 8, 8)).eval()
    assert network(torch.zeros(2, n_mels, 50))[0].shape == (2, 16)


def test_an_unknown_network_names_those_that_there_are():
    with pytest.raises(EncoderError, match=r"unknown network 'transformer'; there are .*residual") as caught:
        build_network("transformer", ARGUMENTS)
    assert all(name in str(caught.value) for name in NETWORKS)


@pytest.mark.parametrize(
    "arguments",
    [{}, {"n_mels": 96}, ARGUMENTS | {"depth": 3}, ARGUMENTS | {"channels": 8}, ARGUMENTS | {"dim": "many"}],
)
def test_arguments_that_do_not_fit_are_an_encoder_error(arguments):
    with pytest.raises(EncoderError, match="'residual' cannot be built"):
        build_network("residual", arguments)


@pytest.mark.parametrize(
    "arguments",
    [ARGUMENTS | {"channels": []}, ARGUMENTS | {"dim": -1}, ARGUMENTS | {"n_labels": -3}],
)
def test_numbers_that_make_no_network_are_an_encoder_error(arguments):
    with pytest.raises(EncoderError, match="'residual' cannot be built"):
        build_network("residual", arguments)
