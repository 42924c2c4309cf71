"""The parts of the page: what each of them measures and says."""

import contextlib
import io
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import median

from tests.benchmarks import known_tree, page, processes, side_by_side, sounds, stages
from tests.benchmarks.hearers import FULL_COVERAGE, HEARERS


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is measured."""

    runs: int = 5
    seconds: float = 240.0
    kinds: tuple[str, ...] = tuple(sounds.FORMATS)
    programs: tuple[str, ...] = tuple(name for name in HEARERS if name != FULL_COVERAGE)
    n_scanned: int = 48
    processes: tuple[int, ...] = (1, 2)
    heard_alone: tuple[str, ...] = tuple(sounds.FORMATS)
    minutes: tuple[float, ...] = (10.0, 600.0)
    known: tuple[int, ...] = (20_000, 200_000)
    asked: tuple[int, ...] = (100_000, 1_000_000)
    huge: tuple[int, int] = (10_000_000, 1_000_000)
    n_clustered: int = 96


SMOKE = Extent(
    1,
    6.0,
    ("mp3", "flac"),
    ("musrec", "decoding what is heard, plainly"),
    2,
    (1,),
    (),
    (1.0,),
    (30,),
    (200,),
    (2_000, 1_000),
    1,
)


class Workshop:
    """Where and how much is measured; the sound files are made once, when somebody needs them."""

    def __init__(self, folder: Path, extent: Extent, teachers: Path | None) -> None:
        self.folder, self.extent, self.teachers = folder, extent, teachers

    @cached_property
    def files(self) -> dict[str, Path]:
        """A composed piece in each format."""
        return sounds.write_formats(self.folder, self.extent.seconds, self.extent.kinds)

    def subfolder(self, name: str) -> Path:
        """Make a folder for one part alone."""
        path = self.folder / name
        path.mkdir()
        return path


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page: its name on the command line, its heading, and who measures it."""

    name: str
    title: str
    measure: Callable[[Workshop], str]


_TRACK = "The track is a composed piece of {:.0f} s in stereo, 44.1 kHz (Opus 48 kHz), in each format; PyAV wrote it."

_ANALYSIS = """CPU milliseconds. {track}
*demux*: FFmpeg alone reads all packets. *hash*: naming the recording and keeping the packets that will be heard.
*decode*: FFmpeg alone decodes the minute that is heard. *mix*: mean of the channels and resampling. *rest* is what
belongs to none. *sum* leaves out *store*; *×* is the sum over demux, decode and mix.

{table}"""


def _analysis(workshop: Workshop) -> str:
    import torch

    from musrecd.analysis.encoder import load_encoder

    torch.set_num_threads(1)
    encoder, extent = load_encoder(), workshop.extent
    measured = {kind: stages.measure(path, encoder, extent.runs) for kind, path in workshop.files.items()}
    table = page.table(["CPU ms", *stages.STAGES, "sum", "×"], stages.rows(measured))
    return _ANALYSIS.format(track=_TRACK.format(extent.seconds), table=table)


_PEERS = """CPU milliseconds of hearing a file, each program in one process that had started and warmed up before, with
one thread. {track}
*Plainly* is a short program of PyAV, NumPy and soxr that demuxes the whole file, decodes the excerpts that musrec
hears, mixes and resamples them, and names no recording; *as musrec does it* includes the hash of all packets.
bliss-audio decodes whole files. librosa loads whole files and takes MFCCs, chroma and beats. musicnn's 200 numbers come
from our own loader of the published weights, which computes in bfloat16 unless it says float32; musrec computes in
float32. *×* is what the program takes over what musrec takes: how many tracks musrec hears in the time of one;
*all ×* the median of that over all formats. *MB* is the most memory that the process ever had.

{table}"""


def _peers(workshop: Workshop) -> str:
    extent, files = workshop.extent, workshop.files
    comparison = side_by_side.compare(files, extent.runs, workshop.teachers, extent.programs)
    rows = side_by_side.rows(comparison, list(files))
    table = page.table(["CPU ms", *files, "mp3 ×", "all ×", "MB"], rows)
    return _PEERS.format(track=_TRACK.format(extent.seconds), table=table)


_COVERAGE = """CPU milliseconds for one mp3 of {seconds:.0f} s: a minute in windows, or all of it.

{table}"""


def _coverage(workshop: Workshop) -> str:
    extent, (kind, path) = workshop.extent, next(iter(workshop.files.items()))
    compared = side_by_side.compare({kind: path}, extent.runs, None, ("musrec", FULL_COVERAGE))
    rows = side_by_side.rows(compared, [kind])
    table = page.table(["CPU ms", kind, "×", "MB"], [[*row[:3], row[4]] for row in rows])
    return _COVERAGE.format(seconds=extent.seconds, table=table)


_PROCESSES = """{n} files, heard by workers that had loaded the encoder before, and stored: wall seconds.

{table}"""


