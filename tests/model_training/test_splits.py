"""No artist on both sides, and the committed list is the one that is drawn."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_training.datasets.base import Clip
from model_training.datasets.clips import load_clips
from model_training.splits import draw_validation, read_validation, split


@pytest.fixture(scope="module")
def clips(shared):
    return load_clips(shared / "data")


def clip(number: int, group: str = "", source: str = "taffc", genre: str = "Jazz") -> Clip:
    return Clip(Path(f"{number}.opus"), f"{source}/{number}.opus", source, group or f"artist:{number}", (genre,), ())


SETS = st.lists(st.tuples(st.integers(0, 30), st.sampled_from("ab"), st.sampled_from(["Jazz", "Rock"])), max_size=150)


def test_the_committed_list_is_what_is_drawn_from_the_data(clips):
    assert list(read_validation()) != []
    assert sorted(read_validation()) == draw_validation(clips)


def test_no_group_is_on_both_sides(clips):
    training, validating = split(clips, read_validation())
    assert not {c.group for c in training} & {c.group for c in validating}
    assert len(training) + len(validating) == len(clips)


def test_gtzan_numbers_of_one_ten_are_on_one_side(clips):
    """`gtzan` and `gtzan_short` hold excerpts of the same recordings."""
    validation = read_validation()
    sides: dict[tuple[str, int], set[bool]] = {}
    for c in clips:
        if c.source.startswith("gtzan"):
            genre, number = c.path.stem.split(".")
            sides.setdefault((genre, int(number) // 10), set()).add(c.name in validation)
    assert len(sides) > 50
    assert all(len(side) == 1 for side in sides.values())


def test_every_listed_clip_is_in_the_data(clips):
    assert read_validation() <= {c.name for c in clips}


def test_about_a_quarter_of_every_larger_source_and_genre_validates(clips):
    validation = read_validation()
    n_all = Counter((c.source, *c.genres[:1]) for c in clips)
    n_validating = Counter((c.source, *c.genres[:1]) for c in clips if c.name in validation)
    for stratum, n in n_all.items():
        if n >= 40 and not stratum[0].startswith("open:"):
            assert 0.15 < n_validating[stratum] / n < 0.35, stratum


@given(SETS)
def test_groups_stay_whole_and_the_order_of_the_clips_does_not_matter(rows):
    clips = [clip(i, f"artist:{group}", source, genre) for i, (group, source, genre) in enumerate(rows)]
    drawn = draw_validation(clips)
    assert drawn == sorted(drawn)
    assert len(set(drawn)) == len(drawn)
    split(clips, frozenset(drawn))
    assert len(draw_validation(clips[::-1])) <= len(clips)


def test_drawing_again_gives_the_same():
    clips = [clip(i, f"artist:{i % 37}") for i in range(300)]
    assert draw_validation(clips) == draw_validation(list(clips))
    assert 0.15 < len(draw_validation(clips)) / 300 < 0.35


def test_a_group_on_both_sides_is_refused_and_named():
    clips = [clip(1, "artist:x"), clip(2, "artist:x"), clip(3, "artist:y")]
    with pytest.raises(ValueError, match=r"1 groups .* artist:x"):
        split(clips, frozenset({clips[0].name}))


def test_sides_keep_the_order_of_the_clips():
    clips = [clip(i) for i in range(6)]
    training, validating = split(clips, frozenset({clips[4].name, clips[1].name}))
    assert [c.name for c in validating] == [clips[1].name, clips[4].name]
    assert training == [clips[0], clips[2], clips[3], clips[5]]


def test_a_list_is_read_line_by_line(tmp_path):
    (tmp_path / "list.txt").write_text("a/ä b.opus\n\nc.opus\n", encoding="utf-8")
    assert read_validation(tmp_path / "list.txt") == {"a/ä b.opus", "c.opus"}


def test_a_clip_that_changes_its_artist_moves_with_it():
    clips = [clip(i, f"artist:{i % 11}") for i in range(80)]
    validation = frozenset(draw_validation(clips))
    stranger = next(c for c in clips if c.name not in validation)
    group = next(c.group for c in clips if c.name in validation)
    changed = [replace(c, group=group) if c is stranger else c for c in clips]
    with pytest.raises(ValueError, match="both sides"):
        split(changed, validation)
