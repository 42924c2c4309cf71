"""A scan whose files are heard by workers, processes on loopback: nothing lost, nothing twice."""

import os
import shutil
import signal
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import dask
import numpy as np
import pytest
from distributed import LocalCluster

from musrecd.analysis.hearing import full_version
from musrecd.cluster import link
from musrecd.cluster.performer import ClusterWorkers, Listener, Run
from musrecd.commands.scan import scan_folders
from musrecd.errors import ClusterError
from musrecd.ingest import ingest as ingesting
from musrecd.ingest.discover import find_files
from musrecd.ingest.ingest import ingest
from musrecd.ingest.work import Task
from musrecd.library.reader import LibraryReader

RUN = Run(full_version("tiny-1"), 60.0, patience_s=20.0)


@pytest.fixture
def music(tmp_path, rendered_files) -> Path:
    folder = tmp_path / "music"
    folder.mkdir()
    for path in rendered_files[:4]:
        shutil.copy(path, folder)
    return folder


@pytest.fixture
def noises(tmp_path, make_audio) -> Path:
    """Twenty recordings, each another one."""
    folder = tmp_path / "noises"
    folder.mkdir()
    for number in range(20):
        y = np.random.default_rng(number).uniform(-0.5, 0.5, (1, 16_000 * 2))
        make_audio(folder / f"{number}.wav", sr=16_000, y=y)
    return folder


def tasks_below(folder: Path) -> list[Task]:
    return [Task(file) for file in find_files([os.fsencode(folder)], lambda *a: None)]


def wait_for(scheduler: LocalCluster, n_workers: int) -> None:
    deadline = time.monotonic() + 60
    while len(scheduler.scheduler.workers) < n_workers:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_worker_that_is_killed_loses_nothing_and_doubles_nothing(scheduler, helpers, config, noises):
    pids = [helpers.start() for _ in range(3)]
    wait_for(scheduler, 3)
    crew, outcomes = [], Counter()

    def on_outcome(outcome):
        outcomes[outcome.file.path] += 1
        if sum(outcomes.values()) == 6:
            os.kill(pids[0], signal.SIGKILL)

    workers = ClusterWorkers(helpers.address, RUN, Listener(on_crew=crew.append))
    try:
        report = ingest(
            config, tasks_below(noises), listener=ingesting.Listener(on_outcome=on_outcome), workers=workers
        )
    finally:
        workers.stop()
    assert max(crew) == 3
    assert crew[-1] == 2
    assert (report.analysed, report.failed, report.recognised) == (20, 0, 0)
    assert outcomes == Counter(task.file.path for task in tasks_below(noises))
    with LibraryReader.open(config.library) as reader:
        summary = reader.summary()
        assert (summary.files, summary.recordings, summary.analysed) == (20, 20, {"tiny-1": 20})


def test_workers_that_cannot_hear_are_left_out_and_the_others_go_on(
    scheduler, helpers, config, music, make_weights, tmp_path, capsys
):
    helpers.start(weights=make_weights(tmp_path / "other.safetensors", version="other-2", seed=1))
    helpers.start(paths={music: tmp_path / "not mounted"})
    wait_for(scheduler, 2)
    folders = [os.fsencode(music)]

    def scan():
        return scan_folders(config, folders, force=False, retry_failed=False, scheduler=helpers.address)

    with pytest.raises(ClusterError, match=r"no worker of tcp://.* can hear; tcp://"):
        scan()
    told = capsys.readouterr().err
    assert f"it has the encoder {full_version('other-2')}, and {full_version('tiny-1')} is asked for" in told
    assert f"as {tmp_path}/not mounted/" in told

    helpers.start()
    wait_for(scheduler, 3)
    report = scan()
    assert (report.analysed, report.failed) == (4, 0)
    first = sorted(music.iterdir())[0]
    shutil.copy(first, music / f"copy{first.suffix}")
    (music / "bad.mp3").write_bytes(b"no music" * 50)
    report = scan()
    assert (report.analysed, report.recognised, report.known, report.failed) == (0, 1, 4, 1)


def test_ctrl_c_takes_back_what_waits_and_the_next_run_goes_on(scheduler, helpers, config, noises):
    helpers.start()
    n_heard = 0

    def on_outcome(_outcome):
        nonlocal n_heard
        n_heard += 1
        if n_heard == 5:
            raise KeyboardInterrupt

    workers = ClusterWorkers(helpers.address, RUN)
    report = ingest(config, tasks_below(noises), listener=ingesting.Listener(on_outcome=on_outcome), workers=workers)
    workers.stop()
    assert report.interrupted
    assert report.analysed == 5
    deadline = time.monotonic() + 10
    while scheduler.scheduler.tasks and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not scheduler.scheduler.tasks
    workers = ClusterWorkers(helpers.address, RUN)
    report = ingest(config, tasks_below(noises), workers=workers)
    workers.stop()
    assert (report.analysed, report.known) == (15, 5)


def test_a_scheduler_that_goes_ends_the_run_in_one_line(config, music):
    with LocalCluster(n_workers=0, protocol="tcp", dashboard_address=":0", silence_logs=50) as cluster:
        workers = ClusterWorkers(cluster.scheduler_address, RUN)
    try:
        with pytest.raises(ClusterError, match="there is no scheduler at tcp"):
            ingest(config, tasks_below(music), workers=workers)
    finally:
        workers.stop()


def test_without_workers_it_waits_a_while_and_says_how_to_start_some(helpers, config, music):
    workers = ClusterWorkers(helpers.address, replace(RUN, patience_s=0.5))
    try:
        with pytest.raises(ClusterError, match=r"no worker is at tcp.*; start some with `musrecd worker tcp"):
            ingest(config, tasks_below(music), workers=workers)
    finally:
        workers.stop()


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("tcp://127.0.0.1:1", "there is no scheduler at tcp"),
        ("nonsense://x", "is no address of a scheduler"),
        ("nas:8786", "is no address of a scheduler"),
        ("tls://127.0.0.1:1", "for tls://127.0.0.1:1 certificates have to stand in dask's configuration"),
    ],
)
def test_what_is_no_scheduler_is_told_in_one_line(address, told, monkeypatch):
    monkeypatch.setattr(link, "_CONNECT_S", 0.5)
    with pytest.raises(ClusterError, match=told):
        ClusterWorkers(address, RUN)


def test_where_dask_has_to_encrypt_an_open_address_is_refused():
    with (
        dask.config.set({"distributed.comm.require-encryption": True}),
        pytest.raises(ClusterError, match="name the scheduler as tls://nas:8786"),
    ):
        link.check_address("tcp://nas:8786")


def test_without_dask_one_line_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ClusterError, match=r"pip install 'musrec\[cluster\]'"):
        ClusterWorkers("tcp://127.0.0.1:1", RUN)


def test_a_worker_that_may_not_start_processes_is_left_out(config, music):
    """`dask worker` without --no-nanny."""
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0", silence_logs=50) as cluster:
        workers = ClusterWorkers(cluster.scheduler_address, RUN)
        try:
            with pytest.raises(ClusterError, match="no worker"):
                ingest(config, tasks_below(music), workers=workers)
        finally:
            workers.stop()
