"""A stack to be broken."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .run import started

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .site import Site


@pytest.hookimpl(trylast=True)  # after pytest has ordered them by their parameters
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run all tests of a stack of the matrix together, that of its logs last: in any other order the stack would be started again."""
    numbers = {item: stack for item in items if (stack := _stack_of(item)) is not None}
    in_order = iter(sorted(numbers, key=numbers.__getitem__))
    items[:] = [next(in_order) if item in numbers else item for item in items]


def _stack_of(item: pytest.Item) -> int | None:
    stack: int | None = item.callspec.params.get("site") if hasattr(item, "callspec") else None
    return stack


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with started(tmp_path_factory.mktemp("faults")) as running:
        yield running
