"""Every system hears every sound once, exactly as it is served, and what is kept is not asked again."""

import numpy as np
import pytest
import torch

from model_training.evaluation import hear
from model_training.evaluation.hear import Listener, Sound, Systems, mfcc_features
from model_training.evaluation.variants import decode_whole
from musrecd.analysis.analyse import analyse
from musrecd.analysis.encoder import load_encoder


@pytest.fixture
def sounds(tmp_path, make_audio) -> list[Sound]:
    made = []
    for i, seconds in enumerate((2.0, 3.0, 12.0)):
        make_audio(tmp_path / f"{i}.flac", seconds, 16_000, 1 + i % 2)
        made.append(Sound(f"{i}.flac", tmp_path / f"{i}.flac"))
    return made


@pytest.fixture
def systems(tiny_weights) -> Systems:
    return Systems(tiny_weights)


def test_ours_is_heard_as_it_is_served(sounds, systems, tiny_weights):
    torch.set_num_threads(1)
    heard = Listener(systems).hear(sounds)
    served = [analyse(bytes(sound.path), load_encoder(tiny_weights)) for sound in sounds]
    np.testing.assert_array_equal(heard["musrec"].embeddings, [analysis.embedding for analysis in served])
    np.testing.assert_array_equal(heard["musrec"].probabilities, [analysis.probabilities for analysis in served])
    mfcc = [mfcc_features(decode_whole(sound.path, 16_000), 16_000) for sound in sounds]
    np.testing.assert_array_equal(heard["mfcc"].embeddings, mfcc)
    assert heard["mfcc"].probabilities.shape == (3, 0)


def test_processes_hear_what_one_hears(sounds, systems):
    alone, together = Listener(systems).hear(sounds), Listener(systems, n_processes=2).hear(sounds)
    for name, answers in alone.items():
        np.testing.assert_allclose(together[name].embeddings, answers.embeddings, atol=1e-5)


def test_a_variant_is_another_sound(sounds, systems):
    listener = Listener(systems)
    as_it_is = listener.hear(sounds[:1])
    quieter = listener.hear([Sound(sounds[0].name, sounds[0].path, "6 dB quieter")])
    assert not np.array_equal(quieter["mfcc"].embeddings, as_it_is["mfcc"].embeddings)


def test_what_is_kept_is_not_asked_again_but_ours_is(sounds, systems, tmp_path, monkeypatch):
    first = Listener(systems, kept=tmp_path / "kept").hear(sounds)
    asked = []
    ask = hear._ask
    monkeypatch.setattr(hear, "_ask", lambda systems, names, path: asked.extend(names) or ask(systems, names, path))
    listener = Listener(systems, kept=tmp_path / "kept")
    again = listener.hear(sounds)
    assert asked == ["musrec"] * 3
    np.testing.assert_array_equal(again["mfcc"].embeddings, first["mfcc"].embeddings)
    assert set(listener.hear(sounds, names=["musrec"])) == {"musrec"}
    listener.hear(sounds)
    assert asked == ["musrec"] * 3, "nothing is asked twice"


def test_what_was_heard_is_kept_when_a_file_fails(sounds, systems, tmp_path):
    (tmp_path / "bad.flac").write_bytes(b"no sound")
    with pytest.raises(Exception, match="not a format"):
        Listener(systems, kept=tmp_path / "kept").hear([*sounds, Sound("bad", tmp_path / "bad.flac")])
    with np.load(tmp_path / "kept" / "mfcc.npz") as kept:
        assert len(kept["sounds"]) == 3


def test_teachers_answer_as_when_asked_directly(shared, sounds, tiny_weights):
    from model_training.teachers import load_teachers

    heard = Listener(Systems(tiny_weights, shared / "teachers", ("fcn_msd",))).hear(sounds[-1:])
    direct = load_teachers(shared / "teachers", ("fcn_msd",))["fcn_msd"].hear(decode_whole(sounds[-1].path, 16_000))
    np.testing.assert_allclose(heard["fcn_msd"].embeddings[0], direct.embedding, rtol=1e-5)
    np.testing.assert_allclose(heard["fcn_msd"].probabilities[0], direct.probabilities, rtol=1e-5)
