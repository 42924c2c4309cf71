"""Pictures of what was learnt. They need Matplotlib, which is an extra."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from musrecd.display import printable
from musrecd.errors import LearningError
from musrecd.tagging.learnt import Report

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_DPI = 120
_CELL_INCH = 0.28
_LEAST_INCHES = 3.2
_LABELS_INCHES = 2.6
_LONGEST_NAME = 30


def draw_confusion(report: Report, path: Path) -> None:
    """Draw which genre tracks were taken for, by their own first genre, into an image file whose suffix says the kind.

    Raises LearningError without Matplotlib, or if the file cannot be written.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise LearningError("pictures need Matplotlib; install it with `pip install 'musrec[pictures]'`") from error
    side = max(_LEAST_INCHES, _CELL_INCH * len(report.genres)) + _LABELS_INCHES
    figure = Figure(figsize=(side + 0.6, side), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    shares = report.confusion / np.maximum(report.confusion.sum(1, keepdims=True), 1)
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    _name(axes, report)
    _number(axes, report.confusion, shares)
    figure.colorbar(image, ax=axes, label="share of the genre's tracks", shrink=0.6, pad=0.02)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of letters that no font has; they become boxes
            figure.savefig(path, dpi=_DPI)
    except (OSError, ValueError) as error:  # ValueError: a suffix that stands for no kind of image
        raise LearningError(f"the picture {str(path)!a} cannot be written ({error}); name another file") from error


def _name(axes: "Axes", report: Report) -> None:
    places = range(len(report.genres))
    names = [_shortened(genre.name) for genre in report.genres]
    totals = report.confusion.sum(1)
    # With `parse_math` a dollar sign would begin a formula.
    axes.set_xticks(places, names, rotation=60, ha="right", rotation_mode="anchor", fontsize=8, parse_math=False)
    axes.set_yticks(
        places, [f"{name} ({n})" for name, n in zip(names, totals, strict=True)], fontsize=8, parse_math=False
    )
    axes.set_xticks(np.arange(len(names) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(names) + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="0.9", linewidth=0.5)
    axes.tick_params(which="minor", length=0)
    axes.set(xlabel="genre that the sound suggests", ylabel="own genre (tracks)")
    axes.set_title(f"Own genres told by sound, artists not known before: {report.accuracy:.0%} right", fontsize=10)


def _shortened(name: str) -> str:
    name = printable(name)
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"


def _number(axes: "Axes", confusion: np.ndarray, shares: np.ndarray) -> None:
    for row, column in np.argwhere(confusion):
        colour = "white" if shares[row, column] > 0.5 else "black"
        axes.text(column, row, str(confusion[row, column]), ha="center", va="center", color=colour, fontsize=7)
