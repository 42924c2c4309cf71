"""Score an encoder on clips whose artists were not trained on, beside hand-made features and the teachers.

    python -m model_training.evaluate --data DATA --cache CACHE [--weights FILE] --output validation.npz

Prints nearest-neighbour precision and mean average precision with 95 % intervals (artists resampled), and
writes the embeddings with their labels, so that any other program can score them.
"""

import json
from pathlib import Path

import click
import librosa
import numpy as np
from rich.progress import track

from model_training.corpus import read_teacher_embeddings
from model_training.datasets.base import Clip
from model_training.datasets.clips import load_clips
from model_training.labels import main_genre
from model_training.prepare import decode_clip
from model_training.retrieval import Scores, score
from model_training.splits import read_validation
from musrecd.analysis.analyse import analyse
from musrecd.analysis.card import SHIPPED_WEIGHTS
from musrecd.analysis.encoder import load_encoder
from musrecd.types import FloatArray

_MIN_CLASS = 5


def mfcc_features(y: FloatArray, sr: int) -> FloatArray:
    """Mean and spread of 20 MFCC and spread of their deltas (60,): what musrec did without a network."""
    mfcc = librosa.feature.mfcc(y=y, sr=sr, n_mfcc=20)
    width = min(9, mfcc.shape[1] - 1 + mfcc.shape[1] % 2)
    deltas = librosa.feature.delta(mfcc, width=max(3, width))
    features: FloatArray = np.concatenate([mfcc.mean(1), mfcc.std(1), deltas.std(1)]).astype(np.float32)
    return features


def validation_clips(clips: list[Clip]) -> list[tuple[int, Clip]]:
    """Clips to score, with their places in the list: validating, of one genre that has enough of them."""
    validation = read_validation()
    chosen = [(i, clip) for i, clip in enumerate(clips) if clip.name in validation and main_genre(clip)]
    genres = [main_genre(clip) for _, clip in chosen]
    return [pair for pair, genre in zip(chosen, genres, strict=True) if genres.count(genre) >= _MIN_CLASS]


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True, help="Folder with clips.csv.")
@click.option("--cache", type=click.Path(exists=True, path_type=Path), required=True, help="Prepared shards.")
@click.option("--weights", type=click.Path(exists=True, path_type=Path), default=SHIPPED_WEIGHTS)
@click.option("--output", type=click.Path(path_type=Path), required=True, help="The .npz to write.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def main(data: Path, cache: Path, weights: Path, output: Path, as_json: bool) -> None:
    """Score the encoder on the validation clips."""
    chosen = validation_clips(load_clips(data))
    encoder = load_encoder(weights)
    ours, mfcc = [], []
    for _, clip in track(chosen, "Hearing", disable=as_json):
        ours.append(analyse(bytes(clip.path), encoder).embedding)
        mfcc.append(mfcc_features(decode_clip(clip.path, encoder.frontend.sr), encoder.frontend.sr))
    entries = {"musrec": np.stack(ours), "mfcc": np.stack(mfcc)}
    for teacher, embeddings in read_teacher_embeddings(cache).items():
        entries[teacher] = embeddings[[i for i, _ in chosen]]
    labels = np.array([main_genre(clip) for _, clip in chosen])
    groups = np.array([clip.group for _, clip in chosen])
    named = {("embeddings" if name == "musrec" else f"embeddings_{name}"): e for name, e in entries.items()}
    paths = np.array([clip.name for _, clip in chosen])
    np.savez(output, allow_pickle=False, paths=paths, labels=labels, artists=groups, **named)
    scores = {name: score(embeddings, labels, groups) for name, embeddings in entries.items()}
    click.echo(json.dumps({k: s.to_dict() for k, s in scores.items()}) if as_json else _table(scores))


def _table(scores: dict[str, Scores]) -> str:
    lines = [f"{'':14}" + "".join(f"{name:>22}" for name in ("p@1", "p@10", "mAP"))]
    for name, entry in scores.items():
        cells = "".join(f"{m:10.3f} [{a:.3f}, {b:.3f}]"[-22:].rjust(22) for m, a, b in entry.to_dict().values())
        lines.append(f"{name:14}{cells}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
