"""beets as a person runs it: the `beet` command in a folder of its own, with the plugin."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Beet = Callable[..., subprocess.CompletedProcess[str]]

_RUN = "import sys; sys.argv[0] = 'beet'; from beets.ui import main; main(sys.argv[1:])"


def make_beet(folder: Path, weights: Path, *, auto: bool = False, tagging: str = "{}", more: str = "") -> Beet:
    """Return a function that runs `beet` over a library in `folder`, with the small encoder."""
    (folder / "config.yaml").write_text(
        f"directory: {folder / 'music'}\n"
        f"library: {folder / 'beets.db'}\n"
        "plugins: musrec\n"
        "import: {copy: yes, autotag: no, quiet: yes}\n"
        f"musrec: {{library: {folder / 'musrec.db'}, encoder: {weights}, threads: 2, auto: {str(auto).lower()}, "
        f"tagging: {tagging}}}\n{more}"
    )

    def beet(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", _RUN, *map(str, arguments)]
        environment = os.environ | {"BEETSDIR": str(folder), "OMP_NUM_THREADS": "1"}
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)

    beet.folder = folder  # type: ignore[attr-defined]
    return beet


@pytest.fixture(scope="session")
def imported(tmp_path_factory: pytest.TempPathFactory, tiny_weights: Path, rendered: Path) -> Beet:
    """A beets library of twelve tracks, of which musrec has heard all but those of one artist, Nobody."""
    beet = make_beet(tmp_path_factory.mktemp("beets"), tiny_weights)
    assert beet("import", "-A", rendered).returncode == 0
    assert beet("modify", "-yMW", "track:1", "year:1", "artist=Nobody").returncode in (0, 1)
    return beet


@pytest.fixture(scope="session")
def beet(imported: Beet) -> Beet:
    """The same, all heard."""
    result = imported("analyse")
    assert result.returncode == 0, result.stderr
    return imported
