"""The way of the data, read from the imports: floors import downwards only; and modules stay small."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
PACKAGES = ("musrecd", "model_training", "beetsplug")
MOST_LINES = 400

FOUNDATIONS = ("musrecd.types", "musrecd.errors")
SHARED = (
    *FOUNDATIONS, "musrecd.config", "musrecd.config_playlists", "musrecd.display", "musrecd.keys", "musrecd.labels",
    "musrecd.spelling",
)  # fmt: skip
HEARD = (*SHARED, "musrecd.analysis", "musrecd.library")
ASKED = (*SHARED, "musrecd.library", "musrecd.recommend")
BELOW_DAEMON = (
    *HEARD, *ASKED, "musrecd.asking", "musrecd.playlists", "musrecd.tagging", "musrecd.ingest", "musrecd.map",
    "musrecd.cluster",
)  # fmt: skip
BELOW_COMMANDS = (*BELOW_DAEMON, "musrecd.daemon")
# Floor → what it may import of the project beside itself, lowest floor first. A package allows its modules.
FLOORS: dict[str, tuple[str, ...]] = {
    "musrecd.types": (),
    "musrecd.errors": (),
    "musrecd.config_values": FOUNDATIONS,
    "musrecd.config_playlists": (*FOUNDATIONS, "musrecd.config_values"),
    "musrecd.config": (*FOUNDATIONS, "musrecd.config_values", "musrecd.config_playlists"),
    "musrecd.display": FOUNDATIONS,
    "musrecd.keys": (),
    "musrecd.spelling": (),
    "musrecd.labels": (*FOUNDATIONS, "musrecd.spelling"),
    "musrecd.analysis": SHARED,
    "musrecd.library": SHARED,
    "musrecd.recommend": SHARED,
    "musrecd.map": SHARED,
    "musrecd.tagging": HEARD,
    "musrecd.ingest": HEARD,
    "musrecd.asking": ASKED,
    "musrecd.playlists": (*ASKED, "musrecd.asking"),
    "musrecd.daemon": BELOW_DAEMON,
    "musrecd.commands": BELOW_COMMANDS,
    "musrecd.cli": (*BELOW_COMMANDS, "musrecd.commands"),
    "beetsplug": (*BELOW_COMMANDS, "musrecd.commands"),
    "musrecd.cluster": (*HEARD, "musrecd.ingest"),
    "model_training.datasets": (),
    # What is learnt of a person's genres is measured by the code that serves.
    "model_training": (
        *FOUNDATIONS, "musrecd.display", "musrecd.keys", "musrecd.analysis", "musrecd.tagging",
        "model_training.datasets",
    ),
    "musrecd": (),
}  # fmt: skip
# Floor → packages of others that it must do without, also late.
WITHOUT = {
    "musrecd.types": ("torch", "av", "librosa", "sqlite3", "beets"),
    "musrecd.config_values": ("torch", "av", "librosa", "sqlite3", "beets", "numpy"),
    "musrecd.config_playlists": ("torch", "av", "librosa", "sqlite3", "beets", "numpy"),
    "musrecd.config": ("torch", "av", "librosa", "sqlite3", "beets", "numpy"),
    "musrecd.display": ("torch", "av", "librosa", "sqlite3", "beets", "numpy"),
    "musrecd.keys": ("torch", "av", "librosa", "sqlite3", "beets", "numpy"),
    "musrecd.analysis": ("librosa", "sqlite3", "sqlite_utils", "beets", "click"),
    "musrecd.library": ("torch", "av", "librosa", "soxr", "beets", "click"),
    "musrecd.recommend": ("torch", "av", "librosa", "sqlite3", "sqlite_utils", "beets", "click"),
    "musrecd.map": ("torch", "av", "librosa", "sqlite3", "sqlite_utils", "beets", "click"),
    "musrecd.tagging": ("torch", "av", "librosa", "beets", "click"),
    "musrecd.ingest": ("librosa", "beets", "click"),
    "musrecd.asking": ("torch", "av", "librosa", "scipy", "sqlite3", "sqlite_utils", "beets", "click"),
    "musrecd.playlists": ("torch", "av", "librosa", "scipy", "sqlite3", "sqlite_utils", "beets", "click"),
    "musrecd.cluster": ("torch", "av", "librosa", "scipy", "sqlite3", "sqlite_utils", "beets", "click"),
    "musrecd.daemon": ("torch", "av", "librosa", "scipy", "beets", "click"),
    "musrecd.commands": ("librosa", "beets"),
    "musrecd.cli": ("librosa", "beets"),
    "beetsplug": ("torch", "av", "librosa"),
    "model_training.datasets": ("torch", "av", "librosa", "sqlite_utils", "beets", "click"),
    "model_training": ("beets", "sqlite3", "sqlite_utils"),
}


@dataclass(frozen=True)
class Import:
    """`module` imports `imported` in this line of this file."""

    file: Path
    line: int
    module: str
    imported: str

    def __str__(self) -> str:
        return f"{self.file.relative_to(PROJECT)}:{self.line} imports {self.imported}"


def files() -> list[Path]:
    return sorted(path for package in PACKAGES for path in (PROJECT / package).rglob("*.py"))


def module_of(file: Path) -> str:
    parts = file.relative_to(PROJECT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(file: Path, text: str) -> Iterator[Import]:
    """All imports, early and late, for running and for type checking; relative ones made absolute."""
    module = module_of(file)
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(file, node.lineno, module, alias.name)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                yield Import(file, node.lineno, module, f"{base}.{alias.name}")


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def floor_of(name: str) -> str | None:
    """Return the floor that a module, or something in it, belongs to."""
    return next((floor for floor in FLOORS if within(name, floor)), None)


def is_allowed(found: Import) -> bool:
    floor, target = floor_of(found.module), floor_of(found.imported)
    return target is None or target == floor or target in FLOORS[floor]


def all_imports() -> list[Import]:
    return [found for file in files() for found in imports_of(file, file.read_text(encoding="utf-8"))]


def test_every_module_stands_on_a_floor():
    """A new package has to be given its place in FLOORS."""
    homeless = [module_of(f) for f in files() if floor_of(module_of(f)) is None]
    directly_below = [m for m in map(module_of, files()) if floor_of(m) == "musrecd" and m != "musrecd"]
    assert homeless + directly_below == []


def test_imports_run_downwards_only():
    assert [str(found) for found in all_imports() if not is_allowed(found)] == []


def test_floors_do_without_what_they_must_not_need():
    wrong = [
        str(found)
        for found in all_imports()
        for package in WITHOUT.get(floor_of(found.module) or "", ())
        if within(found.imported, package)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("musrecd/types.py", "from musrecd.errors import MusrecError"),
        ("musrecd/analysis/audio.py", "from musrecd.library.store import Library"),
        ("musrecd/analysis/audio.py", "import musrecd.library"),
        ("musrecd/analysis/audio.py", "from musrecd import library"),
        ("musrecd/analysis/audio.py", "from .. import library"),
        ("musrecd/analysis/audio.py", "from ..library import store"),
        ("musrecd/library/store.py", "def f():\n    from musrecd.analysis.encoder import load_encoder"),
        ("musrecd/recommend/similarity.py", "from musrecd.library.reader import LibraryReader"),
        ("musrecd/recommend/similarity.py", "from musrecd.analysis.card import read_card"),
        ("musrecd/recommend/similarity.py", "from musrecd.tagging.predict import most_probable"),
        ("musrecd/ingest/work.py", "from musrecd.recommend.similarity import nearest"),
        ("musrecd/playlists/writing.py", "from musrecd.daemon.client import hear"),
        ("musrecd/ingest/work.py", "from musrecd.commands.scan import scan_folders"),
        ("musrecd/commands/scan.py", "from musrecd.cli import main"),
        ("musrecd/cli.py", "import beetsplug.musrec"),
        ("musrecd/cli.py", "from model_training.labels import LABELS"),
        ("beetsplug/musrec.py", "from musrecd.cli import main"),
        ("beetsplug/musrec.py", "from model_training.labels import LABELS"),
        ("model_training/train.py", "from musrecd.library.store import Library"),
        ("model_training/train.py", "from musrecd.config import read_config"),
        ("model_training/train.py", "if TYPE_CHECKING:\n    from musrecd.ingest.work import Task"),
    ],
)
def test_the_rule_above_notices_what_it_should(file, line):
    found = list(imports_of(PROJECT / file, line))
    assert found
    assert not all(is_allowed(each) for each in found)


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("musrecd/analysis/audio.py", "from musrecd.analysis.excerpts import Excerpt"),
        ("musrecd/analysis/audio.py", "from .excerpts import Excerpt"),
        ("musrecd/analysis/audio.py", "import numpy as np"),
        ("musrecd/commands/scan.py", "from musrecd.ingest.ingest import ingest"),
        ("model_training/train.py", "from musrecd.analysis.networks import build_network"),
        ("beetsplug/musrec.py", "from beetsplug import musrec"),
    ],
)
def test_the_rule_above_allows_what_it_should(file, line):
    assert all(is_allowed(each) for each in imports_of(PROJECT / file, line))


def test_modules_are_small_and_say_what_they_are_for():
    wrong = []
    for file in files():
        text = file.read_text(encoding="utf-8")
        name = file.relative_to(PROJECT)
        if (n := len(text.splitlines())) > MOST_LINES:
            wrong.append(f"{name} has {n} lines, at most {MOST_LINES} are allowed")
        if not (ast.get_docstring(ast.parse(text)) or "").strip():
            wrong.append(f"{name} has no docstring")
    assert wrong == []


def test_the_plugin_lives_in_a_namespace_package():
    """Other plugins of beets live in it too; an __init__.py of ours would hide them."""
    assert not (PROJECT / "beetsplug" / "__init__.py").exists()


def test_print_is_left_to_the_command_line():
    """Library code logs; only commands talk."""
    talkative = ("musrecd.commands", "musrecd.cli", "model_training", "beetsplug")
    wrong = [
        f"{file.relative_to(PROJECT)}:{node.lineno} prints"
        for file in files()
        if not any(within(module_of(file), package) for package in talkative)
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert wrong == []
