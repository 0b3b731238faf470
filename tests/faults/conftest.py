"""A stack to be broken."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .run import started

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .site import Site


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with started(tmp_path_factory.mktemp("faults")) as running:
        yield running
