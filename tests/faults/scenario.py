"""What a scenario is, and the list of all."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.faults.place import Place

_INOTIFY = Path("/proc/sys/fs/inotify")


@dataclass(frozen=True)
class Scenario:
    """Something that is provoked in a place. `run(place)` says in a line what it measured, or raises AssertionError.

    `needs_root` if it changes limits of the system or mounts something. `quick` ones run with the tests.
    """

    name: str
    what: str
    run: Callable[[Place], str]
    needs_root: bool
    quick: bool

    @property
    def cannot_run(self) -> str:
        """Why it cannot run here; empty if it can."""
        if self.needs_root and not (os.geteuid() == 0 and os.access(_INOTIFY / "max_user_watches", os.W_OK)):
            return "needs root, to change limits and to mount"
        return ""


SCENARIOS: dict[str, Scenario] = {}


def scenario(
    *, needs_root: bool = False, quick: bool = False
) -> Callable[[Callable[[Place], str]], Callable[[Place], str]]:
    """Make a function a scenario, named like it; the first line of its docstring says what happens."""

    def register(run: Callable[[Place], str]) -> Callable[[Place], str]:
        name = run.__name__.replace("_", "-")
        SCENARIOS[name] = Scenario(name, (run.__doc__ or "").splitlines()[0], run, needs_root, quick)
        return run

    return register


@contextmanager
def limit(name: str, value: int) -> Iterator[None]:
    """Set a limit of inotify for a while, such as `max_user_watches`."""
    path = _INOTIFY / name
    before = path.read_text(encoding="ascii")
    path.write_text(str(value), encoding="ascii")
    try:
        yield
    finally:
        path.write_text(before, encoding="ascii")
