"""Proof on the copy that nothing but the words asked for has changed, by three witnesses.

Our own reading of the raw fields, mutagen's reading of all tags, and beets' reading (mediafile) of the genres. That
the sound is the same, FFmpeg says; that all other bytes are, the copy was read back for.
"""

import hashlib
from collections.abc import Collection
from typing import Any

import mediafile
import mutagen
from mutagen.flac import FLAC
from mutagen.id3 import ID3

from musrecd.errors import TagError
from musrecd.tagging.files.formats import NamedFile, Opened
from musrecd.tagging.files.model import GENRE, KEY, MOOD, TEMPO, Tag

# Names under which mutagen shows genres and moods, in small letters.
_KEYS = {
    GENRE: ("tcon", "\xa9gen", "gnre", "genre", "wm/genre", "wm/genreid"),
    MOOD: ("tmoo", "mood", "wm/mood", "txxx:mood", "----:com.apple.itunes:mood"),
    TEMPO: ("tbpm", "tmpo", "bpm", "wm/beatsperminute"),
    KEY: ("tkey", "initialkey", "----:com.apple.itunes:initialkey"),
}
_LARGE = 1 << 12
# FLAC blocks that `tags` shows already, or that are empty room.
_COMMENT_OR_PADDING = (1, 4)


def check_same_but(before: Opened, after: Opened, topics: Collection[str]) -> None:
    """Raise TagError if anything but these topics reads differently."""
    if type(before.view) is not type(after.view):
        raise _unproven("it would be taken for another format")
    found = {tag.kind: tag for tag in after.layout.tags}
    for tag in before.layout.tags:
        rest = _rest(found[tag.kind], topics) if tag.kind in found else []
        if rest != _rest(tag, topics):
            raise _unproven(f"other fields of its {tag.kind} tag would change")
    if _seen(before.view, topics) != _seen(after.view, topics):
        raise _unproven("other tags would change")


def check_words(after: Opened, words: dict[str, tuple[str, ...]]) -> None:
    """Raise TagError unless the chief tag says these words."""
    for topic, wanted in words.items():
        _check_equal(wanted, after.layout.tags[0].told(topic), "they")


def check_beets_agrees(fd: int, name: bytes, words: dict[str, tuple[str, ...]]) -> None:
    """Raise TagError unless beets would read these words; formats that it does not know are passed over."""
    for topic, found in _beets_reads(fd, name, words).items():
        _check_equal(words[topic], found, "to beets they")


def check_beets_knows_none(fd: int, name: bytes, topics: Collection[str]) -> None:
    """Raise TagError if beets reads something of a topic of which we read nothing."""
    for topic, found in _beets_reads(fd, name, topics).items():
        if found:
            raise TagError(
                f"it names a {topic} in a tag that is not written: {ascii(', '.join(found))[:50]}", "other tag"
            )


def _beets_reads(fd: int, name: bytes, topics: Collection[str]) -> dict[str, tuple[str, ...]]:
    try:
        file = mediafile.MediaFile(NamedFile(fd, name))
    except mediafile.FileTypeError:
        return {}
    found = {
        GENRE: file.genres or (),
        TEMPO: [str(file.bpm)] if file.bpm else (),
        KEY: filter(None, [file.initial_key]),
    }
    return {topic: tuple(words) for topic, words in found.items() if topic in topics}


def _check_equal(wanted: tuple[str, ...], found: tuple[str, ...], who: str) -> None:
    if wanted != found:
        one, other = (ascii(", ".join(words))[:100] for words in (wanted, found))
        raise TagError(f"{one} cannot be written into this file: {who} would read {other}", "words")


def _unproven(why: str) -> TagError:
    return TagError(f"left as it was, because {why}", "not verified")


def _rest(tag: Tag, topics: Collection[str]) -> list[bytes]:
    """Return the fields of other topics; of a tag that is not there those that it would begin with."""
    fields = tag.fields if tag.exists else tag.fresh
    return [field for field in fields if tag.words.topic(field) not in topics]


def _seen(view: mutagen.FileType, topics: Collection[str]) -> list[Any]:
    """Everything that mutagen shows of other topics; what is long, as its hash."""
    keys = {key for topic in topics for key in _KEYS[topic]}
    seen = [[key, _plain(value)] for key, value in _items(view) if str(key).lower() not in keys]
    # Of ID3 frames mutagen makes an order of its own.
    return sorted(seen, key=repr) if isinstance(view.tags, ID3) else seen


def _items(view: mutagen.FileType) -> list[tuple[str, object]]:
    tags: Any = view.tags
    # Vorbis comments and ASF are lists of pairs that also play dictionaries.
    items = [] if tags is None else list(tags) if isinstance(tags, list) else list(tags.items())
    items += [("unknown frame", raw) for raw in getattr(tags, "unknown_frames", ())]
    items += getattr(tags, "_failed_atoms", {}).items()
    if isinstance(view, FLAC):
        blocks = [block for block in view.metadata_blocks if block.code not in _COMMENT_OR_PADDING]
        items += [(f"block {block.code}", block.write()) for block in blocks]
    return items


def _plain(value: Any) -> Any:  # noqa: ANN401 (whatever mutagen has)
    """Return a value that can be compared, also where mutagen's own cannot."""
    if isinstance(value, bytes | bytearray):
        short = hashlib.blake2b(value).hexdigest() if len(value) > _LARGE else bytes(value)
        return [short, sorted((name, str(each)) for name, each in getattr(value, "__dict__", {}).items())]
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    items = value.items() if hasattr(value, "items") else vars(value).items()
    return [type(value).__name__, sorted(([str(name), _plain(each)] for name, each in items), key=repr)]
