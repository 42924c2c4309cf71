"""`python -m model_training COMMAND`: from data sets to the weights that ship."""

import click

from model_training import average, card, evaluate, export, figures, prepare, train
from musrecd.errors import EncoderError


class _Commands(click.Group):
    """What is wrong with data or options is said in one line."""

    def invoke(self, context: click.Context) -> object:
        """Run a command."""
        try:
            return super().invoke(context)
        except (EncoderError, FileNotFoundError, ValueError) as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Make an encoder: prepare, train, average, export, evaluate, figures, card."""


for _module in (prepare, train, average, export, evaluate, figures, card):
    main.add_command(_module.main, _module.__name__.rpartition(".")[2])


if __name__ == "__main__":
    main()
