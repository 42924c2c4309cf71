"""`python -m model_training COMMAND`: from data sets to the weights that ship."""

import click

from model_training import evaluate, export, prepare, train


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Make an encoder: prepare, train, export, evaluate."""


for _module in (prepare, train, export, evaluate):
    main.add_command(_module.main, _module.__name__.rpartition(".")[2])


if __name__ == "__main__":
    main()
