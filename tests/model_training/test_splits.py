"""No artist on both sides, and the committed list is the one that is drawn."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_training.datasets.base import Clip
from model_training.datasets.clips import load_clips
from model_training.splits import draw_validation, read_validation, sides, split


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


def test_the_sides_of_our_clips_are_those_of_the_committed_list(clips):
    found = sides(clips)
    assert found.held_out == found.validation == read_validation()
    assert found.training == {c.name for c in clips} - read_validation()


def test_official_sides_are_kept_apart():
    official = [replace(clip(i), split=side) for i, side in enumerate(("training", "validation", "test", "test"))]
    found = sides(official)
    assert [len(found.training), len(found.validation), len(found.test), len(found.left_out)] == [1, 1, 2, 0]
    assert found.held_out == {c.name for c in official[1:]}


def test_where_nobody_says_a_quarter_is_drawn_and_clips_follow_those_with_a_side():
    free = [clip(i, f"artist:{i // 3}") for i in range(300)]
    tested = [replace(clip(500 + i, f"artist:{i}", "fma"), split="test") for i in range(10)]
    found = sides(free + tested)
    assert found.test == {c.name for c in free[:30] + tested}
    assert 0.15 < len(found.validation) / 300 < 0.35
    assert not found.left_out


def test_a_list_decides_for_its_sources_alone():
    listed, others = [clip(i) for i in range(8)], [clip(i, f"artist:other {i}", "mine") for i in range(100, 140)]
    found = sides(listed + others, frozenset({listed[3].name}))
    assert found.validation & {c.name for c in listed} == {listed[3].name}
    assert 4 < len(found.validation & {c.name for c in others}) < 16


@pytest.mark.parametrize(
    ("side", "other", "left_out"), [("training", "test", 0), ("validation", "training", 1), ("test", "validation", 1)]
)
def test_an_artist_whom_makers_put_on_two_sides_is_left_on_the_stricter_one(side, other, left_out):
    pair = [replace(clip(0, "artist:x"), split=side), replace(clip(1, "artist:x"), split=other)]
    found = sides(pair)
    assert found.left_out == {pair[left_out].name}
    assert pair[1 - left_out].name in found.held_out


@pytest.mark.parametrize("recording", ["artist:x|song", ""])
def test_a_recording_is_on_one_side_though_two_groups_have_it(recording):
    free = [clip(i) for i in range(40)]
    pair = [
        replace(clip(100, source="fma"), split="test", recording=recording),
        replace(clip(101, source="jamendo"), split="training", recording=recording),
    ]
    assert sides(free + pair).left_out == ({pair[1].name} if recording else set())


def test_copies_of_a_file_are_on_one_side(tmp_path):
    def filed(number: int, content: str, split: str) -> Clip:
        path = tmp_path / str(number)
        path.write_text(content, encoding="utf-8")
        return replace(clip(number), path=path, split=split)

    same = [filed(0, "sound", "training"), filed(1, "sound", "validation"), filed(2, "noise", "training")]
    found = sides(same)
    assert (found.training, found.validation, found.left_out) == ({same[2].name}, {same[1].name}, {same[0].name})


SIDED = st.lists(
    st.tuples(st.integers(0, 12), st.integers(0, 12), st.sampled_from(["", "training", "validation", "test"])),
    max_size=60,
)


@given(SIDED)
def test_no_artist_and_no_recording_is_ever_on_two_sides(rows):
    made = [
        replace(clip(i, f"artist:{group}", "fma"), recording=f"r{recording}" if recording else "", split=split)
        for i, (group, recording, split) in enumerate(rows)
    ]
    found = sides(made)
    used = {name: side for side in ("training", "validation", "test") for name in getattr(found, side)}
    assert used.keys() | found.left_out == {c.name for c in made}
    for key in ("group", "recording"):
        pairs = {(getattr(c, key), used[c.name]) for c in made if getattr(c, key) and c.name in used}
        assert len({value for value, _ in pairs}) == len(pairs)
