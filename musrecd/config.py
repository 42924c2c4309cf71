"""One validated configuration, from the `musrec:` section of beets' configuration or of a file of its own."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import confuse
import platformdirs

from musrecd.errors import ConfigError

SECTION = "musrec"
LEVELS = ("debug", "info", "warning", "error")
# Of the daemon's log: the modules of `musrecd.daemon` that say something.
COMPONENTS = ("service", "watcher", "work", "server", "upkeep")
# What a YAML file that holds no table, impossible dates, or endless nesting makes the parser raise.
_BAD_YAML = (TypeError, ValueError, RecursionError)


@dataclass(frozen=True, slots=True)
class DaemonConfig:
    """What only the daemon asks for.

    `settle_s`: seconds for which a file has to stand still; a rescan every `rescan_minutes`, every `poll_minutes`
    for folders that cannot be watched; so many daily `backups` are kept; `levels`: component of the log → level.
    """

    settle_s: float
    rescan_minutes: float
    poll_minutes: float
    backups: int
    levels: dict[str, str]


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
    daemon: DaemonConfig


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
        "daemon": confuse.Optional(dict),
    }


def _daemon_template() -> dict[str, confuse.Template[Any]]:
    """Keys of `daemon:` with their defaults."""
    return {
        "settle": _Number(4.0, 0.1, 3600.0),
        "rescan": _Number(60.0, 1.0, 10080.0),
        "poll": _Number(5.0, 0.1, 10080.0),
        "backups": _Number(3, 0, 100),
        "log": confuse.MappingValues(confuse.Choice(LEVELS)),
    }


def from_view(view: confuse.ConfigView) -> Config:
    """Check one section and fill in defaults.

    Raises ConfigError that names the key, what is wrong with it, and what would be right.
    """
    try:
        values = _values(view, _template(), SECTION)
        daemon = _values(view["daemon"], _daemon_template(), f"{SECTION}.daemon")
    except confuse.ConfigError as error:
        raise ConfigError(" ".join(str(error).split())) from error
    if unknown := sorted(set(daemon["log"]) - set(COMPONENTS)):
        raise ConfigError(f"{SECTION}.daemon.log: no component {unknown[0]}; there are {', '.join(COMPONENTS)}")
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
        daemon=DaemonConfig(
            settle_s=daemon["settle"],
            rescan_minutes=daemon["rescan"],
            poll_minutes=daemon["poll"],
            backups=daemon["backups"],
            levels=dict(daemon["log"]),
        ),
    )


def _values(view: confuse.ConfigView, template: dict[str, confuse.Template[Any]], name: str) -> dict[str, Any]:
    """Read one table. Raises ConfigError for a key that does not exist, confuse.ConfigError for a bad value."""
    if view.exists() and (unknown := sorted(set(map(str, view.keys())) - set(template))):
        raise ConfigError(
            f"unknown key {name}.{unknown[0]} in the configuration; known are {', '.join(sorted(template))}"
        )
    values: dict[str, Any] = view.get(confuse.MappingTemplate(template))
    return values


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
