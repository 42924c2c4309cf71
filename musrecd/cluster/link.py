"""The connection to a dask scheduler: who its workers are, and tasks for each of them."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from musrecd.errors import ClusterError

if TYPE_CHECKING:
    from distributed import Client, Future

_CONNECT_S = 15.0
_CLOSE_S = 5.0
_GATHER_S = 1.0
_GATHER_TRIES = 10


def check_address(address: str) -> None:
    """Raise ClusterError if dask is missing, if this is no address of a scheduler, or certificates for it are missing.

    dask itself says so late, and not in one line.
    """
    try:
        import dask
        from distributed import Security
        from distributed.comm.addressing import parse_address
    except ImportError as error:
        raise ClusterError("dask is not installed; get it with `pip install 'musrec[cluster]'`") from error
    try:
        scheme, _ = parse_address(address, strict=True)
    except (ValueError, TypeError):
        scheme = ""
    if scheme not in ("tcp", "tls"):
        raise ClusterError(f"{address!r} is no address of a scheduler, like tcp://host:8786")
    if scheme == "tcp" and dask.config.get("distributed.comm.require-encryption"):
        raise ClusterError(f"dask is configured to encrypt: name the scheduler as tls://{address[len('tcp://') :]}")
    if scheme == "tls" and Security().get_connection_args("client").get("ssl_context") is None:
        raise ClusterError(f"for {address} certificates have to stand in dask's configuration; see docs/cluster.md")


class LostError(Exception):
    """What became of a task cannot be known: its worker is gone."""


class Link:
    """A client of the scheduler at an address like tcp://host:8786. Raises ClusterError if there is none."""

    def __init__(self, address: str) -> None:
        check_address(address)
        import dask
        import distributed

        # What it logs would tear the progress bar, and we say ourselves what matters.
        for name in ("distributed", "distributed.client", "tornado"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self._address = address
        # The list of known recordings is 20 MB for a million of them.
        dask.config.set({"distributed.admin.large-graph-warning-threshold": "1GB"})
        with self._errors():
            self._client: Client = distributed.Client(address, timeout=_CONNECT_S, set_as_default=False, name="musrec")

    def workers(self) -> dict[str, int]:
        """Addresses of the workers that are running, with their threads. Raises ClusterError."""
        # A client that lost its scheduler has lost all that it waits for, too: it does not wait for another.
        if self._client.status not in ("running", "newly-created"):
            raise self._gone()
        with self._errors():
            found: Mapping[str, Any] | None = self._client.scheduler_info(n_workers=-1).get("workers")
        if found is None:
            raise self._gone()
        return {address: each["nthreads"] for address, each in found.items() if each["status"] == "running"}

    def send(
        self,
        worker: str,
        key: str,
        function: Callable[..., Any],
        *arguments: object,
        to: "Callable[[Future[Any]], None]",
    ) -> "Future[Any]":
        """Let one worker, and no other, call a function; `to` gets the future when it is done, from some thread."""
        with self._errors():
            future: Future[Any] = self._client.submit(function, *arguments, key=key, workers=[worker], pure=False)
        future.add_done_callback(to)
        return future

    def answer(self, future: "Future[Any]") -> Any:  # noqa: ANN401
        """Return what a future that is done holds. Raises LostError, and whatever the function raised."""
        from distributed import CancelledError
        from distributed.comm.core import CommClosedError
        from distributed.scheduler import KilledWorker

        for _ in range(_GATHER_TRIES):
            try:
                return future.result(timeout=_GATHER_S)
            except TimeoutError:
                # It was done, but its worker died before we had it; dask waits for the worker to come back.
                if future.status != "finished":
                    break
            except (CancelledError, CommClosedError, KilledWorker) as error:
                raise LostError from error
        raise LostError

    def cancel(self, futures: "list[Future[Any]]") -> None:
        """Take back what is under way; what a worker has begun it ends in vain."""
        with suppress(Exception):  # whatever is wrong with it, nobody waits for it any more
            self._client.cancel(futures, force=True)

    def close(self) -> None:
        """Part from the scheduler."""
        with suppress(Exception):
            self._client.close(timeout=_CLOSE_S)

    def _gone(self) -> ClusterError:
        return ClusterError(
            f"there is no scheduler at {self._address}; start one with `dask scheduler`, or check the address"
        )

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (OSError, RuntimeError, TimeoutError) as error:
            raise self._gone() from error
