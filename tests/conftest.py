"""What holds for every test: how many examples hypothesis draws, that a failure can be drawn again, and what runs beside what."""

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
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


@pytest.hookimpl(tryfirst=True)  # before xdist looks for the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say what two workers may share out: whole kinds of tests, since each kind has servers of its own; unit tests by file."""
    for item in items:
        kind, *below = item.path.relative_to(TESTS).parts
        item.add_marker(pytest.mark.xdist_group("/".join((kind, *below)) if kind == "unit" else kind))
