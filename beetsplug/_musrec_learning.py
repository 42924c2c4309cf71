"""A person's own genres: learnt from the tracks that have them, and doubted where the sound says otherwise.

No plugin of its own: beets loads what it is told to load, and that is `musrec`.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

from beets import ui
from beets.ui import UserError  # type: ignore[attr-defined]

from beetsplug._musrec_items import safe, to_dict
from beetsplug._musrec_tagging import words_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from beets.library import Item, Library

    from musrecd.config import Config
    from musrecd.library.reader import LibraryReader
    from musrecd.tagging.learnt import Report
    from musrecd.types import EncoderInfo, FloatArray


def show_labels(config: Config, reader: LibraryReader, info: EncoderInfo) -> None:
    """List what the encoder hears, group by group, with what is written; and what was learnt."""
    from musrecd.tagging.learnt import Learnt
    from musrecd.tagging.vocabulary import Vocabulary, label_table

    rows = label_table(info.labels, Vocabulary.of(words_of(config), info.labels))
    group_width, label_width = (max(len(row[i]) for row in rows) for i in (0, 1))
    for row in sorted(rows, key=lambda each: each.group != "genre"):
        written = f"→ {row.written}" if row.written else ""
        ui.print_(safe(f"{row.group:{group_width}}  {row.label:{label_width}}  {written}".rstrip()))
    if (head := reader.head(info.version)) is not None:
        ui.print_(safe(f"{'learnt':{group_width}}  {', '.join(Learnt.from_bytes(head).names)}"))


def learn(
    lib: Library, items: Sequence[Item], config: Config, reader: LibraryReader, info: EncoderInfo, picture: str | None
) -> None:
    """Learn from the items that have genres, say how well each can be told, and keep it."""
    from musrecd.library.store import Library as MusrecLibrary
    from musrecd.tagging import learning

    began = time.monotonic()
    known, embeddings = _heard(items, reader, info)
    learnt = learning.learn(
        embeddings, [_genres(item) for item in known], [_artist(item) for item in known], encoder_version=info.version
    )
    for line in report_lines(learnt.report):
        ui.print_(safe(line))
    if picture:
        from musrecd.tagging.pictures import draw_confusion

        draw_confusion(learnt.report, Path(picture))
        ui.print_(f"Which genre is taken for which: {picture}")
    with MusrecLibrary.open(config.library) as library:
        library.keep_head(info.version, learnt.to_bytes())
    ui.print_(f"Learnt in {time.monotonic() - began:.1f} s; `beet tagpredict` speaks your words now.")


def forget(config: Config) -> None:
    """Speak the encoder's words again."""
    from musrecd.library.store import Library as MusrecLibrary

    with MusrecLibrary.open(config.library) as library:
        had_learnt = library.forget_head()
    forgotten = "Forgotten; `beet tagpredict` speaks the encoder's words again."
    ui.print_(forgotten if had_learnt else "Nothing has been learnt; `beet tagpredict` speaks the encoder's words.")


def review(items: Sequence[Item], config: Config, reader: LibraryReader, info: EncoderInfo, *, as_json: bool) -> None:
    """List tracks whose genre does not fit their sound; nothing is changed."""
    from musrecd.tagging.learning import suspicious
    from musrecd.tagging.learnt import Learnt

    head = reader.head(info.version)
    if head is None:
        raise UserError("learn your genres first: `beet tagpredict --learn`")
    known, embeddings = _heard(items, reader, info)
    found = suspicious(
        Learnt.from_bytes(head), embeddings, [_genres(item) for item in known], [_artist(item) for item in known]
    )
    if as_json:
        rows = [
            to_dict(known[each.index])
            | {"genre": each.genre, "suggested": each.suggested, "probability": round(each.probability, 4)}
            for each in found
        ]
        ui.print_(json.dumps({"results": rows}, indent=1))
        return
    if not found:
        ui.print_("No genre disagrees strongly with the sound of its track.")
    width = max((len(each.genre) for each in found), default=0)
    for each in found:
        sounds = f"sounds like {each.suggested} {each.probability:.0%}"
        ui.print_(safe(f"{each.genre:{width}}  {sounds}  {format(known[each.index], '')}"))


def report_lines(report: Report) -> list[str]:
    """Say how well each genre can be told, in columns, and which cannot."""
    width = max((len(each.name) for each in report.genres), default=0)
    lines = [f"{'Genre':{width}}  tracks  artists  of those written right  of its tracks found"]
    lines += [
        f"{each.name:{width}}  {each.n_tracks:6,}  {each.n_artists:7,}  {_share(each.precision):>22}"
        f"  {_share(each.recall if each.precision is not None else None):>19}"
        for each in sorted(report.genres, key=lambda each: -each.n_tracks)
    ]
    lines += [f"Not learnt: {each.name} ({each.reason})" for each in report.not_learnt]
    right = f", {report.precision:.0%} of them right" if report.precision is not None else ""
    lines.append(
        f"Of artists that had no part in it: the most probable genre is right for {report.accuracy:.0%} of the tracks; "
        f"sure enough to be written for {report.share_written:.0%}{right}."
    )
    return lines


def _share(value: float | None) -> str:
    return "never sure" if value is None else f"{value:.0%}"


def _heard(items: Sequence[Item], reader: LibraryReader, info: EncoderInfo) -> tuple[list[Item], FloatArray]:
    """Return the analysed items that have genres of the person's own, with their embeddings (n, dim).

    What we wrote and nobody changed is our guess: learnt from, it would vouch for itself.
    """
    from musrecd.library.embeddings import embeddings_at
    from musrecd.tagging.wishes import ours_at

    by_path = {item.path: item for item in items if _genres(item)}
    ours = ours_at(reader, reader.tracks_at(list(by_path), info.version))
    own = [path for path, item in by_path.items() if ours.get(path) != _genres(item)]
    paths, embeddings = embeddings_at(reader, own, info.version)
    return [by_path[path] for path in paths], embeddings


def _genres(item: Item) -> tuple[str, ...]:
    return tuple(item.genres)


def _artist(item: Item) -> str:
    return str(item.albumartist or item.artist)
