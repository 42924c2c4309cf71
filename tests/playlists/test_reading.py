"""Lists as other programs and other systems write them."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musrecd.config_playlists import PlaylistsConfig
from musrecd.errors import PlaylistError
from musrecd.playlists.m3u import content
from musrecd.playlists.reading import Entry, read_list
from musrecd.types import Tags, Track


@pytest.fixture
def read(tmp_path):
    """Return a function (bytes, name of the file) → entries."""

    def entries(data: bytes, name: str = "list.m3u8") -> list[Entry]:
        (tmp_path / name).write_bytes(data)
        return read_list(tmp_path / name)

    return entries


@pytest.fixture
def there(tmp_path):
    """Return a function that makes a file below the folder of the list and gives its path."""

    def make(name: bytes) -> bytes:
        path = os.path.join(bytes(tmp_path), name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        open(path, "wb").close()
        return path

    return make


def test_an_extended_list_gives_paths_and_names(read):
    data = "#EXTM3U\n#EXTINF:200,Björk - Jóga\n/m/1.mp3\n\n# a note\n#EXTGENRE:x\n/m/2.mp3\n".encode()
    assert read(data) == [Entry(b"/m/1.mp3", "Björk - Jóga"), Entry(b"/m/2.mp3", "")]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_ends_of_lines_and_byte_order_marks_of_all_systems(read, end, mark):
    assert read(mark + end.join([b"#EXTM3U", b"#EXTINF:1,A", b"/m/1.mp3", b""])) == [Entry(b"/m/1.mp3", "A")]


def test_utf_16_is_read(read):
    assert read("#EXTM3U\r\n/m/é.mp3\r\n".encode("utf-16")) == [Entry("/m/é.mp3".encode())]


def test_relative_paths_are_taken_from_the_folder_of_the_list(read, tmp_path):
    (tmp_path / "lists").mkdir()
    assert read(b"../m/1.mp3\nb.mp3\n", "lists/a.m3u") == [
        Entry(bytes(tmp_path / "m" / "1.mp3")),
        Entry(bytes(tmp_path / "lists" / "b.mp3")),
    ]


def test_slashes_of_windows_are_understood(read, there, tmp_path):
    path = there(b"Artist/Album/1.mp3")
    assert read(b"Artist\\Album\\1.mp3\r\n.\\Artist\\Album\\1.mp3\r\n") == [Entry(path)] * 2
    assert read(b"Gone\\1.mp3") == [Entry(bytes(tmp_path / "Gone" / "1.mp3"))]
    with_backslash = there(b"AC\\DC.mp3")
    assert read(b"AC\\DC.mp3") == [Entry(with_backslash)]


def test_of_a_drive_of_windows_the_name_is_left(read):
    data = b"#EXTINF:3,Artist - Title\nC:\\Music\\1.mp3\nD:\\Music\\02 Song.mp3\n\\\\nas\\music\\03 Other.flac\n"
    assert read(data) == [Entry(None, "Artist - Title"), Entry(None, "02 Song"), Entry(None, "03 Other")]


def test_old_encodings_lead_to_the_files_that_are_meant(read, there):
    old, new = there(b"caf\xe9.mp3"), there("thé.mp3".encode())
    assert read(b"caf\xe9.mp3\nth\xe9.mp3\n#EXTINF:1,na\xefve\n/m/g\xe9ant.mp3\n", "a.m3u") == [
        Entry(old), Entry(new), Entry("/m/géant.mp3".encode(), "naïve"),
    ]  # fmt: skip


def test_urls_of_files_are_paths_and_streams_are_left_out(read, there):
    path = there(b"a b%.mp3")
    data = (
        b"file:///m/a%20b%C3%A9.mp3\nFILE://localhost/m/%E9\nfile:/m/1\nhttp://radio/x.mp3\na%20b%25.mp3\nspotify://x\n"
    )
    expected = [b"/m/a b\xc3\xa9.mp3", b"/m/\xe9", b"/m/1", path]
    assert [entry.path for entry in read(data)] == expected


def test_pls_is_read_in_the_order_of_its_numbers(read):
    data = b"[playlist]\nNumberOfEntries=3\nFile10=/m/3\nfile2=/m/2\nTitle2=Two\nFile1=/m/1\nTitle1 = One\nLength1=3\nFile4=http://x/\n"
    expected = [Entry(b"/m/1", "One"), Entry(b"/m/2", "Two"), Entry(b"/m/3")]
    assert read(data, "a.pls") == expected
    assert read(data, "a.txt") == expected


def test_plain_text_holds_paths_and_names(read, there):
    path = there(b"here.mp3")
    data = b"# my list\nNick Drake - Pink Moon\n/m/1.mp3\nhere.mp3\n\nfile:///m/2\nAC/DC - T.N.T.\nBj\xf6rk\nhttp://radio/\n"
    assert read(data, "a.txt") == [
        Entry(None, "Nick Drake - Pink Moon"), Entry(b"/m/1.mp3"), Entry(path), Entry(b"/m/2"),
        Entry(None, "AC/DC - T.N.T."), Entry(None, "Björk"), Entry(None, "http://radio/"),
    ]  # fmt: skip


def test_an_empty_list_has_no_entries(read):
    assert read(b"") == read(b"", "a.pls") == read(b"\n\n", "a.txt") == []


@pytest.mark.parametrize("data", [b"\x00\x01ID3", b"a" * (16 * 2**20 + 1)])
def test_what_is_no_list_is_refused(read, data):
    with pytest.raises(PlaylistError, match=r"list\.m3u8 is no playlist"):
        read(data)


def test_what_cannot_be_read_is_named(tmp_path):
    os.mkfifo(tmp_path / "pipe.m3u")
    for name in ("gone.m3u", "pipe.m3u", "."):
        with pytest.raises(
            PlaylistError, match="cannot be read: No such file" if name == "gone.m3u" else "is not a file"
        ):
            read_list(tmp_path / name)


@given(st.binary(max_size=300).filter(lambda data: b"\0" not in data), st.sampled_from(["a.m3u", "a.pls", "a.txt"]))
def test_any_bytes_are_read_as_something(tmp_path_factory, data, name):
    path = tmp_path_factory.getbasetemp() / name
    path.write_bytes(data)
    for entry in read_list(path):
        assert entry.path is None or (os.path.isabs(entry.path) and b"\0" not in entry.path)
        assert "\n" not in entry.name


NAMES = st.binary(min_size=1, max_size=30).filter(lambda raw: not set(b"\0/\n\r") & set(raw) and raw.strip() == raw)


@given(
    st.lists(NAMES.filter(lambda raw: raw not in (b".", b"..")), max_size=5),
    st.sampled_from(["plain", "relative", "url"]),
)
def test_what_we_write_we_read(tmp_path_factory, names, how):
    folder = tmp_path_factory.getbasetemp()
    style = {
        "plain": PlaylistsConfig(),
        "relative": PlaylistsConfig(relative_to=folder),
        "url": PlaylistsConfig(urlencode=True, prefix="file://"),
    }[how]
    paths = [os.path.join(bytes(folder), b"there", name) for name in names]
    os.makedirs(folder / "there", exist_ok=True)
    for path in paths:
        open(path, "wb").close()
    (folder / "own.m3u8").write_bytes(content([Track(p, 1, 1.0, Tags("A", "T")) for p in paths], style))
    assert read_list(folder / "own.m3u8") == [Entry(path, "A - T") for path in paths]
