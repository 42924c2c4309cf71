"""Worker processes that crash or hang harm nobody but their file."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from musrecd.errors import EncoderError
from musrecd.ingest import pool, work
from musrecd.ingest.ingest import task_for
from musrecd.ingest.pool import Workers
from musrecd.ingest.work import Outcome, Task, WorkerSettings
from musrecd.types import Analysis


def misbehave(task: Task) -> Outcome:
    """Stand in for decoders that crash, hang or raise what nobody expects; the name says which."""
    name = os.path.basename(task.file.path)
    if name.startswith(b"crash"):
        os.kill(os.getpid(), signal.SIGSEGV)
    if name.startswith(b"hang"):
        time.sleep(600)
    if name.startswith(b"raise"):
        raise ZeroDivisionError("nobody\nexpected this")
    return Outcome(task.file)


def test_crash_hang_and_surprise_cost_one_file_each(tiny_weights, monkeypatch):
    monkeypatch.setattr(pool, "perform", misbehave)
    tasks = [task_for(name) for name in (b"good1", b"crash", b"hang", b"raise", b"good2", b"good3")]
    with Workers(WorkerSettings(tiny_weights, None), 1, timeout_s=6) as workers:
        outcomes = {o.file.path: o for o in workers.perform(tasks)}
    assert {name: bool(o.message) for name, o in outcomes.items()} == {
        b"good1": False, b"crash": True, b"hang": True, b"raise": True, b"good2": False, b"good3": False,
    }  # fmt: skip
    assert "crashed" in outcomes[b"crash"].message
    assert "not done after 6 s" in outcomes[b"hang"].message
    assert outcomes[b"raise"].message == "unexpected ZeroDivisionError: nobody expected this"


def run_out_of_memory(task: Task) -> Outcome:
    """Stand in for a decoder, or torch, that gets no memory; the worker would get none for the next file either."""
    errors = {b"numpy": MemoryError(), b"torch": RuntimeError("DefaultCPUAllocator: can't allocate memory: 1 byte")}
    if task.file.path not in errors:
        return Outcome(task.file)

    def fail(_task: Task) -> Outcome:
        raise errors[task.file.path]

    work._perform = fail
    return work.perform(task)


def test_a_worker_without_memory_ends_and_another_hears_the_next_file(tiny_weights, monkeypatch):
    monkeypatch.setattr(pool, "perform", run_out_of_memory)
    tasks = [task_for(name) for name in (b"numpy", b"good1", b"torch", b"good2")]
    with Workers(WorkerSettings(tiny_weights, None), 1, timeout_s=60) as workers:
        outcomes = {o.file.path: o.message for o in workers.perform(tasks)}
    ran_out = "the process that analysed it ran out of memory"
    assert outcomes == {b"numpy": ran_out, b"good1": "", b"torch": ran_out, b"good2": ""}


def test_outcomes_come_for_every_task_however_many(tiny_weights, rendered_files):
    tasks = [task_for(os.fsencode(path)) for path in rendered_files]
    with Workers(WorkerSettings(tiny_weights, None), 2, timeout_s=60) as workers:
        outcomes = list(workers.perform(iter(tasks)))
    assert {o.file for o in outcomes} == {t.file for t in tasks}
    assert all(isinstance(o.heard, Analysis) for o in outcomes)
    assert all(o.tags.title for o in outcomes)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="finds the workers through /proc")
def test_workers_end_when_their_parent_is_killed(tiny_weights, tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(
        "import sys, time\n"
        "from pathlib import Path\n"
        "from musrecd.ingest.ingest import task_for\n"
        "from musrecd.ingest.pool import Workers\n"
        "from musrecd.ingest.work import WorkerSettings\n"
        "if __name__ == '__main__':\n"
        "    with Workers(WorkerSettings(Path(sys.argv[1]), None), 1, 60) as workers:\n"
        "        list(workers.perform([task_for(b'nothing')]))\n"
        "        print('ready', flush=True)\n"
        "        time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, script, tiny_weights], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout.readline() == "ready\n"
        children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()
        assert children
        parent.kill()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and any(_alive(pid) for pid in children):
        time.sleep(0.1)
    assert not any(_alive(pid) for pid in children)


def _alive(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_worker_that_cannot_work_blames_no_file(tmp_path, rendered_files):
    weights = tmp_path / "gone.safetensors"
    with Workers(WorkerSettings(weights, None), 1, 30) as workers, pytest.raises(EncoderError, match="cannot be read"):
        list(workers.perform([task_for(os.fsencode(rendered_files[0]))]))


def test_a_worker_that_was_got_ready_hears(tiny_weights, rendered_files):
    with Workers(WorkerSettings(tiny_weights, None), 1, timeout_s=60) as workers:
        workers.warm_up()
        (outcome,) = workers.perform([task_for(os.fsencode(rendered_files[0]))])
        assert isinstance(outcome.heard, Analysis)
        assert not workers.is_broken


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing limits it")
@pytest.mark.parametrize(("most", "limit"), [(2**30, 2**30), (2**33, 2**32), (-1, 2**32)])
def test_a_worker_makes_do_with_less_memory_where_the_system_allows_less(most, limit):
    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from musrecd.ingest.work import WorkerSettings, start_worker\n"
        "resource.setrlimit(resource.RLIMIT_DATA, (int(sys.argv[1]), int(sys.argv[1])))\n"
        "start_worker(WorkerSettings(Path('weights'), None, memory_bytes=2**32))\n"
        "print(*resource.getrlimit(resource.RLIMIT_DATA))\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(most)], capture_output=True, text=True, check=False)
    assert done.stdout.split() == [str(limit)] * 2, done.stderr
