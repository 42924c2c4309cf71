"""`beet similar`: its options and what each of them does.

No plugin of its own: beets loads what it is told to load, and that is `musrec`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from beets import ui
from beets.ui import UserError  # type: ignore[attr-defined]

from beetsplug._musrec_asking import Found, Sought, from_daemon, from_library, sought
from beetsplug._musrec_items import safe, to_dict, unanalysed_line
from musrecd.asking.table import CHOICE, OUTPUT, RULES, Option

if TYPE_CHECKING:
    import optparse
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from beets.library import Item, Library

    from musrecd.asking.shown import Shown
    from musrecd.config import Config
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
    if not (arguments or options.like or options.file):
        raise UserError("similar: which track? Give a query, such as `beet similar title:reckoner`")
    about = [sought(lib, query) for query in ([arguments] if arguments else []) + (options.like or [])]
    about += [sought(lib, query, -1.0) for query in options.unlike or ()]
    found, note = _found(lib, config, about, options, hear_now)
    results = [(_item(lib, each), each) for each in found.results]
    _show(found, results, options)
    for line in found.notes:
        warn(line)
    if options.playlist or options.mpd:
        for line in _delivered(config, results, options):
            warn(line)
    if found.n_unheard:
        warn(unanalysed_line(found.n_unheard))
    # Nobody waits for that.
    sys.stdout.flush()
    note()


def _found(
    lib: Library,
    config: Config,
    about: Sequence[Sought],
    options: optparse.Values,
    hear_now: Callable[[Config, EncoderInfo, list[Item]], bool],
) -> tuple[Found, Callable[[], None]]:
    """Return the answer, and what is to be done when everything was shown."""
    said = {option.name: getattr(options, option.name) for option in (*RULES, *CHOICE)} | {"json": options.json}
    if not (options.file or options.inside or options.to or options.fresh):
        found = from_daemon(lib, config, about, said)
        if found is not None:
            return found, lambda: None
    return from_library(lib, config, about, options, said, hear_now)


def _item(lib: Library, shown: Shown) -> Item:
    """Return the item of a result; it takes long to make, so only those that are shown are."""
    item = lib.get_item(shown.number)
    if item is None:
        raise UserError("the beets library changed meanwhile; ask again")
    return item


def _delivered(config: Config, results: Iterable[tuple[Item, Shown]], options: optparse.Values) -> Iterator[str]:
    from musrecd.playlists.delivery import deliver
    from musrecd.types import Tags, Track

    tracks = [
        Track(item.path, shown.number, item.length or 0.0, Tags(item.artist, item.title, item.album))
        for item, shown in results
    ]
    playlist = Path(options.playlist) if options.playlist else None
    return deliver(tracks, config, playlist=playlist, to_mpd=bool(options.mpd))


def _show(found: Found, results: Iterable[tuple[Item, Shown]], options: optparse.Values) -> None:
    if options.json:
        answer = {
            "seeds": [to_dict(item) for item in found.seeds],
            "results": [_to_dict(item, shown) for item, shown in results],
            "unanalysed": found.n_unheard,
            "notes": found.notes,
        }
        ui.print_(json.dumps(answer, indent=1))
        return
    own_format = getattr(options, "format", None)
    if own_format is None:
        ui.print_(_headline(found, way=bool(options.to)))
    for item, shown in results:
        item["musrec_score"] = f"{shown.score:.2f}"
        item["musrec_sound"] = f"{shown.sound:.2f}"
        line = format(item, own_format or "")
        breaks = f"  ({', '.join(shown.breaks)})" if shown.breaks and own_format is None else ""
        ui.print_(safe(line if own_format else f"{shown.score:5.2f}  {line}{breaks}"))
        for reason in shown.reasons if options.explain and own_format is None else ():
            ui.print_(safe(f"       {reason}"))


def _headline(found: Found, *, way: bool) -> str:
    if way:
        return f"From {found.names[0]} to {found.names[-1]}:"
    shown = ", ".join(found.names[:_SHOWN_SEEDS])
    more = len(found.names) - _SHOWN_SEEDS
    names = safe(f"{shown} and {more} more" if more > 0 else shown)
    return f"Sounds like {names}:" if found.results else f"Nothing sounds like {names}."


def _to_dict(item: Item, shown: Shown) -> dict[str, Any]:
    return {
        "score": round(shown.score, 4),
        "sound": round(shown.sound, 4),
        **to_dict(item),
        "bpm": shown.bpm and round(shown.bpm, 2),
        "key": shown.key,
        "why": shown.why,
        "breaks": list(shown.breaks),
    }
