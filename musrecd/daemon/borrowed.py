"""The running daemon's warm workers, for whoever would otherwise start workers of their own."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Self

from musrecd.analysis.card import SHIPPED_WEIGHTS, read_card
from musrecd.config import Config
from musrecd.daemon import client
from musrecd.errors import AudioError, MusrecError
from musrecd.ingest.ingest import Performer
from musrecd.ingest.tags import read_tags
from musrecd.ingest.work import Outcome, Task

_STATUS_S = 2.0


@dataclass(slots=True)
class BorrowedWorkers:
    """Hears through the daemon; what that does not hear, because it ends, is heard by workers `start` returns."""

    config: Config
    version: str
    start: Callable[[], Performer]
    _own: Performer | None = None

    @classmethod
    def of_daemon(cls, config: Config, start: Callable[[], Performer]) -> Self | None:
        """Return them if a daemon runs that hears with the encoder of the configuration."""
        version = read_card(config.encoder or SHIPPED_WEIGHTS, config.coverage).info.version
        try:
            answer = client.ask(config.library, {"do": "status"}, timeout_s=_STATUS_S)
        except MusrecError:
            return None
        return cls(config, version, start) if answer is not None and answer.get("encoder") == version else None

    def perform(self, tasks: Iterable[Task]) -> Iterator[Outcome]:
        """Yield an outcome for every task. Raises EncoderError or LibraryError if nothing can be heard."""
        unheard: list[Task] = []
        with ThreadPoolExecutor(self.config.threads) as pool:
            try:
                for task, outcome in pool.map(self._hear, tasks):
                    if outcome is None:
                        unheard.append(task)
                    else:
                        yield outcome
            finally:
                pool.shutdown(wait=False, cancel_futures=True)
        if unheard:
            if self._own is None:
                self._own = self.start()
            yield from self._own.perform(unheard)

    def stop(self) -> None:
        """End the workers that were started beside; the daemon's are its own."""
        if self._own is not None:
            self._own.stop()

    def _hear(self, task: Task) -> tuple[Task, Outcome | None]:
        path = task.file.path
        try:
            heard = client.hear(self.config.library, path, self.version)
        except AudioError as error:
            return task, Outcome(task.file, reason=error.reason, message=str(error))
        except MusrecError:
            return task, None
        if heard is None:
            return task, None
        return task, Outcome(task.file, heard, task.tags if task.tags is not None else read_tags(path))
