"""Every format: the genres arrive, beets agrees, nothing else changes, and the snapshot brings all bytes back."""

import json
import os
import struct
from pathlib import Path

import mediafile
import mutagen
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from mutagen.id3 import ID3, TXXX

from musrecd.analysis.audio import listen
from musrecd.analysis.excerpts import ExcerptPlan
from musrecd.analysis.payload import survey
from musrecd.errors import TagError
from musrecd.tagging.files import Change, Rules, read, write
from tests.tagging.files.conftest import NAMES, OLD, id3v1

NOW = Rules(settle_s=0)
SEVERAL = ("Drum & Bass", "Ambient/Drone", "Chanson; française", "עברית", "音楽", "🎵")


def put(path: Path, *genres: str, **rules):
    return write(bytes(path), Change(genres=genres), Rules(settle_s=0, **rules))


def beets_reads(path: Path) -> tuple[str, ...]:
    return tuple(mediafile.MediaFile(path).genres or ())


def others(path: Path) -> list[tuple[str, str]]:
    """Everything that mutagen reads but the genre."""
    tags = mutagen.File(path).tags
    items = [] if tags is None else tags if isinstance(tags, list) else [(k, repr(v)) for k, v in tags.items()]
    return [(k, str(v)) for k, v in items if k.lower() not in ("genre", "tcon", "\xa9gen", "wm/genre")]


@pytest.mark.parametrize("name", NAMES)
def test_genres_arrive_and_nothing_else_changes(music, name):
    path = music(name)
    before, sound = others(path), survey(bytes(path))
    was = path.read_bytes()

    written = put(path, *SEVERAL)

    assert read(bytes(path)).genres == written.after.genres == SEVERAL
    if path.suffix not in (".tta", ".spx") and name != "flac.ogg":
        assert beets_reads(path) == SEVERAL
    assert others(path) == before
    assert survey(bytes(path)) == sound
    assert not written.is_same
    assert written.state == (bytes(path), path.stat().st_size, path.stat().st_mtime_ns)
    assert path.read_bytes() != was
    assert [p.name for p in path.parent.iterdir()] == [name]


@pytest.mark.parametrize("name", NAMES)
def test_a_snapshot_brings_every_byte_back(music, name):
    path = music(name)
    was = path.read_bytes()
    kept = json.loads(json.dumps(read(bytes(path)).raw))
    put(path, *SEVERAL)
    put(path, "Another")
    write(bytes(path), Change(genres=(), moods=("calm", "dark")), NOW)
    assert read(bytes(path)).moods == ("calm", "dark")

    write(bytes(path), Change(raw=kept), NOW)

    assert read(bytes(path)).raw == kept
    assert path.read_bytes() == was


@pytest.mark.parametrize("name", NAMES)
def test_the_same_genres_leave_the_file_alone(music, name):
    path = music(name)
    put(path, "Rock", "Pop")
    was = os.stat(path)
    written = put(path, "Rock", "Pop")
    assert written.is_same
    now = os.stat(path)
    assert (now.st_ino, now.st_ctime_ns) == (was.st_ino, was.st_ctime_ns)
    assert written.before == written.after


def test_the_recording_is_the_one_that_is_analysed(music):
    for name in ("v23.mp3", "comment.flac", "aac.m4a", "vorbis.ogg", "pcm.wav"):
        path = music(name)
        with listen(bytes(path), ExcerptPlan(10.0, 1)) as recording:
            assert put(path, "Rock", audio_id=recording.audio_id).audio_id == recording.audio_id


_words = st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12), min_size=1, max_size=4)


@pytest.mark.parametrize("name", ["v23.mp3", "v24.mp3", "comment.flac", "opus.opus", "aac.m4a", "wma.wma", "ape.wv"])
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(genres=["a/b", "c;d", "e, f", "(17)", "((x"])
@example(genres=["\u202eabc", "👩‍🎤", "é", "e\u0301"])
@example(genres=["17"])
@example(genres=["a\nb", " lead", "trail "])
@example(genres=["nul\0inside"])
@example(genres=["same", "same"])
@given(genres=_words)
def test_any_words_read_back_equal_or_are_refused(music, name, genres):
    path = music(name)
    was = path.read_bytes()
    try:
        put(path, *genres)
    except TagError as error:
        refused = error
        assert path.read_bytes() == was
    else:
        refused = None
        assert beets_reads(path) == read(bytes(path)).genres == tuple(genres)
    assert refused is None or (refused.reason == "words" and str(refused).isprintable())
    assert len(list(path.parent.iterdir())) == 1


@pytest.mark.parametrize("words", [["\ud800"], [""], ["  "], ["a\0b"]])
def test_what_is_no_word_is_refused(music, words):
    with pytest.raises(TagError, match="cannot be written"):
        put(music("comment.flac"), *words)


