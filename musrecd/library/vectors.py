"""The embeddings in a file of rows: a matrix (n_rows, dim) of float32, to be searched at once."""

from collections.abc import Sequence
from typing import Any

from musrecd.library.encoding import FLOAT
from musrecd.library.rows import Layout, Records
from musrecd.types import FloatArray


def layout(dim: int) -> Layout:
    """Lay out embeddings; that of a damaged analysis is zeros, which resemble nothing."""

    def records(rows: Sequence[Sequence[Any]]) -> list[bytes | None]:
        return [columns[0] for columns in rows]

    n_bytes = dim * FLOAT.itemsize
    select = "SELECT o.id, o.embedding, o.probabilities, o.checksum FROM outputs o"
    return Layout("vectors", dim, n_bytes, select, records, bytes(n_bytes))


def of_records(records: Records, dim: int) -> FloatArray:
    """See embeddings (n_rows, dim), read-only, in the rows of the file."""
    return records.view(FLOAT).reshape(len(records), dim)
