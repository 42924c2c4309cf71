"""The page that benchmarks leave behind: tables, and what they were measured with."""

import os
import platform
import re
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGES = ("av", "numpy", "scipy", "soxr", "torch", "beets", "dask", "bliss-audio", "librosa")
_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table that reads well in a terminal, too; numbers stand right."""
    widths = [max(len(row[i]) for row in [heads, *rows]) for i in range(len(heads))]
    lines = [
        _line(heads, widths),
        "|" + "|".join("-" * (w + 1) + (":" if i else "-") for i, w in enumerate(widths)) + "|",
    ]
    return "\n".join([*lines, *(_line(row, widths) for row in rows)])


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [c.rjust(w) if i else c.ljust(w) for i, (c, w) in enumerate(zip(cells, widths, strict=True))]
    return "| " + " | ".join(padded) + " |"


def machine() -> str:
    """Processor, cores, system and versions in one paragraph; no names of hosts."""
    versions = [f"{name} {found}" for name in _PACKAGES if (found := _version(name))]
    cores = os.cpu_count() or 1
    system = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return f"{_processor()}, {cores} cores; {system}; {', '.join(versions)}."


def _processor() -> str:
    try:
        found = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    except OSError:
        found = None
    return found[1] if found else platform.processor() or "unknown processor"


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def sections(text: str) -> dict[str, str]:
    """Split a page into what stands under each heading; what comes before the first is under an empty one."""
    heads, parts = ["", *_HEADING.findall(text)], _HEADING.split(text)[::2]
    return {head: part.strip("\n") for head, part in zip(heads, parts, strict=True)}


def joined(parts: Mapping[str, str]) -> str:
    """Put a page together again."""
    texts = (f"## {head}\n\n{part}" if head else part for head, part in parts.items())
    return "\n\n".join(text.strip("\n") for text in texts) + "\n"
