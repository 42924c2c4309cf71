"""The `musrecd` command over a library of the test's own."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from musrecd.cli import main


@pytest.fixture
def musrecd(tmp_path: Path, tiny_weights: Path) -> Callable[..., Result]:
    """Return a function that runs `musrecd` with these arguments, the small encoder and its own library."""
    file = tmp_path / "config.yaml"
    file.write_text(f"musrec: {{library: {tmp_path / 'library.db'}, encoder: {tiny_weights}, threads: 2}}\n")

    def run(*arguments: object) -> Result:
        result = CliRunner().invoke(main, ["--config", str(file), *map(str, arguments)])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


@pytest.fixture(scope="session")
def heard(tmp_path_factory: pytest.TempPathFactory, rendered_files: list[Path], tiny_weights: Path) -> Path:
    """The folder of a library that knows the rendered pieces. Do not change it; starting workers would take longer."""
    from musrecd.analysis.analyse import analyse
    from musrecd.analysis.encoder import load_encoder
    from musrecd.ingest.ingest import task_for
    from musrecd.ingest.tags import read_tags
    from musrecd.library.store import Library

    folder = tmp_path_factory.mktemp("heard")
    encoder = load_encoder(tiny_weights)
    with Library.open(folder / "library.db") as library:
        library.register_encoder(encoder.info)
        for path in map(bytes, rendered_files):
            library.add(task_for(path).file, analyse(path, encoder), read_tags(path))
    return folder


@pytest.fixture
def knowing(musrecd: Callable[..., Result], heard: Path, tmp_path: Path) -> Callable[..., Result]:
    """Return `musrecd` with a library of its own that knows the rendered pieces."""
    shutil.copytree(heard, tmp_path, dirs_exist_ok=True)
    return musrecd
