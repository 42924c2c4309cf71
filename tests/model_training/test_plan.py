"""A cache knows what it was made of and is not mixed with anything else."""

from dataclasses import replace

import pytest

from model_training.plan import Plan, read_plan
from model_training.recipes import RECIPES
from model_training.splits import read_validation
from musrecd.analysis.frontend import FrontendConfig

PLAN = Plan(["data"], None, 10, FrontendConfig(), {"fcn_msd": ["rock", "pop"]})


def test_a_plan_is_read_as_it_was_written(tmp_path):
    PLAN.write(tmp_path / "cache")
    assert read_plan(tmp_path / "cache") == PLAN


def test_preparing_goes_on_with_the_same_plan_and_refuses_another(tmp_path):
    PLAN.write(tmp_path)
    PLAN.write(tmp_path)
    with pytest.raises(ValueError, match="prepared with other options"):
        replace(PLAN, n_variations=11).write(tmp_path)
    assert read_plan(tmp_path) == PLAN


def test_without_a_plan_it_is_said_how_to_make_one(tmp_path):
    with pytest.raises(FileNotFoundError, match="model_training prepare"):
        read_plan(tmp_path)


def test_spectra_suit_every_recipe_of_as_many_bands_whatever_its_chunks():
    suited = {name for name, recipe in RECIPES.items() if PLAN.suits(recipe.frontend)}
    assert {"musrec", "fcn", "crnn", "mfcc"} <= suited
    assert "cnn" not in suited


def test_sounds_are_the_clips_then_the_pieces(shared):
    plan = replace(PLAN, data=[str(shared / "data")], midi=str(shared / "data" / "midi"))
    sounds = plan.sounds()
    kinds = [clip.path.suffix == ".mid" for clip in sounds.clips]
    assert kinds == sorted(kinds)
    assert sum(kinds) > 1000
    assert len(sounds.examples) == kinds.index(True) + 10
    assert sounds.held_out == read_validation()
