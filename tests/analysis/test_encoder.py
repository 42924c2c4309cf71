"""The encoder answers soundly, and weights that are not what their card says never get that far."""

import hashlib
import io
import json
import pickle
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save

from musrecd.analysis.card import SHIPPED_WEIGHTS, read_card
from musrecd.analysis.encoder import MEL_FILTERS, load_encoder
from musrecd.errors import EncoderError

SR = 16_000
# The arguments of the network in `tiny_weights`.
TINY = {"n_mels": 96, "n_labels": 11, "dim": 32, "stem": 8, "channels": [8, 16], "depths": [1, 1]}


def encoded(encoder, ys):
    """Hear excerpts as serving does: the embedding and the probabilities."""
    return encoder.encode(encoder.spectra(ys))[:2]


@pytest.fixture(scope="module")
def encoder(tiny_weights):
    return load_encoder(tiny_weights)


@pytest.fixture(scope="module")
def music(rendered_files, hear) -> list[np.ndarray]:
    return [hear(path)[0] for path in rendered_files[:4]]


@pytest.fixture
def weights(tmp_path, tiny_weights) -> Path:
    """A copy to damage."""
    for suffix in (".safetensors", ".json"):
        shutil.copy(tiny_weights.with_suffix(suffix), tmp_path / f"tiny{suffix}")
    return tmp_path / "tiny.safetensors"


def edit_card(weights: Path, **fields) -> None:
    """Change fields of the card; None takes them away."""
    card = json.loads(weights.with_suffix(".json").read_text(encoding="utf-8"))
    card = {name: value for name, value in (card | fields).items() if value is not None}
    weights.with_suffix(".json").write_text(json.dumps(card), encoding="utf-8")


def replace_weights(weights: Path, data: bytes) -> None:
    """Put `data` in place of the weights and let the card vouch for them."""
    weights.write_bytes(data)
    edit_card(weights, weights_sha256=hashlib.sha256(data).hexdigest())


def refused(weights: Path) -> str:
    """Return the one line with which `weights` are refused."""
    with pytest.raises(EncoderError) as caught:
        load_encoder(weights)
    line = str(caught.value)
    assert "\n" not in line
    assert len(line) < 400
    return line


def test_the_embedding_is_of_unit_length_and_probabilities_are_probabilities(encoder, music):
    for y in music:
        embedding, probabilities = encoded(encoder, [y])
        assert embedding.shape == (32,)
        assert probabilities.shape == (len(encoder.info.labels),) == (11,)
        assert embedding.dtype == probabilities.dtype == np.float32
        assert np.linalg.norm(embedding) == pytest.approx(1, abs=1e-5)
        assert ((probabilities > 0) & (probabilities < 1)).all()


def test_different_music_gives_different_answers(encoder, music):
    embeddings = np.stack([encoded(encoder, [y])[0] for y in music])
    cosines = embeddings @ embeddings.T
    assert cosines[~np.eye(len(music), dtype=bool)].max() < 0.99


def test_the_same_sound_gives_the_same_answer_also_after_loading_again(encoder, tiny_weights, music):
    again = load_encoder(tiny_weights)
    once = encoded(encoder, music[:2])
    for other in (encoder, again):
        for first, second in zip(once, encoded(other, music[:2]), strict=True):
            np.testing.assert_array_equal(first, second)


def test_loudness_does_not_matter(encoder, music):
    for y in music[:2]:
        loud, soft = encoded(encoder, [y])[0], encoded(encoder, [0.25 * y])[0]
        assert loud @ soft > 0.999


def test_the_embedding_is_that_of_all_chunks_together(encoder, music):
    """Also of more chunks than the network is given at once, and however the excerpts are cut."""
    ys = [np.resize(y, 50 * SR) for y in music[:2]]
    together, _ = encoded(encoder, ys)
    parts = [y[start : start + 10 * SR] for y in ys for start in range(0, 50 * SR, 10 * SR)]
    assert len(parts) == 10
    separate, _ = encoded(encoder, parts)
    np.testing.assert_allclose(together, separate, atol=1e-5)


