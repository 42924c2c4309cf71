"""Costs are measured on the whole way and split at the encoder."""

from model_training.evaluation import cost
from model_training.evaluation.cost import StopWatch, measure_cost
from musrecd.analysis.analyse import analyse
from musrecd.analysis.encoder import load_encoder


def test_costs_of_a_small_encoder(tiny_weights, monkeypatch):
    monkeypatch.setattr(cost, "_REPEATS", 1)
    figures = measure_cost(tiny_weights)["cost"]["musrec"]
    assert 0 < figures["front-end and network, CPU s"] < 5
    assert 0 < figures["decoding, tempo and key, CPU s"] < 5
    assert 55 < figures["sound heard, s"] < 65
    assert figures["weights, MB"] == tiny_weights.stat().st_size / 1e6
    assert 0.1 < figures["import and load, s"] < 60


def test_a_stop_watch_changes_nothing(tmp_path, make_audio, tiny_weights):
    make_audio(tmp_path / "x.wav", 12.0)
    encoder = load_encoder(tiny_weights)
    watch = StopWatch(encoder)
    watched, plain = analyse(bytes(tmp_path / "x.wav"), watch), analyse(bytes(tmp_path / "x.wav"), encoder)
    assert (watched.embedding == plain.embedding).all()
    assert watched.encoder_version == plain.encoder_version
    assert len(watch.cpu_s) == 1
