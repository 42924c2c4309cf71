"""Prepared examples: what is known of them, and random batches that keep to the training clips."""

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

from model_training import prepare
from model_training.corpus import batches, load_corpus
from model_training.datasets.base import Clip
from model_training.examples import Example, Layer, originals
from model_training.labels import LABELS, truth
from model_training.plan import Sounds
from model_training.prepare import Job, make_shard, mel_filters, shard_path
from model_training.teachers.base import Heard
from musrecd.analysis.frontend import FrontendConfig, log_mel

N_MELS = 96
VOCABULARIES = {
    "fcn_msd": sorted({word for source in LABELS for vocabulary, word in source.teachers if vocabulary == "msd"})
}
GENRES = ("Jazz", "Rap", "Classical", "Country")


def make_clips(n: int, folder: Path = Path()) -> list[Clip]:
    return [
        Clip(folder / f"{i}.flac", f"{i}.flac", "taffc", f"artist:{i}", (GENRES[i % 4],), ("Q1",)) for i in range(n)
    ]


def make_examples(clips: list[Clip]) -> list[Example]:
    """Make the clips, then four variations and four mixtures of them."""
    examples = originals(clips) + [Example((Layer(i, 1.1),)) for i in range(4)]
    return examples + [Example((Layer(i), Layer(i + 1))) for i in range(4)]


def write_shard(cache: Path, shard: int, n: int, first: int = 0) -> None:
    clips = make_clips(12)
    names = [example.name(clips) for example in make_examples(clips)]
    rng = np.random.default_rng(shard)
    frames = [30 + 7 * i for i in range(n)]
    S = np.concatenate([np.full((N_MELS, m), first + i, np.float16) for i, m in enumerate(frames)], axis=1)
    np.savez(
        shard_path(cache, shard),
        S=S,
        n_frames=np.array(frames),
        examples=np.array(names[first : first + n]),
        **{
            "fcn_msd/embedding": rng.standard_normal((n, 6)).astype(np.float32) * 3 + 1,
            "fcn_msd/probabilities": rng.random((n, len(VOCABULARIES["fcn_msd"]))).astype(np.float32),
        },
    )


@pytest.fixture
def corpus(tmp_path):
    """Twelve clips, the last four of them validating, then four variations and four mixtures."""
    clips = make_clips(12)
    examples = make_examples(clips)
    write_shard(tmp_path, 0, 10)
    write_shard(tmp_path, 1, 10, first=10)
    held_out = frozenset(f"{i}.flac" for i in range(8, 12))
    return load_corpus(tmp_path, Sounds(clips, examples, held_out), VOCABULARIES)


def test_every_spectrum_is_as_long_as_it_was_and_in_order(corpus):
    assert len(corpus.spectra) == 20
    for i, S in enumerate(corpus.spectra):
        assert S.shape == (N_MELS, 30 + 7 * (i % 10))
        assert set(S.ravel()) == {i}


def test_validation_clips_and_nothing_else_are_kept_from_training(corpus):
    assert list(np.flatnonzero(~corpus.training)) == [8, 9, 10, 11]


