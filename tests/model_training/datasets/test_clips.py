"""What the table of clips says, and which clips may share an artist."""

import csv
from collections import Counter
from pathlib import Path

import pytest

from model_training.datasets.base import DataSetError
from model_training.datasets.clips import load_clips

COLUMNS = ("path", "source", "artist", "title", "genres", "moods", "licence")


@pytest.fixture
def folder(tmp_path):
    """Return a function: rows → a data folder that holds them; every clip is an empty file."""

    def written(*rows: dict[str, str], with_files: bool = True) -> Path:
        with (tmp_path / "clips.csv").open("w", encoding="utf-8", newline="") as table:
            writer = csv.DictWriter(table, COLUMNS, restval="")
            writer.writeheader()
            writer.writerows(rows)
        for row in rows if with_files else ():
            path = tmp_path / "clips" / row["path"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return tmp_path

    return written


@pytest.fixture(scope="module")
def clips(shared):
    return load_clips(shared / "data")


def test_every_clip_of_the_table_is_read_and_there(clips):
    assert len(clips) == 1557
    assert all(clip.path.is_file() for clip in clips)
    assert Counter(clip.source.partition(":")[0] for clip in clips)["taffc"] == 630


def test_a_clip_that_the_table_lists_twice_counts_once(clips):
    """Some game music is listed twice; it would weigh double."""
    assert len({clip.name for clip in clips}) == len(clips)


def test_every_clip_has_a_group_and_words_without_blanks(clips):
    for clip in clips:
        assert clip.group.strip()
        for word in clip.genres + clip.moods:
            assert word == word.strip()
            assert word
            assert ";" not in word


def test_clips_of_one_artist_share_a_group_whatever_the_source(clips, shared):
    with (shared / "data" / "clips.csv").open(encoding="utf-8", newline="") as table:
        artists = {row["path"]: row["artist"].casefold() for row in csv.DictReader(table)}
    groups: dict[str, set[str]] = {}
    for clip in clips:
        if artists[clip.name] and not clip.source.startswith("gtzan"):
            groups.setdefault(artists[clip.name], set()).add(clip.group)
    assert len(groups) > 500
    assert all(len(names) == 1 for names in groups.values())
    assert len(set.union(*groups.values())) == len(groups)


def test_gtzan_numbers_of_one_ten_share_a_group_in_both_sets(folder):
    rows = [
        {"path": "gtzan/classical.00010.opus", "source": "gtzan"},
        {"path": "gtzan_short/classical.00019.opus", "source": "gtzan_short"},
        {"path": "gtzan_short/classical.00020.opus", "source": "gtzan_short"},
        {"path": "gtzan_short/jazz.00010.opus", "source": "gtzan_short"},
    ]
    first, same, next_ten, other_genre = (clip.group for clip in load_clips(folder(*rows)))
    assert first == same
    assert len({first, next_ten, other_genre}) == 3


def test_the_first_ten_numbers_of_gtzan_were_never_trained_on(clips):
    """They are left to others for measuring."""
    numbers = {int(clip.path.stem.split(".")[1]) for clip in clips if clip.source.startswith("gtzan")}
    assert min(numbers) == 10
    assert max(numbers) <= 99


def test_artists_are_told_apart_by_letters_not_by_case(folder):
    rows = [
        {"path": f"taffc/{i}.opus", "source": "taffc", "artist": artist}
        for i, artist in enumerate(["The Band", "the band", "THE BAND", "Another Band"])
    ]
    groups = [clip.group for clip in load_clips(folder(*rows))]
    assert len(set(groups)) == 2
    assert groups[0] == groups[1] == groups[2]


def test_two_excerpts_of_one_song_share_a_group(folder):
    rows = [{"path": f"zouk/zouk.000{n}.opus", "source": "zouk"} for n in ("12", "77", "13")]
    first, same, other = (clip.group for clip in load_clips(folder(*rows)))
    assert first == same != other


def test_a_sound_track_is_one_group(folder):
    rows = [{"path": f"open/{n}.opus", "source": f"open:{game}"} for n, game in enumerate("aab")]
    a, same, b = (clip.group for clip in load_clips(folder(*rows)))
    assert a == same != b


def test_words_are_split_at_semicolons(folder):
    row = {"path": "taffc/1.opus", "source": "taffc", "genres": "Jazz; Pop/Rock ;", "moods": " Calm;Q4"}
    (clip,) = load_clips(folder(row))
    assert clip.genres == ("Jazz", "Pop/Rock")
    assert clip.moods == ("Calm", "Q4")


def test_a_clip_that_is_missing_is_named(folder):
    data = folder({"path": "taffc/gone.opus", "source": "taffc"}, with_files=False)
    with pytest.raises(ValueError, match=r"1 clips .* taffc/gone.opus"):
        load_clips(data)


def test_without_a_table_there_is_no_data_set(tmp_path):
    with pytest.raises(DataSetError, match=r"clips.csv is missing"):
        load_clips(tmp_path)
