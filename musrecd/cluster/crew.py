"""Who hears what: every task is given out until it has exactly one outcome. Numbers and names, no network."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from musrecd.cluster.messages import ADVICE
from musrecd.errors import UnreadableFileError, WorkerError
from musrecd.ingest.work import Outcome, Task

# One that a worker hears and one that it has waiting, so that it never waits for the network.
ERRANDS_PER_PROCESS = 2
MOST_LOST = 3


@dataclass(eq=False, slots=True)
class Errand:
    """A task that is under way, with what was tried: workers lost over it, and workers that do not see the file."""

    task: Task
    n_lost: int = 0
    unseen_by: set[str] = field(default_factory=set)
    message: str = ""


@dataclass(slots=True)
class _Member:
    n_processes: int
    errands: set[Errand] = field(default_factory=set)

    @property
    def load(self) -> float:
        return len(self.errands) / self.n_processes

    @property
    def has_room(self) -> bool:
        return len(self.errands) < self.n_processes * ERRANDS_PER_PROCESS

    @property
    def is_at_risk(self) -> bool:
        return any(errand.n_lost for errand in self.errands)


class Crew:
    """The workers of a run and their errands; tasks are taken as they are needed."""

    def __init__(self, tasks: Iterable[Task]) -> None:
        self._fresh = iter(tasks)
        self._next = next(self._fresh, None)
        self._again: deque[Errand] = deque()
        self._members: dict[str, _Member] = {}
        self._settled: list[Outcome] = []

    @property
    def is_done(self) -> bool:
        """Whether every task has its outcome, and all of them were taken from `settled`."""
        under_way = any(member.errands for member in self._members.values())
        return self._next is None and not (self._again or under_way or self._settled)

    @property
    def members(self) -> list[str]:
        """The names of the workers."""
        return list(self._members)

    def is_busy(self, name: str) -> bool:
        """Whether a worker has something to do."""
        return bool(self._members[name].errands)

    def join(self, name: str, n_processes: int) -> None:
        """Let a worker take part."""
        self._members[name] = _Member(n_processes)

    def leave(self, name: str, *, lost: bool) -> None:
        """Let a worker go; its errands go to others. `lost`: it may have been one of them that cost the worker."""
        member = self._members.pop(name, None)
        for errand in member.errands if member else ():
            errand.n_lost += lost
            self._give_back(errand)
        self._settle_unseen()

    def assign(self) -> Iterator[tuple[str, Errand]]:
        """Give every worker what it has room for, the idlest first."""
        roomy = {name for name, member in self._members.items() if member.has_room}
        while roomy:
            name = min(roomy, key=lambda name: self._members[name].load)
            member = self._members[name]
            if (errand := self._next_for(name, member)) is None:
                roomy.remove(name)
                continue
            member.errands.add(errand)
            yield name, errand
            if not member.has_room:
                roomy.remove(name)

    def done(self, name: str, errand: Errand) -> None:
        """Take note that an errand has its outcome."""
        self._members[name].errands.discard(errand)

    def failed(self, name: str, errand: Errand) -> None:
        """Take note that a worker died over an errand although it is back."""
        self.done(name, errand)
        errand.n_lost += 1
        self._give_back(errand)

    def returned(self, name: str, errand: Errand) -> None:
        """Take note that a worker did nothing with an errand."""
        self.done(name, errand)
        self._give_back(errand)

    def unseen(self, name: str, errand: Errand, message: str) -> None:
        """Take note that a worker does not see the file of an errand, or cannot read it, as `message` says."""
        self.done(name, errand)
        errand.unseen_by.add(name)
        errand.message = message or errand.message
        self._again.append(errand)
        self._settle_unseen()

    def settled(self) -> Iterator[Outcome]:
        """Yield, once, the failures of tasks that nobody can hear."""
        while self._settled:
            yield self._settled.pop()

    def _next_for(self, name: str, member: _Member) -> Errand | None:
        for errand in self._again:
            # Where two lie that may have cost a worker, nobody could tell which of them costs the next.
            if name not in errand.unseen_by and not (errand.n_lost and member.is_at_risk):
                self._again.remove(errand)
                return errand
        if self._next is None:
            return None
        errand, self._next = Errand(self._next), next(self._fresh, None)
        return errand

    def _give_back(self, errand: Errand) -> None:
        if errand.n_lost >= MOST_LOST:
            message = f"{errand.n_lost} workers were lost while they had it"
            self._settled.append(Outcome(errand.task.file, reason=WorkerError.reason, message=message))
        else:
            self._again.append(errand)

    def _settle_unseen(self) -> None:
        """Give up the files that every worker was asked for; without a worker they wait for one."""
        hopeless = [each for each in self._again if self._members and self._members.keys() <= each.unseen_by]
        for errand in hopeless:
            self._again.remove(errand)
            message = errand.message or f"no worker sees it: {ADVICE}"
            self._settled.append(Outcome(errand.task.file, reason=UnreadableFileError.reason, message=message))
