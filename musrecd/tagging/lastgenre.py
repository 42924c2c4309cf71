"""What beets' lastgenre plugin is told and knows, so that musrec writes the words it would write.

Its files are read where beets is installed; its code is never imported, because it needs pylast, which only people
with Last.fm have.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import confuse

from musrecd.config import VocabularyConfig
from musrecd.errors import ConfigError

_WHITELIST = "genres.txt"
_TREE = "genres-tree.yaml"
_ALIASES = "aliases.yaml"
# What lastgenre takes for "the one that comes with it".
_BUILT_IN = (True, "", None)


def lastgenre_folder() -> Path:
    """Return the folder of lastgenre's files. Raises ConfigError if this Python has no beets."""
    try:
        spec = find_spec("beetsplug.lastgenre")
    except ModuleNotFoundError:
        spec = None
    if spec is None or spec.origin is None:
        raise ConfigError("the genres of beets' lastgenre are not there: install beets, or name files of your own")
    return Path(spec.origin).parent


def from_lastgenre(view: confuse.ConfigView, folder: Path, own: VocabularyConfig | None = None) -> VocabularyConfig:
    """Read `lastgenre:` of beets' configuration, for the case that the plugin is in use; `folder` holds its files.

    What `own`, the person's settings for musrec, says otherwise than by default counts more. Raises ConfigError.
    """
    try:
        theirs = _settings(view, folder)
    except confuse.ConfigError as error:
        raise ConfigError(" ".join(str(error).split())) from error
    own, default = own or VocabularyConfig(), VocabularyConfig()
    said = {f.name: getattr(own, f.name) for f in fields(own) if getattr(own, f.name) != getattr(default, f.name)}
    return replace(theirs, **said)


def _settings(view: confuse.ConfigView, folder: Path) -> VocabularyConfig:
    whitelist, canonical = _value(view, "whitelist", True), _value(view, "canonical", False)
    aliases = _value(view, "aliases", True)
    return VocabularyConfig(
        whitelist=_file(whitelist, folder / _WHITELIST),
        aliases=True if aliases in _BUILT_IN else aliases is not False and _own_aliases(view["aliases"]),
        canonical=_file(canonical, folder / _TREE),
        prefer_specific=bool(_value(view, "prefer_specific", False)),
        title_case=bool(_value(view, "title_case", True)),
        count=view["count"].get(int) if view["count"].exists() else 1,
        ignored=_ignored(view["ignorelist"]) if _value(view, "ignorelist", None) else {},
    )


def _value(view: confuse.ConfigView, key: str, default: object) -> Any:  # noqa: ANN401
    return view[key].get() if view[key].exists() else default


def _file(value: object, built_in: Path) -> bool | Path:
    if value in _BUILT_IN:
        return built_in
    return Path(str(value)).expanduser() if value else False


def _expressions(view: confuse.ConfigView) -> dict[str, tuple[str, ...]]:
    table = view.get(confuse.MappingValues(confuse.Sequence(str)))
    return {str(name): tuple(expressions) for name, expressions in table.items()}


def _own_aliases(view: confuse.ConfigView) -> dict[str, tuple[str, ...]]:
    """Read the table without those under it: there lies the plugin's default, which is no table."""
    alone = confuse.Configuration(view.name, read=False)
    alone.set(view.get(dict))
    return _expressions(alone)


def _ignored(view: confuse.ConfigView) -> dict[str, tuple[str, ...]]:
    """Read what is not to be written for whom; what is no expression is meant literally, as lastgenre has it."""
    return {artist.lower(): tuple(map(_valid, given)) for artist, given in _expressions(view).items()}


def _valid(expression: str) -> str:
    try:
        re.compile(expression)
    except re.error:
        return re.escape(expression)
    return expression


def read_whitelist(path: Path) -> frozenset[str]:
    """Return the genres of a file, one a line, in lower case. Raises ConfigError."""
    lines = (line.strip().lower() for line in _text(path).splitlines())
    return frozenset(line for line in lines if line and not line.startswith("#"))


def read_tree(path: Path) -> dict[str, tuple[str, ...]]:
    """Return each genre of a tree (YAML) with itself and all above it, nearest first. Raises ConfigError."""
    tree: dict[str, tuple[str, ...]] = {}
    # Where a genre stands on several branches the first counts.
    for branch in _branches(_yaml(path), ()):
        for depth, genre in enumerate(branch):
            tree.setdefault(genre, branch[depth::-1])
    return tree


def _branches(node: object, above: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if isinstance(node, dict):
        for genre, below in node.items():
            yield from _branches(below, (*above, str(genre)))
    elif isinstance(node, list):
        for each in node:
            yield from _branches(each, above)
    else:
        yield (*above, str(node))


def built_in_aliases(folder: Path) -> Mapping[str, tuple[str, ...]]:
    """Return name → expressions as they come with lastgenre; early versions have none. Raises ConfigError."""
    path = folder / _ALIASES
    table = _yaml(path) if path.exists() else {}
    if not isinstance(table, dict):
        raise ConfigError(f"{path} holds no table of genres")
    return {str(name): tuple(map(str, expressions)) for name, expressions in table.items()}


def built_in_tree(folder: Path) -> Path:
    """Return where the tree lies that comes with lastgenre."""
    return folder / _TREE


def _yaml(path: Path) -> object:
    try:
        return confuse.load_yaml(str(path))
    except (confuse.ConfigError, OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"genres cannot be read from {path}: {' '.join(str(error).split())}") from error


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise ConfigError(f"genres cannot be read from {path}: {error}") from error
