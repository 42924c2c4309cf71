"""The command of `musrecd` that writes playlists."""

import sys

import click

from musrecd.commands.session import FAILED, Session, no_empty_names, one_line_errors


@click.command(short_help="Write the playlists of the configuration.")
@click.argument("names", nargs=-1, metavar="[NAME...]", callback=no_empty_names)
@click.option("-p", "--pretend", is_flag=True, help="Only show what would be in them.")
@click.option("--mpd", "to_mpd", is_flag=True, help="Add the tracks to the queue of MPD instead of writing files.")
@click.option("--replace", is_flag=True, help="With --mpd: in place of what is in the queue, and play.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
@one_line_errors
def playlist(
    session: Session, names: tuple[str, ...], pretend: bool, to_mpd: bool, replace: bool, as_json: bool
) -> None:
    """Write the playlists called NAME (default: all of the configuration), those that changed only.

    A file that musrec did not write, or that somebody changed since, stays as it is.
    """
    from musrecd.commands import playlist as playlists

    if pretend and to_mpd:
        raise click.UsageError("either --pretend or --mpd")
    if replace and not to_mpd:
        raise click.UsageError("--replace goes with --mpd")
    config = session.config()
    if pretend:
        all_done = playlists.show_lists(config, names)
    elif to_mpd:
        all_done = playlists.queue_lists(config, names, replace=replace)
    else:
        all_done = playlists.write_lists(config, names)
    playlists.show(all_done, as_json=as_json)
    sys.exit(FAILED if any(done.error for done in all_done) else 0)
