"""What a worker does with what it is asked, without a network."""

import os
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest

from musrecd.analysis.hearing import full_version
from musrecd.cluster import worker
from musrecd.cluster.messages import Order, Ready, Stranger, Unseen
from musrecd.config import ClusterConfig
from musrecd.ingest.ingest import task_for
from musrecd.ingest.work import Outcome
from musrecd.types import Analysis, KnownRecording


@pytest.fixture
def order() -> Order:
    return Order("run", full_version("tiny-1"), 1, 60.0, b"", ())


@pytest.fixture
def here(config, monkeypatch):
    monkeypatch.setattr(worker, "_config", config)
    yield config
    worker.end_all()


def test_hears_files_by_the_names_that_they_have_here(here, order, rendered_files, monkeypatch):
    source = rendered_files[0]
    paths = ClusterConfig({Path("/no/such/folder"): source.parent})
    worker.use(here._replace(cluster=paths))
    task = task_for(os.fsencode(source))
    there = replace(task, file=task.file._replace(path=b"/no/such/folder/" + os.fsencode(source.name)))
    assert worker.greet(replace(order, samples=(there.file,))) == Ready()
    outcome = worker.hear("run", there)
    assert outcome.file == there.file
    assert isinstance(outcome.heard, Analysis)
    assert outcome.tags.title

    known = bytes.fromhex(outcome.heard.audio_id)
    others = [bytes(20), b"\xff" * 20]
    assert worker.greet(replace(order, run="next", known=b"".join(sorted([known, *others])))) == Ready()
    assert worker.hear("next", there).heard == KnownRecording(known.hex())


def test_what_is_not_there_or_another_file_is_not_heard(here, order, rendered_files, tmp_path):
    assert worker.greet(order) == Ready()
    other = tmp_path / "other.wav"
    shutil.copy(rendered_files[0], other)
    task = task_for(os.fsencode(other))
    with other.open("ab") as file:
        file.write(b"another file")
    assert worker.hear("run", task) == Unseen()
    assert worker.hear("run", task_for(b"/no/such/file.mp3")) == Unseen()
    assert worker.hear("run", task_for(b"/no\0such/file.mp3")) == Unseen()
    os.mkfifo(tmp_path / "fifo.mp3")
    refused = worker.hear("run", task_for(os.fsencode(tmp_path / "fifo.mp3")))
    assert "not a regular file" in refused.message


def test_a_bad_file_is_an_outcome_as_everywhere(here, order, tmp_path):
    bad = tmp_path / "bad.mp3"
    bad.write_bytes(b"no music" * 50)
    assert worker.greet(order) == Ready()
    outcome = worker.hear("run", task_for(os.fsencode(bad)))
    assert isinstance(outcome, Outcome)
    assert outcome.reason == "not audio"


def test_another_encoder_is_refused_and_named(here, order):
    refusal = worker.greet(replace(order, encoder_version="other-2")).refusal
    assert "tiny-1" in refusal
    assert "other-2" in refusal
    assert worker.hear("run", task_for(b"/music/a.mp3")) == Stranger()


def test_a_worker_that_sees_no_music_says_what_it_looked_for(here, order):
    worker.use(here._replace(cluster=ClusterConfig({Path("/music"): Path("/not/mounted")})))
    refusal = worker.greet(replace(order, samples=(task_for(b"/music/a.mp3").file,))).refusal
    assert "/music/a.mp3 as /not/mounted/a.mp3" in refusal
    assert "cluster.paths" in refusal


def test_processes_end_some_time_after_the_last_file(here, order, monkeypatch):
    monkeypatch.setattr(worker, "_IDLE_S", 0.0)
    monkeypatch.setattr(worker, "_LOOK_EVERY_S", 0.05)
    assert worker.greet(replace(order, known=bytes(20))) == Ready()
    folder = worker._runs["run"].folder
    assert (folder / "known").read_bytes() == bytes(20)
    deadline = time.monotonic() + 20
    while (worker._runs or folder.exists()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not worker._runs
    assert not folder.exists()
    assert worker.hear("run", task_for(b"/music/a.mp3")) == Stranger()
