"""What was aimed at, and whether it was reached: the bar is the teachers on the same clips in the same run."""

from collections.abc import Iterator, Mapping

from model_training.evaluation.hear import HAND_MADE, OURS
from model_training.evaluation.own_words import OURS_PROBED
from model_training.evaluation.study import ALL_TEACHERS, PAIR
from model_training.evaluation.tables import Cells, Table, Value, estimate

_BOTH = " + ".join(PAIR)
_PAIR_COLUMNS = ("p@1", "p@10", "mAP", "probe")


def compare_with_goals(tables: Mapping[str, Table]) -> Table:
    """One row for each goal whose figures are among `tables`."""
    rows = (
        *_similarity(tables),
        *_labels(tables),
        *_genres(tables),
        *_own_words(tables),
        *_moods(tables),
        *_hearing(tables),
    )
    return dict(rows)


def _at_least(name: str, measured: Value, least: float) -> tuple[str, Cells]:
    ends = [end >= least for end in _ends(measured)]
    return name, {"goal": f"≥ {least}", "measured": measured, "reached": _reached(estimate(measured) >= least, ends)}


def _at_most(name: str, measured: Value, most: float) -> tuple[str, Cells]:
    ends = [end <= most for end in _ends(measured)]
    return name, {"goal": f"≤ {most}", "measured": measured, "reached": _reached(estimate(measured) <= most, ends)}


def _above(name: str, gain: Value) -> tuple[str, Cells]:
    ends = [end > 0 for end in _ends(gain)]
    return name, {"goal": "> 0", "measured": gain, "reached": _reached(estimate(gain) > 0, ends)}


def _ends(value: Value) -> tuple[float, ...]:
    return value[1:] if isinstance(value, tuple | list) else ()


def _reached(is_reached: bool, ends: list[bool]) -> str:
    """Say also where the interval reaches to the other side of the goal."""
    if not is_reached:
        return "no"
    return "yes" if all(ends) else "yes, not certainly"


def _similarity(tables: Mapping[str, Table]) -> Iterator[tuple[str, Cells]]:
    figures, gains = tables.get("similarity", {}), tables.get("similarity gained over", {})
    singles = [name for name in figures if name not in (OURS, HAND_MADE, _BOTH, ALL_TEACHERS)]
    for column in ("p@1", "p@10"):
        if singles:
            best = max(singles, key=lambda name: estimate(figures[name][column]))
            yield _above(f"{column}, gain over the best single teacher ({best})", gains[best][column])
    for column in _PAIR_COLUMNS:
        if _BOTH in gains:
            yield _above(f"{column}, gain over {_BOTH}", gains[_BOTH][column])


def _labels(tables: Mapping[str, Table]) -> Iterator[tuple[str, Cells]]:
    """Each teacher knows labels of its own: the best is the one over which least is gained."""
    for area in ("ROC-AUC", "PR-AUC"):
        gains = {
            name: cells["gain"]
            for name, cells in tables.get(f"labels, {area}", {}).items()
            if "gain" in cells and name != ALL_TEACHERS
        }
        if gains:
            best = min(gains, key=lambda name: estimate(gains[name]))
            yield _above(f"genre labels, {area}, gain over the best teacher ({best})", gains[best])


def _genres(tables: Mapping[str, Table]) -> Iterator[tuple[str, Cells]]:
    if "calibration" in tables:
        yield _at_most("calibration error of genres", tables["calibration"]["all genres"]["calibration error"], 0.05)
    if "first genre" in tables:
        written = tables["first genre"]["threshold chosen on other artists"]
        yield _at_least("written first genres that are right", written["of them right"], 0.85)


def _own_words(tables: Mapping[str, Table]) -> Iterator[tuple[str, Cells]]:
    """Compare with the best probe of others, be it of all of them side by side."""
    gains = {
        name: cells["accuracy"]
        for name, cells in tables.get("own words gained over", {}).items()
        if name not in (OURS_PROBED, HAND_MADE)
    }
    if gains:
        best = min(gains, key=lambda name: estimate(gains[name]))
        yield _at_least(f"own genres from ten tracks each, gain over the best probe ({best})", gains[best], 0)


def _moods(tables: Mapping[str, Table]) -> Iterator[tuple[str, Cells]]:
    if "moods" in tables:
        yield _at_least("quadrant of moods, probe", tables["moods"][OURS]["fitted within"], 0.70)


def _hearing(tables: Mapping[str, Table]) -> Iterator[tuple[str, Cells]]:
    for variant, share in tables.get("robustness", {}).get(OURS, {}).items():
        yield _at_least(f"own nearest neighbour: {variant}", share, 0.99)
    if "cost" in tables:
        cost = tables["cost"][OURS]
        yield _at_most("CPU s beyond decoding", cost["front-end and network, CPU s"], 0.2)
        yield _at_most("weights, MB", cost["weights, MB"], 12)
        yield _at_most("import and load, s", cost["import and load, s"], 2.5)
