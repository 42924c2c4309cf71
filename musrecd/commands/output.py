"""Files that a command is asked to write: checked before the work, written whole or not at all."""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from musrecd.display import printable_path
from musrecd.errors import MusrecError


def check_output(output: Path, suffixes: Sequence[str]) -> None:
    """Refuse, before long work, an output that cannot be written or may be somebody's music. Raises MusrecError."""
    shown = printable_path(bytes(output))
    if output.suffix.lower() not in suffixes:
        raise MusrecError(f"the output has to be called something{' or '.join(suffixes)}, not {shown}")
    if os.path.lexists(output) and not output.is_file():
        raise MusrecError(f"{shown} is not a file")
    if not output.parent.is_dir():
        raise MusrecError(f"{shown} cannot be written: there is no folder {printable_path(bytes(output.parent))}")


def check_new(output: Path) -> None:
    """Refuse an output that is there already. Raises MusrecError."""
    if os.path.lexists(output):
        raise MusrecError(f"{printable_path(bytes(output))} is there already; name another file, or move it away")


def write_output(output: Path, content: bytes) -> None:
    """Write a file; there is the old one or the new one, never a part. Raises MusrecError."""
    target = output.resolve()  # a link stays one, and what it points at is written
    unfinished: Path | None = None
    try:
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".musrec-", delete=False) as file:
            unfinished = Path(file.name)
            file.write(content)
        unfinished.chmod(_mode(target))
        unfinished.replace(target)
        unfinished = None
    except OSError as error:
        raise MusrecError(f"{printable_path(bytes(output))} cannot be written: {error.strerror}") from error
    finally:
        if unfinished is not None:
            unfinished.unlink(missing_ok=True)


def _mode(target: Path) -> int:
    """Return the permissions that the file has, or would have if it were written plainly."""
    if target.exists():
        return target.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
