"""A configuration over a library of the test's own, a music folder, the small encoder; sockets in a short folder."""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from musrecd.config import Config, read_config


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Folder for sockets, whose names may have a hundred characters only."""
    folder = Path(tempfile.mkdtemp(prefix="mr", dir="/tmp"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """An empty folder to put music into."""
    folder = tmp_path / "music"
    folder.mkdir()
    return folder


@pytest.fixture
def config(tmp_path: Path, music: Path, tiny_weights: Path, runtime: Path) -> Config:
    """Settings of a daemon that takes files soon."""
    file = tmp_path / "config.yaml"
    file.write_text("musrec: {daemon: {settle: 0.3}}\n", encoding="utf-8")
    return read_config(file)._replace(
        library=tmp_path / "library.db", encoder=tiny_weights, folders=(music,), threads=1
    )


@pytest.fixture
def until() -> Callable[..., None]:
    """Return a function that waits until something is so, or fails."""

    def wait(is_so: Callable[[], object], seconds: float = 60.0) -> None:
        deadline = time.monotonic() + seconds
        while not is_so():
            assert time.monotonic() < deadline, "it did not come to that in time"
            time.sleep(0.02)

    return wait
