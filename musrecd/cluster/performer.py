"""Hearing on other machines: stands in for the processes of this one, wherever an ingest asks for them."""

import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from musrecd.cluster import worker
from musrecd.cluster.crew import Crew, Errand
from musrecd.cluster.link import Link, LostError
from musrecd.cluster.messages import Order, Ready, Stranger, Unseen
from musrecd.display import printable
from musrecd.errors import ClusterError, MusrecError, WorkerError
from musrecd.ingest.work import Outcome, Task
from musrecd.types import FileState

if TYPE_CHECKING:
    from distributed import Future

_LOOK_EVERY_S = 1.0
# A file takes `timeout_s` at most, so that something should come from whoever is at work within that time.
_SILENT_TIMEOUTS = 2
_SILENT_S = 30.0
_GREETING_S = 60.0


@dataclass(frozen=True, slots=True)
class Run:
    """What the workers are asked for; see `messages.Order`. `patience_s`: how long to wait while there is no worker."""

    encoder_version: str
    timeout_s: float
    known: bytes = b""
    samples: tuple[FileState, ...] = ()
    patience_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Listener:
    """Who wants to know of the workers: `on_crew(n)` when their number changes, `on_notice` of those left out."""

    on_crew: Callable[[int], None] = lambda n: None
    on_notice: Callable[[str], None] = lambda line: None


@dataclass(slots=True)
class _Hand:
    """A worker that was not left out."""

    n_processes: int
    heard_at: float
    is_ready: bool = False


@dataclass(frozen=True, slots=True)
class _Sent:
    future: "Future[Any]"
    worker: str
    errand: Errand | None  # None: a greeting


