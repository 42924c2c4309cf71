"""musrec beside what else hears files: the same files, by turns, a process each that was started before."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.benchmarks.hearers import Cost, Hearer, available

# Seconds a track: it need not hear every format to be known.
_SLOW = (
    "musicnn, of what musrec hears",
    "musicnn, of whole files",
    "musicnn, of whole files, float32",
    "librosa",
)
_SLOW_HEARS = ("mp3",)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Median CPU seconds by program and format, and the most memory that a program ever took, in MB."""

    cpu_s: dict[str, dict[str, float]]
    peak_mb: dict[str, float]


def compare(files: Mapping[str, Path], runs: int, teachers: Path | None, names: Sequence[str]) -> Comparison:
    """Let every program that is installed hear every file `runs` times, and once before to warm up."""
    present = [name for name in names if available(name, teachers)]
    costs: dict[tuple[str, str], list[Cost]] = {}
    with ExitStack() as stack:
        hearers = {name: stack.enter_context(Hearer(name, teachers)) for name in present}
        for run in range(runs + 1):
            for kind, path in files.items():
                for name, hearer in hearers.items():
                    if name not in _SLOW or kind in _SLOW_HEARS:
                        cost = hearer.hear(path)
                        costs.setdefault((name, kind), []).extend([cost] if run else [])
    return Comparison(
        {
            name: {kind: median(c.cpu_s for c in costs[name, kind]) for kind in files if (name, kind) in costs}
            for name in present
        },
        {name: max(c.peak_mb for (n, _), each in costs.items() if n == name for c in each) for name in present},
    )


def rows(comparison: Comparison, kinds: Sequence[str]) -> list[list[str]]:
    """Return a row for each program: CPU milliseconds by format, how many times musrec's, the most memory.

    How many times is told of the mp3, which all hear, and as the median over the formats of those that hear all.
    """
    ours = comparison.cpu_s["musrec"]
    return [
        [
            name,
            *(f"{1000 * by_kind[kind]:.0f}" if kind in by_kind else "" for kind in kinds),
            f"{by_kind[_SLOW_HEARS[0]] / ours[_SLOW_HEARS[0]]:.2f}",
            f"{median(by_kind[kind] / ours[kind] for kind in by_kind):.2f}" if len(by_kind) == len(ours) else "",
            f"{comparison.peak_mb[name]:.0f}",
        ]
        for name, by_kind in comparison.cpu_s.items()
    ]