@pytest.mark.parametrize(("name", "version"), [("v23.mp3", 3), ("v24.mp3", 4)])
def test_the_version_of_id3_stays(music, name, version):
    path = music(name)
    put(path, *SEVERAL)
    assert path.read_bytes()[:4] == b"ID3" + bytes([version])


def id3v22(*frames: tuple[bytes, bytes], padding: int = 0) -> bytes:
    body = b"".join(name + struct.pack(">I", len(data))[1:] + data for name, data in frames) + bytes(padding)
    return b"ID3\2\0\0" + bytes(len(body) >> shift & 0x7F for shift in (21, 14, 7, 0)) + body


def test_a_tag_of_version_2_stays_one(music):
    path = music("bare.mp3")
    sound = path.read_bytes()
    path.write_bytes(id3v22((b"TT2", b"\0Title"), (b"TCO", b"\0(17)"), (b"XYZ", b"unknown"), padding=4) + sound)
    assert read(bytes(path)).genres == ("Rock",)
    put(path, *SEVERAL)
    assert beets_reads(path) == SEVERAL
    data = path.read_bytes()
    assert data[:4] == b"ID3\2"
    assert b"TT2\0\0\6\0Title" in data
    assert b"XYZ\0\0\7unknown" in data
    assert data.endswith(sound)


def test_a_tag_of_absurdly_many_frames_is_refused(music):
    path = music("bare.mp3")
    path.write_bytes(id3v22(*[(b"XYZ", b"x")] * 10_001) + path.read_bytes())
    with pytest.raises(TagError, match="more than 10000 frames"):
        put(path, "Rock")


def test_an_unsynchronised_tag_stays_one(music):
    path = music("bare.mp3")
    frame = b"PRIV" + struct.pack(">IH", 8, 0) + b"me\0\xff\xe0\xff\0\xff"
    body = (frame + bytes(20)).replace(b"\xff\0", b"\xff\0\0").replace(b"\xff\xe0", b"\xff\0\xe0")
    path.write_bytes(b"ID3\3\0\x80\0\0\0" + bytes([len(body)]) + body + path.read_bytes())
    put(path, "Żółw", "Rock")
    assert beets_reads(path) == ("Żółw", "Rock")
    assert ID3(path).getall("PRIV")[0].data == b"\xff\xe0\xff\0\xff"
    assert path.read_bytes()[5] == 0x80


def test_padding_takes_up_the_genre(music):
    path = music("v24.mp3")
    size = path.stat().st_size
    put(path, "A somewhat longer genre than before")
    assert path.stat().st_size == size


def test_id3v1_stays_as_it_was(music):
    path = music("v24+v1.mp3")
    old = path.read_bytes()[-128:]
    assert old[:3] == b"TAG"
    put(path, "Rock")
    assert path.read_bytes()[-128:] == old


def test_what_only_id3v1_knew_is_still_seen(music):
    """Players that find an ID3v2 tag look at no ID3v1."""
    path = music("bare.mp3")
    was = path.read_bytes() + id3v1(17)
    path.write_bytes(was)
    kept = read(bytes(path))
    assert kept.genres == ("Rock",)
    put(path, "Jazz")
    assert path.read_bytes().endswith(was)
    assert ID3(path, load_v1=False)["TIT2"].text == ["other title"]
    assert beets_reads(path) == ("Jazz",)
    write(bytes(path), Change(raw=kept.raw), NOW)
    assert path.read_bytes() == was


def test_id3v1_behind_an_ape_tag_stays(music):
    path = music("ape.wv")
    path.write_bytes(path.read_bytes() + id3v1(17))
    put(path, "Jazz")
    assert path.read_bytes().endswith(id3v1(17))
    assert beets_reads(path) == ("Jazz",)


def test_both_tags_of_a_file_tell_the_new_genre(music):
    path = music("v23+ape.mp3")
    put(path, "Rock", "Pop")
    assert list(mutagen.apev2.APEv2(path)["Genre"]) == ["Rock", "Pop"]
    tag = mutagen.apev2.APEv2(path)
    tag["Genre"] = "Disagrees"
    tag.save(path)
    was = path.read_bytes()
    with pytest.raises(TagError, match="different genres"):
        put(path, "Jazz")
    assert path.read_bytes() == was


def test_a_number_of_a_genre_is_replaced_and_comes_back(music):
    path = music("bare.m4a")
    file = mutagen.File(path)
    file["tmpo"] = [18]
    file.save()
    path.write_bytes(path.read_bytes().replace(b"tmpo", b"gnre"))
    was, kept = path.read_bytes(), read(bytes(path))
    assert kept.genres == ("Rock",)
    put(path, "Jazz")
    assert beets_reads(path) == ("Jazz",)
    write(bytes(path), Change(raw=kept.raw), NOW)
    assert path.read_bytes() == was


