"""The daemon: one loop that owns the library and hears of everything else through its inbox.

Threads watch, serve, schedule and wait for workers; each of them only leaves a message. The loop alone decides, so
that nothing happens twice and what is stored is stored in one place. What a folder holds is decided by looking
through it; what the watcher tells only says where to look sooner.
"""

import logging
import os
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from queue import Empty, SimpleQueue

from musrecd.analysis.card import SHIPPED_WEIGHTS, read_card
from musrecd.analysis.hearing import HEARING
from musrecd.config import Config
from musrecd.daemon.arrivals import Arrivals
from musrecd.daemon.chores import Chores
from musrecd.daemon.coverage import Coverage
from musrecd.daemon.hearing import Heard, Hearing
from musrecd.daemon.hints import Gone, Missed, Moved, Touched
from musrecd.daemon.intake import Intake
from musrecd.daemon.looking import Look
from musrecd.daemon.lookout import Lookout
from musrecd.daemon.messages import Ask, Damaged, LookDone, LookThrough, Message, Stop, TagsDone, Upkeep
from musrecd.daemon.settling import Settling
from musrecd.daemon.state import State
from musrecd.daemon.tagger import Tagger
from musrecd.daemon.watcher import Root, Watcher
from musrecd.daemon.work import Work
from musrecd.errors import LibraryUnavailableError, MusrecError
from musrecd.ingest.ingest import task_for
from musrecd.ingest.pool import kill_children
from musrecd.ingest.vanished import is_below
from musrecd.library.store import Library

_log = logging.getLogger(__name__)

_MESSAGES_AT_ONCE = 1000
_MOST_MESSAGES = 20_000
_CHECK_S = 10.0
_BUSY_S = 0.5
# How long a library that cannot be used is left alone, longer each time.
_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 5.0


