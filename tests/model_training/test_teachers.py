"""The teachers answer as their published originals do."""

import json
from pathlib import Path

import av
import numpy as np
import pytest

from model_training.prepare import decode_clip
from model_training.teachers import load_teachers, read_vocabularies
from model_training.teachers.base import SR, Heard, middle, power_spectrogram, read_labels

# Our teacher → (name in the reference file, name of its embedding there).
REFERENCES = {
    "fcn_msd": ("sota_fcn_msd", "l5"),
    "fcn_mtat": ("sota_fcn_mtat", "l5"),
    "fcn_jamendo": ("sota_fcn_jamendo", "l5"),
    "crnn_msd": ("sota_crnn_msd", "gru"),
    "musicnn_msd": ("musicnn_msd", "pen"),
    "musicnn_mtt": ("musicnn_mtt", "pen"),
}
CLIPS = ("MT0000011357.opus", "MT0000044741.opus")


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


@pytest.fixture(scope="module")
def folder(shared):
    return shared / "teachers"


@pytest.fixture(scope="module")
def references(folder) -> dict[str, np.ndarray]:
    with np.load(folder / "reference_outputs.npz", allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def decode_as_ffmpeg(path: Path) -> np.ndarray:
    """Decode to mono at 16 kHz with FFmpeg's own resampler, with which the references were made.

    Ours keeps 2 dB more just below 8 kHz, which musicnn hears.
    """
    resampler = av.AudioResampler("flt", "mono", SR)
    with av.open(str(path)) as container:
        frames = [f for frame in container.decode(audio=0) for f in resampler.resample(frame)]
    return np.concatenate([frame.to_ndarray()[0] for frame in frames + resampler.resample(None)])


@pytest.fixture(scope="module")
def excerpts(shared) -> dict[str, np.ndarray]:
    clips = shared / "data" / "clips" / "taffc"
    return {name: middle(decode_as_ffmpeg(clips / name), 29 * SR) for name in CLIPS}


@pytest.fixture(scope="module")
def heard(folder, excerpts) -> dict[tuple[str, str], Heard]:
    return {
        (name, clip): teacher.hear(excerpts[clip])
        for name, teacher in load_teachers(folder).items()
        for clip in CLIPS
    }  # fmt: skip


@pytest.mark.parametrize("clip", CLIPS)
@pytest.mark.parametrize("name", REFERENCES)
def test_a_teacher_hears_what_its_original_hears(heard, references, name, clip):
    reference, kind = REFERENCES[name]
    answer = heard[name, clip]
    assert cosine(answer.embedding, references[f"{reference}|{clip}|{kind}"]) > 0.999
    assert cosine(answer.probabilities, references[f"{reference}|{clip}|probabilities"]) > 0.999
    assert np.abs(answer.probabilities - references[f"{reference}|{clip}|probabilities"]).max() < 0.02


def test_our_own_decoding_changes_little(shared, folder, heard):
    y = middle(decode_clip(shared / "data" / "clips" / "taffc" / CLIPS[0], SR), 29 * SR)
    for name in ("fcn_msd", "fcn_jamendo", "musicnn_msd"):
        answer = load_teachers(folder, (name,))[name].hear(y)
        assert cosine(answer.embedding, heard[name, CLIPS[0]].embedding) > 0.98, name


@pytest.mark.parametrize("name", REFERENCES)
def test_the_comparison_above_tells_clips_apart(references, name):
    """Cosines near 1 between different clips would make it worthless."""
    reference, kind = REFERENCES[name]
    first, second = (references[f"{reference}|{clip}|{kind}"] for clip in CLIPS)
    assert cosine(first, second) < 0.97


def test_every_output_has_a_name(folder, heard):
    keys = {"fcn_msd": "msd", "crnn_msd": "msd", "fcn_mtat": "mtat", "fcn_jamendo": "jamendo"}
    for (name, _), answer in heard.items():
        labels = read_labels(folder / "labels.json", keys.get(name, name))
        assert len(labels) == len(answer.probabilities) == 50
        assert ((answer.probabilities >= 0) & (answer.probabilities <= 1)).all()


def test_only_the_teachers_asked_for_are_loaded(folder):
    assert list(load_teachers(folder, ("fcn_mtat",))) == ["fcn_mtat"]


def test_an_unknown_teacher_is_refused_and_the_known_are_listed(tmp_path):
    with pytest.raises(ValueError, match=r"unknown teachers oracle; there are .*musicnn_msd"):
        load_teachers(tmp_path, ("fcn_msd", "oracle"))


def test_a_missing_checkpoint_is_said_to_be_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"msd_fcn\.pth"):
        load_teachers(tmp_path, ("fcn_msd",))


def test_short_sound_is_heard_as_if_repeated(folder, excerpts):
    teacher = load_teachers(folder, ("fcn_msd",))["fcn_msd"]
    y = excerpts[CLIPS[0]][: 5 * SR]
    np.testing.assert_array_equal(teacher.hear(y).embedding, teacher.hear(np.resize(y, 29 * SR)).embedding)


def test_vocabularies_are_those_of_the_teachers_that_were_asked(folder):
    vocabularies = read_vocabularies(folder, ("fcn_msd",))
    assert vocabularies == {"fcn_msd": json.loads((folder / "labels.json").read_text(encoding="utf-8"))["msd"]}


@pytest.mark.parametrize("n", [1, 9, 10, 11, 25])
def test_the_middle_has_as_much_before_as_behind(n):
    y = np.arange(n, dtype=np.float32)
    cut = middle(y, 10)
    assert len(cut) == 10
    if n >= 10:
        assert cut[0] == (n - 10) // 2
        assert (np.diff(cut) == 1).all()
    else:
        np.testing.assert_array_equal(cut, np.arange(10) % n)


def test_the_spectrogram_is_that_of_librosa():
    import librosa

    y = np.random.default_rng(0).uniform(-0.5, 0.5, SR).astype(np.float32)
    expected = np.abs(librosa.stft(y, n_fft=512, hop_length=256, pad_mode="reflect")) ** 2
    np.testing.assert_allclose(power_spectrogram(y).numpy(), expected, rtol=1e-3, atol=1e-4)
