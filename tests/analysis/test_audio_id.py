"""A recording is named by its sound: tags, pictures, padding, place and name of the file change nothing."""

import base64
import os
import shutil
import struct
from pathlib import Path

import mutagen
import numpy as np
import pytest
from mutagen import id3
from mutagen.aiff import AIFF
from mutagen.apev2 import APEv2
from mutagen.asf import ASF
from mutagen.flac import FLAC, Picture
from mutagen.id3 import ID3
from mutagen.mp4 import MP4, MP4Cover
from mutagen.wave import WAVE
from mutagen.wavpack import WavPack

from musrecd.analysis.audio import listen
from musrecd.analysis.excerpts import ExcerptPlan

IMAGE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 1200


def id3_frames(tags: ID3) -> None:
    tags.add(id3.TIT2(encoding=id3.Encoding.UTF16, text="Zwölf Übungen"))
    tags.add(id3.TCON(encoding=id3.Encoding.UTF16, text=["Jazz", "Blues"]))
    tags.add(id3.COMM(encoding=id3.Encoding.UTF16, lang="eng", text="words " * 500))
    tags.add(id3.APIC(encoding=id3.Encoding.LATIN1, mime="image/png", type=3, data=IMAGE))


def id3v23(path: Path) -> None:
    tags = ID3()
    id3_frames(tags)
    tags.update_to_v23()
    tags.save(path, v2_version=3)


def id3v24(path: Path) -> None:
    tags = ID3()
    id3_frames(tags)
    tags.save(path, v2_version=4)


def id3v24_with_padding(path: Path) -> None:
    tags = ID3()
    id3_frames(tags)
    tags.save(path, padding=lambda info: 200_000)


def id3v1(path: Path) -> None:
    tags = ID3()
    tags.add(id3.TIT2(text="Twelve"))
    tags.save(path, v1=2)
    tags.delete(path, delete_v1=False, delete_v2=True)
    assert path.read_bytes()[-128:-125] == b"TAG"


def apev2(path: Path) -> None:
    tags = APEv2()
    tags["Title"] = "Twelve"
    tags["Cover Art (Front)"] = b"cover.png\0" + IMAGE
    tags.save(path)


def every_tag_of_mp3(path: Path) -> None:
    apev2(path)
    tags = ID3()
    id3_frames(tags)
    tags.save(path, v1=2)


def two_id3_tags_in_a_row(path: Path) -> None:
    id3v24(path)
    once = path.read_bytes()
    size = len(once) - len(once[ID3(path).size :])
    path.write_bytes(once[:size] + once)


def picture() -> Picture:
    image = Picture()
    image.type, image.mime, image.data = 3, "image/png", IMAGE
    return image


def vorbis_comments(path: Path) -> None:
    file = mutagen.File(path)
    file["title"] = "Zwölf Übungen"
    file["genre"] = ["Jazz", "Blues"]
    if isinstance(file, FLAC):
        file.add_picture(picture())
    else:
        file["metadata_block_picture"] = base64.b64encode(picture().write()).decode()
    file.save()


def vorbis_comments_with_padding(path: Path) -> None:
    file = mutagen.File(path)
    file["title"] = "Twelve"
    file.save(padding=lambda info: 150_000)


def atoms(path: Path) -> None:
    file = MP4(path)
    file["\xa9nam"], file["\xa9gen"] = "Zwölf Übungen", ["Jazz", "Blues"]
    file["covr"] = [MP4Cover(IMAGE, MP4Cover.FORMAT_PNG)]
    file.save()


def chunk_id3(path: Path) -> None:
    file = {".wav": WAVE, ".aiff": AIFF}[path.suffix](path)
    if file.tags is None:
        file.add_tags()
    id3_frames(file.tags)
    file.save()


def list_info(path: Path) -> None:
    """Put a LIST INFO chunk in front of the samples, as sound editors do."""
    data = path.read_bytes()
    text = b"INFOINAM" + struct.pack("<I", 8) + b"Twelve\0\0"
    chunk = b"LIST" + struct.pack("<I", len(text)) + text
    place = data.index(b"data")
    riff_size = struct.unpack("<I", data[4:8])[0] + len(chunk)
    path.write_bytes(data[:4] + struct.pack("<I", riff_size) + data[8:place] + chunk + data[place:])


def wavpack_ape(path: Path) -> None:
    file = WavPack(path)
    file["Title"] = "Twelve"
    file["Cover Art (Front)"] = b"cover.png\0" + IMAGE
    file.save()


def asf_attributes(path: Path) -> None:
    file = ASF(path)
    file["Title"], file["WM/Genre"] = "Twelve", ["Jazz", "Blues"]
    file.save()


def nothing_left(path: Path) -> None:
    vorbis_comments(path) if path.suffix in {".flac", ".ogg", ".opus"} else id3v24(path)
    mutagen.File(path).delete()