def test_offsets_move_where_the_tags_come_before_the_sound(tmp_path, make_audio):
    import av

    path = tmp_path / "fast.m4a"
    make_audio(tmp_path / "a.m4a", 1.0)
    for flags in ("faststart", "frag_keyframe+empty_moov"):
        with (
            av.open(str(tmp_path / "a.m4a")) as source,
            av.open(str(path), "w", format="ipod", options={"movflags": flags}) as target,
        ):
            stream = target.add_stream_from_template(source.streams.audio[0])
            for packet in source.demux(source.streams.audio[0]):
                if packet.size:
                    packet.stream = stream
                    target.mux(packet)
        data = path.read_bytes()
        assert data.index(b"moov") < data.index(b"mdat")
        sound = survey(bytes(path))
        put(path, "A long genre " * 20)
        assert survey(bytes(path)) == sound
        assert path.stat().st_size > len(data)


def test_ogg_pages_are_numbered_anew_where_comments_need_more(music):
    for name in ("vorbis.ogg", "opus.opus", "flac.ogg"):
        path = music(name)
        was, kept = path.read_bytes(), read(bytes(path))
        long = ("x" * 70_000, "y" * 70_000)
        put(path, *long)
        assert mutagen.File(path)["genre"] == list(long)
        put(path, "short")
        write(bytes(path), Change(raw=kept.raw), NOW)
        assert read(bytes(path)) == kept
        assert survey(bytes(path)) is not None
        assert len(path.read_bytes()) >= len(was)


def test_moods_are_written_only_if_asked_for(music):
    for name in ("v23.mp3", "v24.mp3", "comment.flac", "aac.m4a", "wma.wma", "ape.wv"):
        path = music(name)
        put(path, "Rock")
        assert read(bytes(path)).moods == ()
        write(bytes(path), Change(moods=("calm",)), NOW)
        assert read(bytes(path)).moods == ("calm",)
        assert read(bytes(path)).genres == ("Rock",)
        put(path, "Jazz")
        assert read(bytes(path)).moods == ("calm",)


def test_a_mood_that_another_program_wrote_is_known(music):
    path = music("v23.mp3")
    tag = ID3(path)
    tag.add(TXXX(encoding=1, desc="Mood", text=["düster"]))
    tag.save(path, v2_version=3)
    assert read(bytes(path)).moods == ("düster",)


def test_read_says_what_stands_there(music):
    for name in NAMES:
        path = music(name)
        if not name.startswith(("bare", "full", "speex")):
            assert read(bytes(path)).genres == (OLD,)


@pytest.mark.parametrize(
    ("name", "harm", "reason"),
    [
        ("comment.flac", lambda d: d[: len(d) // 2], "damaged"),
        ("comment.flac", lambda d: d[:-1], "damaged"),
        ("vorbis.ogg", lambda d: d[:-1], "structure"),
        ("vorbis.ogg", lambda d: d[: len(d) // 2] + bytes(len(d) // 2), "structure"),
        ("aac.m4a", lambda d: d[:-1], "structure"),
        ("pcm.wav", lambda d: d[:-2], "structure"),
        ("bare.wav", lambda d: d[:4] + b"\xff\xff\xff\xff" + d[8:], "structure"),
        ("bare.wav", lambda d: d + b"\0", "structure"),
        ("wma.wma", lambda d: d[: len(d) * 2 // 3], "structure"),
        ("v24.mp3", lambda d: d[: len(d) * 2 // 3], "damaged"),
        ("v24.mp3", lambda d: d[:10 + (d[8] << 7 | d[9])] + d, "two tags"),
        ("comment.flac", lambda d: b"ID3\4\0\0\0\0\0\0" + d, "two tags"),
        ("vorbis.ogg", lambda d: d + d, "two tags"),
        ("aac.m4a", lambda d: d.replace(b"mp4a", b"drms"), "encrypted"),
        ("bare.wv", lambda d: b"", "unknown format"),
        ("bare.mp3", lambda d: b"This is not music.\n" * 200, "structure"),
        ("bare.mp3", lambda d: np.random.default_rng(1).bytes(30_000), "structure"),
    ],
)  # fmt: skip
def test_what_cannot_be_verified_is_refused(music, name, harm, reason):
    path = music(name)
    path.write_bytes(harm(path.read_bytes()))
    was = path.read_bytes()
    with pytest.raises(TagError) as caught:
        put(path, "Rock")
    assert caught.value.reason == reason
    assert path.read_bytes() == was
    assert len(list(path.parent.iterdir())) == 1


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from([name for name in NAMES if not name.startswith(("full", "speex"))]),
    data=st.data(),
)
def test_damaged_tags_raise_nothing_but_tag_errors(music, name, data):
    """Whatever stands in a file: it is written as it should be, or refused and untouched."""
    path = music(name)
    raw = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        raw[data.draw(st.integers(0, min(len(raw), 9000) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(raw)
    try:
        put(path, "Rock")
    except TagError:
        assert path.read_bytes() == raw
    else:
        assert read(bytes(path)).genres == ("Rock",)
    assert not list(path.parent.glob(".*"))
