"""What is particular to one data set: sizes, lists of faults, negations, names of artists, libraries of beets."""

import csv
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from beets.library import Item, Library

from model_training.datasets import DATA_SETS, DataSetError, load_data_set
from model_training.datasets.base import Clip, recording_of
from model_training.labels import LABELS, main_genre, truth


def load(name: str, folder: Path) -> list[Clip]:
    return DATA_SETS[name].load(folder)


def known(clip: Clip) -> dict[str, float]:
    """Our labels that the clip's data set knows."""
    truths = {source.label.name: truth(source, clip) for source in LABELS}
    return {label: value for label, value in truths.items() if value is not None}


def test_fma_denies_the_styles_that_a_track_is_not_filed_under(build):
    rock = load("fma", build("fma"))[2]
    assert (rock.genres, rock.others) == (("Rock",), ("Punk",))
    labels = known(rock)
    assert {label for label, value in labels.items() if value} == {"Rock", "Punk"}
    assert labels["Jazz"] == labels["Blues"] == 0.0
    assert not labels.keys() & {"Instrumental", "Experimental", "World", "House"}


def test_fma_takes_the_largest_size_that_is_there_or_the_one_that_is_named(build, noise):
    folder = build("fma")
    large = noise(folder / "fma_large" / "090" / "090000.mp3")
    (clip,) = load("fma", folder)
    assert clip.path == large
    assert clip.genres == ("Jazz", "Rock")
    assert main_genre(clip) == ""
    assert len(load("fma", folder / "fma_small")) == 24
    with pytest.raises(DataSetError, match="fma_medium is missing"):
        load("fma", folder / "fma_medium")


def test_a_table_without_its_columns_is_refused(build):
    folder = build("fma")
    path = folder / "fma_metadata" / "tracks.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("split", "side", 1), encoding="utf-8")
    with pytest.raises(DataSetError, match=r"has no column set\.split; see https"):
        load("fma", folder)


