"""The `musrecd` command over a library of the test's own."""

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