def test_teacher_embeddings_are_standardised_over_the_training_examples(corpus):
    z = corpus.teacher_embeddings["fcn_msd"][corpus.training]
    np.testing.assert_allclose(z.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(z.std(0), 1, atol=1e-4)
    assert np.abs(corpus.teacher_embeddings["fcn_msd"]).max() <= 5


def test_truths_stand_where_a_clip_is_heard_alone_and_opinions_elsewhere(corpus):
    """So few artists teach nobody to translate: no truth is halved."""
    clips = make_clips(12)
    for row in range(16):
        clip = clips[row if row < 12 else row - 12]
        for column, source in enumerate(LABELS):
            value = truth(source, clip)
            assert corpus.is_truth[row, column] == (value is not None)
            if value is not None:
                assert corpus.label_targets[row, column] == value
    assert not corpus.is_truth[16:].any(), "nobody labelled the mixtures"


def test_a_label_that_nobody_knows_is_presumed_absent_from_a_clip_and_unknown_of_a_mixture(corpus):
    cello = next(i for i, source in enumerate(LABELS) if source.label.name == "Cello")
    assert (corpus.label_targets[:16, cello] == 0).all()
    assert not corpus.is_truth[:, cello].any()
    assert np.isnan(corpus.label_targets[16:, cello]).all()


def test_shards_of_other_examples_are_refused(tmp_path):
    write_shard(tmp_path, 0, 10)
    clips = make_clips(12)
    with pytest.raises(ValueError, match="other examples"):
        load_corpus(tmp_path, Sounds(clips[::-1], originals(clips), frozenset()), VOCABULARIES)


def test_shards_behind_a_gap_are_not_read(tmp_path):
    """Or their rows would stand beside the wrong examples."""
    clips = make_clips(30)
    for shard in (0, 2):
        write_shard(tmp_path, shard, 10)
    corpus = load_corpus(tmp_path, Sounds(clips, originals(clips), frozenset()), VOCABULARIES)
    assert len(corpus.spectra) == 10


def test_without_shards_it_is_said_how_to_make_them(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"model_training prepare"):
        load_corpus(tmp_path, Sounds([], [], frozenset()), VOCABULARIES)


def test_batches_hold_training_examples_only_and_half_of_them_labelled(corpus):
    for batch in islice(batches(corpus, n_examples=4, n_excerpts=2, n_frames=20, seed=0), 30):
        rows = batch.example.numpy()
        assert corpus.training[rows].all()
        assert batch.S.shape == (8, N_MELS, 20)
        assert batch.S.dtype == torch.float32
        assert (rows[::2] == rows[1::2]).all()
        assert len(set(rows[:4])) == 2
        assert corpus.is_truth[rows[:4]].any(1).all()
        assert not corpus.is_truth[rows[4:]].any()


def test_every_row_of_a_batch_is_of_the_example_it_names(corpus):
    batch = next(batches(corpus, n_examples=4, n_excerpts=2, n_frames=20, seed=1))
    for i, row in enumerate(batch.example.tolist()):
        assert (batch.S[i] == row).all()
        np.testing.assert_array_equal(batch.teacher_embeddings["fcn_msd"][i], corpus.teacher_embeddings["fcn_msd"][row])
        np.testing.assert_array_equal(batch.label_targets[i], corpus.label_targets[row])


def test_batches_are_the_same_for_the_same_seed(corpus):
    first, again, other = (
        [b.example.tolist() for b in islice(batches(corpus, n_examples=4, n_excerpts=1, n_frames=20, seed=s), 5)]
        for s in (0, 0, 1)
    )
    assert first == again != other


def test_examples_shorter_than_an_excerpt_are_repeated(corpus):
    batch = next(batches(corpus, n_examples=4, n_excerpts=1, n_frames=500, seed=0))
    assert batch.S.shape == (4, N_MELS, 500)


class Parrot:
    """A teacher that repeats the loudness of what it hears."""

    labels = ("loud",)

    def hear(self, y):
        level = np.array([np.abs(y).max()], np.float32)
        return Heard(level, level)


def test_a_shard_holds_the_spectra_and_answers_of_its_examples(tmp_path, make_audio, monkeypatch):
    monkeypatch.setattr(prepare, "load_teachers", lambda folder, names: {"parrot": Parrot()})
    monkeypatch.setattr(torch, "set_num_threads", lambda n: None)
    clips = make_clips(3, tmp_path)
    for i, clip in enumerate(clips):
        make_audio(clip.path, 1.0 + i, 16_000, 1)
    config = FrontendConfig()
    job = Job(clips, originals(clips), tmp_path, ("parrot",), tmp_path, config)
    make_shard(job, 0)
    with np.load(shard_path(tmp_path, 0), allow_pickle=False) as shard:
        assert shard["n_frames"].tolist() == [63, 126, 188]
        assert shard["parrot/embedding"].shape == (3, 1)
        S = np.split(shard["S"], np.cumsum(shard["n_frames"])[:-1], axis=1)
    for clip, each in zip(clips, S, strict=True):
        expected = log_mel(prepare.decode_clip(clip.path, config.sr), config, mel_filters(config))
        np.testing.assert_allclose(each, expected, atol=0.05)
    assert [path.name for path in tmp_path.glob("*.npz")] == ["shard-0000.npz"]


def test_a_shard_that_is_there_is_not_made_again(tmp_path, monkeypatch):
    monkeypatch.setattr(prepare, "load_teachers", lambda folder, names: pytest.fail("it was made again"))
    shard_path(tmp_path, 0).write_bytes(b"made before")
    make_shard(Job([], [], tmp_path, (), tmp_path, FrontendConfig()), 0)
    assert shard_path(tmp_path, 0).read_bytes() == b"made before"
