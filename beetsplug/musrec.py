"""beets plugin: `beet similar`, `beet tagpredict`, `beet analyse`, and an import stage.

Everything heavy is imported by the command that needs it, so that `beet ls` never notices this plugin and
`beet similar` answers from the library without loading the encoder.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar

from beets import ui
from beets.dbcore import types
from beets.plugins import BeetsPlugin

# Its home moved with 2.12; here it is found in every version.
from beets.ui import UserError  # type: ignore[attr-defined]

from beetsplug._musrec_items import (
    answering,
    count_unanalysed,
    matching,
    quoted,
    results_for,
    safe,
    to_dict,
    unanalysed_line,
)

if TYPE_CHECKING:
    import optparse
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from beets.importer import ImportSession, ImportTask
    from beets.library import Item, Library

    from beetsplug._musrec_tagging import Imported
    from musrecd.config import Config
    from musrecd.ingest.ingest import Performer, Report
    from musrecd.ingest.work import Task
    from musrecd.types import EncoderInfo

_SHOWN_SEEDS = 3
_HEARD_AT_ONCE = 3
_INTERRUPTED = 130


class MusrecPlugin(BeetsPlugin):
    """Hears the library's tracks and finds those that sound alike."""

    item_types: ClassVar = {
        "musrec_moods": types.SEMICOLON_SPACE_DSV,
        "musrec_voice": types.STRING,
        "musrec_instruments": types.SEMICOLON_SPACE_DSV,
        "musrec_bpm": types.FLOAT,
        "musrec_key": types.STRING,
        "musrec_camelot": types.STRING,
    }

    def __init__(self) -> None:
        super().__init__()
        self._moves: list[tuple[bytes, bytes]] = []
        self._copies: list[tuple[bytes, bytes]] = []
        self._written: set[bytes] = set()
        self._workers: Performer | None = None
        self._imported: Imported | None = None
        self.import_stages = [self.imported]
        # The import stage hears files where they are imported from; these tell where they went.
        self.register_listener("item_moved", self._note_move)
        self.register_listener("item_copied", self._note_copy)
        self.register_listener("item_linked", self._note_copy)
        self.register_listener("item_hardlinked", self._note_copy)
        self.register_listener("item_reflinked", self._note_copy)
        self.register_listener("write", self._before_write)
        self.register_listener("after_write", self._note_write)
        self.register_listener("import_task_files", self._tag_files)
        self.register_listener("cli_exit", self._finish)

    def commands(self) -> list[ui.Subcommand]:
        """Return the three commands."""
        return [self._similar_command(), self._tagpredict_command(), self._analyse_command()]

    def _similar_command(self) -> ui.Subcommand:
        command = ui.Subcommand("similar", help="show the tracks that sound most like those matching a query")
        command.parser.set_usage(
            "%prog QUERY [options]\n\n"
            "Several matching tracks are taken together (the mean of their sound).\n"
            "In a --format, $musrec_score is the score: 1 is the same, 0 unrelated.\n"
            "Example: %prog -n 20 artist:radiohead title:reckoner"
        )
        command.parser.add_option("-n", "--number", type=int, help="how many tracks to show (default 10)")
        command.parser.add_option("--min-score", type=float, help="least score to show, -1 to 1")
        command.parser.add_option("--json", action="store_true", help="print JSON")
        command.parser.add_path_option()
        command.parser.add_format_option(target="item")
        command.func = self._guarded(self.similar)
        return command

    def _tagpredict_command(self) -> ui.Subcommand:
        from beetsplug._musrec_tagpredict import USAGE, add_options

        command = ui.Subcommand("tagpredict", help="show and write the genres that tracks sound like")
        command.parser.set_usage(USAGE)
        add_options(command.parser)
        command.func = self._guarded(self.tagpredict)
        return command

    def _analyse_command(self) -> ui.Subcommand:
        command = ui.Subcommand("analyse", help="hear tracks that are new to musrec", aliases=("analyze",))
        command.parser.set_usage(
            "%prog [QUERY] [options]\n\n"
            "Without a query: the whole library. Can be stopped at any time; the next run goes on from there."
        )
        command.parser.add_option("-t", "--threads", type=int, help="processes (default: one for each core)")
        command.parser.add_option("-f", "--force", action="store_true", help="analyse again what is known")
        command.parser.add_option("--retry", action="store_true", help="try again what failed before")
        command.func = self._guarded(self.analyse)
        return command

    def _guarded(
        self, run: Callable[[Library, optparse.Values, list[str]], None]
    ) -> Callable[[Library, optparse.Values, list[str]], None]:
        """Show our own errors as beets shows a user's: one line, no traceback."""

        def guarded(lib: Library, options: optparse.Values, arguments: list[str]) -> None:
            from musrecd.display import printable
            from musrecd.errors import LibraryDamagedError, MusrecError

            try:
                run(lib, options, arguments)
            except LibraryDamagedError as error:
                from musrecd.daemon.client import advice

                raise UserError(printable(advice(self._config().library, error))) from error
            except MusrecError as error:
                raise UserError(printable(str(error))) from error

        return guarded

    def _config(self, **overrides: Any) -> Config:  # noqa: ANN401
        from musrecd.config import from_view

        for key, value in overrides.items():
            if value is not None:
                self.config[key].set(value)
        return from_view(self.config)

    # similar

    def similar(self, lib: Library, options: optparse.Values, arguments: list[str]) -> None:
        """Print the tracks that sound most like those matching the query."""
        from musrecd.library.reader import LibraryReader

        config = self._config(number=options.number, min_score=options.min_score)
        if not arguments:
            raise UserError("similar: which track? Give a query, such as `beet similar title:reckoner`")
        items = matching(lib, arguments)
        with LibraryReader.open(config.library) as reader:
            info = answering(reader)
            paths = [item.path for item in items]
            seeds = reader.tracks_at(paths, info.version)
            if not seeds and self._hear_now(config, info, items):
                seeds = reader.tracks_at(paths, info.version)
            if not seeds:
                raise UserError(_why_unheard(items, arguments))
            results = list(islice(results_for(lib, reader, info, list(seeds.values()), config), config.number))
            n_missing = count_unanalysed(lib, reader, info)
        heard: dict[int, Item] = {}
        for item in items:
            if item.path in seeds:
                heard.setdefault(seeds[item.path].recording_id, item)
        _print_similar(list(heard.values()), results, n_missing, options)
        if n_missing:
            self._log.warning("{}", unanalysed_line(n_missing))

    def _hear_now(self, config: Config, info: EncoderInfo, items: list[Item]) -> bool:
        """Hear tracks that are asked about before anybody analysed them; False if they are many or cannot be."""
        from musrecd.analysis.card import SHIPPED_WEIGHTS, read_card

        there = [item for item in items if item.filepath.exists()]
        # What another encoder hears could not be compared with the library.
        if len(there) > _HEARD_AT_ONCE or read_card(config.encoder or SHIPPED_WEIGHTS).info.version != info.version:
            return False
        report = self._ingest(config, _tasks(there), retry_failed=True)
        self._report(report)
        return report.done > report.failed

    # tagpredict

    def tagpredict(self, lib: Library, options: optparse.Values, arguments: list[str]) -> None:
        """Print what genres tracks sound like, and write them if told to."""
        from beetsplug import _musrec_tagpredict

        _musrec_tagpredict.run(lib, options, arguments, self._config(), lambda line: self._log.warning("{}", line))

    # analyse

    def analyse(self, lib: Library, options: optparse.Values, arguments: list[str]) -> None:
        """Analyse what is new among the items matching the query, with a progress bar."""
        from musrecd.commands.progress import ProgressBar, summary_line
        from musrecd.ingest.ingest import ingest

        config = self._config(threads=options.threads)
        tasks = _tasks(matching(lib, arguments))
        with ProgressBar("Analysing") as bar:
            report = ingest(
                config, tasks, listener=bar.listener(), force=bool(options.force), retry_failed=bool(options.retry)
            )
        self._set_fields(lib, config, arguments)
        ui.print_(summary_line(report))
        if report.interrupted:
            raise SystemExit(_INTERRUPTED)
        if report.failed:
            raise UserError(f"{report.failed} could not be analysed")

    def _set_fields(self, lib: Library, config: Config, arguments: list[str]) -> None:
        """Put what is known of the sound into beets' fields."""
        from beetsplug._musrec_fields import set_fields
        from musrecd.library.reader import LibraryReader

        with LibraryReader.open(config.library) as reader:
            if (info := reader.encoder()) is not None:
                set_fields(lib, reader, info, matching(lib, arguments))

    # import

    def imported(self, session: ImportSession, task: ImportTask) -> None:
        """Analyse what was just imported; a file that fails is named and does not stop the import."""
        from musrecd.errors import MusrecError

        try:
            config = self._config()
            if config.auto:
                tasks = _tasks(task.imported_items())
                self._log.info("listening to {} new tracks", len(tasks))
                self._report(self._ingest(config, tasks))
                self._tag_imported(config, session, task)
        except MusrecError as error:
            self._log.error("{}", error)

    def _tag_imported(self, config: Config, session: ImportSession, task: ImportTask) -> None:
        """Give what was just heard its fields, and genres to what has none where beets writes the files after that."""
        from beetsplug import _musrec_tagging as tagging
        from beetsplug._musrec_fields import set_fields
        from musrecd.library.reader import LibraryReader

        with LibraryReader.open(config.library) as reader:
            if (info := reader.encoder()) is None:
                return
            set_fields(session.lib, reader, info, task.imported_items())
            if config.tagging.write != "no":
                self._imported = self._imported or tagging.Imported(config)
                self._imported.before_files(reader, info, task)

    def _tag_files(self, session: ImportSession, task: ImportTask) -> None:
        """Give genres to imported files that beets left as they are."""
        if self._imported is None:
            return
        from musrecd.display import printable, printable_path
        from musrecd.library.reader import LibraryReader

        config = self._config()
        # Its files have their new names by now, and the library knows them by the old ones.
        self._follow(config)
        with self._harmlessly(), LibraryReader.open(config.library) as reader:
            report = self._imported.after_files(session.lib, reader, answering(reader), task)
            for problem in report.problems:
                self._log.warning("{}: {}", printable_path(problem.path), printable(problem.message))

    @contextmanager
    def _harmlessly(self) -> Iterator[None]:
        """Log what goes wrong: an import or a write of beets goes on all the same."""
        from musrecd.errors import MusrecError

        try:
            yield
        except (MusrecError, OSError) as error:
            self._log.error("{}", error)

    def _before_write(self, item: Item, path: bytes, tags: dict[str, Any]) -> None:
        if self._imported is not None:
            with self._harmlessly():
                self._imported.on_write(item, path)

    def _ingest(self, config: Config, tasks: list[Task], *, retry_failed: bool = False) -> Report:
        """Analyse with the daemon's workers or some that stay for the whole import, which may bring many albums."""
        from musrecd.daemon.borrowed import BorrowedWorkers
        from musrecd.ingest.ingest import ingest, start_workers

        def start() -> Performer:
            return start_workers(config)

        if self._workers is None:
            self._workers = BorrowedWorkers.of_daemon(config, start) or start()
        return ingest(config, tasks, workers=self._workers, retry_failed=retry_failed)

    def _report(self, report: Report) -> None:
        from musrecd.display import printable, printable_path

        for path, message in report.failures:
            self._log.warning("{}: {}", printable_path(path), printable(message))
        if report.interrupted:
            self._log.warning("stopped; `beet analyse` goes on from there")

    # following beets

    def _note_move(self, item: Item, source: bytes, destination: bytes) -> None:
        self._moves.append((source, destination))

    def _note_copy(self, item: Item, source: bytes, destination: bytes) -> None:
        self._copies.append((source, destination))

    def _note_write(self, item: Item, path: bytes) -> None:
        self._written.add(path)
        if self._imported is not None:
            with self._harmlessly():
                self._imported.on_written(item, path)

    def _finish(self, lib: Library) -> None:
        """Tell the library what beets moved and retagged, and let the workers go."""
        if self._workers is not None:
            self._workers.stop()
        self._follow()

    def _follow(self, config: Config | None = None) -> None:
        """Tell the library, in one go, what beets moved and retagged."""
        moves, copies, written = self._moves, self._copies, self._written
        if not moves and not copies and not written:
            return
        from musrecd.errors import MusrecError

        try:
            config = config or self._config()
            if not config.library.exists():
                return
            from musrecd.ingest.ingest import task_for
            from musrecd.library.store import Library as MusrecLibrary

            with MusrecLibrary.open(config.library) as library:
                library.move_all(moves)
                library.move_all(copies, is_copied=True)
                # beets changes tags, never the sound: what it wrote needs no second look.
                changed = written | {destination for _, destination in (*moves, *copies)}
                library.refresh(task.file for task in map(task_for, changed))
            self._moves, self._copies, self._written = [], [], set()
        except MusrecError as error:
            # Not grave: the next analysis recognises moved files by their sound.
            self._log.debug("{}", error)


