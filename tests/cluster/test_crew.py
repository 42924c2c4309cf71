"""Who hears what: whatever workers do, every task has exactly one outcome."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musrecd.cluster.crew import ERRANDS_PER_PROCESS, MOST_LOST, Crew
from musrecd.ingest.work import Outcome, Task
from musrecd.types import FileState


def tasks(n: int) -> list[Task]:
    return [Task(FileState(b"/music/%d" % number, 1, 1)) for number in range(n)]


class Play:
    """A crew and what it gave to whom; `step` lets something happen that the numbers choose."""

    def __init__(self, n_tasks: int) -> None:
        self.crew = Crew(iter(tasks(n_tasks)))
        self.under_way: list[tuple[str, object]] = []
        self.outcomes: Counter[bytes] = Counter()
        self.n_joined = 0

    def join(self, n_processes: int) -> None:
        self.n_joined += 1
        self.crew.join(f"w{self.n_joined}", n_processes)

    def assign(self) -> None:
        self.under_way += self.crew.assign()
        at_risk = Counter(name for name, errand in self.under_way if errand.n_lost)
        assert all(n == 1 for n in at_risk.values())
        assert len({id(errand) for _, errand in self.under_way}) == len(self.under_way)

    def step(self, what: str, which: int) -> None:
        if what == "join":
            self.join(1 + which % 3)
        elif what == "leave" and self.crew.members:
            name = self.crew.members[which % len(self.crew.members)]
            self.crew.leave(name, lost=bool(which % 2))
            self.under_way = [each for each in self.under_way if each[0] != name]
        elif self.under_way and what not in ("join", "leave"):
            name, errand = self.under_way.pop(which % len(self.under_way))
            self.answer(what, name, errand)
        self.assign()
        self.take_settled()

    def answer(self, what, name, errand) -> None:
        if what == "done":
            self.crew.done(name, errand)
            self.outcomes[errand.task.file.path] += 1
        elif what == "unseen":
            self.crew.unseen(name, errand, "")
        elif what == "failed":
            self.crew.failed(name, errand)
        else:
            self.crew.returned(name, errand)

    def take_settled(self) -> None:
        for outcome in self.crew.settled():
            assert outcome.message
            self.outcomes[outcome.file.path] += 1


EVENTS = st.tuples(
    st.sampled_from(["join", "leave", "done", "done", "done", "unseen", "failed", "returned"]), st.integers(0, 1000)
)


@given(st.integers(0, 12), st.lists(EVENTS, max_size=80))
def test_every_task_has_exactly_one_outcome_whatever_happens(n_tasks, events):
    play = Play(n_tasks)
    for what, which in events:
        play.step(what, which)
    play.join(2)
    while not play.crew.is_done:
        before = (len(play.under_way), sum(play.outcomes.values()))
        play.step("done", 0)
        assert play.under_way or play.crew.is_done or before != (0, sum(play.outcomes.values()))
    assert play.outcomes == Counter(task.file.path for task in tasks(n_tasks))


@given(st.lists(st.integers(1, 4), min_size=1, max_size=5), st.integers(0, 60))
def test_few_tasks_are_under_way_and_the_others_are_not_even_looked_at(processes, n_tasks):
    looked_at = []
    crew = Crew(looked_at.append(task) or task for task in tasks(n_tasks))
    for number, n_processes in enumerate(processes):
        crew.join(str(number), n_processes)
    given_out = Counter(name for name, _ in crew.assign())
    most = {str(number): n * ERRANDS_PER_PROCESS for number, n in enumerate(processes)}
    assert all(given_out[name] <= n for name, n in most.items())
    assert sum(given_out.values()) == min(n_tasks, sum(most.values()))
    assert len(looked_at) <= sum(given_out.values()) + 1


def lose(crew: Crew, name: str) -> list[Outcome]:
    crew.leave(name, lost=True)
    return list(crew.settled())


def test_the_file_that_kills_workers_fails_and_those_beside_it_do_not():
    crew = Crew(tasks(9))
    killer = tasks(1)[0].file.path
    failures, heard = [], set()
    for number in range(20):
        crew.join(str(number), 2)
        has_died = False
        while not crew.is_done and not has_died:
            given_out = list(crew.assign())
            has_died = any(errand.task.file.path == killer for _, errand in given_out)
            if has_died:
                failures += lose(crew, str(number))
            for name, errand in [] if has_died else given_out:
                crew.done(name, errand)
                heard.add(errand.task.file.path)
            if not given_out:
                break
    assert [(f.file.path, f.reason) for f in failures] == [(killer, "worker")]
    assert f"{MOST_LOST} workers were lost" in failures[0].message
    assert heard == {task.file.path for task in tasks(9)} - {killer}
    assert crew.is_done


def test_a_file_that_one_worker_does_not_see_is_heard_by_another():
    crew = Crew(tasks(1))
    crew.join("a", 1)
    crew.join("b", 1)
    ((first, errand),) = crew.assign()
    crew.unseen(first, errand, "")
    ((second, same),) = crew.assign()
    assert {first, second} == {"a", "b"}
    assert same is errand
    crew.done(second, same)
    assert crew.is_done


@pytest.mark.parametrize(
    ("message", "told"), [("", "no worker sees it: check cluster.paths"), ("not ours", "not ours")]
)
def test_a_file_that_no_worker_sees_fails_once(message, told):
    crew = Crew(tasks(1))
    for name in "ab":
        crew.join(name, 1)
    for _ in range(2):
        ((name, errand),) = crew.assign()
        crew.unseen(name, errand, message)
    (failure,) = crew.settled()
    assert failure.message.startswith(told)
    assert failure.reason == "unreadable"
    assert crew.is_done


def test_a_file_waits_for_a_worker_where_there_is_none():
    crew = Crew(tasks(1))
    crew.join("a", 1)
    list(crew.assign())
    crew.leave("a", lost=False)
    assert not crew.is_done
    assert list(crew.assign()) == []
    crew.join("b", 1)
    assert [name for name, _ in crew.assign()] == ["b"]
