"""What is written where: nothing that a person chose is overwritten unasked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musrecd.tagging.policy import Policy, decide
from musrecd.tagging.predict import Prediction

ROCK, JAZZ, FOLK = Prediction("Rock", 0.9, 0.7), Prediction("Jazz", 0.8, 0.7), Prediction("Folk", 0.3, 0.7)
PREDICTED = (ROCK, JAZZ, FOLK)


def among(genre: str, genres) -> bool:
    return genre.lower() in [each.lower().replace("-", " ") for each in genres]


def decided(current, manner="fill", *, count=2, predicted=PREDICTED, ours=None, threshold=None):
    return decide(current, predicted, Policy(manner, count, threshold), among=among, ours=ours)


def test_where_no_genre_is_the_surest_are_written_at_most_so_many():
    assert decided(()).genres == ("Rock", "Jazz")
    assert decided((), count=1).genres == ("Rock",)
    assert decided((), count=5).genres == ("Rock", "Jazz"), "what is not sure is not written"
    assert decided(()).probability == 0.8


def test_a_genre_that_is_there_stays_as_it_is():
    assert decided(("Polka",)).genres is None
    assert decided(("Polka",)).why == "has a genre"


def test_to_extend_adds_what_is_not_there_in_other_spelling():
    assert decided(("rock", "Polka"), "extend").genres == ("rock", "Polka", "Jazz")
    assert decided(("ROCK", "jazz"), "extend").genres is None
    assert decided((), "extend").genres == ("Rock", "Jazz")


def test_to_replace_puts_ours_in_place_of_all():
    assert decided(("Polka", "Rock"), "replace").genres == ("Rock", "Jazz")
    assert decided(("Rock", "Jazz"), "replace").genres is None


def test_below_the_threshold_it_abstains_and_says_so():
    assert decided((), predicted=(FOLK,)) == decided((), "replace", predicted=(FOLK,))
    assert decided((), predicted=(FOLK,)).why == "not sure enough"
    assert decided((), predicted=()).why == "no genre that is allowed"


def test_a_threshold_that_is_said_counts_for_all():
    assert decided((), threshold=0.85).genres == ("Rock",)
    assert decided((), threshold=0.0, count=5).genres == ("Rock", "Jazz", "Folk")


@pytest.mark.parametrize("manner", ["fill", "extend"])
@pytest.mark.parametrize("current", [(), ("Polka",), ("Rock", "Polka")])
def test_what_somebody_changed_after_us_is_theirs(manner, current):
    assert decided(current, manner, ours=("Rock",)).genres is None
    assert "since" in decided(current, manner, ours=("Rock",)).why


def test_what_nobody_changed_may_be_extended_and_all_may_be_replaced():
    assert decided(("Rock",), "extend", ours=("Rock",)).genres == ("Rock", "Jazz")
    assert decided(("Polka",), "replace", ours=("Rock",)).genres == ("Rock", "Jazz")


names = st.text("abcXY -", min_size=1, max_size=4)
predictions = st.lists(st.builds(Prediction, names, st.floats(0, 1), st.floats(0, 1)), max_size=6)


@given(st.lists(names, max_size=3).map(tuple), predictions, st.sampled_from(["fill", "extend"]), st.integers(1, 5))
def test_without_force_nothing_that_is_there_is_lost(current, predicted, manner, count):
    genres = decided(current, manner, predicted=predicted, count=count).genres
    if genres is not None:
        assert genres[: len(current)] == current
        assert len(current) < len(genres) <= len(current) + count
        assert set(genres[len(current) :]) <= {each.name for each in predicted if each.probability >= each.threshold}
