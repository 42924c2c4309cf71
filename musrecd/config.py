"""One validated configuration, from the `musrec:` section of beets' configuration or of a file of its own."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

import confuse
import platformdirs

from musrecd.config_playlists import PRESETS, MpdConfig, PlaylistsConfig, read_mpd, read_playlists
from musrecd.config_values import Aliases, Folders, Number, Source, Switch, Word, as_path
from musrecd.config_values import table_values as _values
from musrecd.errors import ConfigError

SECTION = "musrec"
LEVELS = ("debug", "info", "warning", "error")
# Of the daemon's log: the modules of `musrecd.daemon` that say something.
COMPONENTS = ("service", "watcher", "work", "server", "upkeep", "tagging")
WRITE_MODES = ("no", "fill", "extend")
HARD_LINKS = ("refuse", "break")
# What a YAML file that holds no table, impossible dates, or endless nesting makes the parser raise.
_BAD_YAML = (TypeError, ValueError, RecursionError)


class DaemonConfig(NamedTuple):
    """What only the daemon asks for.

    `settle_s`: seconds for which a file has to stand still; a rescan every `rescan_minutes`, every `poll_minutes`
    for folders that cannot be watched; so many daily `backups` are kept; `levels`: component of the log → level.
    """

    settle_s: float
    rescan_minutes: float
    poll_minutes: float
    backups: int
    levels: dict[str, str]


class ClusterConfig(NamedTuple):
    """What only a worker for other machines asks for; `paths`: folder as they call it → as it is called here."""

    paths: Mapping[Path, Path] = {}


@dataclass(frozen=True, slots=True)
class VocabularyConfig:
    """In which words genres are written; all keys mean what they mean in beets' lastgenre.

    `whitelist`: what may be written: the genres of the encoder (True), anything (False), the lines of a file, or
    the words of a tuple, which are written as they stand there. `aliases`: name → regular expressions that mean it,
    or lastgenre's. `canonical`: whether genres stand for those above them in the tree, and in which; True is
    lastgenre's. `ignored`: artist in lower case, or `*`, → expressions that are never written.
    """

    whitelist: bool | Path | tuple[str, ...] = True
    aliases: bool | Mapping[str, tuple[str, ...]] = True
    canonical: bool | Path = False
    prefer_specific: bool = False
    title_case: bool = True
    count: int = 1
    ignored: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class TaggingConfig(NamedTuple):
    """What is written into files.

    `write` is one of WRITE_MODES; genres less probable than `threshold` are kept to ourselves; `hard_links` is one of
    HARD_LINKS; `moods`, `tempo`, `key`: whether these are written into files too, where none are.
    """

    write: str = "no"
    threshold: float = 0.74
    hard_links: Literal["refuse", "break"] = "refuse"
    keep_mtime: bool = False
    moods: bool = False
    tempo: bool = False
    key: bool = False
    vocabulary: VocabularyConfig = VocabularyConfig()

    def with_heard(self, *, tempo: bool, key: bool) -> "TaggingConfig":
        """Return the same, with tempo and key as they are asked for besides."""
        return self._replace(tempo=self.tempo or tempo, key=self.key or key)


class Config(NamedTuple):
    """The settings, checked. `config.example.yaml` says what each is for.

    `threads` is a number of processes; `timeout_s` the seconds after which a file is given up; `weights` change some
    of those of the `preset`, by name; `coverage` says how much of each file is heard.
    """

    library: Path
    encoder: Path | None
    folders: tuple[Path, ...]
    threads: int
    timeout_s: float
    auto: bool
    number: int
    min_score: float
    preset: str
    weights: Mapping[str, float]
    genres: int
    tagging: TaggingConfig
    daemon: DaemonConfig
    playlists: PlaylistsConfig = PlaylistsConfig()
    mpd: MpdConfig = MpdConfig()
    coverage: Literal["windows", "full"] = "windows"
    cluster: ClusterConfig = ClusterConfig()


def _template() -> dict[str, confuse.Template[Any]]:
    """Every key with its default; a key that is not here does not exist."""
    return {
        "library": confuse.Optional(confuse.Filename(in_source_dir=True)),
        "encoder": confuse.Optional(confuse.Filename(in_source_dir=True)),
        "folders": confuse.Sequence(confuse.Filename(in_source_dir=True)),
        "threads": Number(0, 0, 256),
        "timeout": Number(120.0, 10.0, 86400.0),
        "auto": Switch(True),
        "number": Number(10, 1, 100000),
        "min_score": Number(-1.0, -1.0, 1.0),
        "preset": Word(*PRESETS),
        "weights": confuse.Optional(dict),
        "genres": Number(3, 1, 100),
        "tagging": confuse.Optional(dict),
        "daemon": confuse.Optional(dict),
        "playlists": confuse.Optional(dict),
        "mpd": confuse.Optional(dict),
        "analysis": confuse.Optional(dict),
        "cluster": confuse.Optional(dict),
    }


def _weights_template() -> dict[str, confuse.Template[Any]]:
    """Keys of `weights:`; what is not said is the preset's."""
    return {name: Number(None, 0.0, 1000.0) for name in ("sound", "labels", "tempo", "key")}


