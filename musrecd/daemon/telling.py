"""What watchdog saw, told as hints."""

import os
from collections.abc import Callable

from watchdog.events import FileSystemEvent, FileSystemEventHandler

from musrecd.daemon.hints import Gone, Hint, Moved, Touched
from musrecd.ingest.discover import could_be_music


class Telling(FileSystemEventHandler):
    """Tells what may have happened to music below `folder`; a folder that came up is given to `made`."""

    def __init__(self, folder: bytes, tell: Callable[[Hint], None], made: Callable[[bytes], None]) -> None:
        self._folder, self._tell, self._made = folder, tell, made

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Tell of one event."""
        source, destination = _path(event.src_path), _path(event.dest_path)
        match event.event_type, event.is_directory:
            case "deleted", is_folder:
                if is_folder or self._is_wanted(source):
                    self._tell(Gone(source))
            case "moved", is_folder:
                self._moved(source, destination, is_folder)
            case "created", True:
                self._made(source)
            case _, False if self._is_wanted(source):
                self._tell(Touched(source))

    def _moved(self, source: bytes, destination: bytes, is_folder: bool) -> None:
        if is_folder:
            # Its files are told one by one; what stood below the old name and was not is gone.
            self._tell(Gone(source))
            return
        was_wanted, is_wanted = self._is_wanted(source), self._is_wanted(destination)
        if was_wanted and is_wanted:
            self._tell(Moved(source, destination))
        elif was_wanted:
            self._tell(Gone(source))
        elif is_wanted:
            self._tell(Touched(destination))

    def _is_wanted(self, path: bytes) -> bool:
        return bool(path) and could_be_music(path, below=self._folder)


def _path(path: bytes | str) -> bytes:
    # The watched folder itself is told with the slash that it is watched with.
    return os.fsencode(path).removesuffix(b"/")
