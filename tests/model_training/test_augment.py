"""Augmentation changes what a listener would not mind, and nothing else."""

import pytest
import torch

from model_training import augment as module
from model_training.augment import augment


def spectra(n: int = 6, n_frames: int = 200) -> torch.Tensor:
    return (20 * torch.randn(n, 96, n_frames, generator=torch.Generator().manual_seed(0)) - 40).clamp(-100, 20)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_same_seed_gives_the_same_change_and_another_another():
    S = spectra()
    assert torch.equal(augment(S, seeded(1)), augment(S, seeded(1)))
    assert not torch.equal(augment(S, seeded(1)), augment(S, seeded(2)))


def test_the_original_stays_as_it_was():
    S = spectra()
    before = S.clone()
    augment(S, seeded())
    assert torch.equal(S, before)


def test_shapes_are_kept_and_numbers_stay_finite():
    for S in (spectra(), spectra(1, 61), torch.full((2, 96, 100), -100.0)):
        changed = augment(S, seeded())
        assert changed.shape == S.shape
        assert changed.dtype == S.dtype
        assert torch.isfinite(changed).all()


def test_two_excerpts_of_one_clip_are_changed_differently():
    changed = augment(spectra(1).repeat(2, 1, 1), seeded())
    assert not torch.equal(changed[0], changed[1])


def test_most_of_the_music_is_still_there():
    """Of what is loud, more than half moves by little, although some excerpts sound like another recording."""
    S = spectra(64)
    loud = S.amax((1, 2), keepdim=True) - S < 30
    moved = (augment(S, seeded()) - S).abs()
    assert moved[loud].median() < 5


def test_some_take_over_level_and_dynamics_of_another_in_part():
    """What is moved is a band as a whole: its course over time stays."""
    S = spectra(400)
    level = torch.linspace(-10, 10, 400).view(-1, 1, 1)
    changed = module._borrow(S + level, seeded())
    moved = (changed - S - level).abs().amax((1, 2)) > 1e-3
    assert 0.2 < moved.float().mean() < 0.4
    for before, after in zip((S + level)[moved], changed[moved], strict=True):
        assert torch.corrcoef(torch.stack([before[40], after[40]]))[0, 1] > 0.999
        assert -10 - 50 < after.mean() < 10 - 30


def test_bands_without_any_sound_stay_finite_when_they_borrow():
    S = spectra(50)
    S[:, 60:] = -100.0
    S[::2, 60:] = -30.0
    changed = module._borrow(S, seeded())
    assert torch.isfinite(changed).all()
    assert (changed[:, 60:].std(2) < 1e-3).all(), "a constant has no dynamics to stretch"


def test_the_equaliser_is_smooth_the_same_in_every_frame_and_within_six_decibels():
    S = spectra(32)
    change = module._equalise(S, seeded()) - S
    assert torch.allclose(change, change[:, :, :1].expand_as(change), atol=1e-4)
    assert change.abs().max() <= 6 + 1e-4
    assert change.std() > 0.5
    assert (change[:, 1:, 0] - change[:, :-1, 0]).abs().max() < 1


def test_the_low_pass_takes_away_the_upper_bands_of_some():
    S = spectra(400)
    change = module._lowpass(S, seeded()) - S
    filtered = (change != 0).any(2).any(1)
    assert 0.3 < filtered.float().mean() < 0.5
    for each in change[filtered]:
        bands = (each != 0).any(1)
        first = int(bands.float().argmax())
        assert first >= 0.55 * 96 - 1
        assert bands[first:].all()
        assert torch.allclose(each[first:], torch.tensor(-60.0), atol=1e-3)


def test_the_floor_drowns_only_what_is_soft():
    S = spectra(32)
    drowned = module._floor(S, seeded())
    loudest = S.amax((1, 2), keepdim=True)
    assert torch.equal(drowned.amax((1, 2), keepdim=True), loudest)
    assert (drowned >= S).all()
    assert torch.equal(drowned[loudest.expand_as(S) - S < 35], S[loudest.expand_as(S) - S < 35])
    assert (drowned - loudest).amin() >= -75 - 1e-3


@pytest.mark.parametrize("n_frames", [61, 200, 626])
def test_masks_are_one_stripe_of_bands_and_one_of_frames(n_frames):
    S = spectra(50, n_frames).double()
    masked = module._mask(S, seeded()) != S
    bands, frames = masked.all(2), masked.all(1)
    assert bands.sum(1).max() <= 10
    assert frames.sum(1).max() <= 60
    for stripes in (bands, frames):
        for stripe in stripes:
            places = stripe.nonzero().flatten()
            assert not len(places) or int(places[-1] - places[0]) == len(places) - 1
    assert torch.equal(masked, bands[:, :, None] | frames[:, None])
    assert masked.any()
