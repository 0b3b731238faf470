"""Settings of every test: how many examples hypothesis draws, how a failure is reproduced, and which tests share a worker."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

TESTS = Path(__file__).parent

settings.register_profile(
    "quick",
    max_examples=25,
    deadline=None,  # no timed assertions: machines are shared
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("brief", parent=settings.get_profile("quick"), max_examples=8)  # make test-unit
settings.register_profile("long", parent=settings.get_profile("quick"), max_examples=1000)
settings.register_profile(  # make mutants: the same examples in every run
    "fixed", parent=settings.get_profile("quick"), derandomize=True, database=None
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


def pytest_configure(config: pytest.Config) -> None:
    """Let xdist distribute kinds of tests in their order; by default the kind with the most tests comes first, which is not the slowest."""
    config.option.loadscopereorder = False


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name an archive by its argument: gzip and zip hold the time at which they were made, and all workers of a run must name a test alike."""
    return argname if isinstance(val, bytes) and val.startswith((b"\x1f\x8b", b"PK\x03\x04")) else None


@pytest.hookimpl(tryfirst=True)  # before xdist reads the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Group tests for workers: one worker runs a whole kind of tests, because each kind has its own servers; unit tests go by file.

    A file that needs no server may set another group. Terraform's tests take longest, so they begin first.
    """
    for item in items:
        kind, *below = item.path.relative_to(TESTS).parts
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group("/".join((kind, *below)) if kind == "unit" else kind))
    items.sort(key=lambda item: item.path.relative_to(TESTS).parts[0] != "terraform")
