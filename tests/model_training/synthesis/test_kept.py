from pathlib import Path

import numpy as np
import pytest

from model_training.synthesis.kept import Shelf

SR = 16_000
Y = np.sin(np.arange(4000) / 10).astype(np.float32)


def must_not_render() -> np.ndarray:
    raise AssertionError("it was there")


def test_a_piece_is_rendered_once_and_the_same_ever_after(tmp_path: Path) -> None:
    first = Shelf(tmp_path).take("groove/1", SR, lambda: 0.9 * Y)
    again = Shelf(tmp_path).take("groove/1", SR, must_not_render)
    np.testing.assert_array_equal(first, again)
    np.testing.assert_allclose(first, 0.9 * Y, atol=1e-4)
    assert first.dtype == np.float32


def test_names_and_rates_tell_pieces_apart(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.take("a", SR, lambda: Y)
    assert not shelf.take("b", SR, lambda: 0 * Y).any()
    assert not shelf.take("a", 2 * SR, lambda: 0 * Y).any()


def test_what_was_stopped_is_rendered_again(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        shelf.take("a", SR, lambda: (_ for _ in ()).throw(KeyboardInterrupt))
    (tmp_path / f"a-{SR}.half").write_bytes(b"half a fi")
    np.testing.assert_allclose(shelf.take("a", SR, lambda: Y), Y, atol=1e-3)


def test_without_a_folder_nothing_is_kept(tmp_path: Path) -> None:
    assert Shelf().take(str(tmp_path / "a"), SR, lambda: Y) is Y
    assert not list(tmp_path.iterdir())