class ClusterWorkers:
    """The workers of a dask scheduler, as an `ingest.Performer`. Raises ClusterError."""

    def __init__(self, address: str, run: Run, listener: Listener | None = None) -> None:
        self._run = run
        self._name = uuid.uuid4().hex
        self._listener = listener or Listener()
        self._link = Link(address)
        self._address = address
        self._sent: dict[str, _Sent] = {}
        self._done: SimpleQueue[str] = SimpleQueue()
        self._n_sent = 0
        self._hands: dict[str, _Hand] = {}
        self._left_out: dict[str, str] = {}
        self._looked_at = -_LOOK_EVERY_S
        self._seen_at = time.monotonic()
        self._is_assembled = False

    def perform(self, tasks: Iterable[Task]) -> Iterator[Outcome]:
        """Yield an outcome for every task, in the order in which they are done.

        Raises ClusterError if there is no worker (any more) that can hear.
        """
        crew = Crew(tasks)
        for name, hand in self._hands.items():
            if hand.is_ready:
                crew.join(name, hand.n_processes)
        try:
            while not crew.is_done:
                self._muster(crew)
                if self._is_assembled:
                    for name, errand in crew.assign():
                        self._send(name, worker.hear, self._name, errand.task, errand=errand)
                yield from crew.settled()
                if not crew.is_done:
                    yield from self._receive(crew)
        finally:
            self._take_back()

    def stop(self) -> None:
        """End at once: what waits is taken back, what is being heard is heard in vain."""
        self._take_back()
        self._link.close()

    def _take_back(self) -> None:
        self._link.cancel([sent.future for sent in self._sent.values()])
        self._sent.clear()
        self._hands = {name: hand for name, hand in self._hands.items() if hand.is_ready}

    def _muster(self, crew: Crew) -> None:
        """See who came and who is gone, now and then."""
        if time.monotonic() - self._looked_at < _LOOK_EVERY_S:
            return
        there = self._link.workers()
        self._looked_at = time.monotonic()
        for name in self._hands.keys() - there.keys():
            self._forget(crew, name, lost=True)
        for name in [name for name in self._hands if self._is_silent(crew, name)]:
            self._leave_out(crew, name, "it has said nothing for a long time", lost=True)
        for name in there.keys() - self._hands.keys() - self._left_out.keys():
            self._greet(name, there[name])
        self._check_hope(there)

    def _is_silent(self, crew: Crew, name: str) -> bool:
        hand = self._hands[name]
        silence = time.monotonic() - hand.heard_at
        if not hand.is_ready:
            return silence > _GREETING_S
        return crew.is_busy(name) and silence > _SILENT_TIMEOUTS * self._run.timeout_s + _SILENT_S

    def _check_hope(self, there: dict[str, int]) -> None:
        """Raise ClusterError if nobody can hear, and for too long nobody was there who might."""
        if self._hands:
            self._seen_at = time.monotonic()
        elif refused := [f"{name}: {why}" for name, why in self._left_out.items() if name in there]:
            more = f" (and {len(refused) - 1} more)" if len(refused) > 1 else ""
            raise ClusterError(f"no worker of {self._address} can hear; {refused[0]}{more}")
        elif time.monotonic() - self._seen_at > self._run.patience_s:
            raise ClusterError(
                f"no worker is at {self._address}; start some with `musrecd worker {self._address}` where the music "
                "can be seen, and run the same command to go on"
            )

    def _greet(self, name: str, n_processes: int) -> None:
        run = self._run
        order = Order(self._name, run.encoder_version, n_processes, run.timeout_s, run.known, run.samples)
        self._hands[name] = _Hand(n_processes, time.monotonic())
        self._send(name, worker.greet, order)

    def _send(self, name: str, function: Callable[..., Any], *arguments: object, errand: Errand | None = None) -> None:
        self._n_sent += 1
        key = f"musrec-{self._name}-{self._n_sent}"
        if not any(sent.worker == name for sent in self._sent.values()):
            self._hands[name].heard_at = time.monotonic()  # it was idle, and silent with good reason
        future = self._link.send(name, key, function, *arguments, to=partial(self._note, key))
        self._sent[key] = _Sent(future, name, errand)

    def _note(self, key: str, _future: "Future[Any]") -> None:
        self._done.put(key)

    def _receive(self, crew: Crew) -> Iterator[Outcome]:
        """Yield what has come; wait for something, but not so long that a worker that died goes unnoticed."""
        try:
            keys = [self._done.get(timeout=_LOOK_EVERY_S)]
        except Empty:
            return
        while not self._done.empty():
            keys.append(self._done.get())
        for key in keys:
            # What is not there was taken back meanwhile.
            if sent := self._sent.pop(key, None):
                yield from self._take(crew, sent)

    def _take(self, crew: Crew, sent: _Sent) -> Iterator[Outcome]:
        try:
            answer = self._link.answer(sent.future)
        except (LostError, WorkerError):
            self._lost(crew, sent)
        except Exception as error:  # whatever a worker raises is wrong with the worker: files fail by outcomes
            self._give_back(crew, sent)
            self._leave_out(crew, sent.worker, _what(error), lost=False)
        else:
            self._hands[sent.worker].heard_at = time.monotonic()
            if sent.errand is None:
                self._welcome(crew, sent.worker, answer)
            else:
                yield from self._settle(crew, sent.worker, sent.errand, answer)
        # Before all that are there were greeted, a file that the first of them does not see would be given up.
        self._is_assembled = self._is_assembled or all(hand.is_ready for hand in self._hands.values())

    def _welcome(self, crew: Crew, name: str, answer: Ready) -> None:
        if answer.refusal:
            self._leave_out(crew, name, answer.refusal, lost=False)
            return
        hand = self._hands[name]
        hand.is_ready = True
        crew.join(name, hand.n_processes)
        self._listener.on_crew(len(crew.members))

    def _settle(self, crew: Crew, name: str, errand: Errand, answer: Outcome | Unseen | Stranger) -> Iterator[Outcome]:
        if isinstance(answer, Outcome):
            crew.done(name, errand)
            yield answer
        elif isinstance(answer, Unseen):
            crew.unseen(name, errand, answer.message)
        else:
            crew.returned(name, errand)
            self._forget(crew, name, lost=False)  # and so it is greeted again

    def _lost(self, crew: Crew, sent: _Sent) -> None:
        if sent.errand is None:
            self._forget(crew, sent.worker, lost=False)
        else:
            crew.failed(sent.worker, sent.errand)

    def _give_back(self, crew: Crew, sent: _Sent) -> None:
        if sent.errand is not None:
            crew.returned(sent.worker, sent.errand)

    def _leave_out(self, crew: Crew, name: str, why: str, *, lost: bool) -> None:
        self._left_out[name] = why
        self._listener.on_notice(f"{name} is left out: {why}")
        self._forget(crew, name, lost=lost)

    def _forget(self, crew: Crew, name: str, *, lost: bool) -> None:
        """Let others have what a worker had; what may still come from it counts no more."""
        crew.leave(name, lost=lost)
        theirs = {key: sent.future for key, sent in self._sent.items() if sent.worker == name}
        for key in theirs:
            del self._sent[key]
        self._link.cancel(list(theirs.values()))
        if self._hands.pop(name).is_ready:
            self._listener.on_crew(len(crew.members))


def _what(error: Exception) -> str:
    if isinstance(error, ModuleNotFoundError):
        return f"{error}; install the same musrec there"
    text = printable(" ".join(str(error).split()))
    return text if isinstance(error, MusrecError) else f"unexpected {type(error).__name__}: {text}"
