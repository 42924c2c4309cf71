"""`musrecd worker`: lends the processors of this machine to scans of others."""

import asyncio
import logging
import signal
from collections.abc import Callable

from musrecd.cluster import worker
from musrecd.cluster.link import check_address
from musrecd.config import Config

_AGAIN_AFTER_S = 3.0

_log = logging.getLogger(__name__)


def serve(config: Config, address: str, on_joined: Callable[[str], None]) -> None:
    """Work for the scheduler at `address` until Ctrl-C or SIGTERM, and wait for it where it is away.

    `on_joined` hears, each time, as whom it was joined. Raises ClusterError as `check_address` does.
    """
    check_address(address)
    worker.use(config)
    logging.getLogger("distributed").setLevel(logging.ERROR)
    try:
        asyncio.run(_serve(config, address, on_joined))
    finally:
        worker.end_all()


async def _serve(config: Config, address: str, on_joined: Callable[[str], None]) -> None:
    told_to_end = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, told_to_end.set)
    ended = asyncio.create_task(told_to_end.wait())
    while not told_to_end.is_set():
        work = asyncio.create_task(_work(config, address, on_joined))
        await asyncio.wait({work, ended}, return_when=asyncio.FIRST_COMPLETED)
        if told_to_end.is_set():
            worker.end_all()
        work.cancel()
        await asyncio.wait({work})
        if not work.cancelled() and (error := work.exception()):
            _log.info("the scheduler is away: %s", error)
        await asyncio.wait({ended}, timeout=_AGAIN_AFTER_S)


async def _work(config: Config, address: str, on_joined: Callable[[str], None]) -> None:
    """Join the scheduler, and stay until it is gone."""
    from distributed import Worker

    # Its memory is that of processes which the pool looks after; dask would count them as leaks.
    async with Worker(address, nthreads=config.threads, memory_limit=0) as joined:
        on_joined(joined.address)
        await joined.finished()
