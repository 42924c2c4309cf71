"""The log of a run has one row per entry, also when a run goes on from an earlier step."""

import json

import pytest

from model_training.log import RunLog, read_log, write_environment


def test_rows_are_read_as_they_were_written(tmp_path):
    with RunLog(tmp_path, 0) as log:
        log.write(25, {"labels": 0.5, "total": 2.0})
        log.write(50, {"labels": 0.25, "total": 1.0})
    assert read_log(tmp_path) == [
        {"step": 25, "labels": 0.5, "total": 2.0},
        {"step": 50, "labels": 0.25, "total": 1.0},
    ]


@pytest.mark.parametrize("kept_step", [0, 25, 40, 50])
def test_a_run_that_goes_on_has_no_step_twice(tmp_path, kept_step):
    with RunLog(tmp_path, 0) as log:
        for step in (25, 50):
            log.write(step, {"total": 1.0})
    with RunLog(tmp_path, kept_step) as log:
        for step in (25, 50, 75):
            if step > kept_step:
                log.write(step, {"total": 0.5})
    assert [row["step"] for row in read_log(tmp_path)] == [25, 50, 75]


def test_a_run_without_a_log_has_no_rows(tmp_path):
    assert read_log(tmp_path) == []


def test_the_environment_names_what_decides_the_outcome(tmp_path):
    write_environment(tmp_path)
    found = json.loads((tmp_path / "environment.json").read_text(encoding="utf-8"))
    assert found["packages"]["torch"][0].isdigit()
    assert found["python"].startswith("3.")
