"""An encoder as the library knows it, and the way to the files that repeat its rows."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

from musrecd.library import features, vectors
from musrecd.library.encoding import encoder_from_row, file_name_part
from musrecd.library.rowfile import ENDINGS, VECTORS, RowFile
from musrecd.library.rows import Rows
from musrecd.types import EncoderInfo

# The columns of `StoredEncoder.from_columns`; a condition is to follow.
ENCODERS = """
    SELECT id, n_rows, (SELECT value FROM meta WHERE key = 'library_uuid'), version, dim, labels FROM encoders
"""


class StoredEncoder(NamedTuple):
    """An encoder with `n_rows` analyses in the library of this uuid (hex)."""

    id: int
    n_rows: int
    library_uuid: str
    info: EncoderInfo

    @classmethod
    def from_columns(cls, columns: Sequence[Any]) -> Self:
        """Read it from the columns of `ENCODERS`."""
        number, n_rows, library_uuid, *encoder = columns
        return cls(number, n_rows, library_uuid, encoder_from_row(*encoder))

    def files(self, database: Path, connection: sqlite3.Connection) -> list[RowFile]:
        """Get at all its files."""
        return [self.file(ending, database, connection) for ending in ENDINGS]

    def file(self, ending: str, database: Path, connection: sqlite3.Connection) -> RowFile:
        """Get at the file of embeddings, or that of features."""
        n_labels = len(self.info.labels)
        layout = vectors.layout(self.info.dim) if ending == VECTORS else features.layout(self.info.dim, n_labels)
        path = database.with_name(f"{database.name}.{file_name_part(self.info.version)}.{layout.ending}")
        rows = Rows(connection, self.id, self.n_rows, layout)
        return RowFile(path, bytes.fromhex(self.library_uuid), self.info.version, rows)
