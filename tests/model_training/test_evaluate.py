"""The whole evaluation, on made-up clips and a small untrained encoder, from the command to card and pictures."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from model_training import evaluate, figures
from model_training.__main__ import main
from model_training.card import model_card
from model_training.evaluation import cost, robustness

_PITCHES_HZ = {"Jazz": 300, "Hip Hop": 1200}
_WORDS = {"gtzan": {"Jazz": "Jazz", "Hip Hop": "Hiphop"}, "taffc": {"Jazz": "Jazz", "Hip Hop": "Rap"}}
# A quarter is drawn to validate; ten clips of a genre are wanted there.
_PER_KIND = 24


@pytest.fixture(scope="module")
def data(make_audio, tmp_path_factory) -> Path:
    """A folder of short clips of two genres and two sources, each by an artist of its own, with moods in one."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "clips").mkdir()
    rng = np.random.default_rng(0)
    t = np.arange(8000) / 16_000
    rows = []
    for genre, hz in _PITCHES_HZ.items():
        for source, words in _WORDS.items():
            for i in range(_PER_KIND):
                name = f"{source}{words[genre]}{i}.wav"
                y = 0.3 * np.sin(2 * np.pi * hz * rng.uniform(0.8, 1.25) * t) + rng.normal(0, 0.05, t.size)
                make_audio(folder / "clips" / name, sr=16_000, y=y)
                mood = f"Q{i % 4 + 1}" if source == "taffc" else ""
                rows.append([name, source, f"artist of {name}", name, words[genre], mood, "none"])
    with (folder / "clips.csv").open("w", encoding="utf-8", newline="") as table:
        csv.writer(table).writerows([["path", "source", "artist", "title", "genres", "moods", "licence"], *rows])
    return folder


@pytest.fixture(scope="module")
def evaluated(data, make_weights, make_audio, tmp_path_factory) -> Path:
    """A folder with what the command wrote: figures.json, validation.npz, weights and their card, printed.txt."""
    folder = tmp_path_factory.mktemp("evaluated")
    weights = make_weights(folder / "encoder.safetensors")
    (folder / "tracks").mkdir()
    make_audio(folder / "tracks" / "long.flac", 40.0, 16_000, 1)
    arguments = {
        "--data": data, "--tracks": folder / "tracks", "--weights": weights, "--cache": folder / "cache",
        "--output": folder / "validation.npz", "--json": folder / "figures.json",
    }  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cost, "_REPEATS", 1)
        patch.setattr(robustness, "VARIANTS", ("middle 30 s", "6 dB quieter"))
        found = CliRunner().invoke(evaluate.main, [str(part) for pair in arguments.items() for part in pair])
    assert found.exit_code == 0, found.output
    (folder / "printed.txt").write_text(found.output, encoding="utf-8")
    return folder


def test_every_section_is_printed_and_written(evaluated):
    tables = json.loads((evaluated / "figures.json").read_text(encoding="utf-8"))["tables"]
    printed = (evaluated / "printed.txt").read_text(encoding="utf-8")
    assert {"data", "similarity", "moods", "sources", "robustness", "cost", "goals"} <= set(tables)
    assert all(f"{title}\n" in printed for title in tables)
    assert set(tables["similarity"]) == set(tables["robustness"]) == {"musrec", "mfcc"}
    n = sum(cells["validating clips"] for cells in tables["data"].values())
    assert tables["robustness"]["musrec"][f"6 dB quieter ({n})"][0] > 0.9
    assert "middle 30 s (1)" in tables["robustness"]["musrec"]


def test_the_file_of_embeddings_is_scored_alike_by_the_independent_program(evaluated, independent):
    tables = json.loads((evaluated / "figures.json").read_text(encoding="utf-8"))["tables"]
    arrays = independent.load(evaluated / "validation.npz")
    for key, system in (("embeddings", "musrec"), ("embeddings_mfcc", "mfcc")):
        theirs = independent.evaluate(arrays[key], arrays["labels"], arrays["artists"], norm="z")
        for ours, name in (("p@1", "z p@1"), ("p@10", "z p@10"), ("mAP", "z mAP"), ("probe", "probe")):
            assert tables["similarity"][system][ours][0] == pytest.approx(theirs[name][0], abs=0.001), (system, ours)


def test_an_evaluation_of_one_section_leaves_the_others(evaluated, data, tmp_path):
    before = json.loads((evaluated / "figures.json").read_text(encoding="utf-8"))
    (tmp_path / "figures.json").write_text(json.dumps(before), encoding="utf-8")
    options = ["--data", data, "--weights", evaluated / "encoder.safetensors", "--json", tmp_path / "figures.json"]
    found = CliRunner().invoke(evaluate.main, [*map(str, options), "--only", "data"])
    assert found.exit_code == 0, found.output
    assert json.loads((tmp_path / "figures.json").read_text(encoding="utf-8")) == before


def test_a_section_that_does_not_exist_is_refused(data):
    found = CliRunner().invoke(evaluate.main, ["--data", str(data), "--only", "data,smell"])
    assert found.exit_code == 2
    assert "smell: there are data, similarity" in found.output


def test_a_file_that_holds_no_figures_is_not_written_over(data, evaluated):
    """The card of the weights, for example, which has the name that one would give to the figures."""
    card = evaluated / "encoder.json"
    before = card.read_bytes()
    options = ["evaluate", "--data", data, "--weights", evaluated / "encoder.safetensors", "--json", card]
    found = CliRunner().invoke(main, [*map(str, options), "--only", "data"])
    assert found.exit_code == 1
    assert "holds no figures" in found.output
    assert card.read_bytes() == before


def test_the_figures_fit_on_the_card(evaluated):
    card = json.loads((evaluated / "encoder.json").read_text(encoding="utf-8"))
    card["training"] = {"settings": {}, "collections": [], "teachers": [], "n_examples": 0, "note": ""}
    card["figures"] = json.loads((evaluated / "figures.json").read_text(encoding="utf-8"))
    text = model_card(card)
    assert "Not measured" not in text
    assert "$" not in text


def test_pictures_are_drawn_and_small(evaluated, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    rows = [f"{step},{1 / step},{2 / step}" for step in range(25, 2000, 25)]
    (run / "log.csv").write_text("\n".join(["step,labels,total", *rows]), encoding="utf-8")
    options = ["--validation", evaluated / "validation.npz", "--run", run, "--output", tmp_path / "figures"]
    found = CliRunner().invoke(figures.main, list(map(str, options)))
    assert found.exit_code == 0, found.output
    written = {path.stem: path for path in (tmp_path / "figures").iterdir()}
    assert set(written) == {"training", "confusion", "precision", "reliability", "map"}
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in written.values())
    assert all(5_000 < path.stat().st_size < 150_000 for path in written.values())


def test_smoothing_keeps_a_constant_and_the_length():
    np.testing.assert_allclose(figures._smoothed(np.full(50, 3.0)), 3.0)
    np.testing.assert_allclose(figures._smoothed(np.array([1.0, 3.0])), [1.0, 2.0])
