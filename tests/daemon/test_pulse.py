"""A disk that does not answer costs a moment once, and nothing is concluded of it."""

import os
from threading import Event

import pytest

from musrecd.daemon.pulse import Pulse, identity


@pytest.fixture
def dead(monkeypatch):
    """Whether no disk answers: `set` makes them answer again."""
    answers, stat = Event(), os.stat

    def wait(path, **options):
        answers.wait(60)
        return stat(path, **options)

    monkeypatch.setattr("musrecd.daemon.pulse.os.stat", wait)
    yield answers
    answers.set()


def test_a_folder_is_told_from_another_one(tmp_path):
    (tmp_path / "other").mkdir()
    assert Pulse(bytes(tmp_path)).ask() == identity(bytes(tmp_path)) != Pulse(bytes(tmp_path / "other")).ask()
    assert Pulse(b"/nowhere").ask() is None


def test_what_does_not_answer_is_waited_for_by_one_thread_only(tmp_path, dead, until):
    pulse = Pulse(bytes(tmp_path), patience_s=0.1)
    for _ in range(3):
        with pytest.raises(TimeoutError):
            pulse.ask()
    dead.set()
    pulse._thread.join(60)
    assert pulse.ask() == identity(bytes(tmp_path))
    assert pulse.ask() == identity(bytes(tmp_path)), "asked anew"
