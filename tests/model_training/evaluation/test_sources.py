"""The source probe gives chance where nothing tells the source, and all where something does."""

from dataclasses import replace

import numpy as np
import pytest

from model_training.evaluation.sources import balance, measure_sources, shared_genres
from tests.model_training.evaluation.conftest import make_clip

# Genres that both sources hold, one of them far more often in one.
COUNTS = {("Blues", "taffc"): 40, ("Blues", "gtzan"): 10, ("Jazz", "taffc"): 15, ("Jazz", "gtzan"): 15}


def clips() -> list:
    made = [make_clip(f"{g}{s}{i}", s, (g,)) for (g, s), n in COUNTS.items() for i in range(n)]
    return [*made, *(make_clip(f"disco{i}", "gtzan", ("Disco",)) for i in range(20))]


def test_only_genres_of_several_sources_are_looked_at():
    assert {clip.genres[0] for clip in shared_genres(clips())} == {"Blues", "Jazz"}
    lonely = [*clips(), make_clip("one", "taffc", ("Classical",)), make_clip("two", "gtzan", ("Classical",))]
    assert {clip.genres[0] for clip in shared_genres(lonely)} == {"Blues", "Jazz"}


def test_sources_of_a_genre_count_alike():
    genres = np.array(["Blues"] * 4 + ["Jazz"] * 2)
    sources = np.array(["a", "a", "a", "b", "a", "b"])
    weights = balance(genres, sources)
    np.testing.assert_allclose(weights, [2 / 3, 2 / 3, 2 / 3, 2, 1, 1])


def test_what_tells_the_source_is_found_and_what_tells_the_genre_is_not(make_study):
    everything = clips() + [replace(clip, name=f"training {clip.name}", group=f"t {clip.group}") for clip in clips()]
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((len(everything), 4))
    is_blues = np.array([clip.genres[0] == "Blues" for clip in everything])
    is_taffc = np.array([clip.source == "taffc" for clip in everything])
    study = make_study(
        everything,
        {"musrec": noise + 20 * is_blues[:, None], "mfcc": noise + 20 * is_taffc[:, None]},
        training=[clip.name for clip in everything if clip.name.startswith("training")],
    )
    table = measure_sources(study)["sources"]
    for how in ("fitted within", "fitted on training artists"):
        assert table["chance"][how] == pytest.approx(0.5)
        assert table["musrec"][how][0] == pytest.approx(0.5, abs=0.15)
        assert table["mfcc"][how][0] > 0.95
