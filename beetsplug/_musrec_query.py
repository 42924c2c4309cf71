"""`similar:` in any query of beets: `beet ls similar:"massive attack"`, smart playlists, paths, everywhere.

No plugin of its own: beets loads what it is told to load, and that is `musrec`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from beets.dbcore.pathutils import normalize_path_for_db
from beets.dbcore.query import FieldQuery, InvalidQueryArgumentValueError
from beets.ui import UserError  # type: ignore[attr-defined]

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from beets.dbcore import Model

    from musrecd.config import Config

# Older SQLite takes no more values in one statement.
_MOST_VALUES = 900


class SimilarQuery(FieldQuery[str]):
    """Matches what sounds like the tracks that words find: `WORDS`, `WORDS~0.8`, or `~0.8`.

    `WORDS` of path, artist, title or album match the tracks that `beet similar` would show; with a likeness all that
    are at least as like them, themselves included. A likeness alone matches tracks that have a double as like as that.
    """

    # Set by the plugin, which knows it; beets makes queries by their class alone.
    read_config: Callable[[], Config]

    def __init__(self, field_name: str, pattern: str, fast: bool = True) -> None:
        super().__init__(field_name, pattern, fast)
        self.words, least = _parted(pattern)
        self.least = least
        self._paths: set[bytes] | None = None

    def clause(self) -> tuple[str | None, Sequence[Any]]:
        """Say it to SQLite, if it is not too much to say."""
        paths = sorted(self.paths())
        if len(paths) > _MOST_VALUES:
            return None, ()
        return f"path IN ({', '.join('?' * len(paths))})", paths

    def match(self, obj: Model) -> bool:
        """Whether an item is one of them; of anything else nothing is known."""
        return normalize_path_for_db(obj.path) in self.paths() if "path" in obj else False

    def paths(self) -> set[bytes]:
        """Paths of what matches, as beets keeps them."""
        if self._paths is None:
            self._paths = {normalize_path_for_db(path) for path in self._found()}
        return self._paths

    def _found(self) -> list[bytes]:
        from musrecd.asking.alike import alike
        from musrecd.display import printable
        from musrecd.errors import MusrecError

        try:
            return alike(type(self).read_config(), self.words, self.least)
        except MusrecError as error:
            # Queries run where nobody knows our errors.
            raise UserError(printable(str(error))) from error


def _parted(pattern: str) -> tuple[str, float | None]:
    """Part `words~0.8`. Raises InvalidQueryArgumentValueError."""
    words, tilde, number = pattern.rpartition("~")
    if not tilde:
        words, number = pattern, ""
    try:
        least = float(number) if number else None
    except ValueError:
        words, least = pattern, None
    if (not words.strip() and least is None) or (least is not None and not -1 <= least <= 1):
        raise InvalidQueryArgumentValueError(
            pattern,
            "what `similar:` takes: words of a track, a likeness from -1 to 1 after `~`, or both (reckoner~0.8)",
        )
    return words.strip(), least
