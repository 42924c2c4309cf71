"""What the loop of the daemon hears of: each message says what happened or what somebody wants."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

from musrecd.daemon.hearing import Heard
from musrecd.daemon.hints import Hint
from musrecd.daemon.looking import Looked
from musrecd.errors import LibraryDamagedError
from musrecd.ingest.work import Outcome
from musrecd.library.store import Library
from musrecd.tagging.outcome import Outcome as TagOutcome


@dataclass(frozen=True, slots=True)
class LookDone:
    """A look through folders ended."""

    future: Future[Looked]


@dataclass(frozen=True, slots=True)
class TagsDone:
    """A process that wrote genres ended."""

    future: Future[list[TagOutcome]]


@dataclass(frozen=True, slots=True)
class Ask:
    """Somebody waits for a file to be heard now; the outcome goes to `answer` and is not stored."""

    path: bytes
    answer: Future[Outcome]


@dataclass(frozen=True, slots=True)
class LookThrough:
    """Folders (none: all; `only_polled`: those that events do not tell of) are to be looked through."""

    folders: tuple[bytes, ...] = ()
    retry_failed: bool = False
    only_polled: bool = False


@dataclass(frozen=True, slots=True)
class Upkeep:
    """Something is to be done to the library, beside everything else."""

    name: str
    do: Callable[[Library], None]


@dataclass(frozen=True, slots=True)
class Damaged:
    """Somebody met damage in the library."""

    error: LibraryDamagedError


@dataclass(frozen=True, slots=True)
class Stop:
    """The daemon is to end; with `reload` to begin again with the configuration as it is then."""

    reload: bool = False


Message = Hint | Heard | LookDone | TagsDone | Ask | LookThrough | Upkeep | Damaged | Stop
