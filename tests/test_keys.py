import pytest
from hypothesis import given
from hypothesis import strategies as st

from musrecd.keys import KEYS, Relation, are_compatible, camelot, open_key, relation, shift_to, transposed

# As printed on the wheels themselves, with flats where ours are sharps.
PRINTED = """
1A 6m G#m  1B 6d B     2A 7m D#m  2B 7d F#    3A 8m A#m  3B 8d C#
4A 9m Fm   4B 9d G#    5A 10m Cm  5B 10d D#   6A 11m Gm  6B 11d A#
7A 12m Dm  7B 12d F    8A 1m Am   8B 1d C     9A 2m Em   9B 2d G
10A 3m Bm  10B 3d D    11A 4m F#m 11B 4d A    12A 5m C#m 12B 5d E
"""

keys = st.sampled_from(KEYS)


def test_both_wheels_are_as_they_are_printed():
    words = PRINTED.split()
    printed = list(zip(words[0::3], words[1::3], words[2::3], strict=True))
    assert len(printed) == 24
    assert [(camelot(key), open_key(key), key) for _, _, key in printed] == printed


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("Am", "Am", Relation.SAME),
        ("Am", "C", Relation.RELATIVE),
        ("C", "Am", Relation.RELATIVE),
        ("Am", "Em", Relation.NEIGHBOUR),
        ("Am", "Dm", Relation.NEIGHBOUR),
        ("G#m", "C#m", Relation.NEIGHBOUR),
        ("Am", "Bm", Relation.ENERGY),
        ("Am", "A#m", Relation.ENERGY),
        ("Bm", "Am", None),
        ("A", "Am", None),
        ("Am", "G", None),
        ("C", "F#", None),
    ],
)
def test_relations_of_djs(first, second, expected):
    assert relation(first, second) == expected


@pytest.mark.parametrize(
    ("first", "second", "shift"), [("C", "C", 0), ("C", "Am", 0), ("C", "C#", -1), ("C", "F#", 1), ("Am", "A", 3)]
)
def test_the_shift_is_the_smallest(first, second, shift):
    assert shift_to(first, second) == shift


@given(keys, keys, st.integers(-24, 24))
def test_relations_hold_in_every_transposition(first, second, semitones):
    moved = transposed(first, semitones), transposed(second, semitones)
    assert relation(*moved) == relation(first, second)
    assert shift_to(*moved) == shift_to(first, second)


@given(keys, keys)
def test_shifted_keys_are_compatible(first, second):
    shift = shift_to(first, second)
    assert are_compatible(first, transposed(second, shift))
    assert are_compatible(first, second) == are_compatible(second, first) == (shift == 0)
    nearer = range(1 - abs(shift), abs(shift))
    assert not any(are_compatible(first, transposed(second, smaller)) for smaller in nearer)


@pytest.mark.parametrize("word", ["", "H", "Db", "c", "C#M", "8A"])
def test_what_is_no_key_is_refused(word):
    with pytest.raises(ValueError, match="is no key"):
        camelot(word)
