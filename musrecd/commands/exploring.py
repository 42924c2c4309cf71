"""The commands of `musrecd` that show what is there: the map, one file, and what of a list a person may like."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from musrecd.commands.session import FAILED, Session, no_empty_names, one_line_errors
from musrecd.display import counted, printable, printable_path

if TYPE_CHECKING:
    from rich.console import Console

    from musrecd.commands.recommend import By

_WIDE = 160
_list = click.Path(path_type=Path)
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


@click.command("recommend", short_help="Rank tracks by what you like.")
@click.option("--liked", type=_list, required=True, help="A playlist of tracks that you like, or names of them.")
@click.option("--from", "candidates", type=_list, required=True, help="A playlist of tracks to choose from.")
@click.option("-n", "--number", type=click.IntRange(1, 100000), help="How many tracks to show.")
@click.option("--by", "way", type=click.Choice(["genre", "sound"]), help="Rank by this alone; else by both.")
@click.option("--playlist", type=_output, metavar="OUT.m3u8", help="Write them as a playlist, too; needs --by.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
@one_line_errors
def recommend(
    session: Session,
    liked: Path,
    candidates: Path,
    number: int | None,
    way: "By | None",
    playlist: Path | None,
    as_json: bool,
) -> None:
    """Find which genres you favour in one list, with the evidence, and rank another list by them, and by sound.

    Lists are playlists (.m3u, .m3u8) or texts with a file or a name like `Artist - Title` in each line; names are
    looked up in the library. What the library does not know is listened to now, and not stored. Ends with status 1 if
    an entry could not be found or heard.
    """
    from musrecd.commands import recommend as answers
    from musrecd.commands.recommend_text import show
    from musrecd.playlists.delivery import deliver

    if playlist is not None:
        if way is None:
            raise click.UsageError("a playlist has one order: say --by genre or --by sound")
        answers.check_playlist(playlist)
    config = session.config(number=number)
    found = answers.recommend(config, liked, candidates, [way] if way else ["genre", "sound"])
    found = answers.cut(found, config.number)
    if playlist is not None and way is not None:
        tracks = answers.tracks_of(found.rankings[way])
        for line in deliver(tracks, config, playlist=playlist, to_mpd=False):
            click.echo(line, err=True)
    if as_json:
        click.echo(json.dumps(answers.to_dict(found), indent=1))
    else:
        show(found, _console())
    if found.failures:
        click.echo(f"{counted(len(found.failures), 'track')} could not be found or heard", err=True)
        sys.exit(FAILED)


@click.command("show", short_help="Show all that is known of files.")
@click.argument("names", nargs=-1, required=True, metavar="FILE|WORDS...", callback=no_empty_names)
@click.option("--hear", is_flag=True, help="Listen now, also to what the library knows.")
@click.option("-n", "--number", type=click.IntRange(1, 100000), help="How many tracks that words name to show.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
@one_line_errors
def show(session: Session, names: tuple[str, ...], hear: bool, number: int | None, as_json: bool) -> None:
    """Show tags, length, tempo, key, what it sounds like, copies, and when FILE was heard.

    What names no file is taken as WORDS of path, artist, title or album. A file that is not in the library is listened
    to now and not stored; then it is also said what else its tempo could be. Ends with status 1 if a file failed.
    """
    from musrecd.commands import show as sheets
    from musrecd.commands import show_text

    found = sheets.sheets_of(session.config(number=number), names, hear=hear)
    if as_json:
        click.echo(json.dumps([sheets.to_dict(sheet) for sheet in found.sheets], indent=1))
    else:
        console = _console()
        for sheet in found.sheets:
            show_text.show(sheet, console)
    if found.n_more:
        click.echo(f"and {counted(found.n_more, 'other track')}; -n shows more", err=True)
    for name, message in found.failures:
        click.echo(f"musrecd: {name}: {printable(message)}", err=True)
    if found.failures:
        sys.exit(FAILED)


def _console() -> "Console":
    # Late, because all commands are made whenever one is run.
    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() else _WIDE)
