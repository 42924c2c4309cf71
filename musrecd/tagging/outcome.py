"""What became of a file that was to get genres; light, because the daemon at rest has it loaded."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from musrecd.types import FileState

Result: TypeAlias = Literal["written", "left", "refused", "failed"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a file: `before` and `after` are its genres, `file` how it was left if it was written.

    `message` says why it was not; a file that `failed` may be tried again, one that was `refused` may not.
    """

    path: bytes
    result: Result
    before: tuple[str, ...]
    after: tuple[str, ...]
    message: str = ""
    file: FileState | None = None