class Service:
    """The daemon. `tell` may be called from any thread; `run` ends after a `Stop`.

    Raises LibraryError or EncoderError if it cannot begin.
    """

    def __init__(self, config: Config, library: Library) -> None:
        self._config = config
        info = read_card(config.encoder or SHIPPED_WEIGHTS, config.coverage).info
        library.register_encoder(info, HEARING)
        self._version = info.version
        self._inbox: SimpleQueue[Message] = SimpleQueue()
        self._has_overflowed = False
        self._settling = Settling(config.daemon.settle_s)
        self._hearing = Hearing(config, self.tell)
        folders = tuple(os.fsencode(folder) for folder in config.folders)
        self._watcher = Watcher(list(folders), self.tell)
        self._arrivals = Arrivals(self._watcher.roots)
        self._intake = Intake(
            library,
            info.version,
            self._settling,
            self._may_be_unmounted,
            lambda: self._hearing.paths,
            self._arrivals.priority,
        )
        self._library = library
        self._tagger = Tagger(config, folders, lambda future: self.tell(TagsDone(future)))
        self._work = Work(
            library,
            info.version,
            self._hearing,
            self._settling,
            self._may_be_unmounted,
            tags_new=self._tagger.is_on,
        )
        self._lookout = Lookout(lambda future: self.tell(LookDone(future)))
        self._chores = Chores(config.library, self.tell)
        self._coverage = Coverage(self._watcher)
        self._checked_at = -_CHECK_S
        self._library_at = self._library_wait_s = 0.0
        self._has_more = False
        self._end: Stop | None = None
        self.state = State(self._watcher.roots, info.version)

    def tell(self, message: Message) -> None:
        """Leave a message for the loop. Of too many hints the last are dropped, and everything is looked through."""
        if isinstance(message, (Touched, Moved, Gone)) and self._inbox.qsize() >= _MOST_MESSAGES:
            self._has_overflowed = True
        else:
            self._inbox.put(message)

    def _end_interrupted_writes(self) -> None:
        """Let a process see what became of writes that a kill interrupted, and sweep what they left."""
        if self._tagger.is_ready and self._library.journal.begun():
            self._tagger.begin()

    def run(self, on_turn: Callable[[], None] = lambda: None) -> Stop:
        """Work until told to stop; `on_turn` is called now and then, every ten seconds at least.

        Raises LibraryError if the library is damaged.
        """
        self._end_interrupted_writes()
        with ExitStack() as stack:
            stack.callback(self._refuse_all)
            stack.callback(self._hearing.rest)
            stack.callback(self._lookout.stop)
            stack.callback(self._tagger.stop)
            # Told to end, each would be waited for by itself.
            stack.callback(kill_children)
            stack.callback(self._watcher.stop)
            while self._end is None:
                self._turn()
                on_turn()
                self._read_messages(self._wait_s())
            return self._end

    def _wait_s(self) -> float:
        now = time.monotonic()
        times = [self._checked_at + _CHECK_S]
        if self._hearing.begins_at > now:
            times.append(self._hearing.begins_at)
        if self._lookout.is_busy:
            times.append(now + _BUSY_S)
        if self._library_wait_s:
            times.append(self._library_at)
        elif self._has_more:
            times.append(now)
        elif (settled_at := self._settling.next_at()) is not None:
            times.append(settled_at)
        return max(0.0, min(times) - now)

    def _read_messages(self, wait_s: float) -> None:
        with suppress(Empty):
            self._take(self._inbox.get(timeout=wait_s) if wait_s else self._inbox.get_nowait())
            for _ in range(_MESSAGES_AT_ONCE):
                self._take(self._inbox.get_nowait())

    def _take(self, message: Message) -> None:
        match message:
            case Touched() | Moved() | Gone():
                self._intake.note(message, time.monotonic())
                if isinstance(message, Touched):
                    self._hearing.warm_up()
            case Missed(folder):
                self._look_through(LookThrough((folder,)))
            case Damaged(error):
                raise error
            case TagsDone(future):
                self._tagger.done(future)
            case _:
                self._do(message)

    def _do(self, message: Heard | LookDone | LookThrough | Ask | Upkeep | Stop) -> None:
        match message:
            case Heard():
                self._work.finish(message)
            case LookDone():
                self._looked(message)
            case LookThrough():
                self._look_through(message)
            case Ask(path, answer):
                self._hearing.answer(task_for(path), answer)
            case Upkeep():
                self._chores.do(message)
            case Stop():
                self._end = message

    def _turn(self) -> None:
        now = time.monotonic()
        if now >= self._checked_at + _CHECK_S:
            self._checked_at = now
            changed = self._watcher.check()
            self._arrivals.check()
            self._look_at(changed)
        self._hearing.check()
        if self._has_overflowed and self._inbox.qsize() < _MOST_MESSAGES:
            self._has_overflowed = False
            self._look_through(LookThrough())
        self._lookout.begin()
        self._use_library(now)
        self.state.note_turn(
            n_settling=len(self._settling),
            looking=self._lookout.folders,
            under_way=self._hearing.paths,
            n_done=self._work.n_done,
        )

    def _use_library(self, now: float) -> None:
        """Bring in, store and begin what there is; later, if the library is locked or its disk full."""
        if now < self._library_at:
            return
        try:
            # What went since it was heard has to be known before that is told.
            self._work.store()
            self._intake.bring_in(now)
            self._has_more = self._work.feed() or self._intake.has_more
            if self._tagger.is_ready and self._library.tag_queue.is_due(time.time()):
                self._tagger.begin()
        except LibraryUnavailableError as error:
            if not self._library_wait_s:
                _log.warning("nothing can be stored now", extra={"reason": str(error)})
            self._library_wait_s = min(max(2 * self._library_wait_s, _FIRST_WAIT_S), _LONGEST_WAIT_S)
            self._library_at = time.monotonic() + self._library_wait_s
        else:
            if self._library_wait_s:
                _log.info("the library can be used again")
            self._library_wait_s = 0.0

    def _may_be_unmounted(self, path: bytes) -> bool:
        """Whether the watched folder around a path, or a disk in it, seems to be gone: nothing is concluded of that."""
        around = [root for root in self._watcher.roots if is_below(path, root.path) or is_below(root.path, path)]
        return any(root.may_lack(path) for root in around)

    def _look_through(self, wanted: LookThrough) -> None:
        if wanted.folders:
            for folder in wanted.folders:
                self._look(folder, wanted.retry_failed)
            return
        there = [root for root in self._watcher.roots if root.method != "absent" and not root.is_silent]
        for root in there:
            if root.method == "polling" or not wanted.only_polled:
                self._look(root.path, wanted.retry_failed)

    def _look_at(self, roots: list[Root]) -> None:
        for root in roots:
            self._look(root.path)

    def _look(self, folder: bytes, retry_failed: bool = False) -> None:
        unmounted = tuple(sorted(path for root in self._watcher.roots for path in root.unmounted()))
        priority = self._arrivals.priority(folder)
        self._arrivals.begin_look(folder)
        look = Look(
            self._config.library, self._version, (folder,), retry_failed, priority, unmounted, self._arrivals.unread
        )
        self._lookout.look(look)

    def _looked(self, message: LookDone) -> None:
        looked = self._lookout.done(message.future)
        if looked is None:
            return
        self.state.note_look(looked)
        self._arrivals.note_look(looked.folders, [path for path, _ in looked.unread])
        for path, reason in looked.unread:
            _log.warning("cannot be read", extra={"path": path, "reason": reason})
        for path in looked.emptied:
            _log.warning(
                "holds no music any more, in case it is only unmounted nothing is marked", extra={"path": path}
            )
        self._look_at(self._coverage.note(looked))

    def _refuse_all(self) -> None:
        """Tell whoever asked and was not heard any more."""
        with suppress(Empty):
            while True:
                message = self._inbox.get_nowait()
                if isinstance(message, Ask):
                    message.answer.set_exception(MusrecError("the daemon is ending"))
