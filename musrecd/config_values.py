"""What the keys of the configuration take: numbers, switches, words, files, tables; and what is said of all else."""

import re
import unicodedata
from pathlib import Path
from typing import Any

import confuse

from musrecd.errors import ConfigError

_NO_TEXT = {"Cc", "Cs", "Zl", "Zp"}  # control characters, lone surrogates, ends of lines and paragraphs


class Number(confuse.Template[float | None]):
    """A number between two bounds, an integer if the bounds are; `default` may be None, for what has none."""

    def __init__(self, default: float | None, low: float, high: float) -> None:
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


class Line(confuse.Template[str]):
    """A line of text, or a number that stands for one; it may be empty only where that is the default."""

    def convert(self, value: Any, view: confuse.ConfigView) -> str:  # noqa: ANN401
        """Check one value. Raises confuse.ConfigError if it cannot be used."""
        is_number = isinstance(value, int) and not isinstance(value, bool)
        line = str(value) if is_number else value
        is_line = isinstance(line, str) and not any(unicodedata.category(c) in _NO_TEXT for c in line)
        if not is_line or not (line.strip() or line == self.default):
            self.fail(f"must be a line of text, not {value!r}", view, True)
        return str(line)


class Words(confuse.Template[tuple[str, ...]]):
    """One or several lines of text."""

    def convert(self, value: Any, view: confuse.ConfigView) -> tuple[str, ...]:  # noqa: ANN401
        """Check one value. Raises confuse.ConfigError if it cannot be used."""
        lines = [value] if isinstance(value, str) else value if isinstance(value, list) else []
        if not lines or not all(map(_is_name, lines)):
            self.fail(f"must be words or a list of words, not {value!r}", view, True)
        return tuple(map(str, lines))


class Alternatives(confuse.Template[tuple[tuple[str, ...], ...] | str]):
    """A list of which one has to hold, each a name or a list of names that hold together; or one of a few words."""

    def __init__(self, *words: str) -> None:
        super().__init__(())
        self._words = words

    def convert(self, value: Any, view: confuse.ConfigView) -> tuple[tuple[str, ...], ...] | str:  # noqa: ANN401
        """Check one value. Raises confuse.ConfigError if it cannot be used."""
        if value in self._words:
            return str(value)
        given = [value] if isinstance(value, str) else value
        groups = [[each] if isinstance(each, str) else each for each in given] if isinstance(given, list) else [[]]
        if not all(isinstance(group, list) and group and all(map(_is_name, group)) for group in groups):
            few = "".join(f"{word}, " for word in self._words)
            self.fail(f"must be {few}a name or a list of names, not {value!r}", view, True)
        return tuple(tuple(group) for group in groups)


class Hours(confuse.Template[float]):
    """A time such as `12 hours` or `7 days`, in hours."""

    _TIME = re.compile(r"([1-9]\d{0,3}) (hour|day)s?")

    def convert(self, value: Any, view: confuse.ConfigView) -> float:  # noqa: ANN401
        """Check one value. Raises confuse.ConfigError if it cannot be used."""
        found = self._TIME.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            self.fail(f"must be a time such as `12 hours` or `7 days`, not {value!r}", view, True)
        return float(found[1]) * (24 if found[2] == "day" else 1)


class Maybe(confuse.Template[Any]):
    """What another template takes, or nothing: then it is None."""

    def __init__(self, template: confuse.Template[Any]) -> None:
        super().__init__(None)
        self._template = template

    def convert(self, value: Any, view: confuse.ConfigView) -> Any:  # noqa: ANN401
        """Check one value. Raises confuse.ConfigError if it cannot be used."""
        return None if value is None else self._template.convert(value, view)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def table_values(view: confuse.ConfigView, template: dict[str, confuse.Template[Any]], name: str) -> dict[str, Any]:
    """Read one table. Raises ConfigError for a key that does not exist, confuse.ConfigError for a bad value."""
    if view.exists() and (unknown := sorted(set(map(str, view.keys())) - set(template))):
        raise ConfigError(
            f"unknown key {name}.{unknown[0]} in the configuration; known are {', '.join(sorted(template))}"
        )
    values: dict[str, Any] = view.get(confuse.MappingTemplate(template))
    return values


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
