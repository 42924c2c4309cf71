"""What `beet tagpredict` does with genres: into beets' database, into files, and back.

No plugin of its own: beets loads what it is told to load, and that is `musrec`.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from beets import config as beets_config
from beets import ui
from beets.ui import UserError  # type: ignore[attr-defined]

from beetsplug._musrec_fields import Database, genres_in, heard_in, put_heard
from beetsplug._musrec_items import safe, to_dict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from beets.importer import ImportTask
    from beets.library import Item, Library

    from musrecd.config import Config, VocabularyConfig
    from musrecd.library.journal import Entry, Plan
    from musrecd.library.reader import LibraryReader
    from musrecd.library.store import Library as MusrecLibrary
    from musrecd.tagging.files import FileTags, Rules
    from musrecd.tagging.genres import Genres
    from musrecd.tagging.outcome import Outcome
    from musrecd.tagging.policy import Decision, Policy
    from musrecd.tagging.wishes import Wish
    from musrecd.types import EncoderInfo

AUTHOR = "beet"
_LOCK_WAIT_S = 60.0
# An import goes on for long, and would not come back to the album.
_IMPORT_LOCK_WAIT_S = 600.0
# To show what would happen to so many the files are read, too; more of them would take long.
_MOST_READ = 100


@dataclass(slots=True)
class Report:
    """How many tracks got genres, were left as they are, and could not be written."""

    written: int = 0
    left: int = 0
    problems: list[Outcome] = field(default_factory=list)

    def note(self, outcome: Outcome) -> None:
        """Count one."""
        self.written += outcome.result == "written"
        self.left += outcome.result == "left"
        if outcome.result in ("refused", "failed"):
            self.problems.append(outcome)


def words_of(config: Config) -> VocabularyConfig:
    """Return the settings for words: with lastgenre's where that plugin is used, so that both speak alike."""
    from musrecd.tagging.lastgenre import from_lastgenre, lastgenre_folder

    own = config.tagging.vocabulary
    if "lastgenre" not in beets_config["plugins"].as_str_seq():
        return own
    return from_lastgenre(beets_config["lastgenre"], lastgenre_folder(), own)


def genres_of(config: Config, reader: LibraryReader, info: EncoderInfo) -> Genres:
    """Return who predicts."""
    from musrecd.tagging.genres import Genres

    return Genres.of(reader, info, config.tagging, words_of(config))


def wishes(reader: LibraryReader, info: EncoderInfo, genres: Genres, items: Sequence[Item]) -> list[Wish]:
    """Return what each analysed item sounds like, and what is known of its genres."""
    from musrecd.tagging.wishes import wishes_for

    in_beets = {item.path: genres_in(item) for item in items}
    heard = {item.path: heard_in(item) for item in items}
    return wishes_for(reader, info, [item.path for item in items], genres, in_beets, heard)


def show(items: Sequence[Item], found: Sequence[Wish], genres: Genres, policy: Policy, *, shown: int, as_json: bool,
         n_missing: int, into_files: bool) -> list[Wish]:  # fmt: skip
    """Print what tracks sound like and what would happen; returns those that would change.

    Of many files only beets' database is asked.
    """
    from musrecd.commands.proposals import Proposal, lines
    from musrecd.commands.proposals import to_dict as described

    by_path = {item.path: item for item in items}
    decided = [
        _decided(wish, policy, genres, into_files=into_files, is_read=len(found) <= _MOST_READ) for wish in found
    ]
    proposals = [
        Proposal(format(by_path[wish.path], ""), current, wish.predicted, decision)
        for wish, (current, decision) in zip(found, decided, strict=True)
    ]
    if as_json:
        rows = [to_dict(by_path[wish.path]) | described(each) for wish, each in zip(found, proposals, strict=True)]
        ui.print_(json.dumps({"results": rows, "unanalysed": n_missing}, indent=1))
    else:
        for line in lines(proposals, shown=shown):
            ui.print_(safe(line))
    return [wish for wish, each in zip(found, proposals, strict=True) if each.decision.is_change]


def _decided(
    wish: Wish, policy: Policy, genres: Genres, *, into_files: bool, is_read: bool
) -> tuple[tuple[str, ...], Decision]:
    """Return the genres that a track has, and what would happen to it."""
    from musrecd.errors import TagError
    from musrecd.tagging import files
    from musrecd.tagging.policy import Decision
    from musrecd.tagging.wishes import decide_for

    try:
        in_file = None if not into_files else files.read(wish.path) if is_read else _as_in_beets(wish)
    except TagError as error:
        return wish.in_beets or (), Decision(None, str(error))
    current = (in_file.genres if in_file else ()) or wish.in_beets or ()
    return current, decide_for(wish, in_file, policy, genres.vocabulary.among)


def _as_in_beets(wish: Wish) -> FileTags:
    """Stand in for a file that nobody has read yet: with the genres that the database has, and without moods."""
    from musrecd.tagging.files import FileTags

    return FileTags(wish.in_beets or (), (), {})


def write(
    lib: Library, config: Config, found: Sequence[Wish], policy: Policy, genres: Genres, *, into_files: bool,
    run: int | None = None,
) -> Report:  # fmt: skip
    """Write genres into beets' database and, `into_files`, into the files with them, as a run of their own or `run`."""
    from musrecd.library.store import Library as MusrecLibrary
    from musrecd.tagging.writing import How, finish_interrupted, only_writer, write_all

    report = Report()
    wait_s = _LOCK_WAIT_S if run is None else _IMPORT_LOCK_WAIT_S
    with MusrecLibrary.open(config.library) as library, only_writer(config.library, wait_s=wait_s):
        database = Database(lib)
        finish_interrupted(library, database)
        among = genres.vocabulary.among
        how = How(policy, rules_for(config, lib), among, AUTHOR, database, into_files=into_files, run=run)
        for outcome in write_all(library, found, how):
            report.note(outcome)
    return report


