"""The map as a PNG. It needs Matplotlib, which is an extra."""

import io
import warnings
from typing import TYPE_CHECKING

import numpy as np

from musrecd.errors import MusrecError
from musrecd.map.chart import OTHER, Chart, named

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_DPI = 160
_INCHES = (11.0, 8.5)
_INK, _FAINT = "#22262b", "#6b7177"
_LONGEST_NAME = 42
_LONGEST_GROUP = 24


def render_picture(chart: Chart) -> bytes:
    """Return the map as a PNG. Raises MusrecError without Matplotlib."""
    check_matplotlib()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=_INCHES, facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.02, 0.02, 0.78, 0.90))
    axes.set_axis_off()
    axes.set(xlim=(-1.06, 1.06), ylim=(-1.06, 1.06), aspect="equal")
    _draw_points(axes, chart)
    _draw_names_of_groups(axes, chart)
    _draw_path(axes, chart)
    _draw_seeds(axes, chart)
    _draw_legend(figure, chart)
    figure.text(0.03, 0.955, chart.title, fontsize=15, color=_INK, weight="bold", va="center", parse_math=False)
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of letters that no font has; they become boxes
        figure.savefig(file, format="png", dpi=_DPI)
    return file.getvalue()


def check_matplotlib() -> None:
    """Raise MusrecError if there is no Matplotlib: to be asked before the long work."""
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise MusrecError(
            "a PNG needs Matplotlib; install it with `pip install 'musrec[pictures]'`, or name a file OUT.html"
        ) from error


def _draw_points(axes: "Axes", chart: Chart) -> None:
    colours = np.array([group.colour for group in chart.groups])[chart.group]
    is_other = np.array([group.name == OTHER for group in chart.groups])[chart.group]
    size = float(np.clip(16000 / max(1, len(chart.places)), 1.2, 30))
    # In no order of groups, so that none lies over the others; those of no group lie below.
    shuffled = np.random.default_rng(0).permutation(len(chart.places))
    for chosen, alpha in ((shuffled[is_other[shuffled]], 0.45), (shuffled[~is_other[shuffled]], 0.75)):
        x, y = chart.positions[chosen].T
        axes.scatter(x, y, s=size, c=colours[chosen], alpha=alpha, linewidths=0)


def _draw_names_of_groups(axes: "Axes", chart: Chart) -> None:
    for group in chart.groups:
        if group.name_at is not None:
            _write(axes, _shortened(group.name, _LONGEST_GROUP), group.name_at, size=10.5, ha="center", zorder=3)


def _draw_path(axes: "Axes", chart: Chart) -> None:
    if not chart.path:
        return
    x, y = chart.positions[list(chart.path)].T
    axes.plot(x, y, color="white", linewidth=4.5, zorder=4, solid_capstyle="round")
    axes.plot(x, y, color=_INK, linewidth=1.6, zorder=4, solid_capstyle="round")
    axes.scatter(x, y, s=130, c="white", edgecolors=_INK, linewidths=1.3, zorder=5)
    for number, (across, up) in enumerate(zip(x, y, strict=True), 1):
        axes.text(across, up, str(number), fontsize=7, ha="center", va="center_baseline", color=_INK, zorder=6)


def _draw_seeds(axes: "Axes", chart: Chart) -> None:
    alone = [seed for seed in chart.seeds if seed not in chart.path]
    if alone:
        xs, ys = chart.positions[alone].T
        axes.scatter(xs, ys, s=210, marker="*", c=_INK, edgecolors="white", linewidths=1.1, zorder=6)
    for place in named(chart.seeds, chart.path):
        x, y = map(float, chart.positions[place])
        name = _shortened(chart.places[place].name, _LONGEST_NAME)
        # Towards the middle, where there is room.
        ha = "right" if x > 0.35 else "left"
        _write(axes, name, (x + (-0.028 if ha == "right" else 0.028), y), size=8.5, ha=ha, zorder=7)


def _write(axes: "Axes", text: str, at: tuple[float, float], *, size: float, ha: str, zorder: int) -> None:
    from matplotlib.patheffects import withStroke

    halo = [withStroke(linewidth=3, foreground="white", alpha=0.9)]
    axes.text(
        at[0], at[1], text, fontsize=size, color=_INK, ha=ha, va="center", weight="bold", path_effects=halo,
        zorder=zorder, parse_math=False,
    )  # fmt: skip


def _draw_legend(figure: "Figure", chart: Chart) -> None:
    """List the groups with their sizes, as text in their columns."""
    top, step = 0.86, 0.036
    for i, group in enumerate(chart.groups):
        y = top - i * step
        figure.text(0.815, y, "●", fontsize=13, color=group.colour, va="center_baseline")
        name = _shortened(group.name, _LONGEST_GROUP)
        figure.text(0.837, y, name, fontsize=10, color=_INK, va="center_baseline", parse_math=False)
        figure.text(0.985, y, f"{group.size:,}", fontsize=9, color=_FAINT, va="center_baseline", ha="right")
    note = "Neighbours sound alike; distances\nbetween islands mean little."
    figure.text(0.815, top - len(chart.groups) * step - 0.02, note, fontsize=8, color=_FAINT, va="top")


def _shortened(name: str, longest: int) -> str:
    return name if len(name) <= longest else f"{name[: longest - 1]}…"
