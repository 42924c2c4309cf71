"""What the configuration says about writing, as the rules and the policy of a write."""

import os
from collections.abc import Iterable
from pathlib import Path

from musrecd.config import TaggingConfig
from musrecd.tagging.files import Rules
from musrecd.tagging.policy import Policy


def rules_of(tagging: TaggingConfig, roots: Iterable[bytes | Path], *, settle_s: float = 0.0) -> Rules:
    """Return the rules of a write; links are followed within `roots`.

    A file has to stand still for `settle_s` seconds: none, where a person who types a command has finished with it.
    """
    folders = tuple(os.path.abspath(os.fsencode(root)) for root in roots)
    return Rules(folders, tagging.hard_links, settle_s, tagging.keep_mtime)


def policy_of(tagging: TaggingConfig, count: int) -> Policy:
    """Return the policy of what is written without being asked for: the daemon and the import."""
    return Policy("extend" if tagging.write == "extend" else "fill", count)