RETAGGED = [
    (".mp3", id3v23), (".mp3", id3v24), (".mp3", id3v24_with_padding), (".mp3", id3v1), (".mp3", apev2),
    (".mp3", every_tag_of_mp3), (".mp3", two_id3_tags_in_a_row), (".mp3", nothing_left),
    (".flac", vorbis_comments), (".flac", vorbis_comments_with_padding), (".flac", nothing_left), (".flac", id3v24),
    (".ogg", vorbis_comments), (".ogg", vorbis_comments_with_padding), (".ogg", nothing_left),
    (".opus", vorbis_comments), (".opus", vorbis_comments_with_padding), (".opus", nothing_left),
    (".m4a", atoms), (".wav", chunk_id3), (".wav", list_info), (".aiff", chunk_id3), (".wv", wavpack_ape),
    (".wma", asf_attributes),
]  # fmt: skip


@pytest.fixture(scope="module")
def untagged(tmp_path_factory, make_audio) -> Path:
    """A folder with 3 s of the same sweep in every format."""
    folder = tmp_path_factory.mktemp("untagged")
    for suffix in sorted({suffix for suffix, _ in RETAGGED}):
        make_audio(folder / f"sweep{suffix}", 3.0, 48_000)
    return folder


@pytest.mark.parametrize(("suffix", "retag"), RETAGGED)
def test_tags_change_the_file_but_not_the_recording(tmp_path, untagged, audio_id, hear, suffix, retag):
    before, after = untagged / f"sweep{suffix}", tmp_path / f"sweep{suffix}"
    shutil.copy(before, after)
    retag(after)
    assert after.read_bytes() != before.read_bytes()
    assert audio_id(after) == audio_id(before)
    y_before, duration_before = hear(before)
    y_after, duration_after = hear(after)
    assert duration_after == duration_before
    np.testing.assert_array_equal(y_after, y_before)


def test_the_name_is_40_characters_of_hex(untagged, audio_id):
    for path in untagged.iterdir():
        name = audio_id(path)
        assert len(name) == 40
        assert bytes.fromhex(name).hex() == name


def test_copies_moves_and_other_suffixes_keep_the_name(tmp_path, untagged, audio_id):
    before = audio_id(untagged / "sweep.mp3")
    shutil.copy(untagged / "sweep.mp3", tmp_path / "copy.mp3")
    assert audio_id(tmp_path / "copy.mp3") == before
    os.rename(tmp_path / "copy.mp3", os.fsencode(tmp_path) + b"/m\xf6ved.MP3")
    assert audio_id(os.fsencode(tmp_path) + b"/m\xf6ved.MP3") == before
    os.symlink(untagged / "sweep.mp3", tmp_path / "link")
    assert audio_id(tmp_path / "link") == before


def test_the_name_does_not_depend_on_which_excerpts_are_wanted(untagged):
    names = set()
    for plan in (ExcerptPlan(), ExcerptPlan(0.5, 2), ExcerptPlan(1.0, 1)):
        with listen(untagged / "sweep.flac", plan) as recording:
            names.add(recording.audio_id)
    assert len(names) == 1


def test_another_codec_is_another_recording(untagged, audio_id):
    """Which is a promise about files, not about music: each encoding is analysed by itself."""
    names = {audio_id(path) for path in untagged.iterdir()}
    assert len(names) == len(list(untagged.iterdir()))


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".aiff", ".wv"])
def test_one_sample_more_or_less_is_another_recording(tmp_path, make_audio, audio_id, suffix):
    y = make_audio(tmp_path / f"a{suffix}", 1.0)
    louder = y.copy()
    louder[0, 20_000] += 0.01
    make_audio(tmp_path / f"b{suffix}", y=louder)
    make_audio(tmp_path / f"c{suffix}", y=y[:, :-1])
    make_audio(tmp_path / f"again{suffix}", y=y)
    a, b, c, again = (audio_id(tmp_path / f"{name}{suffix}") for name in ("a", "b", "c", "again"))
    assert len({a, b, c}) == 3
    assert again == a


@pytest.mark.parametrize("suffix", [".mp3", ".ogg", ".opus", ".m4a", ".wma"])
def test_other_sound_of_the_same_length_is_another_recording(tmp_path, make_audio, audio_id, suffix):
    y = make_audio(tmp_path / f"a{suffix}", 1.0, 48_000)
    make_audio(tmp_path / f"b{suffix}", sr=48_000, y=y[::-1])
    assert audio_id(tmp_path / f"a{suffix}") != audio_id(tmp_path / f"b{suffix}")


def test_rendered_files_all_hold_different_recordings(rendered_files, audio_id):
    assert len({audio_id(path) for path in rendered_files}) == len(rendered_files) == 12
