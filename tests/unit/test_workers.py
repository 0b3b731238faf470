"""How tests are shared out to workers."""

from __future__ import annotations

import pytest


def test_a_worker_gets_whole_kinds_of_tests(request: pytest.FixtureRequest) -> None:
    if not request.config.getoption("loadgroup", False):
        pytest.skip("this run shares out nothing by kind")

    # Where pytest and pytest-xdist do not fit together, groups are passed over in silence, and each worker starts every server.
    assert request.node.nodeid.endswith("@unit/test_workers.py")