def test_short_sound_is_heard_as_if_repeated(encoder, music):
    y = music[0][: 3 * SR]
    np.testing.assert_allclose(encoded(encoder, [y])[0], encoded(encoder, [np.resize(y, 10 * SR)])[0], atol=1e-6)


@pytest.mark.parametrize("n", [1, 1000, 10 * SR, 25 * SR])
@pytest.mark.parametrize("level", [0.0, 5e-5])
def test_of_silence_every_label_is_denied_and_the_embedding_is_sound(encoder, n, level):
    y = (level * np.random.default_rng(0).uniform(-1, 1, n)).astype(np.float32)
    embedding, probabilities = encoded(encoder, [y])
    assert not probabilities.any()
    assert np.isfinite(embedding).all()
    assert np.linalg.norm(embedding) == pytest.approx(1, abs=1e-5)


def test_silent_excerpts_do_not_count_beside_others(encoder, music):
    silence = np.zeros(10 * SR, np.float32)
    for alone, beside in zip(encoded(encoder, [music[0]]), encoded(encoder, [silence, music[0], silence]), strict=True):
        np.testing.assert_allclose(alone, beside, atol=1e-6)


def test_very_soft_music_is_heard_and_not_taken_for_silence(encoder, music):
    assert encoded(encoder, [np.float32(0.001) * music[0] / np.abs(music[0]).max()])[1].all()


def test_the_card_is_read_without_the_weights(weights):
    weights.unlink()
    card = read_card(weights)
    assert card.info.version == "tiny-1"
    assert card.info.dim == 32
    assert {label.group for label in card.info.labels} == {"genre", "instrument", "voice", "mood"}


def test_missing_weights_are_said_to_be_missing(weights):
    weights.unlink()
    assert "No such file" in refused(weights)


def test_a_missing_card_is_said_to_be_missing(weights):
    weights.with_suffix(".json").unlink()
    line = refused(weights)
    assert "tiny.json" in line
    assert "No such file" in line


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"7", b"null", b'"card"', b"\xff\xfe\x00", b"{}"])
def test_a_card_that_is_none_is_refused(weights, text):
    weights.with_suffix(".json").write_bytes(text)
    assert "not an encoder card" in refused(weights)


@pytest.mark.parametrize("key", ["version", "weights_sha256", "network", "network_arguments", "frontend", "labels"])
def test_every_field_of_the_card_is_needed_and_named_when_missing(weights, key):
    edit_card(weights, **{key: None})
    assert key in refused(weights)


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"network": "transformer"}, "musrec"),
        ({"network_arguments": TINY | {"dim": 64}}, "does not fit"),
        ({"network_arguments": TINY | {"channels": [8], "depths": [1]}}, "does not fit"),
        ({"network_arguments": TINY | {"n_labels": 7}}, "does not fit"),
        ({"network_arguments": {key: value for key, value in TINY.items() if key != "n_mels"}}, "cannot be built"),
        ({"frontend": {"n_mels": 64}}, "mel filter bank"),
        ({"frontend": {"n_fft": 1024}}, "mel filter bank"),
        ({"frontend": {"n_ffts": 1024}}, "not an encoder card"),
        ({"labels": [{"name": "Rock"}]}, "not an encoder card"),
        ({"weights_sha256": "0" * 64}, "damaged or not the file"),
    ],
)
def test_a_card_of_other_weights_is_refused(weights, fields, word):
    edit_card(weights, **fields)
    assert word in refused(weights)


@pytest.mark.parametrize("n_labels", [0, 10, 12])
def test_a_card_with_more_or_fewer_labels_than_the_network_has_outputs_is_refused(weights, n_labels):
    """Or every probability behind the gap would stand beside another word."""
    labels = [{"name": f"Label {i}", "group": "genre"} for i in range(n_labels)]
    edit_card(weights, labels=labels)
    assert "n_labels" in refused(weights)


