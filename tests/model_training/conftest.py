"""What tests of training and evaluation share."""

import importlib.util
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def independent(shared) -> ModuleType:
    """The program that scores embeddings for others; it knows nothing of ours."""
    path = shared / "tools" / "evaluate_embeddings.py"
    if not path.exists():
        pytest.skip("the independent program is not there")
    specification = importlib.util.spec_from_file_location("evaluate_embeddings", path)
    program = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(program)
    return program
