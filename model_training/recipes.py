"""What encoders are made of: name → network, its arguments and the front-end it hears through.

The values are the published ones where there are any; the papers stand with the networks. There are two front-ends
only, which differ in the number of bands (and, cut into chunks afterwards, in seconds), so that networks can share
prepared spectra.
"""

from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

from musrecd.analysis.frontend import FrontendConfig

_BANDS_96 = FrontendConfig(sr=16000, n_fft=512, hop_length=256, n_mels=96, chunk_s=10.0)
_BANDS_128 = replace(_BANDS_96, n_mels=128)


@dataclass(frozen=True)
class Recipe:
    """A network, its arguments beside `n_mels` and `n_labels`, and what it hears: spectra of so many seconds."""

    network: str
    arguments: dict[str, Any]
    frontend: FrontendConfig

    def network_arguments(self, n_labels: int) -> dict[str, Any]:
        """Return all arguments of the network, as the card has to hold them."""
        return {"n_mels": self.frontend.n_mels, "n_labels": n_labels, **deepcopy(self.arguments)}

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> "Recipe":
        """Make the recipe that `dataclasses.asdict` took apart."""
        return cls(fields["network"], fields["arguments"], FrontendConfig(**fields["frontend"]))


RECIPES: dict[str, Recipe] = {
    "cnn": Recipe(
        "cnn",
        {"dim": 32, "channels": [64, 128, 256, 512], "hidden": [1024, 256, 64]},
        replace(_BANDS_128, chunk_s=127 * 256 / 16000),  # 128 frames
    ),
    "crnn": Recipe(
        "crnn",
        {"dim": 32, "channels": [64, 128, 128, 128], "n_states": 32, "n_layers": 2},
        replace(_BANDS_96, chunk_s=29.0),
    ),
    "fcn": Recipe("fcn", {"dim": 64, "channels": [64, 128, 128, 128, 64]}, replace(_BANDS_96, chunk_s=29.0)),
    "mfcc": Recipe("mfcc", {"dim": 60, "n_mfcc": 20}, _BANDS_96),
    "musrec": Recipe(
        "musrec", {"dim": 128, "stem": 32, "channels": [48, 96, 192, 320], "depths": [1, 1, 2, 2]}, _BANDS_96
    ),
    "short_chunk_res": Recipe(
        "short_chunk_res",
        {"dim": 512, "channels": [128, 128, 256, 256, 256, 256, 512]},
        replace(_BANDS_128, chunk_s=59049 / 16000),  # 3.69 s
    ),
}
