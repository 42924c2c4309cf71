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

from model_training.datasets.clips import load_clips
from model_training.evaluation.cost import measure_cost
from model_training.evaluation.first_genre import measure_calibration
from model_training.evaluation.hear import OURS, Listener, Systems
from model_training.evaluation.label_quality import measure_labels
from model_training.evaluation.moods import measure_moods
from model_training.evaluation.neighbours import measure_similarity
from model_training.evaluation.robustness import measure_robustness
from model_training.evaluation.sources import measure_sources
from model_training.evaluation.study import Study, groups_of, validation_clips
from model_training.evaluation.tables import Table, plain, rounded
from model_training.labels import main_genre
from model_training.teachers import TEACHERS, read_vocabularies
from musrecd.analysis.card import SHIPPED_WEIGHTS, read_card

_SECTIONS: dict[str, Callable[[Study], dict[str, Table]]] = {
    "similarity": measure_similarity,
    "labels": measure_labels,
    "calibration": measure_calibration,
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
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True, help="Folder with clips.csv.")
@click.option("--teachers", type=click.Path(exists=True, path_type=Path), required=True, help="Checkpoints.")
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
    data: Path,
    teachers: Path,
    weights: Path,
    cache: Path | None,
    output: Path | None,
    json_file: Path | None,
    n_processes: int,
    only: tuple[str, ...],
) -> None:
    """Score an encoder on artists that it was not trained on."""
    study = _study(data, Systems(weights, teachers, tuple(TEACHERS)), cache, n_processes)
    encoder = read_card(weights).info.version
    for section in only:
        tables = {title: rounded(table) for title, table in _SECTIONS[section](study).items()}
        for title, table in tables.items():
            click.echo(f"\n{title}\n{plain(table)}")
        if json_file:
            _add(json_file, encoder, tables, study)
    if output:
        np.savez(output, allow_pickle=False, **_arrays(study))


def _study(data: Path, systems: Systems, cache: Path | None, n_processes: int) -> Study:
    listener = Listener(systems, kept=cache, n_processes=n_processes)
    vocabularies = read_vocabularies(systems.folder, systems.names)
    return Study(data, load_clips(data), listener, read_card(systems.weights).info.labels, vocabularies)


def _add(json_file: Path, encoder: str, tables: dict[str, Table], study: Study) -> None:
    """Put the tables into the file, beside those that are there of the same encoder."""
    known = json.loads(json_file.read_text(encoding="utf-8")) if json_file.exists() else {}
    kept = known.get("tables", {}) if known.get("encoder") == encoder else {}
    figures = {
        "encoder": encoder,
        "validation": {
            "clips": len(study.validating),
            "artists": len(np.unique(groups_of(study.validating))),
            "clips of one genre": len(validation_clips(study.clips)),
        },
        "tables": kept | tables,
    }
    json_file.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _arrays(study: Study) -> dict[str, np.ndarray]:
    """Clips of one genre, as other programs score them; and all, with probabilities and truths (n, n_labels)."""
    clips, everything = validation_clips(study.clips), study.validating
    embeddings = study.embeddings(clips, "Similarity")
    return {
        "paths": np.array([clip.name for clip in clips]),
        "labels": np.array([main_genre(clip) for clip in clips]),
        "artists": groups_of(clips),
        "embeddings": embeddings.pop(OURS),
        **{f"embeddings_{name}": X for name, X in embeddings.items()},
        "clips": np.array([clip.name for clip in everything]),
        "groups": groups_of(everything),
        "label_names": np.array([label.name for label in study.labels]),
        "label_groups": np.array([label.group for label in study.labels]),
        "probabilities": study.hear(everything, "Labels")[OURS].probabilities,
        "truths": study.truths(everything),
    }
