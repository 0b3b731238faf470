"""Makes the processes of a function of the stack: those that its mapping feeds, and others beside them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from local.event_sources.config import read_config
from local.runtime.package import unpack
from local.runtime.pool import FunctionPool
from ops.manifests import read_functions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from local.event_sources.config import MappingConfig
    from local.runtime.invocation import InvocationResult
    from ops.manifests import FunctionSpec

    PoolMaker = Callable[..., FunctionPool]
    """Makes a pool from the arguments of :class:`FunctionPool`."""

MAX_WORKERS: Final = 2
"""Processes of a function that others invoke; the second one starts when the first one is busy."""


def configured_pool(config: MappingConfig) -> FunctionPool:
    """Make a pool with the configuration of the function's mapping: of two processes at most, so that a long request does not hold up a short one."""
    spec = read_functions(config.functions_dir)[config.function]
    return function_pool(config, spec, min(spec.reserved_concurrency, MAX_WORKERS))


def function_pool(
    config: MappingConfig, spec: FunctionSpec, max_workers: int, make_pool: PoolMaker = FunctionPool
) -> FunctionPool:
    """Make a pool of a function's processes, with the environment of its mapping's configuration."""
    return make_pool(
        config.function,
        spec,
        unpack(config.zip, config.state_dir / "functions"),
        {"AWS_ENDPOINT_URL": config.aws_endpoint, **config.environment},
        max_workers,
        config.log_dir,
        lambda_python=config.lambda_python,
        region=config.region,
        account_id=config.account_id,
    )


class LazyPool:
    """A pool that is made at its first invocation: its mapping's configuration may not be written before.

    Parameters
    ----------
    config_file : Path
        Of the function's mapping.
    """

    def __init__(self, config_file: Path) -> None:
        self._config_file = config_file
        self._lock = threading.Lock()
        self._pool: FunctionPool | None = None

    def invoke(self, event: object) -> InvocationResult:
        """Run the function once."""
        with self._lock:
            self._pool = self._pool or configured_pool(read_config(self._config_file))
        return self._pool.invoke(event)

    def stop(self) -> None:
        """End its processes, if there are any."""
        if self._pool is not None:
            self._pool.stop()
