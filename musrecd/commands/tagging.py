"""The commands of `musrecd` that write genres into files, and take them back."""

import math
import sys

import click

from musrecd.commands.session import (
    FAILED,
    INTERRUPTED,
    Session,
    leave,
    no_empty_names,
    one_line_errors,
)
from musrecd.display import counted

_paths = click.Path(path_type=bytes)


def _no_nan(context: click.Context, parameter: click.Parameter, value: float | None) -> float | None:
    """Refuse what is in no range and beyond none: everything would seem sure enough."""
    if value is not None and math.isnan(value):
        raise click.BadParameter("not a number")
    return value


@click.command(short_help="Write the genres that files sound like.")
@click.argument("paths", nargs=-1, required=True, type=_paths, callback=no_empty_names)
@click.option("-w", "--write", is_flag=True, help="Write into the files; else it is only shown.")
@click.option("-p", "--pretend", is_flag=True, help="Only show, whatever else is said.")
@click.option("-e", "--extend", is_flag=True, help="Add to the genres that are there.")
@click.option("-f", "--force", is_flag=True, help="Replace the genres that are there.")
@click.option("--tempo", is_flag=True, help="Also the tempo, where none is.")
@click.option("--key", is_flag=True, help="Also the key, where none is.")
@click.option("-n", "--count", type=click.IntRange(0, 100), help="The most genres that a file gets; 0: none.")
@click.option("--threshold", type=click.FloatRange(0, 1), callback=_no_nan, help="How sure it has to be.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask, however many files they are.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
@one_line_errors
def tag(  # noqa: PLR0913  # as many as there are options
    session: Session,
    paths: tuple[bytes, ...],
    write: bool,
    pretend: bool,
    extend: bool,
    force: bool,
    tempo: bool,
    key: bool,
    count: int | None,
    threshold: float | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Show which genres files at and below PATHS sound like, and what would happen; --write writes them.

    Files that have a genre are left alone unless --extend or --force says otherwise. What musrec is not sure about is
    not written. A tempo and a key (such as C#m) never replace others. Every write is in the journal, and `musrecd undo
    last` takes all of them back.
    """
    from musrecd.commands.tag import tag_files
    from musrecd.tagging.policy import Policy

    if extend and force:
        raise click.UsageError("either --extend or --force")
    config = session.config()
    config = config._replace(tagging=config.tagging.with_heard(tempo=tempo, key=key))
    most = config.tagging.vocabulary.count if count is None else count
    policy = Policy("replace" if force else "extend" if extend else "fill", most, threshold)
    report = tag_files(config, paths, policy, write=write and not pretend, yes=yes, as_json=as_json)
    if write and not pretend:
        failed = f", {report.failed:,} failed" if report.failed else ""
        click.echo(f"{counted(report.written, 'file')} written, {report.left:,} left as they are{failed}", err=True)
    if report.interrupted:
        leave(INTERRUPTED)
    sys.exit(FAILED if report.failed else 0)


@click.command(short_help="Take back genres that were written.")
@click.argument("what", nargs=-1, required=True, metavar="last|since DATE|PATH...", callback=no_empty_names)
@click.option("-p", "--pretend", is_flag=True, help="Only show what would be taken back.")
@click.option("-f", "--force", is_flag=True, help="Also where somebody changed the genres since.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask, however many files they are.")
@click.pass_obj
@one_line_errors
def undo(session: Session, what: tuple[str, ...], pretend: bool, force: bool, yes: bool) -> None:
    """Put back exactly what was: of the last run, since a date such as 2026-11-20, or in files at and below PATHs.

    A file whose genres somebody changed since is left alone. A file that is called `last`: `./last`.
    """
    from musrecd.commands.journal import take_back

    report = take_back(session.config(), what, pretend=pretend, force=force, yes=yes)
    if not pretend:
        failed = f", {report.failed:,} were not" if report.failed else ""
        click.echo(f"{counted(report.written, 'write')} taken back{failed}", err=True)
    if report.interrupted:
        leave(INTERRUPTED)
    sys.exit(FAILED if report.failed else 0)


@click.command(short_help="Show which genres were written.")
@click.argument("what", nargs=-1, metavar="[last|since DATE|PATH...]", callback=no_empty_names)
@click.option("-n", "--number", type=click.IntRange(1), default=50, show_default=True, help="The newest so many.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
@one_line_errors
def journal(session: Session, what: tuple[str, ...], number: int, as_json: bool) -> None:
    """Show what was written into files: when, what was there before, how sure it was, who predicted it, and whether
    somebody changed it since.
    """  # noqa: D205
    from musrecd.commands.journal import show

    show(session.config(), what, number=number, as_json=as_json)
