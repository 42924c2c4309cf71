"""Scan folders, unless nothing changed in them since a scan that found nothing to do: then nobody need walk.

Nor is anything imported that hears or writes, which takes longer than to look.
"""

import os
import time
from collections.abc import Sequence

import click

from musrecd.analysis.card import SHIPPED_WEIGHTS, read_card
from musrecd.analysis.hearing import full_version
from musrecd.commands.summary import summary_line
from musrecd.config import Config
from musrecd.ingest.glance import glance
from musrecd.ingest.report import Report
from musrecd.library.looks import Sight


def scan_unless_unchanged(config: Config, folders: Sequence[bytes]) -> Report:
    """Bring the library in line with `folders` and say what that took. Raises LibraryError, EncoderError."""
    started = time.monotonic()
    sights, n_known = _seen(config, [os.path.abspath(folder) for folder in folders])
    if n_known is None:
        from musrecd.commands.scan import scan_folders

        return scan_folders(config, folders, sights=sights)
    report = Report(known=n_known, seconds=time.monotonic() - started)
    click.echo(summary_line(report), err=True)
    return report


def _seen(config: Config, folders: Sequence[bytes]) -> tuple[dict[bytes, Sight], int | None]:
    """Return what scans of `folders` depend on, and how many files are known if there is nothing to do in any."""
    version = full_version(read_card(config.encoder or SHIPPED_WEIGHTS, config.coverage).info.version)
    # The daemon's looks leave files alone that a scan tries again.
    found = {folder: glance(config.library, folder, version, asker="scan") for folder in folders}
    sights = {folder: sight for folder, (sight, _) in found.items() if sight is not None}
    counts = [noted[0] for _, noted in found.values() if noted is not None]
    # Of folders within each other each file is looked at once, and counted once.
    are_apart = not any(a != b and a.startswith(b.rstrip(b"/") + b"/") for a in found for b in found)
    return sights, sum(counts) if len(counts) == len(found) and are_apart else None
