"""What the README and the help texts say is there, is there, and the other way round."""

import re
from pathlib import Path

import click
import pytest

from musrecd.cli import main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", main.commands.values(), ids=lambda command: command.name)
def test_every_command_is_in_the_readme_and_every_option_has_help(command: click.Command):
    assert f"musrecd {command.name} " in README
    assert command.short_help
    assert len(command.short_help) < 50
    assert command.help
    assert all(parameter.help for parameter in command.params if isinstance(parameter, click.Option))


def test_every_command_that_the_readme_shows_exists():
    shown = set(re.findall(r"musrecd (\w+)", "\n".join(re.findall(r"```.*?```|`[^`]+`", README, re.DOTALL))))
    assert shown <= set(main.commands)


def test_every_make_target_that_the_readme_shows_exists():
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    shown = set(re.findall(r"\bmake ([a-z]+)\b", "\n".join(re.findall(r"```.*?```|`[^`]+`", README, re.DOTALL))))
    assert shown
    assert shown <= targets


@pytest.mark.parametrize("page", ["README.md", "docs/architecture.md", "docs/cluster.md", "docs/training.md"])
def test_every_file_that_a_page_names_exists(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    linked = re.findall(r"\]\(([^)#:]+)\)", text)
    modules = [m.replace(".", "/") for m in re.findall(r"python -m ([\w.]+)", text)]
    for name in linked:
        assert ((ROOT / page).parent / name).exists(), name
    for name in modules:
        assert (ROOT / f"{name}.py").exists() or (ROOT / name / "__main__.py").exists(), name
