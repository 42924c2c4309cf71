"""What is served is what was trained: from a file to the embedding, both ways give the same numbers."""

import numpy as np
import pytest
import torch

from model_training.datasets.base import Clip
from model_training.examples import originals
from model_training.prepare import Job, make_shard, shard_path
from musrecd.analysis.analyse import analyse
from musrecd.analysis.encoder import load_encoder


@pytest.mark.parametrize("name", ["ours.flac", "ours.mp3"])
def test_a_file_gives_the_embedding_that_its_prepared_spectrum_gives(make_audio, tmp_path, name):
    """One chunk long, so that nothing is cut or repeated; what is left is the rounding of half floats."""
    encoder = load_encoder()
    path = tmp_path / name
    make_audio(path, seconds=encoder.frontend.chunk_s, sr=44_100)
    clips = [Clip(path, path.name, "test", "artist", (), ())]
    make_shard(Job(clips, originals(clips), None, (), tmp_path, encoder.frontend), 0)
    with np.load(shard_path(tmp_path, 0), allow_pickle=False) as shard:
        S = shard["S"].astype(np.float32)
    with torch.inference_mode():
        embedding, logits = encoder._network(torch.from_numpy(S[None]))
    served = analyse(bytes(path), encoder)
    expected = embedding[0].numpy() / np.linalg.norm(embedding[0].numpy())
    np.testing.assert_allclose(served.embedding, expected, atol=2e-3)
    np.testing.assert_allclose(served.probabilities, torch.sigmoid(logits[0]).numpy(), atol=2e-3)
