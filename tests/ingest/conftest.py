"""A configuration over a library of its own and the small encoder."""

from pathlib import Path

import pytest

from musrecd.config import Config, read_config


@pytest.fixture
def config(tmp_path: Path, tiny_weights: Path) -> Config:
    """Settings with a library in a folder of the test's own and the small encoder, two processes."""
    file = tmp_path / "config.yaml"
    file.write_text("musrec: {}\n")
    return read_config(file)._replace(library=tmp_path / "library.db", encoder=tiny_weights, threads=2, timeout_s=60.0)