def _analysis_template() -> dict[str, confuse.Template[Any]]:
    """Keys of `analysis:` with their defaults."""
    return {"coverage": Word("windows", "full")}


def _tagging_template() -> dict[str, confuse.Template[Any]]:
    """Keys of `tagging:` with their defaults."""
    return {
        "write": Word(*WRITE_MODES),
        "threshold": Number(0.74, 0.0, 1.0),
        "hard_links": Word(*HARD_LINKS),
        "keep_mtime": Switch(False),
        "moods": Switch(False),
        "tempo": Switch(False),
        "key": Switch(False),
        **_vocabulary_template(),
    }


def _vocabulary_template() -> dict[str, confuse.Template[Any]]:
    return {
        "whitelist": Source(True, words=True),
        "aliases": Aliases(True),
        "canonical": Source(False),
        "prefer_specific": Switch(False),
        "title_case": Switch(True),
        "count": Number(1, 1, 100),
    }


def _daemon_template() -> dict[str, confuse.Template[Any]]:
    """Keys of `daemon:` with their defaults."""
    return {
        "settle": Number(4.0, 0.1, 3600.0),
        "rescan": Number(60.0, 1.0, 10080.0),
        "poll": Number(5.0, 0.1, 10080.0),
        "backups": Number(3, 0, 100),
        "log": confuse.MappingValues(confuse.Choice(LEVELS)),
    }


def from_view(view: confuse.ConfigView) -> Config:
    """Check one section and fill in defaults.

    Raises ConfigError that names the key, what is wrong with it, and what would be right.
    """
    try:
        values = _values(view, _template(), SECTION)
        tagging = _values(view["tagging"], _tagging_template(), f"{SECTION}.tagging")
        weights = _values(view["weights"], _weights_template(), f"{SECTION}.weights")
        analysis = _values(view["analysis"], _analysis_template(), f"{SECTION}.analysis")
        daemon = _values(view["daemon"], _daemon_template(), f"{SECTION}.daemon")
        playlists = read_playlists(view["playlists"], f"{SECTION}.playlists")
        mpd = read_mpd(view["mpd"], f"{SECTION}.mpd")
        cluster = _values(view["cluster"], {"paths": Folders()}, f"{SECTION}.cluster")
    except confuse.ConfigError as error:
        raise ConfigError(" ".join(str(error).split())) from error
    if unknown := sorted(set(daemon["log"]) - set(COMPONENTS)):
        raise ConfigError(f"{SECTION}.daemon.log: no component {unknown[0]}; there are {', '.join(COMPONENTS)}")
    words = VocabularyConfig(**{key: tagging.pop(key) for key in _vocabulary_template()})
    return Config(
        library=as_path(values["library"]) if values["library"] else default_library(),
        encoder=as_path(values["encoder"]) if values["encoder"] else None,
        folders=tuple(as_path(folder) for folder in values["folders"]),
        threads=values["threads"] or available_cores(),
        timeout_s=values["timeout"],
        auto=values["auto"],
        number=values["number"],
        min_score=values["min_score"],
        preset=values["preset"],
        weights={name: weight for name, weight in weights.items() if weight is not None},
        genres=values["genres"],
        tagging=TaggingConfig(vocabulary=words, **tagging),
        daemon=DaemonConfig(
            settle_s=daemon["settle"],
            rescan_minutes=daemon["rescan"],
            poll_minutes=daemon["poll"],
            backups=daemon["backups"],
            levels=dict(daemon["log"]),
        ),
        playlists=playlists,
        mpd=mpd,
        coverage=analysis["coverage"],
        cluster=ClusterConfig(paths=cluster["paths"]),
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
