"""`musrecd service`: a unit for systemd or an agent for launchd, of the person and not of the system."""

import plistlib
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from musrecd.display import printable_path
from musrecd.errors import MusrecError

_LABEL = "org.musrec.musrecd"
_UNIT = """\
[Unit]
Description=musrecd: hears new music and keeps the library of sounds
After=local-fs.target remote-fs.target

[Service]
Type=notify
ExecStart={command}
ExecReload=/bin/kill -HUP $MAINPID
Restart=on-failure
RestartSec=30
WatchdogSec=300
KillMode=mixed
TimeoutStopSec=15
Nice=10
NoNewPrivileges=yes

[Install]
WantedBy=default.target
"""


def install(options: Sequence[str]) -> None:
    """Write what starts the daemon with the person's session, and start it. `options` are those of `musrecd`."""
    command = [sys.executable, "-m", "musrecd.cli", *options, "run"]
    path = _path()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_launchd(command) if sys.platform == "darwin" else _systemd(command), encoding="utf-8")
    click.echo(f"wrote {printable_path(bytes(path))}")
    for step in _steps(path, install=True):
        _run(step)


def uninstall() -> None:
    """End the daemon that `install` started and take its file away."""
    path = _path()
    if not path.exists():
        raise MusrecError(f"{printable_path(bytes(path))} is not there; nothing was installed")
    for step in _steps(path, install=False):
        _run(step)
    path.unlink()
    click.echo(f"removed {printable_path(bytes(path))}")


def _path() -> Path:
    if sys.platform == "darwin":
        return Path.home() / "Library" / "LaunchAgents" / f"{_LABEL}.plist"
    if sys.platform == "linux":
        import platformdirs

        return platformdirs.user_config_path("systemd") / "user" / "musrecd.service"
    raise MusrecError("services are for systemd and launchd; start `musrecd run` with what your system has")


def _systemd(command: Sequence[str]) -> str:
    # Within quotes systemd unescapes backslashes, and takes % and $ for its own.
    words = (word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$") for word in command)
    return _UNIT.format(command=" ".join(f'"{word}"' for word in words))


def _launchd(command: Sequence[str]) -> str:
    agent = {
        "Label": _LABEL,
        "ProgramArguments": list(command),
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ProcessType": "Background",
    }
    return plistlib.dumps(agent).decode()


def _steps(path: Path, *, install: bool) -> list[list[str]]:
    if sys.platform == "darwin":
        return [["launchctl", "load" if install else "unload", "-w", str(path)]]
    if install:
        return [["systemctl", "--user", "daemon-reload"], ["systemctl", "--user", "enable", "--now", path.name]]
    return [["systemctl", "--user", "disable", "--now", path.name]]


def _run(step: Sequence[str]) -> None:
    """Run one step; where the system cannot, the person is told what to type."""
    try:
        result = subprocess.run(step, capture_output=True, text=True, check=False)  # noqa: S603
        problem = result.stderr.strip() if result.returncode else ""
    except OSError as error:
        problem = error.strerror or str(error)
    if problem:
        click.echo(f"`{' '.join(step)}` did not work ({' '.join(problem.split())}); run it yourself", err=True)
