"""One validated configuration, from the `musrec:` section of beets' configuration or of a file of its own."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import confuse
import platformdirs

from musrecd.errors import ConfigError

SECTION = "musrec"
# What a YAML file that holds no table, impossible dates, or endless nesting makes the parser raise.
_BAD_YAML = (TypeError, ValueError, RecursionError)


@dataclass(frozen=True, slots=True)
class Config:
    """The settings, checked. `config.example.yaml` says what each is for.

    `threads` is a number of processes; `timeout_s` the seconds after which a file is given up.
    """

    library: Path
    encoder: Path | None
    folders: tuple[Path, ...]
    threads: int
    timeout_s: float
    auto: bool
    number: int
    min_score: float
    genres: int


class _Number(confuse.Template[float]):
    """A number between two bounds, an integer if the bounds are."""

    def __init__(self, default: float, low: float, high: float) -> None:
        super().__init__(default)
        self._low, self._high = low, high

    def convert(self, value: Any, view: confuse.ConfigView) -> float:  # noqa: ANN401
        whole = isinstance(self._low, int)
        allowed = int if whole else (int, float)
        if isinstance(value, bool) or not isinstance(value, allowed) or not self._low <= value <= self._high:
            kind = "a whole number" if whole else "a number"
            self.fail(f"must be {kind} from {self._low} to {self._high}, not {value!r}", view, True)
        return float(value) if not whole else int(value)


class _Switch(confuse.Template[bool]):
    """Yes or no."""

    def convert(self, value: Any, view: confuse.ConfigView) -> bool:  # noqa: ANN401
        if not isinstance(value, bool):
            self.fail(f"must be yes or no, not {value!r}", view, True)
        return bool(value)


def _path(name: str) -> Path:
    if "\0" in name or any(0xD800 <= ord(c) < 0xDC80 or (ord(c) > 0xDCFF and ord(c) < 0xE000) for c in name):
        raise ConfigError(f"{name!r} in the configuration cannot be the name of a file")
    return Path(name)


def _template() -> dict[str, confuse.Template[Any]]:
    """Every key with its default; a key that is not here does not exist."""
    return {
        "library": confuse.Optional(confuse.Filename(in_source_dir=True)),
        "encoder": confuse.Optional(confuse.Filename(in_source_dir=True)),
        "folders": confuse.Sequence(confuse.Filename(in_source_dir=True)),
        "threads": _Number(0, 0, 256),
        "timeout": _Number(120.0, 10.0, 86400.0),
        "auto": _Switch(True),
        "number": _Number(10, 1, 100000),
        "min_score": _Number(-1.0, -1.0, 1.0),
        "genres": _Number(3, 1, 100),
    }


def from_view(view: confuse.ConfigView) -> Config:
    """Check one section and fill in defaults.

    Raises ConfigError that names the key, what is wrong with it, and what would be right.
    """
    template = _template()
    try:
        unknown = sorted(set(map(str, view.keys())) - set(template))
        if unknown:
            raise ConfigError(
                f"unknown key {SECTION}.{unknown[0]} in the configuration; known are {', '.join(sorted(template))}"
            )
        values = view.get(confuse.MappingTemplate(template))
    except confuse.ConfigError as error:
        raise ConfigError(" ".join(str(error).split())) from error
    return Config(
        library=_path(values["library"]) if values["library"] else default_library(),
        encoder=_path(values["encoder"]) if values["encoder"] else None,
        folders=tuple(_path(folder) for folder in values["folders"]),
        threads=values["threads"] or available_cores(),
        timeout_s=values["timeout"],
        auto=values["auto"],
        number=values["number"],
        min_score=values["min_score"],
        genres=values["genres"],
    )


def read_config(path: Path | None = None) -> Config:
    """Read the `musrec:` section of `path`, or of the person's own configuration file if there is one.

    Raises ConfigError.
    """
    chosen = path or default_config_file()
    configuration = confuse.Configuration("musrecd", read=False)
    if path is not None or os.path.exists(chosen):
        if os.path.exists(chosen) and not os.path.isfile(chosen):
            raise ConfigError(f"configuration: {chosen} is not a file")
        try:
            configuration.set_file(str(chosen))
        except (confuse.ConfigError, OSError, *_BAD_YAML) as error:
            raise ConfigError(f"configuration: {' '.join(str(error).split())}") from error
        if SECTION not in configuration:
            raise ConfigError(f"configuration: {chosen} has no section `{SECTION}:`")
    return from_view(configuration[SECTION])


def default_config_file() -> Path:
    """Where `musrecd` looks for a configuration if none is named."""
    return platformdirs.user_config_path("musrec") / "config.yaml"


def default_library() -> Path:
    """Where the library lies if the configuration does not say."""
    return platformdirs.user_data_path("musrec") / "library.db"


def available_cores() -> int:
    """Cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1
