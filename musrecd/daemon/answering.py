"""Answers what `beet similar` asks, from the library as it lies: whoever asks is spared what takes long to import.

A thread of its own does so, one question after the other, and keeps the library open for the next one; another notes
which items are heard, which takes longer.
"""

import logging
import os
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from musrecd.asking.ask import ask
from musrecd.asking.beets import BeetsCatalogue, seeds_of_items
from musrecd.asking.options import question
from musrecd.asking.shown import shown
from musrecd.config import Config
from musrecd.errors import LibraryError
from musrecd.library.items import BeetsItems
from musrecd.library.reader import LibraryReader
from musrecd.recommend import hubs
from musrecd.recommend.asking import Seed

_log = logging.getLogger("musrecd.daemon.server")

_ANSWER_S = 10.0
_REST_AFTER_S = 60.0
_BUSY_TIMEOUT_S = 1.0
# What whoever asks has to find out alone: it says what is wrong, and what helps.
_CANNOT: dict[str, Any] = {"cannot": True}


class Answering:
    """Answers from the library of a configuration."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="answering")
        self._notes = ThreadPoolExecutor(max_workers=1, thread_name_prefix="noting")
        self._noted: Future[None] | None = None
        self._reader: LibraryReader | None = None
        self._items: tuple[tuple[object, ...], BeetsItems] | None = None
        self._inode = 0
        self._asked_at: float | None = None

    def similar(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer what sounds like items of beets. Raises MusrecError if that makes no sense, TimeoutError."""
        self._asked_at = time.monotonic()
        answer: Future[dict[str, Any]] = Future()
        self._thread.submit(self._do, request, answer)
        return answer.result(_ANSWER_S)

    def check(self) -> None:
        """Let go of the library when nobody asked for a while."""
        if self._asked_at is not None and time.monotonic() > self._asked_at + _REST_AFTER_S:
            self._asked_at = None
            self._thread.submit(self._close)

    def stop(self) -> None:
        """Answer no more."""
        self._thread.submit(self._close)
        self._thread.shutdown(wait=False)
        self._notes.shutdown(wait=False, cancel_futures=True)

    def _do(self, request: dict[str, Any], answer: "Future[dict[str, Any]]") -> None:
        try:
            note = self._answer(request, answer.set_result)
        except LibraryError as error:
            _log.debug("not answered", extra={"reason": str(error)})
            self._close()
            answer.set_result(_CANNOT)
        except BaseException as error:
            answer.set_exception(error)
        else:
            if note is not None and (self._noted is None or self._noted.done()):
                self._noted = self._notes.submit(note)

    def _answer(self, request: dict[str, Any], tell: Callable[[dict[str, Any]], None]) -> Callable[[], None] | None:
        """Tell the answer; returns what is to be done after that, if anything."""
        reader = self._opened()
        database, folder = Path(request["beets"]["database"]), bytes.fromhex(request["beets"]["folder"])
        if (info := reader.encoder()) is None:
            tell(_CANNOT)
            return None
        asked = question(request["said"], self._config._replace(**request["config"]))
        items = self._items_of(reader, database, folder, info.version)
        seeds: list[Seed] = []
        heard: list[int] = []
        for numbers, weight in request["items"]:
            found, of_these = seeds_of_items(reader, info, items, numbers, weight)
            if not found:
                tell(_CANNOT)
                return None
            seeds += found
            heard += of_these if weight > 0 else []
        catalogue = BeetsCatalogue(items)
        answered = ask(reader, info, seeds, asked, catalogue, keeps=True)
        results = [shown(told, catalogue.numbers) for told in answered.told]
        tell({"results": results, "seeds": heard, "notes": answered.notes, "unheard": items.count_unheard()})
        return items.note

    def _items_of(self, reader: LibraryReader, database: Path, folder: bytes, version: str) -> BeetsItems:
        """Return the items of a beets library, opened anew if another file lies in its place."""
        which = database, _inode(database), folder, version
        if self._items is not None and self._items[0] == which:
            self._items[1].look_again()
            return self._items[1]
        if self._items is not None:
            self._items[1].close()
            self._items = None
        self._items = which, reader.items(database, folder, version)
        return self._items[1]

    def _opened(self) -> LibraryReader:
        """Return the library, opened anew if another file lies in its place."""
        inode = _inode(self._config.library)
        if self._reader is None or inode != self._inode:
            self._close()
            self._reader, self._inode = LibraryReader.open(self._config.library, busy_timeout_s=_BUSY_TIMEOUT_S), inode
        return self._reader

    def _close(self) -> None:
        if self._reader is not None:
            self._reader.close()
        self._reader = self._items = None
        hubs.forget()


def _inode(path: Path) -> int:
    try:
        return os.stat(path).st_ino
    except OSError:
        return 0
