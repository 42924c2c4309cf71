"""Commands of beets whose options are read when somebody wants them: `beet ls` makes all commands and runs one.

No plugin of its own: beets loads what it is told to load, and that is `musrec`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from beets import ui

if TYPE_CHECKING:
    import optparse
    from collections.abc import Callable


class LateCommand(ui.Subcommand):
    """A command that `complete` gives its usage and its options."""

    def __init__(self, name: str, text: str, complete: Callable[[ui.CommonOptionsParser], None]) -> None:
        super().__init__(name, help=text)
        self._complete: Callable[[ui.CommonOptionsParser], None] | None = complete

    def print_help(self) -> None:
        """Show usage and options."""
        self._be_complete()
        super().print_help()

    def parse_args(self, args: list[str]) -> tuple[optparse.Values, list[str]]:
        """Read what a person typed."""
        self._be_complete()
        return super().parse_args(args)

    def _be_complete(self) -> None:
        if self._complete is not None:
            self._complete(self.parser)
            self._complete = None
