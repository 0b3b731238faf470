"""One stack for all faults."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .catalogue import FAULTS
from .run import Run
from .site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("faults"))
    try:
        site.start()
        # Functions start with their first batch: without this, the first fault would wait for that.
        Run(site, FAULTS[0], seed=101).go()
        yield site
    finally:
        site.stop()