def test_a_card_whose_front_end_has_other_bands_than_the_network_is_refused(weights):
    arguments = {"n_mels": 64, "n_labels": 11, "dim": 32, "channels": [8, 16]}
    edit_card(weights, network_arguments=arguments)
    assert "n_mels" in refused(weights)


@pytest.mark.parametrize("place", [0, 9, 5000, -1])
def test_one_flipped_bit_is_noticed(weights, place):
    data = bytearray(weights.read_bytes())
    data[place] ^= 1
    weights.write_bytes(data)
    assert "damaged" in refused(weights)


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_truncated_weights_are_noticed(weights, share):
    data = weights.read_bytes()
    weights.write_bytes(data[: int(share * len(data))])
    assert "damaged" in refused(weights)


class Trap:
    """Unpickling this creates a file."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self):
        return (open, (self.path, "w"))


@pytest.mark.parametrize("kind", ["pickle", "torch zip", "torch legacy"])
def test_a_pickle_that_calls_itself_safetensors_is_refused_and_executes_nothing(weights, tmp_path, kind):
    trap = {"weight": Trap(str(tmp_path / "executed"))}
    buffer = io.BytesIO()
    if kind == "pickle":
        pickle.dump(trap, buffer)
    else:
        torch.save(trap, buffer, _use_new_zipfile_serialization=kind == "torch zip")
    replace_weights(weights, buffer.getvalue())
    assert "not a safetensors file" in refused(weights)
    assert not (tmp_path / "executed").exists()
    if kind == "pickle":
        pickle.loads(buffer.getvalue())["weight"].close()
        assert (tmp_path / "executed").exists(), "the trap itself does not work"


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(struct.pack("<Q", 2**62) + b"{}", id="header of 2^62 bytes"),
        pytest.param(struct.pack("<Q", 2) + b"[]", id="header that is a list"),
        pytest.param(struct.pack("<Q", 2) + b"{}", id="no tensors"),
        pytest.param(
            struct.pack("<Q", 65) + b'{"a":{"dtype":"F32","shape":[9999999],"data_offsets":[0,4]}}    ' + bytes(4),
            id="shape larger than the data",
        ),
    ],
)
def test_files_that_are_no_weights_are_refused_though_the_card_vouches_for_them(weights, data):
    replace_weights(weights, data)
    refused(weights)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused(weights, bad):
    state = load_file(weights)
    state["embed.weight"][3, 5] = bad
    replace_weights(weights, save(state))
    assert "not finite" in refused(weights)


def test_weights_without_a_filter_bank_are_refused(weights):
    state = load_file(weights)
    del state[MEL_FILTERS]
    replace_weights(weights, save(state))
    assert "mel filter bank" in refused(weights)


@pytest.mark.parametrize("change", ["missing", "extra", "wrong shape"])
def test_layers_that_do_not_fit_the_network_are_refused(weights, change):
    state = load_file(weights)
    if change == "missing":
        del state["embed.weight"]
    elif change == "extra":
        state["attention.weight"] = torch.zeros(3)
    else:
        state["embed.weight"] = state["embed.weight"][:, :-1].contiguous()
    replace_weights(weights, save(state))
    assert "does not fit network 'musrec'" in refused(weights)


def test_the_shipped_encoder_can_be_loaded_and_knows_genres():
    if not SHIPPED_WEIGHTS.exists():
        pytest.skip("no encoder is shipped yet")
    encoder = load_encoder()
    y = np.random.default_rng(0).uniform(-0.5, 0.5, 10 * SR).astype(np.float32)
    embedding, probabilities = encoded(encoder, [y])
    assert embedding.shape == (encoder.info.dim,)
    assert probabilities.shape == (len(encoder.info.labels),)
    assert encoder.info.version.endswith(hashlib.sha256(SHIPPED_WEIGHTS.read_bytes()).hexdigest()[:8])
    assert sum(label.group == "genre" for label in encoder.info.labels) > 10
