"""What travels between the scanning machine and its workers, besides tasks and outcomes."""

from dataclasses import dataclass

from musrecd.types import FileState

ADVICE = "check cluster.paths in the worker's configuration"


@dataclass(frozen=True, slots=True)
class Order:
    """What a worker is greeted with, once for each run.

    `known`: the recordings that need not be heard (see `ingest.known`); `n_processes` hear at a time, each file for
    `timeout_s` seconds at most; `samples` are some of the files, by which a worker shows that it sees the music.
    """

    run: str
    encoder_version: str
    n_processes: int
    timeout_s: float
    known: bytes
    samples: tuple[FileState, ...]


@dataclass(frozen=True, slots=True)
class Ready:
    """A worker can hear; or, with a `refusal`, why it cannot: one line."""

    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Unseen:
    """The file is not there for this worker; `message` says so if it is there but may not be read."""

    message: str = ""


@dataclass(frozen=True, slots=True)
class Stranger:
    """The worker was not greeted, or long ago: it has no processes for this run."""
