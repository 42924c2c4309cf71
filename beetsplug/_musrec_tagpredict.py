"""`beet tagpredict`: its options and what each of them does.

No plugin of its own: beets loads what it is told to load, and that is `musrec`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from beets import ui
from beets.ui import UserError  # type: ignore[attr-defined]

from beetsplug import _musrec_learning as learning
from beetsplug import _musrec_tagging as tagging
from beetsplug._musrec_fields import set_fields
from beetsplug._musrec_items import answering, matching, safe, unanalysed_line

if TYPE_CHECKING:
    import optparse
    from collections.abc import Callable

    from beets.library import Library

    from musrecd.config import Config
    from musrecd.library.journal import Entry
    from musrecd.library.reader import LibraryReader
    from musrecd.tagging.policy import Manner, Policy

_OTHER_WAYS = ("labels", "learn", "forget", "review", "undo")

USAGE = """%prog [QUERY] [options]

Without a query: the whole library. Nothing is changed unless --apply or -w is given.
Genres for tracks that have none, into beets' database, and into the files if
import.write is on (-w and -W say otherwise):
  %prog genres::^$ --apply
Your own genres, learnt from the tracks that have them:
  %prog --learn
Tracks whose genre does not fit their sound:
  %prog --review
Take back what the last command wrote (also: since 2026-11-20, or a query):
  %prog --undo last"""


def add_options(parser: ui.CommonOptionsParser) -> None:
    """Say what can be said."""
    add = parser.add_option
    add("--apply", action="store_true", help="put the genres into beets' database, into files as import.write says")
    add("-w", "--write", action="store_true", default=None, help="with the files; means --apply")
    add("-W", "--nowrite", action="store_false", dest="write", help="without the files")
    add("-p", "--pretend", action="store_true", help="only show, whatever else is said")
    add("-e", "--extend", action="store_true", help="add to the genres that are there")
    add("-f", "--force", action="store_true", help="replace the genres that are there; --undo: also changed ones")
    add("--tempo", action="store_true", help="also the tempo (bpm), where none is")
    add("--key", action="store_true", help="also the key (initial_key), where none is")
    add("-n", "--count", type=int, help="the most genres that a track gets; 0: none")
    add("--threshold", type=float, help="how sure it has to be, 0 to 1")
    add("-y", "--yes", action="store_true", help="do not ask before a large change")
    add("--json", action="store_true", help="print JSON")
    add("--labels", action="store_true", help="list what can be heard, and what is written for it")
    add("--learn", action="store_true", help="learn your genres from the matching tracks that have them")
    add("--picture", metavar="FILE", help="--learn: draw which genres are taken for which, into a PNG")
    add("--forget", action="store_true", help="forget what was learnt")
    add("--review", action="store_true", help="list tracks whose genre does not fit their sound")
    add("--undo", action="store_true", help="take genres back: last, since DATE, or a query")


def run(
    lib: Library, options: optparse.Values, arguments: list[str], config: Config, warn: Callable[[str], None]
) -> None:
    """Do what the options say. Raises MusrecError, UserError."""
    from musrecd.library.reader import LibraryReader

    _check(options)
    with LibraryReader.open(config.library) as reader:
        if options.undo:
            _undo(lib, options, arguments, config, reader)
        elif options.labels:
            learning.show_labels(config, reader, answering(reader))
        elif options.learn:
            learning.learn(lib, matching(lib, arguments), config, reader, answering(reader), options.picture)
        elif options.forget:
            learning.forget(config)
        elif options.review:
            learning.review(matching(lib, arguments), config, reader, answering(reader), as_json=bool(options.json))
        else:
            _predict(lib, options, arguments, config, reader, warn)


def _check(options: optparse.Values) -> None:
    if options.extend and options.force:
        raise UserError("either --extend or --force")
    ways = [f"--{name}" for name in _OTHER_WAYS if getattr(options, name)]
    if len(ways) > 1:
        raise UserError(f"one at a time: {' or '.join(ways)}")
    if options.picture and not options.learn:
        raise UserError("--picture belongs to --learn")
    if options.count is not None and options.count < 0:
        raise UserError("--count: at least 0")
    if options.threshold is not None and not 0 <= options.threshold <= 1:
        raise UserError("--threshold: a number from 0 to 1")


def _predict(
    lib: Library,
    options: optparse.Values,
    arguments: list[str],
    config: Config,
    reader: LibraryReader,
    warn: Callable[[str], None],
) -> None:
    items, info = matching(lib, arguments), answering(reader)
    tags = config.tagging.with_heard(tempo=bool(options.tempo), key=bool(options.key))
    genres = tagging.genres_of(config._replace(tagging=tags), reader, info)
    policy = _policy(options, config)
    found = tagging.wishes(reader, info, genres, items)
    n_missing = len({item.path for item in items}) - len(found)
    into_files = ui.should_write(options.write)
    wanted = tagging.show(
        items, found, genres, policy, shown=max(config.genres, policy.count), as_json=bool(options.json),
        n_missing=n_missing, into_files=into_files,
    )  # fmt: skip
    if n_missing:
        warn(unanalysed_line(n_missing))
    if not (options.apply or options.write) or options.pretend:
        return
    where = "beets' database and the files" if into_files else "beets' database"
    question = f"Write genres of {len(wanted):,} tracks into {where}?"
    if wanted and not tagging.confirm(question, len(wanted), yes=options.yes):
        return
    set_fields(lib, reader, info, items)
    report = tagging.write(lib, config, wanted, policy, genres, into_files=into_files)
    # What a program reads is JSON alone.
    _say(report, "written", warn, warn if options.json else ui.print_)


def _policy(options: optparse.Values, config: Config) -> Policy:
    from musrecd.tagging.policy import Policy

    manner: Manner = "replace" if options.force else "extend" if options.extend else "fill"
    most = tagging.words_of(config).count if options.count is None else options.count
    return Policy(manner, most, options.threshold)


def _undo(lib: Library, options: optparse.Values, arguments: list[str], config: Config, reader: LibraryReader) -> None:
    from musrecd.commands.journal import journal_lines

    chosen = _chosen(lib, arguments, reader, by_force=bool(options.force))
    entries = [each for each in chosen if each.stands]
    if not entries:
        raise UserError("there is nothing to take back")
    for line in journal_lines(reader, entries):
        ui.print_(safe(line))
    if not options.pretend and tagging.confirm(f"Take back {len(entries):,} writes?", len(entries), yes=options.yes):
        report = tagging.take_back(lib, config, entries, force=bool(options.force))
        _say(report, "taken back", ui.print_, ui.print_)


def _chosen(lib: Library, arguments: list[str], reader: LibraryReader, *, by_force: bool) -> list[Entry]:
    from musrecd.commands.journal import choose

    if not arguments:
        raise UserError("--undo: what? `last`, `since DATE`, or a query")
    if arguments == ["last"] or arguments[0] == "since":
        return choose(reader, arguments, by_force=by_force)
    return reader.journal.entries_at([item.path for item in matching(lib, arguments)])


def _say(report: tagging.Report, done: str, warn: Callable[[str], None], tell: Callable[[str], None]) -> None:
    from musrecd.display import counted, printable, printable_path

    for problem in report.problems:
        warn(f"{printable_path(problem.path)}: {printable(problem.message)}")
    left = f", {report.left:,} left as they are" if report.left else ""
    failed = f", {len(report.problems):,} were not" if report.problems else ""
    tell(f"{counted(report.written, 'track')} {done}{left}{failed}")
