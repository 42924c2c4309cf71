"""Changes that a listener would not mind, made to log-mel spectra: recording, tone, bandwidth, noise floor, gaps.

The targets stay those of the clean sound, so the student learns not to hear them.
"""

import torch
from torch import Tensor

_BORROWED_SHARE = 0.3
_BORROWED_ALPHA = 0.4
_MIN_SPREAD_DB = 1.0
_EQ_DB = 6.0
_EQ_POINTS = 6
_LOWPASS_SHARE = 0.4
_LOWPASS_FROM = 0.55
_FLOOR_DB = (-75.0, -35.0)
_MASK_BANDS = 10
_MASK_FRAMES = 60


def augment(S: Tensor, generator: torch.Generator) -> Tensor:
    """Return a changed copy of `S` (n, n_mels, n_frames) in dB."""
    S = _floor(_lowpass(_equalise(_borrow(S, generator), generator), generator), generator)
    return _mask(S, generator)


def _uniform(n: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(n, 1, 1, generator=generator)


def _borrow(S: Tensor, generator: torch.Generator) -> Tensor:
    """Move the level and the dynamics of each band towards those of another excerpt.

    What is left is what was played, not how it was recorded (Freq-MixStyle, Schmid et al. 2022).
    """
    n = S.shape[0]
    mean, spread = S.mean(2, keepdim=True), S.std(2, keepdim=True).clamp(min=_MIN_SPREAD_DB)
    other = torch.randperm(n, generator=generator)
    # Beta(a, a) from two gamma draws, which torch.distributions would take from the global generator.
    gammas = torch._standard_gamma(torch.full((2, n, 1, 1), _BORROWED_ALPHA), generator=generator)
    own = torch.maximum(gammas[0], gammas[1]) / gammas.sum(0)
    own = torch.where(torch.rand(n, 1, 1, generator=generator) < _BORROWED_SHARE, own, 1.0)
    return (S - mean) / spread * torch.lerp(spread[other], spread, own) + torch.lerp(mean[other], mean, own)


def _equalise(S: Tensor, generator: torch.Generator) -> Tensor:
    """Add a smooth random curve over frequency."""
    points = _EQ_DB * torch.randn(S.shape[0], 1, _EQ_POINTS, generator=generator).clamp(-2, 2) / 2
    curve = torch.nn.functional.interpolate(points, S.shape[1], mode="linear", align_corners=True)
    return S + curve.transpose(1, 2)


def _lowpass(S: Tensor, generator: torch.Generator) -> Tensor:
    """Take away what lies above a random band, as low bit rates and old recordings do."""
    n, n_mels, _ = S.shape
    cut = _uniform(n, _LOWPASS_FROM, 1.0, generator) * n_mels
    chosen = torch.rand(n, 1, 1, generator=generator) < _LOWPASS_SHARE
    above = torch.arange(n_mels).view(1, -1, 1) >= cut
    return torch.where(chosen & above, S - 60, S)


def _floor(S: Tensor, generator: torch.Generator) -> Tensor:
    """Drown what is softer than a random level under the loudest point."""
    return torch.maximum(S, S.amax((1, 2), keepdim=True) + _uniform(S.shape[0], *_FLOOR_DB, generator))


def _mask(S: Tensor, generator: torch.Generator) -> Tensor:
    """Replace one random stripe of bands and one of frames by the mean (Park et al. 2019, arXiv 1904.08779)."""
    n, n_mels, n_frames = S.shape
    mean = S.mean((1, 2), keepdim=True)
    bands = _stripe(n, n_mels, _MASK_BANDS, generator).unsqueeze(2)
    frames = _stripe(n, n_frames, _MASK_FRAMES, generator).unsqueeze(1)
    return torch.where(bands | frames, mean, S)


def _stripe(n: int, length: int, longest: int, generator: torch.Generator) -> Tensor:
    width = torch.randint(0, longest + 1, (n, 1), generator=generator)
    start = (torch.rand(n, 1, generator=generator) * (length - width)).long()
    position = torch.arange(length).unsqueeze(0)
    return (position >= start) & (position < start + width)
