"""What there is in words and raw fields, and what has to be edited for other words."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from mutagen.id3 import TCON

from musrecd.errors import TagError
from musrecd.tagging.files.model import GENRE, MOOD, Change, Edit, FileTags, Layout, Tag

TOPICS = (GENRE, MOOD)


def snapshot(layout: Layout) -> FileTags:
    """Return the words of a file and its raw fields, as JSON can hold them."""
    genres, moods = (_told(layout, topic) for topic in TOPICS)
    raw: dict[str, Any] = {tag.kind: _raw(tag) if tag.exists else None for tag in layout.tags}
    return FileTags(genres, moods, {"tags": raw, "id3v1": layout.id3v1})


def wanted_words(change: Change) -> dict[str, tuple[str, ...]]:
    """Return the topics that are to be changed, with their words. Raises TagError for words that no tag can hold."""
    wanted = {GENRE: change.genres, MOOD: change.moods}
    words = {topic: tuple(each) for topic, each in wanted.items() if each is not None}
    if change.raw is not None and words:
        raise TagError("either words are written or a snapshot is put back, not both", "words")
    for word in (word for each in words.values() for word in each):
        if not word.strip() or "\0" in word or not _is_unicode(word):
            raise TagError(f"{ascii(word)[:50]} cannot be written into a tag", "words")
    return words


def changed_topics(change: Change) -> tuple[str, ...]:
    """Return the topics whose fields may differ afterwards."""
    return TOPICS if change.raw is not None else tuple(wanted_words(change))


def edits_for(layout: Layout, change: Change) -> list[Edit]:
    """Return what has to be done to the file, nothing if it says so already.

    Raises TagError if its tags disagree about what they say.
    """
    if change.raw is not None:
        tags = change.raw.get("tags", {})
        edits = [edit for tag in layout.tags if tag.kind in tags for edit in _restored(tag, tags[tag.kind])]
    else:
        words = wanted_words(change)
        _check_agreement(layout, words)
        edits = [edit for tag in layout.tags for edit in _with_words(tag, words, tag is layout.tags[0])]
    edits.sort(key=lambda edit: edit.offset)
    if any(a.offset + a.length > b.offset for a, b in pairwise(edits)):
        raise TagError("its tags lie in one another", "structure")
    return edits


def is_restored(layout: Layout, raw: dict[str, Any]) -> bool:
    """Whether the fields are those of a snapshot, byte for byte."""
    now = {tag.kind: _raw(tag)["fields"] for tag in layout.tags}
    wanted = {kind: (kept or {}).get("fields", []) for kind, kept in raw.get("tags", {}).items() if kind in now}
    return all(now[kind] == fields for kind, fields in wanted.items())


def _told(layout: Layout, topic: str) -> tuple[str, ...]:
    told = next(filter(None, (tag.told(topic) for tag in layout.tags)), ())
    if told or topic != GENRE or layout.id3v1 is None or layout.tags[0].kind != "id3v2":
        return told
    return tuple(TCON(encoding=0, text=[str(layout.id3v1)]).genres)


def _raw(tag: Tag) -> dict[str, Any]:
    fields = [[i, field.hex()] for i, field in enumerate(tag.fields) if tag.words.topic(field)]
    return {"padding": tag.padding, "fields": fields}


def _check_agreement(layout: Layout, words: dict[str, tuple[str, ...]]) -> None:
    for topic in words:
        told = {told for tag in layout.tags if (told := tag.told(topic))}
        if len(told) > 1:
            raise TagError(f"its tags name different {topic}s; make them agree first", "two tags")


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


def _restored(tag: Tag, kept: dict[str, Any] | None) -> list[Edit]:
    others = tag.others()
    if kept is None:
        if not tag.exists:
            return []
        # The tag was made for our words; where nobody has used it since, it goes with them.
        is_unused = not others or others == list(tag.fresh)
        return tag.rebuild(None if is_unused else others, None)
    fields = others
    for index, raw in kept["fields"]:
        fields.insert(index, bytes.fromhex(raw))
    return tag.rebuild(fields, kept["padding"]) if fields != list(tag.fields) else []


def _is_unicode(word: str) -> bool:
    try:
        word.encode()
    except UnicodeEncodeError:
        return False
    return True
