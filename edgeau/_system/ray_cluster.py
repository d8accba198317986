"""Spreading work over the processors of a Ray cluster; ray is imported when it is used.

Every node needs edgeau with the same extras, and must see inputs and outputs under the same paths.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from edgeau._system.install_lines import extra_line
from edgeau._system.processor import usable_processors
from edgeau.errors import DependencyError, EngineError, UserError

__all__ = ["spread"]

Item = TypeVar("Item")
Result = TypeVar("Result")

_LOCAL = "local"
_CLIENT = "ray://"
_PATIENCE_S = 5.0
_AGAIN = 1  # work whose process was killed is done again so many times


def spread(
    address: str, work: Callable[[Item], Result], items: Sequence[Item]
) -> Iterator[tuple[Item, Result]]:
    """Do work on each item, one processor each, and give the results as they come.

    What a worker keeps in the globals of its modules stays for its next items.

    Args:
        address: address of a running cluster: of its head (``"10.0.0.1:6379"``), from a machine outside of it
            (``"ray://10.0.0.1:10001"``, Ray's client server), ``"auto"`` on one of its nodes and in its jobs; or ``"local"`` for one on this
            machine that ends with the work.
        work: a function of a module; its exceptions of kind :class:`UserError` are raised here as they are.
        items: what can be pickled.

    Raises:
        DependencyError: ray is not installed.
        UserError: there is no cluster at the address, or the work says so.
        EngineError: a worker was killed twice over the same item.
    """
    with _connected(address) as ray:
        remote = ray.remote(num_cpus=1, max_retries=_AGAIN)(_guarded)
        waiting = {remote.remote(work, item): item for item in items}
        while waiting:
            done, _ = ray.wait(list(waiting), num_returns=1)
            for reference in done:
                item = waiting.pop(reference)
                yield item, _received(ray, reference, item)


def _guarded(work: Callable[[Item], Result], item: Item) -> Result | UserError:
    try:
        return work(item)
    except UserError as error:
        return error  # Ray would wrap it in an exception of its own


def _received(ray: Any, reference: Any, item: object) -> Any:
    try:
        result = ray.get(reference)
    except ray.exceptions.WorkerCrashedError as error:
        raise EngineError(
            f"the worker on {item} was killed {_AGAIN + 1} times, perhaps for lack of memory; what is finished is kept, run the "
            "same command again to go on"
        ) from error
    if isinstance(result, UserError):
        raise result
    return result


@contextmanager
def _connected(address: str) -> Iterator[Any]:
    try:
        import ray
        import ray.exceptions
    except ImportError as error:
        raise DependencyError(f"--ray needs ray ({error}): {extra_line('ray')}") from error
    quiet: dict[str, Any] = {
        "log_to_driver": False,
        "logging_level": logging.ERROR,
        "configure_logging": True,
    }
    if address == _LOCAL:
        options: dict[str, Any] = {
            "num_cpus": usable_processors(),
            "include_dashboard": False,
            **quiet,
        }
    elif address.startswith(_CLIENT):
        options = {"address": address}  # the client takes nothing else
    else:
        options = {"address": address, **quiet}
    _check_reachable(address)
    try:
        ray.init(**options)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise _no_cluster(address, error) from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _check_reachable(address: str) -> None:
    """Ray itself tries for minutes where nothing answers."""
    host, colon, port = address.removeprefix(_CLIENT).rpartition(":")
    if not (colon and port.isdigit()):
        return  # "auto" and "local" are Ray's to look up
    try:
        socket.create_connection((host.strip("[]"), int(port)), _PATIENCE_S).close()
    except (OSError, OverflowError) as error:
        raise _no_cluster(address, error) from error


def _no_cluster(address: str, error: Exception) -> UserError:
    first = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return UserError(
        f"there is no Ray cluster at {address!r} ({first}); start one with: ray start --head, or give --ray local"
    )
