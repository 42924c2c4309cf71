"""Which tracks are in a playlist, by its seeds."""

import os

import numpy as np
import pytest

from musrecd.config_playlists import PlaylistsConfig
from musrecd.errors import LibraryError, PlaylistError
from musrecd.library.reader import LibraryReader
from musrecd.library.store import Library
from musrecd.playlists.tracks import seed_tracks, tracks_for
from musrecd.playlists.writing import chosen, write
from tests.playlists.conftest import INFO, N_TITLES, artist, embedding, title


def numbers(tracks) -> list[int]:
    return [int(os.path.basename(track.path)[:2]) for track in tracks]


def test_the_rest_of_what_sounds_alike_comes_first_and_never_a_seed(reader, make_list):
    assert set(numbers(tracks_for(reader, make_list("A", title(10), number=4)))) == {11, 12, 13, 14}
    assert set(numbers(tracks_for(reader, make_list("A", artist(2), number=100)))) == {*range(10), *range(15, 40)}


def test_the_order_is_that_of_the_cosine_but_for_tracks_that_are_near_everyone(reader, make_list):
    found = numbers(tracks_for(reader, make_list("A", title(10), number=100)))
    scores = [float(embedding(10) @ embedding(number)) for number in found]
    assert len(found) == 39
    assert max(abs(a - b) for a, b in zip(scores, sorted(scores, reverse=True), strict=True)) < 0.2
    assert set(found[:4]) == {11, 12, 13, 14}


def test_seeds_are_words_and_files_and_lists(reader, make_list, tmp_path, path_of):
    assert numbers(seed_tracks(reader, make_list("A", title(16)), INFO.version)) == [16]
    assert numbers(seed_tracks(reader, make_list("A", os.fsdecode(path_of(7))), INFO.version)) == [7]
    lines = [
        path_of(1),
        b"music/artist 0/02.flac",
        b"/gone.flac",
        f"#EXTINF:1,{artist(1)} - {title(8)}".encode(),
        b"/moved/x.flac",
    ]
    (tmp_path / "list.m3u8").write_bytes(b"\n".join(lines))
    found = seed_tracks(reader, make_list("A", str(tmp_path / "list.m3u8"), title(30), title(30)), INFO.version)
    assert sorted(numbers(found)) == [1, 2, 8, 30]


def test_a_tilde_is_the_home_of_the_person(reader, make_list, path_of, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    seed = os.fsdecode(path_of(4)).replace(str(tmp_path), "~")
    assert numbers(seed_tracks(reader, make_list("A", seed), INFO.version)) == [4]


@pytest.mark.parametrize("seed", ["nobody knows", "/gone.flac", "-"])
def test_a_seed_that_leads_nowhere_is_named_with_its_playlist(reader, make_list, seed):
    with pytest.raises(PlaylistError, match=rf"^playlist 'A': '{seed}' leads to no track that was heard"):
        tracks_for(reader, make_list("A", artist(3), seed))


def test_a_list_that_is_gone_is_said(reader, make_list):
    with pytest.raises(PlaylistError, match=r"gone\.m3u cannot be read: No such file"):
        tracks_for(reader, make_list("A", "/gone.m3u"))


def test_an_empty_library_says_what_to_do(tmp_path, make_list):
    Library.open(tmp_path / "empty.db").close()
    with LibraryReader.open(tmp_path / "empty.db") as reader, pytest.raises(LibraryError, match="musrecd scan"):
        tracks_for(reader, make_list("A", "x"))


def test_a_set_holds_the_same_tracks_begins_with_the_best_and_jumps_less(reader, make_list):
    best = tracks_for(reader, make_list("A", title(10), number=30))
    as_set = tracks_for(reader, make_list("A", title(10), number=30, order="flow"))
    assert as_set[0] == best[0]
    assert sorted(numbers(as_set)) == sorted(numbers(best))

    def steps(tracks) -> float:
        vectors = np.array([embedding(number) for number in numbers(tracks)])
        return float((1 - (vectors[1:] * vectors[:-1]).sum(1)).sum())

    assert steps(as_set) < 0.8 * steps(best)


def test_missing_files_are_not_in_a_playlist(library_path, make_list, path_of):
    with Library.open(library_path) as library:
        library.mark_missing([path_of(11)])
    with LibraryReader.open(library_path) as reader:
        found = numbers(tracks_for(reader, make_list("A", title(10), number=4)))
    assert len(found) == 4
    assert 11 not in found


def test_it_is_written_once_and_says_what_did_not_fit(library_path, make_list, tmp_path, path_of):
    bad = os.path.join(os.path.dirname(path_of(11)), b"11\n.flac")
    with Library.open(library_path) as library:
        library.move(path_of(11), bad)
    playlist, style = make_list("My list", title(10), number=4), PlaylistsConfig(playlist_dir=tmp_path / "lists")
    with LibraryReader.open(library_path) as reader:
        first, second = write(reader, playlist, style), write(reader, playlist, style)
    assert (first.is_new, second.is_new) == (True, False)
    assert [track.path for track in first.left_out] == [bad]
    assert set(numbers(first.tracks)) == {12, 13, 14}
    lines = (tmp_path / "lists" / "My list.m3u8").read_bytes().splitlines()
    assert [line for line in lines if not line.startswith(b"#")] == [track.path for track in first.tracks]


def test_an_empty_playlist_replaces_none(library_path, make_list, tmp_path):
    style = PlaylistsConfig(playlist_dir=tmp_path)
    with LibraryReader.open(library_path) as reader:
        write(reader, make_list("A", artist(1)), style)
        before = (tmp_path / "A.m3u8").read_bytes()
        with pytest.raises(PlaylistError, match="'A': nothing else in the library"):
            write(reader, make_list("A", "qx"), style)
    assert (tmp_path / "A.m3u8").read_bytes() == before


def test_without_a_folder_nothing_is_written(reader, make_list):
    with pytest.raises(PlaylistError, match="playlist_dir"):
        write(reader, make_list("A", title(10)), PlaylistsConfig())


def test_playlists_are_chosen_by_name(make_list):
    playlists = PlaylistsConfig(lists=(make_list("A", "x"), make_list("B", "y")))
    assert [each.name for each in chosen(playlists, [])] == ["A", "B"]
    assert [each.name for each in chosen(playlists, ["B", "B"])] == ["B"]
    with pytest.raises(PlaylistError, match="no playlist is called 'C'; there are A, B"):
        chosen(playlists, ["A", "C"])
    with pytest.raises(PlaylistError, match="there are no playlists"):
        chosen(PlaylistsConfig(), [])


def test_the_invented_library_is_as_described():
    own = min(float(embedding(i) @ embedding(i + 1)) for i in range(40) if (i + 1) % N_TITLES)
    others = max(float(embedding(i) @ embedding(j)) for i in range(40) for j in range(40) if i // 5 != j // 5)
    assert own > others
