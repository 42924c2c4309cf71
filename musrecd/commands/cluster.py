"""`musrecd worker`: hear for the scan of another machine."""

import click

from musrecd.commands.session import Session, one_line_errors
from musrecd.display import counted


@click.command(short_help="Hear for the scan of another machine.")
@click.argument("scheduler", metavar="ADDRESS")
@click.option("-t", "--threads", type=click.IntRange(1, 256), help="Processes that analyse.")
@click.pass_obj
@one_line_errors
def worker(session: Session, scheduler: str, threads: int | None) -> None:
    """Lend this machine to `musrecd scan --scheduler ADDRESS`, until Ctrl-C.

    ADDRESS is that of a dask scheduler, like tcp://host:8786. The files have to be here, too; if they have other names
    here, `cluster.paths` in the configuration of this machine says so. Anybody who reaches the scheduler can run
    programs here, as you: use it in networks that you trust.
    """
    from musrecd.cluster.serve import serve

    config = session.config(threads=threads)
    click.echo(f"Looking for {scheduler}", err=True)

    def on_joined(address: str) -> None:
        click.echo(f"Hearing for it as {address}, with {counted(config.threads, 'thread')}; Ctrl-C ends it", err=True)

    serve(config, scheduler, on_joined)
