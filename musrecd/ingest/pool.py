"""Worker processes that may crash or hang without harm: the file is given up, the worker replaced."""

import multiprocessing
import signal
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures import TimeoutError as FutureTimeoutError
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from multiprocessing import resource_tracker
from types import TracebackType
from typing import Self

from pebble import ProcessExpired, ProcessPool

from musrecd.errors import MusrecError, WorkerError
from musrecd.ingest.work import OUT_OF_MEMORY, Outcome, Task, WorkerSettings, perform, prepare, start_worker

# A worker is renewed now and then, so that what decoders leak stays small: 13 MB for 1,000 files, measured on 1,400.
# Not more often, because all take their turn at once, and whoever asks then waits until one has loaded the encoder.
_TASKS_PER_WORKER = 5000
_WAITING_PER_WORKER = 3
_CANNOT_START = "processes cannot be started; try fewer with --threads"


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Keep Ctrl-C waiting. Threads and processes that are started meanwhile never see it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def starting() -> Iterator[None]:
    """Start processes: whoever presses Ctrl-C means us, not the imports of a worker that is just beginning."""
    try:
        # It would unblock Ctrl-C when it is started later, on the way.
        resource_tracker.ensure_running()
        with _without_interrupts():
            yield
    except (OSError, BrokenProcessPool, RuntimeError) as error:
        raise MusrecError(_CANNOT_START) from error


def kill_children() -> None:
    """Kill every process that was started from here: none holds anything that would be lost, and all end at once."""
    for child in multiprocessing.active_children():
        child.kill()


class Workers:
    """A pool of analysing processes; a context manager that leaves none behind."""

    def __init__(self, settings: WorkerSettings, n_processes: int, timeout_s: float) -> None:
        self._n_processes = n_processes
        self._n_waiting = n_processes * _WAITING_PER_WORKER
        self._timeout_s = timeout_s
        with starting():
            self._pool = ProcessPool(
                max_workers=n_processes,
                max_tasks=_TASKS_PER_WORKER,
                initializer=start_worker,
                initargs=(settings,),
                context=multiprocessing.get_context("spawn"),
            )

    def __enter__(self) -> Self:
        """Return the pool."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    def stop(self) -> None:
        """Stop at once; what was under way is lost, what was yielded is not."""
        with _without_interrupts():
            self._pool.stop()  # type: ignore[no-untyped-call]
            self._pool.join()

    def perform(self, tasks: Iterable[Task]) -> Iterator[Outcome]:
        """Yield an outcome for every task, in the order in which they are done.

        Tasks are taken as they are needed, so their number does not matter. Raises EncoderError or LibraryError
        if a worker cannot work.
        """
        remaining = iter(tasks)
        under_way: dict[Future[Outcome], Task] = {}
        while True:
            for task in islice(remaining, self._n_waiting - len(under_way)):
                under_way[self.submit(task)] = task
            if not under_way:
                return
            done, _ = wait(under_way, return_when=FIRST_COMPLETED)
            for future in done:
                yield self.outcome(future, under_way.pop(future))

    def submit(self, task: Task) -> Future[Outcome]:
        """Give a task to the next process that is free."""
        with starting():
            return self._pool.schedule(perform, args=(task,), timeout=self._timeout_s)

    def warm_up(self) -> None:
        """Let the processes load the encoder for what is about to come; if they cannot, the next task says so."""
        with starting():
            for _ in range(self._n_processes):
                self._pool.schedule(prepare, timeout=self._timeout_s)

    @property
    def is_broken(self) -> bool:
        """Whether nothing can be heard any more; not to be asked before something was given."""
        return not self._pool.active

    def outcome(self, future: Future[Outcome], task: Task) -> Outcome:
        """Return what became of a task that is done. Raises EncoderError or LibraryError if a worker cannot work."""
        try:
            return future.result()
        except MusrecError:
            # No fault of the file: nothing can be heard at all.
            raise
        except BrokenProcessPool as error:
            raise MusrecError(_CANNOT_START) from error
        except FutureTimeoutError:
            message = f"not done after {self._timeout_s:.0f} s, given up"
        except ProcessExpired as error:
            ran_out = error.exitcode == OUT_OF_MEMORY
            why = "ran out of memory" if ran_out else f"crashed (exit code {error.exitcode})"
            message = f"the process that analysed it {why}"
        except Exception as error:  # whatever a decoder library raises ends this file, not the run
            message = f"unexpected {type(error).__name__}: {' '.join(str(error).split())}"
        return Outcome(task.file, reason=WorkerError.reason, message=message)
