"""The options of `musrecd similar`."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from musrecd.asking.table import CHOICE, OUTPUT, RULES
from musrecd.commands.session import Session, no_empty_names, one_line_errors


def _with_table(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that `beet similar` has, too."""
    for option in reversed((*RULES, *CHOICE, *OUTPUT)):
        kind: dict[str, Any] = {"is_flag": True} if option.metavar is None else {"metavar": option.metavar}
        command = click.option(option.flag, option.name, help=option.help, multiple=option.is_multiple, **kind)(command)
    return command


@click.command(short_help="Show what sounds like a file or a track.")
@click.argument("seeds", nargs=-1, metavar="FILE|WORDS...", callback=no_empty_names)
@click.option("--random", "by_chance", is_flag=True, help="Ask about a track picked by chance.")
@click.option("-n", "--number", type=click.IntRange(1, 100000), help="How many tracks to show.")
@click.option("--min-score", type=click.FloatRange(-1, 1), help="Least likeness of the sound (cosine).")
@click.option("--like", multiple=True, metavar="FILE|WORDS", help="More like these, too; may be given again.")
@click.option("--unlike", multiple=True, metavar="FILE|WORDS", help="Less like these; may be given again.")
@click.option("--file", "files", multiple=True, metavar="FILE", help="Like this file; - is the standard input.")
@click.option("--in", "inside", multiple=True, metavar="WORDS", help="Only among the tracks that words find.")
@click.option("--to", metavar="FILE|WORDS", help="The way from the track asked about to this one, in --number steps.")
@_with_table
@click.option("-p", "--path", "only_paths", is_flag=True, help="Print the paths alone.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--store", is_flag=True, help="Keep the analysis of a file that is not in the library.")
@click.pass_obj
@one_line_errors
def similar(session: Session, seeds: tuple[str, ...], **values: Any) -> None:  # noqa: ANN401
    """Show the tracks of the library that sound most like FILE, in the library or not.

    What names no file is taken as WORDS of path, artist, title or album; several seeds are taken together. A file
    called - is the standard input.
    """
    from musrecd.asking.options import question
    from musrecd.commands import similar as answers
    from musrecd.commands import similar_page as page
    from musrecd.playlists.delivery import deliver

    if bool(seeds or values["like"] or values["files"]) == values["by_chance"]:
        raise click.UsageError("name a file or words, or ask with --random; not both")
    if values["only_paths"] and values["as_json"]:
        raise click.UsageError("either --path or --json")
    config = session.config(number=values["number"], min_score=values["min_score"])
    files = (answers.by_chance(config),) if values["by_chance"] else values["files"]
    about = answers.About((*seeds, *values["like"]), values["unlike"], files, values["inside"], values["to"])
    answer = answers.similar_to(config, about, question(values, config), store=values["store"])
    if values["as_json"]:
        click.echo(json.dumps(page.to_dict(answer), indent=1))
    elif values["only_paths"]:
        for found in answer.found:
            sys.stdout.buffer.write(found.track.path + b"\n")
    else:
        page.show(answer, explain=values["explain"], path_to=values["to"] is not None)
    playlist = Path(values["playlist"]) if values["playlist"] else None
    for line in deliver([found.track for found in answer.found], config, playlist=playlist, to_mpd=values["mpd"]):
        click.echo(line, err=True)
