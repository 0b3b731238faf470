"""Find and repair what a stage of the local stack has missed: ``make reconcile-local``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from local.configured_pool import LazyPool, configured_pool
from local.event_sources.config import MappingConfigError, read_config
from local.lambda_api import LambdaApi
from local.stack.state import DEFAULT_BUILD_DIR, StackFolder
from ops.reconciling import add_options, is_clean, report, request

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local.event_sources.config import MappingConfig

STAGES = ("persist", "alert", "case")


class ReconcileError(Exception):
    """The reconciler cannot run; says why in a sentence."""


class Reconciler:
    """The reconciler of a stack, with the stages that it invokes.

    Parameters
    ----------
    config : MappingConfig
        Of the reconciler.
    stages : dict[str, Path]
        The stages that it may invoke, each with the configuration of its mapping.
    """

    def __init__(self, config: MappingConfig, stages: dict[str, Path]) -> None:
        self._api = LambdaApi({name: LazyPool(file) for name, file in stages.items()})
        environment = {**config.environment, "AWS_ENDPOINT_URL_LAMBDA": self._api.endpoint}
        self._pool = configured_pool(msgspec.structs.replace(config, environment=environment))
        self._api.start()

    def run(self, **request: Any) -> dict[str, int]:
        """Run it once; what it may be asked for is :class:`reconcile.stage.Request`.

        Returns
        -------
        dict[str, int]
            What it found.

        Raises
        ------
        ReconcileError
            If it failed.
        """
        result = self._pool.invoke(request)
        if result.error is not None:
            raise ReconcileError(f"{result.error.type}: {result.error.message}")
        return msgspec.json.decode(result.payload, type=dict[str, int])

    def stop(self) -> None:
        """End its process, and those of the stages."""
        self._pool.stop()
        self._api.stop()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the reconciler on the stack that is up; 1 if a repair failed."""
    parser = argparse.ArgumentParser(prog="python -m local.reconcile", description=__doc__)
    parser.add_argument("--build-dir", type=Path, default=DEFAULT_BUILD_DIR)
    add_options(parser)
    options = parser.parse_args(arguments)
    folder = StackFolder(options.build_dir)
    if folder.running_state() is None:
        print(f"no stack is up in {options.build_dir}; `make up` starts one", file=sys.stderr)
        return 1
    try:
        config = read_config(folder.run_dir / "reconcile.json")
        reconciler = Reconciler(config, {name: folder.run_dir / f"{name}.json" for name in STAGES})
        try:
            found = reconciler.run(**request(options))
        finally:
            reconciler.stop()
    except (MappingConfigError, ReconcileError) as error:
        print(error, file=sys.stderr)
        return 1
    print(report(found))
    return 0 if is_clean(found) else 1


if __name__ == "__main__":
    sys.exit(main())
