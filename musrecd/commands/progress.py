"""A progress bar for runs over many files, with failures as lines above it."""

import sys
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.table import Column
from rich.text import Text

from musrecd.display import counted, printable, printable_path
from musrecd.ingest.ingest import Listener
from musrecd.ingest.work import Outcome


class _Speed(ProgressColumn):
    """Tracks per second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:5.1f} tracks/s" if speed else "    - tracks/s", style="cyan")


class ProgressBar:
    """Shows a run on standard error; a context manager."""

    def __init__(self, verb: str) -> None:
        self._console = Console(file=sys.stderr, highlight=False)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None, table_column=Column(ratio=1)),
            MofNCompleteColumn(),
            _Speed(),
            TimeRemainingColumn(compact=True),
            TextColumn("left"),
            expand=True,
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._verb = verb
        self._task = self._progress.add_task(verb, total=None)

    def __enter__(self) -> Self:
        """Begin to show."""
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Leave the last state standing."""
        self._progress.stop()

    def listener(self) -> Listener:
        """Return who hears of every file."""
        return Listener(lambda n: self._progress.update(self._task, total=n), self._on_outcome)

    def on_crew(self, n_workers: int) -> None:
        """Show how many machines take part."""
        self._progress.update(self._task, description=f"{self._verb} on {counted(n_workers, 'worker')}")

    def notice(self, line: str) -> None:
        """Show one line that is about no file."""
        self._console.print(Text(printable(line)), soft_wrap=True)

    def problem(self, path: bytes, message: str) -> None:
        """Show one line about a path."""
        self._console.print(Text(f"{printable_path(path)}: {printable(message)}"), soft_wrap=True)

    def _on_outcome(self, outcome: Outcome) -> None:
        if outcome.message:
            self.problem(outcome.file.path, outcome.message)
        self._progress.advance(self._task)
