"""What holds for every data set, on a small copy of each in its published layout."""

import shutil
from collections import Counter

import pytest

from model_training.datasets import DATA_SETS, DataSetError, absolute, load_data_set, load_data_sets
from model_training.labels import LABELS, main_genre, truth
from model_training.splits import sides

ALL = pytest.mark.parametrize("name", DATA_SETS)
OFFICIAL = {"fma", "magnatagatune", "jamendo"}
SIDES = {"training", "validation", "test"}

# Data set and what is taken away; the message names the second, or the third where something else is looked for.
MISSING = [
    ("clips", "clips.csv", ""),
    ("fma", "fma_metadata/tracks.csv", ""),
    ("fma", "fma_metadata/genres.csv", ""),
    ("fma", "fma_small", ""),
    ("gtzan", "genres", ""),
    ("magnatagatune", "annotations_final.csv", ""),
    ("magnatagatune", "clip_info_final.csv", ""),
    ("jamendo", "data/autotagging.tsv", ""),
    ("jamendo", "data/splits/split-0/autotagging-train.tsv", ""),
    ("jamendo", "audio", "00/100.mp3"),
    ("4q", "panda_dataset_taffc_metadata.csv", ""),
    ("4q", "panda_dataset_taffc_annotations.csv", ""),
    ("folders", ".", ""),
    ("beets", "library.db", ""),
    ("beets", "music", "00 Song.flac"),
]


@ALL
def test_a_data_set_says_where_it_is_and_what_may_be_done_with_it(name):
    data_set = DATA_SETS[name]
    assert data_set.name == name
    assert data_set.home
    assert data_set.licence


@ALL
def test_every_clip_has_its_own_name_and_a_file(build, name):
    clips = DATA_SETS[name].load(build(name))
    assert len(clips) == 24
    assert len({clip.name for clip in clips}) == len(clips)
    assert all(clip.path.is_file() for clip in clips)


@pytest.mark.parametrize("name", sorted(DATA_SETS.keys() - {"beets"}))
def test_names_do_not_depend_on_where_the_folder_lies(build, tmp_path, name):
    """A library of beets is left out: the absolute paths in it do not move with it."""
    names = [clip.name for clip in DATA_SETS[name].load(build(name))]
    (tmp_path / name).rename(tmp_path / "elsewhere")
    assert [clip.name for clip in DATA_SETS[name].load(tmp_path / "elsewhere")] == names


@ALL
def test_every_clip_has_a_source_a_group_and_words_without_blanks(build, name):
    for clip in DATA_SETS[name].load(build(name)):
        assert clip.source.strip()
        assert clip.group.strip()
        assert clip.genres
        for word in clip.genres + clip.moods + clip.others + clip.denied:
            assert word
            assert word == word.strip()
            assert ";" not in word


@ALL
def test_words_are_not_said_and_denied_at_once(build, name):
    for clip in DATA_SETS[name].load(build(name)):
        assert not set(clip.genres + clip.moods + clip.others) & set(clip.denied)


@pytest.mark.parametrize("name", sorted(DATA_SETS.keys() - {"clips"}))
def test_the_words_mean_labels_of_ours(build, name):
    """What the words of somebody's own table of clips mean is not known."""
    clips = DATA_SETS[name].load(build(name))
    assert all(any(truth(source, clip) == 1.0 for source in LABELS) for clip in clips)
    assert all(main_genre(clip) for clip in clips if len(clip.genres) == 1)


@ALL
def test_the_official_split_is_told_where_there_is_one(build, name):
    found = {clip.split for clip in DATA_SETS[name].load(build(name))}
    assert found == (SIDES if name in OFFICIAL else {""})


@ALL
def test_no_group_and_no_recording_stands_on_two_sides(build, name):
    clips = DATA_SETS[name].load(build(name))
    found = sides(clips)
    assert found.training
    assert found.validation
    side_of = {n: side for side in ("training", "validation", "test") for n in getattr(found, side)}
    for key in ("group", "recording"):
        pairs = {(getattr(clip, key), side_of[clip.name]) for clip in clips if getattr(clip, key)}
        assert max(Counter(value for value, _ in pairs).values(), default=1) == 1, key


@ALL
def test_the_split_is_the_official_one_or_about_a_quarter(build, name):
    clips = DATA_SETS[name].load(build(name))
    found = sides(clips)
    assert not found.left_out
    if name in OFFICIAL:
        assert {c.name: c.split for c in clips} == {n: s for s in SIDES for n in getattr(found, s)}
    else:
        assert not found.test
        assert 0.1 < len(found.validation) / len(clips) < 0.45


@pytest.mark.parametrize(("name", "gone", "named"), MISSING)
def test_what_is_missing_is_said_in_one_line_with_where_to_get_it(build, name, gone, named):
    folder = build(name)
    path = folder / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(DataSetError) as error:
        DATA_SETS[name].load(folder)
    message = str(error.value)
    assert (named or str(path)) in message
    assert DATA_SETS[name].home in message
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize("name", ["fma", "magnatagatune", "jamendo", "4q", "beets"])
def test_clips_without_audio_are_left_out_and_counted(build, name, caplog):
    folder = build(name)
    first, second, *_ = DATA_SETS[name].load(folder)
    first.path.unlink()
    second.path.write_bytes(b"")
    assert len(DATA_SETS[name].load(folder)) == 22
    assert "2 of 24 clips" in caplog.text


def test_a_spec_names_the_data_set_and_its_folder(build):
    folder = build("jamendo")
    loaded = load_data_set(f"jamendo:{folder}")
    assert [clip.name for clip in loaded] == [f"jamendo:{clip.name}" for clip in DATA_SETS["jamendo"].load(folder)]


def test_a_spec_without_a_name_is_a_folder_of_clips(build):
    folder = build("clips")
    assert load_data_set(str(folder)) == load_data_set(f"clips:{folder}") == DATA_SETS["clips"].load(folder)


def test_a_folder_may_have_a_colon_in_its_name(build, tmp_path):
    folder = build("clips").rename(tmp_path / "my:clips")
    assert len(load_data_set(str(folder))) == 24


def test_an_unknown_data_set_is_refused_and_the_known_are_listed():
    with pytest.raises(DataSetError, match=r"'fmaa' is no data set.*fma, gtzan"):
        load_data_set("fmaa:somewhere")


def test_data_sets_are_joined_and_artists_kept_together_across_them(build):
    specs = [f"{name}:{build(name)}" for name in DATA_SETS]
    clips = load_data_sets(specs)
    assert len({clip.name for clip in clips}) == len(clips) == 24 * len(DATA_SETS)
    found = sides(clips)
    side_of = {n: side for side in SIDES for n in getattr(found, side)}
    pairs = {(clip.group, side_of[clip.name]) for clip in clips if clip.name in side_of}
    assert len({group for group, _ in pairs}) == len(pairs)
    assert any(clip.group == "artist:artist 1" for clip in clips)


def test_one_data_set_twice_is_refused(build):
    folder = build("4q")
    with pytest.raises(DataSetError, match=r"name '4q:Q1/MT0000000000\.mp3'"):
        load_data_sets([f"4q:{folder}", f"4q:{folder}"])


def test_a_spec_made_absolute_means_the_same_from_anywhere(build, tmp_path, monkeypatch):
    folder = build("folders")
    monkeypatch.chdir(folder.parent)
    spec = absolute(f"folders:{folder.name}")
    monkeypatch.chdir(tmp_path)
    assert load_data_set(spec) == load_data_set(f"folders:{folder}")
    assert absolute(str(folder)) == str(folder.resolve())
