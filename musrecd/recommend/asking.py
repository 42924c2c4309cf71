"""What can be asked, and what is answered: the values between `recommend` and whoever shows them to a person."""

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple, Protocol

from musrecd.keys import Relation
from musrecd.types import Chunks, FloatArray

KeyRule = Literal["compatible", "same", "energy"]


class Weights(NamedTuple):
    """How much each part of a score counts; only their ratios matter."""

    sound: float = 1.0
    labels: float = 0.0
    tempo: float = 0.0
    key: float = 0.0


class Rules(NamedTuple):
    """What results have to be. Of alternatives one must hold, of the names within one all of them.

    `tempo` is the widest deviation (0.06: 6 %), of half and double time, too. `genres` are names, or one of
    `any` (one of the seeds' genres) and `same` (all of them). Ranges are inclusive, open where None.
    """

    tempo: float | None = None
    key: KeyRule | None = None
    labels: tuple[tuple[str, ...], ...] = ()
    not_labels: tuple[str, ...] = ()
    genres: tuple[tuple[str, ...], ...] | Literal["any", "same"] = ()
    years: tuple[int | None, int | None] = (None, None)
    length_s: tuple[float | None, float | None] = (None, None)


class Choice(NamedTuple):
    """How results are picked from what is near enough. `diverse` is 0 to 1 (only variety counts)."""

    number: int = 10
    min_sound: float = -1.0
    weights: Weights = Weights()
    max_per_artist: int | None = None
    max_per_album: int | None = None
    not_same_artist: bool = False
    no_duplicates: bool = False
    diverse: float = 0.0
    fresh: bool = False
    strict: bool = False


class Effort(NamedTuple):
    """What is done for an answer: told `in_detail` what speaks for each result, its sound apart.

    Whoever will ask again `keeps` large vectors, see `similarity.cosines`.
    """

    in_detail: bool = True
    keeps: bool = False


class Seed(NamedTuple):
    """A track asked about, in the library or not. `weight` is below 0 for what results should not be like.

    `embedding` (dim,) is of unit length, `probabilities` (n_labels,) 0 to 1, `row` its place in the matrix if it has
    one. `chunks` are those of a track outside the library; those of the others lie in it.
    """

    embedding: FloatArray
    probabilities: FloatArray
    bpm: float | None = None
    key: str | None = None
    artist: str = ""
    title: str = ""
    album: str = ""
    genres: tuple[str, ...] = ()
    weight: float = 1.0
    row: int | None = None
    chunks: Chunks | None = None


class Entry(NamedTuple):
    """What a catalogue says of a row; `genres` are those that a person set, none if nobody did."""

    artist: str = ""
    title: str = ""
    album: str = ""
    genres: tuple[str, ...] = ()
    year: int | None = None


class Catalogue(Protocol):
    """Who knows names: beets' database, or the tags that the library read."""

    def entries(self, rows: Iterable[int]) -> Mapping[int, Entry]:
        """Describe rows; those that cannot be results (a missing file, nothing that beets manages) are left out."""


class Closest(NamedTuple):
    """Which part of a result sounds most like which part of what was asked about: begin and end in seconds each.

    `sound` is the cosine of the two; `seed` names the track that the second part is of, if several were asked about.
    """

    span_s: tuple[float, float]
    seed_span_s: tuple[float, float]
    sound: float
    seed: str = ""


class Parts(NamedTuple):
    """What speaks for a result: each 0 to 1, but `sound`, which is the cosine (-1 to 1).

    `tempo_ratio` is how much faster the result is played than the seed, after `tempo_factor` (0.5, 1, 2) was taken
    out; `shift` is by how many semitones it would have to be moved to mix. None where either has no tempo or key.
    `closest` is None where nobody asked for it or either has no chunks. Nothing but `sound` is worked out if nobody
    wants to know.
    """

    sound: float
    labels: float | None = None
    tempo: float | None = None
    key: float | None = None
    tempo_ratio: float | None = None
    tempo_factor: float | None = None
    relation: Relation | None = None
    shift: int | None = None
    shared: tuple[str, ...] = ()
    closest: Closest | None = None


class Result(NamedTuple):
    """One answer; `score` (1 at most) orders, `breaks` names the rules that were relaxed for it, none mostly."""

    row: int
    score: float
    entry: Entry
    parts: Parts
    breaks: tuple[str, ...] = ()


class Answer(NamedTuple):
    """What was found, best first, and what a person should know of it, line by line."""

    results: tuple[Result, ...]
    notes: tuple[str, ...] = ()
