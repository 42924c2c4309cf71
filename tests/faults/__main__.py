"""Run fault scenarios against the daemon and print what came of each.

    python -m tests.faults [NAME …]

All of them take an hour. What changes limits of the system or mounts something needs root, and is left out without.
"""

import importlib
import tempfile
import time
import traceback
from pathlib import Path

import click

import tests.faults
from tests.faults.place import Place
from tests.faults.scenario import SCENARIOS, Scenario

_NO_SCENARIOS = {"__init__", "__main__", "place", "scenario", "sounds"}


def load_scenarios() -> None:
    """Import all modules of scenarios, which register themselves."""
    for path in sorted(Path(tests.faults.__file__).parent.glob("*.py")):
        if path.stem not in _NO_SCENARIOS and not path.stem.startswith("test_"):
            importlib.import_module(f"tests.faults.{path.stem}")


def run(scenario: Scenario, *, big: bool, weights: Path | None, keep: bool) -> bool:
    """Run one in a folder of its own and print a line; whether it went well."""
    if scenario.cannot_run:
        click.echo(f"-     {scenario.name:24} {scenario.cannot_run}")
        return True
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="musrec-"))
    place = Place(folder, weights=weights, big=big)
    try:
        result, went_well = scenario.run(place), True
    except Exception as error:
        lines = traceback.format_exc().splitlines()
        result, went_well = f"{type(error).__name__}: {error} ({lines[-3].strip()}); see {folder}", False
    if went_well and not keep:
        import shutil

        shutil.rmtree(folder, ignore_errors=True)
    click.echo(f"{'ok' if went_well else 'FAIL':4}  {scenario.name:24} {time.monotonic() - began:6.0f} s  {result}")
    return went_well


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME …]")
@click.option("--list", "is_list", is_flag=True, help="Only say which there are.")
@click.option("--small", is_flag=True, help="A tenth of the files or less: to try the scenario itself.")
@click.option("--keep", is_flag=True, help="Keep the folders of those that went well, too.")
@click.option("--weights", type=click.Path(exists=True, path_type=Path), help="Another encoder, a quick one.")
def main(names: tuple[str, ...], is_list: bool, small: bool, keep: bool, weights: Path | None) -> None:
    """Provoke faults and see whether the daemon survives them."""
    load_scenarios()
    if unknown := set(names) - set(SCENARIOS):
        raise click.UsageError(f"no scenario {', '.join(sorted(unknown))}; --list names them")
    chosen = [SCENARIOS[name] for name in names] or list(SCENARIOS.values())
    if is_list:
        for each in chosen:
            click.echo(f"{each.name:24} {each.what}")
        return
    results = [run(each, big=not small, weights=weights, keep=keep) for each in chosen]
    if not all(results):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
