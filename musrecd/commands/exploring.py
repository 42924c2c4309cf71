"""The commands of `musrecd` that show what is there: the map, one file, and what of a list a person may like."""

from pathlib import Path

import click

from musrecd.commands.session import Session, no_empty_names, one_line_errors
from musrecd.display import counted, printable_path

_output = click.Path(path_type=Path, dir_okay=False)


@click.command("map", short_help="Draw the library in two dimensions.")
@click.argument("output", type=_output, metavar="OUT.png|OUT.html")
@click.option("-s", "--seeds", multiple=True, metavar="FILE|WORDS", callback=no_empty_names, help="Mark these tracks.")
@click.option("--to", metavar="FILE|WORDS", help="Draw a path from the first seed to this track.")
@click.option(
    "--group", type=click.Choice(["genre", "mood", "artist"]), default="genre", show_default=True,
    help="What colours stand for.",
)  # fmt: skip
@click.pass_obj
@one_line_errors
def draw(session: Session, output: Path, seeds: tuple[str, ...], to: str | None, group: str) -> None:
    """Draw all tracks of the library so that what sounds alike lies together.

    OUT.png is a picture, OUT.html a page to move about in: it is one file and needs no network. Colours are genres:
    those of the files, or else what they sound like. --seeds can be given several times.
    """
    from musrecd.commands.map import draw_map

    if to is not None and not seeds:
        raise click.UsageError("a path needs a beginning: name it with --seeds")
    n = draw_map(session.config(), output, seeds=seeds, to=to, group=group)
    click.echo(f"Wrote {counted(n, 'track')} to {printable_path(bytes(output))}", err=True)
