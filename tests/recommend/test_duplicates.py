"""Versions of one song are one song; other songs are not."""

import numpy as np
import pytest

from musrecd.recommend.asking import Entry
from musrecd.recommend.duplicates import Song, artist_key, title_key

HERE, NEAR, FAR = (np.array([np.cos(a), np.sin(a)], np.float32) for a in (0.0, 0.1, 1.0))


@pytest.mark.parametrize(
    "title",
    [
        "Blue Train (Live)",
        "Blue Train [Live at the Village Vanguard]",
        "Blue Train - Live",
        "Blue Train - Remastered 2011",
        "Blue Train (2011 Remaster)",
        "Blue Train – Digitally Remastered",
        "Blue Train Remastered 2003",
        "Blue Train - Radio Edit",
        "Blue Train (Radio Edit) [Remastered]",
        "Blue Train (feat. Lee Morgan)",
        "Blue Train feat. Lee Morgan",
        "Blue Train ft. Lee Morgan & Kenny Drew",
        "Blue Train (Take 3)",
        "Blue Train (Original Mix)",
        "blue  train",
        "Blue-Train",
        "Blüe Train",
    ],
)
def test_versions_have_one_title(title):
    assert title_key(title) == title_key("Blue Train")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Blue Train", "Blue Train II"),
        ("Blue Train", "Blue Train (John Doe Remix)"),
        ("Blue Train (Part 1)", "Blue Train (Part 2)"),
        ("Live Forever", "Forever"),
        ("Live", "Alive"),
        ("Symphony - I. Allegro", "Symphony - II. Andante"),
        ("Alternate Ending", "Ending"),
        ("Left", "Ft. Left"),
    ],
)
def test_other_titles_stay_apart(first, second):
    assert title_key(first) != title_key(second)


@pytest.mark.parametrize("title", ["(Live)", "Live", "- Live", "?", "…", "(feat. X)", "東京", "Сонце (Live)"])
def test_no_title_is_folded_away(title):
    assert title_key(title)


def test_nothing_is_not_a_title():
    assert title_key("") == title_key("  ") == ""


def test_guests_are_not_part_of_the_artist():
    assert artist_key("Eve feat. Gwen Stefani") == artist_key("EVE") != artist_key("Gwen Stefani")


def song(artist, title, embedding):
    return Song.of(Entry(artist, title), embedding)


def test_one_title_by_one_artist_is_one_song_however_it_sounds():
    assert song("Ann", "One", HERE).is_same(song("ann", "One (Live)", FAR))


def test_one_title_by_others_is_one_song_if_it_sounds_like_a_copy():
    assert song("Eddie Heywood", "One", HERE).is_same(song("Eddie Heywood and His Orchestra", "One", NEAR))
    assert not song("Ann", "One", HERE).is_same(song("Bob", "One", FAR))
    assert not song("", "One", HERE).is_same(song("", "One", FAR))


def test_tracks_without_a_title_are_songs_of_their_own():
    assert not song("Ann", "", HERE).is_same(song("Ann", "", HERE))
