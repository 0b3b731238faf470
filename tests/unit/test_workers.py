"""How tests are named and distributed to workers."""

from __future__ import annotations

import gzip
import io
import zipfile

import pytest


@pytest.mark.parametrize("year", [2001, 2026])
def test_a_test_has_the_same_name_in_every_worker_whenever_its_archive_was_made(
    request: pytest.FixtureRequest, year: int
) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("a.csv", (year, 1, 1, 0, 0, 0)), "a,b\n")
    values = (buffer.getvalue(), gzip.compress(b"a,b\n", mtime=year), b"a,b\n")

    name = request.config.hook.pytest_make_parametrize_id
    names = [name(config=request.config, val=value, argname="data") for value in values]

    assert names == ["data", "data", None]


def test_a_worker_gets_whole_kinds_of_tests(request: pytest.FixtureRequest) -> None:
    if not request.config.getoption("loadgroup", False):
        pytest.skip("this run does not distribute tests by kind")

    # Some versions of pytest and pytest-xdist ignore the groups together, without a warning, and each worker starts every server.
    assert request.node.nodeid.endswith("@unit/test_workers.py")
