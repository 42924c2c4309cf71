"""How the workers of a cluster are led, with workers that do as the test says."""

from collections.abc import Callable

import pytest

from musrecd.analysis.hearing import full_version
from musrecd.cluster import performer, worker
from musrecd.cluster.link import LostError
from musrecd.cluster.messages import Ready, Stranger, Unseen
from musrecd.cluster.performer import ClusterWorkers, Listener, Run
from musrecd.errors import ClusterError, EncoderError
from musrecd.ingest.work import Outcome, Task
from musrecd.types import FileState

TASKS = [Task(FileState(b"/music/%d" % number, 1, 1)) for number in range(12)]
FILES = sorted(task.file.path for task in TASKS)
SILENCE = object()


class Link:
    """Workers that answer at once, with what `hear` and `greet` say; exceptions are raised, SILENCE is kept."""

    def __init__(self, *names: str) -> None:
        self.there = dict.fromkeys(names, 2)
        self.greet: Callable[[str], object] = lambda name: Ready()
        self.hear: Callable[[str, Task], object] = lambda name, task: Outcome(task.file)
        self.cancelled: list[object] = []
        self.asked: list[tuple[str, str]] = []
        self.is_closed = False

    def workers(self):
        return dict(self.there)

    def send(self, name, key, function, *arguments, to):
        self.asked.append((name, function.__name__))
        answer = self.greet(name) if function is worker.greet else self.hear(name, arguments[-1])
        if answer is not SILENCE:
            to(answer)
        return answer

    def answer(self, future):
        if isinstance(future, Exception):
            raise future
        return future

    def cancel(self, futures):
        self.cancelled += futures

    def close(self):
        self.is_closed = True


@pytest.fixture
def lead(monkeypatch):
    """Return a function (link, patience_s) that lets a crew hear TASKS: (outcomes, notices)."""
    monkeypatch.setattr(performer, "_LOOK_EVERY_S", 0.01)

    def run(link: Link, patience_s: float = 5.0) -> tuple[list[Outcome], list[str]]:
        monkeypatch.setattr(performer, "Link", lambda address: link)
        notices: list[str] = []
        workers = ClusterWorkers(
            "tcp://test", Run(full_version("tiny-1"), 0.0, patience_s=patience_s), Listener(on_notice=notices.append)
        )
        outcomes = list(workers.perform(iter(TASKS)))
        workers.stop()
        assert link.is_closed
        assert sorted(outcome.file.path for outcome in outcomes) == FILES
        return outcomes, notices

    return run


def test_every_file_is_heard_once(lead):
    link = Link("a", "b")
    outcomes, notices = lead(link)
    assert notices == []
    assert not any(outcome.message for outcome in outcomes)
    assert sorted(link.asked) == sorted([("a", "greet"), ("b", "greet")] + [("a", "hear"), ("b", "hear")] * 6)


def test_what_one_does_not_see_another_hears_and_what_none_sees_is_told_once(lead):
    link = Link("a", "b")
    link.hear = lambda name, task: Unseen() if name == "a" or task.file.path == b"/music/3" else Outcome(task.file)
    outcomes, _ = lead(link)
    told = [(outcome.file.path, outcome.message) for outcome in outcomes if outcome.message]
    assert told == [(b"/music/3", "no worker sees it: check cluster.paths in the worker's configuration")]


def test_a_worker_that_says_nothing_is_left_out_and_its_files_are_heard_by_others(lead, monkeypatch):
    """Its machine sleeps, or its disk is dead: whoever asks it waits for ever."""
    monkeypatch.setattr(performer, "_SILENT_S", 0.2)
    link = Link("a", "b")
    link.hear = lambda name, task: SILENCE if name == "a" else Outcome(task.file)
    _, notices = lead(link)
    assert [notice.partition(":")[0] for notice in notices] == ["a is left out"]
    assert link.cancelled


def test_a_worker_that_goes_is_replaced_by_one_that_comes(lead):
    link = Link("a")

    def hear(name, task):
        if name == "a":
            link.there = {"b": 1}
            return SILENCE
        return Outcome(task.file)

    link.hear = hear
    outcomes, notices = lead(link)
    assert notices == []
    assert not any(outcome.message for outcome in outcomes)


def test_what_is_lost_again_and_again_fails_alone(lead):
    link = Link("a", "b")
    link.hear = lambda name, task: LostError() if task.file.path == b"/music/5" else Outcome(task.file)
    outcomes, _ = lead(link)
    assert [(o.file.path, o.reason) for o in outcomes if o.message] == [(b"/music/5", "worker")]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (EncoderError("the weights are gone"), "the weights are gone"),
        (ModuleNotFoundError("No module named 'musrecd'"), "install the same musrec there"),
        (ZeroDivisionError("odd\nthing"), "unexpected ZeroDivisionError: odd thing"),
    ],
)
def test_a_worker_that_cannot_hear_blames_no_file(lead, error, told):
    link = Link("a", "b")
    link.hear = lambda name, task: error if name == "a" else Outcome(task.file)
    outcomes, notices = lead(link)
    assert not any(outcome.message for outcome in outcomes)
    assert len(notices) == 1
    assert told in notices[0]


def test_a_worker_that_forgot_the_run_is_greeted_again(lead):
    link = Link("a")
    link.hear = lambda name, task: Outcome(task.file) if link.asked.count(("a", "greet")) == 2 else Stranger()
    assert lead(link)[1] == []


@pytest.mark.parametrize("is_there", [True, False])
def test_where_nobody_can_hear_it_ends(lead, is_there):
    link = Link(*["a", "b"] * is_there)
    link.greet = lambda name: Ready("it is too old")
    with pytest.raises(ClusterError) as caught:
        lead(link, patience_s=0.05)
    assert ("it is too old (and 1 more)" if is_there else "start some with `musrecd worker tcp://test`") in str(
        caught.value
    )


def test_nothing_to_hear_asks_nobody(monkeypatch):
    link = Link()
    monkeypatch.setattr(performer, "Link", lambda address: link)
    assert list(ClusterWorkers("tcp://test", Run(full_version("tiny-1"), 1.0)).perform([])) == []
    assert link.asked == []
