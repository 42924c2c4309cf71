"""Robustness: whether a recording in another coat is still its own nearest neighbour among all recordings."""

import numpy as np

from model_training.evaluation.hear import HAND_MADE, OURS, Sound, sounds_of
from model_training.evaluation.intervals import interval
from model_training.evaluation.retrieval import z_scored
from model_training.evaluation.study import PAIR, Study, groups_of, side_by_side
from model_training.evaluation.tables import Table
from model_training.evaluation.variants import VARIANTS, WHOLE_TRACKS_ONLY
from musrecd.types import FloatArray

# Not every teacher: each variant of each clip is another file to hear, and the best pair stands for all.
_SYSTEMS = (OURS, HAND_MADE, *PAIR)


def measure_robustness(study: Study) -> dict[str, Table]:
    """Ask with variants of the validating clips and of whole tracks, answer from all clips and tracks."""
    tracks = [Sound(path.name, path) for path in study.tracks]
    sounds = [*tracks, *sounds_of(study.validating), *sounds_of(study.training)]
    places = {sound.name: place for place, sound in enumerate(sounds)}
    database = study.listener.hear(sounds, "All recordings", names=_SYSTEMS)
    everything = side_by_side({name: answers.embeddings for name, answers in database.items()})
    validating, groups = sounds_of(study.validating), groups_of(study.validating)
    table: Table = {name: {} for name in everything}
    for variant in VARIANTS:
        asked, artists = (tracks, _names(tracks)) if variant == WHOLE_TRACKS_ONLY else (validating, groups)
        if not asked:
            continue
        sought = np.array([places[sound.name] for sound in asked])
        heard = study.listener.hear([Sound(s.name, s.path, variant) for s in asked], variant, names=_SYSTEMS)
        queries = side_by_side({name: answers.embeddings for name, answers in heard.items()})
        for name, X in everything.items():
            found = nearest(queries[name], X, raw=name == OURS) == sought
            table[name][f"{variant} ({len(asked)})"] = interval(found.astype(float), artists)
    return {"robustness": table}


def _names(sounds: list[Sound]) -> np.ndarray:
    return np.array([sound.name for sound in sounds])


def nearest(queries: FloatArray, database: FloatArray, *, raw: bool) -> np.ndarray:
    """Return the row of `database` (n, dim) with the largest cosine to each of `queries` (m, dim).

    `raw` vectors are compared as they are, as the library does with ours; others after a z-score over the database.
    """
    if not raw:
        queries, database = z_scored(queries, database), z_scored(database, database)
    directions = [X / np.maximum(np.linalg.norm(X, axis=1, keepdims=True), 1e-12) for X in (queries, database)]
    found: np.ndarray = (directions[0] @ directions[1].T).argmax(1)
    return found
