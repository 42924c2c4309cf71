"""What there is in words and raw fields, and what has to be edited for other words."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from mutagen.id3 import TCON

from musrecd.errors import TagError
from musrecd.tagging.files.model import GENRE, KEY, MOOD, TEMPO, TOPICS, Change, Edit, FileTags, Layout, Tag


def snapshot(layout: Layout) -> FileTags:
    """Return the words of a file and its raw fields, as JSON can hold them."""
    told = {topic: _told(layout, topic) for topic in TOPICS}
    raw: dict[str, Any] = {tag.kind: _raw(tag) if tag.exists else None for tag in layout.tags}
    words = {topic: list(each) for topic, each in told.items()}
    unread = tuple(topic for topic in TOPICS if any(tag.is_unread(topic) for tag in layout.tags))
    kept = {"tags": raw, "id3v1": layout.id3v1, "words": words}
    return FileTags(told[GENRE], told[MOOD], kept, unread, told[TEMPO], told[KEY])


def wanted_words(change: Change) -> dict[str, tuple[str, ...]]:
    """Return the topics that are to be changed, with their words. Raises TagError for words that no tag can hold."""
    wanted = {GENRE: change.genres, MOOD: change.moods, TEMPO: change.tempo, KEY: change.key}
    words = {topic: tuple(each) for topic, each in wanted.items() if each is not None}
    if change.raw is not None and words:
        raise TagError("either words are written or a snapshot is put back, not both", "words")
    for word in (word for each in words.values() for word in each):
        if not word.strip() or "\0" in word or not _is_unicode(word):
            raise TagError(f"{ascii(word)[:50]} cannot be written into a tag", "words")
    return words


def changed_topics(change: Change) -> tuple[str, ...]:
    """Return the topics whose fields may differ afterwards."""
    return change.topics if change.raw is not None else tuple(wanted_words(change))


def edits_for(layout: Layout, change: Change) -> list[Edit]:
    """Return what has to be done to the file, nothing if it says so already.

    Raises TagError if its tags disagree about what they say.
    """
    if change.raw is not None:
        edits = _edits_back(layout, change.raw, change.topics)
    else:
        words = wanted_words(change)
        _check_agreement(layout, words)
        edits = [edit for tag in layout.tags for edit in _with_words(tag, words, tag is layout.tags[0])]
    edits.sort(key=lambda edit: edit.offset)
    if any(a.offset + a.length > b.offset for a, b in pairwise(edits)):
        raise TagError("its tags lie in one another", "structure")
    return edits


def is_restored(layout: Layout, raw: dict[str, Any], topics: Sequence[str]) -> bool:
    """Whether the fields are those of a snapshot, byte for byte; in a tag of another version, whether it says so."""
    for tag in layout.tags:
        if tag.kind not in raw.get("tags", {}):
            continue
        kept = raw["tags"][tag.kind]
        if _is_other_version(tag, kept):
            if any(list(tag.told(topic)) != raw["words"][topic] for topic in topics):
                return False
        elif _of_topics(tag, _raw(tag), topics) != _of_topics(tag, kept, topics):
            return False
    return True


def _edits_back(layout: Layout, raw: dict[str, Any], topics: Sequence[str]) -> list[Edit]:
    edits: list[Edit] = []
    for tag in layout.tags:
        kept = raw.get("tags", {}).get(tag.kind)
        if tag.kind in raw.get("tags", {}) and _is_other_version(tag, kept):
            # Somebody wrote the tag anew in a version that these fields are no fields of.
            words = {topic: tuple(raw["words"][topic]) for topic in topics}
            edits += _with_words(tag, words, tag is layout.tags[0])
        elif tag.kind in raw.get("tags", {}):
            edits += _restored(tag, kept, topics)
    return edits


def _is_other_version(tag: Tag, kept: dict[str, Any] | None) -> bool:
    return tag.exists and kept is not None and kept.get("version") != tag.words.version


def _of_topics(tag: Tag, kept: dict[str, Any] | None, topics: Sequence[str]) -> list[str]:
    """Return the raw fields of these topics, in their order."""
    fields = [] if kept is None else kept["fields"]
    return [field for _, field in fields if tag.words.topic(bytes.fromhex(field)) in topics]


def _told(layout: Layout, topic: str) -> tuple[str, ...]:
    told = next(filter(None, (tag.told(topic) for tag in layout.tags)), ())
    if told or topic != GENRE or layout.id3v1 is None:
        return told
    return tuple(TCON(encoding=0, text=[str(layout.id3v1)]).genres)


def _raw(tag: Tag) -> dict[str, Any]:
    fields = [[i, field.hex()] for i, field in enumerate(tag.fields) if tag.words.topic(field)]
    return {"padding": tag.padding, "fields": fields, "version": tag.words.version}


def _check_agreement(layout: Layout, words: dict[str, tuple[str, ...]]) -> None:
    for topic in words:
        told = {told for tag in layout.tags if (told := tag.told(topic))}
        if len(told) > 1:
            raise TagError(f"its tags name different {topic}s; make them agree first", "two tags")
        if any(tag.is_unread(topic) for tag in layout.tags):
            raise TagError(f"it names a {topic} in a form that is not read, such as a number or a link", "other tag")
        if topic in (TEMPO, KEY) and words[topic] and told - {words[topic]}:
            raise TagError(f"it has another {topic}", "other tag")


def _with_words(tag: Tag, words: dict[str, tuple[str, ...]], is_chief: bool) -> list[Edit]:
    begin = list(tag.fields if tag.exists else tag.fresh)
    fields = begin
    for topic, wanted in words.items():
        old = [field for field in fields if tag.words.topic(field) == topic]
        if tag.told(topic) != wanted and (is_chief or old):
            fields = _replaced(fields, old, tag.words.make(topic, wanted, old))
    return tag.rebuild(fields, None) if fields != begin else []


def _replaced(fields: Sequence[bytes], old: Sequence[bytes], new: Sequence[bytes]) -> list[bytes]:
    """Put the new fields where the first of the old ones was, or at the end."""
    at = fields.index(old[0]) if old else len(fields)
    return [*fields[:at], *new, *(field for field in fields[at:] if field not in old)]


def _restored(tag: Tag, kept: dict[str, Any] | None, topics: Sequence[str]) -> list[Edit]:
    others = [field for field in tag.fields if tag.words.topic(field) not in topics]
    if kept is None:
        if not tag.exists:
            return []
        # The tag was made for our words; where nobody has used it since, it goes with them.
        is_unused = not others or others == list(tag.fresh)
        return tag.rebuild(None if is_unused else others, None)
    fields = others
    for index, raw in kept["fields"]:
        if tag.words.topic(field := bytes.fromhex(raw)) in topics:
            fields.insert(index, field)
    return tag.rebuild(fields, kept["padding"]) if fields != list(tag.fields) else []


def _is_unicode(word: str) -> bool:
    try:
        word.encode()
    except UnicodeEncodeError:
        return False
    return True
