"""The networks an encoder may be made of: name → class. Adding one is a module here and a line below."""

from typing import Any

from torch import nn

from musrecd.analysis.networks.residual import ResidualNetwork
from musrecd.errors import EncoderError

NETWORKS: dict[str, type[nn.Module]] = {"residual": ResidualNetwork}


def build_network(name: str, arguments: dict[str, Any]) -> nn.Module:
    """Build the network called `name`. Raises EncoderError if there is none or the arguments do not fit it."""
    if name not in NETWORKS:
        raise EncoderError(f"unknown network {name!r}; there are {', '.join(sorted(NETWORKS))}")
    try:
        return NETWORKS[name](**arguments)
    except (TypeError, ValueError, IndexError, RuntimeError) as error:
        raise EncoderError(f"network {name!r} cannot be built: {error}") from error
