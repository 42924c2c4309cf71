"""The picture: a PNG whatever names hold, and one line without Matplotlib."""

import sys

import numpy as np
import pytest

from musrecd.errors import MusrecError
from musrecd.map.chart import Chart, Place, group_by
from musrecd.map.picture import render_picture


def chart_of(names, **marks) -> Chart:
    positions = np.random.default_rng(1).uniform(-1, 1, (len(names), 2)).astype(np.float32)
    groups, group = group_by(names, positions)
    return Chart("A map of $x^2$", tuple(Place(name, name) for name in names), positions, groups, group, **marks)


def pixels(png: bytes) -> np.ndarray:
    import io

    from matplotlib.image import imread

    return imread(io.BytesIO(png))


def test_it_is_a_picture_with_the_colours_of_the_groups():
    from matplotlib.colors import to_rgb

    chart = chart_of(["Jazz", "Jazz", "Rock", "$\\frac{", "日本語", ""] * 5)
    image = pixels(render_picture(chart))
    assert min(image.shape[:2]) > 1000
    for group in chart.groups:
        # The dots of the legend are not see-through.
        assert (np.abs(image[..., :3] - to_rgb(group.colour)).max(axis=2) < 0.01).any(), group.name


def test_seeds_and_paths_are_drawn():
    names = ["Jazz", "Rock"] * 8
    plain, marked = (
        pixels(render_picture(chart_of(names, **marks))) for marks in ({}, {"seeds": (1, 4), "path": (4, 5, 6)})
    )
    assert plain.shape == marked.shape
    assert (plain != marked).any()


@pytest.mark.parametrize("n", [1, 20_000])
def test_one_track_or_many(n):
    assert render_picture(chart_of(["Jazz"] * n)).startswith(b"\x89PNG")


def test_without_matplotlib_it_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MusrecError, match=r"pip install 'musrec\[pictures\]'"):
        render_picture(chart_of(["Jazz"]))
