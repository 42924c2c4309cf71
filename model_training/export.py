"""Turn a finished run into what musrec ships: safetensors weights and a JSON card beside them.

python -m model_training export --run RUN [--output FILE.safetensors] [--figures FIGURES.json]
"""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import torch
from safetensors.torch import save

from model_training.labels import LABELS
from model_training.origins import read_origins
from model_training.prepare import mel_filters
from model_training.trainer import read_settings
from musrecd.analysis.card import SHIPPED_WEIGHTS
from musrecd.analysis.encoder import MEL_FILTERS

_NAME = "musrec-1"


def export(run: Path, output: Path, figures: dict[str, Any]) -> str:
    """Write `output` and its card; return the encoder version, which names the weights by their checksum."""
    settings = read_settings(run)
    checkpoint = torch.load(run / "checkpoint.pt", weights_only=True)
    frontend = settings.recipe.frontend
    state = {
        name.removeprefix("module."): _compact(tensor)
        for name, tensor in checkpoint["average"].items()
        if name.startswith("module.") and not name.endswith("num_batches_tracked")
    }
    data = save(state | {MEL_FILTERS: torch.from_numpy(mel_filters(frontend))})
    digest = hashlib.sha256(data).hexdigest()
    version = f"{_NAME}-{digest[:8]}"
    card = {
        "version": version,
        "weights_sha256": digest,
        "network": settings.recipe.network,
        "network_arguments": settings.recipe.network_arguments(len(LABELS)),
        "frontend": frontend.to_dict(),
        "labels": [{"name": source.label.name, "group": source.label.group} for source in LABELS],
        "training": {
            "steps": checkpoint["step"],
            "settings": asdict(settings),
            **asdict(read_origins(run)),
            "note": "Artists of the validation figures were not trained on; no audio is part of the weights.",
        },
        "figures": figures,
    }
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_bytes(data)
    output.with_suffix(".json").write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return version


def _compact(tensor: torch.Tensor) -> torch.Tensor:
    """Halve the weights of convolutions and linear maps: cosines move by less than 1e-4, the file by half."""
    return (tensor.half() if tensor.dim() > 1 else tensor).contiguous()


@click.command()
@click.option("--run", type=click.Path(exists=True, path_type=Path), required=True, help="Folder of the run.")
@click.option("--output", type=click.Path(path_type=Path), default=SHIPPED_WEIGHTS, show_default=True)
@click.option("--figures", type=click.Path(exists=True, path_type=Path), help="JSON that evaluate wrote.")
def main(run: Path, output: Path, figures: Path | None) -> None:
    """Write the weights and their card."""
    known = json.loads(figures.read_text(encoding="utf-8")) if figures else {}
    click.echo(f"wrote {export(run, output, known)} to {output}")


if __name__ == "__main__":
    main()
