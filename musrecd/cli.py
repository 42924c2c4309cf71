"""The `musrecd` command: everything musrec does, over plain folders, without beets."""

import io
import json
import os
import signal
import sys
from pathlib import Path

import click

from musrecd.commands import asking, cluster, exchange, exploring, playlisting, tagging
from musrecd.commands.session import FAILED, INTERRUPTED, Session, leave, no_empty_names, one_line_errors
from musrecd.config import Config
from musrecd.display import counted, printable_path
from musrecd.errors import ConfigError

_paths = click.Path(path_type=bytes)
_threads = click.option("-t", "--threads", type=click.IntRange(1, 256), help="Processes that analyse.")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--config", "config_file", type=click.Path(path_type=Path), help="Configuration with a musrec: section.")
@click.option("--library", type=click.Path(path_type=Path), help="The library file, whatever the configuration says.")
@click.version_option(package_name="musrec", prog_name="musrecd")
@click.pass_context
def main(context: click.Context, config_file: Path | None, library: Path | None) -> None:
    """Find the tracks of your own library that sound alike, from the sound alone."""
    # Being told to end is like Ctrl-C: stop cleanly, keep what was done.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A title that the terminal's encoding does not hold is shown escaped, not a reason to fail.
            stream.reconfigure(errors="backslashreplace")
    context.obj = Session(config_file, library)


@main.command(short_help="Analyse what is new in folders.")
@click.argument("folders", nargs=-1, type=_paths, callback=no_empty_names)
@_threads
@click.option("-f", "--force", is_flag=True, help="Analyse again what is known already.")
@click.option("--retry", is_flag=True, help="Try again what failed before and has not changed.")
@click.option("--scheduler", metavar="ADDRESS", help="Let the workers of a dask scheduler hear: tcp://host:8786.")
@click.pass_obj
@one_line_errors
def scan(
    session: Session, folders: tuple[bytes, ...], threads: int | None, force: bool, retry: bool, scheduler: str | None
) -> None:
    """Analyse what is new in FOLDERS (default: those of the configuration).

    Can be stopped at any time; the next run goes on from there. Ends with status 1 if a file failed.
    """
    from musrecd.commands import unchanged

    config = session.config(threads=threads)
    chosen = folders or tuple(os.fsencode(folder) for folder in config.folders)
    if not chosen:
        raise click.UsageError("name a folder, or set `folders:` in the configuration")
    if force or retry or scheduler is not None:
        from musrecd.commands.scan import scan_folders

        report = scan_folders(config, chosen, force=force, retry_failed=retry, scheduler=scheduler)
    else:
        report = unchanged.scan_unless_unchanged(config, chosen)
    if report.interrupted:
        leave(INTERRUPTED)
    sys.exit(FAILED if report.failed else 0)


@main.command(short_help="Show what the library holds and what failed.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--watch", "keep_on", is_flag=True, help="Keep it up to date until Ctrl-C.")
@click.pass_obj
@one_line_errors
def status(session: Session, as_json: bool, keep_on: bool) -> None:
    """Show what the library holds, what failed, which encoder answers, and what the daemon does."""
    from musrecd.commands import status as status_page

    config = session.config()
    if keep_on:
        status_page.watch(config)
    elif as_json:
        click.echo(json.dumps(status_page.collect(config), indent=1))
    else:
        status_page.show(status_page.collect(config))


@main.command(short_help="List what could not be heard, with the reasons.")
@click.pass_obj
@one_line_errors
def failures(session: Session) -> None:
    """List every file that could not be heard and why; `musrecd status --json` holds the same for programs."""
    from musrecd.commands import status as status_page

    status_page.show_failures(session.config())


@main.command(short_help="Write embeddings of files as NumPy arrays.")
@click.argument("paths", nargs=-1, required=True, type=_paths, callback=no_empty_names)
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The .npz.")
@_threads
@click.pass_obj
@one_line_errors
def embed(session: Session, paths: tuple[bytes, ...], output: Path, threads: int | None) -> None:
    """Analyse files and folders into OUTPUT, a NumPy .npz; the library is not touched.

    Arrays: paths, embeddings (n, dim; unit length), label_names, label_groups, probabilities (n, n_labels),
    bpm, bpm_confidence, key, key_confidence, duration_s, encoder_version.
    """
    from musrecd.commands.embed import embed_files

    report = embed_files(session.config(threads=threads), paths, output)
    if report.interrupted:
        raise KeyboardInterrupt
    message = f"Wrote {counted(report.analysed, 'track')} to {printable_path(bytes(output))}"
    click.echo(f"{message}, {report.failed} failed" if report.failed else message, err=True)
    sys.exit(FAILED if report.failed else 0)


@main.command(short_help="Watch folders and hear what is new.")
@click.option("--log-time", is_flag=True, help="Write the time into each line of the log; journals do that themselves.")
@click.pass_obj
@one_line_errors
def run(session: Session, log_time: bool) -> None:
    """Stay in the foreground, watch the folders of the configuration, and hear what is new in them.

    For systemd, launchd and containers; `musrecd start` does it in the background. SIGTERM and Ctrl-C end it, SIGHUP
    lets it read its configuration again.
    """
    from musrecd.daemon.run import run_daemon

    def config() -> Config:
        found = session.config()
        if not found.folders:
            raise ConfigError("nothing is to be watched: set `folders:` in the configuration")
        return found

    run_daemon(config, log_time=log_time)


@main.command(short_help="Start the daemon in the background.")
@click.pass_obj
@one_line_errors
def start(session: Session) -> None:
    """Start `musrecd run` in the background, where it outlives the terminal."""
    from musrecd.commands import daemon

    daemon.start(session.config(), session.options())


@main.command(short_help="End the daemon.")
@click.pass_obj
@one_line_errors
def stop(session: Session) -> None:
    """End the daemon; what it was hearing is heard when it runs again."""
    from musrecd.commands import daemon

    daemon.stop(session.config())


@main.command(short_help="Try again what failed.")
@click.pass_obj
@one_line_errors
def retry(session: Session) -> None:
    """Let the daemon try again what failed; without a daemon, its next start does."""
    from musrecd.commands import daemon

    click.echo(f"{counted(daemon.retry(session.config()), 'file')} will be tried again")


@main.group(short_help="Let systemd or launchd run the daemon.")
def service() -> None:
    """Let the system start the daemon with your session, and start it again if it fails."""


@service.command(short_help="Write a systemd user unit or a launchd agent, and start it.")
@click.pass_obj
@one_line_errors
def install(session: Session) -> None:
    """Write a systemd user unit or a launchd agent that runs `musrecd run`, and start it."""
    from musrecd.commands import service as services

    session.config()  # what is wrong with it is said now, not in a journal
    services.install(session.options())


@service.command(short_help="End it and take it away.")
@click.pass_obj
@one_line_errors
def uninstall(_session: Session) -> None:
    """End the daemon that `install` started, and take its file away."""
    from musrecd.commands import service as services

    services.uninstall()


_COMMANDS = (
    asking.similar, exploring.recommend, exploring.show, exploring.draw, playlisting.playlist,
    tagging.tag, tagging.undo, tagging.journal, cluster.worker, exchange.export, exchange.import_,
)  # fmt: skip
for command in _COMMANDS:
    main.add_command(command)

if __name__ == "__main__":
    main()