def rules_for(config: Config, lib: Library) -> Rules:
    """Return the rules of the configuration; links are followed within beets' directory and the watched folders."""
    from musrecd.tagging.settings import rules_of

    return rules_of(config.tagging, [lib.directory, *config.folders])


def take_back(lib: Library, config: Config, entries: Sequence[Entry], *, force: bool) -> Report:
    """Take writes back, in files and in beets' database."""
    from musrecd.library.reader import LibraryReader
    from musrecd.library.store import Library as MusrecLibrary
    from musrecd.tagging.undo import Undo, undo
    from musrecd.tagging.writing import finish_interrupted, only_writer

    report = Report()
    with MusrecLibrary.open(config.library) as library, only_writer(config.library):
        database = Database(lib)
        finish_interrupted(library, database)
        how = Undo(rules_for(config, lib), AUTHOR, database, force)
        with LibraryReader.open(config.library) as reader:
            for outcome in undo(library, reader, entries, how):
                report.written += outcome.result == "written"
                # Whoever takes something back wants to know of each that stayed.
                if outcome.result != "written":
                    report.problems.append(outcome)
    return report


class Imported:
    """Gives genres to what is imported, journalled; one import is one run, however many albums it brings.

    Files that beets is about to write with all their tags get theirs with those, and each is noted right before
    and looked at right after. Files that beets leaves as they are are written by us, once they are where they belong.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._decided: dict[int, tuple[Wish, Decision]] = {}
        self._begun: dict[int, tuple[int, Plan]] = {}
        self._run: int | None = None

    def before_files(self, reader: LibraryReader, info: EncoderInfo, task: ImportTask) -> None:
        """Put genres where beets writes them itself; to be called in an import stage."""
        from musrecd.errors import TagError
        from musrecd.tagging import files
        from musrecd.tagging.wishes import decide_for

        if not _is_written_by_beets(task):
            return
        items = {item.path: item for item in task.imported_items()}
        genres = genres_of(self._config, reader, info)
        for wish in wishes(reader, info, genres, list(items.values())):
            try:
                decision = decide_for(wish, files.read(wish.path), self._policy(), genres.vocabulary.among)
            except TagError:
                # What cannot be read could not be put back.
                continue
            # Moods are nothing that beets writes.
            decision = replace(decision, moods=())
            if decision.is_change:
                item = items[wish.path]
                self._decided[item.id or 0] = (wish, decision)
                if decision.genres is not None:
                    item.genres = list(decision.genres)
                put_heard(item, decision.heard)
                item.store()

    def on_write(self, item: Item, path: bytes) -> None:
        """Note a file that beets is about to write, if it gets a genre of ours."""
        from musrecd.tagging import files
        from musrecd.tagging.writing import plan_of

        if item.id not in self._decided:
            return
        wish, decision = self._decided.pop(item.id)
        plan = plan_of(replace(wish, path=path), files.read(path), decision)
        with self._library() as library:
            [number] = library.journal.begin(self._run_in(library), [plan])
        self._begun[item.id] = (number, plan)

    def on_written(self, item: Item, path: bytes) -> None:
        """Note what beets wrote: what the file says now, which is not always what it was told."""
        from musrecd.tagging import files
        from musrecd.tagging.writing import state_of

        if item.id not in self._begun:
            return
        number, plan = self._begun.pop(item.id)
        found = files.read(path)
        made = replace(
            plan,
            genres_after=found.genres,
            bpm=plan.bpm if found.tempo == (str(plan.bpm),) else None,
            key=plan.key if found.key == (plan.key,) else None,
        )
        with self._library() as library:
            library.journal.finish([], [number])
            if made.genres_after != plan.genres_before or made.bpm or made.key:
                [number] = library.journal.begin(self._run_in(library), [made])
                library.journal.finish([(number, state_of(path))])

    def after_files(self, lib: Library, reader: LibraryReader, info: EncoderInfo, task: ImportTask) -> Report:
        """Write what beets did not; to be called when the files are where they belong."""
        if _is_written_by_beets(task):
            return Report()
        items = task.imported_items()
        genres = genres_of(self._config, reader, info)
        with self._library() as library:
            run = self._run_in(library)
        found = wishes(reader, info, genres, items)
        report = write(lib, self._config, found, self._policy(), genres, into_files=ui.should_write(), run=run)
        for item in items:
            item.load()
        return report

    def _library(self) -> MusrecLibrary:
        from musrecd.library.store import Library as MusrecLibrary

        return MusrecLibrary.open(self._config.library)

    def _run_in(self, library: MusrecLibrary) -> int:
        self._run = self._run or library.journal.next_run(AUTHOR)
        return self._run

    def _policy(self) -> Policy:
        from musrecd.tagging.settings import policy_of

        return policy_of(self._config.tagging, words_of(self._config).count)


def _is_written_by_beets(task: ImportTask) -> bool:
    from beets.importer import Action

    return ui.should_write() and (task.apply or task.choice_flag == Action.RETAG)


def confirm(question: str, n: int, *, yes: bool) -> bool:
    """Ask before a large change."""
    from musrecd.commands.proposals import ASK_FROM

    if yes or n < ASK_FROM:
        return True
    if not sys.stdin.isatty():
        raise UserError(f"{question} Nobody is there to answer: say -y")
    return ui.input_yn(question, require=True)
