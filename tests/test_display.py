"""Whatever a tag or a file name holds, what is printed cannot steer a terminal."""

import os
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from musrecd.display import clock, counted, printable, printable_path

# Control characters, surrogates, line and paragraph separators; and the bidirectional overrides and isolates.
CATEGORIES = {"Cc", "Cs", "Zl", "Zp"}
BIDI = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def is_safe(text: str) -> bool:
    return not any(unicodedata.category(c) in CATEGORIES or c in BIDI for c in text)


ANY_TEXT = st.text(st.characters(categories=["Cc", "Cf", "Cs", "L", "N", "P", "S", "Z", "M"]))


@given(ANY_TEXT)
@example("\x1b[2J\x1b]0;title\x07")
@example("a\r\nb\tc\x9b31m")
@example("gnp\u202e3pm.exe")
@example("\ud800\udfff")
@example("\u2028\u2029\ufeff\U000e0001")
def test_printable_text_holds_no_control_and_no_bidi_character(text):
    shown = printable(text)
    assert is_safe(shown)
    shown.encode("utf-8")
    assert len(shown.splitlines()) <= 1


@given(ANY_TEXT)
def test_printable_text_stays_as_it_is(text):
    assert printable(printable(text)) == printable(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "Motörhead", "Sigur Rós", "坂本龍一", "Дмитрий Шостакович", "فيروز",
        "👩‍🎤", "می‌خواهم", "a\u0301", "Ænima [Deluxe]",
    ],
)  # fmt: skip
def test_ordinary_words_of_any_script_are_left_alone(text):
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [("\x1b[31m", r"\x1b[31m"), ("a\nb", r"a\nb"), ("\u202e", r"\u202e"), ("\x7f", r"\x7f"), ("\x85", r"\x85")],
)
def test_what_is_dangerous_appears_as_an_escape(text, shown):
    assert printable(text) == shown


@given(st.binary())
def test_any_bytes_can_be_shown_as_a_path(raw):
    shown = printable_path(raw)
    assert is_safe(shown)
    shown.encode("utf-8")


@given(ANY_TEXT.filter(lambda text: not any("\ud800" <= c <= "\udfff" for c in text)))
def test_paths_that_are_text_look_like_it(text):
    assert printable_path(text) == printable_path(os.fsencode(text)) == printable(text)


def test_bytes_that_are_no_text_appear_as_escapes():
    assert printable_path(b"/music/caf\xe9.mp3") == r"/music/caf\xe9.mp3"
    assert printable_path(os.fsdecode(b"/music/caf\xe9.mp3")) == r"/music/caf\xe9.mp3"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0:00"), (0.4, "0:00"), (59.6, "1:00"), (61, "1:01"),
        (3599.4, "59:59"), (3600, "1:00:00"), (36_610, "10:10:10"),
    ],
)  # fmt: skip
def test_lengths_read_like_a_clock(seconds, shown):
    assert clock(seconds) == shown


@pytest.mark.parametrize(
    ("n", "shown"), [(0, "0 tracks"), (1, "1 track"), (2, "2 tracks"), (1234567, "1,234,567 tracks")]
)
def test_things_are_counted_in_words(n, shown):
    assert counted(n, "track") == shown
