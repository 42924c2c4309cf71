"""What is said alike thousands of times takes a few lines."""

import logging

from musrecd.daemon.repeats import Repeats


def record(reason: str | None, *, msg: str = "failed", level: int = logging.WARNING) -> logging.LogRecord:
    made = logging.LogRecord("musrecd.daemon.work", level, __file__, 1, msg, (), None)
    if reason is not None:
        made.reason = reason
    return made


def test_ten_thousand_alike_are_a_dozen_lines():
    repeats = Repeats()
    records = [record("no music") for _ in range(10_000)]
    said = [each for each in records if repeats.filter(each)]
    assert len(said) == 13
    assert [each.alike for each in said[9:]] == [10, 100, 1000, 10_000]


def test_other_reasons_other_messages_and_what_is_no_warning_are_said():
    repeats = Repeats()
    for _ in range(500):
        repeats.filter(record("no music"))
    assert repeats.filter(record("no permission"))
    assert repeats.filter(record("no music", msg="cannot be read"))
    assert all(repeats.filter(record("no music", level=logging.INFO)) for _ in range(100))
    assert all(repeats.filter(record(None)) for _ in range(100))


def test_after_an_hour_it_is_said_again():
    now = 0.0
    repeats = Repeats(clock=lambda: now)
    for _ in range(50):
        repeats.filter(record("no music"))
    assert not repeats.filter(record("no music"))
    now = 3601.0
    assert repeats.filter(record("no music"))


def test_reasons_without_end_take_no_memory_without_end():
    repeats = Repeats()
    assert all(repeats.filter(record(f"reason {number}")) for number in range(5000))
    assert len(repeats._seen) == 1000
