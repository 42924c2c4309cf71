"""One line for each event, safe to show; a level for each component."""

import logging
import re
import warnings

import pytest

from musrecd.config import COMPONENTS
from musrecd.daemon import logs


@pytest.fixture
def log(capsys):
    """Return a function: levels → a function that gives the lines since."""
    root = logging.getLogger()
    before = (root.handlers, root.level, logging.getLogger("musrecd").level)

    def set_up(with_time: bool = False, **levels: str):
        logs.set_up(levels, with_time=with_time)
        return lambda: capsys.readouterr().err.splitlines()

    yield set_up
    logging.captureWarnings(False)
    root.handlers, root.level = before[:2]
    logging.getLogger("musrecd").setLevel(before[2])
    for component in COMPONENTS:
        logging.getLogger(f"musrecd.daemon.{component}").setLevel(logging.NOTSET)


def test_an_event_is_one_line_of_keys_and_values(log):
    lines = log()
    logging.getLogger("musrecd.daemon.work").info("heard", extra={"path": b"/music/a song.mp3", "files": 3})
    assert lines() == ['at=INFO in=work msg=heard path="/music/a song.mp3" files=3']


def test_names_cannot_break_the_line_nor_steer_a_terminal(log):
    lines = log()
    evil = '/music/\x1b[31m\n\u202ered at=ERROR "quoted" \x9b.mp3'.encode() + b"\xff"
    logging.getLogger("musrecd.daemon.work").warning("failed", extra={"path": evil, "reason": "\x1b]0;x\x07 why\nnow"})
    (line,) = lines()
    assert line.startswith("at=WARNING in=work msg=failed path=")
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202e]", line)


def test_an_error_with_its_traceback_is_one_line_and_steers_nothing(log):
    lines = log()
    try:
        raise ValueError("\x1b[31m\u202e\x9b")
    except ValueError:
        logging.getLogger("musrecd.daemon.work").exception("\u2028 broken \x85")
    (line,) = lines()
    assert "ValueError" in line
    assert not re.search("[\x00-\x1f\x7f-\x9f\u2028\u202e]", line)


@pytest.mark.filterwarnings("always")
def test_warnings_of_libraries_are_lines_like_others(log):
    lines = log()
    warnings.warn("two\nlines", UserWarning, stacklevel=1)
    (line,) = lines()
    assert line.startswith('at=WARNING in=warnings msg="')


def test_components_have_levels_of_their_own(log):
    lines = log(watcher="error", work="debug")
    logging.getLogger("musrecd.daemon.watcher").warning("not said")
    logging.getLogger("musrecd.daemon.work").debug("said")
    logging.getLogger("musrecd.daemon.service").debug("not said")
    logging.getLogger("somebody.else").info("not said")
    assert lines() == ["at=DEBUG in=work msg=said"]


def test_a_component_that_is_not_named_any_more_says_what_the_others_say(log):
    log(work="error")
    lines = log()
    logging.getLogger("musrecd.daemon.work").info("said")
    logging.getLogger("musrecd.daemon.work").debug("not said")
    assert lines() == ["at=INFO in=work msg=said"]


def test_the_time_is_written_where_no_journal_does_it(log):
    lines = log(with_time=True)
    logging.getLogger("musrecd.daemon.work").info("heard")
    assert re.match(r'ts="\d{4}-\d\d-\d\d \d\d:\d\d:\d\d', lines()[0])
