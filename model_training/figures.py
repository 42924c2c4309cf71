"""Pictures for the documentation, from what `evaluate` and a run wrote.

python -m model_training figures --validation validation.npz [--run RUN] [--output docs/figures]
"""

from collections.abc import Callable
from pathlib import Path

import click
import matplotlib
import numpy as np

matplotlib.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from model_training.evaluation.calibration import reliability
from model_training.evaluation.intervals import interval
from model_training.evaluation.retrieval import z_scored
from model_training.log import read_log

Arrays = dict[str, np.ndarray]

_DPI = 110
_SMOOTHED_STEPS = 20
_MIN_WRITTEN = 3
_MIN_CLASS = 5
_PCA_DIMENSIONS = 30
_MARKERS = "os^DvP*X<>ph"
_OTHER = "other"


def draw_training(log: list[dict[str, float]]) -> Figure:
    """Draw every term of the loss and their total over the steps."""
    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    steps = [row["step"] for row in log]
    for name in [key for key in log[0] if key != "step"]:
        values = _smoothed(np.array([row[name] for row in log]))
        style = {"color": "black", "linewidth": 2} if name == "total" else {"linewidth": 1.2}
        axes.plot(steps, values, label=name, **style)
    axes.set(xlabel="step", ylabel="loss (weighted terms)", yscale="log", title="Training")
    axes.grid(alpha=0.3, which="both")
    axes.legend(frameon=False, ncols=2, loc="upper right")
    return figure


def _smoothed(values: np.ndarray) -> np.ndarray:
    """Mean over the last rows of the log, fewer at its beginning."""
    sums = np.cumsum(np.concatenate([[0.0], values]))
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(0, ends - _SMOOTHED_STEPS)
    means: np.ndarray = (sums[ends] - sums[starts]) / (ends - starts)
    return means


def draw_confusion(arrays: Arrays) -> Figure:
    """Draw which first genre the clips of one genre get; rows sum to one, cells show clips."""
    named = arrays["main_genres"] != ""
    true, first = arrays["main_genres"][named], arrays["first_genres"][named]
    rows = _frequent(true, _MIN_CLASS)
    columns = [*sorted(set(first) & {*rows, *_frequent(first, _MIN_WRITTEN)}), _OTHER]
    found = np.where(np.isin(first, columns), first, _OTHER)
    counts = np.array([[((true == row) & (found == column)).sum() for column in columns] for row in rows])
    shares = counts / counts.sum(1, keepdims=True)
    figure, axes = plt.subplots(figsize=(8.5, 5.5), layout="constrained")
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for i, j in np.argwhere(counts):
        axes.text(j, i, str(counts[i, j]), ha="center", va="center", color="white" if shares[i, j] > 0.5 else "black")
    axes.set_xticks(range(len(columns)), columns, rotation=45, ha="right")
    axes.set_yticks(range(len(rows)), [f"{row} ({(true == row).sum()})" for row in rows])
    axes.set(xlabel="first genre predicted", ylabel="genre of the data set", title="Clips of one genre, other artists")
    figure.colorbar(image, label="share of the row")
    return figure


def _frequent(names: np.ndarray, at_least: int) -> list[str]:
    found, counts = np.unique(names, return_counts=True)
    return [str(name) for name, n in zip(found, counts, strict=True) if n >= at_least]


def draw_precision(arrays: Arrays) -> Figure:
    """Draw how often each first genre is right, with its interval and the number of clips that got it."""
    known = ~np.isnan(arrays["first_right"])
    names, right, groups = (arrays[key][known] for key in ("first_genres", "first_right", "judged_groups"))
    rows = [(name, *interval(right[names == name], groups[names == name])) for name in _frequent(names, _MIN_WRITTEN)]
    rows.sort(key=lambda row: row[1])
    means, lows, highs = (np.array(column) for column in list(zip(*rows, strict=True))[1:])
    figure, axes = plt.subplots(figsize=(7, 0.32 * len(rows) + 1.2), layout="constrained")
    spans = np.abs([means - lows, highs - means])
    axes.barh(range(len(rows)), means, xerr=spans, color="#7fa8d1", ecolor="#444444", capsize=3)
    labels = [f"{row[0]} ({(names == row[0]).sum()})" for row in rows]
    axes.set_yticks(range(len(rows)), labels)
    axes.set(xlim=(0, 1.02), xlabel="share that is right, 95 % interval over artists")
    axes.set_title("First genre without a threshold (clips that got it)")
    axes.grid(alpha=0.3, axis="x")
    return figure


