"""The confusion matrix as a picture, for few genres and many, and without Matplotlib."""

import sys

import numpy as np
import pytest

from musrecd.errors import LearningError
from musrecd.tagging.learnt import GenreReport, Report
from musrecd.tagging.pictures import draw_confusion


def make_report(names) -> Report:
    n = len(names)
    genres = tuple(GenreReport(name, 10, 3, None, 0.0, 0.0, 0.5) for name in names)
    confusion = np.random.default_rng(0).integers(0, 40, (n, n)) * (np.arange(n) % 7 > 0)[:, None]
    return Report(10 * n, 3 * n, 0.5, 0.0, None, genres, (), confusion)


def size_of(path) -> tuple[int, int]:
    data = path.read_bytes()
    assert data.startswith(b"\x89PNG")
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")


def test_the_picture_grows_with_the_genres(tmp_path):
    sizes = []
    for n in (1, 5, 40):
        draw_confusion(make_report([f"Genre {i}" for i in range(n)]), tmp_path / f"{n}.png")
        sizes.append(size_of(tmp_path / f"{n}.png"))
    assert sizes[0] == sizes[1] < sizes[2]


def test_any_name_can_be_drawn(tmp_path, recwarn):
    draw_confusion(
        make_report(["$x", "a$b$", "R&B", "日本", "a\nb", "\\frac", "_^{", "x" * 80, "word " * 20]),
        tmp_path / "names.png",
    )
    assert size_of(tmp_path / "names.png")
    assert not recwarn.list


@pytest.mark.parametrize("name", ["no/folder.png", "kind.xyz"])
def test_a_picture_that_cannot_be_written_is_one_line(tmp_path, name):
    with pytest.raises(LearningError, match=r"^the picture .* cannot be written [^\n]+$"):
        draw_confusion(make_report(["a", "b"]), tmp_path / name)


def test_without_matplotlib_one_line_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(LearningError, match=r"install it with `pip install 'musrec\[pictures\]'`$"):
        draw_confusion(make_report(["a", "b"]), tmp_path / "x.png")
