"""What all commands of `musrecd` share: where the configuration is, errors as one line, a clean end."""

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, NoReturn

import click

from musrecd.config import Config, read_config
from musrecd.display import printable
from musrecd.errors import ConfigError, LibraryDamagedError, MusrecError

INTERRUPTED = 130
FAILED = 1


@dataclass(slots=True)
class Session:
    """What the commands share: where the configuration is, read when a command needs it."""

    config_file: Path | None
    library: Path | None

    def config(self, **overrides: Any) -> Config:  # noqa: ANN401
        """Read the configuration, with what the command line says instead. Raises ConfigError."""
        config = read_config(self.config_file)
        chosen = {key: value for key, value in overrides.items() if value is not None}
        if self.library is not None:
            chosen["library"] = self.library
        return config._replace(**chosen)

    def options(self) -> list[str]:
        """Return what was said before the command, for another process."""
        options = [("--config", self.config_file), ("--library", self.library)]
        return [part for name, path in options if path is not None for part in (name, str(path.absolute()))]


def one_line_errors(command: Callable[..., None]) -> Callable[..., None]:
    """Show errors that are meant for a person as one line; Ctrl-C ends quietly."""

    @wraps(command)
    def run(session: Session, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        try:
            command(session, *args, **kwargs)
        except LibraryDamagedError as error:
            from musrecd.daemon.client import advice

            click.echo(f"musrecd: {printable(advice(session.config().library, error))}", err=True)
            sys.exit(FAILED)
        except MusrecError as error:
            click.echo(f"musrecd: {printable(str(error))}", err=True)
            sys.exit(2 if isinstance(error, ConfigError) else FAILED)
        except KeyboardInterrupt:
            click.echo("musrecd: stopped", err=True)
            leave(INTERRUPTED)
        except OSError as error:
            # Whoever read our output has had enough of it, or its disk is full.
            if not isinstance(error, BrokenPipeError):
                click.echo(f"musrecd: {error.strerror or error}", err=True)
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(FAILED)

    return run


def leave(status: int) -> NoReturn:
    """End; from here on another Ctrl-C only gets in the way of cleaning up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(status)


def no_empty_names(context: click.Context, parameter: click.Parameter, names: tuple[Any, ...]) -> tuple[Any, ...]:
    """Refuse what an unset variable of a shell leaves: an empty name would mean the current folder."""
    if not all(names):
        raise click.BadParameter("an empty name")
    return names
