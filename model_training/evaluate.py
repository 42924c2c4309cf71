"""Score an encoder on clips whose artists were not trained on, beside the teachers and hand-made features.

    python -m model_training evaluate --data DATA --teachers TEACHERS [--output validation.npz] [--json FILE]

Every figure comes with its 95 % interval; artists are what is drawn. The .npz holds the embeddings of all
systems with genres and artists, so that any other program can score them, and what `figures` draws.
"""

import json
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np

from model_training.datasets import load_data_sets
from model_training.datasets.base import Clip
from model_training.evaluation.cost import measure_cost
from model_training.evaluation.first_genre import first_genres, judged_clips, measure_calibration
from model_training.evaluation.goals import compare_with_goals
from model_training.evaluation.hear import OURS, Listener, Systems
from model_training.evaluation.label_quality import measure_labels
from model_training.evaluation.moods import measure_moods
from model_training.evaluation.neighbours import measure_similarity
from model_training.evaluation.own_words import measure_own_words
from model_training.evaluation.robustness import measure_robustness
from model_training.evaluation.sources import measure_sources
from model_training.evaluation.study import Study, groups_of, single_genre
from model_training.evaluation.tables import Table, plain, rounded
from model_training.labels import family, main_genre
from model_training.splits import sides
from model_training.teachers import TEACHERS, read_vocabularies
from musrecd.analysis.card import SHIPPED_WEIGHTS, read_card


def _describe_data(study: Study) -> dict[str, Table]:
    """Count clips and artists of each collection on both sides of the split."""
    table: Table = {}
    sides = {"training": study.training, "validating": study.validating}
    for name in sorted({family(clip.source) for clips in sides.values() for clip in clips}):
        table[name] = {}
        for side, clips in sides.items():
            members = [clip for clip in clips if family(clip.source) == name]
            table[name] |= {f"{side} clips": len(members), f"{side} artists": len({c.group for c in members})}
    return {"data": table}


_SECTIONS: dict[str, Callable[[Study], dict[str, Table]]] = {
    "data": _describe_data,
    "similarity": measure_similarity,
    "labels": measure_labels,
    "calibration": measure_calibration,
    "own words": measure_own_words,
    "moods": measure_moods,
    "sources": measure_sources,
    "robustness": measure_robustness,
    "cost": lambda study: measure_cost(study.listener.systems.weights),
}


class _Sections(click.ParamType[tuple[str, ...]]):
    """Names of sections, with commas between them."""

    name = "sections"

    def convert(
        self, value: str | tuple[str, ...], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        names = tuple(value.split(",")) if isinstance(value, str) else value
        unknown = [name for name in names if name not in _SECTIONS]
        if unknown:
            self.fail(f"{', '.join(unknown)}: there are {', '.join(_SECTIONS)}", param, ctx)
        return names


@click.command()
@click.option("--data", multiple=True, required=True, metavar="[NAME:]FOLDER", help="A data set; may be repeated.")
@click.option("--tracks", type=click.Path(exists=True, path_type=Path), help="Folder of whole tracks, to be cut.")
@click.option("--teachers", type=click.Path(exists=True, path_type=Path), help="Checkpoints to compare with.")
@click.option(
    "--weights",
    type=click.Path(exists=True, path_type=Path),
    default=SHIPPED_WEIGHTS,
    help="The encoder; what ships by default.",
)
@click.option(
    "--cache",
    type=click.Path(path_type=Path),
    help="Folder for the answers of teachers and hand-made features; delete it if clips or checkpoints change.",
)
@click.option("--output", type=click.Path(path_type=Path), help="The .npz with embeddings, labels and probabilities.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="The figures; other sections in it stay.")
@click.option("-t", "--threads", "n_processes", default=1, show_default=True, help="Processes that listen.")
@click.option("--only", type=_Sections(), default=tuple(_SECTIONS), help=f"Some of {','.join(_SECTIONS)}.")
def main(
    data: tuple[str, ...],
    tracks: Path | None,
    teachers: Path | None,
    weights: Path,
    cache: Path | None,
    output: Path | None,
    json_file: Path | None,
    n_processes: int,
    only: tuple[str, ...],
) -> None:
    """Score an encoder on artists that it was not trained on."""
    systems = Systems(weights, teachers, tuple(TEACHERS) if teachers else ())
    study = _study(load_data_sets(data), tracks, Listener(systems, kept=cache, n_processes=n_processes))
    encoder = read_card(weights).info.version
    known = _read_tables(json_file, encoder)
    for section in only:
        tables = {title: rounded(table) for title, table in _SECTIONS[section](study).items()}
        click.echo("".join(f"\n{title}\n{plain(table)}\n" for title, table in tables.items()))
        known |= tables
        known["goals"] = compare_with_goals(known)
        if json_file:
            figures = {"encoder": encoder, "tables": known}
            json_file.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    click.echo(f"goals\n{plain(known['goals'])}")
    if output:
        np.savez(output, allow_pickle=False, **_arrays(study))


def _study(clips: list[Clip], tracks: Path | None, listener: Listener) -> Study:
    found, systems = sides(clips), listener.systems
    return Study(
        validating=[clip for clip in clips if clip.name in found.validation],
        training=[clip for clip in clips if clip.name in found.training],
        tracks=sorted(path for path in tracks.iterdir() if path.suffix != ".csv") if tracks else [],
        listener=listener,
        labels=read_card(systems.weights).info.labels,
        vocabularies=read_vocabularies(systems.teachers, systems.names) if systems.teachers else {},
    )


def _read_tables(json_file: Path | None, encoder: str) -> dict[str, Table]:
    """Tables of the same encoder that an earlier evaluation left."""
    if not json_file or not json_file.exists():
        return {}
    figures = json.loads(json_file.read_text(encoding="utf-8"))
    if not isinstance(figures, dict) or "tables" not in figures:
        raise ValueError(f"{json_file} holds no figures of an evaluation; name another file")
    tables: dict[str, Table] = figures["tables"]
    return tables if figures["encoder"] == encoder else {}


def _arrays(study: Study) -> dict[str, np.ndarray]:
    """Clips of one genre, as other programs score them; and those whose first genre can be judged."""
    clips, judged = single_genre(study.validating), judged_clips(study)
    embeddings = study.embeddings(clips, "Similarity")
    probabilities = study.hear(judged, "Calibration")[OURS].probabilities
    first = first_genres(study, probabilities, judged)
    genres = np.flatnonzero([label.group == "genre" for label in study.labels])
    return {
        "paths": np.array([clip.name for clip in clips]),
        "labels": np.array([main_genre(clip) for clip in clips]),
        "artists": groups_of(clips),
        "embeddings": embeddings.pop(OURS),
        **{f"embeddings_{name}": X for name, X in embeddings.items()},
        "judged_paths": np.array([clip.name for clip in judged]),
        "judged_groups": groups_of(judged),
        "main_genres": np.array([main_genre(clip) for clip in judged]),
        "first_genres": first.names,
        "first_probabilities": first.probable,
        "first_right": first.right,
        "genre_probabilities": probabilities[:, genres],
        "genre_truths": study.truths(judged)[:, genres],
    }
