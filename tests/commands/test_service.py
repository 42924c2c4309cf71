"""Units and agents hold the command as it has to be run, whatever its words are."""

import plistlib
import subprocess
import sys
from pathlib import Path

import pytest

from musrecd.commands import service
from musrecd.errors import MusrecError

OPTIONS = ["--config", '/home/me/my "music" 100% $HOME \\.yaml']


@pytest.fixture
def steps(monkeypatch, tmp_path) -> list[list[str]]:
    """What would be run; nothing is."""
    ran: list[list[str]] = []

    def run(step, **_):
        ran.append(list(step))
        return subprocess.CompletedProcess(step, 0, "", "")

    monkeypatch.setattr(service.subprocess, "run", run)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / ".config"))
    return ran


def unquoted(line: str) -> list[str]:
    """Words of a command as systemd reads them."""
    words = line.removeprefix("ExecStart=").strip('"').split('" "')
    return [word.replace("$$", "$").replace("%%", "%").replace('\\"', '"').replace("\\\\", "\\") for word in words]


def test_systemd_runs_the_command_and_is_told_when_it_is_ready(monkeypatch, steps, tmp_path, capsys):
    monkeypatch.setattr(sys, "platform", "linux")
    service.install(OPTIONS)
    unit = (tmp_path / ".config" / "systemd" / "user" / "musrecd.service").read_text(encoding="utf-8")
    (command,) = (line for line in unit.splitlines() if line.startswith("ExecStart="))
    assert unquoted(command) == [sys.executable, "-m", "musrecd.cli", *OPTIONS, "run"]
    assert "Type=notify" in unit
    assert "KillMode=mixed" in unit, "the daemon itself ends its workers"
    assert steps == [
        ["systemctl", "--user", "daemon-reload"],
        ["systemctl", "--user", "enable", "--now", "musrecd.service"],
    ]
    assert "musrecd.service" in capsys.readouterr().out


def test_launchd_runs_the_command(monkeypatch, steps, tmp_path):
    monkeypatch.setattr(sys, "platform", "darwin")
    service.install(OPTIONS)
    path = tmp_path / "Library" / "LaunchAgents" / "org.musrec.musrecd.plist"
    agent = plistlib.loads(path.read_bytes())
    assert agent["ProgramArguments"] == [sys.executable, "-m", "musrecd.cli", *OPTIONS, "run"]
    assert steps == [["launchctl", "load", "-w", str(path)]]


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_what_was_installed_is_taken_away(monkeypatch, steps, tmp_path, platform):
    monkeypatch.setattr(sys, "platform", platform)
    service.install([])
    steps.clear()
    service.uninstall()
    assert len(steps) == 1
    assert not [path for path in tmp_path.rglob("*musrecd*") if path.is_file()]
    with pytest.raises(MusrecError, match="nothing was installed"):
        service.uninstall()


def test_where_systemctl_does_not_work_the_person_is_told_what_to_type(monkeypatch, steps, capsys):
    monkeypatch.setattr(sys, "platform", "linux")

    def missing(*_args, **_kwargs):
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(service.subprocess, "run", missing)
    service.install([])
    assert "`systemctl --user daemon-reload` did not work" in capsys.readouterr().err


def test_another_system_is_told_what_there_is(monkeypatch, steps):
    monkeypatch.setattr(sys, "platform", "freebsd14")
    with pytest.raises(MusrecError, match="musrecd run"):
        service.install([])
    assert not list(Path.home().rglob("*musrecd*"))