@pytest.fixture
def filtered(build):
    """GTZAN with the published kind of lists; one clip of each genre is in none of them."""
    folder = build("gtzan")
    stems = sorted(path.stem for path in (folder / "genres").rglob("*.wav"))
    for number, name in enumerate(("train", "valid", "test")):
        lines = [f"{stem.partition('.')[0]}/{stem}.wav\n" for i, stem in enumerate(stems) if i % 12 // 4 == number]
        (folder / f"{name}_filtered.txt").write_text("".join(lines[1:]), encoding="utf-8")
    return folder


def test_the_lists_without_faults_are_the_split_of_gtzan(filtered):
    clips = load("gtzan", filtered)
    assert len(clips) == 24 - 3
    assert {clip.split for clip in clips} == {"training", "validation", "test"}
    sides: dict[str, set[str]] = {}
    for clip in clips:
        sides.setdefault(clip.group, set()).add(clip.split)
    assert all(len(side) == 1 for side in sides.values())


def test_lists_that_are_incomplete_or_of_numbers_are_refused(filtered):
    (filtered / "valid_filtered.txt").write_text("  30\n  31\n", encoding="utf-8")
    with pytest.raises(DataSetError, match=r"valid_filtered.txt lists '30', no file of GTZAN; see https"):
        load("gtzan", filtered)
    (filtered / "valid_filtered.txt").unlink()
    with pytest.raises(DataSetError, match=r"valid_filtered.txt is missing"):
        load("gtzan", filtered)


def test_gtzan_may_be_au_or_in_another_folder_and_has_a_file_that_is_no_audio(build, noise):
    folder = build("gtzan")
    (folder / "genres").rename(folder / "genres_original")
    noise(folder / "genres_original" / "jazz" / "jazz.00054.wav")
    wav = noise(folder / "genres_original" / "jazz" / "jazz.00055.wav")
    wav.rename(wav.with_suffix(".au"))
    assert [clip.name for clip in load("gtzan", folder) if clip.genres == ("Jazz",)] == ["jazz/jazz.00055.au"]


def test_gtzan_speaks_as_its_short_clips_do(build):
    labels = known(load("gtzan", build("gtzan"))[-1])
    assert labels["Hip Hop"] == 1.0
    assert labels["Blues"] == 0.0


def test_magnatagatune_denies_only_what_the_players_denied(build):
    unsung, sung = load("magnatagatune", build("magnatagatune"))[:2]
    assert unsung.others == ("no vocals",)
    assert known(unsung) == {
        "Rock": 1.0, "Instrumental": 1.0, "Choir": 0.0, "Female Vocals": 0.0, "Male Vocals": 0.0, "Vocals": 0.0,
    }  # fmt: skip
    assert known(sung) == {"Jazz": 1.0, "Female Vocals": 1.0, "Vocals": 1.0, "Instrumental": 0.0}


def test_jamendo_knows_artists_by_name_where_the_table_of_names_is(build):
    folder = build("jamendo")
    assert load("jamendo", folder)[0].group == "jamendo:artist_000000"
    header = "TRACK_ID\tARTIST_ID\tALBUM_ID\tTRACK_NAME\tARTIST_NAME\tALBUM_NAME\tRELEASEDATE\tURL\n"
    row = 'track_0000100\tartist_000000\talbum_000001\tA "Song\tArtist 0\tAlbum\t2010\tu\n'
    (folder / "data" / "raw.meta.tsv").write_text(header + row, encoding="utf-8")
    groups = [clip.group for clip in load("jamendo", folder)]
    assert groups[:3] == ["artist:artist 0", "artist:artist 0", "jamendo:artist_000001"]


def test_jamendo_denies_nothing_and_needs_no_split(build):
    folder = build("jamendo")
    shutil.rmtree(folder / "data" / "splits")
    clips = load("jamendo", folder)
    assert {clip.split for clip in clips} == {""}
    assert known(clips[2]) == {"Rock": 1.0, "Piano": 1.0, "Happy": 1.0}


def test_4q_speaks_as_the_clips_of_it_do(build):
    clip = load("4q", build("4q"))[0]
    assert clip.moods == ("Calm", "Gentle", "Q1")
    assert clip.recording == recording_of("artist 0", "SONG, 0") != ""
    labels = known(clip)
    assert labels["Jazz"] == labels["Blues"] == labels["Happy"] == 1.0
    assert labels["Folk"] == labels["Sad"] == 0.0
    assert main_genre(clip) == ""


def test_other_folders_are_denied_but_what_a_genre_is_part_of(tmp_path, noise):
    for genre in ("House", "electronica", "hip-hop", "Mum's favourites"):
        noise(tmp_path / genre / "a.wav")
    noise(tmp_path / ".trash" / "a.wav")
    by_genre = {clip.genres[0]: known(clip) for clip in load("folders", tmp_path)}
    assert by_genre == {
        "House": {"House": 1.0, "Electronic": 1.0, "Hip Hop": 0.0},
        "electronica": {"Electronic": 1.0, "House": 0.0, "Hip Hop": 0.0},
        "hip-hop": {"Hip Hop": 1.0, "House": 0.0, "Electronic": 0.0},
        "Mum's favourites": {"House": 0.0, "Electronic": 0.0, "Hip Hop": 0.0},
    }


def test_files_without_tags_are_grouped_by_the_folder_below_the_genre(tmp_path, noise):
    for name in ("Jazz/Band/a.wav", "Jazz/Band/Album/b.wav", "Rock/band/c.wav", "Rock/d.wav", "Rock/e.wav"):
        noise(tmp_path / name)
    groups = {clip.name: clip.group for clip in load("folders", tmp_path)}
    assert groups["Jazz/Band/a.wav"] == groups["Jazz/Band/Album/b.wav"] == groups["Rock/band/c.wav"]
    assert len(set(groups.values())) == 3


@pytest.fixture
def library(tmp_path, noise, monkeypatch):
    """Return a library as beets itself writes it; its music lies in `music`."""
    path = noise(tmp_path / "music" / "Ä & B?" / "song #1.flac")
    (tmp_path / "beets").mkdir()
    monkeypatch.setenv("BEETSDIR", str(tmp_path / "beets"))
    written = Library(str(tmp_path / "beets" / "library.db"), str(tmp_path / "music"))
    item = Item.from_path(bytes(path))
    item.update({"artist": "Various Artists", "album": "Best Of", "genres": ["Hip-Hop/Rap", "R&B"]})
    written.add(item)
    written._close()
    (tmp_path / "beets" / "config.yaml").write_text(f"directory: {tmp_path / 'music'}\n", encoding="utf-8")
    return tmp_path / "beets" / "library.db"


def test_a_library_of_beets_is_read_and_left_as_it_is(library):
    with closing(sqlite3.connect(library)) as connection:
        assert connection.execute("SELECT path FROM items").fetchall() == [("Ä & B?/song #1.flac".encode(),)]
    before = library.read_bytes(), sorted(library.parent.iterdir())
    (clip,) = load_data_set(f"beets:{library}")
    assert clip.path.is_file()
    assert clip.name == "beets:Ä & B?/song #1.flac"
    assert clip.genres == ("Hip-Hop/Rap", "R&B")
    assert clip.group == "beets:album:best of"
    assert known(clip) == {"Hip Hop": 1.0, "R&B": 1.0}
    assert main_genre(clip) == "Hip Hop"
    assert (library.read_bytes(), sorted(library.parent.iterdir())) == before


def test_a_library_in_a_read_only_folder_is_read(library):
    library.chmod(0o400)
    library.parent.chmod(0o500)
    try:
        assert len(load("beets", library)) == 1
    finally:
        library.parent.chmod(0o700)


def test_a_library_without_settings_is_taken_to_lie_in_its_directory(library):
    (library.parent / "config.yaml").unlink()
    moved = library.rename(library.parent.parent / "music" / "library.db")
    assert len(load("beets", moved.parent)) == 1


def test_a_library_from_before_genres_was_a_list_is_refused(tmp_path):
    with closing(sqlite3.connect(tmp_path / "library.db")) as connection:
        connection.execute(
            "CREATE TABLE items (id INTEGER, path BLOB, artist TEXT, album TEXT, title TEXT, genre TEXT)"
        )
    with pytest.raises(DataSetError, match=r"has no column genres; see https://beets\.io \(2\.7 or newer\)"):
        load("beets", tmp_path)


def test_what_is_no_database_is_refused(tmp_path):
    (tmp_path / "library.db").write_text("no database, but long enough to be taken for one " * 40, encoding="utf-8")
    with pytest.raises(DataSetError, match=r"cannot be read as a library of beets"):
        load("beets", tmp_path)


def test_clips_of_a_table_tell_their_recordings(build):
    folder = build("clips")
    with (folder / "clips.csv").open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    expected = [recording_of(row["artist"], row["title"]) for row in rows]
    assert [clip.recording for clip in load("clips", folder)] == expected
