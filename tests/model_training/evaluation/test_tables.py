"""Tables read the same in a terminal, in Markdown and in JSON."""

import json

import numpy as np
import pytest

from model_training.evaluation.tables import as_text, estimate, markdown, plain, rounded

TABLE = {"musrec": {"clips": 12, "p@1": (0.7021, 0.5, 0.9)}, "mfcc": {"p@1": (0.4, -0.1, 1.0), "note": "by hand"}}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ((0.7021, 0.5, 0.9), ".702 [.500, .900]"),
        ((-0.05, -0.1, 1.0), "-.050 [-.100, 1.000]"),
        (0.0, ".000"),
        (1.5, "1.500"),
        (59.94, "59.9"),
        (12, "12"),
        ("a word", "a word"),
    ],
)
def test_a_value_is_short(value, text):
    assert as_text(value) == text


def test_a_figure_of_nothing_is_a_word_and_reaches_no_goal():
    table = rounded({"row": {"a": (np.nan, np.nan, np.nan), "b": np.nan}})
    assert table == {"row": {"a": "none", "b": "none"}}
    assert np.isnan(estimate("none"))
    assert estimate((0.5, 0.4, 0.6)) == estimate(0.5) == 0.5


def test_columns_of_a_terminal_are_aligned():
    lines = plain(TABLE).splitlines()
    assert len(lines) == 3
    assert len({len(line) for line in lines}) == 1
    assert lines[1].split() == ["musrec", "12", ".702", "[.500,", ".900]"]


def test_markdown_has_a_column_for_each_name_that_any_row_has():
    lines = markdown(TABLE).splitlines()
    assert lines[0] == "|  | clips | p@1 | note |"
    assert lines[2] == "| musrec | 12 | .702 [.500, .900] |  |"
    assert {line.count("|") for line in lines} == {5}


def test_rounded_tables_survive_json():
    table = rounded({"row": {"a": (np.float64(1 / 3), 0.0, 1.0), "b": 2 / 3, "c": 7, "d": "x"}})
    assert json.loads(json.dumps(table)) == {"row": {"a": [0.333, 0.0, 1.0], "b": 0.667, "c": 7, "d": "x"}}
    assert as_text(json.loads(json.dumps(table))["row"]["a"]) == ".333 [.000, 1.000]"
