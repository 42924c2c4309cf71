"""The encoder that musrec ships is the one its card describes, and hears clearly better than hand-made features."""

import numpy as np
import torch

from model_training.datasets.clips import load_clips
from model_training.evaluation.hear import mfcc_features
from model_training.evaluation.retrieval import score
from model_training.evaluation.study import single_genre
from model_training.labels import LABELS, main_genre
from model_training.prepare import decode_clip
from model_training.splits import read_validation
from musrecd.analysis.analyse import analyse
from musrecd.analysis.card import SHIPPED_WEIGHTS, read_card
from musrecd.analysis.encoder import load_encoder

_CLIPS_PER_GENRE = 8


def test_labels_are_those_of_the_one_list():
    assert read_card().info.labels == tuple(source.label for source in LABELS)


def test_weights_are_small_enough_to_ship_and_named_by_their_checksum():
    card = read_card()
    assert SHIPPED_WEIGHTS.stat().st_size < 12e6
    assert card.info.version.endswith(card.weights_sha256[:8])


def test_neighbours_share_a_genre_more_often_than_with_mfcc(shared):
    """Check on a part of the validation clips; the figures of the README are from all of them."""
    torch.set_num_threads(1)
    encoder = load_encoder()
    chosen, counts = [], dict.fromkeys((source.label.name for source in LABELS), 0)
    validation = read_validation()
    for clip in single_genre([clip for clip in load_clips(shared / "data") if clip.name in validation]):
        counts[main_genre(clip)] = counts.get(main_genre(clip), 0) + 1
        if counts[main_genre(clip)] <= _CLIPS_PER_GENRE:
            chosen.append(clip)
    ours = np.stack([analyse(bytes(clip.path), encoder).embedding for clip in chosen])
    sr = encoder.frontend.sr
    mfcc = np.stack([mfcc_features(decode_clip(clip.path, sr), sr) for clip in chosen])
    labels = np.array([main_genre(clip) for clip in chosen])
    names = np.array([clip.name for clip in chosen])
    assert score(ours, labels, names).p_at_10[0] > 1.3 * score(mfcc, labels, names).p_at_10[0]
