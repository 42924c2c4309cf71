"""The model card of the documentation, from the card that travels with the weights: no figure is typed by hand.

python -m model_training card [--weights FILE] [--output docs/model-card.md]
"""

import json
import re
from pathlib import Path
from string import Template
from typing import Any

import click

from model_training.evaluation.tables import Table, estimate, markdown
from musrecd.analysis.card import SHIPPED_WEIGHTS

_TEMPLATE = Path(__file__).with_name("model_card.txt")
_NOT_MEASURED = "Not measured for this version."
_HARDEST = 5
_LISTED_SEPARATELY = ("collections", "teachers", "note", "settings")


def model_card(card: dict[str, Any], *, has_training_picture: bool = True) -> str:
    """Fill the template with a card; a table that was not measured is said not to be."""
    figures = card.get("figures", {})
    if figures.get("encoder", card["version"]) != card["version"]:
        raise ValueError(f"the card of {card['version']} holds the figures of {figures['encoder']}; evaluate again")
    template = Template(_TEMPLATE.read_text(encoding="utf-8"))
    tables: dict[str, Table] = figures.get("tables", {})
    words = {_identifier(title): markdown(table) for title, table in tables.items()}
    missing = dict.fromkeys(template.get_identifiers(), _NOT_MEASURED)
    picture = "![Training curves](figures/training.png)\n\n" if has_training_picture else ""
    return template.substitute(missing | words | _description(card) | {"training_picture": picture} | _hardest(tables))


def _identifier(title: str) -> str:
    return re.sub(r"\W+", "_", title.lower())


def _description(card: dict[str, Any]) -> dict[str, str]:
    training = card.get("training", {})
    groups = dict.fromkeys(label["group"] for label in card["labels"])
    network = {"network": card["network"], **card["network_arguments"], **card["frontend"]}
    return {
        "version": card["version"],
        "dim": str(card["network_arguments"]["dim"]),
        "n_labels": str(len(card["labels"])),
        "label_groups": ", ".join(f"{group}s" for group in groups),
        "network": _rows(network),
        "n_examples": str(training["n_examples"]),
        "collections": _origins(training["collections"], "name", "what", "licence", "n_sounds"),
        "teachers": _origins(training["teachers"], "what", "licence"),
        "training": _rows({k: v for k, v in training.items() if k not in _LISTED_SEPARATELY} | training["settings"]),
        "note": training["note"],
    }


def _origins(origins: list[dict[str, Any]], *fields: str) -> str:
    return "\n".join(f"| {' | '.join(str(origin[field]) for field in fields)} |" for origin in origins)


def _rows(values: dict[str, Any]) -> str:
    return "\n".join(f"| {name} | {_words(value)} |" for name, value in values.items())


def _words(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(_words, value))
    if isinstance(value, dict):
        return ", ".join(f"{name} {_words(part)}" for name, part in value.items())
    return str(value)


def _hardest(tables: dict[str, Table]) -> dict[str, str]:
    areas = {name: estimate(cells["ROC-AUC"]) for name, cells in tables.get("labels, one by one", {}).items()}
    named = [f"{name} ({areas[name]:.2f})" for name in sorted(areas, key=lambda name: areas[name])[:_HARDEST]]
    return {"hardest": ", ".join(named)} if named else {}


@click.command()
@click.option(
    "--weights", type=click.Path(exists=True, path_type=Path), default=SHIPPED_WEIGHTS, help="What ships by default."
)
@click.option("--output", type=click.Path(path_type=Path), default=Path("docs/model-card.md"), show_default=True)
def main(weights: Path, output: Path) -> None:
    """Write the model card of the documentation."""
    card = json.loads(weights.with_suffix(".json").read_text(encoding="utf-8"))
    has_training_picture = (output.parent / "figures" / "training.png").exists()
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(model_card(card, has_training_picture=has_training_picture), encoding="utf-8")
    click.echo(f"wrote {output}")
