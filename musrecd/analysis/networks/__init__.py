"""The networks an encoder may be made of: name → class. Adding one is a module here and a line below.

Each is built from keyword arguments, `n_mels`, `n_labels`, `dim` and its own, and maps log-mel chunks
(n, n_mels, n_frames) in dB to embeddings (n, dim) and label logits (n, n_labels). Chunks may be of any length and
loudness. `labels` is the linear layer from embeddings to logits. `tests/analysis/test_networks.py` holds this.
"""

from typing import Any

from torch import nn

from musrecd.analysis.networks.cnn import SliceClassifier
from musrecd.analysis.networks.crnn import ConvolutionalRecurrentNetwork
from musrecd.analysis.networks.fcn import FullyConvolutionalNetwork
from musrecd.analysis.networks.mfcc import MfccStatistics
from musrecd.analysis.networks.musrec import MusrecNetwork
from musrecd.analysis.networks.short_chunk_res import ShortChunkResidualNetwork
from musrecd.errors import EncoderError

NETWORKS: dict[str, type[nn.Module]] = {
    "cnn": SliceClassifier,
    "crnn": ConvolutionalRecurrentNetwork,
    "fcn": FullyConvolutionalNetwork,
    "mfcc": MfccStatistics,
    "musrec": MusrecNetwork,
    "short_chunk_res": ShortChunkResidualNetwork,
}


def build_network(name: str, arguments: dict[str, Any]) -> nn.Module:
    """Build the network called `name`. Raises EncoderError if there is none or the arguments do not fit it."""
    if name not in NETWORKS:
        raise EncoderError(f"unknown network {name!r}; there are {', '.join(sorted(NETWORKS))}")
    try:
        return NETWORKS[name](**arguments)
    except (TypeError, ValueError, IndexError, RuntimeError) as error:
        raise EncoderError(f"network {name!r} cannot be built: {error}") from error
