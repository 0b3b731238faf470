"""Run one event source mapping or one schedule: ``python -m local.event_sources --function score --config build/run/score.json``.

SIGTERM ends it cleanly.
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from local.event_sources.config import MappingConfigError, read_config, status_file
from local.event_sources.process import MappingProcess
from local.event_sources.source import SourceUnavailableError
from local.runtime.pool import FunctionPool

if TYPE_CHECKING:
    from local.configured_pool import PoolMaker


def main(make_pool: PoolMaker = FunctionPool) -> int:
    """Run until SIGTERM or SIGINT; 1 if the mapping cannot start. ``make_pool`` as for :class:`MappingProcess`."""
    parser = argparse.ArgumentParser(
        description="Deliver records from a source, or events of a schedule, to one function."
    )
    parser.add_argument("--function", required=True)
    parser.add_argument("--config", required=True, type=Path)
    options = parser.parse_args()
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=logging.INFO)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        config = read_config(options.config)
        if config.function != options.function:
            raise MappingConfigError(f"{options.config} is for function {config.function!r}")
        MappingProcess(config, status_file(options.config, options.function), make_pool).run(stop)
    except (MappingConfigError, SourceUnavailableError) as error:
        logging.getLogger(__name__).error("%s: %s", options.function, error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
