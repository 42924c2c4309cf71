"""`musrecd status`: what the library holds, what failed, which encoder answers."""

import shutil
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import click
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from musrecd.analysis.card import SHIPPED_WEIGHTS, read_card
from musrecd.config import Config
from musrecd.daemon import client
from musrecd.display import clock, counted, printable, printable_path
from musrecd.library.reader import LibraryReader

_SHOWN_FAILURES = 10
_DAEMON_S = 5.0
_WATCH_S = 2.0
# The library with its vectors, and its backups, want to grow.
_NEARLY_FULL_BYTES = 500_000_000
_COPIES = 2
_MANY_WATCHES = 0.8
_METHODS = {"events": "as changes happen", "polling": "now and then", "absent": "not there"}
_WAITING = {
    "asked": "asked for",
    "new": "new",
    "backfill": "never heard before",
    "again": "to be heard again",
}


def collect(config: Config) -> dict[str, Any]:
    """Gather the state as plain values. Raises LibraryError if there is no library yet."""
    card = read_card(config.encoder or SHIPPED_WEIGHTS, config.coverage)
    with LibraryReader.open(config.library) as reader:
        summary = reader.summary()
        answering = reader.encoder()
        failures = reader.failures()
        waiting = reader.waiting()
        n_tagged, n_to_tag = reader.journal.counts()
        learnt_with = reader.learnt_with()
    return {
        "daemon": client.ask(config.library, {"do": "status"}, timeout_s=_DAEMON_S),
        "waiting": {priority.name.lower(): n for priority, n in waiting.items()},
        "library": str(config.library),
        "size_bytes": summary.database_bytes,
        "disk_free_bytes": shutil.disk_usage(config.library.resolve().parent).free,
        "journal_mode": summary.journal_mode,
        "files": summary.files,
        "recordings": summary.recordings,
        "missing": summary.missing,
        "encoder": card.info.version,
        "answering_encoder": answering.version if answering else None,
        "analysed": summary.analysed,
        "genres": {"write": config.tagging.write, "written": n_tagged, "waiting": n_to_tag, "learnt_with": learnt_with},
        "failures_by_reason": summary.failures,
        "failures": [
            {
                "path": printable_path(failure.path),
                "reason": failure.reason,
                "message": failure.message,
                "attempts": failure.attempts,
            }
            for failure in failures
        ],
    }


def show(state: dict[str, Any]) -> None:
    """Print the state as a page."""
    Console(highlight=False, soft_wrap=True).print(_page(state))


def watch(config: Config) -> None:
    """Show the state and keep it up to date until Ctrl-C."""
    with Live(_page(collect(config)), console=Console(highlight=False), auto_refresh=False, screen=True) as live:
        while True:
            time.sleep(_WATCH_S)
            live.update(_page(collect(config)), refresh=True)


def show_failures(config: Config) -> None:
    """Print every file that could not be heard, with the reason; a line each."""
    with LibraryReader.open(config.library) as reader:
        for failure in reader.failures():
            click.echo(f"{printable_path(failure.path)}: {printable(failure.message)}")


def _page(state: dict[str, Any]) -> Group:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim")
    # A path that is cut off helps nobody.
    table.add_column(overflow="fold")
    for name, text in (*_library_rows(state), *_daemon_rows(state)):
        table.add_row(name, Text(text))
    parts: list[Table | Text] = [table]
    if state["failures"]:
        parts.append(Text("  `musrecd retry` tries them again", style="dim"))
    parts += [
        Text(f"  {failure['path']}: {printable(failure['message'])}", style="dim")
        for failure in state["failures"][:_SHOWN_FAILURES]
    ]
    if len(state["failures"]) > _SHOWN_FAILURES:
        parts.append(Text("  … all of them: musrecd failures", style="dim"))
    return Group(*parts)


def _library_rows(state: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Say what the library holds."""
    size = f"{state['size_bytes'] / 1e6:.1f} MB, journal {state['journal_mode']}"
    yield "Library", f"{printable(state['library'])} ({size})"
    if state["disk_free_bytes"] < max(_NEARLY_FULL_BYTES, _COPIES * state["size_bytes"]):
        yield "Disk", f"nearly full: {state['disk_free_bytes'] / 1e6:,.0f} MB free where the library lies"
    missing = f", {state['missing']:,} missing" if state["missing"] else ""
    yield "Files", f"{state['files']:,} ({state['recordings']:,} recordings{missing})"
    for version, n_rows in state["analysed"].items():
        role = " (in use)" if version == state["answering_encoder"] else ""
        share = f", {n_rows / state['recordings']:.0%} of all" if len(state["analysed"]) > 1 else ""
        yield "Analysed", f"{n_rows:,} by {version}{share}{role}"
    yield "Encoder", state["encoder"]
    yield "Genres", _genres(state)
    yield "Failed", ", ".join(f"{n:,} {reason}" for reason, n in state["failures_by_reason"].items()) or "none"


def _genres(state: dict[str, Any]) -> str:
    """Say what the daemon and the import write, what was written, and whether the person's own words are spoken."""
    genres, encoder = state["genres"], state["answering_encoder"]
    manner = {"no": "nothing is written by itself", "fill": "written where none is", "extend": "added to what is there"}
    parts = [manner[genres["write"]], f"{genres['written']:,} written so far"]
    if genres["waiting"]:
        parts.append(f"{counted(genres['waiting'], 'file')} to come")
    if encoder in genres["learnt_with"]:
        parts.append("your own words")
    elif genres["learnt_with"]:
        parts.append("your own words were learnt with another encoder: `beet tagpredict --learn`")
    return "; ".join(parts)


def _daemon_rows(state: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Say what waits, who hears it, and how each folder is watched."""
    daemon, n_waiting = state["daemon"], sum(state["waiting"].values())
    kinds = ", ".join(f"{n:,} {_WAITING[kind]}" for kind, n in state["waiting"].items())
    speed = daemon["per_second"] if daemon else 0.0
    left = f", about {clock(n_waiting / speed)} left" if n_waiting and speed else ""
    yield "Waiting", f"{kinds}{left}" if n_waiting else "none"
    if daemon is None:
        yield "Daemon", "not running; `musrecd start` starts it"
        return
    now = [f"hears {', '.join(daemon['under_way'])}"] if daemon["under_way"] else []
    now += [f"looks through {', '.join(daemon['looking'])}"] if daemon["looking"] else []
    yield "Daemon", f"runs since {_local(daemon['started_at'])}, {' and '.join(now) or 'rests'}"
    for folder in daemon["folders"]:
        yield "Watched", _watched(folder)
    if daemon["watch_limit"]:
        near = daemon["watches"] > _MANY_WATCHES * daemon["watch_limit"]
        advice = "; raise the limit: `sysctl fs.inotify.max_user_watches=524288`" if near else ""
        yield "Watches", f"{daemon['watches']:,} of {daemon['watch_limit']:,}{advice}"


def _local(moment: str) -> str:
    return f"{datetime.fromisoformat(moment).astimezone():%Y-%m-%d %H:%M}"


def _watched(folder: dict[str, Any]) -> str:
    why = f" ({folder['why']})" if folder["why"] and folder["watched"] != "absent" else ""
    looked = (
        f", {counted(folder['files'], 'file')} at {_local(folder['looked_through_at'])}"
        if folder["files"] is not None
        else ""
    )
    emptied = "; holds nothing any more, perhaps it is not mounted" if folder["emptied"] else ""
    return f"{folder['path']} {_METHODS[folder['watched']]}{why}{looked}{emptied}"
