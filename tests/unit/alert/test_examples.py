"""The examples in docstrings are true."""

import doctest
from types import ModuleType

import pytest

from alert import notification, text


@pytest.mark.parametrize("module", [notification, text])
def test_examples_in_docstrings_hold(module: ModuleType) -> None:
    results = doctest.testmod(module)

    assert results.attempted > 0
    assert results.failed == 0
