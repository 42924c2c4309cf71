"""The values of reading and writing tags: what is asked, what came of it, and a tag as a list of raw fields."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Literal, Protocol

from musrecd.errors import TagError
from musrecd.types import FileState

GENRE, MOOD, TEMPO, KEY = "genre", "mood", "tempo", "key"
TOPICS = (GENRE, MOOD, TEMPO, KEY)
# Other names under which programs write what we write under one, in small letters; they are read by few, and left.
OTHER_NAMES = {"tempo": TEMPO, "tbpm": TEMPO, "fbpm": TEMPO, "key": KEY, "initial_key": KEY, "initial key": KEY}


@dataclass(frozen=True, slots=True)
class FileTags:
    """What stands in a file: its words, and `raw`, the exact fields (JSON) that `Change.raw` puts back.

    The words are what beets would read: those of the file's chief tag; if it has none, of the other tags. `unread`
    are the topics of which it says something in a form that is not read, such as a number or a link.
    """

    genres: tuple[str, ...]
    moods: tuple[str, ...]
    raw: dict[str, Any]
    unread: tuple[str, ...] = ()
    tempo: tuple[str, ...] = ()
    key: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """The words wanted; None leaves what is there, an empty tuple removes it.

    `tempo` is one whole number of beats a minute, `key` one name such as `C#m`; both only go where none is. `raw` puts
    back what `read` found, of these `topics`.
    """

    genres: tuple[str, ...] | None = None
    moods: tuple[str, ...] | None = None
    tempo: tuple[str, ...] | None = None
    key: tuple[str, ...] | None = None
    raw: dict[str, Any] | None = None
    topics: tuple[str, ...] = TOPICS


@dataclass(frozen=True, slots=True)
class Rules:
    """What a write may do, and what must be so for it to be done.

    Symbolic links are followed only if they lead into `roots`; without any they are refused. `hard_links` are
    refused, or broken: the path gets a file of its own, the other names keep the old one. A file that changed within
    `settle_s` seconds is left for later, as is one that is not as `expected` (when it was predicted), or does not
    hold the recording `audio_id`. `keep_mtime` keeps the time of the last change, so that the write goes unnoticed.
    """

    roots: tuple[bytes, ...] = ()
    hard_links: Literal["refuse", "break"] = "refuse"
    settle_s: float = 5.0
    keep_mtime: bool = False
    expected: FileState | None = None
    audio_id: str | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """What came of a write. `state` is the file afterwards; `is_same` if nothing had to be done to it."""

    audio_id: str
    before: FileTags
    after: FileTags
    state: FileState
    is_same: bool


@dataclass(frozen=True, slots=True)
class Edit:
    """`length` bytes from `offset` on are replaced by `data`."""

    offset: int
    length: int
    data: bytes


class Words(Protocol):
    """How one kind of tag writes words into its fields; of another `version` a field has another form."""

    @property
    def version(self) -> int | None:
        """Version of the tag, None where there is but one."""

    def topic(self, field: bytes) -> str | None:
        """Return which of the TOPICS this raw field tells, if any."""

    def values(self, topic: str, fields: Sequence[bytes]) -> tuple[str, ...]:
        """Return the words of a topic's fields, empty ones too; none of what it cannot read."""

    def make(self, topic: str, values: Sequence[str], old: Sequence[bytes]) -> list[bytes]:
        """Return new raw fields, in the manner of the old ones."""


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag of a file: its fields in order, each in the raw bytes of the file.

    `rebuild(fields, padding)` says what to do to the file to give the tag other fields, or to remove it (None);
    it keeps the tag's size by its padding if it can, unless a padding is asked for. `fresh` are the fields that a
    tag which is not there yet begins with.
    """

    kind: str
    exists: bool
    fields: tuple[bytes, ...]
    padding: int | None
    words: Words
    rebuild: Callable[[Sequence[bytes] | None, int | None], list[Edit]]
    fresh: tuple[bytes, ...] = ()

    def told(self, topic: str) -> tuple[str, ...]:
        """Return the words of a topic; those that say nothing do not count."""
        words = self.words.values(topic, self._fields_of(topic))
        return tuple(word for word in words if word.strip() and not (topic == TEMPO and _is_zero(word)))

    def is_unread(self, topic: str) -> bool:
        """Whether it says something of a topic, but no words that are read."""
        own = self._fields_of(topic)
        return not self.told(topic) and any(not self.words.values(topic, [field]) for field in own)

    def _fields_of(self, topic: str) -> list[bytes]:
        return [field for field in self.fields if self.words.topic(field) == topic]

    def others(self) -> list[bytes]:
        """Return the fields that are nothing of ours."""
        return [field for field in self.fields if self.words.topic(field) is None]


@dataclass(frozen=True, slots=True)
class Source:
    """An open music file and its size in bytes."""

    file: BinaryIO
    size: int

    def at(self, offset: int, size: int) -> bytes:
        """Read exactly so many bytes. Raises TagError if the file ends before."""
        if offset < 0 or size < 0 or offset + size > self.size:
            raise broken("it ends too early")
        self.file.seek(offset)
        data = self.file.read(size)
        if len(data) != size:
            raise broken("it ends too early")
        return data


@dataclass(frozen=True, slots=True)
class Layout:
    """The tags of a file, the chief one first, and the number of the genre in an ID3v1 tag, if there is one."""

    tags: tuple[Tag, ...]
    id3v1: int | None = None


def _is_zero(tempo: str) -> bool:
    """Whether a tempo is one that programs such as beets write where they know of none."""
    try:
        return float(tempo) == 0
    except ValueError:
        return False


def broken(why: str) -> TagError:
    """Return the error for a file whose structure is not what it should be."""
    return TagError(f"its structure is damaged or unusual ({why}), so nothing is written into it", "structure")