def draw_reliability(arrays: Arrays) -> Figure:
    """Draw what was said and what came true, of all genre probabilities and of first genres; below, how many."""
    figure, (above, below) = plt.subplots(
        2, 1, figsize=(5.5, 6.5), sharex=True, height_ratios=[3, 1], layout="constrained"
    )
    above.plot([0, 1], [0, 1], color="grey", linestyle="--", linewidth=1, label="perfect")
    kinds = {
        "all genres": (arrays["genre_probabilities"], arrays["genre_truths"]),
        "first genre": (arrays["first_probabilities"][:, None], arrays["first_right"][:, None]),
    }
    for (label, (said, truths)), marker in zip(kinds.items(), "os", strict=True):
        bins = reliability(said, truths)
        above.plot(bins.said, bins.right, marker=marker, label=label)
        below.plot(bins.said, bins.n, marker=marker)
    above.set(ylabel="share that is right", ylim=(0, 1), title="Reliability of genre probabilities")
    above.legend(frameon=False)
    below.set(xlabel="probability", ylabel="how many", yscale="log", xlim=(0, 1))
    for axes in (above, below):
        axes.grid(alpha=0.3)
    return figure


def draw_map(arrays: Arrays) -> Figure:
    """Draw the embeddings in two dimensions, by t-SNE: who is near whom is meant, distances and axes are not."""
    X = z_scored(arrays["embeddings"], arrays["embeddings"])
    X = PCA(min(_PCA_DIMENSIONS, *X.shape), random_state=0).fit_transform(X)
    perplexity = min(30.0, (len(X) - 1) / 3)
    places = TSNE(perplexity=perplexity, init="pca", random_state=0).fit_transform(X)
    figure, axes = plt.subplots(figsize=(8, 6), layout="constrained")
    _scatter(axes, places, arrays["labels"])
    axes.set(xticks=[], yticks=[], xlabel="t-SNE 1 (no unit)", ylabel="t-SNE 2 (no unit)")
    axes.set_title("Embeddings of clips by artists that were not trained on")
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def _scatter(axes: Axes, places: np.ndarray, labels: np.ndarray) -> None:
    colours = matplotlib.colormaps["tab20"].colors  # type: ignore[attr-defined]
    # Strong colours first, their pale sisters for what comes after ten.
    palette = [*colours[::2], *colours[1::2]]
    for i, name in enumerate(sorted(set(labels))):
        chosen = labels == name
        axes.scatter(
            places[chosen, 0],
            places[chosen, 1],
            s=34,
            color=palette[i % len(palette)],
            marker=_MARKERS[i % len(_MARKERS)],
            label=f"{name} ({chosen.sum()})",
            linewidths=0,
        )


_PICTURES: dict[str, Callable[[Arrays], Figure]] = {
    "confusion": draw_confusion,
    "precision": draw_precision,
    "reliability": draw_reliability,
    "map": draw_map,
}


@click.command()
@click.option(
    "--validation",
    type=click.Path(exists=True, path_type=Path),
    required=True,
    help="The .npz that evaluate --output wrote.",
)
@click.option("--run", type=click.Path(exists=True, path_type=Path), help="Folder of a run, for the training curves.")
@click.option("--output", type=click.Path(path_type=Path), default=Path("docs/figures"), show_default=True)
def main(validation: Path, run: Path | None, output: Path) -> None:
    """Draw the pictures of the documentation."""
    output.mkdir(parents=True, exist_ok=True)
    with np.load(validation, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    pictures = {name: draw(arrays) for name, draw in _PICTURES.items()}
    if run and (log := read_log(run)):
        pictures["training"] = draw_training(log)
    for name, figure in pictures.items():
        figure.savefig(output / f"{name}.png", dpi=_DPI)
        plt.close(figure)
        click.echo(f"wrote {output / f'{name}.png'}")
