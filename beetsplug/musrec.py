"""beets plugin: `beet similar`, `beet tagpredict`, `beet analyse`, and an import stage.

Everything heavy is imported by the command that needs it, so that `beet ls` never notices this plugin and
`beet similar` answers from the library without loading the encoder.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from beets import ui
from beets.dbcore import types
from beets.plugins import BeetsPlugin

# Its home moved with 2.12; here it is found in every version.
from beets.ui import UserError  # type: ignore[attr-defined]

from beetsplug._musrec_command import LateCommand
from beetsplug._musrec_items import answering, beets_items, in_parts
from beetsplug._musrec_query import SimilarQuery

if TYPE_CHECKING:
    import optparse
    from collections.abc import Callable, Iterable, Iterator

    from beets.importer import ImportSession, ImportTask
    from beets.library import Item, Library

    from beetsplug._musrec_tagging import Imported
    from musrecd.config import Config
    from musrecd.ingest.ingest import Performer
    from musrecd.ingest.report import Report
    from musrecd.ingest.work import Task
    from musrecd.types import EncoderInfo

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

    item_queries: ClassVar = {"similar": SimilarQuery}

    def __init__(self) -> None:
        super().__init__()
        SimilarQuery.read_config = staticmethod(self._config)
        self._moves: list[tuple[bytes, bytes]] = []
        self._copies: list[tuple[bytes, bytes]] = []
        self._written: dict[bytes, tuple[Any, ...]] = {}
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
        def complete(parser: ui.CommonOptionsParser) -> None:
            from beetsplug import _musrec_similar

            parser.set_usage(_musrec_similar.USAGE)
            _musrec_similar.add_options(parser)

        command = LateCommand("similar", "show the tracks that sound most like those matching a query", complete)
        command.func = self._guarded(self.similar)
        return command

    def _tagpredict_command(self) -> ui.Subcommand:
        def complete(parser: ui.CommonOptionsParser) -> None:
            from beetsplug import _musrec_tagpredict

            parser.set_usage(_musrec_tagpredict.USAGE)
            _musrec_tagpredict.add_options(parser)

        command = LateCommand("tagpredict", "show and write the genres that tracks sound like", complete)
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
        """Print the tracks that sound most like those asked about."""
        from beetsplug import _musrec_similar

        config = self._config(number=options.number, min_score=options.min_score)
        _musrec_similar.run(lib, options, arguments, config, self._hear_now, lambda line: self._log.warning("{}", line))

    def _hear_now(self, config: Config, info: EncoderInfo, items: list[Item]) -> bool:
        """Hear tracks that are asked about before anybody analysed them; False if they are many or cannot be."""
        from musrecd.analysis.card import SHIPPED_WEIGHTS, read_card

        there = [item for item in items if item.filepath.exists()]
        # What another encoder hears could not be compared with the library.
        version = read_card(config.encoder or SHIPPED_WEIGHTS, config.coverage).info.version
        if len(there) > _HEARD_AT_ONCE or version != info.version:
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
        from musrecd.commands.progress import ProgressBar
        from musrecd.commands.summary import summary_line
        from musrecd.ingest.ingest import ingest

        config = self._config(threads=options.threads)
        tasks = [task for items in in_parts(lib, arguments) for task in _tasks(items)]
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
        """Put what is known of the sound into beets' fields, and note which items are heard now."""
        from beetsplug._musrec_fields import set_fields
        from musrecd.library.reader import LibraryReader

        with LibraryReader.open(config.library) as reader:
            if (info := reader.encoder()) is not None:
                for items in in_parts(lib, arguments):
                    set_fields(lib, reader, info, items)
                beets_items(lib, reader, info).note()

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
        if source in self._written:
            self._written[destination] = self._written.pop(source)

    def _note_copy(self, item: Item, source: bytes, destination: bytes) -> None:
        self._copies.append((source, destination))

    def _note_write(self, item: Item, path: bytes) -> None:
        self._written[path] = _tags_of(item)
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
            from musrecd.types import Tags

            with MusrecLibrary.open(config.library) as library:
                library.move_all(moves)
                library.move_all(copies, is_copied=True)
                # beets changes tags, never the sound: what it wrote needs no second look.
                changed = written.keys() | {destination for _, destination in (*moves, *copies)}
                tags = {path: Tags(*each) for path, each in written.items()}
                library.refresh((task.file for task in map(task_for, changed)), tags=tags)
            self._moves, self._copies, self._written = [], [], {}
        except MusrecError as error:
            # Not grave: the next analysis recognises moved files by their sound.
            self._log.debug("{}", error)


def _tasks(items: Iterable[Item]) -> list[Task]:
    from musrecd.ingest.ingest import task_for
    from musrecd.types import Tags

    return [task_for(item.path, Tags(*_tags_of(item))) for item in items]


def _tags_of(item: Item) -> tuple[Any, ...]:
    """Return the fields of `Tags`, which takes long to import."""
    return item.artist, item.title, item.album, tuple(item.genres or ()), item.year or None
