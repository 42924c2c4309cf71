"""Where the daemon of a library is to be found: a socket that only its owner can reach, and a lock.

Imports little: whoever asks a question comes through here.
"""

import os
import zlib
from pathlib import Path

import platformdirs


def socket_path(library: Path) -> Path:
    """Return the Unix socket; not beside the library, because its whole name may have a hundred characters only.

    Where the system gives the person no folder for sockets, as in containers, it lies in a folder of their own: what
    lies in the one for everybody may be somebody else's.
    """
    name = f"{zlib.crc32(os.fsencode(library.resolve())):08x}"
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    folder = Path(runtime) / "musrec" if runtime else platformdirs.user_state_path("musrec")
    return folder / f"{name}.sock"


def lock_path(library: Path) -> Path:
    """Return the lock file, beside the library: two daemons that reach the same library must not both run."""
    resolved = library.resolve()
    return resolved.with_name(f"{resolved.name}.daemon")
