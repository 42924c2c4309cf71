"""`beet similar`: its options and what each of them does.

No plugin of its own: beets loads what it is told to load, and that is `musrec`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from beets import ui
from beets.ui import UserError  # type: ignore[attr-defined]

from beetsplug._musrec_asking import Asking, ItemCatalogue
from beetsplug._musrec_items import (
    answering,
    count_unanalysed,
    safe,
    to_dict,
    unanalysed_line,
)
from musrecd.asking.table import CHOICE, OUTPUT, RULES, Option

if TYPE_CHECKING:
    import optparse
    from collections.abc import Callable, Iterator

    from beets.library import Item, Library

    from musrecd.asking.ask import Told
    from musrecd.asking.question import Question
    from musrecd.config import Config
    from musrecd.library.reader import LibraryReader
    from musrecd.types import EncoderInfo

USAGE = """%prog QUERY [options] [--in QUERY]

Several matching tracks are taken together. In a --format, $musrec_score is how
well a track fits (1 is the most), $musrec_sound its likeness alone.
  %prog -n 20 artist:radiohead title:reckoner
What can be mixed with a track, and why:
  %prog title:reckoner --preset mix --explain
With a file that is in no library (- is the standard input):
  %prog --file unreleased.wav --bpm 6% --key compatible
More like some and less like others, among the tracks of the nineties:
  %prog --like artist:portishead --unlike genre:rock --in year:1990..1999
