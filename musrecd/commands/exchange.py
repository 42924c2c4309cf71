"""`musrecd export` and `musrecd import`: analyses of one library for another, so that nothing is heard twice."""

import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click

from musrecd.commands.session import FAILED, Session, no_empty_names, one_line_errors
from musrecd.config import Config
from musrecd.display import counted, printable_path
from musrecd.errors import ExchangeError


@click.command(short_help="Write analyses for another library.")
@click.argument("output", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--encoder", metavar="VERSION", help="Which encoder's; else that which answers.")
@click.pass_obj
@one_line_errors
def export(session: Session, output: Path, encoder: str | None) -> None:
    """Write what was heard into OUTPUT, for `musrecd import` elsewhere.

    Recordings are named by their sound. Paths and tags are not in it, but whoever has the same recording can tell that
    you have it.
    """
    n_written = export_library(session.config(), output, encoder)
    click.echo(f"Wrote {counted(n_written, 'track')} to {printable_path(bytes(output))}", err=True)


@click.command("import", short_help="Take over analyses of another library.")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), callback=no_empty_names)
@click.pass_obj
@one_line_errors
def import_(session: Session, files: Sequence[Path]) -> None:
    """Take over what `musrecd export` wrote; the files that hold those recordings are then not heard, only recognised.

    What this library has heard itself stays. Every number is checked, but not whether it is true of the recording:
    import from those whom you trust. Ends with status 1 if something could not be taken over.
    """
    failed = [import_file(session.config(), file) for file in files]
    sys.exit(FAILED if any(failed) else 0)


def export_library(config: Config, output: Path, version: str | None) -> int:
    """Write an export, whole or not at all; returns how many analyses it holds. Raises LibraryError, ExchangeError."""
    from musrecd.library.exchange import export_analyses, is_export
    from musrecd.library.reader import LibraryReader

    LibraryReader.open(config.library).close()  # which puts right what a killed writer left
    try:
        if os.path.lexists(output) and not (output.is_file() and is_export(output)):
            raise ExchangeError(f"{printable_path(bytes(output))} is there and no export; name another file")
        with tempfile.NamedTemporaryFile(dir=output.parent, prefix=".musrec-", delete=False) as file:
            try:
                _, n_written = export_analyses(config.library, file, version)
                file.flush()
                os.fsync(file.fileno())
                os.replace(file.name, output)
            except BaseException:
                os.unlink(file.name)
                raise
    except OSError as error:
        raise ExchangeError(f"{printable_path(bytes(output))} cannot be written: {error.strerror}") from error
    return n_written


def import_file(config: Config, path: Path) -> bool:
    """Take over one file and say in one line what became of it; returns whether something was wrong with it."""
    from musrecd.analysis.card import SHIPPED_WEIGHTS, read_card
    from musrecd.analysis.hearing import HEARING
    from musrecd.library.exchange import import_analyses
    from musrecd.library.store import Library

    name = printable_path(bytes(path))
    own = read_card(config.encoder or SHIPPED_WEIGHTS, config.coverage).info
    try:
        if path.exists() and not path.is_file():
            raise ExchangeError("not a regular file")
        with path.open("rb") as file, Library.open(config.library) as library:
            imported = import_analyses(library, file, own, HEARING)
    except ExchangeError as error:
        click.echo(f"{name}: {error}", err=True)
        return True
    except OSError as error:
        click.echo(f"{name}: cannot be read: {error.strerror}", err=True)
        return True
    parts = [f"took over {counted(imported.added, 'track')}", f"{imported.known:,} known before"]
    if imported.unsound:
        parts.append(f"{imported.unsound:,} damaged")
    if not imported.is_whole:
        parts.append("the file is cut short or damaged, the rest of it is lost")
    click.echo(f"{name}: {'; '.join(parts)}", err=True)
    return bool(imported.unsound) or not imported.is_whole
