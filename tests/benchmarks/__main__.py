"""Measure what hearing, asking and looking cost, beside other programs, and write docs/benchmarks.md.

    python -m tests.benchmarks [--smoke] [--only analysis,search] [--teachers FOLDER] [--page docs/benchmarks.md]

CPU times are medians; programs take turns. On a busy machine CPU times are a little high, wall times worthless.
"""

import os
import tempfile
from pathlib import Path

# Before numpy and torch: several threads would be several processes' work.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import click

from tests.benchmarks import page
from tests.benchmarks.sections import SECTIONS, SMOKE, Extent, Section, Workshop

_INTRODUCTION = """# What it costs

Written by `make benchmark`; each part alone by `python -m tests.benchmarks --page docs/benchmarks.md --only {names}`.
Nothing here is asserted by a test. Programs take turns, and medians of {runs} runs are told; CPU times are of all
threads. Unless a part says otherwise the machine was

{machine}"""


@click.command()
@click.option("--smoke", is_flag=True, help="A few seconds of sound, once: to see that everything runs.")
@click.option("--only", help=f"What to measure, of {','.join(SECTIONS)}; all of it if nothing is said.")
@click.option("--runs", default=5, show_default=True, type=click.IntRange(min=1), help="How often each is measured.")
@click.option("--teachers", type=click.Path(path_type=Path, file_okay=False), help="Published weights of musicnn.")
@click.option("--page", "page_path", type=click.Path(path_type=Path), help="Whose tables to write anew, too.")
def main(smoke: bool, only: str | None, runs: int, teachers: Path | None, page_path: Path | None) -> None:
    """Measure and print; of a page only what was measured is written."""
    extent = SMOKE if smoke else Extent(runs=runs)
    names = list(SECTIONS) if only is None else only.split(",")
    if unknown := set(names) - set(SECTIONS):
        raise click.UsageError(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}")
    introduction = _INTRODUCTION.format(names=",".join(SECTIONS), runs=extent.runs, machine=page.machine())
    before = page.sections(page_path.read_text("utf-8")) if only and page_path and page_path.exists() else {}
    parts = {"": before.get("", introduction)}
    click.echo(parts[""])
    with tempfile.TemporaryDirectory() as folder:
        workshop = Workshop(Path(folder), extent, teachers)
        for section in SECTIONS.values():
            if section.name in names:
                parts[section.title] = _measured(section, workshop, is_elsewhere=introduction != parts[""])
                click.echo(f"\n## {section.title}\n\n{parts[section.title]}")
            elif section.title in before:
                parts[section.title] = before[section.title]
            if page_path is not None:  # what was measured is not lost when something later fails
                rest = {title: text for title, text in before.items() if title not in parts}
                page_path.write_text(page.joined(parts | rest), encoding="utf-8")


def _measured(section: Section, workshop: Workshop, *, is_elsewhere: bool) -> str:
    busy_before = os.getloadavg()[0]
    text = section.measure(workshop).strip("\n")
    notes = [f"Measured by itself: {page.machine()}"] if is_elsewhere else []
    if busy_before > (os.cpu_count() or 1):
        notes.append(f"The machine was busy with other things ({busy_before:.0f} of its processes ran or waited).")
    return "\n\n".join([text, *notes])


if __name__ == "__main__":
    main()
