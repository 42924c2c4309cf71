"""Where a worker finds what the scanning machine calls by another name."""

from collections.abc import Mapping
from pathlib import Path


def seen_as(path: bytes, folders: Mapping[Path, Path]) -> bytes:
    """Return a path of the scanning machine as this machine has it: the longest folder that fits is exchanged.

    `folders`: folder there → folder here. What lies in none of them is called the same on both.
    """
    for there, here in sorted(folders.items(), key=lambda pair: len(bytes(pair[0])), reverse=True):
        folder = bytes(there).rstrip(b"/")
        if path == folder or path.startswith(folder + b"/"):
            return bytes(here).rstrip(b"/") + path[len(folder) :] or b"/"
    return path
