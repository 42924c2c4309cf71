"""What a person writes behind options, and what they are told of mistakes."""

import confuse
import pytest

from musrecd.asking.options import question
from musrecd.asking.table import CHOICE, RULES
from musrecd.config import from_view
from musrecd.errors import MusrecError
from musrecd.recommend.asking import Rules
from musrecd.recommend.presets import PRESETS


@pytest.fixture
def config():
    return from_view(confuse.Configuration("musrecd", read=False)["musrec"])


def test_nothing_said_is_the_first_preset(config):
    asked = question({}, config)
    assert (asked.choice.weights, asked.rules) == PRESETS["listen"]
    assert asked.choice.number == config.number


@pytest.mark.parametrize(
    ("values", "rules"),
    [
        ({"bpm": "6%"}, Rules(tempo=0.06)),
        ({"bpm": "6"}, Rules(tempo=0.06)),
        ({"bpm": "0.06"}, Rules(tempo=0.06)),
        ({"bpm": "0.5%"}, Rules(tempo=0.005)),
        ({"key": "energy"}, Rules(key="energy")),
        ({"label": ("guitar, female", "piano")}, Rules(labels=(("guitar", "female"), ("piano",)))),
        ({"not_label": ("choir,flute", "harp")}, Rules(not_labels=("choir", "flute", "harp"))),
        ({"genre": ("same",)}, Rules(genres="same")),
        ({"genre": ("Drum & Bass", "Techno,House")}, Rules(genres=(("Drum & Bass",), ("Techno", "House")))),
        ({"year": "1994"}, Rules(years=(1994, 1994))),
        ({"year": "1990.."}, Rules(years=(1990, None))),
        ({"year": "..1979"}, Rules(years=(None, 1979))),
        ({"length": "3:00..1:02:03"}, Rules(length_s=(180, 3723))),
        ({"length": "90.5..120"}, Rules(length_s=(90.5, 120))),
    ],
)
def test_values_become_rules(config, values, rules):
    assert question(values, config).rules == rules


def test_what_is_said_takes_the_place_of_what_the_preset_says(config):
    assert question({"preset": "mix", "bpm": "3%"}, config).rules == PRESETS["mix"][1]._replace(tempo=0.03)


def test_weights_of_the_configuration_change_its_preset_and_no_other(config):
    own = config._replace(weights={"tempo": 7.0})
    assert question({}, own).choice.weights == PRESETS["listen"][0]._replace(tempo=7.0)
    assert question({"preset": "mix"}, own).choice.weights == PRESETS["mix"][0]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"bpm": "fast"}, "--bpm fast: not a number; write it like 6%"),
        ({"bpm": "0"}, "more than 0"),
        ({"bpm": "80"}, "at most 50 %"),
        ({"bpm": "nan"}, "more than 0"),
        ({"key": "8A"}, "there are compatible, same, energy"),
        ({"preset": "dance"}, "there are listen, mix, produce"),
        ({"label": (",",)}, "name at least one"),
        ({"genre": ("any", "rock")}, "stands alone"),
        ({"year": "199x"}, "not a year"),
        ({"year": "2000..1990"}, "the range is empty"),
        ({"year": ".."}, "at least one end"),
        ({"length": "3:0"}, "not a length"),
        ({"max_per_artist": "0"}, "whole number from 1"),
        ({"max_per_album": "²"}, "whole number from 1"),
        ({"diverse": "2"}, "from 0 to 1"),
        ({"diverse": "nan"}, "from 0 to 1"),
        ({"order": "random"}, "there are score, flow"),
    ],
)
def test_mistakes_are_named_with_what_would_be_right(config, values, words):
    with pytest.raises(MusrecError) as caught:
        question(values, config)
    (name,) = values
    assert words in str(caught.value)
    assert f"--{name.replace('_', '-')}" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_option_is_read_by_somebody():
    assert len({option.name for option in (*RULES, *CHOICE)}) == len(RULES) + len(CHOICE)
    assert all(option.help and not option.help.endswith(".") for option in (*RULES, *CHOICE))