def _tasks(items: Iterable[Item]) -> list[Task]:
    from musrecd.ingest.ingest import task_for
    from musrecd.types import Tags

    return [task_for(item.path, Tags(item.artist, item.title, item.album)) for item in items]


def _why_unheard(items: Sequence[Item], arguments: list[str]) -> str:
    """Say why none of the items can be asked about, and what helps."""
    if not any(item.filepath.exists() for item in items):
        return f"{_named(items)}: the file is missing; run `beet update`"
    return f"{_named(items)} not analysed yet; run `beet analyse {quoted(arguments)}` first"


def _named(items: Sequence[Item]) -> str:
    """Say which items, the first few by name."""
    from musrecd.display import printable

    names = ", ".join(
        printable(" - ".join(filter(None, (item.artist, item.title))) if item.title else item.filepath.name)
        for item in items[:_SHOWN_SEEDS]
    )
    more = len(items) - _SHOWN_SEEDS
    return f"{names} and {more} more" if more > 0 else names


def _print_similar(
    seeds: list[Item], results: list[tuple[Item, float]], n_missing: int, options: optparse.Values
) -> None:
    if options.json:
        found = [{"score": round(score, 4)} | to_dict(item) for item, score in results]
        answer = {"seeds": [to_dict(item) for item in seeds], "results": found, "unanalysed": n_missing}
        ui.print_(json.dumps(answer, indent=1))
        return
    own_format = getattr(options, "format", None)
    if own_format is None:
        ui.print_(f"Sounds like {_named(seeds)}:" if results else f"Nothing sounds like {_named(seeds)}.")
    for item, score in results:
        item["musrec_score"] = f"{score:.2f}"
        line = format(item, own_format or "")
        ui.print_(safe(line if own_format else f"{score:5.2f}  {line}"))
