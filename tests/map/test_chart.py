"""Groups with colours of their own, and the rest."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from musrecd.map.chart import COLOURS, GREY, MOST_GROUPS, MOST_NAMED, OTHER, Place, group_by, named


def positions_for(n: int) -> np.ndarray:
    return np.random.default_rng(n).uniform(-1, 1, (n, 2)).astype(np.float32)


@given(st.lists(st.sampled_from(["", "Jazz", "jazz", *(f"genre {i}" for i in range(20))]), min_size=1, max_size=200))
def test_every_track_is_in_one_group_and_the_largest_come_first(words):
    groups, group = group_by(words, positions_for(len(words)))
    assert sum(g.size for g in groups) == len(words) == len(group)
    assert [g.size for g in groups] == np.bincount(group, minlength=len(groups)).tolist()
    own = [g for g in groups if g.name != OTHER]
    assert [g.size for g in own] == sorted((g.size for g in own), reverse=True)
    assert len(own) <= MOST_GROUPS
    assert len({g.colour for g in groups}) == len(groups)
    for word, index in zip(words, group, strict=True):
        assert groups[index].name == OTHER or groups[index].name.casefold() == word.casefold()


def test_what_has_no_word_or_too_rare_a_one_is_grey():
    words = [f"genre {i}" for i in range(MOST_GROUPS) for _ in range(2)] + ["rare", ""]
    groups, group = group_by(words, positions_for(len(words)))
    assert (groups[-1].name, groups[-1].colour, groups[-1].size) == (OTHER, GREY, 2)
    assert [groups[i].name for i in group[-2:]] == [OTHER, OTHER]
    assert [g.colour for g in groups[:-1]] == list(COLOURS)


def test_names_of_groups_give_way_to_each_other_and_to_those_of_tracks():
    positions = np.array([[0, 0], [0, 0], [0.01, 0], [0.8, 0.8], [-0.8, -0.8]], np.float32)
    groups, _ = group_by(["a", "a", "b", "c", "d"], positions, named=[4])
    assert [g.name for g in groups if g.name_at] == ["a", "c"]


def test_the_ends_of_a_path_are_named_and_seeds_up_to_a_number():
    assert named([3, 1, 4], [1, 9, 2]) == [1, 2, 3, 4]
    assert named([5], [5]) == [5]
    assert len(named(range(1000), ())) == MOST_NAMED


def test_a_track_without_artist_has_its_title_alone():
    assert Place("", "Song").name == "Song"
    assert Place("Somebody", "Song").name == "Somebody – Song"
