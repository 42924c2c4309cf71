"""Every recipe makes an encoder that is served through its card alone."""

import json
from dataclasses import FrozenInstanceError

import librosa
import numpy as np
import pytest

from model_training.recipes import RECIPES
from musrecd.analysis.analyse import analyse, excerpt_plan
from musrecd.analysis.audio import listen
from musrecd.analysis.card import read_card
from musrecd.analysis.encoder import load_encoder
from musrecd.analysis.excerpts import ExcerptPlan
from musrecd.analysis.frontend import chunks

every_recipe = pytest.mark.parametrize("name", RECIPES)


@pytest.fixture(scope="module")
def weights(tmp_path_factory, make_recipe_weights):
    folder = tmp_path_factory.mktemp("recipes")
    return {name: make_recipe_weights(folder / f"{name}.safetensors", recipe) for name, recipe in RECIPES.items()}


@every_recipe
def test_an_encoder_of_any_recipe_analyses_a_file(name, weights, rendered_files):
    encoder = load_encoder(weights[name])
    for path in rendered_files[:2]:
        analysis = analyse(path, encoder)
        assert analysis.embedding.shape == (RECIPES[name].arguments["dim"],)
        assert np.isfinite(analysis.embedding).all()
        assert np.linalg.norm(analysis.embedding) == pytest.approx(1, abs=1e-5)
        assert analysis.probabilities.shape == (11,)
        assert ((analysis.probabilities > 0) & (analysis.probabilities < 1)).all()


@every_recipe
def test_the_same_weights_give_the_same_answer_and_loudness_does_not_matter(name, weights, rendered_files):
    encoder, again = load_encoder(weights[name]), load_encoder(weights[name])
    with listen(rendered_files[0], ExcerptPlan()) as recording:
        y = recording.decode(encoder.frontend.sr)[0]
    embedding, probabilities, _ = encoder.encode(encoder.spectra([y]))
    np.testing.assert_array_equal(embedding, again.encode(again.spectra([y]))[0])
    softer, softer_probabilities, _ = encoder.encode(encoder.spectra([0.5 * y]))
    assert embedding @ softer > 0.9999
    np.testing.assert_allclose(probabilities, softer_probabilities, atol=1e-2)


@every_recipe
def test_the_card_holds_the_recipe(name, weights):
    card, recipe = read_card(weights[name]), RECIPES[name]
    assert card.network == recipe.network
    assert card.network_arguments == recipe.network_arguments(11)
    assert card.frontend == recipe.frontend


@every_recipe
def test_arguments_are_those_of_the_network_and_survive_json(name):
    recipe = RECIPES[name]
    arguments = recipe.network_arguments(7)
    assert arguments == {"n_mels": recipe.frontend.n_mels, "n_labels": 7} | recipe.arguments
    assert json.loads(json.dumps(arguments)) == arguments


def test_a_recipe_cannot_be_changed_through_what_it_gives():
    recipe = RECIPES["musrec"]
    recipe.network_arguments(7)["channels"].append(1)
    assert 1 not in recipe.arguments["channels"]
    with pytest.raises(FrozenInstanceError):
        recipe.network = "cnn"


@pytest.mark.filterwarnings("error")
@every_recipe
def test_no_band_of_the_front_end_is_empty(name):
    frontend = RECIPES[name].frontend
    filters = librosa.filters.mel(sr=frontend.sr, n_fft=frontend.n_fft, n_mels=frontend.n_mels)
    assert filters.max(1).min() > 0


@pytest.mark.parametrize(
    ("name", "n_mels", "n_frames", "seconds"),
    [
        ("cnn", 128, 128, 2.03),
        ("crnn", 96, 1813, 29.0),
        ("fcn", 96, 1813, 29.0),
        ("mfcc", 96, 626, 10.0),
        ("musrec", 96, 626, 10.0),
        ("short_chunk_res", 128, 231, 3.69),
    ],
)
def test_chunks_are_of_the_published_size(name, n_mels, n_frames, seconds):
    frontend = RECIPES[name].frontend
    assert (frontend.n_mels, frontend.chunk_frames) == (n_mels, n_frames)
    assert frontend.chunk_s == pytest.approx(seconds, abs=0.005)
    assert frontend.sr == 16_000


@every_recipe
def test_a_long_track_is_cut_into_chunks_that_do_not_overlap(name):
    """Sound that is heard twice costs time and tells nothing."""
    frontend = RECIPES[name].frontend
    plan = excerpt_plan(frontend.chunk_s)
    y = np.zeros(int(np.ceil(plan.excerpt_s * frontend.sr)), np.float32)
    assert chunks(y, frontend).size == y.size
    assert 55 < plan.whole_s < 62
