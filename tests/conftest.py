"""What holds for every test: how many examples hypothesis draws, that a failure can be drawn again, and what runs beside what."""

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
    """Have xdist take kinds of tests in their order, and not that of the most tests first, which are not the longest."""
    config.option.loadscopereorder = False


@pytest.hookimpl(tryfirst=True)  # before xdist looks for the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say what two workers may share out: whole kinds of tests, since each kind has servers of its own; unit tests by file.

    A file that needs no server may say otherwise. Terraform's tests take longest, and so they begin first.
    """
    for item in items:
        kind, *below = item.path.relative_to(TESTS).parts
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group("/".join((kind, *below)) if kind == "unit" else kind))
    items.sort(key=lambda item: item.path.relative_to(TESTS).parts[0] != "terraform")
