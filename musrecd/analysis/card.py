"""The model card beside the weights: everything needed to use them, readable without torch."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from musrecd.analysis.frontend import FrontendConfig
from musrecd.errors import EncoderError
from musrecd.types import Coverage, EncoderInfo, Label

SHIPPED_WEIGHTS = Path(__file__).parent / "weights" / "encoder.safetensors"
_MAX_DIM = 100_000


@dataclass(frozen=True, slots=True)
class Card:
    """What a weights file is: the encoder it makes and the front-end that it was trained with."""

    info: EncoderInfo
    network: str
    network_arguments: dict[str, Any]
    frontend: FrontendConfig
    weights_sha256: str
    coverage: Coverage = "windows"


def read_card(weights: Path = SHIPPED_WEIGHTS, coverage: Coverage = "windows") -> Card:
    """Read the card of a weights file (same name, `.json`), for hearing as much as `coverage` says.

    What was heard of more is another version: versions are never compared, so that coverages never mix unseen.
    Raises EncoderError if it is missing or not a card.
    """
    path = weights.with_suffix(".json")
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(fields["version"], str) or not 0 < fields["network_arguments"]["dim"] < _MAX_DIM:
            raise ValueError("version has to be a text, dim a number from 1")
        card = Card(
            info=EncoderInfo(
                version=fields["version"],
                dim=int(fields["network_arguments"]["dim"]),
                labels=tuple(Label(label["name"], label["group"]) for label in fields["labels"]),
            ),
            network=fields["network"],
            network_arguments=fields["network_arguments"],
            frontend=FrontendConfig(**fields["frontend"]),
            weights_sha256=fields["weights_sha256"],
            coverage=coverage,
        )
    except OSError as error:
        raise EncoderError(f"encoder card {path} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise EncoderError(f"{path} is not an encoder card: {type(error).__name__} {error}") from error
    if coverage == "windows":
        return card
    return replace(card, info=card.info._replace(version=f"{card.info.version}+{coverage}"))