def _processes(workshop: Workshop) -> str:
    extent, folder = workshop.extent, workshop.subfolder("processes")
    many = processes.copies(folder, list(workshop.files.values()), extent.n_scanned)
    walls = processes.scan_seconds(folder, many, extent.processes, extent.runs)
    rows = [[str(n), f"{wall:.2f}", f"{len(many) / wall:.1f}", f"{walls[1] / wall:.2f}"] for n, wall in walls.items()]
    return _PROCESSES.format(n=len(many), table=page.table(["processes", "s", "tracks/s", "×"], rows))


_MEMORY = """The most memory of a fresh process that heard one file twice, and the CPU time of the second time:
the piece in each format, and mp3s (16 kHz mono, 32 kbit/s) of these lengths.

{table}"""


def _memory(workshop: Workshop) -> str:
    peaks = {kind: processes.peak(workshop.files[kind]) for kind in workshop.extent.heard_alone}
    folder = workshop.subfolder("memory")
    peaks |= {f"{n:.0f} min": peak for n, peak in processes.peak_by_length(folder, workshop.extent.minutes).items()}
    rows = [[shown, f"{mb:.0f}", f"{1000 * cpu_s:.0f}"] for shown, (mb, cpu_s) in peaks.items()]
    return _MEMORY.format(table=page.table(["file", "MB", "CPU ms"], rows))


_KNOWN = """Known files in folders of twelve; nothing is new. Of `find` and `musrecd` the whole command, from the
start of the process; `--version` is what starting Python and the command line takes. A look is what the daemon does
every hour, in a process that runs already: with `find` it sees whether anything changed, and only then it walks.

{tables}"""


def _known(workshop: Workshop) -> str:
    tables = []
    for n_files in workshop.extent.known:
        folder = workshop.subfolder(f"known{n_files}")
        known_tree.prepare(folder, n_files)
        rows = known_tree.rows(known_tree.measure(folder, workshop.extent.runs))
        tables.append(page.table([f"{n_files:,} files", "wall ms", "×", "CPU ms", "×"], rows))
    return _KNOWN.format(tables="\n\n".join(tables))


def _search(workshop: Workshop) -> str:
    from tests.benchmarks import start_up

    extent, said = workshop.extent, []
    for n_tracks in extent.asked:
        folder, lines = workshop.subfolder(f"search{n_tracks}"), io.StringIO()
        with contextlib.redirect_stdout(io.StringIO()):  # beets tells of the backups of an empty library
            start_up.prepare(folder, n_tracks)
        with contextlib.redirect_stdout(lines):
            start_up.measure(folder, n_tracks, extent.runs)
        said.append(f"```text\n{lines.getvalue().strip()}\n```")
        shutil.rmtree(folder)
    return "\n\n".join([_SEARCH, *said])


_SEARCH = """Whole commands, from the start of the process, over made-up libraries, with the most memory that each took.
*every filter* is rules for tempo, key, labels, genre, years, length, artists, albums, versions and variety at once.
What one track costs is until it is flushed to the disk."""

_HUGE = """Made-up vectors around two thousand styles. What the graph of neighbours costs is told for fewer of them,
because making it takes so long.

```text
{lines}
```"""


def _huge(workshop: Workshop) -> str:
    from tests.benchmarks import ten_million

    lines = io.StringIO()
    with contextlib.redirect_stdout(lines):
        ten_million.measure(workshop.subfolder("huge"), *workshop.extent.huge)
    return _HUGE.format(lines=lines.getvalue().strip())


_CLUSTER = """{n} files of a minute of noise, all on this one machine: as many processes of the scanner's own (`-t`), or
workers of a dask cluster, of one process each; medians of three runs. Wall time is that of the scan, workers wait for
it; CPU time is that of everything, from its start.

{table}"""


_CLUSTER_RUNS = 3


def _cluster(workshop: Workshop) -> str:
    from tests.benchmarks import cluster

    extent, folder = workshop.extent, workshop.subfolder("cluster")
    cluster.render(folder, extent.n_clustered)
    n_runs = min(extent.runs, _CLUSTER_RUNS)
    runs = [{way: cluster.measure(folder, way) for way in cluster.WAYS} for _ in range(n_runs)]
    rows = []
    for way in cluster.WAYS:
        wall, cpu = (median(run[way][part] for run in runs) for part in (0, 1))
        n = extent.n_clustered
        rows.append([way, f"{wall:.1f}", f"{n / wall:.2f}", f"{1000 * cpu / n:.0f}"])
    return _CLUSTER.format(n=extent.n_clustered, table=page.table(["", "s", "files/s", "CPU ms a file"], rows))


SECTIONS = {
    section.name: section
    for section in (
        Section("analysis", "Where the time goes", _analysis),
        Section("peers", "Beside others", _peers),
        Section("coverage", "How much is heard", _coverage),
        Section("processes", "Two processes", _processes),
        Section("memory", "Memory", _memory),
        Section("known", "A folder in which nothing is new", _known),
        Section("search", "Asking", _search),
        Section("huge", "Ten million tracks", _huge),
        Section("cluster", "Beyond one machine", _cluster),
    )
}