From one track to another in ten steps:
  %prog title:teardrop --to title:idioteque -n 10"""

_SHOWN_SEEDS = 3


def add_options(parser: ui.CommonOptionsParser) -> None:
    """Say what can be said."""
    add = parser.add_option
    add("-n", "--number", type=int, help="how many tracks to show (default 10)")
    add("--min-score", type=float, help="least likeness of the sound, -1 to 1")
    add("--like", action="append", metavar="QUERY", help="more like these, too; may be given again")
    add("--unlike", action="append", metavar="QUERY", help="less like these; may be given again")
    add("--file", action="append", metavar="FILE", help="like this file, in the library or not; - is standard input")
    add("--in", dest="inside", action="callback", type="string", callback=_take_rest, metavar="QUERY",
        help="only among these tracks; all words up to the next option")  # fmt: skip
    add("--to", metavar="QUERY", help="the way from the track asked about to this one, in --number steps")
    for option in (*RULES, *CHOICE, *OUTPUT):
        _add(parser, option)
    add("--json", action="store_true", help="print JSON")
    parser.add_path_option()
    parser.add_format_option(target="item")


def _add(parser: ui.CommonOptionsParser, option: Option) -> None:
    if option.metavar is None:
        parser.add_option(option.flag, action="store_true", help=option.help)
    else:
        action = "append" if option.is_multiple else "store"
        parser.add_option(option.flag, action=action, metavar=option.metavar, help=option.help)


def _take_rest(_option: optparse.Option, _flag: str, first: str, parser: optparse.OptionParser) -> None:
    """Take all that follows, up to the next option."""
    rest = parser.rargs or []
    end = next((i for i, word in enumerate(rest) if word.startswith("-") and len(word) > 1), len(rest))
    assert parser.values is not None  # noqa: S101  # while it parses
    parser.values.inside = [first, *rest[:end]]
    del rest[:end]


def run(
    lib: Library,
    options: optparse.Values,
    arguments: list[str],
    config: Config,
    hear_now: Callable[[Config, EncoderInfo, list[Item]], bool],
    warn: Callable[[str], None],
) -> None:
    """Answer a question. Raises MusrecError, UserError."""
    from musrecd.asking.options import question
    from musrecd.library.reader import LibraryReader

    if not (arguments or options.like or options.file):
        raise UserError("similar: which track? Give a query, such as `beet similar title:reckoner`")
    asked = question(vars(options), config)
    with LibraryReader.open(config.library) as reader:
        info = answering(reader)
        asking = Asking(lib, config, reader, info, lambda items: hear_now(config, info, items))
        found = _answer(asking, options, arguments, asked)
        n_missing = count_unanalysed(lib, reader, info)
        if asked.choice.fresh:
            _note_suggested(config, reader, found)
    _show(found, n_missing, options)
    for note in found.notes:
        warn(note)
    if options.playlist or options.mpd:
        for line in _delivered(config, found, options):
            warn(line)
    if n_missing:
        warn(unanalysed_line(n_missing))


@dataclass(frozen=True, slots=True)
class _Found:
    """What was asked about, and what was found: each item with what speaks for it."""

    names: list[str]
    seeds: list[Item]
    results: list[tuple[Item, Told]]
    notes: list[str]


def _answer(asking: Asking, options: optparse.Values, arguments: list[str], asked: Question) -> _Found:
    from musrecd.asking.ask import ask
    from musrecd.asking.way import way

    catalogue = ItemCatalogue(asking.lib, asking.reader, asking.info.version)
    pool = asking.pool(options.inside) if options.inside else None
    like = [asking.about(arguments)] if arguments else []
    like += [asking.about(query) for query in options.like or ()]
    like += [asking.file(name) for name in options.file or ()]
    seeds = [seed for each in like for seed in each.seeds]
    names = [name for each in like for name in each.names]
    if options.to:
        end = asking.about(options.to)
        names += end.names
        answer = way(asking.reader, asking.info, (seeds, end.seeds), asked, catalogue, pool)
    else:
        seeds += [seed for query in options.unlike or () for seed in asking.about(query, -1.0).seeds]
        answer = ask(asking.reader, asking.info, seeds, asked, catalogue, pool)
    results = [(catalogue.item(told.result.row), told) for told in answer.told]
    return _Found(names, [item for each in like for item in each.items], results, answer.notes)


def _note_suggested(config: Config, reader: LibraryReader, found: _Found) -> None:
    """Remember what was shown, for those who want something new next time."""
    from musrecd.library.suggestions import note_suggested

    tracks = reader.tracks_at([item.path for item, _ in found.results], answering(reader).version)
    note_suggested(config.library, [track.recording_id for track in tracks.values()])


def _delivered(config: Config, found: _Found, options: optparse.Values) -> Iterator[str]:
    from musrecd.playlists.delivery import deliver
    from musrecd.types import Tags, Track

    tracks = [
        Track(item.path, told.result.row, item.length or 0.0, Tags(item.artist, item.title, item.album))
        for item, told in found.results
    ]
    playlist = Path(options.playlist) if options.playlist else None
    return deliver(tracks, config, playlist=playlist, to_mpd=bool(options.mpd))


def _show(found: _Found, n_missing: int, options: optparse.Values) -> None:
    if options.json:
        results = [_to_dict(item, told) for item, told in found.results]
        seeds = [to_dict(item) for item in found.seeds]
        answer = {"seeds": seeds, "results": results, "unanalysed": n_missing, "notes": found.notes}
        ui.print_(json.dumps(answer, indent=1))
        return
    own_format = getattr(options, "format", None)
    if own_format is None:
        ui.print_(_headline(found, way=bool(options.to)))
    for item, told in found.results:
        result = told.result
        item["musrec_score"] = f"{result.score:.2f}"
        item["musrec_sound"] = f"{result.parts.sound:.2f}"
        line = format(item, own_format or "")
        breaks = f"  ({', '.join(result.breaks)})" if result.breaks and own_format is None else ""
        ui.print_(safe(line if own_format else f"{result.score:5.2f}  {line}{breaks}"))
        for reason in told.reasons if options.explain and own_format is None else ():
            ui.print_(safe(f"       {reason}"))


def _headline(found: _Found, *, way: bool) -> str:
    if way:
        return f"From {found.names[0]} to {found.names[-1]}:"
    shown = ", ".join(found.names[:_SHOWN_SEEDS])
    more = len(found.names) - _SHOWN_SEEDS
    names = safe(f"{shown} and {more} more" if more > 0 else shown)
    return f"Sounds like {names}:" if found.results else f"Nothing sounds like {names}."


def _to_dict(item: Item, told: Told) -> dict[str, Any]:
    result = told.result
    return {
        "score": round(result.score, 4),
        "sound": round(result.parts.sound, 4),
        **to_dict(item),
        "bpm": told.bpm and round(told.bpm, 2),
        "key": told.key,
        "why": {name: value for name, value in asdict(result.parts).items() if value is not None},
        "breaks": list(result.breaks),
    }
