"""What the keys of the configuration take: numbers, switches, words, files, tables; and what is said of all else."""

import re
from pathlib import Path
from typing import Any

import confuse

from musrecd.errors import ConfigError


class Number(confuse.Template[float]):
    """A number between two bounds, an integer if the bounds are."""

    def __init__(self, default: float, low: float, high: float) -> None:
        super().__init__(default)
        self._low, self._high = low, high

    def convert(self, value: Any, view: confuse.ConfigView) -> float:  # noqa: ANN401
        """Check one value. Raises confuse.ConfigError if it cannot be used."""
        whole = isinstance(self._low, int)
        allowed = int if whole else (int, float)
        if isinstance(value, bool) or not isinstance(value, allowed) or not self._low <= value <= self._high:
            kind = "a whole number" if whole else "a number"
            self.fail(f"must be {kind} from {self._low} to {self._high}, not {value!r}", view, True)
        return float(value) if not whole else int(value)


class Switch(confuse.Template[bool]):
    """Yes or no."""

    def convert(self, value: Any, view: confuse.ConfigView) -> bool:  # noqa: ANN401
        """Check one value. Raises confuse.ConfigError if it cannot be used."""
        if not isinstance(value, bool):
            self.fail(f"must be yes or no, not {value!r}", view, True)
        return bool(value)


class Word(confuse.Template[str]):
    """One of a few words, of which YAML takes `no` for a switch."""

    def __init__(self, *words: str) -> None:
        super().__init__(words[0])
        self._words = words

    def convert(self, value: Any, view: confuse.ConfigView) -> str:  # noqa: ANN401
        """Check one value. Raises confuse.ConfigError if it cannot be used."""
        word = "no" if value is False else value
        if word not in self._words:
            self.fail(f"must be {', '.join(self._words[:-1])} or {self._words[-1]}, not {value!r}", view, True)
        return str(word)


class Source(confuse.Template[bool | Path | tuple[str, ...]]):
    """Yes, no, the name of a file, or, where that is allowed, the words themselves."""

    def __init__(self, default: bool, *, words: bool = False) -> None:
        super().__init__(default)
        self._takes_words = words

    def convert(self, value: Any, view: confuse.ConfigView) -> bool | Path | tuple[str, ...]:  # noqa: ANN401
        """Check one value. Raises confuse.ConfigError if it cannot be used."""
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value:
            return as_path(confuse.Filename(in_source_dir=True).value(view))
        if self._takes_words and isinstance(value, list) and value and all(isinstance(w, str) for w in value):
            return tuple(value)
        self.fail(f"must be yes, no, a file{' or a list of genres' * self._takes_words}, not {value!r}", view, True)


class Aliases(confuse.Template[bool | dict[str, tuple[str, ...]]]):
    """Yes, no, or a table of names, each with a list of regular expressions."""

    def convert(self, value: Any, view: confuse.ConfigView) -> bool | dict[str, tuple[str, ...]]:  # noqa: ANN401
        """Check one value. Raises confuse.ConfigError if it cannot be used."""
        if isinstance(value, bool):
            return value
        if not isinstance(value, dict):
            self.fail(f"must be yes, no or a table of genres, not {value!r}", view, True)
        table = {str(name): (given,) if isinstance(given, str) else given for name, given in value.items()}
        for name, expressions in table.items():
            if not isinstance(expressions, list | tuple) or not all(isinstance(each, str) for each in expressions):
                self.fail(f"{name} must be a list of regular expressions, not {expressions!r}", view, True)
            for expression in expressions:
                self._check(expression, view)
        return {name: tuple(expressions) for name, expressions in table.items()}

    def _check(self, expression: str, view: confuse.ConfigView) -> None:
        try:
            re.compile(expression)
        except (re.error, RecursionError, OverflowError) as error:
            self.fail(f"{expression!r} is no regular expression ({error})", view)


class Folders(confuse.Template[dict[Path, Path]]):
    """A table of folders: as another machine calls them, and as they are called here; all of them absolute."""

    def __init__(self) -> None:
        super().__init__({})

    def convert(self, value: Any, view: confuse.ConfigView) -> dict[Path, Path]:  # noqa: ANN401
        """Check one value. Raises confuse.ConfigError if it cannot be used."""
        if not isinstance(value, dict):
            self.fail(f"must be a table of folders, not {value!r}", view, True)
        for folder in (folder for pair in value.items() for folder in pair):
            if not isinstance(folder, str) or not folder.startswith("/"):
                self.fail(f"must name folders from the root on, like /mnt/music, not {folder!r}", view, True)
        return {as_path(there): as_path(here) for there, here in value.items()}


def as_path(name: str) -> Path:
    """Return `name` as a path. Raises ConfigError if no file can be called so."""
    if "\0" in name or any(0xD800 <= ord(c) < 0xDC80 or (ord(c) > 0xDCFF and ord(c) < 0xE000) for c in name):
        raise ConfigError(f"{name!r} in the configuration cannot be the name of a file")
    return Path(name)
