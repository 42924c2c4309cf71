"""Embeddings of many files at once, by their paths."""

from collections.abc import Sequence

from musrecd.library.reader import LibraryReader
from musrecd.types import FloatArray


def embeddings_at(reader: LibraryReader, paths: Sequence[bytes], version: str) -> tuple[list[bytes], FloatArray]:
    """Those of these paths that are analysed with the version and not missing, and their embeddings (n, dim).

    In the order asked. Raises LibraryError if the library has no such version.
    """
    tracks = reader.tracks_at(paths, version)
    rows = reader.rows_of({track.recording_id for track in tracks.values()}, version)
    found = [path for path in paths if path in tracks]
    embeddings: FloatArray = reader.vectors(version)[[rows[tracks[path].recording_id] for path in found]]
    return found, embeddings
