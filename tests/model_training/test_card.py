"""The model card says what the card of the weights says, and the one in the documentation is up to date."""

import json
from pathlib import Path

import pytest

from model_training.card import model_card
from musrecd.analysis.card import SHIPPED_WEIGHTS

PAGE = Path(__file__).parents[2] / "docs" / "model-card.md"


@pytest.fixture
def card() -> dict:
    return json.loads(SHIPPED_WEIGHTS.with_suffix(".json").read_text(encoding="utf-8"))


def test_the_page_is_what_the_shipped_card_says(card):
    """Write it again with `python -m model_training card`."""
    has_picture = (PAGE.parent / "figures" / "training.png").exists()
    assert PAGE.read_text(encoding="utf-8") == model_card(card, has_training_picture=has_picture)


def test_every_picture_of_the_page_is_there():
    pictures = [part.partition(")")[0] for part in PAGE.read_text(encoding="utf-8").split("](figures/")[1:]]
    assert pictures
    assert [name for name in pictures if not (PAGE.parent / "figures" / name).exists()] == []


def test_figures_of_other_weights_are_refused(card):
    card["figures"] = {"encoder": "another-1", "tables": {}}
    with pytest.raises(ValueError, match="figures of another-1"):
        model_card(card)


def test_what_was_not_measured_is_said(card):
    card["figures"] = {"encoder": card["version"], "tables": {"cost": {"musrec": {"weights, MB": 3.25}}}}
    text = model_card(card)
    assert "| musrec | 3.250 |" in text
    assert "### Moods" in text
    assert text.count("Not measured for this version.") > 5
    assert "](figures/training.png)" in text
    assert "](figures/training.png)" not in model_card(card, has_training_picture=False)
