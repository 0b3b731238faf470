"""How tests are distributed to workers."""

from __future__ import annotations

import pytest


def test_a_worker_gets_whole_kinds_of_tests(request: pytest.FixtureRequest) -> None:
    if not request.config.getoption("loadgroup", False):
        pytest.skip("this run does not distribute tests by kind")

    # Some versions of pytest and pytest-xdist ignore the groups together, without a warning, and each worker starts every server.
    assert request.node.nodeid.endswith("@unit/test_workers.py")
